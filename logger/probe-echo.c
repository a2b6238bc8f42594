/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP echo, where no reflector answers (RFC 792, RFC 4443): a slow standing stream on an
 * unprivileged ping socket. The kernel chooses the identifier and lets only its answers through.
 */
#include "formats/bytes.h"
#include "logger/pace.h"
#include "logger/probe-latency.h"
#include "logger/probe-target.h"
#include "logger/probe.h"
#include "logger/stamp-tally.h"
#include "logger/udp.h"
#include <math.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#define NS_PER_S G_GINT64_CONSTANT(1000000000)
#define RENEW_NS (3 * NS_PER_S)
#define SIZE     56 /* ICMP bytes: 8 of head, number and time, zeros */
#define IP_HEAD  20
#define STALE_NS (NS_PER_S / 2)

typedef struct {
    ProbeRun run;
    ProbeTarget *resolving;
    UdpAddress peer;
    UdpSocket *socket;
    Pace *pace;
    StampTally *tally;
    guint32 next, socket_first;
    guint32 secret; /* in each packet: an answer must have it */
    gint64 start_ns, heard_ns, renewed_ns;
    GArray *medians;
} EchoRun;

static void on_interval(const StampInterval *interval, gpointer data)
{
    EchoRun *echo = data;
    ProbeRun *run = &echo->run;
    Latency row = probe_latency_row(run, interval);
    if (interval->received > 0)
        g_array_append_val(echo->medians, interval->rtt_ms);
    run->host->add(run->host->data, RECORD_LATENCY, &row);
}

static void on_answer(const UdpPacket *packet, gpointer data)
{
    EchoRun *echo = data;
    guint8 expected = echo->peer.address.ss_family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
    ByteReader reader = byte_reader(packet->data, packet->length);
    guint8 type = byte_read_u8(&reader);
    byte_read_skip(&reader, 7);
    guint32 secret = byte_read_u32(&reader);
    guint32 seq = byte_read_u32(&reader);
    gint64 sent_ns = (gint64)byte_read_u64(&reader);
    echo->run.bytes_down += (gint64)packet->length + IP_HEAD;
    if (!byte_reader_done(&reader) || type != expected || secret != echo->secret ||
        stamp_tally_sent_time(echo->tally, seq) != sent_ns)
        return;
    /* The far end keeps no time: all of it counts as the way down. */
    if (stamp_tally_answer(echo->tally, seq, 0, sent_ns, sent_ns, packet->arrived_ns, FALSE))
        echo->heard_ns = udp_monotonic();
}

static void on_sent(guint32 number, gint64 sent_ns, gpointer data)
{
    EchoRun *echo = data;
    stamp_tally_stamped(echo->tally, echo->socket_first + number, sent_ns);
}

static gboolean open_socket(EchoRun *echo, GError **error)
{
    const UdpOptions options = {
        .family = echo->peer.address.ss_family,
        .echo = TRUE,
        .device = echo->run.modem.interface,
        .peer = &echo->peer,
        .send_stamps = TRUE,
    };
    UdpSocket *socket = udp_open(&options, error);
    if (!socket)
        return FALSE;
    udp_close(echo->socket);
    echo->socket = socket;
    echo->socket_first = echo->next;
    return TRUE;
}

static int send_one(EchoRun *echo, gint64 now_ns)
{
    guint8 data[SIZE];
    gint64 sent_ns = udp_realtime();
    ByteWriter writer = byte_writer(data, sizeof data);
    byte_write_u8(&writer,
                  echo->peer.address.ss_family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST);
    byte_write_zero(&writer, 5); /* code, checksum and identifier: the kernel's */
    byte_write_u16(&writer, (guint16)echo->next);
    byte_write_u32(&writer, echo->secret);
    byte_write_u32(&writer, echo->next);
    byte_write_u64(&writer, (guint64)sent_ns);
    byte_write_zero(&writer, SIZE - writer.at);
    stamp_tally_sent(echo->tally, echo->next, now_ns, sent_ns);
    echo->next++;
    int trouble = udp_send(echo->socket, data, sizeof data, NULL, NULL);
    if (trouble == 0)
        echo->run.bytes_up += SIZE + IP_HEAD;
    else
        echo->socket_first++;
    return trouble;
}

static gint64 on_tick(gint64 now_ns, gpointer data)
{
    EchoRun *echo = data;
    double step_ns = (double)NS_PER_S / echo->run.settings->echo_per_s;
    (void)udp_receive(echo->socket, 256, on_answer, echo, NULL);
    udp_sent(echo->socket, on_sent, echo);
    if (now_ns - MAX(echo->heard_ns, echo->renewed_ns) > RENEW_NS) {
        echo->renewed_ns = now_ns;
        (void)open_socket(echo, NULL);
    }
    int trouble = send_one(echo, now_ns);
    if (trouble != 0 && echo->run.modem.interface &&
        if_nametoindex(echo->run.modem.interface) == 0) {
        probe_event(&echo->run, "probe-interface-gone", echo->run.modem.interface);
        probe_run_stop(&echo->run, "no-interface");
        return 0;
    }
    stamp_tally_advance(echo->tally, now_ns);
    gint64 next_ns = echo->start_ns + (gint64)((double)echo->next * step_ns);
    if (now_ns - next_ns > STALE_NS)
        next_ns = now_ns + (gint64)step_ns;
    return next_ns;
}

static void on_resolved(const UdpAddress *address, const GError *error, gpointer data)
{
    EchoRun *echo = data;
    ProbeRun *run = &echo->run;
    g_autoptr(GError) problem = NULL;
    echo->resolving = NULL;
    if (!address) {
        probe_event(run, "probe-name-failed", error->message);
        probe_detail_text(run, "error", error->message);
        probe_run_finish(run, STATUS_FAILED, "dns");
        return;
    }
    echo->peer = *address;
    gint64 now_ns = udp_monotonic();
    echo->start_ns = echo->heard_ns = echo->renewed_ns = now_ns;
    echo->tally = stamp_tally_new(now_ns, NS_PER_S, on_interval, echo);
    stamp_tally_no_numbers(echo->tally);
    if (!open_socket(echo, &problem) ||
        !(echo->pace = pace_new(run->context, now_ns, on_tick, echo, &problem))) {
        gboolean right = g_error_matches(problem, UDP_ERROR, UDP_ERROR_RIGHT);
        probe_detail_text(run, "error", problem->message);
        probe_run_finish(run, STATUS_SKIPPED, right ? "no-right" : "no-interface");
    }
}

static gboolean echo_start(ProbeRun *run, GError **error)
{
    EchoRun *echo = (EchoRun *)run;
    (void)error;
    run->target = g_strdup(run->settings->echo_target);
    echo->secret = g_random_int();
    echo->medians = g_array_new(FALSE, FALSE, sizeof(double));
    echo->resolving =
        probe_target_resolve(run->target, 0, run->settings->family, run->settings->timeout_s,
                             run->context, on_resolved, echo);
    return TRUE;
}

static void echo_stop(ProbeRun *run)
{
    EchoRun *echo = (EchoRun *)run;
    probe_target_cancel(g_steal_pointer(&echo->resolving));
    if (!echo->tally)
        return;
    pace_free(g_steal_pointer(&echo->pace));
    (void)udp_receive(echo->socket, 1024, on_answer, echo, NULL);
    udp_sent(echo->socket, on_sent, echo);
    stamp_tally_finish(echo->tally, udp_monotonic());
    StampTotals totals = stamp_tally_totals(echo->tally);
    if (echo->medians->len > 0)
        run->value = rank_of((double *)(void *)echo->medians->data, echo->medians->len, 0.5);
    probe_detail_int(run, "sent", (gint64)totals.sent);
    probe_detail_int(run, "received", (gint64)totals.received);
    probe_detail_int(run, "reordered", (gint64)totals.reordered);
    probe_detail_int(run, "duplicates", (gint64)totals.duplicates);
}

static void echo_clear(ProbeRun *run)
{
    EchoRun *echo = (EchoRun *)run;
    probe_target_cancel(echo->resolving);
    pace_free(echo->pace);
    udp_close(echo->socket);
    stamp_tally_free(echo->tally);
    if (echo->medians)
        g_array_unref(echo->medians);
}

static double echo_bytes_per_s(const ProbeSettings *settings)
{
    return 2 * settings->echo_per_s * (SIZE + IP_HEAD);
}

static double standing(const ProbeSettings *settings)
{
    (void)settings;
    return 0;
}

const ProbeType probe_echo = {
    .kind = PROBE_ECHO,
    .name = "echo",
    .bytes_per_s = echo_bytes_per_s,
    .bytes = standing,
    .size = sizeof(EchoRun),
    .start = echo_start,
    .stop = echo_stop,
    .clear = echo_clear,
};
