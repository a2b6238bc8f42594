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
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(name, others[i]) == 0)
            return TRUE;
    return record_type_by_table(name) != NULL;
}

/* A table of this program's making is plain; of another, SQLite is asked for its columns. */
static gboolean is_plain(sqlite3_stmt *hidden, const char *name, const char *sql)
{
    if (drive_schema_is_own(name, sql))
        return TRUE;
    (void)sqlite3_bind_text(hidden, 1, name, -1, SQLITE_STATIC);
    const gboolean plain = g_ascii_strncasecmp(sql, "CREATE TABLE", 12) == 0 &&
                           sqlite3_step(hidden) == SQLITE_ROW && sqlite3_column_int(hidden, 0) == 0;
    (void)sqlite3_reset(hidden);
    return plain;
}

gboolean drive_guard_tables(sqlite3 *db, const char *path, GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(
        db, path, "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view')",
        error);
    sqlite3_stmt *hidden = stmt == NULL ? NULL
                                        : drive_prepare(db, path,
                                                        "SELECT count(*) FROM pragma_table_xinfo(?)"
                                                        " WHERE hidden <> 0",
                                                        error);
    int rc = SQLITE_ROW;
    gboolean fine = hidden != NULL;
    while (fine && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        const char *kind = (const char *)sqlite3_column_text(stmt, 1);
        const char *sql = (const char *)sqlite3_column_text(stmt, 2);
        if (name == NULL || !is_read(name))
            continue;
        fine = g_strcmp0(kind, "table") == 0 && sql != NULL && is_plain(hidden, name, sql);
        if (!fine)
            g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE,
                        "%s: %s is not a plain table; this file is not to be trusted", path, name);
    }
    sqlite3_finalize(hidden);
    sqlite3_finalize(stmt);
    if (fine && rc != SQLITE_DONE)
        return drive_sqlite_error(error, db, rc, path, "cannot be read");
    return fine;
}
