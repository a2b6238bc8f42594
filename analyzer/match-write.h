/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the decided path to places: the second pass over what is decided, in pieces, each of which
 * knows some of the fixes before and after it, and its results in the order of the fixes.
 */
#pragma once

#include "analyzer/match-filter.h"
#include "analyzer/match-smooth.h"
#include "analyzer/track-build.h"

/* The fixes on their way through the matcher, and the observations that they are. */
typedef struct {
    GArray *seen; /* SeenFix */
    uint32_t first_seen;
    GArray *observations; /* Observation */
    uint32_t first_observation;
} MatchQueue;

typedef struct MatchWriter MatchWriter;

/* Results go to track (may be NULL) and func (may be NULL). All must outlive the writer.
 * Returns: (transfer full): free with match_writer_free(). */
MatchWriter *match_writer_new(const Network *network, const MatchOptions *options,
                              const MatchNoise *noise, Track *track, MatchFixFunc func,
                              void *user_data);
void match_writer_free(MatchWriter *writer);

/* Where decided arcs are to be added (of PathArc). */
GArray *match_writer_arcs(MatchWriter *writer);

/* Writes observations before number `decided`, as far as what comes after them is known; all of
 * them if `final`: then a new path begins. Fixes before number `settled` that are no observations
 * are written where they stand. */
void match_write(MatchWriter *writer, const MatchQueue *queue, uint32_t decided, uint32_t settled,
                 gboolean final);

/* What the queue must still hold: numbers of the first observation and the first fix. */
uint32_t match_writer_needs_observation(const MatchWriter *writer);
uint32_t match_writer_needs_fix(const MatchWriter *writer);
