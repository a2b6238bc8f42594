/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/chainage.h"

/* T-R1 */
static const KmBoard boards[] = {{112950, 113}, {113970, 114}, {114965, 115}};

static void test_labels(void)
{
    static const struct {
        double at_m;
        const char *label;
    } rows[] = {{113960, "113+1010"}, {113970, "114+000"}, {114198, "114+228"},
                {114965, "115+000"},  {112940, "112+990"}, {112950, "113+000"},
                {117000, "115+2035"}, {111950, "112+000"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *label = chainage_label(boards, 3, rows[i].at_m);
        g_assert_cmpstr(label, ==, rows[i].label);
    }
    g_autofree char *plain = chainage_label(NULL, 0, 12345.4);
    g_assert_cmpstr(plain, ==, "12+345");
    g_autofree char *carry = chainage_label(NULL, 0, 12999.6);
    g_assert_cmpstr(carry, ==, "13+000");
}

/* A corridor against the boards: metres still count up from the board. */
static void test_falling(void)
{
    static const KmBoard down[] = {{1000, 9}, {2010, 8}, {3000, 7}};
    static const struct {
        double at_m;
        const char *label;
    } rows[] = {{1000, "9+000"}, {1500, "8+510"}, {2010, "8+000"},
                {2990, "7+010"}, {3500, "6+500"}, {500, "9+500"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *label = chainage_label(down, 3, rows[i].at_m);
        g_assert_cmpstr(label, ==, rows[i].label);
    }
}

/* There and back. */
static void test_inverse(void)
{
    for (int i = 0; i < 2000; i++) {
        double at = g_test_rand_double_range(100000, 120000), back = 0, m = 0;
        int32_t km = 0;
        chainage_to_board(boards, 3, at, &km, &m);
        g_assert_true(m >= 0);
        g_assert_true(chainage_from_board(boards, 3, km, m, &back));
        g_assert_cmpfloat_with_epsilon(back, at, 1e-6);
    }
    double at = 0;
    g_assert_false(chainage_from_board(boards, 3, 200, 0, &at));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chainage/labels", test_labels);
    g_test_add_func("/chainage/falling", test_falling);
    g_test_add_func("/chainage/inverse", test_inverse);
    return g_test_run();
}
