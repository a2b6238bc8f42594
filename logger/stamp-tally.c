/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/stamp-tally.h"

#include <math.h>
#include <stdlib.h>

#define MAX_PER_INTERVAL 2048
#define OVERTAKEN        16  /* packets that one may overtake */
#define OVERLAP          128 /* packets counted before that may still tell the way of later ones */

typedef struct {
    gint64 mono_ns;    /* when it went out */
    gint64 written_ns; /* as the packet says */
    gint64 sent_ns;    /* by the kernel, else as written */
    gint64 rtt_ns, up_ns, down_ns;
    guint32 reflector_seq;
    guint32 life; /* which count of the reflector */
    gboolean answered, disciplined, reordered, lost_down;
    unsigned duplicates;
} Slot;

typedef struct {
    guint32 life, reflector_seq, seq;
} Answered;

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
    guint32 known_from, known_to; /* first and last answered packet looked at */
    Answered answered[STAMP_TALLY_SLOTS];
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

static int by_reflector(gconstpointer a, gconstpointer b)
{
    const Answered *x = a, *y = b;
    if (x->life != y->life)
        return x->life < y->life ? -1 : 1;
    return x->reflector_seq < y->reflector_seq ? -1 : x->reflector_seq > y->reflector_seq;
}

static gboolean mark_one(StampTally *tally, gint64 seq, guint32 life, guint32 number)
{
    if (seq < (gint64)tally->done || seq >= (gint64)tally->next)
        return FALSE;
    Slot *slot = slot_of(tally, (guint32)seq);
    if (slot->answered || slot->lost_down)
        return FALSE;
    slot->lost_down = TRUE;
    slot->life = life;
    slot->reflector_seq = number;
    return TRUE;
}

/* The reflector gave this number to a packet between two answers it sent one after the other: it
 * reached it, and its answer was lost on the way down. Which packet it was is known but for the
 * order in which they overtook each other: the nearest without answer. */
static void mark_down(StampTally *tally, const Answered *a, const Answered *b, guint32 number)
{
    gint64 low = MIN(a->seq, b->seq), high = MAX(a->seq, b->seq);
    for (gint64 seq = low + 1; seq < high; seq++) {
        if (mark_one(tally, seq, a->life, number))
            return;
    }
    for (gint64 away = 1; away <= OVERTAKEN; away++) {
        if (mark_one(tally, low - away, a->life, number) ||
            mark_one(tally, high + away, a->life, number))
            return;
    }
}

/* Tells the ways of losses apart as far as answers have come. Walks the answers in the reflector's
 * order, because packets may overtake each other on the way up. Packets before `end` are being
 * counted. */
static void tell_ways(StampTally *tally, guint32 end)
{
    guint32 from = tally->done > OVERLAP ? tally->done - OVERLAP : 0;
    guint n = 0;
    if (tally->next - from > STAMP_TALLY_SLOTS)
        from = tally->next - STAMP_TALLY_SLOTS;
    tally->known_from = tally->known_to = tally->next;
    for (guint32 seq = from; seq != tally->next; seq++) {
        const Slot *slot = slot_of(tally, seq);
        if (slot->answered && tally->known_from == tally->next)
            tally->known_from = seq;
        if (slot->answered)
            tally->known_to = seq;
        if (slot->answered || slot->lost_down)
            tally->answered[n++] = (Answered){slot->life, slot->reflector_seq, seq};
    }
    if (tally->no_numbers)
        return;
    qsort(tally->answered, n, sizeof tally->answered[0], by_reflector);
    for (guint i = 1; i < n; i++) {
        const Answered *a = &tally->answered[i - 1], *b = &tally->answered[i];
        /* Of packets younger than the interval the answers may still come. */
        if ((gint64)MIN(a->seq, b->seq) >= (gint64)end + OVERTAKEN)
            continue;
        if (a->life != b->life || b->reflector_seq - a->reflector_seq > STAMP_TALLY_SLOTS)
            continue;
        for (guint32 number = a->reflector_seq + 1; number < b->reflector_seq; number++)
            mark_down(tally, a, b, number);
    }
}

/* Both neighbours of the loss that were answered were counted by the same reflector. */
static gboolean way_known(StampTally *tally, guint32 seq)
{
    guint32 before = seq, after = seq;
    if (tally->no_numbers || tally->known_from == tally->next || seq < tally->known_from ||
        seq > tally->known_to)
        return FALSE;
    while (!slot_of(tally, before)->answered)
        before--;
    while (!slot_of(tally, after)->answered)
        after++;
    return slot_of(tally, before)->life == slot_of(tally, after)->life;
}

static void tell(StampTally *tally, guint32 seq, const Slot *slot)
{
    const StampRoundTrip trip = {seq,          slot->sent_ns, slot->answered,
                                 slot->rtt_ns, slot->up_ns,   slot->down_ns};
    if (tally->watch)
        tally->watch(&trip, tally->watch_data);
}

static void count_lost(StampTally *tally, StampInterval *interval, guint32 seq)
{
    if (!way_known(tally, seq)) {
        interval->ways_known = FALSE;
        tally->totals.lost_unknown++;
    } else if (slot_of(tally, seq)->lost_down) {
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
    unsigned n = 0, n_one_way = 0;
    LossPattern loss = {0};
    tell_ways(tally, end);
    for (; tally->done != end; tally->done++) {
        Slot *slot = slot_of(tally, tally->done);
        tell(tally, tally->done, slot);
        interval.sent++;
        loss_add(&loss, !slot->answered);
        interval.duplicates += slot->duplicates;
        if (!slot->answered) {
            count_lost(tally, &interval, tally->done);
            continue;
        }
        interval.received++;
        interval.reordered += slot->reordered != FALSE;
        if (n < MAX_PER_INTERVAL)
            tally->rtt[n++] = (double)slot->rtt_ns / 1e6;
        if (slot->disciplined && n_one_way < MAX_PER_INTERVAL) {
            tally->up[n_one_way] = (double)slot->up_ns / 1e6;
            tally->down[n_one_way++] = (double)slot->down_ns / 1e6;
        }
    }
    if (n > 0) {
        interval.rtt_ms = rank_of(tally->rtt, n, 0.5);
        interval.rtt_min_ms = tally->rtt[0];
        interval.rtt_max_ms = tally->rtt[n - 1];
    }
    if (n_one_way > 0) {
        interval.delay_up_ms = rank_of(tally->up, n_one_way, 0.5);
        interval.delay_down_ms = rank_of(tally->down, n_one_way, 0.5);
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
