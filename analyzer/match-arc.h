/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Geometry of arcs (an edge in one direction of travel) around one fix, in metres east and north of
 * it. Offsets count in the direction of travel.
 */
#pragma once

#include "analyzer/geometry.h"
#include "analyzer/route-search.h"

typedef struct {
    double offset_m;
    double x, y;   /* the place, from the origin */
    double tx, ty; /* direction of travel there, of length 1 */
} ArcPlace;

/* Nearest place of an arc to (x, y), between two offsets (low_m <= high_m, both within the arc). */
ArcPlace arc_project(const Network *network, uint32_t arc, const Plane *plane, double x, double y,
                     double low_m, double high_m);

/* The place at an offset. */
ArcPlace arc_place(const Network *network, uint32_t arc, const Plane *plane, double offset_m);
