/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk.h"

#include "formats/chunk-codec.h"
#include "formats/chunk-layout.h"

#include <math.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct ChunkBuilder {
    const RecordType *type;
    int time_column;
    size_t n;
    uint64_t *known;
    void *values[64]; /* int64_t, double or const char * by the column's type */
    GStringChunk *text;
    /* scratch space, kept from chunk to chunk */
    int64_t *ints;
    uint8_t *packed;
    GByteArray *raw, *stored;
    ZSTD_CCtx *zstd;
};

ChunkBuilder *chunk_builder_new(RecordKind kind)
{
    ChunkBuilder *builder = g_new0(ChunkBuilder, 1);
    builder->type = record_type(kind);
    builder->time_column = -1;
    builder->known = g_new(uint64_t, CHUNK_ROWS);
    builder->ints = g_new(int64_t, CHUNK_ROWS);
    builder->packed = g_malloc(CHUNK_ROWS * sizeof(int64_t));
    builder->text = g_string_chunk_new(1024);
    builder->raw = g_byte_array_new();
    builder->stored = g_byte_array_new();
    builder->zstd = ZSTD_createCCtx();
    g_assert(builder->zstd != NULL);
    (void)ZSTD_CCtx_setParameter(builder->zstd, ZSTD_c_compressionLevel, 3);
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
    g_free(builder->ints);
    g_free(builder->packed);
    g_string_chunk_free(builder->text);
    g_byte_array_unref(builder->raw);
    g_byte_array_unref(builder->stored);
    (void)ZSTD_freeCCtx(builder->zstd);
    g_free(builder);
}

void chunk_builder_add(ChunkBuilder *builder, const void *record)
{
    g_assert(builder->n < CHUNK_ROWS);
    uint64_t known = *(const uint64_t *)record;
    builder->known[builder->n] = known;
    while (known != 0) {
        unsigned c = (unsigned)__builtin_ctzll(known);
        known &= known - 1;
        const RecordColumn *column = &builder->type->columns[c];
        const char *field = (const char *)record + column->offset;
        if (builder->values[c] == NULL)
            builder->values[c] = g_malloc(CHUNK_ROWS * sizeof(int64_t));
        switch (column->type) {
        case COLUMN_INT:
            ((int64_t *)builder->values[c])[builder->n] = *(const int64_t *)(const void *)field;
            break;
        case COLUMN_REAL:
            ((double *)builder->values[c])[builder->n] = *(const double *)(const void *)field;
            break;
        case COLUMN_ENUM:
            ((int64_t *)builder->values[c])[builder->n] = *(const int *)(const void *)field;
            break;
        case COLUMN_TEXT:
            ((const char **)builder->values[c])[builder->n] = g_string_chunk_insert_const(
                builder->text, *(const char *const *)(const void *)field);
            break;
        }
    }
    builder->n++;
}

void chunk_builder_add_from(ChunkBuilder *builder, const Batch *batch, size_t i)
{
    g_assert(builder->n < CHUNK_ROWS);
    uint64_t known = batch->known[i];
    builder->known[builder->n] = known;
    while (known != 0) {
        unsigned c = (unsigned)__builtin_ctzll(known);
        known &= known - 1;
        if (builder->values[c] == NULL)
            builder->values[c] = g_malloc(CHUNK_ROWS * sizeof(int64_t));
        if (builder->type->columns[c].type == COLUMN_TEXT)
            ((const char **)builder->values[c])[builder->n] =
                g_string_chunk_insert_const(builder->text, batch->column[c].t[i]);
        else
            ((int64_t *)builder->values[c])[builder->n] = batch->column[c].i[i];
    }
    builder->n++;
}

size_t chunk_builder_rows(const ChunkBuilder *builder)
{
    return builder->n;
}

gint64 chunk_builder_first_ns(const ChunkBuilder *builder)
{
    return ((const int64_t *)builder->values[builder->time_column])[0];
}

gint64 chunk_builder_last_ns(const ChunkBuilder *builder)
{
    return ((const int64_t *)builder->values[builder->time_column])[builder->n - 1];
}

/* Appends the bitmap of rows with a value, unless all have one. */
static uint32_t append_bitmap(ChunkBuilder *builder, unsigned c)
{
    uint32_t count = 0;
    for (size_t i = 0; i < builder->n; i++)
        count += (uint32_t)(builder->known[i] >> c & 1U);
    if (count == builder->n || count == 0)
        return count;
    guint start = builder->raw->len;
    g_byte_array_set_size(builder->raw, start + (guint)((builder->n + 7) / 8));
    memset(builder->raw->data + start, 0, builder->raw->len - start);
    for (size_t i = 0; i < builder->n; i++)
        if ((builder->known[i] >> c & 1U) != 0)
            builder->raw->data[start + i / 8] |= (uint8_t)(1U << (i % 8));
    return count;
}

static void append_packed(ChunkBuilder *builder, size_t n, ChunkEntry *entry)
{
    CodecHeader header;
    size_t length = codec_pack(builder->ints, n, &header, builder->packed);
    entry->layout = header.layout;
    entry->width = header.width;
    entry->base = header.base;
    entry->scale = header.scale;
    g_byte_array_append(builder->raw, builder->packed, (guint)length);
}

static void encode_int(ChunkBuilder *builder, unsigned c, ChunkEntry *entry)
{
    const int64_t *values = builder->values[c];
    const int64_t *times = builder->values[builder->time_column];
    const char *name = builder->type->columns[c].name;
    /* Other times of the same record lie close to its time. */
    entry->relative = (int)c != builder->time_column && g_str_has_suffix(name, "_ns") &&
                      strcmp(name, "duration_ns") != 0 && strcmp(name, "step_ns") != 0;
    size_t n = 0;
    entry->min.i = INT64_MAX;
    entry->max.i = INT64_MIN;
    for (size_t i = 0; i < builder->n; i++) {
        if ((builder->known[i] >> c & 1U) == 0)
            continue;
        entry->min.i = MIN(entry->min.i, values[i]);
        entry->max.i = MAX(entry->max.i, values[i]);
        builder->ints[n++] =
            entry->relative ? (int64_t)((uint64_t)values[i] - (uint64_t)times[i]) : values[i];
    }
    append_packed(builder, n, entry);
}

/* How many decimals write these values so that dividing the integer by 10^decimals gives the same
 * double again; CHUNK_RAW_REAL if none does. */
static uint8_t decimals_of(ChunkBuilder *builder, unsigned c)
{
    const double *values = builder->values[c];
    uint8_t decimals = 0;
    for (size_t i = 0; i < builder->n; i++) {
        if ((builder->known[i] >> c & 1U) == 0)
            continue;
        double v = values[i];
        if (!(fabs(v) < 1e9) || (v == 0.0 && signbit(v)))
            return CHUNK_RAW_REAL;
        while (decimals < CHUNK_MAX_DECIMALS &&
               nearbyint(v * chunk_power10[decimals]) / chunk_power10[decimals] != v)
            decimals++;
        if (nearbyint(v * chunk_power10[decimals]) / chunk_power10[decimals] != v)
            return CHUNK_RAW_REAL;
    }
    /* A value that was exact with fewer decimals is so with more, but for rounding: check again. */
    for (size_t i = 0; i < builder->n; i++)
        if ((builder->known[i] >> c & 1U) != 0 &&
            nearbyint(values[i] * chunk_power10[decimals]) / chunk_power10[decimals] != values[i])
            return CHUNK_RAW_REAL;
    return decimals;
}

static void encode_real(ChunkBuilder *builder, unsigned c, ChunkEntry *entry)
{
    const double *values = builder->values[c];
    entry->decimals = decimals_of(builder, c);
    entry->min.r = INFINITY;
    entry->max.r = -INFINITY;
    size_t n = 0;
    for (size_t i = 0; i < builder->n; i++) {
        if ((builder->known[i] >> c & 1U) == 0)
            continue;
        entry->min.r = fmin(entry->min.r, values[i]);
        entry->max.r = fmax(entry->max.r, values[i]);
        if (entry->decimals == CHUNK_RAW_REAL)
            memcpy(&builder->ints[n], &values[i], sizeof(double));
        else
            builder->ints[n] = (int64_t)nearbyint(values[i] * chunk_power10[entry->decimals]);
        n++;
    }
    append_packed(builder, n, entry);
}

/* Words in order of their first use; then a code for each row. */
static void encode_words(ChunkBuilder *builder, unsigned c, ChunkEntry *entry)
{
    const RecordColumn *column = &builder->type->columns[c];
    g_autoptr(GHashTable) codes = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GByteArray) words = g_byte_array_new();
    size_t n = 0;
    const char *previous = NULL;
    int64_t code = 0;
    for (size_t i = 0; i < builder->n; i++) {
        if ((builder->known[i] >> c & 1U) == 0)
            continue;
        const char *word =
            column->type == COLUMN_ENUM
                ? record_enum_name(column, (int)((const int64_t *)builder->values[c])[i])
                : ((const char *const *)builder->values[c])[i];
        if (word != previous) {
            gpointer found = NULL;
            if (g_hash_table_lookup_extended(codes, word, NULL, &found)) {
                code = GPOINTER_TO_INT(found);
            } else {
                code = (int64_t)g_hash_table_size(codes);
                g_hash_table_insert(codes, (gpointer)(uintptr_t)word, GINT_TO_POINTER((int)code));
                g_byte_array_append(words, (const guint8 *)word, (guint)strlen(word) + 1);
            }
            previous = word;
        }
        builder->ints[n++] = code;
    }
    guint8 size[4];
    chunk_put_u32(size, words->len);
    g_byte_array_append(builder->raw, size, sizeof size);
    g_byte_array_append(builder->raw, words->data, words->len);
    append_packed(builder, n, entry);
}

static void store(ChunkBuilder *builder, ChunkEntry *entry, GByteArray *data)
{
    const GByteArray *raw = builder->raw;
    entry->raw_size = raw->len;
    entry->offset = data->len;
    g_byte_array_set_size(builder->stored, (guint)ZSTD_compressBound(raw->len));
    size_t size = raw->len < 32 ? SIZE_MAX
                                : ZSTD_compress2(builder->zstd, builder->stored->data,
                                                 builder->stored->len, raw->data, raw->len);
    entry->packing = size < raw->len ? CHUNK_ZSTD : CHUNK_STORED;
    const guint8 *bytes = entry->packing == CHUNK_ZSTD ? builder->stored->data : raw->data;
    entry->stored_size = entry->packing == CHUNK_ZSTD ? (uint32_t)size : raw->len;
    entry->crc = (uint32_t)crc32_z(0, bytes, entry->stored_size);
    g_byte_array_append(data, bytes, entry->stored_size);
}

/* Rows are deleted because their chunk exists: so the chunk is read back first. */
static gboolean verify(ChunkBuilder *builder, const GByteArray *bytes, GError **error)
{
    g_autoptr(Chunk) chunk = chunk_open(builder->type->kind, bytes->data, bytes->len, error);
    if (chunk == NULL)
        return FALSE;
    g_autofree uint64_t *known = g_new(uint64_t, CHUNK_ROWS);
    for (unsigned c = 0; c < builder->type->n_columns; c++) {
        void *storage[64] = {NULL};
        storage[c] = builder->ints;
        if (!chunk_decode(chunk, UINT64_C(1) << c, storage, known, error))
            return FALSE;
        gboolean text = builder->type->columns[c].type == COLUMN_TEXT;
        for (size_t i = 0; i < builder->n; i++) {
            uint64_t bit = UINT64_C(1) << c;
            if ((known[i] & bit) != (builder->known[i] & bit) ||
                ((known[i] & bit) != 0 &&
                 (text ? strcmp(((const char **)storage[c])[i],
                                ((const char **)builder->values[c])[i]) != 0
                       : memcmp((int64_t *)storage[c] + i, (int64_t *)builder->values[c] + i,
                                sizeof(int64_t)) != 0))) {
                g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED,
                            "a chunk of %s does not give its rows back (column %s, row %zu)",
                            builder->type->table, builder->type->columns[c].name, i);
                return FALSE;
            }
        }
    }
    return TRUE;
}

GByteArray *chunk_builder_finish(ChunkBuilder *builder, GError **error)
{
    g_assert(builder->n > 0);
    g_autoptr(GByteArray) directory = g_byte_array_new();
    g_autoptr(GByteArray) data = g_byte_array_new();
    unsigned n_entries = 0;
    for (unsigned c = 0; c < builder->type->n_columns; c++) {
        ChunkEntry entry = {0};
        g_byte_array_set_size(builder->raw, 0);
        entry.known = append_bitmap(builder, c);
        if (entry.known == 0)
            continue;
        const RecordColumn *column = &builder->type->columns[c];
        entry.type = (uint8_t)column->type;
        if (column->type == COLUMN_INT)
            encode_int(builder, c, &entry);
        else if (column->type == COLUMN_REAL)
            encode_real(builder, c, &entry);
        else
            encode_words(builder, c, &entry);
        store(builder, &entry, data);
        chunk_entry_append(directory, column->name, &entry);
        n_entries++;
    }
    g_autoptr(GByteArray) chunk =
        g_byte_array_sized_new(CHUNK_HEADER_SIZE + directory->len + data->len);
    guint8 header[CHUNK_HEADER_SIZE];
    memcpy(header, CHUNK_MAGIC, 4);
    chunk_put_u32(header + 4, (uint32_t)builder->n);
    chunk_put_u32(header + 8, n_entries);
    chunk_put_u32(header + 12, directory->len);
    chunk_put_u32(header + 16,
                  (uint32_t)crc32_z(crc32_z(0, header, 16), directory->data, directory->len));
    g_byte_array_append(chunk, header, sizeof header);
    g_byte_array_append(chunk, directory->data, directory->len);
    g_byte_array_append(chunk, data->data, data->len);
    gboolean fine = verify(builder, chunk, error);
    builder->n = 0;
    g_string_chunk_clear(builder->text);
    return fine ? g_steal_pointer(&chunk) : NULL;
}
