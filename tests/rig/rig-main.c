/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/rig.h"

#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>

typedef struct {
    GMainLoop *loop;
    int status;
} Life;

static void on_told(gpointer user, const char *line)
{
    (void)user;
    printf("%s\n", line);
    (void)fflush(stdout);
}

static void on_over(gpointer user, const GError *error)
{
    Life *life = user;
    if (error != NULL) {
        fprintf(stderr, "corridor-rig: %s\n", error->message);
        life->status = 1;
    }
    g_main_loop_quit(life->loop);
}

static gboolean on_signal(gpointer user)
{
    Life *life = user;
    g_main_loop_quit(life->loop);
    return G_SOURCE_CONTINUE;
}

static int complain(int status, const char *message)
{
    fprintf(stderr, "corridor-rig: %s\n", message);
    return status;
}

static int play(const Scenario *scenario, const char *devices, const char *truth)
{
    g_autoptr(GError) error = NULL;
    Life life = {.loop = g_main_loop_new(NULL, FALSE)};
    RigOptions options = {
        .devices = devices, .truth = truth, .told = on_told, .over = on_over, .user = &life};
    Rig *rig = rig_new(scenario, &options, &error);
    if (rig == NULL) {
        g_main_loop_unref(life.loop);
        return complain(1, error->message);
    }
    g_unix_signal_add(SIGTERM, on_signal, &life);
    g_unix_signal_add(SIGINT, on_signal, &life);
    on_told(NULL, "ready");
    g_main_loop_run(life.loop);
    if (!rig_stop(rig, &error))
        life.status = complain(1, error->message);
    rig_free(rig);
    g_main_loop_unref(life.loop);
    return life.status;
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    (void)signal(SIGPIPE, SIG_IGN);
    g_autofree char *devices = NULL, *truth = NULL;
    gboolean check = FALSE, only = FALSE, version = FALSE;
    GOptionEntry entries[] = {
        {"devices", 'd', 0, G_OPTION_ARG_FILENAME, &devices,
         "folder for the device nodes (rig-dev)", "DIR"},
        {"truth", 't', 0, G_OPTION_ARG_FILENAME, &truth,
         "write the truth to PREFIX.drive and PREFIX-links.csv", "PREFIX"},
        {"truth-only", 0, 0, G_OPTION_ARG_NONE, &only,
         "write the truth of the whole scenario at once, play nothing", NULL},
        {"check", 0, 0, G_OPTION_ARG_NONE, &check, "read the scenario, play nothing", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, "print the version", NULL},
        G_OPTION_ENTRY_NULL};
    g_autoptr(GOptionContext) context = g_option_context_new("SCENARIO - play a made vehicle");
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return complain(2, error->message);
    if (version) {
        printf("corridor-rig %s\n", CORRIDOR_VERSION);
        return 0;
    }
    if (argc != 2)
        return complain(2, "name one scenario; see corridor-rig --help");
    if (only && truth == NULL)
        return complain(2, "--truth-only needs --truth PREFIX");
    g_autoptr(Scenario) scenario = scenario_load(argv[1], &error);
    if (scenario == NULL)
        return complain(1, error->message);
    if (check)
        return 0;
    if (!only)
        return play(scenario, devices != NULL ? devices : "rig-dev", truth);
    return rig_write_truth(scenario, truth, &error) ? 0 : complain(1, error->message);
}
