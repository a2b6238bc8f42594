/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/check.h"
#include "logger/check-report.h"
#include "logger/clock.h"
#include "logger/hotplug.h"
#include "logger/replay.h"
#include "logger/store.h"

#include <gio/gio.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define GPS_WAIT_S 4

void check_line(CheckReport *report, const char *mark, const char *format, ...)
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

static void check_store(CheckReport *report, const ConfigStore *config)
{
    g_autoptr(GError) error = NULL;
    gboolean busy = FALSE;
    if (!store_check(config->folder, &busy, &error)) {
        check_line(report, "FIX", "store: %s", error->message);
        return;
    }
    check_line(report, "ok", "store: %s can be written%s", config->folder,
               busy ? "; a logger is running there" : "");
    StoreRoom room;
    if (!store_room(config->folder, &room, NULL))
        return;
    double free_mb = (double)room.free_bytes / 1e6;
    if (room.free_bytes < (guint64)config->keep_free)
        check_line(report, "FIX", "disk: %.0f MB free, less than keep-free; collect drives",
                   free_mb);
    else if (room.free_bytes < (guint64)config->warn_free)
        check_line(report, "note", "disk: only %.0f MB free; collect drives soon", free_mb);
    else
        check_line(report, "ok", "disk: %.0f MB free", free_mb);
    if (config->budget > 0 && room.drives_bytes >= (guint64)config->budget)
        check_line(report, "FIX", "disk: %u drives take the whole budget; collect them",
                   room.n_drives);
}

static void check_clock(CheckReport *report)
{
    g_autoptr(LoggerClock) clock = clock_new();
    ClockState state = clock_state(clock);
    if (system_now().ns < TIME_MAP_EARLIEST_NS)
        check_line(report, "note", "clock: the system clock is wrong; GPS will put times right");
    else if (!state.system_synchronised)
        check_line(
            report, "note",
            "clock: nothing keeps the system clock right; GPS will, or run chrony or timesyncd");
    else
        check_line(report, "ok", "clock: synchronised");
}

static void check_replayed_gps(CheckReport *report, const ConfigGps *config)
{
    const ReplayPlan plan = {.file = config->replay_file,
                             .label = config->replay_label,
                             .gps = TRUE,
                             .speed = config->replay_speed};
    g_autoptr(GError) error = NULL;
    g_autoptr(Replay) replay = replay_new(&plan, &error);
    if (replay == NULL)
        check_line(report, "FIX", "gps: %s", error->message);
    else
        check_line(report, "ok", "gps: plays %s of %s", replay_source(replay)->label,
                   config->replay_file);
}

/* Reads what gpsd says for some seconds: is there a receiver, has it a position? */
static void check_gps(CheckReport *report, const ConfigGps *config)
{
    if (!config->enabled) {
        check_line(report, "note", "gps: not wanted; samples will have no position");
        return;
    }
    if (config->driver == GPS_REPLAY) {
        check_replayed_gps(report, config);
        return;
    }
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_timeout(client, GPS_WAIT_S);
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host(client, config->host, (guint16)config->port, NULL, &error);
    if (connection == NULL) {
        check_line(report, "FIX", "gps: no gpsd at %s:%d: %s; start it, or set enabled = no",
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
        check_line(report, "ok", "gps: gpsd answers and has a position");
    else if (strstr(heard->str, "\"TPV\"") != NULL)
        check_line(report, "note",
                   "gps: the receiver works but has no position; is its antenna under the sky?");
    else
        check_line(
            report, "FIX",
            "gps: gpsd answers but its receiver says nothing; check cable and /etc/default/gpsd");
}

static void check_status(CheckReport *report, const ConfigStatus *config)
{
    g_autofree char *folder = g_path_get_dirname(config->socket);
    if (access(folder, F_OK) == 0 && access(folder, W_OK) != 0)
        check_line(report, "FIX", "status: %s cannot be written; let the logger's user own it",
                   folder);
}

/* The first start makes the key; a check, which may be another user's, makes nothing. */
static Identity *open_identity(CheckReport *report, const Config *config)
{
    g_autofree char *key = config_identity_key(config);
    if (key != NULL && access(key, F_OK) != 0)
        return NULL;
    g_autoptr(GError) error = NULL;
    Identity *identity = identity_open(key, &error);
    if (identity == NULL)
        check_line(report, "FIX", "identity: %s", error->message);
    return identity;
}

gboolean check_all(const char *config_path, GString *out)
{
    CheckReport report = {out, TRUE, NULL, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_load(config_path, &error);
    if (config == NULL) {
        check_line(&report, "FIX", "configuration: %s", error->message);
        return FALSE;
    }
    check_line(&report, "ok", "configuration: %s, %u modems", config_path, config->modems->len);
    const struct passwd *user = getpwuid(geteuid());
    check_line(&report, "note", "checked as user %s; the service runs as corridor",
               user != NULL ? user->pw_name : "?");
    check_store(&report, &config->store);
    check_status(&report, &config->status);
    check_clock(&report);
    check_gps(&report, &config->gps);
    if (config->modems->len == 0)
        check_line(&report, "FIX", "modems: none configured; add a [modem LABEL] section");
    g_autoptr(ModemFinder) finder = modem_finder_new(config->modems);
    g_autoptr(Identity) identity = open_identity(&report, config);
    report.finder = finder;
    report.identity = identity;
    for (guint i = 0; i < config->modems->len; i++)
        check_modem(&report, g_ptr_array_index(config->modems, i));
    check_reach(&report, config);
    g_autoptr(GPtrArray) found = hotplug_list();
    for (guint i = 0; i < found->len; i++)
        check_line(&report, "note", "seen: %s", (const char *)g_ptr_array_index(found, i));
    return report.ok;
}
