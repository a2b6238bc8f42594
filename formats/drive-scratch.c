/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/drive-scratch.h"

#include "formats/drive-schema.h"

struct Scratch {
    const char *path;
    const DriveShapes *shapes;
    sqlite3 *db;
    gboolean made[TABLE_COUNT];
    sqlite3_stmt *insert[TABLE_COUNT][2], *same[TABLE_COUNT][2]; /* own and other shape */
};

Scratch *scratch_new(const char *path, const DriveShapes *shapes, GError **error)
{
    g_autoptr(Scratch) scratch = g_new0(Scratch, 1);
    scratch->path = path;
    scratch->shapes = shapes;
    /* "": a file of its own that goes with the connection, kept in memory while it is small */
    int rc = sqlite3_open_v2(
        "", &scratch->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        drive_sqlite_error(error, scratch->db, rc, path, "no scratch file");
        return NULL;
    }
    if (!drive_exec(scratch->db, path,
                    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;", error))
        return NULL;
    return g_steal_pointer(&scratch);
}

void scratch_free(Scratch *scratch)
{
    if (scratch == NULL)
        return;
    for (int t = 0; t < TABLE_COUNT; t++)
        for (int other = 0; other < 2; other++) {
            sqlite3_finalize(scratch->insert[t][other]);
            sqlite3_finalize(scratch->same[t][other]);
        }
    (void)sqlite3_close(scratch->db);
    g_free(scratch);
}

sqlite3 *scratch_db(Scratch *scratch)
{
    return scratch->db;
}

gboolean scratch_has_table(const Scratch *scratch, int table)
{
    return scratch->made[table];
}

gboolean scratch_end(Scratch *scratch, GError **error)
{
    return drive_exec(scratch->db, scratch->path, "COMMIT", error);
}

gboolean scratch_make_table(Scratch *scratch, int table, GError **error)
{
    if (scratch->made[table])
        return TRUE;
    const TableShape *shape = &scratch->shapes->own[table];
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_printf(sql, "CREATE TABLE %s (", shape->name);
    for (guint c = 0; c < shape->n_columns; c++)
        g_string_append_printf(sql, "%s%s%s", c > 0 ? ", " : "", shape->names[c],
                               table_shape_is_rowid(shape, c) ? " INTEGER PRIMARY KEY" : "");
    g_string_append(sql, ");");
    scratch->made[table] = drive_exec(scratch->db, scratch->path, sql->str, error);
    return scratch->made[table];
}

static int number_of(const Scratch *scratch, const TableShape *shape)
{
    return shape == &scratch->shapes->own[shape->table] ? 0 : 1;
}

/* Returns: (transfer none), or NULL on failure. */
static sqlite3_stmt *insert_of(Scratch *scratch, const TableShape *shape, GError **error)
{
    sqlite3_stmt **insert = &scratch->insert[shape->table][number_of(scratch, shape)];
    if (*insert != NULL)
        return *insert;
    if (!scratch_make_table(scratch, shape->table, error))
        return NULL;
    g_autoptr(GString) sql = g_string_new(NULL);
    g_autoptr(GString) values = g_string_new("?");
    g_string_printf(sql, "INSERT OR IGNORE INTO %s (rowid", shape->name);
    for (guint c = 0; c < shape->n_columns; c++) {
        if (table_shape_is_rowid(shape, c) || shape->types[c] == SALVAGE_NULL)
            continue;
        g_string_append_printf(sql, ", %s", shape->names[c]);
        g_string_append_printf(values, ", ?%u", c + 2);
    }
    g_string_append_printf(sql, ") VALUES (%s)", values->str);
    if (shape->table == TABLE_META) /* its rows have no number */
        g_string_assign(sql, "INSERT INTO meta (key, value) SELECT ?2, ?3 WHERE ?1 IS NULL");
    *insert = drive_prepare(scratch->db, scratch->path, sql->str, error);
    return *insert;
}

/* Finds a row by its number and all its values. Returns: (transfer none), or NULL on failure. */
static sqlite3_stmt *same_of(Scratch *scratch, const TableShape *shape, GError **error)
{
    sqlite3_stmt **same = &scratch->same[shape->table][number_of(scratch, shape)];
    if (*same != NULL)
        return *same;
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_printf(sql, "SELECT 1 FROM %s WHERE rowid = ?", shape->name);
    for (guint c = 0; c < shape->n_columns; c++)
        if (!table_shape_is_rowid(shape, c) && shape->types[c] != SALVAGE_NULL)
            g_string_append_printf(sql, " AND %s IS ?%u", shape->names[c], c + 2);
    *same = drive_prepare(scratch->db, scratch->path, sql->str, error);
    return *same;
}

gboolean scratch_takes(Scratch *scratch, const TableShape *shape)
{
    return insert_of(scratch, shape, NULL) != NULL;
}

static void bind_values(sqlite3_stmt *stmt, const TableShape *shape, gint64 rowid,
                        const SalvageValue *values, guint n)
{
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (rowid != 0)
        (void)sqlite3_bind_int64(stmt, 1, rowid);
    for (guint c = 0; c < n; c++) {
        int at = (int)c + 2;
        if (shape->types[c] == SALVAGE_NULL || at > sqlite3_bind_parameter_count(stmt))
            continue;
        switch (values[c].type) {
        case SALVAGE_NULL:
            break;
        case SALVAGE_INT:
            (void)sqlite3_bind_int64(stmt, at, values[c].i);
            break;
        case SALVAGE_REAL:
            (void)sqlite3_bind_double(stmt, at, values[c].r);
            break;
        case SALVAGE_TEXT:
            (void)sqlite3_bind_text(stmt, at, (const char *)values[c].b.bytes,
                                    (int)values[c].b.length, SQLITE_STATIC);
            break;
        case SALVAGE_BLOB:
            (void)sqlite3_bind_blob(stmt, at, values[c].b.bytes, (int)values[c].b.length,
                                    SQLITE_STATIC);
            break;
        }
    }
}

gboolean scratch_put(Scratch *scratch, const TableShape *shape, gint64 rowid,
                     const SalvageValue *values, guint n, GError **error)
{
    sqlite3_stmt *insert = insert_of(scratch, shape, error);
    if (insert == NULL)
        return FALSE;
    bind_values(insert, shape, rowid, values, n);
    (void)sqlite3_step(insert);
    if (sqlite3_changes(scratch->db) > 0 || rowid == 0)
        return TRUE;
    /* The number is taken: by the same row (a page that is there twice), or because one of the two
     * numbers is damaged; then both are kept. */
    sqlite3_stmt *same = same_of(scratch, shape, error);
    if (same == NULL)
        return FALSE;
    bind_values(same, shape, rowid, values, n);
    if (sqlite3_step(same) == SQLITE_ROW || shape->table == RECORD_SOURCE)
        return TRUE;
    bind_values(insert, shape, 0, values, n);
    (void)sqlite3_step(insert);
    return TRUE;
}
