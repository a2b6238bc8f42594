/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-learn.h"

#include "analyzer/match-cost.h"
#include "analyzer/match-smooth.h"

#include <math.h>
#include <stdlib.h>

/* Fixes that are looked at, from the middle of what there is, and those that are matched. */
enum { LOOKED_AT = 4096, PILOT = 1500 };

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* First guess at σ: robust, from the distances to the nearest edge. In a dense network some other
 * edge is often nearer than the right one, hence the factor. */
static double guess_sigma_m(EdgeIndex *index, const SeenFix *seen, guint n)
{
    enum { WANTED = 200 };
    double distances[WANTED];
    guint found = 0;
    guint stride = n / WANTED + 1;
    for (guint i = 0; i < n && found < WANTED; i += stride) {
        const MatchFix *fix = &seen[i].fix;
        EdgeHit hit;
        if (seen[i].status == FIX_MATCHED &&
            edge_index_near(index, (GeoPoint){fix->lon, fix->lat}, 100.0, &hit, 1) == 1)
            distances[found++] = hit.distance_m;
    }
    if (found == 0)
        return MATCH_SIGMA_M;
    qsort(distances, found, sizeof *distances, compare_doubles);
    return CLAMP(1.4826 * distances[found / 2] * 1.4, MATCH_SIGMA_M, 30.0);
}

/* Receivers hold or freeze their position where the vehicle stands: that tells nothing of noise. */
static gboolean stands(const Observation *o)
{
    return o->step_m < 0.5f * o->dt_s;
}

/* How far each of n observations lies across the path; NAN where it is not on one. */
static void find_across(const Network *network, EdgeIndex *index, RouteSearch *search,
                        const Observation *obs, uint32_t n, const MatchOptions *options,
                        const MatchNoise *noise, float *across_m)
{
    g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(PathArc));
    g_autoptr(MatchWalker) walker = match_walker_new(network, index, search, options, noise);
    for (uint32_t i = 0; i < n; i++) {
        across_m[i] = NAN;
        match_walker_take(walker, &obs[i], i);
    }
    (void)match_walker_decide(walker, n, TRUE, path);
    g_autofree SmoothPlace *places = g_new(SmoothPlace, n);
    Smoother *smoother = smoother_new();
    MatchLine line;
    match_line_init(&line);
    const PathArc *arcs = (const PathArc *)(const void *)path->data;
    for (guint at = 0, end = 0; at < path->len; at = end) {
        end = at + 1;
        while (end < path->len && !arcs[end].begins)
            end++;
        uint32_t first = arcs[at].first;
        uint32_t until = end < path->len ? arcs[end].first : n;
        if (until <= first || arcs[at].arc == MATCH_OFF)
            continue;
        match_line_set(&line, network, &arcs[at], end - at);
        smoother_run(smoother, &line, obs + first, first, until - first, noise,
                     options->max_speed_mps, places);
        for (uint32_t i = first; i < until; i++)
            across_m[i] = stands(&obs[i]) ? NAN : places[i - first].across_m;
    }
    match_line_clear(&line);
    smoother_free(smoother);
}

MatchLearnt match_learn(const Network *network, EdgeIndex *index, RouteSearch *search,
                        const SeenFix *seen, guint n, const MatchOptions *options)
{
    MatchLearnt learnt = {.noise = {.sigma_m = guess_sigma_m(index, seen, n), .tau_s = 5.0}};
    g_autoptr(GArray) observations = g_array_new(FALSE, FALSE, sizeof(Observation));
    guint from = n > LOOKED_AT ? (n - LOOKED_AT) / 3 : 0;
    for (guint i = from; i < n && i < from + LOOKED_AT; i++)
        if (seen[i].status == FIX_MATCHED)
            match_observe(observations, &seen[i].fix, i, options, &learnt.noise);
    learnt.reading = match_choose_reading(observations);
    learnt.noise.jitter_s = match_time_jitter_s(observations);
    MatchSteps steps = {.reading = learnt.reading};
    if (match_work_out_steps(&steps, observations, TRUE) == 0)
        return learnt;
    uint32_t part = MIN(observations->len, (uint32_t)PILOT);
    const Observation *obs =
        &g_array_index(observations, Observation, (observations->len - part) / 3);
    g_autofree float *across_m = g_new(float, part);
    g_autofree float *dt_s = g_new(float, part);
    for (uint32_t i = 0; i < part; i++)
        dt_s[i] = obs[i].dt_s;
    find_across(network, index, search, obs, part, options, &learnt.noise, across_m);
    match_learn_noise(across_m, dt_s, part, &learnt.noise);
    return learnt;
}
