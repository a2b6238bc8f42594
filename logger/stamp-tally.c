/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/stamp-tally.h"

#include <math.h>
#include <string.h>

#define MAX_PER_INTERVAL 2048

typedef struct {
    gint64 mono_ns;    /* when it went out */
    gint64 written_ns; /* as the packet says */
    gint64 sent_ns;    /* by the kernel, else as written */
    gint64 rtt_ns, up_ns, down_ns;
    guint32 reflector_seq;
    guint32 life; /* which count of the reflector */
    gboolean answered, disciplined, reordered;
    unsigned duplicates;
} Slot;

struct StampTally {
    gint64 start_ns, duration_ns;
    StampIntervalSink sink;
    gpointer data;
    StampRoundTripSink watch;
    gpointer watch_data;
    Slot slots[STAMP_TALLY_SLOTS];
    guint32 next; /* number of the next packet */
    guint32 done; /* packets before it are counted */
    guint32 life;
    gboolean no_numbers;
    Jitter jitter;
    Reorder reorder;
    StampTotals totals;
    double rtt[MAX_PER_INTERVAL], up[MAX_PER_INTERVAL], down[MAX_PER_INTERVAL];
};

StampTally *stamp_tally_new(gint64 start_ns, gint64 duration_ns, StampIntervalSink sink,
                            gpointer data)
{
    StampTally *tally = g_new0(StampTally, 1);
    tally->start_ns = start_ns;
    tally->duration_ns = duration_ns;
    tally->sink = sink;
    tally->data = data;
    return tally;
}

void stamp_tally_free(StampTally *tally)
{
    g_free(tally);
}

void stamp_tally_no_numbers(StampTally *tally)
{
    tally->no_numbers = TRUE;
}

void stamp_tally_watch(StampTally *tally, StampRoundTripSink sink, gpointer data)
{
    tally->watch = sink;
    tally->watch_data = data;
}

static Slot *slot_of(StampTally *tally, guint32 seq)
{
    return &tally->slots[seq % STAMP_TALLY_SLOTS];
}

/* The packet is sent and not yet counted. */
static gboolean is_waiting(const StampTally *tally, guint32 seq)
{
    return seq - tally->done < tally->next - tally->done;
}

void stamp_tally_sent(StampTally *tally, guint32 seq, gint64 mono_ns, gint64 sent_ns)
{
    g_return_if_fail(seq == tally->next);
    if (tally->next - tally->done == STAMP_TALLY_SLOTS)
        stamp_tally_advance(tally, G_MAXINT64);
    *slot_of(tally, seq) =
        (Slot){.mono_ns = mono_ns, .written_ns = sent_ns, .sent_ns = sent_ns, .life = tally->life};
    tally->next++;
}

void stamp_tally_stamped(StampTally *tally, guint32 seq, gint64 sent_ns)
{
    if (!is_waiting(tally, seq))
        return;
    Slot *slot = slot_of(tally, seq);
    if (slot->answered) /* the answer was faster than the stamp */
        slot->rtt_ns += slot->sent_ns - sent_ns, slot->up_ns += slot->sent_ns - sent_ns;
    slot->sent_ns = sent_ns;
}

gint64 stamp_tally_sent_time(const StampTally *tally, guint32 seq)
{
    return is_waiting(tally, seq) ? tally->slots[seq % STAMP_TALLY_SLOTS].written_ns : 0;
}

gboolean stamp_tally_answer(StampTally *tally, guint32 seq, guint32 reflector_seq,
                            gint64 reflector_received_ns, gint64 reflector_sent_ns,
                            gint64 received_ns, gboolean disciplined)
{
    if (!is_waiting(tally, seq))
        return FALSE;
    Slot *slot = slot_of(tally, seq);
    if (slot->answered) {
        slot->duplicates++;
        tally->totals.duplicates++;
        return FALSE;
    }
    gint64 took_ns = received_ns - slot->sent_ns;
    if (took_ns > STAMP_TALLY_TIMEOUT_NS || took_ns < -STAMP_TALLY_TIMEOUT_NS)
        return FALSE; /* late, or the clock was set meanwhile */
    slot->answered = TRUE;
    slot->up_ns = reflector_received_ns - slot->sent_ns;
    slot->down_ns = received_ns - reflector_sent_ns;
    slot->rtt_ns = slot->up_ns + slot->down_ns;
    slot->reflector_seq = reflector_seq;
    slot->disciplined = disciplined;
    slot->reordered = reorder_add(&tally->reorder, seq);
    jitter_add(&tally->jitter, slot->down_ns);
    return TRUE;
}

void stamp_tally_restart(StampTally *tally)
{
    tally->life++;
    tally->reorder = (Reorder){0};
    tally->jitter = (Jitter){0};
}

static gint64 interval_of(const StampTally *tally, gint64 time_ns)
{
    gint64 offset = time_ns - tally->start_ns;
    return offset < 0 ? 0 : offset / tally->duration_ns;
}

/* Tells the ways apart for the packets without answer in from..to-1, which lie between the answered
 * ones before and after. */
static gboolean split_loss(StampTally *tally, guint32 from, guint32 to, unsigned *down)
{
    *down = 0;
    if (tally->no_numbers || to == tally->next || from == 0 ||
        tally->next - from >= STAMP_TALLY_SLOTS)
        return FALSE;
    const Slot *before = slot_of(tally, from - 1), *after = slot_of(tally, to);
    if (!before->answered || before->life != after->life)
        return FALSE;
    gint32 reached = (gint32)(after->reflector_seq - before->reflector_seq) - 1;
    *down = (unsigned)CLAMP(reached, 0, (gint32)(to - from));
    return TRUE;
}

static void tell(StampTally *tally, guint32 seq, const Slot *slot)
{
    const StampRoundTrip trip = {seq,          slot->sent_ns, slot->answered,
                                 slot->rtt_ns, slot->up_ns,   slot->down_ns};
    if (tally->watch)
        tally->watch(&trip, tally->watch_data);
}

typedef struct {
    unsigned n, n_one_way;
    guint32 gap_from; /* first packet of the run of losses being walked */
    unsigned gap_down_left;
    gboolean in_gap, gap_known;
} Walk;

static void count_lost(StampTally *tally, StampInterval *interval, Walk *walk, guint32 seq)
{
    if (!walk->in_gap) {
        guint32 from = seq, to = seq;
        while (from > 0 && tally->next - from < STAMP_TALLY_SLOTS &&
               !slot_of(tally, from - 1)->answered)
            from--; /* the run may have begun in the interval before */
        while (to != tally->next && !slot_of(tally, to)->answered)
            to++;
        unsigned down;
        walk->in_gap = TRUE;
        walk->gap_known = split_loss(tally, from, to, &down);
        /* The first of a run count as lost up, the last as lost down. */
        walk->gap_down_left = down;
        walk->gap_from = to - down;
    }
    if (!walk->gap_known) {
        interval->ways_known = FALSE;
        tally->totals.lost_unknown++;
    } else if ((gint32)(seq - walk->gap_from) >= 0) {
        interval->lost_down++;
        tally->totals.lost_down++;
    } else {
        interval->lost_up++;
        tally->totals.lost_up++;
    }
}

/* Counts the packets of one interval: from `done` to before `end`. */
static void count(StampTally *tally, gint64 number, guint32 end)
{
    StampInterval interval = {
        .start_ns = tally->start_ns + number * tally->duration_ns,
        .duration_ns = tally->duration_ns,
        .rtt_ms = NAN,
        .rtt_min_ms = NAN,
        .rtt_max_ms = NAN,
        .jitter_ms = tally->jitter.n > 1 ? tally->jitter.jitter_ns / 1e6 : NAN,
        .delay_up_ms = NAN,
        .delay_down_ms = NAN,
        .ways_known = !tally->no_numbers,
    };
    Walk walk = {0};
    LossPattern loss = {0};
    for (; tally->done != end; tally->done++) {
        Slot *slot = slot_of(tally, tally->done);
        tell(tally, tally->done, slot);
        interval.sent++;
        loss_add(&loss, !slot->answered);
        interval.duplicates += slot->duplicates;
        if (!slot->answered) {
            count_lost(tally, &interval, &walk, tally->done);
            continue;
        }
        walk.in_gap = FALSE;
        interval.received++;
        interval.reordered += slot->reordered != FALSE;
        if (walk.n < MAX_PER_INTERVAL)
            tally->rtt[walk.n++] = (double)slot->rtt_ns / 1e6;
        if (slot->disciplined && walk.n_one_way < MAX_PER_INTERVAL) {
            tally->up[walk.n_one_way] = (double)slot->up_ns / 1e6;
            tally->down[walk.n_one_way++] = (double)slot->down_ns / 1e6;
        }
    }
    if (walk.n > 0) {
        interval.rtt_ms = rank_of(tally->rtt, walk.n, 0.5);
        interval.rtt_min_ms = tally->rtt[0];
        interval.rtt_max_ms = tally->rtt[walk.n - 1];
    }
    if (walk.n_one_way > 0) {
        interval.delay_up_ms = rank_of(tally->up, walk.n_one_way, 0.5);
        interval.delay_down_ms = rank_of(tally->down, walk.n_one_way, 0.5);
    }
    interval.longest_loss = (unsigned)loss.longest;
    tally->totals.sent += interval.sent;
    tally->totals.received += interval.received;
    tally->totals.reordered += interval.reordered;
    tally->sink(&interval, tally->data);
}

void stamp_tally_advance(StampTally *tally, gint64 mono_ns)
{
    while (tally->done != tally->next) {
        gint64 number = interval_of(tally, slot_of(tally, tally->done)->mono_ns);
        gint64 end_ns = tally->start_ns + (number + 1) * tally->duration_ns;
        guint32 end = tally->done;
        if (mono_ns != G_MAXINT64 && mono_ns - STAMP_TALLY_TIMEOUT_NS < end_ns)
            return;
        while (end != tally->next && slot_of(tally, end)->mono_ns < end_ns)
            end++;
        count(tally, number, end);
    }
}

void stamp_tally_finish(StampTally *tally, gint64 mono_ns)
{
    while (tally->next != tally->done) {
        const Slot *last = slot_of(tally, tally->next - 1);
        if (last->answered || mono_ns - last->mono_ns > STAMP_TALLY_TIMEOUT_NS)
            break;
        tally->next--;
    }
    stamp_tally_advance(tally, G_MAXINT64);
}

StampTotals stamp_tally_totals(const StampTally *tally)
{
    return tally->totals;
}
