/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/sql.h"

#include "formats/drive-file.h"
#include "formats/drive-schema.h"
#include "formats/sql-tables.h"

#include <string.h>

/* The query comes from the user and may do as it likes with what it reads, but it gets the drive's
 * own connection: nothing may be written, attached or loaded. */
static int authorize(void *data, int action, const char *a, const char *b, const char *database,
                     const char *trigger)
{
    (void)data;
    (void)a;
    (void)b;
    (void)database;
    (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    default:
        return SQLITE_DENY;
    }
}

enum { NUMBER_SIZE = 32 };

/* SQLite prints 15 digits, which is not every double: the fewest digits that give it again. */
static const char *exact_real(double value, char text[NUMBER_SIZE])
{
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        (void)g_ascii_formatd(text, NUMBER_SIZE, formats[i], value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    if (text[strcspn(text, ".en")] == '\0')
        (void)g_strlcat(text, ".0", NUMBER_SIZE);
    return text;
}

static gboolean run(sqlite3 *db, const char *path, const char *sql, DriveSqlFunc func,
                    gpointer data, GError **error)
{
    sqlite3_stmt *stmt = NULL;
    const char *rest = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, &rest);
    if (rc != SQLITE_OK)
        return drive_sqlite_error(error, db, rc, path, "the query was refused");
    if (stmt == NULL || rest[strspn(rest, " \t\r\n;")] != '\0') {
        sqlite3_finalize(stmt);
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED, "%s: give exactly one query", path);
        return FALSE;
    }
    int n = sqlite3_column_count(stmt);
    g_autofree const char **values = g_new0(const char *, (gsize)n + 1);
    g_autofree char *numbers = g_malloc((gsize)n * NUMBER_SIZE + 1);
    for (int i = 0; i < n; i++)
        values[i] = sqlite3_column_name(stmt, i);
    gboolean go_on = func(FALSE, n, values, data);
    while (go_on && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < n; i++)
            values[i] = sqlite3_column_type(stmt, i) == SQLITE_FLOAT
                            ? exact_real(sqlite3_column_double(stmt, i), numbers + i * NUMBER_SIZE)
                            : (const char *)sqlite3_column_text(stmt, i);
        go_on = func(TRUE, n, values, data);
    }
    if (go_on && rc != SQLITE_DONE)
        drive_sqlite_error(error, db, rc, path, "the query failed");
    sqlite3_finalize(stmt);
    return !go_on || rc == SQLITE_DONE;
}

gboolean drive_sql(const char *path, const char *sql, DriveSqlFunc func, gpointer data,
                   GPtrArray *problems, GError **error)
{
    g_autoptr(Drive) drive = drive_open(path, error);
    if (drive == NULL)
        return FALSE;
    char *message = NULL;
    int rc = sql_tables_register(drive->db, path, problems, &message);
    if (rc != SQLITE_OK) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED, "%s",
                    message != NULL ? message : sqlite3_errstr(rc));
        sqlite3_free(message);
        return FALSE;
    }
    (void)sqlite3_set_authorizer(drive->db, authorize, NULL);
    return run(drive->db, path, sql, func, data, error);
}
