/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Costs of the matcher: negative natural logarithms, up to constants that do not matter for the
 * best path. Newson & Krumm 2009; values in docs/method.md, "Matching".
 */
#pragma once

#include "analyzer/network.h"

#include <math.h>

/* Newson & Krumm's σ of GPS, also the least we believe of any receiver. */
#define MATCH_SIGMA_M 4.07

/* ln of the emission density N(0, sigma_m) at distance_m. */
double match_emission_ln(double distance_m, double sigma_m);
/* ln of the transition density: exponential of scale beta_m on |great circle - route|. */
double match_transition_ln(double difference_m, double beta_m);

/* β by sampling period, seconds (table of public implementations for 1..30 s, linear beyond). */
double match_beta_m(double period_s);

/* Cost of being seen distance_m away. */
double match_emission_cost(double distance_m, double sigma_m);
/* Half the square of z standard deviations, beyond 3 growing slowly: one wild fix does not
 * decide. */
static inline double match_robust_cost(double z2)
{
    if (z2 <= 9.0)
        return 0.5 * z2;
    return 4.5 + 1.5 * (sqrt(z2) - 3.0);
}

/* The same for what speeds predict: beyond 3 standard deviations the speed was wrong, and how wrong
 * says little. */
static inline double match_surprise_cost(double z2)
{
    return z2 <= 9.0 ? 0.5 * z2 : 4.5 + log(z2 / 9.0);
}

/* Cost of an angle between the receiver's heading and the arc's direction, given by its cosine: 15°
 * of one σ, capped, since receivers lag in curves. Only for vehicles that move: headings of slow
 * ones mean little. */
static inline double match_direction_cost(double cosine)
{
    return fmin((1.0 - cosine) * (57.29578 / 15.0) * (57.29578 / 15.0), 6.0);
}
