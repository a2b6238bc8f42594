/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/traffic-series.h"

#define T0 G_GINT64_CONSTANT(1700000000000000000)
#define MS G_GINT64_CONSTANT(1000000)

static void add(TrafficSeries *series, gint64 time_ns, gboolean up, guint64 goodput, guint64 bytes)
{
    const FlowShare share = {.goodput = goodput, .bytes = bytes, .acked = 3 * goodput};
    traffic_series_add(series, time_ns, up, &share);
}

/* Slots and parts of slots, both ways; nothing from before the start or after the end. */
static void test_sum(void)
{
    g_autoptr(TrafficSeries) series = traffic_series_new(T0);
    add(series, T0 - 1, FALSE, 7, 7);
    add(series, T0, FALSE, 100, 140);
    add(series, T0 + 9 * MS, FALSE, 50, 90);
    add(series, T0 + 10 * MS, TRUE, 30, 58);
    add(series, T0 + 995 * MS, FALSE, 1000, 1040);
    series->end_ns = T0 + 1000 * MS;
    add(series, T0 + 1000 * MS, FALSE, 7, 7);
    static const struct {
        gint64 from_ms, to_ms;
        double down, up, down_bytes, up_bytes;
    } rows[] = {{0, 1000, 1150, 30, 1270, 58}, {-500, 5000, 1150, 30, 1270, 58},
                {0, 10, 150, 0, 230, 0},       {5, 20, 75, 30, 115, 58},
                {12, 18, 0, 18, 0, 34.8},      {20, 990, 0, 0, 0, 0},
                {500, 500, 0, 0, 0, 0},        {600, 500, 0, 0, 0, 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        TrafficSum sum =
            traffic_series_sum(series, T0 + rows[i].from_ms * MS, T0 + rows[i].to_ms * MS);
        g_assert_cmpfloat_with_epsilon(sum.goodput[0], rows[i].down, 1e-6);
        g_assert_cmpfloat_with_epsilon(sum.goodput[1], rows[i].up, 1e-6);
        g_assert_cmpfloat_with_epsilon(sum.bytes[0], rows[i].down_bytes, 1e-6);
        g_assert_cmpfloat_with_epsilon(sum.bytes[1], rows[i].up_bytes, 1e-6);
        g_assert_cmpfloat_with_epsilon(sum.acked[1], 3 * rows[i].down, 1e-6);
        g_assert_cmpfloat_with_epsilon(sum.acked[0], 3 * rows[i].up, 1e-6);
    }
    g_assert_false(series->lacking);
}

/* What is too long is said to lack something, and takes no more memory. */
static void test_too_long(void)
{
    g_autoptr(TrafficSeries) series = traffic_series_new(T0);
    add(series, T0 + TRAFFIC_SLOTS * TRAFFIC_SLOT_NS - 1, FALSE, 1, 1);
    g_assert_false(series->lacking);
    add(series, T0 + TRAFFIC_SLOTS * TRAFFIC_SLOT_NS, FALSE, 1, 1);
    g_assert_true(series->lacking);
    TrafficSum all = traffic_series_sum(series, T0, G_MAXINT64 / 2);
    g_assert_cmpfloat_with_epsilon(all.goodput[0], 1, 1e-9);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/traffic-series/sum", test_sum);
    g_test_add_func("/traffic-series/too-long", test_too_long);
    return g_test_run();
}
