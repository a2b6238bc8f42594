/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/probe-config.h"

#include "logger/emodel.h"
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_RATES 8
#define DAY_S     86400.0
#define HUGE_SIZE 1e15

typedef struct {
    char *host;
    gint64 stamp_port, session_port;
    char *key_file;
    int family; /* index into families */
} ConfigReflector;

typedef struct {
    gboolean stream, stream_authenticated, when_standing, when_roaming, passive;
    double stream_rate, echo_rate, meeting_video_mbps, busy_load;
    gint64 stream_size;
    char *echo_target;
    gint64 train_every_ns, meeting_every_ns, download_every_ns, upload_every_ns;
    double train_every_m, download_every_m, upload_every_m;
    char *train_down, *train_up;
    gint64 meeting_length_ns;
    char *codec;
    char *download_url, *upload_url, *ca_file;
    gint64 transfer_length_ns, transfer_size, warm_up_ns, streams, transfers_at_once;
    gint64 daily_budget, monthly_budget;
    char *state_folder, *debug_capture;
    gint64 debug_size, debug_files;
} ConfigProbes;

static const char *const families[] = {"any", "ipv4", "ipv6", NULL};

#define ROW(Struct, name, type, field, def, min, max, unit, words, help)                           \
    {                                                                                              \
        name, type, offsetof(Struct, field), def, min, max, unit, words, help                      \
    }
#define R_TEXT(name, field, def, help)                                                             \
    ROW(ConfigReflector, name, CONFIG_TEXT, field, def, 0, 0, NULL, NULL, help)
#define R_PORT(name, field, def, help)                                                             \
    ROW(ConfigReflector, name, CONFIG_INT, field, def, 1, 65535, NULL, NULL, help)
#define P_TEXT(name, field, def, help)                                                             \
    ROW(ConfigProbes, name, CONFIG_TEXT, field, def, 0, 0, NULL, NULL, help)
#define P_BOOL(name, field, def, help)                                                             \
    ROW(ConfigProbes, name, CONFIG_BOOL, field, def, 0, 0, NULL, NULL, help)
#define P_INT(name, field, def, min, max, help)                                                    \
    ROW(ConfigProbes, name, CONFIG_INT, field, def, min, max, NULL, NULL, help)
#define P_REAL(name, field, def, min, max, unit, help)                                             \
    ROW(ConfigProbes, name, CONFIG_REAL, field, def, min, max, unit, NULL, help)
#define P_TIME(name, field, def, min, max, help)                                                   \
    ROW(ConfigProbes, name, CONFIG_DURATION, field, def, min, max, NULL, NULL, help)
#define P_SIZE(name, field, def, help)                                                             \
    ROW(ConfigProbes, name, CONFIG_SIZE, field, def, 0, HUGE_SIZE, NULL, NULL, help)

static const ConfigRow reflector_rows[] = {
    R_TEXT("host", host, NULL,
           "name or address of corridor-reflector; without it no stream by STAMP, no trains, no "
           "meetings"),
    R_PORT("stamp-port", stamp_port, "862", "its UDP port for STAMP"),
    R_PORT("session-port", session_port, "8762", "its UDP port for meetings and trains"),
    R_TEXT("key-file", key_file, NULL,
           "key shared with it; without a key no trains and no meetings"),
    ROW(ConfigReflector, "family", CONFIG_CHOICE, family, "any", 0, 0, NULL, families,
        "any, ipv4 or ipv6"),
};

static const ConfigRow probe_rows[] = {
    P_BOOL("stream", stream, "yes", "round trips all the time, between the other probes"),
    P_REAL("stream-rate", stream_rate, "50", 1, 200, NULL, "packets per second of the stream"),
    P_INT("stream-size", stream_size, "120", 72, 1400, "bytes of an IP packet of the stream"),
    P_BOOL("stream-authenticated", stream_authenticated, "yes", "use the key for the stream"),
    P_TEXT("echo-target", echo_target, NULL,
           "answers ICMP echo; used for the stream where there is no reflector"),
    P_REAL("echo-rate", echo_rate, "5", 0.2, 50, NULL, "echoes per second"),
    P_REAL("train-every-distance", train_every_m, "500 m", 0, 1e6, "m",
           "threshold trains after this way; 0 m = not by distance"),
    P_TIME("train-every", train_every_ns, "0 s", 0, DAY_S,
           "threshold trains after this time; 0 s = not by time"),
    P_TEXT("train-down", train_down, "3, 10",
           "rates asked down, Mbit/s, ascending; none = no train down"),
    P_TEXT("train-up", train_up, "3", "rates asked up, Mbit/s, ascending; none = no train up"),
    P_TIME("meeting-every", meeting_every_ns, "0 s", 0, DAY_S,
           "a meeting after this time; 0 s = never"),
    P_TIME("meeting-length", meeting_length_ns, "60 s", 5, DAY_S / 2, "length of a meeting"),
    P_REAL("meeting-video", meeting_video_mbps, "1.2 Mbit/s", 0, 20, "Mbit/s",
           "video each way; 0 Mbit/s = audio only"),
    P_TEXT(
        "codec", codec, "g711-plc",
        "of the E-model: g711-plc, g711, g729a, opus-wb-13, opus-wb-11, opus-swb-25, opus-swb-40"),
    P_TEXT("download-url", download_url, NULL, "a large file on any web server"),
    P_TIME("download-every", download_every_ns, "0 s", 0, DAY_S,
           "a download after this time; 0 s = not by time"),
    P_REAL("download-every-distance", download_every_m, "0 m", 0, 1e6, "m",
           "a download after this way; 0 m = not by distance"),
    P_TEXT("upload-url", upload_url, NULL, "a place that takes HTTP PUT"),
    P_TIME("upload-every", upload_every_ns, "0 s", 0, DAY_S,
           "an upload after this time; 0 s = not by time"),
    P_REAL("upload-every-distance", upload_every_m, "0 m", 0, 1e6, "m",
           "an upload after this way; 0 m = not by distance"),
    P_TIME("transfer-length", transfer_length_ns, "7 s", 1, 600, "longest time of a transfer"),
    P_SIZE("transfer-size", transfer_size, "100 MB", "most bytes of a transfer; 0 B = no limit"),
    P_TIME("warm-up", warm_up_ns, "2 s", 0, 60, "start of a transfer left out of the steady rate"),
    P_INT("streams", streams, "3", 1, 16, "parallel connections of a transfer"),
    P_INT("transfers-at-once", transfers_at_once, "2", 1, 16,
          "transfers at a time over all modems"),
    P_TEXT("ca-file", ca_file, NULL, "certificates to trust; default the system's"),
    P_BOOL("when-standing", when_standing, "no", "probe also while the vehicle stands"),
    P_BOOL("when-roaming", when_roaming, "no", "probe also in foreign networks"),
    P_REAL("busy-load", busy_load, "2", 0, 100, NULL,
           "load average per processor from which on probes wait; 0 = never"),
    P_SIZE("daily-budget", daily_budget, "2 GB",
           "bytes of each modem's interface per day (UTC); 0 B = no limit"),
    P_SIZE("monthly-budget", monthly_budget, "40 GB",
           "bytes of each modem's interface per month (UTC); 0 B = no limit"),
    P_TEXT("state-folder", state_folder, "/var/lib/corridor", "where the budgets used are kept"),
    P_BOOL("passive", passive, "yes", "count the interface's traffic from packet headers"),
    P_TEXT("debug-capture", debug_capture, NULL,
           "start of the name of pcapng files of headers, addresses zeroed; default none"),
    P_SIZE("debug-size", debug_size, "10 MB", "of one such file"),
    P_INT("debug-files", debug_files, "4", 1, 1000, "such files kept for each modem"),
};

const ConfigSection config_section_reflector = {"reflector",
                                                FALSE,
                                                sizeof(ConfigReflector),
                                                "the far end of round trips, trains and meetings",
                                                reflector_rows,
                                                G_N_ELEMENTS(reflector_rows)};
const ConfigSection config_section_probes = {"probes",
                                             FALSE,
                                             sizeof(ConfigProbes),
                                             "what is measured through each modem, and how often",
                                             probe_rows,
                                             G_N_ELEMENTS(probe_rows)};

struct ProbeConfig {
    ProbeScheduleConfig schedule;
    Key *key;
    double down_bps[MAX_RATES + 1], up_bps[MAX_RATES + 1];
};

static gboolean wrong(const Config *config, GError **error, const char *what)
{
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s: %s", config->path, what);
    return FALSE;
}

/* "3, 10": ascending Mbit/s, into bit/s ended by 0. */
static gboolean read_rates(const Config *config, const char *name, const char *text, double *to,
                           GError **error)
{
    unsigned n = 0;
    g_autofree char *message = g_strdup_printf(
        "[probes] %s: give up to %d ascending rates in Mbit/s, for example \"3, 10\"", name,
        MAX_RATES);
    if (!text || g_str_equal(text, "none"))
        return TRUE;
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (unsigned i = 0; words[i]; i++) {
        char *end;
        const char *word = g_strstrip(words[i]);
        double rate_bps = g_ascii_strtod(word, &end) * 1e6;
        if (end == word || *end || !(rate_bps > 0) || rate_bps > 1e9 || n == MAX_RATES ||
            (n > 0 && rate_bps <= to[n - 1]))
            return wrong(config, error, message);
        to[n++] = rate_bps;
    }
    return TRUE;
}

static gboolean check(const Config *config, const ConfigProbes *from, const ProbeSettings *settings,
                      GError **error)
{
    const char *urls[] = {from->download_url, from->upload_url};
    for (unsigned i = 0; i < G_N_ELEMENTS(urls); i++) {
        if (urls[i] && !g_str_has_prefix(urls[i], "http://") &&
            !g_str_has_prefix(urls[i], "https://"))
            return wrong(config, error, "[probes] a URL begins with http:// or https://");
    }
    if (!emodel_codec(from->codec))
        return wrong(config, error,
                     "[probes] codec: there is none of this name; see "
                     "corridor-logger.conf(5)");
    if (!media_shape_valid(&settings->meeting))
        return wrong(config, error,
                     "[probes] meeting-video: too little or too much; 0.2 to 20 "
                     "Mbit/s, or 0 Mbit/s for none");
    return TRUE;
}

static void fill_settings(const ConfigReflector *far_end, const ConfigProbes *from, Key *key,
                          ProbeSettings *to)
{
    static const int family_of[] = {AF_UNSPEC, AF_INET, AF_INET6};
    to->reflector = far_end->host;
    to->stamp_port = (guint16)far_end->stamp_port;
    to->session_port = (guint16)far_end->session_port;
    to->key = key;
    to->family = family_of[far_end->family];
    to->stamp_per_s = from->stream_rate;
    to->stamp_size = (unsigned)from->stream_size;
    to->stamp_key = from->stream_authenticated;
    to->echo_target = from->echo_target;
    to->echo_per_s = from->echo_rate;
    to->meeting.video_bps = (guint32)(from->meeting_video_mbps * 1e6);
    if (to->meeting.video_bps == 0)
        to->meeting.frames_per_s = 0;
    to->meeting_s = (double)from->meeting_length_ns / 1e9;
    to->codec = from->codec;
    to->download_url = from->download_url;
    to->upload_url = from->upload_url;
    to->streams = (unsigned)from->streams;
    to->throughput_s = (double)from->transfer_length_ns / 1e9;
    to->throughput_bytes = (guint64)from->transfer_size;
    to->warm_up_s = (double)from->warm_up_ns / 1e9;
    to->ca_file = from->ca_file;
}

static void fill_plans(const ConfigProbes *from, const ProbeSettings *settings, ProbePlan *plans)
{
    gboolean sessions = settings->reflector && settings->key;
    memset(plans, 0, sizeof *plans * PLAN_COUNT);
    if (sessions) {
        plans[PLAN_TRAIN] = (ProbePlan){(double)from->train_every_ns / 1e9, from->train_every_m};
        plans[PLAN_MEETING] = (ProbePlan){(double)from->meeting_every_ns / 1e9, 0};
    }
    if (from->download_url)
        plans[PLAN_DOWNLOAD] =
            (ProbePlan){(double)from->download_every_ns / 1e9, from->download_every_m};
    if (from->upload_url)
        plans[PLAN_UPLOAD] = (ProbePlan){(double)from->upload_every_ns / 1e9, from->upload_every_m};
}

ProbeConfig *probe_config_new(const Config *config, GError **error)
{
    const ConfigReflector *far_end = config_section(config, "reflector");
    const ConfigProbes *from = config_section(config, "probes");
    g_autoptr(ProbeConfig) probes = g_new0(ProbeConfig, 1);
    ProbeScheduleConfig *to = &probes->schedule;
    *to = probe_schedule_config_default();
    if (far_end->key_file) {
        probes->key = key_load(far_end->key_file, error);
        if (!probes->key) {
            g_prefix_error(error, "[reflector] key-file: ");
            return NULL;
        }
    }
    fill_settings(far_end, from, probes->key, &to->probe);
    if (!read_rates(config, "train-down", from->train_down, probes->down_bps, error) ||
        !read_rates(config, "train-up", from->train_up, probes->up_bps, error) ||
        !check(config, from, &to->probe, error))
        return NULL;
    to->probe.train_down_bps = probes->down_bps;
    to->probe.train_up_bps = probes->up_bps;
    fill_plans(from, &to->probe, to->plans);
    to->standing_stream = from->stream;
    to->when_standing = from->when_standing;
    to->when_roaming = from->when_roaming;
    to->transfers = (unsigned)from->transfers_at_once;
    to->busy_load = from->busy_load;
    to->daily_bytes = (guint64)from->daily_budget;
    to->monthly_bytes = (guint64)from->monthly_budget;
    to->state_dir = from->state_folder;
    to->capture = from->passive;
    to->debug_prefix = from->debug_capture;
    to->debug_bytes = (guint64)from->debug_size;
    to->debug_files = (unsigned)from->debug_files;
    return g_steal_pointer(&probes);
}

void probe_config_free(ProbeConfig *probes)
{
    if (!probes)
        return;
    key_free(probes->key);
    g_free(probes);
}

gboolean probe_config_enabled(const ProbeConfig *probes)
{
    const ProbeSettings *settings = &probes->schedule.probe;
    return settings->reflector || settings->echo_target || settings->download_url ||
           settings->upload_url || probes->schedule.capture;
}

const ProbeScheduleConfig *probe_config_schedule(const ProbeConfig *probes)
{
    return &probes->schedule;
}
