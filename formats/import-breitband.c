/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Netzverfügbarkeit" CSV of Breitbandmessung, the app of the German regulator.
 *
 * What the app writes, and what is made of it:
 *  - SIM and serving network are two things: the SIM's operator is the source, the network's MCC
 * and MNC is the sample's PLMN. Another country means roaming.
 *  - "5G" is shown over an LTE anchor: channel and cell id of such rows are those of LTE (EARFCN
 *    below 70 656, ECI of 28 bits). They are NR-NSA samples whose NR leg the app does not report;
 * the row is NR-SA only if its channel is an NR-ARFCN.
 *  - "kein Netz" is a measured hole. Some such rows still carry values of a cell that the phone
 * hears but may not use; the values are kept, the service is none.
 *  - The RSSI column of LTE rows repeats the RSRP. RSSI cannot equal RSRP (it is the power over all
 *    resource blocks), so it is read for GSM only, where it is RXLEV.
 *  - Times are local; `--timezone Europe/Berlin`.
 */
#include "formats/import.h"

#include "formats/rat-words.h"

#include <string.h>

typedef enum {
    C_TYP,
    C_SIM,
    C_SIM_MCC,
    C_SIM_MNC,
    C_NET,
    C_NET_MCC,
    C_NET_MNC,
    C_CELL,
    C_PCI,
    C_TAC,
    C_RSSI,
    C_RSRP,
    C_RSRQ,
    C_CHANNEL,
    C_LAT,
    C_LON,
    C_ACCURACY,
    C_DATE,
    C_TIME,
    C_MODEL,
    C_COUNT
} ColumnRole;

/* The app's texts; umlauts are matched as UTF-8 bytes. */
static const char *const names[C_COUNT] = {
    [C_TYP] = "Typ",
    [C_SIM] = "SIM Anbieter",
    [C_SIM_MCC] = "SIM Mobile Country Code",
    [C_SIM_MNC] = "SIM Mobile Network Code",
    [C_NET] = "Netzwerk Anbieter",
    [C_NET_MCC] = "Netzwerk Mobile Country Code",
    [C_NET_MNC] = "Netzwerk Mobile Network Code",
    [C_CELL] = "Cell-ID",
    [C_PCI] = "Physical-Cell-ID",
    [C_TAC] = "Cell-LAC/TAC",
    [C_RSSI] = "Signalst\xc3\xa4rke (RSSI) [dBm]",
    [C_RSRP] = "Signalst\xc3\xa4rke (RSRP) [dBm]",
    [C_RSRQ] = "Signalqualit\xc3\xa4t (RSRQ) [dBm]",
    [C_CHANNEL] = "Frequenzkanalnummer",
    [C_LAT] = "Breitengrad",
    [C_LON] = "L\xc3\xa4ngengrad",
    [C_ACCURACY] = "Genauigkeit [m]",
    [C_DATE] = "Datum",
    [C_TIME] = "Uhrzeit",
    [C_MODEL] = "Smartphone Typ",
};

/* The highest EARFCN in use is that of band 88 (TS 36.101, 5.7.3); NR-ARFCNs of FR1 begin above. */
enum { LAST_EARFCN = 70655, FIRST_NR_ARFCN = 123400 };

static int probe(const TextTable *table)
{
    return text_table_column(table, names[C_TYP]) >= 0 &&
                   text_table_column(table, names[C_NET_MCC]) >= 0 &&
                   text_table_column(table, names[C_DATE]) >= 0
               ? 95
               : 0;
}

typedef struct {
    ImportJob *job;
    TimeParser *times;
    const TextTable *table;
    int at[C_COUNT];
    const TextField *row;
} Row;

static const TextField *field(const Row *row, ColumnRole role)
{
    static const TextField absent = {"", 0, FALSE};
    return row->at[role] >= 0 ? &row->row[row->at[role]] : &absent;
}

static gboolean real(const Row *row, ColumnRole role, gboolean *known, double *value,
                     GError **error)
{
    return import_real(row->table, field(row, role), names[role], known, value, error);
}

static gboolean whole(const Row *row, ColumnRole role, gboolean *known, int64_t *value,
                      GError **error)
{
    return import_int(row->table, field(row, role), names[role], 10, known, value, error);
}

static gboolean plmn(const Row *row, ColumnRole mcc, ColumnRole mnc, char out[8])
{
    const TextField *a = field(row, mcc);
    const TextField *b = field(row, mnc);
    if (a->length != 3 || b->length < 2 || b->length > 3)
        return FALSE;
    (void)g_snprintf(out, 8, "%s%s", a->text, b->text);
    return radio_is_plmn(out);
}

static gboolean read_radio(const Row *row, Sample *sample, GError **error)
{
    gboolean known = FALSE;
    int64_t n = 0;
    double x = 0;
    const struct {
        ColumnRole role;
        unsigned column;
        int64_t *to;
    } ints[] = {{C_CELL, SAMPLE_COL_cell_id, &sample->cell_id},
                {C_PCI, SAMPLE_COL_pci, &sample->pci},
                {C_TAC, SAMPLE_COL_tac, &sample->tac},
                {C_CHANNEL, SAMPLE_COL_arfcn, &sample->arfcn}};
    for (unsigned i = 0; i < G_N_ELEMENTS(ints); i++) {
        if (!whole(row, ints[i].role, &known, &n, error))
            return FALSE;
        if (known) {
            *ints[i].to = n;
            sample->known |= UINT64_C(1) << ints[i].column;
        }
    }
    if (!real(row, C_RSRP, &known, &x, error))
        return FALSE;
    if (known && sample->rat != RAT_GSM)
        RECORD_SET(sample, SAMPLE, rsrp_dbm, x);
    if (!real(row, C_RSRQ, &known, &x, error))
        return FALSE;
    if (known && sample->rat != RAT_GSM)
        RECORD_SET(sample, SAMPLE, rsrq_db, x);
    if (!real(row, C_RSSI, &known, &x, error))
        return FALSE;
    if (known && sample->rat == RAT_GSM)
        RECORD_SET(sample, SAMPLE, rxlev_dbm, x);
    if (known && sample->rat == RAT_UMTS)
        RECORD_SET(sample, SAMPLE, rssi_dbm, x);
    if (sample->rat == RAT_NR_NSA && RECORD_HAS(sample, SAMPLE, arfcn) &&
        sample->arfcn >= FIRST_NR_ARFCN)
        RECORD_SET(sample, SAMPLE, rat, RAT_NR_SA);
    return TRUE;
}

static gboolean read_sample(ImportJob *job, const Row *row, gint64 source, int64_t time_ns,
                            GError **error)
{
    Sample sample = {0};
    RECORD_SET(&sample, SAMPLE, time_ns, time_ns);
    RECORD_SET(&sample, SAMPLE, source, source);
    Rat rat = rat_from_word(field(row, C_TYP)->text);
    if (rat == RAT_COUNT)
        return text_table_refuse(row->table, error, "Typ: \"%s\" is no technology known here",
                                 field(row, C_TYP)->text);
    RECORD_SET(&sample, SAMPLE, rat, (int)rat);
    RECORD_SET(&sample, SAMPLE, service, rat == RAT_NONE ? SERVICE_NONE : SERVICE_OK);
    char network[8];
    char sim[8];
    if (plmn(row, C_NET_MCC, C_NET_MNC, network)) {
        RECORD_SET(&sample, SAMPLE, plmn, network);
        if (plmn(row, C_SIM_MCC, C_SIM_MNC, sim))
            RECORD_SET(&sample, SAMPLE, roaming, strncmp(sim, network, 3) != 0 ? 1 : 0);
    }
    return read_radio(row, &sample, error) && import_add_sample(job, &sample, error);
}

static gboolean read_fix(ImportJob *job, const Row *row, gint64 source, int64_t time_ns,
                         GError **error)
{
    Fix fix = {0};
    gboolean has_lat = FALSE;
    gboolean has_lon = FALSE;
    gboolean has_accuracy = FALSE;
    if (!real(row, C_LAT, &has_lat, &fix.lat, error) ||
        !real(row, C_LON, &has_lon, &fix.lon, error) ||
        !real(row, C_ACCURACY, &has_accuracy, &fix.accuracy_m, error))
        return FALSE;
    RECORD_SET(&fix, FIX, time_ns, time_ns);
    RECORD_SET(&fix, FIX, source, source);
    fix.known |= (has_lat ? RECORD_BIT(FIX, lat) : 0) | (has_lon ? RECORD_BIT(FIX, lon) : 0) |
                 (has_accuracy ? RECORD_BIT(FIX, accuracy_m) : 0);
    return import_add_fix(job, &fix, error);
}

static gboolean read_row(const TextField *fields, gpointer data, GError **error)
{
    Row *row = data;
    ImportJob *job = row->job;
    row->row = fields;
    char text[64];
    int64_t time_ns = 0;
    (void)g_snprintf(text, sizeof text, "%s %s", field(row, C_DATE)->text,
                     field(row, C_TIME)->text);
    if (!time_parser_parse(row->times, text, &time_ns))
        return text_table_refuse(row->table, error, "Datum, Uhrzeit: \"%s\" is no date and time",
                                 text);
    if (time_parser_used_zone(row->times))
        import_summary(job)->used_zone = TRUE;
    char sim[8];
    gboolean has_sim = plmn(row, C_SIM_MCC, C_SIM_MNC, sim);
    gint64 source = 0;
    return import_source(job, field(row, C_SIM)->text, field(row, C_MODEL)->text,
                         has_sim ? sim : NULL, &source, error) &&
           read_fix(job, row, source, time_ns, error) &&
           read_sample(job, row, source, time_ns, error);
}

static gboolean read_file(ImportJob *job, TextTable *table, GError **error)
{
    static const ColumnRole needed[] = {C_TYP, C_RSRP, C_LAT, C_LON, C_DATE, C_TIME};
    Row row = {.job = job, .table = table};
    for (int c = 0; c < C_COUNT; c++)
        row.at[c] = text_table_column(table, names[c]);
    for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++)
        if (row.at[needed[i]] < 0)
            return text_table_refuse(table, error, "there is no column %s", names[needed[i]]);
    g_autoptr(TimeParser) times = time_parser_new(TIME_GERMAN, import_zone(job));
    row.times = times;
    return import_each_row(job, table, read_row, &row, error);
}

const ImportFormat import_breitband = {"breitband", probe, read_file};
