/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network.h"

G_DEFINE_QUARK(corridor - network - error - quark, network_error)

int km_board_compare(const void *a, const void *b)
{
    const KmBoard *p = a, *q = b;

    return (p->at_m > q->at_m) - (p->at_m < q->at_m);
}

int corridor_station_compare(const void *a, const void *b)
{
    const CorridorStation *p = a, *q = b;

    return (p->at_m > q->at_m) - (p->at_m < q->at_m);
}

/* The last of n ascending distances that is not above `offset`, which is above 0 and below
 * `length`; never the very last. Points of an edge are mostly evenly spaced: the search begins at
 * its share. */
static uint32_t last_at_or_before(const double *chain, uint32_t n, double length, double offset)
{
    uint32_t low = 0, high = n - 1;
    uint32_t guess = MIN((uint32_t)(offset / length * high), high - 1);
    if (chain[guess] <= offset) {
        low = guess;
        for (uint32_t step = 1; high - low > step; step *= 2) {
            if (chain[low + step] > offset) {
                high = low + step;
                break;
            }
            low += step;
        }
    } else {
        high = guess;
        for (uint32_t step = 1; high > step; step *= 2) {
            if (chain[high - step] <= offset) {
                low = high - step;
                break;
            }
            high -= step;
        }
    }
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (chain[mid] <= offset)
            low = mid;
        else
            high = mid;
    }
    return low;
}

GeoPoint network_point_at(const Network *network, uint32_t edge, double offset_m)
{
    const NetworkEdge *e = &network->edges[edge];
    const double *chain = network->chain_m + e->first_point;
    const GeoPoint *p = network->points + e->first_point;

    if (!(offset_m > 0))
        return p[0];
    if (offset_m >= e->length_m)
        return p[e->n_points - 1];
    uint32_t low = last_at_or_before(chain, e->n_points, e->length_m, offset_m), high = low + 1;
    double t = chain[high] > chain[low] ? (offset_m - chain[low]) / (chain[high] - chain[low]) : 0;
    return (GeoPoint){p[low].lon + t * (p[high].lon - p[low].lon),
                      p[low].lat + t * (p[high].lat - p[low].lat)};
}

gboolean network_turn_forbidden(const Network *network, uint32_t from_edge, uint32_t node,
                                uint32_t to_edge)
{
    uint32_t low = 0, high = network->n_turns;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const NetworkTurn *t = &network->turns[mid];
        if (t->from_edge == from_edge && t->node == node && t->to_edge == to_edge)
            return TRUE;
        gboolean before = t->from_edge != from_edge ? t->from_edge < from_edge
                          : t->node != node         ? t->node < node
                                                    : t->to_edge < to_edge;
        low = before ? mid + 1 : low;
        high = before ? high : mid;
    }
    return FALSE;
}
