/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Throughput over HTTP(S): N parallel transfers for a time or a volume, whichever is first, through
 * libcurl on the main context; one row of throughputs each 100 ms.
 *
 * What is counted: down, content bytes as the program got them; up, bytes the far end has
 * acknowledged (tcp_info), because what was only handed to the system may wait in its buffers for
 * seconds.
 *
 * Results (docs/probes.md): value is the steady rate, from the end of the warm-up to the end; where
 * the transfer was too short for it, the mean data rate of ETSI TS 102 250-2, method B, from the
 * first content byte to the last. Both, and the multi-threaded rate, are in the detail.
 *
 * Redirects are not followed: a captive portal is not the far end.
 */
#include "logger/pace.h"
#include "logger/probe.h"
#include "logger/rate.h"
#include "logger/udp.h"
#include <curl/curl.h>
#include <errno.h>
#include <glib-unix.h>
#include <linux/tcp.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S    G_GINT64_CONSTANT(1000000000)
#define STEP_NS     (NS_PER_S / 10)
#define MAX_STREAMS 16
#define SMALL_BYTES 65536 /* a file below this cannot measure anything */
#define MIN_STEADY  (NS_PER_S / 2)

typedef struct ThroughputRun ThroughputRun;

typedef struct {
    ThroughputRun *owner;
    CURL *easy;
    GArray *points;       /* RatePoint: bytes by time since the first byte */
    guint64 bytes;        /* content, down; acknowledged, up */
    guint64 before;       /* of earlier requests on other connections */
    guint64 this_request; /* content of the request that runs */
    guint64 acked_before; /* acknowledged before the content began */
    gboolean begun, active;
    curl_socket_t fds[4]; /* of its connection, and of tries that lost the race */
    unsigned n_fds;
    char error[CURL_ERROR_SIZE];
} Stream;

struct ThroughputRun {
    ProbeRun run;
    CURLM *multi;
    GSource *timer;
    GHashTable *watches; /* curl_socket_t -> GSource */
    Pace *pace;
    struct curl_slist *headers;
    Stream streams[MAX_STREAMS];
    unsigned n, active;
    const char *url;
    gint64 begun_ns, first_ns, last_ns, end_ns; /* CLOCK_MONOTONIC */
    guint64 at_first, at_warm, at_last_step;
    gint64 warm_ns, step_ns; /* when the warm-up was over; when the running step began */
    CURLcode problem;
    long http_status;
    const char *reason; /* static or interned */
    gboolean ending;
};

static gboolean is_up(const ThroughputRun *probe)
{
    return probe->run.direction == DIRECTION_UP;
}

static void conclude(ThroughputRun *probe, gint64 now_ns);

/* --- counting --- */

/* Bytes the far end has acknowledged on the stream's connection. */
static guint64 acknowledged(const Stream *stream)
{
    guint64 most = 0;
    for (unsigned i = 0; i < stream->n_fds; i++) {
        struct tcp_info info;
        socklen_t length = sizeof info;
        memset(&info, 0, sizeof info);
        if (getsockopt(stream->fds[i], IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
            most = MAX(most, (guint64)info.tcpi_bytes_acked);
    }
    return most;
}

static void count_up(ThroughputRun *probe)
{
    for (unsigned i = 0; i < probe->n; i++) {
        Stream *stream = &probe->streams[i];
        guint64 acked = stream->begun ? acknowledged(stream) : 0;
        if (acked > stream->acked_before)
            stream->bytes = MAX(stream->bytes, stream->before + acked - stream->acked_before);
    }
}

static guint64 total(const ThroughputRun *probe)
{
    guint64 bytes = 0;
    for (unsigned i = 0; i < probe->n; i++)
        bytes += probe->streams[i].bytes;
    return bytes;
}

static void note_first(ThroughputRun *probe, gint64 now_ns)
{
    if (probe->first_ns)
        return;
    probe->first_ns = now_ns;
    probe->run.setup_ms = (double)(now_ns - probe->begun_ns) / 1e6;
}

/* One row: what came since the last one. */
static void step(ThroughputRun *probe, gint64 now_ns)
{
    ProbeRun *run = &probe->run;
    Throughput row = {0};
    gint64 duration_ns = now_ns - probe->step_ns;
    if (duration_ns <= 0)
        return; /* and count nothing: rows add up to the probe */
    if (is_up(probe))
        count_up(probe);
    guint64 bytes = total(probe);
    gint64 gained = (gint64)(bytes - probe->at_last_step);
    RECORD_SET(&row, THROUGHPUT, time_ns, probe_utc_ns(run, probe->step_ns + udp_to_realtime()));
    RECORD_SET(&row, THROUGHPUT, source, run->modem.source);
    RECORD_SET(&row, THROUGHPUT, probe, run->id);
    RECORD_SET(&row, THROUGHPUT, kind, PROBE_THROUGHPUT);
    RECORD_SET(&row, THROUGHPUT, direction, (int)run->direction);
    RECORD_SET(&row, THROUGHPUT, duration_ns, duration_ns);
    RECORD_SET(&row, THROUGHPUT, bytes, gained);
    RECORD_SET(&row, THROUGHPUT, rate_bps, 8e9 * (double)gained / (double)duration_ns);
    run->host->add(run->host->data, RECORD_THROUGHPUT, &row);
    for (unsigned i = 0; i < probe->n && probe->first_ns; i++) {
        const RatePoint point = {(double)(now_ns - probe->first_ns) / 1e9,
                                 (double)probe->streams[i].bytes};
        if (point.time_s > 0)
            g_array_append_val(probe->streams[i].points, point);
    }
    if (gained > 0)
        probe->last_ns = now_ns;
    if (probe->warm_ns == 0 && probe->first_ns &&
        now_ns - probe->first_ns >= (gint64)(run->settings->warm_up_s * 1e9)) {
        probe->warm_ns = now_ns;
        probe->at_warm = bytes;
    }
    probe->at_last_step = bytes;
    probe->step_ns = now_ns;
}

/* --- libcurl's callbacks --- */

static size_t on_content(char *data, size_t size, size_t n, void *user)
{
    Stream *stream = user;
    ThroughputRun *probe = stream->owner;
    size_t bytes = size * n;
    long status = 0;
    (void)data;
    (void)curl_easy_getinfo(stream->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 || is_up(probe))
        return bytes; /* an error page is not content */
    if (!probe->first_ns) {
        note_first(probe, udp_monotonic());
        probe->at_first = bytes;
    }
    stream->bytes += bytes;
    stream->this_request += bytes;
    return bytes;
}

static size_t on_wanted(char *room, size_t size, size_t n, void *user)
{
    Stream *stream = user;
    ThroughputRun *probe = stream->owner;
    size_t bytes = size * n;
    const ProbeSettings *settings = probe->run.settings;
    if (!stream->begun) {
        stream->begun = TRUE;
        stream->acked_before = acknowledged(stream);
        note_first(probe, udp_monotonic());
    }
    if (probe->ending)
        return 0;
    if (settings->throughput_bytes &&
        stream->this_request + bytes > settings->throughput_bytes / probe->n)
        bytes = (size_t)(settings->throughput_bytes / probe->n - stream->this_request);
    memset(room, 0, bytes);
    stream->this_request += bytes;
    return bytes;
}

static int on_socket_made(void *user, curl_socket_t fd, curlsocktype purpose)
{
    Stream *stream = user;
    const char *device = stream->owner->run.modem.interface;
    (void)purpose;
    if (device &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1) != 0)
        return CURL_SOCKOPT_ERROR;
    if (stream->n_fds < G_N_ELEMENTS(stream->fds))
        stream->fds[stream->n_fds++] = fd;
    return CURL_SOCKOPT_OK;
}

static int on_socket_over(void *user, curl_socket_t fd)
{
    /* Ended by time or budget: what the system still holds must not go on for seconds, on the data
     * plan's account and in the way of the next probe. */
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    Stream *stream = user;
    if (stream->owner->ending)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    for (unsigned i = 0; i < stream->n_fds; i++) {
        if (stream->fds[i] == fd)
            stream->fds[i] = stream->fds[--stream->n_fds];
    }
    return close(fd);
}

/* --- libcurl on the main context --- */

static void check_finished(ThroughputRun *probe);

static void act(ThroughputRun *probe, curl_socket_t fd, int what)
{
    int running = 0;
    (void)curl_multi_socket_action(probe->multi, fd, what, &running);
    check_finished(probe);
}

static gboolean on_fd(gint fd, GIOCondition condition, gpointer data)
{
    int what = (condition & (G_IO_IN | G_IO_HUP) ? CURL_CSELECT_IN : 0) |
               (condition & G_IO_OUT ? CURL_CSELECT_OUT : 0) |
               (condition & G_IO_ERR ? CURL_CSELECT_ERR : 0);
    act(data, fd, what);
    return G_SOURCE_CONTINUE;
}

static void drop_source(gpointer data)
{
    g_source_destroy(data);
    g_source_unref(data);
}

static int on_watch_wanted(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_data)
{
    ThroughputRun *probe = user;
    (void)easy;
    (void)socket_data;
    (void)g_hash_table_remove(probe->watches, GINT_TO_POINTER(fd));
    if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE)
        return 0;
    GIOCondition condition = (what & CURL_POLL_IN ? G_IO_IN | G_IO_HUP : 0) |
                             (what & CURL_POLL_OUT ? G_IO_OUT : 0) | G_IO_ERR;
    GSource *source = g_unix_fd_source_new(fd, condition);
    g_source_set_callback(source, (GSourceFunc)(void (*)(void))on_fd, probe, NULL);
    g_source_attach(source, probe->run.context);
    g_hash_table_insert(probe->watches, GINT_TO_POINTER(fd), source);
    return 0;
}

static gboolean on_timer(gpointer data)
{
    ThroughputRun *probe = data;
    g_source_unref(probe->timer);
    probe->timer = NULL;
    act(probe, CURL_SOCKET_TIMEOUT, 0);
    return G_SOURCE_REMOVE;
}

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *user)
{
    ThroughputRun *probe = user;
    (void)multi;
    if (probe->timer)
        drop_source(g_steal_pointer(&probe->timer));
    if (timeout_ms < 0)
        return 0;
    probe->timer = g_timeout_source_new((guint)timeout_ms);
    g_source_set_callback(probe->timer, on_timer, probe, NULL);
    g_source_attach(probe->timer, probe->run.context);
    return 0;
}

/* --- what becomes of a transfer --- */

static const char *reason_of(CURLcode code, long status)
{
    if (code == CURLE_OK)
        return status >= 300 && status < 400 ? "redirect"
               : status >= 400               ? g_intern_string("http-error")
                                             : NULL;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "dns";
    case CURLE_COULDNT_CONNECT:
        return "connect";
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return "tls";
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return "truncated";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return "wrong-url";
    case CURLE_ABORTED_BY_CALLBACK:
        return "no-interface";
    default:
        return "transfer";
    }
}

static gboolean volume_reached(const ThroughputRun *probe)
{
    guint64 most = probe->run.settings->throughput_bytes;
    return most > 0 && total(probe) >= most;
}

/* A transfer is over: another one of the same stream, or the end of the stream. */
static void on_transfer_over(ThroughputRun *probe, Stream *stream, CURLcode code)
{
    long status = 0;
    (void)curl_easy_getinfo(stream->easy, CURLINFO_RESPONSE_CODE, &status);
    gboolean good = code == CURLE_OK && status >= 200 && status < 300;
    if (is_up(probe) && good)
        stream->bytes = MAX(stream->bytes, stream->before + stream->this_request);
    (void)curl_multi_remove_handle(probe->multi, stream->easy);
    if (good && !is_up(probe) && !probe->ending && !volume_reached(probe) &&
        stream->this_request >= SMALL_BYTES && probe->run.settings->throughput_s > 0) {
        stream->this_request = 0;
        (void)curl_multi_add_handle(probe->multi, stream->easy);
        return;
    }
    stream->active = FALSE;
    probe->active--;
    if (probe->ending)
        return;
    probe->http_status = status;
    if (!good) {
        probe->problem = code;
        probe->reason = reason_of(code, status);
        if (stream->error[0])
            g_debug("%s: %s", probe->url, stream->error);
    } else if (!is_up(probe) && stream->this_request < SMALL_BYTES) {
        probe->reason = "file-too-small";
    }
}

static void check_finished(ThroughputRun *probe)
{
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(probe->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        for (unsigned i = 0; i < probe->n; i++) {
            if (probe->streams[i].easy == message->easy_handle) {
                on_transfer_over(probe, &probe->streams[i], code);
                break;
            }
        }
    }
    if (probe->run.finished)
        return;
    if (probe->active == 0 || (!is_up(probe) && volume_reached(probe)))
        conclude(probe, udp_monotonic());
}

static gint64 on_tick(gint64 now_ns, gpointer data)
{
    ThroughputRun *probe = data;
    step(probe, now_ns);
    if (now_ns >= probe->end_ns) {
        conclude(probe, now_ns);
        return 0;
    }
    gint64 next_ns = probe->begun_ns + ((now_ns - probe->begun_ns) / STEP_NS + 1) * STEP_NS;
    return MIN(next_ns, probe->end_ns);
}

/* --- results --- */

static void add_times(ThroughputRun *probe)
{
    static const struct {
        CURLINFO info;
        const char *name;
    } rows[] = {{CURLINFO_NAMELOOKUP_TIME_T, "name_ms"},
                {CURLINFO_CONNECT_TIME_T, "connect_ms"},
                {CURLINFO_APPCONNECT_TIME_T, "tls_ms"},
                {CURLINFO_STARTTRANSFER_TIME_T, "first_byte_ms"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        curl_off_t us = 0;
        if (curl_easy_getinfo(probe->streams[0].easy, rows[i].info, &us) == CURLE_OK && us > 0)
            probe_detail_real(&probe->run, rows[i].name, (double)us / 1e3);
    }
}

static void add_rates(ThroughputRun *probe, gint64 now_ns)
{
    ProbeRun *run = &probe->run;
    RateThread threads[MAX_STREAMS];
    guint64 bytes = total(probe);
    /* Bound by time, a stall at the end belongs to the result; by volume, it ends with the last
     * byte. */
    gint64 to_ns = probe->active > 0 && !volume_reached(probe) ? now_ns : probe->last_ns;
    double mean_bps = rate_mean_bps(probe->at_first, bytes, probe->first_ns, to_ns);
    double steady_bps = NAN;
    if (probe->warm_ns && to_ns - probe->warm_ns >= MIN_STEADY)
        steady_bps = 8e9 * (double)(bytes - probe->at_warm) / (double)(to_ns - probe->warm_ns);
    for (unsigned i = 0; i < probe->n; i++)
        threads[i] = (RateThread){(const RatePoint *)(const void *)probe->streams[i].points->data,
                                  probe->streams[i].points->len};
    gboolean steady = !isnan(steady_bps);
    run->value = steady ? steady_bps : mean_bps;
    gint64 to_realtime_ns = run->start_ns - run->start_mono_ns;
    run->counted.from_ns = (steady ? probe->warm_ns : probe->first_ns) + to_realtime_ns;
    run->counted.to_ns = to_ns + to_realtime_ns;
    run->counted.bytes = (double)(bytes - (steady ? probe->at_warm : probe->at_first));
    probe_detail_text(run, "definition", steady ? "steady" : "etsi-method-b");
    probe_detail_real(run, "mean_bps", mean_bps);
    probe_detail_real(run, "steady_bps", steady_bps);
    probe_detail_real(run, "parallel_bps", 8 * rate_parallel_bytes_per_s(threads, probe->n));
}

static void sum_up(ThroughputRun *probe, gint64 now_ns)
{
    ProbeRun *run = &probe->run;
    pace_free(g_steal_pointer(&probe->pace));
    step(probe, now_ns);
    guint64 bytes = total(probe);
    if (is_up(probe))
        run->bytes_up = (gint64)bytes;
    else
        run->bytes_down = (gint64)bytes;
    probe_detail_int(run, "streams", probe->n);
    add_times(probe);
    if (probe->http_status)
        probe_detail_int(run, "http_status", probe->http_status);
    if (probe->problem != CURLE_OK)
        probe_detail_text(run, "error", curl_easy_strerror(probe->problem));
    if (bytes > 0)
        add_rates(probe, now_ns);
}

/* Nothing more is sent or fetched, even before the run is freed. */
static void end_transfers(ThroughputRun *probe)
{
    probe->ending = TRUE;
    for (unsigned i = 0; i < probe->n; i++)
        (void)curl_multi_remove_handle(probe->multi, probe->streams[i].easy);
}

static void conclude(ThroughputRun *probe, gint64 now_ns)
{
    ProbeRun *run = &probe->run;
    ProbeStatus status = STATUS_OK;
    sum_up(probe, now_ns);
    end_transfers(probe);
    const char *reason = probe->reason;
    guint64 bytes = total(probe);
    if (g_strcmp0(reason, "file-too-small") == 0 && bytes < SMALL_BYTES * probe->n) {
        status = STATUS_SKIPPED;
        run->value = NAN;
    } else if (bytes == 0) {
        static const char *const not_coverage[] = {"redirect", "http-error", "wrong-url",
                                                   "no-interface", NULL};
        if (!reason)
            reason = probe->first_ns ? "stalled" : "timeout";
        status = g_strv_contains(not_coverage, reason) ? STATUS_SKIPPED : STATUS_FAILED;
    } else if (probe->active == 0 && reason) {
        status = STATUS_CUT;
    } else {
        reason = NULL;
    }
    probe_run_finish(run, status, reason);
}

/* --- begin --- */

static void set_up_stream(ThroughputRun *probe, Stream *stream)
{
    const ProbeSettings *settings = probe->run.settings;
    CURL *easy = stream->easy = curl_easy_init();
    stream->owner = probe;
    stream->points = g_array_new(FALSE, FALSE, sizeof(RatePoint));
    (void)curl_easy_setopt(easy, CURLOPT_URL, probe->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(settings->timeout_s * 1000));
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, probe->headers);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, stream->error);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_content);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, stream);
    (void)curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
    (void)curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, stream);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_socket_over);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, stream);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "corridor-logger/" CORRIDOR_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    if (settings->family != AF_UNSPEC)
        (void)curl_easy_setopt(easy, CURLOPT_IPRESOLVE,
                               settings->family == AF_INET ? (long)CURL_IPRESOLVE_V4
                                                           : (long)CURL_IPRESOLVE_V6);
    if (settings->ca_file)
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
    if (is_up(probe)) {
        (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_wanted);
        (void)curl_easy_setopt(easy, CURLOPT_READDATA, stream);
    }
    (void)curl_multi_add_handle(probe->multi, easy);
    stream->active = TRUE;
    probe->active++;
}

static gboolean begin(ThroughputRun *probe, Direction direction, const char *url, GError **error)
{
    ProbeRun *run = &probe->run;
    static gsize once;
    if (g_once_init_enter(&once)) {
        (void)curl_global_init(CURL_GLOBAL_DEFAULT);
        g_once_init_leave(&once, 1);
    }
    run->direction = direction;
    if (!url) {
        g_set_error_literal(error, PROBE_ERROR, PROBE_ERROR_SYSTEM, "no URL to transfer from");
        return FALSE;
    }
    probe->url = url;
    run->target = g_strdup(url);
    probe->watches = g_hash_table_new_full(NULL, NULL, NULL, drop_source);
    probe->multi = curl_multi_init();
    (void)curl_multi_setopt(probe->multi, CURLMOPT_SOCKETFUNCTION, on_watch_wanted);
    (void)curl_multi_setopt(probe->multi, CURLMOPT_SOCKETDATA, probe);
    (void)curl_multi_setopt(probe->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    (void)curl_multi_setopt(probe->multi, CURLMOPT_TIMERDATA, probe);
    /* No waiting for "100 Continue"; nothing compressed on the way. */
    probe->headers = curl_slist_append(NULL, "Expect:");
    probe->headers = curl_slist_append(probe->headers, "Accept-Encoding: identity");
    probe->begun_ns = probe->step_ns = udp_monotonic();
    probe->last_ns = probe->begun_ns;
    probe->end_ns = probe->begun_ns + (gint64)(run->settings->throughput_s * 1e9);
    probe->n = CLAMP(run->settings->streams, 1, MAX_STREAMS);
    for (unsigned i = 0; i < probe->n; i++)
        set_up_stream(probe, &probe->streams[i]);
    probe->pace = pace_new(run->context, probe->begun_ns + STEP_NS, on_tick, probe, error);
    return probe->pace != NULL;
}

static gboolean down_start(ProbeRun *run, GError **error)
{
    return begin((ThroughputRun *)run, DIRECTION_DOWN, run->settings->download_url, error);
}

static gboolean up_start(ProbeRun *run, GError **error)
{
    return begin((ThroughputRun *)run, DIRECTION_UP, run->settings->upload_url, error);
}

static void throughput_stop(ProbeRun *run)
{
    ThroughputRun *probe = (ThroughputRun *)run;
    if (!probe->multi)
        return;
    sum_up(probe, udp_monotonic());
    end_transfers(probe);
}

static void throughput_clear(ProbeRun *run)
{
    ThroughputRun *probe = (ThroughputRun *)run;
    pace_free(probe->pace);
    for (unsigned i = 0; i < probe->n; i++) {
        (void)curl_multi_remove_handle(probe->multi, probe->streams[i].easy);
        curl_easy_cleanup(probe->streams[i].easy);
        g_array_unref(probe->streams[i].points);
    }
    if (probe->multi)
        curl_multi_cleanup(probe->multi);
    curl_slist_free_all(probe->headers);
    if (probe->timer)
        drop_source(probe->timer);
    if (probe->watches)
        g_hash_table_unref(probe->watches);
}

static double throughput_bytes_per_s(const ProbeSettings *settings)
{
    (void)settings;
    return 0; /* as fast as it goes: the budget watches it by the interface's counters */
}

static double throughput_bytes(const ProbeSettings *settings)
{
    return (double)settings->throughput_bytes;
}

const ProbeType probe_throughput_down = {
    .kind = PROBE_THROUGHPUT,
    .name = "download",
    .bytes_per_s = throughput_bytes_per_s,
    .bytes = throughput_bytes,
    .size = sizeof(ThroughputRun),
    .start = down_start,
    .stop = throughput_stop,
    .clear = throughput_clear,
};

const ProbeType probe_throughput_up = {
    .kind = PROBE_THROUGHPUT,
    .name = "upload",
    .bytes_per_s = throughput_bytes_per_s,
    .bytes = throughput_bytes,
    .size = sizeof(ThroughputRun),
    .start = up_start,
    .stop = throughput_stop,
    .clear = throughput_clear,
};
