/* SPDX-License-Identifier: Apache-2.0 */
/* The link to gpsd, real libgps against a made gpsd on a TCP port: half lines, dead sockets, TOFF
 * and PPS, silence, rubbish. */
#include "formats/drive-read.h"
#include "logger/gps-link.h"
#include "tests/unit/folder.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define VERSION                                                                                    \
    "{\"class\":\"VERSION\",\"release\":\"3.22\",\"rev\":\"3.22\",\"proto_major\":3,"              \
    "\"proto_minor\":14}\r\n"
#define TPV(time, lat)                                                                             \
    "{\"class\":\"TPV\",\"device\":\"/dev/x\",\"mode\":3,\"time\":\"" time "\",\"lat\":" lat       \
    ",\"lon\":18.5,\"speed\":25.0}\r\n"

typedef struct {
    char *folder, *text;
    Config *config;
    Store *store;
    LoggerClock *clock;
    Recorder *recorder;
    GSocketListener *listener;
    GSocketConnection *peer;
    guint connections;
    Gps *gps;
} Fixture;

static void on_accept(GObject *object, GAsyncResult *result, gpointer data)
{
    Fixture *f = data;
    GSocketConnection *peer =
        g_socket_listener_accept_finish(G_SOCKET_LISTENER(object), result, NULL, NULL);
    if (peer == NULL)
        return;
    g_clear_object(&f->peer);
    f->peer = peer;
    f->connections++;
    g_socket_listener_accept_async(f->listener, NULL, on_accept, f);
}

static void say(Fixture *f, const char *text)
{
    g_assert_true(g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(f->peer)),
                                            text, strlen(text), NULL, NULL, NULL));
}

static gboolean alarm_rings(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* Runs the main loop for so long; how many times it went round. */
static guint run_for(guint ms)
{
    gboolean over = FALSE;
    guint turns = 0;
    g_timeout_add(ms, alarm_rings, &over);
    while (!over) {
        (void)g_main_context_iteration(NULL, TRUE);
        turns++;
    }
    return turns;
}

typedef gboolean (*Condition)(Fixture *f);

/* Until it is so; a minute at most, for machines with much else to do. */
static void run_until(Fixture *f, Condition condition)
{
    for (int i = 0; i < 6000 && !condition(f); i++)
        (void)run_for(10);
    g_assert_true(condition(f));
}

/* Each time it knocks first (without waiting), then libgps connects. */
static gboolean connected(Fixture *f)
{
    return f->connections >= 2;
}

static GpsStatus status_of(Fixture *f)
{
    GpsStatus status;
    gps_status(f->gps, &status);
    return status;
}

static gboolean has_fix(Fixture *f)
{
    return status_of(f).have_fix;
}

static gboolean has_no_fix(Fixture *f)
{
    return !status_of(f).have_fix;
}

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    f->folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    f->listener = g_socket_listener_new();
    guint16 port = g_socket_listener_add_any_inet_port(f->listener, NULL, &error);
    g_assert_no_error(error);
    f->text = g_strdup_printf("[store]\nfolder=%s\nseal=no\ncommit=100 ms\nkeep-free=0 B\n"
                              "[gps]\nhost=localhost\nport=%u\nstale-after=500 ms\n",
                              f->folder, port);
    f->config = config_parse("x", f->text, strlen(f->text), &error);
    g_assert_no_error(error);
    f->store = store_open(f->folder, &error);
    g_assert_no_error(error);
    f->clock = clock_new();
    f->recorder = recorder_new(f->config, f->store, clock_utc_now, f->clock);
    clock_record(f->clock, f->recorder);
    g_socket_listener_accept_async(f->listener, NULL, on_accept, f);
    f->gps = gps_new(&f->config->gps, f->recorder, f->clock);
    run_until(f, connected);
    say(f, VERSION);
}

/* Ends the recording; how many events of a kind it holds. */
static guint finish(Fixture *f, const char *kind, guint *empty_fixes)
{
    g_clear_pointer(&f->gps, gps_free);
    clock_record(f->clock, NULL);
    g_clear_pointer(&f->recorder, recorder_free);
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    guint n = 0;
    for (const char *name = NULL; (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_suffix(name, ".drive"))
            continue;
        g_autofree char *path = g_build_filename(f->folder, name, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(Drive) drive = drive_open(path, &error);
        g_assert_no_error(error);
        g_autoptr(DriveCursor) events =
            drive_read(drive, RECORD_EVENT, 0, 0, G_MININT64, G_MAXINT64, &error);
        for (const Batch *b = NULL; (b = drive_next(events, &error)) != NULL;)
            for (size_t i = 0; i < b->n; i++)
                n += strcmp(b->column[EVENT_COL_kind].t[i], kind) == 0 ? 1 : 0;
        g_autoptr(DriveCursor) fixes =
            drive_read(drive, RECORD_FIX, 0, 0, G_MININT64, G_MAXINT64, &error);
        for (const Batch *b = NULL; (b = drive_next(fixes, &error)) != NULL;)
            for (size_t i = 0; i < b->n; i++) {
                Fix fix;
                batch_get(b, RECORD_FIX, i, &fix);
                *empty_fixes += RECORD_HAS(&fix, FIX, lat) ? 0 : 1;
            }
    }
    return n;
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    gps_free(f->gps);
    if (f->recorder != NULL)
        clock_record(f->clock, NULL);
    recorder_free(f->recorder);
    g_socket_listener_close(f->listener);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_clear_object(&f->listener);
    g_clear_object(&f->peer);
    clock_free(f->clock);
    store_free(f->store);
    config_free(f->config);
    (void)folder_remove(f->folder);
    g_free(f->folder);
    g_free(f->text);
}

/* gps_waiting() says yes for ever while half a line lies in libgps's buffer. */
static void test_half_line(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char line[] = TPV("2026-11-20T10:00:00.000Z", "59.5");
    g_autofree char *half = g_strndup(line, 40);
    say(f, half);
    guint turns = run_for(500);
    g_test_message("%u turns of the main loop in 500 ms with half a line", turns);
    g_assert_cmpuint(turns, <, 100); /* a loop that spins makes 10^5 and more */
    g_assert_true(has_no_fix(f));
    say(f, line + 40);
    run_until(f, has_fix);
    g_assert_cmpfloat(status_of(f).fix.lat, ==, 59.5);
    /* a line and a half, then the rest */
    g_autofree char *more = g_strconcat(TPV("2026-11-20T10:00:01.000Z", "59.6"), half, NULL);
    say(f, more);
    g_assert_cmpuint(run_for(300), <, 100);
    g_assert_cmpfloat(status_of(f).fix.lat, ==, 59.6);
}

static gboolean connected_again(Fixture *f)
{
    return f->connections >= 4;
}

/* Writing to a dead socket is a SIGPIPE, which GLib ignores; here it is deadly: nothing is written.
 */
static void test_dead_socket(Fixture *f, gconstpointer data)
{
    (void)data;
    say(f, TPV("2026-11-20T10:00:00.000Z", "59.5"));
    run_until(f, has_fix);
    (void)signal(SIGPIPE, SIG_DFL);
    struct linger reset = {1, 0};
    int fd = g_socket_get_fd(g_socket_connection_get_socket(f->peer));
    g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), ==, 0);
    g_assert_true(g_io_stream_close(G_IO_STREAM(f->peer), NULL, NULL));
    run_until(f, connected_again);
    (void)signal(SIGPIPE, SIG_IGN);
    say(f, VERSION);
    /* the last epoch comes again: it is not a new fix, and time goes on */
    say(f, TPV("2026-11-20T10:00:00.000Z", "59.5"));
    say(f, TPV("2026-11-20T10:00:03.000Z", "59.7"));
    run_until(f, has_fix);
    guint empty = 0;
    g_assert_cmpuint(finish(f, "gps-lost", &empty), ==, 1);
}

/* libgps 3.22 puts TOFF into the field of PPS; only PPS is a pulse. */
static void test_toff(Fixture *f, gconstpointer data)
{
    (void)data;
    gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
    g_autofree char *toff = g_strdup_printf(
        "{\"class\":\"TOFF\",\"device\":\"/dev/x\",\"real_sec\":%" G_GINT64_FORMAT
        ",\"real_nsec\":0,\"clock_sec\":%" G_GINT64_FORMAT ",\"clock_nsec\":120000000}\r\n",
        now_s + 100, now_s);
    say(f, toff);
    say(f, TPV("2026-11-20T10:00:00.000Z", "59.5"));
    run_until(f, has_fix);
    g_assert_cmpint((int)clock_state(f->clock).origin, !=, (int)TIME_ORIGIN_PPS);
    g_autofree char *pps =
        g_strdup_printf("{\"class\":\"PPS\",\"device\":\"/dev/x\",\"real_sec\":%" G_GINT64_FORMAT
                        ",\"real_nsec\":0,\"clock_sec\":%" G_GINT64_FORMAT
                        ",\"clock_nsec\":0,\"precision\":-20}\r\n",
                        now_s, now_s);
    say(f, pps);
    for (int i = 0; i < 6000 && clock_state(f->clock).origin != TIME_ORIGIN_PPS; i++)
        (void)run_for(10);
    g_assert_cmpint((int)clock_state(f->clock).origin, ==, (int)TIME_ORIGIN_PPS);
}

/* A receiver that falls silent makes gpsd say nothing at all. */
static void test_silence(Fixture *f, gconstpointer data)
{
    (void)data;
    say(f, TPV("2026-11-20T10:00:00.000Z", "59.5"));
    run_until(f, has_fix);
    run_until(f, has_no_fix);
    g_assert_true(status_of(f).connected);
    (void)run_for(1200);
    say(f, TPV("2026-11-20T10:00:05.000Z", "59.6"));
    run_until(f, has_fix);
    guint empty = 0;
    g_assert_cmpuint(finish(f, "gps-found", &empty), ==, 1);
    g_assert_cmpuint(empty, >=, 1); /* the hole has rows of its own */
}

/* Neither a "3D" fix without a position nor unknown classes nor rubbish make a position. */
static void test_rubbish(Fixture *f, gconstpointer data)
{
    (void)data;
    say(f, "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2026-11-20T10:00:00.000Z\",\"lat\":#?,\"lon"
           "\":18.5}\r\n{\"class\":\"NEW\",\"x\":1}\r\nrubbish\r\n\r\n"
           "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2026-11-20T10:00:00.000Z\"}\r\n");
    (void)run_for(300);
    g_assert_true(has_no_fix(f));
    g_assert_true(connected(f));
    say(f, TPV("2026-11-20T10:00:01.000Z", "59.5"));
    run_until(f, has_fix);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    (void)g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK); /* warnings are wanted */
#define ADD(name, function) g_test_add(name, Fixture, NULL, set_up, function, tear_down)
    ADD("/gps-link/half-line", test_half_line);
    ADD("/gps-link/dead-socket", test_dead_socket);
    ADD("/gps-link/toff", test_toff);
    ADD("/gps-link/silence", test_silence);
    ADD("/gps-link/rubbish", test_rubbish);
    return g_test_run();
}
