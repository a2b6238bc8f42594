/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loadable SQLite extension: `sqlite3 a.drive` then `.load corridor_drive`. From then on the
 * record tables show sealed and live records. On a database that is no drive it does nothing.
 */
#include "formats/sql-tables.h"

int sqlite3_corridordrive_init(sqlite3 *db, char **message, const void *api);

int sqlite3_corridordrive_init(sqlite3 *db, char **message, const void *api)
{
    (void)api; /* the shell and this file share one libsqlite3 */
    const char *path = sqlite3_db_filename(db, "main");
    if (path == NULL || path[0] == '\0')
        return SQLITE_OK;
    sqlite3_stmt *stmt = NULL;
    gint64 id = 0;
    if (sqlite3_prepare_v2(db, "PRAGMA main.application_id", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        id = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return id == DRIVE_APPLICATION_ID ? sql_tables_register(db, path, NULL, message) : SQLITE_OK;
}
