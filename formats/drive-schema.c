/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/drive-schema.h"

#include "formats/drive-file.h"
#include "formats/shown-text.h"

#include <string.h>

G_DEFINE_QUARK(drive - error - quark, drive_error)

static const char *sql_type(ColumnType type)
{
    switch (type) {
    case COLUMN_INT:
        return "INTEGER";
    case COLUMN_REAL:
        return "REAL";
    case COLUMN_TEXT:
    case COLUMN_ENUM:
        break;
    }
    return "TEXT";
}

static void append_table(GString *sql, const RecordType *type)
{
    g_string_append_printf(sql, "CREATE TABLE %s (\n", type->table);
    for (unsigned c = 0; c < type->n_columns; c++) {
        const RecordColumn *column = &type->columns[c];
        const char *constraint = "";
        if (type->kind == RECORD_SOURCE && c == SOURCE_COL_id)
            constraint = " PRIMARY KEY";
        else if (type->kind == RECORD_SOURCE && c == SOURCE_COL_label)
            constraint = " NOT NULL UNIQUE";
        else if (strcmp(column->name, "time_ns") == 0)
            constraint = " NOT NULL";
        g_string_append_printf(sql, "  %s %s%s%s\n", column->name, sql_type(column->type),
                               constraint, c + 1 < type->n_columns ? "," : "");
    }
    g_string_append(sql, ") STRICT;\n");
}

static char *make_sql(void)
{
    GString *sql = g_string_new(NULL);
    g_string_append(sql, "CREATE TABLE meta (\n"
                         "  key TEXT PRIMARY KEY,\n"
                         "  value TEXT\n"
                         ") STRICT, WITHOUT ROWID;\n"
                         "CREATE TABLE extents (\n"
                         "  kind TEXT NOT NULL,\n"
                         "  source INTEGER NOT NULL,\n"
                         "  n INTEGER NOT NULL,\n"
                         "  first_ns INTEGER NOT NULL,\n"
                         "  last_ns INTEGER NOT NULL,\n"
                         "  ordered INTEGER NOT NULL,\n"
                         "  PRIMARY KEY (kind, source)\n"
                         ") STRICT, WITHOUT ROWID;\n"
                         "CREATE TABLE chunks (\n"
                         "  id INTEGER PRIMARY KEY,\n"
                         "  kind TEXT NOT NULL,\n"
                         "  source INTEGER NOT NULL,\n"
                         "  seq INTEGER NOT NULL,\n"
                         "  n INTEGER NOT NULL,\n"
                         "  first_ns INTEGER NOT NULL,\n"
                         "  last_ns INTEGER NOT NULL,\n"
                         "  data BLOB NOT NULL\n"
                         ") STRICT;\n");
    for (int kind = 0; kind < RECORD_KIND_COUNT; kind++)
        append_table(sql, record_type((RecordKind)kind));
    g_string_append_printf(sql, "PRAGMA application_id = %d;\nPRAGMA user_version = %d;\n",
                           DRIVE_APPLICATION_ID, DRIVE_FORMAT_VERSION);
    return g_string_free(sql, FALSE);
}

const char *drive_schema_sql(void)
{
    static char *sql; /* made once, and kept */
    if (g_once_init_enter(&sql))
        g_once_init_leave(&sql, make_sql());
    return sql;
}

gboolean drive_schema_is_own(const char *table, const char *sql)
{
    g_autofree char *head = g_strdup_printf("CREATE TABLE %s (", table);
    const char *at = g_str_has_prefix(sql, head) ? strstr(drive_schema_sql(), sql) : NULL;
    return at != NULL && at[strlen(sql)] == ';';
}

gboolean drive_schema_has(sqlite3 *db, const char *table, const char *column)
{
    return sqlite3_table_column_metadata(db, "main", table, column, NULL, NULL, NULL, NULL, NULL) ==
           SQLITE_OK;
}

gboolean drive_schema_add_columns(sqlite3 *db, const char *path, GError **error)
{
    for (int kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        const RecordType *type = record_type((RecordKind)kind);
        if (!drive_schema_has(db, type->table, NULL)) {
            g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                        "%s: has no table %s; `corridor recover` saves what can be read", path,
                        type->table);
            return FALSE;
        }
        for (unsigned c = 0; c < type->n_columns; c++) {
            if (drive_schema_has(db, type->table, type->columns[c].name))
                continue;
            g_autofree char *sql =
                g_strdup_printf("ALTER TABLE %s ADD COLUMN %s %s", type->table,
                                type->columns[c].name, sql_type(type->columns[c].type));
            if (!drive_exec(db, path, sql, error))
                return FALSE;
        }
    }
    return TRUE;
}

gboolean drive_sqlite_error(GError **error, sqlite3 *db, int rc, const char *path, const char *what)
{
    static const struct {
        int rc;
        DriveError code;
        const char *advice;
    } rows[] = {
        {SQLITE_FULL, DRIVE_ERROR_FULL, "; free some space"},
        {SQLITE_CORRUPT, DRIVE_ERROR_DAMAGED, "; `corridor recover` saves what can be read"},
        {SQLITE_NOTADB, DRIVE_ERROR_NOT_A_DRIVE, ""},
        {SQLITE_BUSY, DRIVE_ERROR_BUSY, "; another program is writing it"},
        {SQLITE_LOCKED, DRIVE_ERROR_BUSY, "; another program is writing it"},
    };
    DriveError code = DRIVE_ERROR_FAILED;
    const char *advice = "";
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if ((rc & 0xff) == rows[i].rc) {
            code = rows[i].code;
            advice = rows[i].advice;
        }
    /* SQLite's words may hold names of the file. */
    g_autofree char *words = shown_text(db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
    g_set_error(error, DRIVE_ERROR, (int)code, "%s: %s: %s%s", path, what, words, advice);
    return FALSE;
}

gboolean drive_exec(sqlite3 *db, const char *path, const char *sql, GError **error)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return drive_sqlite_error(error, db, rc, path, "cannot be used");
    return TRUE;
}

sqlite3_stmt *drive_prepare(sqlite3 *db, const char *path, const char *sql, GError **error)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (rc != SQLITE_OK) {
        drive_sqlite_error(error, db, rc, path, "cannot be used");
        return NULL;
    }
    return stmt;
}

static gboolean pragma_int(sqlite3 *db, const char *path, const char *sql, gint64 *value,
                           GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(db, path, sql, error);
    if (stmt == NULL)
        return FALSE;
    int rc = sqlite3_step(stmt);
    *value = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return drive_sqlite_error(error, db, rc, path, "cannot be read");
    return TRUE;
}

gboolean drive_check_version(sqlite3 *db, const char *path, GError **error)
{
    gint64 id = 0;
    gint64 version = 0;
    gint64 pages = 0;
    if (!pragma_int(db, path, "PRAGMA application_id", &id, error) ||
        !pragma_int(db, path, "PRAGMA user_version", &version, error) ||
        !pragma_int(db, path, "PRAGMA page_count", &pages, error))
        return FALSE;
    if (id == 0 && pages == 0) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE,
                    "%s: is empty: the recording never began; it can be deleted", path);
        return FALSE;
    }
    if (id != DRIVE_APPLICATION_ID) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE,
                    "%s: is an SQLite file, but not a drive; import measurements with "
                    "`corridor import`",
                    path);
        return FALSE;
    }
    if (version > DRIVE_FORMAT_VERSION || version < 1) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_TOO_NEW,
                    "%s: has drive format %" G_GINT64_FORMAT
                    ", this program reads up to %d; use a newer corridor",
                    path, version, DRIVE_FORMAT_VERSION);
        return FALSE;
    }
    return TRUE;
}
