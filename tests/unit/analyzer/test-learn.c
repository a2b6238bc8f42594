/* SPDX-License-Identifier: Apache-2.0 */
/* Learning a line from made drives over a known one. */
#include "analyzer/crs.h"
#include "analyzer/geometry.h"
#include "analyzer/network-learn.h"

#include <math.h>
#include <stdlib.h>

/* Begun anew with the same seed in each run: of a hundred others, two put a bend between two fixes
 * that are both wrong, which nobody could learn from two passes. */
static GRand *chance;

static const GeoPoint origin = {15, 60};

/* The true line: bends of 400 m to 2 km radius, a point every 5 m. */
static GArray *true_line(double length_m)
{
    GArray *line = g_array_new(FALSE, FALSE, sizeof(PlanePoint));
    PlanePoint p = {0, 0};
    double heading = 0.3;

    for (double s = 0; s <= length_m; s += 5) {
        g_array_append_val(line, p);
        heading += 5 * (0.0025 * sin(s / 700) + 0.001 * sin(s / 170));
        p.x += 5 * sin(heading);
        p.y += 5 * cos(heading);
    }
    return line;
}

static double normal(void)
{
    return sqrt(-2 * log(g_rand_double_range(chance, 1e-12, 1))) *
           cos(g_rand_double_range(chance, 0, 2 * G_PI));
}

typedef struct {
    double noise_m, speed_mps, every_s;
    double from_m, to_m;       /* to < from: the other way */
    double hole_from, hole_to; /* no fixes in between */
    int stop_s;                /* standing in the middle, with scatter of 3 * noise */
    double outliers;           /* share of fixes thrown 1 to 6 km away */
} Pass;

static PlanePoint at(const GArray *line, double s)
{
    guint i = (guint)CLAMP(s / 5, 0, line->len - 2);
    double t = CLAMP(s / 5 - i, 0, 1);
    PlanePoint a = g_array_index(line, PlanePoint, i), b = g_array_index(line, PlanePoint, i + 1);

    return (PlanePoint){a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
}

static void add(Learn *learn, PlanePoint p, double time_s)
{
    Plane plane = plane_at(origin);

    learn_add(learn, (int64_t)(time_s * 1e9), plane_to_geo(&plane, p), NAN, NAN);
}

/* Drives along the line; noise goes on slowly, as that of receivers does. */
static double drive(Learn *learn, const GArray *line, const Pass *pass, double time_s)
{
    double direction = pass->to_m > pass->from_m ? 1 : -1, s = pass->from_m;
    double middle = (pass->from_m + pass->to_m) / 2, rho = exp(-pass->every_s / 10);
    PlanePoint noise = {pass->noise_m * normal(), pass->noise_m * normal()};
    int stood = 0;

    while ((pass->to_m - s) * direction >= 0) {
        double own = pass->noise_m * sqrt(1 - rho * rho);
        noise.x = rho * noise.x + own * normal();
        noise.y = rho * noise.y + own * normal();
        PlanePoint p = at(line, s);
        gboolean standing = (s - middle) * direction >= 0 && stood < pass->stop_s;
        double k = standing ? 3 : 1;
        p.x += k * noise.x;
        p.y += k * noise.y;
        if (g_rand_double(chance) < pass->outliers) {
            double angle = g_rand_double_range(chance, 0, 2 * G_PI),
                   away = g_rand_double_range(chance, 1000, 6000);
            p.x += away * cos(angle);
            p.y += away * sin(angle);
        }
        if (!(s > pass->hole_from && s < pass->hole_to))
            add(learn, p, time_s);
        time_s += pass->every_s;
        if (standing)
            stood += (int)ceil(pass->every_s);
        else
            s += direction * pass->speed_mps * pass->every_s;
    }
    return time_s;
}

typedef struct {
    double p50, p95, max, length_m;
} Off;

/* How far the learnt line is from the true one, and its length. */
static Off judge(const LearnResult *result, const GArray *line)
{
    Plane plane = plane_at(origin);
    guint n = result->points->len;
    g_autofree double *off = g_new(double, n);
    const PlanePoint *truth = (const PlanePoint *)(const void *)line->data;

    for (guint i = 0; i < n; i++)
        off[i] =
            plane_project_line(plane_from_geo(&plane, g_array_index(result->points, GeoPoint, i)),
                               truth, line->len)
                .distance_m;
    for (guint i = 1; i < n; i++) { /* sort */
        double v = off[i];
        guint k = i;
        for (; k > 0 && off[k - 1] > v; k--)
            off[k] = off[k - 1];
        off[k] = v;
    }
    return (Off){off[n / 2], off[(guint)(0.95 * (n - 1))], off[n - 1],
                 crs_line_length_m((const GeoPoint *)(const void *)result->points->data, n)};
}

static void learn_ok(Learn *learn, LearnResult *result)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(learn_run(learn, result, &error));
    g_assert_no_error(error);
    for (guint i = 1; i < result->points->len; i++) {
        double step = crs_distance_m(g_array_index(result->points, GeoPoint, i - 1),
                                     g_array_index(result->points, GeoPoint, i));
        g_assert_cmpfloat(step, >, 1);
        g_assert_cmpfloat(step, <, 45);
    }
}

/* No noise: the line itself, in the direction driven. */
static void test_exact(void)
{
    g_autoptr(GArray) line = true_line(10000);
    g_autoptr(Learn) learn = learn_new();
    LearnResult result;
    Pass pass = {.speed_mps = 20, .every_s = 1, .from_m = 10000, .to_m = 0};

    drive(learn, line, &pass, 0);
    learn_ok(learn, &result);
    Off off = judge(&result, line);
    g_assert_cmpfloat(off.p95, <, 2.0); /* scatter under 1 m is not believed */
    g_assert_cmpfloat(off.max, <, 5.0);
    g_assert_cmpfloat_with_epsilon(off.length_m, 10000, 60);
    Plane plane = plane_at(origin);
    PlanePoint first = plane_from_geo(&plane, g_array_index(result.points, GeoPoint, 0));
    g_assert_cmpfloat(plane_distance(first, at(line, 10000)), <, 60);
    learn_result_clear(&result);
}

/* Six passes, both ways, three receivers: better than one fix by far; one line, no spur. */
static void test_passes(void)
{
    g_autoptr(GArray) line = true_line(20000);
    g_autoptr(Learn) learn = learn_new();
    LearnResult result;

    for (int phone = 0; phone < 3; phone++) {
        Pass there = {.noise_m = 5, .speed_mps = 30, .every_s = 3, .to_m = 20000, .stop_s = 120};
        Pass back = there;
        back.from_m = 20000;
        back.to_m = 0;
        learn_begin_track(learn);
        double time = drive(learn, line, &there, phone);
        drive(learn, line, &back, time + 600);
    }
    learn_ok(learn, &result);
    Off off = judge(&result, line);
    g_assert_cmpfloat(off.p50, <, 3.5);
    g_assert_cmpfloat(off.p95, <, 9);
    g_assert_cmpfloat(off.max, <, 40);
    g_assert_cmpfloat_with_epsilon(off.length_m, 20000, 400);
    g_assert_cmpuint(result.passes, ==, 6);
    /* what it believes of itself is about right */
    g_assert_cmpfloat(off.p95, <, 2.5 * result.uncertainty_m);
    g_assert_cmpfloat(result.uncertainty_m, <, 12);
    learn_result_clear(&result);
}

/* One fix in ten far off: dropped, counted, no spur. */
static void test_outliers(void)
{
    g_autoptr(GArray) line = true_line(15000);
    g_autoptr(Learn) learn = learn_new();
    LearnResult result;
    Pass pass = {.noise_m = 5, .speed_mps = 30, .every_s = 5, .to_m = 15000, .outliers = 0.1};

    drive(learn, line, &pass, 0);
    learn_begin_track(learn);
    drive(learn, line, &pass, 100000);
    add(learn, (PlanePoint){NAN, NAN}, 200000);
    learn_add(learn, (int64_t)300000e9, (GeoPoint){0, 0}, NAN, NAN);
    learn_ok(learn, &result);
    Off off = judge(&result, line);
    g_assert_cmpuint(result.invalid, ==, 2);
    g_assert_cmpuint(result.jumps, >, 5);
    g_assert_cmpfloat(off.p95, <, 40);
    g_assert_cmpfloat(off.max, <, 120);
    g_assert_cmpfloat_with_epsilon(off.length_m, 15000, 600);
    learn_result_clear(&result);
}

/* A tunnel: bridged by a curve, told; filled by a pass that has fixes there. */
static void test_tunnel(void)
{
    g_autoptr(GArray) line = true_line(12000);
    Pass pass = {.noise_m = 3,
                 .speed_mps = 25,
                 .every_s = 1,
                 .to_m = 12000,
                 .hole_from = 5000,
                 .hole_to = 7000};

    for (int filled = 0; filled < 2; filled++) {
        g_autoptr(Learn) learn = learn_new();
        LearnResult result;
        double time = drive(learn, line, &pass, 0);
        if (filled) {
            Pass other = {
                .noise_m = 3, .speed_mps = 25, .every_s = 1, .from_m = 8000, .to_m = 4000};
            learn_begin_track(learn);
            drive(learn, line, &other, time);
        }
        learn_ok(learn, &result);
        Off off = judge(&result, line);
        if (filled) {
            g_assert_cmpfloat(off.max, <, 20);
            g_assert_cmpfloat(result.longest_gap_m, <, 500);
        } else {
            g_assert_cmpfloat(result.longest_gap_m, >, 1000);
            g_assert_cmpfloat(off.p50, <, 6);
        }
        g_assert_cmpfloat_with_epsilon(off.length_m, 12000, filled ? 400 : 2000);
        learn_result_clear(&result);
    }
}

/* Passes that see different parts of the line make one line together. */
static void test_parts(void)
{
    g_autoptr(GArray) line = true_line(20000);
    g_autoptr(Learn) learn = learn_new();
    LearnResult result;
    Pass parts[] = {{.noise_m = 4, .speed_mps = 20, .every_s = 1, .from_m = 6000, .to_m = 14000},
                    {.noise_m = 4, .speed_mps = 20, .every_s = 1, .from_m = 12000, .to_m = 20000},
                    {.noise_m = 4, .speed_mps = 20, .every_s = 1, .from_m = 8000, .to_m = 0}};

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        learn_begin_track(learn);
        drive(learn, line, &parts[i], i * 10000.0);
    }
    learn_ok(learn, &result);
    Off off = judge(&result, line);
    g_assert_cmpfloat_with_epsilon(off.length_m, 20000, 400);
    g_assert_cmpfloat(off.p95, <, 12);
    learn_result_clear(&result);
}

/* The same positions under several sources are one witness. */
static void test_shared(void)
{
    g_autoptr(GArray) line = true_line(5000);
    g_autoptr(Learn) learn = learn_new();
    LearnResult result;

    for (int source = 0; source < 3; source++) {
        learn_begin_track(learn);
        for (int i = 0; i < 250; i++)
            add(learn, at(line, i * 20), i);
    }
    learn_ok(learn, &result);
    g_assert_cmpuint(result.passes, ==, 1);
    g_assert_cmpuint(result.shared, ==, 500);
    learn_result_clear(&result);
}

static void test_nothing(void)
{
    g_autoptr(GError) error = NULL;
    LearnResult result;

    for (int kind = 0; kind < 3; kind++) {
        g_autoptr(Learn) learn = learn_new();
        for (int i = 0; kind > 0 && i < 500; i++)
            add(learn, kind == 1 ? (PlanePoint){3 * normal(), 3 * normal()} : (PlanePoint){1, 1},
                i);
        g_assert_false(learn_run(learn, &result, &error));
        g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY);
        g_clear_error(&error);
        learn_result_clear(&result);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    chance = g_rand_new_with_seed(1);
    g_test_add_func("/learn/exact", test_exact);
    g_test_add_func("/learn/passes", test_passes);
    g_test_add_func("/learn/outliers", test_outliers);
    g_test_add_func("/learn/tunnel", test_tunnel);
    g_test_add_func("/learn/parts", test_parts);
    g_test_add_func("/learn/shared", test_shared);
    g_test_add_func("/learn/nothing", test_nothing);
    int status = g_test_run();
    g_rand_free(chance);
    return status;
}
