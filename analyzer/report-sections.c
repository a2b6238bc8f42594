/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-html.h"
#include "analyzer/report-text.h"

#include <math.h>
#include <string.h>

static void cell(GString *out, char *text)
{
    report_printf(out, "<td>%s</td>", text);
    g_free(text);
}

static void text_cell(GString *out, const char *text)
{
    g_string_append(out, "<td class=\"text\">");
    report_escape(out, text);
    g_string_append(out, "</td>");
}

static char *escaped(const char *text)
{
    GString *out = g_string_new(NULL);
    report_escape(out, text);
    return g_string_free(out, FALSE);
}

/* ---- decision ---- */

/* The longest corridor: what the first page speaks of. -1 if there is none. */
static int main_corridor(const ReportData *data)
{
    int best = -1;
    for (guint i = 0; i < data->corridors->len; i++)
        if (best < 0 || g_array_index(data->corridors, ReportCorridor, i).length_km >
                            g_array_index(data->corridors, ReportCorridor, best).length_km)
            best = (int)i;
    return best;
}

static double summary_real(const ReportData *data, int row, const char *column)
{
    return row < 0 ? NAN : report_real_at(data->summary, (guint)row, column);
}

static void bar_part(GString *out, const char *class, double km, double length_km, const char *what)
{
    if (!(km > 0.0) || !(length_km > 0.0))
        return;
    g_autofree char *number = report_number(km, 1);
    char width[32];
    (void)g_ascii_formatd(width, sizeof width, "%.3f", 100.0 * km / length_km);
    report_printf(out, "<span class=\"%s\" style=\"width:%s%%\" title=\"%s: %s km\"></span>", class,
                  width, what, number);
}

static void append_bar(const ReportData *data, int row, const char *title, GString *out)
{
    double length_km = summary_real(data, row, "length_km");
    g_autofree char *name = escaped(title);
    g_autofree char *covered = report_percent(summary_real(data, row, "km_covered") / length_km);
    report_printf(out, "<div>%s</div><div class=\"bar\" role=\"img\" aria-label=\"%s: %s %s\">",
                  name, name, _("covered"), covered);
    bar_part(out, "v-c", summary_real(data, row, "km_covered"), length_km, _("covered"));
    bar_part(out, "v-u", summary_real(data, row, "km_uncertain"), length_km, _("uncertain"));
    bar_part(out, "v-n", summary_real(data, row, "km_not_covered"), length_km, _("not covered"));
    bar_part(out, "v-m", summary_real(data, row, "km_not_measured"), length_km, _("not measured"));
    g_string_append(out, "</div>");
}

static void append_legend(GString *out)
{
    report_printf(out,
                  "<ul class=\"legend\"><li><i class=\"v-c\"></i>%s</li><li><i class=\"v-u\"></i>%s"
                  "</li><li><i class=\"v-n\"></i>%s</li><li><i class=\"v-m\"></i>%s</li></ul>",
                  _("covered"), _("uncertain: too little evidence, or on the edge"),
                  _("not covered"), _("not measured: says nothing about the network"));
}

typedef struct {
    int best, worst; /* rows of summary, -1 if none */
    const char *best_title, *worst_title;
} Extremes;

static Extremes find_extremes(const ReportData *data, const char *corridor, const char *service)
{
    Extremes found = {-1, -1, NULL, NULL};
    for (guint i = 0; i < data->series->len; i++) {
        const ReportSeries *s = &g_array_index(data->series, ReportSeries, i);
        int row = report_summary_row(data, corridor, s->operator_label, s->antenna, service);
        double share = summary_real(data, row, "share");
        if (!isfinite(share))
            continue;
        if (found.best < 0 || share > summary_real(data, found.best, "share")) {
            found.best = row;
            found.best_title = s->title;
        }
        if (found.worst < 0 || share < summary_real(data, found.worst, "share")) {
            found.worst = row;
            found.worst_title = s->title;
        }
    }
    return found;
}

static void append_sentences(const ReportData *data, const ReportCorridor *corridor,
                             const ReportService *service, GString *out)
{
    Extremes e = find_extremes(data, corridor->name, service->id);
    g_autofree char *name = escaped(corridor->name);
    g_autofree char *title = escaped(service->title);
    g_autofree char *length = report_number(corridor->length_km, 1);
    if (e.best < 0) {
        report_printf(out, "<p>%s</p>",
                      _("There are not enough measurements for a statement about this corridor."));
        return;
    }
    g_autofree char *best = report_percent(summary_real(data, e.best, "share"));
    g_autofree char *range = report_percent_range(summary_real(data, e.best, "share_low"),
                                                  summary_real(data, e.best, "share_high"));
    g_autofree char *best_title = escaped(e.best_title);
    report_printf(out, "<p>");
    report_printf(out,
                  _("Along <b>%s</b> (%s km) <b>%s</b> gives “%s” on <b>%s</b> of the measured "
                    "way (%s with 95 %% confidence)"),
                  name, length, best_title, title, best, range);
    if (e.worst != e.best) {
        g_autofree char *worst = report_percent(summary_real(data, e.worst, "share"));
        g_autofree char *worst_title = escaped(e.worst_title);
        report_printf(out, _("; the weakest, <b>%s</b>, on <b>%s</b>"), worst_title, worst);
    }
    g_string_append(out, ".</p><p>");
    double gap_m = summary_real(data, e.best, "gap_longest_m");
    if (gap_m > 0.0) {
        g_autofree char *gap = report_length(gap_m);
        g_autofree char *from = report_number(summary_real(data, e.best, "gap_longest_from_km"), 1);
        g_autofree char *to = report_number(summary_real(data, e.best, "gap_longest_to_km"), 1);
        report_printf(out,
                      _("Even with %s the longest stretch without it is <b>%s</b> long, from "
                        "km %s to km %s."),
                      best_title, gap, from, to);
    } else {
        report_printf(out, _("With %s no stretch was found that lacks it for certain."),
                      best_title);
    }
    g_string_append(out, "</p><p>");
    int any = report_summary_row(data, corridor->name, "(any)", NULL, service->id);
    double none_km = summary_real(data, any >= 0 ? any : e.best, "km_not_covered");
    double open_km = summary_real(data, any >= 0 ? any : e.best, "km_uncertain") +
                     summary_real(data, any >= 0 ? any : e.best, "km_not_measured");
    g_autofree char *none = report_number(none_km, 1);
    g_autofree char *open = report_number(open_km, 1);
    report_printf(out,
                  _("On <b>%s km</b> no operator gives it; on %s km more the measurements do "
                    "not decide, which is not the same as bad coverage."),
                  none, open);
    g_string_append(out, "</p>");
}

static void append_headline_rows(const ReportData *data, const char *corridor, const char *service,
                                 GString *out)
{
    for (guint i = 0; i < data->series->len; i++) {
        const ReportSeries *s = &g_array_index(data->series, ReportSeries, i);
        int row = report_summary_row(data, corridor, s->operator_label, s->antenna, service);
        if (row < 0)
            continue;
        g_string_append(out, "<tr>");
        text_cell(out, s->title);
        g_autofree char *share = report_percent(summary_real(data, row, "share"));
        g_autofree char *range = report_percent_range(summary_real(data, row, "share_low"),
                                                      summary_real(data, row, "share_high"));
        report_printf(out, "<td>%s<small>%s</small></td>", share, range);
        static const char *const columns[] = {"km_covered", "km_uncertain", "km_not_covered",
                                              "km_not_measured"};
        for (unsigned c = 0; c < G_N_ELEMENTS(columns); c++)
            cell(out, report_number(summary_real(data, row, columns[c]), 1));
        double gap_m = summary_real(data, row, "gap_longest_m");
        if (gap_m > 0.0) {
            g_autofree char *gap = report_length(gap_m);
            g_autofree char *from =
                report_number(summary_real(data, row, "gap_longest_from_km"), 1);
            g_autofree char *to = report_number(summary_real(data, row, "gap_longest_to_km"), 1);
            report_printf(out, "<td>%s<small>km %s\xe2\x80\x93%s</small></td>", gap, from, to);
        } else {
            g_string_append(out, "<td>\xe2\x80\x93</td>");
        }
        cell(out, report_number(summary_real(data, row, "n"), 0));
        cell(out, report_number(summary_real(data, row, "passes"), 0));
        g_string_append(out, "</tr>\n");
    }
}

static void append_headline_table(const ReportData *data, const char *corridor,
                                  const ReportService *service, GString *out)
{
    g_autofree char *title = escaped(service->title);
    g_autofree char *name = escaped(corridor);
    report_printf(out,
                  "<div class=\"scroll\"><table><caption>%s, %s</caption><thead><tr>"
                  "<th class=\"text\" scope=\"col\">%s</th><th scope=\"col\">%s</th>"
                  "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
                  "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">n</th>"
                  "<th scope=\"col\">%s</th></tr></thead><tbody>",
                  name, title, _("Operator"), _("Share of the way (95 %)"), _("Covered, km"),
                  _("Uncertain, km"), _("Not covered, km"), _("Not measured, km"), _("Longest gap"),
                  _("Passes"));
    append_headline_rows(data, corridor, service->id, out);
    g_string_append(out, "</tbody></table></div>\n");
}

void report_section_decision(const ReportData *data, GString *out)
{
    report_printf(out, "<section id=\"decision\"><h2>%s</h2>", _("In short"));
    int index = main_corridor(data);
    if (index < 0 || data->services->len == 0) {
        report_printf(out, "<p>%s</p></section>",
                      _("The results hold no corridor: cut one with corridor network route, or "
                        "learn one with corridor network from-track."));
        return;
    }
    const ReportCorridor *corridor = &g_array_index(data->corridors, ReportCorridor, index);
    const ReportService *service =
        &g_array_index(data->services, ReportService, report_main_service(data));
    g_string_append(out, "<div class=\"lead\">");
    append_sentences(data, corridor, service, out);
    g_string_append(out, "</div><div class=\"bars\">");
    for (guint i = 0; i < data->series->len; i++) {
        const ReportSeries *s = &g_array_index(data->series, ReportSeries, i);
        int row =
            report_summary_row(data, corridor->name, s->operator_label, s->antenna, service->id);
        if (row >= 0)
            append_bar(data, row, s->title, out);
    }
    g_string_append(out, "</div>");
    append_legend(out);
    append_headline_table(data, corridor->name, service, out);
    g_string_append(out, "</section>\n");
}

/* ---- operators ---- */

void report_section_operators(const ReportData *data, guint corridor, GString *out)
{
    const ReportCorridor *c = &g_array_index(data->corridors, ReportCorridor, corridor);
    for (guint s = 0; s < data->services->len; s++) {
        const ReportService *service = &g_array_index(data->services, ReportService, s);
        gboolean any = FALSE;
        for (guint i = 0; i < data->series->len && !any; i++) {
            const ReportSeries *series = &g_array_index(data->series, ReportSeries, i);
            int row = report_summary_row(data, c->name, series->operator_label, series->antenna,
                                         service->id);
            any = row >= 0 && summary_real(data, row, "km_not_measured") <
                                  summary_real(data, row, "length_km") - 1e-6;
        }
        if (!any)
            continue;
        append_headline_table(data, c->name, service, out);
    }
}

/* ---- gaps ---- */

enum { GAPS_SHOWN = 60 };

typedef struct {
    guint row;
    double length_m;
} GapRef;

static gint compare_gaps(gconstpointer a, gconstpointer b)
{
    double x = ((const GapRef *)a)->length_m;
    double y = ((const GapRef *)b)->length_m;
    return x > y ? -1 : x < y;
}

static void append_gap_row(const ReportData *data, guint row, GString *out)
{
    g_string_append(out, "<tr>");
    text_cell(out, report_text_at(data->gaps, row, "corridor"));
    const char *operator_label = report_text_at(data->gaps, row, "operator");
    text_cell(out, g_strcmp0(operator_label, "(any)") == 0   ? _("no operator at all")
                   : g_strcmp0(operator_label, "(all)") == 0 ? _("not all operators")
                                                             : operator_label);
    g_autofree char *from = report_number(report_real_at(data->gaps, row, "km_from"), 1);
    g_autofree char *to = report_number(report_real_at(data->gaps, row, "km_to"), 1);
    report_printf(out, "<td>%s\xe2\x80\x93%s</td>", from, to);
    cell(out, report_length(report_real_at(data->gaps, row, "length_m")));
    double unknown_m = report_real_at(data->gaps, row, "unknown_m");
    cell(out, unknown_m > 0.0 ? report_length(unknown_m) : g_strdup("\xe2\x80\x93"));
    cell(out, report_length(report_real_at(data->gaps, row, "no_service_m")));
    cell(out, report_number(report_real_at(data->gaps, row, "level_p50"), 0));
    cell(out, report_number(report_real_at(data->gaps, row, "passes"), 0));
    g_string_append(out, "</tr>\n");
}

void report_section_gaps(const ReportData *data, GString *out)
{
    report_printf(out, "<section id=\"gaps\"><h2>%s</h2>", _("Gaps"));
    if (data->services->len == 0) {
        g_string_append(out, "</section>");
        return;
    }
    const ReportService *service =
        &g_array_index(data->services, ReportService, report_main_service(data));
    g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, sizeof(GapRef));
    for (guint i = 0; i < report_table_rows(data->gaps); i++) {
        if (g_strcmp0(report_text_at(data->gaps, i, "service"), service->id) != 0 ||
            g_strcmp0(report_text_at(data->gaps, i, "operator"), "(all)") == 0)
            continue;
        GapRef ref = {i, report_real_at(data->gaps, i, "length_m")};
        g_array_append_val(refs, ref);
    }
    g_array_sort(refs, compare_gaps);
    g_autofree char *title = escaped(service->title);
    report_printf(out, "<p>");
    report_printf(out,
                  _("Stretches without “%s”, longest first. Segments whose verdict is "
                    "uncertain never make a gap."),
                  title);
    g_string_append(out, "</p>");
    if (refs->len == 0) {
        report_printf(out, "<p>%s</p></section>", _("None was found."));
        return;
    }
    report_printf(out,
                  "<div class=\"scroll\"><table><caption>%s</caption><thead><tr>"
                  "<th class=\"text\" scope=\"col\">%s</th><th class=\"text\" scope=\"col\">%s</th>"
                  "<th scope=\"col\">km</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
                  "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
                  "</tr></thead><tbody>",
                  refs->len > GAPS_SHOWN ? _("The longest ones; all are in gaps.csv")
                                         : _("All gaps; also in gaps.csv"),
                  _("Corridor"), _("Operator"), _("Length"), _("Unknown part"),
                  _("Without any service"), _("Median level, dBm"), _("Passes"));
    for (guint i = 0; i < MIN(refs->len, (guint)GAPS_SHOWN); i++)
        append_gap_row(data, g_array_index(refs, GapRef, i).row, out);
    g_string_append(out, "</tbody></table></div></section>\n");
}

/* ---- comparison ---- */

void report_section_comparison(const ReportData *data, GString *out)
{
    if (report_table_rows(data->operators) == 0 || data->series->len < 2)
        return;
    report_printf(out,
                  "<section id=\"comparison\"><h2>%s</h2><p>%s</p><div class=\"scroll\"><table>"
                  "<thead><tr><th class=\"text\" scope=\"col\">%s</th>"
                  "<th class=\"text\" scope=\"col\">%s</th><th class=\"text\" scope=\"col\">%s</th>"
                  "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
                  "<th scope=\"col\">%s</th><th scope=\"col\">%s</th></tr></thead><tbody>",
                  _("Operators compared"),
                  _("Only segments measured for all of them count. Levels within 3 dB of the best "
                    "are a tie: handsets differ by more."),
                  _("Corridor"), _("Compared by"), _("Operator"), _("Compared, km"), _("Best, km"),
                  _("Tied or together, km"), _("Only this one, km"), _("None, km"));
    for (guint i = 0; i < report_table_rows(data->operators); i++) {
        g_string_append(out, "<tr>");
        text_cell(out, report_text_at(data->operators, i, "corridor"));
        const char *id = report_text_at(data->operators, i, "service");
        const char *title = id == NULL ? _("median level") : id;
        for (guint s = 0; id != NULL && s < data->services->len; s++)
            if (strcmp(g_array_index(data->services, ReportService, s).id, id) == 0)
                title = g_array_index(data->services, ReportService, s).title;
        text_cell(out, title);
        text_cell(out, report_text_at(data->operators, i, "operator"));
        static const char *const columns[] = {"km_compared", "km_best", "km_tied", "km_only",
                                              "km_none"};
        for (unsigned c = 0; c < G_N_ELEMENTS(columns); c++)
            cell(out, report_number(report_real_at(data->operators, i, columns[c]), 1));
        g_string_append(out, "</tr>\n");
    }
    g_string_append(out, "</tbody></table></div></section>\n");
}

/* ---- probes ---- */

static gboolean any_known(const ReportTable *table, const char *column)
{
    for (guint i = 0; i < report_table_rows(table); i++)
        if (isfinite(report_real_at(table, i, column)))
            return TRUE;
    return FALSE;
}

void report_section_probes(const ReportData *data, GString *out)
{
    static const char *const columns[] = {
        "rtt_p50", "rtt_p90",       "loss_share",     "down_p10",    "down_p50",     "up_p10",
        "up_p50",  "meeting_green", "meeting_yellow", "meeting_red", "meeting_black"};
    gboolean any = FALSE;
    for (unsigned c = 0; c < G_N_ELEMENTS(columns); c++)
        any = any || any_known(data->summary, columns[c]);
    if (!any || data->services->len == 0)
        return;
    const char *service = g_array_index(data->services, ReportService, 0).id;
    report_printf(out,
                  "<section id=\"probes\"><h2>%s</h2><p>%s</p><div class=\"scroll\"><table><thead>"
                  "<tr><th class=\"text\" scope=\"col\">%s</th><th class=\"text\" scope=\"col\">%s"
                  "</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
                  "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
                  "<th scope=\"col\">%s</th></tr></thead><tbody>",
                  _("What the connection gave"),
                  _("Over the length of the corridor, each segment weighing its length. A lost "
                    "round trip counts as longer than any; a failed test is a result."),
                  _("Corridor"), _("Operator"), _("Round trip P50, ms"), _("P90, ms"), _("Lost"),
                  _("Down P50, Mbit/s"), _("P10"), _("Up P50, Mbit/s"),
                  _("Meeting works, share of the way"));
    for (guint i = 0; i < report_table_rows(data->summary); i++) {
        const char *operator_label = report_text_at(data->summary, i, "operator");
        if (g_strcmp0(report_text_at(data->summary, i, "service"), service) != 0 ||
            operator_label == NULL || operator_label[0] == '(')
            continue;
        g_string_append(out, "<tr>");
        text_cell(out, report_text_at(data->summary, i, "corridor"));
        text_cell(out, operator_label);
        cell(out, report_number(report_real_at(data->summary, i, "rtt_p50"), 0));
        cell(out, report_number(report_real_at(data->summary, i, "rtt_p90"), 0));
        cell(out, report_percent(report_real_at(data->summary, i, "loss_share")));
        cell(out, report_number(report_real_at(data->summary, i, "down_p50"), 1));
        cell(out, report_number(report_real_at(data->summary, i, "down_p10"), 1));
        cell(out, report_number(report_real_at(data->summary, i, "up_p50"), 1));
        cell(out, report_percent(report_real_at(data->summary, i, "meeting_green")));
        g_string_append(out, "</tr>\n");
    }
    g_string_append(out, "</tbody></table></div></section>\n");
}

/* ---- quality ---- */

static void append_drives(const ReportData *data, GString *out)
{
    report_printf(out,
                  "<div class=\"scroll\"><table><caption>%s</caption><thead><tr>"
                  "<th class=\"text\" scope=\"col\">%s</th><th class=\"text\" scope=\"col\">%s</th>"
                  "<th class=\"text\" scope=\"col\">%s</th><th class=\"text\" scope=\"col\">%s</th>"
                  "</tr></thead><tbody>",
                  _("Drives this report rests on"), _("Drive"), _("From"), _("To"), _("SHA-256"));
    for (guint i = 0; i < report_table_rows(data->drives); i++) {
        g_string_append(out, "<tr>");
        text_cell(out, report_text_at(data->drives, i, "name"));
        text_cell(out, report_text_at(data->drives, i, "first_time"));
        text_cell(out, report_text_at(data->drives, i, "last_time"));
        g_string_append(out, "<td class=\"text\"><code>");
        report_escape(out, report_text_at(data->drives, i, "digest"));
        g_string_append(out, "</code>");
        const char *problems = report_text_at(data->drives, i, "problems");
        if (problems != NULL) {
            g_string_append(out, "<small>");
            report_escape(out, problems);
            g_string_append(out, "</small>");
        }
        g_string_append(out, "</td></tr>\n");
    }
    g_string_append(out, "</tbody></table></div>");
}

void report_section_quality(const ReportData *data, GString *out)
{
    static const struct {
        const char *title, *column;
        int decimals;
    } columns[] = {
        {N_("Fixes"), "fixes", 0},
        {N_("Matched"), "fixes_matched", 0},
        {N_("Off the network"), "fixes_off_network", 0},
        {N_("Rejected"), "fixes_rejected", 0},
        {N_("Repeated"), "fixes_repeated", 0},
        {N_("Distance to the line P50, m"), "distance_p50_m", 1},
        {N_("P95, m"), "distance_p95_m", 1},
        {N_("Samples"), "samples", 0},
        {N_("Used"), "samples_used", 0},
        {N_("Placed by time"), "samples_interpolated", 0},
        {N_("No position"), "samples_no_position", 0},
        {N_("Place uncertain"), "samples_uncertain", 0},
        {N_("Samples a segment"), "samples_per_segment_p50", 1},
        {N_("Refused values"), "refused_values", 0},
    };
    report_printf(out, "<section id=\"quality\"><h2>%s</h2><p>%s</p>", _("Data quality"),
                  _("Everything that was read is accounted for: used, or left out for a reason "
                    "that is counted here."));
    report_printf(
        out, "<div class=\"scroll\"><table><thead><tr><th class=\"text\" scope=\"col\">%s</th>",
        _("Operator"));
    for (unsigned c = 0; c < G_N_ELEMENTS(columns); c++)
        report_printf(out, "<th scope=\"col\">%s</th>", _(columns[c].title));
    g_string_append(out, "</tr></thead><tbody>");
    for (guint i = 0; i < report_table_rows(data->quality); i++) {
        g_string_append(out, "<tr>");
        text_cell(out, report_text_at(data->quality, i, "operator"));
        for (unsigned c = 0; c < G_N_ELEMENTS(columns); c++)
            cell(out, report_number(report_real_at(data->quality, i, columns[c].column),
                                    columns[c].decimals));
        g_string_append(out, "</tr>\n");
    }
    g_string_append(out, "</tbody></table></div>");
    append_drives(data, out);
    g_string_append(out, "</section>\n");
}

/* ---- method ---- */

static void append_services(const ReportData *data, GString *out)
{
    report_printf(out,
                  "<div class=\"scroll\"><table><caption>%s</caption><thead><tr>"
                  "<th class=\"text\" scope=\"col\">%s</th><th class=\"text\" scope=\"col\">%s</th>"
                  "<th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
                  "<th class=\"text\" scope=\"col\">%s</th></tr></thead><tbody>",
                  _("Thresholds and where they come from"), _("Service"), _("Technology"),
                  _("Threshold"), _("Required share"), _("Source"));
    for (guint i = 0; i < report_table_rows(data->service_rows); i++) {
        const ReportTable *t = data->service_rows;
        g_string_append(out, "<tr>");
        text_cell(out, report_text_at(t, i, "title"));
        text_cell(out, report_text_at(t, i, "rat"));
        double threshold = report_real_at(t, i, "threshold");
        g_autofree char *number = report_number(threshold, threshold == floor(threshold) ? 0 : 2);
        g_autofree char *unit = escaped(report_text_at(t, i, "unit"));
        report_printf(out, "<td>%s%s %s</td>",
                      !isfinite(threshold)                  ? ""
                      : report_real_at(t, i, "above") > 0.0 ? "\xe2\x89\xa5 "
                                                            : "\xe2\x89\xa4 ",
                      number, isfinite(threshold) ? unit : "");
        cell(out, report_percent(report_real_at(t, i, "required")));
        g_string_append(out, "<td class=\"text\">");
        report_escape(out, report_text_at(t, i, "threshold_source"));
        g_string_append(out, "<small>");
        report_escape(out, report_text_at(t, i, "required_source"));
        g_string_append(out, "</small></td></tr>\n");
    }
    g_string_append(out, "</tbody></table></div>");
}

static void append_meta(const ReportData *data, GString *out)
{
    static const struct {
        const char *key, *title;
    } rows[] = {
        {"software", N_("Software")},
        {"version", N_("Version")},
        {"profile", N_("Profile")},
        {"profile_digest", N_("Profile SHA-256")},
        {"network", N_("Network")},
        {"network_digest", N_("Network digest")},
        {"segment_m", N_("Segment length, m")},
        {"bootstrap", N_("Resamples")},
        {"seed", N_("Seed")},
        {"outdoor", N_("Corrected to outdoor")},
        {"pooled", N_("Antennas pooled")},
        {"options", N_("Options")},
        {"created_for", N_("Newest sample")},
    };
    report_printf(out, "<div class=\"scroll\"><table><caption>%s</caption><tbody>",
                  _("How these results were made"));
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *value = report_meta(data, rows[i].key);
        if (value == NULL)
            continue;
        report_printf(out, "<tr><th class=\"text\" scope=\"row\">%s</th><td class=\"text\"><code>",
                      _(rows[i].title));
        report_escape(out, value);
        g_string_append(out, "</code></td></tr>");
    }
    g_string_append(out, "</tbody></table></div>");
}

void report_section_method(const ReportData *data, GString *out)
{
    static const char *const points[] = {
        N_("<b>Segment.</b> The corridor is cut into pieces of about 100 m. One segment, one pass, "
           "one operator is the unit of evidence; corridors weigh segments by length, never by "
           "samples, so a train that stands at a station counts no more than one that passes."),
        N_("<b>Level.</b> RSRP for LTE and NR, RSCP for UMTS, RXLEV for GSM, in dBm. Averages are "
           "linear, 10 log₁₀(mean(10^(x/10))), and only inside a segment; above it percentiles "
           "and shares are used. No service ranks below every level and is never dropped."),
        N_("<b>Verdict.</b> The share of the way at or above the threshold with its Wilson 95 % "
           "interval on the effective sample size n(1−ρ)/(1+ρ). Covered or not covered only if "
           "the interval lies on one side of the required share; otherwise uncertain."),
        N_("<b>Interval of a corridor.</b> Moving-block bootstrap along the line, by drives where "
           "there are at least three passes; percentiles of the resamples, seed as below."),
        N_("<b>Percentiles.</b> Weighted, type 1: the smallest value whose cumulated weight "
           "reaches the share. P10 of a level is exceeded on 90 % of the way."),
        N_("<b>Not measured</b> is no verdict about the network: no sample lies there, or its "
           "place is less certain than a segment is long. It has its own colour and column."),
        N_("<b>Accuracy.</b> Levels of user equipment are right to ±6 dB (3GPP TS 36.133); "
           "segments within 3 dB of a threshold are marked grey in the tables."),
    };
    report_printf(out, "<section id=\"method\"><h2>%s</h2><ul>", _("Method"));
    for (unsigned i = 0; i < G_N_ELEMENTS(points); i++)
        report_printf(out, "<li>%s</li>", _(points[i]));
    g_string_append(out, "</ul>");
    append_services(data, out);
    append_meta(data, out);
    g_string_append(out, "</section>\n");
}
