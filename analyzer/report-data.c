/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-data.h"
#include "analyzer/report.h"

#include <math.h>
#include <string.h>

static void table_free(gpointer data)
{
    ReportTable *table = data;
    for (guint i = 0; i < table->n_columns; i++) {
        ReportColumn *column = &table->columns[i];
        g_free(column->name);
        g_free(column->ints);
        g_free(column->reals);
        g_free(column->texts);
        g_free(column->known);
    }
    g_free(table->columns);
    g_free(table->name);
    g_free(table);
}

void report_data_free(ReportData *data)
{
    if (data == NULL)
        return;
    g_ptr_array_unref(data->tables);
    g_array_unref(data->points);
    g_array_unref(data->lines);
    g_string_chunk_free(data->texts);
    g_free(data->path);
    g_free(data);
}

/* Room for `room` rows in each column. */
static void reserve(ReportTable *table, size_t room)
{
    for (guint i = 0; i < table->n_columns; i++) {
        ReportColumn *column = &table->columns[i];
        if (column->type == LAYER_INT) {
            column->ints = g_renew(int64_t, column->ints, room);
            column->known = g_renew(uint8_t, column->known, room);
        } else if (column->type == LAYER_REAL) {
            column->reals = g_renew(double, column->reals, room);
        } else if (column->type == LAYER_TEXT) {
            column->texts = g_renew(const char *, column->texts, room);
        }
    }
}

static void store(ReportData *data, ReportTable *table, const LayerRow *row)
{
    size_t at = table->n_rows++;
    for (guint i = 0; i < table->n_columns; i++) {
        ReportColumn *column = &table->columns[i];
        int c = (int)i;
        if (column->type == LAYER_INT) {
            column->known[at] = !layer_is_null(row, c);
            column->ints[at] = layer_get_int(row, c, 0);
        } else if (column->type == LAYER_REAL) {
            column->reals[at] = layer_is_null(row, c) ? NAN : layer_get_real(row, c, NAN);
        } else if (column->type == LAYER_TEXT) {
            const char *text = layer_get_text(row, c);
            column->texts[at] =
                text != NULL ? g_string_chunk_insert_const(data->texts, text) : NULL;
        }
    }
}

/* Keeps the line of a segment the first time it is seen. */
static void store_line(ReportData *data, GHashTable *seen, const LayerRow *row, int column)
{
    int64_t segment = layer_get_int(row, column, 0);
    if (row->shape.n_parts == 0 || g_hash_table_contains(seen, &segment))
        return;
    g_hash_table_add(seen, g_memdup2(&segment, sizeof segment));
    ReportLine line = {segment, data->points->len, row->shape.part[1]};
    g_array_append_vals(data->points, row->shape.points, row->shape.part[1]);
    g_array_append_val(data->lines, line);
}

static ReportTable *load_table(ReportData *data, LayerSource *source, const char *name,
                               GError **error)
{
    gboolean is_segments = strcmp(name, "segments") == 0;
    LayerQuery query = {.no_shapes = !is_segments};
    g_autoptr(LayerReader) reader = layer_read(source, name, &query, error);
    if (reader == NULL)
        return NULL;
    ReportTable *table = g_new0(ReportTable, 1);
    table->name = g_strdup(name);
    const LayerField *fields = layer_fields(reader, &table->n_columns);
    table->columns = g_new0(ReportColumn, table->n_columns);
    for (guint i = 0; i < table->n_columns; i++) {
        table->columns[i].name = g_strdup(fields[i].name);
        table->columns[i].type = fields[i].type;
    }
    size_t room = 64;
    reserve(table, room);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    int segment_column = layer_column(reader, "segment");
    GError *failure = NULL;
    const LayerRow *row = NULL;
    while ((row = layer_next(reader, &failure)) != NULL) {
        if (table->n_rows == room)
            reserve(table, room *= 2);
        if (is_segments)
            store_line(data, seen, row, segment_column);
        store(data, table, row);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        table_free(table);
        return NULL;
    }
    return table;
}

/* Tables and columns a report cannot do without. */
static const struct {
    const char *table, *columns;
} needed[] = {
    {"segments", "segment corridor km_from km_to length_m operator antenna n level_p50"},
    {"corridors", "corridor length_km"},
    {"summary", "corridor operator antenna service length_km km_covered km_not_covered "
                "km_uncertain km_not_measured share share_low share_high"},
    {"gaps", "corridor operator antenna service km_from km_to length_m"},
    {"services", "service title threshold_source"},
    {"meta", "key value"},
};

static gboolean check(const ReportData *data, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(needed); i++) {
        const ReportTable *table = report_table(data, needed[i].table);
        if (table == NULL) {
            g_set_error(error, REPORT_ERROR, REPORT_ERROR_INPUT,
                        "%s: has no table %s; give a GeoPackage that corridor analyze wrote",
                        data->path, needed[i].table);
            return FALSE;
        }
        g_auto(GStrv) names = g_strsplit(needed[i].columns, " ", -1);
        for (guint j = 0; names[j] != NULL; j++)
            if (report_column(table, names[j]) < 0) {
                g_set_error(error, REPORT_ERROR, REPORT_ERROR_INPUT,
                            "%s: table %s has no column %s; write it again with corridor analyze",
                            data->path, needed[i].table, names[j]);
                return FALSE;
            }
    }
    return TRUE;
}

ReportData *report_data_load(const char *path, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(path, error);
    if (source == NULL)
        return NULL;
    g_autoptr(ReportData) data = g_new0(ReportData, 1);
    data->path = g_strdup(path);
    data->tables = g_ptr_array_new_with_free_func(table_free);
    data->points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    data->lines = g_array_new(FALSE, FALSE, sizeof(ReportLine));
    data->texts = g_string_chunk_new(1 << 16);
    for (guint i = 0; i < layer_count(source); i++) {
        const char *name = layer_name(source, i);
        if (strcmp(name, "evidence") == 0 || strcmp(name, "layer_styles") == 0)
            continue;
        ReportTable *table = load_table(data, source, name, error);
        if (table == NULL)
            return NULL;
        g_ptr_array_add(data->tables, table);
    }
    if (!check(data, error))
        return NULL;
    return g_steal_pointer(&data);
}

const ReportTable *report_table(const ReportData *data, const char *name)
{
    for (guint i = 0; i < data->tables->len; i++) {
        const ReportTable *table = g_ptr_array_index(data->tables, i);
        if (strcmp(table->name, name) == 0)
            return table;
    }
    return NULL;
}

gboolean report_has_rows(const ReportData *data, const char *name)
{
    const ReportTable *table = report_table(data, name);
    return table != NULL && table->n_rows > 0;
}

int report_column(const ReportTable *table, const char *name)
{
    for (guint i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

double report_number_at(const ReportTable *table, size_t row, int column)
{
    if (column < 0)
        return NAN;
    const ReportColumn *c = &table->columns[column];
    if (c->type == LAYER_INT)
        return c->known[row] != 0 ? (double)c->ints[row] : NAN;
    return c->type == LAYER_REAL ? c->reals[row] : NAN;
}

int64_t report_int_at(const ReportTable *table, size_t row, int column, int64_t none)
{
    if (column >= 0 && table->columns[column].type == LAYER_INT)
        return table->columns[column].known[row] != 0 ? table->columns[column].ints[row] : none;
    double value = report_number_at(table, row, column);
    return fabs(value) < 9e15 ? (int64_t)value : none;
}

const char *report_text_at(const ReportTable *table, size_t row, int column)
{
    if (column < 0 || table->columns[column].type != LAYER_TEXT)
        return NULL;
    return table->columns[column].texts[row];
}

double report_number(const ReportTable *table, size_t row, const char *column)
{
    return report_number_at(table, row, report_column(table, column));
}

const char *report_text(const ReportTable *table, size_t row, const char *column)
{
    return report_text_at(table, row, report_column(table, column));
}

const char *report_meta(const ReportData *data, const char *key)
{
    const ReportTable *meta = report_table(data, "meta");
    for (size_t i = 0; meta != NULL && i < meta->n_rows; i++)
        if (g_strcmp0(report_text(meta, i, "key"), key) == 0)
            return report_text(meta, i, "value");
    return NULL;
}
