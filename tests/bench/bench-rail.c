/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trains on a made railway: two tracks 4.5 m apart for 24 km with crossovers, a branch line, a
 * terminus where trains reverse, and a road beside and across it all. How often is a fix on rails,
 * on the right line, on the right track, and does the path turn where the train did?
 */
#include "analyzer/geometry.h"
#include "analyzer/match.h"
#include "analyzer/network-builder.h"
#include "analyzer/route-search.h"
#include "tests/bench/made-truth.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAIN = 1, BRANCH = 2, CROSSOVER = 3, ROAD = 4 };
enum { TRACK_A, TRACK_B, NEITHER };

typedef struct {
    NetworkBuilder *builder;
    Plane plane;
    int64_t next_fid;
    GArray *line, *track; /* int, by fid - 1 */
} Map;

typedef struct {
    double x, y;
    int64_t node;
} Stop;

static double line_y(double x)
{
    return 300.0 * sin(x / 4000.0);
}

/* An edge from a to b that follows the line at `beside_m` from it (or straight, for NAN). */
static void add_edge(Map *map, int line, int track, Stop a, Stop b, double beside_m)
{
    GeoPoint points[400];
    size_t n = MIN((size_t)(fabs(b.x - a.x) / 50.0) + 2, G_N_ELEMENTS(points));
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / (double)(n - 1);
        PlanePoint p = {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
        if (isfinite(beside_m) && i > 0 && i + 1 < n)
            p.y = line_y(p.x) + beside_m;
        points[i] = plane_to_geo(&map->plane, p);
    }
    NetworkEdge edge = {.fid = map->next_fid++,
                        .kind = (uint8_t)(line == ROAD ? EDGE_ROAD : EDGE_RAIL)};
    (void)network_builder_add_edge(map->builder, &edge, a.node, b.node, points, n);
    g_array_append_val(map->line, line);
    g_array_append_val(map->track, track);
}

static Stop on_track(int track, double x)
{
    return (Stop){x, line_y(x) + 4.5 * track, (int64_t)x * 10 + track};
}

static void add_road(Map *map)
{
    for (int k = 0; k < 24; k++) {
        Stop end[2];
        for (int i = 0; i < 2; i++) {
            double x = (k + i) * 1000.0;
            end[i] = (Stop){x, line_y(x) + 15.0 * cos(x / 3000.0), 1000000 + k + i};
        }
        /* from one side to the other, near enough to be taken for the line */
        double middle = (k + 0.5) * 1000.0;
        Stop between = {middle, line_y(middle) + 15.0 * cos(middle / 3000.0), 2000000 + k};
        add_edge(map, ROAD, NEITHER, end[0], between, 15.0 * cos(middle / 3000.0));
        add_edge(map, ROAD, NEITHER, between, end[1], 15.0 * cos(middle / 3000.0));
    }
}

static Network *make_network(Map *map)
{
    for (int k = 0; k < 6; k++) {
        double x = 4000.0 * k;
        double on = x + 4000.0;
        add_edge(map, MAIN, TRACK_A, on_track(0, x), on_track(0, x + 200), 0.0);
        add_edge(map, MAIN, TRACK_A, on_track(0, x + 200), on_track(0, on), 0.0);
        add_edge(map, MAIN, TRACK_B, on_track(1, x), on_track(1, x + 80), 4.5);
        add_edge(map, MAIN, TRACK_B, on_track(1, x + 80), on_track(1, x + 120), 4.5);
        add_edge(map, MAIN, TRACK_B, on_track(1, x + 120), on_track(1, on), 4.5);
        add_edge(map, CROSSOVER, NEITHER, on_track(0, x), on_track(1, x + 80), NAN);
        add_edge(map, CROSSOVER, NEITHER, on_track(1, x + 120), on_track(0, x + 200), NAN);
    }
    Stop from = on_track(0, 12000);
    for (int k = 0; k < 6; k++) {
        double x = 13000.0 + k * 1000.0;
        Stop to = {x, line_y(12000) + (x - 12000.0) * (x - 12000.0) / 20000.0, 3000000 + k};
        add_edge(map, BRANCH, TRACK_A, from, to, NAN);
        from = to;
    }
    add_road(map);
    return network_builder_finish(g_steal_pointer(&map->builder), NULL, NULL);
}

/* ---- trains ---- */

typedef struct {
    const Map *map;
    Truth *truth;
    RouteSearch *search;
    int64_t time_ns;
    uint32_t trip, turns;
} Railway;

static uint32_t edge_between(const Network *network, GeoPoint a, GeoPoint b, gboolean *backward)
{
    for (uint32_t e = 0; e < network->n_edges; e++) {
        GeoPoint from = network->nodes[network->edges[e].from];
        GeoPoint to = network->nodes[network->edges[e].to];
        *backward = from.lon == b.lon && from.lat == b.lat && to.lon == a.lon && to.lat == a.lat;
        if (*backward ||
            (from.lon == a.lon && from.lat == a.lat && to.lon == b.lon && to.lat == b.lat))
            return e;
    }
    g_error("no such edge");
}

static uint32_t arc_between(const Railway *r, Stop a, Stop b)
{
    gboolean backward = FALSE;
    uint32_t e =
        edge_between(r->truth->network, plane_to_geo(&r->map->plane, (PlanePoint){a.x, a.y}),
                     plane_to_geo(&r->map->plane, (PlanePoint){b.x, b.y}), &backward);
    return 2 * e + (backward ? 1 : 0);
}

static void add_fix(Railway *r, uint32_t arc, double s, double v)
{
    const Network *network = r->truth->network;
    double length_m = network->edges[arc_edge(arc)].length_m;
    double offset_m = arc_backward(arc) ? length_m - s : s;
    TruthFix fix = {.time_ns = r->time_ns,
                    .edge = arc_edge(arc),
                    .offset_m = offset_m,
                    .at = network_point_at(network, arc_edge(arc), offset_m),
                    .measured = {NAN, NAN},
                    .speed_mps = v,
                    .trip = r->trip};
    g_array_append_val(r->truth->fixes, fix);
    r->time_ns += 1000000000;
}

/* Drives from the start of the first arc to the end of the last one, with a stop about every 5 km
 * and at the end, at up to 40 m/s and 0.6 m/s². */
static void drive(Railway *r, const GArray *arcs, int wait_s)
{
    const Network *network = r->truth->network;
    double end_m = 0.0;
    for (guint i = 0; i < arcs->len; i++)
        end_m += network->edges[arc_edge(g_array_index(arcs, uint32_t, i))].length_m;
    double s = 5.0;
    double v = 0.0;
    double begin_m = 0.0;
    double next_m = fmin(5000.0, end_m - 5.0);
    guint at = 0;
    while (s < end_m - 6.0) {
        v = fmin(fmin(v + 0.6, 40.0), sqrt(2.0 * 0.6 * fmax(next_m - s, 0.0)));
        if (next_m - s < 1.0) {
            for (int t = 0; t < 40; t++)
                add_fix(r, g_array_index(arcs, uint32_t, at), s - begin_m, 0.0);
            next_m = next_m + 6500.0 > end_m - 5.0 ? end_m - 5.0 : next_m + 5000.0;
            v = 0.6;
        }
        s += fmax(v, 0.5);
        for (;;) {
            double length_m = network->edges[arc_edge(g_array_index(arcs, uint32_t, at))].length_m;
            if (s - begin_m < length_m || at + 1 == arcs->len)
                break;
            begin_m += length_m;
            at++;
        }
        add_fix(r, g_array_index(arcs, uint32_t, at), fmin(s, end_m) - begin_m, v);
    }
    for (int t = 0; t < wait_s; t++)
        add_fix(r, g_array_index(arcs, uint32_t, at), fmin(s, end_m) - begin_m, 0.0);
}

static void drive_between(Railway *r, uint32_t from, uint32_t to, int wait_s)
{
    g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_append_val(way, from);
    route_search_run(r->search, from, 1e6, FALSE, NULL, 0);
    if (from != to) {
        if (!route_search_path(r->search, to, way))
            g_error("no way");
        g_array_append_val(way, to);
    }
    drive(r, way, wait_s);
}

/* Out on track A to the terminus or the branch's end, reversal, and back over a crossover on B. */
static void round_trip(Railway *r, gboolean branch)
{
    uint32_t out = arc_between(r, on_track(0, 0), on_track(0, 200));
    uint32_t home = arc_between(r, on_track(1, 80), on_track(1, 0));
    uint32_t end = arc_between(r, on_track(0, 20200), on_track(0, 24000));
    if (branch) {
        Stop a = {17000, line_y(12000) + 5000.0 * 5000.0 / 20000.0, 0};
        Stop b = {18000, line_y(12000) + 6000.0 * 6000.0 / 20000.0, 0};
        end = arc_between(r, a, b);
    }
    drive_between(r, out, end, 300);
    r->turns++;
    drive_between(r, end ^ 1U, home, 60);
    r->trip++;
    r->time_ns += INT64_C(3000000000000);
}

/* ---- scores ---- */

static void score(const Railway *r, double sigma_m, guint32 seed, unsigned modes)
{
    const Network *network = r->truth->network;
    const TruthFix *fixes = (const TruthFix *)(void *)r->truth->fixes->data;
    guint n = r->truth->fixes->len;
    g_autofree GeoPoint *seen = truth_blur(r->truth, sigma_m, seed);
    g_autofree MatchFix *input = g_new(MatchFix, n);
    for (guint i = 0; i < n; i++)
        input[i] = (MatchFix){.time_ns = fixes[i].time_ns,
                              .lat = seen[i].lat,
                              .lon = seen[i].lon,
                              .accuracy_m = NAN,
                              .heading_deg = NAN,
                              .speed_mps = fixes[i].speed_mps};
    MatchOptions options = {.modes = modes};
    g_autoptr(Track) track = track_match(network, input, n, &options, NULL);
    size_t m = 0;
    const TrackFix *found = track_fixes(track, &m);
    guint rail = 0, line = 0, on_main = 0, right_track = 0, matched = 0, turns = 0, stretches = 0;
    for (guint i = 0; i < n; i++) {
        if (found[i].status != FIX_MATCHED)
            continue;
        int is = g_array_index(r->map->line, int, network->edges[found[i].edge].fid - 1);
        int was = g_array_index(r->map->line, int, network->edges[fixes[i].edge].fid - 1);
        matched++;
        rail += is != ROAD;
        line += is == was || (is != ROAD && (is == CROSSOVER || was == CROSSOVER));
        if (is == MAIN && was == MAIN) {
            on_main++;
            right_track +=
                g_array_index(r->map->track, int, network->edges[found[i].edge].fid - 1) ==
                g_array_index(r->map->track, int, network->edges[fixes[i].edge].fid - 1);
        }
        gboolean same =
            i > 0 && found[i - 1].status == FIX_MATCHED && found[i - 1].stretch == found[i].stretch;
        stretches += !same;
        turns += same && found[i - 1].edge == found[i].edge &&
                 found[i - 1].backward != found[i].backward;
    }
    printf("%4.0f m, %-4s: %u fixes, %.2f %% matched, %.2f %% of them on rails, %.2f %% on the "
           "right line, %.1f %% on the right track; %u of %u reversals, %u paths for %u trips\n",
           sigma_m, modes == 0 ? "all" : "rail", n, 100.0 * matched / n, 100.0 * rail / matched,
           100.0 * line / matched, 100.0 * right_track / MAX(on_main, 1U), turns, r->turns,
           stretches, r->trip);
}

int main(void)
{
    Map map = {.builder = network_builder_new(),
               .plane = plane_at((GeoPoint){15.0, 60.0}),
               .next_fid = 1,
               .line = g_array_new(FALSE, FALSE, sizeof(int)),
               .track = g_array_new(FALSE, FALSE, sizeof(int))};
    Truth *truth = g_new0(Truth, 1);
    truth->name = g_strdup("rail");
    truth->fixes = g_array_new(FALSE, FALSE, sizeof(TruthFix));
    truth->network = make_network(&map);
    Railway railway = {.map = &map,
                       .truth = truth,
                       .search = route_search_new(truth->network, EDGE_RAIL),
                       .time_ns = INT64_C(1770000000000000000)};
    for (int k = 0; k < 8; k++)
        round_trip(&railway, k % 2 != 0);
    static const double sigmas_m[] = {3.0, 5.0, 10.0};
    for (guint k = 0; k < G_N_ELEMENTS(sigmas_m); k++) {
        score(&railway, sigmas_m[k], 5, 0);
        score(&railway, sigmas_m[k], 5, EDGE_RAIL);
    }
    route_search_free(railway.search);
    g_array_unref(map.line);
    g_array_unref(map.track);
    truth_free(truth);
    return 0;
}
