/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-plot.h"

#include "analyzer/report-text.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>

/* A page is about this many pixels wide: more points than that nobody can see. */
enum { MAX_COLUMNS = 1100, WIDTH_PX = 1180, HEIGHT_PX = 220 };
static const double level_low_dbm = -130.0;
static const double level_high_dbm = -60.0;

/* Okabe and Ito's colours, which colour-blind people can tell apart. */
static const char *const verdict_colours[VERDICT_COUNT] = {
    [VERDICT_NOT_MEASURED] = "#e4e4e4",
    [VERDICT_COVERED] = "#0072B2",
    [VERDICT_UNCERTAIN] = "#F0C75E",
    [VERDICT_NOT_COVERED] = "#B2371D",
};

static const char *rat_colour(const char *rat)
{
    static const struct {
        const char *rat, *colour;
    } rows[] = {{"NR-SA", "#332288"}, {"NR-NSA", "#6655AA"}, {"LTE", "#88AADD"},
                {"UMTS", "#CCBB88"},  {"GSM", "#998866"},    {"none", "#B2371D"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_strcmp0(rows[i].rat, rat) == 0)
            return rows[i].colour;
    return "#e4e4e4";
}

/* Segments of one series on one corridor, in order of km. */
typedef struct {
    double from_km, to_km, p10, p50, p90;
    gboolean no_service;
    ReportVerdict verdict;
    const char *rat;
} Point;

static gint compare_points(gconstpointer a, gconstpointer b)
{
    double x = ((const Point *)a)->from_km;
    double y = ((const Point *)b)->from_km;
    return x < y ? -1 : x > y;
}

static GArray *collect(const ReportData *data, guint corridor, guint series, guint service)
{
    GArray *points = g_array_new(FALSE, FALSE, sizeof(Point));
    for (guint i = 0; i < data->segments->len; i++) {
        const ReportSegment *s = &g_array_index(data->segments, ReportSegment, i);
        const ReportPlace *place = &g_array_index(data->places, ReportPlace, s->place);
        if (s->series != series || place->corridor != corridor)
            continue;
        Point point = {
            .from_km = place->km_from,
            .to_km = place->km_to,
            .p10 = s->level_p10,
            .p50 = s->level_p50,
            .p90 = s->level_p90,
            .no_service = s->no_service,
            .verdict = VERDICT_NOT_MEASURED,
            .rat = s->n > 0 ? s->rat : NULL,
        };
        if (service < data->services->len)
            point.verdict =
                g_array_index(data->cells, ReportServiceCell, s->first_cell + service).verdict;
        g_array_append_val(points, point);
    }
    g_array_sort(points, compare_points);
    return points;
}

/* Joins neighbours until no more than MAX_COLUMNS are left. A joined point keeps the worst verdict
 * and the widest band, so that a short gap is never averaged away. */
static void thin(GArray *points)
{
    guint group = (points->len + MAX_COLUMNS - 1) / MAX_COLUMNS;
    if (group < 2)
        return;
    guint kept = 0;
    for (guint i = 0; i < points->len; i += group) {
        Point joined = g_array_index(points, Point, i);
        double sum = 0.0;
        guint n = 0;
        for (guint k = i; k < MIN(i + group, points->len); k++) {
            const Point *p = &g_array_index(points, Point, k);
            joined.to_km = p->to_km;
            joined.p10 = fmin(joined.p10, p->p10);
            joined.p90 = fmax(joined.p90, p->p90);
            joined.no_service = joined.no_service || p->no_service;
            joined.verdict = MAX(joined.verdict, p->verdict);
            joined.rat = joined.rat != NULL ? joined.rat : p->rat;
            if (isfinite(p->p50)) {
                sum += p->p50;
                n++;
            }
        }
        joined.p50 = n > 0 ? sum / n : NAN;
        g_array_index(points, Point, kept++) = joined;
    }
    g_array_set_size(points, kept);
}

static void append_real(GString *script, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append(script,
                    isfinite(value) ? g_ascii_formatd(text, sizeof text, "%.4f", value) : "NaN");
    g_string_append_c(script, ' ');
}

/* gnuplot text in single quotes, in which nothing is special but the quote itself: it becomes a
 * typographic one, line breaks and other controls blanks. */
static void append_quoted(GString *script, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_string_append_c(script, '\'');
    for (const char *c = valid; *c != '\0'; c++) {
        if (*c == '\'')
            g_string_append(script, "\xe2\x80\x99");
        else
            g_string_append_c(script, (guchar)*c < 0x20 ? ' ' : *c);
    }
    g_string_append_c(script, '\'');
}

static void append_levels(GString *script, const GArray *points)
{
    g_string_append(script, "$levels << END_OF_DATA\n");
    double previous_km = NAN;
    for (guint i = 0; i < points->len; i++) {
        const Point *p = &g_array_index(points, Point, i);
        if (isfinite(previous_km) && p->from_km - previous_km > 0.001)
            g_string_append(script, "\n"); /* a hole in the corridor: the line is broken */
        if (isfinite(p->p50)) {
            append_real(script, (p->from_km + p->to_km) / 2.0);
            append_real(script, CLAMP(p->p10, level_low_dbm, level_high_dbm));
            append_real(script, CLAMP(p->p50, level_low_dbm, level_high_dbm));
            append_real(script, CLAMP(p->p90, level_low_dbm, level_high_dbm));
        }
        g_string_append_c(script,
                          '\n'); /* an empty line breaks the curve: not measured is no dip */
        previous_km = p->to_km;
    }
    g_string_append(script, "END_OF_DATA\n");
}

/* Runs of equal colour as boxes: xlow xhigh ylow yhigh colour. */
static void append_ribbon(GString *script, const char *name, const GArray *points, double low,
                          double high, gboolean by_rat)
{
    g_string_append_printf(script, "$%s << END_OF_DATA\n", name);
    for (guint i = 0; i < points->len;) {
        const Point *first = &g_array_index(points, Point, i);
        const char *colour = by_rat ? rat_colour(first->rat) : verdict_colours[first->verdict];
        guint k = i;
        double to_km = first->to_km;
        while (k < points->len) {
            const Point *p = &g_array_index(points, Point, k);
            if (strcmp(by_rat ? rat_colour(p->rat) : verdict_colours[p->verdict], colour) != 0 ||
                p->from_km - to_km > 0.001)
                break;
            to_km = p->to_km;
            k++;
        }
        append_real(script, (first->from_km + to_km) / 2.0);
        append_real(script, (low + high) / 2.0);
        append_real(script, first->from_km);
        append_real(script, to_km);
        append_real(script, low);
        append_real(script, high);
        g_string_append_printf(script, "%u\n", (guint)g_ascii_strtoull(colour + 1, NULL, 16));
        i = MAX(k, i + 1);
    }
    g_string_append(script, "END_OF_DATA\n");
}

static guint append_changes(GString *script, const ReportData *data, const char *corridor,
                            const ReportSeries *series)
{
    guint n = 0;
    g_string_append(script, "$changes << END_OF_DATA\n");
    for (guint i = 0; i < report_table_rows(data->changes); i++) {
        if (g_strcmp0(report_text_at(data->changes, i, "corridor"), corridor) != 0 ||
            g_strcmp0(report_text_at(data->changes, i, "operator"), series->operator_label) != 0 ||
            g_strcmp0(report_text_at(data->changes, i, "antenna"), series->antenna) != 0 ||
            g_strcmp0(report_text_at(data->changes, i, "kind"), "cell") != 0)
            continue;
        append_real(script, report_real_at(data->changes, i, "km"));
        g_string_append(script, "-134 3\n");
        n++;
    }
    g_string_append(script, "END_OF_DATA\n");
    return n;
}

static void append_thresholds(GString *script, const ReportData *data, guint service,
                              double from_km, double to_km)
{
    if (service >= data->services->len)
        return;
    const char *id = g_array_index(data->services, ReportService, service).id;
    for (guint i = 0; i < report_table_rows(data->service_rows); i++) {
        double threshold = report_real_at(data->service_rows, i, "threshold");
        const char *rat = report_text_at(data->service_rows, i, "rat");
        if (g_strcmp0(report_text_at(data->service_rows, i, "service"), id) != 0 ||
            g_strcmp0(report_text_at(data->service_rows, i, "quantity"), "level") != 0 ||
            !isfinite(threshold) || (rat != NULL && strcmp(rat, "LTE") != 0))
            continue;
        g_string_append(script, "set arrow from ");
        append_real(script, from_km);
        g_string_append_c(script, ',');
        append_real(script, threshold);
        g_string_append(script, "to ");
        append_real(script, to_km);
        g_string_append_c(script, ',');
        append_real(script, threshold);
        g_string_append(script, "nohead lc rgb '#555555' dt 2 lw 1 front\n");
    }
}

static void append_stations(GString *script, const ReportData *data, const char *corridor)
{
    for (guint i = 0; i < report_table_rows(data->stations); i++) {
        double km = report_real_at(data->stations, i, "km");
        const char *name = report_text_at(data->stations, i, "name");
        const char *of = report_text_at(data->stations, i, "corridor");
        if (!isfinite(km) || name == NULL || (of != NULL && g_strcmp0(of, corridor) != 0))
            continue;
        g_string_append(script, "set label ");
        append_quoted(script, name);
        g_string_append(script, " at first ");
        append_real(script, km);
        g_string_append(script, ", graph 1.03 center font ',10' textcolor rgb '#333333'\n");
    }
}

static void append_plot(GString *script, const ReportData *data, guint corridor, guint series,
                        guint service, const GArray *points, double from_km, double to_km)
{
    const char *name = g_array_index(data->corridors, ReportCorridor, corridor).name;
    const ReportSeries *s = &g_array_index(data->series, ReportSeries, series);
    g_string_append(script, "reset\nset encoding utf8\n");
    append_levels(script, points);
    append_ribbon(script, "verdicts", points, -146.0, -140.0, FALSE);
    append_ribbon(script, "rats", points, -154.0, -148.0, TRUE);
    guint n_changes = append_changes(script, data, name, s);
    g_string_append_printf(
        script,
        "set terminal svg size %d,%d dynamic font 'Helvetica,Arial,sans-serif,12'"
        " background rgb 'white' noenhanced\nset output\n",
        WIDTH_PX, HEIGHT_PX);
    g_string_append(script, "unset key\nset lmargin at screen 0.065\nset rmargin at screen 0.99\n"
                            "set tmargin 1.2\nset bmargin 2\nset border 3 lc rgb '#888888'\n"
                            "set tics nomirror out scale 0.5 textcolor rgb '#333333'\n"
                            "set ytics (-120, -110, -100, -90, -80, -70, 'cells' -135,");
    append_quoted(script, _("service"));
    g_string_append(script, " -143, 'RAT' -151)\nset yrange [-155:-58]\n"
                            "set grid ytics lc rgb '#eeeeee' lt 1\nset xrange [");
    append_real(script, from_km);
    g_string_append_c(script, ':');
    append_real(script, to_km);
    g_string_append(script, "]\nset label ");
    append_quoted(script, s->title);
    g_string_append(script, " at graph 0.004, graph 0.92 left font ',14' front\n");
    append_thresholds(script, data, service, from_km, to_km);
    append_stations(script, data, name);
    g_string_append(script, "set style fill solid 1.0 noborder\nplot "
                            "$levels using 1:2:4 with filledcurves lc rgb '#c9d8e6', "
                            "$levels using 1:3 with lines lc rgb '#003a5d' lw 1.4, "
                            "$verdicts using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable, "
                            "$rats using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable");
    if (n_changes > 0)
        g_string_append(script, ", $changes using 1:2:(0):3 with vectors nohead lc rgb '#333333' "
                                "lw 0.6");
    g_string_append(script, "\nprint '---8<---'\n");
}

/* The answers come one after the other on standard output. */
static GPtrArray *split_svgs(const char *output, const gboolean *drawn, guint n, GError **error)
{
    g_autoptr(GPtrArray) svgs = g_ptr_array_new_with_free_func(g_free);
    const char *at = output;
    for (guint i = 0; i < n; i++) {
        if (!drawn[i]) {
            g_ptr_array_add(svgs, NULL);
            continue;
        }
        const char *start = strstr(at, "<svg");
        const char *end = start != NULL ? strstr(start, "</svg>") : NULL;
        if (end == NULL) {
            g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                        "gnuplot gave no picture; is gnuplot-nox installed and whole?");
            return NULL;
        }
        g_ptr_array_add(svgs, g_strndup(start, (gsize)(end - start) + 6));
        at = end + 6;
    }
    return g_steal_pointer(&svgs);
}

static char *run_gnuplot(const char *script, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                  G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_subprocess_launcher_setenv(launcher, "LC_ALL", "C.UTF-8", TRUE);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GSubprocess) process =
        g_subprocess_launcher_spawn(launcher, &failure, "gnuplot", "-d", NULL);
    if (process == NULL) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                    "gnuplot cannot be started (%s); install gnuplot-nox", failure->message);
        return NULL;
    }
    char *output = NULL;
    g_autofree char *said = NULL;
    if (!g_subprocess_communicate_utf8(process, script, NULL, &output, &said, &failure) ||
        !g_subprocess_get_successful(process)) {
        g_free(output);
        const char *reason = failure != NULL ? failure->message : said;
        g_autofree char *line = g_strdup(reason != NULL ? reason : "");
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "gnuplot failed: %s",
                    g_strstrip(g_strdelimit(line, "\r\n", ' ')));
        return NULL;
    }
    return output;
}

GPtrArray *report_plot_corridor(const ReportData *data, guint corridor, guint service,
                                GError **error)
{
    guint n = data->series->len;
    g_autofree gboolean *drawn = g_new0(gboolean, n + 1);
    g_autoptr(GPtrArray) points = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    double from_km = INFINITY;
    double to_km = -INFINITY;
    for (guint i = 0; i < n; i++) {
        GArray *of = collect(data, corridor, i, service);
        g_ptr_array_add(points, of);
        for (guint k = 0; k < of->len; k++) {
            from_km = fmin(from_km, g_array_index(of, Point, k).from_km);
            to_km = fmax(to_km, g_array_index(of, Point, k).to_km);
        }
        thin(of);
        drawn[i] = of->len > 0;
    }
    g_autoptr(GString) script = g_string_new("set print '/dev/null'\n");
    for (guint i = 0; i < n; i++)
        if (drawn[i])
            append_plot(script, data, corridor, i, service, g_ptr_array_index(points, i), from_km,
                        to_km);
    g_autofree char *output = run_gnuplot(script->str, error);
    return output != NULL ? split_svgs(output, drawn, n, error) : NULL;
}
