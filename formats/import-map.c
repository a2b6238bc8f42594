/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/import-map.h"

#include "formats/rat-words.h"

#include <string.h>

#define FIX(name, column, factor)                                                                  \
    {                                                                                              \
        name, MAP_FIX_REAL, FIX_COL_##column, factor                                               \
    }
#define REAL(name, column, factor)                                                                 \
    {                                                                                              \
        name, MAP_SAMPLE_REAL, SAMPLE_COL_##column, factor                                         \
    }
#define INT(name, column)                                                                          \
    {                                                                                              \
        name, MAP_SAMPLE_INT, SAMPLE_COL_##column, 1.0                                             \
    }
#define SCALED(name, column, factor)                                                               \
    {                                                                                              \
        name, MAP_SAMPLE_INT, SAMPLE_COL_##column, factor                                          \
    }

static const MapField fields[] = {
    {"time", MAP_TIME, 0, 1.0},
    {"timestamp", MAP_TIME, 0, 1.0},
    {"operator", MAP_OPERATOR, 0, 1.0},
    {"device", MAP_DEVICE, 0, 1.0},
    {"plmn", MAP_PLMN, 0, 1.0},
    {"mcc", MAP_MCC, 0, 1.0},
    {"mnc", MAP_MNC, 0, 1.0},
    {"rat", MAP_RAT, 0, 1.0},
    {"service", MAP_SERVICE, 0, 1.0},
    FIX("lat", lat, 1.0),
    FIX("latitude", lat, 1.0),
    FIX("lon", lon, 1.0),
    FIX("longitude", lon, 1.0),
    FIX("altitude_m", altitude_m, 1.0),
    FIX("accuracy_m", accuracy_m, 1.0),
    FIX("speed_mps", speed_mps, 1.0),
    FIX("speed_kmh", speed_mps, 1.0 / 3.6),
    FIX("heading_deg", heading_deg, 1.0),
    FIX("hdop", hdop, 1.0),
    INT("tac", tac),
    INT("cell_id", cell_id),
    INT("pci", pci),
    INT("arfcn", arfcn),
    INT("band", band),
    INT("bandwidth_khz", bandwidth_khz),
    SCALED("bandwidth_mhz", bandwidth_khz, 1000.0),
    INT("timing_advance", timing_advance),
    INT("cqi", cqi),
    INT("roaming", roaming),
    REAL("rsrp", rsrp_dbm, 1.0),
    REAL("rsrp_dbm", rsrp_dbm, 1.0),
    REAL("rsrq", rsrq_db, 1.0),
    REAL("rsrq_db", rsrq_db, 1.0),
    REAL("sinr", sinr_db, 1.0),
    REAL("sinr_db", sinr_db, 1.0),
    REAL("rssi", rssi_dbm, 1.0),
    REAL("rssi_dbm", rssi_dbm, 1.0),
    REAL("rscp", rscp_dbm, 1.0),
    REAL("rscp_dbm", rscp_dbm, 1.0),
    REAL("ecio", ecio_db, 1.0),
    REAL("ecio_db", ecio_db, 1.0),
    REAL("rxlev", rxlev_dbm, 1.0),
    REAL("rxlev_dbm", rxlev_dbm, 1.0),
    REAL("tx_power_dbm", tx_power_dbm, 1.0),
    INT("nr_cell_id", nr_cell_id),
    INT("nr_pci", nr_pci),
    INT("nr_arfcn", nr_arfcn),
    INT("nr_band", nr_band),
    INT("nr_bandwidth_khz", nr_bandwidth_khz),
    REAL("nr_rsrp", nr_rsrp_dbm, 1.0),
    REAL("nr_rsrp_dbm", nr_rsrp_dbm, 1.0),
    REAL("nr_rsrq", nr_rsrq_db, 1.0),
    REAL("nr_rsrq_db", nr_rsrq_db, 1.0),
    REAL("nr_sinr", nr_sinr_db, 1.0),
    REAL("nr_sinr_db", nr_sinr_db, 1.0),
    {"dl_bps", MAP_RATE_DOWN, 0, 1.0},
    {"dl_kbps", MAP_RATE_DOWN, 0, 1e3},
    {"dl_mbps", MAP_RATE_DOWN, 0, 1e6},
    {"ul_bps", MAP_RATE_UP, 0, 1.0},
    {"ul_kbps", MAP_RATE_UP, 0, 1e3},
    {"ul_mbps", MAP_RATE_UP, 0, 1e6},
    {"rtt_ms", MAP_RTT, 0, 1.0},
    {"rtt_max_ms", MAP_RTT_MAX, 0, 1.0},
    {"ping_sent", MAP_PING_SENT, 0, 1.0},
    {"ping_received", MAP_PING_RECEIVED, 0, 1.0},
    {"ping_lost", MAP_PING_LOST, 0, 1.0},
};

const MapField *map_field(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
        if (g_ascii_strcasecmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

gboolean mapping_has(const Mapping *mapping, MapRole role)
{
    for (guint i = 0; i < mapping->bindings->len; i++)
        if (g_array_index(mapping->bindings, MapBinding, i).field->role == role)
            return TRUE;
    return FALSE;
}

static void clear_binding(gpointer binding)
{
    g_free(((MapBinding *)binding)->target);
}

static Mapping *mapping_empty(void)
{
    Mapping *mapping = g_new0(Mapping, 1);
    mapping->bindings = g_array_new(FALSE, FALSE, sizeof(MapBinding));
    g_array_set_clear_func(mapping->bindings, clear_binding);
    mapping->words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return mapping;
}

void mapping_free(Mapping *mapping)
{
    if (mapping == NULL)
        return;
    g_array_unref(mapping->bindings);
    g_hash_table_unref(mapping->words);
    g_free(mapping->timezone);
    g_free(mapping);
}

static gboolean refuse(GError **error, const char *where, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean refuse(GError **error, const char *where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_OPTION, "%s: %s", where, message);
    return FALSE;
}

static gboolean bind_column(Mapping *mapping, const char *where, const MapField *field,
                            const char *column_name, const char *fallback_name, double factor,
                            const char *target, const TextTable *table, GError **error)
{
    int column = text_table_column(table, column_name);
    if (column < 0)
        return refuse(error, where, "%s has no column %s", text_table_path(table), column_name);
    int fallback = -1;
    if (fallback_name != NULL) {
        fallback = text_table_column(table, fallback_name);
        if (fallback < 0)
            return refuse(error, where, "%s has no column %s", text_table_path(table),
                          fallback_name);
    }
    MapBinding binding = {field, column, fallback, field->factor * factor, g_strdup(target)};
    g_array_append_val(mapping->bindings, binding);
    return TRUE;
}

/* rtt_ms=ping_*: each column that fits, with what the star stands for as its target. */
static gboolean bind_star(Mapping *mapping, const char *where, const MapField *field,
                          const char *pattern, double factor, const TextTable *table,
                          GError **error)
{
    const char *star = strchr(pattern, '*');
    size_t before = (size_t)(star - pattern);
    size_t after = strlen(star + 1);
    unsigned n = 0;
    gboolean any = FALSE;
    const char *const *header = text_table_header(table, &n);
    for (unsigned c = 0; c < n; c++) {
        size_t length = strlen(header[c]);
        if (length < before + after || strncmp(header[c], pattern, before) != 0 ||
            strcmp(header[c] + length - after, star + 1) != 0)
            continue;
        g_autofree char *target = g_strndup(header[c] + before, length - before - after);
        any = TRUE;
        if (!bind_column(mapping, where, field, header[c], NULL, factor, target, table, error))
            return FALSE;
    }
    return any || refuse(error, where, "%s has no column like %s", text_table_path(table), pattern);
}

/* COLUMN[|COLUMN2][*FACTOR] */
static gboolean add_field(Mapping *mapping, const char *where, const char *name, const char *value,
                          const TextTable *table, GError **error)
{
    g_auto(GStrv) name_and_target = g_strsplit(name, "@", 2);
    const MapField *field = map_field(name_and_target[0]);
    if (field == NULL)
        return refuse(error, where, "there is no field %s; see corridor-mapping(5)",
                      name_and_target[0]);
    g_autofree char *columns = g_strdup(value);
    double factor = 1.0;
    char *times = strrchr(columns, '*');
    if (times != NULL && (g_ascii_isdigit(times[1]) || times[1] == '-')) {
        char *end = NULL;
        factor = g_ascii_strtod(times + 1, &end);
        if (*end != '\0' || factor == 0.0)
            return refuse(error, where, "%s: \"%s\" is no factor", name, times + 1);
        *times = '\0';
    }
    if (strchr(columns, '*') != NULL) {
        if (field->role != MAP_RTT)
            return refuse(error, where, "%s: only rtt_ms takes a pattern with *", name);
        return bind_star(mapping, where, field, columns, factor, table, error);
    }
    g_auto(GStrv) parts = g_strsplit(columns, "|", 2);
    if (parts[0] == NULL || *parts[0] == '\0')
        return refuse(error, where, "%s: which column?", name);
    return bind_column(mapping, where, field, parts[0], parts[1], factor, name_and_target[1], table,
                       error);
}

static gboolean add_option(Mapping *mapping, const char *where, const char *name, const char *value,
                           GError **error)
{
    static const char *const time_formats[TIME_FORMAT_COUNT] = {"auto",  "iso",  "dotted", "german",
                                                                "words", "java", "epoch"};
    if (strcmp(name, "time_format") == 0) {
        for (int f = 0; f < TIME_FORMAT_COUNT; f++)
            if (strcmp(value, time_formats[f]) == 0) {
                mapping->time_format = (TimeFormat)f;
                return TRUE;
            }
        return refuse(error, where,
                      "time_format: \"%s\" is not one of auto, iso, dotted, german, "
                      "words, java, epoch",
                      value);
    }
    if (strcmp(name, "timezone") == 0) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(value);
        if (zone == NULL)
            return refuse(error, where, "there is no time zone %s", value);
        g_free(mapping->timezone);
        mapping->timezone = g_strdup(value);
        return TRUE;
    }
    if (strcmp(name, "rtt_lost") == 0) {
        mapping->empty_is_lost = strcmp(value, "empty") == 0;
        TextField field = {value, (uint32_t)strlen(value), FALSE};
        mapping->has_lost = value_parse_real(&field, FALSE, &mapping->lost);
        if (!mapping->empty_is_lost && !mapping->has_lost)
            return refuse(error, where, "rtt_lost: \"%s\" is neither a number nor the word empty",
                          value);
        return TRUE;
    }
    if (strcmp(name, "hex") == 0 && strcmp(value, "cell_id") == 0) {
        mapping->hex_cell_id = TRUE;
        return TRUE;
    }
    if (strcmp(name, "rat") == 0) {
        mapping->rat = rat_from_word(value);
        return mapping->rat != RAT_COUNT ||
               refuse(error, where, "\"%s\" is no technology known here", value);
    }
    return refuse(error, where, "there is no option %s=%s; see corridor-mapping(5)", name, value);
}

/* A line of a file or a word of --map: words.TEXT=RAT, options.NAME=VALUE, FIELD=COLUMN. */
static gboolean add_line(Mapping *mapping, const char *where, const char *line,
                         const TextTable *table, GError **error)
{
    const char *equals = strchr(line, '=');
    if (equals == NULL)
        return refuse(error, where, "\"%s\" is not FIELD=COLUMN", line);
    g_autofree char *name = g_strstrip(g_strndup(line, (gsize)(equals - line)));
    g_autofree char *value = g_strstrip(g_strdup(equals + 1));
    if (*name == '\0')
        return refuse(error, where, "\"%s\" names no field", line);
    if (g_str_has_prefix(name, "words.")) {
        Rat rat = rat_from_word(value);
        if (rat == RAT_COUNT)
            return refuse(error, where, "\"%s\" is no technology known here", value);
        g_hash_table_insert(mapping->words, g_ascii_strdown(name + 6, -1),
                            GINT_TO_POINTER((int)rat));
        return TRUE;
    }
    if (g_str_has_prefix(name, "options."))
        return add_option(mapping, where, name + 8, value, error);
    return add_field(mapping, where, name, value, table, error);
}

static gboolean add_file(Mapping *mapping, const char *path, const TextTable *table, GError **error)
{
    g_autofree char *content = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &content, &length, NULL) || length > 1 << 20 ||
        !g_utf8_validate(content, (gssize)length, NULL))
        return refuse(error, path, "cannot be read as a mapping file");
    g_auto(GStrv) lines = g_strsplit(content, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        const char *line = g_strstrip(lines[i]);
        if (*line == '\0' || *line == '#')
            continue;
        g_autofree char *where = g_strdup_printf("%s:%u", path, i + 1);
        if (!add_line(mapping, where, line, table, error))
            return FALSE;
    }
    return TRUE;
}

Mapping *mapping_new(const char *file, const char *const *words, const TextTable *table,
                     GError **error)
{
    g_autoptr(Mapping) mapping = mapping_empty();
    if (file != NULL && !add_file(mapping, file, table, error))
        return NULL;
    for (; words != NULL && *words != NULL; words++)
        if (!add_line(mapping, "--map", *words, table, error))
            return NULL;
    if (!mapping_has(mapping, MAP_TIME)) {
        refuse(error, file != NULL ? file : "--map", "no column is mapped to time");
        return NULL;
    }
    return g_steal_pointer(&mapping);
}

Mapping *mapping_from_header(const TextTable *table)
{
    Mapping *mapping = mapping_empty();
    unsigned n = 0;
    const char *const *header = text_table_header(table, &n);
    for (unsigned c = 0; c < n; c++) {
        const MapField *field = map_field(header[c]);
        if (field == NULL)
            continue;
        MapBinding binding = {field, (int)c, -1, field->factor, NULL};
        g_array_append_val(mapping->bindings, binding);
    }
    return mapping;
}
