/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/media-tally.h"

#include <string.h>

#define OUTAGE_NS G_GINT64_CONSTANT(500000000)

typedef struct {
    gint64 delay_ns;
    guint32 seq_plus_1; /* 0 = nothing there */
    gboolean reordered;
} Audio;

struct MediaTally {
    MediaShape shape;
    MeetingWay way;
    gint64 start_ns;
    MeetingJudge *judge;
    Audio *audio;  /* ring */
    guint8 *video; /* ring: 0 = not come, 1 = come, 2 = come out of order */
    MediaCursor done;
    Reorder reorder[2];
    Jitter jitter;
    LossPattern loss;
    unsigned frame_lost; /* packets missing of the frame at the cursor */
    gint64 last_ns;      /* due time of the last audio packet that arrived */
    MediaTotals totals;
};

MediaTally *media_tally_new(const MediaShape *shape, MeetingWay way, gint64 start_ns,
                            MeetingJudge *judge)
{
    MediaTally *tally = g_new0(MediaTally, 1);
    tally->shape = *shape;
    tally->way = way;
    tally->start_ns = start_ns;
    tally->judge = judge;
    tally->audio = g_new0(Audio, MEDIA_TALLY_AUDIO);
    tally->video = g_new0(guint8, MEDIA_TALLY_VIDEO);
    tally->last_ns = start_ns;
    tally->totals.first_ns = G_MININT64;
    return tally;
}

void media_tally_free(MediaTally *tally)
{
    if (!tally)
        return;
    g_free(tally->audio);
    g_free(tally->video);
    g_free(tally);
}

/* The packet is in the plan, not yet final, and not of the far future. */
static gboolean is_expected(const MediaTally *tally, MediaStream stream, guint32 seq, gint64 now_ns)
{
    guint32 done = stream == MEDIA_AUDIO ? tally->done.audio : tally->done.video;
    guint32 room = stream == MEDIA_AUDIO ? MEDIA_TALLY_AUDIO : MEDIA_TALLY_VIDEO;
    if (stream == MEDIA_VIDEO && tally->shape.frames_per_s == 0)
        return FALSE;
    if (seq - done >= room)
        return FALSE;
    /* Half a second of grace: the two clocks are only roughly aligned. */
    return tally->start_ns + media_offset_ns(&tally->shape, stream, seq) < now_ns + OUTAGE_NS;
}

gboolean media_tally_arrived(MediaTally *tally, MediaStream stream, guint32 seq, gint64 delay_ns,
                             gint64 now_ns)
{
    if (stream > MEDIA_VIDEO || !is_expected(tally, stream, seq, now_ns))
        return FALSE;
    if (stream == MEDIA_VIDEO) {
        guint8 *slot = &tally->video[seq % MEDIA_TALLY_VIDEO];
        if (*slot)
            return FALSE;
        *slot = reorder_add(&tally->reorder[MEDIA_VIDEO], seq) ? 2 : 1;
        return TRUE;
    }
    Audio *slot = &tally->audio[seq % MEDIA_TALLY_AUDIO];
    if (slot->seq_plus_1 == seq + 1)
        return FALSE;
    slot->seq_plus_1 = seq + 1;
    slot->delay_ns = delay_ns;
    slot->reordered = reorder_add(&tally->reorder[MEDIA_AUDIO], seq);
    jitter_add(&tally->jitter, delay_ns);
    return TRUE;
}

static void audio_final(MediaTally *tally, guint32 seq, gint64 due_ns)
{
    Audio *slot = &tally->audio[seq % MEDIA_TALLY_AUDIO];
    gboolean come = slot->seq_plus_1 == seq + 1;
    meeting_judge_audio(tally->judge, tally->way, due_ns, come ? slot->delay_ns : MEETING_LOST,
                        come && slot->reordered);
    loss_add(&tally->loss, !come);
    tally->totals.audio++;
    tally->totals.audio_lost += come == FALSE;
    tally->totals.reordered += come && slot->reordered;
    if (come) {
        gint64 silence_ns = due_ns - tally->last_ns;
        if (tally->totals.first_ns == G_MININT64)
            tally->totals.first_ns = due_ns;
        tally->totals.outage_ns = MAX(tally->totals.outage_ns, silence_ns);
        tally->totals.outages += silence_ns >= OUTAGE_NS;
        tally->last_ns = due_ns;
    }
    slot->seq_plus_1 = 0;
}

static void video_final(MediaTally *tally, guint32 seq, gint64 due_ns)
{
    guint8 *slot = &tally->video[seq % MEDIA_TALLY_VIDEO];
    unsigned packets = media_frame_packets(&tally->shape);
    meeting_judge_video(tally->judge, tally->way, due_ns, *slot == 0, *slot == 2);
    tally->totals.video++;
    tally->totals.video_lost += *slot == 0;
    tally->totals.reordered += *slot == 2;
    tally->frame_lost += *slot == 0;
    *slot = 0;
    if (seq % packets != packets - 1)
        return;
    meeting_judge_frame(tally->judge, tally->way, due_ns, tally->frame_lost == 0);
    tally->totals.frames++;
    tally->totals.frames_spoilt += tally->frame_lost > 0;
    tally->frame_lost = 0;
}

void media_tally_advance(MediaTally *tally, gint64 until_ns)
{
    while (tally->start_ns + media_due_ns(&tally->shape, &tally->done) < until_ns) {
        MediaPacket packet = media_next(&tally->shape, &tally->done);
        gint64 due_ns = tally->start_ns + packet.offset_ns;
        if (packet.stream == MEDIA_AUDIO)
            audio_final(tally, packet.seq, due_ns);
        else
            video_final(tally, packet.seq, due_ns);
    }
}

MediaTotals media_tally_totals(const MediaTally *tally)
{
    MediaTotals totals = tally->totals;
    totals.longest_loss = tally->loss.longest;
    totals.burst_r = loss_burst_r(&tally->loss);
    totals.jitter_ms = tally->jitter.jitter_ns / 1e6;
    return totals;
}
