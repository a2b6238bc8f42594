/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/modem.h"
#include "logger/complaint.h"
#include "logger/slots.h"

#include <math.h>
#include <string.h>

#define OPENING_LIMIT_NS INT64_C(60000000000)
#define BACKOFF_FIRST_MS 1000U
#define BACKOFF_LAST_MS  10000U

struct Modem {
    gint64 cell_id; /* of the last sample that had one */
    gboolean cell_known;
    const ModemHost *host;
    const ConfigModem *config;
    const ModemDriver *type;
    gpointer driver;
    ModemSink sink;
    char *who; /* "modem north" */
    ModemStatus status;
    char *device;         /* the node that is open or tried */
    char *running_device; /* the node where it ran last */
    gboolean asking_who;  /* its samples count only once it has said who it is */
    char *imei_hash, *iccid_hash, *model, *firmware;
    guint timer; /* of the life: look, backoff, limit, tick */
    guint lost_idle;
    guint backoff_ms;
    gint64 since_ns;    /* mono: in this life */
    gint64 answered_ns; /* mono */
    gint64 asked_cells_ns;
    gint64 due_ns;      /* mono: the next poll */
    gboolean lost_told; /* event modem-lost written, found is owed */
    gboolean silent_told;
    gint64 silent_since_ns;
    Complaint trouble;
    Slots slots;
};

static gboolean look(gpointer data);
static gboolean tick(gpointer data);

const char *modem_life_name(ModemLife life)
{
    static const char *const names[] = {"absent", "opening", "running", "waiting"};
    return names[life];
}

static void set_timer(Modem *modem, guint ms, GSourceFunc function)
{
    if (modem->timer != 0)
        g_source_remove(modem->timer);
    /* Behind all else: answers that have come are taken before the next question is asked. */
    modem->timer = g_timeout_add_full(G_PRIORITY_LOW, ms, function, modem, NULL);
}

static void event(Modem *modem, const char *kind, const char *detail, double value)
{
    recorder_event(modem->host->recorder, clock_utc_now(modem->host->clock), modem->status.source,
                   kind, detail, value);
}

static void enter(Modem *modem, ModemLife life)
{
    modem->status.life = life;
    modem->since_ns = mono_now().ns;
}

static void tell_slots(gpointer data, gint64 since_ns, guint n, const char *why)
{
    Modem *modem = data;
    recorder_event(modem->host->recorder, clock_utc(modem->host->clock, (MonoTime){since_ns}).ns,
                   modem->status.source, "samples-lost", why, n);
}

static void close_driver(Modem *modem)
{
    if (modem->driver != NULL)
        modem->type->close(modem->driver);
    modem->driver = NULL;
    slots_tell(&modem->slots, mono_now().ns, TRUE, tell_slots, modem);
    modem_finder_release(modem->host->finder, modem->config);
    if (modem->lost_idle != 0)
        g_source_remove(modem->lost_idle);
    modem->lost_idle = 0;
}

static void tell_lost(Modem *modem, const char *why)
{
    g_strlcpy(modem->status.trouble, why, sizeof modem->status.trouble);
    complain(&modem->trouble, modem->who, why);
    if (modem->lost_told)
        return;
    modem->lost_told = TRUE;
    event(modem, "modem-lost", why, (double)NAN);
}

static void back_off(Modem *modem, const char *why)
{
    close_driver(modem);
    tell_lost(modem, why);
    enter(modem, MODEM_BACKOFF);
    guint ms = modem->backoff_ms;
    modem->backoff_ms = MIN(modem->backoff_ms * 2, BACKOFF_LAST_MS);
    set_timer(modem, ms + (guint)g_random_int_range(0, (gint32)(ms / 4)), look);
}

/* --- what the driver tells --- */

static void poll_now(Modem *modem, gboolean cells)
{
    if (modem->type->poll == NULL)
        return;
    gint64 now_ns = mono_now().ns;
    guint under_way = modem->type->poll(modem->driver, cells);
    if (under_way > 0)
        slots_ask(&modem->slots, under_way, now_ns);
    else
        slots_lose(&modem->slots, SLOT_UNANSWERED, 1, now_ns);
    slots_tell(&modem->slots, now_ns, FALSE, tell_slots, modem);
}

/* From an absolute time on: a timer that counts from its last call is late by
 * some of a millisecond each time, which at ten a second loses one sample in a
 * hundred. Late by whole intervals, it goes on with the next one to come, so
 * that nothing is asked twice in a row. */
static void set_next_tick(Modem *modem)
{
    gint64 now_ns = mono_now().ns, interval_ns = modem->config->interval_ns;
    gint64 passed = MAX((now_ns - modem->due_ns) / interval_ns, 0);
    if (modem->type->poll != NULL)
        slots_lose(&modem->slots, SLOT_LATE, (guint)passed, now_ns);
    modem->due_ns += (passed + 1) * interval_ns;
    set_timer(modem, (guint)((modem->due_ns - now_ns + 500000) / 1000000), tick);
}

static void renumbered(Modem *modem)
{
    if (modem->running_device != NULL && strcmp(modem->running_device, modem->device) != 0) {
        g_autofree char *detail = g_strdup_printf("%s to %s", modem->running_device, modem->device);
        event(modem, "modem-renumbered", detail, (double)NAN);
        g_message("%s: now at %s", modem->who, modem->device);
    }
    g_free(modem->running_device);
    modem->running_device = g_strdup(modem->device);
}

static void find_interface(Modem *modem)
{
    g_autofree char *interface = modem->config->interface != NULL
                                     ? g_strdup(modem->config->interface)
                                     : modem_find_interface(modem->device);
    g_strlcpy(modem->status.interface, interface != NULL ? interface : "",
              sizeof modem->status.interface);
}

static void start_running(Modem *modem)
{
    enter(modem, MODEM_RUNNING);
    modem->status.openings++;
    modem->answered_ns = mono_now().ns;
    modem->asked_cells_ns = 0;
    modem->status.trouble[0] = '\0';
    find_interface(modem);
    renumbered(modem);
    if (modem->lost_told)
        event(modem, "modem-found", modem->device, (double)NAN);
    modem->lost_told = FALSE;
    complain_over(&modem->trouble, modem->who, "works again");
    modem->due_ns = modem->since_ns;
    slots_restart(&modem->slots);
    set_next_tick(modem);
    poll_now(modem, TRUE);
}

static void on_ready(gpointer data)
{
    Modem *modem = data;
    if (!modem->asking_who)
        start_running(modem);
}

typedef struct {
    Modem *modem;
    char *why;
} Loss;

static void loss_free(gpointer data)
{
    Loss *loss = data;
    g_free(loss->why);
    g_free(loss);
}

/* The node is not the modem's, or does not say: on to the next one. */
static void look_elsewhere(Modem *modem)
{
    close_driver(modem);
    set_timer(modem, 0, look);
}

static gboolean lose(gpointer data)
{
    Loss *loss = data;
    Modem *modem = loss->modem;
    g_autofree char *why = g_strdup(loss->why);
    modem->lost_idle = 0;
    if (modem->asking_who)
        look_elsewhere(modem);
    else
        back_off(modem, why);
    return G_SOURCE_REMOVE;
}

/* From within the driver: it is closed only once it has returned. */
static void lose_later(Modem *modem, const char *why)
{
    if (modem->lost_idle != 0)
        return;
    Loss *loss = g_new0(Loss, 1);
    loss->modem = modem;
    loss->why = g_strdup(why);
    modem->lost_idle = g_idle_add_full(G_PRIORITY_DEFAULT, lose, loss, loss_free);
}

static void on_lost(gpointer data, const char *why)
{
    Modem *modem = data;
    if (modem->asking_who && modem->lost_idle == 0)
        (void)modem_finder_heard(modem->host->finder, modem->config, NULL);
    lose_later(modem, why);
}

static void on_answered(gpointer data, MonoTime at)
{
    Modem *modem = data;
    modem->answered_ns = at.ns;
    modem->backoff_ms = BACKOFF_FIRST_MS;
    if (!modem->silent_told)
        return;
    modem->silent_told = FALSE;
    event(modem, "modem-answers", NULL, (double)(at.ns - modem->silent_since_ns) / 1e9);
}

static void on_silent(gpointer data, const char *request)
{
    Modem *modem = data;
    modem->status.timeouts++;
    if (modem->silent_told || mono_now().ns - modem->answered_ns < modem->config->timeout_ns)
        return;
    modem->silent_told = TRUE;
    modem->silent_since_ns = modem->answered_ns;
    event(modem, "modem-silent", request, (double)(mono_now().ns - modem->answered_ns) / 1e9);
}

static void on_skipped(gpointer data)
{
    ((Modem *)data)->status.skipped++;
}

static void note_changes(Modem *modem, const Sample *old, const Sample *sample)
{
    char detail[80];
    if (RECORD_HAS(old, SAMPLE, rat) && RECORD_HAS(sample, SAMPLE, rat) &&
        old->rat != sample->rat) {
        g_snprintf(detail, sizeof detail, "%s to %s", rat_name((Rat)old->rat),
                   rat_name((Rat)sample->rat));
        event(modem, "rat-change", detail, (double)NAN);
    }
    /* A sample in the middle of a change has no cell yet: compare with the last
     * one that had. */
    if (!RECORD_HAS(sample, SAMPLE, cell_id))
        return;
    if (modem->cell_known && modem->cell_id != sample->cell_id) {
        g_snprintf(detail, sizeof detail, "%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                   modem->cell_id, sample->cell_id);
        event(modem, "cell-change", detail, (double)NAN);
    }
    modem->cell_known = TRUE;
    modem->cell_id = sample->cell_id;
}

/* As exact as the time of the answer (clock_utc()), and no smaller than it was. */
static gint64 whole_us(gint64 ns)
{
    return (ns + 999) / 1000 * 1000;
}

static void on_sample(gpointer data, MonoTime asked, MonoTime at, Sample *sample)
{
    Modem *modem = data;
    if (modem->asking_who)
        return;
    UtcTime utc = clock_utc(modem->host->clock, at);
    RECORD_SET(sample, SAMPLE, time_ns, utc.ns);
    RECORD_SET(sample, SAMPLE, source, modem->status.source);
    if (asked.ns != 0)
        RECORD_SET(sample, SAMPLE, request_ns, utc.ns - whole_us(at.ns - asked.ns));
    recorder_add(modem->host->recorder, RECORD_SAMPLE, sample);
    if (modem->status.samples > 0)
        note_changes(modem, &modem->status.sample, sample);
    ModemStatus *status = &modem->status;
    status->sample = *sample;
    g_strlcpy(status->plmn, RECORD_HAS(sample, SAMPLE, plmn) ? sample->plmn : "",
              sizeof status->plmn);
    status->sample.plmn = status->plmn;
    status->sample_mono_ns = at.ns;
    status->samples++;
    if (asked.ns != 0)
        slots_fill(&modem->slots);
    if (asked.ns != 0)
        status->answer_ms = (double)(at.ns - asked.ns) / 1e6;
}

/* Every kind but sources and imports begins like this (formats/records.h). */
typedef struct {
    guint64 known;
    int64_t time_ns, source;
} RecordHead;
G_STATIC_ASSERT(offsetof(Neighbour, source) == offsetof(RecordHead, source));
G_STATIC_ASSERT(offsetof(Carrier, source) == offsetof(RecordHead, source));
G_STATIC_ASSERT(offsetof(Antenna, source) == offsetof(RecordHead, source));
G_STATIC_ASSERT(offsetof(Registration, source) == offsetof(RecordHead, source));

static void on_record(gpointer data, MonoTime at, RecordKind kind, gpointer record)
{
    Modem *modem = data;
    if (modem->asking_who)
        return;
    RecordHead *head = record;
    head->time_ns = clock_utc(modem->host->clock, at).ns;
    head->source = modem->status.source;
    head->known |= RECORD_BIT(NEIGHBOUR, time_ns) | RECORD_BIT(NEIGHBOUR, source);
    recorder_add(modem->host->recorder, kind, record);
}

static void tell_source(Modem *modem)
{
    const ConfigModem *config = modem->config;
    Source source = {0};
    RECORD_SET(&source, SOURCE, kind, SOURCE_MODEM);
    RECORD_SET(&source, SOURCE, label, config->head.label);
    RECORD_SET(&source, SOURCE, operator_label,
               config->operator_label != NULL ? config->operator_label : config->head.label);
    RECORD_SET(&source, SOURCE, place, config->place);
    if (config->home_plmn != NULL)
        RECORD_SET(&source, SOURCE, home_plmn, config->home_plmn);
    if (!isnan(config->antenna_gain_dbi))
        RECORD_SET(&source, SOURCE, antenna_gain_dbi, config->antenna_gain_dbi);
    if (!isnan(config->cable_loss_db))
        RECORD_SET(&source, SOURCE, cable_loss_db, config->cable_loss_db);
    if (!isnan(config->floor_dbm))
        RECORD_SET(&source, SOURCE, floor_dbm, config->floor_dbm);
    if (modem->model != NULL)
        RECORD_SET(&source, SOURCE, model, modem->model);
    if (modem->firmware != NULL)
        RECORD_SET(&source, SOURCE, firmware, modem->firmware);
    if (modem->imei_hash != NULL)
        RECORD_SET(&source, SOURCE, device_hash, modem->imei_hash);
    if (modem->iccid_hash != NULL)
        RECORD_SET(&source, SOURCE, sim_hash, modem->iccid_hash);
    modem->status.source = recorder_source(modem->host->recorder, &source);
}

/* Takes over `value`, TRUE if another was known before. */
static gboolean learn(char **known, char *value)
{
    if (value == NULL)
        return FALSE;
    gboolean other = *known != NULL && strcmp(*known, value) != 0;
    g_free(*known);
    *known = value;
    return other;
}

/* Whether the modem that was opened is the configured one; if not it is let go.
 */
static gboolean is_the_one(Modem *modem, const char *imei)
{
    g_autofree char *hash = identity_hash(modem->host->identity, imei);
    if (modem_finder_heard(modem->host->finder, modem->config, hash))
        return TRUE;
    lose_later(modem, "another modem");
    return FALSE;
}

static void on_identity(gpointer data, const char *model, const char *firmware, const char *imei,
                        const char *iccid)
{
    Modem *modem = data;
    if (modem->asking_who && !is_the_one(modem, imei))
        return;
    (void)learn(&modem->model, g_strdup(model));
    (void)learn(&modem->firmware, g_strdup(firmware));
    if (learn(&modem->imei_hash, identity_hash(modem->host->identity, imei)))
        event(modem, "modem-reset", "another modem answers in this place", (double)NAN);
    if (learn(&modem->iccid_hash, identity_hash(modem->host->identity, iccid)))
        event(modem, "sim-changed", NULL, (double)NAN);
    const char *wanted = modem_by_imei(modem->config) ? NULL : modem->config->imei_hash;
    if (wanted != NULL && modem->imei_hash != NULL && !g_str_has_prefix(modem->imei_hash, wanted))
        event(modem, "modem-other", "the IMEI is not the configured one", (double)NAN);
    tell_source(modem);
    if (modem->asking_who) {
        modem->asking_who = FALSE;
        start_running(modem);
    }
}

static void on_sim(gpointer data, gboolean present)
{
    Modem *modem = data;
    if (modem->asking_who || modem->status.sim == present)
        return;
    if (!present)
        event(modem, "sim-lost", NULL, (double)NAN);
    else if (modem->status.sim == 0)
        event(modem, "sim-found", NULL, (double)NAN);
    modem->status.sim = present;
}

static void on_protocol(gpointer data, const char *name)
{
    ((Modem *)data)->status.protocol = name;
}

/* --- life --- */

static gboolean tick(gpointer data)
{
    Modem *modem = data;
    const ConfigModem *config = modem->config;
    gint64 now_ns = mono_now().ns;
    modem->timer = 0;
    if (now_ns - modem->answered_ns > config->wedge_ns) {
        back_off(modem, "no answer any more; opened again");
        return G_SOURCE_REMOVE;
    }
    /* A little early rather than one tick late. */
    gboolean cells =
        now_ns - modem->asked_cells_ns >= config->cell_interval_ns - config->interval_ns / 2;
    if (cells)
        modem->asked_cells_ns = now_ns;
    set_next_tick(modem);
    poll_now(modem, cells);
    return G_SOURCE_REMOVE;
}

static gboolean give_up_opening(gpointer data)
{
    Modem *modem = data;
    modem->timer = 0;
    if (modem->asking_who) {
        (void)modem_finder_heard(modem->host->finder, modem->config, NULL);
        look_elsewhere(modem);
        return G_SOURCE_REMOVE;
    }
    back_off(modem, "does not open: no answer for a minute");
    return G_SOURCE_REMOVE;
}

static gboolean look(gpointer data)
{
    Modem *modem = data;
    modem->timer = 0;
    g_autoptr(GError) error = NULL;
    char *device = modem_finder_take(modem->host->finder, modem->config, &error);
    if (device == NULL) {
        if (modem->status.life != MODEM_ABSENT)
            enter(modem, MODEM_ABSENT);
        tell_lost(modem, error->message);
        set_timer(modem, 1000, look);
        return G_SOURCE_REMOVE;
    }
    g_free(modem->device);
    modem->device = device;
    g_strlcpy(modem->status.device, device, sizeof modem->status.device);
    enter(modem, MODEM_OPENING);
    modem->asking_who = modem_by_imei(modem->config);
    set_timer(modem, (guint)(OPENING_LIMIT_NS / 1000000), give_up_opening);
    modem->driver = modem->type->open(modem->config, modem->device, &modem->sink);
    return G_SOURCE_REMOVE;
}

void modem_look(Modem *modem)
{
    if (modem->status.life == MODEM_ABSENT || modem->status.life == MODEM_BACKOFF) {
        /* The node appears before the modem answers. */
        set_timer(modem, 200, look);
        return;
    }
    if (!modem_finder_still(modem->config, modem->device))
        back_off(modem, "the device node is gone");
}

Modem *modem_new(const ModemHost *host, const ConfigModem *config)
{
    Modem *modem = g_new0(Modem, 1);
    modem->host = host;
    modem->config = config;
    modem->type = modem_driver_of(config);
    modem->who = g_strdup_printf("modem %s", config->head.label);
    modem->backoff_ms = BACKOFF_FIRST_MS;
    modem->sink =
        (ModemSink){modem,     on_ready,  on_lost,     on_answered, on_silent,  on_skipped,
                    on_sample, on_record, on_identity, on_sim,      on_protocol};
    modem->status = (ModemStatus){.label = config->head.label,
                                  .operator_label = config->operator_label,
                                  .protocol = "",
                                  .sim = -1,
                                  .answer_ms = (double)NAN};
    tell_source(modem);
    modem->timer = g_idle_add(look, modem);
    return modem;
}

void modem_free(Modem *modem)
{
    if (modem == NULL)
        return;
    if (modem->timer != 0)
        g_source_remove(modem->timer);
    close_driver(modem);
    g_free(modem->who);
    g_free(modem->device);
    g_free(modem->running_device);
    g_free(modem->imei_hash);
    g_free(modem->iccid_hash);
    g_free(modem->model);
    g_free(modem->firmware);
    g_free(modem);
}

void modem_status(const Modem *modem, ModemStatus *status)
{
    *status = modem->status;
    status->sample.plmn = status->plmn;
}
