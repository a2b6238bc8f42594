/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-obs.h"

#include "analyzer/crs.h"
#include "analyzer/geometry.h"
#include "analyzer/match-cost.h"

#include <math.h>
#include <stdlib.h>

/* Longer than this between two fixes, the mean of their speeds says what lies between. */
static const double close_s = 3.5;
/* Change of speed between fixes as a random walk, m²/s³. */
static const double wander = 0.5;
static const double standing_mps = 0.5;
/* A vehicle whose receiver tells no speed stands if it stays within this for so long. */
static const double standing_s = 5.0;
/* A longer stand is looked at in pieces. */
enum { LONGEST_STAND = 4096, DOUBT_WINDOW = 20 };

static float sigma_of(const MatchFix *fix, const MatchOptions *options, const MatchNoise *noise)
{
    if (options->sigma_m > 0.0)
        return (float)options->sigma_m;
    if (!isfinite(fix->accuracy_m) || !(fix->accuracy_m > 0.0))
        return (float)noise->sigma_m;
    /* 68 % of a circular normal lie within 1.515 σ of one axis */
    return (float)CLAMP(fix->accuracy_m / 1.515, 3.0, 60.0);
}

static double reading_mps(SpeedReading reading, float a, float b)
{
    return reading == SPEED_OF_FIRST ? a : reading == SPEED_OF_SECOND ? b : 0.5 * (a + b);
}

SpeedReading match_choose_reading(const GArray *observations)
{
    const Observation *obs = (const Observation *)(const void *)observations->data;
    size_t n = observations->len;
    double square[SPEED_READINGS] = {0.0};
    double driven_m = 0.0;
    double told_m = 0.0;
    size_t pairs = 0;
    Plane plane = {.origin = {0.0, 1000.0}};
    for (size_t i = 1; i < n && pairs < 20000; i++) {
        const Observation *a = &obs[i - 1];
        const Observation *b = &obs[i];
        if (!(b->dt_s <= close_s) || !isfinite(a->speed_mps) || !isfinite(b->speed_mps) ||
            !(b->dt_s > 0.0f))
            continue;
        if (fabs(plane.origin.lat - a->at.lat) > 0.01)
            plane = plane_at(a->at);
        plane.origin = a->at;
        PlanePoint moved = plane_from_geo(&plane, b->at);
        double metres = sqrt(moved.x * moved.x + moved.y * moved.y);
        double limit = 3.0 * (double)b->sigma_m;
        for (int r = 0; r < SPEED_READINGS; r++) {
            double miss =
                metres - reading_mps((SpeedReading)r, a->speed_mps, b->speed_mps) * b->dt_s;
            square[r] += MIN(miss * miss, limit * limit);
        }
        driven_m += metres;
        told_m += 0.5 * (a->speed_mps + b->speed_mps) * b->dt_s;
        pairs++;
    }
    if (pairs < 10)
        return SPEED_OF_BOTH;
    /* noise makes the way between fixes longer, never much shorter */
    if (told_m > 1.25 * driven_m || told_m < 0.25 * driven_m)
        return SPEED_READINGS;
    SpeedReading best = SPEED_OF_BOTH;
    for (int r = 0; r < SPEED_READINGS; r++)
        if (square[r] < 0.97 * square[best])
            best = (SpeedReading)r;
    return best;
}

static void set_step(Observation *b, const Observation *a, SpeedReading reading)
{
    if (!isfinite(a->speed_mps) || !isfinite(b->speed_mps) || reading == SPEED_READINGS)
        return;
    double dt = b->dt_s;
    if (dt <= close_s) {
        double step_m = reading_mps(reading, a->speed_mps, b->speed_mps) * dt;
        gboolean stands = a->speed_mps < standing_mps && b->speed_mps < standing_mps;
        b->step_m = stands ? 0.0f : (float)step_m;
        b->step_sd_m = stands ? 0.1f : (float)(0.25 * dt + 0.03 * step_m);
        return;
    }
    double step_m = 0.5 * (a->speed_mps + b->speed_mps) * dt;
    b->step_m = (float)step_m;
    b->step_sd_m = (float)sqrt(wander * dt * dt * dt / 12.0 + 0.01 * step_m * step_m + 4.0);
}

/* No way is shorter than the straight line: where the speeds say so over some fixes, they are not
 * believed there. */
static void doubt_short_steps(Observation *obs, size_t first, size_t last)
{
    double told_m = 0.0;
    for (size_t i = first + 1; i <= last; i++)
        told_m += (double)obs[i].step_m;
    if (isnan(told_m))
        return;
    double straight_m = crs_short_distance_m(obs[first].at, obs[last].at);
    double missing_m = straight_m - told_m - 4.0 * (double)obs[last].sigma_m;
    float more_m = (float)(4.0 * missing_m / (double)(last - first));
    for (size_t i = first + 1; missing_m > 0.0 && i <= last; i++)
        obs[i].step_sd_m += more_m;
}

static void end_stand(Observation *obs, size_t first, size_t end)
{
    double stayed = (double)(obs[end - 1].time_ns - obs[first].time_ns) / 1e9;
    if (!(stayed > standing_s) || end - first <= 3 ||
        !(crs_short_distance_m(obs[first].at, obs[end - 1].at) < standing_mps * stayed))
        return;
    for (size_t k = first + 1; k < end; k++)
        if (isnan(obs[k].step_m)) {
            obs[k].step_m = 0.0f;
            obs[k].step_sd_m = 0.2f;
        }
}

/* Vehicles without a speed: runs of fixes that stay near their first one. */
static void find_standing(MatchSteps *steps, Observation *obs, guint end)
{
    for (; steps->stood < end; steps->stood++) {
        guint i = steps->stood;
        guint first = steps->standing_from;
        if (i == first)
            continue;
        if (first + 1 == i && !isnan(obs[i].step_m)) {
            steps->standing_from = i;
            continue;
        }
        double seconds = (double)(obs[i].time_ns - obs[first].time_ns) / 1e9;
        double reach_m = fmin(1.5 * (double)obs[first].sigma_m, 3.0 + 0.7 * seconds);
        if (i - first < LONGEST_STAND &&
            crs_short_distance_m(obs[first].at, obs[i].at) <= fmax(reach_m, 1.0))
            continue;
        end_stand(obs, first, i);
        steps->standing_from = i;
    }
}

void match_observe(GArray *observations, const MatchFix *fix, uint32_t number,
                   const MatchOptions *options, const MatchNoise *noise)
{
    Observation o = {
        .at = {fix->lon, fix->lat},
        .time_ns = fix->time_ns,
        .fix = number,
        .sigma_m = sigma_of(fix, options, noise),
        .step_m = NAN,
        .step_sd_m = NAN,
        .speed_mps = fix->speed_mps >= 0.0 && fix->speed_mps < 1000.0 ? (float)fix->speed_mps : NAN,
        .heading_deg = fabs(fix->heading_deg) <= 360.0 ? (float)fix->heading_deg : NAN,
    };
    if (observations->len > 0) {
        const Observation *before =
            &g_array_index(observations, Observation, observations->len - 1);
        o.dt_s = (float)fmax((double)(o.time_ns - before->time_ns) / 1e9, 0.001);
    }
    g_array_append_val(observations, o);
}

guint match_work_out_steps(MatchSteps *steps, GArray *observations, gboolean final)
{
    Observation *obs = (Observation *)(void *)observations->data;
    guint n = observations->len;
    for (guint i = MAX(steps->stepped, 1U); i < n; i++)
        set_step(&obs[i], &obs[i - 1], steps->reading);
    steps->stepped = n;
    while (steps->doubted + DOUBT_WINDOW < n) {
        doubt_short_steps(obs, steps->doubted, steps->doubted + DOUBT_WINDOW);
        steps->doubted += DOUBT_WINDOW;
    }
    if (!final) {
        find_standing(steps, obs, MIN(steps->doubted + 1, n));
        return MIN(steps->standing_from + 1, steps->stood);
    }
    if (steps->doubted + 1 < n)
        doubt_short_steps(obs, steps->doubted, n - 1);
    find_standing(steps, obs, n);
    if (n > 0)
        end_stand(obs, steps->standing_from, n);
    steps->doubted = steps->standing_from = n > 0 ? n - 1 : 0;
    return n;
}

void match_steps_shift(MatchSteps *steps, guint n)
{
    steps->stepped -= n;
    steps->doubted -= n;
    steps->stood -= n;
    steps->standing_from -= n;
}

double match_time_jitter_s(const GArray *observations)
{
    const Observation *obs = (const Observation *)(const void *)observations->data;
    guint changes = 0;
    for (guint i = 0; i < observations->len; i++) {
        if (obs[i].time_ns % INT64_C(1000000000) != 0)
            return 0.0;
        changes += i > 1 && obs[i].dt_s != obs[i - 1].dt_s;
    }
    /* rounding to a second: 1/sqrt(12) on either side of a step */
    return changes > observations->len / 5 ? 0.41 : 0.0;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static double median(float *values, size_t n)
{
    qsort(values, n, sizeof *values, compare_floats);
    return values[n / 2];
}

void match_learn_noise(const float *across_m, const float *dt_s, size_t n, MatchNoise *noise)
{
    g_autofree float *sizes = g_new(float, n + 1);
    g_autofree float *changes = g_new(float, n + 1);
    g_autofree float *periods = g_new(float, n + 1);
    size_t n_sizes = 0;
    size_t n_changes = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(across_m[i]))
            continue;
        sizes[n_sizes++] = fabsf(across_m[i]);
        if (i == 0 || isnan(across_m[i - 1]) || !(dt_s[i] < 30.0f))
            continue;
        periods[n_changes] = dt_s[i];
        changes[n_changes++] = fabsf(across_m[i] - across_m[i - 1]);
    }
    if (n_sizes < 30)
        return;
    double sigma_m = 1.4826 * median(sizes, n_sizes);
    noise->sigma_m = CLAMP(sigma_m, 2.5, 60.0);
    if (n_changes < 30)
        return;
    double change_m = fmax(1.4826 * median(changes, n_changes), 0.3);
    double period_s = fmax(median(periods, n_changes), 0.01);
    /* var(x1 - x0) = 2 σ² (1 - ρ) */
    double rho = 1.0 - change_m * change_m / (2.0 * noise->sigma_m * noise->sigma_m);
    noise->tau_s = rho > 0.01 ? CLAMP(-period_s / log(fmin(rho, 0.999)), 0.3, 20.0) : 0.3;
}
