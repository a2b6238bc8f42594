/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: rows become column chunks. Chunks of one kind and source follow each other in time
 * without overlap; where new rows lie before the end of what is sealed already, that source is
 * sealed anew. Each chunk is decoded again and compared before it is stored (chunk_builder_finish),
 * and the rows go in the same transaction as the chunks come.
 */
#include "formats/drive-file.h"
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

#include <string.h>

/* Above this many sources at once, memory for chunks being built would be the problem: their
 * records are written as rows and sealed at the end, one source at a time. */
enum { MAX_BUILDERS = 64 };

gboolean drive_kind_is_sealed(RecordKind kind)
{
    const RecordType *type = record_type(kind);
    return kind != RECORD_EVENT && kind != RECORD_PROBE &&
           record_find_column(type, "time_ns") >= 0 && record_find_column(type, "source") >= 0;
}

static gboolean put_chunk(DriveWriter *writer, RecordKind kind, gint64 source,
                          ChunkBuilder *builder, GError **error)
{
    if (writer->put_chunk == NULL)
        writer->put_chunk = drive_prepare(
            writer->db, writer->path,
            "INSERT INTO chunks (kind, source, seq, n, first_ns, last_ns, data) VALUES (?1, ?2,"
            " 1 + (SELECT count(*) FROM chunks WHERE kind = ?1 AND source = ?2), ?3, ?4, ?5, ?6)",
            error);
    if (writer->put_chunk == NULL || !drive_writer_begin(writer, error))
        return FALSE;
    sqlite3_stmt *stmt = writer->put_chunk;
    (void)sqlite3_bind_text(stmt, 1, record_type(kind)->table, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, source);
    (void)sqlite3_bind_int64(stmt, 3, (gint64)chunk_builder_rows(builder));
    (void)sqlite3_bind_int64(stmt, 4, chunk_builder_first_ns(builder));
    (void)sqlite3_bind_int64(stmt, 5, chunk_builder_last_ns(builder));
    g_autoptr(GByteArray) bytes = chunk_builder_finish(builder, error);
    if (bytes == NULL)
        return FALSE;
    (void)sqlite3_bind_blob64(stmt, 6, bytes->data, bytes->len, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be written");
    return TRUE;
}

/* ---- bulk ---- */

static ChunkBuilder *bulk_builder(DriveWriter *writer, RecordKind kind, gint64 source)
{
    KindWriter *state = &writer->kinds[kind];
    if (state->builders == NULL)
        state->builders = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                                (GDestroyNotify)chunk_builder_free);
    if (state->last_builder != NULL && state->last_builder_source == source)
        return state->last_builder;
    ChunkBuilder *builder = g_hash_table_lookup(state->builders, &source);
    if (builder == NULL && g_hash_table_size(state->builders) < MAX_BUILDERS) {
        builder = chunk_builder_new(kind);
        g_hash_table_insert(state->builders, g_memdup2(&source, sizeof source), builder);
    }
    state->last_builder = builder;
    state->last_builder_source = source;
    return builder;
}

gboolean drive_bulk_add(DriveWriter *writer, RecordKind kind, const void *record, gint64 source,
                        gint64 time_ns, gboolean *failed, GError **error)
{
    KindWriter *state = &writer->kinds[kind];
    if (!state->sealed || source == 0)
        return FALSE;
    ChunkBuilder *builder = bulk_builder(writer, kind, source);
    if (builder == NULL)
        return FALSE;
    /* A row out of order, or after rows that were: left to drive_seal_rows(), which sorts. */
    const gint64 *latest = drive_writer_latest(writer, kind, source);
    if (latest != NULL && time_ns < *latest)
        return FALSE;
    chunk_builder_add(builder, record);
    if (chunk_builder_rows(builder) == CHUNK_ROWS &&
        !put_chunk(writer, kind, source, builder, error)) {
        *failed = TRUE;
        return FALSE;
    }
    return TRUE;
}

static gint compare_sources(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *)a;
    gint64 y = *(const gint64 *)b;
    return x < y ? -1 : x > y;
}

/* Writes what the builders of a kind hold, in a fixed order, so that the same input gives the same
 * bytes. */
static gboolean flush_builders(DriveWriter *writer, RecordKind kind, GError **error)
{
    KindWriter *state = &writer->kinds[kind];
    if (state->builders == NULL)
        return TRUE;
    g_autoptr(GList) sources = g_list_sort(g_hash_table_get_keys(state->builders), compare_sources);
    for (GList *l = sources; l != NULL; l = l->next) {
        ChunkBuilder *builder = g_hash_table_lookup(state->builders, l->data);
        if (chunk_builder_rows(builder) > 0 &&
            !put_chunk(writer, kind, *(gint64 *)l->data, builder, error))
            return FALSE;
    }
    state->last_builder = NULL;
    g_clear_pointer(&state->builders, g_hash_table_unref);
    return TRUE;
}

gboolean drive_bulk_finish(DriveWriter *writer, GError **error)
{
    for (int k = 0; k < RECORD_KIND_COUNT; k++)
        if (!flush_builders(writer, (RecordKind)k, error))
            return FALSE;
    return drive_writer_begin(writer, error) && drive_seal_rows(writer, error);
}

/* ---- rows to chunks ---- */

typedef struct {
    gint64 source, n, first_ns, last_ns;
} LiveExtent;

static GArray *live_extents(DriveWriter *writer, const RecordType *type, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT source, count(*), min(time_ns), max(time_ns) FROM main.%s WHERE source > 0"
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

static gboolean build_chunks(DriveWriter *writer, Drive *view, const RecordType *type,
                             gint64 source, GError **error)
{
    g_autoptr(DriveCursor) cursor =
        drive_read(view, type->kind, 0, source, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    g_autoptr(ChunkBuilder) builder = chunk_builder_new(type->kind);
    const Batch *batch = NULL;
    GError *failure = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            chunk_builder_add_from(builder, batch, i);
            if (chunk_builder_rows(builder) == CHUNK_ROWS &&
                !put_chunk(writer, type->kind, source, builder, error))
                return FALSE;
        }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return chunk_builder_rows(builder) == 0 ||
           put_chunk(writer, type->kind, source, builder, error);
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
    if (!build_chunks(writer, view, type, live->source, error))
        return FALSE;
    if (anew && view->problems->len > 0) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s; nothing was sealed: run `corridor recover` first",
                    (const char *)g_ptr_array_index(view->problems, 0));
        return FALSE;
    }
    if (anew &&
        (!run_for_source(writer, "DELETE FROM chunks WHERE source = ?1 AND kind = ?2 AND id <= ?3",
                         type, live->source, last_chunk, error) ||
         !run_for_source(writer,
                         "UPDATE chunks SET seq = (SELECT count(*) FROM chunks AS before WHERE"
                         " before.source = ?1 AND before.kind = ?2 AND before.id <= chunks.id)"
                         " WHERE source = ?1 AND kind = ?2 AND id > ?3",
                         type, live->source, last_chunk, error)))
        return FALSE;
    g_autofree char *sql = g_strdup_printf("DELETE FROM main.%s WHERE source = ?1", type->table);
    return run_for_source(writer, sql, type, live->source, 0, error);
}

/* The common case, nothing of the kind sealed yet: one pass over the rows, with a chunk being built
 * for each source. Sets *done to FALSE and leaves all as it was if there are too many sources. */
static gboolean seal_fresh_kind(DriveWriter *writer, Drive *view, const RecordType *type,
                                gboolean *done, GError **error)
{
    *done = writer->kinds[type->kind].extents->len <= MAX_BUILDERS;
    if (!*done)
        return TRUE;
    view->rows_only = TRUE;
    g_autoptr(DriveCursor) cursor = drive_read(view, type->kind, 0, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    const unsigned s = (unsigned)record_find_column(type, "source");
    const Batch *batch = NULL;
    GError *failure = NULL;
    gboolean rows_without_source = FALSE;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            gint64 source = batch->column[s].i[i];
            ChunkBuilder *builder = source > 0 ? bulk_builder(writer, type->kind, source) : NULL;
            if (builder == NULL) {
                rows_without_source = TRUE;
                continue;
            }
            chunk_builder_add_from(builder, batch, i);
            if (chunk_builder_rows(builder) == CHUNK_ROWS &&
                !put_chunk(writer, type->kind, source, builder, error))
                return FALSE;
        }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (!flush_builders(writer, type->kind, error))
        return FALSE;
    /* without WHERE SQLite drops whole pages instead of rows */
    g_autofree char *sql = g_strdup_printf("DELETE FROM main.%s%s", type->table,
                                           rows_without_source ? " WHERE source > 0" : "");
    return drive_exec(writer->db, writer->path, sql, error);
}

static gboolean seal_kind(DriveWriter *writer, Drive *view, const RecordType *type, GError **error)
{
    gint64 n_rows = 0;
    gint64 n_chunks = 0;
    g_autofree char *any_row = g_strdup_printf(
        "SELECT count(*) FROM (SELECT 1 FROM main.%s WHERE ?1 = ?1 AND ?2 = 0 LIMIT 1)",
        type->table);
    if (!query_int(writer, any_row, type, 0, &n_rows, error) ||
        !query_int(writer, "SELECT count(*) FROM chunks WHERE kind = ? AND ? = 0", type, 0,
                   &n_chunks, error))
        return FALSE;
    if (n_rows == 0)
        return TRUE;
    gboolean done = FALSE;
    if (n_chunks == 0 && !seal_fresh_kind(writer, view, type, &done, error))
        return FALSE;
    if (!done) {
        g_autoptr(GArray) live = live_extents(writer, type, error);
        if (live == NULL)
            return FALSE;
        for (guint i = 0; i < live->len; i++)
            if (!seal_source(writer, view, type, &g_array_index(live, LiveExtent, i), error))
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
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        const RecordType *type = record_type((RecordKind)k);
        if (drive_kind_is_sealed(type->kind) && !seal_kind(writer, view, type, error))
            return FALSE;
    }
    return TRUE;
}

gboolean drive_seal(const char *path, GError **error)
{
    g_autoptr(DriveWriter) writer = drive_open_append(path, error);
    if (writer == NULL || !drive_writer_begin(writer, error))
        return FALSE;
    if (!drive_seal_rows(writer, error) || !drive_set_meta(writer, "closed", "1", error) ||
        !drive_writer_commit(writer, error))
        return FALSE;
    /* Gives the space of the rows back; VACUUM is itself one transaction. */
    return drive_exec(writer->db, path, "VACUUM", error) && drive_writer_close(writer, error);
}
