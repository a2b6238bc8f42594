/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-write.h"

#include <math.h>

/* Observations that are placed at once, and how many more on both sides are looked at: what is
 * farther away does not matter. */
enum { CHUNK = 2048, LAP = 256 };

struct MatchWriter {
    const Network *network;
    const MatchOptions *options;
    const MatchNoise *noise;
    Track *track;
    MatchFixFunc func;
    void *user_data;
    Smoother *smoother;
    MatchLine line;
    GArray *arcs;        /* decided, from the one on which what is looked at begins */
    uint32_t next;       /* observation to be written next */
    uint32_t next_fix;   /* fix to be written next */
    uint32_t run_first;  /* first observation of the run that is being written */
    gboolean in_stretch; /* some of it is written */
    uint32_t stretches;
    guint n_written; /* arcs of it that the track has */
    double base_s;   /* metres from its start to arcs[0] */
    double last_s;   /* of the last place written */
    SmoothPlace *places;
    size_t room;
};

/* A connected part of the path. */
typedef struct {
    guint n_arcs;
    uint32_t end;      /* observations before this one lie on it */
    gboolean complete; /* no more of it will come */
} Run;

/* Part of a run that is written at once. */
typedef struct {
    const Observation *obs; /* number `start` */
    uint32_t start, end;    /* observations that are placed */
    uint32_t from, to;      /* those that are written */
    uint32_t run_first, run_end;
} Part;

MatchWriter *match_writer_new(const Network *network, const MatchOptions *options,
                              const MatchNoise *noise, Track *track, MatchFixFunc func,
                              void *user_data)
{
    MatchWriter *writer = g_new0(MatchWriter, 1);
    writer->network = network;
    writer->options = options;
    writer->noise = noise;
    writer->track = track;
    writer->func = func;
    writer->user_data = user_data;
    writer->smoother = smoother_new();
    writer->arcs = g_array_new(FALSE, FALSE, sizeof(PathArc));
    match_line_init(&writer->line);
    return writer;
}

void match_writer_free(MatchWriter *writer)
{
    if (writer == NULL)
        return;
    smoother_free(writer->smoother);
    match_line_clear(&writer->line);
    g_array_unref(writer->arcs);
    g_free(writer->places);
    g_free(writer);
}

GArray *match_writer_arcs(MatchWriter *writer)
{
    return writer->arcs;
}

/* ---- speeds ---- */

static double leg_mps(const SmoothPlace *a, const SmoothPlace *b, double dt_s)
{
    return dt_s > 0.0 ? (b->s - a->s) / dt_s : 0.0;
}

/* Speed along the track: at the edge of a gap the receiver's own, or that of the side where fixes
 * are close. */
static double speed_at(const MatchWriter *writer, const Part *part, uint32_t i)
{
    static const double close_s = 4.0;
    const Observation *o = &part->obs[i - part->start];
    const SmoothPlace *p = &writer->places[i - part->start];
    double before_s = i > part->run_first ? (double)o->dt_s : INFINITY;
    double after_s = i + 1 < part->run_end ? (double)o[1].dt_s : INFINITY;
    gboolean gap = !(before_s <= close_s) || !(after_s <= close_s);
    gboolean trusted = isfinite(o->step_m) || (i + 1 < part->run_end && isfinite(o[1].step_m));
    if (gap && trusted && isfinite(o->speed_mps))
        return (double)o->speed_mps;
    if (!isfinite(before_s) && !isfinite(after_s))
        return isfinite(o->speed_mps) ? (double)o->speed_mps : 0.0;
    if (!isfinite(before_s) || (after_s <= close_s && before_s > close_s))
        return leg_mps(p, p + 1, after_s);
    if (!isfinite(after_s) || (before_s <= close_s && after_s > close_s))
        return leg_mps(p - 1, p, before_s);
    return leg_mps(p - 1, p + 1, before_s + after_s);
}

/* ---- fixes ---- */

static void hand_out(MatchWriter *writer, const TrackFix *fix)
{
    if (writer->track != NULL)
        track_add_fix(writer->track, fix);
    if (writer->func != NULL)
        writer->func(fix, writer->user_data);
    writer->next_fix++;
}

static TrackFix plain_fix(const MatchQueue *queue, uint32_t number)
{
    const SeenFix *seen = &g_array_index(queue->seen, SeenFix, number - queue->first_seen);
    GeoPoint raw = {seen->fix.lon, seen->fix.lat};
    return (TrackFix){.time_ns = seen->fix.time_ns,
                      .raw = raw,
                      .point = raw,
                      .edge = UINT32_MAX,
                      .distance_m = (double)seen->away_m,
                      .accuracy_m = seen->fix.accuracy_m,
                      .status = seen->status,
                      .fault = seen->fault};
}

/* Fixes up to a number that are no observations. */
static void hand_out_others(MatchWriter *writer, const MatchQueue *queue, uint32_t until)
{
    while (writer->next_fix < until) {
        TrackFix fix = plain_fix(queue, writer->next_fix);
        hand_out(writer, &fix);
    }
}

static void set_matched(const MatchWriter *writer, const SmoothPlace *place, double s,
                        const LinePiece *piece, TrackFix *fix)
{
    const NetworkEdge *edge = &writer->network->edges[arc_edge(piece->arc)];
    double along_m = CLAMP(piece->from_m + place->s - piece->start_s, 0.0, edge->length_m);
    fix->status = FIX_MATCHED;
    fix->edge = arc_edge(piece->arc);
    fix->backward = arc_backward(piece->arc);
    fix->offset_m = fix->backward ? edge->length_m - along_m : along_m;
    fix->point = place->at;
    fix->distance_m = (double)place->distance_m;
    fix->travelled_m = s;
    fix->stretch = writer->stretches - 1;
}

/* Far from where all fixes together say that the vehicle was: a wrong position, or a late one. */
static gboolean is_astray(const Observation *o, const SmoothPlace *place)
{
    return (double)place->distance_m > 40.0 + 5.0 * (double)o->sigma_m;
}

/* ---- runs on the network ---- */

static void write_pieces(MatchWriter *writer, guint until)
{
    const LinePiece *pieces = (const LinePiece *)(const void *)writer->line.pieces->data;
    for (guint k = writer->n_written; k < until && writer->track != NULL; k++)
        track_add_piece(writer->track,
                        (RoutePiece){arc_edge(pieces[k].arc), arc_backward(pieces[k].arc),
                                     pieces[k].from_m, writer->base_s + pieces[k].start_s});
    writer->n_written = MAX(writer->n_written, until);
}

static void write_places(MatchWriter *writer, const MatchQueue *queue, const Part *part)
{
    const LinePiece *pieces = (const LinePiece *)(const void *)writer->line.pieces->data;
    guint n_pieces = writer->line.pieces->len;
    guint piece = 0;
    for (uint32_t i = part->from; i < part->to; i++) {
        const Observation *o = &part->obs[i - part->start];
        const SmoothPlace *place = &writer->places[i - part->start];
        hand_out_others(writer, queue, o->fix);
        TrackFix fix = plain_fix(queue, o->fix);
        double s = MAX(writer->base_s + place->s, writer->last_s);
        if (is_astray(o, place)) {
            fix.status = FIX_REJECTED;
            fix.fault = FIX_FAULT_ASTRAY;
            fix.distance_m = (double)place->distance_m;
            hand_out(writer, &fix);
            continue;
        }
        while (piece + 1 < n_pieces && pieces[piece + 1].start_s <= place->s)
            piece++;
        if (writer->track != NULL)
            track_add_anchor(
                writer->track,
                (TrackAnchor){o->time_ns, s, (float)speed_at(writer, part, i), (float)place->sd_m});
        set_matched(writer, place, s, &pieces[piece], &fix);
        hand_out(writer, &fix);
        writer->last_s = s;
    }
}

/* Forgets the arcs that nobody will look at again. */
static void drop_arcs(MatchWriter *writer, uint32_t needed)
{
    const PathArc *arcs = (const PathArc *)(const void *)writer->arcs->data;
    guint drop = 0;
    while (drop + 1 < writer->n_written && arcs[drop + 1].first <= needed)
        drop++;
    if (drop == 0)
        return;
    writer->base_s += g_array_index(writer->line.pieces, LinePiece, drop).start_s;
    writer->n_written -= drop;
    g_array_remove_range(writer->arcs, 0, drop);
}

static void begin_stretch(MatchWriter *writer)
{
    if (writer->track != NULL)
        track_begin_stretch(writer->track);
    writer->stretches++;
    writer->in_stretch = TRUE;
    writer->run_first = writer->next;
    writer->n_written = 0;
    writer->base_s = writer->last_s = 0.0;
}

/* FALSE: what comes next must be known first. */
static gboolean write_on(MatchWriter *writer, const MatchQueue *queue, const Run *run)
{
    const PathArc *arcs = (const PathArc *)(const void *)writer->arcs->data;
    uint32_t left = run->end - writer->next;
    gboolean rest = run->complete && left <= CHUNK + LAP;
    if (!rest && left < CHUNK + LAP)
        return FALSE;
    if (!writer->in_stretch)
        begin_stretch(writer);
    Part part = {.from = writer->next,
                 .to = rest ? run->end : writer->next + CHUNK,
                 .run_first = writer->run_first,
                 .run_end = run->end};
    part.start = part.from - MIN(part.from - writer->run_first, (uint32_t)LAP);
    part.end = rest ? part.to : part.to + LAP;
    part.obs =
        &g_array_index(queue->observations, Observation, part.start - queue->first_observation);
    guint n = run->n_arcs;
    while (!rest && n > 1 && arcs[n - 1].first >= part.end)
        n--;
    match_line_set(&writer->line, writer->network, arcs, n);
    if (part.end - part.start > writer->room) {
        writer->room = MAX((size_t)(part.end - part.start), 2 * writer->room);
        writer->places = g_renew(SmoothPlace, writer->places, writer->room);
    }
    smoother_run(writer->smoother, &writer->line, part.obs, part.start, part.end - part.start,
                 writer->noise, writer->options->max_speed_mps, writer->places);
    guint known = n;
    while (!rest && known > 1 && arcs[known - 1].first >= part.to)
        known--;
    write_pieces(writer, known);
    write_places(writer, queue, &part);
    writer->next = part.to;
    if (!rest)
        drop_arcs(writer, part.to - LAP);
    return TRUE;
}

static void write_off(MatchWriter *writer, const MatchQueue *queue, uint32_t end)
{
    for (; writer->next < end; writer->next++) {
        uint32_t number =
            g_array_index(queue->observations, Observation, writer->next - queue->first_observation)
                .fix;
        hand_out_others(writer, queue, number);
        TrackFix fix = plain_fix(queue, number);
        fix.status = FIX_OFF_NETWORK;
        hand_out(writer, &fix);
    }
}

static Run first_run(const MatchWriter *writer, uint32_t decided, gboolean final)
{
    const PathArc *arcs = (const PathArc *)(const void *)writer->arcs->data;
    Run run = {.n_arcs = 1};
    while (run.n_arcs < writer->arcs->len && !arcs[run.n_arcs].begins)
        run.n_arcs++;
    run.complete = final || run.n_arcs < writer->arcs->len;
    run.end = run.n_arcs < writer->arcs->len ? arcs[run.n_arcs].first : decided;
    return run;
}

void match_write(MatchWriter *writer, const MatchQueue *queue, uint32_t decided, uint32_t settled,
                 gboolean final)
{
    while (writer->arcs->len > 0) {
        Run run = first_run(writer, decided, final);
        if (writer->next < run.end) {
            if (g_array_index(writer->arcs, PathArc, 0).arc == MATCH_OFF)
                write_off(writer, queue, run.end);
            else if (!write_on(writer, queue, &run))
                break;
        }
        if (writer->next < run.end)
            continue;
        if (!run.complete)
            break;
        g_array_remove_range(writer->arcs, 0, run.n_arcs);
        writer->in_stretch = FALSE;
    }
    uint32_t all = queue->first_observation + queue->observations->len;
    hand_out_others(writer, queue,
                    writer->next < all ? g_array_index(queue->observations, Observation,
                                                       writer->next - queue->first_observation)
                                             .fix
                                       : settled);
}

uint32_t match_writer_needs_observation(const MatchWriter *writer)
{
    if (!writer->in_stretch)
        return writer->next;
    return writer->next - MIN(writer->next - writer->run_first, (uint32_t)LAP);
}

uint32_t match_writer_needs_fix(const MatchWriter *writer)
{
    return writer->next_fix;
}
