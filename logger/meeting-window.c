/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/meeting-window.h"

#include "logger/stream-stat.h"
#include <math.h>
#include <string.h>

#define NS_PER_S     G_GINT64_CONSTANT(1000000000)
#define WINDOW_S     15
#define KEPT_SECONDS 64 /* seconds held; more than WINDOW_S and the longest gap judged */
#define MAX_RTTS     128
#define MIN_SECONDS  60 /* the smallest delay is that of the last 60 s (docs/probes.md) */

/* "Poor" in the Call Quality Dashboard. */
#define POOR_LOSS         0.10
#define POOR_JITTER_MS    30
#define POOR_RTT_MS       500
#define POOR_CONCEALED    0.07
#define POOR_MOS_DROP     1.0
#define POOR_FRAMES_PER_S 7
#define POOR_FRAME_LOSS   0.50
#define POOR_VIDEO_LOSS   0.15
#define GAP_S             3
#define SILENCE_S         10

static const char *const fault_names[FAULT_COUNT] = {
    "delay",     "burst", "loss", "jitter",  "reorder", "poor-loss", "poor-jitter",
    "concealed", "video", "gap",  "silence", "rtt",     "poor-rtt",  "speech",
};

#define BIT(fault) (G_GUINT64_CONSTANT(1) << (fault))
#define RED_FAULTS                                                                                 \
    (BIT(FAULT_POOR_LOSS) | BIT(FAULT_POOR_JITTER) | BIT(FAULT_CONCEALED) | BIT(FAULT_VIDEO) |     \
     BIT(FAULT_GAP) | BIT(FAULT_POOR_RTT) | BIT(FAULT_SPEECH))

/* One packet of a sliding window. */
typedef struct {
    gint64 second; /* number of the second it was sent in */
    float d_ms;    /* |D| to the packet before; 0 if one of them is lost */
    guint8 lost, late, reordered, has_d;
} Slot;

typedef struct {
    unsigned sent, lost, late, reordered, has_d;
    unsigned video_sent, video_lost;
    unsigned frames, frames_spoilt;
    unsigned periods, longest, single;
    double d_ms;
    GArray *delays; /* one-way delays, ms; NULL until one is given */
    guint64 faults;
    double window_concealed; /* share late or lost in the last window that ends in this second */
} WayState;

typedef struct {
    WayState way[WAY_COUNT];
    guint64 faults; /* of both ways */
    double rtt_ms[MAX_RTTS];
    unsigned n_rtt;
} Second;

/* The sliding windows of one way. */
typedef struct {
    Slot *slots; /* ring of `length` */
    unsigned length, n, at;
    unsigned lost, late, has_d;
    double d_ms;
    guint8 *recent; /* the last `short_length` losses, ring */
    unsigned short_length, short_n, short_at, short_lost;
    unsigned run; /* of losses */
    gint64 run_start_ns;
    gint64 previous_delay_ns; /* MEETING_LOST = none */
    gint64 minimum_ns[MIN_SECONDS];
    gint64 minimum_second[MIN_SECONDS];
} Window;

struct MeetingJudge {
    MeetingTargets targets;
    gint64 start_ns;
    MeetingSink sink;
    gpointer data;
    Second seconds[KEPT_SECONDS];
    gint64 first;   /* oldest second held */
    gint64 highest; /* newest second touched, -1 = none */
    Window window[WAY_COUNT];
    MeetingResult block; /* the window of 15 s being put together */
    unsigned block_seconds;
    GArray *block_rtt;
    double best_mos;
};

MeetingTargets meeting_targets_default(void)
{
    return (MeetingTargets){
        .audio_per_s = 50,
        .frames_per_s = 30,
        .delay_ms = 50,
        .rtt_ms = 100,
        .loss_share = 0.01,
        .burst_lost = 2,
        .jitter_ms = 30,
        .reorder_share = 0.0005,
        .buffer_ms = 60,
        .coder_ms = 26.5,
        .codec = emodel_codec("g711-plc"),
    };
}

MeetingJudge *meeting_judge_new(const MeetingTargets *targets, gint64 start_ns, MeetingSink sink,
                                gpointer data)
{
    g_return_val_if_fail(targets->audio_per_s >= 5 && targets->codec, NULL);
    MeetingJudge *judge = g_new0(MeetingJudge, 1);
    judge->targets = *targets;
    judge->start_ns = start_ns;
    judge->sink = sink;
    judge->data = data;
    judge->highest = -1;
    judge->block_rtt = g_array_new(FALSE, FALSE, sizeof(double));
    double rest_ms = targets->buffer_ms + targets->coder_ms;
    judge->best_mos = emodel_mos_of(targets->codec, emodel_r(targets->codec, rest_ms, 0, 1));
    for (int way = 0; way < WAY_COUNT; way++) {
        Window *window = &judge->window[way];
        window->length = WINDOW_S * targets->audio_per_s;
        window->slots = g_new0(Slot, window->length);
        window->short_length = targets->audio_per_s / 5;
        window->recent = g_new0(guint8, window->short_length);
        window->previous_delay_ns = MEETING_LOST;
        for (int i = 0; i < MIN_SECONDS; i++)
            window->minimum_second[i] = -1;
    }
    return judge;
}

static void second_clear(Second *second)
{
    for (int way = 0; way < WAY_COUNT; way++) {
        if (second->way[way].delays)
            g_array_unref(second->way[way].delays);
    }
    memset(second, 0, sizeof *second);
}

void meeting_judge_free(MeetingJudge *judge)
{
    if (!judge)
        return;
    for (int i = 0; i < KEPT_SECONDS; i++)
        second_clear(&judge->seconds[i]);
    for (int way = 0; way < WAY_COUNT; way++) {
        g_free(judge->window[way].slots);
        g_free(judge->window[way].recent);
    }
    g_array_unref(judge->block_rtt);
    g_free(judge);
}

static void hand_out(MeetingJudge *judge);

static gint64 second_of(const MeetingJudge *judge, gint64 time_ns)
{
    gint64 offset = time_ns - judge->start_ns;
    return offset < 0 ? 0 : offset / NS_PER_S;
}

/* The second, or NULL if it was handed out already. */
static Second *second_at(MeetingJudge *judge, gint64 number)
{
    if (number < judge->first)
        return NULL;
    while (number >= judge->first + KEPT_SECONDS)
        hand_out(judge);
    if (number > judge->highest)
        judge->highest = number;
    return &judge->seconds[number % KEPT_SECONDS];
}

static void charge_second(MeetingJudge *judge, MeetingWay way, gint64 number, MeetingFault fault)
{
    if (number >= judge->first)
        judge->seconds[number % KEPT_SECONDS].way[way].faults |= BIT(fault);
}

typedef gboolean (*Guilty)(const Slot *slot, const MeetingTargets *targets);

static gboolean guilty_lost(const Slot *slot, const MeetingTargets *targets)
{
    (void)targets;
    return slot->lost;
}

static gboolean guilty_late(const Slot *slot, const MeetingTargets *targets)
{
    (void)targets;
    return slot->late;
}

static gboolean guilty_jitter(const Slot *slot, const MeetingTargets *targets)
{
    return slot->has_d && (double)slot->d_ms >= targets->jitter_ms;
}

/* Charges the last n packets of a broken window to the seconds of those of them that broke it. */
static void charge(MeetingJudge *judge, MeetingWay way, unsigned n, MeetingFault fault,
                   Guilty guilty)
{
    const Window *window = &judge->window[way];
    unsigned index = window->at;
    for (unsigned i = 0; i < MIN(n, window->n); i++) {
        index = (index ? index : window->length) - 1;
        if (guilty(&window->slots[index], &judge->targets))
            charge_second(judge, way, window->slots[index].second, fault);
    }
}

/* Smallest delay of the last MIN_SECONDS seconds, this packet included. */
static gint64 smallest_delay(Window *window, gint64 second, gint64 delay_ns)
{
    gint64 smallest = delay_ns;
    unsigned slot = (unsigned)(second % MIN_SECONDS);
    if (window->minimum_second[slot] != second || delay_ns < window->minimum_ns[slot]) {
        window->minimum_second[slot] = second;
        window->minimum_ns[slot] = delay_ns;
    }
    for (int i = 0; i < MIN_SECONDS; i++) {
        gint64 age = second - window->minimum_second[i];
        if (window->minimum_second[i] >= 0 && age >= 0 && age < MIN_SECONDS)
            smallest = MIN(smallest, window->minimum_ns[i]);
    }
    return smallest;
}

/* Moves the 15 s window on by one packet. */
static void slide(Window *window, const Slot *slot)
{
    Slot *place = &window->slots[window->at];
    if (window->n == window->length) {
        window->lost -= place->lost;
        window->late -= place->late;
        window->has_d -= place->has_d;
        window->d_ms -= (double)place->d_ms;
    } else {
        window->n++;
    }
    *place = *slot;
    window->at = (window->at + 1) % window->length;
    window->lost += slot->lost;
    window->late += slot->late;
    window->has_d += slot->has_d;
    window->d_ms += (double)slot->d_ms;
}

static void slide_short(Window *window, gboolean lost)
{
    guint8 *place = &window->recent[window->short_at];
    if (window->short_n == window->short_length)
        window->short_lost -= *place;
    else
        window->short_n++;
    *place = lost != FALSE;
    window->short_at = (window->short_at + 1) % window->short_length;
    window->short_lost += lost != FALSE;
}

/* Asks every target of the windows that end with this packet. A window not yet full is judged as if
 * the rest of it were good. A packet that did nothing wrong adds nothing to what the windows before
 * it were charged with, but to the mean of the jitter. */
static void judge_windows(MeetingJudge *judge, MeetingWay way, const Slot *slot)
{
    Window *window = &judge->window[way];
    const MeetingTargets *targets = &judge->targets;
    double length = window->length;
    unsigned all = window->length;
    WayState *state = &judge->seconds[slot->second % KEPT_SECONDS].way[way];

    if (window->short_lost >= 1)
        state->single++;
    if (slot->lost && window->short_lost >= targets->burst_lost)
        charge(judge, way, window->short_length, FAULT_BURST, guilty_lost);
    if (slot->lost && window->lost >= targets->loss_share * length)
        charge(judge, way, all, FAULT_LOSS, guilty_lost);
    if (slot->lost && window->lost > POOR_LOSS * length)
        charge(judge, way, all, FAULT_POOR_LOSS, guilty_lost);
    if (slot->late && window->late > POOR_CONCEALED * length)
        charge(judge, way, all, FAULT_CONCEALED, guilty_late);
    double jitter_ms = window->d_ms / (window->n == all && window->has_d ? window->has_d : length);
    if (jitter_ms >= targets->jitter_ms)
        charge(judge, way, all, FAULT_JITTER, guilty_jitter);
    if (jitter_ms > POOR_JITTER_MS)
        charge(judge, way, all, FAULT_POOR_JITTER, guilty_jitter);
    state->window_concealed = window->late / length;
}

static void judge_gap(MeetingJudge *judge, MeetingWay way, gint64 second, gint64 sent_ns)
{
    Window *window = &judge->window[way];
    gint64 gap_ns = sent_ns - window->run_start_ns;
    gint64 from = second_of(judge, window->run_start_ns);
    for (gint64 number = from; number <= second; number++) {
        if (gap_ns > GAP_S * NS_PER_S)
            charge_second(judge, way, number, FAULT_GAP);
        if (gap_ns > SILENCE_S * NS_PER_S)
            charge_second(judge, way, number, FAULT_SILENCE);
    }
}

void meeting_judge_audio(MeetingJudge *judge, MeetingWay way, gint64 sent_ns, gint64 delay_ns,
                         gboolean reordered)
{
    gint64 number = second_of(judge, sent_ns);
    Second *second = second_at(judge, number);
    if (!second)
        return;
    Window *window = &judge->window[way];
    WayState *state = &second->way[way];
    gboolean lost = delay_ns == MEETING_LOST;
    Slot slot = {.second = number, .lost = lost != FALSE, .late = lost != FALSE};
    if (!lost) {
        gint64 above_ns = delay_ns - smallest_delay(window, number, delay_ns);
        slot.late = (double)above_ns > judge->targets.buffer_ms * 1e6;
        if (window->previous_delay_ns != MEETING_LOST) {
            slot.d_ms = (float)(fabs((double)(delay_ns - window->previous_delay_ns)) / 1e6);
            slot.has_d = 1;
        }
        window->previous_delay_ns = delay_ns;
    }
    state->sent++;
    state->lost += slot.lost;
    state->late += slot.late;
    state->has_d += slot.has_d;
    state->d_ms += (double)slot.d_ms;
    state->reordered += reordered != FALSE;
    if (lost) {
        if (window->run++ == 0)
            window->run_start_ns = sent_ns;
        if (window->run == 1 || state->lost == 1)
            state->periods++;
        state->longest = MAX(state->longest, window->run);
    }
    slide(window, &slot);
    slide_short(window, lost);
    judge_windows(judge, way, &slot);
    if (window->run > 0)
        judge_gap(judge, way, number, sent_ns);
    if (!lost)
        window->run = 0;
}

void meeting_judge_video(MeetingJudge *judge, MeetingWay way, gint64 sent_ns, gboolean lost,
                         gboolean reordered)
{
    Second *second = second_at(judge, second_of(judge, sent_ns));
    if (!second)
        return;
    second->way[way].video_sent++;
    second->way[way].video_lost += lost != FALSE;
    second->way[way].reordered += reordered != FALSE;
}

void meeting_judge_frame(MeetingJudge *judge, MeetingWay way, gint64 sent_ns, gboolean complete)
{
    Second *second = second_at(judge, second_of(judge, sent_ns));
    if (!second)
        return;
    second->way[way].frames++;
    second->way[way].frames_spoilt += complete == FALSE;
}

void meeting_judge_rtt(MeetingJudge *judge, gint64 sent_ns, gint64 rtt_ns)
{
    Second *second = second_at(judge, second_of(judge, sent_ns));
    if (second && second->n_rtt < MAX_RTTS)
        second->rtt_ms[second->n_rtt++] = (double)rtt_ns / 1e6;
}

void meeting_judge_delay(MeetingJudge *judge, MeetingWay way, gint64 sent_ns, gint64 delay_ns)
{
    Second *second = second_at(judge, second_of(judge, sent_ns));
    if (!second)
        return;
    WayState *state = &second->way[way];
    double delay_ms = (double)delay_ns / 1e6;
    if (!state->delays)
        state->delays = g_array_new(FALSE, FALSE, sizeof delay_ms);
    g_array_append_val(state->delays, delay_ms);
}

/* Reordering and video look at sums of seconds: at every second the window of the 15 seconds that
 * start with it. Called when all of them are in. */
static void judge_sums(MeetingJudge *judge, gint64 from, gint64 to)
{
    for (int way = 0; way < WAY_COUNT; way++) {
        unsigned packets = 0, reordered = 0, frames = 0, spoilt = 0, video = 0, video_lost = 0;
        for (gint64 number = from; number <= to; number++) {
            const WayState *state = &judge->seconds[number % KEPT_SECONDS].way[way];
            packets += state->sent + state->video_sent;
            reordered += state->reordered;
            frames += state->frames;
            spoilt += state->frames_spoilt;
            video += state->video_sent;
            video_lost += state->video_lost;
        }
        /* A short session is judged as if the rest of the window were good. */
        double full = (double)packets * WINDOW_S / (double)(to - from + 1);
        if (reordered > 0 && reordered >= judge->targets.reorder_share * full)
            for (gint64 number = from; number <= to; number++) {
                if (judge->seconds[number % KEPT_SECONDS].way[way].reordered > 0)
                    charge_second(judge, (MeetingWay)way, number, FAULT_REORDER);
            }
        gboolean slow = frames - spoilt < POOR_FRAMES_PER_S * (to - from + 1) &&
                        judge->targets.frames_per_s >= POOR_FRAMES_PER_S;
        if (frames > 0 &&
            (slow || spoilt > POOR_FRAME_LOSS * frames || video_lost > POOR_VIDEO_LOSS * video))
            for (gint64 number = from; number <= to; number++) {
                if (judge->seconds[number % KEPT_SECONDS].way[way].frames_spoilt > 0)
                    charge_second(judge, (MeetingWay)way, number, FAULT_VIDEO);
            }
    }
}

/* R and MOS of one way of one second. */
static double way_r(const MeetingJudge *judge, double rtt_ms, double concealed, double burst_r)
{
    const MeetingTargets *targets = &judge->targets;
    double delay_ms = rtt_ms / 2 + targets->buffer_ms + targets->coder_ms;
    return emodel_r(targets->codec, delay_ms, 100 * concealed, CLAMP(burst_r, 1, 2));
}

static void judge_way(MeetingJudge *judge, Second *second, MeetingWay way, MeetingResult *result)
{
    WayState *state = &second->way[way];
    double sent = state->sent;
    if (state->delays && state->delays->len > 0) {
        double median = rank_of((double *)(void *)state->delays->data, state->delays->len, 0.5);
        if (median >= judge->targets.delay_ms)
            state->faults |= BIT(FAULT_DELAY);
    }
    result->audio_sent += state->sent;
    result->reordered += state->reordered;
    result->single_losses += state->single;
    result->longest_loss = MAX(result->longest_loss, state->longest);
    if (state->has_d > 0)
        result->jitter_ms = MAX(result->jitter_ms, state->d_ms / state->has_d);
    if (state->sent > 0) {
        result->loss_percent = MAX(result->loss_percent, 100 * state->lost / sent);
        result->concealed_percent = MAX(result->concealed_percent, 100 * state->late / sent);
    }
    if (state->frames > 0)
        result->video_loss_percent =
            MAX(result->video_loss_percent, 100.0 * state->frames_spoilt / state->frames);
    if (!isnan(result->rtt_ms) && state->sent > 0) {
        double share = state->lost / sent;
        double burst_r = state->periods ? state->lost / (double)state->periods * (1 - share) : 1;
        double r = way_r(judge, result->rtt_ms, state->late / sent, burst_r);
        if (isnan(result->r_factor) || r < result->r_factor) {
            result->r_factor = r;
            result->mos = emodel_mos_of(judge->targets.codec, r);
        }
        double window_r = way_r(judge, result->rtt_ms, state->window_concealed, burst_r);
        double drop = judge->best_mos - emodel_mos_of(judge->targets.codec, window_r);
        if (drop > POOR_MOS_DROP && (state->late > 0 || result->rtt_ms >= judge->targets.rtt_ms))
            second->faults |= BIT(FAULT_SPEECH);
    }
}

static MeetingGrade grade_of(guint64 faults)
{
    if (faults & BIT(FAULT_SILENCE))
        return GRADE_BLACK;
    if (faults & RED_FAULTS)
        return GRADE_RED;
    return faults ? GRADE_YELLOW : GRADE_GREEN;
}

static void block_add(MeetingJudge *judge, const Second *second, const MeetingResult *result)
{
    MeetingResult *block = &judge->block;
    if (judge->block_seconds++ == 0) {
        *block = *result;
        block->is_window = TRUE;
        block->duration_ns = 0;
        block->loss_percent = block->concealed_percent = block->video_loss_percent = 0;
        g_array_set_size(judge->block_rtt, 0);
    } else {
        block->grade = MAX(block->grade, result->grade);
        block->audio_sent += result->audio_sent;
        block->reordered += result->reordered;
        block->single_losses += result->single_losses;
        block->longest_loss = MAX(block->longest_loss, result->longest_loss);
        block->jitter_ms = MAX(block->jitter_ms, result->jitter_ms);
        if (!isnan(result->r_factor) &&
            (isnan(block->r_factor) || result->r_factor < block->r_factor)) {
            block->r_factor = result->r_factor;
            block->mos = result->mos;
        }
        for (int way = 0; way < WAY_COUNT; way++)
            block->faults[way] |= result->faults[way];
    }
    /* Every second of a stream has the same number of packets, so shares average. */
    block->loss_percent += result->loss_percent / WINDOW_S;
    block->concealed_percent += result->concealed_percent / WINDOW_S;
    block->video_loss_percent += result->video_loss_percent / WINDOW_S;
    block->duration_ns += result->duration_ns;
    g_array_append_vals(judge->block_rtt, second->rtt_ms, second->n_rtt);
}

static void block_out(MeetingJudge *judge)
{
    MeetingResult *block = &judge->block;
    if (judge->block_seconds == 0)
        return;
    double part = (double)WINDOW_S / judge->block_seconds;
    block->loss_percent *= part;
    block->concealed_percent *= part;
    block->video_loss_percent *= part;
    block->rtt_ms = judge->block_rtt->len ? rank_of((double *)(void *)judge->block_rtt->data,
                                                    judge->block_rtt->len, 0.5)
                                          : NAN;
    judge->block_seconds = 0;
    judge->sink(block, judge->data);
}

/* Hands out the oldest second. */
static void hand_out(MeetingJudge *judge)
{
    Second *second = &judge->seconds[judge->first % KEPT_SECONDS];
    MeetingResult result = {
        .start_ns = judge->start_ns + judge->first * NS_PER_S,
        .duration_ns = NS_PER_S,
        .rtt_ms = NAN,
        .r_factor = NAN,
        .mos = NAN,
    };
    judge_sums(judge, judge->first,
               MIN(judge->first + WINDOW_S - 1, MAX(judge->highest, judge->first)));
    if (second->n_rtt > 0) {
        result.rtt_ms = rank_of(second->rtt_ms, second->n_rtt, 0.5);
        if (result.rtt_ms >= judge->targets.rtt_ms)
            second->faults |= BIT(FAULT_RTT);
        if (result.rtt_ms > POOR_RTT_MS)
            second->faults |= BIT(FAULT_POOR_RTT);
    }
    for (int way = 0; way < WAY_COUNT; way++) {
        judge_way(judge, second, (MeetingWay)way, &result);
        result.faults[way] = second->way[way].faults;
    }
    result.faults[WAY_DOWN] |= second->faults;
    result.grade = result.audio_sent > 0 ? grade_of(result.faults[WAY_DOWN] | result.faults[WAY_UP])
                                         : GRADE_UNKNOWN;
    judge->sink(&result, judge->data);
    block_add(judge, second, &result);
    if (judge->block_seconds == WINDOW_S)
        block_out(judge);
    second_clear(second);
    judge->first++;
}

void meeting_judge_advance(MeetingJudge *judge, gint64 now_ns)
{
    while (judge->start_ns + (judge->first + 1 + WINDOW_S) * NS_PER_S <= now_ns)
        hand_out(judge);
}

void meeting_judge_finish(MeetingJudge *judge, gint64 end_ns)
{
    while (judge->start_ns + judge->first * NS_PER_S < end_ns && judge->first <= judge->highest)
        hand_out(judge);
    block_out(judge);
}

const char *meeting_reason(const MeetingResult *result, char buffer[MEETING_REASON_SIZE])
{
    static const char *const ways[WAY_COUNT] = {"-down", "-up"};
    size_t at = 0;
    buffer[0] = '\0';
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        for (int way = 0; way < WAY_COUNT; way++) {
            if (!(result->faults[way] & BIT(fault)))
                continue;
            const char *suffix = fault < FAULT_WAY_COUNT ? ways[way] : "";
            at += (size_t)g_snprintf(buffer + at, (gulong)(MEETING_REASON_SIZE - at), "%s%s%s",
                                     at ? "," : "", fault_names[fault], suffix);
        }
    }
    return buffer;
}
