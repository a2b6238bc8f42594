/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way of a meeting: which packets of the plan arrived, in order of sending. Arrivals come in
 * any order; packets are handed to the meeting judge when they are final, the lost ones included.
 */
#pragma once

#include "logger/media.h"
#include "logger/meeting-window.h"
#include "logger/stream-stat.h"

/* Packets remembered; a minute of audio and video at the largest shapes. Powers of two. */
#define MEDIA_TALLY_AUDIO 4096
#define MEDIA_TALLY_VIDEO 16384

typedef struct MediaTally MediaTally;

/* start_ns: when packet 0 is due, on the judge's time line.
 * Returns: (transfer full). `judge` is borrowed. */
MediaTally *media_tally_new(const MediaShape *shape, MeetingWay way, gint64 start_ns,
                            MeetingJudge *judge);
/* NULL is allowed. */
void media_tally_free(MediaTally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaTally, media_tally_free)

/* Packet `seq` came after delay_ns (any constant offset). FALSE if it is a duplicate, came too late
 * to count, or can be none of the plan's yet (`now_ns`, judge's time line). */
gboolean media_tally_arrived(MediaTally *tally, MediaStream stream, guint32 seq, gint64 delay_ns,
                             gint64 now_ns);

/* All packets due before until_ns are final now. */
void media_tally_advance(MediaTally *tally, gint64 until_ns);

typedef struct {
    guint64 audio, audio_lost, video, video_lost, frames, frames_spoilt, reordered;
    guint64 longest_loss;
    double burst_r;
    double jitter_ms; /* RFC 3550 at the end */
    gint64 outage_ns; /* longest stretch without audio */
    gint64 first_ns;  /* due time of the first audio packet that arrived; G_MININT64 = none */
    guint64 outages;  /* stretches of 500 ms or more without audio */
} MediaTotals;
MediaTotals media_tally_totals(const MediaTally *tally);
