/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed chunk of any bytes: the first byte is the kind of record, the rest the chunk, bare or
 * not, or a pack of one. Checksums are made right first, or nothing behind them would ever be
 * reached. It opens and decodes, or says why not.
 */
#include "formats/chunk-layout.h"
#include "formats/chunk-pack.h"
#include "formats/chunk.h"

#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void repair_checksums(guint8 *bytes, size_t size)
{
    if (size < CHUNK_HEADER_SIZE)
        return;
    gsize directory_size = chunk_get_u32(bytes + 12);
    if (directory_size > size - CHUNK_HEADER_SIZE)
        return;
    guint8 *directory = bytes + CHUNK_HEADER_SIZE;
    const guint8 *stored = directory + directory_size;
    gsize left = size - CHUNK_HEADER_SIZE - directory_size;
    gsize position = 0;
    const guint8 *name = NULL;
    uint8_t name_length = 0;
    unsigned column = 0;
    ChunkEntry entry = {0};
    const gboolean old = memcmp(bytes, CHUNK_MAGIC_1, 4) == 0;
    for (;;) {
        entry.offset += entry.stored_size;
        if (!(old ? chunk_entry_read_1(directory, directory_size, &position, &name, &name_length,
                                       &entry)
                  : chunk_entry_read(directory, directory_size, &position, chunk_get_u32(bytes + 4),
                                     FALSE, &column, &entry)))
            break;
        if (entry.stored_size > 0 && entry.offset <= left &&
            entry.stored_size <= left - entry.offset)
            chunk_put_u32(directory + position - 4,
                          (uint32_t)crc32_z(0, stored + entry.offset, entry.stored_size));
    }
    chunk_put_u32(bytes + 16, (uint32_t)crc32_z(crc32_z(0, bytes, 16), directory, directory_size));
}

static void decode(Chunk *chunk, RecordKind kind)
{
    size_t rows = chunk_rows(chunk);
    g_assert_cmpuint(rows, <=, CHUNK_ROWS);
    const RecordType *type = record_type(kind);
    void *storage[64] = {NULL};
    for (unsigned c = 0; c < type->n_columns; c++)
        storage[c] = g_malloc0(MAX(rows, 1) * sizeof(int64_t));
    g_autofree uint64_t *known = g_new0(uint64_t, MAX(rows, 1));
    g_autoptr(GError) error = NULL;
    gboolean done = chunk_decode(chunk, UINT64_MAX, storage, known, &error);
    g_assert_true(done == (error == NULL));
    size_t length = 0;
    for (unsigned c = 0; done && c < type->n_columns; c++)
        for (size_t i = 0; type->columns[c].type == COLUMN_TEXT && i < rows; i++) {
            const char *text = ((const char *const *)storage[c])[i];
            g_assert_true(((known[i] >> c & 1U) != 0) == (text != NULL));
            length += text != NULL ? strlen(text) : 0;
        }
    g_assert_cmpuint(length, <, G_MAXSIZE);
    for (unsigned c = 0; c < type->n_columns; c++)
        g_free(storage[c]);
}

static gboolean begins_with(const guint8 *bytes, size_t size, const char *magic)
{
    return size >= 4 && memcmp(bytes, magic, 4) == 0;
}

static void try_chunk(RecordKind kind, const guint8 *bytes, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Chunk) chunk =
        (begins_with(bytes, size, CHUNK_MAGIC_BARE) ? chunk_open_bare : chunk_open)(kind, bytes,
                                                                                    size, &error);
    g_assert_true((chunk != NULL) == (error == NULL));
    if (chunk != NULL)
        decode(chunk, kind);
}

static void try_pack(RecordKind kind, guint8 *bytes, size_t size)
{
    if (size >= PACK_HEADER_SIZE)
        chunk_put_u32(bytes + 8, pack_checksum(bytes, size));
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) chunks = pack_open(bytes, size, &error);
    g_assert_true((chunks != NULL) == (error == NULL));
    if (chunks != NULL)
        try_chunk(kind, chunks->data, chunks->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    RecordKind kind = (RecordKind)(data[0] % RECORD_KIND_COUNT);
    g_autofree guint8 *bytes = g_memdup2(data + 1, size - 1);
    PackPlace place = {0};
    if (pack_place_read(bytes, size - 1, &place))
        g_assert_cmpint(place.pack, >=, 0);
    if (begins_with(bytes, size - 1, PACK_MAGIC)) {
        try_pack(kind, bytes, size - 1);
    } else {
        if (!begins_with(bytes, size - 1, CHUNK_MAGIC_BARE))
            repair_checksums(bytes, size - 1);
        try_chunk(kind, bytes, size - 1);
    }
    return 0;
}
