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

double stat_t_test(double mean_a, double variance_a, double n_a, double mean_b, double variance_b,
                   double n_b)
{
    double va = variance_a / n_a, vb = variance_b / n_b, v = va + vb;
    if (!(v > 0.0) || !(n_a > 1.0) || !(n_b > 1.0))
        return NAN;
    double t = (mean_a - mean_b) / sqrt(v);
    double df = v * v / (va * va / (n_a - 1.0) + vb * vb / (n_b - 1.0));
    return beta_share(df / 2.0, 0.5, df / (df + t * t));
}

double stat_t_quantile(double p, double df)
{
    double low = 0.0, high = 1e4;
    for (int i = 0; i < 200 && high - low > 1e-12 * high; i++) {
        double mid = 0.5 * (low + high);
        if (1.0 - 0.5 * beta_share(df / 2.0, 0.5, df / (df + mid * mid)) < p)
            low = mid;
        else
            high = mid;
    }
    return 0.5 * (low + high);
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
