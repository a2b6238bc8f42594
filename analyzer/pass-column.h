/* SPDX-License-Identifier: Apache-2.0 */
/* What writer and reader of packed passes share: the columns, in their order, and the limits. For
 * pass-pack.c and pass-unpack.c only. */
#pragma once

#include "analyzer/histogram.h"

typedef enum {
    /* one number a pass */
    COLUMN_DRIVE,
    COLUMN_SOURCE,
    COLUMN_PASS,
    COLUMN_FIRST,
    COLUMN_LAST,
    COLUMN_BACKWARD,
    COLUMN_N,
    COLUMN_N_LEVEL,
    COLUMN_N_NO_SERVICE,
    COLUMN_N_LIMITED,
    COLUMN_N_MISSING,
    COLUMN_BAND,
    COLUMN_CELLS,
    COLUMN_ENTRIES,
    /* one a cell */
    COLUMN_CELL,
    /* one an entry of the histogram */
    COLUMN_KEY,
    COLUMN_LEVEL,
    COLUMN_COUNT,
    COLUMN_WAY,
    COLUMN_TIME,
    N_COLUMNS,
    N_PASS_COLUMNS = COLUMN_CELL
} PassColumn;

enum {
    PASS_PLAIN = 0,
    PASS_ZSTD = 1,
    PASS_SHORT_CELLS = 16,        /* longer lists of cells are not repeated by a 0 */
    PASS_MOST_CELL_BYTES = 255,   /* of a cell's name */
    PASS_MOST_ENTRIES = 1 << 17,  /* of a histogram */
    PASS_MOST_UNPACKED = 1 << 26, /* bytes; more are not compressed */
    KEY_CHANNELS = 16,            /* key of an entry = rat * 16 + channel */
};

/* Columns of which all values stand even if all are equal: no value costs less than a byte, and
 * few bytes cannot ask for many passes, cells or entries. */
static inline gboolean pass_column_is_whole(unsigned column)
{
    return column == COLUMN_FIRST || column == COLUMN_CELL || column == COLUMN_WAY;
}

/* Samples by channel say what the counts of a pass usually are; what is kept is how they differ. */
typedef struct {
    uint64_t n, n_level, n_no_service, n_limited;
} PassExpected;

static inline void pass_expect(PassExpected *expected, unsigned channel, uint32_t count)
{
    expected->n += channel != CHANNEL_NR_LEG ? count : 0;
    expected->n_level += channel >= CHANNEL_GSM && channel <= CHANNEL_SA ? count : 0;
    expected->n_no_service += channel == CHANNEL_NO_SERVICE ? count : 0;
    expected->n_limited += channel == CHANNEL_LIMITED ? count : 0;
}

/* Of a time: value * 10^(3 * unit) ns. */
static inline uint64_t pass_unit_ns(unsigned unit)
{
    static const uint64_t ns[] = {1, 1000, 1000000, 1000000000};
    return ns[unit];
}
