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
    double x, y;         /* the place, from the origin */
    double tx, ty;       /* direction of travel there, of length 1 */
    double back_m, on_m; /* how far the arc is straight there, back and on */
} ArcPlace;

/* Nearest place of an arc to (x, y), between two offsets (low_m <= high_m, both within the arc). */
ArcPlace arc_project(const Network *network, uint32_t arc, const Plane *plane, double x, double y,
                     double low_m, double high_m);

/* The place by_m further on (back, if negative), which is on the same straight piece. */
static inline void arc_shift(ArcPlace *place, double by_m)
{
    place->offset_m += by_m;
    place->x += by_m * place->tx;
    place->y += by_m * place->ty;
}

/* The place at an offset. */
ArcPlace arc_place(const Network *network, uint32_t arc, const Plane *plane, double offset_m);
