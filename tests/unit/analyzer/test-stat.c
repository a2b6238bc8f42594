/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors (T-…) are those of docs/method.md, computed by independent scripts. */
#include "analyzer/stat.h"

#include <math.h>

#define NEAR(a, b, eps) g_assert_cmpfloat_with_epsilon(a, b, eps)

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
        NEAR(ci.low, rows[i].low, 1e-6);
        NEAR(ci.high, rows[i].high, 1e-6);
    }
    StatInterval none = stat_wilson(0, 0, STAT_Z95);
    NEAR(none.low, 0.0, 1e-12);
    NEAR(none.high, 1.0, 1e-12);
}

static void test_clopper_pearson(void)
{
    static const struct {
        int64_t k, n;
        double low, high;
    } rows[] = {
        {0, 10, 0, 0.308497},
        {49, 50, 0.893530, 0.999494},
        {98, 100, 0.929616, 0.997569},
        {192, 200, 0.922708, 0.982575},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        StatInterval ci = stat_clopper_pearson(rows[i].k, rows[i].n, 0.95);
        NEAR(ci.low, rows[i].low, 1e-6);
        NEAR(ci.high, rows[i].high, 1e-6);
    }
}

static double slow_cdf(int k, int n, double p)
{
    double sum = 0.0;
    for (int i = 0; i <= k; i++) {
        double term = 1.0;
        for (int j = 0; j < i; j++)
            term *= (double)(n - j) / (double)(j + 1) * p;
        sum += term * pow(1.0 - p, n - i);
    }
    return sum;
}

static void test_binomial(void)
{
    for (int n = 1; n < 60; n += 7)
        for (int k = -1; k <= n; k++)
            for (double p = 0.0; p <= 1.0; p += 0.1)
                NEAR(stat_binomial_cdf(k, n, p), k < 0 ? 0.0 : fmin(1.0, slow_cdf(k, n, p)), 1e-11);
    /* T-S2 */
    static const int64_t reject[][2] = {{50, 4},   {100, 6},  {200, 8},
                                        {300, 11}, {500, 16}, {1000, 29}};
    for (unsigned i = 0; i < G_N_ELEMENTS(reject); i++)
        g_assert_cmpint(stat_reject_failures(reject[i][0], 0.98, 0.05), ==, reject[i][1]);
    NEAR(1.0 - stat_binomial_cdf(7, 200, 0.02), 0.04934, 5e-6);
    NEAR(1.0 - stat_binomial_cdf(28, 1000, 0.02), 0.03288, 5e-6);
    /* T-S3 */
    static const int64_t proof[][2] = {{0, 149}, {1, 236}, {2, 313}, {3, 386}, {5, 523}};
    for (unsigned i = 0; i < G_N_ELEMENTS(proof); i++)
        g_assert_cmpint(stat_proof_tests(proof[i][0], 0.98, 0.05), ==, proof[i][1]);
}

static void test_decide(void)
{
    int64_t more = -2;
    g_assert_cmpint(stat_decide(149, 149, 0.98, 0.05, &more), ==, STAT_CONFIRMED);
    g_assert_cmpint(more, ==, 0);
    g_assert_cmpint(stat_decide(92, 100, 0.98, 0.05, &more), ==, STAT_CONTRADICTED);
    g_assert_cmpint(stat_decide(100, 100, 0.98, 0.05, &more), ==, STAT_NOT_DECIDED);
    g_assert_cmpint(more, ==, 49);
    g_assert_cmpint(stat_decide(0, 0, 0.98, 0.05, &more), ==, STAT_NOT_DECIDED);
    g_assert_cmpint(more, ==, 149);
    g_assert_cmpint(stat_decide(98, 100, 0.98, 0.05, &more), ==, STAT_NOT_DECIDED);
    g_assert_cmpint(more, ==, -1);
    /* 1.5 failures of 9 are at least one: that may happen by chance; two would not */
    g_assert_cmpint(stat_decide(7.5, 9, 0.98, 0.05, NULL), ==, STAT_NOT_DECIDED);
    g_assert_cmpint(stat_decide(7.0, 9, 0.98, 0.05, NULL), ==, STAT_CONTRADICTED);
    g_assert_cmpint(stat_decide(148.5, 149, 0.98, 0.05, NULL), ==, STAT_NOT_DECIDED);
    g_assert_cmpstr(stat_decision_name(STAT_CONTRADICTED), ==, "contradicted");
}

/* T-F1 */
static void test_fcc(void)
{
    NEAR(1.0 - stat_binomial_cdf(stat_fcc_negatives(20) - 1, 20, 0.1), 0.0432, 5e-5);
    NEAR(1.0 - stat_binomial_cdf(stat_fcc_negatives(29) - 1, 29, 0.1), 0.0216, 1e-4);
    NEAR(1.0 - stat_binomial_cdf(stat_fcc_negatives(61) - 1, 61, 0.1), 0.0381, 5e-5);
    NEAR(1.0 - stat_binomial_cdf(stat_fcc_negatives(100) - 1, 100, 0.1), 0.0399, 5e-5);
    g_assert_cmpint(stat_fcc_negatives(29), ==, 7);
    g_assert_cmpint(stat_fcc_negatives(61), ==, 11);
}

/* T-A1 .. T-A3 */
static void test_mean(void)
{
    NEAR(stat_mean_linear((double[]){-80, -110}, 2), -83.006, 5e-4);
    NEAR(stat_mean_linear((double[]){-95, -100, -105}, 3), -98.260, 5e-4);
    double ten[10] = {-70, -120, -120, -120, -120, -120, -120, -120, -120, -120};
    NEAR(stat_mean_linear(ten, 10), -80.000, 5e-4);
}

/* T-L1 .. T-L3, METHOD 1.8 */
static void test_lee(void)
{
    static const double rows[][4] = {{10, 1.82, -3.19, 2.90},
                                     {36, 1.05, -1.39, 1.53},
                                     {50, 0.91, -1.15, 1.30},
                                     {100, 0.66, -0.78, 0.92}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        StatInterval limits = stat_lee_linear(rows[i][0]);
        NEAR(limits.high, rows[i][1], 0.0051);
        NEAR(limits.low, rows[i][2], 0.0051);
        NEAR(stat_lee_decibel(rows[i][0]), rows[i][3], 0.0051);
    }
    static const double windows[][2] = {{450, 26.65}, {700, 17.13}, {800, 14.99}, {900, 13.32},
                                        {1800, 6.66}, {2100, 5.71}, {2600, 4.61}, {3500, 3.43}};
    for (unsigned i = 0; i < G_N_ELEMENTS(windows); i++)
        NEAR(stat_lee_window_m(windows[i][0]), windows[i][1], 0.0051);
    NEAR(stat_lee_speed_kmh(800, 0.2), 5.40, 1e-9);
    NEAR(stat_right_side(3, 3), 0.8413, 5e-5);
    NEAR(stat_right_side(5, 3), 0.9522, 5e-5);
    NEAR(stat_right_side(6, 6), 0.8413, 5e-5);
    g_assert_true(isinf(stat_lee_linear(2).low));
}

/* T-K1, T-K2 */
static void test_kaplan_meier(void)
{
    StatStep steps[10];
    double below, value;
    StatCensored first[] = {{4, 0, 1}, {3, 1, 1}, {6, 0, 1}, {8, 0, 1}, {10, 1, 1}, {12, 0, 1}};
    g_assert_cmpuint(stat_kaplan_meier(first, 6, steps, &below), ==, 4);
    static const double first_share[] = {1, 0.833333, 0.625, 0.416667};
    for (int i = 0; i < 4; i++)
        NEAR(steps[i].share, first_share[i], 1e-6);
    NEAR(below, 0.208333, 1e-6);

    StatCensored second[] = {{-90, 0, 2.5},  {-98, 0, 2.5},  {-104, 0, 2.5}, {-108, 0, 2.5},
                             {-115, 0, 2.5}, {-118, 0, 2.5}, {-110, 1, 2.5}, {-110, 1, 2.5},
                             {-120, 1, 2.5}, {-120, 1, 2.5}};
    size_t n = stat_kaplan_meier(second, 10, steps, &below);
    g_assert_cmpuint(n, ==, 6);
    static const double second_share[] = {1, 0.9, 0.8, 0.7, 0.6, 0.45};
    for (int i = 0; i < 6; i++)
        NEAR(steps[i].share, second_share[i], 1e-9);
    NEAR(below, 0.30, 1e-9);
    g_assert_true(stat_kaplan_meier_percentile(steps, n, below, 0.5, &value));
    NEAR(value, -115, 1e-12);
    g_assert_false(stat_kaplan_meier_percentile(steps, n, below, 0.1, &value));
    NEAR(value, -118, 1e-12);

    /* with a fifth of no service below them: P50 is the P37.5 of those with service */
    g_assert_cmpint(stat_percentile_censored(second, 10, 6.25, 0.5, &value), ==, STAT_AT_VALUE);
    NEAR(value, -118, 1e-12);
    g_assert_cmpint(stat_percentile_censored(second, 10, 6.25, 0.3, &value), ==, STAT_AT_LIMIT);
    NEAR(value, -118, 1e-12);
    g_assert_cmpint(stat_percentile_censored(second, 10, 6.25, 0.2, &value), ==, STAT_AT_NONE);
    g_assert_cmpint(stat_percentile_censored(second, 0, 1.0, 0.9, &value), ==, STAT_AT_NONE);
    g_assert_cmpint(stat_percentile_censored(second, 0, 0.0, 0.9, &value), ==, STAT_AT_NOTHING);
    StatCensored limits[] = {{-110, 1, 1}, {-120, 1, 1}};
    g_assert_cmpint(stat_percentile_censored(limits, 2, 0.0, 0.9, &value), ==, STAT_AT_LIMIT);
    NEAR(value, -110, 1e-12);
}

/* Two receivers with different floors over the same levels: the estimate is that of a receiver
 * without a floor; taking floors for levels is not. */
static void test_two_floors(void)
{
    StatRandom random = {11};
    const size_t N = 20000;
    g_autofree StatCensored *v = g_new(StatCensored, N);
    g_autofree StatWeighted *naive = g_new(StatWeighted, N), *truth = g_new(StatWeighted, N);
    for (size_t i = 0; i < N; i++) {
        double level = floor(-108 + 8 * stat_random_normal(&random) + 0.5);
        double lowest = i % 2 ? -104 : -124;
        truth[i] = (StatWeighted){level, 1.0};
        v[i] = (StatCensored){fmax(level, lowest), level <= lowest, 1.0};
        naive[i] = (StatWeighted){fmax(level, lowest), 1.0};
    }
    for (double p = 0.1; p < 0.95; p += 0.2) {
        double value = 0.0;
        g_assert_cmpint(stat_percentile_censored(v, N, 0.0, p, &value), ==, STAT_AT_VALUE);
        NEAR(value, stat_percentile_weighted(truth, N, p), 1.0);
    }
    g_assert_cmpfloat(stat_percentile_weighted(naive, N, 0.3), >,
                      stat_percentile_weighted(truth, N, 0.3) + 4.0);
}

/* T-W1, T-W2 */
static void test_weights(void)
{
    double s[72], t[72], level[72], way[72], time[72];
    for (int i = 0; i < 72; i++) {
        t[i] = i;
        time[i] = 1.0;
        s[i] = i < 60 ? 0.0 : (i - 59) * 27.7778;
        level[i] = i < 60 ? -70 : -112;
    }
    stat_way_weights(s, t, 72, 250, 10, way);
    NEAR(stat_share_weighted(level, time, 72, -105), 0.8333, 5e-5);
    NEAR(stat_share_weighted(level, way, 72, -105), 0.0, 1e-12);
    StatWeighted by_time[72], by_way[72];
    for (int i = 0; i < 72; i++) {
        by_time[i] = (StatWeighted){level[i], time[i]};
        by_way[i] = (StatWeighted){level[i], way[i]};
    }
    NEAR(stat_percentile_weighted(by_time, 72, 0.5), -70, 1e-12);
    NEAR(stat_percentile_weighted(by_way, 72, 0.5), -112, 1e-12);
    NEAR(16.0 / 13.0, 1.231, 5e-4);
    /* a hole of 60 s in the recording: no more than 10 s of way each side count */
    double gap_s[] = {0, 600}, gap_t[] = {0, 60};
    stat_way_weights(gap_s, gap_t, 2, 250, 10, way);
    NEAR(way[0], 50.0, 1e-9);
}

/* T-N1 */
static void test_effective(void)
{
    static const double rows[][3] = {
        {100, 500, 0.0997}, {100, 100, 0.4621}, {27.8, 100, 0.1381}, {10, 50, 0.0997}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        NEAR(stat_effective_n(1.0, stat_correlation(rows[i][0], rows[i][1])), rows[i][2], 5e-5);
    NEAR(stat_correlation(100, 500), 0.8187, 5e-5);
    NEAR(stat_effective_n(7, -0.4), 7.0, 1e-12);

    StatRandom random = {1};
    const size_t N = 20000;
    g_autofree double *x = g_new(double, N);
    double rho = stat_correlation(100, 300);
    x[0] = stat_random_normal(&random);
    for (size_t i = 1; i < N; i++)
        x[i] = rho * x[i - 1] + sqrt(1 - rho * rho) * stat_random_normal(&random);
    NEAR(stat_decorrelation(x, NULL, N, 100), 300, 30);
    for (size_t i = 0; i < N; i++)
        x[i] = stat_random_normal(&random);
    g_assert_cmpfloat(stat_decorrelation(x, NULL, N, 100), <, 30);
    NEAR(stat_decorrelation(x, NULL, 5, 100), 0.0, 1e-12);
}

/* T-Q1 */
static void test_percentiles(void)
{
    double x[] = {-120, -118, -115, -112, -110, -108, -105, -103, -100, -95};
    NEAR(stat_percentile_7(x, 10, 0.10), -118.2, 1e-9);
    NEAR(stat_percentile_7(x, 10, 0.25), -114.25, 1e-9);
    NEAR(stat_percentile_7(x, 10, 0.50), -109.0, 1e-9);
    NEAR(stat_percentile_7(x, 10, 0.90), -99.5, 1e-9);
    NEAR(stat_percentile_1(x, 10, 0.10), -120, 1e-12);
    NEAR(stat_percentile_1(x, 10, 0.25), -115, 1e-12);
    NEAR(stat_percentile_1(x, 10, 0.50), -110, 1e-12);
    NEAR(stat_percentile_1(x, 10, 0.90), -100, 1e-12);
    StatWeighted w[10];
    for (int i = 0; i < 10; i++)
        w[9 - i] = (StatWeighted){x[i], 2.0};
    for (int i = 1; i < 20; i++)
        NEAR(stat_percentile_weighted(w, 10, i * 0.05), stat_percentile_1(x, 10, i * 0.05), 1e-12);
    StatWeighted infinite[] = {{-INFINITY, 6}, {-90, 4}};
    g_assert_true(isinf(stat_percentile_weighted(infinite, 2, 0.5)));
    NEAR(stat_percentile_weighted(infinite, 2, 0.9), -90, 1e-12);
    g_assert_true(isnan(stat_percentile_weighted(infinite, 0, 0.5)));
}

/* T-B1 .. T-B3 */
static void test_bootstrap(void)
{
    const size_t N = 400;
    double num[400], den[400];
    for (size_t i = 0; i < N; i++)
        num[i] = den[i] = 1.0;
    StatInterval ci = stat_bootstrap_blocks(num, den, N, 5, 2000, 0.95, 7);
    NEAR(ci.high - ci.low, 0.0, 1e-12);
    StatRandom random = {42};
    double k = 0;
    for (size_t i = 0; i < N; i++)
        k += num[i] = stat_random_uniform(&random) < 0.7 ? 1.0 : 0.0;
    ci = stat_bootstrap_blocks(num, den, N, 1, 2000, 0.95, 7);
    StatInterval w = stat_wilson(k / (double)N, (double)N, STAT_Z95);
    NEAR((ci.high - ci.low) / (w.high - w.low), 1.0, 0.1);
    StatInterval again = stat_bootstrap_blocks(num, den, N, 1, 2000, 0.95, 7);
    g_assert_true(ci.low == again.low && ci.high == again.high);
}

/* T-M1 */
static void test_table(void)
{
    StatTableFigures f = stat_table_figures((StatTable){850, 60, 30, 60});
    NEAR(f.accuracy, 0.91, 1e-6);
    NEAR(f.ppv, 0.934066, 1e-6);
    NEAR(f.tpr, 0.965909, 1e-6);
    NEAR(f.specificity, 0.5, 1e-6);
    NEAR(f.npv, 0.666667, 1e-6);
    NEAR(f.kappa, 0.522293, 1e-6);
    NEAR(f.mcc, 0.529043, 1e-6);
    NEAR(f.f1, 0.949721, 1e-6);
    NEAR(f.csi, 0.904255, 1e-6);
    NEAR(f.bias, 1.034091, 1e-6);
    g_assert_true(isnan(stat_table_figures((StatTable){0, 0, 5, 5}).ppv));
}

static void test_tests(void)
{
    /* Student's sleep data (1908), Welch: t = -1.8608, df = 17.776, p = 0.07939 */
    NEAR(stat_t_test(0.75, 3.200556, 10, 2.33, 4.009, 10), 0.07939, 5e-5);
    g_assert_true(isnan(stat_t_test(1, 1, 1, 2, 1, 5)));
    NEAR(stat_share_test(0.5, 100, 0.5, 100), 1.0, 1e-12);
    NEAR(stat_share_test(0.6, 100, 0.45, 100), 0.0338, 5e-4);
    double p[] = {0.01, 0.04, 0.03, NAN, 0.005, 0.5};
    uint8_t found[6];
    stat_false_discovery(p, 6, 0.05, found);
    uint8_t wanted[] = {1, 1, 1, 0, 1, 0};
    for (int i = 0; i < 6; i++)
        g_assert_cmpuint(found[i], ==, wanted[i]);
}

/* T-CI1, T-P1 */
static void test_index(void)
{
    double s[] = {
        stat_index_item(0.95, 0.80, 1.00, FALSE),
        stat_index_item(0.90, 0.70, 0.99, FALSE),
        stat_index_item(1.0, 5.0, 0.2, TRUE),
        stat_index_item(4.5, 1.0, 8.0, FALSE),
    };
    NEAR(s[0], 0.75, 1e-9);
    NEAR(s[1], 0.689655, 1e-6);
    NEAR(s[2], 0.5, 1e-9);
    NEAR(s[3], 0.5, 1e-9);
    NEAR(100 * (0.4 * s[0] + 0.3 * s[1] + 0.2 * s[2] + 0.1 * s[3]), 65.69, 0.005);
    double loss[] = {18, 19, 22};
    NEAR(stat_percentile_7(loss, 3, 0.5), 19, 1e-12);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stat/wilson", test_wilson);
    g_test_add_func("/stat/clopper-pearson", test_clopper_pearson);
    g_test_add_func("/stat/binomial", test_binomial);
    g_test_add_func("/stat/decide", test_decide);
    g_test_add_func("/stat/fcc", test_fcc);
    g_test_add_func("/stat/mean", test_mean);
    g_test_add_func("/stat/lee", test_lee);
    g_test_add_func("/stat/kaplan-meier", test_kaplan_meier);
    g_test_add_func("/stat/two-floors", test_two_floors);
    g_test_add_func("/stat/weights", test_weights);
    g_test_add_func("/stat/effective-n", test_effective);
    g_test_add_func("/stat/percentiles", test_percentiles);
    g_test_add_func("/stat/bootstrap", test_bootstrap);
    g_test_add_func("/stat/table", test_table);
    g_test_add_func("/stat/tests", test_tests);
    g_test_add_func("/stat/index", test_index);
    return g_test_run();
}
