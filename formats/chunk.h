/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed chunk: up to CHUNK_ROWS records of one kind and one source, in order of time, column by
 * column, as one run of bytes. Layout: docs/drive-file.md, "Chunks". Knows no SQLite.
 *
 * What comes out is bit for bit what went in: known bits, 64-bit integers, doubles, texts.
 */
#pragma once

#include "formats/drive-read.h"

#ifdef CORRIDOR_SMALL_BATCHES
enum { CHUNK_ROWS = 128 };
#else
enum { CHUNK_ROWS = 8192 };
#endif
enum {
    CHUNK_BARE_ROWS = CHUNK_ROWS / 4, /* at most in a bare chunk */
    CHUNK_BARE_SIZE = 1 << 16,        /* bytes of its directory and data at most */
};

/* ---- making ---- */

typedef struct ChunkBuilder ChunkBuilder;

ChunkBuilder *chunk_builder_new(RecordKind kind);
void chunk_builder_free(ChunkBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChunkBuilder, chunk_builder_free)

/* Adds one record (its texts are copied). The caller keeps to the order of time, and ends the chunk
 * when it is full. */
void chunk_builder_add(ChunkBuilder *builder, const void *record);
/* The same from row i of a batch that holds all columns of the kind. FALSE, and nothing is added,
 * if the row has no time: the order of a chunk is that of its times. */
gboolean chunk_builder_add_from(ChunkBuilder *builder, const Batch *batch, size_t i);
/* Exchanges the rows of two builders of one kind. */
void chunk_builder_swap(ChunkBuilder *a, ChunkBuilder *b);
size_t chunk_builder_rows(const ChunkBuilder *builder);
/* Whether it has CHUNK_ROWS, or so much text that more might not be unpacked again. */
gboolean chunk_builder_is_full(const ChunkBuilder *builder);
/* Time of the first and last row; undefined without rows. */
gint64 chunk_builder_first_ns(const ChunkBuilder *builder);
gint64 chunk_builder_last_ns(const ChunkBuilder *builder);

/* Forgets the rows. */
void chunk_builder_clear(ChunkBuilder *builder);

/* The chunk's bytes, decoded again and compared with the rows; the builder is empty after it. Needs
 * at least one row.
 * Returns: (transfer full), or NULL if what comes out is not what went in. */
GByteArray *chunk_builder_finish(ChunkBuilder *builder, GError **error);
/* The same, but of few rows a bare chunk, *bare: neither compressed nor with checksums, for a pack
 * (chunk-pack.h), which is both. */
GByteArray *chunk_builder_finish_small(ChunkBuilder *builder, gboolean *bare, GError **error);

/* ---- reading ---- */

typedef struct Chunk Chunk;

/* What the directory says of one column. */
typedef struct {
    unsigned column; /* of the record type */
    uint32_t known;  /* rows with a value */
    union {
        int64_t i;
        double r;
    } min, max; /* of the values; not for texts and enums */
} ChunkColumnInfo;

/* Checks the header and the directory; data are checked as they are decoded. Columns that this
 * program does not know are passed over. `bytes` must outlive the chunk.
 * Returns: (transfer full), or NULL with DRIVE_ERROR_DAMAGED and a message that says what is wrong,
 * without a file name. */
Chunk *chunk_open(RecordKind kind, const guint8 *bytes, gsize length, GError **error);
/* The same for a chunk out of a pack whose checksum was right. */
Chunk *chunk_open_bare(RecordKind kind, const guint8 *bytes, gsize length, GError **error);
void chunk_free(Chunk *chunk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Chunk, chunk_free)

/* Takes over the memory that another chunk (nullable), of which nothing more is decoded, was
 * unpacked in: making it takes as long as unpacking a column. For a chunk just opened. */
void chunk_take_scratch(Chunk *chunk, Chunk *from);

size_t chunk_rows(const Chunk *chunk);

/* Directory entry of a column, or NULL if the chunk has no value of it. */
const ChunkColumnInfo *chunk_column(const Chunk *chunk, unsigned column);

/* Decodes the columns of `mask` into arrays of chunk_rows() elements (storage[column]: int64_t,
 * double or const char *, by the column's type; NULL for columns that are not asked for), and the
 * known bits of these columns into known[]. Unknown values are 0 or NULL. Texts live as long as
 * the chunk. */
gboolean chunk_decode(Chunk *chunk, uint64_t mask, void *const storage[64], uint64_t *known,
                      GError **error);
