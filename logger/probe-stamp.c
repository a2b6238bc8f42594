/* SPDX-License-Identifier: Apache-2.0 */
/* STAMP sender (RFC 8762): a standing stream against a reflector. */
#include "logger/probe-stamp.h"

#include "logger/probe-stream.h"
#include "logger/stamp-packet.h"
#include "logger/utc-quality.h"
#include <math.h>

typedef struct {
    StreamRun stream;
    const Key *key;
    guint16 ssid;
    guint64 refused; /* answers that were not ours */
    int ttl, sender_ttl;
} StampRun;

static gsize stamp_write(StreamRun *stream, guint32 seq, gint64 sent_ns,
                         guint8 data[UDP_MAX_PACKET])
{
    const StampRun *stamp = (const StampRun *)stream;
    const StampRequest request = {
        .seq = seq,
        .time = stamp_time_encode(sent_ns, false),
        .error = stamp_error_encode(utc_quality()),
        .ssid = stamp->ssid,
    };
    gsize base = stamp->key ? STAMP_AUTH_SIZE : STAMP_SIZE;
    unsigned asked = stream->run.settings->stamp_size, heads = stream_heads(stream);
    gsize size = MAX(asked > heads ? asked - heads : 0, base);
    if (size > base && size < base + STAMP_TLV_HEADER)
        size = base;
    return stamp_request_write(&request, stamp->key, size, data, STAMP_MAX_SIZE);
}

static void stamp_answer(StreamRun *stream, const UdpPacket *packet)
{
    StampRun *stamp = (StampRun *)stream;
    StampReply reply;
    if (packet->length > STAMP_MAX_SIZE ||
        !stamp_reply_read(packet->data, packet->length, stamp->key, &reply) ||
        reply.ssid != stamp->ssid) {
        stamp->refused++;
        return;
    }
    /* What it says it was sent must be what we sent: a stranger would have to guess that. */
    gint64 written_ns = stamp_tally_sent_time(stream->tally, reply.sender_seq);
    if (written_ns == 0 || stamp_time_encode(written_ns, false) != reply.sender_time) {
        stamp->refused++;
        return;
    }
    StampClock clock = stamp_error_decode(reply.error);
    gint64 t2 = stamp_time_decode(reply.receive_time, clock.ptp, packet->arrived_ns);
    gint64 t3 = stamp_time_decode(reply.time, clock.ptp, packet->arrived_ns);
    gboolean disciplined = utc_quality_good(clock) && utc_quality_good(utc_quality());
    if (!stream_answered(stream, reply.sender_seq, reply.seq, t2, t3, packet->arrived_ns,
                         disciplined))
        return;
    stamp->ttl = packet->ttl;
    stamp->sender_ttl = reply.sender_ttl;
}

static void stamp_row(const StreamRun *stream, const StampInterval *interval, Latency *row)
{
    (void)stream;
    if (!isnan(interval->delay_up_ms)) {
        RECORD_SET(row, LATENCY, delay_up_ms, interval->delay_up_ms);
        RECORD_SET(row, LATENCY, delay_down_ms, interval->delay_down_ms);
    }
    if (interval->ways_known) {
        RECORD_SET(row, LATENCY, lost_up, interval->lost_up);
        RECORD_SET(row, LATENCY, lost_down, interval->lost_down);
    }
}

static void stamp_detail(StreamRun *stream, const StampTotals *totals)
{
    const StampRun *stamp = (const StampRun *)stream;
    ProbeRun *run = &stream->run;
    probe_detail_int(run, "lost_up", (gint64)totals->lost_up);
    probe_detail_int(run, "lost_down", (gint64)totals->lost_down);
    probe_detail_int(run, "lost_unknown", (gint64)totals->lost_unknown);
    probe_detail_int(run, "refused", (gint64)stamp->refused);
    probe_detail_int(run, "ttl_down", stamp->ttl);
    probe_detail_int(run, "ttl_up", stamp->sender_ttl);
}

static gboolean stamp_start(ProbeRun *run, GError **error)
{
    static const StreamKind kind = {.counts = TRUE,
                                    .write = stamp_write,
                                    .answer = stamp_answer,
                                    .row = stamp_row,
                                    .detail = stamp_detail};
    StampRun *stamp = (StampRun *)run;
    const ProbeSettings *settings = run->settings;
    (void)error;
    stamp->key = settings->stamp_key ? settings->key : NULL;
    stamp->ssid = (guint16)g_random_int_range(1, 65536);
    stamp->ttl = stamp->sender_ttl = -1;
    stream_start(&stamp->stream, &kind, settings->reflector, settings->stamp_port,
                 settings->stamp_per_s);
    return TRUE;
}

static double stamp_bytes_per_s(const ProbeSettings *settings)
{
    unsigned heads = settings->family == AF_INET6 ? 48 : 28;
    unsigned least = (settings->stamp_key && settings->key ? STAMP_AUTH_SIZE : STAMP_SIZE) + heads;
    return 2 * settings->stamp_per_s * MAX(settings->stamp_size, least);
}

const ProbeType probe_stamp = {
    .kind = PROBE_STAMP,
    .name = "stamp",
    .bytes_per_s = stamp_bytes_per_s,
    .bytes = stream_bytes,
    .size = sizeof(StampRun),
    .start = stamp_start,
    .stop = stream_stop,
    .clear = stream_clear,
};

void probe_stamp_watch(ProbeRun *run, StampRoundTripSink sink, gpointer data)
{
    StreamRun *stream = (StreamRun *)run;
    if (stream->tally)
        stamp_tally_watch(stream->tally, sink, data);
}
