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

/* Each column at both ends of its range, and one step outside. */
static void test_ranges(void)
{
    static const struct {
        unsigned column;
        RefusedKind kind;
        double low, high;
    } rows[] = {
        {SAMPLE_COL_rsrp_dbm, REFUSED_RSRP, -156, -31},
        {SAMPLE_COL_rsrq_db, REFUSED_RSRQ, -43, 20},
        {SAMPLE_COL_sinr_db, REFUSED_SINR, -23, 40},
        {SAMPLE_COL_rscp_dbm, REFUSED_RSCP, -120, -25},
        {SAMPLE_COL_ecio_db, REFUSED_ECIO, -24, 0},
        {SAMPLE_COL_nr_rsrp_dbm, REFUSED_RSRP, -156, -31},
    };
    const RecordColumn *columns = record_type(RECORD_SAMPLE)->columns;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const double values[] = {rows[i].low - 0.1, rows[i].low, rows[i].high, rows[i].high + 0.1};
        for (unsigned v = 0; v < G_N_ELEMENTS(values); v++) {
            Sample sample = {.known = UINT64_C(1) << rows[i].column};
            RefusedCounts refused = {0};
            *(double *)(void *)((char *)&sample + columns[rows[i].column].offset) = values[v];
            radio_check_sample(&sample, &refused);
            gboolean inside = v == 1 || v == 2;
            g_assert_cmpint(sample.known != 0, ==, inside);
            g_assert_cmpuint(refused.count[rows[i].kind], ==, inside ? 0 : 1);
        }
    }
}

/* TS 36.101, table 5.7.3-1: first and last channels, and holes between bands. */
static void test_bands(void)
{
    static const int rows[][2] = {{0, 1},      {599, 1},    {600, 2},    {1300, 3},   {1801, 3},
                                  {3749, 8},   {6300, 20},  {6400, 20},  {9460, 28},  {2850, 7},
                                  {5230, 13},  {66436, 66}, {68911, 71}, {70645, 88}, {4950, 0},
                                  {10360, 0},  {60255, 0},  {65535, 0},  {70646, 0},  {-1, 0},
                                  {627264, 0}, {39650, 41}, {38649, 39}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(radio_lte_band(rows[i][0]), ==, rows[i][1]);
    Sample sample = {0};
    RECORD_SET(&sample, SAMPLE, rat, RAT_NR_SA);
    RECORD_SET(&sample, SAMPLE, arfcn, 1300);
    radio_fill_band(&sample);
    g_assert_false(RECORD_HAS(&sample, SAMPLE, band));
    RECORD_SET(&sample, SAMPLE, rat, RAT_NR_NSA);
    radio_fill_band(&sample);
    g_assert_cmpint(sample.band, ==, 3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/radio/level", test_level);
    g_test_add_func("/radio/ranges", test_ranges);
    g_test_add_func("/radio/bands", test_bands);
    return g_test_run();
}
