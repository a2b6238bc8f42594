/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. States are arcs (an edge in one direction of travel) with an offset, near a
 * fix, and one state "off the network". The best path ends in each state of the newest fix; the
 * part of the past that all of them share is decided, is written into the track and forgotten, so
 * that the model holds a window only. Fixes nearer than 2 σ to the last one in the model say
 * nothing new (Newson & Krumm): they are placed along the path afterwards, which also keeps a
 * standing vehicle from wandering.
 */
#include "analyzer/match.h"

#include "analyzer/crs.h"
#include "analyzer/edge-index.h"
#include "analyzer/match-cost.h"
#include "analyzer/match-filter.h"
#include "analyzer/route-search.h"
#include "analyzer/track-build.h"

#include <math.h>
#include <string.h>

enum { MAX_HITS = 16, MAX_STATES = 2 * MAX_HITS + 1, DECIDE_EVERY = 256 };

static const uint32_t off_arc = UINT32_MAX;
static const double change_cost = 8.0; /* leaving or joining the network */
static const double break_cost = 45.0; /* from one place to another without any way between */
static const double turn_cost = 12.0;  /* turning round on the road */
static const double elsewhere_m = 20000.0;

typedef struct {
    uint32_t arc;
    float offset_m; /* in the direction of travel */
    double cost;    /* of the best path to here */
    int16_t previous;
    gboolean broken; /* reached without a way from the previous state */
} State;

typedef struct {
    size_t fix;
    double sigma_m;
    guint n;
    State states[MAX_STATES];
} Step;

typedef struct {
    const Network *network;
    const MatchFix *fixes;
    size_t n;
    FixStatus *status;
    MatchOptions options;
    double default_sigma_m;
    EdgeIndex *index;
    RouteSearch *search;
    Track *track;
    GPtrArray *steps; /* of Step, the undecided window; the first one is decided already */
    /* the decided end of the path */
    gboolean has_end, in_stretch;
    State end;
    double end_s;
    GArray *arcs;
} Matcher;

/* ---- states ---- */

static double sigma_of(const Matcher *matcher, const MatchFix *fix)
{
    if (matcher->options.sigma_m > 0.0)
        return matcher->options.sigma_m;
    if (!isfinite(fix->accuracy_m))
        return matcher->default_sigma_m;
    /* 68 % of a circular normal lie within 1.515 σ of one axis */
    return CLAMP(fix->accuracy_m / 1.515, MATCH_SIGMA_M, 60.0);
}

static double off_distance_m(double sigma_m)
{
    return fmax(35.0, 5.0 * sigma_m);
}

static void add_state(Step *step, uint32_t arc, double offset_m, double cost)
{
    step->states[step->n++] =
        (State){.arc = arc, .offset_m = (float)offset_m, .cost = cost, .previous = -1};
}

static Step *make_step(Matcher *matcher, size_t i)
{
    const MatchFix *fix = &matcher->fixes[i];
    Step *step = g_new(Step, 1);
    step->fix = i;
    step->n = 0;
    step->sigma_m = sigma_of(matcher, fix);
    EdgeHit hits[MAX_HITS];
    size_t n = edge_index_near(matcher->index, (GeoPoint){fix->lon, fix->lat},
                               fmax(60.0, 6.0 * step->sigma_m), hits, MAX_HITS);
    for (size_t h = 0; h < n; h++) {
        double near = match_emission_cost(hits[h].distance_m, step->sigma_m);
        for (uint32_t backward = 0; backward < 2; backward++) {
            uint32_t arc = 2 * hits[h].edge + backward;
            if (!route_arc_allowed(matcher->network, arc))
                continue;
            double length_m = matcher->network->edges[hits[h].edge].length_m;
            double heading = backward ? hits[h].heading_deg + 180.0 : hits[h].heading_deg;
            double turn = isfinite(fix->heading_deg)
                              ? match_heading_cost(
                                    heading_difference_deg(fmod(heading, 360.0), fix->heading_deg),
                                    fix->speed_mps)
                              : 0.0;
            add_state(step, arc, backward ? length_m - hits[h].offset_m : hits[h].offset_m,
                      near + turn);
        }
    }
    add_state(step, off_arc, 0.0,
              match_emission_cost(off_distance_m(step->sigma_m), step->sigma_m));
    return step;
}

/* ---- transitions ---- */

typedef struct {
    double straight_m, expected_m, beta_m, seconds, max_m;
    gboolean stopped; /* stood still between the two fixes */
    double sigma_m;
} Leg;

static Leg leg_between(const Matcher *matcher, const Step *a, const Step *b)
{
    const MatchFix *from = &matcher->fixes[a->fix];
    const MatchFix *to = &matcher->fixes[b->fix];
    Leg leg = {.seconds = fmax((double)(to->time_ns - from->time_ns) / 1e9, 0.01)};
    leg.straight_m =
        crs_short_distance_m((GeoPoint){from->lon, from->lat}, (GeoPoint){to->lon, to->lat});
    leg.sigma_m = 0.5 * (a->sigma_m + b->sigma_m);
    leg.expected_m = leg.straight_m;
    leg.beta_m = match_beta_m(leg.seconds) + 0.6 * leg.sigma_m;
    if (isfinite(from->speed_mps) && isfinite(to->speed_mps) && leg.seconds <= 15.0) {
        /* Doppler speed knows the distance better than two noisy positions do */
        leg.expected_m = 0.5 * (from->speed_mps + to->speed_mps) * leg.seconds;
        leg.expected_m = CLAMP(leg.expected_m, leg.straight_m - 3.0 * leg.sigma_m,
                               leg.straight_m * 1.5 + 3.0 * leg.sigma_m);
    }
    leg.max_m = matcher->options.max_speed_mps * (leg.seconds + 1.0) + 4.0 * leg.sigma_m;
    leg.stopped = leg.seconds > 20.0 && leg.straight_m < 3.0 * leg.seconds;
    return leg;
}

static double way_cost(const Leg *leg, double route_m)
{
    if (route_m > leg->max_m)
        return INFINITY;
    return fabs(route_m - leg->expected_m) / leg->beta_m;
}

static void offer(State *to, const State *from, int16_t from_number, double cost, double emission,
                  gboolean broken)
{
    double total = from->cost + cost + emission;
    if (to->previous >= 0 && total >= to->cost)
        return;
    to->cost = total;
    to->previous = from_number;
    to->broken = broken;
}

/* The way within one arc, and turning round on one edge; INFINITY if neither. */
static double same_edge_cost(const Matcher *matcher, const Leg *leg, const State *from,
                             const State *to)
{
    const NetworkEdge *edge = &matcher->network->edges[arc_edge(from->arc)];
    if (from->arc == to->arc) {
        double along_m = to->offset_m - from->offset_m;
        /* noise sets a slow vehicle back a little */
        if (along_m < 0.0 && along_m > -3.0 * leg->sigma_m)
            return way_cost(leg, 0.0) - along_m / leg->beta_m;
        return along_m >= 0.0 ? way_cost(leg, along_m) : INFINITY;
    }
    double turned_m = fabs(edge->length_m - from->offset_m - to->offset_m);
    if (edge->kind == EDGE_RAIL && !leg->stopped)
        return INFINITY;
    return way_cost(leg, turned_m) + turn_cost;
}

static void cross(Matcher *matcher, const Step *a, Step *b, const Leg *leg, const double *emission)
{
    uint32_t targets[MAX_STATES];
    size_t n_targets = 0;
    for (guint k = 0; k < b->n; k++)
        if (b->states[k].arc != off_arc)
            targets[n_targets++] = b->states[k].arc;
    for (guint j = 0; j < a->n; j++) {
        const State *from = &a->states[j];
        gboolean searched = FALSE;
        double rest_m =
            from->arc == off_arc
                ? 0.0
                : matcher->network->edges[arc_edge(from->arc)].length_m - from->offset_m;
        double limit_m = fmin(leg->expected_m + break_cost * leg->beta_m, leg->max_m) - rest_m;
        for (guint k = 0; k < b->n; k++) {
            State *to = &b->states[k];
            if (from->arc == off_arc || to->arc == off_arc) {
                double cost = from->arc == to->arc ? 0.0 : change_cost;
                offer(to, from, (int16_t)j, cost, emission[k], TRUE);
                continue;
            }
            double cost = INFINITY;
            if (arc_edge(from->arc) == arc_edge(to->arc))
                cost = same_edge_cost(matcher, leg, from, to);
            if (!isfinite(cost) && limit_m > 0.0) {
                if (!searched)
                    route_search_run(matcher->search, from->arc, limit_m, leg->stopped, targets,
                                     n_targets);
                searched = TRUE;
                cost = way_cost(leg, rest_m + route_search_distance_m(matcher->search, to->arc) +
                                         to->offset_m);
            }
            gboolean broken = !isfinite(cost) || cost > break_cost;
            offer(to, from, (int16_t)j, broken ? break_cost : cost, emission[k], broken);
        }
    }
}

static void link_steps(Matcher *matcher, const Step *a, Step *b)
{
    Leg leg = leg_between(matcher, a, b);
    double emission[MAX_STATES];
    for (guint k = 0; k < b->n; k++) {
        emission[k] = b->states[k].cost;
        b->states[k].previous = -1;
    }
    cross(matcher, a, b, &leg, emission);
    double least = INFINITY;
    for (guint k = 0; k < b->n; k++)
        least = fmin(least, b->states[k].cost);
    for (guint k = 0; k < b->n; k++)
        b->states[k].cost -= least; /* keeps sums small over months */
}

/* ---- writing the track ---- */

static void begin_stretch(Matcher *matcher, const State *state)
{
    track_begin_stretch(matcher->track);
    matcher->end_s = 0.0;
    track_add_piece(matcher->track, (RoutePiece){arc_edge(state->arc), arc_backward(state->arc),
                                                 state->offset_m, 0.0});
    matcher->in_stretch = TRUE;
}

static void enter_arc(Matcher *matcher, uint32_t arc, double from_m)
{
    track_add_piece(matcher->track,
                    (RoutePiece){arc_edge(arc), arc_backward(arc), from_m, matcher->end_s});
}

/* Goes from the decided end to a state, adding the pieces between. FALSE if there is no way. */
static gboolean travel(Matcher *matcher, const State *to, const Leg *leg)
{
    const State *from = &matcher->end;
    const Network *network = matcher->network;
    if (from->arc == to->arc && to->offset_m >= from->offset_m - 3.0 * leg->sigma_m) {
        matcher->end_s += fmax(to->offset_m - from->offset_m, 0.0);
        return TRUE;
    }
    double rest_m = network->edges[arc_edge(from->arc)].length_m - from->offset_m;
    if (arc_edge(from->arc) == arc_edge(to->arc) && from->arc != to->arc) {
        /* turned round: back from where it was */
        enter_arc(matcher, to->arc, rest_m);
        matcher->end_s += fmax(to->offset_m - rest_m, 0.0);
        return TRUE;
    }
    double limit_m = fmin(leg->expected_m + break_cost * leg->beta_m, leg->max_m) - rest_m;
    route_search_run(matcher->search, from->arc, limit_m, leg->stopped, &to->arc, 1);
    g_array_set_size(matcher->arcs, 0);
    if (!route_search_path(matcher->search, to->arc, matcher->arcs))
        return FALSE;
    matcher->end_s += rest_m;
    for (guint i = 0; i < matcher->arcs->len; i++) {
        uint32_t arc = g_array_index(matcher->arcs, uint32_t, i);
        enter_arc(matcher, arc, 0.0);
        matcher->end_s += network->edges[arc_edge(arc)].length_m;
    }
    enter_arc(matcher, to->arc, 0.0);
    matcher->end_s += to->offset_m;
    return TRUE;
}

static void write_state(Matcher *matcher, const Step *before, const Step *step, const State *state)
{
    TrackFix *fix = track_fix(matcher->track, step->fix);
    if (state->arc == off_arc) {
        fix->status = FIX_OFF_NETWORK;
        matcher->in_stretch = FALSE;
        matcher->end = *state;
        return;
    }
    gboolean joined = FALSE;
    if (matcher->in_stretch && !state->broken && before != NULL) {
        Leg leg = leg_between(matcher, before, step);
        joined = travel(matcher, state, &leg);
    }
    if (!joined)
        begin_stretch(matcher, state);
    /* set back by noise: the path stays where it was */
    double set_back =
        joined && matcher->end.arc == state->arc && state->offset_m < matcher->end.offset_m
            ? matcher->end.offset_m
            : state->offset_m;
    matcher->end = *state;
    matcher->end.offset_m = (float)set_back;
    fix->status = FIX_MATCHED;
    fix->stretch = track_stretches(matcher->track) - 1;
    fix->travelled_m = matcher->end_s;
    track_add_anchor(matcher->track,
                     (TrackAnchor){matcher->fixes[step->fix].time_ns, matcher->end_s,
                                   matcher->fixes[step->fix].speed_mps, step->sigma_m});
}

/* Writes steps 1..last, following the path that ends in `state` of step `last`; keeps the rest. The
 * first step of the window was written before (or is the very first). */
static void write_path(Matcher *matcher, guint last, guint state)
{
    g_autofree int *chosen = g_new(int, last + 1);
    chosen[last] = (int)state;
    for (guint i = last; i > 0; i--) {
        const Step *step = g_ptr_array_index(matcher->steps, i);
        chosen[i - 1] = step->states[chosen[i]].previous;
    }
    for (guint i = matcher->has_end ? 1 : 0; i <= last; i++) {
        const Step *step = g_ptr_array_index(matcher->steps, i);
        write_state(matcher, i > 0 ? g_ptr_array_index(matcher->steps, i - 1) : NULL, step,
                    &step->states[chosen[i]]);
    }
    matcher->has_end = TRUE;
    /* the new first step keeps only the state that was decided */
    Step *first = g_ptr_array_index(matcher->steps, last);
    if (last + 1 < matcher->steps->len) {
        Step *next = g_ptr_array_index(matcher->steps, last + 1);
        for (guint k = 0; k < next->n; k++)
            next->states[k].previous = next->states[k].previous == chosen[last] ? 0 : -1;
    }
    first->states[0] = first->states[chosen[last]];
    first->n = 1;
    if (last > 0)
        g_ptr_array_remove_range(matcher->steps, 0, last);
}

/* Finds how far back all live paths are one, and writes that. */
static void decide(Matcher *matcher)
{
    guint last = matcher->steps->len - 1;
    const Step *newest = g_ptr_array_index(matcher->steps, last);
    gboolean alive[MAX_STATES] = {FALSE};
    for (guint k = 0; k < newest->n; k++)
        alive[k] = TRUE;
    for (guint i = last; i > 0; i--) {
        const Step *step = g_ptr_array_index(matcher->steps, i);
        gboolean before[MAX_STATES] = {FALSE};
        guint n_alive = 0;
        guint one = 0;
        for (guint k = 0; k < step->n; k++)
            if (alive[k] && step->states[k].previous >= 0)
                before[step->states[k].previous] = TRUE;
        for (guint k = 0; k < MAX_STATES; k++)
            if (before[k]) {
                n_alive++;
                one = k;
            }
        if (n_alive == 1 && i - 1 > 0) {
            write_path(matcher, i - 1, one);
            return;
        }
        memcpy(alive, before, sizeof alive);
    }
}

static void finish(Matcher *matcher)
{
    if (matcher->steps->len == 0)
        return;
    guint last = matcher->steps->len - 1;
    const Step *newest = g_ptr_array_index(matcher->steps, last);
    guint best = 0;
    for (guint k = 1; k < newest->n; k++)
        if (newest->states[k].cost < newest->states[best].cost)
            best = k;
    if (last > 0 || !matcher->has_end)
        write_path(matcher, last, best);
}

static void run(Matcher *matcher)
{
    const MatchFix *kept = NULL;
    for (size_t i = 0; i < matcher->n; i++) {
        if (matcher->status[i] != FIX_MATCHED)
            continue;
        const MatchFix *fix = &matcher->fixes[i];
        if (kept != NULL &&
            crs_short_distance_m((GeoPoint){kept->lon, kept->lat}, (GeoPoint){fix->lon, fix->lat}) <
                2.0 * sigma_of(matcher, fix))
            continue;
        kept = fix;
        Step *step = make_step(matcher, i);
        if (matcher->steps->len > 0)
            link_steps(matcher, g_ptr_array_index(matcher->steps, matcher->steps->len - 1), step);
        g_ptr_array_add(matcher->steps, step);
        if (matcher->steps->len % DECIDE_EVERY == 0)
            decide(matcher);
    }
    finish(matcher);
}

/* ---- after the model ---- */

/* Speeds along the track where the receiver gave none: from the neighbours. */
static void fill_speeds(Track *track)
{
    size_t n = 0;
    TrackAnchor *anchors = track_anchors(track, &n);
    for (size_t i = 0; i < n; i++) {
        if (isfinite(anchors[i].speed_mps))
            continue;
        const TrackAnchor *a =
            i > 0 && anchors[i - 1].s <= anchors[i].s ? &anchors[i - 1] : &anchors[i];
        const TrackAnchor *b =
            i + 1 < n && anchors[i + 1].s >= anchors[i].s ? &anchors[i + 1] : &anchors[i];
        double seconds = (double)(b->time_ns - a->time_ns) / 1e9;
        anchors[i].speed_mps = seconds > 0.0 ? (b->s - a->s) / seconds : 0.0;
    }
}

static void fill_fixes(Matcher *matcher)
{
    size_t hint = 0;
    for (size_t i = 0; i < matcher->n; i++) {
        TrackFix *fix = track_fix(matcher->track, i);
        const MatchFix *from = &matcher->fixes[i];
        fix->time_ns = from->time_ns;
        fix->raw = (GeoPoint){from->lon, from->lat};
        fix->point = fix->raw;
        fix->edge = UINT32_MAX;
        if (matcher->status[i] != FIX_MATCHED) {
            fix->status = matcher->status[i];
            continue;
        }
        if (fix->status == FIX_OFF_NETWORK)
            continue;
        TrackPlace place;
        track_place(matcher->track, from->time_ns, &hint, &place);
        if (place.quality != PLACE_FIX && place.quality != PLACE_INTERPOLATED) {
            fix->status = FIX_OFF_NETWORK;
            continue;
        }
        fix->status = FIX_MATCHED;
        fix->edge = place.edge;
        fix->offset_m = place.offset_m;
        fix->backward = place.backward;
        fix->point = place.point;
        fix->distance_m = crs_short_distance_m(fix->raw, fix->point);
    }
}

/* Fixes that the model never saw are "to be matched" until they are placed. */
static void preset_status(Matcher *matcher)
{
    for (size_t i = 0; i < matcher->n; i++)
        track_fix(matcher->track, i)->status = FIX_MATCHED;
}

/* σ where receivers do not tell their accuracy: robust, from the distances to the nearest edge.
 * In a dense network some other edge is often nearer than the right one, hence the factor. */
static double estimate_sigma_m(Matcher *matcher)
{
    enum { WANTED = 400 };
    g_autoptr(GArray) distances = g_array_new(FALSE, FALSE, sizeof(double));
    size_t stride = MAX(matcher->n / WANTED, (size_t)1);
    for (size_t i = 0; i < matcher->n; i += stride) {
        const MatchFix *fix = &matcher->fixes[i];
        EdgeHit hit;
        if (matcher->status[i] == FIX_MATCHED &&
            edge_index_near(matcher->index, (GeoPoint){fix->lon, fix->lat}, 100.0, &hit, 1) == 1)
            g_array_append_val(distances, hit.distance_m);
    }
    if (distances->len == 0)
        return MATCH_SIGMA_M;
    double *values = (double *)(void *)distances->data;
    guint middle = distances->len / 2;
    for (guint i = 0; i <= middle; i++) /* selection of the smaller half; n is small */
        for (guint j = i + 1; j < distances->len; j++)
            if (values[j] < values[i]) {
                double swap = values[i];
                values[i] = values[j];
                values[j] = swap;
            }
    return CLAMP(1.4826 * values[middle] * 1.2, MATCH_SIGMA_M, 30.0);
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
    matcher->default_sigma_m = estimate_sigma_m(matcher);
    preset_status(matcher);
    run(matcher);
    fill_speeds(matcher->track);
    fill_fixes(matcher);
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
        .track = track_new(network, n),
        .steps = g_ptr_array_new_with_free_func(g_free),
        .arcs = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
    };
    if (!(matcher.options.max_speed_mps > 0.0))
        matcher.options.max_speed_mps = 100.0;
    matcher.index = edge_index_new(network, matcher.options.modes);
    matcher.search = route_search_new(network, matcher.options.modes);
    gboolean done = match_all(&matcher, error);
    edge_index_free(matcher.index);
    route_search_free(matcher.search);
    g_ptr_array_unref(matcher.steps);
    g_array_unref(matcher.arcs);
    g_free(matcher.status);
    if (!done)
        g_clear_pointer(&matcher.track, track_free);
    return matcher.track;
}
