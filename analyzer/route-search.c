/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/route-search.h"

#include "analyzer/geometry.h"

#include <math.h>
#include <string.h>

/* Sharper than this a train does not go from one track to the next; switches turn by a few degrees,
 * but short edges near them are drawn roughly. */
static const double max_rail_turn_deg = 75.0;

/* A search that gets this far is lost: memory and time are bounded. */
enum { MAX_SETTLED = 200000 };

typedef struct {
    double distance_m; /* from the end of the first arc to the start of this one */
    uint32_t arc;
} HeapItem;

typedef struct {
    double distance_m;
    uint32_t previous; /* arc; UINT32_MAX for the first ones */
    uint32_t run;
    gboolean settled;
} Label;

struct RouteSearch {
    const Network *network;
    unsigned modes;
    Label *labels; /* by arc */
    uint32_t run, from;
    HeapItem *heap;
    size_t n_heap, room;
    GArray *settled;                    /* arcs of the run, nearest first */
    float *start_heading, *end_heading; /* of each edge, in its own direction; NAN until asked */
};

RouteSearch *route_search_new(const Network *network, unsigned modes)
{
    RouteSearch *search = g_new0(RouteSearch, 1);
    search->network = network;
    search->modes = modes;
    search->labels = g_new0(Label, 2 * (gsize)network->n_edges + 2);
    search->room = 256;
    search->heap = g_new(HeapItem, search->room);
    search->settled = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    search->start_heading = g_new(float, network->n_edges + 1);
    search->end_heading = g_new(float, network->n_edges + 1);
    for (uint32_t e = 0; e < network->n_edges; e++)
        search->start_heading[e] = search->end_heading[e] = NAN;
    return search;
}

void route_search_free(RouteSearch *search)
{
    if (search == NULL)
        return;
    g_array_unref(search->settled);
    g_free(search->labels);
    g_free(search->heap);
    g_free(search->start_heading);
    g_free(search->end_heading);
    g_free(search);
}

gboolean route_arc_allowed(const Network *network, uint32_t arc)
{
    uint8_t way = network->edges[arc_edge(arc)].way;
    return arc_backward(arc) ? way != EDGE_FORWARD_ONLY : way != EDGE_BACKWARD_ONLY;
}

static uint32_t end_node(const Network *network, uint32_t arc)
{
    const NetworkEdge *edge = &network->edges[arc_edge(arc)];
    return arc_backward(arc) ? edge->from : edge->to;
}

static float heading_at(RouteSearch *search, uint32_t e, gboolean at_end)
{
    float *known = at_end ? &search->end_heading[e] : &search->start_heading[e];
    if (!isnan(*known))
        return *known;
    const NetworkEdge *edge = &search->network->edges[e];
    const GeoPoint *points = search->network->points + edge->first_point;
    /* over some metres, not over the last centimetre of a rough drawing */
    uint32_t a = at_end ? edge->n_points - 1 : 0;
    uint32_t b = a;
    Plane plane = plane_at(points[a]);
    for (uint32_t i = 1; i < edge->n_points; i++) {
        b = at_end ? a - i : a + i;
        if (plane_distance(plane_from_geo(&plane, points[a]), plane_from_geo(&plane, points[b])) >
            10.0)
            break;
    }
    PlanePoint pa = plane_from_geo(&plane, points[a]);
    PlanePoint pb = plane_from_geo(&plane, points[b]);
    *known = (float)(at_end ? plane_heading_deg(pb, pa) : plane_heading_deg(pa, pb));
    return *known;
}

static double leaving_deg(RouteSearch *search, uint32_t arc)
{
    double heading = heading_at(search, arc_edge(arc), !arc_backward(arc));
    return arc_backward(arc) ? heading + 180.0 : heading;
}

static double entering_deg(RouteSearch *search, uint32_t arc)
{
    double heading = heading_at(search, arc_edge(arc), arc_backward(arc));
    return arc_backward(arc) ? heading + 180.0 : heading;
}

gboolean route_may_follow(RouteSearch *search, uint32_t arc, uint32_t next, gboolean reversal)
{
    const Network *network = search->network;
    const NetworkEdge *edge = &network->edges[arc_edge(arc)];
    const NetworkEdge *onto = &network->edges[arc_edge(next)];
    if ((search->modes != 0 && (onto->kind & search->modes) == 0) || edge->kind != onto->kind ||
        !route_arc_allowed(network, next))
        return FALSE;
    uint32_t node = end_node(network, arc);
    if (edge->limited && network_turn_forbidden(network, arc_edge(arc), node, arc_edge(next)))
        return FALSE;
    gboolean dead_end = network->star[node + 1] - network->star[node] == 1;
    if (arc_edge(arc) == arc_edge(next) && edge->from != edge->to)
        return reversal || dead_end;
    if (edge->kind == EDGE_RAIL && onto->kind == EDGE_RAIL && !reversal)
        return heading_difference_deg(fmod(leaving_deg(search, arc) + 720.0, 360.0),
                                      fmod(entering_deg(search, next) + 720.0, 360.0)) <=
               max_rail_turn_deg;
    return TRUE;
}

/* ---- heap ---- */

static void push(RouteSearch *search, HeapItem item)
{
    if (search->n_heap == search->room) {
        search->room *= 2;
        search->heap = g_renew(HeapItem, search->heap, search->room);
    }
    size_t i = search->n_heap++;
    while (i > 0 && search->heap[(i - 1) / 2].distance_m > item.distance_m) {
        search->heap[i] = search->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    search->heap[i] = item; /* NOLINT(clang-analyzer-*): there is room from the start */
}

static HeapItem pop(RouteSearch *search)
{
    HeapItem top = search->heap[0];
    HeapItem last = search->heap[--search->n_heap];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= search->n_heap)
            break;
        if (child + 1 < search->n_heap &&
            search->heap[child + 1].distance_m < search->heap[child].distance_m)
            child++;
        if (search->heap[child].distance_m >= last.distance_m)
            break;
        search->heap[i] = search->heap[child];
        i = child;
    }
    if (search->n_heap > 0)
        search->heap[i] = last;
    return top;
}

static void reach(RouteSearch *search, uint32_t arc, double distance_m, uint32_t previous)
{
    Label *label = &search->labels[arc];
    if (label->run == search->run && label->distance_m <= distance_m)
        return;
    *label = (Label){distance_m, previous, search->run, FALSE};
    push(search, (HeapItem){distance_m, arc});
}

static void expand(RouteSearch *search, uint32_t arc, double distance_m, uint32_t previous,
                   gboolean reversal)
{
    const Network *network = search->network;
    uint32_t node = end_node(network, arc);
    for (uint32_t i = network->star[node]; i < network->star[node + 1]; i++) {
        uint32_t e = network->star_edges[i];
        const NetworkEdge *edge = &network->edges[e];
        if (edge->from == node && route_may_follow(search, arc, 2 * e, reversal))
            reach(search, 2 * e, distance_m, previous);
        if (edge->to == node && route_may_follow(search, arc, 2 * e + 1, reversal))
            reach(search, 2 * e + 1, distance_m, previous);
    }
}

void route_search_run(RouteSearch *search, uint32_t from, double limit_m, gboolean reversal,
                      const uint32_t *targets, size_t n)
{
    if (++search->run == 0) {
        memset(search->labels, 0, (2 * (gsize)search->network->n_edges + 2) * sizeof(Label));
        search->run = 1;
    }
    search->from = from;
    search->n_heap = 0;
    g_array_set_size(search->settled, 0);
    size_t left = n;
    expand(search, from, 0.0, UINT32_MAX, reversal);
    while (search->n_heap > 0) {
        HeapItem item = pop(search);
        if (item.distance_m > limit_m)
            break;
        Label *label = &search->labels[item.arc];
        if (label->settled || item.distance_m > label->distance_m)
            continue;
        label->settled = TRUE;
        g_array_append_val(search->settled, item.arc);
        if (search->settled->len >= MAX_SETTLED)
            return;
        for (size_t i = 0; i < n; i++)
            if (targets[i] == item.arc)
                left--;
        if (n > 0 && left == 0)
            return;
        expand(search, item.arc,
               item.distance_m + search->network->edges[arc_edge(item.arc)].length_m, item.arc,
               FALSE);
    }
}

double route_search_distance_m(const RouteSearch *search, uint32_t arc)
{
    const Label *label = &search->labels[arc];
    return label->run == search->run && label->settled ? label->distance_m : INFINITY;
}

const uint32_t *route_search_settled(const RouteSearch *search, size_t *n)
{
    *n = search->settled->len;
    return (const uint32_t *)(const void *)search->settled->data;
}

gboolean route_search_path(const RouteSearch *search, uint32_t to, GArray *arcs)
{
    const Label *label = &search->labels[to];
    if (label->run != search->run || !label->settled)
        return FALSE;
    guint first = arcs->len;
    for (uint32_t arc = label->previous; arc != UINT32_MAX; arc = search->labels[arc].previous)
        g_array_append_val(arcs, arc);
    for (guint i = first, j = arcs->len; i + 1 < j; i++, j--) {
        uint32_t swap = g_array_index(arcs, uint32_t, i);
        g_array_index(arcs, uint32_t, i) = g_array_index(arcs, uint32_t, j - 1);
        g_array_index(arcs, uint32_t, j - 1) = swap;
    }
    return TRUE;
}
