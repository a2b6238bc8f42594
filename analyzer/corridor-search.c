/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dijkstra (1959) over directed edges, so that a turn at a node can be refused: state 2e is edge e
 * travelled from its first vertex to its last, 2e + 1 the other way.
 */
#include "analyzer/corridor-search.h"

#include "analyzer/geometry.h"

#include <math.h>
#include <string.h>

#define REACH_M 2000.0
/* A train takes a switch, not a corner. */
#define RAIL_TURN_DEG 60.0

gboolean corridor_nearest(const Network *network, GeoPoint point, int modes, CorridorPlace *place)
{
    Plane plane = plane_at(point);
    PlanePoint origin = {0, 0};
    double best = REACH_M;

    for (uint32_t e = 0; e < network->n_edges; e++) {
        const NetworkEdge *edge = &network->edges[e];
        if (modes != 0 && (edge->kind & modes) == 0)
            continue;
        const GeoPoint *p = network->points + edge->first_point;
        const double *chain = network->chain_m + edge->first_point;
        PlanePoint a = plane_from_geo(&plane, p[0]);
        for (uint32_t i = 1; i < edge->n_points; i++) {
            PlanePoint b = plane_from_geo(&plane, p[i]);
            double t, distance = plane_project(origin, a, b, &t);
            if (distance < best) {
                best = distance;
                *place = (CorridorPlace){e, chain[i - 1] + t * (chain[i] - chain[i - 1]), distance};
            }
            a = b;
        }
    }
    return best < REACH_M;
}

typedef struct {
    double cost;
    uint32_t state;
} HeapItem;

static void heap_push(GArray *heap, HeapItem item)
{
    g_array_append_val(heap, item);
    HeapItem *h = (HeapItem *)(void *)heap->data;
    guint i = heap->len - 1;
    while (i > 0 && h[(i - 1) / 2].cost > item.cost) {
        h[i] = h[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h[i] = item;
}

static HeapItem heap_pop(GArray *heap)
{
    HeapItem *h = (HeapItem *)(void *)heap->data;
    HeapItem top = h[0], last = h[heap->len - 1];
    guint n = heap->len - 1, i = 0;

    g_array_set_size(heap, n);
    while (2 * i + 1 < n) {
        guint child = 2 * i + 1;
        if (child + 1 < n && h[child + 1].cost < h[child].cost)
            child++;
        if (h[child].cost >= last.cost)
            break;
        h[i] = h[child];
        i = child;
    }
    if (n > 0)
        h[i] = last;
    return top;
}

static gboolean may_travel(const NetworkEdge *edge, gboolean reversed, int modes)
{
    if (modes != 0 && (edge->kind & modes) == 0)
        return FALSE;
    return edge->way == EDGE_BOTH_WAYS ||
           edge->way == (reversed ? EDGE_BACKWARD_ONLY : EDGE_FORWARD_ONLY);
}

static double cost_per_m(const NetworkEdge *edge, const char *prefer)
{
    static const char *const side[] = {"siding", "yard", "spur", "crossover"};
    double cost = 1;

    if (prefer != NULL) {
        g_auto(GStrv) refs = g_strsplit(edge->ref, ";", -1);
        gboolean same = FALSE;
        for (char **ref = refs; *ref != NULL; ref++)
            same = same || g_ascii_strcasecmp(g_strstrip(*ref), prefer) == 0;
        cost = same ? 1 : 5;
    }
    for (guint i = 0; edge->kind == EDGE_RAIL && i < G_N_ELEMENTS(side); i++)
        cost *= strcmp(edge->class, side[i]) == 0 ? 3 : 1;
    return cost;
}

/* Direction of travel where a state leaves (end FALSE) or arrives (end TRUE), over some 20 m. */
static double heading_at(const Network *network, uint32_t state, gboolean end)
{
    const NetworkEdge *edge = &network->edges[state / 2];
    gboolean reversed = state % 2 != 0;
    gboolean at_last = end != reversed;
    double l = edge->length_m, step = fmin(20, l);
    GeoPoint a = network_point_at(network, state / 2, at_last ? l - step : 0),
             b = network_point_at(network, state / 2, at_last ? l : step);
    Plane plane = plane_at(a);
    PlanePoint pa = {0, 0}, pb = plane_from_geo(&plane, b);
    return reversed ? plane_heading_deg(pb, pa) : plane_heading_deg(pa, pb);
}

static gboolean may_turn(const Network *network, uint32_t from, uint32_t to)
{
    if (from / 2 == to / 2)
        return FALSE; /* no turning back on an edge */
    if (network->edges[from / 2].kind != EDGE_RAIL || network->edges[to / 2].kind != EDGE_RAIL)
        return TRUE;
    return heading_difference_deg(heading_at(network, from, TRUE),
                                  heading_at(network, to, FALSE)) <= RAIL_TURN_DEG;
}

typedef struct {
    const Network *network;
    double *cost;
    uint32_t *before;
    GArray *heap;
} Search;

static void reach(Search *s, uint32_t state, double cost, uint32_t before)
{
    if (cost < s->cost[state]) {
        s->cost[state] = cost;
        s->before[state] = before;
        heap_push(s->heap, (HeapItem){cost, state});
    }
}

/* Goes on from the end of a state. */
static void expand(Search *s, uint32_t state, double cost, int modes, const char *prefer)
{
    const Network *net = s->network;
    const NetworkEdge *edge = &net->edges[state / 2];
    uint32_t node = state % 2 != 0 ? edge->from : edge->to;

    for (uint32_t i = net->star[node]; i < net->star[node + 1]; i++) {
        uint32_t next = net->star_edges[i];
        for (uint32_t way = 0; way < 2; way++) {
            const NetworkEdge *e = &net->edges[next];
            if ((way == 0 ? e->from : e->to) == node && may_travel(e, way != 0, modes) &&
                may_turn(net, state, 2 * next + way))
                reach(s, 2 * next + way, cost + e->length_m * cost_per_m(e, prefer), state);
        }
    }
}

/* Both places on one edge, in the direction that it may be travelled. */
static gboolean within_edge(const Network *network, const CorridorPlace *from,
                            const CorridorPlace *to, int modes, GArray *steps)
{
    CorridorStep step = {from->edge, to->offset_m < from->offset_m};

    if (from->edge != to->edge || !may_travel(&network->edges[from->edge], step.reversed, modes))
        return FALSE;
    g_array_append_val(steps, step);
    return TRUE;
}

gboolean corridor_search(const Network *network, const CorridorPlace *from, const CorridorPlace *to,
                         int modes, const char *prefer, GArray *steps)
{
    size_t n = (size_t)network->n_edges * 2;
    const NetworkEdge *first = &network->edges[from->edge], *last = &network->edges[to->edge];

    if (within_edge(network, from, to, modes, steps))
        return TRUE;
    g_autofree double *cost = g_new(double, n);
    g_autofree uint32_t *before = g_new(uint32_t, n);
    g_autoptr(GArray) heap = g_array_new(FALSE, FALSE, sizeof(HeapItem));
    Search s = {network, cost, before, heap};
    for (size_t i = 0; i < n; i++)
        cost[i] = HUGE_VAL;
    for (uint32_t way = 0; way < 2; way++) {
        double rest = way == 0 ? first->length_m - from->offset_m : from->offset_m;
        if (may_travel(first, way != 0, modes))
            reach(&s, 2 * from->edge + way, rest * cost_per_m(first, prefer), UINT32_MAX);
    }
    double best = HUGE_VAL;
    uint32_t arrival = UINT32_MAX;
    while (heap->len > 0) {
        HeapItem item = heap_pop(heap);
        if (item.cost > cost[item.state])
            continue;
        if (item.cost - last->length_m * cost_per_m(last, prefer) >= best)
            break;
        if (item.state / 2 == to->edge && before[item.state] != UINT32_MAX) {
            /* it has paid for the whole edge; what lies beyond the place is given back */
            double beyond = item.state % 2 == 0 ? last->length_m - to->offset_m : to->offset_m;
            double arrived = item.cost - beyond * cost_per_m(last, prefer);
            if (arrived < best) {
                best = arrived;
                arrival = item.state;
            }
        }
        expand(&s, item.state, item.cost, modes, prefer);
    }
    if (arrival == UINT32_MAX)
        return FALSE;
    guint begin = steps->len;
    for (uint32_t state = arrival; state != UINT32_MAX; state = before[state]) {
        CorridorStep step = {state / 2, state % 2 != 0};
        g_array_insert_val(steps, begin, step);
    }
    return TRUE;
}
