/* SPDX-License-Identifier: Apache-2.0 */
/* corridor-reflector: options, start, signals. */
#include "logger/privilege.h"
#include "logger/reflector.h"
#include "logger/stamp-packet.h"
#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>

static char **listen_to, **peer_networks;
static char *key_path, *device;
static int stamp_port = STAMP_PORT, session_port = SESSION_PORT, rate = 400, max_sessions = 64,
           max_rate_mbps = 100;
static gboolean stateless, show_version;

static const GOptionEntry options[] = {
    {"listen", 'l', 0, G_OPTION_ARG_STRING_ARRAY, &listen_to,
     "Address to answer on; may be given more than once (all)", "ADDRESS"},
    {"peer", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &peer_networks,
     "Answer STAMP without key from here; may be given more than once", "NETWORK"},
    {"key", 'k', 0, G_OPTION_ARG_FILENAME, &key_path, "File with the key shared with the loggers",
     "FILE"},
    {"interface", 'i', 0, G_OPTION_ARG_STRING, &device, "Only on this interface", "NAME"},
    {"stamp-port", 0, 0, G_OPTION_ARG_INT, &stamp_port, "UDP port of STAMP (862)", "PORT"},
    {"session-port", 0, 0, G_OPTION_ARG_INT, &session_port,
     "UDP port of meetings and trains (8762)", "PORT"},
    {"rate", 0, 0, G_OPTION_ARG_INT, &rate, "STAMP packets per second for one address (400)", "N"},
    {"sessions", 0, 0, G_OPTION_ARG_INT, &max_sessions, "Meetings and trains at a time (64)", "N"},
    {"max-rate", 0, 0, G_OPTION_ARG_INT, &max_rate_mbps, "Mbit/s of one session, each way (100)",
     "MBPS"},
    {"stateless", 0, 0, G_OPTION_ARG_NONE, &stateless,
     "Answer STAMP with the sender's sequence numbers", NULL},
    {"version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Show the version", NULL},
    G_OPTION_ENTRY_NULL};

static int wrong_usage(const char *message)
{
    g_printerr("corridor-reflector: %s\n", message);
    return 2;
}

static const char *option_fault(void)
{
    if (stamp_port < 1 || stamp_port > 65535 || session_port < 1 || session_port > 65535)
        return "a port is 1 to 65535";
    if (stamp_port == session_port)
        return "--stamp-port and --session-port must differ";
    if (rate < 1 || rate > 1000000)
        return "--rate is 1 to 1000000 packets per second";
    if (max_sessions < 1 || max_sessions > 1024)
        return "--sessions is 1 to 1024";
    if (max_rate_mbps < 1 || max_rate_mbps > 10000)
        return "--max-rate is 1 to 10000 Mbit/s";
    if (!key_path && !peer_networks)
        return "nobody could ask: give --key FILE, --peer NETWORK or both";
    return NULL;
}

static void print_counts(const Reflector *reflector)
{
    ReflectorCounts counts = reflector_counts(reflector);
    GString *line = g_string_new("counts:");
#define X(name) g_string_append_printf(line, " " #name "=%" G_GUINT64_FORMAT, counts.name);
    REFLECTOR_COUNTS(X)
#undef X
    g_string_append_printf(line, " stamp_held=%u sessions_held=%u",
                           reflector_stamp_sessions(reflector), reflector_sessions(reflector));
    g_message("%s", line->str);
    g_string_free(line, TRUE);
}

static gboolean on_counts(gpointer data)
{
    print_counts(data);
    return G_SOURCE_CONTINUE;
}

static gboolean on_stop(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_CONTINUE;
}

static int run(const ReflectorConfig *config)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(Reflector) reflector = reflector_new(config, NULL, &error);
    if (!reflector) {
        g_printerr("corridor-reflector: %s\n", error->message);
        return 1;
    }
    privilege_drop_all(); /* the ports are bound, and no thread was started yet */
    g_unix_signal_add(SIGTERM, on_stop, loop);
    g_unix_signal_add(SIGINT, on_stop, loop);
    g_unix_signal_add(SIGUSR1, on_counts, reflector);
    g_message("answering on UDP ports %u%s", config->stamp_port,
              config->key ? " and that of sessions" : "; no key, so no sessions");
    g_main_loop_run(loop);
    print_counts(reflector);
    return 0;
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    g_log_writer_default_set_use_stderr(TRUE);
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("- answer the probes of loggers");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return wrong_usage(error->message);
    if (show_version) {
        printf("corridor-reflector %s\n", CORRIDOR_VERSION);
        return 0;
    }
    if (argc > 1)
        return wrong_usage("there are only options, no other words; see --help");
    const char *fault = option_fault();
    if (fault)
        return wrong_usage(fault);
    g_autoptr(Peers) peers = peers_new((const char *const *)peer_networks, &error);
    if (!peers) {
        g_prefix_error(&error, "--peer: ");
        return wrong_usage(error->message);
    }
    g_autoptr(Key) key = key_path ? key_load(key_path, &error) : NULL;
    if (error) {
        g_printerr("corridor-reflector: %s\n", error->message);
        return 1;
    }
    ReflectorConfig config = reflector_config_default();
    config.key = key;
    config.peers = peers;
    config.listen = (const char *const *)listen_to;
    config.device = device;
    config.stamp_port = (guint16)stamp_port;
    config.session_port = (guint16)session_port;
    config.stateless = stateless;
    config.packets_per_s = rate;
    config.max_sessions = (unsigned)max_sessions;
    config.max_rate_bps = (guint64)max_rate_mbps * 1000000;
    int status = run(&config);
    g_strfreev(listen_to);
    g_strfreev(peer_networks);
    g_free(key_path);
    g_free(device);
    return status;
}
