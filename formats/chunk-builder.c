/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk-builder.h"

#include "formats/chunk-layout.h"

/* zstd of a few kilobytes of byte planes: levels 2 and 3 take longer and give no less. */
enum { ZSTD_LEVEL = 1 };

ChunkBuilder *chunk_builder_new(RecordKind kind)
{
    ChunkBuilder *builder = g_new0(ChunkBuilder, 1);
    builder->type = record_type(kind);
    builder->time_column = -1;
    builder->known = g_new(uint64_t, CHUNK_ROWS);
    builder->bits = g_malloc_n(64, sizeof *builder->bits);
    builder->ints = g_new(int64_t, CHUNK_ROWS);
    builder->packed = g_malloc(CHUNK_ROWS * sizeof(int64_t));
    builder->text = g_string_chunk_new(1024);
    builder->raw = g_byte_array_new();
    builder->stored = g_byte_array_new();
    builder->directory = g_byte_array_new();
    builder->data = g_byte_array_new();
    builder->zstd = ZSTD_createCCtx();
    g_assert(builder->zstd != NULL);
    (void)ZSTD_CCtx_setParameter(builder->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    for (unsigned c = 0; c < builder->type->n_columns; c++)
        if (strcmp(builder->type->columns[c].name, "time_ns") == 0)
            builder->time_column = (int)c;
    g_assert(builder->time_column >= 0);
    return builder;
}

void chunk_builder_free(ChunkBuilder *builder)
{
    if (builder == NULL)
        return;
    for (unsigned c = 0; c < 64; c++)
        g_free(builder->values[c]);
    g_free(builder->known);
    g_free(builder->bits);
    g_free(builder->ints);
    g_free(builder->packed);
    g_string_chunk_free(builder->text);
    g_byte_array_unref(builder->raw);
    g_byte_array_unref(builder->stored);
    g_byte_array_unref(builder->directory);
    g_byte_array_unref(builder->data);
    (void)ZSTD_freeCCtx(builder->zstd);
    chunk_free(builder->checked);
    g_free(builder);
}

void chunk_builder_add(ChunkBuilder *builder, const void *record)
{
    g_assert(builder->n < CHUNK_ROWS);
    uint64_t known = *(const uint64_t *)record;
    while (known != 0) {
        unsigned c = (unsigned)__builtin_ctzll(known);
        known &= known - 1;
        const RecordColumn *column = &builder->type->columns[c];
        const void *field = (const char *)record + column->offset;
        switch (column->type) {
        case COLUMN_INT:
            chunk_builder_set(builder, c, *(const int64_t *)field);
            break;
        case COLUMN_REAL:
            chunk_builder_set_real(builder, c, *(const double *)field);
            break;
        case COLUMN_ENUM:
            chunk_builder_set(builder, c, *(const int *)field);
            break;
        case COLUMN_TEXT: {
            const char *text = *(const char *const *)field;
            chunk_builder_set_text(builder, c, text, strlen(text));
            break;
        }
        }
    }
    chunk_builder_end_row(builder);
}

gboolean chunk_builder_add_from(ChunkBuilder *builder, const Batch *batch, size_t i)
{
    g_assert(builder->n < CHUNK_ROWS);
    uint64_t known = batch->known[i];
    if ((known >> builder->time_column & 1U) == 0)
        return FALSE;
    while (known != 0) {
        unsigned c = (unsigned)__builtin_ctzll(known);
        known &= known - 1;
        if (builder->type->columns[c].type == COLUMN_TEXT)
            chunk_builder_set_text(builder, c, batch->column[c].t[i],
                                   strlen(batch->column[c].t[i]));
        else
            chunk_builder_set(builder, c, batch->column[c].i[i]); /* a double's bits too */
    }
    chunk_builder_end_row(builder);
    return TRUE;
}

void chunk_builder_swap(ChunkBuilder *a, ChunkBuilder *b)
{
    ChunkBuilder both = *a;
    *a = *b;
    *b = both;
}

void chunk_builder_clear(ChunkBuilder *builder)
{
    builder->n = 0;
    builder->row_known = 0;
    memset(builder->last, 0, sizeof builder->last);
    g_string_chunk_clear(builder->text);
    builder->text_size = 0;
}

size_t chunk_builder_rows(const ChunkBuilder *builder)
{
    return builder->n;
}

gboolean chunk_builder_is_full(const ChunkBuilder *builder)
{
    return builder->n == CHUNK_ROWS || builder->text_size > CHUNK_MAX_WORDS_SIZE / 2;
}

gint64 chunk_builder_first_ns(const ChunkBuilder *builder)
{
    return builder->values[builder->time_column][0];
}

gint64 chunk_builder_last_ns(const ChunkBuilder *builder)
{
    return builder->values[builder->time_column][builder->n - 1];
}
