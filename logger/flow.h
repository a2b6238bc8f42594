/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passive view of a modem's traffic: headers in, sums out. Pure: no socket, no allocation per
 * packet; knows IPv4, IPv6, TCP and UDP. Addresses and ports serve to tell connections apart and
 * are never handed out.
 *
 * Goodput is the payload of TCP (what was sent again left out) and UDP. Round trips are those of
 * TCP, from the vehicle to the far end and back: SYN to SYN-ACK, data to its acknowledgement
 * (Karn's rule: not of what was sent again), and timestamp to its echo (RFC 7323), which also works
 * while only downloading.
 */
#pragma once

#include "formats/records.h"
#include <glib.h>

#define FLOW_BIN_NS  G_GINT64_CONSTANT(100000000)
#define FLOW_TABLE   1024 /* connections told apart; a power of two */
#define FLOW_SNAPLEN 128  /* bytes of a packet that are looked at */

typedef struct {
    gint64 start_ns, duration_ns;
    guint64 goodput[2]; /* payload bytes: [0] down, [1] up */
    guint64 bytes[2];   /* of IP */
    guint64 packets[2];
    unsigned retransmissions[2];
    unsigned out_of_order[2];
    unsigned n_rtt;
    double rtt_ms; /* median; NAN without */
} FlowBin;

typedef void (*FlowSink)(const FlowBin *bin, gpointer data);

typedef struct Flow Flow;

/* Bins with traffic go to the sink: of 100 ms while there is 1 Mbit/s or more, of up to 1 s else.
 * Returns: (transfer full). */
Flow *flow_new(FlowSink sink, gpointer data);
/* NULL is allowed. */
void flow_free(Flow *flow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Flow, flow_free)

/* What one packet counted for. */
typedef struct {
    guint64 goodput, bytes; /* as in FlowBin; 0 for what is no IP */
    guint64 acked;          /* bytes of TCP of the other way that it acknowledges anew */
} FlowShare;

/* One packet, from its IP header on: `captured` bytes of `length`. Times should ascend; a packet of
 * an earlier bin is counted in the current one. */
FlowShare flow_packet(Flow *flow, gboolean up, gint64 time_ns, const guint8 *data, gsize captured,
                      gsize length);

/* Time went on to now_ns: hands out what is complete. */
void flow_advance(Flow *flow, gint64 now_ns);
/* Hands out the rest. */
void flow_finish(Flow *flow);
