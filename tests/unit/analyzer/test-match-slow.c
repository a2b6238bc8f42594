/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matcher against a slow and obvious one: every edge within 100 m is a candidate, found by
 * trying all; all transitions are weighed (Newson and Krumm 2009), nothing is given up on the way.
 * It knows nothing of lasting errors, speeds or heading, so it may be worse, but where fixes are
 * exact both must find the same way.
 */
#include "analyzer/crs.h"
#include "analyzer/geometry.h"
#include "analyzer/match-cost.h"
#include "analyzer/match.h"
#include "analyzer/route-search.h"
#include "tests/bench/made-truth.h"

#include <math.h>

static const double radius_m = 100.0;
static const double slow_sigma_m = 5.0;
static const double slow_beta_m = 3.0;

typedef struct {
    uint32_t arc;
    double offset_m; /* in the direction of travel */
    double cost;
    gint32 before; /* candidate of the fix before */
} State;

static double distance_to(const Network *network, uint32_t e, GeoPoint at, double *offset_m)
{
    const NetworkEdge *edge = &network->edges[e];
    Plane plane = plane_at(at);
    double least = INFINITY;
    for (uint32_t v = edge->first_point; v + 1 < edge->first_point + edge->n_points; v++) {
        double t = 0.0;
        double d = plane_project((PlanePoint){0, 0}, plane_from_geo(&plane, network->points[v]),
                                 plane_from_geo(&plane, network->points[v + 1]), &t);
        if (d < least) {
            least = d;
            *offset_m = network->chain_m[v] + t * (network->chain_m[v + 1] - network->chain_m[v]);
        }
    }
    return least;
}

static GArray *states_at(const Network *network, GeoPoint at)
{
    GArray *states = g_array_new(FALSE, FALSE, sizeof(State));
    for (uint32_t e = 0; e < network->n_edges; e++) {
        double offset_m = 0.0;
        double d = distance_to(network, e, at, &offset_m);
        for (uint32_t b = 0; b < 2 && d <= radius_m; b++) {
            State state = {.arc = 2 * e + b,
                           .offset_m = b ? network->edges[e].length_m - offset_m : offset_m,
                           .cost = match_emission_cost(d, slow_sigma_m),
                           .before = -1};
            if (route_arc_allowed(network, state.arc))
                g_array_append_val(states, state);
        }
    }
    return states;
}

/* Adds the cheapest way from any of the states before to each state. */
static void weigh(const Network *network, RouteSearch *search, const GArray *from, GArray *to,
                  double straight_m)
{
    g_autofree double *least = g_new(double, to->len + 1);
    for (guint k = 0; k < to->len; k++)
        least[k] = INFINITY;
    for (guint i = 0; i < from->len; i++) {
        const State *a = &g_array_index(from, State, i);
        double left_m = network->edges[arc_edge(a->arc)].length_m - a->offset_m;
        route_search_run(search, a->arc, 300.0, FALSE, NULL, 0);
        for (guint k = 0; k < to->len; k++) {
            State *b = &g_array_index(to, State, k);
            double way_m = left_m + route_search_distance_m(search, b->arc) + b->offset_m;
            /* noise may throw it back a little on the same arc */
            if (a->arc == b->arc)
                way_m = fmin(way_m, fabs(b->offset_m - a->offset_m));
            double cost = a->cost + fabs(way_m - straight_m) / slow_beta_m;
            if (cost < least[k]) {
                least[k] = cost;
                b->before = (gint32)i;
            }
        }
    }
    for (guint k = 0; k < to->len; k++)
        g_array_index(to, State, k).cost += least[k];
}

/* Edge of each of n fixes of one trip. (transfer full) */
static uint32_t *match_slowly(const Network *network, const GeoPoint *seen, guint n)
{
    g_autoptr(RouteSearch) search = route_search_new(network, 0);
    g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (guint i = 0; i < n; i++) {
        GArray *states = states_at(network, seen[i]);
        if (i > 0)
            weigh(network, search, steps->pdata[i - 1], states,
                  crs_distance_m(seen[i - 1], seen[i]));
        g_ptr_array_add(steps, states);
    }
    uint32_t *edges = g_new(uint32_t, n);
    gint32 at = -1;
    for (guint i = n; i > 0; i--) {
        const GArray *states = steps->pdata[i - 1];
        if (at < 0) {
            g_assert_cmpuint(states->len, >, 0);
            at = 0;
            for (guint k = 1; k < states->len; k++)
                if (g_array_index(states, State, k).cost < g_array_index(states, State, at).cost)
                    at = (gint32)k;
        }
        const State *state = &g_array_index(states, State, at);
        edges[i - 1] = arc_edge(state->arc);
        at = state->before;
    }
    return edges;
}

typedef struct {
    guint fixes, same, ours, slow; /* both on one edge; on the right one */
} Tally;

/* Matches all trips of a made drive both ways. */
static Tally compare(guint32 seed, double sigma_m)
{
    Tally tally = {0};
    g_autoptr(Truth) truth = truth_make(NULL, seed, 3);
    const TruthFix *true_fix = (const TruthFix *)(void *)truth->fixes->data;
    g_autofree GeoPoint *seen = truth_blur(truth, sigma_m, seed + 1);
    for (guint begin = 0, end = 0; begin < truth->fixes->len; begin = end) {
        end = begin + 1;
        while (end < truth->fixes->len && true_fix[end].trip == true_fix[begin].trip)
            end++;
        guint n = MIN(end - begin, 250U);
        g_autofree MatchFix *fixes = g_new(MatchFix, n);
        for (guint i = 0; i < n; i++)
            fixes[i] = (MatchFix){.time_ns = true_fix[begin + i].time_ns,
                                  .lat = seen[begin + i].lat,
                                  .lon = seen[begin + i].lon,
                                  .accuracy_m = NAN,
                                  .speed_mps = true_fix[begin + i].speed_mps,
                                  .heading_deg = NAN};
        g_autoptr(Track) track = track_match(truth->network, fixes, n, NULL, NULL);
        g_autofree uint32_t *slow = match_slowly(truth->network, seen + begin, n);
        size_t m = 0;
        const TrackFix *ours = track_fixes(track, &m);
        g_assert_cmpuint(m, ==, n);
        for (guint i = 0; i < n; i++) {
            tally.fixes++;
            tally.same += ours[i].edge == slow[i];
            tally.ours += ours[i].edge == true_fix[begin + i].edge;
            tally.slow += slow[i] == true_fix[begin + i].edge;
        }
    }
    g_test_message("seed %u, %.0f m: %u fixes, same %u, right: ours %u, slow %u", seed, sigma_m,
                   tally.fixes, tally.same, tally.ours, tally.slow);
    return tally;
}

static void test_exact(void)
{
    for (guint32 seed = 31; seed < 34; seed++) {
        Tally tally = compare(seed, 0.0);
        /* within centimetres of a node either edge is right */
        g_assert_cmpfloat(tally.same, >=, 0.985 * tally.fixes);
        g_assert_cmpfloat(tally.slow, >=, 0.985 * tally.fixes);
    }
}

static void test_noisy(void)
{
    static const double sigmas_m[] = {5.0, 10.0};
    for (guint k = 0; k < G_N_ELEMENTS(sigmas_m); k++)
        for (guint32 seed = 41; seed < 44; seed++) {
            Tally tally = compare(seed, sigmas_m[k]);
            g_assert_cmpfloat(tally.slow, >=, 0.7 * tally.fixes);
            g_assert_cmpuint(tally.ours, >=, tally.slow);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/match-slow/exact", test_exact);
    g_test_add_func("/match-slow/noisy", test_noisy);
    return g_test_run();
}
