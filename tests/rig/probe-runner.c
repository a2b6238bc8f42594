/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe-runner: runs one probe of the logger without the logger, for tests and benchmarks.
 *
 *     probe-runner [OPTION]... KIND      KIND: stamp, echo, meeting, train, download, upload,
 *                                        schedule (what --plan says), capture
 *
 * Each record goes to standard output as one line of JSON with "record" naming its table. A last
 * line, "record":"runner", tells how long it took and how much processor time.
 */
#include "logger/capture.h"
#include "logger/probe-schedule.h"
#include "logger/probe-stamp.h"
#include "logger/udp.h"
#include <glib-unix.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static char *reflector = NULL, *interface = NULL, *key_path = NULL, *url = NULL,
            *packets_path = NULL, *rates = NULL, *ca_file = NULL, *echo_target = NULL, *plan = NULL,
            *state_dir = NULL, *debug = NULL, *blocked = NULL;
static int stamp_port = 0, session_port = 0, streams = 0, video_kbps = -1, copies = 1, size = 0;
static double seconds = 5, per_s = 0, warm_up = -1, megabytes = 0, timeout = 0;
static double daily_mb = 0, speed = 25;
static gboolean no_stamp_key, quiet, six, no_capture, busy;

static const GOptionEntry options[] = {
    {"reflector", 'r', 0, G_OPTION_ARG_STRING, &reflector, "Far end", "NAME"},
    {"interface", 'i', 0, G_OPTION_ARG_STRING, &interface, "Interface to bind to", "NAME"},
    {"key", 'k', 0, G_OPTION_ARG_FILENAME, &key_path, "Key file", "FILE"},
    {"url", 'u', 0, G_OPTION_ARG_STRING, &url, "Download or upload", "URL"},
    {"echo", 0, 0, G_OPTION_ARG_STRING, &echo_target, "ICMP echo target", "NAME"},
    {"seconds", 's', 0, G_OPTION_ARG_DOUBLE, &seconds, "Length (5)", "S"},
    {"megabytes", 0, 0, G_OPTION_ARG_DOUBLE, &megabytes, "Volume of a transfer", "MB"},
    {"per-second", 0, 0, G_OPTION_ARG_DOUBLE, &per_s, "STAMP or echo packets per second", "N"},
    {"size", 0, 0, G_OPTION_ARG_INT, &size, "IP bytes of a STAMP or train packet", "N"},
    {"rates", 0, 0, G_OPTION_ARG_STRING, &rates, "Mbit/s of trains: DOWN,DOWN/UP,UP", "LIST"},
    {"video", 0, 0, G_OPTION_ARG_INT, &video_kbps, "Video of a meeting, kbit/s; 0 = none", "N"},
    {"streams", 0, 0, G_OPTION_ARG_INT, &streams, "Parallel transfers", "N"},
    {"warm-up", 0, 0, G_OPTION_ARG_DOUBLE, &warm_up, "Left out of the steady rate", "S"},
    {"timeout", 0, 0, G_OPTION_ARG_DOUBLE, &timeout, "Of setting up", "S"},
    {"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &ca_file, "Certificates to trust", "FILE"},
    {"packets", 0, 0, G_OPTION_ARG_FILENAME, &packets_path, "STAMP: each packet as CSV", "FILE"},
    {"stamp-port", 0, 0, G_OPTION_ARG_INT, &stamp_port, "", "PORT"},
    {"session-port", 0, 0, G_OPTION_ARG_INT, &session_port, "", "PORT"},
    {"no-stamp-key", 0, 0, G_OPTION_ARG_NONE, &no_stamp_key, "Unauthenticated STAMP", NULL},
    {"plan", 0, 0, G_OPTION_ARG_STRING, &plan, "train=S,meeting=S,download=S,upload=S", "LIST"},
    {"daily", 0, 0, G_OPTION_ARG_DOUBLE, &daily_mb, "Budget of a schedule", "MB"},
    {"speed", 0, 0, G_OPTION_ARG_DOUBLE, &speed, "Of the vehicle (25)", "M/S"},
    {"blocked", 0, 0, G_OPTION_ARG_STRING, &blocked, "What the modem says against probes", "WHY"},
    {"busy", 0, 0, G_OPTION_ARG_NONE, &busy, "Take any load for too much", NULL},
    {"state", 0, 0, G_OPTION_ARG_FILENAME, &state_dir, "Where a schedule keeps budgets", "DIR"},
    {"debug", 0, 0, G_OPTION_ARG_FILENAME, &debug, "pcapng of a capture", "PREFIX"},
    {"no-capture", 0, 0, G_OPTION_ARG_NONE, &no_capture, "Schedule without passive rows", NULL},
    {"copies", 0, 0, G_OPTION_ARG_INT, &copies, "Run it so many times at once (1)", "N"},
    {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Only probes and the last line", NULL},
    {"six", '6', 0, G_OPTION_ARG_NONE, &six, "IPv6", NULL},
    G_OPTION_ENTRY_NULL};

static gint64 ids;
static FILE *packets;
static unsigned running;
static GMainLoop *loop;

static void print_value(const RecordColumn *column, const void *record)
{
    const char *at = (const char *)record + column->offset;
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    switch (column->type) {
    case COLUMN_INT:
        printf("%" G_GINT64_FORMAT, *(const gint64 *)(const void *)at);
        break;
    case COLUMN_REAL:
        fputs(g_ascii_formatd(text, sizeof text, "%.9g", *(const double *)(const void *)at),
              stdout);
        break;
    case COLUMN_ENUM:
        printf("\"%s\"", record_enum_name(column, *(const int *)(const void *)at));
        break;
    case COLUMN_TEXT: {
        const char *value = *(const char *const *)(const void *)at;
        g_autofree char *escaped = g_strescape(value, NULL);
        if (value[0] == '{')
            fputs(value, stdout);
        else
            printf("\"%s\"", escaped);
        break;
    }
    }
}

static GMutex printing; /* a schedule hands out records from its own thread */

static void print_record(RecordKind kind, const void *record);

static void add(gpointer data, RecordKind kind, const void *record)
{
    (void)data;
    g_mutex_lock(&printing);
    print_record(kind, record);
    g_mutex_unlock(&printing);
}

static void print_record(RecordKind kind, const void *record)
{
    const RecordType *type = record_type(kind);
    guint64 known = *(const guint64 *)record;
    if (quiet && kind != RECORD_PROBE)
        return;
    printf("{\"record\":\"%s\"", type->table);
    for (unsigned i = 0; i < type->n_columns; i++) {
        if (!((known >> i) & 1))
            continue;
        printf(",\"%s\":", type->columns[i].name);
        print_value(&type->columns[i], record);
    }
    printf("}\n");
}

static gint64 next_id(gpointer data)
{
    (void)data;
    return ++ids;
}

static void on_done(ProbeRun *run, gpointer data)
{
    (void)run;
    (void)data;
    if (--running == 0)
        g_main_loop_quit(loop);
}

static void on_trip(const StampRoundTrip *trip, gpointer data)
{
    (void)data;
    fprintf(packets,
            "%u,%" G_GINT64_FORMAT ",%d,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
            "\n",
            trip->seq, trip->sent_ns, trip->answered, trip->rtt_ns, trip->up_ns, trip->down_ns);
}

static gboolean on_watch(gpointer data)
{
    GPtrArray *runs = data;
    for (guint i = 0; packets && i < runs->len; i++)
        probe_stamp_watch(runs->pdata[i], on_trip, NULL);
    return G_SOURCE_REMOVE;
}

static gboolean on_stop(gpointer data)
{
    GPtrArray *runs = data;
    for (guint i = 0; i < runs->len; i++)
        probe_run_stop(runs->pdata[i], NULL);
    return G_SOURCE_REMOVE;
}

/* "3,10/3": down and up rates in Mbit/s, each ended by 0. */
static void read_rates(const char *text, double down[16], double up[16])
{
    double *to = down;
    unsigned n = 0;
    for (const char *at = text; *at;) {
        char *end;
        double rate = g_ascii_strtod(at, &end);
        if (end > at && n < 15)
            to[n++] = rate * 1e6;
        at = end > at ? end : at + 1;
        if (*at == '/') {
            to = up;
            n = 0;
        }
    }
}

static const ProbeType *type_of(const char *name)
{
    if (!strcmp(name, "stamp"))
        return &probe_stamp;
    if (!strcmp(name, "echo"))
        return &probe_echo;
    if (!strcmp(name, "meeting"))
        return &probe_meeting;
    if (!strcmp(name, "train"))
        return &probe_train;
    if (!strcmp(name, "download"))
        return &probe_throughput_down;
    if (!strcmp(name, "upload"))
        return &probe_throughput_up;
    return NULL;
}

static void fill(ProbeSettings *settings, Key *key, double down[16], double up[16])
{
    settings->reflector = reflector;
    settings->echo_target = echo_target;
    settings->key = key;
    settings->stamp_key = !no_stamp_key;
    settings->family = six ? AF_INET6 : AF_UNSPEC;
    settings->stamp_port = stamp_port ? (guint16)stamp_port : settings->stamp_port;
    settings->session_port = session_port ? (guint16)session_port : settings->session_port;
    settings->stamp_per_s = per_s > 0 ? per_s : settings->stamp_per_s;
    settings->echo_per_s = per_s > 0 ? per_s : settings->echo_per_s;
    if (size > 0) {
        settings->stamp_size = (unsigned)size;
        settings->train_size = (unsigned)size;
    }
    settings->meeting_s = seconds;
    if (video_kbps >= 0) {
        settings->meeting.video_bps = (guint32)video_kbps * 1000;
        settings->meeting.frames_per_s = video_kbps ? 30 : 0;
    }
    if (rates) {
        read_rates(rates, down, up);
        settings->train_down_bps = down;
        settings->train_up_bps = up;
        settings->train_s = seconds < 5 ? seconds : settings->train_s;
    }
    settings->download_url = settings->upload_url = url;
    settings->streams = streams > 0 ? (unsigned)streams : settings->streams;
    settings->throughput_s = seconds;
    settings->throughput_bytes = (guint64)(megabytes * 1e6);
    settings->warm_up_s = warm_up >= 0 ? warm_up : settings->warm_up_s;
    settings->ca_file = ca_file;
    settings->timeout_s = timeout > 0 ? timeout : settings->timeout_s;
}

static void place(gpointer data, ProbePlace *to)
{
    gint64 start_us = *(const gint64 *)data;
    to->speed_mps = speed;
    to->distance_m = speed * (double)(g_get_monotonic_time() - start_us) / 1e6;
    to->lat = 60 + to->distance_m / 111000;
    to->lon = 17;
}

static void radio(gpointer data, gint64 source, ProbeRadio *to)
{
    (void)data;
    (void)source;
    to->cell_id = 4711;
    to->level_dbm = -95;
    to->blocked = blocked;
}

static double plan_of(const char *name)
{
    g_autofree char *key = g_strdup_printf("%s=", name);
    const char *at = plan ? strstr(plan, key) : NULL;
    return at ? g_ascii_strtod(at + strlen(key), NULL) : 0;
}

static gboolean on_quit(gpointer data)
{
    (void)data;
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void run_schedule(const ProbeSettings *settings, gint64 *start_us)
{
    static const char *const names[PLAN_COUNT] = {"train", "meeting", "download", "upload"};
    ProbeScheduleConfig config = probe_schedule_config_default();
    const ProbeHost host = {
        .data = start_us, .add = add, .next_id = next_id, .place = place, .radio = radio};
    config.probe = *settings;
    config.probe.meeting_s = 5;
    config.probe.throughput_s = 5;
    config.busy_load = busy ? 0.001 : 0; /* what else the machine does is not the test's */
    config.standing_after_s = 1;
    config.stream_record_s = 10;
    config.daily_bytes = (guint64)(daily_mb * 1e6);
    config.state_dir = state_dir;
    config.capture = !no_capture;
    config.debug_prefix = debug;
    for (int kind = 0; kind < PLAN_COUNT; kind++)
        config.plans[kind] = (ProbePlan){.every_s = plan_of(names[kind])};
    ProbeSchedule *schedule = probe_schedule_new(&config, &host);
    for (int i = 0; i < copies; i++) {
        g_autofree char *label = g_strdup_printf("op%d", i + 1);
        probe_schedule_modem(schedule, i + 1, label, interface);
    }
    g_timeout_add((guint)(seconds * 1000), on_quit, NULL);
    g_main_loop_run(loop);
    probe_schedule_free(schedule);
}

static void run_capture(gint64 *start_us)
{
    g_autoptr(GError) error = NULL;
    const ProbeHost host = {.data = start_us, .add = add, .next_id = next_id};
    const ProbeModem modem = {.source = 1, .label = "test", .interface = interface};
    Pcapng *file = debug ? pcapng_new(debug, 100000, 3, &error) : NULL;
    Capture *capture = capture_new(&host, &modem, NULL, file, &error);
    if (error) {
        g_printerr("probe-runner: %s\n", error->message);
        return;
    }
    printf("{\"record\":\"ready\"}\n");
    fflush(stdout);
    g_timeout_add((guint)(seconds * 1000), on_quit, NULL);
    g_main_loop_run(loop);
    capture_free(capture);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    g_log_writer_default_set_use_stderr(TRUE);
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("KIND");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2 ||
        (!type_of(argv[1]) && strcmp(argv[1], "schedule") && strcmp(argv[1], "capture"))) {
        g_printerr("probe-runner: %s\n", error ? error->message : "one KIND of probe is needed");
        return 2;
    }
    g_autoptr(Key) key = key_path ? key_load(key_path, &error) : NULL;
    if (error) {
        g_printerr("probe-runner: %s\n", error->message);
        return 1;
    }
    packets = packets_path ? fopen(packets_path, "w") : NULL;
    const ProbeType *type = type_of(argv[1]);
    double down[16] = {0}, up[16] = {0};
    ProbeSettings settings = probe_settings_default();
    fill(&settings, key, down, up);
    const ProbeHost host = {.add = add, .next_id = next_id};
    g_autoptr(GPtrArray) runs = g_ptr_array_new();
    loop = g_main_loop_new(NULL, FALSE);
    running = (unsigned)copies;
    gint64 start_us = g_get_monotonic_time();
    if (!type)
        g_unix_signal_add(SIGTERM, on_quit, NULL);
    if (!strcmp(argv[1], "schedule"))
        run_schedule(&settings, &start_us);
    else if (!type)
        run_capture(&start_us);
    for (int i = 0; type && i < copies; i++) {
        const ProbeModem modem = {.source = i + 1, .label = "test", .interface = interface};
        ProbeRun *run = probe_run_new(type, &host, &settings, &modem, NULL, on_done, NULL);
        g_ptr_array_add(runs, run);
        probe_run_start(run);
    }
    if (type == &probe_stamp || type == &probe_echo) {
        g_timeout_add(100, on_watch, runs);
        g_timeout_add((guint)(seconds * 1000), on_stop, runs);
    }
    if (type) {
        g_unix_signal_add(SIGTERM, on_stop, runs);
        g_unix_signal_add(SIGINT, on_stop, runs);
    }
    if (type && running > 0)
        g_main_loop_run(loop);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double wall_s = (double)(g_get_monotonic_time() - start_us) / 1e6;
    double cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("{\"record\":\"runner\",\"wall_s\":%.3f,\"cpu_s\":%.4f,\"max_rss_kb\":%ld}\n", wall_s,
           cpu_s, usage.ru_maxrss);
    for (guint i = 0; i < runs->len; i++)
        probe_run_free(runs->pdata[i]);
    if (packets)
        fclose(packets);
    g_main_loop_unref(loop);
    return 0;
}
