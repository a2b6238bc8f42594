/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of binning share (bin.c, bin-sample.c, bin-probe.c). */
#pragma once

#include "analyzer/bin.h"

/* Back in a segment within this time is still the same pass. */
#define BIN_PASS_GAP_NS (INT64_C(120) * 1000000000)
/* A sample stands for no more than this on each side. */
#define BIN_REACH_NS (INT64_C(10) * 1000000000)
#define BIN_REACH_M  250.0
/* Open cells of one source; more are closed early and joined when merged. */
#define BIN_OPEN_MOST 64

/* The lowest part of the last number of a key tells samples from the kinds of probes in cells, and
 * the kinds of changes. */
#define BIN_KEY_KINDS 8

typedef struct {
    const Track *track; /* NULL: nothing places this source */
    TrackHint hint;
    BinSource *report;
    uint32_t source, drive;
    const BinSetup *setup;
    Spill *cells, *changes, *samples; /* samples: NULL = not wanted */
    BinLook *look;
    struct BinPasses *passes; /* NULL: not kept */
    GPtrArray *open;          /* Cell*, the one used last at the end */
    int64_t none_before_ns;   /* until then nothing expires (bin_expire()) */
    GPtrArray *idle;          /* Cell*, to be used again */
    GByteArray *scratch;
    uint32_t key_bit; /* 0 samples, from 1 the kinds of probes: keeps keys apart */
} BinState;

/* A place (without its point) and the segments it lies in. */
typedef struct {
    TrackPlace place;
    unsigned n;
    uint32_t segment[SEGMENTS_AT_ONCE];
    double along_m[SEGMENTS_AT_ONCE];
    gboolean against[SEGMENTS_AT_ONCE];
} BinSpot;

/* Places a time; n = 0 if it lies in no segment, or not surely enough. */
void bin_spot(BinState *state, int64_t time_ns, BinSpot *spot);

/* The open cell of a segment, for a record at time_ns. NULL on failure. The last SEGMENTS_AT_ONCE
 * cells given before are still open; those before them may be put away. */
Cell *bin_cell(BinState *state, uint32_t segment, int64_t time_ns, GError **error);

/* Puts cells that have not been used for a while into the spill. */
gboolean bin_expire(BinState *state, int64_t now_ns, GError **error);

/* Puts all open cells into the spill. */
gboolean bin_close(BinState *state, GError **error);

/* Reads all samples of a drive; `states` by source number, n of them (some may be unused: report
 * NULL). Adds to out->records and times; *digest gets a sum over the rows. */
gboolean bin_samples(Drive *drive, BinState *states, guint n, BinDrive *out, uint64_t *digest,
                     GError **error);

/* Reads latencies, throughputs, meetings and probes of a drive. */
gboolean bin_probes(Drive *drive, BinState *states, guint n, GError **error);

/* Key of a change in the spill. */
SpillKey bin_change_key(const BinSetup *setup, const BinState *state, const BinChange *change);

/* Names of the reasons of meeting windows by number; unknown ones get the last. */
#define BIN_REASONS 26
const char *bin_reason_name(int number);
