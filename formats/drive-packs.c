/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs in a drive: each is a row of `chunks` like those of the chunks in it, of the kind `packs`
 * and of no source.
 */
#include "formats/chunk-pack.h"
#include "formats/drive-file.h"
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

#include <string.h>

/* ---- reading ---- */

struct ChunkFetcher {
    Drive *drive;
    sqlite3_stmt *stmt;
    GByteArray *bytes; /* of the row fetched last */
    GByteArray *pack;  /* unpacked; NULL until needed */
    gint64 pack_id;
};

ChunkFetcher *chunk_fetcher_new(Drive *drive)
{
    ChunkFetcher *fetcher = g_new0(ChunkFetcher, 1);
    fetcher->drive = drive;
    fetcher->bytes = g_byte_array_new();
    return fetcher;
}

void chunk_fetcher_free(ChunkFetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    sqlite3_finalize(fetcher->stmt);
    g_byte_array_unref(fetcher->bytes);
    g_clear_pointer(&fetcher->pack, g_byte_array_unref);
    g_free(fetcher);
}

/* The bytes of a row. *found: there is such a row. */
static gboolean fetch_row(ChunkFetcher *fetcher, gint64 id, gboolean *found, GError **error)
{
    Drive *drive = fetcher->drive;
    if (fetcher->stmt == NULL)
        fetcher->stmt = drive_prepare(drive->db, drive->path,
                                      "SELECT data FROM main.chunks WHERE id = ?", error);
    if (fetcher->stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_int64(fetcher->stmt, 1, id);
    int rc = sqlite3_step(fetcher->stmt);
    *found = rc == SQLITE_ROW;
    g_byte_array_set_size(fetcher->bytes, 0);
    if (*found) {
        const guint8 *data = sqlite3_column_blob(fetcher->stmt, 0);
        int size = sqlite3_column_bytes(fetcher->stmt, 0);
        if (data != NULL && size > 0)
            g_byte_array_append(fetcher->bytes, data, (guint)size);
    } else if (rc != SQLITE_DONE) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED, "it cannot be read (%s)",
                    sqlite3_errmsg(drive->db));
    }
    (void)sqlite3_reset(fetcher->stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static gboolean fetch_pack(ChunkFetcher *fetcher, gint64 id, GError **error)
{
    if (fetcher->pack != NULL && fetcher->pack_id == id)
        return TRUE;
    g_clear_pointer(&fetcher->pack, g_byte_array_unref);
    gboolean found = FALSE;
    if (!fetch_row(fetcher, id, &found, error))
        return FALSE;
    if (!found) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "its pack %" G_GINT64_FORMAT " is missing", id);
        return FALSE;
    }
    fetcher->pack = pack_open(fetcher->bytes->data, fetcher->bytes->len, error);
    fetcher->pack_id = id;
    return fetcher->pack != NULL;
}

Chunk *chunk_fetcher_open(ChunkFetcher *fetcher, RecordKind kind, gint64 id, GError **error)
{
    gboolean found = FALSE;
    if (!fetch_row(fetcher, id, &found, error))
        return NULL;
    if (!found) {
        g_set_error_literal(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED, "it is gone");
        return NULL;
    }
    PackPlace place;
    if (!pack_place_read(fetcher->bytes->data, fetcher->bytes->len, &place))
        return chunk_open(kind, fetcher->bytes->data, fetcher->bytes->len, error);
    if (!fetch_pack(fetcher, place.pack, error))
        return NULL;
    if (place.offset > fetcher->pack->len || place.size > fetcher->pack->len - place.offset) {
        g_set_error_literal(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                            "it lies beyond its pack's end");
        return NULL;
    }
    return chunk_open_bare(kind, fetcher->pack->data + place.offset, place.size, error);
}

/* ---- writing ---- */

typedef struct {
    ChunkRow row;
    gsize offset, size;
} Member;

struct PackBuilder {
    GByteArray *chunks; /* one after the other */
    GArray *members;    /* of Member */
};

PackBuilder *pack_builder_new(void)
{
    PackBuilder *pack = g_new0(PackBuilder, 1);
    pack->chunks = g_byte_array_new();
    pack->members = g_array_new(FALSE, FALSE, sizeof(Member));
    return pack;
}

void pack_builder_free(PackBuilder *pack)
{
    if (pack == NULL)
        return;
    g_byte_array_unref(pack->chunks);
    g_array_unref(pack->members);
    g_free(pack);
}

gboolean pack_builder_add(PackBuilder *pack, DriveWriter *writer, const ChunkRow *row,
                          const GByteArray *bare, GError **error)
{
    if (pack->chunks->len > 0 && pack->chunks->len + bare->len > PACK_FULL &&
        !pack_builder_finish(pack, writer, error))
        return FALSE;
    const Member member = {*row, pack->chunks->len, bare->len};
    g_array_append_val(pack->members, member);
    g_byte_array_append(pack->chunks, bare->data, bare->len);
    return TRUE;
}

gboolean pack_builder_finish(PackBuilder *pack, DriveWriter *writer, GError **error)
{
    if (pack->members->len == 0)
        return TRUE;
    g_autoptr(GByteArray) bytes = pack_make(pack->chunks, error);
    const ChunkRow of_pack = {.kind = PACK_KIND, .n = pack->members->len};
    if (bytes == NULL || !drive_insert_chunk(writer, &of_pack, bytes, error))
        return FALSE;
    const gint64 id = sqlite3_last_insert_rowid(writer->db);
    g_autoptr(GByteArray) reference = g_byte_array_new();
    for (guint i = 0; i < pack->members->len; i++) {
        const Member *member = &g_array_index(pack->members, Member, i);
        const PackPlace place = {id, member->offset, member->size};
        g_byte_array_set_size(reference, 0);
        pack_place_append(reference, &place);
        if (!drive_insert_chunk(writer, &member->row, reference, error))
            return FALSE;
    }
    g_byte_array_set_size(pack->chunks, 0);
    g_array_set_size(pack->members, 0);
    return TRUE;
}

/* ---- taking away ---- */

static GHashTable *packs_in_use(DriveWriter *writer, GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(
        writer->db, writer->path,
        "SELECT data FROM chunks WHERE kind <> '" PACK_KIND "' AND length(data) < 64", error);
    if (stmt == NULL)
        return NULL;
    g_autoptr(GHashTable) used = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        PackPlace place;
        const guint8 *data = sqlite3_column_blob(stmt, 0);
        if (pack_place_read(data, (gsize)sqlite3_column_bytes(stmt, 0), &place))
            g_hash_table_add(used, g_memdup2(&place.pack, sizeof place.pack));
    }
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE) {
        drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
        return NULL;
    }
    return g_steal_pointer(&used);
}

static GArray *all_packs(DriveWriter *writer, GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(writer->db, writer->path,
                                       "SELECT id FROM chunks WHERE kind = '" PACK_KIND "'", error);
    if (stmt == NULL)
        return NULL;
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        gint64 id = sqlite3_column_int64(stmt, 0);
        g_array_append_val(ids, id);
    }
    sqlite3_finalize(stmt);
    return ids;
}

gboolean drive_drop_unused_packs(DriveWriter *writer, GError **error)
{
    g_autoptr(GArray) ids = all_packs(writer, error);
    if (ids == NULL)
        return FALSE;
    if (ids->len == 0)
        return TRUE;
    g_autoptr(GHashTable) used = packs_in_use(writer, error);
    for (guint i = 0; used != NULL && i < ids->len; i++) {
        gint64 id = g_array_index(ids, gint64, i);
        if (g_hash_table_contains(used, &id))
            continue;
        g_autofree char *sql =
            g_strdup_printf("DELETE FROM chunks WHERE id = %" G_GINT64_FORMAT, id);
        if (!drive_exec(writer->db, writer->path, sql, error))
            return FALSE;
    }
    return used != NULL;
}
