/* SPDX-License-Identifier: Apache-2.0 */
/* What a drive says of itself: its sources, where imported files came from, and meta. */
#include "formats/drive-file.h"
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

static gboolean lookup_source(DriveWriter *writer, const char *label, gint64 *id, GError **error)
{
    sqlite3_stmt *stmt =
        drive_prepare(writer->db, writer->path, "SELECT id FROM sources WHERE label = ?", error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_text(stmt, 1, label, -1, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    *id = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
    return TRUE;
}

static gboolean update_source(DriveWriter *writer, const Source *source, gint64 id, GError **error)
{
    const RecordType *type = record_type(RECORD_SOURCE);
    g_autoptr(GString) sql = g_string_new("UPDATE sources SET label = label");
    for (unsigned c = 1; c < type->n_columns; c++)
        if (((source->known >> c) & 1U) != 0)
            g_string_append_printf(sql, ", %s = ?%u", type->columns[c].name, c + 1);
    g_string_append(sql, " WHERE id = ?1");
    sqlite3_stmt *stmt = drive_prepare(writer->db, writer->path, sql->str, error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_int64(stmt, 1, id);
    for (unsigned c = 1; c < type->n_columns; c++)
        if (((source->known >> c) & 1U) != 0)
            drive_bind_column(stmt, &type->columns[c], (int)c + 1, source);
    int rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be written");
    return TRUE;
}

gboolean drive_add_source(DriveWriter *writer, const Source *source, gint64 *id, GError **error)
{
    g_return_val_if_fail(RECORD_HAS(source, SOURCE, label), FALSE);
    if (!drive_writer_begin(writer, error) || !lookup_source(writer, source->label, id, error))
        return FALSE;
    if (*id != 0)
        return update_source(writer, source, *id, error);
    Source copy = *source;
    RECORD_UNSET(&copy, SOURCE, id);
    if (!drive_add(writer, RECORD_SOURCE, &copy, error))
        return FALSE;
    *id = sqlite3_last_insert_rowid(writer->db);
    return TRUE;
}

gboolean drive_only_phone_of(DriveWriter *writer, const char *operator_label, AntennaPlace place,
                             gint64 *id, GError **error)
{
    sqlite3_stmt *stmt =
        drive_prepare(writer->db, writer->path,
                      "SELECT iif(count(*) = 1, max(id), 0) FROM sources WHERE kind = 'phone'"
                      " AND operator_label = ?1 AND (?2 IS NULL OR place = ?2)",
                      error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_text(stmt, 1, operator_label, -1, SQLITE_STATIC);
    if (place != PLACE_UNKNOWN)
        (void)sqlite3_bind_text(
            stmt, 2,
            record_enum_name(&record_type(RECORD_SOURCE)->columns[SOURCE_COL_place], (int)place),
            -1, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    *id = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ||
           drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
}

gint64 drive_next_probe(DriveWriter *writer)
{
    return writer->next_probe++;
}

gboolean drive_set_meta(DriveWriter *writer, const char *key, const char *value, GError **error)
{
    if (!drive_writer_begin(writer, error))
        return FALSE;
    sqlite3_stmt *stmt =
        drive_prepare(writer->db, writer->path, "INSERT OR REPLACE INTO meta VALUES (?,?)", error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be written");
    return TRUE;
}

gboolean drive_has_imports(DriveWriter *writer)
{
    sqlite3_stmt *stmt =
        drive_prepare(writer->db, writer->path, "SELECT 1 FROM imports LIMIT 1", NULL);
    gboolean any = stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return any;
}

gboolean drive_check_not_imported(DriveWriter *writer, const char *sha256, GError **error)
{
    sqlite3_stmt *stmt =
        drive_prepare(writer->db, writer->path,
                      "SELECT name, strftime('%Y-%m-%d %H:%M', time_ns / 1000000000, 'unixepoch')"
                      " FROM imports WHERE sha256 = ?",
                      error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_text(stmt, 1, sha256, -1, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DUPLICATE,
                    "%s: the same content was imported already, as %s on %s UTC", writer->path,
                    (const char *)sqlite3_column_text(stmt, 0),
                    (const char *)sqlite3_column_text(stmt, 1));
    else if (rc != SQLITE_DONE)
        drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE;
}
