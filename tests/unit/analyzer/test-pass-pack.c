/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/cell.h"
#include "analyzer/pass-pack.h"

#include <math.h>
#include <string.h>
#include <zstd.h>

/* ---- made passes ---- */

enum { MOST_CELLS = 40, MOST_LEVELS = 60 };

typedef struct {
    PassRecord record;
    uint64_t cell[MOST_CELLS];
    uint32_t n_cells;
    LevelEntry entry[MOST_LEVELS];
} Made;

static uint32_t any_u32(GRand *rand)
{
    static const uint32_t edges[] = {0, 1, 127, 128, 16383, 16384, INT32_MAX, UINT32_MAX};
    return g_rand_int_range(rand, 0, 3) > 0 ? edges[g_rand_int_range(rand, 0, G_N_ELEMENTS(edges))]
                                            : g_rand_int(rand);
}

static int64_t any_i64(GRand *rand)
{
    static const int64_t edges[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_MIN + 1, 1000000000};
    return g_rand_int_range(rand, 0, 3) > 0
               ? edges[g_rand_int_range(rand, 0, G_N_ELEMENTS(edges))]
               : (int64_t)((uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand));
}

/* Ascending, in all channels and over the whole range of levels. */
static void any_levels(GRand *rand, Made *made)
{
    LevelHistogram levels = {0};
    guint n = (guint)g_rand_int_range(rand, 0, MOST_LEVELS);
    for (guint i = 0; i < n; i++) {
        LevelEntry entry = {.channel = (uint8_t)g_rand_int_range(rand, 0, CHANNEL_COUNT),
                            .level_dbm = (int16_t)g_rand_int_range(rand, -300, 101)};
        if (entry.channel >= CHANNEL_NO_LEVEL)
            entry.rat = (uint8_t)g_rand_int_range(rand, 0, 256);
        if (g_rand_int_range(rand, 0, 20) == 0)
            entry.level_dbm = g_rand_boolean(rand) ? INT16_MAX : INT16_MIN;
        level_histogram_add(&levels, entry);
    }
    for (guint i = 0; i < levels.n; i++) {
        levels.entry[i].count = any_u32(rand);
        levels.entry[i].way_dm = any_u32(rand);
        levels.entry[i].time_cs = any_u32(rand);
        made->entry[i] = levels.entry[i];
    }
    made->record.levels = (LevelHistogram){.n = levels.n, .entry = made->entry};
    level_histogram_clear(&levels);
}

static void make_any(GRand *rand, Made *made)
{
    made->record = (PassRecord){.drive = any_i64(rand),
                                .source = any_i64(rand),
                                .first_ns = any_i64(rand),
                                .last_ns = any_i64(rand),
                                .pass = any_u32(rand),
                                .n = any_u32(rand),
                                .n_level = any_u32(rand),
                                .n_no_service = any_u32(rand),
                                .n_limited = any_u32(rand),
                                .n_missing = any_u32(rand),
                                .band = g_rand_boolean(rand) ? -1 : g_rand_int_range(rand, 0, 9),
                                .is_backward = g_rand_boolean(rand)};
    if (g_rand_int_range(rand, 0, 20) == 0)
        made->record.band = INT32_MAX;
    made->n_cells = g_rand_boolean(rand) ? (uint32_t)g_rand_int_range(rand, 0, MOST_CELLS) : 1;
    for (uint32_t i = 0; i < made->n_cells; i++)
        made->cell[i] = cell_identity("26201", g_rand_int_range(rand, 0, 50));
    any_levels(rand, made);
}

/* One after the other as they are measured, a sample a second. */
static void make_usual(GRand *rand, Made *made, uint32_t number)
{
    uint32_t n = (uint32_t)g_rand_int_range(rand, 3, 9);
    int64_t first_ns = INT64_C(1767225600) * 1000000000 + number * INT64_C(3600000000000);
    LevelHistogram *levels = &made->record.levels;
    made->record = (PassRecord){.drive = 1,
                                .source = 2,
                                .first_ns = first_ns,
                                .last_ns = first_ns + n * INT64_C(1000000000),
                                .pass = number + 1,
                                .n = n,
                                .n_level = n,
                                .band = 3};
    for (uint32_t i = 0; i < n; i++)
        made->entry[i] = (LevelEntry){.channel = CHANNEL_LTE,
                                      .level_dbm = (int16_t)((int)i - 90),
                                      .count = 1,
                                      .way_dm = (uint32_t)g_rand_int_range(rand, 240, 260),
                                      .time_cs = 100};
    *levels = (LevelHistogram){.n = n, .entry = made->entry};
    made->n_cells = 1;
    made->cell[0] = cell_identity("26201", number / 100);
}

static GByteArray *pack(PassPacker *packer, const Made *made, guint n)
{
    size_t size;
    pass_packer_begin(packer);
    for (guint i = 0; i < n; i++)
        pass_packer_add(packer, &made[i].record, made[i].cell, made[i].n_cells);
    const uint8_t *packed = pass_packer_end(packer, &size);
    return g_byte_array_append(g_byte_array_new(), packed, (guint)size);
}

static void assert_same(const Made *made, const PassRecord *got)
{
    const PassRecord *r = &made->record;
    g_assert_cmpint(got->drive, ==, r->drive);
    g_assert_cmpint(got->source, ==, r->source);
    g_assert_cmpint(got->first_ns, ==, r->first_ns);
    g_assert_cmpint(got->last_ns, ==, r->last_ns);
    g_assert_cmpuint(got->pass, ==, r->pass);
    g_assert_cmpuint(got->n, ==, r->n);
    g_assert_cmpuint(got->n_level, ==, r->n_level);
    g_assert_cmpuint(got->n_no_service, ==, r->n_no_service);
    g_assert_cmpuint(got->n_limited, ==, r->n_limited);
    g_assert_cmpuint(got->n_missing, ==, r->n_missing);
    g_assert_cmpint(got->band, ==, r->band);
    g_assert_cmpint(got->is_backward, ==, r->is_backward);
    g_assert_cmpuint(got->levels.n, ==, r->levels.n);
    for (uint32_t i = 0; i < r->levels.n; i++) {
        const LevelEntry *a = &got->levels.entry[i], *b = &r->levels.entry[i];
        g_assert_cmpuint(a->channel, ==, b->channel);
        g_assert_cmpuint(a->rat, ==, b->rat);
        g_assert_cmpint(a->level_dbm, ==, b->level_dbm);
        g_assert_cmpuint(a->count, ==, b->count);
        g_assert_cmpuint(a->way_dm, ==, b->way_dm);
        g_assert_cmpuint(a->time_cs, ==, b->time_cs);
    }
    g_autoptr(GString) cells = g_string_new(NULL);
    for (uint32_t i = 0; i < made->n_cells; i++) {
        g_autofree char *name = cell_identity_text(made->cell[i]);
        g_string_append_printf(cells, "%s%s", i > 0 ? "," : "", name);
    }
    g_assert_cmpstr(got->cells, ==, made->n_cells > 0 ? cells->str : NULL);
}

static void assert_comes_back(PassUnpacker *unpacker, const GByteArray *packed, const Made *made,
                              guint n)
{
    g_assert_true(pass_unpacker_begin(unpacker, packed->data, packed->len));
    g_assert_cmpuint(pass_unpacker_count(unpacker), ==, n);
    for (guint i = 0; i < n; i++) {
        const PassRecord *got = pass_unpacker_next(unpacker);
        g_assert_nonnull(got);
        assert_same(&made[i], got);
    }
    g_assert_null(pass_unpacker_next(unpacker));
    g_assert_cmpstr(pass_unpacker_problem(unpacker), ==, NULL);
}

/* All that can be read; TRUE if it was sound. */
static gboolean read_all(PassUnpacker *unpacker, const uint8_t *packed, size_t n)
{
    const PassRecord *got;
    g_autofree uint8_t *own = g_memdup2(packed, n); /* so that a byte beyond is found */
    gboolean begun = pass_unpacker_begin(unpacker, own, n);
    g_assert_true(begun == (pass_unpacker_problem(unpacker) == NULL));
    if (n > 0 && own[0] == 0)
        g_assert_cmpuint(pass_unpacker_count(unpacker), <=, n);
    while (begun && (got = pass_unpacker_next(unpacker)) != NULL)
        for (uint32_t i = 1; i < got->levels.n; i++)
            g_assert_cmpint(got->levels.entry[i - 1].channel, <=, got->levels.entry[i].channel);
    return pass_unpacker_problem(unpacker) == NULL;
}

/* ---- tests ---- */

static void test_any(void)
{
    g_autoptr(PassPacker) packer = pass_packer_new();
    g_autoptr(PassUnpacker) unpacker = pass_unpacker_new();
    gboolean seen[2] = {FALSE, FALSE};
    for (guint32 seed = 0; seed < 300; seed++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
        guint n = (guint)g_rand_int_range(rand, 0, seed % 10 == 0 ? 200 : 8);
        gboolean usual = seed % 3 == 0;
        g_autofree Made *made = g_new0(Made, n + 1);
        for (guint i = 0; i < n; i++)
            if (usual)
                make_usual(rand, &made[i], i);
            else
                make_any(rand, &made[i]);
        g_autoptr(GByteArray) packed = pack(packer, made, n);
        g_assert_cmpuint(packed->data[0], <, G_N_ELEMENTS(seen));
        seen[packed->data[0]] = TRUE;
        assert_comes_back(unpacker, packed, made, n);
    }
    g_assert_true(seen[0] && seen[1]);
}

static void test_units(void)
{
    static const int64_t steps[] = {1, 1000, 1000000, 1000000000};
    g_autoptr(PassPacker) packer = pass_packer_new();
    g_autoptr(PassUnpacker) unpacker = pass_unpacker_new();
    size_t before = SIZE_MAX;
    for (guint k = 0; k < G_N_ELEMENTS(steps); k++) {
        Made made[20] = {0};
        for (guint i = 0; i < G_N_ELEMENTS(made); i++) {
            made[i].record.band = -1;
            made[i].record.first_ns = (int64_t)(1000 * i) * 1000000000 - steps[k];
            made[i].record.last_ns = (int64_t)(1000 * i + 7) * 1000000000;
        }
        g_autoptr(GByteArray) packed = pack(packer, made, G_N_ELEMENTS(made));
        assert_comes_back(unpacker, packed, made, G_N_ELEMENTS(made));
        g_assert_cmpuint(packed->len, <, before); /* rounder times are shorter */
        before = packed->len;
    }
}

static void test_dense(void)
{
    g_autoptr(PassPacker) packer = pass_packer_new();
    g_autoptr(PassUnpacker) unpacker = pass_unpacker_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    enum { N = 1000 };
    g_autofree Made *made = g_new0(Made, N);
    for (guint i = 0; i < N; i++)
        make_usual(rand, &made[i], i);
    g_autoptr(GByteArray) packed = pack(packer, made, N);
    assert_comes_back(unpacker, packed, made, N);
    g_assert_cmpuint(packed->len, <, 16 * N); /* about 200 each as rows */
}

/* What is cut off anywhere is found. */
static void test_cut(void)
{
    g_autoptr(PassPacker) packer = pass_packer_new();
    g_autoptr(PassUnpacker) unpacker = pass_unpacker_new();
    for (guint n = 3; n <= 300; n += 297) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(n);
        g_autofree Made *made = g_new0(Made, n);
        for (guint i = 0; i < n; i++)
            if (n == 3)
                make_any(rand, &made[i]);
            else
                make_usual(rand, &made[i], i);
        g_autoptr(GByteArray) packed = pack(packer, made, n);
        g_assert_true(read_all(unpacker, packed->data, packed->len));
        for (guint at = 0; at < packed->len; at++)
            g_assert_false(read_all(unpacker, packed->data, at));
        g_byte_array_append(packed, (const uint8_t *)"", 1);
        g_assert_false(read_all(unpacker, packed->data, packed->len));
    }
}

/* Other bits give other passes or a word, and nothing worse. */
static void test_flipped(void)
{
    g_autoptr(PassPacker) packer = pass_packer_new();
    g_autoptr(PassUnpacker) unpacker = pass_unpacker_new();
    guint found = 0;
    for (guint32 seed = 0; seed < 12; seed++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
        guint n = seed % 2 == 0 ? 4 : 120;
        g_autofree Made *made = g_new0(Made, n);
        for (guint i = 0; i < n; i++)
            if (seed % 2 == 0)
                make_any(rand, &made[i]);
            else
                make_usual(rand, &made[i], i);
        g_autoptr(GByteArray) packed = pack(packer, made, n);
        for (guint bit = 0; bit < 8 * packed->len; bit += seed == 0 ? 1 : 11) {
            packed->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
            found += !read_all(unpacker, packed->data, packed->len);
            packed->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        g_assert_true(read_all(unpacker, packed->data, packed->len));
    }
    g_assert_cmpuint(found, >, 0);
}

/* ---- lies ---- */

enum { COLUMNS = 20 };

/* Bytes as corridor-out(5) has them: a count, seconds, one cell "1-2", columns. */
static GByteArray *lie(uint8_t form, uint64_t count, const char *const column[COLUMNS])
{
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, &form, 1);
    do {
        uint8_t byte = (uint8_t)((count & 0x7f) | (count > 0x7f ? 0x80 : 0));
        g_byte_array_append(out, &byte, 1);
        count >>= 7;
    } while (count > 0);
    g_byte_array_append(out,
                        (const uint8_t *)"\x03\x01\x03"
                                         "1-2",
                        6);
    for (guint c = 0; c < COLUMNS; c++) {
        uint8_t length = (uint8_t)strlen(column[c]);
        g_byte_array_append(out, &length, 1);
    }
    for (guint c = 0; c < COLUMNS; c++)
        g_byte_array_append(out, (const uint8_t *)column[c], (guint)strlen(column[c]));
    return out;
}

/* No text has a zero: 2 stands for 1 where a number is signed, 1 for 1 where it is not. */
#define SOUND(first, cells, entries, cell, key, level, way)                                        \
    {                                                                                              \
        "\2", "\2", "\2", first, "\2", "\1", "\2", "\2", "\2", "\2", "\1", "\2", cells, entries,   \
            cell, key, level, "\1", way, "\1"                                                      \
    }

static void test_lies(void)
{
    static const struct {
        uint8_t form;
        gboolean sound;
        uint64_t count;
        const char *column[COLUMNS];
    } cases[] = {
        {0, TRUE, 1, SOUND("\2", "\1", "\1", "", "\4", "\2", "\1")},
        {2, FALSE, 1, SOUND("\2", "\1", "\1", "", "\4", "\2", "\1")},
        /* more passes, levels or cells than there are bytes */
        {0, FALSE, 2, SOUND("\2", "\1", "\1", "", "\4", "\2", "\1")},
        {0, FALSE, UINT64_MAX, SOUND("\2", "\1", "\1", "", "\4", "\2", "\1")},
        {0, FALSE, 1, SOUND("\2", "\1", "\2", "", "\4", "\2", "\1")},
        {0, FALSE, 1, SOUND("\2", "\1", "\xff\xff\xff\xff\x7f", "", "\4", "\2", "\1")},
        {0, FALSE, 1, SOUND("\2", "\4", "\1", "\1", "\4", "\2", "\1")},
        /* the cells have one, with number 0 */
        {0, FALSE, 1, SOUND("\2", "\2", "\1", "\1", "\4", "\2", "\1")},
        {0, FALSE, 1, SOUND("\2", "\3", "\1", "\1\1", "\4", "\2", "\1")},
        /* fewer than there are */
        {0, FALSE, 0, SOUND("\2", "\1", "\1", "", "\4", "\2", "\1")},
        {0, FALSE, 1, SOUND("\2\2", "\1", "\1", "", "\4", "\2", "\1")},
        {0, FALSE, 1, SOUND("\2", "\1", "\1", "", "\4", "\2", "\1\1")},
        /* a channel that does not exist; levels beyond 16 bits, twice the same, downward */
        {0, FALSE, 1, SOUND("\2", "\1", "\1", "", "\x0a", "\2", "\1")},
        {0, TRUE, 1, SOUND("\2", "\1", "\1", "", "\4", "\xfe\xff\x03", "\1")},
        {0, FALSE, 1, SOUND("\2", "\1", "\1", "", "\4", "\x80\x80\x04", "\1")},
        {0, FALSE, 1,
         SOUND("\2", "\1", "\1", "", "\4", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\1")},
        {0, TRUE, 1, SOUND("\2", "\1", "\2", "", "\4", "\2", "\1\1")},
        {0, FALSE, 1, SOUND("\2", "\1", "\2", "", "\4", "\1", "\1\1")},
        /* numbers that do not end or do not fit */
        {0, FALSE, 1, SOUND("\x80", "\1", "\1", "", "\4", "\2", "\1")},
        {0, FALSE, 1,
         SOUND("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "\1", "\1", "", "\4", "\2", "\1")},
        {0, FALSE, 1, SOUND("\2", "\1", "\1", "", "\4", "\2", "\xff\xff\xff\xff\x10")},
    };
    g_autoptr(PassUnpacker) unpacker = pass_unpacker_new();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) packed = lie(cases[i].form, cases[i].count, cases[i].column);
        if (read_all(unpacker, packed->data, packed->len) != cases[i].sound)
            g_error("case %u: %s", i, pass_unpacker_problem(unpacker));
    }
}

/* Names that would not be one cell each, and a long list that a byte would repeat. */
static void test_cells(void)
{
    static const char *const wrong[] = {"1,2", "1 2", "1\n2", "1\xc3\xa4"};
    g_autoptr(PassUnpacker) unpacker = pass_unpacker_new();
    g_autoptr(PassPacker) packer = pass_packer_new();
    static const char *const sound[COLUMNS] = SOUND("\2", "\1", "\1", "", "\4", "\2", "\1");
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GByteArray) packed = lie(0, 1, sound);
        g_assert_true(read_all(unpacker, packed->data, packed->len));
        memcpy(packed->data + 5, wrong[i], 3);
        g_assert_false(read_all(unpacker, packed->data, packed->len));
    }
    Made made[3] = {0};
    for (guint i = 0; i < 3; i++) {
        made[i].n_cells = MOST_CELLS;
        for (guint k = 0; k < MOST_CELLS; k++)
            made[i].cell[k] = cell_identity("26201", k);
    }
    g_autoptr(GByteArray) packed = pack(packer, made, 3);
    g_assert_cmpuint(packed->data[0], ==, 0);
    assert_comes_back(unpacker, packed, made, 3);
    g_autoptr(GByteArray) repeated = g_byte_array_new();
    made[1].n_cells = made[2].n_cells = 0;
    g_autoptr(GByteArray) empty = pack(packer, made, 3);
    guint at = 0;
    while (memcmp(empty->data + at, "\x29\x01\x00", 3) != 0)
        at++; /* 40 cells, none, and as before */
    g_byte_array_append(repeated, empty->data, empty->len);
    g_assert_true(read_all(unpacker, repeated->data, repeated->len));
    repeated->data[at + 1] = 0;
    g_assert_false(read_all(unpacker, repeated->data, repeated->len));
}

static void test_bomb(void)
{
    g_autoptr(PassUnpacker) unpacker = pass_unpacker_new();
    size_t size = (size_t)1 << 27, room = ZSTD_compressBound(size);
    g_autofree uint8_t *zeros = g_malloc0(size);
    g_autofree uint8_t *bomb = g_malloc(room + 1);
    bomb[0] = 1;
    size_t n = ZSTD_compress(bomb + 1, room, zeros, size, 1);
    g_assert_false(ZSTD_isError(n));
    g_assert_false(read_all(unpacker, bomb, n + 1));
    n = ZSTD_compress(bomb + 1, room, zeros, 0, 1);
    g_assert_false(read_all(unpacker, bomb, n + 1));
    n = ZSTD_compress(bomb + 1, room, zeros, 100000, 1); /* no pass at all, then too many zeros */
    g_assert_false(read_all(unpacker, bomb, n + 1));
}

static void test_figures(void)
{
    LevelEntry entry[] = {{CHANNEL_NO_SERVICE, 0, 0, 1, 50, 100},
                          {CHANNEL_LTE, 0, -100, 1, 250, 100},
                          {CHANNEL_LTE, 0, -90, 1, 200, 50},
                          {CHANNEL_NR_LEG, 0, -80, 1, 9999, 9999}};
    PassRecord record = {.n = 3, .levels = {.n = G_N_ELEMENTS(entry), .entry = entry}};
    PassFigures f = pass_figures(&record, 50.0);
    double rho = exp(-50.0 / 3.0 / 50.0);
    g_assert_cmpfloat_with_epsilon(f.metres, 50.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(f.seconds, 2.5, 1e-9);
    g_assert_cmpfloat_with_epsilon(f.level_mean, 10.0 * log10((1e-10 + 1e-9) / 2.0), 1e-9);
    g_assert_cmpfloat_with_epsilon(f.n_effective, fmax(1.0, 3.0 * (1.0 - rho) / (1.0 + rho)), 1e-9);
    record.levels.n = 1;
    g_assert_true(isnan(pass_figures(&record, 50.0).level_mean));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pass-pack/any", test_any);
    g_test_add_func("/pass-pack/units", test_units);
    g_test_add_func("/pass-pack/dense", test_dense);
    g_test_add_func("/pass-pack/cut", test_cut);
    g_test_add_func("/pass-pack/flipped", test_flipped);
    g_test_add_func("/pass-pack/lies", test_lies);
    g_test_add_func("/pass-pack/cells", test_cells);
    g_test_add_func("/pass-pack/bomb", test_bomb);
    g_test_add_func("/pass-pack/figures", test_figures);
    return g_test_run();
}
