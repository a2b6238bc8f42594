/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk.h"

#include "formats/chunk-codec.h"
#include "formats/chunk-layout.h"
#include "formats/row-bits.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct Chunk {
    const RecordType *type;
    int version; /* of the chunk: 1 or 2 */
    gboolean bare;
    int time_column;
    size_t n;
    const guint8 *data; /* after the directory */
    gsize data_size;
    ChunkEntry entries[64]; /* by column */
    ChunkColumnInfo infos[64];
    uint64_t present;
    uint8_t *raw;
    gsize raw_size;
    uint64_t *bits; /* of the column at hand, where some row has no value */
    int64_t *times; /* of all rows, when another column is relative to them */
    GPtrArray *words;
    ZSTD_DCtx *zstd;
};

static gboolean damaged(GError **error, const char *what, const char *column)
{
    g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED, "%s%s%s", what,
                column != NULL ? " in column " : "", column != NULL ? column : "");
    return FALSE;
}

/* Largest size that a column of n rows can honestly have unpacked: bitmap and the byte before it,
 * dictionary, numbers. */
static gsize raw_limit(size_t n, gboolean words)
{
    return 1 + (n + 7) / 8 + 8 * n + (words ? 4 + (gsize)CHUNK_MAX_WORDS_SIZE : 0);
}

static gboolean check_entry(const Chunk *chunk, const RecordColumn *column, const ChunkEntry *entry,
                            GError **error)
{
    gboolean words = column->type == COLUMN_TEXT || column->type == COLUMN_ENUM;
    if (entry->type != (uint8_t)column->type)
        return damaged(error, "another type than expected", column->name);
    if (entry->known == 0 || entry->known > chunk->n)
        return damaged(error, "a wrong count", column->name);
    if (entry->offset > chunk->data_size || entry->stored_size > chunk->data_size - entry->offset)
        return damaged(error, "data beyond the end", column->name);
    if (entry->raw_size > raw_limit(chunk->n, words) || entry->packing > CHUNK_ZSTD ||
        (entry->packing == CHUNK_STORED && entry->raw_size != entry->stored_size))
        return damaged(error, "an impossible size", column->name);
    if (entry->width > 8 || entry->scale < 1 ||
        entry->layout > (chunk->version == 1 ? CODEC_DELTA : CODEC_JUMPS) ||
        entry->relative > (column->type == COLUMN_INT && strcmp(column->name, "time_ns") != 0) ||
        (column->type == COLUMN_REAL && entry->decimals > CHUNK_MAX_DECIMALS &&
         entry->decimals != CHUNK_RAW_REAL))
        return damaged(error, "an unknown encoding", column->name);
    return TRUE;
}

static gboolean add_entry(Chunk *chunk, unsigned c, const ChunkEntry *entry, GError **error)
{
    if ((chunk->present >> c & 1U) != 0)
        return damaged(error, "two entries", chunk->type->columns[c].name);
    if (!check_entry(chunk, &chunk->type->columns[c], entry, error))
        return FALSE;
    chunk->entries[c] = *entry;
    chunk->present |= UINT64_C(1) << c;
    ChunkColumnInfo *info = &chunk->infos[c];
    info->column = c;
    info->known = entry->known;
    info->min.i = entry->min.i;
    info->max.i = entry->max.i;
    return TRUE;
}

static gboolean read_directory(Chunk *chunk, const guint8 *directory, gsize size, guint n_entries,
                               GError **error)
{
    gsize position = 0;
    ChunkEntry entry = {0};
    for (guint e = 0; e < n_entries; e++) {
        unsigned c = 0;
        entry.offset += entry.stored_size;
        if (!chunk_entry_read(directory, size, &position, (uint32_t)chunk->n, chunk->bare, &c,
                              &entry))
            return damaged(error, "the directory is cut short", NULL);
        /* a column with a higher number is one of a later program */
        if (c < chunk->type->n_columns && !add_entry(chunk, c, &entry, error))
            return FALSE;
    }
    /* no checksum says where a bare chunk ends */
    if (chunk->bare && (gsize)entry.offset + entry.stored_size != chunk->data_size)
        return damaged(error, "another size than its columns", NULL);
    return position == size || damaged(error, "the directory is too long", NULL);
}

static gboolean read_directory_1(Chunk *chunk, const guint8 *directory, gsize size, guint n_entries,
                                 GError **error)
{
    gsize position = 0;
    for (guint e = 0; e < n_entries; e++) {
        const guint8 *name = NULL;
        uint8_t length = 0;
        ChunkEntry entry;
        if (!chunk_entry_read_1(directory, size, &position, &name, &length, &entry))
            return damaged(error, "the directory is cut short", NULL);
        for (unsigned c = 0; c < chunk->type->n_columns; c++) {
            const char *known = chunk->type->columns[c].name;
            if (strlen(known) == length && memcmp(known, name, length) == 0 &&
                !add_entry(chunk, c, &entry, error))
                return FALSE;
        }
    }
    return TRUE;
}

static int version_of(const guint8 *bytes, gsize length, gboolean bare)
{
    if (bare)
        return length >= CHUNK_BARE_HEADER_SIZE && memcmp(bytes, CHUNK_MAGIC_BARE, 4) == 0 ? 2 : 0;
    if (length < CHUNK_HEADER_SIZE)
        return 0;
    return memcmp(bytes, CHUNK_MAGIC, 4) == 0 ? 2 : memcmp(bytes, CHUNK_MAGIC_1, 4) == 0 ? 1 : 0;
}

static Chunk *open_form(RecordKind kind, const guint8 *bytes, gsize length, gboolean bare,
                        GError **error)
{
    g_autoptr(Chunk) chunk = g_new0(Chunk, 1);
    const gsize header_size = bare ? CHUNK_BARE_HEADER_SIZE : CHUNK_HEADER_SIZE;
    chunk->bare = bare;
    chunk->version = version_of(bytes, length, bare);
    if (chunk->version == 0) {
        damaged(error, "not a chunk", NULL);
        return NULL;
    }
    chunk->type = record_type(kind);
    chunk->n = chunk_get_u32(bytes + 4);
    guint n_entries = chunk_get_u32(bytes + 8);
    gsize directory_size = chunk_get_u32(bytes + 12);
    if (chunk->n == 0 || chunk->n > CHUNK_ROWS || directory_size > length - header_size) {
        damaged(error, "an impossible number of rows or a directory beyond the end", NULL);
        return NULL;
    }
    const guint8 *directory = bytes + header_size;
    uLong crc = bare ? 0 : crc32_z(crc32_z(0, bytes, 16), directory, directory_size);
    if (!bare && (uint32_t)crc != chunk_get_u32(bytes + 16)) {
        damaged(error, "the checksum of the directory is wrong", NULL);
        return NULL;
    }
    chunk->data = directory + directory_size;
    chunk->data_size = length - header_size - directory_size;
    if (!(chunk->version == 1 ? read_directory_1 : read_directory)(chunk, directory, directory_size,
                                                                   n_entries, error))
        return NULL;
    chunk->time_column = -1;
    for (unsigned c = 0; c < chunk->type->n_columns; c++)
        if (strcmp(chunk->type->columns[c].name, "time_ns") == 0)
            chunk->time_column = (int)c;
    if (chunk->time_column < 0 || chunk_column(chunk, (unsigned)chunk->time_column) == NULL ||
        chunk->entries[chunk->time_column].known != chunk->n) {
        damaged(error, "rows without a time", NULL);
        return NULL;
    }
    return g_steal_pointer(&chunk);
}

Chunk *chunk_open(RecordKind kind, const guint8 *bytes, gsize length, GError **error)
{
    return open_form(kind, bytes, length, FALSE, error);
}

Chunk *chunk_open_bare(RecordKind kind, const guint8 *bytes, gsize length, GError **error)
{
    return open_form(kind, bytes, length, TRUE, error);
}

void chunk_free(Chunk *chunk)
{
    if (chunk == NULL)
        return;
    g_free(chunk->raw);
    g_free(chunk->bits);
    g_free(chunk->times);
    if (chunk->words != NULL)
        g_ptr_array_unref(chunk->words);
    (void)ZSTD_freeDCtx(chunk->zstd);
    g_free(chunk);
}

void chunk_take_scratch(Chunk *chunk, Chunk *from)
{
    if (from == NULL || chunk->zstd != NULL)
        return;
    chunk->zstd = g_steal_pointer(&from->zstd);
    chunk->raw = g_steal_pointer(&from->raw);
    chunk->raw_size = from->raw_size;
    from->raw_size = 0;
}

size_t chunk_rows(const Chunk *chunk)
{
    return chunk->n;
}

const ChunkColumnInfo *chunk_column(const Chunk *chunk, unsigned column)
{
    return (chunk->present >> column & 1U) != 0 ? &chunk->infos[column] : NULL;
}

/* The column's bytes, unpacked and checked. Returns NULL on damage. */
static const uint8_t *unpack(Chunk *chunk, unsigned c, GError **error)
{
    const ChunkEntry *entry = &chunk->entries[c];
    const char *name = chunk->type->columns[c].name;
    const guint8 *stored = chunk->data + entry->offset;
    if (!chunk->bare && (uint32_t)crc32_z(0, stored, entry->stored_size) != entry->crc) {
        damaged(error, "a wrong checksum", name);
        return NULL;
    }
    if (entry->packing == CHUNK_STORED)
        return stored;
    if (entry->raw_size == 0) {
        damaged(error, "nothing packed", name);
        return NULL;
    }
    if (chunk->raw_size < entry->raw_size) {
        g_free(chunk->raw);
        chunk->raw_size = 0;
        chunk->raw = g_try_malloc(entry->raw_size);
        if (chunk->raw == NULL) {
            damaged(error, "too large a size", name);
            return NULL;
        }
        chunk->raw_size = entry->raw_size;
    }
    if (chunk->zstd == NULL)
        chunk->zstd = ZSTD_createDCtx();
    size_t size =
        ZSTD_decompressDCtx(chunk->zstd, chunk->raw, entry->raw_size, stored, entry->stored_size);
    if (size != entry->raw_size) {
        damaged(error, "data that do not unpack", name);
        return NULL;
    }
    return chunk->raw;
}

typedef struct {
    const uint64_t *bits; /* NULL: all rows have a value */
    const uint8_t *numbers;
    gsize numbers_size;
    const uint8_t *words;
    gsize words_size;
} ColumnParts;

/* Runs of rows with and without a value, in turns. Returns the bytes read, or 0. */
static gsize read_hole_runs(Chunk *chunk, const uint8_t *raw, gsize size, uint64_t n_runs)
{
    gsize at = 0;
    size_t i = 0;
    for (uint64_t k = 0; k < n_runs; k++) {
        uint64_t run = 0;
        gsize step = codec_get_varint(raw + at, size - at, &run);
        at += step;
        if (step == 0 || run > chunk->n - i)
            return 0;
        if (k % 2 == 0)
            row_bits_fill(chunk->bits, i, i + run);
        i += run;
    }
    return i == chunk->n ? at : 0;
}

/* Which rows have a value. Returns the bytes read, or 0. */
static gsize read_holes(Chunk *chunk, const uint8_t *raw, gsize size)
{
    const gsize bitmap_size = (chunk->n + 7) / 8;
    uint64_t n_runs = 0;
    gsize at = chunk->version == 1 ? 0 : codec_get_varint(raw, size, &n_runs);
    if (chunk->version != 1 && at == 0)
        return 0;
    if (chunk->bits == NULL)
        chunk->bits = g_new(uint64_t, ROW_WORDS);
    memset(chunk->bits, 0, ROW_WORDS * sizeof *chunk->bits);
    if (n_runs > 0) {
        gsize runs_size = read_hole_runs(chunk, raw + at, size - at, n_runs);
        return runs_size > 0 ? at + runs_size : 0;
    }
    if (size - at < bitmap_size)
        return 0;
    memcpy(chunk->bits, raw + at, bitmap_size);
    for (size_t w = 0; w < ROW_WORDS; w++)
        chunk->bits[w] = GUINT64_FROM_LE(chunk->bits[w]);
    if (chunk->n % 64 != 0) /* what stands behind the last row is nothing */
        chunk->bits[chunk->n / 64] &= (UINT64_C(1) << (chunk->n % 64)) - 1;
    return at + bitmap_size;
}

static gboolean split(Chunk *chunk, unsigned c, const uint8_t *raw, ColumnParts *parts,
                      GError **error)
{
    const ChunkEntry *entry = &chunk->entries[c];
    const RecordColumn *column = &chunk->type->columns[c];
    gsize left = entry->raw_size;
    *parts = (ColumnParts){0};
    if (entry->known < chunk->n) {
        gsize size = read_holes(chunk, raw, left);
        if (size == 0)
            return damaged(error, "too few bytes", column->name);
        raw += size;
        left -= size;
        parts->bits = chunk->bits;
        if (row_bits_count(parts->bits, chunk->n) != entry->known)
            return damaged(error, "a wrong count", column->name);
    }
    if (column->type == COLUMN_TEXT || column->type == COLUMN_ENUM) {
        if (left < 4 || chunk_get_u32(raw) > left - 4)
            return damaged(error, "too few bytes", column->name);
        parts->words_size = chunk_get_u32(raw);
        parts->words = raw + 4;
        raw += 4 + parts->words_size;
        left -= 4 + parts->words_size;
        if (parts->words_size == 0 || parts->words[parts->words_size - 1] != '\0')
            return damaged(error, "a broken dictionary", column->name);
    }
    parts->numbers = raw;
    parts->numbers_size = left;
    return TRUE;
}

static gboolean translate_words(Chunk *chunk, unsigned c, const ColumnParts *parts, int64_t *values,
                                size_t n, GError **error)
{
    const RecordColumn *column = &chunk->type->columns[c];
    g_autoptr(GArray) table = g_array_new(FALSE, FALSE, sizeof(int64_t));
    if (chunk->words == NULL)
        chunk->words = g_ptr_array_new_with_free_func(g_free);
    char *copy = NULL;
    if (column->type == COLUMN_TEXT) {
        copy = g_memdup2(parts->words, parts->words_size);
        g_ptr_array_add(chunk->words, copy);
    }
    for (gsize at = 0; at < parts->words_size;) {
        const char *word = (const char *)parts->words + at;
        gsize length = strlen(word);
        int64_t value = 0;
        if (column->type == COLUMN_TEXT) {
            value = (int64_t)(intptr_t)(copy + at);
        } else {
            int found = record_enum_value(column, word, length);
            value = found < 0 ? 0 : found;
        }
        g_array_append_val(table, value);
        at += length + 1;
    }
    for (size_t i = 0; i < n; i++) {
        if ((uint64_t)values[i] >= table->len)
            return damaged(error, "a word that is not in the dictionary", column->name);
        values[i] = g_array_index(table, int64_t, (guint)values[i]);
    }
    return TRUE;
}

static void to_reals(const ChunkEntry *entry, int64_t *values, size_t n)
{
    if (entry->decimals == CHUNK_RAW_REAL)
        return; /* the bits are the value */
    double power = chunk_power10[entry->decimals];
    for (size_t i = 0; i < n; i++) {
        double real = entry->decimals == 0 ? (double)values[i] : (double)values[i] / power;
        memcpy(&values[i], &real, sizeof real);
    }
}

static gboolean decode_times(Chunk *chunk, GError **error);

static gboolean check_times(const Chunk *chunk, const int64_t *times, GError **error)
{
    for (size_t i = 1; i < chunk->n; i++)
        if (times[i] < times[i - 1])
            return damaged(error, "times that go back", "time_ns");
    return TRUE;
}

gboolean chunk_decode_column(Chunk *chunk, unsigned c, int64_t *values, const uint64_t **bits,
                             GError **error)
{
    const ChunkEntry *entry = &chunk->entries[c];
    const RecordColumn *column = &chunk->type->columns[c];
    if (entry->relative != 0 && !decode_times(chunk, error))
        return FALSE;
    const uint8_t *raw = unpack(chunk, c, error);
    ColumnParts parts;
    if (raw == NULL || !split(chunk, c, raw, &parts, error))
        return FALSE;
    CodecHeader header = {entry->layout, entry->width, entry->base, entry->scale};
    if (!codec_unpack(&header, parts.numbers, parts.numbers_size, entry->known, values))
        return damaged(error, "numbers that make no sense", column->name);
    if (column->type == COLUMN_REAL)
        to_reals(entry, values, entry->known);
    else if (column->type != COLUMN_INT &&
             !translate_words(chunk, c, &parts, values, entry->known, error))
        return FALSE;
    *bits = parts.bits;
    if (parts.bits != NULL)
        row_bits_spread(parts.bits, chunk->n, entry->known, values);
    for (size_t i = 0; entry->relative != 0 && i < chunk->n; i++)
        if (parts.bits == NULL || (parts.bits[i / 64] >> (i % 64) & 1U) != 0)
            values[i] = (int64_t)((uint64_t)values[i] + (uint64_t)chunk->times[i]);
    return (int)c != chunk->time_column || check_times(chunk, values, error);
}

static gboolean decode_times(Chunk *chunk, GError **error)
{
    if (chunk->times != NULL)
        return TRUE;
    g_autofree int64_t *times = g_new(int64_t, chunk->n);
    const uint64_t *bits = NULL;
    if (!chunk_decode_column(chunk, (unsigned)chunk->time_column, times, &bits, error))
        return FALSE;
    chunk->times = g_steal_pointer(&times);
    return TRUE;
}

gboolean chunk_decode(Chunk *chunk, uint64_t mask, void *const storage[64], uint64_t *known,
                      GError **error)
{
    uint64_t everywhere = 0;
    for (unsigned c = 0; c < chunk->type->n_columns; c++)
        if ((mask & chunk->present) >> c & 1U && storage[c] != NULL &&
            chunk->entries[c].known == chunk->n)
            everywhere |= UINT64_C(1) << c;
    for (size_t i = 0; i < chunk->n; i++)
        known[i] = everywhere;
    for (unsigned c = 0; c < chunk->type->n_columns; c++) {
        if ((mask >> c & 1U) == 0 || storage[c] == NULL)
            continue;
        if ((chunk->present >> c & 1U) == 0) {
            memset(storage[c], 0, chunk->n * sizeof(int64_t));
            continue;
        }
        const uint64_t *bits = NULL;
        if (!chunk_decode_column(chunk, c, storage[c], &bits, error))
            return FALSE;
        if (bits != NULL)
            row_bits_to_known(bits, chunk->n, c, known);
    }
    return TRUE;
}
