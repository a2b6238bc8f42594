/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/stream-stat.h"

#include <math.h>
#include <stdlib.h>

double jitter_add(Jitter *jitter, int64_t transit_ns)
{
    if (jitter->n > 0) {
        jitter->last_d_ns = fabs((double)(transit_ns - jitter->transit_ns));
        jitter->jitter_ns += (jitter->last_d_ns - jitter->jitter_ns) / 16;
    }
    jitter->transit_ns = transit_ns;
    jitter->n++;
    return jitter->jitter_ns;
}

uint64_t loss_add(LossPattern *loss, bool lost)
{
    uint64_t distance = 0;
    loss->n++;
    loss->since++;
    if (!lost) {
        loss->run = 0;
        return 0;
    }
    if (loss->lost > 0)
        distance = loss->since;
    loss->since = 0;
    loss->lost++;
    if (loss->run == 0)
        loss->periods++;
    loss->run++;
    if (loss->run > loss->longest)
        loss->longest = loss->run;
    return distance;
}

double loss_share(const LossPattern *loss)
{
    return loss->n ? (double)loss->lost / (double)loss->n : 0;
}

double loss_burst_r(const LossPattern *loss)
{
    if (!loss->periods)
        return 1;
    double value = (double)loss->lost / (double)loss->periods * (1 - loss_share(loss));
    return value < 1 ? 1 : value;
}

bool reorder_add(Reorder *reorder, uint32_t seq)
{
    reorder->n++;
    if (reorder->begun && (int32_t)(seq - reorder->next) < 0) {
        reorder->reordered++;
        return true;
    }
    reorder->begun = true;
    reorder->next = seq + 1;
    return false;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double rank_of(double *values, size_t n, double share)
{
    qsort(values, n, sizeof *values, ascending);
    double rank = ceil(share * (double)n);
    size_t index = rank < 1 ? 0 : (size_t)rank - 1;
    return values[index < n ? index : n - 1];
}

double delay_variation(double *delays, size_t n, double share)
{
    double value = rank_of(delays, n, share);
    return value - delays[0];
}
