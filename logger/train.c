/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/train.h"

#include "logger/stream-stat.h"

TrainVerdict train_judge(const TrainPacket *packets, size_t n, double *scratch)
{
    TrainVerdict verdict = {.reason = ""};
    double smallest = 0;
    bool any = false;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool judged = packets[i].sent_ns - packets[0].sent_ns >= TRAIN_DISCARD_NS;
        if (judged)
            verdict.sent++;
        if (packets[i].arrived_ns == TRAIN_LOST)
            continue;
        double delay = (double)(packets[i].arrived_ns - packets[i].sent_ns);
        if (!any || delay < smallest)
            smallest = delay;
        any = true;
        if (judged)
            scratch[kept++] = delay;
    }
    verdict.received = (unsigned)kept;
    if (kept == 0) {
        verdict.reason = "nothing";
        return verdict;
    }
    double added_ns = rank_of(scratch, kept, TRAIN_ADDED_DELAY_SHARE) - smallest;
    verdict.added_delay_ms = added_ns / 1e6;
    bool loss = (double)kept < TRAIN_RECEIVED_SHARE * (double)verdict.sent;
    bool delay = added_ns >= TRAIN_ADDED_DELAY_NS;
    verdict.reason = loss && delay ? "loss,delay" : loss ? "loss" : delay ? "delay" : "";
    verdict.reached = !loss && !delay;
    return verdict;
}

double train_rate_bps(size_t size, size_t k, int64_t first_ns, int64_t last_ns)
{
    if (k < 2 || last_ns <= first_ns)
        return 0;
    return 8e9 * (double)size * (double)(k - 1) / (double)(last_ns - first_ns);
}

TrainDispersion train_dispersion(const TrainPacket *packets, size_t n, size_t size, double *scratch)
{
    TrainDispersion result = {0};
    double *arrivals = scratch, *rates = scratch + n;
    size_t kept = 0, slices = 0;
    for (size_t i = 0; i < n; i++) {
        if (packets[i].arrived_ns != TRAIN_LOST &&
            packets[i].sent_ns - packets[0].sent_ns >= TRAIN_DISCARD_NS)
            arrivals[kept++] = (double)(packets[i].arrived_ns - packets[0].sent_ns);
    }
    if (kept < 2)
        return result;
    (void)rank_of(arrivals, kept, 0); /* sorts: order of arrival */
    result.rate_bps = train_rate_bps(size, kept, (int64_t)arrivals[0], (int64_t)arrivals[kept - 1]);
    size_t first = 0;
    for (size_t i = 1; i < kept; i++) {
        if (arrivals[i] - arrivals[first] >= (double)TRAIN_SLICE_NS) {
            rates[slices++] =
                train_rate_bps(size, i - first + 1, (int64_t)arrivals[first], (int64_t)arrivals[i]);
            first = i;
        }
    }
    result.slices = (unsigned)slices;
    if (slices) {
        result.median_bps = rank_of(rates, slices, 0.5);
        result.p10_bps = rank_of(rates, slices, 0.1);
        result.p90_bps = rank_of(rates, slices, 0.9);
    }
    return result;
}
