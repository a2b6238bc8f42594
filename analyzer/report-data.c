/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-data.h"

#include <math.h>
#include <string.h>

struct ReportTable {
    GPtrArray *names;  /* of char * */
    GPtrArray *values; /* of char *, row by row; NULL = NULL */
    guint n_rows;
};

static void report_table_free(ReportTable *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->names);
    g_ptr_array_unref(table->values);
    g_free(table);
}

guint report_table_rows(const ReportTable *table)
{
    return table != NULL ? table->n_rows : 0;
}

static int table_column(const ReportTable *table, const char *name)
{
    for (guint c = 0; table != NULL && c < table->names->len; c++)
        if (strcmp(g_ptr_array_index(table->names, c), name) == 0)
            return (int)c;
    return -1;
}

const char *report_text_at(const ReportTable *table, guint row, const char *column)
{
    int c = table_column(table, column);
    return c < 0 ? NULL : g_ptr_array_index(table->values, row * table->names->len + (guint)c);
}

double report_real_at(const ReportTable *table, guint row, const char *column)
{
    const char *text = report_text_at(table, row, column);
    return text != NULL ? g_ascii_strtod(text, NULL) : NAN;
}

/* An absent table is an empty one: older files and optional layers. */
static gboolean load_table(LayerSource *source, const char *name, ReportTable **table,
                           GError **error)
{
    ReportTable *t = g_new0(ReportTable, 1);
    t->names = g_ptr_array_new_with_free_func(g_free);
    t->values = g_ptr_array_new_with_free_func(g_free);
    *table = t;
    if (!layer_has(source, name))
        return TRUE;
    LayerQuery query = {.no_shapes = TRUE};
    g_autoptr(LayerReader) reader = layer_read(source, name, &query, error);
    if (reader == NULL)
        return FALSE;
    guint n = 0;
    const LayerField *fields = layer_fields(reader, &n);
    for (guint c = 0; c < n; c++)
        g_ptr_array_add(t->names, g_strdup(fields[c].name));
    GError *failure = NULL;
    const LayerRow *row = NULL;
    while ((row = layer_next(reader, &failure)) != NULL) {
        for (guint c = 0; c < n; c++)
            g_ptr_array_add(t->values, fields[c].type == LAYER_BLOB
                                           ? NULL
                                           : g_strdup(layer_get_text(row, (int)c)));
        t->n_rows++;
    }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

const char *report_meta(const ReportData *data, const char *key)
{
    for (guint i = 0; i < report_table_rows(data->meta); i++)
        if (g_strcmp0(report_text_at(data->meta, i, "key"), key) == 0)
            return report_text_at(data->meta, i, "value");
    return NULL;
}

int report_summary_row(const ReportData *data, const char *corridor, const char *operator_label,
                       const char *antenna, const char *service)
{
    for (guint i = 0; i < report_table_rows(data->summary); i++)
        if (g_strcmp0(report_text_at(data->summary, i, "corridor"), corridor) == 0 &&
            g_strcmp0(report_text_at(data->summary, i, "operator"), operator_label) == 0 &&
            (antenna == NULL ||
             g_strcmp0(report_text_at(data->summary, i, "antenna"), antenna) == 0) &&
            g_strcmp0(report_text_at(data->summary, i, "service"), service) == 0)
            return (int)i;
    return -1;
}

guint report_main_service(const ReportData *data)
{
    for (guint s = 0; s < data->services->len; s++)
        if (g_array_index(data->services, ReportService, s).is_level)
            return s;
    return 0;
}

/* ---- services, corridors ---- */

static void collect_services(ReportData *data)
{
    for (guint i = 0; i < report_table_rows(data->service_rows); i++) {
        const char *id = report_text_at(data->service_rows, i, "service");
        gboolean known = id == NULL;
        for (guint s = 0; s < data->services->len && !known; s++)
            known = strcmp(g_array_index(data->services, ReportService, s).id, id) == 0;
        if (known)
            continue;
        ReportService service = {
            .id = id,
            .title = report_text_at(data->service_rows, i, "title"),
            .quantity = report_text_at(data->service_rows, i, "quantity"),
            .unit = report_text_at(data->service_rows, i, "unit"),
        };
        service.is_level = g_strcmp0(service.quantity, "level") == 0;
        if (service.title == NULL)
            service.title = id;
        g_array_append_val(data->services, service);
    }
}

static gboolean collect_corridors(ReportData *data, LayerSource *source, GError **error)
{
    ReportTable *table = NULL;
    if (!load_table(source, "corridors", &table, error)) {
        report_table_free(table);
        return FALSE;
    }
    for (guint i = 0; i < table->n_rows; i++) {
        const char *name = report_text_at(table, i, "corridor");
        if (name == NULL)
            continue;
        ReportCorridor corridor = {
            .name = g_string_chunk_insert_const(data->text, name),
            .length_km = report_real_at(table, i, "length_km"),
            .start_km = report_real_at(table, i, "start_km"),
        };
        g_array_append_val(data->corridors, corridor);
    }
    report_table_free(table);
    return TRUE;
}

/* ---- segments ---- */

typedef struct {
    int share, low, high, verdict, reason;
} CellColumns;

typedef struct {
    ReportData *data;
    LayerReader *reader;
    int segment, corridor, km_from, km_to, length_m, operator_label, antenna, passes, n,
        n_no_service, p10, p50, p90, p50_is, rat, rtt, loss, down, up, meeting;
    CellColumns *cells;
    GHashTable *places; /* segment number -> index + 1 */
} SegmentLoader;

static int service_column(const LayerReader *reader, const char *service, const char *suffix)
{
    g_autofree char *name = g_strconcat(service, suffix, NULL);
    return layer_column(reader, name);
}

static void find_columns(SegmentLoader *l)
{
    const struct {
        int *to;
        const char *name;
    } rows[] = {
        {&l->segment, "segment"},
        {&l->corridor, "corridor"},
        {&l->km_from, "km_from"},
        {&l->km_to, "km_to"},
        {&l->length_m, "length_m"},
        {&l->operator_label, "operator"},
        {&l->antenna, "antenna"},
        {&l->passes, "passes"},
        {&l->n, "n"},
        {&l->n_no_service, "n_no_service"},
        {&l->p10, "level_p10"},
        {&l->p50, "level_p50"},
        {&l->p90, "level_p90"},
        {&l->p50_is, "level_p50_is"},
        {&l->rat, "rat"},
        {&l->rtt, "rtt_p50"},
        {&l->loss, "loss_share"},
        {&l->down, "down_p50"},
        {&l->up, "up_p50"},
        {&l->meeting, "meeting_is"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        *rows[i].to = layer_column(l->reader, rows[i].name);
    l->cells = g_new(CellColumns, l->data->services->len + 1);
    for (guint s = 0; s < l->data->services->len; s++) {
        const char *id = g_array_index(l->data->services, ReportService, s).id;
        l->cells[s] = (CellColumns){
            service_column(l->reader, id, "_share"),  service_column(l->reader, id, "_low"),
            service_column(l->reader, id, "_high"),   service_column(l->reader, id, "_verdict"),
            service_column(l->reader, id, "_reason"),
        };
    }
}

static guint find_series(ReportData *data, const char *operator_label, const char *antenna)
{
    for (guint i = 0; i < data->series->len; i++) {
        const ReportSeries *series = &g_array_index(data->series, ReportSeries, i);
        if (strcmp(series->operator_label, operator_label) == 0 &&
            strcmp(series->antenna, antenna) == 0)
            return i;
    }
    ReportSeries series = {
        .operator_label = g_string_chunk_insert_const(data->text, operator_label),
        .antenna = g_string_chunk_insert_const(data->text, antenna),
    };
    g_array_append_val(data->series, series);
    return data->series->len - 1;
}

static guint find_corridor(const ReportData *data, const char *name)
{
    for (guint i = 0; name != NULL && i < data->corridors->len; i++)
        if (strcmp(g_array_index(data->corridors, ReportCorridor, i).name, name) == 0)
            return i;
    return G_MAXUINT;
}

static guint find_place(SegmentLoader *l, const LayerRow *row)
{
    ReportData *data = l->data;
    gint64 number = layer_get_int(row, l->segment, -1);
    gpointer found = g_hash_table_lookup(l->places, &number);
    if (found != NULL)
        return GPOINTER_TO_UINT(found) - 1;
    ReportPlace place = {
        .number = number,
        .corridor = find_corridor(data, layer_get_text(row, l->corridor)),
        .km_from = layer_get_real(row, l->km_from, 0.0),
        .km_to = layer_get_real(row, l->km_to, 0.0),
        .length_m = layer_get_real(row, l->length_m, 0.0),
        .first_point = data->points->len,
    };
    if (row->shape.kind == LAYER_LINES && row->shape.n_parts > 0) {
        place.n_points = row->shape.part[row->shape.n_parts];
        g_array_append_vals(data->points, row->shape.points, place.n_points);
    }
    g_array_append_val(data->places, place);
    g_hash_table_insert(l->places, g_memdup2(&number, sizeof number),
                        GUINT_TO_POINTER(data->places->len));
    return data->places->len - 1;
}

static ReportVerdict verdict_of(const char *text)
{
    static const char *const names[VERDICT_COUNT] = {"not measured", "covered", "uncertain",
                                                     "not covered"};
    for (int v = 0; v < VERDICT_COUNT; v++)
        if (g_strcmp0(text, names[v]) == 0)
            return (ReportVerdict)v;
    return VERDICT_NOT_MEASURED;
}

static const char *keep(ReportData *data, const char *text)
{
    return text != NULL ? g_string_chunk_insert_const(data->text, text) : NULL;
}

static void take_segment(SegmentLoader *l, const LayerRow *row)
{
    ReportData *data = l->data;
    const char *operator_label = layer_get_text(row, l->operator_label);
    if (operator_label == NULL || operator_label[0] == '(')
        return;
    g_autofree char *label = g_strdup(operator_label);
    const char *antenna = layer_get_text(row, l->antenna);
    ReportSegment segment = {
        .place = find_place(l, row),
        .series = find_series(data, label, antenna != NULL ? antenna : "unknown"),
        .n = layer_get_int(row, l->n, 0),
        .passes = layer_get_int(row, l->passes, 0),
        .n_no_service = layer_get_int(row, l->n_no_service, 0),
        .level_p10 = layer_get_real(row, l->p10, NAN),
        .level_p50 = layer_get_real(row, l->p50, NAN),
        .level_p90 = layer_get_real(row, l->p90, NAN),
        .rtt_p50 = layer_get_real(row, l->rtt, NAN),
        .loss_share = layer_get_real(row, l->loss, NAN),
        .down_p50 = layer_get_real(row, l->down, NAN),
        .up_p50 = layer_get_real(row, l->up, NAN),
        .rat = keep(data, layer_get_text(row, l->rat)),
        .meeting = keep(data, layer_get_text(row, l->meeting)),
        .no_service = g_strcmp0(layer_get_text(row, l->p50_is), "no service") == 0,
        .first_cell = data->cells->len,
    };
    for (guint s = 0; s < data->services->len; s++) {
        const CellColumns *c = &l->cells[s];
        ReportServiceCell cell = {
            .share = layer_get_real(row, c->share, NAN),
            .low = layer_get_real(row, c->low, NAN),
            .high = layer_get_real(row, c->high, NAN),
            .verdict = verdict_of(layer_get_text(row, c->verdict)),
            .reason = keep(data, layer_get_text(row, c->reason)),
        };
        g_array_append_val(data->cells, cell);
    }
    g_array_append_val(data->segments, segment);
}

static gboolean load_segments(ReportData *data, LayerSource *source, GError **error)
{
    g_autoptr(LayerReader) reader = layer_read(source, "segments", NULL, error);
    if (reader == NULL)
        return FALSE;
    SegmentLoader loader = {
        .data = data,
        .reader = reader,
        .places = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
    };
    find_columns(&loader);
    GError *failure = NULL;
    const LayerRow *row = NULL;
    while ((row = layer_next(reader, &failure)) != NULL)
        take_segment(&loader, row);
    g_hash_table_unref(loader.places);
    g_free(loader.cells);
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

static gint compare_series(gconstpointer a, gconstpointer b)
{
    const ReportSeries *x = a;
    const ReportSeries *y = b;
    int order = g_utf8_collate(x->operator_label, y->operator_label);
    return order != 0 ? order : strcmp(x->antenna, y->antenna);
}

/* "Telia", or "Telia (roof)" where one operator was measured with several antennas. */
static void title_series(ReportData *data)
{
    g_autoptr(GArray) old = g_array_copy(data->series);
    g_array_sort(data->series, compare_series);
    g_autofree guint *now = g_new0(guint, old->len + 1);
    for (guint i = 0; i < old->len; i++)
        for (guint k = 0; k < data->series->len; k++)
            if (compare_series(&g_array_index(old, ReportSeries, i),
                               &g_array_index(data->series, ReportSeries, k)) == 0)
                now[i] = k;
    for (guint i = 0; i < data->segments->len; i++) {
        ReportSegment *segment = &g_array_index(data->segments, ReportSegment, i);
        segment->series = now[segment->series];
    }
    for (guint i = 0; i < data->series->len; i++) {
        ReportSeries *series = &g_array_index(data->series, ReportSeries, i);
        gboolean several = FALSE;
        for (guint k = 0; k < data->series->len; k++)
            several = several ||
                      (k != i && strcmp(g_array_index(data->series, ReportSeries, k).operator_label,
                                        series->operator_label) == 0);
        series->title = several
                            ? g_strdup_printf("%s (%s)", series->operator_label, series->antenna)
                            : g_strdup(series->operator_label);
    }
}

static void clear_series(gpointer series)
{
    g_free(((ReportSeries *)series)->title);
}

ReportData *report_data_load(const char *path, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(path, error);
    if (source == NULL)
        return NULL;
    if (!layer_has(source, "segments") || !layer_has(source, "summary") ||
        !layer_has(source, "services")) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER,
                    "%s: is not a results file; make one with corridor analyze", path);
        return NULL;
    }
    g_autoptr(ReportData) data = g_new0(ReportData, 1);
    data->path = g_strdup(path);
    data->services = g_array_new(FALSE, TRUE, sizeof(ReportService));
    data->corridors = g_array_new(FALSE, TRUE, sizeof(ReportCorridor));
    data->series = g_array_new(FALSE, TRUE, sizeof(ReportSeries));
    data->places = g_array_new(FALSE, TRUE, sizeof(ReportPlace));
    data->segments = g_array_new(FALSE, TRUE, sizeof(ReportSegment));
    data->cells = g_array_new(FALSE, TRUE, sizeof(ReportServiceCell));
    data->points = g_array_new(FALSE, TRUE, sizeof(GeoPoint));
    data->text = g_string_chunk_new(4096);
    const struct {
        ReportTable **table;
        const char *name;
    } tables[] = {
        {&data->summary, "summary"},     {&data->gaps, "gaps"},
        {&data->operators, "operators"}, {&data->pairs, "pairs"},
        {&data->quality, "quality"},     {&data->drives, "drives"},
        {&data->sources, "sources"},     {&data->service_rows, "services"},
        {&data->meta, "meta"},           {&data->changes, "changes"},
        {&data->hours, "hours"},         {&data->tests, "tests"},
        {&data->stations, "stations"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++)
        if (!load_table(source, tables[i].name, tables[i].table, error))
            return NULL;
    collect_services(data);
    if (!collect_corridors(data, source, error) || !load_segments(data, source, error))
        return NULL;
    title_series(data);
    g_array_set_clear_func(data->series, clear_series);
    return g_steal_pointer(&data);
}

void report_data_free(ReportData *data)
{
    if (data == NULL)
        return;
    GArray *arrays[] = {data->services, data->corridors, data->series, data->places,
                        data->segments, data->cells,     data->points};
    for (unsigned i = 0; i < G_N_ELEMENTS(arrays); i++)
        if (arrays[i] != NULL)
            g_array_unref(arrays[i]);
    ReportTable *tables[] = {data->summary, data->gaps,    data->operators, data->pairs,
                             data->quality, data->drives,  data->sources,   data->service_rows,
                             data->meta,    data->changes, data->hours,     data->tests,
                             data->stations};
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++)
        report_table_free(tables[i]);
    if (data->text != NULL)
        g_string_chunk_free(data->text);
    g_free(data->path);
    g_free(data);
}
