/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of one table straight from the pages of the drive (https://www.sqlite.org/fileformat2.html),
 * for sealing: asking SQLite for each value of each row takes three times as long as all else.
 *
 * Only while nobody can change the file: the caller holds the write lock, and the WAL is empty.
 * Whoever uses this checks it against SQLite (drive-seal.c) and reads through SQLite where it is
 * not possible. For the drive-*.c files only.
 */
#pragma once

#include "formats/chunk.h"

#include <sqlite3.h>

typedef struct PageRows PageRows;

/* `fd`: the file, open for reading; borrowed like `db`.
 * Returns: (transfer full): NULL if this table has to be read through SQLite. */
PageRows *page_rows_new(int fd, sqlite3 *db, RecordKind kind);
void page_rows_free(PageRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PageRows, page_rows_free)

typedef enum {
    PAGE_ROWS_ROW,
    PAGE_ROWS_END,
    PAGE_ROWS_FAILED /* the pages are not as expected: read through SQLite */
} PageStep;

/* Goes to the next row, in order of rowid. */
PageStep page_rows_next(PageRows *rows);

/* The current row's time, and its source; 0 if it has none. */
gint64 page_rows_time_ns(const PageRows *rows);
gint64 page_rows_source(const PageRows *rows);

/* Adds the current row to a chunk. FALSE if the row is not as expected: read through SQLite. */
gboolean page_rows_add(const PageRows *rows, ChunkBuilder *builder);

/* Asks SQLite for the current row: TRUE if it says what was added to the chunk last. */
gboolean page_rows_agree(const PageRows *rows, const ChunkBuilder *builder);
