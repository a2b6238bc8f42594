/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/path.h"

#include "tests/rig/scenario-reader.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define RADIANS       (G_PI / 180.0)
#define MOTION_STEP_S 0.05

struct Path {
    gsize n;
    double *lat, *lon;
    double *at_m; /* distance of each point from the start */
};

struct Motion {
    gsize n;
    double *s; /* each MOTION_STEP_S */
};

double path_distance_m(double lat1, double lon1, double lat2, double lon2)
{
    double a = pow(sin((lat2 - lat1) * RADIANS / 2), 2) +
               cos(lat1 * RADIANS) * cos(lat2 * RADIANS) * pow(sin((lon2 - lon1) * RADIANS / 2), 2);
    return 2 * PATH_EARTH_M * asin(fmin(1, sqrt(a)));
}

void path_offset(double *lat, double *lon, double north_m, double east_m)
{
    double metres = PATH_EARTH_M * RADIANS;
    *lon += east_m / (metres * cos(*lat * RADIANS));
    *lat += north_m / metres;
}

Path *path_new(const double *lat_lon, gsize points, GError **error)
{
    if (points < 2) {
        g_set_error_literal(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                            "a path needs at least two points");
        return NULL;
    }
    g_autoptr(Path) path = g_new0(Path, 1);
    path->lat = g_new(double, points);
    path->lon = g_new(double, points);
    path->at_m = g_new(double, points);
    for (gsize i = 0; i < points; i++) {
        double lat = lat_lon[2 * i], lon = lat_lon[2 * i + 1];
        if (!(fabs(lat) <= 85) || !(fabs(lon) <= 180)) {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "point %zu (%g,%g) is no position; write LAT,LON", i + 1, lat, lon);
            return NULL;
        }
        double step = path->n == 0 ? 0
                                   : path_distance_m(path->lat[path->n - 1], path->lon[path->n - 1],
                                                     lat, lon);
        if (path->n > 0 && step < 0.01)
            continue;
        path->lat[path->n] = lat;
        path->lon[path->n] = lon;
        path->at_m[path->n] = path->n == 0 ? 0 : path->at_m[path->n - 1] + step;
        path->n++;
    }
    if (path->n < 2) {
        g_set_error_literal(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                            "all points of the path are the same");
        return NULL;
    }
    return g_steal_pointer(&path);
}

Path *path_new_from_text(const char *text, GError **error)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(double));
    const char *at = text;
    while (*at != '\0') {
        char *end = NULL;
        double value = g_ascii_strtod(at, &end);
        if (end == at) {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "\"%.20s\" is no number; write LAT,LON LAT,LON …", at);
            return NULL;
        }
        g_array_append_val(numbers, value);
        at = end + strspn(end, ", \t\r\n;");
    }
    if (numbers->len % 2 != 0) {
        g_set_error_literal(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                            "a latitude without longitude");
        return NULL;
    }
    return path_new((const double *)(gpointer)numbers->data, numbers->len / 2, error);
}

/* The first "coordinates" that is a list of pairs. */
static gboolean find_line(JsonNode *node, GArray *numbers)
{
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        g_autoptr(GList) members = json_object_get_values(json_node_get_object(node));
        for (GList *m = members; m != NULL; m = m->next) {
            if (find_line(m->data, numbers))
                return TRUE;
        }
        return FALSE;
    }
    if (!JSON_NODE_HOLDS_ARRAY(node))
        return FALSE;
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *item = json_array_get_element(array, i);
        JsonArray *pair = JSON_NODE_HOLDS_ARRAY(item) ? json_node_get_array(item) : NULL;
        if (pair == NULL || json_array_get_length(pair) < 2 ||
            !JSON_NODE_HOLDS_VALUE(json_array_get_element(pair, 0))) {
            if (find_line(item, numbers))
                return TRUE;
            continue;
        }
        double lon = json_array_get_double_element(pair, 0);
        double lat = json_array_get_double_element(pair, 1);
        g_array_append_val(numbers, lat);
        g_array_append_val(numbers, lon);
    }
    return numbers->len >= 4;
}

Path *path_new_from_file(const char *file, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;
    if (!g_file_get_contents(file, &text, NULL, &why)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "%s", why->message);
        return NULL;
    }
    if (!g_str_has_suffix(file, "json")) {
        /* A header line is passed over. */
        const char *rows = text + strcspn(text, "-+.0123456789");
        return path_new_from_text(rows, error);
    }
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(double));
    if (!json_parser_load_from_data(parser, text, -1, &why) ||
        !find_line(json_parser_get_root(parser), numbers)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "%s: no LineString%s%s", file,
                    why != NULL ? ": " : "", why != NULL ? why->message : "");
        return NULL;
    }
    return path_new((const double *)(gpointer)numbers->data, numbers->len / 2, error);
}

void path_free(Path *path)
{
    if (path == NULL)
        return;
    g_free(path->lat);
    g_free(path->lon);
    g_free(path->at_m);
    g_free(path);
}

double path_length_m(const Path *path)
{
    return path->at_m[path->n - 1];
}

void path_at(const Path *path, double s, double *lat, double *lon, double *heading_deg)
{
    s = CLAMP(s, 0, path_length_m(path));
    gsize low = 0, high = path->n - 1;
    while (high - low > 1) {
        gsize middle = (low + high) / 2;
        if (path->at_m[middle] <= s)
            low = middle;
        else
            high = middle;
    }
    double f = (s - path->at_m[low]) / (path->at_m[high] - path->at_m[low]);
    *lat = path->lat[low] + f * (path->lat[high] - path->lat[low]);
    *lon = path->lon[low] + f * (path->lon[high] - path->lon[low]);
    double east = (path->lon[high] - path->lon[low]) * cos(*lat * RADIANS);
    double heading = atan2(east, path->lat[high] - path->lat[low]) / RADIANS;
    *heading_deg = heading < 0 ? heading + 360 : heading;
}

void path_beside(const Path *path, double along, double aside, double *lat, double *lon)
{
    double heading = 0;
    path_at(path, along, lat, lon, &heading);
    path_offset(lat, lon, -aside * sin(heading * RADIANS), aside * cos(heading * RADIANS));
}

/* Speed allowed at s so that every limit and stop ahead can still be kept. */
static double allowed_mps(double s, const SpeedLimit *limits, gsize n_limits, double stop_m,
                          double acceleration)
{
    double allowed = n_limits > 0 ? limits[0].mps : 0;
    for (gsize i = 1; i < n_limits; i++) {
        double ahead = limits[i].from_m - s;
        if (ahead <= 0)
            allowed = limits[i].mps;
        else
            allowed = fmin(allowed, sqrt(limits[i].mps * limits[i].mps + 2 * acceleration * ahead));
    }
    return fmin(allowed, sqrt(2 * acceleration * fmax(0, stop_m - s)));
}

Motion *motion_new(const Path *path, const SpeedLimit *limits, gsize n_limits, const Stop *stops,
                   gsize n_stops, double acceleration, double duration_s)
{
    Motion *motion = g_new0(Motion, 1);
    motion->n = (gsize)(duration_s / MOTION_STEP_S) + 2;
    motion->s = g_new(double, motion->n);
    double s = 0, v = n_limits > 0 ? limits[0].mps : 0, standing = 0;
    gsize stop = 0;
    for (gsize i = 0; i < motion->n; i++) {
        motion->s[i] = s;
        if (standing > 0) {
            standing -= MOTION_STEP_S;
            continue;
        }
        double stop_m = stop < n_stops ? stops[stop].at_m : path_length_m(path);
        double most = allowed_mps(s, limits, n_limits, stop_m, acceleration);
        v = fmin(v + acceleration * MOTION_STEP_S, most);
        /* The last metres are crept, else the square root never arrives. */
        s = fmin(s + fmax(v, 0.2) * MOTION_STEP_S, stop_m);
        if (s >= stop_m && stop < n_stops) {
            standing = stops[stop++].for_s;
            v = 0;
        }
    }
    return motion;
}

void motion_free(Motion *motion)
{
    if (motion == NULL)
        return;
    g_free(motion->s);
    g_free(motion);
}

void motion_at(const Motion *motion, double t, double *s, double *mps)
{
    double at = CLAMP(t / MOTION_STEP_S, 0, (double)(motion->n - 1) - 1e-6);
    gsize i = (gsize)at;
    double step = motion->s[i + 1] - motion->s[i];
    *s = motion->s[i] + (at - (double)i) * step;
    *mps = step / MOTION_STEP_S;
}
