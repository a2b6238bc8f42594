/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/histogram.h"
#include "analyzer/stat.h"

#include <math.h>
#include <stdlib.h>

/* T-D1 */
static void test_buckets(void)
{
    g_assert_cmpfloat_with_epsilon(log_histogram_gamma(0.01), 1.020202, 1e-6);
    g_assert_cmpint(log_histogram_bucket(100.0, 0.01), ==, 231);
    g_assert_cmpfloat_with_epsilon(log_histogram_value(231, 0.01), 100.4946, 5e-5);
    g_assert_cmpint(log_histogram_bucket(60000.0, 0.01), ==, 551);
}

static LevelEntry made_entry(StatRandom *random)
{
    return (LevelEntry){(uint8_t)stat_random_below(random, CHANNEL_COUNT),
                        0,
                        (int16_t)(-156 + (int)stat_random_below(random, 126)),
                        (uint32_t)stat_random_below(random, 5),
                        (uint32_t)stat_random_below(random, 1000),
                        (uint32_t)stat_random_below(random, 1000)};
}

static void same(const LevelHistogram *a, const LevelHistogram *b)
{
    g_assert_cmpuint(a->n, ==, b->n);
    for (uint32_t i = 0; i < a->n; i++) {
        const LevelEntry *x = &a->entry[i], *y = &b->entry[i];
        g_assert_true(x->channel == y->channel && x->rat == y->rat &&
                      x->level_dbm == y->level_dbm && x->count == y->count &&
                      x->way_dm == y->way_dm && x->time_cs == y->time_cs);
    }
}

/* T-D2 */
static void test_merge(void)
{
    StatRandom random = {3};
    LevelHistogram part[3] = {{0}}, all = {0}, left = {0}, right = {0}, tail = {0};
    for (int i = 0; i < 3000; i++) {
        LevelEntry e = made_entry(&random);
        level_histogram_add(&part[i % 3], e);
        level_histogram_add(&all, e);
    }
    for (int i = 0; i < 3; i++)
        level_histogram_merge(&left, &part[i]);
    level_histogram_merge(&tail, &part[2]);
    level_histogram_merge(&tail, &part[1]);
    level_histogram_merge(&right, &tail);
    level_histogram_merge(&right, &part[0]);
    same(&left, &all);
    same(&right, &all);
    for (int i = 0; i < 3; i++)
        level_histogram_clear(&part[i]);
    level_histogram_clear(&all);
    level_histogram_clear(&left);
    level_histogram_clear(&right);
    level_histogram_clear(&tail);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Percentiles against a slow exact computation: within 1 %. */
static void test_log_percentiles(void)
{
    StatRandom random = {11};
    enum { N = 5000 };
    g_autofree double *x = g_new(double, N);
    LogHistogram h = {0}, half[2] = {{0}};
    for (int i = 0; i < N; i++) {
        x[i] = exp(stat_random_normal(&random) * 1.5 + 3.0);
        log_histogram_add(&h, x[i], 1);
        log_histogram_add(&half[i % 2], x[i], 1);
    }
    qsort(x, N, sizeof *x, ascending);
    log_histogram_merge(&half[1], &half[0]);
    for (double p = 0.01; p < 1.0; p += 0.01) {
        double exact = stat_percentile_1(x, N, p), got = log_histogram_percentile(&h, p);
        g_assert_cmpfloat(fabs(got - exact), <=, 0.0101 * exact);
        g_assert_cmpfloat(got, ==, log_histogram_percentile(&half[1], p));
    }
    log_histogram_add(&h, INFINITY, N);
    g_assert_true(isinf(log_histogram_percentile(&h, 0.9)));
    g_assert_cmpuint(log_histogram_count(&h), ==, 2 * N);
    log_histogram_clear(&h);
    g_assert_true(isnan(log_histogram_percentile(&h, 0.5)));
    log_histogram_add(&h, 0.0, 1);
    log_histogram_add(&h, 1e9, 1);
    g_assert_cmpfloat(log_histogram_percentile(&h, 0.5), <, 0.0011);
    log_histogram_clear(&h);
    log_histogram_clear(&half[0]);
    log_histogram_clear(&half[1]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/histogram/buckets", test_buckets);
    g_test_add_func("/histogram/merge", test_merge);
    g_test_add_func("/histogram/log-percentiles", test_log_percentiles);
    return g_test_run();
}
