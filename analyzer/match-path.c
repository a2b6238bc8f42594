/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. A hidden Markov model whose states are arcs. Each arc that may be the right
 * one is a hypothesis that carries the place on it: a Kalman filter over the metres and the speed
 * along its own path, so that noise does not throw it back and forth over junctions, and with the
 * error that the last fix must have had if the hypothesis is right. Position errors last, so what
 * counts as evidence is only how the error changed (docs/matching.md has the formulas). With each
 * fix hypotheses walk on along the arcs that follow (a few steps, or a bounded Dijkstra after a
 * gap); of those that come together on one arc the best lives on (Viterbi), and what is much worse
 * than the best dies. One hypothesis more says that the vehicle is not on the network; it is the
 * way out of every dead end.
 */
#include "analyzer/match-path.h"

#include "analyzer/crs.h"
#include "analyzer/match-arc.h"
#include "analyzer/match-cost.h"
#include "analyzer/match-tree.h"

#include <math.h>

enum { MAX_HYPOTHESES = 24, MAX_NEAR = 64, MAX_HITS = 12, TREE_ROOM = 8192 };

static const double beam = 12.0;         /* worse than the best by this: dies */
static const double change_cost = 11.0;  /* leaving or joining the network */
static const double break_cost = 18.0;   /* from one place of it to another with no way between */
static const double off_cost = 3.5;      /* of each fix while off the network */
static const double junction_cost = 1.0; /* going on over a junction: one way of several */
static const double turn_cost = 11.0;    /* turning round on the road */
static const double dead_end_cost = 4.0; /* the same where it ends */
static const double wander_m2s3 = 0.5;   /* speed as a random walk where nobody tells it */
static const double turn_speed_mps = 4.0;
static const double near_s = 4.0; /* up to here what follows is walked by hand */
static const double near_m = 150.0;
static const double bridge_s = 900.0; /* longer gaps are not bridged */

typedef struct {
    uint32_t arc;
    int32_t tree; /* its node */
    double s, v;  /* metres into the arc, m/s */
    double pss, psv, pvv;
    double nx, ny; /* error of the last fix, if this is right: metres east, north */
    double cost;
} Hypothesis;

/* A way from a hypothesis on to some arc, in reverse. */
typedef struct {
    uint32_t arc;
    int32_t previous; /* -1: the hypothesis' own arc */
    float enter_m;
    gboolean turned;
} Way;

typedef struct {
    Hypothesis h;
    int32_t from_tree;
    int32_t way; /* -1: still on the same arc */
    gboolean joins;
} Candidate;

/* What is the same for all hypotheses in one step. */
typedef struct {
    const Observation *o;
    uint32_t i;
    Plane plane; /* origin at the fix */
    double phi;  /* how much of the last error is left */
    double noise2;
    double straight_m, beta_m;
    double hinge_m, hinge_scale_m;
    double east, north; /* direction of the receiver's heading; 0, 0 where it tells none */
} Step;

/* Prediction of one hypothesis. */
typedef struct {
    double d, v; /* metres on, speed */
    double pss, psv, pvv;
    double inno2, gain_s, gain_v;
    double window_m;
} Prediction;

struct MatchWalker {
    const Network *network;
    EdgeIndex *index;
    RouteSearch *search;
    const MatchOptions *options;
    const MatchNoise *noise;
    GeoPoint last_at; /* of the observation before */
    gboolean started;
    Step step;
    Hypothesis live[MAX_HYPOTHESES];
    guint n_live;
    Candidate next[MAX_HYPOTHESES];
    guint n_next;
    double best;
    MatchTree tree;
    guint room; /* nodes of it, before it is pruned */
    Way *ways;
    guint n_ways, room_of_ways;
    GArray *scratch;
    double off;        /* cost of being off the network */
    int32_t join_tree; /* where paths go on that join the network; -1: off the network */
    int32_t off_tree;
    uint32_t off_first;
    double last_lat, dt_of_phi, phi;
    Plane scale;
};

/* ---- one candidate ---- */

static Candidate *place_for(MatchWalker *w, uint32_t arc, double cost)
{
    if (cost > w->best + beam)
        return NULL;
    Candidate *worst = NULL;
    for (guint k = 0; k < w->n_next; k++) {
        Candidate *c = &w->next[k];
        if (c->h.arc == arc)
            return cost < c->h.cost ? c : NULL;
        if (worst == NULL || c->h.cost > worst->h.cost)
            worst = c;
    }
    if (w->n_next < MAX_HYPOTHESES)
        return &w->next[w->n_next++];
    return cost < worst->h.cost ? worst : NULL;
}

static double misfit_cost(const Step *step, const ArcPlace *at)
{
    double error2 = at->x * at->x + at->y * at->y;
    double cost = 0.0;
    if (error2 > step->hinge_m * step->hinge_m) {
        double z = (sqrt(error2) - step->hinge_m) / step->hinge_scale_m;
        cost = match_robust_cost(z * z);
    }
    if (step->east != 0.0 || step->north != 0.0)
        cost += match_direction_cost(at->tx * step->east + at->ty * step->north);
    return cost;
}

/* The prediction when it turned out far wrong: a speed that the receiver told was not true, or the
 * vehicle braked hard. What was expected counts for little then. */
static Prediction doubt(const Prediction *p, double along_m)
{
    double more = along_m * along_m / 4.0;
    Prediction d = *p;
    d.inno2 += more;
    d.gain_s = (p->gain_s * p->inno2 + more) / d.inno2;
    d.gain_v = p->gain_v * p->inno2 / d.inno2;
    d.pss += more;
    return d;
}

/* Tries to see the hypothesis at the fix on `arc`, whose start lies away_m on from it. Returns the
 * candidate if it is worth keeping; its way is still to be filled in. */
static Candidate *try_arc(MatchWalker *w, const Hypothesis *h, const Prediction *p, uint32_t arc,
                          double away_m)
{
    if (h->cost > w->best + beam)
        return NULL;
    const Step *step = &w->step;
    double length_m = w->network->edges[arc_edge(arc)].length_m;
    double expected_m = p->d - away_m;
    if (expected_m - p->window_m > length_m)
        return NULL; /* it is past this arc */
    double low_m = CLAMP(expected_m - p->window_m, 0.0, length_m);
    double high_m = CLAMP(expected_m + p->window_m, 0.0, length_m);
    /* where the fix would lie without what is left of the error before; the fix is the origin */
    double x = -step->phi * h->nx;
    double y = -step->phi * h->ny;
    ArcPlace at = arc_project(w->network, arc, &step->plane, x, y, low_m, high_m);
    double along = (x - at.x) * at.tx + (y - at.y) * at.ty + at.offset_m - expected_m;
    double across = (x - at.x) * at.ty - (y - at.y) * at.tx;
    double cost = h->cost + match_surprise_cost(along * along / p->inno2) +
                  match_robust_cost(across * across / step->noise2);
    if (cost > w->best + beam)
        return NULL;
    Prediction wild;
    if (along * along > 9.0 * p->inno2) {
        wild = doubt(p, along);
        p = &wild;
    }
    double wanted_m = expected_m + p->gain_s * along;
    double s = CLAMP(wanted_m, 0.0, length_m);
    double by_m = s - at.offset_m;
    if (by_m >= -at.back_m && by_m <= at.on_m)
        arc_shift(&at, by_m);
    else
        at = arc_place(w->network, arc, &step->plane, s);
    double left = p->pss - p->gain_s * p->gain_s * p->inno2;
    left = MAX(left, 0.01);
    cost += match_robust_cost((s - wanted_m) * (s - wanted_m) / left) + misfit_cost(step, &at);
    if (step->o->dt_s > near_s)
        cost += MAX(away_m + s - step->straight_m, 0.0) / step->beta_m;
    Candidate *c = place_for(w, arc, cost);
    if (c == NULL)
        return NULL;
    c->h = (Hypothesis){.arc = arc,
                        .s = s,
                        .v = MAX(p->v + p->gain_v * along, 0.0),
                        .pss = left,
                        .psv = p->psv - p->gain_s * p->gain_v * p->inno2,
                        .pvv = MAX(p->pvv - p->gain_v * p->gain_v * p->inno2, 1e-4),
                        .nx = -at.x,
                        .ny = -at.y,
                        .cost = cost};
    c->from_tree = h->tree;
    c->way = -1;
    c->joins = FALSE;
    w->best = MIN(cost, w->best);
    return c;
}

/* ---- walking on ---- */

static Prediction predict(const Step *step, Hypothesis *h, double jitter_s)
{
    double dt = step->o->dt_s;
    double qss = 0.0;
    double qsv = 0.0;
    double qvv = 0.0;
    if (isnan(step->o->step_m)) {
        qss = wander_m2s3 * dt * dt * dt / 3.0;
        qsv = wander_m2s3 * dt * dt / 2.0;
        qvv = wander_m2s3 * dt;
    } else {
        h->v = step->o->step_m / dt;
        h->pvv = step->o->step_sd_m * step->o->step_sd_m / (dt * dt);
        h->psv = 0.0;
    }
    double rest = 1.0 - step->phi;
    Prediction p = {.d = h->v * dt, .v = h->v};
    p.pss = h->pss + 2.0 * dt * h->psv + dt * dt * h->pvv + qss;
    p.psv = h->psv + dt * h->pvv + qsv;
    p.pvv = h->pvv + qvv;
    /* the fix tells s + error; the error before was (fix before) - s before */
    p.inno2 =
        rest * rest * h->pss + 2.0 * rest * dt * h->psv + dt * dt * h->pvv + qss + step->noise2;
    p.inno2 += h->v * jitter_s * h->v * jitter_s;
    p.gain_s = (rest * (h->pss + dt * h->psv) + dt * (h->psv + dt * h->pvv) + qss) / p.inno2;
    p.gain_v = (rest * h->psv + dt * h->pvv + qsv) / p.inno2;
    p.window_m = 3.0 * sqrt(p.inno2) + 4.0;
    return p;
}

static int32_t add_way(MatchWalker *w, Way way)
{
    if (w->n_ways == w->room_of_ways) {
        w->room_of_ways = MAX(2 * w->room_of_ways, 256U);
        w->ways = g_renew(Way, w->ways, w->room_of_ways);
    }
    w->ways[w->n_ways] = way;
    return (int32_t)w->n_ways++;
}

typedef struct {
    uint32_t arc;
    int32_t way;
    double end_m; /* from the hypothesis to the arc's end */
    double cost;  /* of the junctions up to here */
} Near;

static gboolean is_listed(const Near *list, guint from, guint to, uint32_t arc)
{
    for (guint i = from; i < to; i++)
        if (list[i].arc == arc)
            return TRUE;
    return FALSE;
}

/* Arcs that follow within reach, one after the other. */
static void walk_near(MatchWalker *w, const Hypothesis *h, const Prediction *p, int32_t first_way,
                      double end_m, double reach_m)
{
    Near list[MAX_NEAR];
    guint n = 0;
    list[n++] = (Near){h->arc, first_way, end_m, 0.0};
    const Network *network = w->network;
    Hypothesis on = *h;
    for (guint at = 0; at < n; at++) {
        Near here = list[at];
        if (here.end_m > reach_m)
            continue;
        const NetworkEdge *edge = &network->edges[arc_edge(here.arc)];
        uint32_t node = arc_backward(here.arc) ? edge->from : edge->to;
        gboolean junction = network->star[node + 1] - network->star[node] > 2;
        double cost = here.cost + (junction ? junction_cost : 0.0);
        for (uint32_t k = 2 * network->star[node]; k < 2 * network->star[node + 1]; k++) {
            uint32_t e = network->star_edges[k / 2];
            uint32_t start = k & 1U ? network->edges[e].to : network->edges[e].from;
            uint32_t arc = 2 * e + (k & 1U);
            if (start != node || n == MAX_NEAR || is_listed(list, at, n, arc) ||
                !route_may_follow(w->search, here.arc, arc, FALSE))
                continue;
            double more = arc == (here.arc ^ 1U) ? dead_end_cost : 0.0;
            on.cost = h->cost + cost + more;
            int32_t way = add_way(w, (Way){.arc = arc, .previous = here.way});
            Candidate *c = try_arc(w, &on, p, arc, here.end_m);
            if (c != NULL)
                c->way = way;
            list[n++] = (Near){arc, way, here.end_m + network->edges[e].length_m, cost + more};
        }
    }
}

/* The same after a gap: shortest ways to all that is within reach. */
static void walk_far(MatchWalker *w, const Hypothesis *h, const Prediction *p, int32_t first_way,
                     double end_m, double reach_m)
{
    const Step *step = &w->step;
    gboolean stopped = step->o->dt_s > 20.0f && step->straight_m < 3.0 * (double)step->o->dt_s;
    route_search_run(w->search, h->arc, reach_m - end_m, stopped, NULL, 0);
    size_t n = 0;
    const uint32_t *arcs = route_search_settled(w->search, &n);
    for (size_t k = 0; k < n; k++) {
        double away_m = end_m + route_search_distance_m(w->search, arcs[k]);
        Candidate *c = try_arc(w, h, p, arcs[k], away_m);
        if (c == NULL)
            continue;
        g_array_set_size(w->scratch, 0);
        int32_t way = first_way;
        if (route_search_path(w->search, arcs[k], w->scratch))
            for (guint i = 0; i < w->scratch->len; i++)
                way = add_way(
                    w, (Way){.arc = g_array_index(w->scratch, uint32_t, i), .previous = way});
        c->way = add_way(w, (Way){.arc = arcs[k], .previous = way});
    }
}

static void advance(MatchWalker *w, Hypothesis *h, int32_t first_way)
{
    const Step *step = &w->step;
    Prediction p = predict(step, h, w->noise->jitter_s);
    Candidate *c = try_arc(w, h, &p, h->arc, -h->s);
    if (c != NULL)
        c->way = first_way;
    double end_m = w->network->edges[arc_edge(h->arc)].length_m - h->s;
    double reach_m = MIN(p.d + p.window_m, w->options->max_speed_mps * (step->o->dt_s + 1.0));
    if (end_m > reach_m)
        return;
    if (step->o->dt_s <= near_s && reach_m <= near_m)
        walk_near(w, h, &p, first_way, end_m, reach_m);
    else
        walk_far(w, h, &p, first_way, end_m, reach_m);
}

/* May it have turned round since the fix before? Trains only at a stop. surprised: going on does
 * not explain the fix. */
static gboolean may_turn(const MatchWalker *w, const Hypothesis *h, gboolean surprised)
{
    const Step *step = &w->step;
    const NetworkEdge *edge = &w->network->edges[arc_edge(h->arc)];
    if (edge->way != EDGE_BOTH_WAYS)
        return FALSE;
    double v = isnan(step->o->step_m) ? h->v : (double)(step->o->step_m / step->o->dt_s);
    if (edge->kind == EDGE_RAIL)
        return v < 1.0 || (step->o->dt_s > 20.0f && step->straight_m < 3.0 * step->o->dt_s);
    return v < turn_speed_mps || step->o->dt_s > near_s || surprised;
}

static void advance_turned(MatchWalker *w, const Hypothesis *h)
{
    Hypothesis back = *h;
    back.arc ^= 1U;
    back.s = w->network->edges[arc_edge(h->arc)].length_m - h->s;
    back.cost += turn_cost;
    back.psv = 0.0;
    if (back.cost > w->best + beam)
        return;
    Way way = {.arc = back.arc, .previous = -1, .enter_m = (float)back.s, .turned = TRUE};
    advance(w, &back, add_way(w, way));
}

/* ---- on and off the network ---- */

static void join(MatchWalker *w, double cost)
{
    const Step *step = &w->step;
    double sigma_m = step->o->sigma_m;
    EdgeHit hits[MAX_HITS];
    size_t n = edge_index_near(w->index, step->o->at, fmax(35.0, 5.0 * sigma_m), hits, MAX_HITS);
    for (size_t k = 0; k < 2 * n; k++) {
        const EdgeHit *hit = &hits[k / 2];
        uint32_t arc = 2 * hit->edge + (uint32_t)(k & 1U);
        if (!route_arc_allowed(w->network, arc))
            continue;
        double length_m = w->network->edges[hit->edge].length_m;
        double s = arc_backward(arc) ? length_m - hit->offset_m : hit->offset_m;
        s = CLAMP(s, 0.0, length_m);
        ArcPlace at = arc_place(w->network, arc, &step->plane, s);
        double total =
            cost + match_emission_cost(hit->distance_m, sigma_m) + misfit_cost(step, &at);
        Candidate *c = place_for(w, arc, total);
        if (c == NULL)
            continue;
        double v = isfinite(step->o->speed_mps) ? (double)step->o->speed_mps : 10.0;
        *c = (Candidate){.h = {.arc = arc,
                               .s = s,
                               .v = v,
                               .pss = sigma_m * sigma_m,
                               .pvv = isfinite(step->o->speed_mps) ? 4.0 : 150.0,
                               .nx = -at.x,
                               .ny = -at.y,
                               .cost = total},
                         .way = -1,
                         .joins = TRUE};
        w->best = MIN(total, w->best);
    }
}

/* ---- the paths ---- */

static int32_t add_ways(MatchWalker *w, int32_t way, int32_t parent)
{
    if (way < 0)
        return parent;
    const Way *last = &w->ways[way];
    int32_t before = add_ways(w, last->previous, parent);
    return match_tree_add(
        &w->tree,
        (PathArc){
            .arc = last->arc, .first = w->step.i, .enter_m = last->enter_m, .turned = last->turned},
        before);
}

static int32_t off_node(MatchWalker *w, uint32_t until)
{
    if (w->off_first >= until)
        return w->off_tree;
    return match_tree_add(
        &w->tree, (PathArc){.arc = MATCH_OFF, .first = w->off_first, .begins = TRUE}, w->off_tree);
}

static void prune_tree(MatchWalker *w)
{
    int32_t tips[MAX_HYPOTHESES + 1];
    for (guint k = 0; k < w->n_live; k++)
        tips[k] = w->live[k].tree;
    tips[w->n_live] = w->off_tree;
    match_tree_prune(&w->tree, tips, w->n_live + 1);
    for (guint k = 0; k < w->n_live; k++)
        w->live[k].tree = tips[k];
    w->off_tree = tips[w->n_live];
}

/* ---- the run ---- */

static void begin_step(MatchWalker *w, const Observation *o, uint32_t i)
{
    Step *step = &w->step;
    step->o = o;
    step->i = i;
    if (fabs(o->at.lat - w->last_lat) > 0.003 || !w->started) {
        w->scale = plane_at(o->at);
        w->last_lat = o->at.lat;
    }
    step->plane = w->scale;
    step->plane.origin = o->at;
    double dt = o->dt_s;
    if (dt != w->dt_of_phi) {
        w->dt_of_phi = dt;
        w->phi = exp(-dt / w->noise->tau_s);
    }
    step->phi = w->phi;
    double sigma2 = (double)o->sigma_m * (double)o->sigma_m;
    step->noise2 = sigma2 * (1.0 - step->phi * step->phi) + 0.03 * sigma2 + 1.5;
    step->hinge_m = MAX(25.0, 4.0 * (double)o->sigma_m);
    step->hinge_scale_m = MAX(5.0, (double)o->sigma_m);
    step->straight_m = 0.0;
    if (w->started && dt > near_s) {
        step->straight_m = crs_distance_m(w->last_at, o->at);
        step->beta_m = match_beta_m(dt) + 2.0 * (double)o->sigma_m;
        /* who knows how far it went need not believe that it went straight */
        step->beta_m *= isfinite(o->step_m) ? 5.0 : 1.5;
    }
    step->east = step->north = 0.0;
    if (o->speed_mps > 3.0f && isfinite(o->heading_deg)) {
        step->east = sin((double)o->heading_deg * G_PI / 180.0);
        step->north = cos((double)o->heading_deg * G_PI / 180.0);
    }
    w->n_next = 0;
    w->join_tree = -1;
    w->best = INFINITY;
    w->n_ways = 0;
}

/* The path of the best hypothesis, of which there is at least one. */
static int32_t best_tree(const MatchWalker *w)
{
    guint best = 0;
    for (guint k = 1; k < w->n_live; k++)
        if (w->live[k].cost < w->live[best].cost)
            best = k;
    return w->live[best].tree;
}

/* A fix on a road by chance is less likely than one that lies apart; one after a long time says
 * more than one of many. */
static double cost_of_off(const MatchWalker *w)
{
    double near2 = 4.0 * (double)w->step.o->sigma_m * (double)w->step.o->sigma_m;
    double cost = w->step.o->dt_s > near_s ? 2.0 * off_cost : off_cost;
    for (guint k = 0; k < w->n_next; k++) {
        const Hypothesis *h = &w->next[k].h;
        if (h->nx * h->nx + h->ny * h->ny < near2)
            return cost + off_cost;
    }
    return cost;
}

/* Candidates become hypotheses, costs relative to the best. */
static void settle(MatchWalker *w, double least_before)
{
    double off_more = cost_of_off(w);
    double off = w->off + off_more;
    int32_t off_tree = w->off_tree;
    uint32_t off_first = w->off_first;
    if (w->n_live > 0 && least_before + change_cost + off_more < off) {
        off = least_before + change_cost + off_more;
        off_tree = best_tree(w);
        off_first = w->step.i;
    }
    double least = MIN(w->best, off);
    int32_t joined = -1;
    guint n = 0;
    for (guint k = 0; k < w->n_next; k++) {
        Candidate *c = &w->next[k];
        if (c->h.cost > least + beam)
            continue;
        if (c->joins && joined < 0)
            joined = w->join_tree >= 0 ? w->join_tree : off_node(w, w->step.i);
        if (c->joins)
            c->h.tree = match_tree_add(
                &w->tree, (PathArc){.arc = c->h.arc, .first = w->step.i, .begins = TRUE}, joined);
        else
            c->h.tree = add_ways(w, c->way, c->from_tree);
        c->h.cost -= least;
        w->live[n++] = c->h;
    }
    w->n_live = n;
    w->off = off - least;
    w->off_tree = off_tree;
    w->off_first = off_first;
}

/* The first observation, or one so late that it is not the same journey any more. */
static void begin_journey(MatchWalker *w, double least)
{
    if (least < w->off) {
        w->off_tree = best_tree(w);
        w->off_first = w->step.i;
    }
    w->off_tree = off_node(w, w->step.i);
    w->off_first = w->step.i;
    w->off = 0.0;
    w->n_live = 0;
    join(w, 0.0);
    settle(w, INFINITY);
}

static double least_cost(const MatchWalker *w)
{
    double least = INFINITY;
    for (guint k = 0; k < w->n_live; k++)
        least = MIN(w->live[k].cost, least);
    return least;
}

void match_walker_take(MatchWalker *w, const Observation *observation, uint32_t i)
{
    begin_step(w, observation, i);
    double least = least_cost(w);
    if (!w->started)
        w->off_first = i;
    if (!w->started || w->step.o->dt_s > bridge_s) {
        begin_journey(w, least);
    } else {
        /* the best first: what is much worse than its successors is soon given up */
        for (guint k = 0; k < w->n_live; k++)
            if (w->live[k].cost == least)
                advance(w, &w->live[k], -1);
        for (guint k = 0; k < w->n_live; k++)
            if (w->live[k].cost != least)
                advance(w, &w->live[k], -1);
        gboolean surprised = w->best > least + 8.0;
        for (guint k = 0; k < w->n_live; k++)
            if (may_turn(w, &w->live[k], surprised))
                advance_turned(w, &w->live[k]);
        double join_cost = w->off + change_cost;
        if (least + break_cost < join_cost) {
            join_cost = least + break_cost;
            w->join_tree = best_tree(w);
        }
        if (join_cost < w->best + 4.0)
            join(w, join_cost);
        settle(w, least);
    }
    w->started = TRUE;
    w->last_at = observation->at;
    if (match_tree_size(&w->tree) > w->room) {
        prune_tree(w);
        w->room = MAX((guint)TREE_ROOM, 2 * match_tree_size(&w->tree));
    }
}

/* Only the best goes on. */
static void choose(MatchWalker *w, uint32_t end)
{
    guint best = 0;
    for (guint k = 1; k < w->n_live; k++)
        if (w->live[k].cost < w->live[best].cost)
            best = k;
    if (w->n_live > 0 && w->live[best].cost <= w->off) {
        w->live[0] = w->live[best];
        w->n_live = 1;
        w->off_tree = w->live[0].tree;
        w->off = w->live[0].cost + change_cost;
    } else {
        w->n_live = 0;
        w->off_tree = off_node(w, end);
    }
    w->off_first = end;
}

uint32_t match_walker_decide(MatchWalker *w, uint32_t end, gboolean final, GArray *path)
{
    if (final)
        choose(w, end);
    prune_tree(w);
    g_array_append_vals(path, w->tree.path->data, w->tree.path->len);
    g_array_set_size(w->tree.path, 0);
    uint32_t first = match_tree_first_open(&w->tree, end);
    return w->off_tree == 0 ? MIN(first, w->off_first) : first;
}

MatchWalker *match_walker_new(const Network *network, EdgeIndex *index, RouteSearch *search,
                              const MatchOptions *options, const MatchNoise *noise)
{
    MatchWalker *w = g_new0(MatchWalker, 1);
    w->network = network;
    w->index = index;
    w->search = search;
    w->options = options;
    w->noise = noise;
    w->dt_of_phi = -1.0;
    w->room = TREE_ROOM;
    w->scratch = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    match_tree_init(&w->tree);
    return w;
}

void match_walker_free(MatchWalker *w)
{
    if (w == NULL)
        return;
    g_free(w->ways);
    g_array_unref(w->scratch);
    match_tree_clear(&w->tree);
    g_free(w);
}
