/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/scenario.h"

#include "formats/radio.h"
#include "tests/rig/scenario-reader.h"

#include <math.h>
#include <string.h>

#define MAX_COLUMNS 5

static const char *const fault_names[FAULT_KIND_COUNT + 1] = {
    "drop",        "reset",      "vanish",  "renumber",  "mute",        "delay",       "duplicate",
    "reorder",     "truncate",   "malform", "garbage",   "unknown-tlv", "sentinel",    "error",
    "sim-lost",    "no-service", "roaming", "ping-pong", "gps-gap",     "gps-silence", "gps-jump",
    "gps-corrupt", "clock-step", "run",     NULL};

static const char *const follow_names[] = {"nothing", "radio", NULL};
static const char *const effect_names[] = {"sinr", "level", NULL};

const char *fault_kind_name(FaultKind kind)
{
    return fault_names[kind];
}

/* Rows of `columns` numbers, "A:B,C A:B,C …", the first ascending from above `least`, the others
 * not negative. `form` tells how to write them. */
static GArray *read_rows(ScenarioReader *r, const char *group, const char *key, guint columns,
                         double least, const char *form)
{
    GArray *rows = g_array_new(FALSE, FALSE, columns * (guint)sizeof(double));
    g_autofree char *text = scenario_reader_text(r, group, key, "");
    g_auto(GStrv) words = g_strsplit_set(text, " ;", -1);
    for (guint i = 0; words[i] != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit_set(words[i], ":,", -1);
        double row[MAX_COLUMNS];
        if (words[i][0] == '\0')
            continue;
        gboolean good = g_strv_length(parts) == columns;
        for (guint k = 0; good && k < columns; k++) {
            char *end = NULL;
            row[k] = g_ascii_strtod(parts[k], &end);
            good = end != parts[k] && *end == '\0' && isfinite(row[k]) &&
                   (k == 0 ? row[k] > least : row[k] >= 0);
        }
        if (!good) {
            scenario_reader_refuse(r, group, key, "\"%s\": write %s, ascending", words[i], form);
            break;
        }
        least = row[0];
        g_array_append_vals(rows, row, 1);
    }
    return rows;
}

static GArray *read_pairs(ScenarioReader *r, const char *group, const char *key)
{
    return read_rows(r, group, key, 2, -1, "METRES:VALUE METRES:VALUE …");
}

static void read_path(Scenario *scenario, ScenarioReader *r, const char *name)
{
    const char *group = "path";
    g_autoptr(GError) why = NULL;
    g_autofree char *file = scenario_reader_text(r, group, "file", NULL);
    g_autofree char *points = scenario_reader_text(r, group, "points", "");
    if (file != NULL) {
        g_autofree char *folder = g_path_get_dirname(name);
        g_autofree char *full = g_canonicalize_filename(file, folder);
        scenario->path = path_new_from_file(full, &why);
    } else {
        scenario->path = path_new_from_text(points, &why);
    }
    if (scenario->path == NULL) {
        scenario_reader_refuse(r, group, file != NULL ? "file" : "points", "%s", why->message);
        return;
    }
    g_autoptr(GArray) stops = read_pairs(r, group, "stops");
    g_autoptr(GArray) limits = read_pairs(r, group, "limits");
    double first[2] = {0, scenario_reader_double(r, group, "speed-mps", 25, 0, 1e5)};
    g_array_prepend_vals(limits, first, 1);
    scenario->motion =
        motion_new(scenario->path, (const SpeedLimit *)(gpointer)limits->data, limits->len,
                   (const Stop *)(gpointer)stops->data, stops->len,
                   scenario_reader_double(r, group, "acceleration-mps2", 0.5, 0.01, 100),
                   scenario->duration_s);
}

static void read_rig(Scenario *scenario, ScenarioReader *r)
{
    const char *group = "rig";
    scenario->duration_s = scenario_reader_double(r, group, "duration-s", 60, 0.1, 1e6);
    scenario->step_s = scenario_reader_double(r, group, "step-ms", 100, 10, 10000) / 1000;
    scenario->compress = scenario_reader_double(r, group, "compress", 1, 0.01, 1000);
    scenario->seed = (guint32)scenario_reader_int(r, group, "seed", 1, 0, G_MAXUINT32);
    scenario->qmi_socket = scenario_reader_text(r, group, "qmi-socket", "qmi-proxy");
    scenario->mbim_socket = scenario_reader_text(r, group, "mbim-socket", "mbim-proxy");
}

static void read_gps(Scenario *scenario, ScenarioReader *r)
{
    const char *group = "gps";
    GpsPlan *gps = &scenario->gps;
    gps->output = scenario_reader_text(r, group, "output", "none");
    gps->rate_hz = scenario_reader_double(r, group, "rate-hz", 1, 0.1, 10);
    gps->noise_m = scenario_reader_double(r, group, "noise-m", 2, 0, 1000);
    gps->noise_s = scenario_reader_double(r, group, "noise-s", 30, 0.1, 1e5);
    gps->cold_start_s = scenario_reader_double(r, group, "cold-start-s", 0, 0, 1e5);
    gps->clock_offset_s = scenario_reader_double(r, group, "clock-offset-s", 0, -2e9, 2e9);
    gps->pps = scenario_reader_bool(r, group, "pps", FALSE);
}

static void read_operator(Scenario *scenario, ScenarioReader *r, const char *group,
                          const char *name)
{
    Operator op = {.name = g_strdup(name)};
    op.plmn = scenario_reader_text(r, group, "plmn", "00101");
    if (!radio_is_plmn(op.plmn))
        scenario_reader_refuse(r, group, "plmn", "\"%s\" is not 5 or 6 digits", op.plmn);
    op.network_name = scenario_reader_text(r, group, "name", name);
    op.exponent = scenario_reader_double(r, group, "exponent", 3.5, 1.5, 6);
    op.shadowing_db = scenario_reader_double(r, group, "shadowing-db", 6, 0, 20);
    op.shadowing_m = scenario_reader_double(r, group, "shadowing-m", 100, 1, 1e5);
    op.hysteresis_db = scenario_reader_double(r, group, "hysteresis-db", 3, 0, 20);
    op.trigger_s = scenario_reader_double(r, group, "trigger-ms", 320, 0, 10000) / 1000;
    op.load = scenario_reader_double(r, group, "load", 0.3, 0, 1);
    g_array_append_val(scenario->operators, op);
}

/* One cell, or with spacing-m a row of them along the path. */
static void read_cells(Scenario *scenario, ScenarioReader *r, const char *group, const char *name)
{
    static const char *const rats[] = {"?", "?", "GSM", "UMTS", "LTE", "NR-NSA", "NR-SA", NULL};
    Cell first = {.rat = (Rat)scenario_reader_word(r, group, "rat", RAT_LTE, rats)};
    g_autofree char *op = scenario_reader_text(r, group, "operator", "");
    gboolean nr = first.rat == RAT_NR_NSA || first.rat == RAT_NR_SA;
    first.band = (int)scenario_reader_int(r, group, "band", nr ? 78 : 3, 1, 1024);
    first.frequency_mhz =
        scenario_reader_double(r, group, "frequency-mhz", nr ? 3500 : 1800, 400, 50000);
    first.arfcn = scenario_reader_int(r, group, "arfcn", nr ? 630000 : 1300, 0, 3279165);
    first.pci = scenario_reader_int(r, group, "pci", 1, 0, nr ? 1007 : 511);
    first.cell_id =
        scenario_reader_int(r, group, "cell-id", 0x10001, 0, G_GINT64_CONSTANT(0xfffffffff));
    first.tac = scenario_reader_int(r, group, "tac", 1, 0, nr ? 0xffffff : 0xffff);
    first.bandwidth_khz = (int)scenario_reader_int(r, group, "bandwidth-khz", 20000, 200, 400000);
    first.power_dbm = scenario_reader_double(r, group, "power-dbm", 33, -50, 90);
    double spacing = scenario_reader_double(r, group, "spacing-m", 0, 0, 1e6);
    double from = scenario_reader_double(r, group, "from-m", 0, -1e6, 1e7);
    double to = scenario_reader_double(r, group, "to-m", 1e7, 0, 1e7);
    double aside = scenario_reader_double(r, group, "aside-m", 200, -1e5, 1e5);
    g_autofree char *position = scenario_reader_text(r, group, "position", NULL);
    gboolean good = position == NULL;
    if (position != NULL) {
        char *end = NULL;
        first.lat = g_ascii_strtod(position, &end);
        good = end != position && *end == ',';
        first.lon = good ? g_ascii_strtod(end + 1, &end) : 0;
        if (!good || *end != '\0')
            scenario_reader_refuse(r, group, "position", "\"%s\": write LAT,LON", position);
    }
    if (scenario->path == NULL)
        return;
    if (spacing > 0 && spacing < 10) {
        scenario_reader_refuse(r, group, "spacing-m", "cells nearer than 10 m to each other");
        return;
    }
    int step = nr ? 1008 : 504;
    double end_m = spacing > 0 ? fmin(to, path_length_m(scenario->path) + spacing) : from;
    gint64 i = 0;
    for (double at = from; at <= end_m; at += fmax(spacing, 1), i++) {
        Cell cell = first;
        cell.name = i == 0 ? g_strdup(name) : g_strdup_printf("%s.%d", name, (int)i);
        cell.operator_name = g_strdup(op);
        cell.pci = (first.pci + 3 * i) % step;
        cell.cell_id = first.cell_id + i * (cell.rat == RAT_LTE ? 256 : 1);
        if (position == NULL) {
            path_beside(scenario->path, at, i % 2 == 0 ? aside : -aside, &cell.lat, &cell.lon);
            /* Cells before the start and after the end of the line lie on its prolongation. */
        }
        g_array_append_val(scenario->cells, cell);
    }
}

static void read_modem(Scenario *scenario, ScenarioReader *r, const char *group, const char *name)
{
    static const char *const protocols[] = {"qmi", "mbim", "qmi-over-mbim", NULL};
    guint number = scenario->modems->len;
    g_autofree char *device = g_strdup_printf("cdc-wdm%u", number);
    g_autofree char *imei = g_strdup_printf("35609204007%04u", 9000 + number);
    g_autofree char *imsi = g_strdup_printf("0010100000%05u", number);
    g_autofree char *iccid = g_strdup_printf("8946000000000000%03u", number);
    ModemPlan modem = {.name = g_strdup(name)};
    modem.protocol = (Protocol)scenario_reader_word(r, group, "protocol", 0, protocols);
    modem.device = scenario_reader_text(r, group, "device", device);
    modem.operator_name = scenario_reader_text(r, group, "operator", "");
    modem.imei = scenario_reader_text(r, group, "imei", imei);
    modem.imsi = scenario_reader_text(r, group, "imsi", imsi);
    modem.iccid = scenario_reader_text(r, group, "iccid", iccid);
    modem.manufacturer = scenario_reader_text(r, group, "manufacturer", "Corridor");
    modem.model = scenario_reader_text(r, group, "model", "Rig 1");
    modem.revision = scenario_reader_text(r, group, "revision", "1.0");
    modem.gain_db = scenario_reader_double(r, group, "gain-db", 0, -60, 60);
    modem.endc = scenario_reader_bool(r, group, "endc", TRUE);
    modem.carrier_aggregation = scenario_reader_bool(r, group, "ca", TRUE);
    modem.answer_ms = scenario_reader_double(r, group, "answer-ms", 0, 0, 60000);
    modem.mbimex = (int)scenario_reader_int(r, group, "mbimex", 3, 1, 3);
    modem.pty = scenario_reader_bool(r, group, "pty", FALSE);
    g_array_append_val(scenario->modems, modem);
}

static void read_fault(Scenario *scenario, ScenarioReader *r, const char *group, const char *name)
{
    Fault fault = {.name = g_strdup(name)};
    fault.kind = (FaultKind)scenario_reader_word(r, group, "kind", 0, fault_names);
    if (!scenario_reader_has(r, group, "kind"))
        scenario_reader_refuse(r, group, NULL, "says no kind");
    fault.modem = scenario_reader_text(r, group, "modem", NULL);
    fault.at_s = scenario_reader_double(r, group, "at-s", 0, 0, 1e6);
    fault.for_s = scenario_reader_double(r, group, "for-s", 1, 0, 1e6);
    double usual = fault.kind == FAULT_DELAY ? 500 : fault.kind == FAULT_GPS_JUMP ? 500 : 1;
    fault.value = scenario_reader_double(r, group, "value", usual, -2e9, 2e9);
    fault.text = scenario_reader_text(r, group, "text", NULL);
    if ((fault.kind == FAULT_RENUMBER || fault.kind == FAULT_ROAMING || fault.kind == FAULT_RUN) &&
        fault.text == NULL)
        scenario_reader_refuse(r, group, NULL, "kind %s needs text", fault_names[fault.kind]);
    if (fault.kind == FAULT_ROAMING && fault.text != NULL && !radio_is_plmn(fault.text))
        scenario_reader_refuse(r, group, "text", "\"%s\" is not MCC and MNC", fault.text);
    g_array_append_val(scenario->faults, fault);
}

static void read_tunnel(Scenario *scenario, ScenarioReader *r, const char *group)
{
    Tunnel tunnel = {.from_m = scenario_reader_double(r, group, "from-m", 0, 0, 1e7),
                     .to_m = scenario_reader_double(r, group, "to-m", 0, 0, 1e7),
                     .loss_db = scenario_reader_double(r, group, "loss-db", 80, 0, 200),
                     .gps = scenario_reader_bool(r, group, "gps", FALSE)};
    if (tunnel.to_m <= tunnel.from_m)
        scenario_reader_refuse(r, group, "to-m", "the tunnel ends before it begins");
    g_array_append_val(scenario->tunnels, tunnel);
}

static int compare_links(gconstpointer a, gconstpointer b)
{
    const LinkQuality *x = a, *y = b;
    return x->at_s < y->at_s ? -1 : x->at_s > y->at_s;
}

/* What the radio does to a link beside its rate; NULL = as data-link.c has it. */
static void read_effects(ScenarioReader *r, const char *group, LinkQuality *link)
{
    const char *key = "effects";
    link->effects_by = (EffectsBy)scenario_reader_word(r, group, "effects-by", 0, effect_names);
    link->effects = read_rows(r, group, key, sizeof(RadioEffect) / sizeof(double), -200,
                              "VALUE:DELAY-MS,JITTER-MS,LOSS,BURST …");
    for (guint i = 0; i < link->effects->len; i++) {
        const RadioEffect *effect = &g_array_index(link->effects, RadioEffect, i);
        if (effect->loss > 0.9 || effect->burst < 1)
            scenario_reader_refuse(r, group, key, "loss is 0..0.9, a burst at least 1 packet");
    }
    if (link->effects->len > 0)
        return;
    if (link->effects_by != EFFECTS_BY_SINR)
        scenario_reader_refuse(r, group, key, "is needed with effects-by=level");
    g_clear_pointer(&link->effects, g_array_unref);
}

static void read_link(Scenario *scenario, ScenarioReader *r, const char *group)
{
    LinkQuality link = {.modem = scenario_reader_text(r, group, "modem", ""),
                        .at_s = scenario_reader_double(r, group, "at-s", 0, 0, 1e6),
                        .delay_ms = scenario_reader_double(r, group, "delay-ms", 20, 0, 1e5),
                        .jitter_ms = scenario_reader_double(r, group, "jitter-ms", 0, 0, 1e5),
                        .loss = scenario_reader_double(r, group, "loss", 0, 0, 1),
                        .up_kbps = scenario_reader_double(r, group, "up-kbps", 10000, 0, 1e7),
                        .down_kbps = scenario_reader_double(r, group, "down-kbps", 50000, 0, 1e7),
                        .queue_ms = scenario_reader_double(r, group, "queue-ms", 300, 0, 1e5),
                        .outage = scenario_reader_bool(r, group, "outage", FALSE),
                        .share = scenario_reader_double(r, group, "share", 0.5, 0, 1),
                        .handover_s =
                            scenario_reader_double(r, group, "handover-ms", 50, 0, 1e5) / 1000};
    link.follow =
        (LinkFollow)scenario_reader_word(r, group, "follow", FOLLOW_NOTHING, follow_names);
    if (link.modem[0] == '\0')
        scenario_reader_refuse(r, group, NULL, "whose link? add modem=NAME");
    read_effects(r, group, &link);
    g_array_append_val(scenario->links, link);
    g_array_sort(scenario->links, compare_links);
}

static const Operator *find_operator(const Scenario *scenario, const char *name)
{
    for (guint i = 0; i < scenario->operators->len; i++) {
        const Operator *op = &g_array_index(scenario->operators, Operator, i);
        if (g_str_equal(op->name, name))
            return op;
    }
    return NULL;
}

static gboolean has_modem(const Scenario *scenario, const char *name)
{
    for (guint i = 0; i < scenario->modems->len; i++) {
        if (g_str_equal(g_array_index(scenario->modems, ModemPlan, i).name, name))
            return TRUE;
    }
    return FALSE;
}

/* Names that point to nothing. */
static void check_names(Scenario *scenario, ScenarioReader *r)
{
    const char *const *groups = scenario_reader_groups(r);
    for (guint i = 0; groups[i] != NULL; i++) {
        gboolean operator_key =
            g_str_has_prefix(groups[i], "cell ") || g_str_has_prefix(groups[i], "modem ");
        g_autofree char *name = NULL;
        if (operator_key) {
            name = scenario_reader_text(r, groups[i], "operator", "");
            if (find_operator(scenario, name) == NULL)
                scenario_reader_refuse(r, groups[i], "operator", "no [operator %s]", name);
        } else if (g_str_has_prefix(groups[i], "fault ") || g_str_has_prefix(groups[i], "link ")) {
            name = scenario_reader_text(r, groups[i], "modem", NULL);
            if (name != NULL && !has_modem(scenario, name))
                scenario_reader_refuse(r, groups[i], "modem", "no [modem %s]", name);
        }
    }
}

static Scenario *read_all(const char *name, ScenarioReader *r, GError **error)
{
    g_autoptr(Scenario) scenario = g_new0(Scenario, 1);
    scenario->cells = g_array_new(FALSE, TRUE, sizeof(Cell));
    scenario->operators = g_array_new(FALSE, TRUE, sizeof(Operator));
    scenario->modems = g_array_new(FALSE, TRUE, sizeof(ModemPlan));
    scenario->faults = g_array_new(FALSE, TRUE, sizeof(Fault));
    scenario->tunnels = g_array_new(FALSE, TRUE, sizeof(Tunnel));
    scenario->links = g_array_new(FALSE, TRUE, sizeof(LinkQuality));
    read_rig(scenario, r);
    read_path(scenario, r, name);
    read_gps(scenario, r);
    const char *const *groups = scenario_reader_groups(r);
    for (guint i = 0; groups[i] != NULL; i++) {
        const char *group = groups[i], *space = strchr(group, ' ');
        const char *label = space != NULL ? space + 1 : group;
        if (g_str_has_prefix(group, "operator "))
            read_operator(scenario, r, group, label);
        else if (g_str_has_prefix(group, "cell "))
            read_cells(scenario, r, group, label);
        else if (g_str_has_prefix(group, "modem "))
            read_modem(scenario, r, group, label);
        else if (g_str_has_prefix(group, "fault "))
            read_fault(scenario, r, group, label);
        else if (g_str_has_prefix(group, "tunnel"))
            read_tunnel(scenario, r, group);
        else if (g_str_has_prefix(group, "link "))
            read_link(scenario, r, group);
        else if (!g_str_equal(group, "rig") && !g_str_equal(group, "path") &&
                 !g_str_equal(group, "gps"))
            scenario_reader_refuse(r, group, NULL, "no such group; see corridor-scenario(5)");
    }
    check_names(scenario, r);
    if (!scenario_reader_done(r, error))
        return NULL;
    return g_steal_pointer(&scenario);
}

Scenario *scenario_load(const char *path, GError **error)
{
    g_autoptr(ScenarioReader) reader = scenario_reader_new(path, error);
    return reader != NULL ? read_all(path, reader, error) : NULL;
}

Scenario *scenario_parse(const char *name, const char *text, GError **error)
{
    g_autoptr(ScenarioReader) reader = scenario_reader_new_from_text(name, text, error);
    return reader != NULL ? read_all(name, reader, error) : NULL;
}

static void free_names(Scenario *scenario)
{
    for (guint i = 0; i < scenario->cells->len; i++) {
        Cell *cell = &g_array_index(scenario->cells, Cell, i);
        g_free(cell->name);
        g_free(cell->operator_name);
    }
    for (guint i = 0; i < scenario->operators->len; i++) {
        Operator *op = &g_array_index(scenario->operators, Operator, i);
        g_free(op->name);
        g_free(op->plmn);
        g_free(op->network_name);
    }
    for (guint i = 0; i < scenario->modems->len; i++) {
        ModemPlan *m = &g_array_index(scenario->modems, ModemPlan, i);
        char *texts[] = {m->name,  m->device,       m->operator_name, m->imei,    m->imsi,
                         m->iccid, m->manufacturer, m->model,         m->revision};
        for (gsize k = 0; k < G_N_ELEMENTS(texts); k++)
            g_free(texts[k]);
    }
    for (guint i = 0; i < scenario->faults->len; i++) {
        Fault *fault = &g_array_index(scenario->faults, Fault, i);
        g_free(fault->name);
        g_free(fault->modem);
        g_free(fault->text);
    }
    for (guint i = 0; i < scenario->links->len; i++) {
        LinkQuality *link = &g_array_index(scenario->links, LinkQuality, i);
        g_free(link->modem);
        g_clear_pointer(&link->effects, g_array_unref);
    }
}

void scenario_free(Scenario *scenario)
{
    if (scenario == NULL)
        return;
    free_names(scenario);
    g_array_unref(scenario->cells);
    g_array_unref(scenario->operators);
    g_array_unref(scenario->modems);
    g_array_unref(scenario->faults);
    g_array_unref(scenario->tunnels);
    g_array_unref(scenario->links);
    g_free(scenario->qmi_socket);
    g_free(scenario->mbim_socket);
    g_free(scenario->gps.output);
    motion_free(scenario->motion);
    path_free(scenario->path);
    g_free(scenario);
}

const Fault *scenario_fault(const Scenario *scenario, FaultKind kind, const char *modem, double t)
{
    for (guint i = 0; i < scenario->faults->len; i++) {
        const Fault *fault = &g_array_index(scenario->faults, Fault, i);
        if (fault->kind == kind && t >= fault->at_s && t < fault->at_s + fault->for_s &&
            (fault->modem == NULL || g_strcmp0(fault->modem, modem) == 0))
            return fault;
    }
    return NULL;
}

gboolean scenario_link(const Scenario *scenario, const char *modem, double t, LinkQuality *link)
{
    gboolean found = FALSE;
    for (guint i = 0; i < scenario->links->len; i++) {
        const LinkQuality *l = &g_array_index(scenario->links, LinkQuality, i);
        if (l->at_s <= t && g_str_equal(l->modem, modem)) {
            *link = *l;
            found = TRUE;
        }
    }
    return found;
}
