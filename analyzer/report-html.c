/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-html.h"

#include "analyzer/report-map.h"
#include "analyzer/report-text.h"

#include <gio/gio.h>
#include <string.h>

/* Files built into the program; they are part of it, so their absence is our bug. */
static void append_asset(GString *out, const char *name)
{
    g_autofree char *path = g_strconcat("/corridor/report/", name, NULL);
    g_autoptr(GBytes) bytes = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_assert(bytes != NULL);
    gsize size = 0;
    const char *text = g_bytes_get_data(bytes, &size);
    g_string_append_len(out, text, (gssize)size);
}

static void append_head(const ReportData *data, GString *out)
{
    const char *title = data->corridors->len > 0
                            ? g_array_index(data->corridors, ReportCorridor, 0).name
                            : _("Coverage");
    report_printf(out,
                  "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
                  "<link rel=\"icon\" href=\"data:,\"><title>",
                  report_language() == REPORT_SV ? "sv" : "en");
    report_escape(out, title);
    g_string_append(out, "</title><style>");
    append_asset(out, "leaflet.css");
    append_asset(out, "report.css");
    g_string_append(out, "</style></head><body><div class=\"page\"><header class=\"top\"><h1>");
    report_printf(out, _("Mobile coverage along %s"), "");
    report_escape(out, title);
    g_string_append(out, "</h1><p>");
    const char *newest = report_meta(data, "created_for");
    g_autofree char *day = newest != NULL ? g_strndup(newest, 10) : g_strdup("");
    g_autofree char *samples = g_strdup(report_meta(data, "samples"));
    report_printf(out, _("Measurements up to %s, %u drives, %s samples"), day,
                  report_table_rows(data->drives), samples != NULL ? samples : "?");
    g_string_append(out, "</p></header>\n");
}

static void append_nav(const ReportData *data, GString *out)
{
    const struct {
        const char *id, *title;
        gboolean there;
    } rows[] = {
        {"decision", _("In short"), TRUE},
        {"charts", _("Along the line"), data->corridors->len > 0},
        {"map-section", _("Map"), TRUE},
        {"gaps", _("Gaps"), TRUE},
        {"comparison", _("Operators compared"),
         report_table_rows(data->operators) > 0 && data->series->len > 1},
        {"quality", _("Data quality"), TRUE},
        {"method", _("Method"), TRUE},
    };
    report_printf(out, "<nav aria-label=\"%s\"><ul>", _("Contents"));
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].there)
            report_printf(out, "<li><a href=\"#%s\">%s</a></li>", rows[i].id, rows[i].title);
    g_string_append(out, "</ul></nav><main>\n");
}

static void append_charts(const ReportData *data, const GPtrArray *plots, GString *out)
{
    if (data->corridors->len == 0)
        return;
    report_printf(
        out, "<section id=\"charts\"><h2>%s</h2><p class=\"note\">%s</p>", _("Along the line"),
        _("Median level (line) and the range that holds 80 % of it (band) by km, with the "
          "threshold (dashed); below it cell changes, the verdict and the technology. "
          "Where nothing was measured the line is broken and the ribbon grey."));
    for (guint c = 0; c < data->corridors->len; c++) {
        const ReportCorridor *corridor = &g_array_index(data->corridors, ReportCorridor, c);
        g_string_append(out, "<h3>");
        report_escape(out, corridor->name);
        g_string_append(out, "</h3>");
        const GPtrArray *of = c < plots->len ? g_ptr_array_index(plots, c) : NULL;
        for (guint s = 0; of != NULL && s < of->len; s++) {
            const char *svg = g_ptr_array_index(of, s);
            if (svg == NULL)
                continue;
            g_autofree char *base64 = g_base64_encode((const guchar *)svg, strlen(svg));
            report_printf(out, "<figure class=\"scroll\"><img alt=\"");
            report_escape(out, g_array_index(data->series, ReportSeries, s).title);
            report_printf(out, ": %s\" src=\"data:image/svg+xml;base64,%s\"></figure>",
                          _("level, verdict and technology by km; the figures are in segments.csv"),
                          base64);
        }
        report_section_operators(data, c, out);
    }
    g_string_append(out, "</section>\n");
}

static void append_select(GString *out, const char *id, const char *label)
{
    report_printf(out, "<label for=\"%s\">%s<select id=\"%s\">", id, label, id);
}

static void append_map(const ReportData *data, GString *out)
{
    report_printf(out, "<section id=\"map-section\"><h2>%s</h2><div class=\"switches\">", _("Map"));
    append_select(out, "series", _("Operator"));
    for (guint i = 0; i < data->series->len; i++) {
        report_printf(out, "<option value=\"%u\">", i);
        report_escape(out, g_array_index(data->series, ReportSeries, i).title);
        g_string_append(out, "</option>");
    }
    g_string_append(out, "</select></label>");
    append_select(out, "service", _("Service"));
    guint chosen = report_main_service(data);
    for (guint i = 0; i < data->services->len; i++) {
        report_printf(out, "<option value=\"%u\"%s>", i, i == chosen ? " selected" : "");
        report_escape(out, g_array_index(data->services, ReportService, i).title);
        g_string_append(out, "</option>");
    }
    report_printf(out,
                  "</select></label></div><div id=\"map\" role=\"application\" tabindex=\"0\" "
                  "aria-label=\"%s\"></div><div id=\"place\" aria-live=\"polite\">%s</div>"
                  "<ul class=\"legend\"><li><i class=\"v-c\"></i>%s</li><li><i class=\"v-u\"></i>%s"
                  "</li><li><i class=\"v-n\"></i>%s</li><li><i class=\"v-m\"></i>%s</li></ul>"
                  "<noscript><p>%s</p></noscript></section>\n",
                  _("Map of the segments; keys n and p go from segment to segment"),
                  _("Point at a segment, or press n and p on the map, to read its figures."),
                  _("covered (solid)"), _("uncertain (dashed)"), _("not covered (wide)"),
                  _("not measured (dotted)"),
                  _("The map needs JavaScript; all figures are in the tables."));
}

static void append_scripts(const ReportData *data, GString *out)
{
    g_string_append(out, "<script type=\"application/json\" id=\"data\">");
    report_map_json(data, out);
    report_printf(out,
                  "</script>\n<script type=\"application/json\" id=\"words\">{\"comma\":%s,"
                  "\"verdict\":{\"c\":\"%s\",\"u\":\"%s\",\"n\":\"%s\",\"-\":\"%s\"},"
                  "\"ofTheWay\":\"%s\",\"median\":\"%s\",\"passes\":\"%s\",\"notMeasured\":\"%s\"}"
                  "</script>\n<script>",
                  report_language() == REPORT_SV ? "true" : "false", _("covered"), _("uncertain"),
                  _("not covered"), _("not measured"), _("of the way"), _("median level"),
                  _("passes"), _("No sample lies here."));
    append_asset(out, "leaflet.js");
    g_string_append(out, "</script>\n<script>");
    append_asset(out, "report.js");
    g_string_append(out, "</script>\n");
}

GString *report_html(const ReportData *data, const GPtrArray *plots)
{
    GString *out = g_string_sized_new(1 << 20);
    append_head(data, out);
    append_nav(data, out);
    report_section_decision(data, out);
    append_charts(data, plots, out);
    append_map(data, out);
    report_section_gaps(data, out);
    report_section_comparison(data, out);
    report_section_probes(data, out);
    report_section_quality(data, out);
    report_section_method(data, out);
    g_string_append(out, "</main>");
    append_scripts(data, out);
    g_string_append(out, "</div></body></html>\n");
    return out;
}
