/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GKeyFile says no line in its errors, merges what is given twice and takes unknown keys. So the
 * text is read line by line here; only the grammar is GKeyFile's: [group], key=value, # comments.
 */
#include "logger/config.h"
#include "formats/radio.h"
#include "logger/config-table.h"

#include <errno.h>
#include <math.h>
#include <string.h>

G_DEFINE_QUARK(corridor - config - error, config_error)

#define MAX_FILE_SIZE (1024 * 1024)
#define SHORTEST_HASH 6 /* of an IMEI: eight modems are told apart */

/* One section being filled. */
typedef struct {
    const ConfigSection *section;
    char *struct_at; /* its values */
    gboolean *given; /* per row */
    unsigned line;
} Filling;

typedef struct {
    const char *path;
    unsigned line;
    Config *config;
    Filling now;
    GHashTable *seen; /* headings */
    unsigned gps_line;
} Reader;

static gboolean fail(const Reader *reader, GError **error, int code, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static gboolean fail(const Reader *reader, GError **error, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, CONFIG_ERROR, code, "%s:%u: %s", reader->path, reader->line, text);
    return FALSE;
}

/* Edit distance, for "did you mean": short words only. */
static unsigned distance(const char *a, const char *b)
{
    enum { MAX = 40 };
    size_t n = strlen(a), m = strlen(b);
    if (n >= MAX || m >= MAX)
        return MAX;
    unsigned row[MAX];
    for (size_t j = 0; j <= m; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned above = row[j];
            unsigned change = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = MIN(change, MIN(above, row[j - 1]) + 1);
            corner = above;
        }
    }
    return row[m];
}

static const char *nearest_key(const ConfigSection *section, const char *key)
{
    const char *best = NULL;
    unsigned least = 1000;
    for (unsigned i = 0; i < section->n_rows; i++) {
        unsigned d = distance(section->rows[i].name, key);
        if (d < least) {
            least = d;
            best = section->rows[i].name;
        }
    }
    return best;
}

static const char *nearest_section(const char *name)
{
    const char *best = NULL;
    unsigned least = 1000;
    for (int i = 0; config_sections[i] != NULL; i++) {
        unsigned d = distance(config_sections[i]->name, name);
        if (d < least) {
            least = d;
            best = config_sections[i]->name;
        }
    }
    return best;
}

typedef struct {
    const char *name;
    double factor;
} Unit;

static const Unit duration_units[] = {{"ms", 1e-3}, {"s", 1},       {"min", 60},
                                      {"h", 3600},  {"d", 86400.0}, {NULL, 0}};
static const Unit size_units[] = {
    {"B", 1},        {"kB", 1e3},        {"MB", 1e6},           {"GB", 1e9},
    {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {NULL, 0}};

static gboolean number_with_unit(const char *text, const Unit *units, double *value)
{
    char *end = NULL;
    double number = g_ascii_strtod(text, &end);
    if (end == text || !isfinite(number))
        return FALSE;
    while (*end == ' ')
        end++;
    for (const Unit *unit = units; unit->name != NULL; unit++)
        if (strcmp(end, unit->name) == 0) {
            *value = number * unit->factor;
            return TRUE;
        }
    return FALSE;
}

static gboolean in_range(const Reader *reader, const ConfigRow *row, const char *text, double value,
                         GError **error)
{
    if (value >= row->minimum && value <= row->maximum)
        return TRUE;
    const char *unit = row->type == CONFIG_DURATION ? " s" : row->type == CONFIG_SIZE ? " B" : "";
    return fail(reader, error, CONFIG_ERROR_VALUE,
                "%s = %s is out of range; allowed is %.15g%s to %.15g%s", row->name, text,
                row->minimum, unit, row->maximum, unit);
}

static gboolean set_choice(const Reader *reader, const ConfigRow *row, const char *text, int *field,
                           GError **error)
{
    for (int i = 0; row->choices[i] != NULL; i++)
        if (strcmp(row->choices[i], text) == 0) {
            *field = i;
            return TRUE;
        }
    g_autofree char *words = g_strjoinv(", ", (char **)(guintptr)row->choices);
    return fail(reader, error, CONFIG_ERROR_VALUE, "%s = %s is none of: %s", row->name, text,
                words);
}

static gboolean set_real(const Reader *reader, const ConfigRow *row, const char *text,
                         double *field, GError **error)
{
    Unit units[] = {{row->unit != NULL ? row->unit : "", 1}, {NULL, 0}};
    double value = 0;
    if (!number_with_unit(text, units, &value))
        return fail(reader, error, CONFIG_ERROR_VALUE, "%s = %s is not a number%s%s", row->name,
                    text, row->unit != NULL ? " followed by its unit, " : "",
                    row->unit != NULL ? row->unit : "");
    if (!in_range(reader, row, text, value, error))
        return FALSE;
    *field = value;
    return TRUE;
}

static gboolean set_value(const Reader *reader, const ConfigRow *row, const char *text, char *at,
                          GError **error)
{
    gpointer field = at + row->offset;
    double value = 0;
    switch (row->type) {
    case CONFIG_TEXT:
        g_free(*(char **)field);
        *(char **)field = text != NULL && *text != '\0' ? g_strdup(text) : NULL;
        return TRUE;
    case CONFIG_BOOL:
        if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
            return fail(reader, error, CONFIG_ERROR_VALUE, "%s = %s is neither yes nor no",
                        row->name, text);
        *(gboolean *)field = text[0] == 'y';
        return TRUE;
    case CONFIG_CHOICE:
        return set_choice(reader, row, text, field, error);
    case CONFIG_REAL:
        return set_real(reader, row, text, field, error);
    case CONFIG_INT: {
        gint64 number = 0;
        if (!g_ascii_string_to_signed(text, 10, (gint64)row->minimum, (gint64)row->maximum, &number,
                                      NULL))
            return fail(reader, error, CONFIG_ERROR_VALUE,
                        "%s = %s is not a whole number from %.0f to %.0f", row->name, text,
                        row->minimum, row->maximum);
        *(gint64 *)field = number;
        return TRUE;
    }
    case CONFIG_DURATION:
        if (!number_with_unit(text, duration_units, &value))
            return fail(reader, error, CONFIG_ERROR_VALUE,
                        "%s = %s is not a time; write a number and ms, s, min, h or d", row->name,
                        text);
        if (!in_range(reader, row, text, value, error))
            return FALSE;
        *(gint64 *)field = (gint64)(value * 1e9);
        return TRUE;
    case CONFIG_SIZE:
        if (!number_with_unit(text, size_units, &value))
            return fail(reader, error, CONFIG_ERROR_VALUE,
                        "%s = %s is not a size; write a number and B, kB, MB, GB, KiB, MiB or GiB",
                        row->name, text);
        if (!in_range(reader, row, text, value, error))
            return FALSE;
        *(gint64 *)field = (gint64)value;
        return TRUE;
    }
    return TRUE;
}

static void set_defaults(const ConfigSection *section, char *at)
{
    Reader none = {.path = "default"};
    for (unsigned i = 0; i < section->n_rows; i++) {
        const ConfigRow *row = &section->rows[i];
        if (row->default_value != NULL) {
            gboolean ok = set_value(&none, row, row->default_value, at, NULL);
            g_assert(ok);
        } else if (row->type == CONFIG_REAL) {
            *(double *)(gpointer)(at + row->offset) = (double)NAN;
        }
    }
}

static void free_struct(const ConfigSection *section, char *at)
{
    for (unsigned i = 0; i < section->n_rows; i++)
        if (section->rows[i].type == CONFIG_TEXT)
            g_free(*(char **)(gpointer)(at + section->rows[i].offset));
    if (section->many)
        g_free(((ConfigLabel *)(gpointer)at)->label);
}

static gpointer own_struct(Config *config, const ConfigSection *section)
{
    const struct {
        const ConfigSection *section;
        gpointer at;
    } own[] = {
        {&config_section_vehicle, &config->vehicle},   {&config_section_store, &config->store},
        {&config_section_identity, &config->identity}, {&config_section_gps, &config->gps},
        {&config_section_status, &config->status},     {&config_section_modem, config->modems},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
        if (own[i].section == section)
            return own[i].at;
    return g_hash_table_lookup(config->sections, section->name);
}

gpointer config_section(const Config *config, const char *name)
{
    for (int i = 0; config_sections[i] != NULL; i++)
        if (strcmp(config_sections[i]->name, name) == 0)
            return own_struct((Config *)(gpointer)(guintptr)config, config_sections[i]);
    return NULL;
}

static Config *config_new(const char *path)
{
    Config *config = g_new0(Config, 1);
    config->path = g_strdup(path);
    config->modems = g_ptr_array_new();
    config->sections = g_hash_table_new(g_str_hash, g_str_equal);
    for (int i = 0; config_sections[i] != NULL; i++) {
        const ConfigSection *section = config_sections[i];
        gpointer at = own_struct(config, section);
        if (at == NULL) {
            at = section->many ? (gpointer)g_ptr_array_new() : g_malloc0(section->size);
            g_hash_table_insert(config->sections, (gpointer)(guintptr)section->name, at);
        }
        if (!section->many)
            set_defaults(section, at);
    }
    return config;
}

void config_free(Config *config)
{
    if (config == NULL)
        return;
    for (int i = 0; config_sections[i] != NULL; i++) {
        const ConfigSection *section = config_sections[i];
        gpointer at = own_struct(config, section);
        if (section->many) {
            GPtrArray *list = at;
            for (guint j = 0; j < list->len; j++) {
                free_struct(section, g_ptr_array_index(list, j));
                g_free(g_ptr_array_index(list, j));
            }
            g_ptr_array_unref(list);
        } else {
            free_struct(section, at);
            if (g_hash_table_contains(config->sections, section->name))
                g_free(at);
        }
    }
    g_hash_table_unref(config->sections);
    g_free(config->path);
    g_free(config->text);
    g_free(config);
}

static gboolean begin_section(Reader *reader, char *heading, GError **error)
{
    g_strstrip(heading);
    char *label = strpbrk(heading, " \t");
    if (label != NULL) {
        *label++ = '\0';
        g_strstrip(label);
    }
    const ConfigSection *section = NULL;
    for (int i = 0; config_sections[i] != NULL && section == NULL; i++)
        if (strcmp(config_sections[i]->name, heading) == 0)
            section = config_sections[i];
    if (section == NULL)
        return fail(reader, error, CONFIG_ERROR_KEY, "unknown section [%s]; did you mean [%s]?",
                    heading, nearest_section(heading));
    if (section->many && (label == NULL || *label == '\0'))
        return fail(reader, error, CONFIG_ERROR_KEY, "[%s] needs a label, for example [%s north]",
                    heading, heading);
    if (!section->many && label != NULL && *label != '\0')
        return fail(reader, error, CONFIG_ERROR_KEY, "[%s] takes no label; remove \"%s\"", heading,
                    label);
    g_autofree char *key = g_strconcat(section->name, " ", section->many ? label : "", NULL);
    gpointer earlier = g_hash_table_lookup(reader->seen, key);
    if (earlier != NULL)
        return fail(reader, error, CONFIG_ERROR_KEY,
                    "section given twice, first in line %u; join the two",
                    GPOINTER_TO_UINT(earlier));
    g_hash_table_insert(reader->seen, g_steal_pointer(&key), GUINT_TO_POINTER(reader->line));
    gpointer at = own_struct(reader->config, section);
    if (section == &config_section_gps)
        reader->gps_line = reader->line;
    if (section->many) {
        ConfigLabel *head = g_malloc0(section->size);
        set_defaults(section, (char *)head);
        head->label = g_strdup(label);
        head->line = reader->line;
        g_ptr_array_add(at, head);
        at = head;
    }
    g_free(reader->now.given);
    reader->now = (Filling){.section = section,
                            .struct_at = at,
                            .given = g_new0(gboolean, section->n_rows),
                            .line = reader->line};
    return TRUE;
}

static gboolean take_key(Reader *reader, char *line, GError **error)
{
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return fail(reader, error, CONFIG_ERROR_SYNTAX,
                    "neither [section], key = value nor # comment");
    if (reader->now.section == NULL)
        return fail(reader, error, CONFIG_ERROR_SYNTAX, "a key before the first [section]");
    *equals = '\0';
    const char *key = g_strstrip(line);
    const char *value = g_strstrip(equals + 1);
    const ConfigSection *section = reader->now.section;
    for (unsigned i = 0; i < section->n_rows; i++) {
        if (strcmp(section->rows[i].name, key) != 0)
            continue;
        if (reader->now.given[i])
            return fail(reader, error, CONFIG_ERROR_KEY, "%s is given twice in [%s]", key,
                        section->name);
        reader->now.given[i] = TRUE;
        return set_value(reader, &section->rows[i], value, reader->now.struct_at, error);
    }
    return fail(reader, error, CONFIG_ERROR_KEY, "unknown key %s in [%s]; did you mean %s?", key,
                section->name, nearest_key(section, key));
}

static gboolean read_line(Reader *reader, char *line, GError **error)
{
    g_strstrip(line);
    if (*line == '\0' || *line == '#')
        return TRUE;
    if (*line != '[')
        return take_key(reader, line, error);
    size_t n = strlen(line);
    if (line[n - 1] != ']')
        return fail(reader, error, CONFIG_ERROR_SYNTAX, "a section's heading ends with ]");
    line[n - 1] = '\0';
    return begin_section(reader, line + 1, error);
}

static gboolean is_other_modem(const Reader *reader, const ConfigModem *modem,
                               const ConfigModem *other, GError **error)
{
    if (other->driver == DRIVER_REPLAY)
        return TRUE;
    const char *a = modem->imei_hash, *b = other->imei_hash;
    if (a != NULL && b != NULL) {
        if (!g_str_has_prefix(a, b) && !g_str_has_prefix(b, a))
            return TRUE;
        return fail(reader, error, CONFIG_ERROR_VALUE,
                    "modem %s has the same imei-hash as %s (line %u)", modem->head.label,
                    other->head.label, other->head.line);
    }
    if (a != NULL || b != NULL || g_strcmp0(modem->device, other->device) != 0 ||
        g_strcmp0(modem->usb_path, other->usb_path) != 0)
        return TRUE;
    return fail(reader, error, CONFIG_ERROR_VALUE, "modem %s has the same device as %s (line %u)",
                modem->head.label, other->head.label, other->head.line);
}

/* What no single row can say. */
static gboolean check_modems(Reader *reader, GError **error)
{
    GPtrArray *modems = reader->config->modems;
    for (guint i = 0; i < modems->len; i++) {
        const ConfigModem *modem = g_ptr_array_index(modems, i);
        reader->line = modem->head.line;
        if (modem->driver == DRIVER_REPLAY) {
            if (modem->replay_file == NULL)
                return fail(reader, error, CONFIG_ERROR_VALUE,
                            "modem %s replays nothing; give file = …", modem->head.label);
            continue;
        }
        if (modem->device == NULL && modem->usb_path == NULL && modem->imei_hash == NULL)
            return fail(reader, error, CONFIG_ERROR_VALUE,
                        "modem %s has no device; give device, usb-path or imei-hash",
                        modem->head.label);
        if (modem->home_plmn != NULL && !radio_is_plmn(modem->home_plmn))
            return fail(reader, error, CONFIG_ERROR_VALUE,
                        "modem %s: home-plmn = %s is not 5 or 6 digits", modem->head.label,
                        modem->home_plmn);
        if (modem->imei_hash != NULL && strlen(modem->imei_hash) < SHORTEST_HASH)
            return fail(reader, error, CONFIG_ERROR_VALUE,
                        "modem %s: imei-hash = %s is too short; give at least %d characters",
                        modem->head.label, modem->imei_hash, SHORTEST_HASH);
        for (guint j = 0; j < i; j++)
            if (!is_other_modem(reader, modem, g_ptr_array_index(modems, j), error))
                return FALSE;
    }
    return TRUE;
}

static gboolean check_gps(Reader *reader, GError **error)
{
    const ConfigGps *gps = &reader->config->gps;
    reader->line = reader->gps_line;
    return !gps->enabled || gps->driver != GPS_REPLAY || gps->replay_file != NULL ||
           fail(reader, error, CONFIG_ERROR_VALUE, "gps replays nothing; give file = …");
}

/* The text goes into each drive, which others get: without user and password in addresses. */
static char *for_drives(const char *text, gsize length)
{
    g_autoptr(GRegex) secret = g_regex_new("://[^/@\\s]*@", G_REGEX_DEFAULT, 0, NULL);
    return g_regex_replace_literal(secret, text, (gssize)length, 0, "://", 0, NULL);
}

Config *config_parse(const char *path, const char *text, gsize length, GError **error)
{
    Reader reader = {.path = path};
    const char *end = NULL;
    if (!g_utf8_validate(text, (gssize)length, &end)) {
        reader.line = 1;
        for (const char *at = text; at < end; at++)
            reader.line += *at == '\n' ? 1 : 0;
        fail(&reader, error, CONFIG_ERROR_SYNTAX, "not UTF-8 text; save the file as UTF-8");
        return NULL;
    }
    g_autoptr(Config) config = config_new(path);
    config->text = for_drives(text, length);
    reader.config = config;
    reader.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *whole = g_strndup(text, length);
    g_auto(GStrv) lines = g_strsplit(whole, "\n", -1);
    gboolean ok = TRUE;
    for (guint i = 0; ok && lines[i] != NULL; i++) {
        reader.line = i + 1;
        ok = read_line(&reader, lines[i], error);
    }
    ok = ok && check_gps(&reader, error) && check_modems(&reader, error);
    g_hash_table_unref(reader.seen);
    g_free(reader.now.given);
    return ok ? g_steal_pointer(&config) : NULL;
}

Config *config_load(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(path, &text, &length, &local)) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_FILE,
                    "%s: cannot be read: %s; `corridor-logger sample` shows what goes in it", path,
                    g_strerror(g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_ACCES)   ? EACCES
                               : g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? ENOENT
                                                                                          : EIO));
        return NULL;
    }
    if (length > MAX_FILE_SIZE) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_FILE,
                    "%s: too big for a configuration (%zu bytes)", path, length);
        return NULL;
    }
    return config_parse(path, text, length, error);
}

char *config_identity_key(const Config *config)
{
    if (config->identity.clear)
        return NULL;
    return config->identity.key_file != NULL
               ? g_strdup(config->identity.key_file)
               : g_build_filename(config->store.folder, "identity.key", NULL);
}

char *config_sample(void)
{
    GString *out =
        g_string_new("# Configuration of corridor-logger, see corridor-logger.conf(5).\n"
                     "# Each key is shown with its default; remove the # to change it.\n");
    for (int i = 0; config_sections[i] != NULL; i++) {
        const ConfigSection *section = config_sections[i];
        g_string_append_printf(out, "\n# %s\n%s[%s%s]\n", section->help, section->many ? "#" : "",
                               section->name, section->many ? " north" : "");
        for (unsigned j = 0; j < section->n_rows; j++) {
            const ConfigRow *row = &section->rows[j];
            g_string_append_printf(out, "# %s\n#%s = %s\n", row->help, row->name,
                                   row->default_value != NULL ? row->default_value : "");
        }
    }
    return g_string_free(out, FALSE);
}
