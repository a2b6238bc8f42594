/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/corridor-search.h"
#include "analyzer/crs.h"
#include "analyzer/network-builder.h"

#include <math.h>

enum { SIDE = 6 };

/* A grid with some streets missing and some one-way. */
static Network *chance_network(void)
{
    NetworkBuilder *builder = network_builder_new();
    int64_t fid = 1;

    for (int i = 0; i < SIDE * SIDE * 2; i++) {
        int node = i / 2, x = node % SIDE, y = node / SIDE, right = i % 2 == 0;
        if ((right ? x : y) + 1 >= SIDE || g_test_rand_int_range(0, 5) == 0)
            continue;
        GeoPoint a = {15 + x * 0.001, 60 + y * 0.0005},
                 b = {a.lon + (right ? 0.001 : 0), a.lat + (right ? 0 : 0.0005)};
        GeoPoint line[] = {
            a, {(a.lon + b.lon) / 2 + g_test_rand_double_range(0, 3e-4), (a.lat + b.lat) / 2}, b};
        int way = g_test_rand_int_range(-3, 3);
        NetworkEdge edge = {.fid = fid++,
                            .kind = EDGE_ROAD,
                            .ref = g_test_rand_int_range(0, 3) == 0 ? "E4; 7" : "",
                            .way = (uint8_t)MAX(way, 0)};
        network_builder_add_edge(builder, &edge, node, right ? node + 1 : node + SIDE, line, 3);
    }
    return network_builder_finish(builder, NULL, NULL);
}

static double weight(const NetworkEdge *edge, const char *prefer)
{
    return edge->length_m * (prefer == NULL || edge->ref[0] != '\0' ? 1 : 5);
}

static gboolean allowed(const NetworkEdge *edge, gboolean reversed)
{
    return edge->way == EDGE_BOTH_WAYS || (edge->way == EDGE_BACKWARD_ONLY) == reversed;
}

/* The slow way: costs of all directed edges, lowered until nothing changes (Bellman and Ford). */
static double slow_cost(const Network *net, const CorridorPlace *from, const CorridorPlace *to,
                        const char *prefer)
{
    uint32_t n = net->n_edges * 2;
    g_autofree double *cost = g_new(double, n);
    double best = HUGE_VAL;
    gboolean changed = TRUE;

    for (uint32_t s = 0; s < n; s++) {
        const NetworkEdge *e = &net->edges[s / 2];
        double share = from->offset_m / e->length_m;
        cost[s] = s / 2 == from->edge && allowed(e, s % 2 != 0)
                      ? weight(e, prefer) * (s % 2 != 0 ? share : 1 - share)
                      : HUGE_VAL;
    }
    while (changed) {
        changed = FALSE;
        for (uint32_t s = 0; s < n; s++) {
            uint32_t node = s % 2 != 0 ? net->edges[s / 2].from : net->edges[s / 2].to;
            for (uint32_t t = 0; t < n; t++) {
                const NetworkEdge *e = &net->edges[t / 2];
                if (t / 2 == s / 2 || (t % 2 != 0 ? e->to : e->from) != node ||
                    !allowed(e, t % 2 != 0) || !(cost[s] + weight(e, prefer) < cost[t]))
                    continue;
                cost[t] = cost[s] + weight(e, prefer);
                changed = TRUE;
            }
        }
    }
    const NetworkEdge *last = &net->edges[to->edge];
    double share = to->offset_m / last->length_m;
    for (uint32_t way = 0; way < 2; way++)
        best = fmin(best, cost[2 * to->edge + way] -
                              weight(last, prefer) * (way != 0 ? share : 1 - share));
    return best;
}

static double way_cost(const Network *net, const CorridorPlace *from, const CorridorPlace *to,
                       const char *prefer, const GArray *steps)
{
    double cost = 0;

    for (guint i = 0; i < steps->len; i++) {
        const CorridorStep *s = &g_array_index(steps, CorridorStep, i);
        const NetworkEdge *e = &net->edges[s->edge];
        double low = 0, high = e->length_m;
        g_assert_true(allowed(e, s->reversed));
        if (i > 0) {
            const CorridorStep *b = s - 1;
            const NetworkEdge *f = &net->edges[b->edge];
            g_assert_cmpuint(b->reversed ? f->from : f->to, ==, s->reversed ? e->to : e->from);
        }
        if (i == 0)
            *(s->reversed ? &high : &low) = from->offset_m;
        if (i + 1 == steps->len)
            *(s->reversed ? &low : &high) = to->offset_m;
        cost += (high - low) / e->length_m * weight(e, prefer);
    }
    return cost;
}

static void test_property(void)
{
    int found = 0;

    for (int round = 0; round < 150; round++) {
        g_autoptr(Network) net = chance_network();
        g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(CorridorStep));
        CorridorPlace place[2];
        const char *prefer = round % 2 == 0 ? NULL : "e4";
        for (int i = 0; i < 2; i++) {
            place[i].edge = (uint32_t)g_test_rand_int_range(0, (int)net->n_edges);
            place[i].offset_m = g_test_rand_double_range(0, 1) * net->edges[place[i].edge].length_m;
        }
        if (place[0].edge == place[1].edge)
            continue;
        double slow = slow_cost(net, &place[0], &place[1], prefer);
        gboolean ok = corridor_search(net, &place[0], &place[1], 0, prefer, steps);
        g_assert_cmpint(ok, ==, isfinite(slow));
        if (!ok)
            continue;
        found++;
        g_assert_cmpuint(g_array_index(steps, CorridorStep, 0).edge, ==, place[0].edge);
        g_assert_cmpuint(g_array_index(steps, CorridorStep, steps->len - 1).edge, ==,
                         place[1].edge);
        g_assert_cmpfloat_with_epsilon(way_cost(net, &place[0], &place[1], prefer, steps), slow,
                                       1e-6);
    }
    g_assert_cmpint(found, >, 50);
}

/* A switch: from the trunk to either branch, never from branch to branch. */
static void test_switch(void)
{
    NetworkBuilder *builder = network_builder_new();
    GeoPoint trunk[] = {{15, 60}, {15.01, 60}}, a[] = {{15.01, 60}, {15.02, 60}},
             b[] = {{15.01, 60}, {15.02, 60.0005}};
    NetworkEdge edge = {.kind = EDGE_RAIL, .fid = 1};
    network_builder_add_edge(builder, &edge, 1, 2, trunk, 2);
    edge.fid = 2;
    network_builder_add_edge(builder, &edge, 2, 3, a, 2);
    edge.fid = 3;
    network_builder_add_edge(builder, &edge, 2, 4, b, 2);
    g_autoptr(Network) net = network_builder_finish(builder, NULL, NULL);
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(CorridorStep));
    CorridorPlace on_trunk = {0, 100, 0}, on_a = {1, 100, 0}, on_b = {2, 100, 0};

    g_assert_true(corridor_search(net, &on_trunk, &on_b, EDGE_RAIL, NULL, steps));
    g_assert_cmpuint(steps->len, ==, 2);
    g_array_set_size(steps, 0);
    g_assert_true(corridor_search(net, &on_a, &on_trunk, 0, NULL, steps));
    g_assert_true(g_array_index(steps, CorridorStep, 0).reversed);
    g_array_set_size(steps, 0);
    g_assert_false(corridor_search(net, &on_a, &on_b, 0, NULL, steps));
    g_assert_false(corridor_search(net, &on_trunk, &on_b, EDGE_ROAD, NULL, steps));
}

static void test_nearest(void)
{
    g_autoptr(Network) net = chance_network();
    CorridorPlace place;

    g_assert_false(corridor_nearest(net, (GeoPoint){15, 61}, 0, &place));
    g_assert_false(corridor_nearest(net, (GeoPoint){15, 60}, EDGE_RAIL, &place));
    for (int i = 0; i < 200; i++) {
        uint32_t edge = (uint32_t)g_test_rand_int_range(0, (int)net->n_edges);
        GeoPoint p = network_point_at(net, edge, g_test_rand_double_range(0, 200));
        g_assert_true(corridor_nearest(net, p, 0, &place));
        g_assert_cmpfloat(place.distance_m, <, 0.01);
        g_assert_cmpfloat(crs_distance_m(network_point_at(net, place.edge, place.offset_m), p), <,
                          0.05);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/corridor-search/property", test_property);
    g_test_add_func("/corridor-search/switch", test_switch);
    g_test_add_func("/corridor-search/nearest", test_nearest);
    return g_test_run();
}
