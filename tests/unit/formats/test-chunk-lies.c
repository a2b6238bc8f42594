/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks whose checksums are right but which lie: about counts, lengths, widths, sizes, words and
 * times. Each is refused with a word about what is wrong; the honest one it was made from is read.
 */
#include "formats/chunk-codec.h"
#include "formats/chunk-layout.h"
#include "formats/chunk.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { ROWS = 4, MAX_RAW = 64 };

/* A column: what the directory says, and its raw bytes. */
typedef struct {
    unsigned column;
    ChunkEntry entry;
    guint8 raw[MAX_RAW];
    guint n_raw;
} Column;

/* What a test may change. */
typedef struct {
    Column columns[4]; /* time, source, words, reals with holes */
    guint n_columns;
    uint32_t rows, entries;
    guint8 after_directory; /* bytes too many */
    guint8 numbers;         /* third byte of the last entry, if not 0 */
    gboolean bomb;          /* the words are a zstd frame of 64 MB */
} Lie;

static Lie honest(void)
{
    return (Lie){
        .columns =
            {
                {SAMPLE_COL_time_ns,
                 {.type = COLUMN_INT,
                  .layout = CODEC_DELTA,
                  .width = 1,
                  .known = ROWS,
                  .base = 1000,
                  .scale = 10,
                  .min.i = 1000,
                  .max.i = 1060},
                 {0, 4, 4, 4},
                 4},
                {SAMPLE_COL_source,
                 {.type = COLUMN_INT, .known = ROWS, .base = 1, .scale = 1, .min.i = 1, .max.i = 1},
                 {0},
                 0},
                {SAMPLE_COL_plmn,
                 {.type = COLUMN_TEXT, .layout = CODEC_RUNS, .known = ROWS, .scale = 1},
                 {4, 0, 0, 0, 'a', 0, 'b', 0, 0, 3, 2, 1},
                 12},
                {SAMPLE_COL_rsrp_dbm,
                 {.type = COLUMN_REAL,
                  .layout = CODEC_OFFSET,
                  .width = 1,
                  .decimals = 1,
                  .known = 2,
                  .base = -1000,
                  .scale = 1,
                  .min.r = -100.0,
                  .max.r = -99.9},
                 {3, 1, 2, 1, 0, 1},
                 6},
            },
        .n_columns = 4,
        .rows = ROWS,
        .entries = 4,
    };
}

static GByteArray *build(Lie *lie)
{
    g_autoptr(GByteArray) directory = g_byte_array_new();
    g_autoptr(GByteArray) data = g_byte_array_new();
    for (guint i = 0; i < lie->n_columns; i++) {
        Column *of = &lie->columns[i];
        g_autofree guint8 *bomb = NULL;
        const guint8 *bytes = of->raw;
        gsize n = of->n_raw;
        if (lie->bomb && i == 2) {
            const gsize size = 64 * 1024 * 1024;
            g_autofree guint8 *zeros = g_malloc0(size);
            n = ZSTD_compressBound(size);
            bomb = g_malloc(n);
            n = ZSTD_compress(bomb, n, zeros, size, 1);
            bytes = bomb;
        }
        if (of->entry.stored_size == 0)
            of->entry.stored_size = (uint32_t)n;
        of->entry.crc = (uint32_t)crc32_z(0, bytes, n);
        guint start = directory->len;
        chunk_entry_append(directory, of->column, &of->entry, lie->rows, FALSE);
        if (lie->numbers != 0 && i == lie->n_columns - 1)
            directory->data[start + 2] = lie->numbers;
        g_byte_array_append(data, bytes, (guint)n);
    }
    const guint8 zero = 0;
    for (guint i = 0; i < lie->after_directory; i++)
        g_byte_array_append(directory, &zero, 1);
    GByteArray *chunk = g_byte_array_new();
    guint8 header[CHUNK_HEADER_SIZE] = CHUNK_MAGIC;
    chunk_put_u32(header + 4, lie->rows);
    chunk_put_u32(header + 8, lie->entries);
    chunk_put_u32(header + 12, directory->len);
    chunk_put_u32(header + 16,
                  (uint32_t)crc32_z(crc32_z(0, header, 16), directory->data, directory->len));
    g_byte_array_append(chunk, header, sizeof header);
    g_byte_array_append(chunk, directory->data, directory->len);
    g_byte_array_append(chunk, data->data, data->len);
    return chunk;
}

/* NULL: read. Else the words of the refusal. */
static char *read_chunk(const GByteArray *bytes)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Chunk) chunk = chunk_open(RECORD_SAMPLE, bytes->data, bytes->len, &error);
    void *storage[64] = {NULL};
    uint64_t known[CHUNK_ROWS];
    gboolean fine = chunk != NULL;
    for (unsigned c = 0; fine && c < SAMPLE_COL_COUNT; c++)
        storage[c] = g_new(int64_t, chunk_rows(chunk));
    fine = fine && chunk_decode(chunk, UINT64_MAX, storage, known, &error);
    if (fine) {
        const double *levels = storage[SAMPLE_COL_rsrp_dbm];
        const char *const *words = storage[SAMPLE_COL_plmn];
        g_assert_cmpint(((const int64_t *)storage[SAMPLE_COL_time_ns])[3], ==, 1060);
        g_assert_cmpstr(words[3], ==, "b");
        g_assert_true((known[0] & RECORD_BIT(SAMPLE, rsrp_dbm)) != 0 && levels[0] == -100.0);
        g_assert_true((known[1] & RECORD_BIT(SAMPLE, rsrp_dbm)) == 0);
        g_assert_true((known[3] & RECORD_BIT(SAMPLE, rsrp_dbm)) != 0 && levels[3] == -99.9);
    }
    for (unsigned c = 0; c < 64; c++)
        g_free(storage[c]);
    g_assert_true(fine == (error == NULL));
    if (!fine)
        g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED);
    return fine ? NULL : g_strdup(error->message);
}

static void expect(Lie lie, const char *wanted)
{
    g_autoptr(GByteArray) bytes = build(&lie);
    g_autofree char *said = read_chunk(bytes);
    g_assert_cmpstr(said, ==, wanted);
}

#define LIE(change, wanted)                                                                        \
    do {                                                                                           \
        Lie lie = honest();                                                                        \
        Column *time = &lie.columns[0], *source = &lie.columns[1], *words = &lie.columns[2],       \
               *levels = &lie.columns[3];                                                          \
        (void)time, (void)source, (void)words, (void)levels;                                       \
        change;                                                                                    \
        expect(lie, wanted);                                                                       \
    } while (0)

#define NO_ROWS "an impossible number of rows or a directory beyond the end"

static void test_counts(void)
{
    expect(honest(), NULL);
    LIE(lie.rows = 0, NO_ROWS);
    LIE(lie.rows = CHUNK_ROWS + 1, NO_ROWS);
    LIE(lie.rows = UINT32_MAX, NO_ROWS);
    LIE(lie.rows = ROWS + 1, "rows without a time");
    LIE(lie.entries = 5, "the directory is cut short");
    LIE(lie.entries = UINT32_MAX, "the directory is cut short");
    LIE(lie.entries = 3, "the directory is too long");
    LIE(lie.after_directory = 1, "the directory is too long");
    LIE(levels->entry.known = 3, "a wrong count in column rsrp_dbm");
    LIE(levels->entry.known = 0, "a wrong count in column rsrp_dbm");
    LIE(levels->raw[0] = 2, "too few bytes in column rsrp_dbm");
    LIE(levels->raw[2] = 9, "too few bytes in column rsrp_dbm");
    LIE(levels->raw[0] = 0, "a wrong count in column rsrp_dbm");
    LIE((lie.n_columns = lie.entries = 1, time->entry.type = COLUMN_REAL),
        "another type than expected in column time_ns");
    LIE((time->entry.known = 3, time->n_raw = 3), "rows without a time");
    LIE((lie.n_columns = lie.entries = 1, *time = *source), "rows without a time");
    LIE(levels->column = SAMPLE_COL_source, "two entries in column source");
    /* a column of a later program is passed over */
    LIE((lie.columns[1].column = 200, lie.columns[1].entry.layout = 7), NULL);
}

static void test_sizes(void)
{
    LIE(time->entry.width = 2, "numbers that make no sense in column time_ns");
    LIE(time->entry.width = 9, "an unknown encoding in column time_ns");
    LIE(time->entry.scale = 0, "an unknown encoding in column time_ns");
    LIE(time->entry.scale = -1, "an unknown encoding in column time_ns");
    LIE(time->entry.layout = 5, "an unknown encoding in column time_ns");
    LIE(time->entry.relative = 1, "an unknown encoding in column time_ns");
    LIE(words->entry.relative = 1, "an unknown encoding in column plmn");
    LIE(lie.numbers = 10 << 4 | 1, "an unknown encoding in column rsrp_dbm");
    LIE(time->n_raw = 3, "numbers that make no sense in column time_ns");
    LIE(levels->n_raw = 5, "numbers that make no sense in column rsrp_dbm");
    LIE(levels->entry.stored_size = 7, "data beyond the end in column rsrp_dbm");
    LIE(levels->entry.stored_size = UINT32_MAX, "the directory is cut short");
    LIE((words->entry.packing = CHUNK_ZSTD, words->entry.raw_size = 12),
        "data that do not unpack in column plmn");
    LIE((words->entry.packing = CHUNK_ZSTD, words->entry.raw_size = 0),
        "nothing packed in column plmn");
    LIE((words->entry.packing = CHUNK_ZSTD, words->entry.raw_size = UINT32_MAX),
        "an impossible size in column plmn");
    /* A frame whose head tells of 2^40 bytes, and which is a block of the same byte again and again
     * (RFC 8878, 3.1.1). */
    static const guint8 terabyte[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0,    0,    0, 0,
                                      0,    1,    0,    0,    0xfb, 0xff, 0x0f, 0};
    LIE((memcpy(words->raw, terabyte, sizeof terabyte), words->n_raw = sizeof terabyte,
         words->entry.packing = CHUNK_ZSTD, words->entry.raw_size = 1000),
        "data that do not unpack in column plmn");
    /* 64 MB in some kilobytes: not more is unpacked than was said, nor said than there can be */
    LIE((lie.bomb = TRUE, words->entry.packing = CHUNK_ZSTD, words->entry.raw_size = 1000),
        "data that do not unpack in column plmn");
    LIE((lie.bomb = TRUE, words->entry.packing = CHUNK_ZSTD,
         words->entry.raw_size = 64 * 1024 * 1024),
        "an impossible size in column plmn");
}

static void test_values(void)
{
    LIE(time->raw[2] = 5, "times that go back in column time_ns");
    LIE(words->raw[0] = 200, "too few bytes in column plmn");
    LIE(words->raw[7] = 'c', "a broken dictionary in column plmn");
    LIE((words->raw[0] = 0, memset(words->raw + 4, 0, 8)), "a broken dictionary in column plmn");
    LIE(words->raw[10] = 4, "a word that is not in the dictionary in column plmn");
    LIE(words->raw[10] = 1, "a word that is not in the dictionary in column plmn");
    LIE(words->raw[9] = 0, "numbers that make no sense in column plmn");
    LIE(words->raw[9] = 4, "numbers that make no sense in column plmn");
    LIE(words->raw[11] = 2, "numbers that make no sense in column plmn");
    LIE(words->n_raw = 10, "numbers that make no sense in column plmn");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chunk-lies/counts", test_counts);
    g_test_add_func("/chunk-lies/sizes", test_sizes);
    g_test_add_func("/chunk-lies/values", test_values);
    return g_test_run();
}
