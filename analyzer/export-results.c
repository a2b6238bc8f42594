/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/export-drive.h"
#include "analyzer/export-passes.h"
#include "analyzer/layer.h"
#include "formats/export.h"

#include <math.h>
#include <string.h>

/* Okabe and Ito's colours, which colour-blind people tell apart. */
static const ExportStyle verdicts[] = {
    {"covered", "covered", 0x0072b2},
    {"not_covered", "not covered", 0xd55e00},
    {"uncertain", "uncertain", 0xf0e442},
    {"not_measured", "not measured", 0x999999},
};

static guint verdict_style(const char *verdict)
{
    for (guint i = 0; i < G_N_ELEMENTS(verdicts); i++)
        if (verdict != NULL && strcmp(verdicts[i].title, verdict) == 0)
            return i;
    return G_N_ELEMENTS(verdicts) - 1;
}

/* ---- a layer with all its columns: CSV, GeoJSON ---- */

static void get_values(const LayerRow *row, const LayerField *fields, guint n, ExportValue *values)
{
    for (guint i = 0; i < n; i++) {
        values[i].known = !layer_is_null(row, (int)i) && fields[i].type != LAYER_BLOB;
        if (!values[i].known)
            continue;
        if (fields[i].type == LAYER_INT)
            values[i].v.i = layer_get_int(row, (int)i, 0);
        else if (fields[i].type == LAYER_REAL)
            values[i].v.r = layer_get_real(row, (int)i, NAN);
        else
            values[i].v.t = layer_get_text(row, (int)i);
    }
}

static gboolean copy_rows(LayerReader *reader, ExportWriter *writer, gboolean is_table,
                          int operator_column, const ExportOptions *options, ExportSummary *summary,
                          GError **error)
{
    guint n = 0;
    const LayerField *fields = layer_fields(reader, &n);
    g_autofree ExportValue *values = g_new0(ExportValue, n);
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(ExportPoint));
    GError *failure = NULL;
    const LayerRow *row = NULL;
    while ((row = layer_next(reader, &failure)) != NULL) {
        if (options->operator_label != NULL) {
            const char *label = layer_get_text(row, operator_column);
            if (label == NULL || strcmp(label, options->operator_label) != 0)
                continue;
        }
        get_values(row, fields, n, values);
        size_t n_points = row->shape.n_parts > 0 ? row->shape.part[1] : 0;
        g_array_set_size(points, 0);
        for (size_t i = 0; i < n_points; i++) {
            ExportPoint point = {row->shape.points[i].lon, row->shape.points[i].lat};
            g_array_append_val(points, point);
        }
        ExportRow out = {.values = values,
                         .points = &g_array_index(points, ExportPoint, 0),
                         .n_points = n_points};
        summary->rows++;
        summary->without_place += n_points == 0 && !is_table ? 1 : 0;
        if (!export_add(writer, &out, error))
            return FALSE;
    }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

static gboolean export_layer(LayerSource *source, const ExportOptions *options,
                             ExportSummary *summary, GError **error)
{
    const char *layer = options->layer != NULL ? options->layer : "segments";
    g_autoptr(LayerReader) reader = layer_read(source, layer, NULL, error);
    if (reader == NULL)
        return FALSE;
    int operator_column = layer_column(reader, "operator");
    if (options->operator_label != NULL &&
        !layer_need_column(reader, "operator", &operator_column, error))
        return FALSE;
    guint n = 0;
    const LayerField *fields = layer_fields(reader, &n);
    g_autofree ExportColumn *columns = g_new0(ExportColumn, n);
    for (guint i = 0; i < n; i++)
        columns[i] = (ExportColumn){fields[i].name, fields[i].type == LAYER_INT    ? EXPORT_INT
                                                    : fields[i].type == LAYER_REAL ? EXPORT_REAL
                                                                                   : EXPORT_TEXT};
    LayerKind kind = LAYER_LINES;
    for (guint i = 0; i < layer_count(source); i++)
        if (strcmp(layer_name(source, i), layer) == 0)
            kind = layer_kind(source, i);
    ExportHead head = {.title = layer,
                       .lines = kind != LAYER_POINTS,
                       .no_places = kind == LAYER_NONE,
                       .columns = columns,
                       .n_columns = n};
    g_autoptr(ExportWriter) writer = export_create(options->out, options->format, &head, error);
    return writer != NULL &&
           copy_rows(reader, writer, kind == LAYER_NONE, operator_column, options, summary,
                     error) &&
           export_finish(writer, error);
}

/* ---- runs of segments with the same verdict: KML, GPX ---- */

typedef struct {
    char *corridor, *verdict;
    double km_from, km_to, metres;
    GArray *points; /* of ExportPoint */
} Run;

typedef struct {
    const char *operator_label, *antenna, *service, *title;
    gboolean shown;
} Group;

static gboolean write_run(ExportWriter *writer, const Group *group, Run *run,
                          ExportSummary *summary, GError **error)
{
    if (run->points->len == 0)
        return TRUE;
    char from[32];
    char to[32];
    char length[32];
    (void)g_ascii_formatd(from, sizeof from, "%.1f", run->km_from);
    (void)g_ascii_formatd(to, sizeof to, "%.1f", run->km_to);
    (void)g_ascii_formatd(length, sizeof length, "%.2f", run->metres / 1000.0);
    g_autofree char *name = g_strdup_printf("%s: %s, %s, km %s–%s", group->operator_label,
                                            group->title, run->verdict, from, to);
    g_autofree char *text =
        g_strdup_printf("%s%s%s km long, antenna %s", run->corridor != NULL ? run->corridor : "",
                        run->corridor != NULL ? ", " : "", length, group->antenna);
    ExportRow row = {.points = &g_array_index(run->points, ExportPoint, 0),
                     .n_points = run->points->len,
                     .name = name,
                     .description = text,
                     .style = verdict_style(run->verdict),
                     .hidden = !group->shown};
    summary->rows++;
    gboolean done = export_add(writer, &row, error);
    g_array_set_size(run->points, 0);
    return done;
}

static gboolean same(const char *a, const char *b)
{
    return g_strcmp0(a, b) == 0;
}

static gboolean extend_run(ExportWriter *writer, const Group *group, Run *run, const LayerRow *row,
                           const int *column, ExportSummary *summary, GError **error)
{
    const char *corridor = layer_get_text(row, column[0]);
    const char *verdict = layer_get_text(row, column[4]);
    double from = layer_get_real(row, column[1], 0);
    if (verdict == NULL || row->shape.n_parts == 0)
        return TRUE;
    gboolean goes_on = run->points->len > 0 && corridor != NULL && same(corridor, run->corridor) &&
                       same(verdict, run->verdict) && fabs(from - run->km_to) < 1e-6;
    if (!goes_on) {
        if (!write_run(writer, group, run, summary, error))
            return FALSE;
        g_free(run->corridor);
        g_free(run->verdict);
        run->corridor = g_strdup(corridor);
        run->verdict = g_strdup(verdict);
        run->km_from = from;
        run->metres = 0;
    }
    run->km_to = layer_get_real(row, column[2], from);
    run->metres += layer_get_real(row, column[3], 0);
    for (uint32_t i = goes_on ? 1 : 0; i < row->shape.part[1]; i++) {
        ExportPoint point = {row->shape.points[i].lon, row->shape.points[i].lat};
        g_array_append_val(run->points, point);
    }
    return TRUE;
}

static char *quoted(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "'", -1);
    g_autofree char *inner = g_strjoinv("''", parts);
    return g_strdup_printf("'%s'", inner);
}

static gboolean write_group(LayerSource *source, ExportWriter *writer, const Group *group,
                            ExportSummary *summary, GError **error)
{
    g_autofree char *label = quoted(group->operator_label);
    g_autofree char *antenna = quoted(group->antenna);
    g_autofree char *sql =
        g_strdup_printf("SELECT * FROM segments WHERE operator = %s AND antenna = %s ORDER BY "
                        "corridor, km_from, segment",
                        label, antenna);
    g_autofree char *verdict = g_strdup_printf("%s_verdict", group->service);
    LayerQuery query = {.sql = sql};
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &query, error);
    if (reader == NULL)
        return FALSE;
    const char *const names[] = {"corridor", "km_from", "km_to", "length_m", verdict};
    int column[G_N_ELEMENTS(names)];
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (!layer_need_column(reader, names[i], &column[i], error))
            return FALSE;
    g_autofree char *name =
        g_strdup_printf("%s: %s (%s)", group->operator_label, group->title, group->antenna);
    export_group_begin(writer, name, group->shown);
    Run run = {.points = g_array_new(FALSE, FALSE, sizeof(ExportPoint))};
    GError *failure = NULL;
    const LayerRow *row = NULL;
    gboolean fine = TRUE;
    while (fine && (row = layer_next(reader, &failure)) != NULL)
        fine = extend_run(writer, group, &run, row, column, summary, error);
    fine = fine && failure == NULL && write_run(writer, group, &run, summary, error);
    if (failure != NULL)
        g_propagate_error(error, failure);
    export_group_end(writer);
    g_array_unref(run.points);
    g_free(run.corridor);
    g_free(run.verdict);
    return fine;
}

/* Two text columns of a query, one pair after the other. Returns: (transfer full), NULL on error.
 */
static GPtrArray *read_pairs(LayerSource *source, const char *sql, GError **error)
{
    LayerQuery query = {.sql = sql, .no_shapes = TRUE};
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &query, error);
    if (reader == NULL)
        return NULL;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    GError *failure = NULL;
    const LayerRow *row = NULL;
    while ((row = layer_next(reader, &failure)) != NULL) {
        const char *a = layer_get_text(row, 0);
        g_ptr_array_add(texts, g_strdup(a != NULL ? a : ""));
        const char *b = layer_get_text(row, 1);
        g_ptr_array_add(texts, g_strdup(b != NULL ? b : ""));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return NULL;
    }
    return g_steal_pointer(&texts);
}

static gboolean export_runs(LayerSource *source, const ExportOptions *options,
                            ExportSummary *summary, GError **error)
{
    g_autoptr(GPtrArray) services =
        read_pairs(source,
                   "SELECT service, MIN(title) AS title FROM services GROUP BY service ORDER BY "
                   "MIN(position)",
                   error);
    g_autoptr(GPtrArray) operators =
        services != NULL
            ? read_pairs(source, "SELECT DISTINCT operator, antenna FROM segments ORDER BY 1, 2",
                         error)
            : NULL;
    if (operators == NULL)
        return FALSE;
    g_autofree char *title = g_path_get_basename(layer_path(source));
    ExportHead head = {
        .title = title, .lines = TRUE, .styles = verdicts, .n_styles = G_N_ELEMENTS(verdicts)};
    g_autoptr(ExportWriter) writer = export_create(options->out, options->format, &head, error);
    if (writer == NULL)
        return FALSE;
    guint groups = 0;
    for (guint s = 0; s + 1 < services->len; s += 2)
        for (guint o = 0; o + 1 < operators->len; o += 2) {
            Group group = {g_ptr_array_index(operators, o), g_ptr_array_index(operators, o + 1),
                           g_ptr_array_index(services, s), g_ptr_array_index(services, s + 1),
                           groups == 0};
            if ((options->service != NULL && !same(options->service, group.service)) ||
                (options->operator_label != NULL &&
                 !same(options->operator_label, group.operator_label)))
                continue;
            groups++;
            if (!write_group(source, writer, &group, summary, error))
                return FALSE;
        }
    if (groups == 0) {
        g_set_error(error, EXPORT_ERROR, EXPORT_ERROR_FAILED,
                    "%s: has no such service or operator; its tables services and segments have "
                    "their names",
                    layer_path(source));
        return FALSE;
    }
    return export_finish(writer, error);
}

gboolean export_results(const char *path, const ExportOptions *options, ExportSummary *summary,
                        GError **error)
{
    g_autoptr(LayerSource) source = layer_open(path, error);
    if (source == NULL)
        return FALSE;
    gboolean runs = same(options->format, "kml") || same(options->format, "gpx");
    if (runs && options->layer != NULL) {
        g_set_error(error, EXPORT_ERROR, EXPORT_ERROR_FORMAT,
                    "--layer is for csv and geojson; kml and gpx hold the verdicts of segments");
        return FALSE;
    }
    if (same(options->layer, "evidence"))
        return export_passes(source, options, summary, error);
    return runs ? export_runs(source, options, summary, error)
                : export_layer(source, options, summary, error);
}
