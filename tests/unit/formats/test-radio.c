/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/radio.h"

static void test_level(void)
{
    Sample sample = {0};
    double level_dbm = 0;
    RECORD_SET(&sample, SAMPLE, rat, RAT_LTE);
    g_assert_false(radio_level_dbm(&sample, &level_dbm));
    RECORD_SET(&sample, SAMPLE, rsrp_dbm, -97.0);
    g_assert_true(radio_level_dbm(&sample, &level_dbm));
    g_assert_cmpfloat(level_dbm, ==, -97.0);
    RECORD_SET(&sample, SAMPLE, rat, RAT_UMTS);
    g_assert_false(radio_level_dbm(&sample, &level_dbm));
    RECORD_SET(&sample, SAMPLE, rscp_dbm, -101.0);
    g_assert_true(radio_level_dbm(&sample, &level_dbm));
    g_assert_cmpfloat(level_dbm, ==, -101.0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/radio/level", test_level);
    return g_test_run();
}
