/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/out-row.h"

#include <time.h>

void out_row_init(OutRow *row, LayerWriter *writer, const char *name, LayerKind kind)
{
    *row = (OutRow){.writer = writer, .name = name, .kind = kind};
    row->fields = g_array_new(FALSE, FALSE, sizeof(LayerField));
    row->room = 64;
    row->values = g_new(LayerValue, row->room);
    row->names = g_string_chunk_new(1024);
    row->texts = g_string_chunk_new(1024);
}

void out_row_init_bulk(OutRow *row, LayerWriter *writer, const char *name, LayerKind kind)
{
    out_row_init(row, writer, name, kind);
    row->bulk = TRUE;
}

void out_row_init_encoded(OutRow *row, const OutRow *first, GByteArray *rows)
{
    out_row_init(row, first->writer, first->name, first->kind);
    row->table = first->table;
    row->rows = rows;
}

void out_row_clear(OutRow *row)
{
    g_clear_pointer(&row->fields, g_array_unref);
    g_clear_pointer(&row->values, g_free);
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
    if (row->n_values == row->room) {
        row->room *= 2;
        row->values = g_renew(LayerValue, row->values, row->room);
    }
    row->values[row->n_values++] = value;
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
    out_word(row, name, value != NULL ? g_string_chunk_insert(row->texts, value) : NULL);
    row->has_texts = TRUE;
}

void out_word(OutRow *row, const char *name, const char *value)
{
    put(row, name, LAYER_TEXT, layer_text(value));
}

void out_blob(OutRow *row, const char *name, const void *data, size_t n)
{
    put(row, name, LAYER_BLOB, layer_blob(data, n));
}

void out_time(OutRow *row, const char *name, gboolean known, int64_t time_ns)
{
    const time_t second = time_ns / 1000000000;
    char text[32];
    struct tm utc;
    known = known && gmtime_r(&second, &utc) != NULL &&
            strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0;
    out_text(row, name, known ? text : NULL);
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
    row->n_values = 0;
    if (row->has_texts)
        g_string_chunk_clear(row->texts);
    row->has_texts = FALSE;
}

gboolean out_row_end(OutRow *row, const GeoPoint *points, size_t n, GError **error)
{
    if (!make_table(row, error))
        return FALSE;
    gboolean done = row->rows != NULL
                        ? layer_encode(row->table, points, n, row->values, row->rows, error)
                        : layer_add(row->table, points, n, row->values, error);
    empty(row);
    return done;
}

gboolean out_row_only_fields(OutRow *row, GError **error)
{
    gboolean done = make_table(row, error);
    empty(row);
    return done;
}
