/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/crs.h"
#include "analyzer/geometry.h"

#include <math.h>

static PlanePoint chance(double size)
{
    return (PlanePoint){g_test_rand_double_range(-size, size),
                        g_test_rand_double_range(-size, size)};
}

static void test_plane(void)
{
    for (int i = 0; i < 1000; i++) {
        GeoPoint o = {g_test_rand_double_range(-179, 179), g_test_rand_double_range(-80, 80)};
        Plane plane = plane_at(o);
        GeoPoint g = crs_direct(o, g_test_rand_double_range(-180, 180), 200);
        PlanePoint p = plane_from_geo(&plane, g);
        g_assert_cmpfloat_with_epsilon(hypot(p.x, p.y), 200, 0.1);
        GeoPoint back = plane_to_geo(&plane, p);
        g_assert_cmpfloat_with_epsilon(back.lon, g.lon, 1e-10);
        g_assert_cmpfloat_with_epsilon(back.lat, g.lat, 1e-10);
    }
}

/* Against the slow way: the nearest of 10001 places along the line. */
static void test_project(void)
{
    for (int round = 0; round < 50; round++) {
        PlanePoint line[6], p = chance(100);
        double total = 0, along = 0, best = HUGE_VAL;
        for (int i = 0; i < 6; i++) {
            line[i] = chance(100);
            total += i > 0 ? plane_distance(line[i - 1], line[i]) : 0;
        }
        LineHit hit = plane_project_line(p, line, 6);
        for (int i = 0; i < 5; i++) {
            double length = plane_distance(line[i], line[i + 1]);
            for (int k = 0; k <= 2000; k++) {
                double t = k / 2000.0;
                PlanePoint q = {line[i].x + t * (line[i + 1].x - line[i].x),
                                line[i].y + t * (line[i + 1].y - line[i].y)};
                best = fmin(best, plane_distance(p, q));
            }
            if ((size_t)i == hit.segment)
                g_assert_cmpfloat_with_epsilon(hit.along_m, along + hit.t * length, 1e-9);
            along += length;
        }
        g_assert_cmpfloat_with_epsilon(hit.distance_m, best, 0.2);
        g_assert_cmpfloat(hit.distance_m, <=, best + 1e-9);
        g_assert_cmpfloat_with_epsilon(plane_distance(p, hit.point), hit.distance_m, 1e-9);
        g_assert_cmpfloat(hit.along_m, <=, total + 1e-9);
    }
}

static void test_project_odd(void)
{
    PlanePoint line[] = {{0, 0}, {0, 0}, {10, 0}, {10, 0}};
    LineHit hit = plane_project_line((PlanePoint){4, 3}, line, 4);

    g_assert_cmpfloat_with_epsilon(hit.along_m, 4, 1e-12);
    g_assert_cmpfloat_with_epsilon(hit.distance_m, 3, 1e-12);
    hit = plane_project_line((PlanePoint){4, 3}, line, 1);
    g_assert_cmpfloat_with_epsilon(hit.distance_m, 5, 1e-12);
    g_assert_cmpfloat(hit.along_m, ==, 0);
}

static void test_heading(void)
{
    static const struct {
        double a, b, difference;
    } rows[] = {{0, 0, 0},     {350, 10, 20}, {10, 350, 20},
                {0, 180, 180}, {-90, 270, 0}, {90, 271, 179}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpfloat_with_epsilon(heading_difference_deg(rows[i].a, rows[i].b),
                                       rows[i].difference, 1e-9);
    PlanePoint o = {0, 0};
    g_assert_cmpfloat_with_epsilon(plane_heading_deg(o, (PlanePoint){0, 5}), 0, 1e-12);
    g_assert_cmpfloat_with_epsilon(plane_heading_deg(o, (PlanePoint){5, 0}), 90, 1e-12);
    g_assert_cmpfloat_with_epsilon(plane_heading_deg(o, (PlanePoint){-5, 0}), 270, 1e-12);
}

static void test_cross(void)
{
    double t = 0, u = 0;

    g_assert_true(plane_cross((PlanePoint){0, 0}, (PlanePoint){10, 0}, (PlanePoint){4, -1},
                              (PlanePoint){4, 3}, &t, &u));
    g_assert_cmpfloat_with_epsilon(t, 0.4, 1e-12);
    g_assert_cmpfloat_with_epsilon(u, 0.25, 1e-12);
    g_assert_false(plane_cross((PlanePoint){0, 0}, (PlanePoint){10, 0}, (PlanePoint){0, 1},
                               (PlanePoint){10, 1}, &t, &u));
    g_assert_false(plane_cross((PlanePoint){0, 0}, (PlanePoint){1, 0}, (PlanePoint){4, -1},
                               (PlanePoint){4, 3}, &t, &u));
}

/* What is left out lies within the tolerance of what is kept. */
static void test_simplify(void)
{
    for (int round = 0; round < 100; round++) {
        PlanePoint line[80], kept[80];
        guint8 keep[80];
        size_t n = (size_t)g_test_rand_int_range(1, 81), k = 0;
        for (size_t i = 0; i < n; i++)
            line[i] = (PlanePoint){(double)i * 10, g_test_rand_double_range(-8, 8)};
        plane_simplify(line, n, 5, keep);
        g_assert_true(keep[0] == 1 && keep[n - 1] == 1);
        for (size_t i = 0; i < n; i++) {
            if (keep[i])
                kept[k++] = line[i];
        }
        for (size_t i = 0; i < n; i++)
            g_assert_cmpfloat(plane_project_line(line[i], kept, k).distance_m, <=, 5 + 1e-9);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/geometry/plane", test_plane);
    g_test_add_func("/geometry/project", test_project);
    g_test_add_func("/geometry/project-odd", test_project_odd);
    g_test_add_func("/geometry/heading", test_heading);
    g_test_add_func("/geometry/cross", test_cross);
    g_test_add_func("/geometry/simplify", test_simplify);
    return g_test_run();
}
