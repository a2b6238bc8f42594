/* SPDX-License-Identifier: Apache-2.0 */
/* The live part of a drive: plain rows, one at a time, into columns that the caller owns. */
#include "formats/drive-file.h"
#include "formats/drive-schema.h"

#include <string.h>

struct RowStream {
    Drive *drive;
    const RecordType *type;
    sqlite3_stmt *stmt;
    unsigned n_columns;     /* of the statement */
    unsigned column_of[64]; /* statement column -> record column */
    int time_at;            /* statement column of time_ns, -1 if the kind has none */
    gboolean sorted;
};

/* Columns that this file has (an older format may lack some), as a mask. */
static uint64_t columns_present(Drive *drive, const RecordType *type, GError **error)
{
    uint64_t mask = 0;
    sqlite3_stmt *stmt = drive_prepare(
        drive->db, drive->path, "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", error);
    if (stmt == NULL)
        return 0;
    (void)sqlite3_bind_text(stmt, 1, type->table, -1, SQLITE_STATIC);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        for (unsigned c = 0; name != NULL && c < type->n_columns; c++)
            if (strcmp(type->columns[c].name, name) == 0)
                mask |= UINT64_C(1) << c;
    }
    sqlite3_finalize(stmt);
    if (mask == 0)
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s: has no table %s; `corridor recover` saves what can be read", drive->path,
                    type->table);
    return mask;
}

/* Whether rows of this kind may go back in time within a source. */
static gboolean needs_sort(Drive *drive, const RecordType *type)
{
    sqlite3_stmt *stmt = drive_prepare(
        drive->db, drive->path, "SELECT 1 FROM extents WHERE kind = ? AND ordered = 0", NULL);
    if (stmt == NULL)
        return TRUE;
    (void)sqlite3_bind_text(stmt, 1, type->table, -1, SQLITE_STATIC);
    gboolean unordered = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return unordered;
}

static char *stream_sql(RowStream *stream, uint64_t mask, gint64 source, const GArray *excluded,
                        gboolean in_range)
{
    const RecordType *type = stream->type;
    GString *sql = g_string_new("SELECT ");
    stream->time_at = -1;
    for (unsigned c = 0; c < type->n_columns; c++) {
        if (((mask >> c) & 1U) == 0)
            continue;
        if (strcmp(type->columns[c].name, "time_ns") == 0)
            stream->time_at = (int)stream->n_columns;
        g_string_append_printf(sql, "%s%s", stream->n_columns > 0 ? "," : "",
                               type->columns[c].name);
        stream->column_of[stream->n_columns++] = c;
    }
    g_string_append_printf(sql, " FROM main.%s WHERE 1", type->table);
    if (source != 0)
        g_string_append_printf(sql, " AND source = %" G_GINT64_FORMAT, source);
    for (guint i = 0; excluded != NULL && i < excluded->len; i++)
        g_string_append_printf(sql, " AND source IS NOT %" G_GINT64_FORMAT,
                               g_array_index(excluded, gint64, i));
    if (in_range && stream->time_at >= 0)
        g_string_append(sql, " AND time_ns >= ?1 AND time_ns < ?2");
    if (stream->time_at < 0)
        g_string_append(sql, " ORDER BY id");
    else
        g_string_append(sql, stream->sorted ? " ORDER BY time_ns, rowid" : " ORDER BY rowid");
    return g_string_free(sql, FALSE);
}

RowStream *row_stream_new(Drive *drive, RecordKind kind, uint64_t columns, gint64 source,
                          const GArray *excluded, gint64 from_ns, gint64 to_ns, GError **error)
{
    g_autoptr(RowStream) stream = g_new0(RowStream, 1);
    stream->drive = drive;
    stream->type = record_type(kind);
    uint64_t present = columns_present(drive, stream->type, error);
    if (present == 0)
        return NULL;
    gboolean in_range = from_ns != INT64_MIN || to_ns != INT64_MAX;
    stream->sorted = needs_sort(drive, stream->type);
    if (record_find_column(stream->type, "source") < 0)
        source = 0;
    g_autofree char *sql = stream_sql(stream, columns & present, source, excluded, in_range);
    stream->stmt = drive_prepare(drive->db, drive->path, sql, error);
    if (stream->stmt == NULL)
        return NULL;
    if (in_range && stream->time_at >= 0) {
        (void)sqlite3_bind_int64(stream->stmt, 1, from_ns);
        (void)sqlite3_bind_int64(stream->stmt, 2, to_ns);
    }
    return g_steal_pointer(&stream);
}

void row_stream_free(RowStream *stream)
{
    if (stream == NULL)
        return;
    sqlite3_finalize(stream->stmt);
    g_free(stream);
}

gboolean row_stream_sorted(const RowStream *stream)
{
    return stream->sorted;
}

RowStep row_stream_step(RowStream *stream, GError **error)
{
    int rc = sqlite3_step(stream->stmt);
    if (rc == SQLITE_ROW)
        return ROW_STEP_ROW;
    if (rc == SQLITE_DONE)
        return ROW_STEP_END;
    drive_sqlite_error(error, stream->drive->db, rc, stream->drive->path, "cannot be read");
    return ROW_STEP_FAILED;
}

int64_t row_stream_time_ns(const RowStream *stream)
{
    return stream->time_at >= 0 ? sqlite3_column_int64(stream->stmt, stream->time_at) : 0;
}

/* Text that repeats from row to row (PLMN, target) is kept once per batch. */
static const char *keep_text(const char **column, size_t i, const char *text, size_t length,
                             GStringChunk *chunk)
{
    if (i > 0 && column[i - 1] != NULL && strncmp(column[i - 1], text, length) == 0 &&
        column[i - 1][length] == '\0')
        return column[i - 1];
    return g_string_chunk_insert_len(chunk, text, (gssize)length);
}

static int enum_value(const RecordColumn *column, int64_t *previous, const char *text,
                      size_t length)
{
    if (previous != NULL && *previous < column->enum_count) {
        const char *name = column->enum_names[*previous];
        if (strncmp(name, text, length) == 0 && name[length] == '\0')
            return (int)*previous;
    }
    return record_enum_value(column, text, length);
}

static gboolean take_value(RowStream *stream, unsigned s, void *const storage[64], size_t i,
                           GStringChunk *text_chunk)
{
    unsigned c = stream->column_of[s];
    const RecordColumn *column = &stream->type->columns[c];
    sqlite3_stmt *stmt = stream->stmt;
    int type = sqlite3_column_type(stmt, (int)s);
    int64_t *ints = storage[c];
    ints[i] = 0; /* all types: 0, 0.0 or NULL */
    if (type == SQLITE_NULL)
        return FALSE;
    switch (column->type) {
    case COLUMN_INT:
        ints[i] = sqlite3_column_int64(stmt, (int)s);
        return type == SQLITE_INTEGER;
    case COLUMN_REAL:
        ((double *)storage[c])[i] = sqlite3_column_double(stmt, (int)s);
        return type == SQLITE_FLOAT || type == SQLITE_INTEGER;
    case COLUMN_TEXT:
    case COLUMN_ENUM:
        break;
    }
    const char *text = (const char *)sqlite3_column_text(stmt, (int)s);
    size_t length = (size_t)sqlite3_column_bytes(stmt, (int)s);
    if (type != SQLITE_TEXT || text == NULL)
        return FALSE;
    if (column->type == COLUMN_TEXT) {
        ((const char **)storage[c])[i] = keep_text(storage[c], i, text, length, text_chunk);
        return TRUE;
    }
    int value = enum_value(column, i > 0 ? &ints[i - 1] : NULL, text, length);
    ints[i] = value < 0 ? 0 : value;
    return value >= 0;
}

uint64_t row_stream_take(RowStream *stream, void *const storage[64], size_t i, GStringChunk *text)
{
    uint64_t known = 0;
    for (unsigned s = 0; s < stream->n_columns; s++)
        if (take_value(stream, s, storage, i, text))
            known |= UINT64_C(1) << stream->column_of[s];
    return known;
}
