/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/stat.h"

#include <glib.h>

/* T-S1 */
static void test_wilson(void)
{
    static const struct {
        double k, n, low, high;
    } rows[] = {
        {0, 10, 0, 0.277533},           {10, 10, 0.722467, 1},
        {49, 50, 0.895046, 0.996461},   {98, 100, 0.929988, 0.994498},
        {192, 200, 0.923068, 0.979594}, {980, 1000, 0.969310, 0.987016},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        StatInterval ci = stat_wilson(rows[i].k / rows[i].n, rows[i].n, STAT_Z95);
        g_assert_cmpfloat_with_epsilon(ci.low, rows[i].low, 1e-6);
        g_assert_cmpfloat_with_epsilon(ci.high, rows[i].high, 1e-6);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stat/wilson", test_wilson);
    return g_test_run();
}
