/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/track-state.h"

#include <math.h>
#include <string.h>

/* Speeds change by no more than this: emergency braking of cars is 8, service braking of trains 1;
 * within gaps, where it matters, hard manoeuvres do not last. */
static const double max_accel_mps2 = 1.0;
/* Fixes this close in time and space leave nothing to interpolate. */
static const int64_t close_ns = INT64_C(2000000000);
static const double close_m = 100.0;
/* Beyond the first and last fix a place is kept this long. */
static const int64_t overhang_ns = INT64_C(2000000000);

Track *track_new(const Network *network, gboolean keep_fixes)
{
    Track *track = g_new0(Track, 1);
    track->network = network;
    if (keep_fixes)
        track->fixes = g_array_new(FALSE, FALSE, sizeof(TrackFix));
    track->stretches = g_array_new(FALSE, TRUE, sizeof(Stretch));
    track->pieces = g_array_new(FALSE, FALSE, sizeof(RoutePiece));
    track->anchors = g_array_new(FALSE, FALSE, sizeof(TrackAnchor));
    track->off = g_array_new(FALSE, FALSE, sizeof(OffFix));
    return track;
}

void track_free(Track *track)
{
    if (track == NULL)
        return;
    g_array_unref(track->stretches);
    g_array_unref(track->pieces);
    g_array_unref(track->anchors);
    g_array_unref(track->off);
    g_clear_pointer(&track->fixes, g_array_unref);
    g_free(track);
}

void track_add_fix(Track *track, const TrackFix *fix)
{
    if (fix->status == FIX_OFF_NETWORK) {
        OffFix off = {fix->time_ns, fix->raw};
        g_array_append_val(track->off, off);
    }
    if (track->fixes != NULL)
        g_array_append_vals(track->fixes, fix, 1);
}

const TrackFix *track_fixes(const Track *track, size_t *n)
{
    *n = track->fixes != NULL ? track->fixes->len : 0;
    return track->fixes != NULL ? (const TrackFix *)(void *)track->fixes->data : NULL;
}

void track_begin_stretch(Track *track)
{
    Stretch stretch = {track->pieces->len, 0, track->anchors->len, 0};
    g_array_append_val(track->stretches, stretch);
}

guint track_stretches(const Track *track)
{
    return track->stretches->len;
}

static Stretch *last_stretch(Track *track)
{
    return &g_array_index(track->stretches, Stretch, track->stretches->len - 1);
}

void track_add_piece(Track *track, RoutePiece piece)
{
    g_array_append_val(track->pieces, piece);
    last_stretch(track)->n_pieces++;
}

void track_add_anchor(Track *track, TrackAnchor anchor)
{
    anchor.s = floor(anchor.s * TRACK_STEPS_M + 0.5) / TRACK_STEPS_M;
    anchor.speed_mps = roundf(anchor.speed_mps * TRACK_STEPS_MPS) / TRACK_STEPS_MPS;
    anchor.sigma_m = roundf(anchor.sigma_m * TRACK_STEPS_SIGMA) / TRACK_STEPS_SIGMA;
    g_array_append_val(track->anchors, anchor);
    last_stretch(track)->n_anchors++;
}

const RoutePiece *track_pieces(const Track *track, guint stretch, guint *n)
{
    const Stretch *st = &g_array_index(track->stretches, Stretch, stretch);
    *n = st->n_pieces;
    return &g_array_index(track->pieces, RoutePiece, st->first_piece);
}

TrackAnchor *track_anchors(Track *track, size_t *n)
{
    *n = track->anchors->len;
    return (TrackAnchor *)(void *)track->anchors->data;
}

/* The place s metres into a stretch; *piece_hint is where the last one lay. */
static void locate(const Track *track, guint stretch, double s, guint *piece_hint, uint32_t *edge,
                   double *offset_m, gboolean *backward)
{
    const Stretch *st = &g_array_index(track->stretches, Stretch, stretch);
    const RoutePiece *pieces = &g_array_index(track->pieces, RoutePiece, st->first_piece);
    guint low = 0;
    guint high = st->n_pieces;
    if (*piece_hint < high && pieces[*piece_hint].start_s <= s) {
        low = *piece_hint;
        if (low + 1 < high && s < pieces[low + 1].start_s)
            high = low + 1;
    }
    while (high - low > 1) {
        guint middle = (low + high) / 2;
        if (pieces[middle].start_s <= s)
            low = middle;
        else
            high = middle;
    }
    *piece_hint = low;
    const RoutePiece *piece = &pieces[low];
    double length_m = track->network->edges[piece->edge].length_m;
    double travelled = CLAMP(piece->from_m + fmax(s - piece->start_s, 0.0), 0.0, length_m);
    *edge = piece->edge;
    *backward = piece->backward;
    *offset_m = piece->backward ? length_m - travelled : travelled;
}

void track_hermite(const TrackAnchor *a, const TrackAnchor *b, int64_t time_ns, double max_accel,
                   double *s, double *speed_mps, double *half_width_m)
{
    double T = (double)(b->time_ns - a->time_ns) / 1e9;
    double t = (double)(time_ns - a->time_ns) / 1e9;
    double distance = b->s - a->s;
    if (!(T > 0.0) || !(distance > 0.0)) {
        *s = a->s;
        *speed_mps = 0.0;
        *half_width_m = 0.0;
        return;
    }
    double v0 = MAX((double)a->speed_mps, 0.0);
    double v1 = MAX((double)b->speed_mps, 0.0);
    double mean = distance / T;
    if (v0 * v0 + v1 * v1 > 8.9 * mean * mean) { /* seldom: hypot is slow */
        double ratio = hypot(v0, v1) / mean;
        v0 *= fmin(1.0, 3.0 / ratio);
        v1 *= fmin(1.0, 3.0 / ratio);
    }
    double slack_m = max_accel * T * T / 2.0, back_s = b->s - (double)b->speed_mps * T;
    if (time_ns == a->time_ns) { /* what follows, at its beginning */
        *s = a->s;
        *speed_mps = v0;
        *half_width_m = fabs(back_s - a->s) <= slack_m ? 0.0 : distance / 2.0;
        return;
    }
    double u = CLAMP(t / T, 0.0, 1.0);
    double u2 = u * u;
    double u3 = u2 * u;
    *s = (2.0 * u3 - 3.0 * u2 + 1.0) * a->s + (u3 - 2.0 * u2 + u) * T * v0 +
         (3.0 * u2 - 2.0 * u3) * b->s + (u3 - u2) * T * v1;
    *s = CLAMP(*s, a->s, b->s);
    *speed_mps = ((6.0 * u2 - 6.0 * u) * a->s + (6.0 * u - 6.0 * u2) * b->s) / T +
                 (3.0 * u2 - 4.0 * u + 1.0) * v0 + (3.0 * u2 - 2.0 * u) * v1;
    *speed_mps = MAX(*speed_mps, 0.0);
    double left = T - t, from = (double)a->speed_mps, to = (double)b->speed_mps;
    double low = MAX(a->s + from * t - max_accel * t * t / 2.0,
                     b->s - to * left - max_accel * left * left / 2.0);
    double high = MIN(a->s + from * t + max_accel * t * t / 2.0,
                      b->s - to * left + max_accel * left * left / 2.0);
    low = MAX(low, a->s);
    high = MIN(high, b->s);
    /* Speeds that contradict the distance leave no such interval: then all of the gap is possible.
     */
    *half_width_m = high >= low ? MAX(high - *s, *s - low) : distance / 2.0;
}

/* ---- asking ---- */

static void place_on_stretch(const Track *track, TrackHint *hint, guint stretch, double s,
                             TrackPlace *place)
{
    if (stretch != hint->stretch)
        hint->piece = 0;
    hint->stretch = stretch;
    place->stretch = stretch;
    place->travelled_m = s;
    locate(track, stretch, s, &hint->piece, &place->edge, &place->offset_m, &place->backward);
}

/* The anchor at or before a time, or -1. */
static gssize anchor_before(const Track *track, int64_t time_ns, size_t *hint)
{
    const TrackAnchor *anchors = (const TrackAnchor *)(void *)track->anchors->data;
    size_t n = track->anchors->len;
    if (n == 0 || time_ns < anchors[0].time_ns)
        return -1;
    size_t i = MIN(*hint, n - 1);
    if (anchors[i].time_ns > time_ns) {
        size_t low = 0;
        size_t high = i;
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            if (anchors[middle].time_ns <= time_ns)
                low = middle;
            else
                high = middle;
        }
        i = low;
    }
    for (size_t step = 1; i + 1 < n && anchors[i + 1].time_ns <= time_ns;) {
        if (i + step < n && anchors[i + step].time_ns <= time_ns) {
            i += step;
            step *= 2;
        } else {
            step = 1;
            if (anchors[i + 1].time_ns > time_ns)
                break;
        }
    }
    *hint = i;
    return (gssize)i;
}

static guint stretch_of_anchor(const Track *track, size_t anchor, guint hint)
{
    guint low = 0;
    guint high = track->stretches->len;
    if (hint < high) {
        const Stretch *st = &g_array_index(track->stretches, Stretch, hint);
        if (anchor - st->first_anchor < st->n_anchors)
            return hint;
    }
    while (high - low > 1) {
        guint middle = (low + high) / 2;
        if (g_array_index(track->stretches, Stretch, middle).first_anchor <= anchor)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* A believable fix that was not matched, near in time: the vehicle was somewhere else. */
static gboolean place_off_network(const Track *track, int64_t time_ns, TrackPlace *place)
{
    const OffFix *off = (const OffFix *)(void *)track->off->data;
    size_t low = 0;
    size_t high = track->off->len;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (off[middle].time_ns < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    const OffFix *best = NULL;
    int64_t best_ns = INT64_C(10000000000); /* ten seconds */
    for (size_t i = low > 0 ? low - 1 : 0; i < MIN(low + 1, track->off->len); i++) {
        int64_t away_ns = ABS(off[i].time_ns - time_ns);
        if (away_ns < best_ns) {
            best = &off[i];
            best_ns = away_ns;
        }
    }
    if (best == NULL)
        return FALSE;
    place->quality = PLACE_OFF_NETWORK;
    place->point = best->at;
    return TRUE;
}

static void place_between(const Track *track, TrackHint *hint, size_t i, guint stretch,
                          int64_t time_ns, TrackPlace *place)
{
    const TrackAnchor *a = &g_array_index(track->anchors, TrackAnchor, i);
    const TrackAnchor *b = a + 1;
    double s = 0;
    double half_width_m = 0;
    track_hermite(a, b, time_ns, max_accel_mps2, &s, &place->speed_mps, &half_width_m);
    gboolean near = b->time_ns - a->time_ns <= close_ns && b->s - a->s <= close_m;
    double share = b->time_ns > a->time_ns
                       ? (double)(time_ns - a->time_ns) / (double)(b->time_ns - a->time_ns)
                       : 0.0;
    place->quality = near ? PLACE_FIX : PLACE_INTERPOLATED;
    place->uncertainty_m =
        half_width_m + (1.0 - share) * (double)a->sigma_m + share * (double)b->sigma_m;
    place_on_stretch(track, hint, stretch, s, place);
}

static void place_beyond(const Track *track, TrackHint *hint, size_t i, guint stretch,
                         int64_t away_ns, TrackPlace *place)
{
    const TrackAnchor *anchor = &g_array_index(track->anchors, TrackAnchor, i);
    place->quality = PLACE_FIX;
    place->speed_mps = (double)anchor->speed_mps;
    place->uncertainty_m = (double)anchor->sigma_m + place->speed_mps * (double)away_ns / 1e9;
    place_on_stretch(track, hint, stretch, anchor->s, place);
}

void track_find(const Track *track, int64_t time_ns, TrackHint *hint, TrackPlace *place)
{
    *place = (TrackPlace){.quality = PLACE_NO_POSITION, .point = {NAN, NAN}};
    gssize found = anchor_before(track, time_ns, &hint->anchor);
    if (found >= 0) {
        size_t i = (size_t)found;
        const TrackAnchor *a = &g_array_index(track->anchors, TrackAnchor, i);
        guint stretch = stretch_of_anchor(track, i, hint->stretch);
        const Stretch *st = &g_array_index(track->stretches, Stretch, stretch);
        if (i + 1 < st->first_anchor + st->n_anchors) {
            place_between(track, hint, i, stretch, time_ns, place);
            return;
        }
        if (time_ns - a->time_ns <= overhang_ns) {
            place_beyond(track, hint, i, stretch, time_ns - a->time_ns, place);
            return;
        }
    }
    size_t next = (size_t)(found + 1);
    if (next < track->anchors->len) {
        const TrackAnchor *b = &g_array_index(track->anchors, TrackAnchor, next);
        if (b->time_ns - time_ns <= overhang_ns) {
            place_beyond(track, hint, next, stretch_of_anchor(track, next, hint->stretch),
                         b->time_ns - time_ns, place);
            return;
        }
    }
    (void)place_off_network(track, time_ns, place);
}

void track_place(const Track *track, int64_t time_ns, TrackHint *hint, TrackPlace *place)
{
    track_find(track, time_ns, hint, place);
    if (place->quality <= PLACE_INTERPOLATED)
        place->point = network_point_at(track->network, place->edge, place->offset_m);
}
