/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/emodel.h"

#include <glib.h>

#define NEAR(a, b) g_assert_cmpfloat_with_epsilon((a), (b), 5.1e-5)

/* T-E1 */
static void test_delay(void)
{
    static const struct {
        double delay_ms, idd, mos;
    } rows[] = {
        {100, 0, 4.4093},       {150, 0.1635, 4.4061},  {200, 3.0444, 4.3428},
        {250, 8.9167, 4.1751},  {300, 14.7607, 3.9637}, {400, 24.0701, 3.5559},
        {500, 30.6359, 3.2318},
    };
    const EmodelCodec *codec = emodel_codec("g711-plc");
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        NEAR(emodel_idd(rows[i].delay_ms), rows[i].idd);
        NEAR(emodel_mos(emodel_r(codec, rows[i].delay_ms, 0, 1)), rows[i].mos);
    }
    g_assert_cmpfloat(emodel_idd(0), ==, 0);
    g_assert_cmpfloat_with_epsilon(emodel_id_simple(200), 7.297, 5e-4);
    g_assert_cmpfloat(emodel_idd_of(140, 0.4, 150), ==, 0);
    g_assert_cmpfloat(emodel_idd_of(300, 0.4, 150), <, emodel_idd(300));
}

/* T-E2, T-E3 */
static void test_loss(void)
{
    static const struct {
        double loss_percent, ie_plc, mos_plc, ie;
    } rows[] = {
        {1, 3.6398, 4.3281, 17.9245},
        {2, 7.0111, 4.2348, 30.1587},
        {5, 15.7807, 3.9228, 51.0753},
        {10, 27.0655, 3.4109, 66.4336},
    };
    const EmodelCodec *codec = emodel_codec("g711-plc");
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        NEAR(emodel_ie_eff(0, 25.1, rows[i].loss_percent, 1), rows[i].ie_plc);
        NEAR(emodel_ie_eff(0, 4.3, rows[i].loss_percent, 1), rows[i].ie);
        NEAR(emodel_mos(emodel_r(codec, 0, rows[i].loss_percent, 1)), rows[i].mos_plc);
    }
    NEAR(emodel_r(codec, 200, 2, 1), 83.1445);
    NEAR(emodel_mos(emodel_r(codec, 200, 2, 1)), 4.1371);
    NEAR(emodel_r(codec, 300, 5, 1), 62.6586);
    NEAR(emodel_mos(emodel_r(codec, 300, 5, 1)), 3.2366);
    g_assert_cmpfloat(emodel_ie_eff(11, 19, 100, 2), <=, 95);
    g_assert_cmpfloat(emodel_ie_eff(0, 25.1, 5, 0.2), ==, emodel_ie_eff(0, 25.1, 5, 1));
    g_assert_cmpfloat(emodel_ie_eff(0, 25.1, 5, 2), >, emodel_ie_eff(0, 25.1, 5, 1));
}

/* T-E4, and the ends of the scale */
static void test_mos(void)
{
    static const double rows[][2] = {{50, 2.575}, {60, 3.1}, {70, 3.597}, {80, 4.024}, {90, 4.339},
                                     {0, 1},      {-5, 1},   {3, 1},      {100, 4.5},  {120, 4.5}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpfloat_with_epsilon(emodel_mos(rows[i][0]), rows[i][1], 5.1e-4);
    for (double r = 0; r < 100; r += 0.1)
        g_assert_cmpfloat(emodel_mos(r), >=, 1);
}

/* T-E5 */
static void test_opus(void)
{
    static const double rows[][3] = {
        {0, 109.0411, 4.1830}, {1, 105.3799, 4.0862}, {2, 102.0593, 3.9901}, {5, 93.7242, 3.7189}};
    const EmodelCodec *codec = emodel_codec("opus-wb-13");
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        double r = emodel_r(codec, 0, rows[i][0], 1);
        NEAR(r, rows[i][1]);
        NEAR(emodel_mos_of(codec, r), rows[i][2]);
    }
    g_assert_null(emodel_codec("speex"));
}

/* The worked values of docs/probes.md. */
static void test_documented(void)
{
    g_autofree char *path = g_build_filename(g_getenv("G_TEST_SRCDIR"), "docs", "probes.md", NULL);
    g_autofree char *text = NULL;
    unsigned rows = 0;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        g_auto(GStrv) cells = g_strsplit(lines[i], "|", -1);
        if (g_strv_length(cells) != 7)
            continue;
        const EmodelCodec *codec = emodel_codec(g_strstrip(cells[1]));
        if (!codec)
            continue;
        double r =
            emodel_r(codec, g_ascii_strtod(cells[2], NULL), g_ascii_strtod(cells[3], NULL), 1);
        NEAR(r, g_ascii_strtod(cells[4], NULL));
        NEAR(emodel_mos_of(codec, r), g_ascii_strtod(cells[5], NULL));
        rows++;
    }
    g_assert_cmpuint(rows, ==, 9);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/emodel/delay", test_delay);
    g_test_add_func("/emodel/loss", test_loss);
    g_test_add_func("/emodel/mos", test_mos);
    g_test_add_func("/emodel/opus", test_opus);
    g_test_add_func("/emodel/documented", test_documented);
    return g_test_run();
}
