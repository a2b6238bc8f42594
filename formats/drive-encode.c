/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks are encoded and verified by other threads while rows are read; they are stored in the
 * order in which they were handed over, so that the same rows give the same file. The threads take
 * the priority of the one that writes. With one processor all happens in place.
 */
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

enum { MAX_THREADS = 3, MAX_WAITING = 6 };

typedef struct {
    RecordKind kind;
    ChunkRow row;
    ChunkBuilder *builder;
    GByteArray *bytes;
    gboolean bare; /* the bytes are for a pack */
    GError *error;
    gboolean done;
} Job;

struct ChunkQueue {
    GThreadPool *pool; /* NULL: one processor */
    GMutex lock;
    GCond finished;
    GQueue jobs; /* of Job, in order */
    ChunkBuilder *spare[RECORD_KIND_COUNT];
    PackBuilder *pack; /* small chunks of one kind */
};

static void job_free(Job *job)
{
    chunk_builder_free(job->builder);
    if (job->bytes != NULL)
        g_byte_array_unref(job->bytes);
    g_clear_error(&job->error);
    g_free(job);
}

static void encode(gpointer data, gpointer user_data)
{
    Job *job = data;
    ChunkQueue *queue = user_data;
    GError *error = NULL;
    gboolean bare = FALSE;
    GByteArray *bytes = chunk_builder_finish_small(job->builder, &bare, &error);
    g_mutex_lock(&queue->lock);
    job->bytes = bytes;
    job->bare = bare;
    job->error = error;
    job->done = TRUE;
    g_cond_signal(&queue->finished);
    g_mutex_unlock(&queue->lock);
}

static ChunkQueue *queue_new(void)
{
    ChunkQueue *queue = g_new0(ChunkQueue, 1);
    g_mutex_init(&queue->lock);
    g_cond_init(&queue->finished);
    g_queue_init(&queue->jobs);
    queue->pack = pack_builder_new();
    guint processors = g_get_num_processors();
    if (processors > 1)
        queue->pool =
            g_thread_pool_new(encode, queue, (gint)MIN(processors - 1, MAX_THREADS), TRUE, NULL);
    return queue;
}

void chunk_queue_free(ChunkQueue *queue)
{
    if (queue == NULL)
        return;
    if (queue->pool != NULL)
        g_thread_pool_free(queue->pool, FALSE, TRUE);
    g_queue_clear_full(&queue->jobs, (GDestroyNotify)job_free);
    for (int k = 0; k < RECORD_KIND_COUNT; k++)
        chunk_builder_free(queue->spare[k]);
    pack_builder_free(queue->pack);
    g_mutex_clear(&queue->lock);
    g_cond_clear(&queue->finished);
    g_free(queue);
}

gboolean drive_insert_chunk(DriveWriter *writer, const ChunkRow *row, const GByteArray *data,
                            GError **error)
{
    if (writer->put_chunk == NULL)
        writer->put_chunk =
            drive_prepare(writer->db, writer->path,
                          "INSERT INTO chunks (kind, source, seq, n, first_ns, last_ns, data)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                          error);
    if (writer->put_chunk == NULL || !drive_writer_begin(writer, error) ||
        !drive_writer_raise_version(writer, error))
        return FALSE;
    sqlite3_stmt *stmt = writer->put_chunk;
    (void)sqlite3_bind_text(stmt, 1, row->kind, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, row->source);
    (void)sqlite3_bind_int64(stmt, 3, row->seq);
    (void)sqlite3_bind_int64(stmt, 4, row->n);
    (void)sqlite3_bind_int64(stmt, 5, row->first_ns);
    (void)sqlite3_bind_int64(stmt, 6, row->last_ns);
    (void)sqlite3_bind_blob64(stmt, 7, data->data, data->len, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be written");
    return TRUE;
}

/* Waits for the oldest chunk and stores it. */
static gboolean take_one(DriveWriter *writer, GError **error)
{
    ChunkQueue *queue = writer->queue;
    Job *job = g_queue_pop_head(&queue->jobs);
    g_mutex_lock(&queue->lock);
    while (!job->done)
        g_cond_wait(&queue->finished, &queue->lock);
    g_mutex_unlock(&queue->lock);
    gboolean stored = FALSE;
    if (job->bytes == NULL)
        g_propagate_error(error, g_steal_pointer(&job->error));
    else if (job->bare)
        stored = pack_builder_add(queue->pack, writer, &job->row, job->bytes, error);
    else
        stored = drive_insert_chunk(writer, &job->row, job->bytes, error);
    if (queue->spare[job->kind] == NULL)
        queue->spare[job->kind] = g_steal_pointer(&job->builder);
    job_free(job);
    return stored;
}

gboolean drive_put_chunk(DriveWriter *writer, RecordKind kind, gint64 source, ChunkBuilder *builder,
                         GError **error)
{
    if (writer->queue == NULL)
        writer->queue = queue_new();
    ChunkQueue *queue = writer->queue;
    Job *job = g_new0(Job, 1);
    job->kind = kind;
    job->row = (ChunkRow){
        .kind = record_type(kind)->table,
        .source = source,
        .seq = ++*drive_writer_n_chunks(writer, kind, source),
        .n = (gint64)chunk_builder_rows(builder),
        .first_ns = chunk_builder_first_ns(builder),
        .last_ns = chunk_builder_last_ns(builder),
    };
    job->builder = g_steal_pointer(&queue->spare[kind]);
    if (job->builder == NULL)
        job->builder = chunk_builder_new(kind);
    chunk_builder_swap(job->builder, builder);
    g_queue_push_tail(&queue->jobs, job);
    if (queue->pool == NULL) {
        encode(job, queue);
        return take_one(writer, error);
    }
    (void)g_thread_pool_push(queue->pool, job, NULL);
    while (g_queue_get_length(&queue->jobs) > MAX_WAITING)
        if (!take_one(writer, error))
            return FALSE;
    return TRUE;
}

gboolean drive_put_chunks_end(DriveWriter *writer, GError **error)
{
    while (writer->queue != NULL && !g_queue_is_empty(&writer->queue->jobs))
        if (!take_one(writer, error))
            return FALSE;
    return TRUE;
}

gboolean drive_put_kind_end(DriveWriter *writer, GError **error)
{
    return drive_put_chunks_end(writer, error) &&
           (writer->queue == NULL || pack_builder_finish(writer->queue->pack, writer, error));
}
