/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first of the matcher's two passes: which arcs of the network were driven, in which order.
 * Where on them, the second pass says (analyzer/match-smooth.h).
 */
#pragma once

#include "analyzer/edge-index.h"
#include "analyzer/match-obs.h"
#include "analyzer/route-search.h"

/* "Not on the network", in place of an arc. */
#define MATCH_OFF UINT32_MAX

typedef struct {
    uint32_t arc;
    uint32_t first;  /* observations from this one on (to the next arc's first) lie in it */
    float enter_m;   /* where it is entered, in the direction of travel: 0, unless turned */
    gboolean begins; /* nothing connects it with the arc before */
    gboolean turned; /* the vehicle turned round on the edge */
} PathArc;

/* Most likely path of n >= 1 observations, each of which has its arc, or MATCH_OFF. Memory is
 * bounded but for the result.
 * Returns: (transfer full) array of PathArc. */
GArray *match_find_path(const Network *network, EdgeIndex *index, RouteSearch *search,
                        const Observation *observations, uint32_t n, const MatchOptions *options,
                        const MatchNoise *noise);
