/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Gaps, and operators against each other. */

enum { GAPS_SHOWN = 25 };

static gboolean in_group(const ReportTable *table, size_t row, const ReportGroup *group)
{
    const char *corridor = report_text(table, row, "corridor");
    const char *antenna = report_text(table, row, "antenna");
    return strcmp(corridor != NULL ? corridor : "(other)", group->corridor) == 0 &&
           strcmp(antenna != NULL ? antenna : "unknown", group->antenna) == 0;
}

typedef struct {
    size_t row;
    double length;
} Gap;

static int longest_gap_first(gconstpointer a, gconstpointer b)
{
    const Gap *x = a;
    const Gap *y = b;
    if (x->length > y->length || x->length < y->length)
        return x->length > y->length ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void gap_link(Page *page, guint g, const ReportGroup *group, const ReportTable *gaps,
                     size_t row, const char *service)
{
    const char *name = report_text(gaps, row, "operator");
    guint o = 0;
    while (o < group->operators->len &&
           g_strcmp0(g_ptr_array_index(group->operators, o), name) != 0)
        o++;
    char from[G_ASCII_DTOSTR_BUF_SIZE];
    char to[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(from, sizeof from, "%.6g", report_number(gaps, row, "km_from"));
    g_ascii_formatd(to, sizeof to, "%.6g", report_number(gaps, row, "km_to"));
    g_string_append_printf(page->out,
                           "<td class=\"hide-print\"><a href=\"#map\" data-group=\"%u\" "
                           "data-operator=\"%u\" data-km=\"%s\" data-to=\"%s\" data-service=\"",
                           g, o, from, to); /* behind the last one: any operator */
    page_text(page, service);
    page_raw(page, "\">");
    page_text(page, tr(page, "map"));
    page_raw(page, "</a></td>");
}

static void gap_row(Page *page, guint g, const ReportGroup *group, const ReportTable *gaps,
                    size_t row, const char *service)
{
    page_row(page);
    page_row_head(page, page_label(page, report_text(gaps, row, "operator")));
    page_cell_number(page, page_km(page, report_number(gaps, row, "km_from")));
    page_cell_number(page, page_km(page, report_number(gaps, row, "km_to")));
    page_cell_number(page, page_km(page, report_number(gaps, row, "length_m") / 1000));
    page_cell_number(page, page_km(page, report_number(gaps, row, "unknown_m") / 1000));
    page_cell_number(page, page_km(page, report_number(gaps, row, "no_service_m") / 1000));
    page_cell_number(page, page_number(page, report_number(gaps, row, "level_p50"), 0));
    page_cell_number(page, page_number(page, report_number(gaps, row, "passes"), 0));
    page_cell_number(page, page_number(page, report_number(gaps, row, "seconds"), 0));
    gap_link(page, g, group, gaps, row, service);
    page_row_end(page);
}

static void gap_table(Page *page, guint g, const ReportService *service)
{
    const ReportGroup *group = g_ptr_array_index(page->groups, g);
    const ReportTable *gaps = report_table(page->data, "gaps");
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Gap));
    for (size_t i = 0; i < gaps->n_rows; i++)
        if (g_strcmp0(report_text(gaps, i, "service"), service->id) == 0 &&
            g_strcmp0(report_text(gaps, i, "operator"), "(all)") != 0 && in_group(gaps, i, group)) {
            Gap gap = {i, report_number(gaps, i, "length_m")};
            g_array_append_val(found, gap);
        }
    g_array_sort(found, longest_gap_first);
    const char *title =
        page_fill(page, "{1}: {2}", report_group_title(page, group), service->title, NULL);
    if (found->len == 0) {
        page_raw(page, "<p>");
        page_say(page, "{1}: no gap.", title, NULL);
        page_raw(page, "</p>\n");
        return;
    }
    gboolean open = service == page->headline;
    page_raw(page, open ? "<details open><summary>" : "<details><summary>");
    page_text(page, title);
    page_raw(page, " (");
    page_say_plain(page, tr_count(page, W("{1} gap"), W("{1} gaps"), found->len),
                   page_number(page, found->len, 0), NULL);
    page_raw(page, ")</summary>\n");
    page_table(page, title,
               "Operator|#From km|#To km|#Length, km|#Of it unknown, km|#Of it no service, "
               "km|#Median level, dBm|#Passes|#Seconds to cross|Show");
    for (guint i = 0; i < MIN(found->len, (guint)GAPS_SHOWN); i++)
        gap_row(page, g, group, gaps, g_array_index(found, Gap, i).row, service->id);
    page_table_end(page);
    if (found->len > GAPS_SHOWN) {
        page_raw(page, "<p class=\"note\">");
        page_say_plain(page, "The {1} longest are shown; all are in gaps.csv.",
                       page_number(page, GAPS_SHOWN, 0), NULL);
        page_raw(page, "</p>\n");
    }
    page_raw(page, "</details>\n");
}

void report_section_gaps(Page *page)
{
    page_raw(page, "<section id=\"gaps\" aria-labelledby=\"h-gaps\"><h2 id=\"h-gaps\">");
    page_text(page, tr(page, "Gaps"));
    page_raw(page, "</h2>\n<p>");
    page_text(page, tr(page, "Unbroken runs of segments proved to be without the service, longest "
                             "first. “Any operator” means that no operator offers it there."));
    page_raw(page, "</p>\n");
    for (guint g = 0; g < page->groups->len; g++)
        for (guint s = 0; s < page->services->len; s++) {
            const ReportService *service = &g_array_index(page->services, ReportService, s);
            if (report_is_judged(page, g_ptr_array_index(page->groups, g), service->id))
                gap_table(page, g, service);
        }
    page_raw(page, "</section>\n");
}

/* ---- operators against each other ---- */

static gboolean is_service(const ReportTable *table, size_t row, const ReportService *service)
{
    return g_strcmp0(report_text(table, row, "service"), service != NULL ? service->id : NULL) == 0;
}

static void km_cells(Page *page, const ReportTable *table, size_t row, const char *const *columns)
{
    for (; *columns != NULL; columns++)
        page_cell_number(page, page_km(page, report_number(table, row, *columns)));
}

static void rank_table(Page *page, const ReportGroup *group, const ReportService *service)
{
    const ReportTable *table = report_table(page->data, "operators");
    if (table == NULL)
        return;
    const char *title = service != NULL ? service->title : tr(page, "by the median level");
    page_table(
        page, page_fill(page, "{1}: {2}", report_group_title(page, group), title, NULL),
        service != NULL
            ? W("Operator|#Compared, km|#Covered with others, km|#The only one, km|#None, km")
            : W("Operator|#Compared, km|#Best by 3 dB or more, km|#Tied, km|#None has a "
                "level, km"));
    static const char *const of_service[] = {"km_compared", "km_tied", "km_only", "km_none", NULL};
    static const char *const of_level[] = {"km_compared", "km_best", "km_tied", "km_none", NULL};
    for (size_t i = 0; i < table->n_rows; i++) {
        if (!in_group(table, i, group) || !is_service(table, i, service))
            continue;
        page_row(page);
        page_row_head(page, page_label(page, report_text(table, i, "operator")));
        km_cells(page, table, i, service != NULL ? of_service : of_level);
        page_row_end(page);
    }
    page_table_end(page);
}

static void pair_table(Page *page, const ReportGroup *group, const ReportService *service)
{
    const ReportTable *table = report_table(page->data, "pairs");
    if (table == NULL)
        return;
    page_table(
        page,
        page_fill(page, "{1}, two by two: {2}", report_group_title(page, group),
                  service != NULL ? service->title : tr(page, "by the median level"), NULL),
        service != NULL
            ? W("Operators A and B|#Compared, km|#Both, km|#Only A, km|#Only B, km|#Neither, "
                "km|#Undecided, km")
            : W("Operators A and B|#Compared, km|#Tied, km|#A better, km|#B better, km|#Neither, "
                "km|#Undecided, km|#A minus B, median dB"));
    static const char *const columns[] = {"km_compared", "km_both",      "km_a_only", "km_b_only",
                                          "km_neither",  "km_undecided", NULL};
    for (size_t i = 0; i < table->n_rows; i++) {
        if (!in_group(table, i, group) || !is_service(table, i, service))
            continue;
        const char *a = report_text(table, i, "operator_a");
        const char *b = report_text(table, i, "operator_b");
        page_row(page);
        page_row_head(
            page, page_fill(page, "{1} and {2}", a != NULL ? a : "–", b != NULL ? b : "–", NULL));
        km_cells(page, table, i, columns);
        if (service == NULL)
            page_cell_number(page,
                             page_number(page, report_number(table, i, "level_difference_p50"), 1));
        page_row_end(page);
    }
    page_table_end(page);
}

void report_section_comparison(Page *page)
{
    if (!report_has_rows(page->data, "operators"))
        return;
    page_raw(page, "<section id=\"comparison\" aria-labelledby=\"h-comparison\">"
                   "<h2 id=\"h-comparison\">");
    page_text(page, tr(page, "Operators compared"));
    page_raw(page, "</h2>\n<p>");
    page_text(page,
              tr(page, "By length, and only on segments that were measured for all operators "
                       "compared. Levels of different modems differ by up to ±6 dB: a lead of "
                       "less than 3 dB is a tie."));
    page_raw(page, "</p>\n");
    for (guint g = 0; g < page->groups->len; g++) {
        const ReportGroup *group = g_ptr_array_index(page->groups, g);
        if (group->operators->len < 2)
            continue;
        if (page->headline != NULL) {
            rank_table(page, group, page->headline);
            pair_table(page, group, page->headline);
        }
        rank_table(page, group, NULL);
        pair_table(page, group, NULL);
    }
    page_raw(page, "<p class=\"note\">");
    page_text(page, tr(page, "The other services are in operators.csv and pairs.csv."));
    page_raw(page, "</p></section>\n");
}
