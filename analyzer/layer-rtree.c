/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. The tables behind SQLite's R-tree module (ext/rtree/rtree.c, "Database
 * Format of R-Tree Tables") are: _node with a blob for each node, node 1 being the root; _rowid
 * with the leaf of each entry; _parent with the parent of each node but the root. A node is 2 bytes
 * of depth (of the root; else 0), 2 bytes of the number of its cells, and the cells: 8 bytes of row
 * (leaf) or of node, then west, east, south, north as floats that are rounded outwards; all big
 * endian, the rest zero. One node of each level is open; when it is full it is written and becomes
 * a cell of the level above.
 */
#include "analyzer/layer-rtree.h"

#include "analyzer/layer-record.h"
#include "formats/bytes.h"

#include <math.h>
#include <string.h>

enum { CELL_BYTES = 24, MOST_CELLS = 51, NODE_BYTES = 4 + MOST_CELLS * CELL_BYTES, LEVELS = 12 };

typedef struct {
    gint64 id;
    float west, east, south, north;
} RtreeCell;

typedef struct {
    unsigned n;
    RtreeCell cell[MOST_CELLS];
} Level;

struct Rtree {
    sqlite3 *db;
    sqlite3_stmt *put_node, *put_parent;
    LayerPages *pages;
    guint rows; /* the table of leaves by row, its number there */
    GByteArray *record;
    gint64 next_node;
    Level level[LEVELS]; /* 51^12 entries are more than there will be */
};

static gboolean run(const Rtree *rtree, sqlite3_stmt *statement, GError **error)
{
    int rc = sqlite3_step(statement);
    if (sqlite3_reset(statement) == SQLITE_OK && rc == SQLITE_DONE)
        return TRUE;
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "the spatial index cannot be written: %s",
                sqlite3_errmsg(rtree->db));
    return FALSE;
}

/* In which leaf a row is. */
static gboolean put_row(Rtree *rtree, gint64 row, gint64 leaf, GError **error)
{
    static const LayerType type = LAYER_INT;
    LayerValue value = layer_int(leaf);
    LayerRecord record = {.types = &type, .values = &value, .n_values = 1};
    g_byte_array_set_size(rtree->record, 0);
    layer_record(rtree->record, &record);
    return layer_pages_add(rtree->pages, rtree->rows, row, rtree->record->data, rtree->record->len,
                           error);
}

static gboolean put_parent(Rtree *rtree, gint64 node, gint64 parent, GError **error)
{
    (void)sqlite3_bind_int64(rtree->put_parent, 1, node);
    (void)sqlite3_bind_int64(rtree->put_parent, 2, parent);
    return run(rtree, rtree->put_parent, error);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *format, const char *table)
{
    sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf(format, table);
    (void)sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    sqlite3_free(sql);
    return statement;
}

Rtree *rtree_new(sqlite3 *db, const char *table, LayerPages *pages)
{
    char *create = sqlite3_mprintf(
        "CREATE VIRTUAL TABLE \"rtree_%w_geom\" USING rtree(id, minx, maxx, miny, maxy)", table);
    int rc = sqlite3_exec(db, create, NULL, NULL, NULL);
    sqlite3_free(create);
    if (rc != SQLITE_OK)
        return NULL;
    Rtree *rtree = g_new0(Rtree, 1);
    g_autofree char *rows = g_strdup_printf("rtree_%s_geom_rowid", table);
    rtree->db = db;
    rtree->pages = pages;
    rtree->rows = layer_pages_table(pages, rows);
    rtree->record = g_byte_array_new();
    rtree->next_node = 2; /* 1 is the root */
    rtree->put_node =
        prepare(db, "INSERT OR REPLACE INTO \"rtree_%w_geom_node\" VALUES (?1, ?2)", table);
    rtree->put_parent = prepare(db, "INSERT INTO \"rtree_%w_geom_parent\" VALUES (?1, ?2)", table);
    if (rtree->put_node != NULL && rtree->put_parent != NULL)
        return rtree;
    rtree_free(rtree);
    return NULL;
}

void rtree_free(Rtree *rtree)
{
    if (rtree == NULL)
        return;
    sqlite3_finalize(rtree->put_node);
    sqlite3_finalize(rtree->put_parent);
    g_byte_array_unref(rtree->record);
    g_free(rtree);
}

static void write_float(ByteWriter *writer, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    byte_write_u32(writer, bits);
}

static gboolean write_node(Rtree *rtree, unsigned depth, gint64 node, gboolean is_root,
                           GError **error)
{
    const Level *level = &rtree->level[depth];
    uint8_t bytes[NODE_BYTES] = {0};
    ByteWriter writer = byte_writer(bytes, sizeof bytes);
    byte_write_u16(&writer, is_root ? (uint16_t)depth : 0);
    byte_write_u16(&writer, (uint16_t)level->n);
    for (unsigned i = 0; i < level->n; i++) {
        const RtreeCell *cell = &level->cell[i];
        byte_write_u64(&writer, (uint64_t)cell->id);
        write_float(&writer, cell->west);
        write_float(&writer, cell->east);
        write_float(&writer, cell->south);
        write_float(&writer, cell->north);
        if (!(depth == 0 ? put_row : put_parent)(rtree, cell->id, node, error))
            return FALSE;
    }
    (void)sqlite3_bind_int64(rtree->put_node, 1, node);
    (void)sqlite3_bind_blob(rtree->put_node, 2, bytes, sizeof bytes, SQLITE_STATIC);
    return run(rtree, rtree->put_node, error);
}

static gboolean add_cell(Rtree *rtree, unsigned depth, const RtreeCell *cell, GError **error);

/* Writes the open node of a level and makes it a cell of the level above. */
static gboolean close_node(Rtree *rtree, unsigned depth, GError **error)
{
    Level *level = &rtree->level[depth];
    RtreeCell box = level->cell[0];
    for (unsigned i = 1; i < level->n; i++) {
        box.west = fminf(box.west, level->cell[i].west);
        box.east = fmaxf(box.east, level->cell[i].east);
        box.south = fminf(box.south, level->cell[i].south);
        box.north = fmaxf(box.north, level->cell[i].north);
    }
    box.id = rtree->next_node++;
    if (depth + 1 >= LEVELS || !write_node(rtree, depth, box.id, FALSE, error))
        return FALSE;
    level->n = 0;
    return add_cell(rtree, depth + 1, &box, error);
}

static gboolean add_cell(Rtree *rtree, unsigned depth, const RtreeCell *cell, GError **error)
{
    Level *level = &rtree->level[depth];
    if (level->n == MOST_CELLS && !close_node(rtree, depth, error))
        return FALSE;
    level->cell[level->n++] = *cell;
    return TRUE;
}

static float not_above(double value)
{
    float rounded = (float)value;
    return (double)rounded > value ? nextafterf(rounded, -INFINITY) : rounded;
}

gboolean rtree_add(Rtree *rtree, gint64 id, const RtreeBox *box, GError **error)
{
    RtreeCell cell = {id, not_above(box->west), -not_above(-box->east), not_above(box->south),
                      -not_above(-box->north)};
    return add_cell(rtree, 0, &cell, error);
}

gboolean rtree_finish(Rtree *rtree, GError **error)
{
    unsigned depth = 0;
    for (; depth + 1 < LEVELS && rtree->level[depth + 1].n > 0; depth++)
        if (!close_node(rtree, depth, error))
            return FALSE;
    return write_node(rtree, depth, 1, TRUE, error);
}
