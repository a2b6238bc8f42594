/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connected piece of path as a single line: for the second pass of the matcher and for writing
 * tracks.
 */
#pragma once

#include "analyzer/geometry.h"
#include "analyzer/match-path.h"

typedef struct {
    uint32_t arc;
    uint32_t first; /* observations from this one on lie in it */
    double from_m;  /* where it is entered, in the direction of travel */
    double start_s; /* metres since the start of the line */
    double end_s;
    uint32_t vertex; /* its first one in the line */
} LinePiece;

typedef struct {
    GeoPoint at;
    double s;
} LineVertex;

typedef struct {
    GArray *pieces;   /* LinePiece */
    GArray *vertices; /* LineVertex */
} MatchLine;

typedef struct {
    double s;
    double x, y;   /* the place on the line, metres east and north of the plane's origin */
    double tx, ty; /* direction of travel */
} LinePlace;

void match_line_init(MatchLine *line);
void match_line_clear(MatchLine *line);

/* Makes the line of n connected arcs. */
void match_line_set(MatchLine *line, const Network *network, const PathArc *arcs, guint n);

/* Nearest place of the line to the plane's origin, from low_s to high_s. `cursor` (a vertex, in and
 * out) makes searches near the last one fast. */
LinePlace match_line_project(const MatchLine *line, const Plane *plane, double low_s, double high_s,
                             guint *cursor);

/* The place s metres along the line, seen from the plane's origin. */
LinePlace match_line_at(const MatchLine *line, const Plane *plane, double s, guint *cursor);
