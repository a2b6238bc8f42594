/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/check.h"
#include "logger/clock.h"
#include "logger/config.h"
#include "logger/hotplug.h"
#include "logger/modem.h"
#include "logger/store.h"

#include <gio/gio.h>
#include <math.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define MODEM_WAIT_S 8U
#define GPS_WAIT_S   4

typedef struct {
    GString *out;
    gboolean ok;
} Report;

static void line(Report *report, const char *mark, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void line(Report *report, const char *mark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_string_append_printf(report->out, "%-5s", mark);
    g_string_append_vprintf(report->out, format, args);
    g_string_append_c(report->out, '\n');
    va_end(args);
    if (strcmp(mark, "FIX") == 0)
        report->ok = FALSE;
}

static void check_store(Report *report, const ConfigStore *config)
{
    g_autoptr(GError) error = NULL;
    gboolean busy = FALSE;
    if (!store_check(config->folder, &busy, &error)) {
        line(report, "FIX", "store: %s", error->message);
        return;
    }
    line(report, "ok", "store: %s can be written%s", config->folder,
         busy ? "; a logger is running there" : "");
    StoreRoom room;
    if (!store_room(config->folder, &room, NULL))
        return;
    double free_mb = (double)room.free_bytes / 1e6;
    if (room.free_bytes < (guint64)config->keep_free)
        line(report, "FIX", "disk: %.0f MB free, less than keep-free; collect drives", free_mb);
    else if (room.free_bytes < (guint64)config->warn_free)
        line(report, "note", "disk: only %.0f MB free; collect drives soon", free_mb);
    else
        line(report, "ok", "disk: %.0f MB free", free_mb);
    if (config->budget > 0 && room.drives_bytes >= (guint64)config->budget)
        line(report, "FIX", "disk: %u drives take the whole budget; collect them", room.n_drives);
}

static void check_clock(Report *report)
{
    g_autoptr(LoggerClock) clock = clock_new();
    ClockState state = clock_state(clock);
    if (system_now().ns < TIME_MAP_EARLIEST_NS)
        line(report, "note", "clock: the system clock is wrong; GPS will put times right");
    else if (!state.system_synchronised)
        line(report, "note",
             "clock: nothing keeps the system clock right; GPS will, or run chrony or timesyncd");
    else
        line(report, "ok", "clock: synchronised");
}

/* Reads what gpsd says for some seconds: is there a receiver, has it a position? */
static void check_gps(Report *report, const ConfigGps *config)
{
    if (!config->enabled) {
        line(report, "note", "gps: not wanted; samples will have no position");
        return;
    }
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_timeout(client, GPS_WAIT_S);
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host(client, config->host, (guint16)config->port, NULL, &error);
    if (connection == NULL) {
        line(report, "FIX", "gps: no gpsd at %s:%d: %s; start it, or set enabled = no",
             config->host, (int)config->port, error->message);
        return;
    }
    static const char watch[] = "?WATCH={\"enable\":true,\"json\":true}\n";
    (void)g_output_stream_write(g_io_stream_get_output_stream(G_IO_STREAM(connection)), watch,
                                sizeof watch - 1, NULL, NULL);
    g_autoptr(GString) heard = g_string_new(NULL);
    gint64 until_us = g_get_monotonic_time() + GPS_WAIT_S * G_USEC_PER_SEC;
    char buffer[4096];
    while (g_get_monotonic_time() < until_us && heard->len < 1000000 &&
           strstr(heard->str, "\"mode\":3") == NULL && strstr(heard->str, "\"mode\":2") == NULL) {
        gssize n = g_input_stream_read(g_io_stream_get_input_stream(G_IO_STREAM(connection)),
                                       buffer, sizeof buffer, NULL, NULL);
        if (n <= 0)
            break;
        g_string_append_len(heard, buffer, n);
    }
    if (strstr(heard->str, "\"mode\":3") != NULL || strstr(heard->str, "\"mode\":2") != NULL)
        line(report, "ok", "gps: gpsd answers and has a position");
    else if (strstr(heard->str, "\"TPV\"") != NULL)
        line(report, "note",
             "gps: the receiver works but has no position; is its antenna under the sky?");
    else
        line(report, "FIX",
             "gps: gpsd answers but its receiver says nothing; check cable and /etc/default/gpsd");
}

typedef struct {
    GMainLoop *loop;
    gboolean ready;
    guint samples;
    char *trouble, *model;
    Sample sample;
    int sim;
} Trial;

static void trial_ready(gpointer data)
{
    ((Trial *)data)->ready = TRUE;
}

static void trial_lost(gpointer data, const char *why)
{
    Trial *trial = data;
    if (trial->trouble == NULL)
        trial->trouble = g_strdup(why);
    g_main_loop_quit(trial->loop);
}

static void trial_answered(gpointer data, MonoTime at)
{
    (void)data;
    (void)at;
}

static void trial_silent(gpointer data, const char *request)
{
    (void)data;
    (void)request;
}

static void trial_skipped(gpointer data)
{
    (void)data;
}

static void trial_sample(gpointer data, MonoTime asked, MonoTime at, Sample *sample)
{
    (void)asked;
    (void)at;
    Trial *trial = data;
    trial->sample = *sample;
    trial->samples++;
    if (trial->samples >= 2)
        g_main_loop_quit(trial->loop);
}

static void trial_record(gpointer data, MonoTime at, RecordKind kind, gpointer record)
{
    (void)data;
    (void)at;
    (void)kind;
    (void)record;
}

static void trial_identity(gpointer data, const char *model, const char *firmware, const char *imei,
                           const char *iccid)
{
    (void)firmware;
    (void)imei;
    (void)iccid;
    Trial *trial = data;
    g_free(trial->model);
    trial->model = g_strdup(model);
}

static void trial_sim(gpointer data, gboolean present)
{
    ((Trial *)data)->sim = present;
}

static void trial_protocol(gpointer data, const char *name)
{
    (void)data;
    (void)name;
}

typedef struct {
    const ModemDriver *type;
    gpointer driver;
    Trial *trial;
    guint ticks;
} TrialTick;

static gboolean trial_tick(gpointer data)
{
    TrialTick *tick = data;
    if (++tick->ticks >= MODEM_WAIT_S * 2) {
        g_main_loop_quit(tick->trial->loop);
    } else if (tick->trial->ready) {
        tick->type->poll(tick->driver, TRUE);
    }
    return G_SOURCE_CONTINUE;
}

static void tell_trial(Report *report, const char *label, const Trial *trial)
{
    const char *model = trial->model != NULL ? trial->model : "modem";
    if (!trial->ready) {
        line(report, "FIX", "modem %s: %s", label,
             trial->trouble != NULL ? trial->trouble : "no answer; is another program using it?");
        return;
    }
    if (trial->sim == 0)
        line(report, "FIX", "modem %s: %s has no SIM; put one in", label, model);
    if (trial->samples == 0) {
        line(report, "FIX", "modem %s: %s answers but measures nothing", label, model);
        return;
    }
    const Sample *sample = &trial->sample;
    if (RECORD_HAS(sample, SAMPLE, service) && sample->service != SERVICE_OK)
        line(report, "note", "modem %s: %s works but has no service here", label, model);
    else if (RECORD_HAS(sample, SAMPLE, rsrp_dbm))
        line(report, "ok", "modem %s: %s, %s, %.0f dBm", label, model, rat_name((Rat)sample->rat),
             sample->rsrp_dbm);
    else
        line(report, "ok", "modem %s: %s, %s", label, model, rat_name((Rat)sample->rat));
}

static void check_modem(Report *report, const ConfigModem *config)
{
    static const ModemDriver *const types[] = {
        [DRIVER_QMI] = &modem_qmi, [DRIVER_MBIM] = &modem_mbim, [DRIVER_REPLAY] = &modem_replay};
    g_autoptr(GError) error = NULL;
    g_autofree char *device = modem_find_device(config, &error);
    if (device == NULL) {
        line(report, "FIX", "modem %s: %s", config->head.label, error->message);
        return;
    }
    if (config->proxy && !modem_uses_proxy(config))
        line(report, "note", "modem %s: opened directly, the proxies serve only root",
             config->head.label);
    Trial trial = {.loop = g_main_loop_new(NULL, FALSE), .sim = -1};
    const ModemSink sink = {&trial,         trial_ready,   trial_lost,    trial_answered,
                            trial_silent,   trial_skipped, trial_sample,  trial_record,
                            trial_identity, trial_sim,     trial_protocol};
    TrialTick tick = {types[config->driver], NULL, &trial, 0};
    tick.driver = tick.type->open(config, device, &sink);
    guint timer = g_timeout_add(500, trial_tick, &tick);
    g_main_loop_run(trial.loop);
    g_source_remove(timer);
    tick.type->close(tick.driver);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    tell_trial(report, config->head.label, &trial);
    g_main_loop_unref(trial.loop);
    g_free(trial.trouble);
    g_free(trial.model);
}

gboolean check_all(const char *config_path, GString *out)
{
    Report report = {out, TRUE};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_load(config_path, &error);
    if (config == NULL) {
        line(&report, "FIX", "configuration: %s", error->message);
        return FALSE;
    }
    line(&report, "ok", "configuration: %s, %u modems", config_path, config->modems->len);
    const struct passwd *user = getpwuid(geteuid());
    line(&report, "note", "checked as user %s; the service runs as corridor",
         user != NULL ? user->pw_name : "?");
    check_store(&report, &config->store);
    check_clock(&report);
    check_gps(&report, &config->gps);
    if (config->modems->len == 0)
        line(&report, "FIX", "modems: none configured; add a [modem LABEL] section");
    for (guint i = 0; i < config->modems->len; i++)
        check_modem(&report, g_ptr_array_index(config->modems, i));
    g_autoptr(GPtrArray) found = hotplug_list();
    for (guint i = 0; i < found->len; i++)
        line(&report, "note", "seen: %s", (const char *)g_ptr_array_index(found, i));
    return report.ok;
}
