/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of a chunk that is being built, for the writers of many rows: chunk-builder.c,
 * chunk-write.c and drive-pages.c only. A row is made value by value and ended with
 * chunk_builder_end_row().
 */
#pragma once

#include "formats/row-bits.h"

#include <string.h>
#include <zstd.h>

struct ChunkBuilder {
    const RecordType *type;
    int time_column;
    size_t n;
    uint64_t row_known; /* of the row being made */
    uint64_t *known;
    uint64_t (*bits)[ROW_WORDS]; /* `known` by column, when all rows are there */
    int64_t *values[64]; /* by column: the integer, the bits of the double, the text's address */
    /* Texts and words repeat from row to row: the one set last. */
    struct {
        const char *text; /* texts only */
        size_t length;
        uint64_t word; /* its first eight bytes, zeros after the end */
        int64_t value; /* as in values[] */
        gboolean is_set;
    } last[64];
    GStringChunk *text;
    gsize text_size; /* bytes in it */
    gboolean bare;   /* the chunk being encoded */
    /* scratch space, kept from chunk to chunk */
    int64_t *ints;
    uint8_t *packed;
    GByteArray *raw, *stored, *directory, *data;
    gsize planes_at, plane_size; /* of `raw`: where planes of numbers begin; 0 without */
    ZSTD_CCtx *zstd;
    Chunk *checked; /* the chunk read back last, kept for what it was unpacked in; NULL at first */
};

/* `value`: as values[] above. */
static inline void chunk_builder_set(ChunkBuilder *builder, unsigned c, int64_t value)
{
    if (builder->values[c] == NULL)
        builder->values[c] = g_new(int64_t, CHUNK_ROWS);
    builder->values[c][builder->n] = value;
    builder->row_known |= UINT64_C(1) << c;
}

static inline void chunk_builder_set_real(ChunkBuilder *builder, unsigned c, double value)
{
    int64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    chunk_builder_set(builder, c, bits);
}

static inline void chunk_builder_keep(ChunkBuilder *builder, unsigned c, const char *text,
                                      size_t length, int64_t value)
{
    builder->last[c].word = 0;
    memcpy(&builder->last[c].word, text, MIN(length, sizeof builder->last[c].word));
    builder->last[c].length = length;
    builder->last[c].value = value;
    builder->last[c].is_set = TRUE;
}

/* `text` need not end in a zero byte, and holds none. */
static inline void chunk_builder_set_text(ChunkBuilder *builder, unsigned c, const char *text,
                                          size_t length)
{
    if (builder->last[c].text == NULL || builder->last[c].length != length ||
        memcmp(builder->last[c].text, text, length) != 0) {
        builder->last[c].text = g_string_chunk_insert_len(builder->text, text, (gssize)length);
        builder->text_size += length + 1;
        chunk_builder_keep(builder, c, text, length, (int64_t)(intptr_t)builder->last[c].text);
    }
    chunk_builder_set(builder, c, builder->last[c].value);
}

/* A word of an enumeration, by its text and number. */
static inline void chunk_builder_set_word(ChunkBuilder *builder, unsigned c, const char *text,
                                          size_t length, int number)
{
    chunk_builder_keep(builder, c, text, length, number);
    chunk_builder_set(builder, c, number);
}

/* Sets the text or word set last once more, if it is this one: `word` is its first eight bytes,
 * with zeros after its end. FALSE if it is another, or cannot be told from its first bytes. */
static inline gboolean chunk_builder_repeat(ChunkBuilder *builder, unsigned c, uint64_t word,
                                            size_t length)
{
    if (!builder->last[c].is_set || builder->last[c].word != word ||
        builder->last[c].length != length || length > sizeof word)
        return FALSE;
    chunk_builder_set(builder, c, builder->last[c].value);
    return TRUE;
}

static inline void chunk_builder_end_row(ChunkBuilder *builder)
{
    builder->known[builder->n++] = builder->row_known;
    builder->row_known = 0;
}
