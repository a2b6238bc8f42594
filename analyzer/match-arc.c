/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-arc.h"

#include <math.h>

/* The vertex (number within the edge, not the last) that begins the piece with offset_m, counted
 * from the edge's `from` node. */
static uint32_t piece_at(const double *chain, uint32_t n_points, double offset_m)
{
    uint32_t low = 0;
    uint32_t high = n_points - 1;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (chain[middle] <= offset_m)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void turn_round(const NetworkEdge *edge, ArcPlace *place)
{
    double swap = place->back_m;
    place->back_m = place->on_m;
    place->on_m = swap;
    place->offset_m = edge->length_m - place->offset_m;
    place->tx = -place->tx;
    place->ty = -place->ty;
}

ArcPlace arc_project(const Network *network, uint32_t arc, const Plane *plane, double x, double y,
                     double low_m, double high_m)
{
    const NetworkEdge *edge = &network->edges[arc_edge(arc)];
    const GeoPoint *points = network->points + edge->first_point;
    const double *chain = network->chain_m + edge->first_point;
    gboolean backward = arc_backward(arc);
    if (backward) {
        double swap = edge->length_m - low_m;
        low_m = edge->length_m - high_m;
        high_m = swap;
    }
    uint32_t v = low_m > 0.0 ? piece_at(chain, edge->n_points, low_m) : 0;
    double best2 = INFINITY;
    double best_x = 0.0;
    double best_y = 0.0;
    double best_dx = 1.0;
    double best_dy = 0.0;
    double best_length2 = 1.0;
    double best_t = 0.0;
    uint32_t best_v = v;
    PlanePoint a = plane_from_geo(plane, points[v]);
    for (; v + 1 < edge->n_points; v++) {
        PlanePoint b = plane_from_geo(plane, points[v + 1]);
        double dx = b.x - a.x;
        double dy = b.y - a.y;
        double length2 = dx * dx + dy * dy;
        double piece_m = chain[v + 1] - chain[v];
        if (length2 > 0.0 && piece_m > 0.0) {
            double least = chain[v] < low_m ? (low_m - chain[v]) / piece_m : 0.0;
            double most = chain[v + 1] > high_m ? (high_m - chain[v]) / piece_m : 1.0;
            double t = ((x - a.x) * dx + (y - a.y) * dy) / length2;
            t = t > most ? most : t;
            t = t < least ? least : t;
            double px = a.x + t * dx;
            double py = a.y + t * dy;
            double away2 = (px - x) * (px - x) + (py - y) * (py - y);
            if (away2 < best2) {
                best2 = away2;
                best_x = px;
                best_y = py;
                best_dx = dx;
                best_dy = dy;
                best_length2 = length2;
                best_t = t;
                best_v = v;
            }
        }
        if (chain[v + 1] >= high_m)
            break;
        a = b;
    }
    double share = 1.0 / sqrt(best_length2);
    double piece_m = chain[best_v + 1] - chain[best_v];
    ArcPlace best = {.offset_m = chain[best_v] + best_t * piece_m,
                     .x = best_x,
                     .y = best_y,
                     .tx = best_dx * share,
                     .ty = best_dy * share,
                     .back_m = best_t * piece_m,
                     .on_m = (1.0 - best_t) * piece_m};
    if (backward)
        turn_round(edge, &best);
    return best;
}

ArcPlace arc_place(const Network *network, uint32_t arc, const Plane *plane, double offset_m)
{
    const NetworkEdge *edge = &network->edges[arc_edge(arc)];
    const GeoPoint *points = network->points + edge->first_point;
    const double *chain = network->chain_m + edge->first_point;
    gboolean backward = arc_backward(arc);
    double along_m = backward ? edge->length_m - offset_m : offset_m;
    uint32_t v = piece_at(chain, edge->n_points, along_m);
    PlanePoint a = plane_from_geo(plane, points[v]);
    PlanePoint b = plane_from_geo(plane, points[v + 1]);
    double dx = b.x - a.x;
    double dy = b.y - a.y;
    double length = sqrt(dx * dx + dy * dy);
    double piece_m = chain[v + 1] - chain[v];
    double t = piece_m > 0.0 ? (along_m - chain[v]) / piece_m : 0.0;
    t = CLAMP(t, 0.0, 1.0);
    ArcPlace place = {.offset_m = along_m,
                      .x = a.x + t * dx,
                      .y = a.y + t * dy,
                      .tx = length > 0.0 ? dx / length : 1.0,
                      .ty = length > 0.0 ? dy / length : 0.0,
                      .back_m = t * piece_m,
                      .on_m = (1.0 - t) * piece_m};
    if (backward)
        turn_round(edge, &place);
    return place;
}
