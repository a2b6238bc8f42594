/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/diff-test.h"

#include "analyzer/judge.h"
#include "analyzer/stat.h"

#include <math.h>
#include <stdlib.h>

const char *diff_spread_name(DiffSpreadFrom from)
{
    static const char *const names[] = {"passes", "campaigns", "assumed"};
    return names[from];
}

static double square(double x)
{
    return x * x;
}

static gboolean is_at_floor(const DiffPass *p)
{
    return p->margin_db <= -JUDGE_MARGIN_CAP_DB && isnan(p->level_dbm);
}

/* Sum of squares around their mean of the passes of one campaign over one place, from all pairs;
 * adds the degrees of freedom. */
static double sum_of_squares(const DiffPass *pass, guint n, double *df)
{
    double sum = 0.0;
    guint silent = 0;
    for (guint i = 0; i < n; i++)
        silent += is_at_floor(&pass[i]) ? 1 : 0;
    if (n < 2 || silent == n)
        return 0.0;
    for (guint i = 0; i < n; i++)
        for (guint j = i + 1; j < n; j++) {
            double margin = square(pass[i].margin_db - pass[j].margin_db);
            double level = square(pass[i].level_dbm - pass[j].level_dbm);
            sum += isnan(level) ? margin : fmax(margin, level);
        }
    *df += n - 1;
    return sum / n;
}

static double mean_level(const DiffPass *pass, guint n)
{
    double sum = 0.0;
    for (guint i = 0; i < n; i++)
        sum += pass[i].level_dbm; /* NAN if any pass had none */
    return n > 0 ? sum / n : (double)NAN;
}

static double mean_margin(const DiffPass *pass, guint n)
{
    double sum = 0.0;
    for (guint i = 0; i < n; i++)
        sum += pass[i].margin_db;
    return sum / n;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Correlation of neighbours among values around `centre`; what lies further away than `most` counts
 * as that far, lest a stretch that changed look like correlation. */
static double lag_correlation(const double *x, gsize n, double centre, double most)
{
    double all = 0.0, lag = 0.0, last = 0.0;
    for (gsize i = 0; i < n; i++) {
        double v = CLAMP(x[i] - centre, -most, most);
        all += square(v);
        lag += i > 0 ? v * last : 0.0;
        last = v;
    }
    return all > 0.0 ? CLAMP(lag / all, 0.0, 0.99) : 0.0;
}

/* Median absolute deviation of the campaigns' differences, each in units of one pass. n values are
 * worth 0.37 n of those that a standard deviation is made of (Rousseeuw & Croux 1993), and
 * neighbours resemble each other. */
static gboolean spread_of_campaigns(const DiffPair *pairs, gsize n, DiffSpread *spread)
{
    g_autofree double *d = g_new(double, MAX(n, 1));
    gsize m = 0;
    for (gsize i = 0; i < n; i++) {
        double difference = mean_level(pairs[i].after, pairs[i].n_after) -
                            mean_level(pairs[i].before, pairs[i].n_before);
        if (!isnan(difference))
            d[m++] = difference / sqrt(1.0 / pairs[i].n_before + 1.0 / pairs[i].n_after);
    }
    if (m < DIFF_LEAST_SPREAD)
        return FALSE;
    g_autofree double *sorted = g_memdup2(d, m * sizeof *d);
    qsort(sorted, m, sizeof *sorted, ascending);
    double median = stat_percentile_7(sorted, m, 0.5);
    for (gsize i = 0; i < m; i++)
        sorted[i] = fabs(d[i] - median);
    qsort(sorted, m, sizeof *sorted, ascending);
    /* 1.4826: standard deviation of a normal distribution with that median deviation */
    double sigma = 1.4826 * stat_percentile_7(sorted, m, 0.5);
    double rho = lag_correlation(d, m, median, 2.0 * sigma);
    *spread = (DiffSpread){square(sigma), fmax(1.0, 0.37 * stat_effective_n((double)m, rho)),
                           DIFF_SPREAD_CAMPAIGNS, m};
    return TRUE;
}

/* Own variance and degrees of freedom of one place. */
static double own_variance(const DiffPair *pair, double *df)
{
    *df = 0.0;
    double sum = sum_of_squares(pair->before, pair->n_before, df) +
                 sum_of_squares(pair->after, pair->n_after, df);
    return *df > 0.0 ? sum / *df : 0.0;
}

/* If the places' own variances s^2 on d degrees of freedom vary about an inverse chi-squared
 * distribution with freedom f and scale v, then E s^2 = v f/(f-2) and
 * E s^4 d/(d+2) = v^2 f^2/((f-2)(f-4)). */
static gboolean spread_of_passes(const DiffPair *pairs, gsize n, DiffSpread *spread)
{
    double all = 0.0, first = 0.0, second = 0.0;
    gsize measured = 0, repeated = 0;
    for (gsize i = 0; i < n; i++) {
        double df, s2 = own_variance(&pairs[i], &df);
        all += df;
        first += df * s2;
        second += df * s2 * s2 * df / (df + 2.0);
        measured += pairs[i].n_before + pairs[i].n_after > 0 ? 1 : 0;
        repeated += df > 0.0 ? 1 : 0;
    }
    /* passes over a few places, a station where trains turn, do not stand for the line */
    if (all < DIFF_LEAST_SPREAD || 4 * repeated < measured)
        return FALSE;
    first /= all;
    double ratio = first > 0.0 ? second / all / (first * first) : 1.0;
    double freedom = ratio > 1.0 ? (4.0 * ratio - 2.0) / (ratio - 1.0) : (double)INFINITY;
    double variance = isinf(freedom) ? first : first * (freedom - 2.0) / freedom;
    *spread = (DiffSpread){variance, freedom, DIFF_SPREAD_PASSES, (gsize)all};
    return TRUE;
}

DiffSpread diff_spread(const DiffPair *pairs, gsize n)
{
    DiffSpread spread = {square(DIFF_ASSUMED_DB), INFINITY, DIFF_SPREAD_ASSUMED, 0};
    if (!spread_of_passes(pairs, n, &spread))
        (void)spread_of_campaigns(pairs, n, &spread);
    spread.variance = fmax(spread.variance, 1.0); /* levels come in whole dB */
    return spread;
}

DiffEffect diff_level(const DiffPair *pair, const DiffSpread *spread, double equipment_db)
{
    DiffEffect e = {NAN, NAN, NAN, NAN};
    double n_a = pair->n_before, n_b = pair->n_after;
    if (pair->n_before == 0 || pair->n_after == 0)
        return e;
    double df, own = own_variance(pair, &df), one = spread->variance;
    gboolean alike = isinf(spread->freedom);
    if (!alike)
        one = (spread->freedom * one + df * own) / (spread->freedom + df);
    double passes = one * (1.0 / n_a + 1.0 / n_b);
    double variance = passes + square(equipment_db), se = sqrt(variance);
    e.effect = mean_margin(pair->after, pair->n_after) - mean_margin(pair->before, pair->n_before);
    double z = STAT_Z95;
    if (alike) {
        e.p = 2.0 * stat_normal_cdf(-fabs(e.effect) / se);
    } else {
        double freedom = (spread->freedom + df) * square(variance / passes); /* Satterthwaite */
        z = stat_t_quantile(0.975, freedom);
        e.p = stat_t_two_sided(e.effect / se, freedom);
    }
    e.low = e.effect - z * se;
    e.high = e.effect + z * se;
    return e;
}

DiffEffect diff_share(double p_before, double n_before, double p_after, double n_after)
{
    if (!(n_before > 0.0) || !(n_after > 0.0) || isnan(p_before) || isnan(p_after))
        return (DiffEffect){NAN, NAN, NAN, NAN};
    StatInterval a = stat_wilson(p_before, n_before, STAT_Z95),
                 b = stat_wilson(p_after, n_after, STAT_Z95);
    double d = p_after - p_before;
    return (DiffEffect){.effect = d,
                        .low = d - hypot(p_after - b.low, a.high - p_before),
                        .high = d + hypot(b.high - p_after, p_before - a.low),
                        .p = stat_share_test_corrected(p_before, n_before, p_after, n_after)};
}

double diff_effective_n(double p, double low, double high)
{
    /* low * high = p^2 / (1 + z^2/n), and the same seen from the other end */
    double product = p >= 0.5 ? low * high : (1.0 - low) * (1.0 - high);
    double side = p >= 0.5 ? p : 1.0 - p;
    if (!(product > 0.0) || !(side * side > product))
        return 0.0;
    return STAT_Z95 * STAT_Z95 / (side * side / product - 1.0);
}

double diff_chance_missed(guint seen, guint here, guint there)
{
    return pow(((double)here - seen + 1.0) / (here + 2.0), there);
}
