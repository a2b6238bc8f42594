/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments: every corridor, and every edge outside corridors, cut into pieces of equal length as
 * near to the wanted one as goes. Numbered from 0: the corridors in order, each along its chainage,
 * then the edges.
 */
#pragma once

#include "analyzer/network.h"

typedef struct Segments Segments;

/* A place can lie in several corridors; no more than this many segments of it are given. */
#define SEGMENTS_AT_ONCE 4
#define SEGMENT_NONE     UINT32_MAX

/* The network must outlive the segments. Returns: (transfer full), or NULL with NETWORK_ERROR if
 * there would be more than 2^31 segments. */
Segments *segments_new(const Network *network, double length_m, GError **error);
void segments_free(Segments *segments);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Segments, segments_free)

uint32_t segments_count(const Segments *segments);

/* Segments of corridor c: first and number. c = n_corridors: those outside corridors. */
uint32_t segments_first(const Segments *segments, uint32_t corridor);
uint32_t segments_number(const Segments *segments, uint32_t corridor);

/* The segments in which a place lies: returns how many. along[i] is the chainage in metres there,
 * against[i] whether the edge runs against it. */
unsigned segments_at(const Segments *segments, uint32_t edge, double offset_m,
                     uint32_t segment[SEGMENTS_AT_ONCE], double along_m[SEGMENTS_AT_ONCE],
                     gboolean against[SEGMENTS_AT_ONCE]);

typedef struct {
    uint32_t corridor;   /* UINT32_MAX outside corridors */
    uint32_t edge;       /* in which it begins */
    double from_m, to_m; /* chainage; outside corridors along the edge */
    double length_m;
    double tunnel_m; /* of it in tunnels */
} Segment;

/* Corridor of a segment, UINT32_MAX outside corridors. */
uint32_t segments_corridor(const Segments *segments, uint32_t segment);

/* Describes a segment and puts its line into `points` (array of GeoPoint, emptied first; may be
 * NULL). */
void segments_get(const Segments *segments, uint32_t segment, Segment *info, GArray *points);

/* Line of a corridor between two chainages, appended to `points`. */
void segments_corridor_line(const Segments *segments, uint32_t corridor, double from_m, double to_m,
                            GArray *points);
