/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STAMP sender (RFC 8762): a standing stream, one row of latencies per second. Answers are read
 * when the next packet is sent, because the kernel stamped them when they came: a wake-up for each
 * would cost more than the packets. A silent path is tried again with a new socket every two
 * seconds, so that a new address or interface is taken up; what was sent meanwhile counts as lost,
 * as the traveller would feel it.
 */
#include "logger/probe-stamp.h"
#include "logger/probe-latency.h"

#include "logger/pace.h"
#include "logger/probe-target.h"
#include "logger/stamp-packet.h"
#include "logger/udp.h"
#include "logger/utc-quality.h"
#include <math.h>
#include <net/if.h>
#include <string.h>

#define NS_PER_S G_GINT64_CONSTANT(1000000000)
#define IP_HEADS 28
#define RENEW_NS (2 * NS_PER_S) /* of silence before another socket is tried */
#define STALE_NS (NS_PER_S / 2) /* sends this late are left out: the process was stopped */

typedef struct {
    ProbeRun run;
    ProbeTarget *resolving;
    UdpAddress peer, own;
    UdpSocket *socket;
    Pace *pace;
    StampTally *tally;
    const Key *key;
    guint32 next;         /* number of the next packet */
    guint32 socket_first; /* the first one sent on this socket: what the kernel calls 0 */
    guint16 ssid;
    gint64 start_ns, heard_ns, renewed_ns; /* CLOCK_MONOTONIC */
    guint64 refused;                       /* answers that were not ours */
    int ttl, sender_ttl;
    gboolean silent; /* an event said so */
    gboolean gone;   /* the interface is */
    GArray *medians; /* of intervals, ms: for the result */
    guint8 packet[STAMP_MAX_SIZE];
} StampRun;

static void on_interval(const StampInterval *interval, gpointer data)
{
    StampRun *stamp = data;
    ProbeRun *run = &stamp->run;
    Latency row = probe_latency_row(run, interval);
    if (interval->received > 0)
        g_array_append_val(stamp->medians, interval->rtt_ms);
    if (!isnan(interval->delay_up_ms)) {
        RECORD_SET(&row, LATENCY, delay_up_ms, interval->delay_up_ms);
        RECORD_SET(&row, LATENCY, delay_down_ms, interval->delay_down_ms);
    }
    if (interval->ways_known) {
        RECORD_SET(&row, LATENCY, lost_up, interval->lost_up);
        RECORD_SET(&row, LATENCY, lost_down, interval->lost_down);
    }
    run->host->add(run->host->data, RECORD_LATENCY, &row);
}

static void on_answer(const UdpPacket *packet, gpointer data)
{
    StampRun *stamp = data;
    StampReply reply;
    stamp->run.bytes_down += (gint64)packet->length + IP_HEADS;
    if (packet->length > STAMP_MAX_SIZE ||
        !stamp_reply_read(packet->data, packet->length, stamp->key, &reply) ||
        reply.ssid != stamp->ssid) {
        stamp->refused++;
        return;
    }
    /* What it says it was sent must be what we sent: a stranger would have to guess that. */
    gint64 written_ns = stamp_tally_sent_time(stamp->tally, reply.sender_seq);
    if (written_ns == 0 || stamp_time_encode(written_ns, false) != reply.sender_time) {
        stamp->refused++;
        return;
    }
    StampClock clock = stamp_error_decode(reply.error);
    gint64 t2 = stamp_time_decode(reply.receive_time, clock.ptp, packet->arrived_ns);
    gint64 t3 = stamp_time_decode(reply.time, clock.ptp, packet->arrived_ns);
    gboolean disciplined = utc_quality_good(clock) && utc_quality_good(utc_quality());
    if (!stamp_tally_answer(stamp->tally, reply.sender_seq, reply.seq, t2, t3, packet->arrived_ns,
                            disciplined))
        return;
    stamp->heard_ns = udp_monotonic();
    stamp->ttl = packet->ttl;
    stamp->sender_ttl = reply.sender_ttl;
    if (stamp->silent) {
        stamp->silent = FALSE;
        probe_event(&stamp->run, "probe-resumed", stamp->run.target);
    }
}

static void on_sent(guint32 number, gint64 sent_ns, gpointer data)
{
    StampRun *stamp = data;
    stamp_tally_stamped(stamp->tally, stamp->socket_first + number, sent_ns);
}

static gboolean open_socket(StampRun *stamp, GError **error)
{
    UdpOptions options = {
        .family = stamp->peer.address.ss_family,
        .device = stamp->run.modem.interface,
        .peer = &stamp->peer,
        .send_stamps = TRUE,
    };
    UdpSocket *socket = udp_open(&options, error);
    if (!socket)
        return FALSE;
    udp_close(stamp->socket);
    stamp->socket = socket;
    stamp->socket_first = stamp->next;
    UdpAddress own = {.length = sizeof own.address};
    if (getsockname(udp_fd(socket), (struct sockaddr *)&own.address, &own.length) == 0) {
        g_autofree char *before = udp_address_text(&stamp->own);
        g_autofree char *after = udp_address_text(&own);
        if (stamp->own.length > 0 && !g_str_equal(before, after))
            probe_event(&stamp->run, "probe-address-changed", NULL);
        stamp->own = own;
    }
    return TRUE;
}

/* Nothing came for a while: take another socket, and count the reflector's numbers anew. */
static void renew(StampRun *stamp, gint64 now_ns)
{
    g_autoptr(GError) error = NULL;
    stamp->renewed_ns = now_ns;
    if (!stamp->silent) {
        stamp->silent = TRUE;
        probe_event(&stamp->run, "probe-silent", stamp->run.target);
    }
    if (stamp->socket)
        udp_sent(stamp->socket, on_sent, stamp);
    if (open_socket(stamp, &error)) {
        stamp_tally_restart(stamp->tally);
    } else {
        /* The old one may still be good for when the interface comes back. */
        g_debug("%s: %s", stamp->run.modem.label, error->message);
    }
}

static void send_one(StampRun *stamp, gint64 now_ns)
{
    gint64 sent_ns = udp_realtime();
    StampRequest request = {
        .seq = stamp->next,
        .time = stamp_time_encode(sent_ns, false),
        .error = stamp_error_encode(utc_quality()),
        .ssid = stamp->ssid,
    };
    gsize base = stamp->key ? STAMP_AUTH_SIZE : STAMP_SIZE;
    gsize size = MAX(stamp->run.settings->stamp_size - IP_HEADS, base);
    if (size > base && size < base + STAMP_TLV_HEADER)
        size = base;
    (void)stamp_request_write(&request, stamp->key, size, stamp->packet, sizeof stamp->packet);
    stamp_tally_sent(stamp->tally, stamp->next, now_ns, sent_ns);
    stamp->next++;
    int trouble = udp_send(stamp->socket, stamp->packet, size, NULL, NULL);
    if (trouble == 0)
        stamp->run.bytes_up += (gint64)size + IP_HEADS;
    else /* the kernel did not count it */
        stamp->socket_first++;
    /* Which error it is when the interface is gone depends on its routes. */
    stamp->gone = trouble != 0 && stamp->run.modem.interface &&
                  if_nametoindex(stamp->run.modem.interface) == 0;
}

static gint64 on_tick(gint64 now_ns, gpointer data)
{
    StampRun *stamp = data;
    double step_ns = (double)NS_PER_S / stamp->run.settings->stamp_per_s;
    (void)udp_receive(stamp->socket, 256, on_answer, stamp, NULL);
    udp_sent(stamp->socket, on_sent, stamp);
    if (now_ns - MAX(stamp->heard_ns, stamp->renewed_ns) > RENEW_NS)
        renew(stamp, now_ns);
    send_one(stamp, now_ns);
    if (stamp->gone) { /* says nothing about coverage: whoever started us waits for another */
        probe_event(&stamp->run, "probe-interface-gone", stamp->run.modem.interface);
        probe_run_stop(&stamp->run, "no-interface");
        return 0;
    }
    stamp_tally_advance(stamp->tally, now_ns);
    double ticks = floor((double)(now_ns - stamp->start_ns) / step_ns);
    gint64 next_ns = stamp->start_ns + (gint64)((double)stamp->next * step_ns);
    /* After a stop of the process: go on from now, do not send what was missed. */
    if (now_ns - next_ns > STALE_NS)
        next_ns = stamp->start_ns + (gint64)((ticks + 1) * step_ns);
    return next_ns;
}

static void on_resolved(const UdpAddress *address, const GError *error, gpointer data)
{
    StampRun *stamp = data;
    ProbeRun *run = &stamp->run;
    g_autoptr(GError) problem = NULL;
    stamp->resolving = NULL;
    if (!address) {
        probe_event(run, "probe-name-failed", error->message);
        probe_detail_text(run, "error", error->message);
        probe_run_finish(run, STATUS_FAILED, "dns");
        return;
    }
    stamp->peer = *address;
    gint64 now_ns = udp_monotonic();
    stamp->start_ns = stamp->heard_ns = stamp->renewed_ns = now_ns;
    stamp->tally = stamp_tally_new(now_ns, NS_PER_S, on_interval, stamp);
    if (!open_socket(stamp, &problem) ||
        !(stamp->pace = pace_new(run->context, now_ns, on_tick, stamp, &problem))) {
        probe_detail_text(run, "error", problem->message);
        probe_run_finish(run, STATUS_SKIPPED, "no-interface");
    }
}

static gboolean stamp_start(ProbeRun *run, GError **error)
{
    StampRun *stamp = (StampRun *)run;
    (void)error;
    run->target = g_strdup(run->settings->reflector);
    stamp->key = run->settings->stamp_key ? run->settings->key : NULL;
    stamp->ssid = (guint16)g_random_int_range(1, 65536);
    stamp->ttl = stamp->sender_ttl = -1;
    stamp->medians = g_array_new(FALSE, FALSE, sizeof(double));
    stamp->resolving = probe_target_resolve(run->settings->reflector, run->settings->stamp_port,
                                            run->settings->family, run->settings->timeout_s,
                                            run->context, on_resolved, stamp);
    return TRUE;
}

static void stamp_stop(ProbeRun *run)
{
    StampRun *stamp = (StampRun *)run;
    probe_target_cancel(g_steal_pointer(&stamp->resolving));
    if (!stamp->tally)
        return;
    pace_free(g_steal_pointer(&stamp->pace));
    (void)udp_receive(stamp->socket, 1024, on_answer, stamp, NULL);
    udp_sent(stamp->socket, on_sent, stamp);
    stamp_tally_finish(stamp->tally, udp_monotonic());
    StampTotals totals = stamp_tally_totals(stamp->tally);
    if (stamp->medians->len > 0)
        run->value = rank_of((double *)(void *)stamp->medians->data, stamp->medians->len, 0.5);
    probe_detail_int(run, "sent", (gint64)totals.sent);
    probe_detail_int(run, "received", (gint64)totals.received);
    probe_detail_int(run, "lost_up", (gint64)totals.lost_up);
    probe_detail_int(run, "lost_down", (gint64)totals.lost_down);
    probe_detail_int(run, "lost_unknown", (gint64)totals.lost_unknown);
    probe_detail_int(run, "reordered", (gint64)totals.reordered);
    probe_detail_int(run, "duplicates", (gint64)totals.duplicates);
    probe_detail_int(run, "refused", (gint64)stamp->refused);
    probe_detail_int(run, "ttl_down", stamp->ttl);
    probe_detail_int(run, "ttl_up", stamp->sender_ttl);
}

static void stamp_clear(ProbeRun *run)
{
    StampRun *stamp = (StampRun *)run;
    probe_target_cancel(stamp->resolving);
    pace_free(stamp->pace);
    udp_close(stamp->socket);
    stamp_tally_free(stamp->tally);
    if (stamp->medians)
        g_array_unref(stamp->medians);
}

static double stamp_bytes_per_s(const ProbeSettings *settings)
{
    unsigned least =
        (settings->stamp_key && settings->key ? STAMP_AUTH_SIZE : STAMP_SIZE) + IP_HEADS;
    return 2 * settings->stamp_per_s * MAX(settings->stamp_size, least);
}

static double standing(const ProbeSettings *settings)
{
    (void)settings;
    return 0;
}

const ProbeType probe_stamp = {
    .kind = PROBE_STAMP,
    .name = "stamp",
    .bytes_per_s = stamp_bytes_per_s,
    .bytes = standing,
    .size = sizeof(StampRun),
    .start = stamp_start,
    .stop = stamp_stop,
    .clear = stamp_clear,
};

void probe_stamp_watch(ProbeRun *run, StampRoundTripSink sink, gpointer data)
{
    StampRun *stamp = (StampRun *)run;
    if (stamp->tally)
        stamp_tally_watch(stamp->tally, sink, data);
}
