/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/histogram.h"

#include <math.h>
#include <string.h>

/* Offset that makes buckets of values from 0.001 on start at 0. */
#define LOG_OFFSET 346

static int compare_key(const LevelEntry *a, const LevelEntry *b)
{
    if (a->channel != b->channel)
        return a->channel < b->channel ? -1 : 1;
    if (a->rat != b->rat)
        return a->rat < b->rat ? -1 : 1;
    return (a->level_dbm > b->level_dbm) - (a->level_dbm < b->level_dbm);
}

static uint32_t add_capped(uint32_t a, uint32_t b)
{
    return b > UINT32_MAX - a ? UINT32_MAX : a + b;
}

static void add_numbers(LevelEntry *into, const LevelEntry *from)
{
    into->count = add_capped(into->count, from->count);
    into->way_dm = add_capped(into->way_dm, from->way_dm);
    into->time_cs = add_capped(into->time_cs, from->time_cs);
}

void level_histogram_clear(LevelHistogram *histogram)
{
    g_free(histogram->entry);
    *histogram = (LevelHistogram){0};
}

void level_histogram_reserve(LevelHistogram *histogram, uint32_t n)
{
    if (n <= histogram->size)
        return;
    histogram->size = MAX(n, histogram->size * 2);
    histogram->entry = g_renew(LevelEntry, histogram->entry, histogram->size);
}

void level_histogram_add(LevelHistogram *histogram, LevelEntry entry)
{
    uint32_t i = histogram->n;
    while (i > 0 && compare_key(&histogram->entry[i - 1], &entry) > 0)
        i--;
    if (i > 0 && compare_key(&histogram->entry[i - 1], &entry) == 0) {
        add_numbers(&histogram->entry[i - 1], &entry);
        return;
    }
    level_histogram_reserve(histogram, MAX(histogram->n + 1, 4));
    memmove(&histogram->entry[i + 1], &histogram->entry[i],
            (histogram->n - i) * sizeof *histogram->entry);
    histogram->entry[i] = entry;
    histogram->n++;
}

void level_histogram_merge(LevelHistogram *into, const LevelHistogram *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        level_histogram_add(into, from->entry[i]);
}

/* ---- logarithmic ---- */

double log_histogram_gamma(double accuracy)
{
    return (1.0 + accuracy) / (1.0 - accuracy);
}

int log_histogram_bucket(double value, double accuracy)
{
    return (int)ceil(log(value) / log(log_histogram_gamma(accuracy)));
}

double log_histogram_value(int bucket, double accuracy)
{
    double gamma = log_histogram_gamma(accuracy);
    return 2.0 * pow(gamma, bucket) / (gamma + 1.0);
}

void log_histogram_clear(LogHistogram *histogram)
{
    g_free(histogram->entry);
    *histogram = (LogHistogram){0};
}

static void add_bucket(LogHistogram *histogram, uint16_t bucket, uint64_t count)
{
    uint32_t i = histogram->n;
    while (i > 0 && histogram->entry[i - 1].bucket > bucket)
        i--;
    if (i > 0 && histogram->entry[i - 1].bucket == bucket) {
        histogram->entry[i - 1].count += count;
        return;
    }
    if (histogram->n == histogram->size) {
        histogram->size = MAX(4, histogram->size * 2);
        histogram->entry = g_renew(struct LogEntry, histogram->entry, histogram->size);
    }
    memmove(&histogram->entry[i + 1], &histogram->entry[i],
            (histogram->n - i) * sizeof *histogram->entry);
    histogram->entry[i] = (struct LogEntry){bucket, count};
    histogram->n++;
}

void log_histogram_add(LogHistogram *histogram, double value, uint64_t count)
{
    if (isnan(value) || count == 0)
        return;
    if (isinf(value) && value > 0.0) {
        histogram->infinite += count;
        return;
    }
    int bucket = 0;
    if (value > 0.001)
        bucket = log_histogram_bucket(fmin(value, 1e6), LOG_HISTOGRAM_ACCURACY) + LOG_OFFSET;
    add_bucket(histogram, (uint16_t)CLAMP(bucket, 0, LOG_HISTOGRAM_BUCKETS - 1), count);
}

void log_histogram_merge(LogHistogram *into, const LogHistogram *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        add_bucket(into, from->entry[i].bucket, from->entry[i].count);
    into->infinite += from->infinite;
}

uint64_t log_histogram_count(const LogHistogram *histogram)
{
    uint64_t n = histogram->infinite;
    for (uint32_t i = 0; i < histogram->n; i++)
        n += histogram->entry[i].count;
    return n;
}

double log_histogram_percentile(const LogHistogram *histogram, double p)
{
    uint64_t n = log_histogram_count(histogram), sum = 0;
    if (n == 0)
        return NAN;
    double wanted = ceil(p * (double)n - 1e-9);
    for (uint32_t i = 0; i < histogram->n; i++) {
        sum += histogram->entry[i].count;
        if ((double)sum >= wanted)
            return log_histogram_value((int)histogram->entry[i].bucket - LOG_OFFSET,
                                       LOG_HISTOGRAM_ACCURACY);
    }
    return INFINITY;
}
