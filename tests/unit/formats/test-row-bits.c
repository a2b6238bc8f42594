/* SPDX-License-Identifier: Apache-2.0 */
/* Bits of rows against the obvious, row by row: any patterns, at all sizes around a word. */
#include "formats/row-bits.h"

#include <string.h>

/* Known bits of n rows: noise, long runs, all, none, by columns. */
static uint64_t *random_known(size_t n)
{
    uint64_t *known = g_new0(uint64_t, n);
    for (unsigned c = 0; c < 64; c++) {
        const int how = g_test_rand_int_range(0, 5);
        uint64_t has = (uint64_t)g_test_rand_int_range(0, 2);
        for (size_t i = 0; i < n; i++) {
            if (how == 0 || (how == 1 && g_test_rand_int_range(0, 100) == 0) ||
                (how == 2 && i % 64 == 0))
                has = (uint64_t)g_test_rand_int_range(0, 2);
            known[i] |= has << c;
        }
    }
    return known;
}

static void check_runs(const uint64_t *bits, const uint64_t *known, size_t n, unsigned c)
{
    uint32_t ends[CHUNK_ROWS + 1];
    const size_t runs = row_bits_runs(bits, n, ends);
    g_assert_cmpuint(row_bits_runs(bits, n, NULL), ==, runs);
    g_assert_cmpuint(ends[runs - 1], ==, n);
    uint64_t again[ROW_WORDS] = {0};
    size_t i = 0;
    for (size_t k = 0; k < runs; k++) {
        g_assert_true(k == 0 || ends[k] > ends[k - 1]);
        if (k % 2 == 0)
            row_bits_fill(again, i, ends[k]);
        for (; i < ends[k]; i++)
            g_assert_cmpuint(known[i] >> c & 1U, ==, k % 2 == 0);
    }
    g_assert_true(memcmp(bits, again, (n + 63) / 64 * sizeof *bits) == 0);
}

static void check_values(const uint64_t *bits, const uint64_t *known, size_t n, unsigned c,
                         size_t count)
{
    g_autofree int64_t *values = g_new(int64_t, n);
    g_autofree int64_t *packed = g_new(int64_t, n);
    for (size_t i = 0; i < n; i++)
        values[i] = (int64_t)i + 1;
    g_assert_cmpuint(row_bits_gather(bits, n, values, packed), ==, count);
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        if ((known[i] >> c & 1U) != 0)
            g_assert_cmpint(packed[at++], ==, values[i]);
    row_bits_spread(bits, n, count, packed);
    for (size_t i = 0; i < n; i++)
        g_assert_cmpint(packed[i], ==, (known[i] >> c & 1U) != 0 ? values[i] : 0);
    g_assert_cmpuint(row_bits_difference(bits, n, values, packed), ==, n);
    const size_t other = (size_t)g_test_rand_int_range(0, (gint32)n);
    packed[other] ^= 1;
    g_assert_cmpuint(row_bits_difference(bits, n, values, packed), ==,
                     (known[other] >> c & 1U) != 0 ? other : n);
}

static void test_against_rows(void)
{
    static const int sizes[] = {1, 2, 63, 64, 65, 127, 128, 1000, CHUNK_ROWS - 1, CHUNK_ROWS};
    for (unsigned s = 0; s < G_N_ELEMENTS(sizes); s++) {
        const size_t n = MIN((size_t)sizes[s], (size_t)CHUNK_ROWS);
        g_autofree uint64_t *known = random_known(n);
        g_autofree uint64_t *again = g_new0(uint64_t, n);
        uint64_t(*bits)[ROW_WORDS] = g_malloc_n(64, sizeof *bits);
        row_bits_by_column(known, n, bits);
        for (unsigned c = 0; c < 64; c++) {
            size_t count = 0;
            for (size_t i = 0; i < (n + 63) / 64 * 64; i++) {
                const uint64_t has = i < n ? known[i] >> c & 1U : 0;
                g_assert_cmpuint(bits[c][i / 64] >> (i % 64) & 1U, ==, has);
                count += has;
            }
            g_assert_cmpuint(row_bits_count(bits[c], n), ==, count);
            row_bits_to_known(bits[c], n, c, again);
            check_runs(bits[c], known, n, c);
            check_values(bits[c], known, n, c, count);
        }
        g_assert_true(memcmp(known, again, n * sizeof *known) == 0);
        g_free(bits);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/row-bits/against-rows", test_against_rows);
    return g_test_run();
}
