/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/drive-read.h"

#include "formats/drive-file.h"
#include "formats/drive-guard.h"
#include "formats/drive-schema.h"

#include <string.h>

/* A power cut in the middle of a change of the file's mode leaves a rollback journal, which only a
 * writer may apply. */
static int roll_back_hot_journal(const char *path)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        drive_guard(db);
        rc = sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    }
    (void)sqlite3_close(db);
    return rc;
}

static int try_open(const char *path, const char *mode, sqlite3 **db)
{
    g_autofree char *escaped = g_uri_escape_string(path, "/", FALSE);
    g_autofree char *uri = g_strdup_printf("file:%s?%s", escaped, mode);
    int rc = sqlite3_open_v2(uri, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                             NULL);
    if (rc != SQLITE_OK)
        return rc;
    drive_guard(*db);
    sqlite3_extended_result_codes(*db, 1);
    sqlite3_busy_timeout(*db, 5000);
    return sqlite3_exec(*db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
}

static sqlite3 *open_read_only(const char *path, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED, "%s: %s", path,
                    g_file_test(path, G_FILE_TEST_EXISTS) ? "is not a regular file"
                                                          : "there is no such file");
        return NULL;
    }
    if (!drive_guard_journal(path, error))
        return NULL;
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    sqlite3 *db = NULL;
    int rc = try_open(path, "mode=ro", &db);
    const char *mode = NULL;
    if ((rc & 0xff) == SQLITE_READONLY && roll_back_hot_journal(path) == SQLITE_OK)
        mode = "mode=ro";
    /* A drive in WAL mode in a folder that cannot be written: without a -wal file nothing is
     * missing from the main file, and it can be read as it is. */
    else if ((rc & 0xff) == SQLITE_CANTOPEN && !g_file_test(wal, G_FILE_TEST_EXISTS))
        mode = "immutable=1";
    if (mode != NULL) {
        (void)sqlite3_close(db);
        db = NULL;
        rc = try_open(path, mode, &db);
    }
    if (rc == SQLITE_OK)
        return db;
    drive_sqlite_error(error, db, rc, path, "cannot be read");
    (void)sqlite3_close(db);
    return NULL;
}

static gboolean load_sources(Drive *drive, GError **error)
{
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SOURCE, 0, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    const Batch *batch = NULL;
    GError *failure = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            Source source;
            batch_get(batch, RECORD_SOURCE, i, &source);
            g_autofree char *label = NULL;
            if (!RECORD_HAS(&source, SOURCE, label)) { /* against the rules of the table */
                label = g_strdup_printf("source %" G_GINT64_FORMAT, source.id);
                RECORD_SET(&source, SOURCE, label, label);
            }
            const RecordType *type = record_type(RECORD_SOURCE);
            for (unsigned c = 0; c < type->n_columns; c++) {
                if (type->columns[c].type != COLUMN_TEXT)
                    continue;
                const char **text =
                    (const char **)(void *)((char *)&source + type->columns[c].offset);
                if (*text != NULL)
                    *text = g_string_chunk_insert_const(drive->text, *text);
            }
            g_array_append_val(drive->sources, source);
        }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return TRUE;
}

Drive *drive_view_new(sqlite3 *db, const char *path)
{
    Drive *drive = g_new0(Drive, 1);
    drive->path = g_strdup(path);
    drive->db = db;
    drive->borrowed = TRUE;
    drive->sources = g_array_new(FALSE, FALSE, sizeof(Source));
    drive->text = g_string_chunk_new(1024);
    drive->problems = g_ptr_array_new_with_free_func(g_free);
    return drive;
}

/* In one transaction: the file is locked and looked at once, not for each statement. */
static gboolean look_into(Drive *drive, GError **error)
{
    return drive_exec(drive->db, drive->path, "BEGIN", error) &&
           drive_check_version(drive->db, drive->path, error) &&
           drive_guard_tables(drive->db, drive->path, error) && load_sources(drive, error) &&
           drive_exec(drive->db, drive->path, "COMMIT", error);
}

Drive *drive_open(const char *path, GError **error)
{
    sqlite3 *db = open_read_only(path, error);
    if (db == NULL)
        return NULL;
    g_autoptr(Drive) drive = drive_view_new(db, path);
    drive->borrowed = FALSE;
    if (!drive_exec(db, path,
                    "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                    "PRAGMA temp_store = FILE; PRAGMA cache_size = -8192;",
                    error) ||
        !look_into(drive, error))
        return NULL;
    return g_steal_pointer(&drive);
}

void drive_free(Drive *drive)
{
    if (drive == NULL)
        return;
    if (!drive->borrowed)
        (void)sqlite3_close(drive->db);
    g_array_unref(drive->sources);
    g_string_chunk_free(drive->text);
    g_ptr_array_unref(drive->problems);
    g_free(drive->path);
    g_free(drive);
}

void drive_note_problem(Drive *drive, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *problem = g_strdup_printf("%s: %s", drive->path, text);
    if (!g_ptr_array_find_with_equal_func(drive->problems, problem, g_str_equal, NULL))
        g_ptr_array_add(drive->problems, g_steal_pointer(&problem));
}

const GPtrArray *drive_problems(const Drive *drive)
{
    return drive->problems;
}

void drive_add_problems(const Drive *drive, GPtrArray *into)
{
    for (guint i = 0; into != NULL && i < drive->problems->len; i++)
        g_ptr_array_add(into, g_strdup(g_ptr_array_index(drive->problems, i)));
}

const char *drive_path(const Drive *drive)
{
    return drive->path;
}

char *drive_meta(Drive *drive, const char *key)
{
    sqlite3_stmt *stmt =
        drive_prepare(drive->db, drive->path, "SELECT value FROM meta WHERE key = ?", NULL);
    if (stmt == NULL)
        return NULL;
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    char *value = NULL;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        value = g_strdup((const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return value;
}

const Source *drive_sources(Drive *drive, guint *n)
{
    *n = drive->sources->len;
    return (const Source *)(void *)drive->sources->data;
}

int record_find_column(const RecordType *type, const char *name)
{
    for (unsigned c = 0; c < type->n_columns; c++)
        if (strcmp(type->columns[c].name, name) == 0)
            return (int)c;
    return -1;
}

gboolean drive_count(Drive *drive, RecordKind kind, gint64 source, gint64 *n, gint64 *first_ns,
                     gint64 *last_ns, GError **error)
{
    *n = 0;
    sqlite3_stmt *stmt =
        drive_prepare(drive->db, drive->path,
                      "SELECT coalesce(sum(n), 0), min(first_ns), max(last_ns) FROM extents"
                      " WHERE kind = ?1 AND n > 0 AND (?2 = 0 OR source = ?2)",
                      error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_text(stmt, 1, record_type(kind)->table, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, source);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        *n = sqlite3_column_int64(stmt, 0);
        if (*n > 0) {
            *first_ns = sqlite3_column_int64(stmt, 1);
            *last_ns = sqlite3_column_int64(stmt, 2);
        }
    }
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW)
        return drive_sqlite_error(error, drive->db, rc, drive->path, "cannot be read");
    return TRUE;
}
