/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extents: how many rows there are, from when to when, in order or not, per kind and source, and
 * how many chunks. They are kept in memory while a drive is written and put down with each commit,
 * so that readers know them at once and know whether they must sort.
 */
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

static Extent *find_extent(KindWriter *kind, gint64 source)
{
    if (kind->last < kind->extents->len) {
        Extent *extent = &g_array_index(kind->extents, Extent, kind->last);
        if (extent->source == source)
            return extent;
    }
    for (guint i = 0; i < kind->extents->len; i++)
        if (g_array_index(kind->extents, Extent, i).source == source) {
            kind->last = i;
            return &g_array_index(kind->extents, Extent, i);
        }
    Extent extent = {.source = source, .ordered = TRUE};
    kind->last = kind->extents->len;
    g_array_append_val(kind->extents, extent);
    return &g_array_index(kind->extents, Extent, kind->last);
}

gint64 *drive_writer_n_chunks(DriveWriter *writer, RecordKind kind, gint64 source)
{
    return &find_extent(&writer->kinds[kind], source)->n_chunks;
}

static gboolean count_chunks(DriveWriter *writer, GError **error)
{
    sqlite3_stmt *stmt =
        drive_prepare(writer->db, writer->path,
                      "SELECT kind, source, max(seq) FROM chunks GROUP BY kind, source", error);
    if (stmt == NULL)
        return FALSE;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *table = (const char *)sqlite3_column_text(stmt, 0);
        const RecordType *type = table != NULL ? record_type_by_table(table) : NULL;
        if (type != NULL)
            *drive_writer_n_chunks(writer, type->kind, sqlite3_column_int64(stmt, 1)) =
                sqlite3_column_int64(stmt, 2);
    }
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
    return TRUE;
}

gboolean drive_writer_load_extents(DriveWriter *writer, GError **error)
{
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        g_array_set_size(writer->kinds[k].extents, 0);
        writer->kinds[k].last = 0;
    }
    sqlite3_stmt *stmt =
        drive_prepare(writer->db, writer->path,
                      "SELECT kind,source,n,first_ns,last_ns,ordered FROM extents", error);
    if (stmt == NULL)
        return FALSE;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *table = (const char *)sqlite3_column_text(stmt, 0); /* NULL if damaged */
        const RecordType *type = table != NULL ? record_type_by_table(table) : NULL;
        if (type == NULL)
            continue;
        Extent extent = {.source = sqlite3_column_int64(stmt, 1),
                         .n = sqlite3_column_int64(stmt, 2),
                         .first_ns = sqlite3_column_int64(stmt, 3),
                         .last_ns = sqlite3_column_int64(stmt, 4),
                         .ordered = sqlite3_column_int(stmt, 5) != 0};
        g_array_append_val(writer->kinds[type->kind].extents, extent);
    }
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
    if (!count_chunks(writer, error))
        return FALSE;
    stmt = drive_prepare(writer->db, writer->path, "SELECT max(id) FROM probes", error);
    if (stmt == NULL)
        return FALSE;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        writer->next_probe = sqlite3_column_int64(stmt, 0) + 1;
    sqlite3_finalize(stmt);
    return TRUE;
}

const gint64 *drive_writer_latest(DriveWriter *writer, RecordKind kind, gint64 source)
{
    const Extent *extent = find_extent(&writer->kinds[kind], source);
    return extent->n > 0 ? &extent->last_ns : NULL;
}

void drive_writer_mark_ordered(DriveWriter *writer, RecordKind kind)
{
    GArray *extents = writer->kinds[kind].extents;
    for (guint i = 0; i < extents->len; i++) {
        g_array_index(extents, Extent, i).ordered = TRUE;
        g_array_index(extents, Extent, i).dirty = TRUE;
    }
}

static void extent_add(Extent *extent, gint64 time_ns)
{
    if (extent->n == 0) {
        extent->first_ns = extent->last_ns = time_ns;
    } else if (time_ns < extent->last_ns) {
        extent->ordered = FALSE;
        extent->first_ns = MIN(extent->first_ns, time_ns);
    } else {
        extent->last_ns = time_ns;
    }
    extent->n++;
    extent->dirty = TRUE;
}

void drive_writer_see(DriveWriter *writer, RecordKind kind, gint64 source, gint64 time_ns)
{
    extent_add(find_extent(&writer->kinds[kind], source), time_ns);
}

void drive_writer_see_chunk(DriveWriter *writer, RecordKind kind, gint64 source, gint64 n,
                            gint64 first_ns, gint64 last_ns)
{
    Extent *extent = find_extent(&writer->kinds[kind], source);
    extent->first_ns = extent->n == 0 ? first_ns : MIN(extent->first_ns, first_ns);
    extent->last_ns = extent->n == 0 ? last_ns : MAX(extent->last_ns, last_ns);
    extent->n += n;
    extent->dirty = TRUE;
}

gboolean drive_writer_put_extents(DriveWriter *writer, GError **error)
{
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        GArray *extents = writer->kinds[k].extents;
        for (guint i = 0; i < extents->len; i++) {
            Extent *extent = &g_array_index(extents, Extent, i);
            if (!extent->dirty)
                continue;
            sqlite3_stmt *stmt = writer->put_extent;
            (void)sqlite3_bind_text(stmt, 1, record_type((RecordKind)k)->table, -1, SQLITE_STATIC);
            (void)sqlite3_bind_int64(stmt, 2, extent->source);
            (void)sqlite3_bind_int64(stmt, 3, extent->n);
            (void)sqlite3_bind_int64(stmt, 4, extent->first_ns);
            (void)sqlite3_bind_int64(stmt, 5, extent->last_ns);
            (void)sqlite3_bind_int(stmt, 6, extent->ordered ? 1 : 0);
            int rc = sqlite3_step(stmt);
            (void)sqlite3_reset(stmt);
            if (rc != SQLITE_DONE)
                return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be written");
            extent->dirty = FALSE;
        }
    }
    return TRUE;
}
