/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP echo, where no reflector answers (RFC 792, RFC 4443): a slow standing stream on an
 * unprivileged ping socket. The kernel chooses the identifier and lets only its answers through.
 */
#include "formats/bytes.h"
#include "logger/probe-stream.h"
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#define SIZE    56 /* ICMP bytes: 8 of head, number and time, zeros */
#define IP_HEAD 20

typedef struct {
    StreamRun stream;
    guint32 secret; /* in each packet: an answer must have it */
} EchoRun;

static gboolean is_four(const StreamRun *stream)
{
    return stream->peer.address.ss_family == AF_INET;
}

static gsize echo_write(StreamRun *stream, guint32 seq, gint64 sent_ns, guint8 data[UDP_MAX_PACKET])
{
    const EchoRun *echo = (const EchoRun *)stream;
    ByteWriter writer = byte_writer(data, SIZE);
    byte_write_u8(&writer, is_four(stream) ? ICMP_ECHO : ICMP6_ECHO_REQUEST);
    byte_write_zero(&writer, 5); /* code, checksum and identifier: the kernel's */
    byte_write_u16(&writer, (guint16)seq);
    byte_write_u32(&writer, echo->secret);
    byte_write_u32(&writer, seq);
    byte_write_u64(&writer, (guint64)sent_ns);
    byte_write_zero(&writer, SIZE - writer.at);
    return SIZE;
}

static void echo_answer(StreamRun *stream, const UdpPacket *packet)
{
    const EchoRun *echo = (const EchoRun *)stream;
    ByteReader reader = byte_reader(packet->data, packet->length);
    guint8 type = byte_read_u8(&reader);
    byte_read_skip(&reader, 7);
    guint32 secret = byte_read_u32(&reader);
    guint32 seq = byte_read_u32(&reader);
    gint64 sent_ns = (gint64)byte_read_u64(&reader);
    if (!byte_reader_done(&reader) ||
        type != (is_four(stream) ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) || secret != echo->secret ||
        stamp_tally_sent_time(stream->tally, seq) != sent_ns)
        return;
    /* The far end keeps no time: all of it counts as the way down. */
    (void)stream_answered(stream, seq, 0, sent_ns, sent_ns, packet->arrived_ns, FALSE);
}

static gboolean echo_start(ProbeRun *run, GError **error)
{
    static const StreamKind kind = {.echo = TRUE, .write = echo_write, .answer = echo_answer};
    EchoRun *echo = (EchoRun *)run;
    (void)error;
    echo->secret = g_random_int();
    stream_start(&echo->stream, &kind, run->settings->echo_target, 0, run->settings->echo_per_s);
    return TRUE;
}

static double echo_bytes_per_s(const ProbeSettings *settings)
{
    return 2 * settings->echo_per_s * (SIZE + IP_HEAD);
}

const ProbeType probe_echo = {
    .kind = PROBE_ECHO,
    .name = "echo",
    .bytes_per_s = echo_bytes_per_s,
    .bytes = stream_bytes,
    .size = sizeof(EchoRun),
    .start = echo_start,
    .stop = stream_stop,
    .clear = stream_clear,
};
