/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/train.h"

#include <glib.h>

#define MS INT64_C(1000000)

/* A train of 200 ms at rate_bps through a link of link_bps with one queue; 20 ms base delay. */
static size_t through_link(TrainPacket *packets, double rate_bps, double link_bps, size_t size)
{
    size_t n = (size_t)(rate_bps * 0.2 / (8 * (double)size));
    double free_at = 0;
    for (size_t i = 0; i < n; i++) {
        double sent = (double)i * 8e9 * (double)size / rate_bps;
        free_at = MAX(free_at, sent) + 8e9 * (double)size / link_bps;
        packets[i] = (TrainPacket){(int64_t)sent, (int64_t)free_at + 20 * MS};
    }
    return n;
}

/* T-C1 */
static void test_rate(void)
{
    g_assert_cmpfloat_with_epsilon(train_rate_bps(1250, 50, 0, 12250000), 40e6, 1e-3);
    g_assert_cmpfloat(train_rate_bps(1250, 1, 0, 1), ==, 0);
    g_assert_cmpfloat(train_rate_bps(1250, 9, 7, 7), ==, 0);
}

static void test_verdict(void)
{
    TrainPacket packets[1000];
    double scratch[2000];
    /* The rate is there. */
    size_t n = through_link(packets, 10e6, 12e6, 1250);
    TrainVerdict verdict = train_judge(packets, n, scratch);
    g_assert_true(verdict.reached);
    g_assert_cmpstr(verdict.reason, ==, "");
    g_assert_cmpuint(verdict.sent, ==, 180); /* 200 packets, those of the first 20 ms left out */
    /* 20 % short: the queue grows by 50 ms in 200 ms. */
    n = through_link(packets, 10e6, 8e6, 1250);
    verdict = train_judge(packets, n, scratch);
    g_assert_false(verdict.reached);
    g_assert_cmpstr(verdict.reason, ==, "delay");
    g_assert_cmpfloat(verdict.added_delay_ms, >, 40);
    /* A link that drops what does not fit: delay stays, packets do not. */
    n = through_link(packets, 10e6, 12e6, 1250);
    for (size_t i = 25; i < n; i += 10)
        packets[i].arrived_ns = TRAIN_LOST;
    verdict = train_judge(packets, n, scratch);
    g_assert_cmpstr(verdict.reason, ==, "loss");
    /* 5 % exactly is still enough: 9 of 180. */
    n = through_link(packets, 10e6, 12e6, 1250);
    for (size_t i = 20; i < 29; i++)
        packets[i].arrived_ns = TRAIN_LOST;
    g_assert_true(train_judge(packets, n, scratch).reached);
    packets[29].arrived_ns = TRAIN_LOST;
    g_assert_false(train_judge(packets, n, scratch).reached);
    /* Losses and delay in the first 20 ms do not count. */
    n = through_link(packets, 10e6, 12e6, 1250);
    for (size_t i = 0; i < 20; i++)
        packets[i].arrived_ns = i % 2 ? TRAIN_LOST : packets[i].arrived_ns + 200 * MS;
    g_assert_true(train_judge(packets, n, scratch).reached);
    for (size_t i = 0; i < n; i++)
        packets[i].arrived_ns = TRAIN_LOST;
    g_assert_cmpstr(train_judge(packets, n, scratch).reason, ==, "nothing");
    g_assert_false(train_judge(packets, 0, scratch).reached);
}

static void test_dispersion(void)
{
    TrainPacket packets[3000];
    double scratch[6000];
    size_t n = through_link(packets, 100e6, 25e6, 1250);
    TrainDispersion spread = train_dispersion(packets, n, 1250, scratch);
    g_assert_cmpfloat_with_epsilon(spread.rate_bps, 25e6, 25e3);
    g_assert_cmpfloat_with_epsilon(spread.median_bps, 25e6, 25e3);
    g_assert_cmpuint(spread.slices, >=, 60);
    g_assert_cmpfloat(spread.p10_bps, <=, spread.median_bps);
    g_assert_cmpfloat(spread.p90_bps, >=, spread.median_bps);
    /* The order in the array is the order of sending; arrivals may be in any order. */
    TrainPacket swap = packets[500];
    packets[500].arrived_ns = packets[501].arrived_ns;
    packets[501].arrived_ns = swap.arrived_ns;
    g_assert_cmpfloat_with_epsilon(train_dispersion(packets, n, 1250, scratch).rate_bps, 25e6,
                                   25e3);
    packets[0].arrived_ns = TRAIN_LOST;
    g_assert_cmpuint(train_dispersion(packets, 1, 1250, scratch).slices, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/train/rate", test_rate);
    g_test_add_func("/train/verdict", test_verdict);
    g_test_add_func("/train/dispersion", test_dispersion);
    return g_test_run();
}
