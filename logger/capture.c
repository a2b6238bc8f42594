/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/capture.h"

#include "logger/flow.h"
#include "logger/privilege.h"
#include "logger/udp.h"
#include <glib-unix.h>
#include <ifaddrs.h>
#include <math.h>
#include <pcap/pcap.h>
#include <string.h>

#define BUFFER_BYTES (1024 * 1024) /* a quarter of a second at 200 Mbit/s */
#define BLOCK_MS     100
#define TICK_MS      100
#define MOST         1000 /* packets taken before other sources get their turn */

#define MAX_OWN 16
#define OWN_NS  G_GINT64_CONSTANT(1000000000) /* addresses are asked for this often at most */

struct Capture {
    const ProbeHost *host;
    ProbeModem modem;
    Flow *flow;
    Pcapng *debug;
    pcap_t *handle;
    GSource *source, *tick;
    gsize skip; /* bytes of link header */
    gboolean broken;
    GPtrArray *series; /* TrafficSeries that run */
    guint64 dropped;   /* when they were looked at last */
    /* The interface's own addresses: raw IP has no link header that tells the direction, and two
     * handles, one for each, would give the packets out of order. */
    struct {
        gsize size; /* 4 or 16 */
        guint8 bytes[16];
    } own[MAX_OWN];
    unsigned n_own;
    gint64 own_asked_ns;
};

static void ask_own(Capture *capture)
{
    struct ifaddrs *all = NULL;
    capture->n_own = 0;
    capture->own_asked_ns = udp_monotonic();
    if (getifaddrs(&all) != 0)
        return;
    for (struct ifaddrs *at = all; at && capture->n_own < MAX_OWN; at = at->ifa_next) {
        if (!at->ifa_addr || !g_str_equal(at->ifa_name, capture->modem.interface))
            continue;
        guint8 *to = capture->own[capture->n_own].bytes;
        if (at->ifa_addr->sa_family == AF_INET) {
            memcpy(to, &((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr, 4);
            capture->own[capture->n_own++].size = 4;
        } else if (at->ifa_addr->sa_family == AF_INET6) {
            memcpy(to, &((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_addr, 16);
            capture->own[capture->n_own++].size = 16;
        }
    }
    freeifaddrs(all);
}

static gboolean is_own(const Capture *capture, const guint8 *address, gsize size)
{
    for (unsigned i = 0; i < capture->n_own; i++) {
        if (capture->own[i].size == size && memcmp(capture->own[i].bytes, address, size) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Whether the packet goes up; FALSE also for what is no IP. */
static gboolean goes_up(Capture *capture, const guint8 *data, gsize captured)
{
    gsize size = captured >= 20 && data[0] >> 4 == 4   ? 4
                 : captured >= 40 && data[0] >> 4 == 6 ? 16
                                                       : 0;
    const guint8 *source = data + (size == 4 ? 12 : 8);
    if (size == 0)
        return FALSE;
    /* Neither end is ours: the addresses may be new. */
    if (!is_own(capture, source, size) && !is_own(capture, source + size, size) &&
        udp_monotonic() - capture->own_asked_ns > OWN_NS)
        ask_own(capture);
    return is_own(capture, source, size);
}

static gint64 utc(const Capture *capture, gint64 time_ns)
{
    const ProbeHost *host = capture->host;
    return host->utc_ns ? host->utc_ns(host->data, time_ns) : time_ns;
}

static void on_bin(const FlowBin *bin, gpointer data)
{
    Capture *capture = data;
    for (int way = 0; way < 2; way++) {
        Throughput row = {0};
        if (bin->packets[way] == 0)
            continue;
        RECORD_SET(&row, THROUGHPUT, time_ns, utc(capture, bin->start_ns));
        RECORD_SET(&row, THROUGHPUT, source, capture->modem.source);
        RECORD_SET(&row, THROUGHPUT, kind, PROBE_PASSIVE);
        RECORD_SET(&row, THROUGHPUT, direction, way ? DIRECTION_UP : DIRECTION_DOWN);
        RECORD_SET(&row, THROUGHPUT, duration_ns, bin->duration_ns);
        RECORD_SET(&row, THROUGHPUT, bytes, (gint64)bin->goodput[way]);
        RECORD_SET(&row, THROUGHPUT, rate_bps,
                   8e9 * (double)bin->goodput[way] / (double)bin->duration_ns);
        RECORD_SET(&row, THROUGHPUT, retransmissions, bin->retransmissions[way]);
        if (!isnan(bin->rtt_ms))
            RECORD_SET(&row, THROUGHPUT, delay_ms, bin->rtt_ms);
        capture->host->add(capture->host->data, RECORD_THROUGHPUT, &row);
    }
}

static void on_packet(guint8 *user, const struct pcap_pkthdr *header, const guint8 *data)
{
    Capture *capture = (Capture *)(void *)user;
    gint64 time_ns = (gint64)header->ts.tv_sec * 1000000000 + header->ts.tv_usec; /* ns: as asked */
    if (header->caplen <= capture->skip)
        return;
    data += capture->skip;
    gsize captured = header->caplen - capture->skip, length = header->len - capture->skip;
    gboolean up = goes_up(capture, data, captured);
    FlowShare share = flow_packet(capture->flow, up, time_ns, data, captured, length);
    for (guint i = 0; i < capture->series->len; i++)
        traffic_series_add(capture->series->pdata[i], time_ns, up, &share);
    g_autoptr(GError) error = NULL;
    if (capture->debug &&
        !pcapng_packet(capture->debug, up, time_ns, data, captured, length, &error)) {
        g_warning("modem %s: debug capture stopped: %s", capture->modem.label, error->message);
        g_clear_pointer(&capture->debug, pcapng_free);
    }
}

/* TRUE if there was nothing left to take. */
static gboolean take(Capture *capture)
{
    int n = pcap_dispatch(capture->handle, MOST, on_packet, (guint8 *)capture);
    if (n == PCAP_ERROR)
        capture->broken = TRUE; /* the interface is gone */
    return n <= 0;
}

void capture_add_series(Capture *capture, TrafficSeries *series)
{
    if (capture->series->len == 0)
        capture->dropped = capture_dropped(capture);
    g_ptr_array_add(capture->series, traffic_series_ref(series));
}

/* All packets before this time are in. */
static void complete_series(Capture *capture, gint64 until_ns)
{
    guint64 dropped = capture->series->len ? capture_dropped(capture) : capture->dropped;
    for (guint i = capture->series->len; i-- > 0;) {
        TrafficSeries *series = capture->series->pdata[i];
        series->lacking = series->lacking || dropped != capture->dropped;
        if (series->end_ns > until_ns)
            continue;
        series->complete = TRUE;
        g_ptr_array_remove_index_fast(capture->series, i);
    }
    capture->dropped = dropped;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    Capture *capture = data;
    (void)fd;
    (void)condition;
    take(capture);
    return capture->broken ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean on_tick(gpointer data)
{
    Capture *capture = data;
    /* Packets come to us up to one block late. */
    gint64 until_ns = udp_realtime() - 2 * BLOCK_MS * G_GINT64_CONSTANT(1000000);
    flow_advance(capture->flow, until_ns);
    if (capture->series->len && (capture->broken || take(capture)))
        complete_series(capture, until_ns);
    return G_SOURCE_CONTINUE;
}

/* What needs CAP_NET_RAW. */
static gboolean open_packets(Capture *capture, char *problem)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    pcap_t *handle = capture->handle = pcap_create(capture->modem.interface, text);
    if (!handle) {
        g_strlcpy(problem, text, PCAP_ERRBUF_SIZE);
        return FALSE;
    }
    (void)pcap_set_snaplen(handle, FLOW_SNAPLEN);
    (void)pcap_set_promisc(handle, 0);
    (void)pcap_set_timeout(handle, BLOCK_MS);
    (void)pcap_set_buffer_size(handle, BUFFER_BYTES);
    (void)pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
    if (pcap_activate(handle) >= 0)
        return TRUE;
    g_strlcpy(problem, pcap_geterr(handle), PCAP_ERRBUF_SIZE);
    return FALSE;
}

static gboolean set_up(Capture *capture, char *problem)
{
    privilege_raise();
    gboolean open = open_packets(capture, problem);
    privilege_lower();
    if (!open)
        return FALSE;
    pcap_t *handle = capture->handle;
    switch (pcap_datalink(handle)) {
    case DLT_RAW:
        capture->skip = 0;
        break;
    case DLT_EN10MB:
        capture->skip = 14;
        break;
    case DLT_LINUX_SLL:
        capture->skip = 16;
        break;
    default:
        g_snprintf(problem, PCAP_ERRBUF_SIZE, "link type %d is not known", pcap_datalink(handle));
        return FALSE;
    }
    /* A blocking read of an idle interface does not return: always non-blocking, with its fd. */
    return pcap_setnonblock(handle, 1, problem) == 0;
}

Capture *capture_new(const ProbeHost *host, const ProbeModem *modem, GMainContext *context,
                     Pcapng *debug, GError **error)
{
    g_autoptr(Capture) capture = g_new0(Capture, 1);
    char problem[PCAP_ERRBUF_SIZE] = "";
    capture->host = host;
    capture->modem = *modem;
    capture->debug = debug;
    capture->flow = flow_new(on_bin, capture);
    capture->series = g_ptr_array_new_with_free_func((GDestroyNotify)traffic_series_unref);
    if (!set_up(capture, problem)) {
        g_set_error(error, PROBE_ERROR, PROBE_ERROR_INTERFACE, "capture on %s: %s",
                    modem->interface, problem);
        return NULL;
    }
    ask_own(capture);
    capture->source = g_unix_fd_source_new(pcap_get_selectable_fd(capture->handle), G_IO_IN);
    g_source_set_callback(capture->source, (GSourceFunc)(void (*)(void))on_readable, capture, NULL);
    g_source_attach(capture->source, context);
    capture->tick = g_timeout_source_new(TICK_MS);
    g_source_set_callback(capture->tick, on_tick, capture, NULL);
    g_source_attach(capture->tick, context);
    return g_steal_pointer(&capture);
}

static void drop_source(GSource *source)
{
    if (!source)
        return;
    g_source_destroy(source);
    g_source_unref(source);
}

gboolean capture_is_over(const Capture *capture)
{
    return capture->broken;
}

void capture_free(Capture *capture)
{
    if (!capture)
        return;
    drop_source(capture->tick);
    drop_source(capture->source);
    while (capture->source && !capture->broken && !take(capture))
        ;
    if (capture->source)
        complete_series(capture, G_MAXINT64);
    if (capture->handle)
        pcap_close(capture->handle);
    g_ptr_array_unref(capture->series);
    flow_finish(capture->flow);
    flow_free(capture->flow);
    pcapng_free(capture->debug);
    g_free(capture);
}

guint64 capture_dropped(const Capture *capture)
{
    struct pcap_stat statistics;
    return pcap_stats(capture->handle, &statistics) == 0 ? statistics.ps_drop : 0;
}
