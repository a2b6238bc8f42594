/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a sealed chunk, shared by chunk-write.c and chunk-read.c only.
 * docs/drive-file.md, "Chunks", is the specification. Chunks of version 1 are only read.
 */
#pragma once

#include "formats/chunk.h"

#define CHUNK_MAGIC      "CCH2"
#define CHUNK_MAGIC_BARE "CCHB" /* in a pack (chunk-pack.h), which has the checksum */
#define CHUNK_MAGIC_1    "CCH1"

enum {
    CHUNK_HEADER_SIZE = 20,         /* magic, rows, entries, directory size, CRC-32 of all these */
    CHUNK_BARE_HEADER_SIZE = 16,    /* without the CRC-32 */
    CHUNK_MAX_DECIMALS = 9,         /* reals written as integers / 10^decimals */
    CHUNK_RAW_REAL = 15,            /* reals written as their 64 bits */
    CHUNK_STORED = 0,               /* packing: as it is */
    CHUNK_ZSTD = 1,                 /* packing: one zstd frame */
    CHUNK_MAX_WORDS_SIZE = 1 << 24, /* bytes of a column's dictionary */
};

extern const double chunk_power10[CHUNK_MAX_DECIMALS + 1];

typedef struct {
    uint8_t type;   /* ColumnType */
    uint8_t layout; /* CodecLayout */
    uint8_t width;
    uint8_t decimals; /* reals only */
    uint8_t relative; /* 1: values are differences from time_ns */
    uint8_t packing;
    uint32_t known;
    int64_t base, scale;
    union {
        int64_t i;
        double r;
    } min, max;
    uint32_t offset; /* from the end of the directory */
    uint32_t stored_size, raw_size;
    uint32_t crc; /* CRC-32 (as zlib) of the stored bytes */
} ChunkEntry;

void chunk_put_u32(guint8 *bytes, uint32_t value);
uint32_t chunk_get_u32(const guint8 *bytes);

/* Appends the entry of a column, given by its place in the record type, to the directory of a chunk
 * of `rows` rows. entry->offset is not written: the stored bytes follow each other. Bare: without
 * the checksum. */
void chunk_entry_append(GByteArray *directory, unsigned column, const ChunkEntry *entry,
                        uint32_t rows, gboolean bare);

/* Reads the entry at *position and moves it on. entry->offset must be where the stored bytes of the
 * entry before end, 0 for the first. FALSE if the directory is too short or says what cannot be. */
gboolean chunk_entry_read(const guint8 *directory, gsize size, gsize *position, uint32_t rows,
                          gboolean bare, unsigned *column, ChunkEntry *entry);

/* The same in a chunk of version 1, where a column is given by its name; `name` gets its bytes (not
 * terminated). */
gboolean chunk_entry_read_1(const guint8 *directory, gsize size, gsize *position,
                            const guint8 **name, uint8_t *name_length, ChunkEntry *entry);

/* Decodes one column that the chunk has, for the check of what was written: values of all rows, 0
 * or NULL where there is none, and which rows have one (row-bits.h; NULL: all), valid until the
 * next call. */
gboolean chunk_decode_column(Chunk *chunk, unsigned column, int64_t *values, const uint64_t **bits,
                             GError **error);
