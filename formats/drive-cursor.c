/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. A cursor first gives the sealed chunks, source by source, then the live rows
 * of all sources. Rows of a source that lie, even in part, before its last chunk (something was
 * imported or came late after sealing) are merged with its chunks by time; such sources are left
 * out of the final pass over the live rows. So within a source times never descend, and memory is
 * one chunk and one batch.
 */
#include "formats/drive-file.h"
#include "formats/drive-schema.h"

#include <string.h>

enum { SMALL_SOURCES = 256 };

struct DriveCursor {
    Drive *drive;
    const RecordType *type;
    uint64_t columns;
    gint64 source, from_ns, to_ns;
    int time_column, source_column; /* record columns, -1 if the kind has none */

    GArray *refs; /* of ChunkRef, the sealed part */
    guint next_ref;
    ChunkStream *chunks;
    size_t chunk_at, chunk_end; /* rows of the loaded chunk still to give */
    GArray *merged;             /* sources whose rows are merged with their chunks */
    gint64 chunk_source;

    RowStream *rows; /* NULL when it gave its last row */
    gboolean rows_are_last, done;
    GStringChunk *text; /* of the rows at hand */
    uint64_t *known;
    void *storage[64]; /* the rows at hand, by record column */
    size_t row_at, row_end;
    uint64_t *merged_known; /* rows put together with those of a chunk; NULL until needed */
    void *merged_storage[64];

    Batch batch;
    int64_t last_small[SMALL_SOURCES]; /* last time seen by source */
    GHashTable *last_large;            /* the same for odd source numbers */
};

static uint64_t *allocate_batch(const DriveCursor *cursor, void *storage[64])
{
    for (unsigned c = 0; c < cursor->type->n_columns; c++)
        if ((cursor->columns >> c & 1U) != 0)
            storage[c] = g_malloc0(DRIVE_BATCH_ROWS * sizeof(int64_t));
    return g_new0(uint64_t, DRIVE_BATCH_ROWS);
}

/* Sources whose live rows begin before their last chunk ends. */
static gboolean find_merged(DriveCursor *cursor, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT source, min(time_ns) FROM main.%s GROUP BY source", cursor->type->table);
    sqlite3_stmt *stmt = drive_prepare(cursor->drive->db, cursor->drive->path, sql, error);
    if (stmt == NULL)
        return FALSE;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        gint64 source = sqlite3_column_int64(stmt, 0);
        gint64 first_ns = sqlite3_column_int64(stmt, 1);
        for (guint i = cursor->refs->len; i-- > 0;) {
            const ChunkRef *ref = &g_array_index(cursor->refs, ChunkRef, i);
            if (ref->source != source)
                continue;
            if (first_ns < ref->last_ns)
                g_array_append_val(cursor->merged, source);
            break;
        }
    }
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, cursor->drive->db, rc, cursor->drive->path,
                                  "cannot be read");
    return TRUE;
}

static gboolean is_merged(const DriveCursor *cursor, gint64 source)
{
    for (guint i = 0; i < cursor->merged->len; i++)
        if (g_array_index(cursor->merged, gint64, i) == source)
            return TRUE;
    return FALSE;
}

static gboolean open_sealed(DriveCursor *cursor, GError **error)
{
    RecordKind kind = cursor->type->kind;
    cursor->merged = g_array_new(FALSE, FALSE, sizeof(gint64));
    if (cursor->time_column < 0 || cursor->source_column < 0 || cursor->drive->rows_only) {
        cursor->refs = g_array_new(FALSE, FALSE, sizeof(ChunkRef));
        return TRUE;
    }
    cursor->refs = drive_chunk_refs(cursor->drive, kind, cursor->source, cursor->from_ns,
                                    cursor->to_ns, error);
    if (cursor->refs == NULL)
        return FALSE;
    if (cursor->refs->len == 0)
        return TRUE;
    cursor->chunks = chunk_stream_new(cursor->drive, kind, cursor->columns);
    return find_merged(cursor, error);
}

DriveCursor *drive_read(Drive *drive, RecordKind kind, uint64_t columns, gint64 source,
                        gint64 from_ns, gint64 to_ns, GError **error)
{
    g_autoptr(DriveCursor) cursor = g_new0(DriveCursor, 1);
    cursor->drive = drive;
    cursor->type = record_type(kind);
    cursor->time_column = record_find_column(cursor->type, "time_ns");
    cursor->source_column = record_find_column(cursor->type, "source");
    cursor->source = source;
    cursor->from_ns = from_ns;
    cursor->to_ns = to_ns;
    cursor->text = g_string_chunk_new(4096);
    cursor->last_large = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    for (unsigned i = 0; i < SMALL_SOURCES; i++)
        cursor->last_small[i] = INT64_MIN;
    uint64_t all =
        cursor->type->n_columns == 64 ? UINT64_MAX : (UINT64_C(1) << cursor->type->n_columns) - 1;
    cursor->columns = columns == 0 ? all : columns & all;
    if (cursor->time_column >= 0)
        cursor->columns |= UINT64_C(1) << cursor->time_column;
    if (cursor->source_column >= 0)
        cursor->columns |= UINT64_C(1) << cursor->source_column;
    cursor->known = allocate_batch(cursor, cursor->storage);
    if (!open_sealed(cursor, error))
        return NULL;
    return g_steal_pointer(&cursor);
}

void drive_cursor_free(DriveCursor *cursor)
{
    if (cursor == NULL)
        return;
    row_stream_free(cursor->rows);
    chunk_stream_free(cursor->chunks);
    if (cursor->refs != NULL)
        g_array_unref(cursor->refs);
    if (cursor->merged != NULL)
        g_array_unref(cursor->merged);
    for (unsigned c = 0; c < 64; c++) {
        g_free(cursor->storage[c]);
        g_free(cursor->merged_storage[c]);
    }
    g_free(cursor->known);
    g_free(cursor->merged_known);
    g_hash_table_unref(cursor->last_large);
    g_string_chunk_free(cursor->text);
    g_free(cursor);
}

static int64_t *last_time_of(DriveCursor *cursor, int64_t source)
{
    if (source >= 0 && source < SMALL_SOURCES)
        return &cursor->last_small[source];
    int64_t *last = g_hash_table_lookup(cursor->last_large, &source);
    if (last == NULL) {
        last = g_new(int64_t, 1);
        *last = INT64_MIN;
        g_hash_table_insert(cursor->last_large, g_memdup2(&source, sizeof source), last);
    }
    return last;
}

/* Someone may have edited the drive by hand: order is a promise to the caller, so it is checked. */
static gboolean check_order(DriveCursor *cursor, size_t i, GError **error)
{
    int64_t time_ns = ((const int64_t *)cursor->storage[cursor->time_column])[i];
    int64_t source = cursor->source_column >= 0
                         ? ((const int64_t *)cursor->storage[cursor->source_column])[i]
                         : 0;
    int64_t *last = last_time_of(cursor, source);
    if (time_ns < *last) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s: %s of source %" G_GINT64_FORMAT
                    " go back in time though the drive says they do not; `corridor recover` "
                    "puts them in order",
                    cursor->drive->path, cursor->type->table, source);
        return FALSE;
    }
    *last = time_ns;
    return TRUE;
}

/* ---- batches ---- */

static const Batch *make_batch(DriveCursor *cursor, const uint64_t *known, void *const storage[64],
                               size_t first, size_t n)
{
    cursor->batch.n = n;
    cursor->batch.known = known + first;
    for (unsigned c = 0; c < cursor->type->n_columns; c++)
        cursor->batch.column[c].i = storage[c] != NULL ? (const int64_t *)storage[c] + first : NULL;
    return &cursor->batch;
}

/* A piece of the loaded chunk, without copying. */
static const Batch *chunk_slice(DriveCursor *cursor)
{
    size_t n = MIN(cursor->chunk_end - cursor->chunk_at, (size_t)DRIVE_BATCH_ROWS);
    const Batch *batch = make_batch(cursor, chunk_stream_known(cursor->chunks),
                                    chunk_stream_storage(cursor->chunks), cursor->chunk_at, n);
    cursor->chunk_at += n;
    return batch;
}

static gboolean rows_waiting(const DriveCursor *cursor)
{
    return cursor->row_at < cursor->row_end;
}

/* Reads the next rows, when those at hand are used up. The texts of the ones before go. */
static gboolean fill_rows(DriveCursor *cursor, GError **error)
{
    if (cursor->rows == NULL || rows_waiting(cursor))
        return TRUE;
    g_string_chunk_clear(cursor->text);
    cursor->row_at = cursor->row_end = 0;
    size_t n = 0;
    if (!row_stream_fill(cursor->rows, cursor->storage, cursor->known, DRIVE_BATCH_ROWS,
                         cursor->text, &n, error))
        return FALSE;
    if (cursor->time_column >= 0 && !row_stream_sorted(cursor->rows))
        for (size_t i = 0; i < n; i++)
            if (!check_order(cursor, i, error))
                return FALSE;
    cursor->row_end = n;
    if (n < DRIVE_BATCH_ROWS)
        g_clear_pointer(&cursor->rows, row_stream_free);
    return TRUE;
}

static gboolean open_rows(DriveCursor *cursor, gint64 source, const GArray *excluded,
                          GError **error)
{
    cursor->rows = row_stream_new(cursor->drive, cursor->type->kind, cursor->columns, source,
                                  excluded, cursor->from_ns, cursor->to_ns, error);
    return cursor->rows != NULL && fill_rows(cursor, error);
}

static void take_from(DriveCursor *cursor, size_t to, const uint64_t *known,
                      void *const storage[64], size_t from)
{
    cursor->merged_known[to] = known[from];
    for (unsigned c = 0; c < cursor->type->n_columns; c++) {
        if (cursor->merged_storage[c] == NULL)
            continue;
        int64_t *element = (int64_t *)cursor->merged_storage[c] + to;
        if (storage[c] != NULL)
            memcpy(element, (const int64_t *)storage[c] + from, sizeof *element);
        else
            *element = 0;
    }
}

/* Ends with the chunk or with the rows at hand, because their texts do. */
static const Batch *merged_batch(DriveCursor *cursor)
{
    if (cursor->merged_known == NULL)
        cursor->merged_known = allocate_batch(cursor, cursor->merged_storage);
    void *const *chunk = chunk_stream_storage(cursor->chunks);
    const int64_t *chunk_ns = chunk[cursor->time_column],
                  *row_ns = cursor->storage[cursor->time_column];
    size_t i = 0;
    for (; i < DRIVE_BATCH_ROWS && cursor->chunk_at < cursor->chunk_end && rows_waiting(cursor);
         i++)
        if (row_ns[cursor->row_at] < chunk_ns[cursor->chunk_at])
            take_from(cursor, i, cursor->known, cursor->storage, cursor->row_at++);
        else
            take_from(cursor, i, chunk_stream_known(cursor->chunks), chunk, cursor->chunk_at++);
    return make_batch(cursor, cursor->merged_known, cursor->merged_storage, 0, i);
}

static const Batch *row_batch(DriveCursor *cursor)
{
    size_t first = cursor->row_at;
    cursor->row_at = cursor->row_end;
    return make_batch(cursor, cursor->known, cursor->storage, first, cursor->row_end - first);
}

/* Loads the next chunk and trims it to the range. */
static gboolean next_chunk(DriveCursor *cursor, GError **error)
{
    const ChunkRef *ref = &g_array_index(cursor->refs, ChunkRef, cursor->next_ref);
    if (ref->source != cursor->chunk_source) {
        cursor->chunk_source = ref->source;
        if (is_merged(cursor, ref->source) && !open_rows(cursor, ref->source, NULL, error))
            return FALSE;
    }
    cursor->next_ref++;
    size_t n = chunk_stream_load(cursor->chunks, ref);
    const int64_t *times = chunk_stream_storage(cursor->chunks)[cursor->time_column];
    cursor->chunk_at = 0;
    cursor->chunk_end = n;
    while (cursor->chunk_at < n && times[cursor->chunk_at] < cursor->from_ns)
        cursor->chunk_at++;
    while (cursor->chunk_end > cursor->chunk_at && cursor->to_ns != INT64_MAX &&
           times[cursor->chunk_end - 1] >= cursor->to_ns)
        cursor->chunk_end--;
    return TRUE;
}

static gboolean source_is_over(const DriveCursor *cursor)
{
    return cursor->next_ref >= cursor->refs->len ||
           g_array_index(cursor->refs, ChunkRef, cursor->next_ref).source != cursor->chunk_source;
}

static const Batch *next_batch(DriveCursor *cursor, GError **error)
{
    for (;;) {
        if (!fill_rows(cursor, error))
            return NULL;
        if (cursor->chunk_at < cursor->chunk_end)
            return rows_waiting(cursor) ? merged_batch(cursor) : chunk_slice(cursor);
        if (rows_waiting(cursor) && (cursor->rows_are_last || source_is_over(cursor)))
            return row_batch(cursor);
        if (cursor->next_ref < cursor->refs->len) {
            if (!next_chunk(cursor, error))
                return NULL;
        } else if (!cursor->rows_are_last) {
            cursor->rows_are_last = TRUE;
            if (cursor->source != 0 && is_merged(cursor, cursor->source))
                return NULL;
            if (!open_rows(cursor, cursor->source, cursor->merged, error))
                return NULL;
        } else {
            return NULL;
        }
    }
}

const Batch *drive_next(DriveCursor *cursor, GError **error)
{
    if (cursor->done)
        return NULL;
    const Batch *batch = next_batch(cursor, error);
    if (batch == NULL)
        cursor->done = TRUE;
    return batch;
}

void batch_get(const Batch *batch, RecordKind kind, size_t i, void *record)
{
    const RecordType *type = record_type(kind);
    memset(record, 0, type->size);
    *(uint64_t *)record = batch->known[i];
    for (unsigned c = 0; c < type->n_columns; c++) {
        char *field = (char *)record + type->columns[c].offset;
        if (batch->column[c].i == NULL)
            continue;
        switch (type->columns[c].type) {
        case COLUMN_INT:
            *(int64_t *)(void *)field = batch->column[c].i[i];
            break;
        case COLUMN_REAL:
            *(double *)(void *)field = batch->column[c].r[i];
            break;
        case COLUMN_TEXT:
            *(const char **)(void *)field = batch->column[c].t[i];
            break;
        case COLUMN_ENUM:
            *(int *)(void *)field = (int)batch->column[c].i[i];
            break;
        }
    }
}
