/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/layer-bulk.h"

#include "analyzer/layer-rtree.h"
#include "formats/bytes.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

/* Rows handed over at once, blocks that may wait for the thread, and rows of one statement: the
 * bookkeeping of AUTOINCREMENT costs as much as a row. */
enum { BLOCK_BYTES = 256 * 1024, BLOCKS_WAITING = 4, ROWS_AT_ONCE = 16, MOST_ROW_BYTES = 1 << 28 };

typedef struct {
    char *name;
    LayerKind kind;
    guint n_fields;
    LayerType *types;
    sqlite3_stmt *insert, *insert_many; /* one row, ROWS_AT_ONCE rows */
    guint n_waiting;
    const uint8_t *waiting[ROWS_AT_ONCE]; /* rows in the block that is being written */
    Rtree *rtree;                         /* NULL without geometry */
    gint64 rows;
    RtreeBox box; /* of all rows; west > east if none has a geometry */
} BulkTable;

struct LayerBulk {
    sqlite3 *db;
    char *path;
    GPtrArray *tables;
    GByteArray *block;    /* being filled */
    GByteArray *geometry; /* scratch */
    GThread *thread;      /* NULL: blocks are written where they are filled */
    GMutex lock;
    GCond changed;
    GQueue waiting; /* of GByteArray */
    gboolean busy, stop;
    GError *error; /* the first */
};

static void table_free(void *data)
{
    BulkTable *table = data;
    sqlite3_finalize(table->insert);
    sqlite3_finalize(table->insert_many);
    rtree_free(table->rtree);
    g_free(table->name);
    g_free(table->types);
    g_free(table);
}

static gboolean fail(const LayerBulk *bulk, sqlite3 *db, GError **error)
{
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: cannot be written: %s", bulk->path,
                sqlite3_errmsg(db));
    return FALSE;
}

LayerBulk *layer_bulk_new(void *connection, const char *path)
{
    LayerBulk *bulk = g_new0(LayerBulk, 1);
    bulk->db = connection;
    bulk->path = g_strdup(path);
    bulk->tables = g_ptr_array_new_with_free_func(table_free);
    bulk->block = g_byte_array_sized_new(BLOCK_BYTES);
    bulk->geometry = g_byte_array_new();
    g_mutex_init(&bulk->lock);
    g_cond_init(&bulk->changed);
    g_queue_init(&bulk->waiting);
    return bulk;
}

static void stop_thread(LayerBulk *bulk)
{
    if (bulk->thread == NULL)
        return;
    g_mutex_lock(&bulk->lock);
    bulk->stop = TRUE;
    g_cond_broadcast(&bulk->changed);
    g_mutex_unlock(&bulk->lock);
    g_thread_join(g_steal_pointer(&bulk->thread));
}

static void free_block(void *block)
{
    g_byte_array_unref(block);
}

void layer_bulk_free(LayerBulk *bulk)
{
    if (bulk == NULL)
        return;
    stop_thread(bulk);
    g_queue_clear_full(&bulk->waiting, free_block);
    g_ptr_array_unref(bulk->tables);
    g_byte_array_unref(bulk->block);
    g_byte_array_unref(bulk->geometry);
    g_mutex_clear(&bulk->lock);
    g_cond_clear(&bulk->changed);
    g_clear_error(&bulk->error);
    g_free(bulk->path);
    g_free(bulk);
}

static sqlite3_stmt *prepare_insert(LayerBulk *bulk, const BulkTable *table,
                                    const LayerField *fields, guint rows)
{
    guint columns = table->n_fields + (table->kind == LAYER_NONE ? 1 : 2);
    sqlite3_str *sql = sqlite3_str_new(bulk->db);
    sqlite3_str_appendf(sql, "INSERT INTO \"%w\" (\"fid\"", table->name);
    if (table->kind != LAYER_NONE)
        sqlite3_str_appendall(sql, ", \"geom\"");
    for (guint i = 0; i < table->n_fields; i++)
        sqlite3_str_appendf(sql, ", \"%w\"", fields[i].name);
    sqlite3_str_appendall(sql, ") VALUES ");
    for (guint row = 0; row < rows; row++)
        for (guint i = 0; i < columns; i++)
            sqlite3_str_appendf(sql, "%s?%s",
                                i > 0     ? ","
                                : row > 0 ? ",("
                                          : "(",
                                i + 1 == columns ? ")" : "");
    char *text = sqlite3_str_finish(sql);
    sqlite3_stmt *statement = NULL;
    (void)sqlite3_prepare_v3(bulk->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    sqlite3_free(text);
    return statement;
}

int layer_bulk_table(LayerBulk *bulk, const char *name, LayerKind kind, const LayerField *fields,
                     guint n_fields, GError **error)
{
    if (!layer_bulk_sync(bulk, error))
        return -1;
    BulkTable *table = g_new0(BulkTable, 1);
    table->name = g_strdup(name);
    table->kind = kind;
    table->n_fields = n_fields;
    table->types = g_new0(LayerType, MAX(n_fields, 1));
    for (guint i = 0; i < n_fields; i++)
        table->types[i] = fields[i].type;
    table->box = (RtreeBox){INFINITY, -INFINITY, INFINITY, -INFINITY};
    g_ptr_array_add(bulk->tables, table);
    table->insert = prepare_insert(bulk, table, fields, 1);
    if (table->insert != NULL)
        table->insert_many = prepare_insert(bulk, table, fields, ROWS_AT_ONCE);
    if (table->insert_many != NULL && kind != LAYER_NONE)
        table->rtree = rtree_new(bulk->db, name);
    if (table->insert_many != NULL && (kind == LAYER_NONE || table->rtree != NULL))
        return (int)bulk->tables->len - 1;
    fail(bulk, bulk->db, error);
    return -1;
}

/* ---- blocks: for each row its table, size, points and values ---- */

enum { VALUE_NULL, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BLOB };

typedef struct {
    uint32_t table, bytes; /* bytes after this */
} RowHead;

static size_t value_bytes(LayerType type, const LayerValue *value)
{
    if (!value->known)
        return 1;
    return 9 + (type == LAYER_TEXT ? strlen(value->v.t) : type == LAYER_BLOB ? value->v.b.n : 0);
}

static uint8_t *put(uint8_t *to, const void *data, size_t n)
{
    if (n > 0)
        memcpy(to, data, n);
    return to + n;
}

static uint8_t *put_size(uint8_t *to, size_t n)
{
    uint64_t size = n;
    return put(to, &size, sizeof size);
}

static uint8_t *put_value(uint8_t *to, LayerType type, const LayerValue *value)
{
    static const uint8_t tags[] = {[LAYER_INT] = VALUE_INT,
                                   [LAYER_REAL] = VALUE_REAL,
                                   [LAYER_TEXT] = VALUE_TEXT,
                                   [LAYER_BLOB] = VALUE_BLOB};
    *to = value->known ? tags[type] : VALUE_NULL;
    switch (*to++) {
    case VALUE_INT:
    case VALUE_REAL:
        return put(to, &value->v, 8);
    case VALUE_TEXT: {
        size_t n = strlen(value->v.t);
        return put(put_size(to, n), value->v.t, n);
    }
    case VALUE_BLOB:
        return put(put_size(to, value->v.b.n), value->v.b.data, value->v.b.n);
    default:
        return to;
    }
}

static uint64_t read_size(ByteReader *reader)
{
    uint64_t size = 0;
    const uint8_t *data = byte_read_run(reader, sizeof size);
    if (data != NULL)
        memcpy(&size, data, sizeof size);
    return size;
}

static void bind_value(sqlite3_stmt *insert, int column, ByteReader *reader)
{
    uint8_t tag = byte_read_u8(reader);
    const uint8_t *data;
    int64_t integer;
    double real;
    uint64_t n;
    switch (tag) {
    case VALUE_INT:
        data = byte_read_run(reader, sizeof integer);
        memcpy(&integer, data, sizeof integer);
        (void)sqlite3_bind_int64(insert, column, integer);
        break;
    case VALUE_REAL:
        data = byte_read_run(reader, sizeof real);
        memcpy(&real, data, sizeof real);
        (void)sqlite3_bind_double(insert, column, real);
        break;
    case VALUE_TEXT:
        n = read_size(reader);
        data = byte_read_run(reader, n);
        (void)sqlite3_bind_text64(insert, column, n > 0 ? (const char *)data : "", n, SQLITE_STATIC,
                                  SQLITE_UTF8);
        break;
    case VALUE_BLOB:
        n = read_size(reader);
        data = byte_read_run(reader, n);
        (void)sqlite3_bind_blob64(insert, column, n > 0 ? (const void *)data : "", n,
                                  SQLITE_STATIC);
        break;
    default:
        (void)sqlite3_bind_null(insert, column);
    }
}

/* ---- geometry as GeoPackage wants it (OGC 12-128r18, 2.1.3) ---- */

static void write_double(ByteWriter *writer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    byte_write_u64_le(writer, bits);
}

static RtreeBox box_of(const GeoPoint *points, size_t n)
{
    RtreeBox box = {INFINITY, -INFINITY, INFINITY, -INFINITY};
    for (size_t i = 0; i < n; i++) {
        box.west = fmin(box.west, points[i].lon);
        box.east = fmax(box.east, points[i].lon);
        box.south = fmin(box.south, points[i].lat);
        box.north = fmax(box.north, points[i].lat);
    }
    return box;
}

static void make_geometry(GByteArray *out, LayerKind kind, const GeoPoint *points, size_t n,
                          const RtreeBox *box)
{
    enum { LITTLE_ENDIAN_GP = 1, ENVELOPE_XY = 2, WKB_POINT = 1, WKB_LINE = 2, WGS_84 = 4326 };
    gboolean is_line = kind == LAYER_LINES;
    uint8_t flags = LITTLE_ENDIAN_GP | (is_line ? ENVELOPE_XY : 0);
    g_byte_array_set_size(out, (guint)(64 + n * sizeof *points));
    ByteWriter writer = byte_writer(out->data, out->len);
    byte_write_run(&writer, "GP\0", 3);
    byte_write_u8(&writer, flags);
    byte_write_u32_le(&writer, WGS_84);
    if (is_line) {
        write_double(&writer, box->west);
        write_double(&writer, box->east);
        write_double(&writer, box->south);
        write_double(&writer, box->north);
    }
    byte_write_u8(&writer, LITTLE_ENDIAN_GP);
    byte_write_u32_le(&writer, is_line ? WKB_LINE : WKB_POINT);
    if (is_line)
        byte_write_u32_le(&writer, (uint32_t)n);
    for (size_t i = 0; i < (is_line ? n : 1); i++) {
        write_double(&writer, points[i].lon);
        write_double(&writer, points[i].lat);
    }
    g_byte_array_set_size(out, (guint)writer.at);
}

/* ---- writing blocks ---- */

static gboolean bind_geometry(LayerBulk *bulk, BulkTable *table, sqlite3_stmt *insert, int column,
                              ByteReader *reader)
{
    uint64_t n = read_size(reader);
    if (n == 0) {
        (void)sqlite3_bind_null(insert, column);
        return TRUE;
    }
    GeoPoint one;
    g_autofree GeoPoint *points = n == 1 ? NULL : g_new(GeoPoint, n);
    GeoPoint *p = points != NULL ? points : &one;
    memcpy(p, byte_read_run(reader, n * sizeof *p), n * sizeof *p);
    RtreeBox box = box_of(p, n);
    make_geometry(bulk->geometry, table->kind, p, n, &box);
    table->box.west = fmin(table->box.west, box.west);
    table->box.east = fmax(table->box.east, box.east);
    table->box.south = fmin(table->box.south, box.south);
    table->box.north = fmax(table->box.north, box.north);
    (void)sqlite3_bind_blob64(insert, column, bulk->geometry->data, bulk->geometry->len,
                              SQLITE_TRANSIENT);
    return rtree_add(table->rtree, table->rows, &box);
}

/* Binds the values of a row from parameter `column` on; returns the parameter after them, 0 on
 * failure. */
static int bind_row(LayerBulk *bulk, BulkTable *table, sqlite3_stmt *insert, int column,
                    const uint8_t *row)
{
    RowHead head;
    memcpy(&head, row, sizeof head);
    ByteReader reader = byte_reader(row + sizeof head, head.bytes);
    (void)sqlite3_bind_int64(insert, column++, ++table->rows);
    if (table->kind != LAYER_NONE && !bind_geometry(bulk, table, insert, column++, &reader))
        return 0;
    for (guint i = 0; i < table->n_fields; i++)
        bind_value(insert, column++, &reader);
    return column;
}

static gboolean run_insert(sqlite3_stmt *insert)
{
    int rc = sqlite3_step(insert);
    return sqlite3_reset(insert) == SQLITE_OK && rc == SQLITE_DONE;
}

/* Inserts the rows that wait. */
static gboolean write_waiting(LayerBulk *bulk, BulkTable *table)
{
    guint n = table->n_waiting;
    table->n_waiting = 0;
    if (n == ROWS_AT_ONCE) {
        int column = 1;
        for (guint i = 0; i < n && column > 0; i++)
            column = bind_row(bulk, table, table->insert_many, column, table->waiting[i]);
        return column > 0 && run_insert(table->insert_many);
    }
    for (guint i = 0; i < n; i++)
        if (bind_row(bulk, table, table->insert, 1, table->waiting[i]) == 0 ||
            !run_insert(table->insert))
            return FALSE;
    return TRUE;
}

static gboolean write_block(LayerBulk *bulk, const GByteArray *block, GError **error)
{
    for (const uint8_t *row = block->data; row < block->data + block->len;) {
        RowHead head;
        memcpy(&head, row, sizeof head);
        BulkTable *table = g_ptr_array_index(bulk->tables, head.table);
        table->waiting[table->n_waiting++] = row;
        if (table->n_waiting == ROWS_AT_ONCE && !write_waiting(bulk, table))
            return fail(bulk, bulk->db, error);
        row += sizeof head + head.bytes;
    }
    for (guint i = 0; i < bulk->tables->len; i++)
        if (!write_waiting(bulk, g_ptr_array_index(bulk->tables, i)))
            return fail(bulk, bulk->db, error);
    return TRUE;
}

static gpointer write_blocks(gpointer data)
{
    LayerBulk *bulk = data;
    g_mutex_lock(&bulk->lock);
    for (;;) {
        while (g_queue_is_empty(&bulk->waiting) && !bulk->stop)
            g_cond_wait(&bulk->changed, &bulk->lock);
        GByteArray *block = g_queue_pop_head(&bulk->waiting);
        if (block == NULL)
            break;
        gboolean wanted = bulk->error == NULL;
        bulk->busy = TRUE;
        g_mutex_unlock(&bulk->lock);
        GError *error = NULL;
        if (wanted)
            (void)write_block(bulk, block, &error);
        g_byte_array_unref(block);
        g_mutex_lock(&bulk->lock);
        if (error != NULL)
            bulk->error = error;
        bulk->busy = FALSE;
        g_cond_broadcast(&bulk->changed);
    }
    g_mutex_unlock(&bulk->lock);
    return NULL;
}

void layer_bulk_use_thread(LayerBulk *bulk)
{
    if (bulk->thread == NULL)
        bulk->thread = g_thread_new("rows", write_blocks, bulk);
}

static gboolean told(LayerBulk *bulk, GError **error)
{
    if (bulk->error == NULL)
        return TRUE;
    g_propagate_error(error, g_error_copy(bulk->error));
    return FALSE;
}

static gboolean hand_over(LayerBulk *bulk, GError **error)
{
    if (bulk->thread == NULL) {
        gboolean done = write_block(bulk, bulk->block, error);
        g_byte_array_set_size(bulk->block, 0);
        return done;
    }
    g_mutex_lock(&bulk->lock);
    while (g_queue_get_length(&bulk->waiting) >= BLOCKS_WAITING)
        g_cond_wait(&bulk->changed, &bulk->lock);
    g_queue_push_tail(&bulk->waiting, bulk->block);
    bulk->block = g_byte_array_sized_new(BLOCK_BYTES);
    g_cond_broadcast(&bulk->changed);
    gboolean done = told(bulk, error);
    g_mutex_unlock(&bulk->lock);
    return done;
}

gboolean layer_bulk_add(LayerBulk *bulk, int number, const GeoPoint *points, size_t n_points,
                        const LayerValue *values, GError **error)
{
    const BulkTable *table = g_ptr_array_index(bulk->tables, number);
    gboolean has_points = table->kind != LAYER_NONE;
    size_t bytes = has_points ? 8 + n_points * sizeof *points : 0;
    for (guint i = 0; i < table->n_fields; i++)
        bytes += value_bytes(table->types[i], &values[i]);
    if (bytes > MOST_ROW_BYTES) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: a row of %s is too long",
                    bulk->path, table->name);
        return FALSE;
    }
    RowHead head = {(uint32_t)number, (uint32_t)bytes};
    guint at = bulk->block->len;
    g_byte_array_set_size(bulk->block, at + (guint)(sizeof head + bytes));
    uint8_t *to = put(bulk->block->data + at, &head, sizeof head);
    if (has_points)
        to = put(put_size(to, n_points), points, n_points * sizeof *points);
    for (guint i = 0; i < table->n_fields; i++)
        to = put_value(to, table->types[i], &values[i]);
    return bulk->block->len < BLOCK_BYTES || hand_over(bulk, error);
}

gboolean layer_bulk_sync(LayerBulk *bulk, GError **error)
{
    if (bulk->block->len > 0 && !hand_over(bulk, error))
        return FALSE;
    g_mutex_lock(&bulk->lock);
    while (bulk->thread != NULL && (bulk->busy || !g_queue_is_empty(&bulk->waiting)))
        g_cond_wait(&bulk->changed, &bulk->lock);
    gboolean done = told(bulk, error);
    g_mutex_unlock(&bulk->lock);
    return done;
}

gboolean layer_bulk_end(LayerBulk *bulk, GError **error)
{
    if (!layer_bulk_sync(bulk, error))
        return FALSE;
    stop_thread(bulk);
    for (guint i = 0; i < bulk->tables->len; i++) {
        BulkTable *table = g_ptr_array_index(bulk->tables, i);
        if (table->rtree != NULL && !rtree_finish(table->rtree))
            return fail(bulk, bulk->db, error);
        g_clear_pointer(&table->rtree, rtree_free);
        sqlite3_finalize(g_steal_pointer(&table->insert));
        sqlite3_finalize(g_steal_pointer(&table->insert_many));
    }
    return TRUE;
}

/* ---- what OGR does not know ---- */

/* As GeoPackage 1.2 wants them (OGC 12-128r14, annex F.3). */
static const char *const index_sql[] = {
    ("CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT,"
     " extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,"
     " CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));"
     "INSERT INTO gpkg_extensions VALUES ('%q', 'geom', 'gpkg_rtree_index',"
     " 'http://www.geopackage.org/spec120/#extension_rtree', 'write-only');"),
    ("CREATE TRIGGER \"rtree_%w_geom_insert\" AFTER INSERT ON \"%w\" WHEN (new.geom NOT NULL AND"
     " NOT ST_IsEmpty(NEW.geom)) BEGIN INSERT OR REPLACE INTO \"rtree_%w_geom\" VALUES (NEW.fid,"
     " ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)); END;"),
    ("CREATE TRIGGER \"rtree_%w_geom_update1\" AFTER UPDATE OF geom ON \"%w\" WHEN OLD.fid ="
     " NEW.fid AND (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom)) BEGIN INSERT OR REPLACE INTO"
     " \"rtree_%w_geom\" VALUES (NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom),"
     " ST_MinY(NEW.geom), ST_MaxY(NEW.geom)); END;"),
    ("CREATE TRIGGER \"rtree_%w_geom_update2\" AFTER UPDATE OF geom ON \"%w\" WHEN OLD.fid ="
     " NEW.fid AND (NEW.geom ISNULL OR ST_IsEmpty(NEW.geom)) BEGIN DELETE FROM \"rtree_%w_geom\""
     " WHERE id = OLD.fid; END;"),
    ("CREATE TRIGGER \"rtree_%w_geom_update3\" AFTER UPDATE ON \"%w\" WHEN OLD.fid != NEW.fid AND"
     " (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom)) BEGIN DELETE FROM \"rtree_%w_geom\" WHERE"
     " id = OLD.fid; INSERT OR REPLACE INTO \"rtree_%w_geom\" VALUES (NEW.fid,"
     " ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)); END;"),
    ("CREATE TRIGGER \"rtree_%w_geom_update4\" AFTER UPDATE ON \"%w\" WHEN OLD.fid != NEW.fid AND"
     " (NEW.geom ISNULL OR ST_IsEmpty(NEW.geom)) BEGIN DELETE FROM \"rtree_%w_geom\" WHERE id IN"
     " (OLD.fid, NEW.fid); END;"),
    ("CREATE TRIGGER \"rtree_%w_geom_delete\" AFTER DELETE ON \"%w\" WHEN old.geom NOT NULL BEGIN"
     " DELETE FROM \"rtree_%w_geom\" WHERE id = OLD.fid; END;"),
};

static gboolean execute(sqlite3 *db, char *sql)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    return rc == SQLITE_OK;
}

static gboolean put_extent(sqlite3 *db, const BulkTable *table)
{
    sqlite3_stmt *update = NULL;
    (void)sqlite3_prepare_v2(db,
                             "UPDATE gpkg_contents SET min_x = ?1, min_y = ?2, max_x = ?3,"
                             " max_y = ?4 WHERE table_name = ?5",
                             -1, &update, NULL);
    (void)sqlite3_bind_double(update, 1, table->box.west);
    (void)sqlite3_bind_double(update, 2, table->box.south);
    (void)sqlite3_bind_double(update, 3, table->box.east);
    (void)sqlite3_bind_double(update, 4, table->box.north);
    (void)sqlite3_bind_text(update, 5, table->name, -1, SQLITE_STATIC);
    int rc = sqlite3_step(update);
    return sqlite3_finalize(update) == SQLITE_OK && rc == SQLITE_DONE;
}

static gboolean register_table(sqlite3 *db, const BulkTable *table)
{
    const char *name = table->name;
    if (!execute(db, sqlite3_mprintf("UPDATE gpkg_ogr_contents SET feature_count = %lld"
                                     " WHERE table_name = '%q'",
                                     (long long)table->rows, name)))
        return FALSE;
    if (table->kind == LAYER_NONE)
        return TRUE;
    if (table->box.west <= table->box.east && !put_extent(db, table))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(index_sql); i++)
        if (!execute(db, sqlite3_mprintf(index_sql[i], name, name, name, name)))
            return FALSE;
    return TRUE;
}

gboolean layer_bulk_register(LayerBulk *bulk, const char *part, GError **error)
{
    if (bulk->tables->len == 0)
        return TRUE;
    sqlite3 *db = NULL;
    gboolean done =
        sqlite3_open_v2(part, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
            SQLITE_OK &&
        sqlite3_exec(db, "PRAGMA synchronous = OFF; BEGIN", NULL, NULL, NULL) == SQLITE_OK;
    for (guint i = 0; done && i < bulk->tables->len; i++)
        done = register_table(db, g_ptr_array_index(bulk->tables, i));
    done = done && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (!done)
        fail(bulk, db, error);
    (void)sqlite3_close(db);
    return done;
}
