/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"
#include "analyzer/report.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>

/*
 * One gnuplot gets one script through its standard input and answers with the charts one after the
 * other. Nothing from the data reaches it but numbers in data blocks, and labels in single quotes,
 * where gnuplot substitutes neither commands nor macros nor escapes.
 */

enum {
    WIDTH = 1000,       /* of a chart, pixels */
    LEFT = 150,         /* names of rows */
    RIGHT = 64,         /* names of thresholds */
    LEVEL_HEIGHT = 104, /* panel of levels */
    ROW_HEIGHT = 13,    /* a ribbon */
    TITLE_HEIGHT = 22,
    COLUMNS = 900 /* points along a chart at most: one a pixel */
};

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

typedef struct {
    Page *page;
    GString *script;
    const ReportGroup *group;
    double from_km, to_km;
    double height;
    unsigned blocks; /* data blocks so far */
} Plot;

/* A number as gnuplot reads it. */
static void put(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append(out, g_ascii_formatd(text, sizeof text, "%.6g", value));
    g_string_append_c(out, ' ');
}

/* Text in single quotes: a quote, a backquote and what is not printable are replaced. */
static void put_label(GString *out, const char *text, glong longest)
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

static void label_at(Plot *plot, const char *text, double x, double y, const char *more)
{
    g_string_append(plot->script, "set label ");
    put_label(plot->script, text, 60);
    g_string_append(plot->script, " at screen ");
    put(plot->script, x / WIDTH);
    g_string_append(plot->script, ", screen ");
    put(plot->script, 1 - y / plot->height);
    g_string_append_printf(plot->script, " %s\n", more);
}

/* Margins of the next panel, in pixels from the top. */
static void panel(Plot *plot, double top, double bottom)
{
    g_string_append(plot->script, "set lmargin at screen ");
    put(plot->script, (double)LEFT / WIDTH);
    g_string_append(plot->script, "\nset rmargin at screen ");
    put(plot->script, 1 - (double)RIGHT / WIDTH);
    g_string_append(plot->script, "\nset tmargin at screen ");
    put(plot->script, 1 - top / plot->height);
    g_string_append(plot->script, "\nset bmargin at screen ");
    put(plot->script, 1 - bottom / plot->height);
    g_string_append(plot->script, "\nset xrange [");
    put(plot->script, plot->from_km);
    g_string_append_c(plot->script, ':');
    put(plot->script, plot->to_km);
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

static double number_of(const Plot *plot, const GArray *rows, size_t i, int column)
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
        put(plot->script, number_of(plot, rows, column_of(rows, i).first, from));
        put(plot->script, y);
        g_string_append_c(plot->script, '\n');
        put(plot->script, number_of(plot, rows, column_of(rows, end).end - 1, to));
        put(plot->script, y);
        g_string_append(plot->script, "\n\n");
        i = end;
    }
    g_string_append(plot->script, "EOD\n");
    return plot->blocks;
}

static void add_curve(GString *plots, unsigned block, const char *how)
{
    if (block != 0)
        g_string_append_printf(plots, "%s$b%u %s", plots->len > 0 ? ", " : "plot ", block, how);
}

static void add_verdicts(Plot *plot, GString *plots, const GArray *rows, const char *service,
                         double y)
{
    const ReportTable *segments = report_table(plot->page->data, "segments");
    g_autofree char *name = g_strdup_printf("%s_verdict", service);
    g_autofree char *codes =
        ribbon(plot, rows, report_column(segments, name), report_verdict_code, "cnum");
    for (guint i = 0; i < G_N_ELEMENTS(verdict_looks); i++) {
        g_autofree char *how = g_strdup_printf("with lines %s", verdict_looks[i].look);
        add_curve(plots, ribbon_block(plot, rows, codes, verdict_looks[i].code, y), how);
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
        double p50 = number_of(plot, rows, j, columns[1]);
        gboolean lost = g_strcmp0(text_of(plot, rows, j, columns[3]), "no service") == 0;
        without += lost ? 1 : 0;
        if (!isfinite(p50))
            continue;
        double p10 = number_of(plot, rows, j, columns[0]);
        double p90 = number_of(plot, rows, j, columns[2]);
        p10 = isfinite(p10) ? p10 : bottom; /* no service in more than a tenth of the way */
        p90 = isfinite(p90) ? p90 : p50;
        point.low = isfinite(point.low) ? MIN(point.low, p10) : p10;
        point.high = isfinite(point.high) ? MAX(point.high, p90) : p90;
        g_array_append_val(medians, p50);
    }
    point.km = (number_of(plot, rows, c.first, columns[4]) +
                number_of(plot, rows, c.end - 1, columns[5])) /
               2;
    point.no_service = without > medians->len;
    if (medians->len > 0 && !point.no_service) {
        g_array_sort(medians, compare_doubles);
        point.middle = g_array_index(medians, double, (medians->len - 1) / 2);
    }
    return point;
}

/* The data blocks of band and median, breaks where nothing was measured; runs without service at
 * the bottom. */
static void add_levels(Plot *plot, GString *plots, const GArray *rows, double bottom)
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
            put(lost, number_of(plot, rows, c.first, columns[4]));
            g_string_append_printf(lost, "%g\n", bottom + 1.5);
            put(lost, number_of(plot, rows, c.end - 1, columns[5]));
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
        put(plot->script, point.km);
        put(plot->script, point.low);
        put(plot->script, point.middle);
        put(plot->script, point.high);
        g_string_append_c(plot->script, '\n');
    }
    g_string_append(plot->script, "EOD\n");
    if (shown > 0) {
        add_curve(plots, plot->blocks,
                  "using 1:2:4 with filledcurves fs solid 1 noborder lc rgb '#c6d9ea'");
        add_curve(plots, plot->blocks, "using 1:3 with lines lw 1.2 lc rgb '#10385a'");
    }
    if (lost->len > 0) {
        g_string_append_printf(plot->script, "$b%u << EOD\n%sEOD\n", ++plot->blocks, lost->str);
        add_curve(plots, plot->blocks, "with lines lw 5 lc rgb '#d55e00'");
    }
}

/* Lines of the thresholds, each named once; names that would touch are moved down. */
static void add_thresholds(Plot *plot, double db_per_pixel)
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
        put(plot->script, threshold);
        g_string_append(plot->script, "to graph 1, first ");
        put(plot->script, threshold);
        g_string_append(plot->script, "nohead lw 0.8 dt (6,3) lc rgb '#444444'\nset label ");
        g_autofree char *text = g_strdup_printf("%s dBm", page_number(plot->page, threshold, 0));
        put_label(plot->script, text, 20);
        g_string_append(plot->script, " at graph 1.008, first ");
        put(plot->script, last_name);
        g_string_append(plot->script, "font ',10' tc rgb '#333333'\n");
    }
}

/* Lowest and highest level to show, multiples of ten. */
static void level_range(const Plot *plot, double *bottom, double *top)
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
            double l = number_of(plot, rows, i, p10);
            double m = number_of(plot, rows, i, p50);
            double h = number_of(plot, rows, i, p90);
            low = fmin(low, fmin(isfinite(l) ? l : low, isfinite(m) ? m : low));
            high = fmax(high, fmax(isfinite(h) ? h : high, isfinite(m) ? m : high));
        }
    }
    *bottom = fmax(-160, floor(low / 10) * 10 - 5);
    *top = fmin(-20, ceil(high / 10) * 10);
}

/* ---- what stands along the line ---- */

static gboolean same_corridor(const ReportTable *table, size_t row, const ReportGroup *group)
{
    return g_strcmp0(report_text(table, row, "corridor"), group->corridor) == 0;
}

/* Places with a name: thin lines through all panels, names on top. */
static gboolean has_stations(const Plot *plot)
{
    const ReportTable *table = report_table(plot->page->data, "stations");
    for (size_t i = 0; table != NULL && i < table->n_rows; i++)
        if (same_corridor(table, i, plot->group))
            return TRUE;
    return FALSE;
}

static void add_stations(Plot *plot, double top, double bottom)
{
    const ReportTable *table = report_table(plot->page->data, "stations");
    double last = -1e9;
    for (size_t i = 0; table != NULL && i < table->n_rows; i++) {
        double km = report_number(table, i, "km");
        const char *name = report_text(table, i, "name");
        if (!same_corridor(table, i, plot->group) || !isfinite(km) || km < plot->from_km ||
            km > plot->to_km)
            continue;
        double x =
            LEFT + (km - plot->from_km) / (plot->to_km - plot->from_km) * (WIDTH - LEFT - RIGHT);
        g_string_append(plot->script, "set arrow from screen ");
        put(plot->script, x / WIDTH);
        g_string_append(plot->script, ", screen ");
        put(plot->script, 1 - top / plot->height);
        g_string_append(plot->script, "to screen ");
        put(plot->script, x / WIDTH);
        g_string_append(plot->script, ", screen ");
        put(plot->script, 1 - bottom / plot->height);
        g_string_append(plot->script, "nohead back lw 0.5 lc rgb '#bbbbbb'\n");
        if (name == NULL || x - last < 14)
            continue; /* no room for the name; the line stays */
        last = x;
        g_string_append(plot->script, "set label ");
        put_label(plot->script, name, 16);
        g_string_append(plot->script, " at screen ");
        put(plot->script, x / WIDTH);
        g_string_append(plot->script, ", screen ");
        put(plot->script, 1 - (top - 4) / plot->height);
        g_string_append(plot->script, "rotate by 40 font ',10' tc rgb '#333333'\n");
    }
}

static void add_changes(Plot *plot, GString *plots, const char *operator_label, double y)
{
    const ReportTable *table = report_table(plot->page->data, "changes");
    if (table == NULL)
        return;
    int km = report_column(table, "km");
    int kind = report_column(table, "kind");
    int label = report_column(table, "operator");
    int antenna = report_column(table, "antenna");
    int corridor = report_column(table, "corridor");
    g_autoptr(GString) ticks = g_string_new(NULL);
    double last = -1;
    for (size_t i = 0; i < table->n_rows; i++) {
        double at = report_number_at(table, i, km);
        if (!isfinite(at) || g_strcmp0(report_text_at(table, i, kind), "cell") != 0 ||
            g_strcmp0(report_text_at(table, i, label), operator_label) != 0 ||
            g_strcmp0(report_text_at(table, i, antenna), plot->group->antenna) != 0 ||
            g_strcmp0(report_text_at(table, i, corridor), plot->group->corridor) != 0)
            continue;
        double pixel = round((at - plot->from_km) / (plot->to_km - plot->from_km) * COLUMNS);
        if (fabs(pixel - last) < 0.5)
            continue;
        last = pixel;
        put(ticks, at);
        put(ticks, y - 0.35);
        g_string_append_c(ticks, '\n');
        put(ticks, at);
        put(ticks, y + 0.35);
        g_string_append(ticks, "\n\n");
    }
    if (ticks->len == 0)
        return;
    g_string_append_printf(plot->script, "$b%u << EOD\n%sEOD\n", ++plot->blocks, ticks->str);
    add_curve(plots, plot->blocks, "with lines lw 0.8 lc rgb '#333333'");
}

/* ---- charts ---- */

static void begin(Plot *plot)
{
    g_string_append_printf(plot->script,
                           "reset session\nset terminal svg size %d,%d dynamic font "
                           "'Helvetica,12' butt noenhanced\nunset key\nset border lw 0.6\n"
                           "set multiplot\n",
                           WIDTH, (int)plot->height);
}

static void reset_labels(Plot *plot)
{
    g_string_append(plot->script, "unset label\nunset arrow\n");
}

/* Values of a grid of `step` km so that about ten ticks stand along the line. */
static double tick_step(double km)
{
    double raw = fmax(km, 0.01) / 9;
    double power = pow(10, floor(log10(raw)));
    double lead = raw / power;
    return (lead > 5 ? 10 : lead > 2 ? 5 : lead > 1 ? 2 : 1) * power;
}

static void x_axis(Plot *plot, gboolean numbers)
{
    g_string_append(plot->script, "set xtics ");
    put(plot->script, tick_step(plot->to_km - plot->from_km));
    /* numbers are read in both languages: whole km, or a point turned into the reader's mark */
    gboolean comma = strcmp(plot->page->language, "sv") == 0;
    g_string_append_printf(plot->script, "nomirror out scale 0.5 format '%s'\n",
                           numbers ? "%g" : "");
    if (comma)
        g_string_append(plot->script, "set decimalsign ','\n");
}

static void operator_panels(Plot *plot, guint o, GPtrArray *services, double *y, gboolean is_last)
{
    Page *page = plot->page;
    const GArray *rows = g_ptr_array_index(plot->group->rows, o);
    const char *name = g_ptr_array_index(plot->group->operators, o);
    double bottom = 0;
    double top = 0;
    level_range(plot, &bottom, &top);
    reset_labels(plot);
    label_at(plot, name, 4, *y + 11, "font ':Bold,13'");
    label_at(plot, tr(page, "level, dBm"), LEFT - 44, *y + TITLE_HEIGHT + LEVEL_HEIGHT / 2.0,
             "right font ',10' tc rgb '#333333'");
    label_at(plot, tr(page, "median, 10–90%"), LEFT - 44,
             *y + TITLE_HEIGHT + LEVEL_HEIGHT / 2.0 + 14, "right font ',10' tc rgb '#333333'");
    add_thresholds(plot, (top - bottom) / LEVEL_HEIGHT);
    panel(plot, *y + TITLE_HEIGHT, *y + TITLE_HEIGHT + LEVEL_HEIGHT);
    x_axis(plot, FALSE);
    g_string_append_printf(plot->script,
                           "set yrange [%g:%g]\nset ytics 20 nomirror out scale 0.5 font ',10'\n"
                           "set border 3\n",
                           bottom, top);
    g_autoptr(GString) plots = g_string_new(NULL);
    add_levels(plot, plots, rows, bottom);
    g_string_append_printf(plot->script, "%s\n", plots->len > 0 ? plots->str : "plot 1e9");
    *y += TITLE_HEIGHT + LEVEL_HEIGHT + 4;

    reset_labels(plot);
    guint n = services->len + 2;
    for (guint i = 0; i < n; i++) {
        const char *text = i < services->len
                               ? ((const ReportService *)g_ptr_array_index(services, i))->brief
                           : i == services->len ? tr(page, "technology")
                                                : tr(page, "cell changes");
        label_at(plot, text, LEFT - 6, *y + (i + 0.5) * ROW_HEIGHT,
                 "right font ',10' tc rgb '#333333'");
    }
    panel(plot, *y, *y + n * ROW_HEIGHT);
    x_axis(plot, is_last);
    g_string_append_printf(plot->script, "set yrange [%u:0]\nunset ytics\nset border 1\n", n);
    g_string_truncate(plots, 0);
    for (guint i = 0; i < services->len; i++)
        add_verdicts(plot, plots, rows, ((const ReportService *)g_ptr_array_index(services, i))->id,
                     i + 0.5);
    const ReportTable *segments = report_table(page->data, "segments");
    g_autofree char *rats = ribbon(plot, rows, report_column(segments, "rat"), rat_code, "01234-");
    for (guint i = 0; i < G_N_ELEMENTS(rat_looks); i++) {
        g_autofree char *how = g_strdup_printf("with lines %s", rat_looks[i].look);
        add_curve(plots, ribbon_block(plot, rows, rats, (char)('0' + i), services->len + 0.5), how);
    }
    add_changes(plot, plots, name, services->len + 1.5);
    g_string_append_printf(plot->script, "%s\n", plots->len > 0 ? plots->str : "plot 1e9");
    *y += n * ROW_HEIGHT + 12;
}

static gboolean find_range(Plot *plot)
{
    const ReportTable *s = report_table(plot->page->data, "segments");
    plot->from_km = INFINITY;
    plot->to_km = -INFINITY;
    for (guint o = 0; o < plot->group->rows->len; o++) {
        const GArray *rows = g_ptr_array_index(plot->group->rows, o);
        if (rows->len == 0)
            continue;
        plot->from_km = fmin(plot->from_km, number_of(plot, rows, 0, report_column(s, "km_from")));
        plot->to_km =
            fmax(plot->to_km, number_of(plot, rows, rows->len - 1, report_column(s, "km_to")));
    }
    return isfinite(plot->from_km) && isfinite(plot->to_km) && plot->to_km > plot->from_km;
}

static gboolean draw_group(Page *page, GString *script, const ReportGroup *group)
{
    Plot plot = {.page = page, .script = script, .group = group};
    if (group->is_other || !find_range(&plot))
        return FALSE;
    g_autoptr(GPtrArray) services = g_ptr_array_new();
    for (guint i = 0; i < page->services->len; i++) {
        ReportService *service = &g_array_index(page->services, ReportService, i);
        if (report_is_judged(page, group, service->id))
            g_ptr_array_add(services, service);
    }
    double one = TITLE_HEIGHT + LEVEL_HEIGHT + 4 + (services->len + 2) * ROW_HEIGHT + 12;
    double top = has_stations(&plot) ? 74 : 6;
    plot.height = top + one * group->operators->len + 42;
    begin(&plot);
    reset_labels(&plot);
    /* a panel without anything carries the names and the axis */
    double bottom = plot.height - 42;
    add_stations(&plot, top, bottom);
    label_at(&plot, page_fill(page, "km along {1}", page_label(page, group->corridor), NULL),
             LEFT + (WIDTH - LEFT - RIGHT) / 2.0, plot.height - 6, "center font ',11'");
    panel(&plot, top, bottom);
    g_string_append(script, "unset tics\nset border 0\nset yrange [0:1]\nplot 2\n");
    double y = top;
    for (guint o = 0; o < group->operators->len; o++)
        if (((GArray *)g_ptr_array_index(group->rows, o))->len > 0)
            operator_panels(&plot, o, services, &y, o + 1 == group->operators->len);
    g_string_append(script, "unset multiplot\n");
    return TRUE;
}

/* Stretches where no operator is: from the gaps of (any). */
static void add_nowhere(Plot *plot, GString *plots, double y)
{
    const ReportTable *gaps = report_table(plot->page->data, "gaps");
    g_autoptr(GString) lines = g_string_new(NULL);
    for (size_t i = 0; i < gaps->n_rows; i++) {
        if (g_strcmp0(report_text(gaps, i, "operator"), "(any)") != 0 ||
            !same_corridor(gaps, i, plot->group) ||
            g_strcmp0(report_text(gaps, i, "antenna"), plot->group->antenna) != 0 ||
            g_strcmp0(report_text(gaps, i, "service"), plot->page->headline->id) != 0)
            continue;
        put(lines, report_number(gaps, i, "km_from"));
        put(lines, y);
        g_string_append_c(lines, '\n');
        put(lines, report_number(gaps, i, "km_to"));
        put(lines, y);
        g_string_append(lines, "\n\n");
    }
    if (lines->len == 0)
        return;
    g_string_append_printf(plot->script, "$b%u << EOD\n%sEOD\n", ++plot->blocks, lines->str);
    add_curve(plots, plot->blocks, "with lines lw 16 lc rgb '#1a1a1a'");
}

/* The one picture of the decision-maker's page: the headline service, operator under operator. */
static gboolean draw_overview(Page *page, GString *script, const ReportGroup *group)
{
    Plot plot = {.page = page, .script = script, .group = group};
    if (group->is_other || page->headline == NULL || !find_range(&plot))
        return FALSE;
    enum { ROW = 28 };
    guint n = group->operators->len + 1;
    double top = has_stations(&plot) ? 74 : 8;
    plot.height = top + n * ROW + 46;
    begin(&plot);
    reset_labels(&plot);
    double bottom = top + n * ROW;
    add_stations(&plot, top, bottom);
    for (guint o = 0; o < group->operators->len; o++)
        label_at(&plot, g_ptr_array_index(group->operators, o), LEFT - 8, top + (o + 0.5) * ROW,
                 "right font ',12'");
    label_at(&plot, tr(page, "no operator"), LEFT - 8, top + (n - 0.5) * ROW, "right font ',12'");
    label_at(&plot, page_fill(page, "km along {1}", page_label(page, group->corridor), NULL),
             LEFT + (WIDTH - LEFT - RIGHT) / 2.0, plot.height - 6, "center font ',11'");
    panel(&plot, top, bottom);
    x_axis(&plot, TRUE);
    g_string_append_printf(script, "set yrange [%u:0]\nunset ytics\nset border 1\n", n);
    g_autoptr(GString) plots = g_string_new(NULL);
    for (guint o = 0; o < group->operators->len; o++) {
        const GArray *rows = g_ptr_array_index(group->rows, o);
        if (rows->len > 0)
            add_verdicts(&plot, plots, rows, page->headline->id, o + 0.5);
    }
    add_nowhere(&plot, plots, n - 0.5);
    g_string_append_printf(script, "%s\nunset multiplot\n",
                           plots->len > 0 ? plots->str : "plot 1e9");
    return TRUE;
}

/* ---- gnuplot ---- */

static char *run_gnuplot(const char *script, GError **error)
{
    g_autoptr(GSubprocess) gnuplot =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                             G_SUBPROCESS_FLAGS_STDERR_PIPE,
                         error, "gnuplot", "-d", NULL);
    if (gnuplot == NULL)
        return NULL;
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    if (!g_subprocess_communicate_utf8(gnuplot, script, NULL, &out, &err, error))
        return NULL;
    if (!g_subprocess_get_successful(gnuplot)) {
        g_strdelimit(err, "\r\n", ' ');
        g_set_error(error, REPORT_ERROR, REPORT_ERROR_FAILED, "gnuplot failed: %s",
                    g_strstrip(err));
        return NULL;
    }
    return g_steal_pointer(&out);
}

/* The documents of one answer. Returns: (transfer full). */
static GPtrArray *split_documents(const char *text)
{
    GPtrArray *documents = g_ptr_array_new_with_free_func(g_free);
    const char *at = strstr(text, "<?xml");
    while (at != NULL) {
        const char *next = strstr(at + 1, "<?xml");
        g_ptr_array_add(documents, next != NULL ? g_strndup(at, (gsize)(next - at)) : g_strdup(at));
        at = next;
    }
    return documents;
}

/* ---- pieces of long corridors ---- */

void report_detail_free(gpointer detail)
{
    g_free(((ReportDetail *)detail)->svg);
    g_free(detail);
}

/* The group with those rows only that begin in a range. Returns: (transfer full): `operators` stays
 * the group's. */
static ReportGroup *slice_of(const Page *page, const ReportGroup *group, double from, double to)
{
    const ReportTable *segments = report_table(page->data, "segments");
    int column = report_column(segments, "km_from");
    ReportGroup *slice = g_memdup2(group, sizeof *group);
    slice->operators = g_ptr_array_ref(group->operators);
    slice->rows = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))g_array_unref);
    for (guint o = 0; o < group->rows->len; o++) {
        const GArray *rows = g_ptr_array_index(group->rows, o);
        GArray *mine = g_array_new(FALSE, FALSE, sizeof(size_t));
        for (guint i = 0; i < rows->len; i++) {
            size_t row = g_array_index(rows, size_t, i);
            double km = report_number_at(segments, row, column);
            if (km >= from - 1e-9 && km < to - 1e-9)
                g_array_append_val(mine, row);
        }
        g_ptr_array_add(slice->rows, mine);
    }
    return slice;
}

/* Draws the pieces of a corridor with more segments than points along a chart. */
static void draw_details(Page *page, GString *script, guint g)
{
    const ReportGroup *group = g_ptr_array_index(page->groups, g);
    Plot plot = {.page = page, .group = group};
    guint most = 0;
    for (guint o = 0; o < group->rows->len; o++)
        most = MAX(most, ((const GArray *)g_ptr_array_index(group->rows, o))->len);
    if (most <= COLUMNS || group->is_other || !find_range(&plot))
        return;
    guint n = (most + COLUMNS - 1) / COLUMNS;
    double length = (plot.to_km - plot.from_km) / n;
    for (guint k = 0; k < n; k++) {
        double from = plot.from_km + k * length;
        ReportGroup *slice = slice_of(page, group, from, from + length);
        if (draw_group(page, script, slice)) {
            ReportDetail *detail = g_new0(ReportDetail, 1);
            *detail = (ReportDetail){g, k + 1, from, from + length, NULL};
            g_ptr_array_add(page->details, detail);
        }
        report_group_free(slice);
    }
}

gboolean report_plot(Page *page, GError **error)
{
    g_autofree char *program = g_find_program_in_path("gnuplot");
    if (program == NULL) {
        page->no_charts = "gnuplot is not installed (Debian: gnuplot-nox)";
        for (guint g = 0; g < page->groups->len; g++)
            g_ptr_array_add(page->charts, NULL);
        return TRUE;
    }
    g_autoptr(GString) script = g_string_new(NULL);
    g_autofree gboolean *drawn = g_new0(gboolean, page->groups->len + 1);
    if (page->groups->len > 0)
        drawn[page->groups->len] = draw_overview(page, script, g_ptr_array_index(page->groups, 0));
    for (guint g = 0; g < page->groups->len; g++)
        drawn[g] = draw_group(page, script, g_ptr_array_index(page->groups, g));
    for (guint g = 0; g < page->groups->len; g++)
        draw_details(page, script, g);
    g_autofree char *answer = script->len > 0 ? run_gnuplot(script->str, error) : g_strdup("");
    if (answer == NULL)
        return FALSE;
    g_autoptr(GPtrArray) documents = split_documents(answer);
    guint next = 0;
    if (drawn[page->groups->len] && next < documents->len)
        page->overview = g_strdup(g_ptr_array_index(documents, next++));
    for (guint g = 0; g < page->groups->len; g++)
        g_ptr_array_add(page->charts, drawn[g] && next < documents->len
                                          ? g_strdup(g_ptr_array_index(documents, next++))
                                          : NULL);
    for (guint i = 0; i < page->details->len && next < documents->len; i++)
        ((ReportDetail *)g_ptr_array_index(page->details, i))->svg =
            g_strdup(g_ptr_array_index(documents, next++));
    return TRUE;
}
