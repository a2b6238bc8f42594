/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histograms that are merged by addition of whole numbers: the result does not depend on the order
 * or on how the work was divided.
 *
 * LevelHistogram: sparse, one entry for each channel and whole dBm that occurred, with samples, way
 * (decimetres) and time (hundredths of a second).
 *
 * LogHistogram: buckets that grow by gamma = (1 + a)/(1 - a), so that every percentile is right
 * within the share a (Masson, Rim, Lee 2019). For delays in ms and rates in Mbit/s.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef enum {
    CHANNEL_NO_SERVICE,
    CHANNEL_LIMITED, /* emergency calls only */
    CHANNEL_GSM,
    CHANNEL_UMTS,
    CHANNEL_LTE,
    CHANNEL_NSA,      /* NR-NSA, level of the LTE anchor */
    CHANNEL_SA,       /* NR-SA */
    CHANNEL_NR_LEG,   /* level of the NR leg of NR-NSA: beside CHANNEL_NSA, not instead */
    CHANNEL_NO_LEVEL, /* served, no level reported; `rat` says by what */
    CHANNEL_FLOOR,    /* below the receiver's floor, which stands in level_dbm */
    CHANNEL_COUNT
} LevelChannel;

typedef struct {
    uint8_t channel;
    uint8_t rat; /* Rat for CHANNEL_NO_LEVEL and CHANNEL_FLOOR, else 0 */
    int16_t level_dbm;
    uint32_t count;
    uint32_t way_dm;
    uint32_t time_cs;
} LevelEntry;

/* Sorted by channel, rat, level. Grows by itself; start with {0}. */
typedef struct {
    uint32_t n, size;
    LevelEntry *entry;
} LevelHistogram;

void level_histogram_clear(LevelHistogram *histogram);
/* Makes room for n entries in all. */
void level_histogram_reserve(LevelHistogram *histogram, uint32_t n);
/* Adds; equal channel, rat and level are put together. Numbers stay at UINT32_MAX once there. */
void level_histogram_add(LevelHistogram *histogram, LevelEntry entry);
void level_histogram_merge(LevelHistogram *into, const LevelHistogram *from);

/* ---- logarithmic ---- */

#define LOG_HISTOGRAM_ACCURACY 0.01
/* Buckets 0..LOG_HISTOGRAM_BUCKETS-1 hold (gamma^(i-1), gamma^i] counted from 0.001: 0.001 ..
 * 1e6 in the quantity's unit; smaller and larger values are put in the first and last. */
#define LOG_HISTOGRAM_BUCKETS 1038

typedef struct {
    uint32_t n, size;
    struct LogEntry {
        uint16_t bucket;
        uint64_t count;
    } * entry;
    uint64_t infinite; /* lost: larger than every number */
} LogHistogram;

/* gamma, and bucket of a value counted from 1 (as published: 100 -> 231 at 1 %). */
double log_histogram_gamma(double accuracy);
int log_histogram_bucket(double value, double accuracy);
/* The value that stands for a bucket, within `accuracy` of all values in it. */
double log_histogram_value(int bucket, double accuracy);

void log_histogram_clear(LogHistogram *histogram);
/* value INFINITY = lost. */
void log_histogram_add(LogHistogram *histogram, double value, uint64_t count);
void log_histogram_merge(LogHistogram *into, const LogHistogram *from);
uint64_t log_histogram_count(const LogHistogram *histogram);
/* Percentile (type 1). INFINITY if it falls on a lost one, NAN if empty. */
double log_histogram_percentile(const LogHistogram *histogram, double p);
