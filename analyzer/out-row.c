/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/out-row.h"

void out_row_init(OutRow *row, LayerWriter *writer, const char *name, LayerKind kind)
{
    *row = (OutRow){.writer = writer, .name = name, .kind = kind};
    row->fields = g_array_new(FALSE, FALSE, sizeof(LayerField));
    row->values = g_array_new(FALSE, FALSE, sizeof(LayerValue));
    row->names = g_string_chunk_new(1024);
    row->texts = g_string_chunk_new(1024);
}

void out_row_init_bulk(OutRow *row, LayerWriter *writer, const char *name, LayerKind kind)
{
    out_row_init(row, writer, name, kind);
    row->bulk = TRUE;
}

void out_row_clear(OutRow *row)
{
    g_clear_pointer(&row->fields, g_array_unref);
    g_clear_pointer(&row->values, g_array_unref);
    g_clear_pointer(&row->names, g_string_chunk_free);
    g_clear_pointer(&row->texts, g_string_chunk_free);
}

const char *out_row_name(OutRow *row, const char *first, const char *second)
{
    if (row->table != NULL)
        return ""; /* the columns are declared: names are not looked at any more */
    g_autofree char *name = g_strconcat(first, second, NULL);
    return g_string_chunk_insert(row->names, name);
}

static void put(OutRow *row, const char *name, LayerType type, LayerValue value)
{
    if (row->table == NULL) {
        LayerField field = {g_string_chunk_insert(row->names, name), type};
        g_array_append_val(row->fields, field);
    }
    g_array_append_val(row->values, value);
}

void out_int(OutRow *row, const char *name, int64_t value)
{
    put(row, name, LAYER_INT, layer_int(value));
}

void out_int_or_null(OutRow *row, const char *name, gboolean known, int64_t value)
{
    put(row, name, LAYER_INT, known ? layer_int(value) : layer_null());
}

void out_real(OutRow *row, const char *name, double value)
{
    put(row, name, LAYER_REAL, layer_real(value));
}

void out_text(OutRow *row, const char *name, const char *value)
{
    put(row, name, LAYER_TEXT,
        value != NULL ? layer_text(g_string_chunk_insert(row->texts, value)) : layer_null());
}

void out_blob(OutRow *row, const char *name, const void *data, size_t n)
{
    put(row, name, LAYER_BLOB, layer_blob(data, n));
}

void out_time(OutRow *row, const char *name, gboolean known, int64_t time_ns)
{
    g_autoptr(GDateTime) time = known ? g_date_time_new_from_unix_utc(time_ns / 1000000000) : NULL;
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
    out_text(row, name, text);
}

static gboolean make_table(OutRow *row, GError **error)
{
    const LayerField *fields = (const LayerField *)(void *)row->fields->data;
    if (row->table == NULL)
        row->table = row->bulk ? layer_add_bulk_table(row->writer, row->name, row->kind, fields,
                                                      row->fields->len, error)
                               : layer_add_table(row->writer, row->name, row->kind, fields,
                                                 row->fields->len, error);
    return row->table != NULL;
}

static void empty(OutRow *row)
{
    g_array_set_size(row->values, 0);
    g_string_chunk_clear(row->texts);
}

gboolean out_row_end(OutRow *row, const GeoPoint *points, size_t n, GError **error)
{
    if (!make_table(row, error))
        return FALSE;
    gboolean done =
        layer_add(row->table, points, n, (const LayerValue *)(void *)row->values->data, error);
    empty(row);
    return done;
}

gboolean out_row_only_fields(OutRow *row, GError **error)
{
    gboolean done = make_table(row, error);
    empty(row);
    return done;
}
