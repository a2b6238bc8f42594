/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/drive-file.h"
#include "formats/drive-schema.h"

#include <string.h>

struct ChunkStream {
    Drive *drive;
    const RecordType *type;
    uint64_t columns;
    ChunkFetcher *fetcher;
    Chunk *chunk;
    void *storage[64];
    uint64_t *known;
};

static gint compare_refs(gconstpointer a, gconstpointer b)
{
    const ChunkRef *x = a;
    const ChunkRef *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Whether the chunk's own directory agrees with what the table says of its times. */
static gboolean is_honest(Drive *drive, const RecordType *type, const ChunkRef *ref)
{
    g_autoptr(ChunkFetcher) fetcher = chunk_fetcher_new(drive);
    g_autoptr(Chunk) chunk = chunk_fetcher_open(fetcher, type->kind, ref->id, NULL);
    const ChunkColumnInfo *times =
        chunk != NULL ? chunk_column(chunk, (unsigned)record_find_column(type, "time_ns")) : NULL;
    return times != NULL && times->min.i == ref->first_ns && times->max.i == ref->last_ns;
}

static gboolean is_possible(const ChunkRef *ref)
{
    return ref->n >= 1 && ref->n <= CHUNK_ROWS && ref->first_ns <= ref->last_ns;
}

static void note_dropped(Drive *drive, const RecordType *type, const ChunkRef *ref, const char *why)
{
    drive_note_problem(
        drive, "chunk %" G_GINT64_FORMAT " of %s: %s; its %" G_GINT64_FORMAT " rows are left out",
        ref->id, type->table, why, ref->n);
}

static guint hash_ref(gconstpointer data)
{
    const ChunkRef *ref = data;
    return g_int64_hash(&ref->source) * 31 + g_int64_hash(&ref->seq);
}

static gboolean is_same_ref(gconstpointer a, gconstpointer b)
{
    const ChunkRef *x = a;
    const ChunkRef *y = b;
    return x->source == y->source && x->seq == y->seq;
}

/* Notes holes in the numbering, but for chunks that were left out, which were named already. */
static void check_numbers(Drive *drive, const RecordType *type, const GArray *refs,
                          GHashTable *left_out)
{
    gint64 source = 0;
    gint64 expected = 1;
    for (guint i = 0; i < refs->len; i++) {
        const ChunkRef *ref = &g_array_index(refs, ChunkRef, i);
        if (i == 0 || ref->source != source)
            expected = 1;
        source = ref->source;
        ChunkRef at = {.source = source, .seq = expected};
        while (at.seq != ref->seq && g_hash_table_contains(left_out, &at))
            at.seq++;
        if (at.seq != ref->seq)
            drive_note_problem(drive,
                               "chunks of %s, source %" G_GINT64_FORMAT ": number %" G_GINT64_FORMAT
                               " is missing",
                               type->table, source, at.seq);
        expected = ref->seq < G_MAXINT64 ? ref->seq + 1 : ref->seq;
    }
}

/* Leaves out chunks that contradict their neighbours. Of two that overlap, the one whose own
 * directory disagrees with the table is the liar. */
static void check_refs(Drive *drive, const RecordType *type, GArray *refs)
{
    g_autoptr(GHashTable) left_out = g_hash_table_new_full(hash_ref, is_same_ref, g_free, NULL);
    guint kept = 0;
    for (guint i = 0; i < refs->len; i++) {
        ChunkRef ref = g_array_index(refs, ChunkRef, i);
        const char *why = is_possible(&ref) ? NULL : "impossible counts or times";
        while (why == NULL && kept > 0) {
            ChunkRef previous = g_array_index(refs, ChunkRef, kept - 1);
            if (previous.source != ref.source || ref.first_ns >= previous.last_ns)
                break;
            if (is_honest(drive, type, &previous)) {
                why = "overlaps the chunk before it in time";
                break;
            }
            note_dropped(drive, type, &previous, "other times than the table says");
            g_hash_table_add(left_out, g_memdup2(&previous, sizeof previous));
            kept--;
        }
        if (why == NULL) {
            g_array_index(refs, ChunkRef, kept++) = ref;
            continue;
        }
        note_dropped(drive, type, &ref, why);
        g_hash_table_add(left_out, g_memdup2(&ref, sizeof ref));
    }
    g_array_set_size(refs, kept);
    check_numbers(drive, type, refs, left_out);
}

GArray *drive_chunk_refs(Drive *drive, RecordKind kind, gint64 source, gint64 from_ns, gint64 to_ns,
                         GError **error)
{
    const RecordType *type = record_type(kind);
    sqlite3_stmt *stmt =
        drive_prepare(drive->db, drive->path,
                      "SELECT id, source, seq, n, first_ns, last_ns FROM main.chunks"
                      " WHERE kind = ?1 AND (?2 = 0 OR source = ?2)",
                      error);
    if (stmt == NULL)
        return NULL;
    (void)sqlite3_bind_text(stmt, 1, type->table, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, source);
    g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, sizeof(ChunkRef));
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        ChunkRef ref = {
            .id = sqlite3_column_int64(stmt, 0),
            .source = sqlite3_column_int64(stmt, 1),
            .seq = sqlite3_column_int64(stmt, 2),
            .n = sqlite3_column_int64(stmt, 3),
            .first_ns = sqlite3_column_int64(stmt, 4),
            .last_ns = sqlite3_column_int64(stmt, 5),
        };
        g_array_append_val(refs, ref);
    }
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE) {
        drive_sqlite_error(error, drive->db, rc, drive->path, "cannot be read");
        return NULL;
    }
    g_array_sort(refs, compare_refs);
    check_refs(drive, type, refs);
    guint kept = 0;
    for (guint i = 0; i < refs->len; i++) {
        ChunkRef ref = g_array_index(refs, ChunkRef, i);
        if (ref.last_ns >= from_ns && ref.first_ns < to_ns)
            g_array_index(refs, ChunkRef, kept++) = ref;
    }
    g_array_set_size(refs, kept);
    return g_steal_pointer(&refs);
}

ChunkStream *chunk_stream_new(Drive *drive, RecordKind kind, uint64_t columns)
{
    ChunkStream *stream = g_new0(ChunkStream, 1);
    stream->drive = drive;
    stream->type = record_type(kind);
    stream->columns = columns;
    stream->fetcher = chunk_fetcher_new(drive);
    stream->known = g_new0(uint64_t, CHUNK_ROWS);
    for (unsigned c = 0; c < stream->type->n_columns; c++)
        if ((columns >> c & 1U) != 0)
            stream->storage[c] = g_malloc0(CHUNK_ROWS * sizeof(int64_t));
    return stream;
}

void chunk_stream_free(ChunkStream *stream)
{
    if (stream == NULL)
        return;
    chunk_free(stream->chunk);
    chunk_fetcher_free(stream->fetcher);
    for (unsigned c = 0; c < 64; c++)
        g_free(stream->storage[c]);
    g_free(stream->known);
    g_free(stream);
}

static gboolean check_against_ref(const ChunkStream *stream, const ChunkRef *ref)
{
    int t = record_find_column(stream->type, "time_ns");
    int s = record_find_column(stream->type, "source");
    size_t n = chunk_rows(stream->chunk);
    const int64_t *times = stream->storage[t];
    if ((gint64)n != ref->n || times[0] != ref->first_ns || times[n - 1] != ref->last_ns)
        return FALSE;
    if (s < 0 || stream->storage[s] == NULL)
        return TRUE;
    const int64_t *sources = stream->storage[s];
    for (size_t i = 0; i < n; i++)
        if (sources[i] != ref->source)
            return FALSE;
    return TRUE;
}

size_t chunk_stream_load(ChunkStream *stream, const ChunkRef *ref)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Chunk) before = g_steal_pointer(&stream->chunk);
    stream->chunk = chunk_fetcher_open(stream->fetcher, stream->type->kind, ref->id, &error);
    if (stream->chunk != NULL)
        chunk_take_scratch(stream->chunk, before);
    if (stream->chunk != NULL &&
        chunk_decode(stream->chunk, stream->columns, stream->storage, stream->known, &error)) {
        if (check_against_ref(stream, ref))
            return chunk_rows(stream->chunk);
        g_set_error_literal(&error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                            "rows, times or source differ from what the table says");
    }
    drive_note_problem(stream->drive,
                       "chunk %" G_GINT64_FORMAT " of %s: %s; its %" G_GINT64_FORMAT
                       " rows are lost",
                       ref->id, stream->type->table, error->message, ref->n);
    return 0;
}

void *const *chunk_stream_storage(const ChunkStream *stream)
{
    return stream->storage;
}

const uint64_t *chunk_stream_known(const ChunkStream *stream)
{
    return stream->known;
}
