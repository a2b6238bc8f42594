/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/learn.h"

#include <math.h>
#include <stdlib.h>

/* No train is faster; what a receiver adds in noise comes on top. */
#define MAX_SPEED_MPS 100.0
#define JUMP_SLACK_M  60.0
/* How many fixes back a chain may be taken up, and how many fixes a break in it must win. */
enum { LOOK_BACK = 60, BREAK_COST = 25 };
/* Fixes nearer to each other than this are one place: a vehicle that stands. */
#define STANDING_M 8.0
/* Legs of a zigzag shorter than this are left alone: hairpin bends. */
#define ZIGZAG_M 90.0

static gboolean reachable(const LearnFix *a, const LearnFix *b)
{
    double stated = (isnan(a->accuracy_m) ? 0 : fmin(a->accuracy_m, 200)) +
                    (isnan(b->accuracy_m) ? 0 : fmin(b->accuracy_m, 200));

    return plane_distance(a->p, b->p) <=
           MAX_SPEED_MPS * fmax(b->time_s - a->time_s, 0.2) + JUMP_SLACK_M + 2 * stated;
}

/* Of one track: the chain of most fixes in which each can be reached from the one before. A new
 * chain may begin where that wins more than it costs (two trips in one drive). So a fix far off,
 * and a group of such fixes, drop out wherever they stand. next_break[i] = 1: chain begins anew. */
static void best_chain(const LearnFix *fix, guint n, guint8 *take, guint8 *begins)
{
    g_autofree int *score = g_new(int, n);
    g_autofree int *from = g_new(int, n);
    int best = 0, best_before = -1; /* the best end so far that lies out of the look-back */

    for (guint i = 0; i < n; i++) {
        score[i] = 1;
        from[i] = -1;
        begins[i] = 1;
        for (guint back = 1; back <= LOOK_BACK && back <= i; back++) {
            guint j = i - back;
            if (score[j] + 1 > score[i] && reachable(&fix[j], &fix[i])) {
                score[i] = score[j] + 1;
                from[i] = (int)j;
                begins[i] = 0;
            }
        }
        if (best_before >= 0 && score[best_before] + 1 - BREAK_COST > score[i]) {
            score[i] = score[best_before] + 1 - BREAK_COST;
            from[i] = best_before;
            begins[i] = 1;
        }
        if (best_before < 0 || score[i] > score[best_before])
            best_before = (int)i;
        if (score[i] > score[best])
            best = (int)i;
        take[i] = 0;
    }
    for (int i = best; i >= 0; i = from[i])
        take[i] = 1;
}

/* Fixes in a row at about one place. */
typedef struct {
    guint first, last, n;
} Stay;

/* Between its neighbours a and c, b is off the way: a zigzag with both legs long, or a place that
 * the speed which b itself states does not reach and does not leave. A long stay is believed. */
static gboolean out_of_line(const LearnFix *fix, const Stay *a, const Stay *b, const Stay *c,
                            double long_leg)
{
    double in = plane_distance(fix[a->last].p, fix[b->first].p),
           out = plane_distance(fix[b->last].p, fix[c->first].p),
           way = plane_distance(fix[a->last].p, fix[c->first].p);

    if (fmin(in, out) < long_leg || b->n > 10)
        return FALSE;
    if (in + out > 2 * way)
        return TRUE;
    double possible = 3 * fix[b->first].speed_mps + 15; /* NaN: never exceeded */
    return in / fmax(fix[b->first].time_s - fix[a->last].time_s, 1) > possible &&
           out / fmax(fix[c->first].time_s - fix[b->last].time_s, 1) > possible;
}

static int by_value(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;

    return (p > q) - (p < q);
}

/* Legs longer than this are no part of the usual way from fix to fix. */
static double long_leg_of(const LearnFix *fix, const GArray *stays)
{
    g_autofree double *step = g_new(double, stays->len + 1);
    guint n = 0;

    for (guint i = 1; i < stays->len; i++)
        step[n++] = plane_distance(fix[g_array_index(stays, Stay, i - 1).last].p,
                                   fix[g_array_index(stays, Stay, i).first].p);
    qsort(step, n, sizeof *step, by_value);
    return n > 0 ? fmax(ZIGZAG_M, 2 * step[n / 2]) : ZIGZAG_M;
}

/* Takes such fixes out of the chain, again until there are none. */
static void straighten(const LearnFix *fix, guint n, guint8 *take)
{
    g_autoptr(GArray) stays = g_array_new(FALSE, FALSE, sizeof(Stay));

    for (int round = 0; round < 6; round++) {
        guint dropped = 0;
        g_array_set_size(stays, 0);
        for (guint i = 0; i < n; i++) {
            Stay *last = stays->len > 0 ? &g_array_index(stays, Stay, stays->len - 1) : NULL;
            Stay one = {i, i, 1};
            if (!take[i])
                continue;
            if (last != NULL && plane_distance(fix[last->first].p, fix[i].p) < ZIGZAG_M / 2) {
                last->last = i;
                last->n++;
            } else {
                g_array_append_val(stays, one);
            }
        }
        double leg = long_leg_of(fix, stays);
        for (guint i = 2; i < stays->len; i++) {
            const Stay *b = &g_array_index(stays, Stay, i - 1);
            if (!out_of_line(fix, &g_array_index(stays, Stay, i - 2), b,
                             &g_array_index(stays, Stay, i), leg))
                continue;
            for (guint k = b->first; k <= b->last; k++)
                take[k] = 0;
            dropped++;
            i++; /* the next one has lost its neighbour; it is looked at in the next round */
        }
        if (dropped == 0)
            return;
    }
}

static gboolean has_position(const LearnFix *fix)
{
    /* a receiver without a position says 0/0: no road is there */
    return fabs(fix->geo.lat) <= 90 && fabs(fix->geo.lon) <= 180 &&
           (fabs(fix->geo.lat) > 1e-4 || fabs(fix->geo.lon) > 1e-4);
}

static guint fix_hash(gconstpointer key)
{
    const LearnFix *fix = key;

    return g_double_hash(&fix->time_s) * 31 + g_double_hash(&fix->geo.lon) * 7 +
           g_double_hash(&fix->geo.lat);
}

static gboolean fix_equal(gconstpointer a, gconstpointer b)
{
    const LearnFix *p = a, *q = b;

    return p->time_s == q->time_s && p->geo.lon == q->geo.lon && p->geo.lat == q->geo.lat;
}

/* `seen`: fixes of all tracks. Sources that share one receiver are one witness, not many. */
static void clean_track(const Learn *learn, const LearnTrack *raw, GHashTable *seen, GArray *fixes,
                        GArray *tracks, LearnResult *result)
{
    g_autoptr(GArray) valid = g_array_new(FALSE, FALSE, sizeof(LearnFix));
    LearnTrack track = {fixes->len, 0};

    for (guint i = 0; i < raw->n; i++) {
        LearnFix *fix = &g_array_index(learn->fixes, LearnFix, raw->first + i);
        const LearnFix *last =
            valid->len > 0 ? &g_array_index(valid, LearnFix, valid->len - 1) : NULL;
        result->fixes++;
        if (!has_position(fix))
            result->invalid++;
        else if (last != NULL && fix->geo.lat == last->geo.lat && fix->geo.lon == last->geo.lon)
            result->repeated++;
        else if (!g_hash_table_add(seen, fix))
            result->shared++;
        else
            g_array_append_val(valid, *fix);
    }
    guint n = valid->len;
    if (n == 0)
        return;
    const LearnFix *fix = (const LearnFix *)(const void *)valid->data;
    g_autofree guint8 *take = g_malloc(n);
    g_autofree guint8 *begins = g_malloc(n);
    best_chain(fix, n, take, begins);
    straighten(fix, n, take);
    for (guint i = 0; i < n; i++) {
        if (!take[i]) {
            result->jumps++;
            continue;
        }
        if (begins[i] && fixes->len > track.first) {
            track.n = fixes->len - track.first;
            g_array_append_val(tracks, track);
            track.first = fixes->len;
        }
        if (fixes->len > track.first &&
            plane_distance(g_array_index(fixes, LearnFix, fixes->len - 1).p, fix[i].p) < STANDING_M)
            continue;
        g_array_append_val(fixes, fix[i]);
    }
    track.n = fixes->len - track.first;
    if (track.n > 0)
        g_array_append_val(tracks, track);
}

void learn_clean(const Learn *learn, GArray *fixes, GArray *tracks, LearnResult *result)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(fix_hash, fix_equal);

    for (guint i = 0; i < learn->tracks->len; i++)
        clean_track(learn, &g_array_index(learn->tracks, LearnTrack, i), seen, fixes, tracks,
                    result);
}

double learn_worst_accuracy(const GArray *fixes)
{
    g_autofree double *stated = g_new(double, fixes->len + 1);
    guint n = 0;

    for (guint i = 0; i < fixes->len; i++) {
        double accuracy = g_array_index(fixes, LearnFix, i).accuracy_m;
        stated[n++] = isnan(accuracy) ? 0 : accuracy;
    }
    qsort(stated, n, sizeof *stated, by_value);
    return n > 0 ? fmax(LEARN_WORST_ACCURACY_M, 2 * stated[n / 2]) : LEARN_WORST_ACCURACY_M;
}
