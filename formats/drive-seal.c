/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: rows become column chunks. Chunks of one kind and source follow each other in time
 * without overlap; where new rows lie before the end of what is sealed already, that source is
 * sealed anew. Each chunk is decoded again and compared before it is stored (chunk_builder_finish),
 * and the rows go in the same transaction as the chunks come.
 *
 * The rows of a drive that was just recorded are read from the file's pages (drive-pages.c), and
 * that reading is checked: the number of rows, and one row in CHECK_EVERY value by value by
 * SQLite. Where it is not possible, or differs in anything, SQLite reads them.
 */
#include "formats/drive-file.h"
#include "formats/drive-pages.h"
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

#include <string.h>
#include <sys/stat.h>

enum { CHECK_EVERY = 4096 };

/* Rows that go into chunks. In a changed table a source may be text, which SQLite holds to be more
 * than any number. */
#define HAS_SOURCE "typeof(source) = 'integer' AND source > 0"

typedef struct {
    gint64 source, n, first_ns, last_ns;
} LiveExtent;

static GArray *live_extents(DriveWriter *writer, const RecordType *type, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT source, count(*), min(time_ns), max(time_ns) FROM main.%s WHERE " HAS_SOURCE
        " GROUP BY source ORDER BY source",
        type->table);
    sqlite3_stmt *stmt = drive_prepare(writer->db, writer->path, sql, error);
    if (stmt == NULL)
        return NULL;
    GArray *live = g_array_new(FALSE, FALSE, sizeof(LiveExtent));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        LiveExtent extent = {sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                             sqlite3_column_int64(stmt, 2), sqlite3_column_int64(stmt, 3)};
        g_array_append_val(live, extent);
    }
    sqlite3_finalize(stmt);
    return live;
}

static gboolean run_for_source(DriveWriter *writer, const char *sql, const RecordType *type,
                               gint64 source, gint64 up_to_id, GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(writer->db, writer->path, sql, error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_int64(stmt, 1, source);
    if (sqlite3_bind_parameter_count(stmt) >= 3) {
        (void)sqlite3_bind_text(stmt, 2, type->table, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 3, up_to_id);
    }
    int rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be written");
    return TRUE;
}

static gboolean query_int(DriveWriter *writer, const char *sql, const RecordType *type,
                          gint64 source, gint64 *value, GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(writer->db, writer->path, sql, error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_text(stmt, 1, type->table, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, source);
    int rc = sqlite3_step(stmt);
    *value = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
    return TRUE;
}

/* A row without a time, of a changed table, is in no chunk. */
static gboolean add_row(const DriveWriter *writer, ChunkBuilder *builder, const Batch *batch,
                        const RecordType *type, size_t i, GError **error)
{
    if (chunk_builder_add_from(builder, batch, i))
        return TRUE;
    g_set_error(
        error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
        "%s: %s hold a row without a time; nothing was sealed: run `corridor recover` first",
        writer->path, type->table);
    return FALSE;
}

static gboolean build_chunks(DriveWriter *writer, Drive *view, const RecordType *type,
                             gint64 source, GError **error)
{
    g_autoptr(DriveCursor) cursor =
        drive_read(view, type->kind, 0, source, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    g_autoptr(ChunkBuilder) builder = chunk_builder_new(type->kind);
    const unsigned s = (unsigned)record_find_column(type, "source");
    const Batch *batch = NULL;
    GError *failure = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL) {
        if (g_cancellable_set_error_if_cancelled(writer->cancel, error))
            return FALSE;
        for (size_t i = 0; i < batch->n; i++) {
            if ((batch->known[i] >> s & 1U) == 0) /* like it, but no integer */
                continue;
            if (!add_row(writer, builder, batch, type, i, error) ||
                (chunk_builder_is_full(builder) &&
                 !drive_put_chunk(writer, type->kind, source, builder, error)))
                return FALSE;
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (chunk_builder_rows(builder) > 0 &&
        !drive_put_chunk(writer, type->kind, source, builder, error))
        return FALSE;
    return drive_put_chunks_end(writer, error);
}

/* Rows of one source, together with the chunks they overlap. */
static gboolean seal_source(DriveWriter *writer, Drive *view, const RecordType *type,
                            const LiveExtent *live, GError **error)
{
    gint64 sealed_to = 0;
    gint64 last_chunk = 0;
    if (!query_int(writer,
                   "SELECT coalesce(max(last_ns), -0x7fffffffffffffff) FROM chunks"
                   " WHERE kind = ? AND source = ?",
                   type, live->source, &sealed_to, error) ||
        !query_int(writer, "SELECT coalesce(max(id), 0) FROM chunks WHERE kind = ? AND source = ?",
                   type, live->source, &last_chunk, error))
        return FALSE;
    gboolean anew = live->first_ns < sealed_to;
    /* The view must not see the new chunks while it reads the old ones: it fixes its list of chunks
     * at the start, and rows are deleted after reading. When nothing overlaps, old chunks stay. */
    view->rows_only = !anew;
    if (anew)
        *drive_writer_n_chunks(writer, type->kind, live->source) = 0;
    if (!build_chunks(writer, view, type, live->source, error))
        return FALSE;
    if (anew && view->problems->len > 0) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s; nothing was sealed: run `corridor recover` first",
                    (const char *)g_ptr_array_index(view->problems, 0));
        return FALSE;
    }
    if (anew &&
        !run_for_source(writer, "DELETE FROM chunks WHERE source = ?1 AND kind = ?2 AND id <= ?3",
                        type, live->source, last_chunk, error))
        return FALSE;
    g_autofree char *sql = g_strdup_printf(
        "DELETE FROM main.%s WHERE typeof(source) = 'integer' AND source = ?1", type->table);
    return run_for_source(writer, sql, type, live->source, 0, error);
}

static gboolean delete_rows(DriveWriter *writer, const RecordType *type, gboolean all,
                            GError **error)
{
    /* without WHERE SQLite drops whole pages instead of rows */
    g_autofree char *sql =
        g_strdup_printf("DELETE FROM main.%s%s", type->table, all ? "" : " WHERE " HAS_SOURCE);
    return drive_exec(writer->db, writer->path, sql, error);
}

/* Nothing of the kind is sealed yet: one pass over the rows, with a chunk being built for each
 * source. */
static gboolean seal_through_sql(DriveWriter *writer, Drive *view, const RecordType *type,
                                 GError **error)
{
    view->rows_only = TRUE;
    g_autoptr(DriveCursor) cursor = drive_read(view, type->kind, 0, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    const unsigned s = (unsigned)record_find_column(type, "source");
    const Batch *batch = NULL;
    GError *failure = NULL;
    gboolean all = TRUE;
    while ((batch = drive_next(cursor, &failure)) != NULL) {
        if (g_cancellable_set_error_if_cancelled(writer->cancel, error))
            return FALSE;
        for (size_t i = 0; i < batch->n; i++) {
            gint64 source = (batch->known[i] >> s & 1U) != 0 ? batch->column[s].i[i] : 0;
            SourceBuilder *of = source > 0 ? drive_builder_of(writer, type->kind, source) : NULL;
            all = all && of != NULL;
            if (of == NULL)
                continue;
            if (!add_row(writer, of->builder, batch, type, i, error) ||
                !drive_put_if_full(writer, type->kind, of, error))
                return FALSE;
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return drive_flush_builders(writer, type->kind, error) && delete_rows(writer, type, all, error);
}

typedef enum { PAGES_SEALED, PAGES_DIFFER, PAGES_FAILED } PagesResult;

/* The same from the file's pages. *n and *n_left: rows read, and those of them without a source. */
static PagesResult read_pages(DriveWriter *writer, PageRows *rows, const RecordType *type,
                              gint64 *n, gint64 *n_left, GError **error)
{
    PageStep step = PAGE_ROWS_END;
    while ((step = page_rows_next(rows)) == PAGE_ROWS_ROW) {
        const gint64 source = page_rows_source(rows);
        const gint64 time_ns = page_rows_time_ns(rows);
        const gboolean check = *n % CHECK_EVERY == 0;
        if (check && g_cancellable_set_error_if_cancelled(writer->cancel, error))
            return PAGES_FAILED;
        ++*n;
        if (source <= 0) {
            ++*n_left;
            continue;
        }
        SourceBuilder *of = drive_builder_of(writer, type->kind, source);
        if (of == NULL || time_ns < of->last_ns || !page_rows_add(rows, of->builder) ||
            (check && !page_rows_agree(rows, of->builder)))
            return PAGES_DIFFER;
        of->last_ns = time_ns;
        if (!drive_put_if_full(writer, type->kind, of, error))
            return PAGES_FAILED;
    }
    return step == PAGE_ROWS_END ? PAGES_SEALED : PAGES_DIFFER;
}

/* Whether the kind has n rows: as the writer counted them, or SQLite does. */
static gboolean are_all_rows(DriveWriter *writer, const RecordType *type, gint64 n, gboolean *all,
                             GError **error)
{
    const GArray *extents = writer->kinds[type->kind].extents;
    gint64 counted = 0;
    for (guint i = 0; i < extents->len; i++)
        counted += g_array_index(extents, Extent, i).n;
    *all = counted == n;
    if (*all)
        return TRUE;
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM main.%s", type->table);
    if (!query_int(writer, sql, type, 0, &counted, error))
        return FALSE;
    *all = counted == n;
    return TRUE;
}

static PagesResult seal_through_pages(DriveWriter *writer, const RecordType *type, gint64 *n_left,
                                      GError **error)
{
    g_autoptr(PageRows) rows = page_rows_new(writer->lock_fd, writer->db, type->kind);
    if (rows == NULL)
        return PAGES_DIFFER;
    gint64 n = 0;
    PagesResult result = read_pages(writer, rows, type, &n, n_left, error);
    if (result != PAGES_SEALED)
        return result;
    gboolean all = FALSE;
    if (!are_all_rows(writer, type, n, &all, error) ||
        !drive_flush_builders(writer, type->kind, error))
        return PAGES_FAILED;
    return all ? PAGES_SEALED : PAGES_DIFFER;
}

/* The common case, nothing of the kind sealed yet. */
static gboolean seal_fresh_kind(DriveWriter *writer, Drive *view, const RecordType *type,
                                GError **error)
{
    gboolean ordered = TRUE;
    GArray *extents = writer->kinds[type->kind].extents;
    for (guint i = 0; i < extents->len; i++)
        ordered = ordered && g_array_index(extents, Extent, i).ordered;
    if (writer->still && ordered) {
        if (!drive_exec(writer->db, writer->path, "SAVEPOINT pages", error))
            return FALSE;
        gint64 n_left = 0;
        PagesResult result = seal_through_pages(writer, type, &n_left, error);
        if (result == PAGES_FAILED)
            return FALSE;
        /* Within the savepoint each page of the rows would be kept. */
        if (result == PAGES_SEALED)
            return drive_exec(writer->db, writer->path, "RELEASE pages", error) &&
                   delete_rows(writer, type, n_left == 0, error);
        drive_drop_builders(writer);
        g_clear_pointer(&writer->queue, chunk_queue_free);
        if (!drive_exec(writer->db, writer->path, "ROLLBACK TO pages; RELEASE pages", error) ||
            !drive_writer_load_extents(writer, error))
            return FALSE;
    }
    return seal_through_sql(writer, view, type, error);
}

/* On damaged pages deleting may have spoilt what was left: then nothing is sealed. What there is to
 * check is small now. */
static gboolean check_whole(DriveWriter *writer, GError **error)
{
    sqlite3_stmt *stmt =
        drive_prepare(writer->db, writer->path, "PRAGMA main.quick_check(1)", error);
    if (stmt == NULL)
        return FALSE;
    int rc = sqlite3_step(stmt);
    const char *found = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    const gboolean whole = g_strcmp0(found, "ok") == 0;
    if (rc != SQLITE_ROW)
        drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
    else if (!whole)
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s: is damaged; nothing was sealed: run `corridor recover` first",
                    writer->path);
    sqlite3_finalize(stmt);
    return whole;
}

static gboolean seal_kind(DriveWriter *writer, Drive *view, const RecordType *type, gboolean *any,
                          GError **error)
{
    gint64 n_rows = 0;
    gint64 n_chunks = 0;
    g_autofree char *any_row = g_strdup_printf(
        "SELECT count(*) FROM (SELECT 1 FROM main.%s WHERE ?1 = ?1 AND ?2 = 0 LIMIT 1)",
        type->table);
    if (!query_int(writer, any_row, type, 0, &n_rows, error))
        return FALSE;
    if (n_rows == 0)
        return TRUE;
    *any = TRUE;
    if (!query_int(writer, "SELECT count(*) FROM chunks WHERE kind = ? AND ? = 0", type, 0,
                   &n_chunks, error))
        return FALSE;
    if (n_chunks == 0 && writer->kinds[type->kind].extents->len <= DRIVE_MAX_BUILDERS) {
        if (!seal_fresh_kind(writer, view, type, error))
            return FALSE;
    } else {
        g_autoptr(GArray) live = live_extents(writer, type, error);
        if (live == NULL)
            return FALSE;
        for (guint i = 0; i < live->len; i++)
            if (!seal_source(writer, view, type, &g_array_index(live, LiveExtent, i), error))
                return FALSE;
        if (!drive_put_kind_end(writer, error) || !drive_drop_unused_packs(writer, error))
            return FALSE;
    }
    drive_writer_mark_ordered(writer, type->kind);
    return TRUE;
}

gboolean drive_seal_rows(DriveWriter *writer, GError **error)
{
    if (!drive_writer_put_extents(writer, error))
        return FALSE;
    g_autoptr(Drive) view = drive_view_new(writer->db, writer->path);
    gboolean any = FALSE;
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        const RecordType *type = record_type((RecordKind)k);
        if (drive_kind_is_sealed(type->kind) && !seal_kind(writer, view, type, &any, error))
            return FALSE;
    }
    return !any || check_whole(writer, error);
}

/* Called by SQLite now and then; not 0 interrupts what it does. */
static int is_cancelled(void *cancel)
{
    return g_cancellable_is_cancelled(cancel) ? 1 : 0;
}

/* Nothing waits in the WAL, so that the file has all there is. */
static gboolean wal_is_empty(const DriveWriter *writer)
{
    g_autofree char *wal = g_strconcat(writer->path, "-wal", NULL);
    struct stat st;
    return stat(wal, &st) == 0 && st.st_size == 0;
}

static gboolean seal(DriveWriter *writer, GError **error)
{
    if (!drive_writer_begin(writer, error))
        return FALSE;
    writer->still = wal_is_empty(writer);
    if (!drive_seal_rows(writer, error) || !drive_set_meta(writer, "closed", "1", error) ||
        !drive_writer_commit(writer, error))
        return FALSE;
    return drive_writer_close_small(writer, error);
}

gboolean drive_seal(const char *path, GCancellable *cancel, GError **error)
{
    if (g_cancellable_set_error_if_cancelled(cancel, error))
        return FALSE;
    g_autoptr(DriveWriter) writer = drive_open_append(path, error);
    if (writer == NULL)
        return FALSE;
    if (cancel != NULL) {
        writer->cancel = g_object_ref(cancel);
        sqlite3_progress_handler(writer->db, 10000, is_cancelled, cancel);
    }
    if (seal(writer, error))
        return TRUE;
    sqlite3_progress_handler(writer->db, 0, NULL, NULL);
    if (g_cancellable_is_cancelled(cancel)) {
        g_clear_error(error);
        (void)g_cancellable_set_error_if_cancelled(cancel, error);
    }
    return FALSE;
}

static gboolean is_more(Drive *drive, const char *sql)
{
    sqlite3_stmt *stmt = drive_prepare(drive->db, drive->path, sql, NULL);
    gboolean more = stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return more;
}

gboolean drive_wants_sealing(const char *path)
{
    g_autoptr(Drive) drive = drive_open(path, NULL);
    if (drive == NULL)
        return FALSE;
    g_autofree char *closed = drive_meta(drive, "closed");
    if (g_strcmp0(closed, "1") != 0)
        return FALSE;
    gboolean wants = is_more(drive, "SELECT freelist_count > page_count / 2"
                                    " FROM pragma_freelist_count, pragma_page_count");
    for (int k = 0; k < RECORD_KIND_COUNT && !wants; k++) {
        g_autofree char *sql = g_strdup_printf("SELECT 1 FROM main.%s WHERE " HAS_SOURCE " LIMIT 1",
                                               record_type((RecordKind)k)->table);
        /* Before version 3 events stayed rows; for them alone no drive is made anew. */
        wants = k != RECORD_EVENT && drive_kind_is_sealed((RecordKind)k) && is_more(drive, sql);
    }
    return wants;
}
