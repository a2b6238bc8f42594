/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standing streams of small packets, each answered by the far end: what STAMP and ICMP echo have in
 * common. One row of latencies per second. Answers are read when the next packet is sent, because
 * the kernel stamped them when they came: a wake-up for each would cost more than the packets. A
 * silent path is tried again with a new socket every two seconds, so that a new address or
 * interface is taken up; what was sent meanwhile counts as lost, as the traveller would feel it.
 */
#pragma once

#include "logger/probe.h"
#include "logger/stamp-tally.h"
#include "logger/udp.h"

typedef struct StreamRun StreamRun;

/* What differs. */
typedef struct {
    gboolean echo;   /* a ping socket instead of UDP */
    gboolean counts; /* the far end numbers its answers, so losses are told by way */
    /* Writes packet `seq` that says it was sent at sent_ns (CLOCK_REALTIME). Returns its bytes
     * after the IP and UDP heads. */
    gsize (*write)(StreamRun *stream, guint32 seq, gint64 sent_ns, guint8 data[UDP_MAX_PACKET]);
    /* Looks at what came; tells stream_answered() if it is an answer to what was sent. */
    void (*answer)(StreamRun *stream, const UdpPacket *packet);
    /* Adds to a row of latencies and to the probe's detail; may be NULL. */
    void (*row)(const StreamRun *stream, const StampInterval *interval, Latency *row);
    void (*detail)(StreamRun *stream, const StampTotals *totals);
} StreamKind;

/* The head of the kind's own struct. */
struct StreamRun {
    ProbeRun run;
    const StreamKind *kind;
    double step_ns; /* between two packets */
    UdpAddress peer;
    StampTally *tally;
    /* private */
    struct ProbeTarget *resolving;
    UdpSocket *socket;
    struct Pace *pace;
    guint32 next;                          /* number of the next packet */
    guint32 socket_first;                  /* the first on this socket: what the kernel calls 0 */
    gint64 start_ns, heard_ns, renewed_ns; /* CLOCK_MONOTONIC */
    GArray *medians;                       /* of intervals, ms: for the result */
};

/* Begins: looks up the target's name (borrowed), then sends per_s packets a second. */
void stream_start(StreamRun *stream, const StreamKind *kind, const char *target, guint16 port,
                  double per_s);
/* An answer to `seq`; times CLOCK_REALTIME. FALSE if no such packet waits. */
gboolean stream_answered(StreamRun *stream, guint32 seq, guint32 far_seq, gint64 far_received_ns,
                         gint64 far_sent_ns, gint64 arrived_ns, gboolean disciplined);
/* Bytes of IP and UDP heads of one packet to this target. */
unsigned stream_heads(const StreamRun *stream);

/* For ProbeType; run is a StreamRun. */
void stream_stop(ProbeRun *run);
void stream_clear(ProbeRun *run);
double stream_bytes(const ProbeSettings *settings);
