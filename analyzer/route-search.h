/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shortest ways between arcs: an arc is an edge in one direction of travel. Bounded Dijkstra, with
 * the rules of the road and the rail: one-ways, forbidden turns, no turning on the spot but where
 * allowed, and on rails no way through a switch that a train cannot take.
 */
#pragma once

#include "analyzer/network.h"

/* arc = 2 * edge + (1 if travelled backward) */
static inline uint32_t arc_edge(uint32_t arc)
{
    return arc >> 1;
}

static inline gboolean arc_backward(uint32_t arc)
{
    return (arc & 1U) != 0;
}

typedef struct RouteSearch RouteSearch;

/* The network must outlive it. One thread uses it at a time. modes: mask of EdgeKind, 0 = all. */
RouteSearch *route_search_new(const Network *network, unsigned modes);
void route_search_free(RouteSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RouteSearch, route_search_free)

/* TRUE if the arc may be travelled. */
gboolean route_arc_allowed(const Network *network, uint32_t arc);

/* TRUE if `next`, which starts where `arc` ends, may be entered from it: the rules above. A rail
 * and a road that meet in a node (level crossing) do not lead into each other. */
gboolean route_may_follow(RouteSearch *search, uint32_t arc, uint32_t next, gboolean reversal);

/* Distances from the end of `from` to the start of arcs that are at most limit_m away. Stops early
 * when all of targets[0..n) are reached (n = 0: never). reversal: the vehicle may turn round at the
 * end of `from` (a train at a stop); it may always turn where a road ends. */
void route_search_run(RouteSearch *search, uint32_t from, double limit_m, gboolean reversal,
                      const uint32_t *targets, size_t n);

/* After a run: distance from the end of `from` to the start of an arc, INFINITY if not reached. */
double route_search_distance_m(const RouteSearch *search, uint32_t arc);

/* After a run: all arcs that were reached, nearest first. (transfer none, until the next run) */
const uint32_t *route_search_settled(const RouteSearch *search, size_t *n);

/* After a run: arcs between `from` and `to`, both left out, in order; appended to `arcs` (of
 * uint32_t). FALSE if `to` was not reached. */
gboolean route_search_path(const RouteSearch *search, uint32_t to, GArray *arcs);
