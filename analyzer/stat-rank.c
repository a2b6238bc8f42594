/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/stat.h"

#include <math.h>
#include <stdlib.h>

double stat_percentile_7(const double *sorted, size_t n, double p)
{
    double h = (double)(n - 1) * CLAMP(p, 0.0, 1.0);
    size_t i = (size_t)floor(h);
    if (i + 1 >= n)
        return sorted[n - 1];
    return sorted[i] + (h - (double)i) * (sorted[i + 1] - sorted[i]);
}

double stat_percentile_1(const double *sorted, size_t n, double p)
{
    /* the small step back keeps 0.1 * 10, which is a little more than 1, at rank 1 */
    double rank = ceil((double)n * CLAMP(p, 0.0, 1.0) - 1e-9);
    size_t i = rank < 1.0 ? 0 : (size_t)rank - 1;
    return sorted[MIN(i, n - 1)];
}

static int by_value(const void *a, const void *b)
{
    double x = ((const StatWeighted *)a)->value, y = ((const StatWeighted *)b)->value;
    return (x > y) - (x < y);
}

double stat_percentile_weighted(StatWeighted *v, size_t n, double p)
{
    if (n == 0)
        return NAN; /* v may be NULL, which qsort() does not allow */
    qsort(v, n, sizeof *v, by_value);
    double total = 0.0, sum = 0.0;
    for (size_t i = 0; i < n; i++)
        total += v[i].weight;
    if (!(total > 0.0))
        return NAN;
    double wanted = p * total * (1.0 - 1e-12);
    for (size_t i = 0; i < n; i++) {
        sum += v[i].weight;
        if (v[i].weight > 0.0 && sum >= wanted)
            return v[i].value;
    }
    return v[n - 1].value;
}

double stat_quantile_grouped(const double *counts, size_t n, double below, double above, double p)
{
    double total = below + above, sum = below;
    for (size_t i = 0; i < n; i++)
        total += counts[i];
    if (!(total > 0.0))
        return NAN;
    double wanted = p * total;
    if (below > 0.0 && wanted <= below)
        return -(double)INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (counts[i] > 0.0 && sum + counts[i] >= wanted)
            return (double)i - 0.5 + (wanted - sum) / counts[i];
        sum += counts[i];
    }
    return INFINITY;
}

double stat_median_grouped(const double *counts, size_t n, double below, double above)
{
    return stat_quantile_grouped(counts, n, below, above, 0.5);
}

/* Descending; a limit stands below a detected value of the same size. */
static int by_censored(const void *a, const void *b)
{
    const StatCensored *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return (x->is_limit != FALSE) - (y->is_limit != FALSE);
}

size_t stat_kaplan_meier(StatCensored *v, size_t n, StatStep *steps, double *below_all)
{
    double share = 1.0, left = 0.0; /* weight of what is at or below the value at hand */
    size_t n_steps = 0;
    *below_all = share;
    if (n == 0)
        return 0;
    qsort(v, n, sizeof *v, by_censored);
    for (size_t i = 0; i < n; i++)
        left += v[i].weight;
    for (size_t i = 0; i < n;) {
        if (v[i].is_limit) {
            left -= v[i++].weight;
            continue;
        }
        double here = 0.0, value = v[i].value;
        for (; i < n && !v[i].is_limit && v[i].value == value; i++)
            here += v[i].weight;
        steps[n_steps++] = (StatStep){value, share};
        share *= left > here ? 1.0 - here / left : 0.0;
        left -= here;
    }
    *below_all = share;
    return n_steps;
}

gboolean stat_kaplan_meier_percentile(const StatStep *steps, size_t n_steps, double below_all,
                                      double p, double *value)
{
    if (n_steps == 0)
        return FALSE;
    *value = steps[n_steps - 1].value;
    if (below_all >= p - 1e-12)
        return FALSE;
    for (size_t i = n_steps; i > 0; i--) {
        *value = steps[i - 1].value;
        if (steps[i - 1].share >= p - 1e-12)
            break;
    }
    return TRUE;
}

StatAt stat_percentile_censored(StatCensored *v, size_t n, double none, double p, double *value)
{
    double served = 0.0, highest = -INFINITY, below_all;
    for (size_t i = 0; i < n; i++) {
        served += v[i].weight;
        highest = fmax(highest, v[i].value);
    }
    if (!(served + none > 0.0))
        return STAT_AT_NOTHING;
    double wanted = p * (served + none);
    if (n == 0 || wanted <= none * (1.0 + 1e-12))
        return STAT_AT_NONE;
    g_autofree StatStep *steps = g_new(StatStep, n);
    size_t n_steps = stat_kaplan_meier(v, n, steps, &below_all);
    *value = highest;
    return stat_kaplan_meier_percentile(steps, n_steps, below_all, (wanted - none) / served, value)
               ? STAT_AT_VALUE
               : STAT_AT_LIMIT;
}
