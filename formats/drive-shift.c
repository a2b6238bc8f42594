/* SPDX-License-Identifier: Apache-2.0 */
/* Correcting the times of a drive, for a box whose clock was wrong at boot. */
#include "formats/drive-file.h"
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

static const char *const time_columns[] = {"time_ns", "request_ns", "received_ns", "end_ns"};

static gboolean shift_rows(DriveWriter *writer, RecordKind kind, gint64 from_ns, gint64 to_ns,
                           gint64 delta_ns, GError **error)
{
    const RecordType *type = record_type(kind);
    if (record_find_column(type, "time_ns") < 0 || kind == RECORD_CLOCK || kind == RECORD_IMPORT)
        return TRUE;
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_printf(sql, "UPDATE %s SET ", type->table);
    for (unsigned i = 0, n = 0; i < G_N_ELEMENTS(time_columns); i++)
        if (record_find_column(type, time_columns[i]) >= 0)
            g_string_append_printf(sql, "%s%s = %s + ?3", n++ > 0 ? ", " : "", time_columns[i],
                                   time_columns[i]);
    g_string_append(sql, " WHERE time_ns >= ?1 AND time_ns < ?2");
    sqlite3_stmt *stmt = drive_prepare(writer->db, writer->path, sql->str, error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_int64(stmt, 1, from_ns);
    (void)sqlite3_bind_int64(stmt, 2, to_ns);
    (void)sqlite3_bind_int64(stmt, 3, delta_ns);
    int rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be written");
    return TRUE;
}

/* ---- sealed ---- */

static void add_to_times(const RecordType *type, void *const *storage, const uint64_t *known,
                         size_t n, gint64 delta_ns)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(time_columns); i++) {
        int c = record_find_column(type, time_columns[i]);
        int64_t *times = c >= 0 ? storage[c] : NULL;
        for (size_t row = 0; times != NULL && row < n; row++)
            if ((known[row] >> c & 1U) != 0)
                times[row] += delta_ns;
    }
}

/* The chunk of these columns. Returns: (transfer full). */
static GByteArray *encode(RecordKind kind, void *const *storage, const uint64_t *known, size_t n,
                          GError **error)
{
    Batch batch = {.n = n, .known = known};
    for (unsigned c = 0; c < record_type(kind)->n_columns; c++)
        batch.column[c].i = storage[c];
    g_autoptr(ChunkBuilder) builder = chunk_builder_new(kind);
    for (size_t i = 0; i < n; i++)
        (void)chunk_builder_add_from(builder, &batch, i); /* a chunk's rows all have times */
    return chunk_builder_finish(builder, error);
}

static gboolean replace_chunk(DriveWriter *writer, const ChunkRef *ref, const GByteArray *bytes,
                              GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(
        writer->db, writer->path,
        "UPDATE chunks SET data = ?1, first_ns = ?2, last_ns = ?3 WHERE id = ?4", error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_blob64(stmt, 1, bytes->data, bytes->len, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, ref->first_ns);
    (void)sqlite3_bind_int64(stmt, 3, ref->last_ns);
    (void)sqlite3_bind_int64(stmt, 4, ref->id);
    int rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be written");
    return TRUE;
}

/* Damaged chunks stay as they are: nothing is known of them. */
static gboolean shift_chunks(DriveWriter *writer, Drive *view, RecordKind kind, GArray *refs,
                             gint64 from_ns, gint64 to_ns, gint64 delta_ns, GError **error)
{
    g_autoptr(ChunkStream) stream = NULL;
    for (guint i = 0; i < refs->len; i++) {
        ChunkRef *ref = &g_array_index(refs, ChunkRef, i);
        if (ref->last_ns < from_ns || ref->first_ns >= to_ns)
            continue;
        if (ref->first_ns < from_ns || ref->last_ns >= to_ns) {
            g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED,
                        "%s: is sealed; only the times of whole chunks can be corrected",
                        writer->path);
            return FALSE;
        }
        if (stream == NULL)
            stream = chunk_stream_new(view, kind, UINT64_MAX);
        size_t n = chunk_stream_load(stream, ref);
        if (n == 0)
            continue;
        void *const *storage = chunk_stream_storage(stream);
        const uint64_t *known = chunk_stream_known(stream);
        add_to_times(record_type(kind), storage, known, n, delta_ns);
        ref->first_ns += delta_ns;
        ref->last_ns += delta_ns;
        g_autoptr(GByteArray) bytes = encode(kind, storage, known, n, error);
        if (bytes == NULL || !drive_writer_raise_version(writer, error) ||
            !replace_chunk(writer, ref, bytes, error))
            return FALSE;
    }
    return TRUE;
}

/* After a shift the extents are counted anew, rows and then chunks; rows stay in their order of
 * arrival, so whether times ascend is seen by comparing each row with the one before it of the same
 * source. */
static gboolean recount_kind(DriveWriter *writer, RecordKind kind, const GArray *refs,
                             GError **error)
{
    const RecordType *type = record_type(kind);
    GArray *extents = writer->kinds[kind].extents;
    if (extents->len == 0)
        return TRUE;
    gboolean has_source = record_find_column(type, "source") >= 0;
    g_autofree char *sql = g_strdup_printf("SELECT time_ns, %s FROM %s ORDER BY rowid",
                                           has_source ? "coalesce(source, 0)" : "0", type->table);
    sqlite3_stmt *stmt = drive_prepare(writer->db, writer->path, sql, error);
    if (stmt == NULL)
        return FALSE;
    for (guint i = 0; i < extents->len; i++) {
        Extent *extent = &g_array_index(extents, Extent, i);
        *extent = (Extent){
            .source = extent->source, .n_chunks = extent->n_chunks, .ordered = TRUE, .dirty = TRUE};
    }
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        drive_writer_see(writer, kind, sqlite3_column_int64(stmt, 1),
                         sqlite3_column_int64(stmt, 0));
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
    for (guint i = 0; i < refs->len; i++) {
        const ChunkRef *ref = &g_array_index(refs, ChunkRef, i);
        drive_writer_see_chunk(writer, kind, ref->source, ref->n, ref->first_ns, ref->last_ns);
    }
    return TRUE;
}

static gboolean shift_kind(DriveWriter *writer, RecordKind kind, gint64 from_ns, gint64 to_ns,
                           gint64 delta_ns, GError **error)
{
    g_autoptr(Drive) view = drive_view_new(writer->db, writer->path);
    g_autoptr(GArray) refs = drive_chunk_refs(view, kind, 0, INT64_MIN, INT64_MAX, error);
    return refs != NULL && shift_rows(writer, kind, from_ns, to_ns, delta_ns, error) &&
           shift_chunks(writer, view, kind, refs, from_ns, to_ns, delta_ns, error) &&
           recount_kind(writer, kind, refs, error);
}

gboolean drive_shift_times(DriveWriter *writer, gint64 from_ns, gint64 to_ns, gint64 delta_ns,
                           GError **error)
{
    if (!drive_writer_commit(writer, error) || !drive_writer_begin(writer, error))
        return FALSE;
    for (int k = 0; k < RECORD_KIND_COUNT; k++)
        if (!shift_kind(writer, (RecordKind)k, from_ns, to_ns, delta_ns, error)) {
            drive_writer_roll_back(writer);
            return FALSE;
        }
    if (!drive_drop_unused_packs(writer, error)) {
        drive_writer_roll_back(writer);
        return FALSE;
    }
    return drive_writer_commit(writer, error);
}
