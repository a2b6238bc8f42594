/* SPDX-License-Identifier: Apache-2.0 */
/* A modem on trial: its driver is run as the logger runs it, but what it tells is only looked at.
 */
#include "logger/check-report.h"
#include "logger/modem.h"

#include <string.h>

#define MODEM_WAIT_S 8U

typedef struct {
    GMainLoop *loop;
    gboolean ready;
    guint samples;
    char *trouble, *model, *imei_hash;
    const Identity *identity;
    const char *wanted; /* start of the hash; NULL: whoever answers */
    gboolean known;     /* it said who it is */
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
    if (trial->samples >= 2 && trial->known)
        g_main_loop_quit(trial->loop);
}

static void trial_record(gpointer data, MonoTime at, RecordKind kind, gpointer record)
{
    (void)data;
    (void)at;
    (void)kind;
    (void)record;
}

static gboolean is_wanted(const Trial *trial)
{
    return trial->wanted == NULL ||
           (trial->imei_hash != NULL && g_str_has_prefix(trial->imei_hash, trial->wanted));
}

static void trial_identity(gpointer data, const char *model, const char *firmware, const char *imei,
                           const char *iccid)
{
    (void)firmware;
    (void)iccid;
    Trial *trial = data;
    g_free(trial->model);
    trial->model = g_strdup(model);
    g_free(trial->imei_hash);
    trial->imei_hash = trial->identity != NULL ? identity_hash(trial->identity, imei) : NULL;
    trial->known = TRUE;
    if (!is_wanted(trial))
        g_main_loop_quit(trial->loop);
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
    } else if (tick->trial->ready && tick->type->poll != NULL) {
        (void)tick->type->poll(tick->driver, TRUE);
    }
    return G_SOURCE_CONTINUE;
}

static void tell_trial(CheckReport *report, const char *label, const Trial *trial)
{
    const char *model = trial->model != NULL ? trial->model : "modem";
    if (!trial->ready) {
        check_line(report, "FIX", "modem %s: %s", label,
                   trial->trouble != NULL ? trial->trouble
                                          : "no answer; is another program using it?");
        return;
    }
    if (trial->sim == 0)
        check_line(report, "FIX", "modem %s: %s has no SIM; put one in", label, model);
    if (trial->samples == 0) {
        check_line(report, "FIX", "modem %s: %s answers but measures nothing", label, model);
        return;
    }
    const Sample *sample = &trial->sample;
    g_autofree char *hash = trial->imei_hash != NULL
                                ? g_strdup_printf(", imei-hash %.12s", trial->imei_hash)
                                : g_strdup("");
    if (RECORD_HAS(sample, SAMPLE, service) && sample->service != SERVICE_OK)
        check_line(report, "note", "modem %s: %s works but has no service here%s", label, model,
                   hash);
    else if (RECORD_HAS(sample, SAMPLE, rsrp_dbm))
        check_line(report, "ok", "modem %s: %s, %s, %.0f dBm%s", label, model,
                   rat_name((Rat)sample->rat), sample->rsrp_dbm, hash);
    else
        check_line(report, "ok", "modem %s: %s, %s%s", label, model, rat_name((Rat)sample->rat),
                   hash);
}

/* Runs the driver until there is enough to tell. */
static void try_modem(Trial *trial, const ConfigModem *config, const char *device)
{
    const ModemSink sink = {trial,          trial_ready,   trial_lost,    trial_answered,
                            trial_silent,   trial_skipped, trial_sample,  trial_record,
                            trial_identity, trial_sim,     trial_protocol};
    TrialTick tick = {modem_driver_of(config), NULL, trial, 0};
    trial->loop = g_main_loop_new(NULL, FALSE);
    tick.driver = tick.type->open(config, device, &sink);
    guint timer = g_timeout_add(500, trial_tick, &tick);
    g_main_loop_run(trial->loop);
    g_source_remove(timer);
    tick.type->close(tick.driver);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_clear_pointer(&trial->loop, g_main_loop_unref);
}

/* One node after the other where the modem is known by its IMEI. */
void check_modem(CheckReport *report, const ConfigModem *config)
{
    gboolean by_imei = modem_by_imei(config);
    if (by_imei && report->identity == NULL) {
        check_line(report, "FIX",
                   "modem %s: the hash of an IMEI needs the box's key, which is not there yet; "
                   "start the logger once",
                   config->head.label);
        return;
    }
    if (config->proxy && config->driver != DRIVER_REPLAY && !modem_uses_proxy(config))
        check_line(report, "note", "modem %s: opened directly, the proxies serve only root",
                   config->head.label);
    g_autoptr(GHashTable) tried = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (;;) {
        g_autoptr(GError) error = NULL;
        g_autofree char *device = modem_finder_take(report->finder, config, &error);
        if (device == NULL) {
            check_line(report, "FIX", "modem %s: %s", config->head.label, error->message);
            return;
        }
        if (!g_hash_table_add(tried, g_strdup(device))) {
            modem_finder_release(report->finder, config);
            check_line(report, "FIX", "modem %s: none of %u modems has IMEI hash %s",
                       config->head.label, g_hash_table_size(tried), config->imei_hash);
            return;
        }
        Trial trial = {
            .sim = -1, .identity = report->identity, .wanted = by_imei ? config->imei_hash : NULL};
        try_modem(&trial, config, device);
        gboolean found = !by_imei || modem_finder_heard(report->finder, config, trial.imei_hash);
        if (found)
            tell_trial(report, config->head.label, &trial);
        else
            modem_finder_release(report->finder, config);
        g_free(trial.trouble);
        g_free(trial.model);
        g_free(trial.imei_hash);
        if (found)
            return;
    }
}
