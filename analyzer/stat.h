/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics: intervals, effective sample sizes, averages. Pure functions, no allocation.
 */
#pragma once

/* Normal quantile of a two-sided 95 % interval. */
#define STAT_Z95 1.959963984540054

typedef struct {
    double low, high; /* both in 0..1 */
} StatInterval;

/* Wilson score interval (Wilson 1927) of a share p in 0..1 observed on n > 0 trials; n may be an
 * effective, fractional size. n = 0 gives 0..1. */
StatInterval stat_wilson(double p, double n, double z);
