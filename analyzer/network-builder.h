/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a Network in memory, edge by edge: what the loaders, the makers of network files and tests
 * use. Nodes are known by numbers of the caller's own (any int64).
 */
#pragma once

#include "analyzer/network.h"

typedef struct NetworkBuilder NetworkBuilder;

/* Returns: (transfer full): used up by network_builder_finish(), or free with
 * network_builder_free(). */
NetworkBuilder *network_builder_new(void);
void network_builder_free(NetworkBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkBuilder, network_builder_free)

/* Adds an edge. Taken from `edge`: id (NULL = the fid in digits), class, name, ref (NULL = ""),
 * fid, kind, way, tunnel, bridge, layer; all copied. Its length is measured on the points, unless
 * length_m is within 1 in 1000 of that and so kept as it is. An edge of no length is not added, but
 * makes its two nodes one.
 * Returns FALSE for points that are no line on the earth (fewer than 2, not finite). */
gboolean network_builder_add_edge(NetworkBuilder *builder, const NetworkEdge *edge,
                                  int64_t from_node, int64_t to_node, const GeoPoint *points,
                                  size_t n_points);

/* Adds a corridor of edges named by their fid; parts whose fid was not added are left out at
 * network_builder_finish(). */
typedef struct {
    int64_t fid;
    gboolean reversed, folded;
    double from_m, to_m;
} BuilderCorridorEdge;

/* Forbids a turn between two edges named by their fid, over a node of the caller's numbers. Left
 * out at network_builder_finish() if one of them was not added. */
void network_builder_add_turn(NetworkBuilder *builder, int64_t from_fid, int64_t node,
                              int64_t to_fid);

/* Returns the number of the new corridor. */
uint32_t network_builder_add_corridor(NetworkBuilder *builder, const char *name, const char *ref,
                                      double start_m, double length_m);
void network_builder_add_corridor_edge(NetworkBuilder *builder, uint32_t corridor,
                                       const BuilderCorridorEdge *edge);
void network_builder_add_board(NetworkBuilder *builder, uint32_t corridor, KmBoard board);
void network_builder_add_station(NetworkBuilder *builder, uint32_t corridor,
                                 const CorridorStation *station);

/* Number of edges added so far. */
uint32_t network_builder_n_edges(const NetworkBuilder *builder);

/* The network; the builder is used up. `path` and `digest` may be NULL (a network that is in no
 * file). Returns: (transfer full): free with network_free(). */
Network *network_builder_finish(NetworkBuilder *builder, const char *path, const char *digest);
