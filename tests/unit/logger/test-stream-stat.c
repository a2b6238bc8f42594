/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/stream-stat.h"

#include <glib.h>
#include <math.h>

/* T-J1 */
static void test_jitter(void)
{
    static const int transit[] = {100, 110, 95, 95, 130, 100};
    static const double expected[] = {0, 0.625, 1.523438, 1.428223, 3.526459, 5.181055};
    Jitter jitter = {0};
    for (unsigned i = 0; i < G_N_ELEMENTS(transit); i++)
        g_assert_cmpfloat_with_epsilon(jitter_add(&jitter, transit[i]), expected[i], 5.1e-7);
}

/* T-J2: N = 100, lost 5, 6, 7, 20 */
static void test_loss(void)
{
    LossPattern loss = {0};
    uint64_t distances[4] = {0};
    unsigned n = 0;
    for (int i = 1; i <= 100; i++) {
        bool lost = i == 5 || i == 6 || i == 7 || i == 20;
        uint64_t distance = loss_add(&loss, lost);
        if (lost)
            distances[n++] = distance;
        else
            g_assert_cmpuint(distance, ==, 0);
    }
    g_assert_cmpuint(distances[0], ==, 0);
    g_assert_cmpuint(distances[1], ==, 1);
    g_assert_cmpuint(distances[2], ==, 1);
    g_assert_cmpuint(distances[3], ==, 13);
    g_assert_cmpuint(loss.periods, ==, 2);
    g_assert_cmpuint(loss.longest, ==, 3);
    g_assert_cmpfloat_with_epsilon(loss_share(&loss), 0.04, 1e-12);
    g_assert_cmpfloat_with_epsilon(loss_burst_r(&loss), 1.92, 1e-12);
    LossPattern none = {0};
    g_assert_cmpfloat(loss_burst_r(&none), ==, 1);
    g_assert_cmpfloat(loss_share(&none), ==, 0);
}

/* A Gilbert channel p = 0.01, q = 0.5 loses 1.9608 % and has BurstR 1.9608 (T-J2): planted truth,
 * found again within what chance allows (6 standard deviations). */
static void test_gilbert(void)
{
    LossPattern loss = {0};
    bool bad = false;
    for (int i = 0; i < 2000000; i++) {
        double u = g_test_rand_double();
        bad = bad ? u >= 0.5 : u < 0.01;
        loss_add(&loss, bad);
    }
    g_assert_cmpfloat_with_epsilon(loss_share(&loss), 0.019608, 0.0011);
    g_assert_cmpfloat_with_epsilon(loss_burst_r(&loss), 1.9608, 0.07);
}

static void test_reorder(void)
{
    static const uint32_t order[] = {UINT32_MAX - 1, UINT32_MAX, 1, 0, 2, 5, 3, 4, 6};
    static const bool expected[] = {false, false, false, true, false, false, true, true, false};
    Reorder reorder = {0};
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++)
        g_assert_cmpint(reorder_add(&reorder, order[i]), ==, expected[i]);
    g_assert_cmpuint(reorder.reordered, ==, 3);
}

static void test_ranks(void)
{
    double values[100], copy[100];
    for (int i = 0; i < 100; i++)
        values[i] = copy[i] = g_test_rand_double_range(-5, 5);
    for (int p = 0; p <= 100; p++) {
        double rank = rank_of(values, 100, p / 100.0);
        unsigned at_most = 0;
        for (int i = 0; i < 100; i++)
            at_most += copy[i] <= rank;
        /* nearest rank: the smallest value that p % of all do not exceed */
        g_assert_cmpuint(at_most, >=, (unsigned)(p > 0 ? p : 1));
        g_assert_cmpuint(at_most, <=, (unsigned)(p > 0 ? p + 1 : 1));
    }
    double delays[] = {30, 10, 20, 90};
    g_assert_cmpfloat(delay_variation(delays, 4, 0.95), ==, 80);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream-stat/jitter", test_jitter);
    g_test_add_func("/stream-stat/loss", test_loss);
    g_test_add_func("/stream-stat/gilbert", test_gilbert);
    g_test_add_func("/stream-stat/reorder", test_reorder);
    g_test_add_func("/stream-stat/ranks", test_ranks);
    return g_test_run();
}
