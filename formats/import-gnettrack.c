/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G-NetTrack Pro: the exported CSV, the raw tab-separated log, and the raw log's data tests and
 * events.
 *
 *  - "Level" and "Qual" (RSRP and RSRQ in the export) are RSRP/RSRQ, RSCP/EcNo or RXLEV by
 *    technology.
 *  - "5G" is shown over an LTE anchor: cell, level and quality are the anchor's, which makes NR-NSA
 *    samples with an unknown NR leg. NRxRSRP and NRxRSRQ of the export are those of the strongest
 *    neighbour (Raca et al., MMSys 2020, table 2): a neighbour record.
 *  - Cell ids: Node and CellID (hexadecimal in CELLHEX, NODEHEX) make the ECI (eNB * 256 + cell) or
 *    the UTRAN cell identity (RNC * 65536 + cell).
 *  - Bit rates are kbit/s over the last second, and become passive throughput.
 *  - Times are local to the phone: --timezone.
 */
#include "formats/import.h"

#include "formats/rat-words.h"

#include <string.h>

#define SECOND_NS G_GINT64_CONSTANT(1000000000)

typedef enum {
    C_TIME,
    C_LON,
    C_LAT,
    C_SPEED,
    C_ALTITUDE,
    C_OPERATOR_NAME,
    C_PLMN,
    C_NODE,
    C_CELL,
    C_RAW_CELL,
    C_LAC,
    C_LAC_HEX,
    C_TECH,
    C_LEVEL,
    C_QUALITY,
    C_SNR,
    C_CQI,
    C_RSSI,
    C_ARFCN,
    C_PCI,
    C_TA,
    C_BAND,
    C_DL,
    C_UL,
    C_PING_AVG,
    C_PING_MIN,
    C_PING_MAX,
    C_PING_LOSS,
    C_NR_RSRP,
    C_NR_RSRQ,
    C_TEST_DL,
    C_TEST_UL,
    C_EVENT,
    C_EVENT_DETAIL,
    C_COUNT
} ColumnRole;

/* Two spellings: raw log and export. */
static const char *const names[C_COUNT][2] = {
    [C_TIME] = {"Timestamp", NULL},
    [C_LON] = {"Longitude", NULL},
    [C_LAT] = {"Latitude", NULL},
    [C_SPEED] = {"Speed", NULL},
    [C_ALTITUDE] = {"Altitude", NULL},
    [C_OPERATOR_NAME] = {"Operatorname", NULL},
    [C_PLMN] = {"Operator", NULL},
    [C_NODE] = {"Node", NULL},
    [C_CELL] = {"CellID", NULL},
    [C_RAW_CELL] = {"RAWCELLID", NULL},
    [C_LAC] = {"LAC", NULL},
    [C_LAC_HEX] = {"LACHEX", NULL},
    [C_TECH] = {"NetworkTech", "NetworkMode"},
    [C_LEVEL] = {"Level", "RSRP"},
    [C_QUALITY] = {"Qual", "RSRQ"},
    [C_SNR] = {"SNR", NULL},
    [C_CQI] = {"CQI", NULL},
    [C_RSSI] = {"LTERSSI", "RSSI"},
    [C_ARFCN] = {"ARFCN", NULL},
    [C_PCI] = {"PSC", "PCI"},
    [C_TA] = {"TA", NULL},
    [C_BAND] = {"BAND", NULL},
    [C_DL] = {"DL_bitrate", NULL},
    [C_UL] = {"UL_bitrate", NULL},
    [C_PING_AVG] = {"PINGAVG", NULL},
    [C_PING_MIN] = {"PINGMIN", NULL},
    [C_PING_MAX] = {"PINGMAX", NULL},
    [C_PING_LOSS] = {"PINGLOSS", NULL},
    [C_NR_RSRP] = {"NRxRSRP", NULL},
    [C_NR_RSRQ] = {"NRxRSRQ", NULL},
    [C_TEST_DL] = {"TESTDOWNLINK", NULL},
    [C_TEST_UL] = {"TESTUPLINK", NULL},
    [C_EVENT] = {"EventType", NULL},
    [C_EVENT_DETAIL] = {"EventDetails", NULL},
};

typedef struct {
    ImportJob *job;
    TimeParser *times;
    const TextTable *table;
    int at[C_COUNT];
    const TextField *row;
    gint64 source;
    int64_t time_ns;
} Row;

static int find(const TextTable *table, ColumnRole role)
{
    int at = text_table_column(table, names[role][0]);
    return at < 0 && names[role][1] != NULL ? text_table_column(table, names[role][1]) : at;
}

static int probe(const TextTable *table)
{
    return find(table, C_TIME) >= 0 && find(table, C_OPERATOR_NAME) >= 0 &&
                   find(table, C_TECH) >= 0 && find(table, C_LEVEL) >= 0
               ? 95
               : 0;
}

static const TextField *field(const Row *row, ColumnRole role)
{
    static const TextField absent = {"", 0, FALSE};
    return row->at[role] >= 0 ? &row->row[row->at[role]] : &absent;
}

static gboolean real(const Row *row, ColumnRole role, gboolean *known, double *value,
                     GError **error)
{
    return import_real(row->table, field(row, role), names[role][0], known, value, error);
}

static gboolean whole(const Row *row, ColumnRole role, int base, gboolean *known, int64_t *value,
                      GError **error)
{
    return import_int(row->table, field(row, role), names[role][0], base, known, value, error);
}

static gboolean read_level(const Row *row, Sample *sample, GError **error)
{
    gboolean known = FALSE;
    double x = 0;
    Rat rat = (Rat)sample->rat;
    if (!real(row, C_LEVEL, &known, &x, error))
        return FALSE;
    if (known && (rat == RAT_LTE || rat == RAT_NR_NSA || rat == RAT_NR_SA))
        RECORD_SET(sample, SAMPLE, rsrp_dbm, x);
    if (known && rat == RAT_UMTS)
        RECORD_SET(sample, SAMPLE, rscp_dbm, x);
    if (known && rat == RAT_GSM)
        RECORD_SET(sample, SAMPLE, rxlev_dbm, x);
    if (!real(row, C_QUALITY, &known, &x, error))
        return FALSE;
    if (known && rat == RAT_UMTS)
        RECORD_SET(sample, SAMPLE, ecio_db, x);
    else if (known && rat != RAT_GSM)
        RECORD_SET(sample, SAMPLE, rsrq_db, x);
    if (!real(row, C_SNR, &known, &x, error))
        return FALSE;
    if (known && rat != RAT_UMTS && rat != RAT_GSM)
        RECORD_SET(sample, SAMPLE, sinr_db, x);
    if (!real(row, C_RSSI, &known, &x, error))
        return FALSE;
    if (known && rat != RAT_UMTS && rat != RAT_GSM)
        RECORD_SET(sample, SAMPLE, rssi_dbm, x);
    return TRUE;
}

static gboolean read_cell(const Row *row, Sample *sample, GError **error)
{
    gboolean has_node = FALSE;
    gboolean has_cell = FALSE;
    gboolean known = FALSE;
    int64_t node = 0;
    int64_t cell = 0;
    int64_t n = 0;
    if (!whole(row, C_NODE, 10, &has_node, &node, error) ||
        !whole(row, C_CELL, 10, &has_cell, &cell, error) ||
        !whole(row, C_RAW_CELL, 10, &known, &n, error))
        return FALSE;
    if (known && n > 0)
        RECORD_SET(sample, SAMPLE, cell_id, n);
    else if (has_cell && has_node && node > 0 && node < 1 << 20)
        RECORD_SET(sample, SAMPLE, cell_id,
                   sample->rat == RAT_UMTS ? node * 65536 + cell : node * 256 + cell);
    else if (has_cell && cell > 0 && sample->rat == RAT_GSM)
        RECORD_SET(sample, SAMPLE, cell_id, cell);
    if (!whole(row, C_LAC_HEX, 16, &known, &n, error))
        return FALSE;
    if (!known && !whole(row, C_LAC, 10, &known, &n, error))
        return FALSE;
    if (known && n > 0)
        RECORD_SET(sample, SAMPLE, tac, n);
    if (!whole(row, C_ARFCN, 10, &known, &n, error))
        return FALSE;
    if (known && n > 0)
        RECORD_SET(sample, SAMPLE, arfcn, n);
    if (!whole(row, C_PCI, 10, &known, &n, error))
        return FALSE;
    if (known && (n > 0 || RECORD_HAS(sample, SAMPLE, cell_id)) && sample->rat != RAT_GSM)
        RECORD_SET(sample, SAMPLE, pci, n);
    if (!whole(row, C_CQI, 10, &known, &n, error))
        return FALSE;
    if (known)
        RECORD_SET(sample, SAMPLE, cqi, n);
    if (!whole(row, C_TA, 10, &known, &n, error))
        return FALSE;
    if (known && n >= 0)
        RECORD_SET(sample, SAMPLE, timing_advance, n);
    const char *band = field(row, C_BAND)->text; /* L7, U8, EGSM */
    if ((*band == 'L' || *band == 'U' || *band == 'N') && g_ascii_isdigit(band[1]))
        RECORD_SET(sample, SAMPLE, band, (int64_t)g_ascii_strtoull(band + 1, NULL, 10));
    return TRUE;
}

static gboolean add_sample(ImportJob *job, const Row *row, GError **error)
{
    Sample sample = {0};
    const TextField *tech = field(row, C_TECH);
    Rat rat = rat_from_word(tech->text);
    if (rat == RAT_COUNT)
        return text_table_refuse(row->table, error, "\"%s\" is no technology known here",
                                 tech->text);
    RECORD_SET(&sample, SAMPLE, time_ns, row->time_ns);
    RECORD_SET(&sample, SAMPLE, source, row->source);
    RECORD_SET(&sample, SAMPLE, rat, (int)rat);
    const char *plmn = field(row, C_PLMN)->text;
    if (radio_is_plmn(plmn))
        RECORD_SET(&sample, SAMPLE, plmn, plmn);
    if (!read_level(row, &sample, error) || !read_cell(row, &sample, error))
        return FALSE;
    if (rat == RAT_NONE)
        RECORD_SET(&sample, SAMPLE, service, SERVICE_NONE);
    else if (RECORD_HAS(&sample, SAMPLE, cell_id))
        RECORD_SET(&sample, SAMPLE, service, SERVICE_OK);
    return import_add_sample(job, &sample, error);
}

static gboolean add_fix(ImportJob *job, const Row *row, GError **error)
{
    Fix fix = {0};
    gboolean known[4];
    double speed_kmh = 0;
    if (!real(row, C_LAT, &known[0], &fix.lat, error) ||
        !real(row, C_LON, &known[1], &fix.lon, error) ||
        !real(row, C_SPEED, &known[2], &speed_kmh, error) ||
        !real(row, C_ALTITUDE, &known[3], &fix.altitude_m, error))
        return FALSE;
    RECORD_SET(&fix, FIX, time_ns, row->time_ns);
    RECORD_SET(&fix, FIX, source, row->source);
    fix.known |= (known[0] ? RECORD_BIT(FIX, lat) : 0) | (known[1] ? RECORD_BIT(FIX, lon) : 0) |
                 (known[3] ? RECORD_BIT(FIX, altitude_m) : 0);
    if (known[2])
        RECORD_SET(&fix, FIX, speed_mps, speed_kmh / 3.6);
    return import_add_fix(job, &fix, error);
}

static gboolean add_neighbour(ImportJob *job, const Row *row, GError **error)
{
    Neighbour neighbour = {0};
    gboolean has_rsrp = FALSE;
    gboolean has_rsrq = FALSE;
    if (!real(row, C_NR_RSRP, &has_rsrp, &neighbour.rsrp_dbm, error) ||
        !real(row, C_NR_RSRQ, &has_rsrq, &neighbour.rsrq_db, error))
        return FALSE;
    if (!has_rsrp)
        return TRUE;
    RECORD_SET(&neighbour, NEIGHBOUR, time_ns, row->time_ns);
    RECORD_SET(&neighbour, NEIGHBOUR, source, row->source);
    neighbour.known |=
        RECORD_BIT(NEIGHBOUR, rsrp_dbm) | (has_rsrq ? RECORD_BIT(NEIGHBOUR, rsrq_db) : 0);
    return import_add_neighbour(job, &neighbour, error);
}

static gboolean add_rate(ImportJob *job, const Row *row, ColumnRole role, Direction direction,
                         ProbeKind kind, GError **error)
{
    gboolean known = FALSE;
    double kbps = 0;
    if (!real(row, role, &known, &kbps, error))
        return FALSE;
    if (!known)
        return TRUE;
    if (kbps < 0 || kbps > 1e9) {
        import_summary(job)->refused.count[REFUSED_RATE]++;
        return TRUE;
    }
    Throughput throughput = {0};
    RECORD_SET(&throughput, THROUGHPUT, time_ns, row->time_ns);
    RECORD_SET(&throughput, THROUGHPUT, source, row->source);
    RECORD_SET(&throughput, THROUGHPUT, kind, (int)kind);
    RECORD_SET(&throughput, THROUGHPUT, direction, (int)direction);
    RECORD_SET(&throughput, THROUGHPUT, rate_bps, kbps * 1000.0);
    if (kind == PROBE_PASSIVE) {
        /* counted over the second that ends with the row */
        RECORD_SET(&throughput, THROUGHPUT, time_ns, row->time_ns - SECOND_NS);
        RECORD_SET(&throughput, THROUGHPUT, duration_ns, SECOND_NS);
        RECORD_SET(&throughput, THROUGHPUT, bytes, (int64_t)(kbps * 125.0));
    }
    return import_add_throughput(job, &throughput, error);
}

/* The app gives whole per cent (cut, not rounded) of a count that it does not give: the fewest
 * packets which make that share, so that the test never weighs more than it did. */
static void fewest_packets(int percent, int64_t *sent, int64_t *lost)
{
    for (*sent = 1; *sent <= 100; (*sent)++)
        for (*lost = 0; *lost <= *sent; (*lost)++)
            if (100 * *lost / *sent == percent)
                return;
}

static gboolean add_ping(ImportJob *job, const Row *row, GError **error)
{
    gboolean known[4];
    Latency latency = {0};
    double loss_percent = 0;
    if (!real(row, C_PING_AVG, &known[0], &latency.rtt_ms, error) ||
        !real(row, C_PING_MIN, &known[1], &latency.rtt_min_ms, error) ||
        !real(row, C_PING_MAX, &known[2], &latency.rtt_max_ms, error) ||
        !real(row, C_PING_LOSS, &known[3], &loss_percent, error))
        return FALSE;
    if (!known[0] && !(known[3] && loss_percent >= 100.0))
        return TRUE;
    RECORD_SET(&latency, LATENCY, time_ns, row->time_ns);
    RECORD_SET(&latency, LATENCY, source, row->source);
    RECORD_SET(&latency, LATENCY, kind, PROBE_ECHO);
    latency.known |= (known[0] ? RECORD_BIT(LATENCY, rtt_ms) : 0) |
                     (known[1] ? RECORD_BIT(LATENCY, rtt_min_ms) : 0) |
                     (known[2] ? RECORD_BIT(LATENCY, rtt_max_ms) : 0);
    if (known[3] && loss_percent >= 0.0 && loss_percent <= 100.0) {
        int64_t sent = 0;
        int64_t lost = 0;
        fewest_packets((int)loss_percent, &sent, &lost);
        RECORD_SET(&latency, LATENCY, sent, sent);
        RECORD_SET(&latency, LATENCY, received, sent - lost);
    }
    return import_add_latency(job, &latency, error);
}

static gboolean add_event(ImportJob *job, const Row *row, GError **error)
{
    const char *type = field(row, C_EVENT)->text;
    const char *detail = field(row, C_EVENT_DETAIL)->text;
    if (*type == '\0' && *detail == '\0')
        return TRUE;
    const char *kind = strstr(type, "IRAT") != NULL          ? "rat-change"
                       : strstr(type, "HANDOVER") != NULL    ? "cell-change"
                       : strstr(type, "RESELECTION") != NULL ? "cell-change"
                                                             : "app-event";
    g_autofree char *text = g_strdup_printf("%s %s", type, detail);
    g_autofree char *valid = g_utf8_make_valid(g_strstrip(text), -1);
    Event event = {0};
    RECORD_SET(&event, EVENT, time_ns, row->time_ns);
    RECORD_SET(&event, EVENT, source, row->source);
    RECORD_SET(&event, EVENT, kind, kind);
    RECORD_SET(&event, EVENT, detail, valid);
    return import_add_event(job, &event, error);
}

static gboolean read_row(const TextField *fields, gpointer data, GError **error)
{
    Row *row = data;
    ImportJob *job = row->job;
    row->row = fields;
    if (!time_parser_parse(row->times, field(row, C_TIME)->text, &row->time_ns))
        return text_table_refuse(row->table, error, "Timestamp: \"%s\" is no time",
                                 field(row, C_TIME)->text);
    import_summary(job)->used_zone = TRUE;
    if (!import_source(job, field(row, C_OPERATOR_NAME)->text, NULL, NULL, &row->source, error))
        return FALSE;
    gboolean test_file = row->at[C_TEST_DL] >= 0;
    gboolean event_file = row->at[C_EVENT] >= 0;
    /* Tests and events repeat what the log has at the same second. */
    if (event_file)
        return add_event(job, row, error);
    if (test_file)
        return add_ping(job, row, error) &&
               add_rate(job, row, C_TEST_DL, DIRECTION_DOWN, PROBE_THROUGHPUT, error) &&
               add_rate(job, row, C_TEST_UL, DIRECTION_UP, PROBE_THROUGHPUT, error);
    return add_fix(job, row, error) && add_sample(job, row, error) &&
           add_neighbour(job, row, error) && add_ping(job, row, error) &&
           add_rate(job, row, C_DL, DIRECTION_DOWN, PROBE_PASSIVE, error) &&
           add_rate(job, row, C_UL, DIRECTION_UP, PROBE_PASSIVE, error);
}

static gboolean read_file(ImportJob *job, TextTable *table, GError **error)
{
    Row row = {.job = job, .table = table};
    for (int c = 0; c < C_COUNT; c++)
        row.at[c] = find(table, (ColumnRole)c);
    if (row.at[C_TIME] < 0 || row.at[C_LAT] < 0 || row.at[C_LON] < 0 || row.at[C_TECH] < 0)
        return text_table_refuse(table, error,
                                 "a G-NetTrack log has Timestamp, Longitude, Latitude and "
                                 "NetworkTech or NetworkMode");
    g_autoptr(TimeParser) times = time_parser_new(TIME_DOTTED, import_zone(job));
    row.times = times;
    return import_each_row(job, table, read_row, &row, error);
}

const ImportFormat import_gnettrack = {"gnettrack", probe, read_file};
