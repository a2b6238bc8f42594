/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-panels.h"
#include "analyzer/report.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>

/*
 * One gnuplot gets one script through its standard input and answers with the charts one after the
 * other.
 */

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
        plot_put(plot->script, x / WIDTH);
        g_string_append(plot->script, ", screen ");
        plot_put(plot->script, 1 - top / plot->height);
        g_string_append(plot->script, "to screen ");
        plot_put(plot->script, x / WIDTH);
        g_string_append(plot->script, ", screen ");
        plot_put(plot->script, 1 - bottom / plot->height);
        g_string_append(plot->script, "nohead back lw 0.5 lc rgb '#bbbbbb'\n");
        if (name == NULL || x - last < 14)
            continue; /* no room for the name; the line stays */
        last = x;
        g_string_append(plot->script, "set label ");
        plot_put_label(plot->script, name, 16);
        g_string_append(plot->script, " at screen ");
        plot_put(plot->script, x / WIDTH);
        g_string_append(plot->script, ", screen ");
        plot_put(plot->script, 1 - (top - 4) / plot->height);
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
        plot_put(ticks, at);
        plot_put(ticks, y - 0.35);
        g_string_append_c(ticks, '\n');
        plot_put(ticks, at);
        plot_put(ticks, y + 0.35);
        g_string_append(ticks, "\n\n");
    }
    if (ticks->len == 0)
        return;
    g_string_append_printf(plot->script, "$b%u << EOD\n%sEOD\n", ++plot->blocks, ticks->str);
    plot_add_curve(plots, plot->blocks, "with lines lw 0.8 lc rgb '#333333'");
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
    plot_put(plot->script, tick_step(plot->to_km - plot->from_km));
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
    plot_level_range(plot, &bottom, &top);
    reset_labels(plot);
    plot_label(plot, name, 4, *y + 11, "font ':Bold,13'");
    plot_label(plot, tr(page, "level, dBm"), LEFT - 44, *y + TITLE_HEIGHT + LEVEL_HEIGHT / 2.0,
               "right font ',10' tc rgb '#333333'");
    plot_label(plot, tr(page, "median, 10–90%"), LEFT - 44,
               *y + TITLE_HEIGHT + LEVEL_HEIGHT / 2.0 + 14, "right font ',10' tc rgb '#333333'");
    plot_add_thresholds(plot, (top - bottom) / LEVEL_HEIGHT);
    plot_panel(plot, *y + TITLE_HEIGHT, *y + TITLE_HEIGHT + LEVEL_HEIGHT);
    x_axis(plot, FALSE);
    g_string_append_printf(plot->script,
                           "set yrange [%g:%g]\nset ytics 20 nomirror out scale 0.5 font ',10'\n"
                           "set border 3\n",
                           bottom, top);
    g_autoptr(GString) plots = g_string_new(NULL);
    plot_add_levels(plot, plots, rows, bottom);
    g_string_append_printf(plot->script, "%s\n", plots->len > 0 ? plots->str : "plot 1e9");
    *y += TITLE_HEIGHT + LEVEL_HEIGHT + 4;

    reset_labels(plot);
    guint n = services->len + 2;
    for (guint i = 0; i < n; i++) {
        const char *text = i < services->len
                               ? ((const ReportService *)g_ptr_array_index(services, i))->brief
                           : i == services->len ? tr(page, "technology")
                                                : tr(page, "cell changes");
        plot_label(plot, text, LEFT - 6, *y + (i + 0.5) * ROW_HEIGHT,
                   "right font ',10' tc rgb '#333333'");
    }
    plot_panel(plot, *y, *y + n * ROW_HEIGHT);
    x_axis(plot, is_last);
    g_string_append_printf(plot->script, "set yrange [%u:0]\nunset ytics\nset border 1\n", n);
    g_string_truncate(plots, 0);
    for (guint i = 0; i < services->len; i++)
        plot_add_verdicts(plot, plots, rows,
                          ((const ReportService *)g_ptr_array_index(services, i))->id, i + 0.5);
    plot_add_technologies(plot, plots, rows, services->len + 0.5);
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
        plot->from_km =
            fmin(plot->from_km, plot_number(plot, rows, 0, report_column(s, "km_from")));
        plot->to_km =
            fmax(plot->to_km, plot_number(plot, rows, rows->len - 1, report_column(s, "km_to")));
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
    plot_label(&plot, page_fill(page, "km along {1}", page_label(page, group->corridor), NULL),
               LEFT + (WIDTH - LEFT - RIGHT) / 2.0, plot.height - 6, "center font ',11'");
    plot_panel(&plot, top, bottom);
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
        plot_put(lines, report_number(gaps, i, "km_from"));
        plot_put(lines, y);
        g_string_append_c(lines, '\n');
        plot_put(lines, report_number(gaps, i, "km_to"));
        plot_put(lines, y);
        g_string_append(lines, "\n\n");
    }
    if (lines->len == 0)
        return;
    g_string_append_printf(plot->script, "$b%u << EOD\n%sEOD\n", ++plot->blocks, lines->str);
    plot_add_curve(plots, plot->blocks, "with lines lw 16 lc rgb '#1a1a1a'");
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
        plot_label(&plot, g_ptr_array_index(group->operators, o), LEFT - 8, top + (o + 0.5) * ROW,
                   "right font ',12'");
    plot_label(&plot, tr(page, "no operator"), LEFT - 8, top + (n - 0.5) * ROW, "right font ',12'");
    plot_label(&plot, page_fill(page, "km along {1}", page_label(page, group->corridor), NULL),
               LEFT + (WIDTH - LEFT - RIGHT) / 2.0, plot.height - 6, "center font ',11'");
    plot_panel(&plot, top, bottom);
    x_axis(&plot, TRUE);
    g_string_append_printf(script, "set yrange [%u:0]\nunset ytics\nset border 1\n", n);
    g_autoptr(GString) plots = g_string_new(NULL);
    for (guint o = 0; o < group->operators->len; o++) {
        const GArray *rows = g_ptr_array_index(group->rows, o);
        if (rows->len > 0)
            plot_add_verdicts(&plot, plots, rows, page->headline->id, o + 0.5);
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
