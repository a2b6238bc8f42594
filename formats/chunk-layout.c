/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk-layout.h"

#include "formats/chunk-codec.h"
#include "formats/records.h"

#include <math.h>
#include <string.h>

const double chunk_power10[CHUNK_MAX_DECIMALS + 1] = {1e0, 1e1, 1e2, 1e3, 1e4,
                                                      1e5, 1e6, 1e7, 1e8, 1e9};

void chunk_put_u32(guint8 *bytes, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(bytes, &value, 4);
}

uint32_t chunk_get_u32(const guint8 *bytes)
{
    uint32_t value = 0;
    memcpy(&value, bytes, 4);
    return GUINT32_FROM_LE(value);
}

static void put_64(guint8 *bytes, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    memcpy(bytes, &value, 8);
}

static uint64_t get_64(const guint8 *bytes)
{
    uint64_t value = 0;
    memcpy(&value, bytes, 8);
    return GUINT64_FROM_LE(value);
}

/* ---- version 2 ---- */

enum {
    FORM_LAYOUT = 7, /* bits of the second byte of an entry */
    FORM_ZSTD = 1 << 3,
    FORM_RELATIVE = 1 << 4,
    FORM_HOLES = 1 << 5,
    FORM_TYPE_SHIFT = 6,
};

static gboolean is_number(const ChunkEntry *entry)
{
    return entry->type == COLUMN_INT || entry->type == COLUMN_REAL;
}

static gboolean is_raw_real(const ChunkEntry *entry)
{
    return entry->type == COLUMN_REAL && entry->decimals == CHUNK_RAW_REAL;
}

/* Whether minimum and maximum are `base` anyway. */
static gboolean is_one_value(const ChunkEntry *entry)
{
    return entry->layout == CODEC_CONSTANT && entry->relative == 0;
}

/* The integer that stands for a real with decimals, and back. */
static int64_t whole_of(const ChunkEntry *entry, double value)
{
    return (int64_t)llround(value * chunk_power10[entry->decimals]);
}

static double real_of(const ChunkEntry *entry, int64_t whole)
{
    return (double)whole / chunk_power10[entry->decimals];
}

static void append_64(GByteArray *directory, uint64_t value)
{
    guint8 bytes[8];
    put_64(bytes, value);
    g_byte_array_append(directory, bytes, sizeof bytes);
}

static void append_varint(GByteArray *directory, uint64_t value)
{
    guint8 bytes[CODEC_MAX_VARINT];
    g_byte_array_append(directory, bytes, (guint)codec_put_varint(bytes, value));
}

static void append_range(GByteArray *directory, const ChunkEntry *entry)
{
    if (is_raw_real(entry)) {
        append_64(directory, (uint64_t)entry->min.i);
        append_64(directory, (uint64_t)entry->max.i);
    } else if (is_number(entry) && !is_one_value(entry)) {
        gboolean real = entry->type == COLUMN_REAL;
        int64_t min = real ? whole_of(entry, entry->min.r) : entry->min.i;
        int64_t max = real ? whole_of(entry, entry->max.r) : entry->max.i;
        append_varint(directory, codec_zigzag((uint64_t)min - (uint64_t)entry->base));
        append_varint(directory, (uint64_t)max - (uint64_t)min);
    }
}

void chunk_entry_append(GByteArray *directory, unsigned column, const ChunkEntry *entry,
                        uint32_t rows, gboolean bare)
{
    gboolean holes = entry->known < rows;
    gboolean packed = entry->packing == CHUNK_ZSTD;
    const guint8 head[] = {
        (guint8)column,
        (guint8)(entry->layout | (packed ? FORM_ZSTD : 0) |
                 (entry->relative != 0 ? FORM_RELATIVE : 0) | (holes ? FORM_HOLES : 0) |
                 entry->type << FORM_TYPE_SHIFT),
        (guint8)(entry->width | entry->decimals << 4),
    };
    g_byte_array_append(directory, head, sizeof head);
    if (holes)
        append_varint(directory, entry->known);
    append_varint(directory, codec_zigzag((uint64_t)entry->base));
    if (entry->layout != CODEC_CONSTANT)
        append_varint(directory, (uint64_t)entry->scale);
    append_range(directory, entry);
    append_varint(directory, entry->stored_size);
    if (packed)
        append_varint(directory, entry->raw_size);
    if (entry->stored_size > 0 && !bare) {
        guint8 crc[4];
        chunk_put_u32(crc, entry->crc);
        g_byte_array_append(directory, crc, sizeof crc);
    }
}

typedef struct {
    const guint8 *bytes;
    gsize size, at;
    gboolean failed;
} Directory;

static const guint8 *take(Directory *directory, gsize n)
{
    static const guint8 nothing[8] = {0};
    if (directory->failed || directory->size - directory->at < n) {
        directory->failed = TRUE;
        return nothing;
    }
    directory->at += n;
    return directory->bytes + directory->at - n;
}

static uint64_t take_varint(Directory *directory)
{
    uint64_t value = 0;
    size_t n = directory->failed ? 0
                                 : codec_get_varint(directory->bytes + directory->at,
                                                    directory->size - directory->at, &value);
    directory->failed = n == 0;
    directory->at += n;
    return value;
}

static uint32_t take_size(Directory *directory)
{
    uint64_t value = take_varint(directory);
    directory->failed = directory->failed || value > UINT32_MAX;
    return (uint32_t)value;
}

static void take_range(Directory *directory, ChunkEntry *entry)
{
    if (is_raw_real(entry)) {
        entry->min.i = (int64_t)get_64(take(directory, 8));
        entry->max.i = (int64_t)get_64(take(directory, 8));
        return;
    }
    if (!is_number(entry))
        return;
    int64_t min = entry->base;
    int64_t max = entry->base;
    if (!is_one_value(entry)) {
        min = (int64_t)((uint64_t)min + codec_unzigzag(take_varint(directory)));
        max = (int64_t)((uint64_t)min + take_varint(directory));
    }
    if (entry->type == COLUMN_INT) {
        entry->min.i = min;
        entry->max.i = max;
    } else if (entry->decimals <= CHUNK_MAX_DECIMALS) {
        entry->min.r = real_of(entry, min);
        entry->max.r = real_of(entry, max);
    }
}

gboolean chunk_entry_read(const guint8 *bytes, gsize size, gsize *position, uint32_t rows,
                          gboolean bare, unsigned *column, ChunkEntry *entry)
{
    Directory directory = {.bytes = bytes, .size = size, .at = *position};
    const guint8 *head = take(&directory, 3);
    uint64_t offset = entry->offset;
    *column = head[0];
    *entry = (ChunkEntry){
        .type = head[1] >> FORM_TYPE_SHIFT,
        .layout = head[1] & FORM_LAYOUT,
        .width = head[2] & 15U,
        .decimals = head[2] >> 4,
        .relative = (head[1] & FORM_RELATIVE) != 0,
        .packing = (head[1] & FORM_ZSTD) != 0 ? CHUNK_ZSTD : CHUNK_STORED,
        .known = (head[1] & FORM_HOLES) != 0 ? take_size(&directory) : rows,
        .offset = (uint32_t)offset,
        .scale = 1,
    };
    entry->base = (int64_t)codec_unzigzag(take_varint(&directory));
    if (entry->layout != CODEC_CONSTANT)
        entry->scale = (int64_t)take_varint(&directory);
    take_range(&directory, entry);
    entry->stored_size = take_size(&directory);
    entry->raw_size = entry->packing == CHUNK_ZSTD ? take_size(&directory) : entry->stored_size;
    if (entry->stored_size > 0 && !bare)
        entry->crc = chunk_get_u32(take(&directory, 4));
    *position = directory.at;
    return !directory.failed && offset + entry->stored_size <= UINT32_MAX;
}

/* ---- version 1 ---- */

enum { ENTRY_1_SIZE = 58, RAW_REAL_1 = 255 }; /* without the name */

gboolean chunk_entry_read_1(const guint8 *directory, gsize size, gsize *position,
                            const guint8 **name, uint8_t *name_length, ChunkEntry *entry)
{
    if (*position >= size)
        return FALSE;
    *name_length = directory[*position];
    *name = directory + *position + 1;
    if (size - *position - 1 < (gsize)*name_length + ENTRY_1_SIZE)
        return FALSE;
    const guint8 *bytes = *name + *name_length;
    *entry = (ChunkEntry){
        .type = bytes[0],
        .layout = bytes[1],
        .width = bytes[2],
        .decimals = bytes[3] == RAW_REAL_1 ? CHUNK_RAW_REAL : bytes[3],
        .relative = bytes[4],
        .packing = bytes[5],
        .known = chunk_get_u32(bytes + 6),
        .base = (int64_t)get_64(bytes + 10),
        .scale = (int64_t)get_64(bytes + 18),
        .offset = chunk_get_u32(bytes + 42),
        .stored_size = chunk_get_u32(bytes + 46),
        .raw_size = chunk_get_u32(bytes + 50),
        .crc = chunk_get_u32(bytes + 54),
    };
    entry->min.i = (int64_t)get_64(bytes + 26);
    entry->max.i = (int64_t)get_64(bytes + 34);
    *position += 1 + (gsize)*name_length + ENTRY_1_SIZE;
    return TRUE;
}
