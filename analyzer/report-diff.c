/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"

#include <math.h>
#include <string.h>

/* Before and after: what `corridor diff` added. */

enum { WIDTH = 1000, LEFT = 150, RIGHT = 12, ROW = 30, GAPS_SHOWN = 30, CELLS_SHOWN = 40 };

typedef struct {
    const ReportGroup *group;
    const char *service, *operator_label;
} Which;

static gboolean is_which(const ReportTable *table, size_t row, gconstpointer data)
{
    const Which *which = data;
    const char *corridor = report_text(table, row, "corridor");
    const char *service = report_text(table, row, "service");
    return g_strcmp0(corridor != NULL ? corridor : "(other)", which->group->corridor) == 0 &&
           g_strcmp0(report_text(table, row, "antenna"), which->group->antenna) == 0 &&
           (which->service == NULL || g_strcmp0(service, which->service) == 0) &&
           (which->operator_label == NULL ||
            g_strcmp0(report_text(table, row, "operator"), which->operator_label) == 0);
}

/* ---- the picture ---- */

/* Better lies above the line, worse below it, so that it is told without colours. */
static const struct {
    const char *change, *look;
    double y, height;
} looks[] = {
    {"unknown", "stroke=\"#777\" stroke-width=\"1.5\" stroke-dasharray=\"1 4\"", 0, 0},
    {"unchanged", "stroke=\"#4c5660\" stroke-width=\"3\"", 0, 0},
    {"better", "stroke=\"#0072b2\" stroke-width=\"11\"", -5.5, 0},
    {"worse", "stroke=\"#d55e00\" stroke-width=\"11\"", 5.5, 0},
};

static void put_x(GString *out, double x)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append(out, g_ascii_formatd(text, sizeof text, "%.1f", x));
}

typedef struct {
    double from_km, to_km;
} Range;

static double x_of(const Range *range, double km)
{
    return LEFT + (km - range->from_km) / (range->to_km - range->from_km) * (WIDTH - LEFT - RIGHT);
}

typedef struct {
    double from, to;
    const char *change;
} Piece;

static int by_from(gconstpointer a, gconstpointer b)
{
    const Piece *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

/* Segments of one operator in order, neighbours of one change joined. Returns: (transfer full). */
static GArray *pieces_of(const Page *page, const Which *which)
{
    const ReportTable *diff = report_table(page->data, "diff");
    g_autofree char *column = g_strdup_printf("%s_change", which->service);
    int change = report_column(diff, column), from = report_column(diff, "km_from"),
        to = report_column(diff, "km_to");
    Which any = *which;
    any.service = NULL; /* the layer has a column for each */
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Piece));
    for (size_t i = 0; i < diff->n_rows; i++)
        if (is_which(diff, i, &any)) {
            Piece p = {report_number_at(diff, i, from), report_number_at(diff, i, to),
                       report_text_at(diff, i, change)};
            if (p.change != NULL && p.to > p.from)
                g_array_append_val(all, p);
        }
    g_array_sort(all, by_from);
    guint kept = 0;
    for (guint i = 0; i < all->len; i++) {
        Piece p = g_array_index(all, Piece, i);
        Piece *last = kept > 0 ? &g_array_index(all, Piece, kept - 1) : NULL;
        if (last != NULL && strcmp(last->change, p.change) == 0 && p.from - last->to < 1e-3)
            last->to = p.to;
        else
            g_array_index(all, Piece, kept++) = p;
    }
    g_array_set_size(all, kept);
    return all;
}

static void put_ribbon(GString *svg, const Range *range, const GArray *pieces, double y)
{
    for (guint k = 0; k < G_N_ELEMENTS(looks); k++) {
        gboolean begun = FALSE;
        for (guint i = 0; i < pieces->len; i++) {
            const Piece *p = &g_array_index(pieces, Piece, i);
            if (strcmp(p->change, looks[k].change) != 0)
                continue;
            g_string_append(svg, begun ? "M" : "<path fill=\"none\" d=\"M");
            begun = TRUE;
            put_x(svg, x_of(range, p->from));
            g_string_append_c(svg, ' ');
            put_x(svg, y + looks[k].y);
            g_string_append_c(svg, 'H');
            put_x(svg, fmax(x_of(range, p->to), x_of(range, p->from) + 1.0));
        }
        if (begun)
            g_string_append_printf(svg, "\" %s/>", looks[k].look);
    }
}

static double tick_step(double km)
{
    double raw = fmax(km, 0.01) / 9.0, power = pow(10.0, floor(log10(raw))), lead = raw / power;
    return (lead > 5 ? 10 : lead > 2 ? 5 : lead > 1 ? 2 : 1) * power;
}

static void put_axis(Page *page, const Range *range, double y)
{
    GString *out = page->out;
    double step = tick_step(range->to_km - range->from_km);
    for (double km = ceil(range->from_km / step - 1e-9) * step; km <= range->to_km + 1e-9;
         km += step) {
        g_string_append(out, "<path stroke=\"#1a1f24\" stroke-width=\".8\" d=\"M");
        put_x(out, x_of(range, km));
        g_string_append_c(out, ' ');
        put_x(out, y);
        g_string_append(out, "v5\"/><text text-anchor=\"middle\" x=\"");
        put_x(out, x_of(range, km));
        g_string_append(out, "\" y=\"");
        put_x(out, y + 18);
        g_string_append(out, "\">");
        page_text(page, page_number(page, km, step < 1.0 ? 1 : 0));
        g_string_append(out, "</text>");
    }
    g_string_append(out, "<path stroke=\"#1a1f24\" stroke-width=\".8\" d=\"M");
    put_x(out, LEFT);
    g_string_append_c(out, ' ');
    put_x(out, y);
    g_string_append_c(out, 'H');
    put_x(out, WIDTH - RIGHT);
    g_string_append(out, "\"/>");
}

static void put_name(Page *page, const char *name, double y)
{
    g_autofree char *brief = g_utf8_strlen(name, -1) > 20 ? g_utf8_substring(name, 0, 19) : NULL;
    g_string_append(page->out, "<text text-anchor=\"end\" x=\"");
    put_x(page->out, LEFT - 10);
    g_string_append(page->out, "\" y=\"");
    put_x(page->out, y + 4);
    g_string_append(page->out, "\">");
    page_text(page, brief != NULL ? brief : name);
    page_raw(page, brief != NULL ? "…</text>" : "</text>");
}

static void picture(Page *page, const ReportGroup *group, const ReportService *service)
{
    g_autoptr(GPtrArray) rows =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))g_array_unref);
    Range range = {INFINITY, -INFINITY};
    for (guint o = 0; o < group->operators->len; o++) {
        Which which = {group, service->id, g_ptr_array_index(group->operators, o)};
        GArray *pieces = pieces_of(page, &which);
        g_ptr_array_add(rows, pieces);
        if (pieces->len > 0) {
            range.from_km = fmin(range.from_km, g_array_index(pieces, Piece, 0).from);
            range.to_km = fmax(range.to_km, g_array_index(pieces, Piece, pieces->len - 1).to);
        }
    }
    if (group->is_other || !(range.to_km > range.from_km))
        return;
    const char *title =
        page_fill(page, "{1}: {2}", report_group_title(page, group), service->title, NULL);
    double bottom = 8 + ROW * (double)group->operators->len;
    page_raw(page, "<figure><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
    page_say_plain(page, "Changes along the line: {1}", title, NULL);
    g_string_append_printf(page->out,
                           "\"><svg class=\"ribbons\" viewBox=\"0 0 %d %d\" role=\"img\" "
                           "aria-label=\"",
                           WIDTH, (int)bottom + 44);
    page_say_plain(page, "Changes along the line: {1}; the table below has the figures.", title,
                   NULL);
    page_raw(page, "\">");
    for (guint o = 0; o < group->operators->len; o++) {
        double y = 8 + ROW * (o + 0.5);
        put_name(page, g_ptr_array_index(group->operators, o), y);
        put_ribbon(page->out, &range, g_ptr_array_index(rows, o), y);
    }
    put_axis(page, &range, bottom + 2);
    g_string_append(page->out, "<text text-anchor=\"middle\" x=\"");
    put_x(page->out, LEFT + (WIDTH - LEFT - RIGHT) / 2.0);
    g_string_append(page->out, "\" y=\"");
    put_x(page->out, bottom + 38);
    page_raw(page, "\">");
    page_text(page, page_fill(page, "km along {1}", page_label(page, group->corridor), NULL));
    page_raw(page, "</text></svg></div><figcaption>");
    page_say_plain(page,
                   "{1}. Blue, above the line: better; orange, below it: worse; grey line: "
                   "unchanged; dotted: unknown.",
                   service->title, NULL);
    page_raw(page, "</figcaption></figure>\n");
}

/* ---- tables ---- */

static void summary_table(Page *page, const ReportGroup *group, const ReportService *service)
{
    static const ShowColumn columns[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"km_better", W("Better, km"), SHOW_KM, NULL},
        {"km_worse", W("Worse, km"), SHOW_KM, NULL},
        {"km_unchanged", W("Unchanged, km"), SHOW_KM, NULL},
        {"km_unknown", W("Unknown, km"), SHOW_KM, NULL},
        {"km_not_measured", W("Of it not measured both times, km"), SHOW_KM, NULL},
        {"km_gained", W("Newly covered, km"), SHOW_KM, NULL},
        {"km_lost", W("No longer covered, km"), SHOW_KM, NULL},
    };
    static const ShowColumn shares[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"km_compared", W("Measured both times, km"), SHOW_KM, NULL},
        {"share_before", W("Share before"), SHOW_SHARE, NULL},
        {"share_after", W("Share after"), SHOW_SHARE, NULL},
        {"change", W("Change, points"), SHOW_POINTS, NULL},
        {"change_low", W("95% interval"), SHOW_POINTS_INTERVAL, "change_high"},
        {"level_change_p50", W("Level, median change, dB"), SHOW_DECIBEL, NULL},
        {"drives_before", W("Drives before"), SHOW_COUNT, NULL},
        {"drives_after", W("Drives after"), SHOW_COUNT, NULL},
        {"change_is", W("On the whole"), SHOW_CHANGE, NULL},
        {"note", W("Note"), SHOW_CHANGE, NULL},
    };
    const ReportTable *table = report_table(page->data, "diff_summary");
    Which which = {group, service->id, NULL};
    const char *title =
        page_fill(page, "{1}: {2}", report_group_title(page, group), service->title, NULL);
    page_columns(page, table, title, columns, G_N_ELEMENTS(columns), is_which, &which, 100);
    page_columns(page, table, page_fill(page, "Share of the length: {1}", title, NULL), shares,
                 G_N_ELEMENTS(shares), is_which, &which, 100);
}

static void gaps_table(Page *page, const ReportGroup *group, const ReportService *service)
{
    static const ShowColumn columns[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"change", W("Gap"), SHOW_CHANGE, NULL},
        {"km_from", W("From km"), SHOW_KM, NULL},
        {"km_to", W("To km"), SHOW_KM, NULL},
        {"before_m", W("Length before, km"), SHOW_METRES, NULL},
        {"after_m", W("Length after, km"), SHOW_METRES, NULL},
        {"proved_m", W("Of it proved, km"), SHOW_METRES, NULL},
    };
    Which which = {group, service->id, NULL};
    page_columns(
        page, report_table(page->data, "diff_gaps"),
        page_fill(page, "Gaps before and after: {1}", report_group_title(page, group), NULL),
        columns, G_N_ELEMENTS(columns), is_which, &which, GAPS_SHOWN);
}

static gboolean is_new_or_lost(const ReportTable *table, size_t row, gconstpointer data)
{
    return is_which(table, row, data) &&
           g_strcmp0(report_text(table, row, "change"), "unknown") != 0;
}

static void cells_table(Page *page, const ReportGroup *group)
{
    static const ShowColumn columns[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"cell", W("Cell"), SHOW_TEXT, NULL},
        {"change", W("Change"), SHOW_CHANGE, NULL},
        {"certain", W("Certain"), SHOW_YES, NULL},
        {"chance", W("Missed by chance"), SHOW_PERCENT, NULL},
        {"km_from", W("From km"), SHOW_KM, NULL},
        {"km_to", W("To km"), SHOW_KM, NULL},
        {"segments", W("Segments"), SHOW_COUNT, NULL},
        {"drives_seen", W("Drives that saw it"), SHOW_COUNT, NULL},
        {"drives_before", W("Drives there before"), SHOW_COUNT, NULL},
        {"drives_after", W("Drives there after"), SHOW_COUNT, NULL},
    };
    Which which = {group, NULL, NULL};
    page_columns(page, report_table(page->data, "diff_cells"),
                 page_fill(page, "Cells new and lost: {1}", report_group_title(page, group), NULL),
                 columns, G_N_ELEMENTS(columns), is_new_or_lost, &which, CELLS_SHOWN);
}

static gboolean has_service(const ReportTable *summary, const char *service)
{
    for (size_t i = 0; i < summary->n_rows; i++)
        if (g_strcmp0(report_text(summary, i, "service"), service) == 0 &&
            report_number(summary, i, "tests") > 0)
            return TRUE;
    return FALSE;
}

static void of_service(Page *page, const ReportService *service)
{
    for (guint g = 0; g < page->groups->len; g++) {
        const ReportGroup *group = g_ptr_array_index(page->groups, g);
        picture(page, group, service);
        summary_table(page, group, service);
        gaps_table(page, group, service);
    }
}

static void introduction(Page *page)
{
    const char *before = report_meta(page->data, "diff_before");
    const char *after = report_meta(page->data, "diff_after");
    const char *rate = report_meta(page->data, "diff_rate");
    page_raw(page, "<p>");
    page_say(page, "{1} (newest sample {2}) against {3} (newest sample {4}).",
             before != NULL ? before : "–",
             page_date(page, report_meta(page->data, "diff_before_created_for")),
             after != NULL ? after : "–", page_date(page, report_meta(page->data, "created_for")),
             NULL);
    page_raw(page, " ");
    page_say(page,
             "Better and worse are said only where a test shows it: of all segments so named at "
             "most {1} are false (Benjamini and Hochberg). Unchanged: the same verdict both times. "
             "All else is unknown: what was not measured both times is neither better nor worse.",
             page_share(page, rate != NULL ? g_ascii_strtod(rate, NULL) : NAN, 0), NULL);
    page_raw(page, "</p>\n");
    page_raw(page, "<p>");
    if (g_strcmp0(report_meta(page->data, "diff_same_equipment"), "1") == 0)
        page_say(page, "Modems and antennas were the same both times, says who ran this.", NULL);
    else
        page_say(page,
                 "Modems may differ between the campaigns: a change of level must stand out from "
                 "{1} dB of their difference.",
                 page_number(page, 3.65 * G_SQRT2, 1), NULL);
    if (g_strcmp0(report_meta(page->data, "diff_rebinned"), "1") == 0) {
        page_raw(page, " ");
        page_say(page, "The campaigns had different segments: both were put in common ones.", NULL);
    }
    page_raw(page, "</p>\n");
}

void report_section_changes(Page *page)
{
    const ReportTable *summary = report_table(page->data, "diff_summary");
    if (summary == NULL || summary->n_rows == 0 || report_table(page->data, "diff") == NULL)
        return;
    page_raw(page, "<section id=\"changes\" aria-labelledby=\"h-changes\"><h2 id=\"h-changes\">");
    page_text(page, tr(page, "Before and after"));
    page_raw(page, "</h2>\n");
    introduction(page);
    if (page->headline != NULL)
        of_service(page, page->headline);
    for (guint s = 0; s < page->services->len; s++) {
        const ReportService *service = &g_array_index(page->services, ReportService, s);
        if (service == page->headline || !has_service(summary, service->id))
            continue;
        page_raw(page, "<details><summary>");
        page_text(page, service->title);
        page_raw(page, "</summary>\n");
        of_service(page, service);
        page_raw(page, "</details>\n");
    }
    for (guint g = 0; g < page->groups->len; g++)
        cells_table(page, g_ptr_array_index(page->groups, g));
    page_raw(page, "</section>\n");
}
