/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the matcher knows of a drive before it looks at the network: the believable fixes in a
 * compact form, each with its noise and with how far the vehicle should have come since the one
 * before.
 */
#pragma once

#include "analyzer/match.h"

typedef struct {
    GeoPoint at;
    int64_t time_ns;
    uint32_t fix; /* number of the fix it is */
    float dt_s;   /* since the observation before; 0 for the first one */
    float sigma_m;
    float step_m;    /* metres travelled since the one before by the receiver's own speed or because
                        the vehicle stood; NAN if not known */
    float step_sd_m; /* standard deviation of it */
    float speed_mps, heading_deg; /* NAN if not known */
} Observation;

/* Noise of the receiver. Errors of a position last: tau_s is how long (first-order
 * autoregression). */
typedef struct {
    double sigma_m; /* where a fix does not tell its accuracy */
    double tau_s;
    double jitter_s; /* standard deviation of the times: clocks of phones give whole seconds */
} MatchNoise;

/* Observations of the fixes whose status is FIX_MATCHED. Which second a speed belongs to differs
 * between receivers and apps: the reading that explains the positions best is taken, and speeds
 * that explain them badly are not used at all.
 * Returns: (transfer full) array of Observation. */
GArray *match_observe(const MatchFix *fixes, size_t n, const FixStatus *status,
                      const MatchOptions *options, const MatchNoise *noise);

/* Standard deviation of the fixes' times, seconds: not 0 where they are whole seconds apart, but
 * not the same number of them. */
double match_time_jitter_s(const GArray *observations);

/* Sets the noise of each observation anew. */
void match_set_noise(GArray *observations, const MatchFix *fixes, const MatchOptions *options,
                     const MatchNoise *noise);

/* σ and τ from how far n fixes in a row lay across the track they were matched to (NAN where one
 * was not), dt_s apart. Robust: medians only. Leaves *noise as it is if there are too few. */
void match_learn_noise(const float *across_m, const float *dt_s, size_t n, MatchNoise *noise);
