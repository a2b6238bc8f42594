/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/probe-latency.h"

#include "logger/udp.h"

#include <math.h>

Latency probe_latency_row(const ProbeRun *run, const StampInterval *interval)
{
    Latency row = {0};
    RECORD_SET(&row, LATENCY, time_ns, probe_utc_ns(run, interval->start_ns + udp_to_realtime()));
    RECORD_SET(&row, LATENCY, source, run->modem.source);
    RECORD_SET(&row, LATENCY, probe, run->id);
    RECORD_SET(&row, LATENCY, kind, (int)run->type->kind);
    RECORD_SET(&row, LATENCY, target, run->target);
    RECORD_SET(&row, LATENCY, duration_ns, interval->duration_ns);
    RECORD_SET(&row, LATENCY, sent, interval->sent);
    RECORD_SET(&row, LATENCY, received, interval->received);
    RECORD_SET(&row, LATENCY, reordered, interval->reordered);
    RECORD_SET(&row, LATENCY, longest_loss, interval->longest_loss);
    if (interval->received > 0) {
        RECORD_SET(&row, LATENCY, rtt_ms, interval->rtt_ms);
        RECORD_SET(&row, LATENCY, rtt_min_ms, interval->rtt_min_ms);
        RECORD_SET(&row, LATENCY, rtt_max_ms, interval->rtt_max_ms);
    }
    if (!isnan(interval->jitter_ms))
        RECORD_SET(&row, LATENCY, jitter_ms, interval->jitter_ms);
    return row;
}
