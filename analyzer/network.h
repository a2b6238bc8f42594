/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network in memory: road and rail centre lines as edges between nodes, and the corridors
 * through them. Loaded from a network file (NET.gpkg, see docs/network-file.md), whole or only the
 * part around a drive. Plain arrays, so that matching can walk them fast; all lengths are geodesic
 * on WGS 84, in metres.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef enum { EDGE_ROAD = 1, EDGE_RAIL = 2 } EdgeKind; /* bits: a mode is a mask of kinds */

typedef enum {
    EDGE_BOTH_WAYS = 0,
    EDGE_FORWARD_ONLY = 1,  /* from -> to */
    EDGE_BACKWARD_ONLY = 2, /* to -> from */
} EdgeWay;

typedef struct {
    double lon, lat; /* degrees, WGS 84 */
} GeoPoint;

typedef struct {
    uint32_t from, to;    /* nodes */
    uint32_t first_point; /* into Network.points and Network.chain_m */
    uint32_t n_points;    /* at least 2 */
    double length_m;
    int64_t fid;        /* feature id in the network file */
    const char *id;     /* --id-field value, or the feature id in digits */
    double id_offset_m; /* where this edge begins on the feature that `id` names: 0, unless that
                           was split at a junction. Offsets shown beside `id` count from there */
    const char *class;  /* highway=… or railway=… value; "" if not known */
    const char *name;   /* "" if none */
    const char *ref;    /* road number or line; "" if none */
    uint8_t kind;       /* EdgeKind */
    uint8_t way;        /* EdgeWay */
    uint8_t tunnel, bridge;
    int8_t layer;    /* vertical order where lines cross without meeting */
    uint8_t limited; /* from it some turns are forbidden: network_turn_forbidden() */
} NetworkEdge;

/* A turn that is forbidden: from one edge over a node onto another (or back onto the same). */
typedef struct {
    uint32_t from_edge, node, to_edge;
} NetworkTurn;

/* One edge as a part of a corridor. The chainage of a place on it is from_m + share * (to_m -
 * from_m), where share (0..1) is how far along the edge it is, seen along the corridor; for the
 * corridor's own line to_m - from_m is the edge's length. */
typedef struct {
    uint32_t edge;
    gboolean reversed; /* the corridor runs from the edge's end to its start */
    double from_m;     /* chainage at which the edge begins, seen along the corridor */
    double to_m;       /* chainage at which it ends */
    gboolean folded;   /* not the corridor's own line, but the other carriageway or a parallel
                          track that is folded onto it: its chainage overlaps with others */
} CorridorEdge;

/* A kilometre board: after re-alignments boards are not 1000 m apart (analyzer/chainage.h gives
 * positions as 114+228). */
typedef struct {
    double at_m; /* chainage */
    int32_t km;  /* what stands on it */
} KmBoard;

/* In the order of the chainage; a GCompareFunc, as the next one. */
int km_board_compare(const void *a, const void *b);

/* A named place along a corridor: station, junction. */
typedef struct {
    double at_m; /* chainage */
    GeoPoint point;
    const char *name;
    const char *kind; /* "station", "halt", "junction" … */
} CorridorStation;

int corridor_station_compare(const void *a, const void *b);

typedef struct {
    const char *name;
    const char *ref;
    double start_m; /* chainage of its first point, usually 0 */
    double length_m;
    uint32_t n_edges;
    const CorridorEdge *edges; /* the own line in the order of the chainage, then what is folded
                                  onto it; of a part loaded by a box, the edges that are there */
    uint32_t n_boards;
    const KmBoard *boards; /* kilometre boards in the order of the chainage, if it has any */
    uint32_t n_stations;
    const CorridorStation *stations; /* in the order of the chainage */
} Corridor;

typedef struct {
    uint32_t n_nodes;
    const GeoPoint *nodes;
    uint32_t n_edges;
    const NetworkEdge *edges;
    uint32_t n_points;
    const GeoPoint *points;     /* vertices of all edges, edge by edge */
    const double *chain_m;      /* geodesic distance of each vertex from its edge's start */
    const uint32_t *star;       /* n_nodes + 1 offsets into star_edges */
    const uint32_t *star_edges; /* edges that touch each node (a loop stands twice) */
    uint32_t n_turns;
    const NetworkTurn *turns; /* forbidden ones, in order of from_edge, node, to_edge */
    uint32_t n_corridors;
    const Corridor *corridors;
    char *path;   /* file it came from */
    char *digest; /* changes when the file's content changes: key for caches */
    void *own;    /* memory of the arrays, for network_free() */
} Network;

#define NETWORK_ERROR network_error_quark()
typedef enum {
    NETWORK_ERROR_FAILED,
    NETWORK_ERROR_NOT_A_NETWORK, /* some other file, or a damaged one */
    NETWORK_ERROR_EMPTY,
    NETWORK_ERROR_ELSEWHERE, /* network and drive do not meet */
    NETWORK_ERROR_NO_ROUTE,  /* the network does not connect the places */
} NetworkError;
GQuark network_error_quark(void);

typedef struct {
    double west, south, east, north; /* degrees; all 0 = everything */
} GeoBox;

/* Loads the edges that touch `box` (NULL = all), with their corridors. Where the box meets none of
 * them, the error (NETWORK_ERROR_ELSEWHERE) says how far away the network is. Edges of no length
 * are left out, their nodes become one.
 * Returns: (transfer full): free with network_free(). */
Network *network_load(const char *path, const GeoBox *box, GError **error);

/* Loads the edges near n places (in any order, e.g. all fixes of a drive): those within reach_m,
 * and some more, with all corridors. Places that are not on the earth are passed over. A country's
 * network costs no more than the part that was driven.
 * Returns: (transfer full): free with network_free(). */
Network *network_load_around(const char *path, const GeoPoint *places, size_t n, double reach_m,
                             GError **error);
void network_free(Network *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Network, network_free)

/* TRUE if the turn stands in the network's list. */
gboolean network_turn_forbidden(const Network *network, uint32_t from_edge, uint32_t node,
                                uint32_t to_edge);

/* The point offset_m (clamped to 0..length) along an edge from its `from` node. */
GeoPoint network_point_at(const Network *network, uint32_t edge, double offset_m);
