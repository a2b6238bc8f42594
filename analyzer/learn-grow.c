/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw line. Tracks are laid on it one after the other, the one that shows most first, each from
 * its first fix to its last. A fix near the line is on it, whichever way it travels: a way back
 * adds nothing. Fixes that leave the line are held until it is clear what they are:
 *  - beyond an end and moving away from it: the line grows;
 *  - back on the line soon: scatter, or a way around, dropped; but where the line itself is only a
 *    straight bridge over a gap, the fixes take its place;
 *  - off in the middle: a branch. One line is wanted, the longest: if the branch is longer than
 * what the line has beyond it, it takes that place.
 */
#include "analyzer/learn.h"

#include <math.h>
#include <stdlib.h>

/* Near the line. Both carriageways and the scatter of good fixes lie within. */
#define NEAR_M 45.0
/* How near to an end of the line a track must have left it to grow it. */
#define END_M 400.0
/* A way off must lead this far, and not wander, to be more than scatter. */
#define AWAY_M        160.0
#define AWAY_STRAIGHT 0.5
/* A segment longer than this is a bridge over a gap. */
#define GAP_M 400.0
/* A fix that falls on the very end of the line and is farther from it than this is beyond it. */
#define TIP_M 8.0

typedef struct {
    GArray *line; /* PlanePoint */
    LineIndex *index;
    GArray *pending; /* PlanePoint: off the line */
    double left_at;  /* chainage where the track left the line; NaN = it began off it */
    double expect;
    double worst_accuracy;
} Grower;

static PlanePoint *points_of(GArray *array)
{
    return (PlanePoint *)(void *)array->data;
}

static double length_of(const Grower *g)
{
    return g->line->len > 0 ? line_index_along(g->index, g->line->len - 1) : 0;
}

static double path_length(const GArray *points)
{
    double length = 0;

    for (guint i = 1; i < points->len; i++)
        length += plane_distance(g_array_index(points, PlanePoint, i - 1),
                                 g_array_index(points, PlanePoint, i));
    return length;
}

static void reverse(GArray *points)
{
    for (guint i = 0; i < points->len / 2; i++) {
        PlanePoint a = g_array_index(points, PlanePoint, i);
        g_array_index(points, PlanePoint, i) =
            g_array_index(points, PlanePoint, points->len - 1 - i);
        g_array_index(points, PlanePoint, points->len - 1 - i) = a;
    }
}

static void append(Grower *g, const GArray *points)
{
    g_array_append_vals(g->line, points->data, points->len);
    line_index_extend(g->index, points_of(g->line), g->line->len);
}

static void prepend(Grower *g, const GArray *points)
{
    g_array_prepend_vals(g->line, points->data, points->len);
    line_index_set(g->index, points_of(g->line), g->line->len);
}

/* Takes `points` for the vertices first..last - 1 of the line. */
static void replace(Grower *g, guint first, guint last, const GArray *points)
{
    g_array_remove_range(g->line, first, last - first);
    g_array_insert_vals(g->line, first, points->data, points->len);
    line_index_set(g->index, points_of(g->line), g->line->len);
}

/* First vertex beyond a chainage. */
static guint vertex_after(const Grower *g, double along)
{
    guint i = 0;

    while (i < g->line->len && line_index_along(g->index, i) <= along)
        i++;
    return i;
}

/* Beyond an end of the line, not beside it. */
static gboolean beyond_tip(const Grower *g, const IndexHit *hit)
{
    double length = length_of(g);

    return hit->distance_m > TIP_M && (hit->along_m >= length - 0.01 || hit->along_m <= 0.01);
}

static gboolean leads_away(const Grower *g, PlanePoint from)
{
    guint n = g->pending->len;

    if (n < 2)
        return FALSE;
    double net = plane_distance(from, g_array_index(g->pending, PlanePoint, n - 1));
    double path =
        plane_distance(from, g_array_index(g->pending, PlanePoint, 0)) + path_length(g->pending);
    return net >= AWAY_M && net >= AWAY_STRAIGHT * path;
}

/* The fixes left the line near one of its ends and lead away from it: they are line. */
static gboolean grow_at_end(Grower *g)
{
    double length = length_of(g);

    if (isnan(g->left_at))
        return FALSE;
    gboolean at_end = length - g->left_at <= END_M, at_start = g->left_at <= END_M;
    PlanePoint end = g_array_index(g->line, PlanePoint, g->line->len - 1),
               start = g_array_index(g->line, PlanePoint, 0),
               first = g_array_index(g->pending, PlanePoint, 0);
    if (at_end && at_start) /* a short line: the nearer end */
        at_end = plane_distance(first, end) <= plane_distance(first, start);
    if (at_end && leads_away(g, end)) {
        append(g, g->pending);
        g->left_at = length_of(g);
    } else if (!at_end && at_start && leads_away(g, start)) {
        reverse(g->pending);
        prepend(g, g->pending);
        g->left_at = 0;
    } else {
        return FALSE;
    }
    g_array_set_size(g->pending, 0);
    g->expect = g->left_at;
    return TRUE;
}

/* The track is back on the line at `back_at`: perhaps it filled a gap of the line. */
static void fill_gap(Grower *g, double back_at)
{
    double low = fmin(g->left_at, back_at), high = fmax(g->left_at, back_at);
    guint first = vertex_after(g, low), last = vertex_after(g, high);
    double longest = 0;

    for (guint i = MAX(first, 1); i <= last && i < g->line->len; i++)
        longest = fmax(longest, line_index_along(g->index, i) - line_index_along(g->index, i - 1));
    if (longest < GAP_M || high - low > 3 * longest + 2000 ||
        path_length(g->pending) > 2 * (high - low) + 500)
        return;
    if (back_at < g->left_at)
        reverse(g->pending);
    replace(g, first, last, g->pending);
}

/* The track turned back beyond an end of the line, or ends there: what leads straight on from that
 * end up to the farthest fix is line, too. */
static gboolean keep_tip(Grower *g)
{
    gboolean at_end = length_of(g) - g->left_at < 1;
    PlanePoint tip = g_array_index(g->line, PlanePoint, at_end ? g->line->len - 1 : 0);
    double farthest = 0, path = 0, path_there = 0;
    guint there = 0;

    if (isnan(g->left_at) || (!at_end && g->left_at >= 1))
        return FALSE;
    for (guint i = 0; i < g->pending->len; i++) {
        PlanePoint p = g_array_index(g->pending, PlanePoint, i);
        double away = plane_distance(tip, p);
        path += plane_distance(i > 0 ? g_array_index(g->pending, PlanePoint, i - 1) : tip, p);
        if (away > farthest) {
            farthest = away;
            path_there = path;
            there = i;
        }
    }
    if (there < 2 || farthest < 3 * TIP_M || farthest < 0.6 * path_there)
        return FALSE;
    g_array_set_size(g->pending, there + 1);
    if (at_end) {
        append(g, g->pending);
    } else {
        reverse(g->pending);
        prepend(g, g->pending);
    }
    g_array_set_size(g->pending, 0);
    return TRUE;
}

/* The track ends off the line, or began off it: a branch, or an extension seen backwards. */
static void settle_branch(Grower *g, double at, gboolean began_off)
{
    double length = length_of(g), branch = path_length(g->pending);

    if (g->pending->len < 3 || branch < AWAY_M)
        return;
    double beyond = length - at;
    guint here = vertex_after(g, at);
    if (began_off)
        reverse(g->pending); /* seen from the line */
    /* NOLINTBEGIN(bugprone-branch-clone): clear wins before those by a little */
    if (beyond <= at ? branch > beyond + END_M : FALSE) {
        replace(g, here, g->line->len, g->pending);
    } else if (beyond > at && branch > at + END_M) {
        reverse(g->pending);
        replace(g, 0, here, g->pending);
    } else if (beyond <= END_M && branch > beyond) {
        replace(g, here, g->line->len, g->pending);
    } else if (at <= END_M && branch > at) {
        reverse(g->pending);
        replace(g, 0, here, g->pending);
    }
    /* NOLINTEND(bugprone-branch-clone) */
}

/* Returns whether the track met the line at all. */
static gboolean lay_track(Grower *g, const LearnFix *fix, guint n)
{
    gboolean met = g->line->len == 0;

    g->left_at = g->line->len == 0 ? 0 : NAN;
    g->expect = NAN;
    g_array_set_size(g->pending, 0);
    for (guint i = 0; i < n; i++) {
        IndexHit hit;
        if (!isnan(fix[i].accuracy_m) && fix[i].accuracy_m > g->worst_accuracy)
            continue;
        if (g->line->len == 0) {
            g_array_append_val(g->line, fix[i].p);
            line_index_set(g->index, points_of(g->line), 1);
            continue;
        }
        if (g->line->len > 1 && line_index_nearest(g->index, fix[i].p, g->expect, 0.02, &hit) &&
            !beyond_tip(g, &hit)) {
            if (g->pending->len >= 2 && !isnan(g->left_at)) {
                if (!keep_tip(g))
                    fill_gap(g, hit.along_m);
            } else if (isnan(g->left_at))
                settle_branch(g, hit.along_m, TRUE);
            met = TRUE;
            g_array_set_size(g->pending, 0);
            if (line_index_nearest(g->index, fix[i].p, NAN, 0, &hit))
                g->left_at = g->expect = hit.along_m;
            continue;
        }
        if (g->pending->len == 0 && g->line->len > 1 &&
            line_index_nearest(g->index, fix[i].p, NAN, 0, &hit))
            g->left_at = hit.along_m; /* beyond a tip */
        g_array_append_val(g->pending, fix[i].p);
        (void)grow_at_end(g);
    }
    if (!isnan(g->left_at) && g->line->len > 1 && !keep_tip(g))
        settle_branch(g, g->left_at, FALSE);
    return met;
}

static int by_length(const void *a, const void *b, void *user_data)
{
    const double *length = user_data;
    guint i = *(const guint *)a, j = *(const guint *)b;

    if (length[i] != length[j])
        return length[i] > length[j] ? -1 : 1;
    return i < j ? -1 : 1;
}

/* How much of a line a track shows well: the length of its short steps that go on in about the same
 * direction. */
static double shown_by(const LearnFix *fix, guint n)
{
    double shown = 0;

    for (guint i = 2; i < n; i++) {
        double step = plane_distance(fix[i - 1].p, fix[i].p);
        double turn = heading_difference_deg(plane_heading_deg(fix[i - 2].p, fix[i - 1].p),
                                             plane_heading_deg(fix[i - 1].p, fix[i].p));
        if (step < GAP_M && turn < 50)
            shown += step;
    }
    return shown;
}

GArray *learn_grow(const GArray *fixes, const GArray *tracks)
{
    Grower g = {.line = g_array_new(FALSE, FALSE, sizeof(PlanePoint)),
                .pending = g_array_new(FALSE, FALSE, sizeof(PlanePoint)),
                .index = line_index_new(NEAR_M),
                .worst_accuracy = learn_worst_accuracy(fixes)};
    g_autofree double *shown = g_new(double, tracks->len + 1);
    g_autofree guint *order = g_new(guint, tracks->len + 1);
    const LearnFix *fix = (const LearnFix *)(const void *)fixes->data;

    for (guint i = 0; i < tracks->len; i++) {
        const LearnTrack *track = &g_array_index(tracks, LearnTrack, i);
        shown[i] = shown_by(fix + track->first, track->n);
        order[i] = i;
    }
    g_qsort_with_data(order, (int)tracks->len, sizeof *order, by_length, shown);
    for (guint n = tracks->len, waiting; n > 0; n = waiting) {
        guint before = n;
        waiting = 0;
        for (guint i = 0; i < n; i++) {
            const LearnTrack *track = &g_array_index(tracks, LearnTrack, order[i]);
            if (!lay_track(&g, fix + track->first, track->n)) {
                order[waiting++] = order[i]; /* others may grow the line to it */
                continue;
            }
            /* a line of one point: this track never moved; the next one begins afresh */
            if (g.line->len < 2) {
                g_array_set_size(g.line, 0);
                line_index_set(g.index, NULL, 0);
            }
        }
        if (waiting == before)
            break;
    }
    g_array_unref(g.pending);
    line_index_free(g.index);
    return g.line;
}
