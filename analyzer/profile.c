/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile.h"

#include "corridor-profiles.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>

G_DEFINE_QUARK(corridor - profile - error - quark, profile_error)

#define RESOURCE_FOLDER "/corridor/profiles/"
#define CHOSEN          "chosen by the project"

static const struct {
    const char *name, *unit;
} quantities[QUANTITY_COUNT] = {
    [QUANTITY_LEVEL] = {"level", "dBm"},  [QUANTITY_STATE] = {"state", ""},
    [QUANTITY_RTT] = {"rtt", "ms"},       [QUANTITY_LOSS] = {"loss", "%"},
    [QUANTITY_DOWN] = {"down", "Mbit/s"}, [QUANTITY_UP] = {"up", "Mbit/s"},
    [QUANTITY_MEETING] = {"meeting", ""},
};
static const char *const technologies[TECH_COUNT] = {"GSM", "UMTS", "LTE", "NR"};

const char *quantity_name(Quantity quantity)
{
    return quantities[quantity].name;
}

const char *quantity_unit(Quantity quantity)
{
    return quantities[quantity].unit;
}

int quantity_by_name(const char *name)
{
    for (int q = 0; name != NULL && q < QUANTITY_COUNT; q++)
        if (strcmp(name, quantities[q].name) == 0)
            return q;
    return -1;
}

const char *technology_name(Technology technology)
{
    return technologies[technology];
}

int technology_by_name(const char *name)
{
    for (int t = 0; name != NULL && t < TECH_COUNT; t++)
        if (strcmp(name, technologies[t]) == 0)
            return t;
    return -1;
}

/* GKeyFile knows no lines and merges what is given twice: the text is read once before it to note
 * where each group and key stands, and to refuse the second one. */
typedef struct {
    const char *path;
    GKeyFile *keys;
    GHashTable *line; /* "group" or "group\nkey" -> line number */
} Source;

G_GNUC_PRINTF(4, 5)
static gboolean refuse(const Source *source, unsigned line, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, PROFILE_ERROR, PROFILE_ERROR_INVALID, "%s:%u: %s", source->path, line, text);
    return FALSE;
}

static unsigned line_of(const Source *source, const char *group, const char *key)
{
    g_autofree char *name = key ? g_strconcat(group, "\n", key, NULL) : g_strdup(group);
    return GPOINTER_TO_UINT(g_hash_table_lookup(source->line, name));
}

static gboolean note(Source *source, char *name, unsigned line, const char *what, GError **error)
{
    g_autofree char *owned = name;
    unsigned before = GPOINTER_TO_UINT(g_hash_table_lookup(source->line, name));
    if (before != 0)
        return refuse(source, line, error, "%s is given twice, first in line %u; remove one", what,
                      before);
    g_hash_table_insert(source->line, g_steal_pointer(&owned), GUINT_TO_POINTER(line));
    return TRUE;
}

static gboolean index_lines(Source *source, const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *group = NULL;
    for (unsigned i = 0; lines[i] != NULL; i++) {
        char *line = g_strstrip(lines[i]);
        if (line[0] == '\0' || line[0] == '#')
            continue;
        size_t n = strlen(line);
        if (line[0] == '[' && line[n - 1] == ']') {
            g_free(group);
            group = g_strndup(line + 1, n - 2);
            g_autofree char *what = g_strdup_printf("[%s]", group);
            if (!note(source, g_strdup(group), i + 1, what, error))
                return FALSE;
            continue;
        }
        char *equal = strchr(line, '=');
        if (equal == NULL || group == NULL)
            return refuse(source, i + 1, error, "%s; write [group] or key=value",
                          group ? "neither a group nor a key" : "stands before the first group");
        *equal = '\0';
        g_strchomp(line);
        if (!note(source, g_strconcat(group, "\n", line, NULL), i + 1, line, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean check_keys(const Source *source, const char *group, const char *const *known,
                           GError **error)
{
    g_auto(GStrv) keys = g_key_file_get_keys(source->keys, group, NULL, NULL);
    for (char **key = keys; key != NULL && *key != NULL; key++)
        if (!g_strv_contains(known, *key)) {
            g_autoptr(GString) all = g_string_new(known[0]);
            for (const char *const *k = known + 1; *k != NULL; k++)
                g_string_append_printf(all, ", %s", *k);
            return refuse(source, line_of(source, group, *key), error,
                          "%s is not a key of [%s]; known: %s", *key, group, all->str);
        }
    return TRUE;
}

static char *text_value(const Source *source, const char *group, const char *key)
{
    char *text = g_key_file_get_value(source->keys, group, key, NULL);
    if (text != NULL && *g_strstrip(text) == '\0')
        g_clear_pointer(&text, g_free);
    return text;
}

/* Reads a number if the key is there. */
static gboolean number_value(const Source *source, const char *group, const char *key, double low,
                             double high, gboolean *found, double *value, GError **error)
{
    g_autofree char *text = text_value(source, group, key);
    *found = text != NULL;
    if (text == NULL)
        return TRUE;
    char *end;
    double v = g_ascii_strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v))
        return refuse(source, line_of(source, group, key), error, "%s=%s is not a number", key,
                      text);
    if (v < low || v > high)
        return refuse(source, line_of(source, group, key), error, "%s=%s lies outside %g..%g", key,
                      text, low, high);
    *value = v;
    return TRUE;
}

static gboolean read_levels(const Source *source, const char *group, Service *service,
                            GError **error)
{
    unsigned n = 0;
    for (unsigned t = 0; t < TECH_COUNT; t++) {
        gboolean found;
        if (!number_value(source, group, technologies[t], -156, -31, &found, &service->level_dbm[t],
                          error))
            return FALSE;
        service->has_level[t] = found;
        n += found ? 1 : 0;
        if (found && service->quantity != QUANTITY_LEVEL && service->quantity != QUANTITY_STATE)
            return refuse(source, line_of(source, group, technologies[t]), error,
                          "%s belongs to quantity=level or state", technologies[t]);
    }
    if (n == 0 && service->quantity == QUANTITY_LEVEL)
        return refuse(source, service->line, error,
                      "[%s] has no threshold; give GSM=, UMTS=, LTE= or NR= in dBm", group);
    return TRUE;
}

static gboolean read_limit(const Source *source, const char *group, Service *service,
                           GError **error)
{
    if (service->quantity == QUANTITY_MEETING) {
        g_autofree char *grade = text_value(source, group, "grade");
        if (g_strcmp0(grade, "green") != 0 && g_strcmp0(grade, "yellow") != 0)
            return refuse(source, grade ? line_of(source, group, "grade") : service->line, error,
                          "quantity=meeting needs grade=green or grade=yellow");
        service->limit = grade[0] == 'g' ? 1.0 : 2.0;
        return TRUE;
    }
    gboolean found;
    if (!number_value(source, group, "limit", 0, 1e6, &found, &service->limit, error))
        return FALSE;
    gboolean wanted = service->quantity != QUANTITY_LEVEL && service->quantity != QUANTITY_STATE;
    if (found != wanted)
        return refuse(source, found ? line_of(source, group, "limit") : service->line, error,
                      wanted ? "quantity=%s needs limit= in %s" : "quantity=%s has no limit=%s",
                      quantity_name(service->quantity),
                      wanted ? quantity_unit(service->quantity) : "");
    return TRUE;
}

static gboolean read_evidence(const Source *source, const char *group, Service *service,
                              GError **error)
{
    gboolean found;
    double required = 0.5, samples = 1, passes = 1, days = 1;
    if (!number_value(source, group, "required", 0.01, 0.999, &found, &required, error))
        return FALSE;
    if (!found)
        return refuse(source, service->line, error,
                      "[%s] has no required=: the share of the way that must have the service",
                      group);
    if (!number_value(source, group, "min_samples", 1, 1e6, &found, &samples, error) ||
        !number_value(source, group, "min_passes", 1, 1e4, &found, &passes, error) ||
        !number_value(source, group, "min_days", 1, 1e4, &found, &days, error))
        return FALSE;
    service->required = required;
    service->min_samples = (unsigned)samples;
    service->min_passes = (unsigned)passes;
    service->min_days = (unsigned)days;
    service->threshold_source = text_value(source, group, "threshold_source");
    service->required_source = text_value(source, group, "required_source");
    service->link = text_value(source, group, "link");
    if (service->threshold_source == NULL || service->required_source == NULL)
        return refuse(source, service->line, error,
                      "[%s] does not say where its numbers come from; give threshold_source= and "
                      "required_source=, if need be \"" CHOSEN "\"",
                      group);
    return TRUE;
}

static gboolean is_id(const char *id)
{
    /* their columns would be those of the figures themselves: corridor-out(5) */
    static const char *const taken[] = {"down", "up", "rtt", "loss", "meeting", NULL};
    if (g_strv_contains(taken, id))
        return FALSE;
    if (!g_ascii_islower(id[0]))
        return FALSE;
    for (const char *p = id; *p != '\0'; p++)
        if (!g_ascii_islower(*p) && !g_ascii_isdigit(*p) && *p != '_')
            return FALSE;
    return strlen(id) <= 40;
}

static gboolean read_service(const Source *source, const char *group, Service *service,
                             GError **error)
{
    static const char *const known[] = {"title",
                                        "quantity",
                                        "GSM",
                                        "UMTS",
                                        "LTE",
                                        "NR",
                                        "limit",
                                        "grade",
                                        "limited",
                                        "required",
                                        "min_days",
                                        "min_samples",
                                        "min_passes",
                                        "link",
                                        "threshold_source",
                                        "required_source",
                                        NULL};
    service->line = line_of(source, group, NULL);
    service->id = g_strstrip(g_strdup(group + strlen("service")));
    if (!is_id(service->id))
        return refuse(
            source, service->line, error,
            "\"%s\" is not an id of a service; use a-z, 0-9 and _, a letter first, and not down, "
            "up, rtt, loss or meeting",
            service->id);
    if (!check_keys(source, group, known, error))
        return FALSE;
    service->title = text_value(source, group, "title");
    if (service->title == NULL)
        return refuse(source, service->line, error, "[%s] has no title=", group);
    g_autofree char *quantity = text_value(source, group, "quantity");
    int q = quantity_by_name(quantity);
    if (q < 0)
        return refuse(source, quantity ? line_of(source, group, "quantity") : service->line, error,
                      "quantity is to be level, state, rtt, loss, down, up or meeting");
    service->quantity = (Quantity)q;
    g_autofree char *limited = text_value(source, group, "limited");
    if (limited != NULL && strcmp(limited, "yes") != 0 && strcmp(limited, "no") != 0)
        return refuse(source, line_of(source, group, "limited"), error,
                      "limited= is to be yes or no");
    service->limited_counts = g_strcmp0(limited, "yes") == 0;
    return read_levels(source, group, service, error) &&
           read_limit(source, group, service, error) &&
           read_evidence(source, group, service, error);
}

static gboolean same_demand(const Service *a, const Service *b)
{
    if (a->quantity != b->quantity || a->limit != b->limit || a->required != b->required ||
        a->limited_counts != b->limited_counts || a->min_samples != b->min_samples ||
        a->min_passes != b->min_passes || a->min_days != b->min_days)
        return FALSE;
    for (unsigned t = 0; t < TECH_COUNT; t++)
        if (a->has_level[t] != b->has_level[t] ||
            (a->has_level[t] && a->level_dbm[t] != b->level_dbm[t]))
            return FALSE;
    return TRUE;
}

static gboolean read_groups(const Source *source, Profile *profile, GError **error)
{
    static const char *const known[] = {"id", "title", NULL};
    gsize n;
    g_auto(GStrv) groups = g_key_file_get_groups(source->keys, &n);
    profile->services = g_new0(Service, MAX(n, 1));
    for (gsize i = 0; i < n; i++) {
        if (strcmp(groups[i], "profile") == 0) {
            if (!check_keys(source, groups[i], known, error))
                return FALSE;
            profile->id = text_value(source, groups[i], "id");
            profile->title = text_value(source, groups[i], "title");
            continue;
        }
        if (!g_str_has_prefix(groups[i], "service "))
            return refuse(source, line_of(source, groups[i], NULL), error,
                          "[%s] is neither [profile] nor [service ID]", groups[i]);
        Service *service = &profile->services[profile->n_services++];
        if (!read_service(source, groups[i], service, error))
            return FALSE;
        for (const Service *s = profile->services; s < service; s++) {
            if (strcmp(s->id, service->id) == 0)
                return refuse(source, service->line, error,
                              "service %s is given twice, first in line %u", s->id, s->line);
            if (same_demand(s, service))
                return refuse(source, service->line, error,
                              "service %s asks for the same as %s in line %u; remove one",
                              service->id, s->id, s->line);
        }
    }
    if (profile->id == NULL || profile->title == NULL)
        return refuse(source, 1, error, "there is no [profile] with id= and title=");
    if (profile->n_services == 0)
        return refuse(source, 1, error, "there is no service; add a group [service ID]");
    return TRUE;
}

Profile *profile_parse(const char *path, const char *text, gsize length, GError **error)
{
    g_autoptr(GKeyFile) keys = g_key_file_new();
    g_autoptr(GHashTable) line = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Source source = {path, keys, line};
    g_autofree char *copy = g_strndup(text, length);
    if (!g_utf8_validate(text, (gssize)length, NULL)) {
        refuse(&source, 1, error, "is not UTF-8 text");
        return NULL;
    }
    if (!index_lines(&source, copy, error))
        return NULL;
    g_autoptr(GError) local = NULL;
    if (!g_key_file_load_from_data(keys, text, length, G_KEY_FILE_NONE, &local)) {
        refuse(&source, 1, error, "%s", local->message);
        return NULL;
    }
    g_autoptr(Profile) profile = g_new0(Profile, 1);
    profile->path = g_strdup(path);
    profile->digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, length);
    if (!read_groups(&source, profile, error))
        return NULL;
    return g_steal_pointer(&profile);
}

Profile *profile_load(const char *name_or_path, GError **error)
{
    g_autofree char *resource = g_strconcat(RESOURCE_FOLDER, name_or_path, ".profile", NULL);
    g_autoptr(GBytes) bytes =
        strchr(name_or_path, '/') == NULL
            ? g_resource_lookup_data(corridor_profiles_get_resource(), resource, 0, NULL)
            : NULL;
    if (bytes != NULL) {
        gsize n;
        const char *text = g_bytes_get_data(bytes, &n);
        return profile_parse(name_or_path, text, n, error);
    }
    g_autofree char *text = NULL;
    gsize n;
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(name_or_path, &text, &n, &local)) {
        g_auto(GStrv) names = profile_names();
        g_autofree char *all = g_strjoinv(", ", names);
        g_set_error(error, PROFILE_ERROR, PROFILE_ERROR_FAILED,
                    "%s is neither a file nor one of the profiles %s", name_or_path, all);
        return NULL;
    }
    return profile_parse(name_or_path, text, n, error);
}

void profile_free(Profile *profile)
{
    if (profile == NULL)
        return;
    for (guint i = 0; i < profile->n_services; i++) {
        Service *s = &profile->services[i];
        g_free(s->id);
        g_free(s->title);
        g_free(s->threshold_source);
        g_free(s->required_source);
        g_free(s->link);
    }
    g_free(profile->services);
    g_free(profile->id);
    g_free(profile->title);
    g_free(profile->path);
    g_free(profile->digest);
    g_free(profile);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **profile_names(void)
{
    char **names =
        g_resource_enumerate_children(corridor_profiles_get_resource(), RESOURCE_FOLDER, 0, NULL);
    if (names == NULL)
        return g_new0(char *, 1);
    for (char **name = names; *name != NULL; name++)
        if (g_str_has_suffix(*name, ".profile"))
            (*name)[strlen(*name) - strlen(".profile")] = '\0';
    qsort(names, g_strv_length(names), sizeof *names, by_name);
    return names;
}
