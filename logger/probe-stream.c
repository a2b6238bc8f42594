/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/probe-stream.h"

#include "logger/pace.h"
#include "logger/probe-latency.h"
#include "logger/probe-target.h"
#include <math.h>
#include <net/if.h>

#define NS_PER_S G_GINT64_CONSTANT(1000000000)
#define RENEW_NS (2 * NS_PER_S) /* of silence before another socket is tried */
#define STALE_NS (NS_PER_S / 2) /* sends this late are left out: the process was stopped */

static void on_interval(const StampInterval *interval, gpointer data)
{
    StreamRun *stream = data;
    ProbeRun *run = &stream->run;
    Latency row = probe_latency_row(run, interval);
    if (interval->received > 0)
        g_array_append_val(stream->medians, interval->rtt_ms);
    if (stream->kind->row)
        stream->kind->row(stream, interval, &row);
    run->host->add(run->host->data, RECORD_LATENCY, &row);
}

static void on_packet(const UdpPacket *packet, gpointer data)
{
    StreamRun *stream = data;
    stream->run.bytes_down += (gint64)packet->length + stream_heads(stream);
    stream->kind->answer(stream, packet);
}

gboolean stream_answered(StreamRun *stream, guint32 seq, guint32 far_seq, gint64 far_received_ns,
                         gint64 far_sent_ns, gint64 arrived_ns, gboolean disciplined)
{
    if (!stamp_tally_answer(stream->tally, seq, far_seq, far_received_ns, far_sent_ns, arrived_ns,
                            disciplined))
        return FALSE;
    stream->heard_ns = udp_monotonic();
    probe_run_resumed(&stream->run);
    return TRUE;
}

unsigned stream_heads(const StreamRun *stream)
{
    unsigned ip = stream->peer.address.ss_family == AF_INET6 ? 40 : 20;
    return ip + (stream->kind->echo ? 0 : 8);
}

static void on_sent(guint32 number, gint64 sent_ns, gpointer data)
{
    StreamRun *stream = data;
    stamp_tally_stamped(stream->tally, stream->socket_first + number, sent_ns);
}

static gboolean open_socket(StreamRun *stream, GError **error)
{
    const UdpOptions options = {
        .family = stream->peer.address.ss_family,
        .echo = stream->kind->echo,
        .device = stream->run.modem.interface,
        .peer = &stream->peer,
        .send_stamps = TRUE,
    };
    UdpSocket *socket = udp_open(&options, error);
    if (!socket)
        return FALSE;
    udp_close(stream->socket);
    stream->socket = socket;
    stream->socket_first = stream->next;
    UdpAddress own;
    if (udp_own_address(socket, &own))
        probe_run_address(&stream->run, &own);
    return TRUE;
}

/* Nothing came for a while: take another socket, and count the far end's numbers anew. */
static void renew(StreamRun *stream, gint64 now_ns)
{
    g_autoptr(GError) error = NULL;
    stream->renewed_ns = now_ns;
    probe_run_silent(&stream->run, "probe-silent", stream->run.target);
    udp_sent(stream->socket, on_sent, stream);
    if (open_socket(stream, &error)) {
        stamp_tally_restart(stream->tally);
    } else {
        /* The old one may still be good for when the interface comes back. */
        g_debug("%s: %s", stream->run.modem.label, error->message);
    }
}

/* FALSE if the interface is gone: which error that is depends on its routes. */
static gboolean send_one(StreamRun *stream, gint64 now_ns)
{
    guint8 data[UDP_MAX_PACKET];
    gint64 sent_ns = udp_realtime();
    gsize size = stream->kind->write(stream, stream->next, sent_ns, data);
    stamp_tally_sent(stream->tally, stream->next, now_ns, sent_ns);
    stream->next++;
    if (udp_send(stream->socket, data, size, NULL, NULL) == 0) {
        stream->run.bytes_up += (gint64)size + stream_heads(stream);
        return TRUE;
    }
    stream->socket_first++; /* the kernel did not count it */
    const char *interface = stream->run.modem.interface;
    return !interface || if_nametoindex(interface) != 0;
}

static gint64 on_tick(gint64 now_ns, gpointer data)
{
    StreamRun *stream = data;
    gint64 patience_ns = MAX(RENEW_NS, (gint64)(2.5 * stream->step_ns));
    (void)udp_receive(stream->socket, 256, on_packet, stream, NULL);
    udp_sent(stream->socket, on_sent, stream);
    if (now_ns - MAX(stream->heard_ns, stream->renewed_ns) > patience_ns)
        renew(stream, now_ns);
    if (!send_one(stream, now_ns)) {
        /* Says nothing about coverage: whoever started us waits for another. */
        probe_event(&stream->run, "probe-interface-gone", stream->run.modem.interface);
        stream->run.path.silent = TRUE;
        probe_run_stop(&stream->run, "no-interface");
        return 0;
    }
    stamp_tally_advance(stream->tally, now_ns);
    double ticks = floor((double)(now_ns - stream->start_ns) / stream->step_ns);
    gint64 next_ns = stream->start_ns + (gint64)((double)stream->next * stream->step_ns);
    /* After a stop of the process: go on from now, do not send what was missed. */
    if (now_ns - next_ns > STALE_NS)
        next_ns = stream->start_ns + (gint64)((ticks + 1) * stream->step_ns);
    return next_ns;
}

static void on_resolved(const UdpAddress *address, const GError *error, gpointer data)
{
    StreamRun *stream = data;
    ProbeRun *run = &stream->run;
    g_autoptr(GError) problem = NULL;
    stream->resolving = NULL;
    if (!address) {
        probe_run_silent(run, "probe-name-failed", error->message);
        probe_detail_text(run, "error", error->message);
        probe_run_finish(run, STATUS_FAILED, "dns");
        return;
    }
    stream->peer = *address;
    gint64 now_ns = udp_monotonic();
    stream->start_ns = stream->heard_ns = stream->renewed_ns = now_ns;
    stream->tally = stamp_tally_new(now_ns, NS_PER_S, on_interval, stream);
    if (!stream->kind->counts)
        stamp_tally_no_numbers(stream->tally);
    if (!open_socket(stream, &problem) ||
        !(stream->pace = pace_new(run->context, now_ns, on_tick, stream, &problem))) {
        gboolean right = g_error_matches(problem, UDP_ERROR, UDP_ERROR_RIGHT);
        probe_detail_text(run, "error", problem->message);
        probe_run_finish(run, STATUS_SKIPPED, right ? "no-right" : "no-interface");
    }
}

void stream_start(StreamRun *stream, const StreamKind *kind, const char *target, guint16 port,
                  double per_s)
{
    const ProbeSettings *settings = stream->run.settings;
    stream->kind = kind;
    stream->step_ns = (double)NS_PER_S / per_s;
    stream->run.target = g_strdup(target);
    stream->medians = g_array_new(FALSE, FALSE, sizeof(double));
    stream->resolving = probe_target_resolve(target, port, settings->family, settings->timeout_s,
                                             stream->run.context, on_resolved, stream);
}

void stream_stop(ProbeRun *run)
{
    StreamRun *stream = (StreamRun *)run;
    probe_target_cancel(g_steal_pointer(&stream->resolving));
    if (!stream->pace)
        return;
    pace_free(g_steal_pointer(&stream->pace));
    (void)udp_receive(stream->socket, 1024, on_packet, stream, NULL);
    udp_sent(stream->socket, on_sent, stream);
    stamp_tally_finish(stream->tally, udp_monotonic());
    StampTotals totals = stamp_tally_totals(stream->tally);
    if (stream->medians->len > 0)
        run->value = rank_of((double *)(void *)stream->medians->data, stream->medians->len, 0.5);
    probe_detail_int(run, "sent", (gint64)totals.sent);
    probe_detail_int(run, "received", (gint64)totals.received);
    probe_detail_int(run, "reordered", (gint64)totals.reordered);
    probe_detail_int(run, "duplicates", (gint64)totals.duplicates);
    if (stream->kind->detail)
        stream->kind->detail(stream, &totals);
}

void stream_clear(ProbeRun *run)
{
    StreamRun *stream = (StreamRun *)run;
    probe_target_cancel(stream->resolving);
    pace_free(stream->pace);
    udp_close(stream->socket);
    stamp_tally_free(stream->tally);
    if (stream->medians)
        g_array_unref(stream->medians);
}

double stream_bytes(const ProbeSettings *settings)
{
    (void)settings;
    return 0; /* as long as it runs */
}
