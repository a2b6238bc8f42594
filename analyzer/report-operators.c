/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"

#include <math.h>
#include <string.h>

/* Headlines of every service, and a chapter for each operator. */

static double summary(const Page *page, gssize row, const char *column)
{
    return report_summary_number(page, row, column);
}

static const char *longest_gap(Page *page, gssize row)
{
    double metres = summary(page, row, "gap_longest_m");
    if (!isfinite(metres) || metres <= 0)
        return tr(page, "none");
    return page_fill(page, "{1} ({2}–{3})", page_km(page, metres / 1000),
                     page_km(page, summary(page, row, "gap_longest_from_km")),
                     page_km(page, summary(page, row, "gap_longest_to_km")), NULL);
}

static void figures(Page *page, gssize row)
{
    double length = summary(page, row, "length_km");
    double enough = summary(page, row, "enough");
    const char *note =
        row < 0 ? NULL : report_text(report_table(page->data, "summary"), (size_t)row, "note");
    if (isfinite(enough) && enough < 0.5) {
        g_autofree char *text = g_strdup_printf("%s: %s", tr(page, "not enough data"),
                                                note != NULL ? tr(page, note) : "–");
        page_cell(page, text);
        page_cell_number(page, "–");
    } else {
        page_cell_number(page, page_share(page, summary(page, row, "share"), 1));
        page_cell_number(page, page_interval(page, summary(page, row, "share_low"),
                                             summary(page, row, "share_high")));
    }
    static const char *const columns[] = {"km_covered", "km_not_covered", "km_uncertain",
                                          "km_not_measured"};
    for (guint i = 0; i < G_N_ELEMENTS(columns); i++) {
        double km = summary(page, row, columns[i]);
        g_autofree char *text = g_strdup_printf(
            "%s (%s)", page_km(page, km), page_share(page, length > 0 ? km / length : NAN, 0));
        page_cell_number(page, text);
    }
    page_cell_number(page, longest_gap(page, row));
    page_cell_number(page, page_number(page, summary(page, row, "gaps"), 0));
    page_cell_number(page, page_number(page, summary(page, row, "passes"), 0));
    page_cell_number(page, page_number(page, summary(page, row, "n"), 0));
}

/* The service of the headlines is open, the others wait to be asked for. */
static void service_table(Page *page, const ReportGroup *group, const ReportService *service)
{
    page_raw(page, service == page->headline ? "<details open><summary>" : "<details><summary>");
    page_text(page, service->title);
    page_raw(page, "</summary>\n");
    page_table(page,
               page_fill(page, "{1}: {2}", report_group_title(page, group), service->title, NULL),
               "Operator|#Share|#95% interval|#Covered, km|#Not covered, km|#Uncertain, km|#Not "
               "measured, km|#Longest gap, km (from–to)|#Gaps|#Passes|#Samples");
    for (guint o = 0; o < group->operators->len; o++) {
        const char *name = g_ptr_array_index(group->operators, o);
        page_row(page);
        page_row_head(page, name);
        figures(page, report_summary_row(page, group, name, service->id));
        page_row_end(page);
    }
    static const char *const several[] = {"(any)", "(all)"};
    for (guint i = 0; i < 2 && group->operators->len > 1; i++) {
        gssize row = report_summary_row(page, group, several[i], service->id);
        if (row < 0)
            continue;
        page_raw(page, i == 0 ? "<tr class=\"sum\">" : "<tr>");
        page_row_head(page, page_label(page, several[i]));
        figures(page, row);
        page_row_end(page);
    }
    page_table_end(page);
    page_raw(page, "</details>\n");
}

void report_section_operators(Page *page)
{
    page_raw(page,
             "<section id=\"services\" aria-labelledby=\"h-services\"><h2 id=\"h-services\">");
    page_text(page, tr(page, "Every service, operator by operator"));
    page_raw(page, "</h2>\n<p>");
    page_text(page,
              tr(page, "Share is the estimated share of the measured length with the service; "
                       "the kilometres are lengths by verdict, with their share of the whole "
                       "length."));
    page_raw(page, "</p>\n");
    for (guint g = 0; g < page->groups->len; g++) {
        const ReportGroup *group = g_ptr_array_index(page->groups, g);
        g_autoptr(GString) missing = g_string_new(NULL);
        page_raw(page, "<h3>");
        page_text(page, report_group_title(page, group));
        page_raw(page, "</h3>\n");
        for (guint s = 0; s < page->services->len; s++) {
            const ReportService *service = &g_array_index(page->services, ReportService, s);
            if (report_is_judged(page, group, service->id))
                service_table(page, group, service);
            else
                g_string_append_printf(missing, "%s%s", missing->len > 0 ? "; " : "",
                                       service->title);
        }
        if (missing->len > 0) {
            page_raw(page, "<p class=\"note\">");
            page_say_plain(page, "Not measured at all, so without a table: {1}.", missing->str,
                           NULL);
            page_raw(page, "</p>\n");
        }
    }
    page_raw(page, "</section>\n");
}

/* ---- chapters ---- */

static void key(Page *page, const char *term, const char *value)
{
    page_raw(page, "<div><dt>");
    page_text(page, tr(page, term));
    page_raw(page, "</dt><dd>");
    page_text(page, value);
    page_raw(page, "</dd></div>");
}

static void key_number(Page *page, const char *term, double value, int decimals, const char *unit)
{
    if (!isfinite(value))
        return;
    g_autofree char *text = g_strdup_printf("%s%s%s", page_number(page, value, decimals),
                                            *unit != '\0' ? "\u00a0" : "", unit);
    key(page, term, text);
}

static void key_share(Page *page, const char *term, double share)
{
    if (isfinite(share))
        key(page, term, page_share(page, share, 1));
}

static void chapter_keys(Page *page, const ReportGroup *group, const char *name)
{
    gssize row = report_summary_row(page, group, name, page->headline->id);
    page_raw(page, "<dl class=\"keys\">");
    key_number(page, "level, median", summary(page, row, "level_p50"), 0, "dBm");
    key_number(page, "level, 10% below", summary(page, row, "level_p10"), 0, "dBm");
    key_number(page, "level, 10% above", summary(page, row, "level_p90"), 0, "dBm");
    key_number(page, "round trip, median", summary(page, row, "rtt_p50"), 0, "ms");
    key_number(page, "round trip, 90% below", summary(page, row, "rtt_p90"), 0, "ms");
    key_share(page, "packets lost", summary(page, row, "loss_share"));
    key_number(page, "jitter, median", summary(page, row, "jitter_p50"), 0, "ms");
    key_number(page, "download, median", summary(page, row, "down_p50"), 1, "Mbit/s");
    key_number(page, "download, 10% below", summary(page, row, "down_p10"), 1, "Mbit/s");
    key_number(page, "upload, median", summary(page, row, "up_p50"), 1, "Mbit/s");
    key_share(page, "meeting: good", summary(page, row, "meeting_green"));
    key_share(page, "meeting: fair", summary(page, row, "meeting_yellow"));
    key_share(page, "meeting: poor", summary(page, row, "meeting_red"));
    key_share(page, "meeting: broken", summary(page, row, "meeting_black"));
    if (summary(page, row, "tests") > 0) {
        key_number(page, "probes run", summary(page, row, "tests"), 0, "");
        key_number(page, "of them failed", summary(page, row, "tests_failed"), 0, "");
    }
    key_number(page, "cell changes per 100 km", summary(page, row, "cell_changes_per_100km"), 0,
               "");
    key_number(page, "changes of technology per 100 km",
               summary(page, row, "rat_changes_per_100km"), 0, "");
    key_number(page, "corridor index (0–100)", summary(page, row, "index"), 1, "");
    page_raw(page, "</dl>\n");
}

static void chapter_table(Page *page, const ReportGroup *group, const char *name)
{
    page_table(page, page_fill(page, "{1}: all services", name, NULL),
               "Service|#Share|#95% interval|#Covered, km|#Not covered, km|#Uncertain, km|#Not "
               "measured, km|#Longest gap, km (from–to)|#Gaps|#Passes|#Samples");
    for (guint s = 0; s < page->services->len; s++) {
        const ReportService *service = &g_array_index(page->services, ReportService, s);
        gssize row = report_summary_row(page, group, name, service->id);
        double unmeasured = summary(page, row, "km_not_measured");
        if (row < 0 || unmeasured >= summary(page, row, "length_km") - 1e-9)
            continue;
        page_row(page);
        page_row_head(page, service->title);
        figures(page, row);
        page_row_end(page);
    }
    page_table_end(page);
}

/* Shares of the way by technology, by length of segments. */
static void chapter_technology(Page *page, const ReportGroup *group, guint o)
{
    const ReportTable *table = report_table(page->data, "segments");
    const GArray *rows = g_ptr_array_index(group->rows, o);
    static const char *const rats[] = {"NR-SA", "NR-NSA", "LTE", "UMTS", "GSM", "none"};
    double km[G_N_ELEMENTS(rats)] = {0};
    double sum = 0;
    int rat = report_column(table, "rat");
    int length = report_column(table, "length_m");
    for (guint i = 0; i < rows->len; i++) {
        size_t row = g_array_index(rows, size_t, i);
        const char *text = report_text_at(table, row, rat);
        for (guint r = 0; text != NULL && r < G_N_ELEMENTS(rats); r++)
            if (strcmp(text, rats[r]) == 0) {
                km[r] += report_number_at(table, row, length) / 1000;
                sum += report_number_at(table, row, length) / 1000;
            }
    }
    if (!(sum > 0))
        return;
    page_raw(page, "<p>");
    page_text(page, tr(page, "Technology of most of each measured segment:"));
    for (guint r = 0; r < G_N_ELEMENTS(rats); r++)
        if (km[r] > 0) {
            page_raw(page, " ");
            page_text(page, page_label(page, rats[r]));
            page_raw(page, " <b>");
            page_text(page, page_share(page, km[r] / sum, 1));
            page_raw(page, "</b>;");
        }
    g_string_truncate(page->out, page->out->len - 1);
    page_raw(page, ".</p>\n");
}

void report_section_chapters(Page *page)
{
    if (page->headline == NULL)
        return;
    page_raw(page, "<section id=\"operators\" aria-labelledby=\"h-operators\">"
                   "<h2 id=\"h-operators\">");
    page_text(page, tr(page, "Operator by operator"));
    page_raw(page, "</h2>\n");
    for (guint g = 0; g < page->groups->len; g++) {
        const ReportGroup *group = g_ptr_array_index(page->groups, g);
        for (guint o = 0; o < group->operators->len; o++) {
            const char *name = g_ptr_array_index(group->operators, o);
            page_raw(page, "<h3>");
            page_text(page, name);
            page_raw(page, ": ");
            page_text(page, report_group_title(page, group));
            page_raw(page, "</h3>\n");
            chapter_keys(page, group, name);
            chapter_technology(page, group, o);
            chapter_table(page, group, name);
        }
    }
    page_raw(page, "</section>\n");
}
