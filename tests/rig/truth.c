/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/truth.h"

#include "formats/drive-write.h"
#include "tests/rig/data-link.h"

#include <errno.h>
#include <stdio.h>

#define COMMIT_NS G_GINT64_CONSTANT(2000000000)

struct Truth {
    const Scenario *scenario;
    DriveWriter *drive;
    FILE *links;
    gint64 committed_ns;
    gint64 vehicle; /* source of the true positions */
    gint64 *modems; /* sources */
};

Truth *truth_new(const char *prefix, const Scenario *scenario, GError **error)
{
    g_autoptr(Truth) truth = g_new0(Truth, 1);
    g_autofree char *drive = g_strconcat(prefix, ".drive", NULL);
    g_autofree char *links = g_strconcat(prefix, "-links.csv", NULL);
    truth->scenario = scenario;
    truth->modems = g_new0(gint64, scenario->modems->len + 1);
    truth->drive = drive_create(drive, error);
    if (truth->drive == NULL)
        return NULL;
    Source vehicle = {.known = 0};
    RECORD_SET(&vehicle, SOURCE, kind, SOURCE_GPS);
    RECORD_SET(&vehicle, SOURCE, label, "truth");
    if (!drive_set_meta(truth->drive, "software", "corridor-rig " CORRIDOR_VERSION, error) ||
        !drive_add_source(truth->drive, &vehicle, &truth->vehicle, error))
        return NULL;
    for (guint i = 0; i < scenario->modems->len; i++) {
        const ModemPlan *plan = &g_array_index(scenario->modems, ModemPlan, i);
        Source source = {.known = 0};
        RECORD_SET(&source, SOURCE, kind, SOURCE_MODEM);
        RECORD_SET(&source, SOURCE, label, plan->name);
        RECORD_SET(&source, SOURCE, operator_label, plan->operator_name);
        RECORD_SET(&source, SOURCE, position_source, truth->vehicle);
        if (!drive_add_source(truth->drive, &source, &truth->modems[i], error))
            return NULL;
    }
    if (scenario->links->len == 0)
        return g_steal_pointer(&truth);
    truth->links = fopen(links, "wex");
    if (truth->links == NULL) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s", links,
                    g_strerror(errno));
        return NULL;
    }
    fprintf(truth->links,
            "time_ns,modem,delay_ms,jitter_ms,loss,burst,up_kbps,down_kbps,queue_ms,outage\n");
    return g_steal_pointer(&truth);
}

gboolean truth_close(Truth *truth, GError **error)
{
    return drive_writer_close(truth->drive, error);
}

void truth_free(Truth *truth)
{
    if (truth == NULL)
        return;
    drive_writer_free(truth->drive);
    if (truth->links != NULL)
        (void)fclose(truth->links);
    g_free(truth->modems);
    g_free(truth);
}

static void set_leg(Sample *sample, const CellLevel *leg)
{
    RECORD_SET(sample, SAMPLE, nr_cell_id, leg->cell->cell_id);
    RECORD_SET(sample, SAMPLE, nr_pci, leg->cell->pci);
    RECORD_SET(sample, SAMPLE, nr_arfcn, leg->cell->arfcn);
    RECORD_SET(sample, SAMPLE, nr_band, leg->cell->band);
    RECORD_SET(sample, SAMPLE, nr_rsrp_dbm, leg->rsrp_dbm);
    RECORD_SET(sample, SAMPLE, nr_rsrq_db, leg->rsrq_db);
    RECORD_SET(sample, SAMPLE, nr_sinr_db, leg->sinr_db);
}

static void set_serving(Sample *sample, const RadioState *radio)
{
    const CellLevel *serving = &radio->serving;
    RECORD_SET(sample, SAMPLE, roaming, radio->roaming);
    RECORD_SET(sample, SAMPLE, plmn, radio->plmn);
    RECORD_SET(sample, SAMPLE, tac, serving->cell->tac);
    RECORD_SET(sample, SAMPLE, cell_id, serving->cell->cell_id);
    RECORD_SET(sample, SAMPLE, pci, serving->cell->pci);
    RECORD_SET(sample, SAMPLE, arfcn, serving->cell->arfcn);
    RECORD_SET(sample, SAMPLE, band, serving->cell->band);
    RECORD_SET(sample, SAMPLE, bandwidth_khz, serving->cell->bandwidth_khz);
    if (radio->rat == RAT_UMTS) {
        RECORD_SET(sample, SAMPLE, rscp_dbm, serving->rsrp_dbm);
        RECORD_SET(sample, SAMPLE, ecio_db, serving->rsrp_dbm - serving->rssi_dbm);
    } else if (radio->rat == RAT_GSM) {
        RECORD_SET(sample, SAMPLE, rxlev_dbm, serving->rsrp_dbm);
    } else {
        RECORD_SET(sample, SAMPLE, rsrp_dbm, serving->rsrp_dbm);
        RECORD_SET(sample, SAMPLE, rsrq_db, serving->rsrq_db);
        RECORD_SET(sample, SAMPLE, sinr_db, serving->sinr_db);
    }
    RECORD_SET(sample, SAMPLE, rssi_dbm, serving->rssi_dbm);
}

static gboolean add_sample(Truth *truth, guint modem, const RadioState *radio, gint64 utc_ns,
                           GError **error)
{
    Sample sample = {.known = 0};
    RECORD_SET(&sample, SAMPLE, time_ns, utc_ns);
    RECORD_SET(&sample, SAMPLE, source, truth->modems[modem]);
    RECORD_SET(&sample, SAMPLE, rat, (int)radio->rat);
    RECORD_SET(&sample, SAMPLE, service, radio->rat == RAT_NONE ? SERVICE_NONE : SERVICE_OK);
    if (radio->serving.cell != NULL)
        set_serving(&sample, radio);
    if (radio->leg.cell != NULL)
        set_leg(&sample, &radio->leg);
    return drive_add_sample(truth->drive, &sample, error);
}

static void add_links(Truth *truth, const World *world, gint64 utc_ns, const gboolean *gone)
{
    for (guint i = 0; truth->links != NULL && i < truth->scenario->modems->len; i++) {
        const char *name = g_array_index(truth->scenario->modems, ModemPlan, i).name;
        DataLink link;
        if (data_link_now(truth->scenario, world, i, &link))
            fprintf(truth->links, "%" G_GINT64_FORMAT ",%s,%g,%g,%g,%g,%.9g,%.9g,%g,%d\n", utc_ns,
                    name, link.delay_ms, link.jitter_ms, link.loss, link.burst, link.up_kbps,
                    link.down_kbps, link.queue_ms, link.outage || gone[i]);
    }
}

gboolean truth_add(Truth *truth, const World *world, gint64 utc_ns, const gboolean *gone,
                   GError **error)
{
    const VehicleState *v = world_vehicle(world);
    Fix fix = {.known = 0};
    RECORD_SET(&fix, FIX, time_ns, utc_ns);
    RECORD_SET(&fix, FIX, source, truth->vehicle);
    RECORD_SET(&fix, FIX, mode, v->gps ? 3 : 1);
    RECORD_SET(&fix, FIX, lat, v->lat);
    RECORD_SET(&fix, FIX, lon, v->lon);
    RECORD_SET(&fix, FIX, speed_mps, v->speed_mps);
    RECORD_SET(&fix, FIX, heading_deg, v->heading_deg);
    if (!drive_add_fix(truth->drive, &fix, error))
        return FALSE;
    for (guint i = 0; i < truth->scenario->modems->len; i++) {
        if (!gone[i] && !add_sample(truth, i, world_radio(world, i), utc_ns, error))
            return FALSE;
    }
    add_links(truth, world, utc_ns, gone);
    if (ABS(utc_ns - truth->committed_ns) < COMMIT_NS)
        return TRUE;
    truth->committed_ns = utc_ns;
    return drive_writer_commit(truth->drive, error);
}

gboolean truth_event(Truth *truth, gint64 utc_ns, const Fault *fault, gboolean begins,
                     GError **error)
{
    Event event = {.known = 0};
    g_autofree char *kind =
        g_strdup_printf("%s-%s", fault_kind_name(fault->kind), begins ? "begins" : "ends");
    RECORD_SET(&event, EVENT, time_ns, utc_ns);
    for (guint i = 0; i < truth->scenario->modems->len; i++) {
        const ModemPlan *plan = &g_array_index(truth->scenario->modems, ModemPlan, i);
        if (g_strcmp0(plan->name, fault->modem) == 0)
            RECORD_SET(&event, EVENT, source, truth->modems[i]);
    }
    RECORD_SET(&event, EVENT, kind, kind);
    RECORD_SET(&event, EVENT, detail, fault->name);
    RECORD_SET(&event, EVENT, value, fault->value);
    return drive_add_event(truth->drive, &event, error);
}
