/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live part of a drive: plain rows, into columns that the caller owns.
 *
 * Rows are taken inside SQLite, by a function that stands in the condition of the query and is true
 * only when the columns are full: the values come as arguments, so that neither each row nor each
 * value costs a call through SQLite's interface (bench-analyze: a fifth faster than a plain loop
 * over sqlite3_column_double()). Rows that SQLite must sort are taken after sorting, one by one.
 */
#include "formats/drive-file.h"
#include "formats/drive-schema.h"

#include <string.h>

#define TAKE_ROW "corridor_take_row"
/* Parameters of the query: from, to, the stream. */
enum { PARAMETER_STREAM = 3, RECENT_TEXTS = 8 };

struct RowStream {
    Drive *drive;
    const RecordType *type;
    sqlite3_stmt *stmt;
    unsigned n_columns;     /* of the statement */
    unsigned column_of[64]; /* statement column -> record column */
    gboolean sorted;

    /* where the rows go, while row_stream_fill() runs */
    void *const *storage;
    uint64_t *known;
    size_t n, most;
    GStringChunk *text;
    struct {
        const char *text[RECENT_TEXTS];
        int length[RECENT_TEXTS];
        unsigned next;
    } recent[64]; /* texts of this filling, by record column */
};

/* Columns that this file has (an older format may lack some), as a mask. */
static uint64_t columns_present(Drive *drive, const RecordType *type, GError **error)
{
    uint64_t mask = 0;
    for (unsigned c = 0; c < type->n_columns; c++)
        if (drive_schema_has(drive->db, type->table, type->columns[c].name))
            mask |= UINT64_C(1) << c;
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

static void append_condition(GString *sql, const RowStream *stream, gint64 source,
                             const GArray *excluded, gboolean in_range)
{
    g_string_append(sql, "1");
    if (source != 0)
        g_string_append_printf(sql, " AND source = %" G_GINT64_FORMAT, source);
    for (guint i = 0; excluded != NULL && i < excluded->len; i++)
        g_string_append_printf(sql, " AND source IS NOT %" G_GINT64_FORMAT,
                               g_array_index(excluded, gint64, i));
    if (in_range && record_find_column(stream->type, "time_ns") >= 0)
        g_string_append(sql, " AND time_ns >= ?1 AND time_ns < ?2");
}

static char *stream_sql(RowStream *stream, uint64_t mask, gint64 source, const GArray *excluded,
                        gboolean in_range)
{
    const RecordType *type = stream->type;
    g_autoptr(GString) columns = g_string_new(NULL);
    for (unsigned c = 0; c < type->n_columns; c++) {
        if (((mask >> c) & 1U) == 0)
            continue;
        g_string_append_printf(columns, "%s%s", stream->n_columns > 0 ? "," : "",
                               type->columns[c].name);
        stream->column_of[stream->n_columns++] = c;
    }
    GString *sql = g_string_new("SELECT ");
    if (stream->sorted) {
        g_string_append_printf(sql, "%s FROM main.%s WHERE ", columns->str, type->table);
        append_condition(sql, stream, source, excluded, in_range);
        g_string_append(sql, " ORDER BY time_ns, rowid");
        return g_string_free(sql, FALSE);
    }
    /* CASE: the function must not be called for rows that are not wanted */
    g_string_append_printf(sql, "1 FROM main.%s WHERE CASE WHEN ", type->table);
    append_condition(sql, stream, source, excluded, in_range);
    g_string_append_printf(sql, " THEN " TAKE_ROW "(?%d,%s) ELSE 0 END ORDER BY %s",
                           PARAMETER_STREAM, columns->str,
                           record_find_column(type, "time_ns") < 0 ? "id" : "rowid");
    return g_string_free(sql, FALSE);
}

/* ---- values ---- */

/* Text that repeats (PLMN, target), in turn for several sources, is kept once per filling. */
static const char *keep_text(RowStream *stream, unsigned column, const char *text, int length)
{
    for (unsigned i = 0; i < RECENT_TEXTS; i++)
        if (stream->recent[column].text[i] != NULL && stream->recent[column].length[i] == length &&
            memcmp(stream->recent[column].text[i], text, (size_t)length) == 0)
            return stream->recent[column].text[i];
    unsigned next = stream->recent[column].next++ % RECENT_TEXTS;
    stream->recent[column].length[next] = length;
    return stream->recent[column].text[next] =
               g_string_chunk_insert_len(stream->text, text, length);
}

static int enum_value(const RecordColumn *column, int64_t previous, const char *text, size_t length)
{
    if (previous < column->enum_count) {
        const char *name = column->enum_names[previous];
        if (strncmp(name, text, length) == 0 && name[length] == '\0')
            return (int)previous;
    }
    return record_enum_value(column, text, length);
}

/* Puts one value into element i of its column. FALSE if there is none of that type. */
static gboolean take_value(RowStream *stream, unsigned c, sqlite3_value *value)
{
    const RecordColumn *column = &stream->type->columns[c];
    int type = sqlite3_value_type(value);
    size_t i = stream->n;
    int64_t *ints = stream->storage[c];
    ints[i] = 0; /* all types: 0, 0.0 or NULL */
    if (type == SQLITE_NULL)
        return FALSE;
    switch (column->type) {
    case COLUMN_INT:
        if (type == SQLITE_INTEGER)
            ints[i] = sqlite3_value_int64(value);
        return type == SQLITE_INTEGER;
    case COLUMN_REAL:
        ((double *)stream->storage[c])[i] = sqlite3_value_double(value);
        return type == SQLITE_FLOAT || type == SQLITE_INTEGER;
    case COLUMN_TEXT:
    case COLUMN_ENUM:
        break;
    }
    const char *text = (const char *)sqlite3_value_text(value);
    int length = sqlite3_value_bytes(value);
    if (type != SQLITE_TEXT || text == NULL)
        return FALSE;
    if (column->type == COLUMN_TEXT) {
        ((const char **)stream->storage[c])[i] = keep_text(stream, c, text, length);
        return TRUE;
    }
    int found = enum_value(column, i > 0 ? ints[i - 1] : 0, text, (size_t)length);
    ints[i] = found < 0 ? 0 : found;
    return found >= 0;
}

/* The SQL function; returns whether the columns are full. */
static void take_row(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    RowStream *stream = sqlite3_value_pointer(argv[0], TAKE_ROW);
    if (stream == NULL || stream->storage == NULL || stream->n >= stream->most ||
        (unsigned)argc != stream->n_columns + 1)
        return;
    uint64_t known = 0;
    for (unsigned s = 0; s < stream->n_columns; s++)
        if (take_value(stream, stream->column_of[s], argv[s + 1]))
            known |= UINT64_C(1) << stream->column_of[s];
    stream->known[stream->n++] = known;
    sqlite3_result_int(context, stream->n == stream->most);
}

static void take_sorted_row(RowStream *stream)
{
    uint64_t known = 0;
    for (unsigned s = 0; s < stream->n_columns; s++)
        if (take_value(stream, stream->column_of[s], sqlite3_column_value(stream->stmt, (int)s)))
            known |= UINT64_C(1) << stream->column_of[s];
    stream->known[stream->n++] = known;
}

/* ---- the stream ---- */

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
    stream->sorted =
        record_find_column(stream->type, "time_ns") >= 0 && needs_sort(drive, stream->type);
    if (record_find_column(stream->type, "source") < 0)
        source = 0;
    if (!stream->sorted && !drive->takes_rows) {
        int rc = sqlite3_create_function(drive->db, TAKE_ROW, -1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                         NULL, take_row, NULL, NULL);
        if (rc != SQLITE_OK) {
            drive_sqlite_error(error, drive->db, rc, drive->path, "cannot be read");
            return NULL;
        }
        drive->takes_rows = TRUE;
    }
    g_autofree char *sql = stream_sql(stream, columns & present, source, excluded, in_range);
    stream->stmt = drive_prepare(drive->db, drive->path, sql, error);
    if (stream->stmt == NULL)
        return NULL;
    if (in_range) {
        (void)sqlite3_bind_int64(stream->stmt, 1, from_ns);
        (void)sqlite3_bind_int64(stream->stmt, 2, to_ns);
    }
    if (!stream->sorted)
        (void)sqlite3_bind_pointer(stream->stmt, PARAMETER_STREAM, stream, TAKE_ROW, NULL);
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

gboolean row_stream_fill(RowStream *stream, void *const storage[64], uint64_t *known, size_t most,
                         GStringChunk *text, size_t *n, GError **error)
{
    stream->storage = storage;
    stream->known = known;
    stream->n = 0;
    stream->most = most;
    stream->text = text;
    memset(stream->recent, 0, sizeof stream->recent);
    int rc = SQLITE_ROW;
    while (stream->n < most && (rc = sqlite3_step(stream->stmt)) == SQLITE_ROW)
        if (stream->sorted)
            take_sorted_row(stream);
    *n = stream->n;
    stream->storage = NULL;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return TRUE;
    return drive_sqlite_error(error, stream->drive->db, rc, stream->drive->path, "cannot be read");
}
