/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/rate.h"

static double bytes_at(const RateThread *thread, double time_s)
{
    RatePoint before = {0, 0};
    for (size_t i = 0; i < thread->n; i++) {
        RatePoint point = thread->points[i];
        if (point.time_s >= time_s) {
            double span = point.time_s - before.time_s;
            double part = span > 0 ? (time_s - before.time_s) / span : 1;
            return before.bytes + part * (point.bytes - before.bytes);
        }
        before = point;
    }
    return before.bytes;
}

double rate_parallel_bytes_per_s(const RateThread *threads, size_t n)
{
    double end_s = 0;
    for (size_t i = 0; i < n; i++) {
        if (threads[i].n == 0)
            return 0;
        double last_s = threads[i].points[threads[i].n - 1].time_s;
        if (i == 0 || last_s < end_s)
            end_s = last_s;
    }
    if (!(end_s > 0))
        return 0;
    double bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += bytes_at(&threads[i], end_s);
    return bytes / end_s;
}

double rate_arithmetic_mean(const double *rates, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += rates[i];
    return n ? sum / (double)n : 0;
}

double rate_harmonic_mean(const double *rates, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(rates[i] > 0))
            return 0;
        sum += 1 / rates[i];
    }
    return n ? (double)n / sum : 0;
}

double rate_bdp_bytes(double rate_bps, double rtt_s)
{
    return rate_bps * rtt_s / 8;
}

double rate_tcp_efficiency_percent(uint64_t sent_bytes, uint64_t again_bytes)
{
    if (sent_bytes == 0)
        return 0;
    return ((double)sent_bytes - (double)again_bytes) / (double)sent_bytes * 100;
}

double rate_buffer_delay_percent(double mean_rtt_s, double base_rtt_s)
{
    return base_rtt_s > 0 ? (mean_rtt_s - base_rtt_s) / base_rtt_s * 100 : 0;
}

double rate_mean_bps(uint64_t at_first, uint64_t bytes, int64_t from_ns, int64_t to_ns)
{
    if (to_ns <= from_ns || bytes <= at_first)
        return 0;
    return 8e9 * (double)(bytes - at_first) / (double)(to_ns - from_ns);
}
