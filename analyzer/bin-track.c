/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/bin-track.h"

#include <math.h>

/* Metres are counted in steps of 0.1 m up to 1 km: memory does not grow with the drive. */
enum { STEPS = 10000 };
typedef struct {
    guint64 n, count[STEPS + 1];
} Metres;

typedef struct {
    BinTrack *track;
    Metres accuracy, distance;
} Tally;

static void count_metres(Metres *metres, double value_m)
{
    if (!(value_m >= 0.0))
        return;
    metres->n++;
    metres->count[(size_t)fmin(floor(value_m * 10.0 + 0.5), STEPS)]++;
}

/* The smallest value with at least p of the values at or below it. */
static double percentile(const Metres *metres, double p)
{
    guint64 sum = 0;
    for (size_t i = 0; i <= STEPS && metres->n > 0; i++) {
        sum += metres->count[i];
        if ((double)sum >= p * (double)metres->n)
            return (double)i / 10.0;
    }
    return NAN;
}

static void tally(const TrackFix *fix, void *user_data)
{
    Tally *t = user_data;
    t->track->fixes[fix->status]++;
    count_metres(&t->accuracy, fix->accuracy_m);
    if (fix->status == FIX_MATCHED)
        count_metres(&t->distance, fix->distance_m);
}

BinTrack *bin_track_new(const Network *network, Drive *drive, gint64 receiver, GError **error)
{
    BinTrack *track = g_new0(BinTrack, 1);
    g_autofree Tally *t = g_new0(Tally, 1);
    t->track = track;
    if (!match_receiver(network, drive, receiver, NULL, &track->track, tally, t, error)) {
        bin_track_free(track);
        return NULL;
    }
    track->accuracy_p50_m = percentile(&t->accuracy, 0.5);
    track->distance_p50_m = percentile(&t->distance, 0.5);
    track->distance_p95_m = percentile(&t->distance, 0.95);
    return track;
}

void bin_track_free(BinTrack *track)
{
    if (track == NULL)
        return;
    track_free(track->track);
    g_free(track);
}
