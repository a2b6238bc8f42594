/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/stat.h"

#include <math.h>

StatInterval stat_wilson(double p, double n, double z)
{
    if (!(n > 0.0))
        return (StatInterval){0.0, 1.0};
    double z2 = z * z;
    double scale = 1.0 + z2 / n;
    double centre = (p + z2 / (2.0 * n)) / scale;
    double half = z * sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n)) / scale;
    return (StatInterval){fmax(0.0, centre - half), fmin(1.0, centre + half)};
}

double stat_normal_cdf(double z)
{
    return 0.5 * erfc(-z / sqrt(2.0));
}

double stat_normal_quantile(double p)
{
    /* bisection on a monotone function: slow, exact to the last bits, called rarely */
    double low = -40.0, high = 40.0;
    for (int i = 0; i < 200 && high - low > 1e-14; i++) {
        double mid = 0.5 * (low + high);
        if (stat_normal_cdf(mid) < p)
            low = mid;
        else
            high = mid;
    }
    return 0.5 * (low + high);
}

double stat_correlation(double spacing_m, double decorrelation_m)
{
    if (!(decorrelation_m > 0.0))
        return 0.0;
    return exp(-fmax(spacing_m, 0.0) / decorrelation_m);
}

double stat_effective_n(double n, double rho)
{
    rho = CLAMP(rho, 0.0, 1.0);
    return n * (1.0 - rho) / (1.0 + rho);
}

double stat_decorrelation(const double *value, const uint8_t *is_known, size_t n, double spacing_m)
{
    double sum = 0.0, square = 0.0, product = 0.0;
    size_t count = 0, pairs = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_known != NULL && !is_known[i])
            continue;
        sum += value[i];
        count++;
    }
    if (count < 8)
        return 0.0;
    double mean = sum / (double)count;
    for (size_t i = 0; i < n; i++) {
        if (is_known != NULL && !is_known[i])
            continue;
        double a = value[i] - mean;
        square += a * a;
        if (i + 1 < n && (is_known == NULL || is_known[i + 1])) {
            product += a * (value[i + 1] - mean);
            pairs++;
        }
    }
    if (pairs < 8 || !(square > 0.0))
        return 0.0;
    double rho = (product / (double)pairs) / (square / (double)count);
    if (!(rho > 0.0))
        return 0.0;
    return -spacing_m / log(fmin(rho, 0.999));
}

double stat_decorrelation_levels(const float *level, size_t n, double spacing_m, size_t *n_known)
{
    size_t reach = (size_t)fmax(1.0, 1000.0 / spacing_m);
    g_autofree double *residual = g_new0(double, MAX(n, 1));
    g_autofree uint8_t *known = g_new0(uint8_t, MAX(n, 1));
    g_autofree StatWeighted *window = g_new(StatWeighted, 2 * reach + 1);
    *n_known = 0;
    for (size_t i = 0; i < n; i++) {
        size_t m = 0;
        if (isnan(level[i]))
            continue;
        for (size_t k = i > reach ? i - reach : 0; k < n && k <= i + reach; k++)
            if (!isnan(level[k]))
                window[m++] = (StatWeighted){level[k], 1.0};
        residual[i] = level[i] - stat_percentile_weighted(window, m, 0.5);
        known[i] = 1;
        (*n_known)++;
    }
    return stat_decorrelation(residual, known, n, spacing_m);
}
