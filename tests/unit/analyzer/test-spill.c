/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/spill.h"
#include "analyzer/stat.h"

#include <string.h>

/* Whatever the number of spills and their memory, the merged bytes are the same and in order. */
static char *merged(unsigned n_spills, size_t memory, unsigned records)
{
    Spill *spills[8];
    for (unsigned i = 0; i < n_spills; i++)
        spills[i] = spill_new(memory);
    g_autoptr(GError) error = NULL;
    StatRandom random = {9};
    for (unsigned i = 0; i < records; i++) {
        SpillKey key = {(uint32_t)stat_random_below(&random, 50), (uint32_t)(i % 3), (int64_t)i, 0,
                        0};
        char text[40];
        size_t n = (size_t)g_snprintf(text, sizeof text, "%u:%0*u", i, (int)(i % 20), i);
        spill_add(spills[(i * 7) % n_spills], &key, text, n, &error);
        g_assert_no_error(error);
    }
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (int again = 0; again < 2; again++) {
        g_autoptr(SpillMerge) merge = spill_merge(spills, n_spills, &error);
        g_assert_no_error(error);
        SpillKey key, last = {0, 0, -1, 0, 0};
        size_t n;
        const void *data;
        unsigned count = 0;
        while ((data = spill_next(merge, &key, &n, &error)) != NULL) {
            g_assert_true(key.a > last.a || (key.a == last.a && key.b >= last.b));
            g_checksum_update(sum, data, (gssize)n);
            last = key;
            count++;
        }
        g_assert_no_error(error);
        g_assert_cmpuint(count, ==, records);
    }
    char *text = g_strdup(g_checksum_get_string(sum));
    for (unsigned i = 0; i < n_spills; i++)
        spill_free(spills[i]);
    return text;
}

static void test_order_free(void)
{
    g_autofree char *whole = merged(1, 1 << 30, 5000);
    g_autofree char *runs = merged(1, 20000, 5000);
    g_autofree char *many = merged(5, 3000, 5000);
    g_assert_cmpstr(whole, ==, runs);
    g_assert_cmpstr(whole, ==, many);
    g_autofree char *none = merged(3, 100, 0);
    g_assert_nonnull(none);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spill/order-free", test_order_free);
    return g_test_run();
}
