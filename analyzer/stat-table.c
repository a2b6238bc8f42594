/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/stat.h"

#include <math.h>
#include <stdlib.h>

static double divide(double a, double b)
{
    return b != 0.0 ? a / b : (double)NAN;
}

StatTableFigures stat_table_figures(StatTable t)
{
    double n = t.tp + t.fp + t.fn + t.tn;
    double claimed = t.tp + t.fp, there = t.tp + t.fn, absent = t.tn + t.fp, silent = t.tn + t.fn;
    StatTableFigures f = {
        .accuracy = divide(t.tp + t.tn, n),
        .ppv = divide(t.tp, claimed),
        .tpr = divide(t.tp, there),
        .specificity = divide(t.tn, absent),
        .npv = divide(t.tn, silent),
        .mcc = divide(t.tp * t.tn - t.fp * t.fn, sqrt(claimed * there * absent * silent)),
        .f1 = divide(2.0 * t.tp, 2.0 * t.tp + t.fp + t.fn),
        .csi = divide(t.tp, t.tp + t.fp + t.fn),
        .bias = divide(claimed, there),
    };
    double expected = divide(claimed * there + silent * absent, n * n);
    f.kappa = divide(f.accuracy - expected, 1.0 - expected);
    return f;
}

/* Continued fraction of the incomplete beta function (Lentz's method; DLMF 8.17.22). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m <= 300; m++) {
        double dm = m, even = dm * (b - dm) * x / ((a + 2.0 * dm - 1.0) * (a + 2.0 * dm));
        d = 1.0 + even * d;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        c = 1.0 + even / c;
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        double odd = -(a + dm) * (a + b + dm) * x / ((a + 2.0 * dm) * (a + 2.0 * dm + 1.0));
        d = 1.0 + odd * d;
        d = 1.0 / (fabs(d) < tiny ? tiny : d);
        c = 1.0 + odd / c;
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1.0) < 1e-15)
            break;
    }
    return h;
}

static double beta_share(double a, double b, double x)
{
    if (x <= 0.0)
        return 0.0;
    if (x >= 1.0)
        return 1.0;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1.0) / (a + b + 2.0))
        return front * beta_fraction(a, b, x) / a;
    return 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

double stat_t_two_sided(double t, double df)
{
    return beta_share(df / 2.0, 0.5, df / (df + t * t));
}

double stat_t_test(double mean_a, double variance_a, double n_a, double mean_b, double variance_b,
                   double n_b)
{
    double va = variance_a / n_a, vb = variance_b / n_b, v = va + vb;
    if (!(v > 0.0) || !(n_a > 1.0) || !(n_b > 1.0))
        return NAN;
    double t = (mean_a - mean_b) / sqrt(v);
    double df = v * v / (va * va / (n_a - 1.0) + vb * vb / (n_b - 1.0));
    return stat_t_two_sided(t, df);
}

double stat_t_quantile(double p, double df)
{
    /* Newton's method from the normal quantile: the distribution function is concave above 0, so
     * that the steps come up to the root from below and never pass it */
    double front = exp(lgamma((df + 1.0) / 2.0) - lgamma(df / 2.0)) / sqrt(df * G_PI);
    double t = stat_normal_quantile(p);
    for (int i = 0; i < 200; i++) {
        double density = front * pow(1.0 + t * t / df, -0.5 * (df + 1.0));
        double step = (p - 1.0 + 0.5 * stat_t_two_sided(t, df)) / density;
        t += step;
        if (!(fabs(step) > 1e-12 * fmax(t, 1.0)))
            break;
    }
    return t;
}

double stat_share_test(double p_a, double n_a, double p_b, double n_b)
{
    if (!(n_a > 0.0) || !(n_b > 0.0))
        return NAN;
    double p = (p_a * n_a + p_b * n_b) / (n_a + n_b);
    double v = p * (1.0 - p) * (1.0 / n_a + 1.0 / n_b);
    if (!(v > 0.0))
        return 1.0;
    return 2.0 * stat_normal_cdf(-fabs(p_a - p_b) / sqrt(v));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stat_share_test_corrected(double p_a, double n_a, double p_b, double n_b)
{
    if (!(n_a > 0.0) || !(n_b > 0.0))
        return NAN;
    double p = (p_a * n_a + p_b * n_b) / (n_a + n_b), each = 1.0 / n_a + 1.0 / n_b;
    double v = p * (1.0 - p) * each;
    double d = fabs(p_a - p_b) - 0.5 * each;
    return v > 0.0 && d > 0.0 ? 2.0 * stat_normal_cdf(-d / sqrt(v)) : 1.0;
}

typedef struct {
    double p;
    size_t at;
} Ranked;

static int by_p(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return (x->p > y->p) - (x->p < y->p);
}

void stat_adjusted_p(const double *p, size_t n, double *adjusted)
{
    g_autofree Ranked *ranked = g_new(Ranked, MAX(n, 1));
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        adjusted[i] = NAN;
        if (!isnan(p[i]))
            ranked[m++] = (Ranked){p[i], i};
    }
    qsort(ranked, m, sizeof *ranked, by_p);
    double least = 1.0;
    for (size_t k = m; k > 0; k--) {
        least = fmin(least, ranked[k - 1].p * (double)m / (double)k);
        adjusted[ranked[k - 1].at] = least;
    }
}

void stat_false_discovery(const double *p, size_t n, double q, uint8_t *is_found)
{
    g_autofree double *sorted = g_new(double, MAX(n, 1));
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(p[i]))
            sorted[m++] = p[i];
    qsort(sorted, m, sizeof *sorted, ascending);
    double limit = -1.0;
    for (size_t k = m; k > 0; k--)
        if (sorted[k - 1] <= q * (double)k / (double)m) {
            limit = sorted[k - 1];
            break;
        }
    for (size_t i = 0; i < n; i++)
        is_found[i] = !isnan(p[i]) && p[i] <= limit;
}

int64_t stat_fcc_negatives(int64_t n)
{
    static const struct {
        int64_t up_to;
        int percent;
    } rows[] = {{29, 24}, {45, 22}, {60, 20}, {70, 18}, {99, 17}, {INT64_MAX, 16}};
    if (n <= 20)
        return 5;
    unsigned i = 0;
    while (n > rows[i].up_to)
        i++;
    return (n * rows[i].percent + 99) / 100;
}
