/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing network files (NET.gpkg; every layer and column in corridor-network(5)). The file appears
 * whole at network_file_finish() or not at all.
 */
#pragma once

#include "analyzer/network-builder.h"

#define NETWORK_FORMAT_VERSION 1

typedef struct NetworkFile NetworkFile;

/* A new, empty network file. Returns: (transfer full): free with network_file_discard(). */
NetworkFile *network_file_create(const char *path, GError **error);

/* A copy of the network file `from` (may be `path` itself), to add corridors to. */
NetworkFile *network_file_copy(const char *path, const char *from, GError **error);

void network_file_discard(NetworkFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkFile, network_file_discard)

/* Adds an edge (only to a new file): fields as in NetworkEdge without from, to, first_point,
 * n_points; the file's fid is given back. id NULL or "" = the fid in digits. */
gboolean network_file_add_edge(NetworkFile *file, const NetworkEdge *edge, int64_t from_node,
                               int64_t to_node, const GeoPoint *points, size_t n_points,
                               int64_t *fid, GError **error);

gboolean network_file_add_node(NetworkFile *file, int64_t node, GeoPoint point, int64_t n_edges,
                               GError **error);

/* Forbids the turn from one edge over a node onto another one. */
gboolean network_file_add_turn(NetworkFile *file, int64_t from_fid, int64_t node, int64_t to_fid,
                               GError **error);

typedef struct {
    const char *name, *ref;
    double start_m, length_m;
    const GeoPoint *points; /* its own line, in the direction of the chainage */
    size_t n_points;
    const BuilderCorridorEdge *edges;
    size_t n_edges;
    const KmBoard *boards;
    size_t n_boards;
    const CorridorStation *stations;
    size_t n_stations;
    double uncertainty_m; /* of a learnt line: how far it may be off, 95 %; NaN = not known */
    int passes;           /* of a learnt line: by how many passes; 0 = not learnt */
} CorridorSpec;

/* Adds a corridor. A corridor of that name that is there already is replaced. */
gboolean network_file_add_corridor(NetworkFile *file, const CorridorSpec *spec, GError **error);

/* Cuts an edge of a copy at n_cuts places (ascending, metres from its start, inside it): writes the
 * pieces, names them as the edge with their offset, moves what corridors and turns say of the edge
 * to them, and takes the edge away. `edge` and `network`: where the copy was loaded from. fids:
 * n_cuts + 1 keys of the pieces. */
gboolean network_file_cut_edge(NetworkFile *file, const Network *network, uint32_t edge,
                               const double *cuts, guint n_cuts, int64_t *fids, GError **error);

/* A key and value of the table `network` ("source", "made_by" …). */
gboolean network_file_set(NetworkFile *file, const char *key, const char *value, GError **error);

gboolean network_file_finish(NetworkFile *file, GError **error);
