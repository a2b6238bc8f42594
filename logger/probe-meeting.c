/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meeting: a two-way stream shaped like an online meeting, judged second by second.
 *
 * Both ends send by the plan of media.h. What comes down is seen here; what went up the reflector
 * logs, and the log is fetched four times a second. Round trips come from the echo in the packets
 * that come down. A packet is final two seconds after it was due. After two seconds of silence the
 * handshake is tried again, so that a new address is taken up; the stream goes on meanwhile, and
 * what it lacks is lost as the traveller would feel it.
 */
#include "logger/media-tally.h"
#include "logger/pace.h"
#include "logger/probe.h"
#include "logger/session-client.h"
#include "logger/utc-quality.h"
#include <errno.h>
#include <math.h>
#include <string.h>

#define NS_PER_S        G_GINT64_CONSTANT(1000000000)
#define FINAL_NS        (2 * NS_PER_S)
#define FETCH_NS        (NS_PER_S / 4)
#define RENEW_NS        (2 * NS_PER_S)
#define RETRY_NS        NS_PER_S
#define UNKNOWN_NS      (45 * NS_PER_S) /* up packets whose fate is unknown so long are lost */
#define LATE_NS         NS_PER_S
#define LEAD_NS         (NS_PER_S / 50)
#define LAST_NS         (NS_PER_S * 5 / 2) /* waiting for the last packets and the last log */
#define LAST_UNKNOWN_NS (12 * NS_PER_S)    /* the same, while the log does not come */
#define SENT_RING       4096

typedef struct {
    ProbeRun run;
    SessionClient *client;
    Pace *pace;
    MeetingTargets targets;
    MeetingJudge *judge;
    MediaTally *way[WAY_COUNT];
    MediaCursor cursor;
    gint64 start_ns, end_ns;         /* CLOCK_MONOTONIC: of our stream */
    gint64 fetched_ns, log_known_ns; /* last FETCH; up packets that arrived before are known */
    guint32 log_next;
    gboolean fetching;
    gint64 renewed_ns, silent_since_ns;
    double again_ms; /* longest time from silence to the session standing again */
    unsigned renewals;
    gint64 sent_ns[SENT_RING]; /* CLOCK_REALTIME of audio packets */
    gboolean echo;
    guint32 echo_seq;
    gint64 echo_arrived_ns;
    guint64 seconds[GRADE_COUNT];
    guint64 faults[WAY_COUNT];
    gboolean clocks_good;
} MeetingRun;

static void add_latency(MeetingRun *meeting, const MeetingResult *result, gint64 utc_ns)
{
    ProbeRun *run = &meeting->run;
    Latency row = {0};
    gint64 sent = result->audio_sent / 2;
    RECORD_SET(&row, LATENCY, time_ns, utc_ns);
    RECORD_SET(&row, LATENCY, source, run->modem.source);
    RECORD_SET(&row, LATENCY, probe, run->id);
    RECORD_SET(&row, LATENCY, kind, PROBE_MEETING);
    RECORD_SET(&row, LATENCY, target, run->target);
    RECORD_SET(&row, LATENCY, duration_ns, result->duration_ns);
    RECORD_SET(&row, LATENCY, sent, sent);
    RECORD_SET(&row, LATENCY, received,
               (gint64)lround((double)sent * (1 - result->loss_percent / 100)));
    if (!isnan(result->rtt_ms))
        RECORD_SET(&row, LATENCY, rtt_ms, result->rtt_ms);
    RECORD_SET(&row, LATENCY, jitter_ms, result->jitter_ms);
    RECORD_SET(&row, LATENCY, reordered, result->reordered);
    RECORD_SET(&row, LATENCY, longest_loss, result->longest_loss);
    run->host->add(run->host->data, RECORD_LATENCY, &row);
}

static void on_result(const MeetingResult *result, gpointer data)
{
    MeetingRun *meeting = data;
    ProbeRun *run = &meeting->run;
    char reason[MEETING_REASON_SIZE];
    Meeting row = {0};
    gint64 utc_ns = probe_utc_ns(run, result->start_ns + udp_to_realtime());
    if (result->audio_sent == 0)
        return;
    RECORD_SET(&row, MEETING, time_ns, utc_ns);
    RECORD_SET(&row, MEETING, source, run->modem.source);
    RECORD_SET(&row, MEETING, probe, run->id);
    RECORD_SET(&row, MEETING, duration_ns, result->duration_ns);
    RECORD_SET(&row, MEETING, is_window, result->is_window != FALSE);
    RECORD_SET(&row, MEETING, grade, (int)result->grade);
    RECORD_SET(&row, MEETING, reason, meeting_reason(result, reason));
    if (!isnan(result->r_factor)) {
        RECORD_SET(&row, MEETING, r_factor, result->r_factor);
        RECORD_SET(&row, MEETING, mos, result->mos);
    }
    if (!isnan(result->rtt_ms))
        RECORD_SET(&row, MEETING, rtt_ms, result->rtt_ms);
    RECORD_SET(&row, MEETING, jitter_ms, result->jitter_ms);
    RECORD_SET(&row, MEETING, loss_percent, result->loss_percent);
    RECORD_SET(&row, MEETING, longest_loss, result->longest_loss);
    RECORD_SET(&row, MEETING, video_loss_percent, result->video_loss_percent);
    RECORD_SET(&row, MEETING, concealed_percent, result->concealed_percent);
    RECORD_SET(&row, MEETING, single_losses, result->single_losses);
    RECORD_SET(&row, MEETING, reordered, result->reordered);
    run->host->add(run->host->data, RECORD_MEETING, &row);
    if (result->is_window)
        return;
    add_latency(meeting, result, utc_ns);
    meeting->seconds[result->grade]++;
    for (int way = 0; way < WAY_COUNT; way++)
        meeting->faults[way] |= result->faults[way];
}

/* --- what comes --- */

static void take_echo(MeetingRun *meeting, const MediaHeader *header, const UdpPacket *packet)
{
    if (!header->echo || header->echo_seq >= meeting->cursor.audio ||
        meeting->cursor.audio - header->echo_seq > SENT_RING)
        return;
    gint64 sent_ns = meeting->sent_ns[header->echo_seq % SENT_RING];
    gint64 rtt_ns = (packet->arrived_ns - sent_ns) - (header->sent_ns - header->echo_arrived_ns);
    if (sent_ns == 0 || rtt_ns < 0 || rtt_ns > 10 * NS_PER_S)
        return;
    meeting_judge_rtt(meeting->judge,
                      meeting->start_ns + media_offset_ns(&meeting->run.settings->meeting,
                                                          MEDIA_AUDIO, header->echo_seq),
                      rtt_ns);
}

static void on_media(const MediaHeader *header, const UdpPacket *packet, gpointer data)
{
    MeetingRun *meeting = data;
    gint64 now_ns = udp_monotonic();
    gint64 delay_ns = packet->arrived_ns - header->sent_ns;
    if (!meeting->judge ||
        !media_tally_arrived(meeting->way[WAY_DOWN], header->stream, header->seq, delay_ns, now_ns))
        return;
    if (header->stream != MEDIA_AUDIO)
        return;
    take_echo(meeting, header, packet);
    meeting->echo = TRUE;
    meeting->echo_seq = header->seq;
    meeting->echo_arrived_ns = packet->arrived_ns;
    if (meeting->clocks_good)
        meeting_judge_delay(
            meeting->judge, WAY_DOWN,
            session_client_start_mono(meeting->client) +
                media_offset_ns(&meeting->run.settings->meeting, MEDIA_AUDIO, header->seq),
            delay_ns);
}

static void on_log(const SessionMessage *message, const UdpPacket *packet, gpointer data)
{
    MeetingRun *meeting = data;
    const MediaShape *shape = &meeting->run.settings->meeting;
    gint64 now_ns = udp_monotonic();
    (void)packet;
    if (!meeting->judge || message->from > message->total)
        return;
    meeting->fetching = FALSE;
    for (unsigned i = 0; i < message->n; i++) {
        const Arrival *arrival = &message->arrivals[i];
        if (message->from + i < meeting->log_next)
            continue;
        gint64 sent_ns =
            arrival->stream == MEDIA_AUDIO ? meeting->sent_ns[arrival->seq % SENT_RING] : 0;
        gint64 delay_ns = arrival->arrived_ns - sent_ns;
        if (media_tally_arrived(meeting->way[WAY_UP], arrival->stream, arrival->seq, delay_ns,
                                now_ns) &&
            arrival->stream == MEDIA_AUDIO && meeting->clocks_good)
            meeting_judge_delay(
                meeting->judge, WAY_UP,
                meeting->start_ns + media_offset_ns(shape, MEDIA_AUDIO, arrival->seq), delay_ns);
    }
    meeting->log_next = MAX(meeting->log_next, message->from + message->n);
    if (meeting->log_next >= message->total)
        meeting->log_known_ns = meeting->fetched_ns;
    else
        session_client_fetch(meeting->client, meeting->log_next);
}

/* --- what goes --- */

static unsigned flush_out(MeetingRun *meeting, const UdpOut *packets, unsigned n)
{
    int trouble = 0;
    return n ? session_client_send(meeting->client, packets, n, &trouble) : 0;
}

static void send_due(MeetingRun *meeting, gint64 now_ns)
{
    const MediaShape *shape = &meeting->run.settings->meeting;
    guint8 room[UDP_BATCH][MEDIA_MAX_SIZE];
    UdpOut packets[UDP_BATCH];
    unsigned n = 0;
    while (meeting->start_ns + media_due_ns(shape, &meeting->cursor) <=
           MIN(now_ns, meeting->end_ns - 1)) {
        MediaPacket packet = media_next(shape, &meeting->cursor);
        gint64 sent_ns = udp_realtime();
        if (packet.stream == MEDIA_AUDIO)
            meeting->sent_ns[packet.seq % SENT_RING] = sent_ns;
        if (now_ns - meeting->start_ns - packet.offset_ns > LATE_NS)
            continue;
        MediaHeader header = {.stream = packet.stream,
                              .token = session_client_grant(meeting->client)->token,
                              .seq = packet.seq,
                              .sent_ns = sent_ns,
                              .echo = meeting->echo,
                              .echo_seq = meeting->echo_seq,
                              .echo_arrived_ns = meeting->echo_arrived_ns};
        memset(room[n] + MEDIA_HEADER_SIZE, 0, packet.payload - MEDIA_HEADER_SIZE);
        media_write(&header, room[n], MEDIA_HEADER_SIZE);
        packets[n] = (UdpOut){room[n], packet.payload};
        if (++n == UDP_BATCH) {
            (void)flush_out(meeting, packets, n);
            n = 0;
        }
    }
    (void)flush_out(meeting, packets, n);
}

static void advance(MeetingRun *meeting, gint64 now_ns)
{
    gint64 down_ns = MIN(now_ns, meeting->end_ns + FINAL_NS) - FINAL_NS;
    gint64 up_ns = MAX(meeting->log_known_ns - FINAL_NS, now_ns - UNKNOWN_NS);
    up_ns = MIN(up_ns, meeting->end_ns);
    media_tally_advance(meeting->way[WAY_DOWN], down_ns);
    media_tally_advance(meeting->way[WAY_UP], up_ns);
    meeting_judge_advance(meeting->judge, MIN(down_ns, up_ns));
}

/* After silence: try the handshake again once a second. */
static void keep_alive(MeetingRun *meeting, gint64 now_ns)
{
    gint64 heard_ns = session_client_heard(meeting->client);
    if (now_ns - heard_ns < RENEW_NS || now_ns - meeting->renewed_ns < RETRY_NS)
        return;
    if (meeting->silent_since_ns == 0) {
        meeting->silent_since_ns = heard_ns;
        probe_run_silent(&meeting->run, "probe-silent", meeting->run.target);
    }
    meeting->renewed_ns = now_ns;
    session_client_renew(meeting->client);
}

static void wrap_up(MeetingRun *meeting, gint64 final_ns);

static gint64 on_tick(gint64 now_ns, gpointer data)
{
    MeetingRun *meeting = data;
    const MediaShape *shape = &meeting->run.settings->meeting;
    send_due(meeting, now_ns);
    session_client_receive(meeting->client);
    if (meeting->run.finished)
        return 0;
    if (now_ns - meeting->fetched_ns >= FETCH_NS) {
        /* An unanswered question is repeated; its answer says what was known when it was asked. */
        meeting->fetched_ns = now_ns;
        session_client_fetch(meeting->client, meeting->log_next);
        advance(meeting, now_ns);
    }
    keep_alive(meeting, now_ns);
    gboolean known = meeting->log_known_ns >= meeting->end_ns + FINAL_NS;
    if (now_ns >= meeting->end_ns + (known ? LAST_NS : LAST_UNKNOWN_NS)) {
        wrap_up(meeting, meeting->end_ns);
        probe_run_finish(&meeting->run, STATUS_OK, NULL);
        return 0;
    }
    if (now_ns >= meeting->end_ns)
        return now_ns + FETCH_NS / 4;
    return meeting->start_ns + media_due_ns(shape, &meeting->cursor);
}

/* --- begin and end --- */

static void on_established(gboolean again, gpointer data)
{
    MeetingRun *meeting = data;
    ProbeRun *run = &meeting->run;
    gint64 now_ns = udp_monotonic();
    if (again) {
        if (meeting->silent_since_ns) {
            meeting->again_ms =
                fmax(meeting->again_ms, (double)(now_ns - meeting->silent_since_ns) / 1e6);
            meeting->renewals++;
            meeting->silent_since_ns = 0;
        }
        probe_run_resumed(run);
        return;
    }
    g_autoptr(GError) error = NULL;
    probe_run_resumed(run);
    run->setup_ms = session_client_setup_ms(meeting->client);
    meeting->start_ns = now_ns + LEAD_NS;
    meeting->end_ns = meeting->start_ns + (gint64)(run->settings->meeting_s * 1e9);
    meeting->clocks_good =
        session_client_grant(meeting->client)->synchronised && utc_quality_good(utc_quality());
    meeting->judge = meeting_judge_new(&meeting->targets, meeting->start_ns, on_result, meeting);
    meeting->way[WAY_UP] =
        media_tally_new(&run->settings->meeting, WAY_UP, meeting->start_ns, meeting->judge);
    meeting->way[WAY_DOWN] =
        media_tally_new(&run->settings->meeting, WAY_DOWN,
                        session_client_start_mono(meeting->client), meeting->judge);
    meeting->fetched_ns = meeting->log_known_ns = now_ns;
    meeting->pace = pace_new(run->context, meeting->start_ns, on_tick, meeting, &error);
    if (!meeting->pace)
        probe_run_finish(run, STATUS_FAILED, "system");
}

static void on_failed(const char *reason, const char *detail, gpointer data)
{
    MeetingRun *meeting = data;
    ProbeRun *run = &meeting->run;
    if (run->finished)
        return;
    probe_detail_text(run, "error", detail);
    if (meeting->judge)
        wrap_up(meeting, MIN(udp_monotonic(), meeting->end_ns));
    ProbeStatus status = g_str_equal(reason, "no-answer") || g_str_equal(reason, "dns")
                             ? STATUS_FAILED
                         : meeting->judge ? STATUS_CUT
                                          : STATUS_SKIPPED;
    probe_run_finish(run, status, reason);
}

static gboolean meeting_start(ProbeRun *run, GError **error)
{
    MeetingRun *meeting = (MeetingRun *)run;
    static const SessionEvents events = {on_established, on_failed, on_media, on_log};
    const EmodelCodec *codec = emodel_codec(run->settings->codec);
    if (!run->settings->key || !codec) {
        g_set_error(error, PROBE_ERROR, PROBE_ERROR_SYSTEM, "a meeting needs %s",
                    codec ? "the reflector's key" : "a codec the E-model knows");
        return FALSE;
    }
    run->target = g_strdup(run->settings->reflector);
    meeting->targets = meeting_targets_default();
    meeting->targets.audio_per_s = run->settings->meeting.audio_per_s;
    meeting->targets.frames_per_s = run->settings->meeting.frames_per_s;
    meeting->targets.codec = codec;
    /* The session may last longer than the stream: set-up, outages, the last log. */
    guint32 duration_s = (guint32)run->settings->meeting_s + 10;
    meeting->client = session_client_new(run, SESSION_MEETING, duration_s, &events, meeting);
    return TRUE;
}

static void add_totals(MeetingRun *meeting, MeetingWay way, const char *name)
{
    MediaTotals totals = media_tally_totals(meeting->way[way]);
    ProbeRun *run = &meeting->run;
    const struct {
        const char *what;
        double value;
    } rows[] = {
        {"audio", (double)totals.audio},
        {"audio_lost", (double)totals.audio_lost},
        {"longest_loss", (double)totals.longest_loss},
        {"burst_r", totals.burst_r},
        {"jitter_ms", totals.jitter_ms},
        {"video", (double)totals.video},
        {"video_lost", (double)totals.video_lost},
        {"frames", (double)totals.frames},
        {"frames_spoilt", (double)totals.frames_spoilt},
        {"reordered", (double)totals.reordered},
        {"outages", (double)totals.outages},
        {"longest_outage_ms", (double)totals.outage_ns / 1e6},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *member = g_strdup_printf("%s_%s", rows[i].what, name);
        probe_detail_real(run, member, rows[i].value);
    }
}

/* Judges what is left, up to final_ns, and sums up. */
static void wrap_up(MeetingRun *meeting, gint64 final_ns)
{
    ProbeRun *run = &meeting->run;
    MeetingResult all = {0};
    char reason[MEETING_REASON_SIZE];
    guint64 judged = 0;
    pace_free(g_steal_pointer(&meeting->pace));
    for (int way = 0; way < WAY_COUNT; way++)
        media_tally_advance(meeting->way[way], final_ns);
    meeting_judge_finish(meeting->judge, final_ns);
    for (int grade = GRADE_GREEN; grade < GRADE_COUNT; grade++)
        judged += meeting->seconds[grade];
    if (judged > 0)
        run->value = (double)meeting->seconds[GRADE_GREEN] / (double)judged;
    memcpy(all.faults, meeting->faults, sizeof all.faults);
    probe_detail_int(run, "green_s", (gint64)meeting->seconds[GRADE_GREEN]);
    probe_detail_int(run, "yellow_s", (gint64)meeting->seconds[GRADE_YELLOW]);
    probe_detail_int(run, "red_s", (gint64)meeting->seconds[GRADE_RED]);
    probe_detail_int(run, "black_s", (gint64)meeting->seconds[GRADE_BLACK]);
    probe_detail_text(run, "faults", meeting_reason(&all, reason));
    probe_detail_int(run, "renewals", meeting->renewals);
    if (meeting->renewals)
        probe_detail_real(run, "reestablish_ms", meeting->again_ms);
    add_totals(meeting, WAY_DOWN, "down");
    add_totals(meeting, WAY_UP, "up");
}

static void meeting_stop(ProbeRun *run)
{
    MeetingRun *meeting = (MeetingRun *)run;
    if (!meeting->judge)
        return;
    /* Only what is certain: packets still on their way are not judged. */
    gint64 now_ns = udp_monotonic();
    wrap_up(meeting, MIN(MIN(now_ns, meeting->log_known_ns) - FINAL_NS, meeting->end_ns));
}

static void meeting_clear(ProbeRun *run)
{
    MeetingRun *meeting = (MeetingRun *)run;
    pace_free(meeting->pace);
    session_client_free(meeting->client);
    for (int way = 0; way < WAY_COUNT; way++)
        media_tally_free(meeting->way[way]);
    meeting_judge_free(meeting->judge);
}

static double meeting_bytes_per_s(const ProbeSettings *settings)
{
    /* Both ways, and a little for log and handshake. */
    return 2 * media_bytes_per_s(&settings->meeting) + 6000;
}

static double meeting_bytes(const ProbeSettings *settings)
{
    return meeting_bytes_per_s(settings) * (settings->meeting_s + 1);
}

const ProbeType probe_meeting = {
    .kind = PROBE_MEETING,
    .name = "meeting",
    .bytes_per_s = meeting_bytes_per_s,
    .bytes = meeting_bytes,
    .size = sizeof(MeetingRun),
    .start = meeting_start,
    .stop = meeting_stop,
    .clear = meeting_clear,
};
