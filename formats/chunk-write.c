/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk-builder.h"

#include "formats/chunk-codec.h"
#include "formats/chunk-layout.h"

#include <math.h>
#include <zlib.h>

/* zstd of a few kilobytes of byte planes: higher levels cost twice the time for 1 % of the size. */
enum { ZSTD_LEVEL = 3 };

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

void chunk_builder_add_from(ChunkBuilder *builder, const Batch *batch, size_t i)
{
    g_assert(builder->n < CHUNK_ROWS);
    uint64_t known = batch->known[i];
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
}

size_t chunk_builder_rows(const ChunkBuilder *builder)
{
    return builder->n;
}

gint64 chunk_builder_first_ns(const ChunkBuilder *builder)
{
    return builder->values[builder->time_column][0];
}

gint64 chunk_builder_last_ns(const ChunkBuilder *builder)
{
    return builder->values[builder->time_column][builder->n - 1];
}

/* Appends which rows have a value: as runs, or as a bitmap where those were many. Returns their
 * number. */
static uint32_t append_holes(ChunkBuilder *builder, unsigned c)
{
    const uint64_t *known = builder->known;
    const size_t n = builder->n;
    uint32_t count = 0;
    size_t changes = (known[0] >> c & 1U) == 0; /* runs begin with rows that have one */
    for (size_t i = 0; i < n; i++) {
        count += (uint32_t)(known[i] >> c & 1U);
        changes += i > 0 && ((known[i] ^ known[i - 1]) >> c & 1U) != 0;
    }
    /* a run takes one or two bytes; of a bitmap with few changes little is left when packed */
    const gboolean as_runs = changes < 4 + n / 64;
    uint8_t size[CODEC_MAX_VARINT];
    g_byte_array_append(builder->raw, size,
                        (guint)codec_put_varint(size, as_runs ? changes + 1 : 0));
    if (!as_runs) {
        guint start = builder->raw->len;
        g_byte_array_set_size(builder->raw, start + (guint)((n + 7) / 8));
        uint8_t *bits = builder->raw->data + start;
        memset(bits, 0, builder->raw->len - start);
        for (size_t i = 0; i < n; i++)
            bits[i / 8] = (uint8_t)(bits[i / 8] | (known[i] >> c & 1U) << (i % 8));
        return count;
    }
    uint64_t has = 1;
    for (size_t i = 0; i < n; has ^= 1U) {
        size_t end = i;
        while (end < n && (known[end] >> c & 1U) == has)
            end++;
        g_byte_array_append(builder->raw, size, (guint)codec_put_varint(size, end - i));
        i = end;
    }
    return count;
}

/* Copies what the rows with a value hold in column c, as 64-bit numbers. Returns their number. */
static size_t gather_known(ChunkBuilder *builder, unsigned c, gboolean everywhere)
{
    const int64_t *values = builder->values[c];
    if (everywhere) {
        memcpy(builder->ints, values, builder->n * sizeof *values);
        return builder->n;
    }
    size_t n = 0;
    for (size_t i = 0; i < builder->n; i++) {
        builder->ints[n] = values[i];
        n += builder->known[i] >> c & 1U;
    }
    return n;
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

static void encode_int(ChunkBuilder *builder, unsigned c, gboolean everywhere, ChunkEntry *entry)
{
    const int64_t *times = builder->values[builder->time_column];
    const char *name = builder->type->columns[c].name;
    size_t n = gather_known(builder, c, everywhere);
    int64_t *ints = builder->ints;
    entry->min.i = INT64_MAX;
    entry->max.i = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        entry->min.i = MIN(entry->min.i, ints[i]);
        entry->max.i = MAX(entry->max.i, ints[i]);
    }
    /* Other times of the same record lie close to its time. */
    entry->relative = (int)c != builder->time_column && g_str_has_suffix(name, "_ns") &&
                      strcmp(name, "duration_ns") != 0 && strcmp(name, "step_ns") != 0;
    for (size_t i = 0, at = 0; entry->relative && i < builder->n; i++)
        if ((builder->known[i] >> c & 1U) != 0) {
            ints[at] = (int64_t)((uint64_t)ints[at] - (uint64_t)times[i]);
            at++;
        }
    append_packed(builder, n, entry);
}

static double real_of(int64_t bits)
{
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Whole numbers up to 2^51 as doubles: adding 1.5 * 2^52 rounds to whole and leaves the number in
 * the low bits, without a call and in vector instructions. */
#define WHOLE_LIMIT 2251799813685248.0 /* 2^51 */
#define WHOLE_MAGIC 6755399441055744.0 /* 1.5 * 2^52 */

static gboolean exact_with(const int64_t *bits, size_t n, double power)
{
    for (size_t i = 0; i < n; i++) {
        double v = real_of(bits[i]);
        if ((v * power + WHOLE_MAGIC - WHOLE_MAGIC) / power != v)
            return FALSE;
    }
    return TRUE;
}

/* How many decimals write these values so that dividing the integer by 10^decimals gives the same
 * double again; CHUNK_RAW_REAL if none does. */
static uint8_t decimals_of(const int64_t *bits, size_t n, double largest)
{
    for (unsigned decimals = 0; decimals <= CHUNK_MAX_DECIMALS; decimals++) {
        double power = chunk_power10[decimals];
        if (!(largest * power < WHOLE_LIMIT))
            break;
        if (exact_with(bits, n, power))
            return (uint8_t)decimals;
    }
    return CHUNK_RAW_REAL;
}

static void encode_real(ChunkBuilder *builder, unsigned c, gboolean everywhere, ChunkEntry *entry)
{
    size_t n = gather_known(builder, c, everywhere);
    int64_t *ints = builder->ints;
    double low = INFINITY;
    double high = -INFINITY;
    gboolean whole = TRUE; /* no value that an integer cannot stand for: NaN and -0 */
    for (size_t i = 0; i < n; i++) {
        double v = real_of(ints[i]);
        low = v < low ? v : low;
        high = v > high ? v : high;
        whole = whole && !isnan(v) && ints[i] != INT64_MIN;
    }
    entry->min.r = low;
    entry->max.r = high;
    entry->decimals =
        whole ? decimals_of(ints, n, fmax(fabs(low), fabs(high))) : (uint8_t)CHUNK_RAW_REAL;
    if (entry->decimals != CHUNK_RAW_REAL) {
        double power = chunk_power10[entry->decimals];
        double magic = WHOLE_MAGIC;
        int64_t magic_bits = 0;
        memcpy(&magic_bits, &magic, sizeof magic_bits);
        for (size_t i = 0; i < n; i++) {
            double sum = real_of(ints[i]) * power + WHOLE_MAGIC;
            int64_t sum_bits = 0;
            memcpy(&sum_bits, &sum, sizeof sum_bits);
            ints[i] = sum_bits - magic_bits;
        }
    }
    append_packed(builder, n, entry);
}

/* Words in order of their first use; then a code for each row. */
static void encode_words(ChunkBuilder *builder, unsigned c, gboolean everywhere, ChunkEntry *entry)
{
    const RecordColumn *column = &builder->type->columns[c];
    g_autoptr(GHashTable) codes = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GByteArray) words = g_byte_array_new();
    size_t n = gather_known(builder, c, everywhere);
    int64_t previous = 0;
    int64_t code = -1;
    for (size_t i = 0; i < n; i++) {
        int64_t value = builder->ints[i]; /* number of an enumeration, or a text's address */
        if (value != previous || code < 0) {
            const char *word = column->type == COLUMN_ENUM ? record_enum_name(column, (int)value)
                                                           : (const char *)(intptr_t)value;
            gpointer found = NULL;
            if (g_hash_table_lookup_extended(codes, word, NULL, &found)) {
                code = GPOINTER_TO_INT(found);
            } else {
                code = (int64_t)g_hash_table_size(codes);
                g_hash_table_insert(codes, (gpointer)(uintptr_t)word, GINT_TO_POINTER((int)code));
                g_assert(word != NULL); /* only known values were gathered */
                g_byte_array_append(words, (const guint8 *)word, (guint)strlen(word) + 1);
            }
            previous = value;
        }
        builder->ints[i] = code;
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

static gboolean is_same(ChunkBuilder *builder, unsigned c, const int64_t *back,
                        const uint64_t *known, size_t *row)
{
    const int64_t *values = builder->values[c];
    gboolean text = builder->type->columns[c].type == COLUMN_TEXT;
    for (size_t i = 0; i < builder->n; i++) {
        *row = i;
        if (((builder->known[i] ^ known[i]) >> c & 1U) != 0)
            return FALSE;
        gboolean has = (known[i] >> c & 1U) != 0;
        if (has &&
            (text ? strcmp((const char *)(intptr_t)back[i], (const char *)(intptr_t)values[i]) != 0
                  : back[i] != values[i]))
            return FALSE;
    }
    return TRUE;
}

/* Rows are deleted because their chunk exists: so the chunk is read back first. */
static gboolean verify(ChunkBuilder *builder, const GByteArray *bytes, uint64_t somewhere,
                       GError **error)
{
    g_autoptr(Chunk) chunk = chunk_open(builder->type->kind, bytes->data, bytes->len, error);
    if (chunk == NULL)
        return FALSE;
    chunk_take_scratch(chunk, builder->checked);
    uint64_t *known = (uint64_t *)(void *)builder->packed;
    for (unsigned c = 0; c < builder->type->n_columns; c++) {
        void *storage[64] = {NULL};
        storage[c] = builder->ints;
        gboolean wanted = (somewhere >> c & 1U) != 0;
        size_t row = 0;
        if (wanted && !chunk_decode(chunk, UINT64_C(1) << c, storage, known, error))
            return FALSE;
        if (wanted != (chunk_column(chunk, c) != NULL) ||
            (wanted && !is_same(builder, c, builder->ints, known, &row))) {
            g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED,
                        "a chunk of %s does not give its rows back (column %s, row %zu)",
                        builder->type->table, builder->type->columns[c].name, row);
            return FALSE;
        }
    }
    g_clear_pointer(&builder->checked, chunk_free);
    builder->checked = g_steal_pointer(&chunk);
    return TRUE;
}

/* Encodes column c, which has a value in some row, into the directory and the data. */
static void encode_column(ChunkBuilder *builder, unsigned c, gboolean everywhere)
{
    const RecordColumn *column = &builder->type->columns[c];
    ChunkEntry entry = {.type = (uint8_t)column->type, .known = (uint32_t)builder->n};
    g_byte_array_set_size(builder->raw, 0);
    if (!everywhere)
        entry.known = append_holes(builder, c);
    if (column->type == COLUMN_INT)
        encode_int(builder, c, everywhere, &entry);
    else if (column->type == COLUMN_REAL)
        encode_real(builder, c, everywhere, &entry);
    else
        encode_words(builder, c, everywhere, &entry);
    store(builder, &entry, builder->data);
    chunk_entry_append(builder->directory, c, &entry, (uint32_t)builder->n);
}

GByteArray *chunk_builder_finish(ChunkBuilder *builder, GError **error)
{
    g_assert(builder->n > 0);
    GByteArray *directory = builder->directory;
    GByteArray *data = builder->data;
    g_byte_array_set_size(directory, 0);
    g_byte_array_set_size(data, 0);
    uint64_t somewhere = 0;
    uint64_t everywhere = UINT64_MAX;
    for (size_t i = 0; i < builder->n; i++) {
        somewhere |= builder->known[i];
        everywhere &= builder->known[i];
    }
    for (unsigned c = 0; c < builder->type->n_columns; c++)
        if ((somewhere >> c & 1U) != 0)
            encode_column(builder, c, (everywhere >> c & 1U) != 0);
    g_autoptr(GByteArray) chunk =
        g_byte_array_sized_new(CHUNK_HEADER_SIZE + directory->len + data->len);
    guint8 header[CHUNK_HEADER_SIZE];
    memcpy(header, CHUNK_MAGIC, 4);
    chunk_put_u32(header + 4, (uint32_t)builder->n);
    chunk_put_u32(header + 8, (uint32_t)__builtin_popcountll(somewhere));
    chunk_put_u32(header + 12, directory->len);
    chunk_put_u32(header + 16,
                  (uint32_t)crc32_z(crc32_z(0, header, 16), directory->data, directory->len));
    g_byte_array_append(chunk, header, sizeof header);
    g_byte_array_append(chunk, directory->data, directory->len);
    g_byte_array_append(chunk, data->data, data->len);
    gboolean fine = verify(builder, chunk, somewhere, error);
    chunk_builder_clear(builder);
    return fine ? g_steal_pointer(&chunk) : NULL;
}
