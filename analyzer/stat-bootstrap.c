/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/stat.h"

#include <math.h>
#include <stdlib.h>

uint64_t stat_random_next(StatRandom *random)
{
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t stat_random_below(StatRandom *random, uint64_t n)
{
    /* refusing the incomplete last run keeps all numbers equally likely */
    uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t x;
    do
        x = stat_random_next(random);
    while (x >= limit);
    return x % n;
}

double stat_random_uniform(StatRandom *random)
{
    return (double)(stat_random_next(random) >> 11) * 0x1p-53;
}

double stat_random_normal(StatRandom *random)
{
    /* Box and Muller 1958 */
    double u = 1.0 - stat_random_uniform(random), v = stat_random_uniform(random);
    return sqrt(-2.0 * log(u)) * cos(2.0 * G_PI * v);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static StatInterval percentile_interval(double *value, size_t n, double confidence)
{
    if (n == 0)
        return (StatInterval){0.0, 1.0};
    qsort(value, n, sizeof *value, ascending);
    double tail = (1.0 - confidence) / 2.0;
    return (StatInterval){stat_percentile_1(value, n, tail),
                          stat_percentile_1(value, n, 1.0 - tail)};
}

StatInterval stat_bootstrap_blocks(const double *numerator, const double *denominator, size_t n,
                                   size_t block, unsigned rounds, double confidence, uint64_t seed)
{
    g_autofree double *value = g_new(double, MAX(rounds, 1));
    StatRandom random = {seed};
    block = CLAMP(block, 1, MAX(n, 1));
    /* sums from the start to each item, twice round, make a block one subtraction */
    g_autofree double *sum_n = g_new0(double, 2 * n + 1);
    g_autofree double *sum_d = g_new0(double, 2 * n + 1);
    for (size_t i = 0; n > 0 && i < 2 * n; i++) {
        sum_n[i + 1] = sum_n[i] + numerator[i % n];
        sum_d[i + 1] = sum_d[i] + denominator[i % n];
    }
    size_t used = 0;
    for (unsigned r = 0; n > 0 && r < rounds; r++) {
        double a = 0.0, b = 0.0;
        for (size_t left = n; left > 0;) {
            size_t take = MIN(block, left);
            size_t start = (size_t)stat_random_below(&random, n);
            a += sum_n[start + take] - sum_n[start];
            b += sum_d[start + take] - sum_d[start];
            left -= take;
        }
        if (b > 0.0)
            value[used++] = a / b;
    }
    return percentile_interval(value, used, confidence);
}

StatInterval stat_bootstrap_clusters(const double *numerator, const double *denominator,
                                     size_t n_clusters, unsigned rounds, double confidence,
                                     uint64_t seed)
{
    return stat_bootstrap_blocks(numerator, denominator, n_clusters, 1, rounds, confidence, seed);
}

StatInterval stat_bootstrap_medians(const int *bin, size_t n, int n_bins, size_t block,
                                    unsigned rounds, double confidence, uint64_t seed)
{
    g_autofree double *value = g_new(double, MAX(rounds, 1));
    g_autofree double *counts = g_new(double, (gsize)n_bins + 1);
    StatRandom random = {seed};
    block = CLAMP(block, 1, MAX(n, 1));
    size_t used = 0;
    for (unsigned r = 0; n > 0 && r < rounds; r++) {
        for (int i = 0; i <= n_bins; i++)
            counts[i] = 0.0;
        for (size_t left = n; left > 0;) {
            size_t take = MIN(block, left);
            size_t start = (size_t)stat_random_below(&random, n);
            for (size_t i = start; i < start + take; i++)
                counts[bin[i % n]] += 1.0;
            left -= take;
        }
        value[used++] = stat_median_grouped(counts, (size_t)n_bins, 0.0, counts[n_bins]);
    }
    return percentile_interval(value, used, confidence);
}
