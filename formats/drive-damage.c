/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/drive-damage.h"

#include "formats/drive-file.h"
#include "formats/drive-schema.h"

#include <string.h>

/* Findings of SQLite beyond this many say nothing new. */
enum { MAX_FINDINGS = 20 };

/* The table that owns a page, for SQLite's "Tree 7 page 12": 7 is the root of a table. */
static char *name_tree(Drive *drive, const char *finding)
{
    gint64 root = 0;
    const char *number = strstr(finding, "ree ");
    if (number == NULL || (root = g_ascii_strtoll(number + 4, NULL, 10)) <= 0)
        return NULL;
    sqlite3_stmt *stmt = drive_prepare(drive->db, drive->path,
                                       "SELECT name FROM sqlite_schema WHERE rootpage = ?", NULL);
    if (stmt == NULL)
        return NULL;
    (void)sqlite3_bind_int64(stmt, 1, root);
    char *name = sqlite3_step(stmt) == SQLITE_ROW
                     ? g_strdup((const char *)sqlite3_column_text(stmt, 0))
                     : NULL;
    sqlite3_finalize(stmt);
    return name;
}

static void check_structure(Drive *drive, GPtrArray *damage)
{
    g_autofree char *sql = g_strdup_printf("PRAGMA quick_check(%d)", MAX_FINDINGS);
    g_autoptr(GError) error = NULL;
    sqlite3_stmt *stmt = drive_prepare(drive->db, drive->path, sql, &error);
    int rc = SQLITE_ERROR;
    while (stmt != NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        if (text == NULL || strcmp(text, "ok") == 0)
            continue;
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line != NULL; line++) {
            if (**line == '\0' || g_str_has_prefix(*line, "***"))
                continue;
            g_autofree char *table = name_tree(drive, *line);
            g_ptr_array_add(damage, table != NULL ? g_strdup_printf("%s: %s", table, *line)
                                                  : g_strdup(*line));
        }
    }
    if (stmt != NULL && rc != SQLITE_DONE)
        drive_sqlite_error(&error, drive->db, rc, drive->path, "cannot be read");
    if (error != NULL)
        g_ptr_array_add(damage, g_strdup(error->message));
    sqlite3_finalize(stmt);
}

static void check_kind(Drive *drive, RecordKind kind, GPtrArray *damage)
{
    const RecordType *type = record_type(kind);
    g_autoptr(GError) error = NULL;
    gint64 n = 0;
    gint64 held = 0;
    gint64 first_ns = 0;
    gint64 last_ns = 0;
    g_autoptr(DriveCursor) cursor = drive_read(drive, kind, 0, 0, INT64_MIN, INT64_MAX, &error);
    const Batch *batch = NULL;
    while (cursor != NULL && (batch = drive_next(cursor, &error)) != NULL)
        n += (gint64)batch->n;
    if (error == NULL && record_find_column(type, "time_ns") >= 0 &&
        drive_count(drive, kind, 0, &held, &first_ns, &last_ns, &error) && held != n)
        g_ptr_array_add(damage, g_strdup_printf("%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                                                " rows can be read",
                                                type->table, n, held));
    if (error != NULL)
        g_ptr_array_add(damage, g_strdup_printf("%s: %" G_GINT64_FORMAT " rows read, then: %s",
                                                type->table, n, error->message));
}

GPtrArray *drive_find_damage(Drive *drive)
{
    GPtrArray *damage = g_ptr_array_new_with_free_func(g_free);
    /* As it is at one instant: it may be being recorded, and rows are compared with counts. */
    const gboolean still = drive_exec(drive->db, drive->path, "BEGIN", NULL);
    check_structure(drive, damage);
    for (int k = 0; k < RECORD_KIND_COUNT; k++)
        check_kind(drive, (RecordKind)k, damage);
    if (still)
        (void)drive_exec(drive->db, drive->path, "COMMIT", NULL);
    const gsize prefix = strlen(drive->path) + 2;
    for (guint i = 0; i < drive->problems->len; i++)
        g_ptr_array_add(damage,
                        g_strdup((const char *)g_ptr_array_index(drive->problems, i) + prefix));
    return damage;
}
