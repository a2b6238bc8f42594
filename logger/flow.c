/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/flow.h"

#include "formats/bytes.h"
#include "logger/stream-stat.h"
#include <math.h>
#include <string.h>

#define MAX_RTTS     256
#define BUSY_BYTES   12500                      /* in 100 ms: 1 Mbit/s */
#define MOST_BINS    10                         /* of 100 ms put together while there is less */
#define REORDER_NS   G_GINT64_CONSTANT(3000000) /* a hole filled sooner was not sent again */
#define RTT_LIMIT_NS G_GINT64_CONSTANT(60000000000)
#define TCP_FIN      0x01
#define TCP_SYN      0x02
#define TCP_ACK      0x10
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

/* What is known of one way of a connection. */
typedef struct {
    gboolean begun;
    guint32 end;     /* highest sequence number sent, plus one */
    guint32 hole;    /* first number that was jumped over, and when; */
    gint64 hole_ns;  /* 0 = nothing is missing */
    gboolean timing; /* the next two are waiting for an answer of the other way */
    guint32 timed_end;
    gint64 timed_ns;
    gboolean stamping; /* likewise, for the timestamp option */
    guint32 stamp;
    gint64 stamped_ns;
    guint32 last_stamp;
    gboolean acking; /* the next is known */
    guint32 acked;   /* number that the end it goes to expects next */
} Side;

typedef struct {
    guint64 name; /* hash of addresses and ports; 0 = free */
    Side side[2];
} Connection;

struct Flow {
    FlowSink sink;
    gpointer data;
    FlowBin bin;
    double rtts[MAX_RTTS];
    FlowBin merged; /* quiet bins put together */
    double merged_rtts[MAX_RTTS];
    unsigned merged_bins, merged_n_rtt;
    Connection table[FLOW_TABLE];
    guint64 salt;
};

/* A TCP or UDP header, found. */
typedef struct {
    guint8 protocol;
    guint16 source, destination;
    gsize payload;
    guint32 seq, ack;
    guint8 flags;
    gboolean has_stamp;
    guint32 stamp, echo;
} Segment;

Flow *flow_new(FlowSink sink, gpointer data)
{
    Flow *flow = g_new0(Flow, 1);
    flow->sink = sink;
    flow->data = data;
    flow->salt = (guint64)g_random_int() << 32 | g_random_int();
    return flow;
}

void flow_free(Flow *flow)
{
    g_free(flow);
}

/* --- headers --- */

static void read_options(ByteReader *reader, gsize length, Segment *segment)
{
    gsize end = reader->at + length;
    while (reader->at < end && byte_reader_done(reader)) {
        guint8 kind = byte_read_u8(reader);
        if (kind == 0)
            return;
        if (kind == 1)
            continue;
        guint8 size = byte_read_u8(reader);
        if (size < 2)
            return;
        if (kind == 8 && size == 10) {
            segment->stamp = byte_read_u32(reader);
            segment->echo = byte_read_u32(reader);
            segment->has_stamp = byte_reader_done(reader);
            return;
        }
        byte_read_skip(reader, size - 2U);
    }
}

/* The transport header; `left` is what the IP packet holds from here on. */
static gboolean read_transport(ByteReader *reader, gsize left, Segment *segment)
{
    segment->source = byte_read_u16(reader);
    segment->destination = byte_read_u16(reader);
    if (segment->protocol == PROTOCOL_UDP) {
        segment->payload = left >= 8 ? left - 8 : 0;
        return byte_reader_done(reader);
    }
    segment->seq = byte_read_u32(reader);
    segment->ack = byte_read_u32(reader);
    gsize head = (gsize)(byte_read_u8(reader) >> 4) * 4;
    segment->flags = byte_read_u8(reader);
    byte_read_skip(reader, 6);
    if (!byte_reader_done(reader) || head < 20 || head > left)
        return FALSE;
    segment->payload = left - head;
    read_options(reader, head - 20, segment);
    return TRUE;
}

typedef struct {
    const guint8 *source, *destination;
    gsize address_size;
    gsize total;       /* bytes of the IP packet */
    gsize left;        /* bytes after the IP headers */
    gboolean fragment; /* not the first one: no transport header */
    guint8 protocol;
} Ip;

static gboolean read_ip(ByteReader *reader, gsize length, Ip *ip)
{
    guint8 first = byte_read_u8(reader);
    if (first >> 4 == 4) {
        gsize head = (gsize)(first & 15) * 4;
        byte_read_skip(reader, 1);
        ip->total = byte_read_u16(reader);
        byte_read_skip(reader, 2);
        ip->fragment = (byte_read_u16(reader) & 0x1fff) != 0;
        byte_read_skip(reader, 1);
        ip->protocol = byte_read_u8(reader);
        byte_read_skip(reader, 2);
        ip->address_size = 4;
        ip->source = byte_read_run(reader, 4);
        ip->destination = byte_read_run(reader, 4);
        byte_read_skip(reader, head >= 20 ? head - 20 : 0);
        if (ip->total == 0) /* segmentation offload beyond 64 kB */
            ip->total = length;
        ip->left = ip->total >= head ? ip->total - head : 0;
        return byte_reader_done(reader) && head >= 20;
    }
    if (first >> 4 != 6)
        return FALSE;
    byte_read_skip(reader, 3);
    gsize payload = byte_read_u16(reader);
    ip->protocol = byte_read_u8(reader);
    byte_read_skip(reader, 1);
    ip->address_size = 16;
    ip->source = byte_read_run(reader, 16);
    ip->destination = byte_read_run(reader, 16);
    ip->left = payload ? payload : length >= 40 ? length - 40 : 0;
    ip->total = ip->left + 40;
    return byte_reader_done(reader);
}

/* --- connections --- */

static guint64 mix(guint64 hash, const guint8 *data, gsize length)
{
    for (gsize i = 0; i < length; i++)
        hash = (hash ^ data[i]) * G_GUINT64_CONSTANT(0x100000001b3);
    return hash;
}

/* The same for both ways: ours first. */
static guint64 name_of(const Flow *flow, gboolean up, const Ip *ip, const Segment *segment)
{
    guint16 ours = up ? segment->source : segment->destination;
    guint16 theirs = up ? segment->destination : segment->source;
    guint64 hash = flow->salt;
    hash = mix(hash, up ? ip->source : ip->destination, ip->address_size);
    hash = mix(hash, up ? ip->destination : ip->source, ip->address_size);
    hash = mix(hash, (const guint8 *)&ours, sizeof ours);
    hash = mix(hash, (const guint8 *)&theirs, sizeof theirs);
    return hash ? hash : 1;
}

static Connection *connection_of(Flow *flow, guint64 name)
{
    Connection *connection = &flow->table[(name >> 20) & (FLOW_TABLE - 1)];
    if (connection->name != name)
        *connection = (Connection){.name = name}; /* the newer one takes the place */
    return connection;
}

static void add_rtt(Flow *flow, gint64 rtt_ns)
{
    if (rtt_ns >= 0 && rtt_ns < RTT_LIMIT_NS && flow->bin.n_rtt < MAX_RTTS)
        flow->rtts[flow->bin.n_rtt++] = (double)rtt_ns / 1e6;
}

/* Something of ours goes out: remember it until it is answered. */
static void note_sent(Side *side, const Segment *segment, guint32 end, gint64 time_ns)
{
    if (!side->timing && end != segment->seq) {
        side->timing = TRUE;
        side->timed_end = end;
        side->timed_ns = time_ns;
    }
    if (segment->has_stamp && !side->stamping && segment->stamp != side->last_stamp) {
        side->stamping = TRUE;
        side->stamp = segment->stamp;
        side->stamped_ns = time_ns;
    }
    if (segment->has_stamp)
        side->last_stamp = segment->stamp;
}

/* Bytes of the other way that the segment acknowledges and none did before. */
static guint64 newly_acked(Side *other, const Segment *segment)
{
    if (!(segment->flags & TCP_ACK))
        return 0;
    gint32 ahead = (gint32)(segment->ack - other->acked);
    gboolean known = other->acking;
    if (known && ahead <= 0)
        return 0;
    other->acking = TRUE;
    other->acked = segment->ack;
    return known ? (guint64)ahead : 0;
}

/* An answer to what our side sent. */
static void note_answer(Flow *flow, Side *ours, const Segment *segment, gint64 time_ns)
{
    gboolean by_stamp =
        ours->stamping && segment->has_stamp && (gint32)(segment->echo - ours->stamp) >= 0;
    gboolean by_number =
        ours->timing && (segment->flags & TCP_ACK) && (gint32)(segment->ack - ours->timed_end) >= 0;
    if (by_stamp) {
        if (segment->echo == ours->stamp)
            add_rtt(flow, time_ns - ours->stamped_ns);
        ours->stamping = FALSE;
    } else if (by_number && !segment->has_stamp) {
        add_rtt(flow, time_ns - ours->timed_ns);
    }
    if (by_number)
        ours->timing = FALSE;
}

/* Payload of a segment that is new; what was sent again is counted. */
static gsize new_payload(Flow *flow, Connection *connection, gboolean up, const Segment *segment,
                         gint64 time_ns)
{
    Side *side = &connection->side[up];
    guint32 control = (segment->flags & (TCP_SYN | TCP_FIN)) ? 1 : 0;
    guint32 end = segment->seq + (guint32)segment->payload + control;
    if (up)
        note_sent(side, segment, end, time_ns);
    else
        note_answer(flow, &connection->side[TRUE], segment, time_ns);
    if (!side->begun || (segment->flags & TCP_SYN)) {
        side->begun = TRUE;
        side->end = end;
        return segment->payload;
    }
    gint32 ahead = (gint32)(end - side->end);
    if (ahead > 0) {
        if ((gint32)(segment->seq - side->end) > 0 && side->hole_ns == 0) {
            side->hole = side->end;
            side->hole_ns = time_ns;
        }
        side->end = end;
        return MIN(segment->payload, (gsize)ahead);
    }
    if (segment->payload <= 1) /* acknowledgements and keep-alives */
        return 0;
    gint64 hole_ns = side->hole_ns;
    if (segment->seq == side->hole)
        side->hole_ns = 0; /* filled, or about to be */
    if (!up && hole_ns != 0 && time_ns - hole_ns < REORDER_NS) {
        flow->bin.out_of_order[up]++;
        return segment->payload;
    }
    flow->bin.retransmissions[up]++;
    if (up)
        side->timing = FALSE; /* Karn: an answer would not say to which of the two */
    /* Coming down we see only what arrived: a hole filled late is new to us. */
    return up ? 0 : segment->payload;
}

/* --- bins --- */

static void hand_out(Flow *flow, FlowBin *bin, double *rtts)
{
    bin->rtt_ms = bin->n_rtt ? rank_of(rtts, bin->n_rtt, 0.5) : NAN;
    if (bin->packets[0] + bin->packets[1] > 0)
        flow->sink(bin, flow->data);
    memset(bin, 0, sizeof *bin);
}

static void flush_merged(Flow *flow)
{
    if (flow->merged_bins == 0)
        return;
    flow->merged.n_rtt = flow->merged_n_rtt;
    hand_out(flow, &flow->merged, flow->merged_rtts);
    flow->merged_bins = flow->merged_n_rtt = 0;
}

static void merge(Flow *flow)
{
    FlowBin *to = &flow->merged;
    const FlowBin *from = &flow->bin;
    if (flow->merged_bins == 0)
        to->start_ns = from->start_ns;
    to->duration_ns = from->start_ns + FLOW_BIN_NS - to->start_ns;
    for (int way = 0; way < 2; way++) {
        to->goodput[way] += from->goodput[way];
        to->bytes[way] += from->bytes[way];
        to->packets[way] += from->packets[way];
        to->retransmissions[way] += from->retransmissions[way];
        to->out_of_order[way] += from->out_of_order[way];
    }
    for (unsigned i = 0; i < from->n_rtt && flow->merged_n_rtt < MAX_RTTS; i++)
        flow->merged_rtts[flow->merged_n_rtt++] = flow->rtts[i];
    if (++flow->merged_bins == MOST_BINS)
        flush_merged(flow);
}

static void end_bin(Flow *flow)
{
    FlowBin *bin = &flow->bin;
    if (bin->start_ns == 0)
        return;
    bin->duration_ns = FLOW_BIN_NS;
    if (MAX(bin->bytes[0], bin->bytes[1]) >= BUSY_BYTES) {
        flush_merged(flow);
        hand_out(flow, bin, flow->rtts);
    } else {
        merge(flow);
        memset(bin, 0, sizeof *bin);
    }
}

void flow_advance(Flow *flow, gint64 now_ns)
{
    while (flow->bin.start_ns != 0 && now_ns >= flow->bin.start_ns + FLOW_BIN_NS) {
        gint64 next_ns = flow->bin.start_ns + FLOW_BIN_NS;
        end_bin(flow);
        /* After a long silence begin anew rather than walk through it. */
        if (now_ns - next_ns > 20 * FLOW_BIN_NS) {
            flush_merged(flow);
            return;
        }
        flow->bin.start_ns = next_ns;
    }
}

void flow_finish(Flow *flow)
{
    end_bin(flow);
    flush_merged(flow);
}

static void count_transport(Flow *flow, gboolean up, gint64 time_ns, const Ip *ip,
                            ByteReader *reader, FlowShare *share)
{
    Segment segment = {.protocol = ip->protocol};
    if (ip->fragment || (ip->protocol != PROTOCOL_TCP && ip->protocol != PROTOCOL_UDP) ||
        !read_transport(reader, ip->left, &segment)) {
        share->goodput = ip->fragment ? ip->left : 0;
        return;
    }
    share->goodput = segment.payload;
    if (ip->protocol == PROTOCOL_UDP)
        return;
    Connection *connection = connection_of(flow, name_of(flow, up, ip, &segment));
    share->goodput = new_payload(flow, connection, up, &segment, time_ns);
    share->acked = newly_acked(&connection->side[!up], &segment);
}

FlowShare flow_packet(Flow *flow, gboolean up, gint64 time_ns, const guint8 *data, gsize captured,
                      gsize length)
{
    ByteReader reader = byte_reader(data, MIN(captured, length));
    Ip ip = {0};
    FlowShare share = {0};
    up = up != FALSE;
    flow_advance(flow, time_ns);
    if (flow->bin.start_ns == 0)
        flow->bin.start_ns = time_ns - time_ns % FLOW_BIN_NS;
    if (!read_ip(&reader, length, &ip))
        return share;
    share.bytes = ip.total;
    count_transport(flow, up, time_ns, &ip, &reader, &share);
    flow->bin.bytes[up] += share.bytes;
    flow->bin.packets[up]++;
    flow->bin.goodput[up] += share.goodput;
    return share;
}
