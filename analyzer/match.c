/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. What is wrong with a fix by itself is found first (match-filter). Then two
 * passes: which arcs of the network were driven (match-path), and where on them the vehicle was at
 * each fix (match-line, match-smooth). A pilot run over a part of the drive learns the receiver's
 * noise. docs/matching.md has the method and what it reaches.
 */
#include "analyzer/match.h"

#include "analyzer/crs.h"
#include "analyzer/edge-index.h"
#include "analyzer/match-cost.h"
#include "analyzer/match-filter.h"
#include "analyzer/match-smooth.h"
#include "analyzer/track-build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PILOT = 1500 };
static const double elsewhere_m = 20000.0;

typedef struct {
    const Network *network;
    const MatchFix *fixes;
    size_t n;
    FixStatus *status;
    MatchOptions options;
    MatchNoise noise;
    EdgeIndex *index;
    RouteSearch *search;
    Smoother *smoother;
    MatchLine line;
    SmoothPlace *places; /* by observation */
    Track *track;
} Matcher;

/* A connected piece of the path, and the observations on it. */
typedef struct {
    const PathArc *arcs;
    guint n_arcs;
    uint32_t first, end;
} Run;

/* The run that begins with arc `at`; returns where the next one begins. */
static guint next_run(const GArray *path, guint at, uint32_t n_observations, Run *run)
{
    const PathArc *arcs = (const PathArc *)(const void *)path->data;
    guint end = at + 1;
    while (end < path->len && !arcs[end].begins)
        end++;
    *run = (Run){.arcs = &arcs[at],
                 .n_arcs = end - at,
                 .first = arcs[at].first,
                 .end = end < path->len ? arcs[end].first : n_observations};
    return end;
}

/* ---- writing the track ---- */

static double leg_mps(const SmoothPlace *a, const SmoothPlace *b, double dt_s)
{
    return dt_s > 0.0 ? (b->s - a->s) / dt_s : 0.0;
}

/* Speed along the track: at the edge of a gap the receiver's own, or that of the side where fixes
 * are close. */
static double speed_at(const Matcher *matcher, const Observation *obs, const Run *run, uint32_t i)
{
    static const double close_s = 4.0;
    double before_s = i > run->first ? (double)obs[i].dt_s : INFINITY;
    double after_s = i + 1 < run->end ? (double)obs[i + 1].dt_s : INFINITY;
    gboolean gap = !(before_s <= close_s) || !(after_s <= close_s);
    gboolean trusted = isfinite(obs[i].step_m) || (i + 1 < run->end && isfinite(obs[i + 1].step_m));
    if (gap && trusted && isfinite(obs[i].speed_mps))
        return (double)obs[i].speed_mps;
    const SmoothPlace *p = &matcher->places[i];
    if (!isfinite(before_s) && !isfinite(after_s))
        return isfinite(obs[i].speed_mps) ? (double)obs[i].speed_mps : 0.0;
    if (!isfinite(before_s) || (after_s <= close_s && before_s > close_s))
        return leg_mps(p, p + 1, after_s);
    if (!isfinite(after_s) || (before_s <= close_s && after_s > close_s))
        return leg_mps(p - 1, p, before_s);
    return leg_mps(p - 1, p + 1, before_s + after_s);
}

static void write_fix(Matcher *matcher, const Observation *o, const SmoothPlace *place,
                      const LinePiece *piece, guint stretch)
{
    const NetworkEdge *edge = &matcher->network->edges[arc_edge(piece->arc)];
    double along_m = CLAMP(piece->from_m + place->s - piece->start_s, 0.0, edge->length_m);
    TrackFix *fix = track_fix(matcher->track, o->fix);
    fix->status = FIX_MATCHED;
    fix->edge = arc_edge(piece->arc);
    fix->backward = arc_backward(piece->arc);
    fix->offset_m = fix->backward ? edge->length_m - along_m : along_m;
    fix->point = place->at;
    fix->distance_m = (double)place->distance_m;
    fix->travelled_m = place->s;
    fix->stretch = stretch;
}

/* Far from where all fixes together say that the vehicle was: a wrong position, or a late one. */
static gboolean is_astray(const Observation *o, const SmoothPlace *place)
{
    return (double)place->distance_m > 40.0 + 5.0 * (double)o->sigma_m;
}

static void write_run(Matcher *matcher, const Observation *obs, const Run *run)
{
    track_begin_stretch(matcher->track);
    guint stretch = track_stretches(matcher->track) - 1;
    const LinePiece *pieces = (const LinePiece *)(const void *)matcher->line.pieces->data;
    guint n_pieces = matcher->line.pieces->len;
    for (guint k = 0; k < n_pieces; k++)
        track_add_piece(matcher->track,
                        (RoutePiece){arc_edge(pieces[k].arc), arc_backward(pieces[k].arc),
                                     pieces[k].from_m, pieces[k].start_s});
    guint piece = 0;
    for (uint32_t i = run->first; i < run->end; i++) {
        const SmoothPlace *place = &matcher->places[i];
        if (is_astray(&obs[i], place)) {
            track_fix(matcher->track, obs[i].fix)->status = FIX_REJECTED;
            continue;
        }
        while (piece + 1 < n_pieces && pieces[piece + 1].start_s <= place->s)
            piece++;
        track_add_anchor(
            matcher->track,
            (TrackAnchor){obs[i].time_ns, place->s, speed_at(matcher, obs, run, i), place->sd_m});
        write_fix(matcher, &obs[i], place, &pieces[piece], stretch);
    }
}

static void write_off(Matcher *matcher, const Observation *obs, const Run *run)
{
    for (uint32_t i = run->first; i < run->end; i++)
        track_fix(matcher->track, obs[i].fix)->status = FIX_OFF_NETWORK;
}

/* ---- the two passes ---- */

/* Receivers hold or freeze their position where the vehicle stands: that tells nothing of noise. */
static gboolean stands(const Observation *o)
{
    return o->step_m < 0.5f * o->dt_s;
}

/* Finds the path of n observations and places them; writes the track, or (pilot) only how far each
 * fix lies across it. */
static void match_part(Matcher *matcher, const Observation *obs, uint32_t n, float *across_m)
{
    g_autoptr(GArray) path = match_find_path(matcher->network, matcher->index, matcher->search, obs,
                                             n, &matcher->options, &matcher->noise);
    Run run;
    for (guint at = 0; at < path->len;) {
        at = next_run(path, at, n, &run);
        if (run.end <= run.first)
            continue;
        if (run.arcs[0].arc == MATCH_OFF) {
            if (across_m == NULL)
                write_off(matcher, obs, &run);
            continue;
        }
        match_line_set(&matcher->line, matcher->network, run.arcs, run.n_arcs);
        smoother_run(matcher->smoother, &matcher->line, obs, run.first, run.end, &matcher->noise,
                     matcher->options.max_speed_mps, matcher->places + run.first);
        if (across_m == NULL)
            write_run(matcher, obs, &run);
        else
            for (uint32_t i = run.first; i < run.end; i++)
                across_m[i] = stands(&obs[i]) ? NAN : matcher->places[i].across_m;
    }
}

static void learn_noise(Matcher *matcher, GArray *observations)
{
    const Observation *all = (const Observation *)(void *)observations->data;
    uint32_t n = MIN(observations->len, (uint32_t)PILOT);
    uint32_t first = (observations->len - n) / 3;
    g_autofree float *across_m = g_new(float, n);
    g_autofree float *dt_s = g_new(float, n);
    g_autofree Observation *obs = g_memdup2(all + first, n * sizeof(Observation));
    for (uint32_t i = 0; i < n; i++) {
        across_m[i] = NAN;
        dt_s[i] = obs[i].dt_s;
    }
    match_part(matcher, obs, n, across_m);
    match_learn_noise(across_m, dt_s, n, &matcher->noise);
    match_set_noise(observations, matcher->fixes, &matcher->options, &matcher->noise);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* First guess at σ: robust, from the distances to the nearest edge. In a dense network some other
 * edge is often nearer than the right one, hence the factor. */
static double guess_sigma_m(Matcher *matcher)
{
    enum { WANTED = 200 };
    double distances[WANTED];
    guint found = 0;
    size_t stride = matcher->n / WANTED + 1;
    for (size_t i = 0; i < matcher->n && found < WANTED; i += stride) {
        const MatchFix *fix = &matcher->fixes[i];
        EdgeHit hit;
        if (matcher->status[i] == FIX_MATCHED &&
            edge_index_near(matcher->index, (GeoPoint){fix->lon, fix->lat}, 100.0, &hit, 1) == 1)
            distances[found++] = hit.distance_m;
    }
    if (found == 0)
        return MATCH_SIGMA_M;
    qsort(distances, found, sizeof *distances, compare_doubles);
    return CLAMP(1.4826 * distances[found / 2] * 1.4, MATCH_SIGMA_M, 30.0);
}

static void preset_fixes(Matcher *matcher)
{
    for (size_t i = 0; i < matcher->n; i++) {
        TrackFix *fix = track_fix(matcher->track, i);
        fix->time_ns = matcher->fixes[i].time_ns;
        fix->raw = (GeoPoint){matcher->fixes[i].lon, matcher->fixes[i].lat};
        fix->point = fix->raw;
        fix->edge = UINT32_MAX;
        fix->status = matcher->status[i];
    }
}

static gboolean check_meets(Matcher *matcher, GError **error)
{
    double nearest_m = elsewhere_m;
    const MatchFix *any = NULL;
    size_t stride = MAX(matcher->n / 50, (size_t)1);
    for (size_t i = 0; i < matcher->n && nearest_m >= elsewhere_m; i++) {
        if (matcher->status[i] != FIX_MATCHED || (any != NULL && i % stride != 0))
            continue;
        any = &matcher->fixes[i];
        nearest_m =
            edge_index_nearest_m(matcher->index, (GeoPoint){any->lon, any->lat}, elsewhere_m);
    }
    if (any == NULL || nearest_m < elsewhere_m)
        return TRUE;
    double km =
        matcher->network->n_points > 0
            ? crs_distance_m((GeoPoint){any->lon, any->lat}, matcher->network->points[0]) / 1000.0
            : 0.0;
    g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_ELSEWHERE,
                "drive and network do not meet: %.0f km apart; use a network of the region driven "
                "in",
                km);
    return FALSE;
}

static gboolean match_all(Matcher *matcher, GError **error)
{
    match_filter(matcher->fixes, matcher->n, matcher->options.max_speed_mps, matcher->status);
    if (!check_meets(matcher, error))
        return FALSE;
    preset_fixes(matcher);
    matcher->noise = (MatchNoise){.sigma_m = guess_sigma_m(matcher), .tau_s = 5.0};
    g_autoptr(GArray) observations = match_observe(matcher->fixes, matcher->n, matcher->status,
                                                   &matcher->options, &matcher->noise);
    if (observations->len == 0)
        return TRUE;
    matcher->noise.jitter_s = match_time_jitter_s(observations);
    matcher->places = g_new(SmoothPlace, observations->len);
    learn_noise(matcher, observations);
    match_part(matcher, (const Observation *)(void *)observations->data, observations->len, NULL);
    return TRUE;
}

Track *track_match(const Network *network, const MatchFix *fixes, size_t n,
                   const MatchOptions *options, GError **error)
{
    if (network->n_edges == 0) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY, "%s: the network has no edges",
                    network->path != NULL ? network->path : "network");
        return NULL;
    }
    Matcher matcher = {
        .network = network,
        .fixes = fixes,
        .n = n,
        .options = options != NULL ? *options : (MatchOptions){0},
        .status = g_new0(FixStatus, MAX(n, (size_t)1)),
        .smoother = smoother_new(),
        .track = track_new(network, n),
    };
    if (!(matcher.options.max_speed_mps > 0.0))
        matcher.options.max_speed_mps = 100.0;
    match_line_init(&matcher.line);
    matcher.index = edge_index_new(network, matcher.options.modes);
    matcher.search = route_search_new(network, matcher.options.modes);
    gboolean done = match_all(&matcher, error);
    edge_index_free(matcher.index);
    route_search_free(matcher.search);
    smoother_free(matcher.smoother);
    match_line_clear(&matcher.line);
    g_free(matcher.places);
    g_free(matcher.status);
    if (!done)
        g_clear_pointer(&matcher.track, track_free);
    return matcher.track;
}
