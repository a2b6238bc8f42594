/* SPDX-License-Identifier: Apache-2.0 */
/* Shortest ways through a network in memory. */
#pragma once

#include "analyzer/network.h"

typedef struct {
    uint32_t edge;
    double offset_m;   /* from the edge's start */
    double distance_m; /* of the place from it */
} CorridorPlace;

/* The nearest place on edges of the modes (0 = any). FALSE: none within 2 km. */
gboolean corridor_nearest(const Network *network, GeoPoint point, int modes, CorridorPlace *place);

typedef struct {
    uint32_t edge;
    gboolean reversed;
} CorridorStep;

/* The cheapest way from a place to another: appends CorridorSteps, the first and last edge whole.
 * Cost is length; five times where `prefer` is given and is not the edge's ref, three times on
 * sidings and yards. One-way roads are kept; on rails, no sharp turn is made. FALSE = there is no
 * way. */
gboolean corridor_search(const Network *network, const CorridorPlace *from, const CorridorPlace *to,
                         int modes, const char *prefer, GArray *steps);
