/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the panels of a chart: ribbons of verdicts and technologies, levels with their
 * thresholds.
 */
#include "analyzer/report-panels.h"

#include <math.h>
#include <string.h>

/* How a verdict looks: also told apart without colours, by thickness and dashes. */
static const struct {
    char code;
    const char *look;
} verdict_looks[] = {
    {'m', "lw 1 dt (2,4) lc rgb '#777777'"},
    {'c', "lw 4 dt 1 lc rgb '#0072b2'"},
    {'u', "lw 6 dt (3,2) lc rgb '#a68a00'"},
    {'n', "lw 10 dt 1 lc rgb '#d55e00'"},
};

static const struct {
    const char *rat, *look;
} rat_looks[] = {
    {"NR-SA", "lw 9 dt 1 lc rgb '#5e3c99'"}, {"NR-NSA", "lw 9 dt 1 lc rgb '#5e3c99'"},
    {"LTE", "lw 5 dt 1 lc rgb '#5e3c99'"},   {"UMTS", "lw 2.5 dt 1 lc rgb '#5e3c99'"},
    {"GSM", "lw 1 dt 1 lc rgb '#5e3c99'"},
};

void plot_put(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append(out, g_ascii_formatd(text, sizeof text, "%.6g", value));
    g_string_append_c(out, ' ');
}

void plot_put_label(GString *out, const char *text, glong longest)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    glong n = 0;
    g_string_append_c(out, '\'');
    for (char *c = valid; *c != '\0' && n < longest; c = g_utf8_next_char(c), n++) {
        gunichar u = g_utf8_get_char(c);
        if (n == longest - 1 && *g_utf8_next_char(c) != '\0')
            u = 0x2026;
        if (u == '\'')
            u = 0x2019;
        else if (u == '`')
            u = 0x2018;
        else if (!g_unichar_isprint(u))
            u = ' ';
        g_string_append_unichar(out, u);
    }
    g_string_append_c(out, '\'');
}

void plot_label(Plot *plot, const char *text, double x, double y, const char *more)
{
    g_string_append(plot->script, "set label ");
    plot_put_label(plot->script, text, 60);
    g_string_append(plot->script, " at screen ");
    plot_put(plot->script, x / WIDTH);
    g_string_append(plot->script, ", screen ");
    plot_put(plot->script, 1 - y / plot->height);
    g_string_append_printf(plot->script, " %s\n", more);
}

void plot_panel(Plot *plot, double top, double bottom)
{
    g_string_append(plot->script, "set lmargin at screen ");
    plot_put(plot->script, (double)LEFT / WIDTH);
    g_string_append(plot->script, "\nset rmargin at screen ");
    plot_put(plot->script, 1 - (double)RIGHT / WIDTH);
    g_string_append(plot->script, "\nset tmargin at screen ");
    plot_put(plot->script, 1 - top / plot->height);
    g_string_append(plot->script, "\nset bmargin at screen ");
    plot_put(plot->script, 1 - bottom / plot->height);
    g_string_append(plot->script, "\nset xrange [");
    plot_put(plot->script, plot->from_km);
    g_string_append_c(plot->script, ':');
    plot_put(plot->script, plot->to_km);
    g_string_append(plot->script, "]\n");
}

/* ---- columns: as many segments as one pixel shows ---- */

typedef struct {
    size_t first, end; /* in the rows of an operator */
} Column;

static size_t n_columns(const GArray *rows)
{
    return MIN(rows->len, (size_t)COLUMNS);
}

static Column column_of(const GArray *rows, size_t i)
{
    size_t n = n_columns(rows);
    return (Column){i * rows->len / n, (i + 1) * rows->len / n};
}

double plot_number(const Plot *plot, const GArray *rows, size_t i, int column)
{
    return report_number_at(report_table(plot->page->data, "segments"),
                            g_array_index(rows, size_t, i), column);
}

static const char *text_of(const Plot *plot, const GArray *rows, size_t i, int column)
{
    return report_text_at(report_table(plot->page->data, "segments"),
                          g_array_index(rows, size_t, i), column);
}

/* The code of most of a column's segments; ties go to the first in `codes`. */
static char majority(const char *codes, const guint *count, guint n)
{
    guint best = 0;
    for (guint i = 1; i < n; i++)
        if (count[i] > count[best])
            best = i;
    return codes[best];
}

typedef char (*CodeOf)(const char *text);

static char rat_code(const char *rat)
{
    for (guint i = 0; rat != NULL && i < G_N_ELEMENTS(rat_looks); i++)
        if (strcmp(rat, rat_looks[i].rat) == 0)
            return (char)('0' + i);
    return '-';
}

/* One code a column, e.g. "ccnnmu". Returns: (transfer full). */
static char *ribbon(const Plot *plot, const GArray *rows, int column, CodeOf code_of,
                    const char *codes)
{
    size_t n = n_columns(rows);
    guint n_codes = (guint)strlen(codes);
    char *ribbon = g_malloc0(n + 1);
    for (size_t i = 0; i < n; i++) {
        Column c = column_of(rows, i);
        guint count[16] = {0};
        for (size_t j = c.first; j < c.end; j++) {
            const char *at = strchr(codes, code_of(text_of(plot, rows, j, column)));
            if (at != NULL)
                count[at - codes]++;
        }
        ribbon[i] = majority(codes, count, n_codes);
    }
    return ribbon;
}

/* Draws the runs of `code` at height y as a data block. Returns its number, 0 if there are none. */
static unsigned ribbon_block(Plot *plot, const GArray *rows, const char *ribbon, char code,
                             double y)
{
    if (strchr(ribbon, code) == NULL)
        return 0;
    const ReportTable *segments = report_table(plot->page->data, "segments");
    int from = report_column(segments, "km_from");
    int to = report_column(segments, "km_to");
    g_string_append_printf(plot->script, "$b%u << EOD\n", ++plot->blocks);
    size_t n = strlen(ribbon);
    for (size_t i = 0; i < n; i++) {
        if (ribbon[i] != code)
            continue;
        size_t end = i;
        while (end + 1 < n && ribbon[end + 1] == code)
            end++;
        plot_put(plot->script, plot_number(plot, rows, column_of(rows, i).first, from));
        plot_put(plot->script, y);
        g_string_append_c(plot->script, '\n');
        plot_put(plot->script, plot_number(plot, rows, column_of(rows, end).end - 1, to));
        plot_put(plot->script, y);
        g_string_append(plot->script, "\n\n");
        i = end;
    }
    g_string_append(plot->script, "EOD\n");
    return plot->blocks;
}

void plot_add_curve(GString *plots, unsigned block, const char *how)
{
    if (block != 0)
        g_string_append_printf(plots, "%s$b%u %s", plots->len > 0 ? ", " : "plot ", block, how);
}

void plot_add_verdicts(Plot *plot, GString *plots, const GArray *rows, const char *service,
                       double y)
{
    const ReportTable *segments = report_table(plot->page->data, "segments");
    g_autofree char *name = g_strdup_printf("%s_verdict", service);
    g_autofree char *codes =
        ribbon(plot, rows, report_column(segments, name), report_verdict_code, "cnum");
    for (guint i = 0; i < G_N_ELEMENTS(verdict_looks); i++) {
        g_autofree char *how = g_strdup_printf("with lines %s", verdict_looks[i].look);
        plot_add_curve(plots, ribbon_block(plot, rows, codes, verdict_looks[i].code, y), how);
    }
}

void plot_add_technologies(Plot *plot, GString *plots, const GArray *rows, double y)
{
    const ReportTable *segments = report_table(plot->page->data, "segments");
    g_autofree char *rats = ribbon(plot, rows, report_column(segments, "rat"), rat_code, "01234-");
    for (guint i = 0; i < G_N_ELEMENTS(rat_looks); i++) {
        g_autofree char *how = g_strdup_printf("with lines %s", rat_looks[i].look);
        plot_add_curve(plots, ribbon_block(plot, rows, rats, (char)('0' + i), y), how);
    }
}

/* ---- the panel of levels ---- */

typedef struct {
    double km, low, middle, high;
    gboolean no_service;
} LevelPoint;

static int compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static LevelPoint level_point(const Plot *plot, const GArray *rows, Column c, const int *columns,
                              double bottom)
{
    LevelPoint point = {NAN, NAN, NAN, NAN, FALSE};
    g_autoptr(GArray) medians = g_array_new(FALSE, FALSE, sizeof(double));
    guint without = 0;
    for (size_t j = c.first; j < c.end; j++) {
        double p50 = plot_number(plot, rows, j, columns[1]);
        gboolean lost = g_strcmp0(text_of(plot, rows, j, columns[3]), "no service") == 0;
        without += lost ? 1 : 0;
        if (!isfinite(p50))
            continue;
        double p10 = plot_number(plot, rows, j, columns[0]);
        double p90 = plot_number(plot, rows, j, columns[2]);
        p10 = isfinite(p10) ? p10 : bottom; /* no service in more than a tenth of the way */
        p90 = isfinite(p90) ? p90 : p50;
        point.low = isfinite(point.low) ? MIN(point.low, p10) : p10;
        point.high = isfinite(point.high) ? MAX(point.high, p90) : p90;
        g_array_append_val(medians, p50);
    }
    point.km = (plot_number(plot, rows, c.first, columns[4]) +
                plot_number(plot, rows, c.end - 1, columns[5])) /
               2;
    point.no_service = without > medians->len;
    if (medians->len > 0 && !point.no_service) {
        g_array_sort(medians, compare_doubles);
        point.middle = g_array_index(medians, double, (medians->len - 1) / 2);
    }
    return point;
}

void plot_add_levels(Plot *plot, GString *plots, const GArray *rows, double bottom)
{
    const ReportTable *s = report_table(plot->page->data, "segments");
    const int columns[] = {report_column(s, "level_p10"), report_column(s, "level_p50"),
                           report_column(s, "level_p90"), report_column(s, "level_p50_is"),
                           report_column(s, "km_from"),   report_column(s, "km_to")};
    g_autoptr(GString) lost = g_string_new(NULL);
    g_string_append_printf(plot->script, "$b%u << EOD\n", ++plot->blocks);
    gboolean broken = TRUE;
    guint shown = 0;
    for (size_t i = 0; i < n_columns(rows); i++) {
        Column c = column_of(rows, i);
        LevelPoint point = level_point(plot, rows, c, columns, bottom);
        if (point.no_service) {
            plot_put(lost, plot_number(plot, rows, c.first, columns[4]));
            g_string_append_printf(lost, "%g\n", bottom + 1.5);
            plot_put(lost, plot_number(plot, rows, c.end - 1, columns[5]));
            g_string_append_printf(lost, "%g\n\n", bottom + 1.5);
        }
        if (!isfinite(point.middle)) {
            if (!broken)
                g_string_append(plot->script, "\n");
            broken = TRUE;
            continue;
        }
        broken = FALSE;
        shown++;
        plot_put(plot->script, point.km);
        plot_put(plot->script, point.low);
        plot_put(plot->script, point.middle);
        plot_put(plot->script, point.high);
        g_string_append_c(plot->script, '\n');
    }
    g_string_append(plot->script, "EOD\n");
    if (shown > 0) {
        plot_add_curve(plots, plot->blocks,
                       "using 1:2:4 with filledcurves fs solid 1 noborder lc rgb '#c6d9ea'");
        plot_add_curve(plots, plot->blocks, "using 1:3 with lines lw 1.2 lc rgb '#10385a'");
    }
    if (lost->len > 0) {
        g_string_append_printf(plot->script, "$b%u << EOD\n%sEOD\n", ++plot->blocks, lost->str);
        plot_add_curve(plots, plot->blocks, "with lines lw 5 lc rgb '#d55e00'");
    }
}

void plot_add_thresholds(Plot *plot, double db_per_pixel)
{
    const ReportTable *services = report_table(plot->page->data, "services");
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(double));
    for (size_t i = 0; i < services->n_rows; i++) {
        double threshold = report_number(services, i, "threshold");
        if (isfinite(threshold) && g_strcmp0(report_text(services, i, "quantity"), "level") == 0)
            g_array_append_val(found, threshold);
    }
    g_array_sort(found, compare_doubles);
    double last = INFINITY;
    double last_name = INFINITY;
    for (guint i = found->len; i-- > 0;) {
        double threshold = g_array_index(found, double, i);
        if (last - threshold < 0.5)
            continue;
        last = threshold;
        last_name = fmin(threshold, last_name - 11 * db_per_pixel);
        g_string_append(plot->script, "set arrow from graph 0, first ");
        plot_put(plot->script, threshold);
        g_string_append(plot->script, "to graph 1, first ");
        plot_put(plot->script, threshold);
        g_string_append(plot->script, "nohead lw 0.8 dt (6,3) lc rgb '#444444'\nset label ");
        g_autofree char *text = g_strdup_printf("%s dBm", page_number(plot->page, threshold, 0));
        plot_put_label(plot->script, text, 20);
        g_string_append(plot->script, " at graph 1.008, first ");
        plot_put(plot->script, last_name);
        g_string_append(plot->script, "font ',10' tc rgb '#333333'\n");
    }
}

void plot_level_range(const Plot *plot, double *bottom, double *top)
{
    const ReportTable *s = report_table(plot->page->data, "segments");
    int p10 = report_column(s, "level_p10");
    int p50 = report_column(s, "level_p50");
    int p90 = report_column(s, "level_p90");
    double low = -120;
    double high = -80;
    for (guint o = 0; o < plot->group->rows->len; o++) {
        const GArray *rows = g_ptr_array_index(plot->group->rows, o);
        for (size_t i = 0; i < rows->len; i++) {
            double l = plot_number(plot, rows, i, p10);
            double m = plot_number(plot, rows, i, p50);
            double h = plot_number(plot, rows, i, p90);
            low = fmin(low, fmin(isfinite(l) ? l : low, isfinite(m) ? m : low));
            high = fmax(high, fmax(isfinite(h) ? h : high, isfinite(m) ? m : high));
        }
    }
    *bottom = fmax(-160, floor(low / 10) * 10 - 5);
    *top = fmin(-20, ceil(high / 10) * 10);
}
