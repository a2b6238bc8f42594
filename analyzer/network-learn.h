/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learning a line from drives: where no map is at hand, the fixes of one or more passes over the
 * same line are made into one smooth line.
 *
 * In three steps: fixes are cleaned (learn-clean.c: no position, held positions, jumps that no
 * vehicle makes); a raw line grows along the tracks (learn-grow.c: what runs over the line again,
 * in either direction, does not make a second one; short ways off it do not make spurs); the line
 * is smoothed to the middle of all passes (learn-smooth.c).
 */
#pragma once

#include "analyzer/network.h"

typedef struct Learn Learn;

Learn *learn_new(void);
void learn_free(Learn *learn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Learn, learn_free)

/* The fixes that follow are those of one receiver in one drive. */
void learn_begin_track(Learn *learn);

/* Adds a fix; times ascend within a track. accuracy_m and speed_mps: NaN = not stated. */
void learn_add(Learn *learn, int64_t time_ns, GeoPoint point, double accuracy_m, double speed_mps);

typedef struct {
    GArray *points;       /* of GeoPoint, about every 20 m, in the direction of the first track */
    double uncertainty_m; /* 95 % of the line is within this of the true one, as far as the passes
                             can tell */
    double scatter_m;     /* how far a fix is off the line across it: 1.4826 * median */
    guint passes;         /* median number of passes over a place of the line */
    size_t fixes, invalid, repeated, jumps; /* given; with no position, held, rejected as jumps */
    size_t shared;                          /* the same fix of the same time in another track */
    size_t used, off_line;                  /* averaged; believable but not on the one line */
    double longest_gap_m;                   /* longest stretch without a fix: drawn as a curve */
} LearnResult;

/* Learns the line. FALSE if there is none: too few fixes, or the vehicle never moved.
 * result->points: (transfer full), free with learn_result_clear(). */
gboolean learn_run(Learn *learn, LearnResult *result, GError **error);
void learn_result_clear(LearnResult *result);
