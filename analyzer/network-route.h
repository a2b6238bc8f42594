/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a named corridor out of a network: `corridor network route`. */
#pragma once

#include "analyzer/network.h"

typedef struct {
    const char *name, *ref; /* ref NULL = the commonest one of its edges */
    const GeoPoint *places; /* from, via …, to */
    size_t n_places;        /* at least 2 */
    int modes;              /* mask of EdgeKind; 0 = any */
    const char *prefer;     /* road or line number that it should follow, or NULL */
    double start_m;         /* chainage of its beginning */
    double fold_m;          /* edges beside it, so near, are folded onto it; 0 = none */
    const char *boards;     /* file of kilometre boards, or NULL */
    const char *stations;   /* file of named points, or NULL */
} RouteOptions;

typedef struct {
    double length_m;
    double snapped_m; /* farthest that a place was from the network */
    guint edges, folded, boards, stations, cut;
} RouteReport;

/* Writes a copy of the network `in` to `out` (may be the same path) with the corridor added. Edges
 * are cut where the corridor begins and ends. */
gboolean network_route(const char *out, const char *in, const RouteOptions *options,
                       RouteReport *report, GError **error);
