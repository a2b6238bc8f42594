/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row of an output table, column by column: the same calls declare the fields (first row) and
 * give the values, so that names and values cannot come apart.
 */
#pragma once

#include "analyzer/layer.h"

typedef struct {
    LayerWriter *writer;
    LayerTable *table;
    const char *name;
    LayerKind kind;
    gboolean bulk;
    GByteArray *rows; /* NULL: rows are added; else encoded and put here (borrowed) */
    GArray *fields;   /* LayerField, names owned by `names` */
    LayerValue *values;
    guint n_values, room;
    GStringChunk *names;
    GStringChunk *texts; /* of the row at hand */
    gboolean has_texts;
} OutRow;

/* Begins a table; it is made when the first row ends, or by out_row_finish(). */
void out_row_init(OutRow *row, LayerWriter *writer, const char *name, LayerKind kind);
/* The same for a table of very many rows (layer_add_bulk_table()). */
void out_row_init_bulk(OutRow *row, LayerWriter *writer, const char *name, LayerKind kind);
/* Rows of a bulk table that is made already, by `first`: encoded, for layer_add_encoded(). One
 * thread uses a row at a time, but several may encode. */
void out_row_init_encoded(OutRow *row, const OutRow *first, GByteArray *rows);
void out_row_clear(OutRow *row);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OutRow, out_row_clear)

/* A column's name made of two parts, for the calls below. (transfer none) */
const char *out_row_name(OutRow *row, const char *first, const char *second);

void out_int(OutRow *row, const char *name, int64_t value);
void out_int_or_null(OutRow *row, const char *name, gboolean known, int64_t value);
/* Not finite = NULL. */
void out_real(OutRow *row, const char *name, double value);
/* Copied; NULL = NULL. */
void out_text(OutRow *row, const char *name, const char *value);
/* The same, borrowed until out_row_end(). */
void out_word(OutRow *row, const char *name, const char *value);
void out_blob(OutRow *row, const char *name, const void *data, size_t n);
/* Time as 2025-05-26T14:47:05Z. */
void out_time(OutRow *row, const char *name, gboolean known, int64_t time_ns);

/* Writes the row. */
gboolean out_row_end(OutRow *row, const GeoPoint *points, size_t n, GError **error);

/* Makes the table from a row that is only described, if no row was written: an empty table has its
 * columns all the same. */
gboolean out_row_only_fields(OutRow *row, GError **error);
