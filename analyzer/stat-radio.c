/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/stat.h"

#include <math.h>

#define Z90_TWO_SIDED 1.6448536269514722
/* standard deviation in dB of Rayleigh fading power: 10/ln(10) * pi/sqrt(6) */
#define RAYLEIGH_SIGMA_DB 5.569953
/* speed of light in m/us: wavelength in m = this / MHz */
#define LIGHT_M_PER_US 299.792458

double stat_mean_linear(const double *db, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += pow(10.0, db[i] / 10.0);
    return 10.0 * log10(sum / (double)n);
}

StatInterval stat_lee_linear(double n)
{
    double r = Z90_TWO_SIDED / sqrt(n);
    return (StatInterval){r < 1.0 ? 10.0 * log10(1.0 - r) : -(double)INFINITY,
                          10.0 * log10(1.0 + r)};
}

double stat_lee_decibel(double n)
{
    return Z90_TWO_SIDED * RAYLEIGH_SIGMA_DB / sqrt(n);
}

double stat_lee_window_m(double frequency_mhz)
{
    return 40.0 * LIGHT_M_PER_US / frequency_mhz;
}

double stat_lee_speed_kmh(double frequency_mhz, double reading_s)
{
    /* readings 0.8 wavelengths apart, with the speed of light taken as 300 m/us as the rule does */
    return 0.8 * 300.0 * 3.6 / (frequency_mhz * reading_s);
}

double stat_share_weighted(const double *value, const double *weight, size_t n, double threshold)
{
    double all = 0.0, good = 0.0;
    for (size_t i = 0; i < n; i++) {
        all += weight[i];
        if (value[i] >= threshold)
            good += weight[i];
    }
    return all > 0.0 ? good / all : (double)NAN;
}

static double half_way(const double *s_m, const double *t_s, size_t a, size_t b, double max_m,
                       double max_s)
{
    double way = fabs(s_m[b] - s_m[a]), time = t_s[b] - t_s[a];
    if (time > max_s && time > 0.0)
        way *= max_s / time;
    return 0.5 * fmin(way, max_m);
}

/* Slower than this since the sample before: standing. */
#define STANDING_MPS 1.0

void stat_way_weights(const double *s_m, const double *t_s, size_t n, double max_m, double max_s,
                      double *weight)
{
    for (size_t i = 0; i < n; i++) {
        weight[i] = 0.0;
        if (i > 0 && fabs(s_m[i] - s_m[i - 1]) < STANDING_MPS * (t_s[i] - t_s[i - 1]))
            continue;
        if (i > 0)
            weight[i] += half_way(s_m, t_s, i - 1, i, max_m, max_s);
        if (i + 1 < n)
            weight[i] += half_way(s_m, t_s, i, i + 1, max_m, max_s);
    }
}

double stat_right_side(double margin_db, double sigma_db)
{
    return stat_normal_cdf(margin_db / sigma_db);
}

double stat_index_item(double x, double bad, double good, gboolean by_logarithm)
{
    double s = by_logarithm ? log(bad / x) / log(bad / good) : (x - bad) / (good - bad);
    return CLAMP(s, 0.0, 1.0);
}
