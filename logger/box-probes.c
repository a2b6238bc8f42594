/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/box-probes.h"
#include "formats/radio.h"
#include "logger/probe-config.h"

#include <math.h>
#include <string.h>

typedef struct {
    gint64 source;
    ProbeRadio radio;
    char interface[32]; /* told to the schedule */
    gboolean told;
} Seen;

struct BoxProbes {
    Box *box;
    ProbeConfig *config;
    ProbeHost host;
    GMutex lock; /* seen[].radio */
    Seen *seen;
    guint n;
};

static void host_add(gpointer data, RecordKind kind, const void *record)
{
    recorder_add(((BoxProbes *)data)->box->recorder, kind, record);
}

static gint64 host_next_id(gpointer data)
{
    return recorder_next_probe(((BoxProbes *)data)->box->recorder);
}

static gint64 host_utc_ns(gpointer data, gint64 realtime_ns)
{
    return clock_utc_of_system(((BoxProbes *)data)->box->clock, realtime_ns);
}

static void host_place(gpointer data, ProbePlace *place)
{
    BoxProbes *probes = data;
    *place = (ProbePlace){(double)NAN, (double)NAN, (double)NAN, 0};
    if (probes->box->gps == NULL)
        return;
    GpsStatus gps;
    gps_status(probes->box->gps, &gps);
    place->distance_m = gps.distance_m;
    if (!gps.have_fix)
        return;
    place->lat = gps.fix.lat;
    place->lon = gps.fix.lon;
    if (RECORD_HAS(&gps.fix, FIX, speed_mps))
        place->speed_mps = gps.fix.speed_mps;
}

static void host_radio(gpointer data, gint64 source, ProbeRadio *radio)
{
    BoxProbes *probes = data;
    *radio = (ProbeRadio){.cell_id = -1, .level_dbm = (double)NAN};
    g_mutex_lock(&probes->lock);
    for (guint i = 0; i < probes->n; i++)
        if (probes->seen[i].source == source)
            *radio = probes->seen[i].radio;
    g_mutex_unlock(&probes->lock);
}

/* A probe whose result cannot be written costs data for nothing. */
static const char *host_shortage(gpointer data)
{
    RecorderState state = recorder_status(((BoxProbes *)data)->box->recorder).state;
    return state == RECORDER_WRITING || state == RECORDER_STARTING ? NULL : "disk";
}

void box_probes_refresh(BoxProbes *probes)
{
    for (guint i = 0; i < probes->n; i++) {
        ModemStatus status;
        modem_status(g_ptr_array_index(probes->box->modems, i), &status);
        Seen *seen = &probes->seen[i];
        ProbeRadio radio = {.cell_id = -1, .level_dbm = (double)NAN};
        if (status.life != MODEM_RUNNING)
            radio.blocked = "modem-lost";
        else if (RECORD_HAS(&status.sample, SAMPLE, service) &&
                 status.sample.service == SERVICE_NONE)
            radio.blocked = "no-service";
        if (status.life == MODEM_RUNNING && status.samples > 0) {
            radio.roaming =
                RECORD_HAS(&status.sample, SAMPLE, roaming) && status.sample.roaming == 1;
            if (RECORD_HAS(&status.sample, SAMPLE, cell_id))
                radio.cell_id = status.sample.cell_id;
            if (!radio_level_dbm(&status.sample, &radio.level_dbm))
                radio.level_dbm = (double)NAN;
        }
        g_mutex_lock(&probes->lock);
        seen->source = status.source;
        seen->radio = radio;
        g_mutex_unlock(&probes->lock);
        const char *interface = status.life == MODEM_RUNNING ? status.interface : "";
        if (seen->told && strcmp(seen->interface, interface) == 0)
            continue;
        g_strlcpy(seen->interface, interface, sizeof seen->interface);
        seen->told = TRUE;
        probe_schedule_modem(probes->box->probes, status.source, status.label,
                             *interface != '\0' ? interface : NULL);
    }
}

BoxProbes *box_probes_new(Box *box, GError **error)
{
    ProbeConfig *config = probe_config_new(box->config, error);
    if (config == NULL)
        return NULL;
    if (!probe_config_enabled(config)) {
        probe_config_free(config);
        return NULL;
    }
    BoxProbes *probes = g_new0(BoxProbes, 1);
    probes->box = box;
    probes->config = config;
    probes->n = box->modems->len;
    probes->seen = g_new0(Seen, MAX(probes->n, 1));
    g_mutex_init(&probes->lock);
    probes->host = (ProbeHost){.data = probes,
                               .add = host_add,
                               .next_id = host_next_id,
                               .utc_ns = host_utc_ns,
                               .place = host_place,
                               .radio = host_radio,
                               .shortage = host_shortage};
    box->probes = probe_schedule_new(probe_config_schedule(config), &probes->host);
    box_probes_refresh(probes);
    return probes;
}

void box_probes_free(BoxProbes *probes)
{
    if (probes == NULL)
        return;
    probe_schedule_free(probes->box->probes);
    probes->box->probes = NULL;
    probe_config_free(probes->config);
    g_mutex_clear(&probes->lock);
    g_free(probes->seen);
    g_free(probes);
}
