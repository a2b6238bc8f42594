/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spatial index of a network: a grid over the pieces between vertices.
 */
#pragma once

#include "analyzer/geometry.h"

typedef struct EdgeIndex EdgeIndex;

/* modes: mask of EdgeKind, 0 = all. The network must outlive the index.
 * Returns: (transfer full): free with edge_index_free(). */
EdgeIndex *edge_index_new(const Network *network, unsigned modes);
void edge_index_free(EdgeIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EdgeIndex, edge_index_free)

/* Nearest place on one edge. */
typedef struct {
    uint32_t edge;
    double offset_m; /* from the edge's `from` node */
    double distance_m;
    double heading_deg; /* of the edge there, in its own direction */
} EdgeHit;

/* Nearest place on each edge within radius_m of a point, nearest first, at most max of them. Not
 * thread-safe: an index belongs to one thread.
 * Returns the number of hits. */
size_t edge_index_near(EdgeIndex *index, GeoPoint point, double radius_m, EdgeHit *hits,
                       size_t max);

/* Distance to the nearest edge, looking up to limit_m far; limit_m if there is none nearer. */
double edge_index_nearest_m(EdgeIndex *index, GeoPoint point, double limit_m);
