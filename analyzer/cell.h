/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cell of evidence: what one source saw in one segment on one pass. All of it is whole numbers
 * that are added, so that the order of adding does not show.
 */
#pragma once

#include "analyzer/histogram.h"

/* What is counted besides levels, by kind and value. */
typedef enum {
    TALLY_RSRQ, /* half dB (UMTS: Ec/Io) */
    TALLY_SINR, /* half dB */
    TALLY_NR_LEVEL,
    TALLY_BAND,
    TALLY_RTT,    /* bucket of a LogHistogram, ms; TALLY_LOST = no answer */
    TALLY_JITTER, /* bucket, ms */
    TALLY_LOSS,   /* intervals, by loss in 0.1 % */
    TALLY_DOWN,   /* buckets, Mbit/s */
    TALLY_UP,
    TALLY_PASSIVE_DOWN,
    TALLY_PASSIVE_UP,
    TALLY_GRADE,              /* seconds of meetings by MeetingGrade */
    TALLY_MOS,                /* 0.01 */
    TALLY_REASON,             /* the same by number of the reason (bin_reason_name()) */
    TALLY_TRAIN_DOWN_REACHED, /* 0.1 Mbit/s of the target */
    TALLY_TRAIN_DOWN_MISSED,
    TALLY_TRAIN_UP_REACHED,
    TALLY_TRAIN_UP_MISSED,
    TALLY_COUNT
} TallyKind;
#define TALLY_LOST INT16_MAX

typedef struct {
    uint16_t kind;
    int16_t value;
    uint32_t count;
} TallyEntry;

typedef struct {
    uint32_t segment, group, drive, source;
    int64_t first_ns, last_ns;
    uint32_t n, n_level, n_no_service, n_limited, n_missing, n_interpolated;
    uint32_t n_backward;
    uint32_t cell_changes, rat_changes, short_stays;
    uint32_t outages, tests, tests_failed, tests_skipped;
    uint32_t position_dm; /* largest uncertainty */
} CellHead;

/* Lists that grow by themselves; start with {0}. */
typedef struct {
    uint32_t n, size;
    TallyEntry *entry; /* sorted */
} Tally;
typedef struct {
    uint32_t n, size;
    uint64_t *id; /* sorted */
} CellIds;

typedef struct CellCounts CellCounts;
typedef struct {
    CellHead head;
    LevelHistogram levels;
    Tally tally;
    CellIds ids;        /* serving cells */
    CellCounts *counts; /* tallies that are not in `tally` yet; NULL before the first counting */
    gboolean is_counting;
} Cell;

void cell_init(Cell *cell);
void cell_clear(Cell *cell);
/* Empties a cell, but keeps its memory for what comes next. */
void cell_reset(Cell *cell);

/* Makes cell_tally() fast, for a cell that much is added to, until cell_end_counting(), which
 * comes before anything is read from it. */
void cell_begin_counting(Cell *cell);
void cell_end_counting(Cell *cell);

void cell_tally(Cell *cell, TallyKind kind, int value, uint32_t count);
void cell_add_id(Cell *cell, uint64_t id);
/* Widens first and last time. */
void cell_touch(Cell *cell, int64_t time_ns);

/* Whose evidence a cell is, and when it begins. */
typedef struct {
    uint32_t segment, group, drive, source;
    int64_t first_ns;
} CellPlace;

/* All but its place as bytes (appended to `out`), and back into a cell, which is emptied before;
 * FALSE if they are no cell (cell-pack.c). */
void cell_pack(const Cell *cell, GByteArray *out);
gboolean cell_unpack(Cell *cell, const CellPlace *place, const void *data, size_t n);

/* Adds another cell of the same segment and group. */
void cell_merge(Cell *into, const Cell *from);

/* Identity of a serving cell as one number, and as text ("26201-28516352", or "LTE/1300/428" where
 * only channel and physical id are known). 0 = not known. */
uint64_t cell_identity(const char *plmn, int64_t cell_id);
uint64_t cell_identity_radio(int rat, int64_t arfcn, int64_t pci);
char *cell_identity_text(uint64_t id);

/* Bucket of a LogHistogram for a tally, and the histogram of one kind out of a tally. */
int cell_bucket(double value);
void cell_log_histogram(const Tally *tally, TallyKind kind, LogHistogram *histogram);
/* Percentile (type 1) of a kind with plain values; NAN if there is none. */
double cell_tally_percentile(const Tally *tally, TallyKind kind, double p);
/* The value counted most often, the lowest of several; -1 if there is none. For values from 0. */
int cell_tally_most(const Tally *tally, TallyKind kind);
uint64_t cell_tally_count(const Tally *tally, TallyKind kind);
