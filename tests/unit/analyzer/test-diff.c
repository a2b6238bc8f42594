/* SPDX-License-Identifier: Apache-2.0 */
/* Before and after: tests of single places against slow versions, and whether the changes that are
 * found on made corridors are there. Random tests print their seed (GTest does). */
#include "analyzer/diff-test.h"
#include "analyzer/judge.h"
#include "analyzer/stat.h"

#include <math.h>
#include <string.h>

#define NEAR(a, b, eps) g_assert_cmpfloat_with_epsilon(a, b, eps)

/* ---- single places ---- */

static void test_share(void)
{
    /* Newcombe 1998, table II, method 10: 48/80 and 56/70 */
    DiffEffect e = diff_share(48.0 / 80.0, 80, 56.0 / 70.0, 70);
    NEAR(e.effect, 0.2, 1e-12);
    NEAR(e.low, 0.0524, 5e-5);
    NEAR(e.high, 0.3339, 5e-5);
    /* the same by 2x2 table with Yates' correction: chi^2 = 6.1353 (150 (48*14-32*56 off 75)^2) */
    double chi =
        150.0 * pow(fabs(48.0 * 14.0 - 32.0 * 56.0) - 75.0, 2.0) / (80.0 * 70.0) / (104.0 * 46.0);
    NEAR(e.p, 2.0 * stat_normal_cdf(-sqrt(chi)), 1e-9);
    g_assert_true(isnan(diff_share(0.5, 0, 0.5, 10).p));
    g_assert_true(isnan(diff_share(0.5, 10, NAN, 10).p));
    /* one sample each says nothing */
    NEAR(diff_share(0.0, 1, 1.0, 1).p, 1.0, 1e-12);
}

static void test_effective_n(void)
{
    for (int i = 0; i < 2000; i++) {
        double p = i % 3 == 0 ? 0.0 : i % 3 == 1 ? 1.0 : g_test_rand_double();
        double n = exp(g_test_rand_double_range(-0.5, 7.0));
        StatInterval ci = stat_wilson(p, n, STAT_Z95);
        NEAR(diff_effective_n(p, ci.low, ci.high) / n, 1.0, 1e-6);
    }
    NEAR(diff_effective_n(0.5, 0.0, 1.0), 0.0, 1e-12);
}

static void test_adjusted(void)
{
    /* Benjamini & Hochberg 1995, section 3: 15 p-values, 4 found at 0.05 */
    static const double p[15] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                                 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000};
    double adjusted[15];
    stat_adjusted_p(p, 15, adjusted);
    for (int i = 0; i < 15; i++)
        g_assert_cmpint(adjusted[i] <= 0.05, ==, i < 4);
    for (int round = 0; round < 300; round++) {
        size_t n = (size_t)g_test_rand_int_range(0, 60);
        double v[60], fast[60];
        uint8_t found[60];
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            v[i] = g_test_rand_int_range(0, 8) == 0 ? (double)NAN : pow(g_test_rand_double(), 3.0);
            if (i > 0 && g_test_rand_int_range(0, 5) == 0)
                v[i] = v[i - 1]; /* ties */
            m += isnan(v[i]) ? 0 : 1;
        }
        stat_adjusted_p(v, n, fast);
        double q = g_test_rand_double_range(0.01, 0.5);
        stat_false_discovery(v, n, q, found);
        for (size_t i = 0; i < n; i++) {
            g_assert_cmpint(isnan(fast[i]), ==, isnan(v[i]));
            if (isnan(v[i]))
                continue;
            /* slow: the least, over all values not below this one, of value * m / rank */
            double least = 1.0;
            for (size_t k = 0; k < n; k++) {
                double rank = 0.0;
                for (size_t j = 0; j < n; j++)
                    rank += v[j] <= v[k] ? 1.0 : 0.0;
                if (v[k] >= v[i])
                    least = fmin(least, v[k] * (double)m / rank);
            }
            NEAR(fast[i], least, 1e-12);
            g_assert_cmpint(fast[i] <= q, ==, found[i]);
        }
    }
}

static double variance_slow(const double *x, guint n)
{
    double mean = 0.0, sum = 0.0;
    for (guint i = 0; i < n; i++)
        mean += x[i] / n;
    for (guint i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum;
}

static void test_spread(void)
{
    enum { PLACES = 40, PASSES = 4 };
    DiffPass pass[PLACES][2 * PASSES] = {{{0}}};
    DiffPair pairs[PLACES];
    double sum = 0.0, df = 0.0, fourth = 0.0;
    for (int i = 0; i < PLACES; i++) {
        double x[2][PASSES], own = 0.0, own_df = 0.0;
        guint n[2];
        for (int side = 0; side < 2; side++) {
            n[side] = (guint)g_test_rand_int_range(1, PASSES + 1);
            for (guint k = 0; k < n[side]; k++) {
                x[side][k] = g_test_rand_double_range(-14.0, 14.0);
                /* levels differ just as margins do */
                pass[i][side * PASSES + (int)k] = (DiffPass){x[side][k], x[side][k] - 105.0};
            }
            own += variance_slow(x[side], n[side]);
            own_df += n[side] - 1;
        }
        sum += own;
        df += own_df;
        fourth += own_df > 0.0 ? own * own / (own_df + 2.0) : 0.0;
        pairs[i] = (DiffPair){pass[i], pass[i] + PASSES, n[0], n[1]};
    }
    DiffSpread spread = diff_spread(pairs, PLACES);
    g_assert_cmpint(spread.from, ==, DIFF_SPREAD_PASSES);
    g_assert_cmpuint(spread.n, ==, (gsize)df);
    double mean = sum / df, ratio = fourth / df / (mean * mean);
    if (ratio > 1.0) {
        double f = spread.freedom;
        NEAR((f - 2.0) / (f - 4.0), ratio, 1e-6);
        mean *= (f - 2.0) / f;
    } else {
        g_assert_true(isinf(spread.freedom));
    }
    NEAR(spread.variance, mean, 1e-9);
    /* a margin that ends at its cap does not hide that levels differ */
    for (int i = 0; i < PLACES; i++)
        for (int k = 0; k < 2 * PASSES; k++)
            pass[i][k].margin_db = JUDGE_MARGIN_CAP_DB;
    NEAR(diff_spread(pairs, PLACES).variance, mean, 1e-9);
    /* one pass each: from the difference of the campaigns, whatever they differ by on the whole */
    for (int i = 0; i < PLACES; i++)
        pairs[i].n_before = pairs[i].n_after = 1;
    spread = diff_spread(pairs, PLACES);
    g_assert_cmpint(spread.from, ==, DIFF_SPREAD_CAMPAIGNS);
    for (int i = 0; i < PLACES; i++)
        pass[i][PASSES].level_dbm += 12.0;
    NEAR(diff_spread(pairs, PLACES).variance, spread.variance, 1e-9);
    /* a few places with several passes do not stand for all */
    for (int i = 0; i < 9; i++)
        pairs[i].n_before = PASSES;
    g_assert_cmpint(diff_spread(pairs, PLACES).from, ==, DIFF_SPREAD_CAMPAIGNS);
    spread = diff_spread(pairs + 9, 10);
    g_assert_cmpint(spread.from, ==, DIFF_SPREAD_ASSUMED);
    NEAR(spread.variance, 36.0, 1e-12);
}

static void test_level(void)
{
    static const DiffPass before[] = {{-6, -111}, {-4, -109}}, after[] = {{4, -101}, {6, -99}};
    DiffPair pair = {before, after, 2, 2};
    DiffSpread common = {25.0, INFINITY, DIFF_SPREAD_PASSES, 100};
    DiffEffect e = diff_level(&pair, &common, 0.0);
    NEAR(e.effect, 10.0, 1e-12);
    NEAR(e.p, 2.0 * stat_normal_cdf(-2.0), 1e-12); /* 10 / sqrt(25 (1/2 + 1/2)) */
    NEAR(e.low, 10.0 - STAT_Z95 * 5.0, 1e-12);
    /* receivers that may differ make it less certain */
    g_assert_cmpfloat(diff_level(&pair, &common, 5.0).p, >, e.p);
    /* places that differ: own variance 2 on 2, common 7 on 8 degrees of freedom make 6 on 10 */
    DiffSpread uneven = {7.0, 8.0, DIFF_SPREAD_PASSES, 100};
    e = diff_level(&pair, &uneven, 0.0);
    NEAR(e.p, stat_t_two_sided(10.0 / sqrt(6.0), 10.0), 1e-12);
    NEAR(e.high, 10.0 + stat_t_quantile(0.975, 10.0) * sqrt(6.0), 1e-9);
    /* the other way round: the same but for the sign */
    DiffPair swapped = {after, before, 2, 2};
    DiffEffect f = diff_level(&swapped, &common, 3.0);
    e = diff_level(&pair, &common, 3.0);
    NEAR(f.effect, -e.effect, 1e-12);
    NEAR(f.p, e.p, 1e-12);
    NEAR(f.low, -e.high, 1e-12);
    pair.n_after = 0;
    g_assert_true(isnan(diff_level(&pair, &common, 0.0).p));
}

/* ---- are the changes that are found there? ---- */

enum { PLACES = 300, MOST = 6 };

typedef struct {
    guint passes;
    double changed;      /* share of places */
    double step_db;      /* by which they changed */
    double equipment_db; /* what the receivers differ by, as standard deviation of one */
    gboolean uneven;     /* some places vary three times as much as others */
} World;

typedef struct {
    double false_rate, power; /* means over the runs */
} Outcome;

/* One campaign: levels along the line, each pass with a noise that neighbours share (rho 0.6), and
 * an error of its receivers. What lies below -125 dBm is no service. */
static void measure(StatRandom *random, const World *w, const double *level, DiffPass *pass)
{
    double receivers = w->equipment_db * stat_random_normal(random);
    for (guint k = 0; k < w->passes; k++) {
        double noise = stat_random_normal(random);
        for (int i = 0; i < PLACES; i++) {
            noise = 0.6 * noise + 0.8 * stat_random_normal(random);
            double sigma = w->uneven ? (i % 10 < 3 ? 7.5 : 2.5) : 5.0;
            double x = floor(level[i] + receivers + sigma * noise + 0.5);
            DiffPass *p = &pass[i * MOST + (int)k];
            p->level_dbm = x < -125.0 ? (double)NAN : x;
            p->margin_db = x < -125.0
                               ? -JUDGE_MARGIN_CAP_DB
                               : CLAMP(x + 105.0, -JUDGE_MARGIN_CAP_DB, 3.0 * JUDGE_MARGIN_CAP_DB);
        }
    }
}

static void one_run(StatRandom *random, const World *w, double *false_rate, double *power)
{
    double before[PLACES], after[PLACES], p[PLACES], adjusted[PLACES], shadow = 0.0;
    static DiffPass a[PLACES * MOST], b[PLACES * MOST];
    DiffPair pairs[PLACES];
    /* changes come in stretches of 30 segments */
    for (int i = 0; i < PLACES; i++) {
        shadow = 0.85 * shadow + 4.0 * stat_random_normal(random);
        before[i] = -103.0 + shadow;
        gboolean changed = (i / 30) % 10 < (int)floor(10.0 * w->changed + 0.5);
        after[i] = before[i] + (changed ? w->step_db : 0.0);
        pairs[i] = (DiffPair){a + i * MOST, b + i * MOST, w->passes, w->passes};
    }
    measure(random, w, before, a);
    measure(random, w, after, b);
    DiffSpread spread = diff_spread(pairs, PLACES);
    for (int i = 0; i < PLACES; i++)
        p[i] = diff_level(&pairs[i], &spread, G_SQRT2 * w->equipment_db).p;
    stat_adjusted_p(p, PLACES, adjusted);
    double found = 0.0, wrong = 0.0, changed = 0.0, right = 0.0;
    for (int i = 0; i < PLACES; i++) {
        gboolean is_found = adjusted[i] <= 0.05, is_changed = after[i] != before[i];
        found += is_found ? 1.0 : 0.0;
        wrong += is_found && !is_changed ? 1.0 : 0.0;
        changed += is_changed ? 1.0 : 0.0;
        right += is_found && is_changed ? 1.0 : 0.0;
    }
    *false_rate += found > 0.0 ? wrong / found : 0.0;
    *power += changed > 0.0 ? right / changed : 0.0;
}

enum { RUNS = 400 };

static Outcome simulate(const World *w)
{
    StatRandom random = {42};
    Outcome o = {0.0, 0.0};
    for (int r = 0; r < RUNS; r++)
        one_run(&random, w, &o.false_rate, &o.power);
    o.false_rate /= RUNS;
    o.power /= RUNS;
    g_test_message(
        "passes %u, changed %.1f by %.0f dB, receivers %.2f dB%s: false %.4f, found %.3f",
        w->passes, w->changed, w->step_db, w->equipment_db, w->uneven ? ", uneven" : "",
        o.false_rate, o.power);
    return o;
}

/* 5 % of what is found may be false. Where nothing changed each run is right or wrong: 3 standard
 * errors of 400 runs are 0.033. */
#define FALSE_AT_MOST 0.083

/* Nothing changed, whatever the spread and the receivers. */
static void test_nothing_changed(void)
{
    static const World worlds[] = {{1, 0.0, 0.0, 0.0, FALSE},
                                   {3, 0.0, 0.0, 0.0, FALSE},
                                   {6, 0.0, 0.0, 0.0, TRUE},
                                   {3, 0.0, 0.0, 3.65, FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(worlds); i++)
        g_assert_cmpfloat(simulate(&worlds[i]).false_rate, <=, FALSE_AT_MOST);
}

/* A fifth of the line changed: what is found is true, and the more passes the more of it. */
static void test_power(void)
{
    static const struct {
        World world;
        double least, most; /* of what changed is found */
    } rows[] = {
        {{1, 0.2, 15.0, 0.0, FALSE}, 0.0, 0.05},  {{1, 0.2, 30.0, 0.0, FALSE}, 0.1, 0.9},
        {{3, 0.2, 15.0, 0.0, FALSE}, 0.7, 1.0},   {{6, 0.2, 15.0, 0.0, FALSE}, 0.9, 1.0},
        {{6, 0.2, -15.0, 0.0, FALSE}, 0.7, 1.0},  {{6, 0.2, 3.0, 0.0, FALSE}, 0.0, 0.1},
        {{3, 0.2, 15.0, 3.65, FALSE}, 0.02, 0.6}, {{6, 0.2, 25.0, 3.65, FALSE}, 0.5, 1.0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Outcome o = simulate(&rows[i].world);
        g_assert_cmpfloat(o.false_rate, <=, 0.05);
        g_assert_cmpfloat(o.power, >=, rows[i].least);
        g_assert_cmpfloat(o.power, <=, rows[i].most);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diff/share", test_share);
    g_test_add_func("/diff/effective-n", test_effective_n);
    g_test_add_func("/diff/adjusted", test_adjusted);
    g_test_add_func("/diff/spread", test_spread);
    g_test_add_func("/diff/level", test_level);
    g_test_add_func("/diff/nothing-changed", test_nothing_changed);
    g_test_add_func("/diff/power", test_power);
    return g_test_run();
}
