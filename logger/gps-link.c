/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptor is watched by the main loop; on each wake gps_read() is called until it says that
 * there is nothing more. gps_waiting() is not used: with half a line in its buffer it says yes at
 * once, for ever. A receiver that falls silent makes gpsd say nothing at all, so silence is timed
 * here. Nothing is written to a gpsd that has hung up: that would be a SIGPIPE. gps_open()
 * waits as long as TCP likes, so a connection is tried first without waiting: a gpsd on a host that
 * does not answer must not hold up the modems.
 */
#include "logger/gps-link.h"
#include "logger/complaint.h"
#include "logger/gps-convert.h"
#include "logger/replay.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <math.h>
#include <string.h>

#define RETRY_FIRST_MS 500U
#define RETRY_LAST_MS  5000U
#define TRY_S          5U
#define EARTH_M        6371000.0

struct Gps {
    const ConfigGps *config;
    Recorder *recorder;
    LoggerClock *clock;
    gint64 source;
    struct gps_data_t data;
    gboolean open;
    GSocketClient *client;
    GCancellable *trying; /* NULL: not now */
    Replay *replay;       /* instead of gpsd */
    guint watch, retry, stale;
    guint retry_ms;
    gint64 heard_ns; /* mono: last fix with a position */
    gint64 silent_row_ns;
    gboolean lost_told;
    gboolean ever;
    gint64 lost_since_ns;
    gint64 last_time_ns;
    Complaint trouble;
    GMutex lock; /* status */
    GpsStatus status;
};

static void start(Gps *gps);

static void tell(Gps *gps, const char *kind, const char *detail, double value)
{
    recorder_event(gps->recorder, clock_utc_now(gps->clock), gps->source, kind, detail, value);
}

static void set_trouble(Gps *gps, const char *text)
{
    g_mutex_lock(&gps->lock);
    g_strlcpy(gps->status.trouble, text, sizeof gps->status.trouble);
    g_mutex_unlock(&gps->lock);
}

static void position_lost(Gps *gps, const char *why)
{
    set_trouble(gps, why);
    if (gps->lost_told)
        return;
    gps->lost_told = TRUE;
    gps->lost_since_ns = gps->heard_ns;
    tell(gps, "gps-lost", why, (double)(mono_now().ns - gps->heard_ns) / 1e9);
    g_mutex_lock(&gps->lock);
    gps->status.have_fix = FALSE;
    gps->status.standing_ns = 0;
    g_mutex_unlock(&gps->lock);
}

static double metres(const Fix *a, const Fix *b)
{
    double k = G_PI / 180.0;
    double dy = (b->lat - a->lat) * k;
    double dx = (b->lon - a->lon) * k * cos((a->lat + b->lat) / 2 * k);
    return EARTH_M * hypot(dx, dy);
}

static void note_motion(Gps *gps, const Fix *fix, gint64 mono_ns)
{
    g_mutex_lock(&gps->lock);
    GpsStatus *status = &gps->status;
    gboolean moves =
        RECORD_HAS(fix, FIX, speed_mps) ? fix->speed_mps >= gps->config->standstill_mps : FALSE;
    if (status->fix_mono_ns != 0 && moves)
        status->distance_m += metres(&status->fix, fix);
    if (moves) {
        status->standing_ns = 0;
        status->has_moved = TRUE;
    } else if (status->standing_ns == 0) {
        status->standing_ns = mono_ns;
    }
    status->have_fix = TRUE;
    status->fix = *fix;
    status->fix_mono_ns = mono_ns;
    status->trouble[0] = '\0';
    g_mutex_unlock(&gps->lock);
}

static void take_fix(Gps *gps, Fix *fix, gint64 time_ns, gint64 received_ns, MonoTime at)
{
    RECORD_SET(fix, FIX, time_ns, time_ns);
    RECORD_SET(fix, FIX, received_ns, received_ns);
    RECORD_SET(fix, FIX, source, gps->source);
    recorder_add(gps->recorder, RECORD_FIX, fix);
    gps->silent_row_ns = at.ns;
    if (!RECORD_HAS(fix, FIX, lat))
        return;
    gps->heard_ns = at.ns;
    gps->ever = TRUE;
    note_motion(gps, fix, at.ns);
    if (gps->lost_told)
        tell(gps, "gps-found", NULL, (double)(at.ns - gps->lost_since_ns) / 1e9);
    gps->lost_told = FALSE;
}

static void on_fix(Gps *gps, Fix *fix, gint64 utc_ns, MonoTime at)
{
    if (utc_ns != 0 && utc_ns != gps->last_time_ns)
        clock_gps(gps->clock, (UtcTime){utc_ns + gps->config->latency_ns}, at);
    gint64 received_ns = clock_utc(gps->clock, at).ns;
    /* After a reconnect gpsd repeats the last epoch. */
    if (utc_ns != 0 && utc_ns == gps->last_time_ns && RECORD_HAS(fix, FIX, lat))
        return;
    if (utc_ns != 0)
        gps->last_time_ns = utc_ns;
    take_fix(gps, fix, utc_ns != 0 ? utc_ns : received_ns, received_ns, at);
}
static void on_message(Gps *gps, MonoTime at)
{
    const struct gps_data_t *data = &gps->data;
    g_mutex_lock(&gps->lock);
    gps->status.fixes++;
    g_mutex_unlock(&gps->lock);
    /* libgps 3.22 puts TOFF into the field of PPS, too; only PPS is a pulse. */
    if ((data->set & PPS_SET) != 0 && data->pps.real.tv_sec > 0) {
        UtcTime real = {(gint64)data->pps.real.tv_sec * 1000000000 + data->pps.real.tv_nsec};
        UtcTime system = {(gint64)data->pps.clock.tv_sec * 1000000000 + data->pps.clock.tv_nsec};
        clock_pps(gps->clock, real, system);
    }
    Fix fix;
    gint64 utc_ns = 0;
    if ((data->set & PACKET_SET) != 0 && gps_make_fix(data, &fix, &utc_ns))
        on_fix(gps, &fix, utc_ns, at);
}

static gboolean on_retry(gpointer data)
{
    Gps *gps = data;
    gps->retry = 0;
    start(gps);
    return G_SOURCE_REMOVE;
}

static void disconnect(Gps *gps)
{
    if (gps->watch != 0)
        g_source_remove(gps->watch);
    gps->watch = 0;
    if (gps->open)
        (void)gps_close(&gps->data);
    gps->open = FALSE;
    g_clear_pointer(&gps->replay, replay_free);
    g_mutex_lock(&gps->lock);
    gps->status.connected = FALSE;
    g_mutex_unlock(&gps->lock);
}

static void try_later(Gps *gps, const char *why)
{
    disconnect(gps);
    complain(&gps->trouble, "gps", why);
    position_lost(gps, why);
    gps->retry = g_timeout_add(gps->retry_ms, on_retry, gps);
    gps->retry_ms = MIN(gps->retry_ms * 2, RETRY_LAST_MS);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd;
    (void)condition;
    Gps *gps = data;
    MonoTime at = mono_now();
    int n = 0;
    while ((n = gps_read(&gps->data, NULL, 0)) > 0) {
        gps->retry_ms = RETRY_FIRST_MS;
        on_message(gps, at);
        gps->data.set = 0;
    }
    if (n == 0)
        return G_SOURCE_CONTINUE;
    gps->watch = 0;
    try_later(gps, "gpsd hung up; connecting again");
    return G_SOURCE_REMOVE;
}

static void open_gpsd(Gps *gps)
{
    memset(&gps->data, 0, sizeof gps->data);
    char port[16];
    g_snprintf(port, sizeof port, "%d", (int)gps->config->port);
    if (gps_open(gps->config->host, port, &gps->data) != 0) {
        try_later(gps, "gpsd hung up at once; connecting again");
        return;
    }
    gps->open = TRUE;
    unsigned flags = WATCH_ENABLE | WATCH_JSON | WATCH_TIMING | WATCH_PPS;
    char *device = gps->config->device;
    if (gps_stream(&gps->data, flags | (device != NULL ? WATCH_DEVICE : 0U), device) != 0) {
        try_later(gps, "gpsd does not take the watch request");
        return;
    }
    gps->watch = g_unix_fd_add(gps->data.gps_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, gps);
    g_mutex_lock(&gps->lock);
    gps->status.connected = TRUE;
    g_mutex_unlock(&gps->lock);
    complain_over(&gps->trouble, "gps", "gpsd answers again");
}

static void on_tried(GObject *object, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host_finish(G_SOCKET_CLIENT(object), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* gps_free() */
    Gps *gps = data;
    g_clear_object(&gps->trying);
    if (connection != NULL) {
        open_gpsd(gps);
        return;
    }
    g_autofree char *why =
        g_strdup_printf("no gpsd at %s:%d: %s; is it running?", gps->config->host,
                        (int)gps->config->port, error->message);
    try_later(gps, why);
}

static void connect_gpsd(Gps *gps)
{
    gps->trying = g_cancellable_new();
    g_socket_client_connect_to_host_async(gps->client, gps->config->host,
                                          (guint16)gps->config->port, gps->trying, on_tried, gps);
}

/* --- a recorded drive instead of gpsd --- */

static void on_played(gpointer data, RecordKind kind, gpointer record, MonoTime due)
{
    (void)kind;
    Gps *gps = data;
    Fix *fix = record;
    gint64 now_ns = clock_utc(gps->clock, due).ns;
    g_mutex_lock(&gps->lock);
    gps->status.fixes++;
    g_mutex_unlock(&gps->lock);
    take_fix(gps, fix, now_ns, now_ns, due);
}

static void on_replay_lives(gpointer data)
{
    ((Gps *)data)->retry_ms = RETRY_FIRST_MS;
}

static gboolean end_replay(gpointer data)
{
    Gps *gps = data;
    gps->retry = 0;
    try_later(gps, "the replayed drive has ended");
    return G_SOURCE_REMOVE;
}

/* From within the replay, which is freed only once it has returned. */
static void on_replay_ended(gpointer data)
{
    Gps *gps = data;
    gps->retry = g_idle_add(end_replay, gps);
}

static void start_replay(Gps *gps)
{
    const ReplayPlan plan = {.file = gps->config->replay_file,
                             .label = gps->config->replay_label,
                             .gps = TRUE,
                             .speed = gps->config->replay_speed,
                             .data = gps,
                             .play = on_played,
                             .alive = on_replay_lives,
                             .ended = on_replay_ended};
    g_autoptr(GError) error = NULL;
    gps->replay = replay_new(&plan, &error);
    if (gps->replay == NULL) {
        try_later(gps, error->message);
        return;
    }
    g_mutex_lock(&gps->lock);
    gps->status.connected = TRUE;
    g_mutex_unlock(&gps->lock);
    complain_over(&gps->trouble, "gps", "the drive is played again");
}

static void start(Gps *gps)
{
    if (gps->config->driver == GPS_REPLAY)
        start_replay(gps);
    else
        connect_gpsd(gps);
}

static gboolean on_stale(gpointer data)
{
    Gps *gps = data;
    gint64 now_ns = mono_now().ns;
    if (now_ns - gps->heard_ns >= gps->config->stale_ns)
        position_lost(gps, gps->replay != NULL ? "no position in the drive"
                           : !gps->open        ? "no gpsd"
                           : gps->ever         ? "no position from the receiver"
                                               : "no position yet");
    /* A hole is a row, too: one a second while nothing comes. */
    if (now_ns - gps->silent_row_ns >= gps->config->stale_ns) {
        Fix fix = {0};
        RECORD_SET(&fix, FIX, time_ns, clock_utc_now(gps->clock));
        RECORD_SET(&fix, FIX, received_ns, fix.time_ns);
        RECORD_SET(&fix, FIX, source, gps->source);
        RECORD_SET(&fix, FIX, mode, 0);
        recorder_add(gps->recorder, RECORD_FIX, &fix);
    }
    return G_SOURCE_CONTINUE;
}

Gps *gps_new(const ConfigGps *config, Recorder *recorder, LoggerClock *clock)
{
    Gps *gps = g_new0(Gps, 1);
    gps->config = config;
    gps->recorder = recorder;
    gps->clock = clock;
    gps->retry_ms = RETRY_FIRST_MS;
    gps->heard_ns = gps->silent_row_ns = mono_now().ns;
    gps->client = g_socket_client_new();
    g_socket_client_set_timeout(gps->client, TRY_S);
    g_mutex_init(&gps->lock);
    Source source = {0};
    RECORD_SET(&source, SOURCE, kind, SOURCE_GPS);
    RECORD_SET(&source, SOURCE, label, "gps");
    gps->source = recorder_source(recorder, &source);
    gps->stale = g_timeout_add(1000, on_stale, gps);
    start(gps);
    return gps;
}

void gps_free(Gps *gps)
{
    if (gps == NULL)
        return;
    disconnect(gps);
    if (gps->trying != NULL)
        g_cancellable_cancel(gps->trying);
    g_clear_object(&gps->trying);
    g_clear_object(&gps->client);
    if (gps->retry != 0)
        g_source_remove(gps->retry);
    g_source_remove(gps->stale);
    g_mutex_clear(&gps->lock);
    g_free(gps);
}

void gps_status(Gps *gps, GpsStatus *status)
{
    g_mutex_lock(&gps->lock);
    *status = gps->status;
    g_mutex_unlock(&gps->lock);
}

void gps_clear_moved(Gps *gps)
{
    g_mutex_lock(&gps->lock);
    gps->status.has_moved = FALSE;
    g_mutex_unlock(&gps->lock);
}
