/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/bin-look.h"

#include <math.h>
#include <string.h>

enum { NUMBERS = 19 };

static uint32_t *number(CellHead *h, int i)
{
    uint32_t *const all[NUMBERS] = {
        &h->segment,        &h->group,        &h->drive,         &h->source,      &h->n,
        &h->n_level,        &h->n_no_service, &h->n_limited,     &h->n_missing,   &h->n_backward,
        &h->n_interpolated, &h->cell_changes, &h->rat_changes,   &h->short_stays, &h->outages,
        &h->tests,          &h->tests_failed, &h->tests_skipped, &h->position_dm,
    };
    return all[i];
}

static void check_equal(Cell *a, Cell *b)
{
    for (int i = 0; i < NUMBERS; i++)
        g_assert_cmpuint(*number(&a->head, i), ==, *number(&b->head, i));
    g_assert_cmpint(a->head.first_ns, ==, b->head.first_ns);
    g_assert_cmpint(a->head.last_ns, ==, b->head.last_ns);
    g_assert_cmpuint(a->levels.n, ==, b->levels.n);
    g_assert_cmpuint(a->tally.n, ==, b->tally.n);
    g_assert_cmpuint(a->ids.n, ==, b->ids.n);
    for (uint32_t i = 0; i < a->levels.n; i++)
        g_assert_true(memcmp(&a->levels.entry[i], &b->levels.entry[i], sizeof(LevelEntry)) == 0);
    for (uint32_t i = 0; i < a->tally.n; i++)
        g_assert_true(memcmp(&a->tally.entry[i], &b->tally.entry[i], sizeof(TallyEntry)) == 0);
    for (uint32_t i = 0; i < a->ids.n; i++)
        g_assert_cmpuint(a->ids.id[i], ==, b->ids.id[i]);
}

static CellPlace place_of(const Cell *cell)
{
    const CellHead *h = &cell->head;
    return (CellPlace){h->segment, h->group, h->drive, h->source, h->first_ns};
}

/* Mostly small, sometimes as large as it gets. */
static uint32_t some(GRand *random, uint32_t usual)
{
    return g_rand_int_range(random, 0, 8) == 0 ? g_rand_int(random)
                                               : (uint32_t)g_rand_int(random) % (usual + 1);
}

static void fill(Cell *cell, GRand *random)
{
    CellHead *h = &cell->head;
    for (int i = 0; i < NUMBERS; i++)
        *number(h, i) = some(random, 3);
    h->first_ns = (int64_t)((uint64_t)g_rand_int(random) << 32 | g_rand_int(random));
    h->last_ns = g_rand_boolean(random) ? INT64_MAX : h->first_ns;
    for (int i = g_rand_int_range(random, 0, 12); i > 0; i--) {
        LevelEntry e = {(uint8_t)g_rand_int_range(random, 0, CHANNEL_COUNT),
                        (uint8_t)g_rand_int_range(random, 0, 7),
                        (int16_t)g_rand_int_range(random, INT16_MIN, INT16_MAX + 1),
                        some(random, 9),
                        some(random, 999),
                        some(random, 99)};
        level_histogram_add(&cell->levels, e);
    }
    for (int i = g_rand_int_range(random, 0, 12); i > 0; i--)
        cell_tally(cell, (TallyKind)g_rand_int_range(random, 0, TALLY_COUNT),
                   g_rand_int_range(random, INT16_MIN, INT16_MAX + 1), some(random, 5));
    for (int i = g_rand_int_range(random, 0, 4); i > 0; i--)
        cell_add_id(cell, (uint64_t)g_rand_int(random) << 32 | 1);
}

static void test_pack(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    Cell cell = {0}, again = {0};
    for (int round = 0; round < 2000; round++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        cell_reset(&cell);
        fill(&cell, random);
        cell_pack(&cell, bytes);
        CellPlace place = place_of(&cell);
        g_assert_true(cell_unpack(&again, &place, bytes->data, bytes->len));
        check_equal(&cell, &again);
    }
    cell_clear(&cell);
    cell_clear(&again);
}

/* A temporary file that was damaged must be seen, or at least do no harm. */
static void test_damaged(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(6);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    Cell cell = {0}, again = {0};
    fill(&cell, random);
    cell_pack(&cell, bytes);
    CellPlace place = place_of(&cell);
    for (guint n = 0; n < bytes->len; n++) {
        g_autofree guint8 *exact = g_memdup2(bytes->data, n);
        g_assert_false(cell_unpack(&again, &place, exact, n));
    }
    for (int round = 0; round < 20000; round++) {
        g_autofree guint8 *other = g_memdup2(bytes->data, bytes->len);
        for (int k = g_rand_int_range(random, 1, 4); k > 0; k--)
            other[g_rand_int_range(random, 0, (gint32)bytes->len)] = (guint8)g_rand_int(random);
        (void)cell_unpack(&again, &place, other, bytes->len);
    }
    cell_clear(&cell);
    cell_clear(&again);
}

/* Counting in a plain array comes to the same as the sorted list, also the second time. */
static void test_counting(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    Cell plain = {0}, counted = {0};
    for (int round = 0; round < 300; round++) {
        cell_reset(&plain);
        cell_reset(&counted);
        cell_begin_counting(&counted);
        for (int i = g_rand_int_range(random, 0, 60); i > 0; i--) {
            TallyKind kind = (TallyKind)g_rand_int_range(random, 0, TALLY_COUNT);
            int value = g_rand_int_range(random, -300, 300);
            cell_tally(&plain, kind, value, 2);
            cell_tally(&counted, kind, value, 2);
        }
        if (round % 7 == 6) /* given up in the middle: nothing of it may come back */
            continue;
        cell_end_counting(&counted);
        check_equal(&plain, &counted);
    }
    cell_clear(&plain);
    cell_clear(&counted);
}

/* ---- what the groups look like ---- */

enum { GROUPS = 2, SEGMENTS = 5, CELLS = 400 };

static void look_at(BinLook *look, const Cell *cell)
{
    CellPlace place = place_of(cell);
    BinGlance glance = bin_glance(cell);
    bin_look_add(look, &place, &glance);
}

static void check_looks_equal(const BinLook *a, const BinLook *b)
{
    for (guint g = 0; g < GROUPS; g++) {
        g_autofree float *x = bin_look_levels(a, g), *y = bin_look_levels(b, g);
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): NAN is equal to NAN here */
        g_assert_true(memcmp(x, y, SEGMENTS * sizeof *x) == 0);
        g_assert_true(bin_look_sigma(a, g, -1.0) == bin_look_sigma(b, g, -1.0));
    }
}

/* By whom and in what order the cells were seen does not show, not even in the last bit. */
static void test_look(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(8);
    g_autofree Cell *cells = g_new0(Cell, CELLS);
    double first_level = NAN, squares = 0.0, degrees = 0.0;
    int64_t first_ns = INT64_MAX;
    for (int i = 0; i < CELLS; i++) {
        cells[i].head = (CellHead){.segment = (uint32_t)g_rand_int_range(random, 0, SEGMENTS + 2),
                                   .group = (uint32_t)g_rand_int_range(random, 0, GROUPS),
                                   .drive = (uint32_t)i,
                                   .first_ns = g_rand_int_range(random, 0, 50)};
        double sum = 0.0, square = 0.0;
        int n = g_rand_int_range(random, 0, 6);
        for (int k = 0; k < n; k++) {
            LevelEntry e = {CHANNEL_LTE, 0, (int16_t)g_rand_int_range(random, -120, -60), 1, 0, 0};
            level_histogram_add(&cells[i].levels, e);
            sum += e.level_dbm;
            square += e.level_dbm * e.level_dbm;
        }
        LevelEntry none = {CHANNEL_NO_SERVICE, 0, 0, 3, 0, 0};
        level_histogram_add(&cells[i].levels, none);
        if (cells[i].head.group != 1 || n == 0)
            continue;
        squares += square - sum * sum / n;
        degrees += n - 1;
        if (cells[i].head.segment == 3 && cells[i].head.first_ns < first_ns) {
            first_ns = cells[i].head.first_ns;
            first_level = sum / n;
        }
    }
    g_autoptr(BinLook) one = bin_look_new(GROUPS, SEGMENTS);
    g_autoptr(BinLook) two = bin_look_new(GROUPS, SEGMENTS);
    g_autoptr(BinLook) rest = bin_look_new(GROUPS, SEGMENTS);
    for (int i = 0; i < CELLS; i++)
        look_at(one, &cells[i]);
    for (int i = CELLS - 1; i >= 0; i--)
        look_at(i % 3 == 0 ? two : rest, &cells[i]);
    bin_look_join(two, rest);
    check_looks_equal(one, two);
    g_autofree float *level = bin_look_levels(one, 1);
    g_assert_cmpfloat_with_epsilon((double)level[3], first_level, 1e-4);
    g_assert_cmpfloat_with_epsilon(bin_look_sigma(one, 1, -1.0), sqrt(squares / degrees), 1e-4);
    g_autoptr(BinLook) none = bin_look_new(GROUPS, SEGMENTS);
    g_autofree float *unknown = bin_look_levels(none, 0);
    g_assert_true(isnan(unknown[0]) && bin_look_sigma(none, 0, 4.0) == 4.0);
    for (int i = 0; i < CELLS; i++)
        cell_clear(&cells[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cell/pack", test_pack);
    g_test_add_func("/cell/damaged", test_damaged);
    g_test_add_func("/cell/counting", test_counting);
    g_test_add_func("/cell/look", test_look);
    return g_test_run();
}
