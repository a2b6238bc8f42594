/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"

#include <math.h>
#include <string.h>

/* The headline service by hour of the day and by day of the week. */

enum { NONE = -1, HOURS = 24, DAYS = 8 };

typedef struct {
    double share, km;
    gboolean known;
} Cell;

static const char *day_name(const Page *page, int day)
{
    static const char *const days[DAYS] = {NULL,           W("Monday"),   W("Tuesday"),
                                           W("Wednesday"), W("Thursday"), W("Friday"),
                                           W("Saturday"),  W("Sunday")};
    return tr(page, days[day]);
}

/* Cells of one operator: by hour where `of_days` is FALSE, else by weekday. */
static void fill(const Page *page, const ReportGroup *group, const char *operator_label,
                 gboolean of_days, Cell *cell)
{
    const ReportTable *hours = report_table(page->data, "hours");
    for (size_t i = 0; i < hours->n_rows; i++) {
        const char *corridor = report_text(hours, i, "corridor");
        int64_t hour = report_int_at(hours, i, report_column(hours, "hour"), INT64_MIN),
                day = report_int_at(hours, i, report_column(hours, "weekday"), INT64_MIN);
        if (g_strcmp0(corridor != NULL ? corridor : "(other)", group->corridor) != 0 ||
            g_strcmp0(report_text(hours, i, "antenna"), group->antenna) != 0 ||
            g_strcmp0(report_text(hours, i, "operator"), operator_label) != 0 ||
            g_strcmp0(report_text(hours, i, "service"), page->headline->id) != 0 ||
            (of_days ? hour != NONE || day < 1 || day >= DAYS
                     : day != 0 || hour < 0 || hour >= HOURS))
            continue;
        cell[of_days ? day : hour] =
            (Cell){report_number(hours, i, "share"), report_number(hours, i, "km"), TRUE};
    }
}

static void write_cell(Page *page, const Cell *cell)
{
    if (!cell->known) {
        page_cell_number(page, "–");
        return;
    }
    page_cell_number(page, page_fill(page, "{1} of {2} km", page_share(page, cell->share, 0),
                                     page_number(page, cell->km, cell->km < 10 ? 1 : 0), NULL));
}

static void write_table(Page *page, const ReportGroup *group, gboolean of_days)
{
    guint n = group->operators->len;
    int rows = of_days ? DAYS : HOURS;
    g_autofree Cell *cells = g_new0(Cell, n * (gsize)rows);
    g_autoptr(GString) headings = g_string_new(of_days ? tr(page, "Day") : tr(page, "Hour (UTC)"));
    for (guint o = 0; o < n; o++) {
        g_autofree char *label = g_strdup(g_ptr_array_index(group->operators, o));
        fill(page, group, label, of_days, cells + o * (gsize)rows);
        g_strdelimit(label, "|", '/');
        g_string_append_printf(headings, "|#%s", label);
    }
    page_table(page,
               page_fill(page,
                         of_days ? W("{1}, by day of the week") : W("{1}, by hour of the day"),
                         report_group_title(page, group), NULL),
               headings->str);
    for (int row = 0; row < rows; row++) {
        gboolean any = FALSE;
        for (guint o = 0; o < n; o++)
            any = any || cells[o * (gsize)rows + (gsize)row].known;
        if (!any)
            continue;
        g_autofree char *hour = g_strdup_printf("%02d–%02d", row, row + 1);
        page_row(page);
        page_row_head(page, of_days ? day_name(page, row) : hour);
        for (guint o = 0; o < n; o++)
            write_cell(page, &cells[o * (gsize)rows + (gsize)row]);
        page_row_end(page);
    }
    page_table_end(page);
}

void report_section_hours(Page *page)
{
    if (!report_has_rows(page->data, "hours") || page->headline == NULL)
        return;
    page_raw(page, "<section id=\"hours\" aria-labelledby=\"h-hours\"><h2 id=\"h-hours\">");
    page_text(page, tr(page, "By hour and day"));
    page_raw(page, "</h2>\n<p>");
    page_say(page,
             "{1}: share of the kilometres driven in that hour or on that day. Where few drives "
             "stand behind an hour, it shows those drives rather than the hour. The other "
             "services are in hours.csv.",
             page->headline->title, NULL);
    page_raw(page, "</p>\n");
    for (guint g = 0; g < page->groups->len; g++) {
        const ReportGroup *group = g_ptr_array_index(page->groups, g);
        if (!report_is_judged(page, group, page->headline->id))
            continue;
        write_table(page, group, FALSE);
        write_table(page, group, TRUE);
    }
    page_raw(page, "</section>\n");
}
