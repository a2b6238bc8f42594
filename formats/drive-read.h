/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a drive: cursors that give records of one kind in batches of columns.
 * Memory does not grow with the drive. Whether a record is stored as a row or in a sealed chunk is
 * not visible here. A drive that is being written, or was left half-written by a power cut, is read
 * up to its last commit. Files from strangers are opened read-only and defensively: no views,
 * triggers or functions of the file are run.
 */
#pragma once

#include "formats/drive.h"
#include "formats/records.h"

typedef struct Drive Drive;
typedef struct DriveCursor DriveCursor;

/* Rows of a batch: 1..DRIVE_BATCH_ROWS. */
#ifdef CORRIDOR_SMALL_BATCHES /* of fuzz targets: small drives reach their ends, at less cost */
#define DRIVE_BATCH_ROWS 32
#else
#define DRIVE_BATCH_ROWS 4096
#endif

/* Struct of arrays. Column arrays are NULL for columns that were not asked for. Bit c of known[i]
 * says that row i has a value in column c; where it is clear, the array holds 0 or NULL. */
typedef struct {
    size_t n;
    const uint64_t *known;
    union {
        const int64_t *i;     /* COLUMN_INT, COLUMN_ENUM */
        const double *r;      /* COLUMN_REAL */
        const char *const *t; /* COLUMN_TEXT; valid until the next batch */
    } column[64];
} Batch;

/* Returns: (transfer full): free with drive_free(). Errors: DRIVE_ERROR, each message names the
 * file and what to do. */
Drive *drive_open(const char *path, GError **error);
void drive_free(Drive *drive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Drive, drive_free)

const char *drive_path(const Drive *drive);

/* Pieces that could not be read so far (damaged chunks …), one line each with the file's name. The
 * rest of the drive is read all the same; whoever shows figures shows these lines too.
 * Returns: (transfer none) (element-type utf8). */
const GPtrArray *drive_problems(const Drive *drive);
/* Adds copies of them; `into` may be NULL. */
void drive_add_problems(const Drive *drive, GPtrArray *into);

/* Value of a meta key. Returns: (transfer full) (nullable). */
char *drive_meta(Drive *drive, const char *key);

/* All sources, by id. Text lives as long as the drive.
 * Returns: (transfer none): array of n sources. */
const Source *drive_sources(Drive *drive, guint *n);

/* Starts reading. `columns` is a mask of RECORD_BIT()s (0 = all); time_ns and source are always
 * given where the kind has them. source 0 = all sources: rows of several sources come interleaved,
 * but within one source times never descend. from_ns <= time_ns < to_ns; INT64_MIN, INT64_MAX =
 * all. Returns: (transfer full): free with drive_cursor_free(); must not outlive the drive. */
DriveCursor *drive_read(Drive *drive, RecordKind kind, uint64_t columns, gint64 source,
                        gint64 from_ns, gint64 to_ns, GError **error);
void drive_cursor_free(DriveCursor *cursor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DriveCursor, drive_cursor_free)

/* The next batch, or NULL at the end (error unset) or on failure (error set).
 * Returns: (transfer none, until the next call). */
const Batch *drive_next(DriveCursor *cursor, GError **error);

/* Row i of a batch as a struct of its kind, for code that is not hot. */
void batch_get(const Batch *batch, RecordKind kind, size_t i, void *record);

/* Number of records and first and last time of a kind, without reading them all where possible.
 * source 0 = all. n = 0: times untouched. */
gboolean drive_count(Drive *drive, RecordKind kind, gint64 source, gint64 *n, gint64 *first_ns,
                     gint64 *last_ns, GError **error);
