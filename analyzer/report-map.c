/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places: geometry once for all operators, as differences in 1e-5 degrees. Then for each series one
 * value a place: a letter for each service's verdict, level, samples. Absent values are null, or a
 * blank in the strings of letters.
 */
#include "analyzer/report-map.h"

#include <math.h>
#include <string.h>

/* JSON text; < is escaped so that no </script> can end the element. */
static void append_json_text(GString *out, const char *text)
{
    if (text == NULL) {
        g_string_append(out, "null");
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_string_append_c(out, '"');
    for (const char *c = valid; *c != '\0'; c++) {
        guchar u = (guchar)*c;
        if (u < 0x20 || u == '"' || u == '\\' || u == '<' || u == '>' || u == '&')
            g_string_append_printf(out, "\\u%04x", u);
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

static void append_number(GString *out, double value, double scale)
{
    if (isfinite(value))
        g_string_append_printf(out, "%" G_GINT64_FORMAT, (gint64)nearbyint(value * scale));
    else
        g_string_append(out, "null");
}

static void append_places(const ReportData *data, GString *out)
{
    g_string_append(out, "\"places\":[");
    for (guint i = 0; i < data->places->len; i++) {
        const ReportPlace *place = &g_array_index(data->places, ReportPlace, i);
        g_string_append_printf(out, "%s[%" G_GINT64_FORMAT ",%d,", i > 0 ? ",\n" : "",
                               place->number,
                               place->corridor == G_MAXUINT ? -1 : (int)place->corridor);
        append_number(out, place->km_from, 1000.0);
        g_string_append_c(out, ',');
        append_number(out, place->km_to, 1000.0);
        g_string_append(out, ",[");
        gint64 lat = 0;
        gint64 lon = 0;
        for (guint p = 0; p < place->n_points; p++) {
            GeoPoint point = g_array_index(data->points, GeoPoint, place->first_point + p);
            gint64 y = (gint64)nearbyint(point.lat * 1e5);
            gint64 x = (gint64)nearbyint(point.lon * 1e5);
            g_string_append_printf(out, "%s%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT,
                                   p > 0 ? "," : "", y - lat, x - lon);
            lat = y;
            lon = x;
        }
        g_string_append(out, "]]");
    }
    g_string_append(out, "]");
}

/* segments[series][place] -> segment or NULL */
static const ReportSegment **table_of(const ReportData *data)
{
    gsize n = (gsize)data->series->len * data->places->len;
    const ReportSegment **table = g_new0(const ReportSegment *, n + 1);
    for (guint i = 0; i < data->segments->len; i++) {
        const ReportSegment *s = &g_array_index(data->segments, ReportSegment, i);
        table[(gsize)s->series * data->places->len + s->place] = s;
    }
    return table;
}

static void append_series(const ReportData *data, const ReportSegment *const *segments,
                          const ReportSeries *series, GString *out)
{
    static const char letters[VERDICT_COUNT] = {'-', 'c', 'u', 'n'};
    guint n = data->places->len;
    g_string_append(out, "{\"title\":");
    append_json_text(out, series->title);
    g_string_append(out, ",\"v\":[");
    for (guint v = 0; v < data->services->len; v++) {
        g_string_append(out, v > 0 ? ",\"" : "\"");
        for (guint p = 0; p < n; p++)
            g_string_append_c(out, segments[p] == NULL
                                       ? '-'
                                       : letters[g_array_index(data->cells, ReportServiceCell,
                                                               segments[p]->first_cell + v)
                                                     .verdict]);
        g_string_append_c(out, '"');
    }
    g_string_append(out, "],\"share\":[");
    for (guint v = 0; v < data->services->len; v++) {
        g_string_append(out, v > 0 ? ",[" : "[");
        for (guint p = 0; p < n; p++) {
            if (p > 0)
                g_string_append_c(out, ',');
            append_number(out,
                          segments[p] == NULL ? NAN
                                              : g_array_index(data->cells, ReportServiceCell,
                                                              segments[p]->first_cell + v)
                                                    .share,
                          100.0);
        }
        g_string_append_c(out, ']');
    }
    g_string_append(out, "],\"level\":[");
    for (guint p = 0; p < n; p++) {
        if (p > 0)
            g_string_append_c(out, ',');
        append_number(out, segments[p] == NULL ? NAN : segments[p]->level_p50, 1.0);
    }
    g_string_append(out, "],\"n\":[");
    for (guint p = 0; p < n; p++)
        g_string_append_printf(out, "%s%" G_GINT64_FORMAT, p > 0 ? "," : "",
                               segments[p] == NULL ? 0 : segments[p]->n);
    g_string_append(out, "],\"passes\":[");
    for (guint p = 0; p < n; p++)
        g_string_append_printf(out, "%s%" G_GINT64_FORMAT, p > 0 ? "," : "",
                               segments[p] == NULL ? 0 : segments[p]->passes);
    g_string_append(out, "]}");
}

void report_map_json(const ReportData *data, GString *out)
{
    g_string_append(out, "{\"corridors\":[");
    for (guint i = 0; i < data->corridors->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_json_text(out, g_array_index(data->corridors, ReportCorridor, i).name);
    }
    g_string_append(out, "],\"services\":[");
    for (guint i = 0; i < data->services->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_json_text(out, g_array_index(data->services, ReportService, i).title);
    }
    g_string_append(out, "],");
    append_places(data, out);
    g_autofree const ReportSegment **table = table_of(data);
    g_string_append(out, ",\"series\":[");
    for (guint i = 0; i < data->series->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_series(data, table + (gsize)i * data->places->len,
                      &g_array_index(data->series, ReportSeries, i), out);
    }
    g_string_append(out, "]}");
}
