/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/scenario-reader.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct ScenarioReader {
    char *name;
    GKeyFile *file;
    GStrv groups;
    GHashTable *lines; /* "group\nkey" or "group" -> line */
    GHashTable *asked; /* "group\nkey" */
    GError *error;     /* the first one */
};

G_DEFINE_QUARK(corridor - rig - scenario, scenario_error)

static char *full_key(const char *group, const char *key)
{
    return key != NULL ? g_strconcat(group, "\n", key, NULL) : g_strdup(group);
}

/* Notes where each group and key stands; refuses doubles. */
static gboolean index_lines(ScenarioReader *reader, const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *group = NULL;
    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = g_strstrip(lines[i]);
        char *name = NULL;
        if (line[0] == '[' && strchr(line, ']') != NULL) {
            g_free(group);
            group = g_strndup(line + 1, (gsize)(strchr(line, ']') - line - 1));
            name = g_strdup(group);
        } else if (line[0] != '#' && strchr(line, '=') != NULL && group != NULL) {
            g_autofree char *key = g_strndup(line, (gsize)(strchr(line, '=') - line));
            name = full_key(group, g_strchomp(key));
        } else {
            continue;
        }
        if (!g_hash_table_insert(reader->lines, name, GUINT_TO_POINTER(i + 1))) {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_SYNTAX,
                        "%s:%u: given twice; keep one of them", reader->name, i + 1);
            return FALSE;
        }
    }
    return TRUE;
}

ScenarioReader *scenario_reader_new_from_text(const char *name, const char *text, GError **error)
{
    g_autoptr(ScenarioReader) reader = g_new0(ScenarioReader, 1);
    reader->name = g_strdup(name);
    reader->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    reader->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    reader->file = g_key_file_new();
    g_autoptr(GError) why = NULL;
    if (!g_key_file_load_from_data(reader->file, text, (gsize)-1, G_KEY_FILE_NONE, &why)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_SYNTAX, "%s: %s", name, why->message);
        return NULL;
    }
    if (!index_lines(reader, text, error))
        return NULL;
    reader->groups = g_key_file_get_groups(reader->file, NULL);
    return g_steal_pointer(&reader);
}

ScenarioReader *scenario_reader_new(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;
    if (!g_file_get_contents(path, &text, NULL, &why)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_SYNTAX, "%s: %s", path, why->message);
        return NULL;
    }
    return scenario_reader_new_from_text(path, text, error);
}

void scenario_reader_free(ScenarioReader *reader)
{
    if (reader == NULL)
        return;
    g_free(reader->name);
    g_clear_pointer(&reader->file, g_key_file_free);
    g_strfreev(reader->groups);
    g_clear_pointer(&reader->lines, g_hash_table_unref);
    g_clear_pointer(&reader->asked, g_hash_table_unref);
    g_clear_error(&reader->error);
    g_free(reader);
}

const char *const *scenario_reader_groups(const ScenarioReader *reader)
{
    return (const char *const *)reader->groups;
}

static guint line_of(const ScenarioReader *reader, const char *group, const char *key)
{
    g_autofree char *name = full_key(group, key);
    gpointer line = g_hash_table_lookup(reader->lines, name);
    return line != NULL ? GPOINTER_TO_UINT(line)
                        : GPOINTER_TO_UINT(g_hash_table_lookup(reader->lines, group));
}

void scenario_reader_refuse(ScenarioReader *reader, const char *group, const char *key,
                            const char *format, ...)
{
    if (reader->error != NULL)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    reader->error = g_error_new(SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "%s:%u: [%s]%s%s: %s",
                                reader->name, line_of(reader, group, key), group,
                                key != NULL ? " " : "", key != NULL ? key : "", what);
}

gboolean scenario_reader_has(const ScenarioReader *reader, const char *group, const char *key)
{
    return g_key_file_has_key(reader->file, group, key, NULL);
}

char *scenario_reader_text(ScenarioReader *reader, const char *group, const char *key,
                           const char *fallback)
{
    g_hash_table_add(reader->asked, full_key(group, key));
    char *value = g_key_file_get_string(reader->file, group, key, NULL);
    return value != NULL ? g_strstrip(value) : g_strdup(fallback);
}

double scenario_reader_double(ScenarioReader *reader, const char *group, const char *key,
                              double fallback, double low, double high)
{
    g_autofree char *text = scenario_reader_text(reader, group, key, NULL);
    if (text == NULL)
        return fallback;
    char *end = NULL;
    double value = g_ascii_strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < low || value > high) {
        scenario_reader_refuse(reader, group, key, "\"%s\" is not a number from %g to %g", text,
                               low, high);
        return fallback;
    }
    return value;
}

gint64 scenario_reader_int(ScenarioReader *reader, const char *group, const char *key,
                           gint64 fallback, gint64 low, gint64 high)
{
    g_autofree char *text = scenario_reader_text(reader, group, key, NULL);
    if (text == NULL)
        return fallback;
    char *end = NULL;
    errno = 0;
    gint64 value = g_ascii_strtoll(text, &end, g_str_has_prefix(text, "0x") ? 16 : 10);
    if (end == text || *end != '\0' || errno != 0 || value < low || value > high) {
        scenario_reader_refuse(reader, group, key,
                               "\"%s\" is not a whole number from %" G_GINT64_FORMAT
                               " to %" G_GINT64_FORMAT,
                               text, low, high);
        return fallback;
    }
    return value;
}

int scenario_reader_word(ScenarioReader *reader, const char *group, const char *key, int fallback,
                         const char *const *words)
{
    g_autofree char *text = scenario_reader_text(reader, group, key, NULL);
    if (text == NULL)
        return fallback;
    for (int i = 0; words[i] != NULL; i++) {
        if (g_str_equal(words[i], text))
            return i;
    }
    g_autoptr(GString) list = g_string_new(words[0]);
    for (int i = 1; words[i] != NULL; i++)
        g_string_append_printf(list, ", %s", words[i]);
    scenario_reader_refuse(reader, group, key, "\"%s\" is none of: %s", text, list->str);
    return fallback;
}

gboolean scenario_reader_bool(ScenarioReader *reader, const char *group, const char *key,
                              gboolean fallback)
{
    static const char *const words[] = {"no", "yes", NULL};
    return scenario_reader_word(reader, group, key, fallback, words) == 1;
}

gboolean scenario_reader_done(ScenarioReader *reader, GError **error)
{
    for (guint i = 0; reader->groups[i] != NULL && reader->error == NULL; i++) {
        g_auto(GStrv) keys = g_key_file_get_keys(reader->file, reader->groups[i], NULL, NULL);
        for (guint k = 0; keys != NULL && keys[k] != NULL; k++) {
            g_autofree char *name = full_key(reader->groups[i], keys[k]);
            if (!g_hash_table_contains(reader->asked, name))
                scenario_reader_refuse(reader, reader->groups[i], keys[k],
                                       "no such key here; see corridor-scenario(5)");
        }
    }
    if (reader->error == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&reader->error));
    return FALSE;
}
