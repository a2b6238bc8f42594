/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk-codec.h"
#include "formats/chunk.h"

#include <math.h>
#include <string.h>

/* ---- codec: any integers come back ---- */

static int check_codec(const int64_t *values, size_t n)
{
    g_autofree uint8_t *bytes = g_malloc(8 * n + 1);
    g_autofree int64_t *back = g_new(int64_t, n);
    CodecHeader header;
    g_autofree int64_t *copy = g_memdup2(values, n * sizeof *values);
    const CodecRange range = codec_range(values, n);
    size_t length = codec_pack(copy, n, &range, &header, bytes);
    g_assert_cmpuint(length, <=, 8 * n);
    g_assert_true(codec_unpack(&header, bytes, length, n, back));
    g_assert_true(memcmp(values, back, n * sizeof *back) == 0);
    /* a byte more or less, or a value more, is seen */
    g_assert_false(codec_unpack(&header, bytes, length + 1, n, back));
    g_autofree int64_t *longer = g_new(int64_t, n + 1);
    if (length > 0) {
        g_assert_false(codec_unpack(&header, bytes, length - 1, n, back));
        g_assert_false(codec_unpack(&header, bytes, length, n + 1, longer));
    }
    return header.layout;
}

static void test_codec_edges(void)
{
    static const int64_t rows[][4] = {
        {0, 0, 0, 0},
        {INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX},
        {INT64_MAX, INT64_MIN, 0, -1},
        {-1, 1, -1, 1},
        {0, INT64_MAX, 0, INT64_MAX},
        {1000000000, 2000000000, 3000000000, 4000000000},
        {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN + 1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        for (size_t n = 1; n <= 4; n++)
            (void)check_codec(rows[i], n);
}

static void test_codec_random(void)
{
    for (int round = 0; round < 2000; round++) {
        size_t n = (size_t)g_test_rand_int_range(1, 60);
        g_autofree int64_t *values = g_new(int64_t, n);
        int shift = g_test_rand_int_range(0, 63);
        int64_t factor = g_test_rand_int_range(1, 2000);
        int64_t walk = 0;
        for (size_t i = 0; i < n; i++) {
            uint64_t random =
                (uint64_t)(uint32_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();
            int64_t value = (int64_t)(random >> shift);
            walk = (int64_t)((uint64_t)walk + (uint64_t)g_test_rand_int_range(-3, 4));
            values[i] = round % 3 == 0 ? walk : round % 3 == 1 ? value : walk * factor;
        }
        (void)check_codec(values, n);
    }
}

/* Every layout is chosen where it belongs, at its edges too. */
static void test_codec_layouts(void)
{
    enum { N = 640 };
    int64_t values[N];
    for (int i = 0; i < N; i++)
        values[i] = i < 500 ? 7 : i < 639 ? INT64_MIN : INT64_MAX;
    g_assert_cmpint(check_codec(values, N), ==, CODEC_RUNS);
    for (int i = 0; i < N; i++)
        values[i] = i % 14 < 7 ? i / 7 : 1000;
    g_assert_cmpint(check_codec(values, N), ==, CODEC_RUNS);
    for (int i = 0; i < N; i++)
        values[i] = g_test_rand_int_range(0, 640) * INT64_C(1000003);
    g_assert_cmpint(check_codec(values, N), ==, CODEC_OFFSET);
    /* noise, and far from it a few values: the steps between them have one bit more of it */
    for (int i = 0; i < N; i++)
        values[i] = g_test_rand_int_range(0, 30000) - (i % 50 == 0 ? 20000000 : 0);
    g_assert_cmpint(check_codec(values, N), ==, CODEC_OFFSET);
    int64_t walk = 0;
    for (int i = 0; i < N; i++)
        values[i] = walk += g_test_rand_int_range(-3, 4);
    g_assert_cmpint(check_codec(values, N), ==, CODEC_DELTA);
}

/* A clock of microseconds whose offset changes now and then, in steps of any size: what the steps
 * share then, 10 here, is not what they mostly share. */
static void test_codec_jumps(void)
{
    enum { N = 640 };
    static const int64_t steps[] = {259, 10, 1234567890};
    int64_t values[N];
    for (unsigned s = 0; s < G_N_ELEMENTS(steps); s++)
        for (int jumps = 0; jumps <= N; jumps += 5) {
            int64_t offset = 0;
            for (int i = 0; i < N; i++) {
                if (jumps > 0 && i % (N / jumps) == 0)
                    offset += i % 3 == 0 ? -steps[s] : steps[s];
                values[i] = INT64_C(1748263681116000000) + i * INT64_C(100000000) +
                            g_test_rand_int_range(0, 1000) * INT64_C(1000) + offset;
            }
            int layout = check_codec(values, N);
            g_assert_cmpint(layout, ==,
                            jumps == 0    ? CODEC_DELTA
                            : jumps <= 20 ? CODEC_JUMPS
                                          : layout);
        }
}

static void test_codec_lies(void)
{
    static const struct {
        CodecHeader header;
        size_t length;
        uint8_t bytes[16];
    } rows[] = {
        {{.layout = 5, .scale = 1}, 0, {0}},
        {{.layout = CODEC_CONSTANT, .scale = 1}, 1, {0}},
        {{.layout = CODEC_OFFSET, .width = 9, .scale = 1}, 16, {0}},
        {{.layout = CODEC_OFFSET, .width = 1, .scale = 0}, 3, {0}},
        {{.layout = CODEC_OFFSET, .width = 0, .scale = 1}, 0, {0}},
        {{.layout = CODEC_DELTA, .width = 2, .scale = 1}, 5, {0}},
        {{.layout = CODEC_RUNS, .scale = 1}, 4, {0, 2, 0, 2}},              /* too many */
        {{.layout = CODEC_RUNS, .scale = 1}, 2, {0, 2}},                    /* too few */
        {{.layout = CODEC_RUNS, .scale = 1}, 4, {0, 0, 0, 3}},              /* an empty run */
        {{.layout = CODEC_RUNS, .scale = 1}, 3, {0, 3, 0}},                 /* bytes after it */
        {{.layout = CODEC_RUNS, .scale = 1}, 3, {0, 0x80, 0x80}},           /* no end */
        {{.layout = CODEC_RUNS, .width = 1, .scale = 1}, 3, {0, 3, 0}},     /* a width */
        {{.layout = CODEC_JUMPS, .scale = 1}, 1, {0}},                      /* no width */
        {{.layout = CODEC_JUMPS, .width = 1, .scale = 1}, 3, {0}},          /* no list */
        {{.layout = CODEC_JUMPS, .width = 1, .scale = 1}, 5, {0, 0, 0, 1}}, /* cut short */
        {{.layout = CODEC_JUMPS, .width = 1, .scale = 1}, 6, {0, 0, 0, 1, 3, 2}}, /* behind it */
        {{.layout = CODEC_JUMPS, .width = 1, .scale = 1}, 6, {0, 0, 0, 0, 1, 2}}, /* bytes left */
        {{.layout = CODEC_JUMPS, .width = 1, .scale = 1}, 4, {0, 0, 0, 99}},      /* too many */
    };
    int64_t values[3];
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_false(codec_unpack(&rows[i].header, rows[i].bytes, rows[i].length, 3, values));
}

static void test_varints(void)
{
    static const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT64_MAX >> 1, UINT64_MAX};
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        uint8_t bytes[CODEC_MAX_VARINT];
        uint64_t value = 1;
        size_t n = codec_put_varint(bytes, numbers[i]);
        g_assert_cmpuint(codec_get_varint(bytes, n, &value), ==, n);
        g_assert_true(value == numbers[i]);
        g_assert_true(codec_unzigzag(codec_zigzag(value)) == value);
        g_assert_cmpuint(codec_get_varint(bytes, n - 1, &value), ==, 0);
    }
    static const uint8_t too_large[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 2};
    uint64_t value = 0;
    g_assert_cmpuint(codec_get_varint(too_large, sizeof too_large, &value), ==, 0);
}

static void test_codec_is_small(void)
{
    int64_t values[1000];
    uint8_t bytes[8000];
    CodecHeader header;
    for (int i = 0; i < 1000; i++) /* 1 Hz in nanoseconds */
        values[i] = INT64_C(1748263681116000000) + i * INT64_C(1000000000);
    const CodecRange range = codec_range(values, 1000);
    (void)codec_pack(values, 1000, &range, &header, bytes);
    g_assert_cmpint(header.layout, ==, CODEC_DELTA);
    g_assert_cmpint(header.width, ==, 1);
    g_assert_cmpint(header.scale, ==, 1000000000);
}

/* ---- chunks ---- */

static Sample random_sample(int i, gint64 *time_ns)
{
    Sample sample = {0};
    *time_ns += g_test_rand_int_range(0, 3) * 1000000 + g_test_rand_int_range(0, 1000);
    RECORD_SET(&sample, SAMPLE, time_ns, *time_ns);
    RECORD_SET(&sample, SAMPLE, source, 3);
    if (g_test_rand_int_range(0, 5) != 0)
        RECORD_SET(&sample, SAMPLE, request_ns, *time_ns - g_test_rand_int_range(0, 100000));
    RECORD_SET(&sample, SAMPLE, rat, g_test_rand_int_range(0, RAT_COUNT));
    if (i % 3 != 0)
        RECORD_SET(&sample, SAMPLE, plmn, i % 100 < 50 ? "24001" : "");
    if (i % 7 != 0)
        RECORD_SET(&sample, SAMPLE, rsrp_dbm, -140 + g_test_rand_int_range(0, 960) / 10.0);
    if (i % 2 != 0)
        RECORD_SET(&sample, SAMPLE, rsrq_db, g_test_rand_double_range(-20, -3));
    if (i % 11 == 0)
        RECORD_SET(&sample, SAMPLE, sinr_db, i % 22 == 0 ? -0.0 : 1e300);
    RECORD_SET(&sample, SAMPLE, cell_id, G_MAXINT32 + (gint64)(i / 500));
    return sample;
}

static GByteArray *make_chunk(Sample *samples, size_t n)
{
    g_autoptr(ChunkBuilder) builder = chunk_builder_new(RECORD_SAMPLE);
    gint64 time_ns = G_GINT64_CONSTANT(1748263681116000000);
    for (size_t i = 0; i < n; i++) {
        samples[i] = random_sample((int)i, &time_ns);
        chunk_builder_add(builder, &samples[i]);
    }
    g_assert_cmpint(chunk_builder_first_ns(builder), ==, samples[0].time_ns);
    g_assert_cmpint(chunk_builder_last_ns(builder), ==, samples[n - 1].time_ns);
    g_autoptr(GError) error = NULL;
    GByteArray *bytes = chunk_builder_finish(builder, &error);
    g_assert_no_error(error);
    return bytes;
}

static void *make_storage(void *storage[64], uint64_t mask, size_t n)
{
    for (unsigned c = 0; c < 64; c++)
        storage[c] = (mask >> c & 1U) != 0 ? g_malloc(n * sizeof(int64_t)) : NULL;
    return g_new(uint64_t, n);
}

static void free_storage(void *storage[64])
{
    for (unsigned c = 0; c < 64; c++)
        g_free(storage[c]);
}

static void test_round_trip(void)
{
    static const size_t sizes[] = {1, 2, 7, 8, 9, 1000, CHUNK_ROWS};
    for (unsigned s = 0; s < G_N_ELEMENTS(sizes); s++) {
        size_t n = sizes[s];
        g_autofree Sample *samples = g_new(Sample, n);
        g_autoptr(GByteArray) bytes = make_chunk(samples, n);
        g_autoptr(GError) error = NULL;
        g_autoptr(Chunk) chunk = chunk_open(RECORD_SAMPLE, bytes->data, bytes->len, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(chunk_rows(chunk), ==, n);
        void *storage[64];
        uint64_t mask = (UINT64_C(1) << SAMPLE_COL_COUNT) - 1;
        g_autofree uint64_t *known = make_storage(storage, mask, n);
        g_assert_true(chunk_decode(chunk, mask, storage, known, &error));
        for (size_t i = 0; i < n; i++) {
            g_assert_cmphex(known[i], ==, samples[i].known);
            for (unsigned c = 0; c < SAMPLE_COL_COUNT; c++) {
                if ((known[i] >> c & 1U) == 0)
                    continue;
                const RecordColumn *column = &record_type(RECORD_SAMPLE)->columns[c];
                const char *field = (const char *)&samples[i] + column->offset;
                const int64_t *values = storage[c];
                if (column->type == COLUMN_TEXT)
                    g_assert_cmpstr(((const char **)storage[c])[i], ==,
                                    *(const char *const *)(const void *)field);
                else if (column->type == COLUMN_ENUM)
                    g_assert_cmpint(values[i], ==, *(const int *)(const void *)field);
                else
                    g_assert_true(memcmp(&values[i], field, 8) == 0); /* bit for bit, -0.0 too */
            }
        }
        free_storage(storage);
    }
}

static void test_statistics_and_selection(void)
{
    enum { N = 500 };
    Sample samples[N];
    g_autoptr(GByteArray) bytes = make_chunk(samples, N);
    g_autoptr(Chunk) chunk = chunk_open(RECORD_SAMPLE, bytes->data, bytes->len, NULL);
    const ChunkColumnInfo *info = chunk_column(chunk, SAMPLE_COL_rsrp_dbm);
    double low = INFINITY;
    double high = -INFINITY;
    uint32_t n = 0;
    for (int i = 0; i < N; i++)
        if (RECORD_HAS(&samples[i], SAMPLE, rsrp_dbm)) {
            low = fmin(low, samples[i].rsrp_dbm);
            high = fmax(high, samples[i].rsrp_dbm);
            n++;
        }
    g_assert_cmpuint(info->known, ==, n);
    g_assert_cmpfloat(info->min.r, ==, low);
    g_assert_cmpfloat(info->max.r, ==, high);
    g_assert_null(chunk_column(chunk, SAMPLE_COL_tx_power_dbm));
    void *storage[64];
    uint64_t mask = RECORD_BIT(SAMPLE, request_ns) | RECORD_BIT(SAMPLE, tx_power_dbm);
    g_autofree uint64_t *known = make_storage(storage, mask, N);
    g_assert_true(chunk_decode(chunk, mask, storage, known, NULL));
    for (int i = 0; i < N; i++) {
        g_assert_cmphex(known[i], ==, samples[i].known & RECORD_BIT(SAMPLE, request_ns));
        g_assert_cmpint(((int64_t *)storage[SAMPLE_COL_request_ns])[i], ==,
                        RECORD_HAS(&samples[i], SAMPLE, request_ns) ? samples[i].request_ns : 0);
    }
    free_storage(storage);
}

/* Two planes of noise and one of a single bit take 17 bits a row: one code for all three would
 * spend two and a half on the last, and more on the others. */
static void test_planes_by_themselves(void)
{
    g_autoptr(ChunkBuilder) builder = chunk_builder_new(RECORD_SAMPLE);
    for (int i = 0; i < CHUNK_ROWS; i++) {
        Sample sample = {0};
        RECORD_SET(&sample, SAMPLE, time_ns, i);
        RECORD_SET(&sample, SAMPLE, source, 1);
        RECORD_SET(&sample, SAMPLE, request_ns, i + g_test_rand_int_range(0, 1 << 17));
        chunk_builder_add(builder, &sample);
    }
    g_autoptr(GByteArray) bytes = chunk_builder_finish(builder, NULL);
    g_assert_nonnull(bytes);
    g_assert_cmpuint(bytes->len, >, CHUNK_ROWS * 16 / 8);
    if (CHUNK_ROWS >= 4096) /* else heads and codes weigh too much */
        g_assert_cmpuint(bytes->len, <, CHUNK_ROWS * 18 / 8);
}

/* Each flipped bit is found, or hits bytes that nobody reads; nothing crashes. */
static void test_damage(void)
{
    enum { N = 300 };
    Sample samples[N];
    g_autoptr(GByteArray) bytes = make_chunk(samples, N);
    void *storage[64];
    uint64_t mask = (UINT64_C(1) << SAMPLE_COL_COUNT) - 1;
    g_autofree uint64_t *known = make_storage(storage, mask, CHUNK_ROWS);
    for (guint i = 0; i < bytes->len * 8; i++) {
        g_autoptr(GError) error = NULL;
        bytes->data[i / 8] ^= (guint8)(1U << (i % 8));
        g_autoptr(Chunk) chunk = chunk_open(RECORD_SAMPLE, bytes->data, bytes->len, &error);
        gboolean fine = chunk != NULL && chunk_decode(chunk, mask, storage, known, &error);
        g_assert_false(fine);
        g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED);
        bytes->data[i / 8] ^= (guint8)(1U << (i % 8));
    }
    for (guint length = 0; length < bytes->len; length++) {
        g_autofree guint8 *part = g_memdup2(bytes->data, MAX(length, 1));
        g_autoptr(Chunk) chunk = chunk_open(RECORD_SAMPLE, part, length, NULL);
        g_assert_false(chunk != NULL && chunk_decode(chunk, mask, storage, known, NULL));
    }
    free_storage(storage);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/codec/edges", test_codec_edges);
    g_test_add_func("/codec/random", test_codec_random);
    g_test_add_func("/codec/layouts", test_codec_layouts);
    g_test_add_func("/codec/jumps", test_codec_jumps);
    g_test_add_func("/codec/lies", test_codec_lies);
    g_test_add_func("/codec/varints", test_varints);
    g_test_add_func("/codec/is-small", test_codec_is_small);
    g_test_add_func("/chunk/round-trip", test_round_trip);
    g_test_add_func("/chunk/statistics-and-selection", test_statistics_and_selection);
    g_test_add_func("/chunk/planes", test_planes_by_themselves);
    g_test_add_func("/chunk/damage", test_damage);
    return g_test_run();
}
