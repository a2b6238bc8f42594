/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain CSV (corridor-plain-csv(5)), whose header names are our field names, and any other table
 * with a mapping (corridor-mapping(5)). Both read rows through the same bindings.
 */
#include "formats/import-map.h"
#include "formats/import.h"
#include "formats/rat-words.h"

#include <math.h>
#include <string.h>

/* Round trips of one row, by target. */
typedef struct {
    const MapBinding *rtt;
    gboolean known, lost;
    double rtt_ms;
} Echo;

enum { MAX_ECHOES = 32 };

/* No answer after an hour, and no bit faster than this, was measured with a modem. */
#define MAX_RTT_MS   3.6e6
#define MAX_RATE_BPS 1e12

typedef struct {
    ImportJob *job;
    const TextTable *table;
    const Mapping *mapping;
    TimeParser *times;
    const char *const *header;
    const TextField *fields;
    int64_t last_ns;          /* time of the row before */
    gboolean *silent;         /* by column: a host that answered in no row of the file */
    gint64 silent_unanswered; /* echoes to such hosts */
    /* the row being read */
    Fix fix;
    Sample sample;
    const char *operator_label, *device, *service;
    char plmn[8], mcc[8], mnc[8];
    double rate_down_bps, rate_up_bps, rtt_max_ms;
    gboolean has_down, has_up, has_rtt_max, has_time, has_rat, has_sent, has_received, has_lost;
    int64_t sent, received, lost;
    Echo echoes[MAX_ECHOES];
    unsigned n_echoes;
} Reader;

static const TextField *bound_field(const Reader *reader, const MapBinding *binding)
{
    const TextField *field = &reader->fields[binding->column];
    if (binding->fallback >= 0 && value_is_absent(field))
        field = &reader->fields[binding->fallback];
    return field;
}

static gboolean read_time(Reader *reader, const TextField *field, GError **error)
{
    int64_t time_ns = 0;
    if (!time_parser_parse(reader->times, field->text, &time_ns)) {
        g_autofree char *shown = g_utf8_make_valid(field->text, MIN((gssize)field->length, 60));
        return text_table_refuse(reader->table, error, "\"%s\" is no time", shown);
    }
    if (time_parser_used_zone(reader->times) && reader->mapping->timezone == NULL)
        import_summary(reader->job)->used_zone = TRUE;
    /* A time without seconds stands for its whole minute: it must not go back within it. */
    const int64_t minute_ns = G_GINT64_CONSTANT(60000000000);
    if (!time_parser_had_seconds(reader->times) && reader->last_ns > time_ns &&
        reader->last_ns < time_ns + minute_ns)
        time_ns = reader->last_ns;
    reader->last_ns = time_ns;
    RECORD_SET(&reader->fix, FIX, time_ns, time_ns);
    RECORD_SET(&reader->sample, SAMPLE, time_ns, time_ns);
    reader->has_time = TRUE;
    return TRUE;
}

static gboolean read_rat(Reader *reader, const TextField *field, GError **error)
{
    Rat rat = RAT_COUNT;
    gpointer mapped = NULL;
    if (g_hash_table_size(reader->mapping->words) > 0) {
        g_autofree char *lower = g_ascii_strdown(field->text, (gssize)field->length);
        if (g_hash_table_lookup_extended(reader->mapping->words, lower, NULL, &mapped))
            rat = (Rat)GPOINTER_TO_INT(mapped);
    }
    if (rat == RAT_COUNT)
        rat = rat_from_word(field->text);
    if (rat == RAT_COUNT) {
        g_autofree char *shown = g_utf8_make_valid(field->text, MIN((gssize)field->length, 40));
        return text_table_refuse(reader->table, error,
                                 "\"%s\" is no technology known here; say what it means with "
                                 "--map \"words.%s=LTE\"",
                                 shown, shown);
    }
    RECORD_SET(&reader->sample, SAMPLE, rat, (int)rat);
    reader->has_rat = TRUE;
    return TRUE;
}

static gboolean read_service(Reader *reader, const TextField *field, GError **error)
{
    if (value_is_absent(field) && g_ascii_strcasecmp(field->text, "none") != 0)
        return TRUE;
    const RecordColumn *column = &record_type(RECORD_SAMPLE)->columns[SAMPLE_COL_service];
    int value = record_enum_value(column, field->text, field->length);
    if (value < 0)
        return text_table_refuse(reader->table, error,
                                 "service: \"%s\" is not ok, limited, none or unknown",
                                 field->text);
    RECORD_SET(&reader->sample, SAMPLE, service, value);
    return TRUE;
}

static gboolean read_real(Reader *reader, const MapBinding *binding, const TextField *field,
                          gboolean *known, double *value, GError **error)
{
    if (!import_real(reader->table, field, reader->header[binding->column], known, value, error))
        return FALSE;
    if (binding->factor != 1.0)
        *value *= binding->factor;
    return TRUE;
}

static gboolean read_sample_int(Reader *reader, const MapBinding *binding, const TextField *field,
                                GError **error)
{
    gboolean known = FALSE;
    int64_t n = 0;
    double x = 0;
    unsigned column = binding->field->column;
    const char *name = reader->header[binding->column];
    if (binding->factor != 1.0) {
        if (!read_real(reader, binding, field, &known, &x, error))
            return FALSE;
        n = (int64_t)nearbyint(x);
    } else {
        int base = reader->mapping->hex_cell_id && column == SAMPLE_COL_cell_id ? 16 : 10;
        if (!import_int(reader->table, field, name, base, &known, &n, error))
            return FALSE;
    }
    if (known) {
        *(int64_t *)(void *)((char *)&reader->sample +
                             record_type(RECORD_SAMPLE)->columns[column].offset) = n;
        reader->sample.known |= UINT64_C(1) << column;
    }
    return TRUE;
}

static gboolean read_rtt(Reader *reader, const MapBinding *binding, const TextField *field,
                         GError **error)
{
    if (reader->n_echoes == MAX_ECHOES)
        return text_table_refuse(reader->table, error, "more than %d columns of round trips",
                                 MAX_ECHOES);
    Echo *echo = &reader->echoes[reader->n_echoes++];
    *echo = (Echo){.rtt = binding};
    if (!import_real(reader->table, field, reader->header[binding->column], &echo->known,
                     &echo->rtt_ms, error))
        return FALSE;
    const Mapping *mapping = reader->mapping;
    echo->lost =
        echo->known ? mapping->has_lost && echo->rtt_ms == mapping->lost : mapping->empty_is_lost;
    echo->rtt_ms *= binding->factor;
    return TRUE;
}

static gboolean read_count(Reader *reader, const MapBinding *binding, const TextField *field,
                           gboolean *known, int64_t *value, GError **error)
{
    return import_int(reader->table, field, reader->header[binding->column], 10, known, value,
                      error);
}

static void copy_digits(char out[8], const TextField *field)
{
    if (field->length < 8)
        memcpy(out, field->text, field->length + 1);
}

static gboolean is_text_role(MapRole role)
{
    return role == MAP_OPERATOR || role == MAP_DEVICE || role == MAP_PLMN || role == MAP_MCC ||
           role == MAP_MNC;
}

static gboolean read_binding(Reader *reader, const MapBinding *binding, GError **error)
{
    const TextField *field = bound_field(reader, binding);
    unsigned column = binding->field->column;
    gboolean known = FALSE;
    double value = 0;
    if (is_text_role(binding->field->role) && value_is_absent(field))
        return TRUE;
    switch (binding->field->role) {
    case MAP_TIME:
        return read_time(reader, field, error);
    case MAP_OPERATOR:
        reader->operator_label = field->text;
        return TRUE;
    case MAP_DEVICE:
        reader->device = field->text;
        return TRUE;
    case MAP_PLMN:
        copy_digits(reader->plmn, field);
        return TRUE;
    case MAP_MCC:
        copy_digits(reader->mcc, field);
        return TRUE;
    case MAP_MNC:
        copy_digits(reader->mnc, field);
        return TRUE;
    case MAP_RAT:
        return read_rat(reader, field, error);
    case MAP_SERVICE:
        return read_service(reader, field, error);
    case MAP_FIX_REAL:
        if (!read_real(reader, binding, field, &known, &value, error))
            return FALSE;
        *(double *)(void *)((char *)&reader->fix +
                            record_type(RECORD_FIX)->columns[column].offset) = value;
        reader->fix.known |= known ? UINT64_C(1) << column : 0;
        return TRUE;
    case MAP_SAMPLE_REAL:
        if (!read_real(reader, binding, field, &known, &value, error))
            return FALSE;
        *(double *)(void *)((char *)&reader->sample +
                            record_type(RECORD_SAMPLE)->columns[column].offset) = value;
        reader->sample.known |= known ? UINT64_C(1) << column : 0;
        return TRUE;
    case MAP_SAMPLE_INT:
        return read_sample_int(reader, binding, field, error);
    case MAP_RATE_DOWN:
        return read_real(reader, binding, field, &reader->has_down, &reader->rate_down_bps, error);
    case MAP_RATE_UP:
        return read_real(reader, binding, field, &reader->has_up, &reader->rate_up_bps, error);
    case MAP_RTT:
        return read_rtt(reader, binding, field, error);
    case MAP_RTT_MAX:
        return read_real(reader, binding, field, &reader->has_rtt_max, &reader->rtt_max_ms, error);
    case MAP_PING_SENT:
        return read_count(reader, binding, field, &reader->has_sent, &reader->sent, error);
    case MAP_PING_RECEIVED:
        return read_count(reader, binding, field, &reader->has_received, &reader->received, error);
    case MAP_PING_LOST:
        return read_count(reader, binding, field, &reader->has_lost, &reader->lost, error);
    }
    return TRUE;
}

/* mcc 295, mnc 1: two digits, as the operators of nearly all countries have (3GPP TS 23.003, 2.2;
 * three-digit codes are to be written with three digits, or as plmn). */
static void join_plmn(Reader *reader)
{
    size_t mcc = strlen(reader->mcc);
    size_t mnc = strlen(reader->mnc);
    if (reader->plmn[0] == '\0' && mcc > 0 && mcc <= 3 && mnc > 0 && mnc <= 3) {
        char *to = reader->plmn;
        memcpy(to, reader->mcc, mcc);
        to += mcc;
        if (mnc == 1)
            *to++ = '0';
        memcpy(to, reader->mnc, mnc + 1);
    }
    if (reader->plmn[0] != '\0' && reader->plmn[0] != '-')
        RECORD_SET(&reader->sample, SAMPLE, plmn, reader->plmn);
}

static gboolean add_rates(Reader *reader, gint64 source, GError **error)
{
    const struct {
        gboolean has;
        Direction direction;
        double rate_bps;
    } rows[] = {{reader->has_down, DIRECTION_DOWN, reader->rate_down_bps},
                {reader->has_up, DIRECTION_UP, reader->rate_up_bps}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!rows[i].has)
            continue;
        if (rows[i].rate_bps < 0 || rows[i].rate_bps > MAX_RATE_BPS) {
            import_summary(reader->job)->refused.count[REFUSED_RATE]++;
            continue;
        }
        Throughput throughput = {0};
        RECORD_SET(&throughput, THROUGHPUT, time_ns, reader->sample.time_ns);
        RECORD_SET(&throughput, THROUGHPUT, source, source);
        RECORD_SET(&throughput, THROUGHPUT, kind, PROBE_PASSIVE);
        RECORD_SET(&throughput, THROUGHPUT, direction, (int)rows[i].direction);
        RECORD_SET(&throughput, THROUGHPUT, rate_bps, rows[i].rate_bps);
        if (!import_add_throughput(reader->job, &throughput, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_echoes(Reader *reader, gint64 source, GError **error)
{
    for (unsigned i = 0; i < reader->n_echoes; i++) {
        const Echo *echo = &reader->echoes[i];
        gboolean several = reader->has_sent && reader->sent > 0;
        gboolean answered = echo->known && !echo->lost;
        if (answered && (echo->rtt_ms < 0 || echo->rtt_ms > MAX_RTT_MS)) {
            import_summary(reader->job)->refused.count[REFUSED_RTT]++;
            answered = FALSE;
        }
        if (!answered && !echo->lost && !several)
            continue;
        Latency latency = {0};
        RECORD_SET(&latency, LATENCY, time_ns, reader->sample.time_ns);
        RECORD_SET(&latency, LATENCY, source, source);
        RECORD_SET(&latency, LATENCY, kind, PROBE_ECHO);
        if (echo->rtt->target != NULL)
            RECORD_SET(&latency, LATENCY, target, echo->rtt->target);
        if (reader->silent[echo->rtt->column]) {
            /* Says nothing of the radio: recorded, but not as a packet that was lost. */
            reader->silent_unanswered++;
            if (!import_add_latency(reader->job, &latency, error))
                return FALSE;
            continue;
        }
        int64_t sent = several ? reader->sent : 1;
        int64_t received = reader->has_received          ? reader->received
                           : several && reader->has_lost ? sent - reader->lost
                           : answered                    ? sent
                                                         : 0;
        RECORD_SET(&latency, LATENCY, sent, sent);
        RECORD_SET(&latency, LATENCY, received, CLAMP(received, 0, sent));
        if (answered)
            RECORD_SET(&latency, LATENCY, rtt_ms, echo->rtt_ms);
        if (answered && reader->has_rtt_max)
            RECORD_SET(&latency, LATENCY, rtt_max_ms, reader->rtt_max_ms);
        if (!import_add_latency(reader->job, &latency, error))
            return FALSE;
    }
    return TRUE;
}

/* Is there anything of the radio in this row? A file of round trips alone gives no samples. */
static gboolean has_radio(const Reader *reader)
{
    const uint64_t not_radio = RECORD_BIT(SAMPLE, time_ns) | RECORD_BIT(SAMPLE, source);
    return reader->has_rat || (reader->sample.known & ~not_radio) != 0;
}

/* A row that does not name its technology has the one that its level belongs to. */
static Rat rat_of_level(const Sample *sample, Rat otherwise)
{
    const uint64_t levels = RECORD_BIT(SAMPLE, rsrp_dbm) | RECORD_BIT(SAMPLE, rscp_dbm) |
                            RECORD_BIT(SAMPLE, rxlev_dbm) | RECORD_BIT(SAMPLE, rssi_dbm);
    if ((sample->known & levels) == 0)
        return RAT_UNKNOWN;
    return otherwise != RAT_UNKNOWN                ? otherwise
           : RECORD_HAS(sample, SAMPLE, rsrp_dbm)  ? RAT_LTE
           : RECORD_HAS(sample, SAMPLE, rscp_dbm)  ? RAT_UMTS
           : RECORD_HAS(sample, SAMPLE, rxlev_dbm) ? RAT_GSM
                                                   : RAT_UNKNOWN;
}

static void settle_rat(Sample *sample, Rat otherwise)
{
    Rat rat = sample->rat == RAT_UNKNOWN ? rat_of_level(sample, otherwise) : RAT_UNKNOWN;
    if (rat != RAT_UNKNOWN)
        RECORD_SET(sample, SAMPLE, rat, (int)rat);
    const uint64_t nr_values = RECORD_BIT(SAMPLE, nr_rsrp_dbm) | RECORD_BIT(SAMPLE, nr_rsrq_db) |
                               RECORD_BIT(SAMPLE, nr_sinr_db) | RECORD_BIT(SAMPLE, nr_pci);
    if (sample->rat == RAT_LTE && (sample->known & nr_values) != 0)
        RECORD_SET(sample, SAMPLE, rat, RAT_NR_NSA);
    if (RECORD_HAS(sample, SAMPLE, service))
        return;
    if (sample->rat == RAT_NONE && RECORD_HAS(sample, SAMPLE, rat))
        RECORD_SET(sample, SAMPLE, service, SERVICE_NONE);
    else if (sample->rat != RAT_UNKNOWN)
        RECORD_SET(sample, SAMPLE, service, SERVICE_OK);
}

static gboolean read_row(Reader *reader, GError **error)
{
    reader->fix = (Fix){0};
    reader->sample = (Sample){0};
    reader->operator_label = reader->device = NULL;
    reader->plmn[0] = reader->mcc[0] = reader->mnc[0] = '\0';
    reader->has_down = reader->has_up = reader->has_rtt_max = reader->has_time = FALSE;
    reader->has_rat = reader->has_sent = reader->has_received = reader->has_lost = FALSE;
    reader->n_echoes = 0;
    const GArray *bindings = reader->mapping->bindings;
    for (guint i = 0; i < bindings->len; i++)
        if (!read_binding(reader, &g_array_index(bindings, MapBinding, i), error))
            return FALSE;
    gint64 source = 0;
    if (!import_source(reader->job, reader->operator_label, reader->device, NULL, &source, error))
        return FALSE;
    RECORD_SET(&reader->fix, FIX, source, source);
    RECORD_SET(&reader->sample, SAMPLE, source, source);
    join_plmn(reader);
    if (!import_add_fix(reader->job, &reader->fix, error))
        return FALSE;
    if (has_radio(reader)) {
        settle_rat(&reader->sample, reader->mapping->rat);
        if (!import_add_sample(reader->job, &reader->sample, error))
            return FALSE;
    }
    return add_rates(reader, source, error) && add_echoes(reader, source, error);
}

/* Reads the file once for the hosts that never answer: they are down, not out of coverage. Of hosts
 * which answered once, a missing answer is a loss. Errors are left to the reading proper. */
static void find_silent(Reader *reader)
{
    g_autoptr(TextTable) table =
        text_table_open(text_table_path(reader->table), text_table_separator(reader->table), NULL);
    if (table == NULL)
        return;
    const GArray *bindings = reader->mapping->bindings;
    for (guint i = 0; i < bindings->len; i++) {
        const MapBinding *binding = &g_array_index(bindings, MapBinding, i);
        reader->silent[binding->column] = binding->field->role == MAP_RTT;
    }
    const TextField *fields = NULL;
    while ((fields = text_table_next(table, NULL)) != NULL)
        for (guint i = 0; i < bindings->len; i++) {
            const MapBinding *binding = &g_array_index(bindings, MapBinding, i);
            double rtt = 0;
            if (reader->silent[binding->column] &&
                value_parse_real(&fields[binding->column], TRUE, &rtt) &&
                !(reader->mapping->has_lost && rtt == reader->mapping->lost))
                reader->silent[binding->column] = FALSE;
        }
}

static gboolean note_silent(const Reader *reader, GError **error)
{
    if (reader->silent_unanswered == 0)
        return TRUE;
    unsigned n = 0;
    (void)text_table_header(reader->table, &n);
    g_autoptr(GString) names = g_string_new(NULL);
    for (unsigned c = 0; c < n; c++)
        if (reader->silent[c])
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", reader->header[c]);
    Event event = {0};
    RECORD_SET(&event, EVENT, time_ns, reader->last_ns);
    RECORD_SET(&event, EVENT, kind, "silent-target");
    RECORD_SET(&event, EVENT, detail, names->str);
    RECORD_SET(&event, EVENT, value, (double)reader->silent_unanswered);
    return import_add_event(reader->job, &event, error);
}

static gboolean read_with(ImportJob *job, TextTable *table, const Mapping *mapping, GError **error)
{
    unsigned n = 0;
    g_autoptr(GTimeZone) own =
        mapping->timezone != NULL ? g_time_zone_new_identifier(mapping->timezone) : NULL;
    g_autoptr(TimeParser) times = time_parser_new(
        mapping->time_format,
        own != NULL && import_options(job)->timezone == NULL ? own : import_zone(job));
    g_autofree Reader *reader = g_new0(Reader, 1);
    reader->job = job;
    reader->table = table;
    reader->mapping = mapping;
    reader->times = times;
    reader->header = text_table_header(table, &n);
    reader->last_ns = INT64_MIN;
    g_autofree gboolean *silent = g_new0(gboolean, n);
    reader->silent = silent;
    if (mapping_has(mapping, MAP_RTT) && (mapping->empty_is_lost || mapping->has_lost))
        find_silent(reader);
    static const MapRole radio[] = {MAP_RAT, MAP_SERVICE, MAP_SAMPLE_REAL, MAP_SAMPLE_INT};
    gboolean has_radio_columns = FALSE;
    for (unsigned i = 0; i < G_N_ELEMENTS(radio); i++)
        has_radio_columns = has_radio_columns || mapping_has(mapping, radio[i]);
    if (!has_radio_columns)
        import_join_phone(job);
    GError *failure = NULL;
    while ((reader->fields = text_table_next(table, &failure)) != NULL) {
        if (!read_row(reader, error))
            return FALSE;
        import_row_done(job, table);
    }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL && note_silent(reader, error);
}

static int probe_plain(const TextTable *table)
{
    g_autoptr(Mapping) mapping = mapping_from_header(table);
    gboolean time = mapping_has(mapping, MAP_TIME);
    gboolean position = mapping_has(mapping, MAP_FIX_REAL);
    gboolean radio = mapping_has(mapping, MAP_SAMPLE_REAL) || mapping_has(mapping, MAP_RAT);
    return time && position && radio ? 60 : 0;
}

static gboolean read_plain(ImportJob *job, TextTable *table, GError **error)
{
    g_autoptr(Mapping) mapping = mapping_from_header(table);
    if (!mapping_has(mapping, MAP_TIME))
        return text_table_refuse(table, error,
                                 "plain CSV has a column time; see corridor-plain-csv(5)");
    return read_with(job, table, mapping, error);
}

static int probe_generic(const TextTable *table)
{
    (void)table;
    return 0; /* only with a mapping */
}

static gboolean read_generic(ImportJob *job, TextTable *table, GError **error)
{
    const ImportOptions *options = import_options(job);
    if (options->map == NULL && options->map_file == NULL)
        return text_table_refuse(table, error, "the format generic needs --map or --map-file");
    g_autoptr(Mapping) mapping = mapping_new(options->map_file, options->map, table, error);
    return mapping != NULL && read_with(job, table, mapping, error);
}

const ImportFormat import_plain = {"plain", probe_plain, read_plain};
const ImportFormat import_generic = {"generic", probe_generic, read_generic};
