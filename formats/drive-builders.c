/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunks being built, one for each kind and source, out of rows that are sealed or of records
 * that an importer brings.
 */
#include "formats/drive-file.h"
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

gboolean drive_kind_is_sealed(RecordKind kind)
{
    const RecordType *type = record_type(kind);
    return kind != RECORD_PROBE && record_find_column(type, "time_ns") >= 0 &&
           record_find_column(type, "source") >= 0;
}

static void source_builder_free(gpointer data)
{
    SourceBuilder *of = data;
    chunk_builder_free(of->builder);
    g_free(of);
}

SourceBuilder *drive_builder_of(DriveWriter *writer, RecordKind kind, gint64 source)
{
    KindWriter *state = &writer->kinds[kind];
    if (state->builders == NULL)
        state->builders = g_ptr_array_new_with_free_func(source_builder_free);
    GPtrArray *all = state->builders;
    for (guint i = 0; i < all->len; i++) {
        /* sources take turns */
        guint at = state->last_builder + i < all->len ? state->last_builder + i
                                                      : state->last_builder + i - all->len;
        SourceBuilder *of = g_ptr_array_index(all, at);
        if (of->source != source)
            continue;
        state->last_builder = at + 1 < all->len ? at + 1 : 0;
        return of;
    }
    if (all->len == DRIVE_MAX_BUILDERS)
        return NULL;
    SourceBuilder *of = g_new0(SourceBuilder, 1);
    of->source = source;
    of->last_ns = INT64_MIN;
    of->builder = chunk_builder_new(kind);
    g_ptr_array_add(all, of);
    return of;
}

gboolean drive_put_if_full(DriveWriter *writer, RecordKind kind, SourceBuilder *of, GError **error)
{
    return !chunk_builder_is_full(of->builder) ||
           drive_put_chunk(writer, kind, of->source, of->builder, error);
}

void drive_drop_builders(DriveWriter *writer)
{
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        g_clear_pointer(&writer->kinds[k].builders, g_ptr_array_unref);
        writer->kinds[k].last_builder = 0;
    }
}

gboolean drive_bulk_add(DriveWriter *writer, RecordKind kind, const void *record, gint64 source,
                        gint64 time_ns, gboolean *failed, GError **error)
{
    if (!writer->kinds[kind].sealed || source == 0)
        return FALSE;
    SourceBuilder *of = drive_builder_of(writer, kind, source);
    if (of == NULL)
        return FALSE;
    /* A row out of order, or after rows that were: left to drive_seal_rows(), which sorts. */
    const gint64 *latest = drive_writer_latest(writer, kind, source);
    if (latest != NULL && time_ns < *latest)
        return FALSE;
    chunk_builder_add(of->builder, record);
    *failed = !drive_put_if_full(writer, kind, of, error);
    return !*failed;
}

static gint compare_sources(gconstpointer a, gconstpointer b)
{
    gint64 x = (*(SourceBuilder *const *)a)->source;
    gint64 y = (*(SourceBuilder *const *)b)->source;
    return x < y ? -1 : x > y;
}

gboolean drive_flush_builders(DriveWriter *writer, RecordKind kind, GError **error)
{
    KindWriter *state = &writer->kinds[kind];
    if (state->builders != NULL)
        g_ptr_array_sort(state->builders, compare_sources);
    for (guint i = 0; state->builders != NULL && i < state->builders->len; i++) {
        SourceBuilder *of = g_ptr_array_index(state->builders, i);
        if (chunk_builder_rows(of->builder) > 0 &&
            !drive_put_chunk(writer, kind, of->source, of->builder, error))
            return FALSE;
    }
    g_clear_pointer(&state->builders, g_ptr_array_unref);
    state->last_builder = 0;
    return drive_put_kind_end(writer, error);
}

gboolean drive_bulk_finish(DriveWriter *writer, GError **error)
{
    for (int k = 0; k < RECORD_KIND_COUNT; k++)
        if (!drive_flush_builders(writer, (RecordKind)k, error))
            return FALSE;
    return drive_writer_begin(writer, error) && drive_seal_rows(writer, error);
}
