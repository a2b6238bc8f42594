/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of an open drive, for the drive-*.c files only.
 */
#pragma once

#include "formats/chunk.h"
#include "formats/drive-read.h"

#include <sqlite3.h>

struct Drive {
    char *path;
    sqlite3 *db;
    GArray *sources; /* of Source */
    GStringChunk *text;
    GPtrArray *problems; /* of char * */
    gboolean borrowed;   /* db belongs to a writer */
    gboolean rows_only;  /* cursors pass over the chunks */
    gboolean takes_rows; /* the connection knows the function of row streams */
};

/* A reader on a writer's connection, for sealing: sees what is not committed. */
Drive *drive_view_new(sqlite3 *db, const char *path);

/* Notes a piece of the drive that could not be read, once. */
void drive_note_problem(Drive *drive, const char *format, ...) G_GNUC_PRINTF(2, 3);

int record_find_column(const RecordType *type, const char *name);

/* ---- the sealed part of one kind ---- */

typedef struct {
    gint64 id, source, seq, n, first_ns, last_ns;
} ChunkRef;

/* Chunks of a kind (source 0 = all) that may hold rows of from_ns <= time < to_ns, by source and
 * time. Chunks that overlap or are missing are noted as problems; the ones that contradict are left
 * out.
 * Returns: (transfer full) array of ChunkRef, or NULL on failure. */
GArray *drive_chunk_refs(Drive *drive, RecordKind kind, gint64 source, gint64 from_ns, gint64 to_ns,
                         GError **error);

/* Chunks by the number of their row, wherever their bytes are: there or in a pack. */
typedef struct ChunkFetcher ChunkFetcher;

ChunkFetcher *chunk_fetcher_new(Drive *drive);
void chunk_fetcher_free(ChunkFetcher *fetcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChunkFetcher, chunk_fetcher_free)

/* Returns: (transfer full): is read before the next one is opened; NULL with a message that says
 * what is wrong, without a file name. */
Chunk *chunk_fetcher_open(ChunkFetcher *fetcher, RecordKind kind, gint64 id, GError **error);

/* One chunk at a time, decoded. */
typedef struct ChunkStream ChunkStream;

ChunkStream *chunk_stream_new(Drive *drive, RecordKind kind, uint64_t columns);
void chunk_stream_free(ChunkStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChunkStream, chunk_stream_free)

/* Decodes a chunk. A damaged one is noted as a problem and gives 0 rows.
 * Returns the number of rows; their columns are in chunk_stream_storage(). */
size_t chunk_stream_load(ChunkStream *stream, const ChunkRef *ref);
void *const *chunk_stream_storage(const ChunkStream *stream);
const uint64_t *chunk_stream_known(const ChunkStream *stream);

/* ---- the live part of one kind ---- */

typedef struct RowStream RowStream;

/* Rows of a kind; source 0 = all but those in `excluded` (of gint64, nullable). In order of time
 * within each source, as far as the drive's extents tell the truth. */
RowStream *row_stream_new(Drive *drive, RecordKind kind, uint64_t columns, gint64 source,
                          const GArray *excluded, gint64 from_ns, gint64 to_ns, GError **error);
void row_stream_free(RowStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RowStream, row_stream_free)

/* TRUE if SQLite sorts the rows, so that their order needs no check. */
gboolean row_stream_sorted(const RowStream *stream);

/* Fills the columns from element 0 with the next rows, at most `most`; texts are kept in `text`. A
 * stream that gave fewer than `most` is at its end and must not be asked again. */
gboolean row_stream_fill(RowStream *stream, void *const storage[64], uint64_t *known, size_t most,
                         GStringChunk *text, size_t *n, GError **error);
