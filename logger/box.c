/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/box.h"
#include "logger/box-probes.h"
#include "logger/health.h"
#include "logger/hotplug.h"
#include "logger/probe-config.h"
#include "logger/status.h"

#include <glib-unix.h>
#include <math.h>
#include <signal.h>

typedef struct {
    Box box;
    BoxProbes *probes;
    GMainLoop *loop;
    guint timer;
} Running;

static gboolean on_signal(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_CONTINUE;
}

static void on_hotplug(gpointer data)
{
    Running *running = data;
    modem_finder_forget(running->box.finder);
    for (guint i = 0; i < running->box.modems->len; i++)
        modem_look(g_ptr_array_index(running->box.modems, i));
}

/* A journey has ended: its drive can be collected. */
static gboolean each_second(gpointer data)
{
    Running *running = data;
    if (running->probes != NULL)
        box_probes_refresh(running->probes);
    gint64 limit_ns = running->box.config->store.rotate_standstill_ns;
    if (running->box.gps == NULL || limit_ns == 0)
        return G_SOURCE_CONTINUE;
    GpsStatus gps;
    gps_status(running->box.gps, &gps);
    if (gps.has_moved && gps.standing_ns != 0 && mono_now().ns - gps.standing_ns >= limit_ns) {
        gps_clear_moved(running->box.gps);
        recorder_rotate(running->box.recorder, "standstill");
    }
    return G_SOURCE_CONTINUE;
}

static gboolean open_parts(Box *box, const char *config_path, GError **error)
{
    box->config = config_load(config_path, error);
    if (box->config == NULL)
        return FALSE;
    if (box->config->modems->len == 0 && !box->config->gps.enabled) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
                    "%s: neither modems nor GPS to record; add a [modem LABEL] section",
                    config_path);
        return FALSE;
    }
    /* What is wrong with the probes' keys is said before a drive is made. */
    g_autoptr(ProbeConfig) probes = probe_config_new(box->config, error);
    if (probes == NULL)
        return FALSE;
    box->store = store_open(box->config->store.folder, error);
    if (box->store == NULL)
        return FALSE;
    const char *sign_key = box->config->store.sign_key;
    if (sign_key != NULL && !store_use_key(box->store, sign_key, error))
        return FALSE;
    g_autofree char *key = config_identity_key(box->config);
    box->identity = identity_open(key, error);
    return box->identity != NULL;
}

static gboolean start_parts(Running *running, GError **error)
{
    Box *box = &running->box;
    box->started_ns = mono_now().ns;
    box->clock = clock_new();
    box->recorder = recorder_new(box->config, box->store, clock_utc_now, box->clock);
    clock_record(box->clock, box->recorder);
    recorder_event(box->recorder, clock_utc_now(box->clock), 0, "start",
                   "corridor-logger " CORRIDOR_VERSION, (double)NAN);
    box->finder = modem_finder_new(box->config->modems);
    box->modem_host = (ModemHost){box->recorder, box->clock, box->identity, box->finder};
    box->modems = g_ptr_array_new_with_free_func((GDestroyNotify)modem_free);
    for (guint i = 0; i < box->config->modems->len; i++)
        g_ptr_array_add(box->modems,
                        modem_new(&box->modem_host, g_ptr_array_index(box->config->modems, i)));
    if (box->config->gps.enabled)
        box->gps = gps_new(&box->config->gps, box->recorder, box->clock);
    g_autoptr(GError) local = NULL;
    running->probes = box_probes_new(box, &local);
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    running->timer = g_timeout_add_seconds(1, each_second, running);
    return TRUE;
}

static void stop_parts(Running *running)
{
    Box *box = &running->box;
    if (running->timer != 0)
        g_source_remove(running->timer);
    box_probes_free(running->probes);
    gps_free(box->gps);
    g_clear_pointer(&box->modems, g_ptr_array_unref);
    modem_finder_free(box->finder);
    if (box->recorder != NULL) {
        recorder_event(box->recorder, clock_utc_now(box->clock), 0, "stop", NULL, (double)NAN);
        clock_record(box->clock, NULL);
    }
    recorder_free(box->recorder);
    clock_free(box->clock);
    identity_free(box->identity);
    store_free(box->store);
    config_free(box->config);
}

/* Opens and starts all, and runs it until a signal. */
static gboolean run_parts(Running *running, const char *config_path, GError **error)
{
    if (!open_parts(&running->box, config_path, error) || !start_parts(running, error))
        return FALSE;
    Hotplug *hotplug = hotplug_new(on_hotplug, running);
    g_autoptr(GError) status_error = NULL;
    StatusServer *status =
        status_server_new(&running->box, running->box.config->status.socket, &status_error);
    if (status == NULL)
        g_warning("%s; recording goes on without it", status_error->message);
    Health *health = health_new(running->box.recorder);
    g_main_loop_run(running->loop);
    health_free(health);
    status_server_free(status);
    hotplug_free(hotplug);
    return TRUE;
}

int box_run(const char *config_path, GError **error)
{
    Running running = {.loop = g_main_loop_new(NULL, FALSE)};
    (void)signal(SIGPIPE, SIG_IGN); /* libgps writes to dead sockets */
    /* First of all: what comes while drives are opened ends the loop as soon as it runs. */
    const guint signals[] = {g_unix_signal_add(SIGTERM, on_signal, running.loop),
                             g_unix_signal_add(SIGINT, on_signal, running.loop)};
    gboolean is_done = run_parts(&running, config_path, error);
    stop_parts(&running);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
        g_source_remove(signals[i]);
    g_main_loop_unref(running.loop);
    return is_done ? 0 : 1;
}
