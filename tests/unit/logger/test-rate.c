/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/rate.h"

#include <glib.h>

/* T-RM1 */
static void test_parallel(void)
{
    static const RatePoint a[] = {{3, 30}, {7, 70}}, b[] = {{4, 20}, {8, 40}};
    const RateThread threads[] = {{a, 2}, {b, 2}};
    g_assert_cmpfloat_with_epsilon(rate_parallel_bytes_per_s(threads, 2), 15, 1e-12);
    const RateThread silent[] = {{a, 2}, {NULL, 0}};
    g_assert_cmpfloat(rate_parallel_bytes_per_s(silent, 2), ==, 0);
    g_assert_cmpfloat(rate_parallel_bytes_per_s(NULL, 0), ==, 0);
}

/* T-TP1 */
static void test_means(void)
{
    static const double rates[] = {50, 50, 2}, dead[] = {50, 0};
    g_assert_cmpfloat_with_epsilon(rate_arithmetic_mean(rates, 3), 34, 1e-12);
    g_assert_cmpfloat_with_epsilon(rate_harmonic_mean(rates, 3), 5.556, 5e-4);
    g_assert_cmpfloat(rate_harmonic_mean(dead, 2), ==, 0);
}

/* T-B4 and the rest of RFC 6349 */
static void test_rfc6349(void)
{
    g_assert_cmpfloat_with_epsilon(rate_bdp_bytes(25e6, 0.050), 156250, 1e-6);
    g_assert_cmpfloat_with_epsilon(rate_tcp_efficiency_percent(102000, 2000), 98.039, 1e-3);
    g_assert_cmpfloat_with_epsilon(rate_buffer_delay_percent(0.032, 0.025), 28, 1e-9);
}

static void test_mean_data_rate(void)
{
    /* 1 MB between 2 s and 4 s, of which 200 kB came with the first read */
    g_assert_cmpfloat(rate_mean_bps(200000, 1000000, 2000000000, 4000000000), ==, 3.2e6);
    g_assert_cmpfloat(rate_mean_bps(0, 1000, 5, 5), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rate/parallel", test_parallel);
    g_test_add_func("/rate/means", test_means);
    g_test_add_func("/rate/rfc6349", test_rfc6349);
    g_test_add_func("/rate/mean-data-rate", test_mean_data_rate);
    return g_test_run();
}
