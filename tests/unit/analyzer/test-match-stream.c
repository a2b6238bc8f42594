/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matcher as a stream: a vehicle that wanders through a made town without an end. With --long,
 * that memory does not grow with the drive.
 */
#include "analyzer/geometry.h"
#include "analyzer/match.h"
#include "analyzer/route-search.h"
#include "analyzer/track-build.h"
#include "tests/bench/made-truth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* What came in, until it comes out again. */
enum { RING = 1 << 17 };

typedef struct {
    const Network *network;
    RouteSearch *search;
    GRand *rand;
    gboolean *ends; /* arcs from which the way does not go on for ever */
    uint32_t arc;
    double s, speed_mps, error_x, error_y;
    gint64 time_ns;
    guint64 in, out, most_waiting, matched, right, stretches;
    uint32_t stretch;
    double travelled_m;
    uint32_t edge[RING];
    gint64 time[RING];
} Tour;

/* Arcs that follow, of those from which the way goes on for ever, but not back. */
static guint next_arcs(const Tour *tour, uint32_t arc, uint32_t *found, guint room)
{
    const Network *network = tour->network;
    const NetworkEdge *edge = &network->edges[arc_edge(arc)];
    uint32_t node = arc_backward(arc) ? edge->from : edge->to;
    guint n = 0;
    for (uint32_t k = network->star[node]; k < network->star[node + 1]; k++)
        for (uint32_t b = 0; b < 2; b++) {
            uint32_t e = network->star_edges[k];
            uint32_t start = b == 0 ? network->edges[e].from : network->edges[e].to;
            if (start == node && n < room && e != arc_edge(arc) && !tour->ends[2 * e + b] &&
                route_may_follow(tour->search, arc, 2 * e + b, FALSE))
                found[n++] = 2 * e + b;
        }
    return n;
}

static Tour *new_tour(const Network *network, guint32 seed)
{
    Tour *tour = g_new0(Tour, 1);
    tour->network = network;
    tour->search = route_search_new(network, 0);
    tour->rand = g_rand_new_with_seed(seed);
    tour->time_ns = INT64_C(1770000000000000000);
    tour->stretch = UINT32_MAX;
    uint32_t n = 2 * network->n_edges;
    tour->ends = g_new0(gboolean, n);
    for (gboolean changed = TRUE; changed;) {
        changed = FALSE;
        for (uint32_t arc = 0; arc < n; arc++) {
            uint32_t any;
            if (tour->ends[arc] ||
                (route_arc_allowed(network, arc) && next_arcs(tour, arc, &any, 1) == 1))
                continue;
            tour->ends[arc] = changed = TRUE;
        }
    }
    while (tour->ends[tour->arc])
        tour->arc++;
    return tour;
}

static void free_tour(Tour *tour)
{
    route_search_free(tour->search);
    g_rand_free(tour->rand);
    g_free(tour->ends);
    g_free(tour);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tour, free_tour)

/* One second on. */
static MatchFix drive_on(Tour *tour, double sigma_m)
{
    const Network *network = tour->network;
    tour->speed_mps =
        CLAMP(tour->speed_mps + g_rand_double_range(tour->rand, -0.7, 0.7), 4.0, 18.0);
    tour->s += tour->speed_mps;
    while (tour->s >= network->edges[arc_edge(tour->arc)].length_m) {
        tour->s -= network->edges[arc_edge(tour->arc)].length_m;
        uint32_t found[16];
        guint n = next_arcs(tour, tour->arc, found, G_N_ELEMENTS(found));
        tour->arc = found[g_rand_int_range(tour->rand, 0, (gint32)n)];
    }
    double length_m = network->edges[arc_edge(tour->arc)].length_m;
    GeoPoint at = network_point_at(network, arc_edge(tour->arc),
                                   arc_backward(tour->arc) ? length_m - tour->s : tour->s);
    double fresh = sigma_m * sqrt(12.0 * (1.0 - 0.81)); /* uniform, of that variance */
    tour->error_x = 0.9 * tour->error_x + fresh * (g_rand_double(tour->rand) - 0.5);
    tour->error_y = 0.9 * tour->error_y + fresh * (g_rand_double(tour->rand) - 0.5);
    Plane plane = plane_at(at);
    GeoPoint seen = plane_to_geo(&plane, (PlanePoint){tour->error_x, tour->error_y});
    tour->edge[tour->in % RING] = arc_edge(tour->arc);
    tour->time[tour->in % RING] = tour->time_ns;
    tour->in++;
    MatchFix fix = {.time_ns = tour->time_ns,
                    .lat = seen.lat,
                    .lon = seen.lon,
                    .accuracy_m = NAN,
                    .speed_mps = tour->speed_mps,
                    .heading_deg = NAN};
    tour->time_ns += INT64_C(1000000000);
    return fix;
}

static void take_fix(const TrackFix *fix, void *user_data)
{
    Tour *tour = user_data;
    guint64 number = tour->out++;
    g_assert_cmpuint(number, <, tour->in);
    g_assert_cmpuint(tour->in - number, <=, RING);
    tour->most_waiting = MAX(tour->most_waiting, tour->in - number);
    g_assert_cmpint(fix->time_ns, ==, tour->time[number % RING]);
    if (fix->status != FIX_MATCHED)
        return;
    tour->matched++;
    tour->right += fix->edge == tour->edge[number % RING];
    if (fix->stretch != tour->stretch) {
        tour->stretches++;
        tour->stretch = fix->stretch;
        tour->travelled_m = fix->travelled_m;
    }
    g_assert_cmpfloat(fix->travelled_m, >=, tour->travelled_m);
    g_assert_cmpfloat(fix->travelled_m, <, tour->travelled_m + 100.0);
    tour->travelled_m = fix->travelled_m;
}

static void run_tour(const Network *network, Tour *tour, guint64 fixes, Track *track)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Matcher) matcher = matcher_new(network, NULL, track, take_fix, tour, &error);
    g_assert_no_error(error);
    for (guint64 i = 0; i < fixes; i++) {
        MatchFix fix = drive_on(tour, 5.0);
        matcher_feed(matcher, &fix, 1);
    }
    g_assert_true(matcher_finish(matcher, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(tour->out, ==, fixes);
    g_assert_cmpuint(tour->matched, >=, fixes - fixes / 1000);
    if (tour->right < fixes / 1000 * 985)
        g_error("only %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " right", tour->right, fixes);
}

/* A drive of many blocks is one path, with every fix in its order, and nothing is seen of where
 * blocks meet; and places can be asked for at any time of it. */
static void test_blocks(void)
{
    g_autoptr(Truth) town = truth_make(NULL, 21, 1);
    g_autoptr(Tour) tour = new_tour(town->network, 3);
    g_autoptr(Track) track = track_new(town->network, TRUE);
    run_tour(town->network, tour, 50000, track);
    g_assert_cmpuint(tour->stretches, ==, 1);
    g_assert_cmpuint(track_stretches(track), ==, 1);
    g_assert_cmpuint(tour->most_waiting, <, 40000);
    size_t n = 0;
    const TrackFix *found = track_fixes(track, &n);
    g_assert_cmpuint(n, ==, 50000);
    TrackHint hint = {0};
    for (size_t i = 0; i < n; i++) {
        TrackPlace place;
        track_place(track, found[i].time_ns, &hint, &place);
        if (found[i].status != FIX_MATCHED)
            continue;
        g_assert_cmpint(place.quality, ==, PLACE_FIX);
        /* at a node, the place belongs to the edge before or after it */
        Plane plane = plane_at(found[i].point);
        PlanePoint away = plane_from_geo(&plane, place.point);
        g_assert_cmpfloat(hypot(away.x, away.y), <, 0.5);
    }
}

/* How a drive is fed does not matter, and neither do fixes before and after that are far away in
 * time. */
static void test_same_in_parts(void)
{
    g_autoptr(Truth) town = truth_make(NULL, 22, 1);
    g_autoptr(Tour) tour = new_tour(town->network, 4);
    g_autoptr(GArray) fixes = g_array_new(FALSE, FALSE, sizeof(MatchFix));
    for (int i = 0; i < 3000; i++) {
        MatchFix fix = drive_on(tour, 5.0);
        g_array_append_val(fixes, fix);
    }
    const MatchFix *all = (const MatchFix *)(void *)fixes->data;
    g_autoptr(Track) whole = track_match(town->network, all, fixes->len, NULL, NULL);
    g_autoptr(Track) parts = track_new(town->network, TRUE);
    g_autoptr(Matcher) matcher = matcher_new(town->network, NULL, parts, NULL, NULL, NULL);
    for (guint i = 0, n = 0; i < fixes->len; i += n) {
        n = MIN(1 + i % 97, fixes->len - i);
        matcher_feed(matcher, all + i, n);
    }
    g_assert_true(matcher_finish(matcher, NULL));
    size_t n = 0;
    size_t m = 0;
    const TrackFix *a = track_fixes(whole, &n);
    const TrackFix *b = track_fixes(parts, &m);
    g_assert_cmpuint(n, ==, m);
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpint(a[i].status, ==, b[i].status);
        g_assert_cmpuint(a[i].edge, ==, b[i].edge);
        g_assert_true(a[i].travelled_m == b[i].travelled_m);
    }
}

/* A receiver that holds its position for days, and one that never finds one: both end. */
static void test_nothing_new(void)
{
    g_autoptr(Truth) town = truth_make(NULL, 23, 1);
    g_autoptr(Tour) tour = new_tour(town->network, 5);
    g_autoptr(Matcher) matcher = matcher_new(town->network, NULL, NULL, take_fix, tour, NULL);
    for (int i = 0; i < 2000; i++) {
        MatchFix fix = drive_on(tour, 5.0);
        matcher_feed(matcher, &fix, 1);
    }
    MatchFix held = drive_on(tour, 5.0);
    matcher_feed(matcher, &held, 1);
    for (int i = 0; i < 200000; i++) {
        held.time_ns += INT64_C(1000000000);
        if (i % 50000 == 49999)
            held.lat = NAN;
        tour->edge[tour->in % RING] = UINT32_MAX;
        tour->time[tour->in % RING] = held.time_ns;
        tour->in++;
        matcher_feed(matcher, &held, 1);
    }
    tour->time_ns = held.time_ns + INT64_C(1000000000);
    for (int i = 0; i < 2000; i++) {
        MatchFix fix = drive_on(tour, 5.0);
        matcher_feed(matcher, &fix, 1);
    }
    g_assert_true(matcher_finish(matcher, NULL));
    g_assert_cmpuint(tour->out, ==, tour->in);
    g_assert_cmpuint(tour->matched, >=, 3990);
}

static glong peak_kb(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}

/* Half a million fixes, then ten times as many: the peak is the same. */
static void test_memory(void)
{
    g_autoptr(Truth) town = truth_make(NULL, 24, 1);
    glong peak[2] = {0};
    for (int round = 0; round < 2; round++) {
        g_autoptr(Tour) tour = new_tour(town->network, 6);
        run_tour(town->network, tour, round == 0 ? 500000 : 5000000, NULL);
        peak[round] = peak_kb();
        g_test_message("%d fixes: peak %ld kB, at most %" G_GUINT64_FORMAT " fixes waiting",
                       round == 0 ? 500000 : 5000000, peak[round], tour->most_waiting);
    }
    g_assert_cmpint(peak[1], <, peak[0] + 2048);
}

int main(int argc, char **argv)
{
    gboolean is_long = argc > 1 && strcmp(argv[argc - 1], "--long") == 0;
    argc -= is_long ? 1 : 0;
    g_test_init(&argc, &argv, NULL);
    if (is_long) {
        g_test_add_func("/match-stream/memory", test_memory);
        return g_test_run();
    }
    g_test_add_func("/match-stream/blocks", test_blocks);
    g_test_add_func("/match-stream/same-in-parts", test_same_in_parts);
    g_test_add_func("/match-stream/nothing-new", test_nothing_new);
    return g_test_run();
}
