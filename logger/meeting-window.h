/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging a two-way meeting stream second by second.
 *
 * The judge is fed, per way, with every audio packet in order of sending (arrived or lost), with
 * video packets and frames, and with round trips. Windows of 15 s and 200 ms slide packet by packet
 * (at 50 packets/s: 750 and 10 packets). A broken window is charged to the seconds in it that broke
 * it, those that hold a lost, late or reordered packet, so that a fault lands on the place where it
 * happened. A second is therefore final 15 s after it ended; then it is handed out.
 *
 * Targets: Microsoft Teams, client to network edge, and the "poor" limits of its Call Quality
 * Dashboard; speech by the E-model (emodel.h). Docs: docs/probes.md.
 */
#pragma once

#include "formats/records.h"
#include "logger/emodel.h"
#include <glib.h>

typedef enum { WAY_DOWN, WAY_UP, WAY_COUNT } MeetingWay;

/* What can be wrong with a second. The names are the words of the record's reason; a word for one
 * way has "-down" or "-up" behind it. */
typedef enum {
    FAULT_DELAY,       /* "delay": one-way delay at or above the target; disciplined clocks only */
    FAULT_BURST,       /* "burst": too many lost in 200 ms */
    FAULT_LOSS,        /* "loss": too many lost in 15 s */
    FAULT_JITTER,      /* "jitter": mean |D| in 15 s */
    FAULT_REORDER,     /* "reorder": share of packets out of order in 15 s */
    FAULT_POOR_LOSS,   /* "poor-loss": more than 10 % in 15 s */
    FAULT_POOR_JITTER, /* "poor-jitter": above 30 ms */
    FAULT_CONCEALED,   /* "concealed": more than 7 % late or lost in 15 s */
    FAULT_VIDEO,   /* "video": in 15 s under 7 frames/s, most frames spoilt, or 15 % of packets lost
                    */
    FAULT_GAP,     /* "gap": nothing for more than 3 s */
    FAULT_SILENCE, /* "silence": nothing for more than 10 s */
    FAULT_WAY_COUNT,
    FAULT_RTT = FAULT_WAY_COUNT, /* "rtt": median round trip at or above the target */
    FAULT_POOR_RTT,              /* "poor-rtt": above 500 ms */
    FAULT_SPEECH,                /* "speech": MOS more than 1.0 below the best of the codec */
    FAULT_COUNT
} MeetingFault;

typedef struct {
    unsigned audio_per_s;  /* audio packets per second: 50 */
    unsigned frames_per_s; /* video frames per second; 0 = no video */
    double delay_ms;       /* one-way delay below: 50 */
    double rtt_ms;         /* round trip below: 100 */
    double loss_share;     /* in 15 s below: 0.01 */
    unsigned burst_lost;   /* lost packets in 200 ms that break the target: 2; 1 = as published */
    double jitter_ms;      /* mean |D| in 15 s below: 30 */
    double reorder_share;  /* in 15 s below: 0.0005 */
    double buffer_ms;      /* jitter buffer: later than this is as good as lost: 60 */
    double coder_ms;       /* frame and look-ahead of the coder: 26.5 */
    const EmodelCodec *codec; /* for R and MOS */
} MeetingTargets;

/* The targets of Microsoft's client-to-edge table, and the choices of docs/probes.md. */
MeetingTargets meeting_targets_default(void);

/* One judged second, or one judged window of 15 s. */
typedef struct {
    gboolean is_window; /* a window of (up to) 15 s; else one second */
    gint64 start_ns;
    gint64 duration_ns;
    MeetingGrade grade;
    guint64 faults[WAY_COUNT]; /* bit 1 << MeetingFault; those of both ways stand in WAY_DOWN */
    unsigned audio_sent;       /* both ways */
    double r_factor, mos;      /* of the worse way; NAN without a round trip */
    double rtt_ms;             /* median; NAN without */
    double jitter_ms;          /* mean |D| of the worse way */
    double loss_percent;       /* audio lost, the worse way */
    double concealed_percent;  /* audio lost or late, the worse way */
    double video_loss_percent; /* frames spoilt, the worse way */
    unsigned longest_loss;     /* longest run of lost audio packets that touches it */
    unsigned single_losses;    /* 200 ms windows that the literal rule (1 lost) breaks */
    unsigned reordered;        /* packets, both ways */
} MeetingResult;

typedef void (*MeetingSink)(const MeetingResult *result, gpointer data);

typedef struct MeetingJudge MeetingJudge;

/* start_ns begins the first second. The sink gets each second in order, and after every 15th the
 * window of 15 s they make.
 * Returns: (transfer full). */
MeetingJudge *meeting_judge_new(const MeetingTargets *targets, gint64 start_ns, MeetingSink sink,
                                gpointer data);

/* NULL is allowed. What was not finished is not handed out. */
void meeting_judge_free(MeetingJudge *judge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MeetingJudge, meeting_judge_free)

/* A packet: sent_ns on the judge's time line, ascending within one way and stream;
 * delay_ns = arrival - sending with any constant offset (G_MAXINT64 = lost). */
#define MEETING_LOST G_MAXINT64
void meeting_judge_audio(MeetingJudge *judge, MeetingWay way, gint64 sent_ns, gint64 delay_ns,
                         gboolean reordered);
void meeting_judge_video(MeetingJudge *judge, MeetingWay way, gint64 sent_ns, gboolean lost,
                         gboolean reordered);
/* A video frame, after its last packet. */
void meeting_judge_frame(MeetingJudge *judge, MeetingWay way, gint64 sent_ns, gboolean complete);
void meeting_judge_rtt(MeetingJudge *judge, gint64 sent_ns, gint64 rtt_ns);
/* True one-way delay, from disciplined clocks only. */
void meeting_judge_delay(MeetingJudge *judge, MeetingWay way, gint64 sent_ns, gint64 delay_ns);

/* Says that everything sent before now_ns has been fed: seconds that ended 15 s before are handed
 * out. */
void meeting_judge_advance(MeetingJudge *judge, gint64 now_ns);

/* Hands out all that is left, a last window shorter than 15 s included. */
void meeting_judge_finish(MeetingJudge *judge, gint64 end_ns);

/* Reasons as text: "loss-down,rtt"; "" if green. Returns `buffer`. */
#define MEETING_REASON_SIZE 400
const char *meeting_reason(const MeetingResult *result, char buffer[MEETING_REASON_SIZE]);
