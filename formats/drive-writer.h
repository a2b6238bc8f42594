/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of a drive that is being written, for the drive-*.c files only.
 */
#pragma once

#include "formats/chunk.h"
#include "formats/drive-write.h"

#include <gio/gio.h>
#include <sqlite3.h>

typedef struct {
    gint64 source;
    gint64 n, first_ns, last_ns;
    gint64 n_chunks; /* number of the last one */
    gboolean ordered, dirty;
} Extent;

/* A chunk being built for a source. */
typedef struct {
    gint64 source, last_ns;
    ChunkBuilder *builder;
} SourceBuilder;

typedef struct ChunkQueue ChunkQueue;

typedef struct {
    sqlite3_stmt *insert;
    uint64_t bound; /* columns whose parameter is not NULL now */
    GArray *extents;
    guint last; /* index into extents of the source seen last */
    int time_column, source_column;
    gboolean sealed;     /* drive_kind_is_sealed() */
    GPtrArray *builders; /* of SourceBuilder; NULL until needed */
    guint last_builder;  /* index of the one asked for last */
} KindWriter;

struct DriveWriter {
    char *path;
    int lock_fd;
    int patience_ms; /* with readers, who can keep a drive from being closed */
    sqlite3 *db;
    sqlite3_stmt *put_extent, *put_chunk;
    gboolean in_transaction, bulk;
    gboolean was_closed; /* the file had no WAL when it was opened to append */
    gboolean still;      /* the file's pages do not change: all that is written goes to the WAL */
    ChunkQueue *queue;   /* NULL until needed */
    GCancellable *cancel;
    gint64 next_probe;
    KindWriter kinds[RECORD_KIND_COUNT];
};

/* Opens a transaction unless one is open. */
gboolean drive_writer_begin(DriveWriter *writer, GError **error);

/* Binds a column of a record, whose text has to stay until the statement was run. */
void drive_bind_column(sqlite3_stmt *stmt, const RecordColumn *column, int parameter,
                       const void *record);

/* Whether records of this kind are sealed: they have a time and a source, and come in numbers. */
gboolean drive_kind_is_sealed(RecordKind kind);

/* ---- drive-encode.c ---- */

/* Hands the rows of the builder over to be encoded and stored as the next chunk of the source; the
 * builder is empty after it. A failure may show in a later call. */
gboolean drive_put_chunk(DriveWriter *writer, RecordKind kind, gint64 source, ChunkBuilder *builder,
                         GError **error);
/* Waits until all chunks are stored, but for small ones that wait for more of their kind. */
gboolean drive_put_chunks_end(DriveWriter *writer, GError **error);
/* Stores those too: no chunk of the kind comes any more. */
gboolean drive_put_kind_end(DriveWriter *writer, GError **error);

/* What the table says of a chunk. */
typedef struct {
    const char *kind; /* static */
    gint64 source, seq, n, first_ns, last_ns;
} ChunkRow;

gboolean drive_insert_chunk(DriveWriter *writer, const ChunkRow *row, const GByteArray *data,
                            GError **error);

/* ---- drive-packs.c ---- */

typedef struct PackBuilder PackBuilder;

PackBuilder *pack_builder_new(void);
void pack_builder_free(PackBuilder *pack);
/* Adds a bare chunk to the pack; one that is full is stored before. */
gboolean pack_builder_add(PackBuilder *pack, DriveWriter *writer, const ChunkRow *row,
                          const GByteArray *bare, GError **error);
/* Stores the pack and its chunks; it is empty after it. */
gboolean pack_builder_finish(PackBuilder *pack, DriveWriter *writer, GError **error);

/* Deletes packs of which no chunk is left. */
gboolean drive_drop_unused_packs(DriveWriter *writer, GError **error);

/* Drops what is not stored. NULL is allowed. */
void chunk_queue_free(ChunkQueue *queue);

/* ---- drive-builders.c ---- */

/* Above this many sources at once, memory for chunks being built would be the problem: their
 * records are written as rows and sealed at the end, one source at a time. */
enum { DRIVE_MAX_BUILDERS = 64 };

/* The chunk being built for a source; NULL if there are too many. */
SourceBuilder *drive_builder_of(DriveWriter *writer, RecordKind kind, gint64 source);

gboolean drive_put_if_full(DriveWriter *writer, RecordKind kind, SourceBuilder *of, GError **error);

/* Writes what the builders of a kind hold, in a fixed order, so that the same input gives the same
 * bytes. */
gboolean drive_flush_builders(DriveWriter *writer, RecordKind kind, GError **error);

/* Bulk: puts the record into the chunk being built for its source. FALSE if it has to be written as
 * a row (out of order, or too many sources); sets *failed on failure. */
gboolean drive_bulk_add(DriveWriter *writer, RecordKind kind, const void *record, gint64 source,
                        gint64 time_ns, gboolean *failed, GError **error);

/* Bulk: writes the chunks that are being built, and seals rows that had to be written as such. */
gboolean drive_bulk_finish(DriveWriter *writer, GError **error);

/* Frees the chunks that are being built. */
void drive_drop_builders(DriveWriter *writer);

/* ---- drive-seal.c ---- */

/* Seals all live rows, within the open transaction. */
gboolean drive_seal_rows(DriveWriter *writer, GError **error);

/* ---- drive-fit.c ---- */

enum { DRIVE_PAGE_SIZE = 4096 }; /* of a drive that is being recorded */

/* Gives a closed drive that is small the small pages it needs, and back what is mostly free, in one
 * transaction. */
gboolean drive_writer_fit_pages(DriveWriter *writer, GError **error);

/* Closes the drive and gives the space back that its rows took, in one transaction; after a power
 * cut before it the drive is as large as before, but whole and closed. */
gboolean drive_writer_close_small(DriveWriter *writer, GError **error);

/* ---- drive-extents.c ---- */

/* Reads the extents of the file again. */
gboolean drive_writer_load_extents(DriveWriter *writer, GError **error);

/* Latest time of a source seen so far, or NULL if there is none. */
const gint64 *drive_writer_latest(DriveWriter *writer, RecordKind kind, gint64 source);

/* Number of chunks of a source, to be counted on. Valid until the next source is seen. */
gint64 *drive_writer_n_chunks(DriveWriter *writer, RecordKind kind, gint64 source);

/* Counts a row, or a chunk of n rows, of a source. */
void drive_writer_see(DriveWriter *writer, RecordKind kind, gint64 source, gint64 time_ns);
void drive_writer_see_chunk(DriveWriter *writer, RecordKind kind, gint64 source, gint64 n,
                            gint64 first_ns, gint64 last_ns);

/* Writes changed extents, within the open transaction. */
gboolean drive_writer_put_extents(DriveWriter *writer, GError **error);

/* All of a kind is in order of time now. */
void drive_writer_mark_ordered(DriveWriter *writer, RecordKind kind);

/* ---- drive-write.c ---- */

/* Gives the drive, which may be an older one, the format version of this program, within the open
 * transaction: chunks of it come. */
gboolean drive_writer_raise_version(DriveWriter *writer, GError **error);

/* Gives up the open transaction. */
void drive_writer_roll_back(DriveWriter *writer);
