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

/* Which speed tells the way from one fix to the next: receivers and apps differ. */
typedef enum { SPEED_OF_FIRST, SPEED_OF_BOTH, SPEED_OF_SECOND, SPEED_READINGS } SpeedReading;

/* Appends the observation that a fix is (number `number`), without what the fixes around tell. */
void match_observe(GArray *observations, const MatchFix *fix, uint32_t number,
                   const MatchOptions *options, const MatchNoise *noise);

/* The reading that explains best how far apart fixes are; SPEED_READINGS if none does: then speeds
 * are not used. */
SpeedReading match_choose_reading(const GArray *observations);

/* Standard deviation of the fixes' times, seconds: not 0 where they are whole seconds apart, but
 * not the same number of them. */
double match_time_jitter_s(const GArray *observations);

/* How far the steps between observations are worked out. Begin with all 0 and the reading. */
typedef struct {
    SpeedReading reading;
    guint stepped, doubted, stood, standing_from; /* numbers of observations */
} MatchSteps;

/* Works out the steps between observations as far as those that are there tell them; `final`: no
 * more will come. Returns how many observations are ready. */
guint match_work_out_steps(MatchSteps *steps, GArray *observations, gboolean final);

/* The first n observations were taken out of the array. */
void match_steps_shift(MatchSteps *steps, guint n);

/* σ and τ from how far n fixes in a row lay across the track they were matched to (NAN where one
 * was not), dt_s apart. Robust: medians only. Leaves *noise as it is if there are too few. */
void match_learn_noise(const float *across_m, const float *dt_s, size_t n, MatchNoise *noise);
