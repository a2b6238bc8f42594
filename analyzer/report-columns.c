/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the results as tables of the page: chosen columns with headings for people. */
#include "analyzer/report-page.h"

#include <math.h>
#include <string.h>

const char *page_change(const Page *page, const char *change)
{
    static const struct {
        const char *key, *english;
    } words[] = {
        {"better", W("better")},
        {"worse", W("worse")},
        {"unchanged", W("unchanged")},
        {"unknown", W("unknown")},
        {"closed", W("closed")},
        {"new", W("new")},
        {"lost", W("lost")},
        {"longer", W("longer")},
        {"shorter", W("shorter")},
        {"not proved", W("not proved")},
        {"one drive each time: says nothing of other days",
         W("one drive each time: says nothing of other days")},
        {"one drive before: says nothing of other days",
         W("one drive before: says nothing of other days")},
        {"one drive after: says nothing of other days",
         W("one drive after: says nothing of other days")},
        {"nothing was measured both times", W("nothing was measured both times")},
        {"too short for an interval", W("too short for an interval")},
    };
    for (guint i = 0; change != NULL && i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i].key, change) == 0)
            return tr(page, words[i].english);
    return change != NULL ? change : "–";
}

static gboolean is_text(ShowAs as)
{
    return as == SHOW_TEXT || as == SHOW_LABEL || as == SHOW_CHANGE || as == SHOW_YES ||
           as == SHOW_TITLE || as == SHOW_AREA || as == SHOW_LINK;
}

static const char *signed_number(Page *page, double value, int decimals)
{
    const char *text = page_number(page, value, decimals);
    if (!(value > 0.0) || isinf(value))
        return text;
    g_autofree char *with_sign = g_strconcat("+", text, NULL);
    return g_string_chunk_insert_const(page->scratch, with_sign);
}

static const char *title_of(const Page *page, const char *service)
{
    for (guint i = 0; service != NULL && i < page->services->len; i++) {
        const ReportService *s = &g_array_index(page->services, ReportService, i);
        if (strcmp(s->id, service) == 0)
            return s->title;
    }
    return service;
}

static const char *interval_of_points(Page *page, double low, double high)
{
    if (!isfinite(low) || !isfinite(high))
        return "–";
    return page_fill(page, "{1} to {2}", signed_number(page, low * 100.0, 1),
                     signed_number(page, high * 100.0, 1), NULL);
}

static const char *shown(Page *page, const ReportTable *table, size_t row, const ShowColumn *c)
{
    const char *text = report_text(table, row, c->column);
    double x = report_number(table, row, c->column);
    switch (c->as) {
    case SHOW_TEXT:
        return text != NULL ? text : "–";
    case SHOW_LABEL:
        return page_label(page, text);
    case SHOW_CHANGE:
        return page_change(page, text);
    case SHOW_TITLE:
        return title_of(page, text);
    case SHOW_AREA:
        return g_strcmp0(text, "(all)") == 0 ? tr(page, "all") : text != NULL ? text : "–";
    case SHOW_YES:
        return !isfinite(x) ? "–" : x > 0.5 ? tr(page, "yes") : tr(page, "no");
    case SHOW_KM:
        return page_km(page, x);
    case SHOW_METRES:
        return page_km(page, x / 1000.0);
    case SHOW_SHARE:
        return page_share(page, x, 1);
    case SHOW_PERCENT:
        return page_share(page, x, 2);
    case SHOW_POINTS:
        return signed_number(page, x * 100.0, 1);
    case SHOW_COUNT:
    case SHOW_LEVEL:
        return page_number(page, x, 0);
    case SHOW_DECIBEL:
        return signed_number(page, x, 1);
    case SHOW_INTERVAL:
        return page_interval(page, x, report_number(table, row, c->second));
    case SHOW_POINTS_INTERVAL:
        return interval_of_points(page, x, report_number(table, row, c->second));
    case SHOW_DECIMAL:
    default:
        return page_number(page, x, 1);
    }
}

/* Only addresses of the map that `compare` links to; a file could hold any other. */
static void link_cell(Page *page, const char *address)
{
    if (address == NULL || !g_str_has_prefix(address, "https://www.openstreetmap.org/")) {
        page_cell(page, address);
        return;
    }
    page_raw(page, "<td><a rel=\"noreferrer\" href=\"");
    page_text(page, address);
    page_raw(page, "\">");
    page_text(page, tr(page, "map"));
    page_raw(page, "</a></td>");
}

static void begin(Page *page, const ReportTable *table, const char *caption,
                  const ShowColumn *columns, guint n)
{
    g_autoptr(GString) headings = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        if (report_column(table, columns[i].column) >= 0)
            g_string_append_printf(headings, "%s%s%s", headings->len > 0 ? "|" : "",
                                   is_text(columns[i].as) ? "" : "#", tr(page, columns[i].heading));
    page_table(page, caption, headings->str);
}

static void write_row(Page *page, const ReportTable *table, size_t row, const ShowColumn *columns,
                      guint n)
{
    gboolean is_first = TRUE;
    const char *label = report_text(table, row, "operator");
    page_raw(page, label != NULL && label[0] == '(' ? "<tr class=\"sum\">" : "<tr>");
    for (guint i = 0; i < n; i++) {
        if (report_column(table, columns[i].column) < 0)
            continue;
        const char *text = shown(page, table, row, &columns[i]);
        if (columns[i].as == SHOW_LINK)
            link_cell(page, report_text(table, row, columns[i].column));
        else if (is_first)
            page_row_head(page, text);
        else if (is_text(columns[i].as))
            page_cell(page, text);
        else
            page_cell_number(page, text);
        is_first = FALSE;
    }
    page_row_end(page);
}

gsize page_columns(Page *page, const ReportTable *table, const char *caption,
                   const ShowColumn *columns, guint n_columns,
                   gboolean (*wanted)(const ReportTable *table, size_t row, gconstpointer data),
                   gconstpointer data, gsize most)
{
    gsize n = 0;
    for (size_t i = 0; table != NULL && i < table->n_rows; i++) {
        if (wanted != NULL && !wanted(table, i, data))
            continue;
        if (n == 0)
            begin(page, table, caption, columns, n_columns);
        if (n++ < most)
            write_row(page, table, i, columns, n_columns);
    }
    if (n > 0)
        page_table_end(page);
    if (n > most) {
        page_raw(page, "<p class=\"note\">");
        page_say_plain(page, "The first {1} of {2} rows; all are in {3}.csv.",
                       page_number(page, (double)most, 0), page_number(page, (double)n, 0),
                       table->name, NULL);
        page_raw(page, "</p>\n");
    }
    return n;
}
