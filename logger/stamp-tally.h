/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting a stream of round trips: what was sent, what came back, in which order, and on which way
 * the rest was lost. Pure: times come from the caller. Intervals go by CLOCK_MONOTONIC, so that a
 * step of the clock cannot upset them; packets carry and get CLOCK_REALTIME, as the kernel stamps
 * them.
 *
 * A packet is final TIMEOUT after it was sent; an answer later than that counts as lost. Results
 * are made per interval of sending. The reflector numbers its answers, so between two answered
 * packets it is known how many of those without answer had reached it: these were lost on the way
 * down, the others on the way up. Losses with no answer after them cannot be told apart.
 */
#pragma once

#include "logger/stream-stat.h"
#include <glib.h>

#define STAMP_TALLY_TIMEOUT_NS G_GINT64_CONSTANT(2000000000)
#define STAMP_TALLY_SLOTS      4096 /* packets remembered: a power of two */

typedef struct {
    gint64 start_ns, duration_ns; /* of the interval, by sending; CLOCK_MONOTONIC */
    unsigned sent, received;
    double rtt_ms, rtt_min_ms, rtt_max_ms; /* NAN without answers */
    double jitter_ms;                      /* RFC 3550, of the way down; NAN before two answers */
    double delay_up_ms, delay_down_ms;     /* medians; NAN unless both clocks are disciplined */
    gboolean ways_known;                   /* the next two are set */
    unsigned lost_up, lost_down;
    unsigned reordered, duplicates;
    unsigned longest_loss; /* runs are cut at the interval's borders */
} StampInterval;

typedef void (*StampIntervalSink)(const StampInterval *interval, gpointer data);

/* One packet, when it is final. */
typedef struct {
    guint32 seq;
    gint64 sent_ns; /* by the kernel where it said */
    gboolean answered;
    gint64 rtt_ns;
    gint64 up_ns, down_ns; /* raw differences of the two clocks */
} StampRoundTrip;
typedef void (*StampRoundTripSink)(const StampRoundTrip *trip, gpointer data);

typedef struct StampTally StampTally;

/* Intervals of duration_ns from start_ns on.
 * Returns: (transfer full). */
StampTally *stamp_tally_new(gint64 start_ns, gint64 duration_ns, StampIntervalSink sink,
                            gpointer data);
/* NULL is allowed. */
void stamp_tally_free(StampTally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StampTally, stamp_tally_free)

/* The other end has no numbers of its own (ICMP echo): the ways of losses stay unknown. */
void stamp_tally_no_numbers(StampTally *tally);

/* Also tells each packet. */
void stamp_tally_watch(StampTally *tally, StampRoundTripSink sink, gpointer data);

/* A packet goes out at mono_ns; it carries sent_ns. Numbers count up from 0 without holes. */
void stamp_tally_sent(StampTally *tally, guint32 seq, gint64 mono_ns, gint64 sent_ns);
/* The kernel's own time of it. */
void stamp_tally_stamped(StampTally *tally, guint32 seq, gint64 sent_ns);

/* An answer: the reflector's times and number of it. `disciplined`: both clocks follow UTC.
 * FALSE if no such packet is waiting (made up, too late, or for the second time). */
gboolean stamp_tally_answer(StampTally *tally, guint32 seq, guint32 reflector_seq,
                            gint64 reflector_received_ns, gint64 reflector_sent_ns,
                            gint64 received_ns, gboolean disciplined);
/* When packet `seq` was sent as its answer must repeat it; 0 if it is not waiting. */
gint64 stamp_tally_sent_time(const StampTally *tally, guint32 seq);

/* The reflector begins to count anew (another socket, another reflector). */
void stamp_tally_restart(StampTally *tally);

/* Hands out the intervals whose packets are all final. */
void stamp_tally_advance(StampTally *tally, gint64 mono_ns);
/* Hands out all that is left. The last packets, younger than the timeout and with no answer after
 * them, are still on their way: they are not counted at all. */
void stamp_tally_finish(StampTally *tally, gint64 mono_ns);

typedef struct {
    guint64 sent, received, lost_up, lost_down, lost_unknown, reordered, duplicates;
} StampTotals;
StampTotals stamp_tally_totals(const StampTally *tally);
