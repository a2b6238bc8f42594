/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/probe.h"

#include "logger/session-wire.h"
#include "logger/stamp-packet.h"
#include "logger/udp.h"
#include <math.h>
#include <string.h>

G_DEFINE_QUARK(corridor - probe - error - quark, probe_error)

#define WATCH_MS 1000 /* cell and level are noted this often while a probe runs */

ProbeSettings probe_settings_default(void)
{
    static const double rates[] = {3e6, 10e6, 0};
    return (ProbeSettings){
        .stamp_port = STAMP_PORT,
        .session_port = SESSION_PORT,
        .family = AF_UNSPEC,
        .stamp_per_s = 50,
        .stamp_size = 120,
        .stamp_key = TRUE,
        .echo_per_s = 5,
        .meeting = media_shape_default(),
        .meeting_s = 60,
        .codec = "g711-plc",
        .train_s = 0.2,
        .train_size = 1250,
        .train_down_bps = rates,
        .train_up_bps = rates,
        .streams = 3,
        .throughput_s = 7,
        .warm_up_s = 2,
        .timeout_s = 10,
    };
}

gint64 probe_utc_ns(const ProbeRun *run, gint64 realtime_ns)
{
    return run->host->utc_ns ? run->host->utc_ns(run->host->data, realtime_ns) : realtime_ns;
}

static void add_member(ProbeRun *run, const char *name)
{
    g_string_append_printf(run->detail, "%s\"%s\":", run->detail->len ? "," : "", name);
}

void probe_detail_real(ProbeRun *run, const char *name, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (!isfinite(value))
        return;
    add_member(run, name);
    g_string_append(run->detail, g_ascii_formatd(text, sizeof text, "%.7g", value));
}

void probe_detail_int(ProbeRun *run, const char *name, gint64 value)
{
    add_member(run, name);
    g_string_append_printf(run->detail, "%" G_GINT64_FORMAT, value);
}

/* JSON text; control characters have no business in what we write and become spaces. */
static void append_text(GString *to, const char *value)
{
    g_string_append_c(to, '"');
    for (const char *at = value; *at; at++) {
        if (*at == '"' || *at == '\\')
            g_string_append_c(to, '\\');
        g_string_append_c(to, (guchar)*at < 0x20 ? ' ' : *at);
    }
    g_string_append_c(to, '"');
}

void probe_detail_text(ProbeRun *run, const char *name, const char *value)
{
    add_member(run, name);
    append_text(run->detail, value);
}

void probe_event(ProbeRun *run, const char *kind, const char *detail)
{
    Event event = {0};
    RECORD_SET(&event, EVENT, time_ns, probe_utc_ns(run, udp_realtime()));
    RECORD_SET(&event, EVENT, source, run->modem.source);
    RECORD_SET(&event, EVENT, kind, kind);
    if (detail)
        RECORD_SET(&event, EVENT, detail, detail);
    run->host->add(run->host->data, RECORD_EVENT, &event);
}

void probe_run_silent(ProbeRun *run, const char *kind, const char *detail)
{
    if (!run->path.silent)
        probe_event(run, kind, detail);
    run->path.silent = TRUE;
}

void probe_run_resumed(ProbeRun *run)
{
    if (run->path.silent)
        probe_event(run, "probe-resumed", run->target);
    run->path.silent = FALSE;
}

void probe_run_address(ProbeRun *run, const UdpAddress *own)
{
    g_autofree char *text = udp_address_text(own);
    gboolean same_family = (strchr(text, ':') != NULL) == (strchr(run->path.own, ':') != NULL);
    if (run->path.own[0] != '\0' && same_family && strcmp(text, run->path.own) != 0)
        probe_event(run, "probe-address-changed", NULL);
    g_strlcpy(run->path.own, text, sizeof run->path.own);
}

static ProbePlace place_now(const ProbeHost *host)
{
    ProbePlace place = {NAN, NAN, NAN, NAN};
    if (host->place)
        host->place(host->data, &place);
    return place;
}

/* Notes what cell and level the probe meets on its way. */
static gboolean on_watch(gpointer data)
{
    ProbeRun *run = data;
    ProbeRadio radio = {.cell_id = -1, .level_dbm = NAN};
    if (!run->host->radio)
        return G_SOURCE_CONTINUE;
    run->host->radio(run->host->data, run->modem.source, &radio);
    if (isfinite(radio.level_dbm)) {
        run->level_min = fmin(run->level_min, radio.level_dbm);
        run->level_max = fmax(run->level_max, radio.level_dbm);
    }
    if (radio.cell_id >= 0 && radio.cell_id != run->last_cell && run->cells->len < 400) {
        g_string_append_printf(run->cells, "%s%" G_GINT64_FORMAT, run->cells->len ? "," : "",
                               radio.cell_id);
        run->last_cell = radio.cell_id;
    }
    return G_SOURCE_CONTINUE;
}

ProbeRun *probe_run_new(const ProbeType *type, const ProbeHost *host, const ProbeSettings *settings,
                        const ProbeModem *modem, GMainContext *context, ProbeDone done,
                        gpointer data)
{
    ProbeRun *run = g_malloc0(type->size);
    run->type = type;
    run->host = host;
    run->settings = settings;
    run->modem = *modem;
    run->context = context;
    run->done = done;
    run->done_data = data;
    run->setup_ms = run->value = NAN;
    run->detail = g_string_new(NULL);
    run->cells = g_string_new(NULL);
    run->last_cell = -1;
    run->level_min = run->level_max = NAN;
    return run;
}

static void stop_watcher(ProbeRun *run)
{
    if (!run->watcher)
        return;
    g_source_destroy(run->watcher);
    g_source_unref(run->watcher);
    run->watcher = NULL;
}

void probe_run_free(ProbeRun *run)
{
    if (!run)
        return;
    stop_watcher(run);
    run->type->clear(run);
    if (run->finished)
        (void)probe_run_settle(run, TRUE);
    traffic_series_unref(run->traffic);
    g_string_free(run->detail, TRUE);
    g_string_free(run->cells, TRUE);
    g_free(run->target);
    g_free(run);
}

static const char *reason_of(const GError *error)
{
    if (error->domain == PROBE_ERROR)
        return error->code == PROBE_ERROR_NAME        ? "dns"
               : error->code == PROBE_ERROR_INTERFACE ? "no-interface"
                                                      : "system";
    return error->domain == UDP_ERROR && error->code == UDP_ERROR_INTERFACE ? "no-interface"
                                                                            : "system";
}

void probe_run_start(ProbeRun *run)
{
    g_autoptr(GError) error = NULL;
    run->id = run->host->next_id(run->host->data);
    run->start_mono_ns = udp_monotonic();
    run->start_ns = run->start_mono_ns + udp_to_realtime();
    run->from = place_now(run->host);
    run->watcher = g_timeout_source_new(WATCH_MS);
    g_source_set_callback(run->watcher, on_watch, run, NULL);
    g_source_attach(run->watcher, run->context);
    (void)on_watch(run);
    if (run->type->start(run, &error))
        return;
    probe_detail_text(run, "error", error->message);
    /* A modem without an interface says nothing about coverage. */
    const char *reason = reason_of(error);
    probe_run_finish(run, g_str_equal(reason, "no-interface") ? STATUS_SKIPPED : STATUS_FAILED,
                     reason);
}

static void add_way(ProbeRun *run)
{
    ProbePlace to = place_now(run->host);
    (void)on_watch(run);
    probe_detail_real(run, "from_lat", run->from.lat);
    probe_detail_real(run, "from_lon", run->from.lon);
    probe_detail_real(run, "to_lat", to.lat);
    probe_detail_real(run, "to_lon", to.lon);
    probe_detail_real(run, "metres", to.distance_m - run->from.distance_m);
    probe_detail_real(run, "level_min_dbm", run->level_min);
    probe_detail_real(run, "level_max_dbm", run->level_max);
    if (run->cells->len) {
        add_member(run, "cells");
        g_string_append_printf(run->detail, "[%s]", run->cells->str);
    }
}

/* What the capture saw while the probe ran, beside what the probe counted: content of HTTP against
 * what was acknowledged its way, packets of a session against all of IP both ways. */
static void add_traffic(const ProbeRun *run, Probe *record)
{
    if (!run->traffic || !run->traffic->complete || run->traffic->lacking)
        return;
    TrafficSum all = traffic_series_sum(run->traffic, run->start_ns, run->end_ns);
    RECORD_SET(record, PROBE, passive_down, (gint64)(all.goodput[0] + 0.5));
    RECORD_SET(record, PROBE, passive_up, (gint64)(all.goodput[1] + 0.5));
    double counted = (double)(run->bytes_down + run->bytes_up);
    double seen = all.bytes[0] + all.bytes[1];
    if (run->counted.to_ns != 0) {
        counted = run->counted.bytes;
        seen = traffic_series_sum(run->traffic, run->counted.from_ns, run->counted.to_ns)
                   .acked[run->direction == DIRECTION_UP];
    }
    if (counted > 0 && seen > 0)
        RECORD_SET(record, PROBE, passive_ratio, counted / seen);
}

static void add_record(const ProbeRun *run)
{
    Probe record = {0};
    g_autofree char *detail = g_strdup_printf("{%s}", run->detail->str);
    const char *reason = run->reason;
    RECORD_SET(&record, PROBE, time_ns, probe_utc_ns(run, run->start_ns));
    RECORD_SET(&record, PROBE, source, run->modem.source);
    RECORD_SET(&record, PROBE, id, run->id);
    RECORD_SET(&record, PROBE, kind, (int)run->type->kind);
    RECORD_SET(&record, PROBE, end_ns, probe_utc_ns(run, run->end_ns));
    RECORD_SET(&record, PROBE, status, (int)run->status);
    if (reason && *reason)
        RECORD_SET(&record, PROBE, reason, reason);
    if (run->target)
        RECORD_SET(&record, PROBE, target, run->target);
    RECORD_SET(&record, PROBE, direction, (int)run->direction);
    RECORD_SET(&record, PROBE, bytes_down, run->bytes_down);
    RECORD_SET(&record, PROBE, bytes_up, run->bytes_up);
    if (!isnan(run->setup_ms))
        RECORD_SET(&record, PROBE, setup_ms, run->setup_ms);
    if (!isnan(run->value))
        RECORD_SET(&record, PROBE, value, run->value);
    RECORD_SET(&record, PROBE, detail, detail);
    add_traffic(run, &record);
    run->host->add(run->host->data, RECORD_PROBE, &record);
}

void probe_run_watch(ProbeRun *run)
{
    run->traffic = traffic_series_new(udp_realtime());
}

gboolean probe_run_settle(ProbeRun *run, gboolean now)
{
    if (!run->recorded && (now || !run->traffic || run->traffic->complete)) {
        run->recorded = TRUE;
        add_record(run);
    }
    return run->recorded;
}

void probe_run_finish(ProbeRun *run, ProbeStatus status, const char *reason)
{
    g_return_if_fail(!run->finished);
    run->finished = TRUE;
    run->status = status;
    run->reason = reason;
    run->end_ns = udp_realtime();
    stop_watcher(run);
    add_way(run);
    if (run->traffic)
        run->traffic->end_ns = run->end_ns;
    (void)probe_run_settle(run, FALSE);
    run->done(run, run->done_data);
}

void probe_run_stop(ProbeRun *run, const char *reason)
{
    if (run->finished)
        return;
    run->type->stop(run);
    probe_run_finish(run, reason ? STATUS_CUT : STATUS_OK, reason);
}

void probe_skipped(const ProbeType *type, const ProbeHost *host, const ProbeModem *modem,
                   const char *target, const char *reason)
{
    Probe record = {0};
    gint64 now_ns = udp_realtime();
    gint64 utc_ns = host->utc_ns ? host->utc_ns(host->data, now_ns) : now_ns;
    RECORD_SET(&record, PROBE, time_ns, utc_ns);
    RECORD_SET(&record, PROBE, source, modem->source);
    RECORD_SET(&record, PROBE, id, host->next_id(host->data));
    RECORD_SET(&record, PROBE, kind, (int)type->kind);
    RECORD_SET(&record, PROBE, end_ns, utc_ns);
    RECORD_SET(&record, PROBE, status, (int)STATUS_SKIPPED);
    RECORD_SET(&record, PROBE, reason, reason);
    if (target)
        RECORD_SET(&record, PROBE, target, target);
    host->add(host->data, RECORD_PROBE, &record);
}
