/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of a new GeoPackage with very many rows: OGR makes them, their rows are packed into pages
 * (layer-pages.h), and so is their spatial index (layer-rtree.h).
 * For layer-write.c only; docs of the calls that others use are in layer.h.
 */
#pragma once

#include "analyzer/layer.h"

typedef struct LayerBulk LayerBulk;

/* `connection` is the sqlite3 * of OGR's dataset, `part` the file that it writes; `path` is named
 * in errors. */
LayerBulk *layer_bulk_new(void *connection, const char *part, const char *path);
void layer_bulk_free(LayerBulk *bulk);

/* A table that is there and empty. Its number, or -1 on failure. `kind` is LAYER_NONE, LAYER_POINTS
 * or LAYER_LINES. */
int layer_bulk_table(LayerBulk *bulk, const char *name, LayerKind kind, const LayerField *fields,
                     guint n_fields, GError **error);

/* Appends a row as bytes to `rows`. Threads may do so at the same time, while no table is added. */
gboolean layer_bulk_encode(const LayerBulk *bulk, int table, const GeoPoint *points,
                           size_t n_points, const LayerValue *values, GByteArray *rows,
                           GError **error);

/* Adds encoded rows (copied), in their order. */
gboolean layer_bulk_add(LayerBulk *bulk, const uint8_t *rows, size_t n, GError **error);

/* Ends all tables: nothing may be added afterwards. To be called before the dataset is closed. */
gboolean layer_bulk_end(LayerBulk *bulk, GError **error);

/* Puts the rows into the file `part`, closed by OGR, and tells what OGR keeps of its own rows and
 * does not know of these: numbers, extents, the index's entry and triggers. */
gboolean layer_bulk_register(LayerBulk *bulk, const char *part, GError **error);
