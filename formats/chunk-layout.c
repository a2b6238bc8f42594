/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk-layout.h"

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

void chunk_entry_append(GByteArray *directory, const char *name, const ChunkEntry *entry)
{
    guint8 bytes[CHUNK_ENTRY_SIZE] = {entry->type,     entry->layout,   entry->width,
                                      entry->decimals, entry->relative, entry->packing};
    chunk_put_u32(bytes + 6, entry->known);
    put_64(bytes + 10, (uint64_t)entry->base);
    put_64(bytes + 18, (uint64_t)entry->scale);
    put_64(bytes + 26, (uint64_t)entry->min.i);
    put_64(bytes + 34, (uint64_t)entry->max.i);
    chunk_put_u32(bytes + 42, entry->offset);
    chunk_put_u32(bytes + 46, entry->stored_size);
    chunk_put_u32(bytes + 50, entry->raw_size);
    chunk_put_u32(bytes + 54, entry->crc);
    guint8 length = (guint8)strlen(name);
    g_byte_array_append(directory, &length, 1);
    g_byte_array_append(directory, (const guint8 *)name, length);
    g_byte_array_append(directory, bytes, sizeof bytes);
}

gboolean chunk_entry_read(const guint8 *directory, gsize size, gsize *position, const guint8 **name,
                          uint8_t *name_length, ChunkEntry *entry)
{
    if (*position >= size)
        return FALSE;
    *name_length = directory[*position];
    *name = directory + *position + 1;
    if (size - *position - 1 < (gsize)*name_length + CHUNK_ENTRY_SIZE)
        return FALSE;
    const guint8 *bytes = *name + *name_length;
    *entry = (ChunkEntry){
        .type = bytes[0],
        .layout = bytes[1],
        .width = bytes[2],
        .decimals = bytes[3],
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
    *position += 1 + (gsize)*name_length + CHUNK_ENTRY_SIZE;
    return TRUE;
}
