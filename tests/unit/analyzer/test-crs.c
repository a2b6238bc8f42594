/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/crs.h"

#include <math.h>

/* T-X1: SWEREF 99 TM; the first two are control points of Lantmäteriet. */
static void test_sweref(void)
{
    static const struct {
        double lat, lon, n, e;
    } rows[] = {
        {55, 12.75, 6097106.672, 356083.438}, {55, 14.25, 6095048.642, 452024.069},
        {57, 12.75, 6319636.937, 363331.554}, {57, 19.5, 6326392.707, 773251.054},
        {59, 11.25, 6546096.724, 284626.066}, {66, 24, 7349217.668, 907351.981},
        {69, 21, 7666089.698, 739639.195},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(Crs) crs = crs_new("EPSG:3006", &error);

    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        double x = 0, y = 0;
        GeoPoint back = {0}, p = {rows[i].lon, rows[i].lat};
        g_assert_true(crs_forward(crs, p, &x, &y));
        g_assert_cmpfloat_with_epsilon(y, rows[i].n, 0.001);
        g_assert_cmpfloat_with_epsilon(x, rows[i].e, 0.001);
        g_assert_true(crs_backward(crs, x, y, &back));
        g_assert_cmpfloat_with_epsilon(back.lon, p.lon, 1e-9);
        g_assert_cmpfloat_with_epsilon(back.lat, p.lat, 1e-9);
    }
}

static void test_unknown(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(crs_new("EPSG:none", &error));
    g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_FAILED);
}

/* The short formula against the geodesic, at chance places and lengths. */
static void test_short(void)
{
    for (int i = 0; i < 20000; i++) {
        GeoPoint a = {g_test_rand_double_range(-179, 179), g_test_rand_double_range(-84, 84)};
        double azimuth = g_test_rand_double_range(-180, 180);
        double length = pow(10, g_test_rand_double_range(-2, 4.5));
        GeoPoint b = crs_direct(a, azimuth, length);
        double exact = crs_distance_m(a, b);
        g_assert_cmpfloat_with_epsilon(exact, length, 1e-6);
        g_assert_cmpfloat(fabs(crs_short_distance_m(a, b) - exact), <=, 1e-6 * exact + 1e-8);
    }
}

static void test_line(void)
{
    GeoPoint p[] = {{15, 60}, {15, 60.5}, {15, 61}};

    g_assert_cmpfloat_with_epsilon(crs_line_length_m(p, 3), crs_distance_m(p[0], p[2]), 1e-6);
    g_assert_cmpfloat(crs_line_length_m(p, 1), ==, 0);
    g_assert_cmpfloat(crs_line_length_m(p, 0), ==, 0);
    /* a degree of the equator */
    g_assert_cmpfloat_with_epsilon(crs_distance_m((GeoPoint){0, 0}, (GeoPoint){1, 0}), 111319.491,
                                   0.001);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/crs/sweref", test_sweref);
    g_test_add_func("/crs/unknown", test_unknown);
    g_test_add_func("/crs/short", test_short);
    g_test_add_func("/crs/line", test_line);
    return g_test_run();
}
