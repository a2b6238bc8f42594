/* SPDX-License-Identifier: Apache-2.0 */
/* The spatial index and the route search against slow and obvious versions. */
#include "analyzer/edge-index.h"
#include "analyzer/route-search.h"
#include "tests/bench/made-truth.h"

#include <math.h>

static double brute_distance_m(const Network *network, uint32_t e, GeoPoint at)
{
    const NetworkEdge *edge = &network->edges[e];
    Plane plane = plane_at(at);
    double least = INFINITY;
    for (uint32_t v = edge->first_point; v + 1 < edge->first_point + edge->n_points; v++)
        least = fmin(least,
                     plane_project((PlanePoint){0, 0}, plane_from_geo(&plane, network->points[v]),
                                   plane_from_geo(&plane, network->points[v + 1]), NULL));
    return least;
}

static void test_index(void)
{
    enum { MAX = 64 };
    g_autoptr(Truth) truth = truth_make(NULL, 21, 1);
    const Network *network = truth->network;
    g_autoptr(EdgeIndex) index = edge_index_new(network, 0);
    for (int k = 0; k < 300; k++) {
        GeoPoint at = {g_test_rand_double_range(15.98, 16.09),
                       g_test_rand_double_range(57.99, 58.05)};
        double radius_m = g_test_rand_double_range(5.0, 250.0);
        EdgeHit hits[MAX];
        size_t n = edge_index_near(index, at, radius_m, hits, MAX);
        size_t wanted = 0;
        for (uint32_t e = 0; e < network->n_edges; e++)
            wanted += brute_distance_m(network, e, at) <= radius_m;
        g_assert_cmpuint(n, ==, MIN(wanted, (size_t)MAX));
        for (size_t h = 0; h < n; h++) {
            g_assert_cmpfloat(
                fabs(hits[h].distance_m - brute_distance_m(network, hits[h].edge, at)), <, 1e-6);
            if (h > 0)
                g_assert_cmpfloat(hits[h - 1].distance_m, <=, hits[h].distance_m);
        }
        double nearest_m = edge_index_nearest_m(index, at, 5000.0);
        double least = 5000.0;
        for (uint32_t e = 0; e < network->n_edges; e++)
            least = fmin(least, brute_distance_m(network, e, at));
        g_assert_cmpfloat(fabs(nearest_m - least), <, 1e-6);
    }
}

/* Bellman and Ford over arcs. */
static void test_search(void)
{
    g_autoptr(Truth) truth = truth_make(NULL, 22, 1);
    const Network *network = truth->network;
    g_autoptr(RouteSearch) search = route_search_new(network, 0);
    uint32_t n_arcs = 2 * network->n_edges;
    g_autofree double *slow = g_new(double, n_arcs);
    for (int k = 0; k < 5; k++) {
        uint32_t from = (uint32_t)g_test_rand_int_range(0, (gint32)n_arcs);
        double limit_m = g_test_rand_double_range(200.0, 1500.0);
        for (uint32_t a = 0; a < n_arcs; a++)
            slow[a] = route_may_follow(search, from, a, FALSE) &&
                              (arc_backward(from) ? network->edges[arc_edge(from)].from
                                                  : network->edges[arc_edge(from)].to) ==
                                  (arc_backward(a) ? network->edges[arc_edge(a)].to
                                                   : network->edges[arc_edge(a)].from)
                          ? 0.0
                          : INFINITY;
        for (gboolean changed = TRUE; changed;) {
            changed = FALSE;
            for (uint32_t a = 0; a < n_arcs; a++) {
                double end_m = slow[a] + network->edges[arc_edge(a)].length_m;
                const NetworkEdge *edge = &network->edges[arc_edge(a)];
                uint32_t node = arc_backward(a) ? edge->from : edge->to;
                for (uint32_t i = network->star[node];
                     isfinite(slow[a]) && i < network->star[node + 1]; i++)
                    for (uint32_t b = 0; b < 2; b++) {
                        uint32_t next = 2 * network->star_edges[i] + b;
                        const NetworkEdge *onto = &network->edges[arc_edge(next)];
                        if ((b ? onto->to : onto->from) == node && end_m < slow[next] &&
                            route_may_follow(search, a, next, FALSE)) {
                            slow[next] = end_m;
                            changed = TRUE;
                        }
                    }
            }
        }
        route_search_run(search, from, limit_m, FALSE, NULL, 0);
        for (uint32_t a = 0; a < n_arcs; a++) {
            double fast = route_search_distance_m(search, a);
            if (slow[a] <= limit_m)
                g_assert_cmpfloat(fabs(fast - slow[a]), <, 1e-6);
            else
                g_assert_true(isinf(fast));
            g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(uint32_t));
            double metres = 0;
            g_assert_true(route_search_path(search, a, way) == isfinite(fast));
            for (guint i = 0; i < way->len; i++)
                metres += network->edges[arc_edge(g_array_index(way, uint32_t, i))].length_m;
            if (isfinite(fast))
                g_assert_cmpfloat(fabs(metres - fast), <, 1e-6);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/edge-index/brute-force", test_index);
    g_test_add_func("/route-search/brute-force", test_search);
    return g_test_run();
}
