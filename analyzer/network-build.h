/* SPDX-License-Identifier: Apache-2.0 */
/* Making a network file from a map: `corridor network build`. */
#pragma once

#include "analyzer/network.h"
#include "analyzer/progress.h"

typedef struct {
    const char *source;   /* any vector file OGR reads */
    const char *layer;    /* NULL = OpenStreetMap: lines; else the first with geometry */
    const char *where;    /* SQL condition on the source's fields, or NULL */
    const char *id_field; /* field whose value becomes the edges' id (text), or NULL */
    const char *crs;      /* of a source that does not say its own, or NULL */
    int modes;            /* EDGE_ROAD | EDGE_RAIL */
    double snap_m;        /* line ends nearer than this become one node; 0 = only equal ones */
    gboolean tracks;      /* with farm and forest tracks (highway=track) */
    gboolean split;       /* cut at every shared vertex, as is always done for OpenStreetMap */
} BuildOptions;

typedef struct {
    uint64_t features, damaged, no_length, other_kind; /* read; not used because … */
    uint32_t edges, nodes, twins, snapped, stations;
    uint32_t turn_limits, turn_limits_unused; /* restrictions of OpenStreetMap */
    double road_m, rail_m;
} BuildReport;

/* Builds out.gpkg. `progress` may be NULL. */
gboolean network_build(const char *out, const BuildOptions *options, Progress *progress,
                       BuildReport *report, GError **error);
