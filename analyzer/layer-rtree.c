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
    sqlite3_stmt *put_node, *put_row, *put_parent;
    gint64 next_node;
    Level level[LEVELS]; /* 51^12 entries are more than there will be */
};

static gboolean run(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    return sqlite3_reset(statement) == SQLITE_OK && rc == SQLITE_DONE;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *format, const char *table)
{
    sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf(format, table);
    (void)sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    sqlite3_free(sql);
    return statement;
}

Rtree *rtree_new(sqlite3 *db, const char *table)
{
    char *create = sqlite3_mprintf(
        "CREATE VIRTUAL TABLE \"rtree_%w_geom\" USING rtree(id, minx, maxx, miny, maxy)", table);
    int rc = sqlite3_exec(db, create, NULL, NULL, NULL);
    sqlite3_free(create);
    if (rc != SQLITE_OK)
        return NULL;
    Rtree *rtree = g_new0(Rtree, 1);
    rtree->next_node = 2; /* 1 is the root */
    rtree->put_node =
        prepare(db, "INSERT OR REPLACE INTO \"rtree_%w_geom_node\" VALUES (?1, ?2)", table);
    rtree->put_row = prepare(db, "INSERT INTO \"rtree_%w_geom_rowid\" VALUES (?1, ?2)", table);
    rtree->put_parent = prepare(db, "INSERT INTO \"rtree_%w_geom_parent\" VALUES (?1, ?2)", table);
    if (rtree->put_node != NULL && rtree->put_row != NULL && rtree->put_parent != NULL)
        return rtree;
    rtree_free(rtree);
    return NULL;
}

void rtree_free(Rtree *rtree)
{
    if (rtree == NULL)
        return;
    sqlite3_finalize(rtree->put_node);
    sqlite3_finalize(rtree->put_row);
    sqlite3_finalize(rtree->put_parent);
    g_free(rtree);
}

static void write_float(ByteWriter *writer, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    byte_write_u32(writer, bits);
}

static gboolean write_node(Rtree *rtree, unsigned depth, gint64 node, gboolean is_root)
{
    const Level *level = &rtree->level[depth];
    uint8_t bytes[NODE_BYTES] = {0};
    ByteWriter writer = byte_writer(bytes, sizeof bytes);
    byte_write_u16(&writer, is_root ? (uint16_t)depth : 0);
    byte_write_u16(&writer, (uint16_t)level->n);
    sqlite3_stmt *place = depth == 0 ? rtree->put_row : rtree->put_parent;
    for (unsigned i = 0; i < level->n; i++) {
        const RtreeCell *cell = &level->cell[i];
        byte_write_u64(&writer, (uint64_t)cell->id);
        write_float(&writer, cell->west);
        write_float(&writer, cell->east);
        write_float(&writer, cell->south);
        write_float(&writer, cell->north);
        (void)sqlite3_bind_int64(place, 1, cell->id);
        (void)sqlite3_bind_int64(place, 2, node);
        if (!run(place))
            return FALSE;
    }
    (void)sqlite3_bind_int64(rtree->put_node, 1, node);
    (void)sqlite3_bind_blob(rtree->put_node, 2, bytes, sizeof bytes, SQLITE_STATIC);
    return run(rtree->put_node);
}

static gboolean add_cell(Rtree *rtree, unsigned depth, const RtreeCell *cell);

/* Writes the open node of a level and makes it a cell of the level above. */
static gboolean close_node(Rtree *rtree, unsigned depth)
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
    if (depth + 1 >= LEVELS || !write_node(rtree, depth, box.id, FALSE))
        return FALSE;
    level->n = 0;
    return add_cell(rtree, depth + 1, &box);
}

static gboolean add_cell(Rtree *rtree, unsigned depth, const RtreeCell *cell)
{
    Level *level = &rtree->level[depth];
    if (level->n == MOST_CELLS && !close_node(rtree, depth))
        return FALSE;
    level->cell[level->n++] = *cell;
    return TRUE;
}

static float not_above(double value)
{
    float rounded = (float)value;
    return (double)rounded > value ? nextafterf(rounded, -INFINITY) : rounded;
}

gboolean rtree_add(Rtree *rtree, gint64 id, const RtreeBox *box)
{
    RtreeCell cell = {id, not_above(box->west), -not_above(-box->east), not_above(box->south),
                      -not_above(-box->north)};
    return add_cell(rtree, 0, &cell);
}

gboolean rtree_finish(Rtree *rtree)
{
    unsigned depth = 0;
    for (; depth + 1 < LEVELS && rtree->level[depth + 1].n > 0; depth++)
        if (!close_node(rtree, depth))
            return FALSE;
    return write_node(rtree, depth, 1, TRUE);
}
