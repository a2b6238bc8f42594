/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a receiver's noise is like, learnt from the first hours of a drive: a guess, with which a
 * part of them is matched.
 */
#pragma once

#include "analyzer/match-filter.h"
#include "analyzer/match-path.h"

typedef struct {
    MatchNoise noise;
    SpeedReading reading;
} MatchLearnt;

/* Learns from n fixes whose status is settled. */
MatchLearnt match_learn(const Network *network, EdgeIndex *index, RouteSearch *search,
                        const SeenFix *seen, guint n, const MatchOptions *options);
