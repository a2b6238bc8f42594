/* SPDX-License-Identifier: Apache-2.0 */
/* The status for people. */
#include "logger/status.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static const char *text_of(JsonObject *object, const char *name)
{
    const char *text = json_object_get_string_member_with_default(object, name, "");
    return text != NULL ? text : "";
}

static double real_of(JsonObject *object, const char *name)
{
    return json_object_get_double_member_with_default(object, name, (double)NAN);
}

/* "-97" or "–" */
static void add_number(GString *out, JsonObject *sample, const char *name, int width)
{
    if (sample != NULL && json_object_has_member(sample, name) &&
        !json_object_get_null_member(sample, name))
        g_string_append_printf(out, " %*.0f", width, real_of(sample, name));
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
    JsonObject *sample = json_object_has_member(modem, "sample")
                             ? json_object_get_object_member(modem, "sample")
                             : NULL;
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
    if (!json_object_get_boolean_member_with_default(gps, "enabled", FALSE)) {
        g_string_append(out, "gps          not wanted\n");
        return;
    }
    JsonObject *fix =
        json_object_has_member(gps, "fix") ? json_object_get_object_member(gps, "fix") : NULL;
    gboolean placed = json_object_get_boolean_member_with_default(gps, "position", FALSE);
    if (placed && fix != NULL)
        g_string_append_printf(out, "gps          %.5f, %.5f  %.0f km/h  %.0f satellites",
                               real_of(fix, "lat"), real_of(fix, "lon"),
                               3.6 *
                                   json_object_get_double_member_with_default(fix, "speed_mps", 0),
                               json_object_get_double_member_with_default(fix, "satellites", 0));
    else
        g_string_append_printf(out, "gps          no position: %.50s", text_of(gps, "trouble"));
    g_string_append_c(out, '\n');
}

static void add_head(GString *out, JsonObject *root)
{
    JsonObject *recorder = json_object_get_object_member(root, "recorder");
    JsonObject *clock = json_object_get_object_member(root, "clock");
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(
        json_object_get_int_member_with_default(root, "time_ns", 0) / 1000000000);
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

char *status_table(const char *json, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *node = NULL;
    if (!json_parser_load_from_data(parser, json, -1, NULL) ||
        (node = json_parser_get_root(parser)) == NULL || !JSON_NODE_HOLDS_OBJECT(node) ||
        !json_object_has_member(json_node_get_object(node), "modems")) {
        g_set_error(error, STATUS_ERROR, STATUS_ERROR_ANSWER,
                    "the answer is not a logger's status; is it of another version?");
        return NULL;
    }
    JsonObject *root = json_node_get_object(node);
    GString *out = g_string_new(NULL);
    add_head(out, root);
    add_gps(out, json_object_get_object_member(root, "gps"));
    g_string_append(
        out, "\nmodem        state    network service level sinr band        cell      sample\n");
    JsonArray *modems = json_object_get_array_member(root, "modems");
    for (guint i = 0; i < json_array_get_length(modems); i++)
        add_modem(out, json_array_get_object_element(modems, i));
    JsonArray *probes = json_object_get_array_member(root, "probes");
    for (guint i = 0; i < json_array_get_length(probes); i++) {
        JsonObject *probe = json_array_get_object_element(probes, i);
        g_string_append_printf(
            out, "probes of source %.0f: %s, %.0f done, %.0f failed, %.0f skipped\n",
            real_of(probe, "source"), text_of(probe, "running"), real_of(probe, "done"),
            real_of(probe, "failed"), real_of(probe, "skipped"));
    }
    return g_string_free(out, FALSE);
}
