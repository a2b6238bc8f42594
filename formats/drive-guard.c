/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/drive-guard.h"

#include "formats/drive-schema.h"

#include <stdio.h>
#include <string.h>

/* A text of a record is a name, a hash or some JSON; nothing that a drive holds is longer. */
enum { MAX_BLOB_BYTES = 64 * 1024 * 1024, MAX_SQL_BYTES = 100 * 1000 };

void drive_guard(sqlite3 *db)
{
    static const struct {
        int option, value;
    } settings[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(settings); i++)
        (void)sqlite3_db_config(db, settings[i].option, settings[i].value, NULL);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, MAX_BLOB_BYTES);
    (void)sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES);
    (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
}

gboolean drive_guard_journal(const char *path, GError **error)
{
    /* The record of a super-journal ends with the magic of journals (file format, 3.1). */
    static const guint8 magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    guint8 end[sizeof magic];
    g_autofree char *journal = g_strconcat(path, "-journal", NULL);
    FILE *file = fopen(journal, "rbe");
    if (file == NULL)
        return TRUE;
    const gboolean names_a_file = fseek(file, -(long)sizeof end, SEEK_END) == 0 &&
                                  ftell(file) > 0 && fread(end, sizeof end, 1, file) == 1 &&
                                  memcmp(end, magic, sizeof end) == 0;
    (void)fclose(file);
    if (names_a_file)
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE,
                    "%s: would have another file deleted; it is not to be trusted, delete it",
                    journal);
    return !names_a_file;
}

static gboolean is_read(const char *name)
{
    static const char *const others[] = {"meta", "extents", "chunks"};
    g_autofree char *small = g_ascii_strdown(name, -1); /* SQLite holds them to be the same */
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(small, others[i]) == 0)
            return TRUE;
    return record_type_by_table(small) != NULL;
}

typedef enum { ENTRY_OWN, ENTRY_OTHER, ENTRY_DAMAGED } Entry;

/* What SQLite makes of an entry of its schema is up to the SQL alone; VACUUM goes by the type and
 * the first letters of the SQL as they stand, and leaves out what has others. */
static Entry look_at_entry(const char *name, const char *type, const char *sql)
{
    static const char *const types[] = {"table", "index", "view", "trigger", NULL};
    if (name == NULL || type == NULL || !g_strv_contains(types, type) ||
        (sql != NULL && !g_str_has_prefix(sql, "CREATE ")))
        return ENTRY_DAMAGED;
    if (strcmp(type, "table") == 0 && sql != NULL && drive_schema_is_own(name, sql))
        return ENTRY_OWN;
    return strcmp(type, "index") == 0 && sql == NULL ? ENTRY_OWN : ENTRY_OTHER;
}

/* A text, or NULL for all else: a blob of the same letters is not the same to VACUUM. */
static const char *text_of(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt, column) == SQLITE_TEXT
               ? (const char *)sqlite3_column_text(stmt, column)
               : NULL;
}

/* Whether all that is read is made by this program; *others: there is something else. */
static gboolean look_at_schema(sqlite3 *db, const char *path, gboolean *others, GError **error)
{
    sqlite3_stmt *stmt =
        drive_prepare(db, path, "SELECT name, type, sql FROM main.sqlite_schema", error);
    if (stmt == NULL)
        return FALSE;
    int rc = SQLITE_ROW;
    Entry entry = ENTRY_OWN;
    *others = FALSE;
    while (entry != ENTRY_DAMAGED && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        entry = look_at_entry(text_of(stmt, 0), text_of(stmt, 1), text_of(stmt, 2));
        *others = *others || entry == ENTRY_OTHER;
    }
    sqlite3_finalize(stmt);
    if (entry == ENTRY_DAMAGED)
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s: its list of tables is damaged; `corridor recover` saves what can be read",
                    path);
    else if (rc != SQLITE_DONE)
        drive_sqlite_error(error, db, rc, path, "cannot be read");
    return entry != ENTRY_DAMAGED && rc == SQLITE_DONE;
}

gboolean drive_guard_tables(sqlite3 *db, const char *path, GError **error)
{
    gboolean others = FALSE;
    if (!look_at_schema(db, path, &others, error))
        return FALSE;
    if (!others)
        return TRUE;
    /* An older drive, or anything: SQLite is asked what it took them for. */
    sqlite3_stmt *stmt = drive_prepare(
        db, path,
        "SELECT name FROM pragma_table_list AS l WHERE schema = 'main' AND (type <> 'table'"
        " OR NOT EXISTS (SELECT 1 FROM main.sqlite_schema AS s WHERE s.type = 'table'"
        " AND s.name = l.name)"
        " OR EXISTS (SELECT 1 FROM pragma_table_xinfo(l.name) WHERE hidden <> 0))",
        error);
    if (stmt == NULL)
        return FALSE;
    int rc = SQLITE_ROW;
    gboolean fine = TRUE;
    while (fine && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        fine = name != NULL && !is_read(name);
        if (!fine)
            g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE,
                        "%s: %s is not a plain table; this file is not to be trusted", path, name);
    }
    sqlite3_finalize(stmt);
    if (fine && rc != SQLITE_DONE)
        return drive_sqlite_error(error, db, rc, path, "cannot be read");
    return fine;
}
