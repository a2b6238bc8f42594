/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling the spatial index of a fresh GeoPackage table. Inserting a box into an R-tree takes
 * SQLite longer than inserting the row itself; here nodes are packed and written whole while the
 * rows come. Rows of a drive follow each other in space, so nodes filled in their order are small.
 * For layer-bulk.c only.
 */
#pragma once

#include "analyzer/layer-pages.h"

#include <sqlite3.h>

typedef struct {
    double west, east, south, north; /* degrees */
} RtreeBox;

typedef struct Rtree Rtree;

/* Makes the virtual table rtree_TABLE_geom (which must not exist) in `db`, whose file `pages` are
 * for: they take one row for each row of the table. Returns: (transfer full), or NULL where SQLite
 * refuses: its message says why. Neither may go before the index is finished. */
Rtree *rtree_new(sqlite3 *db, const char *table, LayerPages *pages);
void rtree_free(Rtree *rtree);

/* Adds the box of a row. Ids ascend. */
gboolean rtree_add(Rtree *rtree, gint64 id, const RtreeBox *box, GError **error);

/* Writes the nodes still open and the root; nothing may be added afterwards. */
gboolean rtree_finish(Rtree *rtree, GError **error);
