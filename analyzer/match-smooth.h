/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second of the matcher's two passes: the path is known, where along it was the vehicle at each
 * fix? The most likely metres for all fixes at once, from the positions (whose errors last), the
 * receiver's speeds, and that vehicles change speed slowly. One least-squares problem in which each
 * fix is linked with its two neighbours, so it is solved in one run up and one down.
 */
#pragma once

#include "analyzer/match-line.h"

typedef struct {
    double s;         /* metres along the line, never descending */
    double sd_m;      /* standard deviation of it */
    float across_m;   /* how far the fix lies to the right of the line */
    float distance_m; /* of the fix from its place */
    GeoPoint at;      /* the place */
} SmoothPlace;

typedef struct Smoother Smoother;

Smoother *smoother_new(void);
void smoother_free(Smoother *smoother);

/* Places n observations (at least one), numbers first and on, on a line. `places` has room for
 * them. */
void smoother_run(Smoother *smoother, const MatchLine *line, const Observation *observations,
                  uint32_t first, size_t n, const MatchNoise *noise, double max_speed_mps,
                  SmoothPlace *places);
