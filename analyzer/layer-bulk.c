/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/layer-bulk.h"

#include "analyzer/layer-pages.h"
#include "analyzer/layer-record.h"
#include "analyzer/layer-rtree.h"
#include "formats/bytes.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

enum { MOST_ROW_BYTES = 1 << 28 };

typedef struct {
    char *name;
    LayerKind kind;
    guint n_fields;
    LayerType *types;
    guint pages;  /* its number there */
    Rtree *rtree; /* NULL without geometry */
    gint64 rows;
    RtreeBox box; /* of all rows; west > east if none has a geometry */
} BulkTable;

struct LayerBulk {
    sqlite3 *db;
    char *path;
    GPtrArray *tables;
    LayerPages *pages;
};

static void table_free(void *data)
{
    BulkTable *table = data;
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

/* A number that SQL gives. */
static gint64 ask(sqlite3 *db, const char *sql, gint64 if_none)
{
    sqlite3_stmt *statement = NULL;
    (void)sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    gint64 value =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : if_none;
    sqlite3_finalize(statement);
    return value;
}

LayerBulk *layer_bulk_new(void *connection, const char *part, const char *path)
{
    LayerBulk *bulk = g_new0(LayerBulk, 1);
    bulk->db = connection;
    bulk->path = g_strdup(path);
    bulk->tables = g_ptr_array_new_with_free_func(table_free);
    bulk->pages = layer_pages_new(part, (guint)ask(bulk->db, "PRAGMA page_size", 4096), path);
    return bulk;
}

void layer_bulk_free(LayerBulk *bulk)
{
    if (bulk == NULL)
        return;
    g_ptr_array_unref(bulk->tables);
    layer_pages_free(bulk->pages);
    g_free(bulk->path);
    g_free(bulk);
}

static gboolean execute(sqlite3 *db, char *sql)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    return rc == SQLITE_OK;
}

int layer_bulk_table(LayerBulk *bulk, const char *name, LayerKind kind, const LayerField *fields,
                     guint n_fields, GError **error)
{
    BulkTable *table = g_new0(BulkTable, 1);
    table->name = g_strdup(name);
    table->kind = kind;
    table->n_fields = n_fields;
    table->types = g_new0(LayerType, MAX(n_fields, 1));
    for (guint i = 0; i < n_fields; i++)
        table->types[i] = fields[i].type;
    table->box = (RtreeBox){INFINITY, -INFINITY, INFINITY, -INFINITY};
    g_ptr_array_add(bulk->tables, table);
    table->pages = layer_pages_table(bulk->pages, name);
    if (kind != LAYER_NONE)
        table->rtree = rtree_new(bulk->db, name, bulk->pages);
    /* AUTOINCREMENT's memory, which SQLite would keep with the first row */
    if ((kind == LAYER_NONE || table->rtree != NULL) &&
        execute(bulk->db, sqlite3_mprintf("INSERT INTO sqlite_sequence VALUES ('%q', 0)", name)))
        return (int)bulk->tables->len - 1;
    fail(bulk, bulk->db, error);
    return -1;
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

/* ---- rows ---- */

/* An encoded row: this, then the record. */
typedef struct {
    uint32_t table, bytes; /* of the record */
    RtreeBox box;          /* west > east: no geometry */
} RowHead;

gboolean layer_bulk_encode(const LayerBulk *bulk, int number, const GeoPoint *points,
                           size_t n_points, const LayerValue *values, GByteArray *rows,
                           GError **error)
{
    const BulkTable *table = g_ptr_array_index(bulk->tables, number);
    g_autoptr(GByteArray) geometry = NULL;
    LayerRecord record = {.has_geometry = table->kind != LAYER_NONE,
                          .types = table->types,
                          .values = values,
                          .n_values = table->n_fields};
    RowHead head = {.table = (uint32_t)number, .box = {INFINITY, -INFINITY, INFINITY, -INFINITY}};
    if (record.has_geometry && n_points > 0) {
        geometry = g_byte_array_new();
        head.box = box_of(points, n_points);
        make_geometry(geometry, table->kind, points, n_points, &head.box);
        record.geometry = geometry->data;
        record.n_geometry = geometry->len;
    }
    guint at = rows->len;
    g_byte_array_append(rows, (const guint8 *)&head, sizeof head);
    layer_record(rows, &record);
    head.bytes = rows->len - at - (guint)sizeof head;
    memcpy(rows->data + at, &head, sizeof head);
    if (head.bytes <= MOST_ROW_BYTES)
        return TRUE;
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: a row of %s is too long", bulk->path,
                table->name);
    return FALSE;
}

static gboolean add_row(LayerBulk *bulk, const RowHead *head, const uint8_t *record, GError **error)
{
    BulkTable *table = g_ptr_array_index(bulk->tables, head->table);
    table->rows++;
    if (head->box.west <= head->box.east) {
        table->box.west = fmin(table->box.west, head->box.west);
        table->box.east = fmax(table->box.east, head->box.east);
        table->box.south = fmin(table->box.south, head->box.south);
        table->box.north = fmax(table->box.north, head->box.north);
        if (!rtree_add(table->rtree, table->rows, &head->box, error))
            return FALSE;
    }
    return layer_pages_add(bulk->pages, table->pages, table->rows, record, head->bytes, error);
}

gboolean layer_bulk_add(LayerBulk *bulk, const uint8_t *rows, size_t n, GError **error)
{
    for (size_t at = 0; at < n;) {
        RowHead head;
        memcpy(&head, rows + at, sizeof head);
        if (!add_row(bulk, &head, rows + at + sizeof head, error))
            return FALSE;
        at += sizeof head + head.bytes;
    }
    return TRUE;
}

gboolean layer_bulk_end(LayerBulk *bulk, GError **error)
{
    for (guint i = 0; i < bulk->tables->len; i++) {
        BulkTable *table = g_ptr_array_index(bulk->tables, i);
        if (table->rtree != NULL && !rtree_finish(table->rtree, error))
            return FALSE;
        g_clear_pointer(&table->rtree, rtree_free);
        const char *sql = table->rows > 0
                              ? "UPDATE sqlite_sequence SET seq = %lld WHERE name = '%q'"
                              : "DELETE FROM sqlite_sequence WHERE seq = %lld AND"
                                " name = '%q'";
        if (!execute(bulk->db, sqlite3_mprintf(sql, (long long)table->rows, table->name)))
            return fail(bulk, bulk->db, error);
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
    if (!layer_pages_finish(bulk->pages, error))
        return FALSE;
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
