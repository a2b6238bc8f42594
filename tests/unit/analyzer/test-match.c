/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/crs.h"
#include "analyzer/geometry.h"
#include "analyzer/match-cost.h"
#include "analyzer/match.h"
#include "analyzer/network-builder.h"
#include "analyzer/track-build.h"
#include "tests/bench/made-truth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t second_ns = INT64_C(1000000000);
static const int64_t start_ns = INT64_C(1770000000000000000);

/* ---- making networks and drives ---- */

typedef struct {
    Plane plane;
    NetworkBuilder *builder;
} Map;

static Map new_map(void)
{
    return (Map){plane_at((GeoPoint){15.0, 60.0}), network_builder_new()};
}

/* A line through n places in metres, from and to nodes of these numbers. */
static void add_line(Map *map, int64_t fid, EdgeKind kind, int64_t from, int64_t to,
                     const PlanePoint *line, size_t n)
{
    g_autofree GeoPoint *points = g_new(GeoPoint, n);
    for (size_t i = 0; i < n; i++)
        points[i] = plane_to_geo(&map->plane, line[i]);
    NetworkEdge edge = {.fid = fid, .kind = (uint8_t)kind};
    g_assert_true(network_builder_add_edge(map->builder, &edge, from, to, points, n));
}

static void add_straight(Map *map, int64_t fid, EdgeKind kind, int64_t from, int64_t to,
                         PlanePoint a, PlanePoint b)
{
    PlanePoint line[] = {a, b};
    add_line(map, fid, kind, from, to, line, 2);
}

static Network *finish_map(Map *map)
{
    return network_builder_finish(map->builder, NULL, NULL);
}

static void add_fix(GArray *fixes, const Map *map, double seconds, PlanePoint at, double speed)
{
    GeoPoint p = plane_to_geo(&map->plane, at);
    MatchFix fix = {.time_ns = start_ns + (int64_t)llround(seconds * 1e9),
                    .lat = p.lat,
                    .lon = p.lon,
                    .accuracy_m = NAN,
                    .speed_mps = speed,
                    .heading_deg = NAN};
    g_array_append_val(fixes, fix);
}

static GArray *new_fixes(void)
{
    return g_array_new(FALSE, FALSE, sizeof(MatchFix));
}

static Track *match(const Network *network, const GArray *fixes)
{
    g_autoptr(GError) error = NULL;
    Track *track =
        track_match(network, (const MatchFix *)(const void *)fixes->data, fixes->len, NULL, &error);
    g_assert_no_error(error);
    return track;
}

static int64_t fid_of(const Network *network, const TrackFix *fix)
{
    return fix->status == FIX_MATCHED ? network->edges[fix->edge].fid : -1;
}

/* ---- vectors ---- */

static void assert_near(double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance))
        g_error("%.9g, not %.9g", value, wanted);
}

/* Gaussian emission with σ 4.07 m, exponential transition with β 3 m. */
static void test_costs(void)
{
    static const double emission[][2] = {
        {0, -2.322582}, {4.07, -2.822582}, {10, -5.341012}, {20, -14.396304}};
    static const double transition[][2] = {
        {0, -1.098612}, {3, -2.098612}, {10, -4.431946}, {50, -17.765279}};
    for (int i = 0; i < 4; i++) {
        assert_near(match_emission_ln(emission[i][0], 4.07), emission[i][1], 1e-6);
        assert_near(match_transition_ln(transition[i][0], 3.0), transition[i][1], 1e-6);
        assert_near(match_transition_ln(-transition[i][0], 3.0), transition[i][1], 1e-6);
    }
    assert_near(match_beta_m(1), 0.490376731, 1e-12);
    assert_near(match_beta_m(30), 34.56991141, 1e-12);
    assert_near(match_beta_m(2.5), (0.82918373 + 1.24364564) / 2, 1e-12);
}

/* Three fixes between two roads that nothing connects: the second is nearer to the wrong one. */
static void test_two_roads(void)
{
    static const PlanePoint at[] = {{0, 4}, {20, 7}, {40, 3}};
    double cost[2] = {0};
    for (int i = 0; i < 3; i++) {
        cost[0] += match_emission_cost(at[i].y, 4.07);
        cost[1] += match_emission_cost(at[i].y - 12, 4.07);
        for (int road = 0; road < 2 && i > 0; road++)
            cost[road] += fabs(hypot(20, at[i].y - at[i - 1].y) - 20) / 3.0;
    }
    assert_near(cost[0], 2.440247, 1e-6);
    assert_near(cost[1], 5.337941, 1e-6);
    Map map = new_map();
    add_straight(&map, 1, EDGE_ROAD, 1, 2, (PlanePoint){-100, 0}, (PlanePoint){140, 0});
    add_straight(&map, 2, EDGE_ROAD, 3, 4, (PlanePoint){-100, 12}, (PlanePoint){140, 12});
    g_autoptr(Network) network = finish_map(&map);
    g_autoptr(GArray) fixes = new_fixes();
    for (int i = 0; i < 3; i++)
        add_fix(fixes, &map, i, at[i], NAN);
    g_autoptr(Track) track = match(network, fixes);
    size_t n = 0;
    const TrackFix *found = track_fixes(track, &n);
    for (size_t i = 0; i < n; i++)
        g_assert_cmpint(fid_of(network, &found[i]), ==, 1);
}

static void test_hermite(void)
{
    TrackAnchor a = {0, 1000, 30, 0};
    TrackAnchor b = {60 * second_ns, 2500, 20, 0};
    static const double wanted[][2] = {{15, 1431.25}, {30, 1825}, {45, 2181.25}};
    double s = 0;
    double v = 0;
    double half = 0;
    for (int i = 0; i < 3; i++) {
        track_hermite(&a, &b, (int64_t)wanted[i][0] * second_ns, 0.5, &s, &v, &half);
        assert_near(s, wanted[i][1], 1e-9);
    }
    track_hermite(&a, &b, 30 * second_ns, 0.5, &s, &v, &half);
    /* |a| <= 0.5 m/s²: between 1675 and 2125 m at half time */
    assert_near(half, fmax(2125.0 - 1825.0, 1825.0 - 1675.0), 1e-9);
    /* speeds that contradict the distance: it never runs backward */
    b.s = 1100;
    double before = a.s;
    for (int t = 0; t <= 60; t++) {
        track_hermite(&a, &b, t * second_ns, 0.5, &s, &v, &half);
        g_assert_cmpfloat(s, >=, before);
        g_assert_cmpfloat(s, <=, b.s);
        before = s;
    }
}

/* ---- properties, on made networks ---- */

static GArray *fixes_of(const Truth *truth, double sigma_m, guint32 seed)
{
    g_autofree GeoPoint *seen = truth_blur(truth, sigma_m, seed);
    GArray *fixes = new_fixes();
    for (guint i = 0; i < truth->fixes->len; i++) {
        const TruthFix *t = &g_array_index(truth->fixes, TruthFix, i);
        MatchFix fix = {.time_ns = t->time_ns,
                        .lat = seen[i].lat,
                        .lon = seen[i].lon,
                        .accuracy_m = NAN,
                        .heading_deg = NAN,
                        .speed_mps = t->speed_mps};
        g_array_append_val(fixes, fix);
    }
    return fixes;
}

static void test_noiseless(void)
{
    for (guint32 seed = 1; seed <= 3; seed++) {
        g_autoptr(Truth) truth = truth_make(NULL, seed, 5);
        g_autoptr(GArray) fixes = fixes_of(truth, 0.0, 1);
        g_autoptr(Track) track = match(truth->network, fixes);
        size_t n = 0;
        const TrackFix *found = track_fixes(track, &n);
        guint right = 0;
        for (size_t i = 0; i < n; i++) {
            const TruthFix *t = &g_array_index(truth->fixes, TruthFix, (guint)i);
            right += found[i].edge == t->edge;
            g_assert_cmpint(found[i].status, ==, FIX_MATCHED);
            g_assert_cmpfloat(crs_distance_m(found[i].point, t->at), <, 2.0);
            g_assert_cmpfloat(found[i].distance_m, <, 2.0);
        }
        /* within centimetres of a node either edge is right */
        g_assert_cmpfloat(right, >=, 0.99 * (double)n);
    }
}

/* The same network with its edges in another order, every third one cut in two, and streets of
 * another town. An edge's fid is the old edge's number. */
static Network *disorder(const Network *network, guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autofree uint32_t *order = g_new(uint32_t, network->n_edges);
    for (uint32_t e = 0; e < network->n_edges; e++) {
        uint32_t other = (uint32_t)g_rand_int_range(rand, 0, (gint32)e + 1);
        order[e] = order[other];
        order[other] = e;
    }
    NetworkBuilder *builder = network_builder_new();
    for (uint32_t i = 0; i < network->n_edges; i++) {
        NetworkEdge edge = network->edges[order[i]];
        const GeoPoint *points = network->points + edge.first_point;
        edge.fid = order[i];
        edge.id = NULL;
        int64_t from = edge.from;
        uint32_t cut = order[i] % 3 == 0 && edge.n_points > 2 ? 2 : 0;
        if (cut > 0) {
            int64_t middle = 1000000 + (int64_t)order[i];
            g_assert_true(network_builder_add_edge(builder, &edge, from, middle, points, cut + 1));
            from = middle;
        }
        g_assert_true(network_builder_add_edge(builder, &edge, from, edge.to, points + cut,
                                               edge.n_points - cut));
    }
    GeoPoint far[] = {{25.0, 40.0}, {25.01, 40.0}, {25.01, 40.01}};
    NetworkEdge edge = {.fid = 1 << 30, .kind = EDGE_ROAD};
    g_assert_true(network_builder_add_edge(builder, &edge, 2000000, 2000001, far, 3));
    return network_builder_finish(builder, NULL, NULL);
}

static void test_order_and_splits(void)
{
    g_autoptr(Truth) truth = truth_make(NULL, 11, 6);
    g_autoptr(GArray) fixes = fixes_of(truth, 5.0, 3);
    g_autoptr(Track) track = match(truth->network, fixes);
    g_autoptr(Network) other = disorder(truth->network, 5);
    g_autoptr(Track) again = match(other, fixes);
    size_t n = 0;
    const TrackFix *a = track_fixes(track, &n);
    const TrackFix *b = track_fixes(again, &n);
    /* where a path begins is open by some metres: the first edge may have one more before it */
    guint same = 0;
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpint(a[i].status, ==, b[i].status);
        if (a[i].status != FIX_MATCHED)
            continue;
        g_assert_cmpfloat(crs_distance_m(a[i].point, b[i].point), <, 4.0);
        same += a[i].edge == fid_of(other, &b[i]);
    }
    g_assert_cmpfloat(same, >=, 0.995 * (double)n);
}

static Network *both_ways(const Network *network)
{
    NetworkBuilder *builder = network_builder_new();
    for (uint32_t e = 0; e < network->n_edges; e++) {
        NetworkEdge edge = network->edges[e];
        edge.way = EDGE_BOTH_WAYS;
        g_assert_true(network_builder_add_edge(builder, &edge, edge.from, edge.to,
                                               network->points + edge.first_point, edge.n_points));
    }
    return network_builder_finish(builder, NULL, NULL);
}

static void test_backward_in_time(void)
{
    g_autoptr(Truth) truth = truth_make(NULL, 12, 6);
    g_autoptr(Network) network = both_ways(truth->network);
    g_autoptr(GArray) fixes = fixes_of(truth, 5.0, 3);
    g_autoptr(GArray) reversed = new_fixes();
    for (guint i = fixes->len; i > 0; i--) {
        MatchFix fix = g_array_index(fixes, MatchFix, i - 1);
        fix.time_ns = 2 * start_ns - fix.time_ns;
        g_array_append_val(reversed, fix);
    }
    g_autoptr(Track) track = match(network, fixes);
    g_autoptr(Track) back = match(network, reversed);
    size_t n = 0;
    const TrackFix *a = track_fixes(track, &n);
    const TrackFix *b = track_fixes(back, &n);
    guint same = 0;
    guint turned = 0;
    for (size_t i = 0; i < n; i++) {
        same += a[i].edge == b[n - 1 - i].edge;
        turned += a[i].edge == b[n - 1 - i].edge && a[i].backward == !b[n - 1 - i].backward;
    }
    g_assert_cmpfloat(same, >=, 0.97 * (double)n);
    g_assert_cmpfloat(turned, >=, 0.97 * (double)n);
}

/* ---- cases ---- */

static void test_standing(void)
{
    Map map = new_map();
    add_straight(&map, 1, EDGE_ROAD, 1, 2, (PlanePoint){0, 0}, (PlanePoint){2000, 0});
    g_autoptr(Network) network = finish_map(&map);
    for (int told = 0; told < 2; told++) {
        g_autoptr(GArray) fixes = new_fixes();
        g_autoptr(GRand) rand = g_rand_new_with_seed(4);
        double x = 0;
        double wander = 0;
        for (int t = 0; t < 400; t++) {
            double v = t < 100 || t >= 300 ? 9.0 : 0.0;
            wander = 0.95 * wander + g_rand_double_range(rand, -0.8, 0.8);
            add_fix(fixes, &map, t, (PlanePoint){x + wander, wander}, told ? v : NAN);
            x += v;
        }
        g_autoptr(Track) track = match(network, fixes);
        size_t n = 0;
        const TrackFix *found = track_fixes(track, &n);
        /* metres travelled while it stood */
        double stood_m = found[295].travelled_m - found[110].travelled_m;
        g_assert_cmpfloat(stood_m, <, told ? 1.5 : 8.0);
        assert_near(found[399].offset_m, x - 9.0, 8.0);
    }
}

static void test_jumps_and_repeats(void)
{
    Map map = new_map();
    add_straight(&map, 1, EDGE_ROAD, 1, 2, (PlanePoint){0, 0}, (PlanePoint){5000, 0});
    g_autoptr(Network) network = finish_map(&map);
    g_autoptr(GArray) fixes = new_fixes();
    for (int t = 0; t < 100; t++) {
        double x = 20.0 * t;
        if (t == 30 || t == 31) /* jumps */
            add_fix(fixes, &map, t, (PlanePoint){x, 6000}, 20);
        else if (t >= 60 && t < 65) /* held */
            add_fix(fixes, &map, t, (PlanePoint){20.0 * 59, 1}, 20);
        else
            add_fix(fixes, &map, t, (PlanePoint){x, 1}, 20);
    }
    MatchFix nowhere = g_array_index(fixes, MatchFix, 99);
    nowhere.lat = nowhere.lon = NAN;
    g_array_append_val(fixes, nowhere);
    g_autoptr(Track) track = match(network, fixes);
    size_t n = 0;
    const TrackFix *found = track_fixes(track, &n);
    guint by_status[FIX_STATUS_COUNT] = {0};
    for (size_t i = 0; i < n; i++)
        by_status[found[i].status]++;
    g_assert_cmpuint(by_status[FIX_REJECTED], ==, 3);
    g_assert_cmpuint(by_status[FIX_REPEATED], ==, 5);
    g_assert_cmpuint(by_status[FIX_MATCHED], ==, 93);
    /* what happened while the position was held is between the fixes around */
    TrackHint hint = {0};
    TrackPlace place;
    track_place(track, start_ns + 62 * second_ns, &hint, &place);
    g_assert_cmpint(place.quality, ==, PLACE_INTERPOLATED);
    assert_near(place.offset_m, 20.0 * 62, 6.0);
}

/* A road, then a kilometre of ferry, then a road. */
static void test_off_network(void)
{
    Map map = new_map();
    add_straight(&map, 1, EDGE_ROAD, 1, 2, (PlanePoint){0, 0}, (PlanePoint){1000, 0});
    add_straight(&map, 2, EDGE_ROAD, 3, 4, (PlanePoint){1500, 900}, (PlanePoint){2500, 900});
    g_autoptr(Network) network = finish_map(&map);
    g_autoptr(GArray) fixes = new_fixes();
    double t = 0;
    for (int x = 0; x < 1000; x += 10)
        add_fix(fixes, &map, t++, (PlanePoint){x, 3}, 10);
    guint left = fixes->len;
    for (int k = 1; k < 100; k++)
        add_fix(fixes, &map, t++, (PlanePoint){1000 + 5 * k, 9 * k}, 10.3);
    guint joined = fixes->len;
    for (int x = 1500; x < 2500; x += 10)
        add_fix(fixes, &map, t++, (PlanePoint){x, 897}, 10);
    g_autoptr(Track) track = match(network, fixes);
    size_t n = 0;
    const TrackFix *found = track_fixes(track, &n);
    guint off = 0;
    guint wrong = 0;
    for (size_t i = 0; i < n; i++) {
        gboolean at_sea = i >= left + 4 && i + 4 < joined;
        gboolean ashore = i + 4 < left || i >= joined + 4;
        off += at_sea && found[i].status == FIX_OFF_NETWORK;
        wrong += ashore && fid_of(network, &found[i]) != (i < left ? 1 : 2);
    }
    g_assert_cmpuint(wrong, ==, 0);
    g_assert_cmpuint(off, >=, 87); /* of 91 */
    TrackHint hint = {0};
    TrackPlace place;
    track_place(track, start_ns + 150 * second_ns, &hint, &place);
    g_assert_cmpint(place.quality, ==, PLACE_OFF_NETWORK);
}

/* A railway with a switch, a road beside it that crosses it on the level: the train stays on the
 * rails, takes the switch, and reverses at the terminus. */
static void test_rail(void)
{
    Map map = new_map();
    PlanePoint branch[] = {{1000, 0}, {1200, 6}, {1500, 40}, {2000, 140}};
    add_straight(&map, 1, EDGE_RAIL, 1, 2, (PlanePoint){0, 0}, (PlanePoint){500, 0});
    add_straight(&map, 2, EDGE_RAIL, 2, 3, (PlanePoint){500, 0}, (PlanePoint){1000, 0});
    add_straight(&map, 3, EDGE_RAIL, 3, 4, (PlanePoint){1000, 0}, (PlanePoint){2000, 0});
    add_line(&map, 4, EDGE_RAIL, 3, 5, branch, 4);
    add_straight(&map, 5, EDGE_ROAD, 6, 2, (PlanePoint){0, 9}, (PlanePoint){500, 0});
    add_straight(&map, 6, EDGE_ROAD, 2, 7, (PlanePoint){500, 0}, (PlanePoint){1000, -9});
    g_autoptr(Network) network = finish_map(&map);
    g_autoptr(GArray) fixes = new_fixes();
    g_autoptr(GRand) rand = g_rand_new_with_seed(9);
    double y = 0;
    int n_out = 0;
    double t = 0;
    for (double s = 0; s < 1990; s += 15, n_out++) {
        y = 0.9 * y + g_rand_double_range(rand, -1.5, 1.5);
        double rail_y = s < 1000   ? 0
                        : s < 1200 ? (s - 1000) * 0.03
                        : s < 1500 ? 6 + (s - 1200) * 34.0 / 300.0
                                   : 40 + (s - 1500) * 0.2;
        add_fix(fixes, &map, t++, (PlanePoint){s, rail_y + y}, 15);
    }
    for (int k = 0; k < 60; k++)
        add_fix(fixes, &map, t++, (PlanePoint){1985 + 0.01 * k, 137}, 0);
    for (double s = 1970; s > 10; s -= 15) {
        double rail_y = s < 1000   ? 0
                        : s < 1200 ? (s - 1000) * 0.03
                        : s < 1500 ? 6 + (s - 1200) * 34.0 / 300.0
                                   : 40 + (s - 1500) * 0.2;
        add_fix(fixes, &map, t++, (PlanePoint){s, rail_y + 2}, 15);
    }
    g_autoptr(Track) track = match(network, fixes);
    size_t n = 0;
    const TrackFix *found = track_fixes(track, &n);
    guint wrong = 0;
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpint(found[i].status, ==, FIX_MATCHED);
        g_assert_cmpint(network->edges[found[i].edge].kind, ==, EDGE_RAIL);
        wrong += fid_of(network, &found[i]) == 3;
        if (i + 5 < (size_t)n_out)
            g_assert_false(found[i].backward);
        if (i > (size_t)n_out + 70)
            g_assert_true(found[i].backward);
    }
    g_assert_cmpuint(wrong, ==, 0);
    g_assert_cmpuint(found[0].stretch, ==, found[n - 1].stretch);
}

/* Four kilometres of tunnel at 20 m/s with no fix, with a valley road above that winds. */
static void test_tunnel(void)
{
    Map map = new_map();
    PlanePoint valley[] = {{1000, 0}, {1500, 800}, {3000, 1200}, {4500, 800}, {5000, 0}};
    add_straight(&map, 1, EDGE_ROAD, 1, 2, (PlanePoint){0, 0}, (PlanePoint){1000, 0});
    add_straight(&map, 2, EDGE_ROAD, 2, 3, (PlanePoint){1000, 0}, (PlanePoint){5000, 0});
    add_straight(&map, 3, EDGE_ROAD, 3, 4, (PlanePoint){5000, 0}, (PlanePoint){6000, 0});
    add_line(&map, 4, EDGE_ROAD, 2, 3, valley, 5);
    g_autoptr(Network) network = finish_map(&map);
    g_autoptr(GArray) fixes = new_fixes();
    for (int t = 0; t < 300; t++)
        if (20 * t < 990 || 20 * t > 5010)
            add_fix(fixes, &map, t, (PlanePoint){20.0 * t, t % 3}, 20);
    g_autoptr(Track) track = match(network, fixes);
    TrackHint hint = {0};
    TrackPlace place;
    double at_portal = 0;
    for (int t = 51; t < 249; t++) {
        track_place(track, start_ns + t * second_ns, &hint, &place);
        g_assert_cmpint(place.quality, ==, PLACE_INTERPOLATED);
        g_assert_cmpint(network->edges[place.edge].fid, ==, 2);
        assert_near(place.offset_m, 20.0 * t - 1000.0, 10.0);
        if (t == 51)
            at_portal = place.uncertainty_m;
        if (t == 150)
            g_assert_cmpfloat(place.uncertainty_m, >, 5.0 * at_portal);
    }
    /* radio at 10 Hz between fixes at 1 Hz */
    for (int k = 0; k < 400; k++) {
        track_place(track, start_ns + k * second_ns / 10, &hint, &place);
        g_assert_cmpint(place.quality, ==, PLACE_FIX);
        assert_near(place.offset_m, 2.0 * k, 3.0);
    }
}

static void test_turning_round(void)
{
    Map map = new_map();
    add_straight(&map, 1, EDGE_ROAD, 1, 2, (PlanePoint){0, 0}, (PlanePoint){3000, 0});
    g_autoptr(Network) network = finish_map(&map);
    for (int told = 0; told < 2; told++) {
        g_autoptr(GArray) fixes = new_fixes();
        double x = 0;
        for (int t = 0; t <= 200; t++) {
            /* slows down from 90 s, stands from 98 to 102 s, comes back */
            double v = fmin(12.0, fmax(0.0, abs(t - 100) - 2.0) * 1.5);
            add_fix(fixes, &map, t, (PlanePoint){x, 2 + t % 3}, told ? v : NAN);
            x += t < 100 ? v : -v;
        }
        g_autoptr(Track) track = match(network, fixes);
        size_t n = 0;
        const TrackFix *found = track_fixes(track, &n);
        for (size_t i = 0; i < n; i++) {
            g_assert_cmpint(found[i].status, ==, FIX_MATCHED);
            if (i < 90 || i > 110)
                g_assert_cmpint(found[i].backward, ==, i > 110);
        }
        assert_near(found[10].offset_m, 120.0, 10.0);
        assert_near(found[190].offset_m, 120.0, 15.0);
        g_assert_cmpuint(found[0].stretch, ==, found[n - 1].stretch);
    }
}

/* ---- bad input ---- */

static void test_bad_networks(void)
{
    g_autoptr(GError) error = NULL;
    Map map = new_map();
    g_autoptr(GArray) fixes = new_fixes();
    for (int t = 0; t < 20; t++)
        add_fix(fixes, &map, t, (PlanePoint){10.0 * t, 1}, NAN);
    const MatchFix *f = (const MatchFix *)(void *)fixes->data;
    g_autoptr(Network) empty = finish_map(&map);
    g_assert_null(track_match(empty, f, fixes->len, NULL, &error));
    g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY);
    g_clear_error(&error);

    map.builder = network_builder_new();
    GeoPoint away[] = {{-70.0, -33.0}, {-70.01, -33.0}};
    NetworkEdge edge = {.kind = EDGE_ROAD};
    g_assert_true(network_builder_add_edge(map.builder, &edge, 1, 2, away, 2));
    g_autoptr(Network) elsewhere = finish_map(&map);
    g_assert_null(track_match(elsewhere, f, fixes->len, NULL, &error));
    g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_ELSEWHERE);
    g_assert_nonnull(strstr(error->message, "drive and network do not meet: "));
    g_clear_error(&error);

    /* one edge; a loop; a line of no length; the same place twice; the same edge twice */
    map = new_map();
    PlanePoint loop[] = {{0, 0}, {100, 0}, {100, 100}, {0, 0}};
    PlanePoint nothing[] = {{50, 0}, {50, 0}};
    PlanePoint twice[] = {{0, 0}, {50, 0}, {50, 0}, {200, 0}};
    add_line(&map, 1, EDGE_ROAD, 1, 1, loop, 4);
    add_line(&map, 2, EDGE_ROAD, 3, 4, nothing, 2);
    add_line(&map, 3, EDGE_ROAD, 1, 5, twice, 4);
    add_line(&map, 4, EDGE_ROAD, 1, 5, twice, 4);
    g_autoptr(Network) odd = finish_map(&map);
    g_autoptr(Track) track = match(odd, fixes);
    size_t n = 0;
    const TrackFix *found = track_fixes(track, &n);
    g_assert_cmpuint(n, ==, 20);
    for (size_t i = 0; i < n; i++)
        g_assert_cmpint(found[i].status, ==, FIX_MATCHED);
}

static void test_bad_fixes(void)
{
    Map map = new_map();
    add_straight(&map, 1, EDGE_ROAD, 1, 2, (PlanePoint){0, 0}, (PlanePoint){2000, 0});
    g_autoptr(Network) network = finish_map(&map);
    g_autoptr(GArray) none = new_fixes();
    g_autoptr(Track) nothing = match(network, none);
    size_t n = 1;
    (void)track_fixes(nothing, &n);
    g_assert_cmpuint(n, ==, 0);

    static const double odd[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 91.0, 0.0};
    for (unsigned k = 0; k < G_N_ELEMENTS(odd); k++) {
        g_autoptr(GArray) fixes = new_fixes();
        for (int t = 0; t < 60; t++) {
            add_fix(fixes, &map, t, (PlanePoint){10.0 * t, 1}, t % 7 == 3 ? odd[k] : 10.0);
            MatchFix *fix = &g_array_index(fixes, MatchFix, (guint)t);
            if (t % 5 == 2)
                fix->lat = odd[k];
            if (t % 11 == 4)
                fix->accuracy_m = odd[k];
            if (t % 13 == 6)
                fix->heading_deg = odd[k];
            if (t % 17 == 8) /* several in one instant */
                fix->time_ns = g_array_index(fixes, MatchFix, (guint)t - 1).time_ns;
        }
        g_autoptr(Track) track = match(network, fixes);
        const TrackFix *found = track_fixes(track, &n);
        guint matched = 0;
        for (size_t i = 0; i < n; i++) {
            matched += found[i].status == FIX_MATCHED;
            if (i % 5 == 2)
                g_assert_cmpint(found[i].status, !=, FIX_MATCHED);
            if (found[i].status == FIX_MATCHED)
                /* a receiver that often says it stands holds the place back */
                assert_near(found[i].offset_m, 10.0 * (double)i, 40.0);
        }
        g_assert_cmpuint(matched, >=, 44);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/match/costs", test_costs);
    g_test_add_func("/match/two-roads", test_two_roads);
    g_test_add_func("/match/hermite", test_hermite);
    g_test_add_func("/match/noiseless", test_noiseless);
    g_test_add_func("/match/order-and-splits", test_order_and_splits);
    g_test_add_func("/match/backward-in-time", test_backward_in_time);
    g_test_add_func("/match/standing", test_standing);
    g_test_add_func("/match/jumps-and-repeats", test_jumps_and_repeats);
    g_test_add_func("/match/off-network", test_off_network);
    g_test_add_func("/match/rail", test_rail);
    g_test_add_func("/match/tunnel", test_tunnel);
    g_test_add_func("/match/turning-round", test_turning_round);
    g_test_add_func("/match/bad-networks", test_bad_networks);
    g_test_add_func("/match/bad-fixes", test_bad_fixes);
    return g_test_run();
}
