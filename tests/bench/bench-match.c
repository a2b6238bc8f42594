/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How right and how fast matching is, on drives with known truth: beside an oracle that is told the
 * true path and only projects each fix onto it, and beside a plain nearest-edge pass. Options: a
 * word that the name of a case must contain.
 */
#include "analyzer/edge-index.h"
#include "analyzer/match-line.h"
#include "analyzer/match.h"
#include "analyzer/network-builder.h"
#include "analyzer/track-build.h"
#include "tests/bench/made-truth.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    double edge_percent, median_m, p95_m;
} Score;

typedef struct {
    guint period_s;
    gboolean no_speed;
    double gap_s; /* a gap of so many seconds in every six minutes or four gaps' time */
} Thinning;

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double quantile(GArray *values, double q)
{
    if (values->len == 0)
        return NAN;
    qsort(values->data, values->len, sizeof(double), compare_doubles);
    return g_array_index(values, double, (guint)(q * (values->len - 1)));
}

/* ---- the oracle ---- */

/* Arcs of one trip, in order. first = number of the fix. */
static GArray *true_arcs(const Truth *truth, RouteSearch *search, guint begin, guint end)
{
    const TruthFix *fixes = (const TruthFix *)(void *)truth->fixes->data;
    GArray *arcs = g_array_new(FALSE, TRUE, sizeof(PathArc));
    g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t now = UINT32_MAX;
    for (guint i = begin; i < end; i++) {
        if (now != UINT32_MAX && fixes[i].edge == arc_edge(now))
            continue;
        if (now == UINT32_MAX) {
            guint k = i + 1;
            while (k < end && fixes[k].edge == fixes[i].edge)
                k++;
            gboolean forward = fixes[k - 1].offset_m > fixes[i].offset_m;
            if (k - 1 == i && k < end) { /* one fix only: the shorter way on */
                double d[2];
                for (uint32_t b = 0; b < 2; b++) {
                    route_search_run(search, 2 * fixes[i].edge + b, 500.0, FALSE, NULL, 0);
                    double x = route_search_distance_m(search, 2 * fixes[k].edge);
                    double y = route_search_distance_m(search, 2 * fixes[k].edge + 1);
                    d[b] = fmin(x, y);
                }
                forward = d[0] <= d[1];
            }
            now = 2 * fixes[i].edge + (forward ? 0 : 1);
        } else {
            route_search_run(search, now, 500.0, FALSE, NULL, 0);
            uint32_t to = 2 * fixes[i].edge;
            if (route_search_distance_m(search, to + 1) < route_search_distance_m(search, to))
                to++;
            g_array_set_size(way, 0);
            (void)route_search_path(search, to, way);
            for (guint k = 0; k < way->len; k++) {
                PathArc between = {.arc = g_array_index(way, uint32_t, k), .first = i};
                g_array_append_val(arcs, between);
            }
            now = to;
        }
        PathArc arc = {.arc = now, .first = i};
        g_array_append_val(arcs, arc);
    }
    return arcs;
}

typedef struct {
    GArray *errors;
    guint right, n;
} Tally;

static void oracle_trip(const Truth *truth, const GeoPoint *seen, GArray *arcs, guint begin,
                        guint end, guint period, Tally *tally)
{
    const TruthFix *fixes = (const TruthFix *)(void *)truth->fixes->data;
    MatchLine line;
    match_line_init(&line);
    match_line_set(&line, truth->network, (const PathArc *)(void *)arcs->data, arcs->len);
    const LinePiece *pieces = (const LinePiece *)(const void *)line.pieces->data;
    guint piece = 0;
    guint cursor = 0;
    for (guint i = begin; i < end; i++) {
        while (piece + 1 < line.pieces->len && pieces[piece + 1].first <= i)
            piece++;
        if (i % period != 0)
            continue;
        const NetworkEdge *edge = &truth->network->edges[fixes[i].edge];
        double along = arc_backward(pieces[piece].arc) ? edge->length_m - fixes[i].offset_m
                                                       : fixes[i].offset_m;
        double s = pieces[piece].start_s + along;
        Plane plane = plane_at(seen[i]);
        LinePlace place =
            match_line_project(&line, &plane, fmax(s - 80.0, 0.0),
                               fmin(s + 80.0, pieces[line.pieces->len - 1].end_s), &cursor);
        guint at = piece;
        while (at + 1 < line.pieces->len && pieces[at + 1].start_s <= place.s)
            at++;
        while (at > 0 && pieces[at].start_s > place.s)
            at--;
        tally->right += arc_edge(pieces[at].arc) == fixes[i].edge;
        tally->n++;
        double error = fabs(place.s - s);
        g_array_append_val(tally->errors, error);
    }
    match_line_clear(&line);
}

static guint trip_end(const Truth *truth, guint begin)
{
    const TruthFix *fixes = (const TruthFix *)(void *)truth->fixes->data;
    guint end = begin + 1;
    while (end < truth->fixes->len && fixes[end].trip == fixes[begin].trip)
        end++;
    return end;
}

static Score finish_tally(Tally *tally)
{
    Score score = {100.0 * tally->right / MAX(tally->n, 1U), quantile(tally->errors, 0.5),
                   quantile(tally->errors, 0.95)};
    g_array_unref(tally->errors);
    return score;
}

/* ---- ours ---- */

static gboolean in_gap(const TruthFix *fix, guint in_trip, const Thinning *thin)
{
    (void)fix;
    if (!(thin->gap_s > 0.0))
        return FALSE;
    guint cycle = (guint)(4.0 * thin->gap_s);
    guint at = in_trip % cycle;
    return at >= cycle / 2 && at < cycle / 2 + (guint)thin->gap_s;
}

static GArray *match_fixes(const Truth *truth, const GeoPoint *seen, const Thinning *thin,
                           GArray *which)
{
    const TruthFix *fixes = (const TruthFix *)(void *)truth->fixes->data;
    GArray *out = g_array_new(FALSE, FALSE, sizeof(MatchFix));
    guint in_trip = 0;
    for (guint i = 0; i < truth->fixes->len; i++) {
        in_trip = i > 0 && fixes[i].trip == fixes[i - 1].trip ? in_trip + 1 : 0;
        if (i % thin->period_s != 0 || in_gap(&fixes[i], in_trip, thin))
            continue;
        MatchFix fix = {.time_ns = fixes[i].time_ns,
                        .lat = seen[i].lat,
                        .lon = seen[i].lon,
                        .accuracy_m = NAN,
                        .heading_deg = NAN,
                        .speed_mps = thin->no_speed ? NAN : fixes[i].speed_mps};
        g_array_append_val(out, fix);
        g_array_append_val(which, i);
    }
    return out;
}

/* Length that is in one path and not in the other, of the true length, by trip: from the first fix
 * that the matcher was given to the last one. */
static double path_error(const Truth *truth, RouteSearch *search, const Track *track,
                         const GArray *which)
{
    const TruthFix *fixes = (const TruthFix *)(void *)truth->fixes->data;
    size_t n = 0;
    const TrackFix *found = track_fixes(track, &n);
    g_autofree double *more_m = g_new0(double, truth->network->n_edges);
    double wrong_m = 0.0;
    double true_m = 0.0;
    size_t k = 0;
    for (guint begin = 0; begin < truth->fixes->len; begin = trip_end(truth, begin)) {
        guint end = trip_end(truth, begin);
        guint first = end;
        guint last = begin;
        for (size_t g = k; g < n && g_array_index(which, guint, (guint)g) < end; g++) {
            last = g_array_index(which, guint, (guint)g);
            first = MIN(first, last);
        }
        if (first >= last)
            continue;
        g_autoptr(GArray) arcs = true_arcs(truth, search, first, last + 1);
        for (guint a = 0; a < arcs->len; a++) {
            uint32_t arc = g_array_index(arcs, PathArc, a).arc;
            double length_m = truth->network->edges[arc_edge(arc)].length_m;
            double driven_m = length_m;
            if (a == 0)
                driven_m -=
                    arc_backward(arc) ? length_m - fixes[first].offset_m : fixes[first].offset_m;
            if (a + 1 == arcs->len)
                driven_m -=
                    arc_backward(arc) ? fixes[last].offset_m : length_m - fixes[last].offset_m;
            more_m[arc_edge(arc)] += driven_m;
            true_m += driven_m;
        }
        while (k < n && g_array_index(which, guint, (guint)k) < end) {
            if (found[k].status != FIX_MATCHED) {
                k++;
                continue;
            }
            guint stretch = found[k].stretch;
            double from_s = found[k].travelled_m;
            double to_s = from_s;
            for (; k < n && (found[k].status != FIX_MATCHED || found[k].stretch == stretch); k++)
                if (found[k].status == FIX_MATCHED)
                    to_s = found[k].travelled_m;
            guint n_pieces = 0;
            const RoutePiece *pieces = track_pieces(track, stretch, &n_pieces);
            for (guint p = 0; p < n_pieces; p++) {
                double end_s = p + 1 < n_pieces ? pieces[p + 1].start_s : INFINITY;
                more_m[pieces[p].edge] -=
                    fmax(fmin(end_s, to_s) - fmax(pieces[p].start_s, from_s), 0.0);
            }
        }
        for (uint32_t e = 0; e < truth->network->n_edges; e++) {
            wrong_m += fabs(more_m[e]);
            more_m[e] = 0.0;
        }
    }
    return 100.0 * wrong_m / true_m;
}

/* Gaps bridged by the right edges, and how far off places in them are. */
static void score_gaps(const Truth *truth, const Track *track, const Thinning *thin)
{
    const TruthFix *fixes = (const TruthFix *)(void *)truth->fixes->data;
    g_autoptr(GArray) errors = g_array_new(FALSE, FALSE, sizeof(double));
    guint gaps = 0;
    guint right = 0;
    gboolean good = TRUE;
    double gap_m = 0.0;
    double all_m = 0.0;
    guint in_trip = 0;
    TrackHint hint = {0};
    gboolean inside = FALSE;
    guint n = truth->fixes->len;
    for (guint i = 0; i < n; i++) {
        in_trip = i > 0 && fixes[i].trip == fixes[i - 1].trip ? in_trip + 1 : 0;
        guint left = i;
        gboolean gap = in_gap(&fixes[i], in_trip, thin);
        /* gaps that the trip ends in are no gaps */
        if (gap && !inside) {
            while (left < n && fixes[left].trip == fixes[i].trip && left - i <= thin->gap_s)
                left++;
            if (left - i <= thin->gap_s)
                gap = FALSE;
        }
        if (!gap) {
            if (inside) {
                gaps++;
                right += good ? 1U : 0U;
                all_m += gap_m;
            }
            inside = FALSE;
            continue;
        }
        if (!inside) {
            inside = good = TRUE;
            gap_m = 0.0;
        }
        gap_m += fixes[i].speed_mps;
        TrackPlace place;
        track_place(track, fixes[i].time_ns, &hint, &place);
        double error = 1e6;
        if (place.quality <= PLACE_INTERPOLATED) {
            Plane plane = plane_at(fixes[i].at);
            PlanePoint p = plane_from_geo(&plane, place.point);
            error = hypot(p.x, p.y);
        }
        /* right path: the true place lies on the way that was bridged */
        g_array_append_val(errors, error);
        if (error > 1e5)
            good = FALSE;
        else {
            guint n_stretch = 0;
            size_t n_found = 0;
            (void)track_fixes(track, &n_found);
            gboolean on = FALSE;
            for (guint s = 0; s < track_stretches(track) && !on; s++) {
                const RoutePiece *pieces = track_pieces(track, s, &n_stretch);
                for (guint p = 0; p < n_stretch && !on; p++)
                    on = pieces[p].edge == fixes[i].edge;
            }
            good = good && on;
        }
    }
    printf("    gaps %u, bridged right %.1f %%, error in them p50 %.1f m, p95 %.1f m = %.1f %% of "
           "%.0f m\n",
           gaps, 100.0 * right / MAX(gaps, 1U), quantile(errors, 0.5), quantile(errors, 0.95),
           100.0 * quantile(errors, 0.95) / (all_m / MAX(gaps, 1U)), all_m / MAX(gaps, 1U));
}

/* Of the processor, not of the wall: other work runs on the same machine. */
static double seconds_used(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double nearest_pass(const Truth *truth, GArray *fixes)
{
    g_autoptr(EdgeIndex) index = edge_index_new(truth->network, 0);
    double start = seconds_used();
    volatile double sum = 0.0;
    for (guint i = 0; i < fixes->len; i++) {
        const MatchFix *fix = &g_array_index(fixes, MatchFix, i);
        EdgeHit hit;
        if (edge_index_near(index, (GeoPoint){fix->lon, fix->lat}, 60.0, &hit, 1) == 1)
            sum += hit.distance_m;
    }
    (void)sum; /* volatile: the pass must not be optimized away */
    return (double)fixes->len / (seconds_used() - start);
}

static const char *wanted = "";

static void run_case(const Truth *truth, double sigma_m, guint32 seed, Thinning thin,
                     const char *what)
{
    if (strstr(what, wanted) == NULL)
        return;
    const TruthFix *fixes = (const TruthFix *)(void *)truth->fixes->data;
    g_autofree GeoPoint *seen = truth_blur(truth, sigma_m, seed);
    g_autoptr(GArray) which = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GArray) input = match_fixes(truth, seen, &thin, which);
    g_autoptr(RouteSearch) search = route_search_new(truth->network, 0);
    Tally oracle = {g_array_new(FALSE, FALSE, sizeof(double)), 0, 0};
    for (guint begin = 0; begin < truth->fixes->len; begin = trip_end(truth, begin)) {
        g_autoptr(GArray) arcs = true_arcs(truth, search, begin, trip_end(truth, begin));
        oracle_trip(truth, seen, arcs, begin, trip_end(truth, begin), thin.period_s, &oracle);
    }
    Score told = finish_tally(&oracle);
    double best_s = INFINITY;
    Track *track = NULL;
    for (int round = 0; round < 5; round++) {
        track_free(track);
        double start = seconds_used();
        track = track_match(truth->network, (const MatchFix *)(void *)input->data, input->len, NULL,
                            NULL);
        best_s = fmin(best_s, seconds_used() - start);
    }
    size_t n = 0;
    const TrackFix *found = track_fixes(track, &n);
    Tally tally = {g_array_new(FALSE, FALSE, sizeof(double)), 0, 0};
    guint unmatched = 0;
    for (size_t k = 0; k < n; k++) {
        const TruthFix *fix = &fixes[g_array_index(which, guint, (guint)k)];
        tally.n++;
        unmatched += found[k].status != FIX_MATCHED;
        tally.right += found[k].edge == fix->edge;
        Plane plane = plane_at(fix->at);
        PlanePoint p = plane_from_geo(&plane, found[k].point);
        double error =
            found[k].edge == fix->edge ? fabs(found[k].offset_m - fix->offset_m) : hypot(p.x, p.y);
        g_array_append_val(tally.errors, error);
    }
    Score ours = finish_tally(&tally);
    double plain = nearest_pass(truth, input);
    double rate = (double)n / best_s;
    printf("%-9s %-14s %6zu | %6.2f %5.1f %5.1f | %6.2f %5.1f %5.1f | %5.2f %6.3f | %6.0f %5.2f\n",
           truth->name, what, n, told.edge_percent, told.median_m, told.p95_m, ours.edge_percent,
           ours.median_m, ours.p95_m, path_error(truth, search, track, which),
           100.0 * unmatched / (double)MAX(n, (size_t)1), rate / 1000.0, rate / plain);
    if (thin.gap_s > 0.0)
        score_gaps(truth, track, &thin);
    track_free(track);
}

/* Takes long edges out of the network: what was driven on them is not on it any more, and is to
 * come back unmatched where no other edge is within 35 m. */
static void run_off(const Truth *truth, double sigma_m)
{
    static const double long_m = 400.0;
    static const double apart_m = 35.0;
    if (strstr("off the network", wanted) == NULL)
        return;
    NetworkBuilder *builder = network_builder_new();
    for (uint32_t e = 0; e < truth->network->n_edges; e++) {
        NetworkEdge edge = truth->network->edges[e];
        edge.fid = e;
        edge.id = NULL;
        if (edge.length_m < long_m)
            (void)network_builder_add_edge(builder, &edge, edge.from, edge.to,
                                           truth->network->points + edge.first_point,
                                           edge.n_points);
    }
    g_autoptr(Network) network = network_builder_finish(builder, NULL, NULL);
    g_autoptr(EdgeIndex) index = edge_index_new(network, 0);
    g_autofree GeoPoint *seen = truth_blur(truth, sigma_m, 5);
    g_autoptr(GArray) which = g_array_new(FALSE, FALSE, sizeof(guint));
    Thinning thin = {.period_s = 1};
    g_autoptr(GArray) input = match_fixes(truth, seen, &thin, which);
    g_autoptr(Track) track =
        track_match(network, (const MatchFix *)(void *)input->data, input->len, NULL, NULL);
    size_t n = 0;
    const TrackFix *found = track_fixes(track, &n);
    guint off = 0;
    guint off_right = 0;
    guint on = 0;
    guint on_unmatched = 0;
    guint on_right = 0;
    for (size_t i = 0; i < n; i++) {
        const TruthFix *fix = &g_array_index(truth->fixes, TruthFix, (guint)i);
        gboolean removed = truth->network->edges[fix->edge].length_m >= long_m;
        if (removed && edge_index_nearest_m(index, fix->at, 100.0) > apart_m) {
            off++;
            off_right += found[i].status == FIX_OFF_NETWORK;
        } else if (!removed) {
            on++;
            on_unmatched += found[i].status != FIX_MATCHED;
            on_right += found[i].status == FIX_MATCHED &&
                        network->edges[found[i].edge].fid == (int64_t)fix->edge;
        }
    }
    printf("%-9s off the network, %.0f m: %u fixes, %.1f %% of them unmatched; of %u on it %.2f %% "
           "right, %.2f %% unmatched\n",
           truth->name, sigma_m, off, 100.0 * off_right / MAX(off, 1U), on,
           100.0 * on_right / MAX(on, 1U), 100.0 * on_unmatched / MAX(on, 1U));
}

static void run_all(const Truth *truth, gboolean measured)
{
    if (measured)
        run_case(truth, -1.0, 1, (Thinning){1, FALSE, 0}, "as given");
    static const double sigmas[] = {5.0, 10.0, 20.0};
    for (unsigned k = 0; k < G_N_ELEMENTS(sigmas); k++) {
        g_autofree char *what = g_strdup_printf("%.0f m 1 Hz", sigmas[k]);
        run_case(truth, sigmas[k], 7 + k, (Thinning){1, FALSE, 0}, what);
    }
    run_case(truth, 5.0, 17, (Thinning){10, FALSE, 0}, "5 m 0.1 Hz");
    run_case(truth, 5.0, 7, (Thinning){1, TRUE, 0}, "5 m no speed");
    run_case(truth, 20.0, 9, (Thinning){1, TRUE, 0}, "20 m no speed");
    run_case(truth, 5.0, 17, (Thinning){10, TRUE, 0}, "0.1 Hz no sp.");
    run_case(truth, 5.0, 7, (Thinning){1, FALSE, 30.0}, "5 m gaps 30 s");
    run_case(truth, 5.0, 7, (Thinning){1, FALSE, 120.0}, "5 m gaps 120 s");
    if (!measured)
        return;
    run_off(truth, 5.0);
    run_off(truth, 10.0);
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_ALL, "");
    (void)setlocale(LC_NUMERIC, "C");
    if (argc > 1)
        wanted = argv[1];
    const char *data = g_getenv("CORRIDOR_DATA");
    const char *source = g_getenv("CORRIDOR_SOURCE");
    g_autofree char *folder = data != NULL ? g_build_filename(data, "drive-li", NULL)
                                           : g_build_filename(source != NULL ? source : ".", "..",
                                                              "shared", "data", "drive-li", NULL);
    printf("%-9s %-14s %6s | %-18s | %-18s | %-12s | %s\n", "drive", "case", "fixes",
           "oracle: edge p50 95", "ours: edge p50 95", "path%  unm.%", "k/s  of nearest");
    g_autoptr(Truth) real = truth_read(folder);
    if (real != NULL)
        run_all(real, TRUE);
    else
        printf("(no reference data at %s)\n", folder);
    g_autoptr(Truth) made = truth_make(NULL, 42, 30);
    run_all(made, FALSE);
    return 0;
}
