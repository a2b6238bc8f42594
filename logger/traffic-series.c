/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/traffic-series.h"

typedef struct {
    guint64 goodput[2], bytes[2], acked[2];
} Slot;

TrafficSeries *traffic_series_new(gint64 start_ns)
{
    TrafficSeries *series = g_rc_box_new0(TrafficSeries);
    series->start_ns = start_ns;
    series->end_ns = G_MAXINT64;
    series->slots = g_array_new(FALSE, TRUE, sizeof(Slot));
    return series;
}

TrafficSeries *traffic_series_ref(TrafficSeries *series)
{
    return g_rc_box_acquire(series);
}

static void series_clear(gpointer data)
{
    TrafficSeries *series = data;
    g_array_unref(series->slots);
}

void traffic_series_unref(TrafficSeries *series)
{
    if (series)
        g_rc_box_release_full(series, series_clear);
}

void traffic_series_add(TrafficSeries *series, gint64 time_ns, gboolean up, const FlowShare *share)
{
    if (time_ns < series->start_ns || time_ns >= series->end_ns)
        return;
    gint64 number = (time_ns - series->start_ns) / TRAFFIC_SLOT_NS;
    if (number >= TRAFFIC_SLOTS) {
        series->lacking = TRUE;
        return;
    }
    if (number >= series->slots->len)
        g_array_set_size(series->slots, (guint)number + 1);
    Slot *slot = &g_array_index(series->slots, Slot, number);
    slot->goodput[up != FALSE] += share->goodput;
    slot->bytes[up != FALSE] += share->bytes;
    slot->acked[!up] += share->acked;
}

TrafficSum traffic_series_sum(const TrafficSeries *series, gint64 from_ns, gint64 to_ns)
{
    TrafficSum sum = {.acked = {0, 0}};
    gint64 from = MAX(from_ns - series->start_ns, 0);
    gint64 to = MIN(to_ns - series->start_ns, (gint64)series->slots->len * TRAFFIC_SLOT_NS);
    for (gint64 at = from; at < to;) {
        gint64 number = at / TRAFFIC_SLOT_NS, next = MIN(to, (number + 1) * TRAFFIC_SLOT_NS);
        double share = (double)(next - at) / (double)TRAFFIC_SLOT_NS;
        const Slot *slot = &g_array_index(series->slots, Slot, number);
        for (int way = 0; way < 2; way++) {
            sum.goodput[way] += share * (double)slot->goodput[way];
            sum.bytes[way] += share * (double)slot->bytes[way];
            sum.acked[way] += share * (double)slot->acked[way];
        }
        at = next;
    }
    return sum;
}
