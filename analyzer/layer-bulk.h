/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of a new GeoPackage with very many rows: OGR makes them, the rows go in by prepared
 * statements on OGR's own connection, and their spatial index is packed (layer-rtree.h). Rows are
 * collected in blocks, which a thread of their own can write.
 * For layer-write.c only; docs of the calls that others use are in layer.h.
 */
#pragma once

#include "analyzer/layer.h"

typedef struct LayerBulk LayerBulk;

/* `connection` is the sqlite3 * of OGR's dataset; `path` is named in errors. */
LayerBulk *layer_bulk_new(void *connection, const char *path);
void layer_bulk_free(LayerBulk *bulk);

/* From now on a thread writes the blocks. Nobody else may use the connection between
 * layer_bulk_add() and layer_bulk_sync(). */
void layer_bulk_use_thread(LayerBulk *bulk);

/* A table that is there and empty. Its number, or -1 on failure. `kind` is LAYER_NONE, LAYER_POINTS
 * or LAYER_LINES. */
int layer_bulk_table(LayerBulk *bulk, const char *name, LayerKind kind, const LayerField *fields,
                     guint n_fields, GError **error);

/* Adds a row (copied). An error may belong to a row before it. */
gboolean layer_bulk_add(LayerBulk *bulk, int table, const GeoPoint *points, size_t n_points,
                        const LayerValue *values, GError **error);

/* Writes what was added: the connection is free afterwards. */
gboolean layer_bulk_sync(LayerBulk *bulk, GError **error);

/* Ends all tables: nothing may be added afterwards. To be called before the dataset is closed. */
gboolean layer_bulk_end(LayerBulk *bulk, GError **error);

/* What OGR keeps of its own rows and does not know of these: numbers, extents, the index's entry
 * and triggers. `part` is the file, closed. */
gboolean layer_bulk_register(LayerBulk *bulk, const char *part, GError **error);
