/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of a drive that is being written, for the drive-*.c files only.
 */
#pragma once

#include "formats/chunk.h"
#include "formats/drive-write.h"

#include <sqlite3.h>

typedef struct {
    gint64 source;
    gint64 n, first_ns, last_ns;
    gboolean ordered, dirty;
} Extent;

typedef struct {
    sqlite3_stmt *insert;
    uint64_t bound; /* columns whose parameter is not NULL now */
    GArray *extents;
    guint last; /* index into extents of the source seen last */
    int time_column, source_column;
    gboolean sealed;            /* drive_kind_is_sealed() */
    GHashTable *builders;       /* bulk: source -> ChunkBuilder; NULL until needed */
    ChunkBuilder *last_builder; /* the one of last_builder_source */
    gint64 last_builder_source;
} KindWriter;

struct DriveWriter {
    char *path;
    int lock_fd;
    sqlite3 *db;
    sqlite3_stmt *put_extent, *put_chunk;
    gboolean in_transaction, bulk;
    gboolean was_closed; /* the file had no WAL when it was opened to append */
    gint64 next_probe;
    KindWriter kinds[RECORD_KIND_COUNT];
};

/* Opens a transaction unless one is open. */
gboolean drive_writer_begin(DriveWriter *writer, GError **error);

/* Whether records of this kind are sealed: they have a time and a source, and come in numbers. */
gboolean drive_kind_is_sealed(RecordKind kind);

/* Bulk: puts the record into the chunk being built for its source. FALSE if it has to be written as
 * a row (out of order, or too many sources); sets *failed on failure. */
gboolean drive_bulk_add(DriveWriter *writer, RecordKind kind, const void *record, gint64 source,
                        gint64 time_ns, gboolean *failed, GError **error);

/* Bulk: writes the chunks that are being built, and seals rows that had to be written as such. */
gboolean drive_bulk_finish(DriveWriter *writer, GError **error);

/* Seals all live rows, within the open transaction. */
gboolean drive_seal_rows(DriveWriter *writer, GError **error);

/* Reads the extents of the file again. */
gboolean drive_writer_load_extents(DriveWriter *writer, GError **error);

/* Latest time of a source seen so far, or NULL if there is none. */
const gint64 *drive_writer_latest(DriveWriter *writer, RecordKind kind, gint64 source);

/* Writes changed extents, within the open transaction. */
gboolean drive_writer_put_extents(DriveWriter *writer, GError **error);

/* All of a kind is in order of time now. */
void drive_writer_mark_ordered(DriveWriter *writer, RecordKind kind);
