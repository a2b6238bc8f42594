/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/learn.h"

#include <math.h>

/* No train is faster; what a receiver adds in noise comes on top. */
#define MAX_SPEED_MPS 100.0
#define JUMP_SLACK_M  60.0
/* How many fixes back a chain may be taken up, and how many fixes a break in it must win. */
enum { LOOK_BACK = 60, BREAK_COST = 25 };
/* Fixes nearer to each other than this are one place: a vehicle that stands. */
#define STANDING_M 8.0

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

static gboolean has_position(const LearnFix *fix)
{
    /* a receiver without a position says 0/0: no road is there */
    return fabs(fix->geo.lat) <= 90 && fabs(fix->geo.lon) <= 180 &&
           (fabs(fix->geo.lat) > 1e-4 || fabs(fix->geo.lon) > 1e-4);
}

static void clean_track(const Learn *learn, const LearnTrack *raw, GArray *fixes, GArray *tracks,
                        LearnResult *result)
{
    g_autoptr(GArray) valid = g_array_new(FALSE, FALSE, sizeof(LearnFix));
    LearnTrack track = {fixes->len, 0};

    for (guint i = 0; i < raw->n; i++) {
        const LearnFix *fix = &g_array_index(learn->fixes, LearnFix, raw->first + i);
        const LearnFix *last =
            valid->len > 0 ? &g_array_index(valid, LearnFix, valid->len - 1) : NULL;
        result->fixes++;
        if (!has_position(fix))
            result->invalid++;
        else if (last != NULL && fix->geo.lat == last->geo.lat && fix->geo.lon == last->geo.lon)
            result->repeated++;
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
    for (guint i = 0; i < learn->tracks->len; i++)
        clean_track(learn, &g_array_index(learn->tracks, LearnTrack, i), fixes, tracks, result);
}
