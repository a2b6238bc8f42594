/* SPDX-License-Identifier: Apache-2.0 */
/* The status for people. */
#include "logger/status.h"

#include "formats/shown-text.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* Whatever answers at the socket: a member that is missing, or of another kind, is not there. An
 * object of NULL has no members. */
static JsonNode *member(JsonObject *object, const char *name)
{
    return object != NULL ? json_object_get_member(object, name) : NULL;
}

static JsonObject *object_in(JsonNode *node)
{
    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonObject *object_of(JsonObject *object, const char *name)
{
    return object_in(member(object, name));
}

static JsonArray *array_of(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name);
    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static guint length_of(JsonArray *array)
{
    return array != NULL ? json_array_get_length(array) : 0;
}

static const char *text_of(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name);
    const char *text = node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node)
                                                                   : NULL; /* NULL if no text */
    return text != NULL ? text : "";
}

static double real_or(JsonObject *object, const char *name, double otherwise)
{
    JsonNode *node = member(object, name);
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node))
        return otherwise;
    const GType type = json_node_get_value_type(node);
    return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double(node) : otherwise;
}

static double real_of(JsonObject *object, const char *name)
{
    return real_or(object, name, (double)NAN);
}

static gboolean is_true(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == G_TYPE_BOOLEAN && json_node_get_boolean(node);
}

/* "-97" or "–" */
static void add_number(GString *out, JsonObject *sample, const char *name, int width)
{
    const double value = real_of(sample, name);
    if (isfinite(value))
        g_string_append_printf(out, " %*.0f", width, value);
    else
        g_string_append_printf(out, " %*s", width, "-");
}

static void add_age(GString *out, double age_s)
{
    if (isnan(age_s))
        g_string_append(out, "      never");
    else if (age_s < 100)
        g_string_append_printf(out, " %6.1f s ago", age_s);
    else
        g_string_append_printf(out, " %4.0f min ago", age_s / 60);
}

static const char *level_of(JsonObject *sample)
{
    static const char *const names[] = {"rsrp_dbm", "rscp_dbm", "rxlev_dbm", "rssi_dbm"};
    for (size_t i = 0; sample != NULL && i < G_N_ELEMENTS(names); i++)
        if (json_object_has_member(sample, names[i]))
            return names[i];
    return names[0];
}

static void add_modem(GString *out, JsonObject *modem)
{
    JsonObject *sample = object_of(modem, "sample");
    gboolean running = strcmp(text_of(modem, "state"), "running") == 0;
    g_string_append_printf(out, "%-12.12s %-8s", text_of(modem, "label"), text_of(modem, "state"));
    if (running && sample != NULL) {
        const char *service = text_of(sample, "service");
        gboolean hole = strcmp(service, "none") == 0;
        g_string_append_printf(out, " %-7s %-7s", hole ? "-" : text_of(sample, "rat"),
                               hole ? "NONE" : service);
        add_number(out, sample, level_of(sample), 5);
        add_number(out, sample, "sinr_db", 4);
        add_number(out, sample, "band", 4);
        add_number(out, sample, "cell_id", 11);
        add_age(out, real_of(modem, "sample_age_s"));
    }
    g_string_append_c(out, '\n');
    if (*text_of(modem, "trouble") != '\0')
        g_string_append_printf(out, "             %.66s\n", text_of(modem, "trouble"));
    if (strcmp(text_of(modem, "sim"), "absent") == 0)
        g_string_append(out, "             no SIM\n");
}

static void add_gps(GString *out, JsonObject *gps)
{
    if (!is_true(gps, "enabled")) {
        g_string_append(out, "gps          not wanted\n");
        return;
    }
    JsonObject *fix = object_of(gps, "fix");
    if (is_true(gps, "position") && fix != NULL)
        g_string_append_printf(out, "gps          %.5f, %.5f  %.0f km/h  %.0f satellites",
                               real_of(fix, "lat"), real_of(fix, "lon"),
                               3.6 * real_or(fix, "speed_mps", 0), real_or(fix, "satellites", 0));
    else
        g_string_append_printf(out, "gps          no position: %.50s", text_of(gps, "trouble"));
    g_string_append_c(out, '\n');
}

static void add_head(GString *out, JsonObject *root)
{
    JsonObject *recorder = object_of(root, "recorder");
    JsonObject *clock = object_of(root, "clock");
    const double now_s = real_or(root, "time_ns", 0) / 1e9;
    g_autoptr(GDateTime) now =
        g_date_time_new_from_unix_utc(fabs(now_s) < 1e10 ? (gint64)now_s : 0);
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H:%M:%S UTC");
    g_string_append_printf(out, "%s  %s  time from %s\n", text_of(root, "vehicle"), time,
                           text_of(clock, "origin"));
    g_autofree char *name = g_path_get_basename(text_of(recorder, "drive"));
    g_string_append_printf(out, "recorder     %s  %s\n", text_of(recorder, "state"), name);
    if (*text_of(recorder, "trouble") != '\0')
        g_string_append_printf(out, "             %.66s\n", text_of(recorder, "trouble"));
    g_string_append_printf(
        out,
        "             %.0f records, %.0f dropped, %.1f MB; disk: %.0f MB of drives, %.0f MB free\n",
        real_of(recorder, "written"), real_of(recorder, "dropped"),
        real_of(recorder, "drive_bytes") / 1e6, real_of(recorder, "drives_bytes") / 1e6,
        real_of(recorder, "free_bytes") / 1e6);
}

/* Names may come from a modem, and lines are cut at bytes. */
static char *shown_lines(GString *out)
{
    g_autofree char *text = g_string_free(out, FALSE);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        char *shown = shown_text(*line);
        g_free(*line);
        *line = shown;
    }
    return g_strjoinv("\n", lines);
}

char *status_table(const char *json, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *node = NULL;
    if (!json_parser_load_from_data(parser, json, -1, NULL) ||
        (node = json_parser_get_root(parser)) == NULL || !JSON_NODE_HOLDS_OBJECT(node) ||
        array_of(json_node_get_object(node), "modems") == NULL) {
        g_set_error(error, STATUS_ERROR, STATUS_ERROR_ANSWER,
                    "the answer is not a logger's status; is it of another version?");
        return NULL;
    }
    JsonObject *root = json_node_get_object(node);
    GString *out = g_string_new(NULL);
    add_head(out, root);
    add_gps(out, object_of(root, "gps"));
    g_string_append(
        out, "\nmodem        state    network service level sinr band        cell      sample\n");
    JsonArray *modems = array_of(root, "modems");
    for (guint i = 0; i < length_of(modems); i++)
        add_modem(out, object_in(json_array_get_element(modems, i)));
    JsonArray *probes = array_of(root, "probes");
    for (guint i = 0; i < length_of(probes); i++) {
        JsonObject *probe = object_in(json_array_get_element(probes, i));
        g_string_append_printf(
            out, "probes of source %.0f: %s, %.0f done, %.0f failed, %.0f skipped\n",
            real_of(probe, "source"), text_of(probe, "running"), real_of(probe, "done"),
            real_of(probe, "failed"), real_of(probe, "skipped"));
    }
    return shown_lines(out);
}
