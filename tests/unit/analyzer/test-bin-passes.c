/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/bin-passes.h"
#include "analyzer/keep-file.h"
#include "tests/bench/made-truth.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

enum { CELLS = 200, CHANGES = 40, SOURCES = 3, KEY_AT = 17 };

typedef struct {
    char *folder, *drive, *kept;
    Truth *truth;
    Segments *segments;
    char *network_key;
    BinSetup setup;
} Setup;

/* Where a drive is binned into, or restored. */
typedef struct {
    BinDrive drive;
    BinState state[SOURCES];
    Spill *cells, *changes;
    BinLook *look;
    uint64_t digest;
} Binned;

static void set_up(Setup *s, gconstpointer data)
{
    (void)data;
    s->folder = g_dir_make_tmp("corridor-passes-XXXXXX", NULL);
    s->drive = g_build_filename(s->folder, "a.drive", NULL);
    s->kept = g_strconcat(s->drive, ".passes", NULL);
    s->truth = truth_make(NULL, 3, 2);
    s->segments = segments_new(s->truth->network, 100.0, NULL);
    g_assert_nonnull(s->segments);
    s->network_key = g_strdup("made");
    s->setup = (BinSetup){.network = s->truth->network,
                          .segments = s->segments,
                          .segment_m = 100.0,
                          .network_key = s->network_key};
    g_autofree char *content = g_strnfill(5000, 'x');
    g_assert_true(g_file_set_contents(s->drive, content, -1, NULL));
    const struct timespec past[] = {{1700000000, 0}, {1700000000, 0}};
    g_assert_cmpint(utimensat(AT_FDCWD, s->drive, past, 0), ==, 0);
}

static void tear_down(Setup *s, gconstpointer data)
{
    (void)data;
    (void)g_remove(s->kept);
    (void)g_remove(s->drive);
    (void)g_rmdir(s->folder);
    segments_free(s->segments);
    truth_free(s->truth);
    g_free(s->network_key);
    g_free(s->kept);
    g_free(s->drive);
    g_free(s->folder);
}

/* Drive number `number` of a run in which the groups come in another order. */
static Binned *binned_new(const Setup *s, uint32_t number)
{
    Binned *b = g_new0(Binned, 1);
    b->cells = spill_new(1 << 20);
    b->changes = spill_new(1 << 20);
    b->look = bin_look_new(SOURCES, segments_count(s->segments));
    b->drive.sources = g_new0(BinSource, SOURCES);
    b->drive.n_sources = SOURCES;
    for (guint i = 0; i < SOURCES; i++) {
        b->drive.sources[i].source.id = i + 1;
        b->drive.sources[i].group = (i + number) % SOURCES;
        b->state[i] = (BinState){.report = &b->drive.sources[i],
                                 .source = i + 1,
                                 .drive = number,
                                 .setup = &s->setup,
                                 .cells = b->cells,
                                 .changes = b->changes,
                                 .look = b->look};
    }
    return b;
}

static void binned_free(Binned *b)
{
    spill_free(b->cells);
    spill_free(b->changes);
    bin_look_free(b->look);
    bin_drive_clear(&b->drive);
    g_free(b);
}

static void add_cell(BinPasses *passes, const BinState *state, Cell *cell)
{
    g_autoptr(GByteArray) packed = g_byte_array_new();
    const CellHead *h = &cell->head;
    SpillKey key = {h->segment, state->report->group, h->first_ns, state->drive,
                    state->source * BIN_KEY_KINDS + h->n % 3};
    CellPlace place = bin_cell_place(&key);
    BinGlance glance = bin_glance(cell);
    cell_pack(cell, packed);
    bin_look_add(state->look, &place, &glance);
    bin_passes_add_cell(passes, &key, &glance, packed);
    g_assert_true(spill_add(state->cells, &key, packed->data, packed->len, NULL));
}

static void add_change(BinPasses *passes, const Setup *s, const BinState *state, BinChange change)
{
    change.drive = state->drive;
    SpillKey key = bin_change_key(&s->setup, state, &change);
    bin_passes_add_change(passes, &change, state->source);
    g_assert_true(spill_add(state->changes, &key, &change, sizeof change, NULL));
}

/* As if it were read from the drive: the same each time, but for its number and groups. */
static void bin(const Setup *s, Binned *b, BinPasses *passes)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(4);
    uint32_t n_segments = segments_count(s->segments);
    Cell cell = {0};
    for (int i = 0; i < CELLS; i++) {
        cell_reset(&cell);
        cell.head.segment = (uint32_t)g_rand_int_range(random, 0, (gint32)n_segments);
        cell.head.first_ns = INT64_C(1777000000000000000) + i * INT64_C(700000000);
        cell.head.last_ns = cell.head.first_ns + 5;
        cell.head.n = (uint32_t)i;
        for (int k = g_rand_int_range(random, 0, 4); k > 0; k--) {
            LevelEntry e = {CHANNEL_LTE, 0, (int16_t)g_rand_int_range(random, -120, -60), 2, 9, 9};
            level_histogram_add(&cell.levels, e);
        }
        cell_tally(&cell, TALLY_RTT, i, 3);
        cell_add_id(&cell, (uint64_t)i + 1);
        add_cell(passes, &b->state[i % SOURCES], &cell);
    }
    cell_clear(&cell);
    for (int i = 0; i < CHANGES; i++) {
        BinChange change = {.was = (uint64_t)i,
                            .is = UINT64_MAX,
                            .time_ns = i,
                            .along_m = 0.5 * i,
                            .lon = 15.0,
                            .lat = 60.0,
                            .segment = (uint32_t)i % n_segments,
                            .kind = (uint8_t)(i % 4),
                            .short_stay = (uint8_t)(i % 2)};
        add_change(passes, s, &b->state[i % SOURCES], change);
    }
    b->drive.first_ns = 11;
    b->drive.last_ns = INT64_MAX;
    b->drive.records = 12345;
    b->digest = UINT64_MAX;
    for (guint i = 0; i < SOURCES; i++) {
        BinSource *source = &b->drive.sources[i];
        source->samples = 1000 + i;
        source->placed[PLACE_OFF_NETWORK] = 3;
        source->fixes[FIX_REJECTED] = 7 + i;
        source->uncertain = 4;
        source->missing = 5;
        source->used = 6;
        source->accuracy_p50_m = NAN;
        source->distance_p50_m = 1.5;
        source->distance_p95_m = 2.5;
        source->seconds_used = 3.5;
        source->seconds_no_position = 4.5;
        source->seconds_off_network = 5.5;
    }
}

/* `most`: bytes of a record that count. */
static void check_same_spill(Spill *a, Spill *b, guint records, size_t most)
{
    g_autoptr(SpillMerge) x = spill_merge(&a, 1, NULL), y = spill_merge(&b, 1, NULL);
    for (guint i = 0;; i++) {
        SpillKey k, l;
        size_t n, m;
        const void *p = spill_next(x, &k, &n, NULL), *q = spill_next(y, &l, &m, NULL);
        if (p == NULL || q == NULL) {
            g_assert_true(p == NULL && q == NULL);
            g_assert_cmpuint(i, ==, records);
            return;
        }
        g_assert_true(k.a == l.a && k.b == l.b && k.time_ns == l.time_ns && k.c == l.c &&
                      k.d == l.d);
        g_assert_cmpuint(n, ==, m);
        g_assert_true(memcmp(p, q, MIN(n, most)) == 0);
    }
}

static void save(const Setup *s)
{
    g_autoptr(BinPasses) passes = bin_passes_open(s->drive, &s->setup);
    Binned *b = binned_new(s, 0);
    bin(s, b, passes);
    g_assert_false(bin_passes_known(passes, b->drive.sources, SOURCES));
    bin_passes_save(passes, &b->drive, b->digest);
    binned_free(b);
}

static gboolean is_known(const Setup *s)
{
    g_autoptr(BinPasses) passes = bin_passes_open(s->drive, &s->setup);
    Binned *b = binned_new(s, 0);
    gboolean known = bin_passes_known(passes, b->drive.sources, SOURCES);
    binned_free(b);
    return known;
}

/* In a run where the drive has another number and its groups another order. */
static void test_same(Setup *s, gconstpointer data)
{
    (void)data;
    save(s);
    Binned *wanted = binned_new(s, 5), *found = binned_new(s, 5);
    bin(s, wanted, NULL);
    g_autoptr(BinPasses) passes = bin_passes_open(s->drive, &s->setup);
    g_assert_true(bin_passes_known(passes, found->drive.sources, SOURCES));
    g_assert_true(bin_passes_restore(passes, found->state, &found->drive, &found->digest, NULL));
    check_same_spill(wanted->cells, found->cells, CELLS, SIZE_MAX);
    check_same_spill(wanted->changes, found->changes, CHANGES, offsetof(BinChange, short_stay) + 1);
    g_assert_cmpuint(found->digest, ==, wanted->digest);
    g_assert_cmpint(found->drive.first_ns, ==, wanted->drive.first_ns);
    g_assert_cmpint(found->drive.last_ns, ==, wanted->drive.last_ns);
    g_assert_cmpint(found->drive.records, ==, wanted->drive.records);
    for (guint i = 0; i < SOURCES; i++) {
        g_autofree float *x = bin_look_levels(wanted->look, i),
                         *y = bin_look_levels(found->look, i);
        g_assert_true(memcmp(x, y, segments_count(s->segments) * sizeof *x) == 0);
        g_assert_true(bin_look_sigma(wanted->look, i, -1) == bin_look_sigma(found->look, i, -1));
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both begin as zeros */
        g_assert_true(
            memcmp(&wanted->drive.sources[i], &found->drive.sources[i], sizeof(BinSource)) == 0);
    }
    binned_free(wanted);
    binned_free(found);
}

static void test_changes(Setup *s, gconstpointer data)
{
    (void)data;
    save(s);
    g_assert_true(is_known(s));
    BinSetup was = s->setup;
    s->setup.segment_m = 101.0;
    g_assert_false(is_known(s));
    s->setup = was;
    s->setup.outdoor = TRUE;
    g_assert_false(is_known(s));
    s->setup = was;
    s->setup.network_key = "other";
    g_assert_false(is_known(s));
    s->setup = was;
    s->setup.pooled = TRUE; /* groups are not kept */
    g_assert_true(is_known(s));
    Binned *b = binned_new(s, 0);
    g_autoptr(BinPasses) passes = bin_passes_open(s->drive, &s->setup);
    g_assert_false(bin_passes_known(passes, b->drive.sources, SOURCES - 1));
    b->drive.sources[1].source.id = 9;
    g_assert_false(bin_passes_known(passes, b->drive.sources, SOURCES));
    binned_free(b);
    const struct timespec later[] = {{1700000001, 0}, {1700000001, 0}};
    g_assert_cmpint(utimensat(AT_FDCWD, s->drive, later, 0), ==, 0);
    g_assert_false(is_known(s));
}

/* Problems must be told each time; what is large is not held in memory. */
static void test_not_kept(Setup *s, gconstpointer data)
{
    (void)data;
    g_autoptr(BinPasses) passes = bin_passes_open(s->drive, &s->setup);
    Binned *b = binned_new(s, 0);
    bin(s, b, passes);
    b->drive.problems = g_strdup("a chunk is damaged");
    bin_passes_save(passes, &b->drive, 0);
    g_assert_false(g_file_test(s->kept, G_FILE_TEST_EXISTS));
    g_clear_pointer(&b->drive.problems, g_free);
    g_autoptr(GByteArray) much = g_byte_array_new();
    g_byte_array_set_size(much, 20 << 20);
    SpillKey key = {.d = BIN_KEY_KINDS};
    BinGlance glance = {.level_dbm = NAN};
    bin_passes_add_cell(passes, &key, &glance, much);
    bin_passes_add_cell(passes, &key, &glance, much);
    bin_passes_save(passes, &b->drive, 0);
    g_assert_false(g_file_test(s->kept, G_FILE_TEST_EXISTS));
    binned_free(b);
}

/* A file from anywhere, right but for what stands in it: seen, or harmless. */
static void test_lies(Setup *s, gconstpointer data)
{
    (void)data;
    save(s);
    g_autofree char *bytes = NULL;
    size_t n;
    guint64 n_key;
    g_assert_true(g_file_get_contents(s->kept, &bytes, &n, NULL));
    memcpy(&n_key, bytes + KEY_AT, sizeof n_key);
    const char *key = strchr(bytes + KEY_AT + sizeof n_key, '\n') + 1;
    g_autofree char *what =
        g_strndup(key, (gsize)(g_strstr_len(key, (gssize)n_key, "\ndrive of ") - key));
    g_autoptr(KeepFile) file = keep_file_open(s->drive, "passes", what);
    size_t sizes[2];
    guint8 *pieces[2];
    for (int i = 0; i < 2; i++) {
        pieces[i] = keep_file_get(file, i + 1, &sizes[i]);
        g_assert_nonnull(pieces[i]);
    }
    g_autoptr(GRand) random = g_rand_new_with_seed(9);
    guint known = 0, refused = 0;
    for (int round = 0; round < 400; round++) {
        const int number = round % 2;
        const size_t n_piece = sizes[number];
        g_autofree guint8 *other = g_memdup2(pieces[number], n_piece);
        size_t size = round % 5 == 0 ? (size_t)g_rand_int(random) % n_piece : n_piece;
        for (int k = g_rand_int_range(random, 0, 4); k > 0; k--)
            other[(size_t)g_rand_int(random) % n_piece] = (guint8)g_rand_int(random);
        keep_file_put(file, number + 1, other, size, KEEP_FAST);
        g_assert_true(keep_file_save(file));
        g_autoptr(BinPasses) passes = bin_passes_open(s->drive, &s->setup);
        Binned *b = binned_new(s, 0);
        if (bin_passes_known(passes, b->drive.sources, SOURCES)) {
            known++;
            g_assert_true(bin_passes_restore(passes, b->state, &b->drive, &b->digest, NULL));
        } else {
            refused++;
        }
        binned_free(b);
        keep_file_put(file, number + 1, pieces[number], n_piece, KEEP_FAST);
    }
    g_free(pieces[0]);
    g_free(pieces[1]);
    g_assert_cmpuint(known, >, 20);
    g_assert_cmpuint(refused, >, 80);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/bin-passes/same", Setup, NULL, set_up, test_same, tear_down);
    g_test_add("/bin-passes/changes", Setup, NULL, set_up, test_changes, tear_down);
    g_test_add("/bin-passes/not-kept", Setup, NULL, set_up, test_not_kept, tear_down);
    g_test_add("/bin-passes/lies", Setup, NULL, set_up, test_lies, tear_down);
    return g_test_run();
}
