/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. What is wrong with a fix by itself is found first (match-filter), and what
 * the fixes around it tell (match-obs). Then two passes: which arcs of the network were driven
 * (match-path), and where on them the vehicle was at each fix (match-write, with match-line and
 * match-smooth). The first hours of a drive are held back and a part of them is matched to learn
 * the receiver's noise (match-learn); from then on fixes are matched in blocks, and what is decided
 * is handed out and forgotten. docs/matching.md has the method and what it reaches.
 */
#include "analyzer/match.h"

#include "analyzer/crs.h"
#include "analyzer/match-learn.h"
#include "analyzer/match-write.h"

#include <math.h>

/* Fixes that are held back for learning; fixes that are matched at once; observations after which
 * a decision is forced (parallel tracks for a hundred kilometres); fixes, most of them repeated,
 * after which it is another journey. */
enum { HEAD = 16384, BLOCK = 4096, LONGEST_DOUBT = 16384, LONGEST_QUEUE = 65536 };
static const double elsewhere_m = 20000.0;

struct Matcher {
    const Network *network;
    MatchOptions options;
    MatchNoise noise;
    EdgeIndex *index;
    RouteSearch *search;
    MatchQueue queue;
    MatchFilter filter;
    MatchSteps steps;
    MatchWalker *walker;
    MatchWriter *writer;
    gboolean learnt;
    uint32_t fresh;    /* fixes that were fed since the last block */
    uint32_t observed; /* fixes before this one are observations or will never be */
    uint32_t taken;    /* observations before this one the walker has */
    gboolean meets;    /* some fix is near the network */
    guint32 strayed;   /* fixes that are not, as long as that is so */
    GeoPoint any;      /* one of them */
};

Matcher *matcher_new(const Network *network, const MatchOptions *options, Track *track,
                     MatchFixFunc func, void *user_data, GError **error)
{
    if (network->n_edges == 0) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY, "%s: the network has no edges",
                    network->path != NULL ? network->path : "network");
        return NULL;
    }
    Matcher *m = g_new0(Matcher, 1);
    m->network = network;
    if (options != NULL)
        m->options = *options;
    if (!(m->options.max_speed_mps > 0.0))
        m->options.max_speed_mps = 100.0;
    m->index = edge_index_new(network, m->options.modes);
    m->search = route_search_new(network, m->options.modes);
    m->queue.seen = g_array_new(FALSE, FALSE, sizeof(SeenFix));
    m->queue.observations = g_array_new(FALSE, FALSE, sizeof(Observation));
    m->filter.max_speed_mps = m->options.max_speed_mps;
    m->walker = match_walker_new(network, m->index, m->search, &m->options, &m->noise);
    m->writer = match_writer_new(network, &m->options, &m->noise, track, func, user_data);
    return m;
}

void matcher_free(Matcher *m)
{
    if (m == NULL)
        return;
    match_walker_free(m->walker);
    match_writer_free(m->writer);
    edge_index_free(m->index);
    route_search_free(m->search);
    g_array_unref(m->queue.seen);
    g_array_unref(m->queue.observations);
    g_free(m);
}

/* ---- do drive and network meet? ---- */

/* Looks at some fixes, until one is near. */
static void look_around(Matcher *m, const SeenFix *seen)
{
    enum { STRIDE = 512 };
    if (m->meets || seen->status != FIX_MATCHED)
        return;
    m->any = (GeoPoint){seen->fix.lon, seen->fix.lat};
    if (m->strayed++ % STRIDE == 0)
        m->meets = edge_index_nearest_m(m->index, m->any, elsewhere_m) < elsewhere_m;
}

static gboolean check_meets(Matcher *m, GError **error)
{
    if (m->meets || m->strayed == 0)
        return TRUE;
    g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_ELSEWHERE,
                "drive and network do not meet: %.0f km apart; use a network of the region driven "
                "in",
                crs_distance_m(m->any, m->network->points[0]) / 1000.0);
    return FALSE;
}

/* ---- blocks ---- */

static void begin(Matcher *m, gboolean final)
{
    guint settled = match_filter(&m->filter, m->queue.seen, final);
    MatchLearnt learnt =
        match_learn(m->network, m->index, m->search,
                    (const SeenFix *)(const void *)m->queue.seen->data, settled, &m->options);
    m->noise = learnt.noise;
    m->steps.reading = learnt.reading;
    m->learnt = TRUE;
}

/* Takes out of the queue what nobody needs any more. */
static void shorten_queue(Matcher *m, uint32_t ready)
{
    MatchQueue *q = &m->queue;
    uint32_t needed = match_writer_needs_observation(m->writer);
    /* the step to the next observation is still to be worked out from the last ones */
    uint32_t kept = MIN(needed, ready > 0 ? ready - 1 : 0);
    guint n = kept > q->first_observation ? kept - q->first_observation : 0;
    g_array_remove_range(q->observations, 0, n);
    match_steps_shift(&m->steps, n);
    q->first_observation += n;
    n = match_writer_needs_fix(m->writer) - q->first_seen;
    g_array_remove_range(q->seen, 0, n);
    match_filter_shift(&m->filter, n);
    q->first_seen += n;
}

/* Matches what was fed. final: as if no more would come. */
static void match_block(Matcher *m, gboolean final)
{
    MatchQueue *q = &m->queue;
    if (!m->learnt)
        begin(m, final);
    m->fresh = 0;
    uint32_t settled = q->first_seen + match_filter(&m->filter, q->seen, final);
    for (; m->observed < settled; m->observed++) {
        const SeenFix *seen = &g_array_index(q->seen, SeenFix, m->observed - q->first_seen);
        look_around(m, seen);
        if (seen->status == FIX_MATCHED)
            match_observe(q->observations, &seen->fix, m->observed, &m->options, &m->noise);
    }
    uint32_t ready = q->first_observation + match_work_out_steps(&m->steps, q->observations, final);
    for (; m->taken < ready; m->taken++)
        match_walker_take(
            m->walker,
            &g_array_index(q->observations, Observation, m->taken - q->first_observation),
            m->taken);
    if (m->taken > 0) {
        GArray *arcs = match_writer_arcs(m->writer);
        uint32_t decided = match_walker_decide(m->walker, m->taken, final, arcs);
        if (m->taken - decided > LONGEST_DOUBT)
            decided = match_walker_decide(m->walker, m->taken, TRUE, arcs);
        match_write(m->writer, q, decided, settled, final);
    } else {
        match_write(m->writer, q, 0, settled, final);
    }
    shorten_queue(m, ready);
}

void matcher_feed(Matcher *m, const MatchFix *fixes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        SeenFix seen = {.fix = fixes[i]};
        g_array_append_val(m->queue.seen, seen);
        if (++m->fresh < (m->learnt ? BLOCK : HEAD))
            continue;
        gboolean another = m->queue.seen->len > LONGEST_QUEUE;
        match_block(m, another);
        if (another) {
            match_walker_free(m->walker);
            m->walker = match_walker_new(m->network, m->index, m->search, &m->options, &m->noise);
        }
    }
}

gboolean matcher_finish(Matcher *m, GError **error)
{
    match_block(m, TRUE);
    return check_meets(m, error);
}

Track *track_match(const Network *network, const MatchFix *fixes, size_t n,
                   const MatchOptions *options, GError **error)
{
    g_autoptr(Track) track = track_new(network, TRUE);
    g_autoptr(Matcher) matcher = matcher_new(network, options, track, NULL, NULL, error);
    if (matcher == NULL)
        return NULL;
    matcher_feed(matcher, fixes, n);
    return matcher_finish(matcher, error) ? g_steal_pointer(&track) : NULL;
}
