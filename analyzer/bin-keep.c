/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file: MAGIC, the length and text of the key, then for each receiver a Head and, under zstd,
 * whose frame has a checksum, Figures and the packed track. The key names all that the positions
 * depend on; it also keeps machines apart whose numbers look different.
 */
#include "analyzer/bin-keep.h"

#include "analyzer/track-build.h"
#include "formats/file-replace.h"

#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#define MAGIC "corridor match 1\n"
/* Raised with every change of the matcher or of what is packed. */
#define RULES 2

enum {
    MOST_BYTES = 1 << 30, /* of one track: some thirty million fixes */
    SQLITE_HEADER = 100,
    /* A change of the drive within the clock's step (10 ms at most) would not show. */
    CLOCK_STEP_NS = 50000000,
};

typedef struct {
    int64_t receiver;
    int64_t fixes[FIX_STATUS_COUNT];
    double accuracy_p50_m, distance_p50_m, distance_p95_m;
} Figures;

typedef struct {
    int64_t receiver;
    uint64_t packed, stored; /* bytes */
} Head;

typedef struct {
    Head head;
    const void *stored; /* head.stored bytes */
    void *own;          /* the same, unless they stand in the file's content */
} Kept;

struct BinKeep {
    char *path;
    char *key;     /* NULL: nothing is kept of this drive */
    mode_t mode;   /* of the drive: who may see it may see where it was */
    char *content; /* of the file, as read */
    GArray *kept;  /* Kept */
    gboolean changed;
};

static void kept_clear(void *kept)
{
    g_free(((Kept *)kept)->own);
}

char *bin_keep_network_key(const Network *network)
{
    uint64_t sum = 0;
    for (uint32_t e = 0; e < network->n_edges; e++)
        sum = (sum ^ (uint64_t)network->edges[e].fid) * UINT64_C(0x100000001b3); /* FNV-1a */
    return g_strdup_printf("%s %u %016" G_GINT64_MODIFIER "x", network->digest, network->n_edges,
                           (guint64)sum);
}

/* A drive that is being written, or that changed just now, is not kept. */
static char *make_key(const char *path, const char *network_key, mode_t *mode)
{
    struct stat info, wal;
    g_autofree char *wal_path = g_strconcat(path, "-wal", NULL);
    guint8 header[SQLITE_HEADER];
    const uint32_t order = 1;
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return NULL;
    gboolean good = fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode) &&
                    fread(header, sizeof header, 1, file) == 1;
    (void)fclose(file);
    if (!good || (stat(wal_path, &wal) == 0 && wal.st_size > 0))
        return NULL;
    gint64 changed_ns = (gint64)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
    gint64 age_ns = g_get_real_time() * 1000 - changed_ns;
    if (age_ns >= 0 && age_ns < CLOCK_STEP_NS)
        return NULL;
    *mode = info.st_mode & 0666;
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, header, sizeof header);
    return g_strdup_printf("corridor %s, rules %d, order %d, sizes %zu\nnetwork %s\ndrive of "
                           "%" G_GINT64_FORMAT " bytes, changed %" G_GINT64_FORMAT ", %s\n",
                           CORRIDOR_VERSION, RULES, *(const uint8_t *)&order,
                           sizeof(Figures) + sizeof(RoutePiece) + sizeof(TrackAnchor), network_key,
                           (gint64)info.st_size, changed_ns, digest);
}

static gboolean take(const char **data, size_t *left, void *to, size_t n)
{
    if (*left < n)
        return FALSE;
    memcpy(to, *data, n);
    *data += n;
    *left -= n;
    return TRUE;
}

static void read_kept(BinKeep *keep)
{
    size_t left;
    uint64_t n_key;
    char magic[sizeof MAGIC - 1];
    if (!g_file_get_contents(keep->path, &keep->content, &left, NULL))
        return;
    const char *data = keep->content;
    if (!take(&data, &left, magic, sizeof magic) || memcmp(magic, MAGIC, sizeof magic) != 0 ||
        !take(&data, &left, &n_key, sizeof n_key) || n_key != strlen(keep->key) || left < n_key ||
        memcmp(data, keep->key, n_key) != 0)
        return;
    data += n_key;
    left -= n_key;
    Kept kept = {0};
    while (take(&data, &left, &kept.head, sizeof kept.head) && kept.head.stored <= left) {
        kept.stored = data;
        data += kept.head.stored;
        left -= kept.head.stored;
        g_array_append_val(keep->kept, kept);
    }
}

BinKeep *bin_keep_open(const char *drive_path, const char *network_key)
{
    BinKeep *keep = g_new0(BinKeep, 1);
    keep->path = g_strconcat(drive_path, ".match", NULL);
    keep->kept = g_array_new(FALSE, FALSE, sizeof(Kept));
    g_array_set_clear_func(keep->kept, kept_clear);
    keep->key = make_key(drive_path, network_key, &keep->mode);
    if (keep->key != NULL)
        read_kept(keep);
    return keep;
}

void bin_keep_free(BinKeep *keep)
{
    if (keep == NULL)
        return;
    g_array_unref(keep->kept);
    g_free(keep->content);
    g_free(keep->path);
    g_free(keep->key);
    g_free(keep);
}

static BinTrack *unpack(const Kept *kept, const Network *network)
{
    const Head *head = &kept->head;
    Figures figures;
    if (head->packed < sizeof figures || head->packed > MOST_BYTES ||
        ZSTD_getFrameContentSize(kept->stored, head->stored) != head->packed)
        return NULL;
    g_autofree guint8 *packed = g_try_malloc(head->packed);
    if (packed == NULL ||
        ZSTD_decompress(packed, head->packed, kept->stored, head->stored) != head->packed)
        return NULL;
    memcpy(&figures, packed, sizeof figures);
    Track *track =
        figures.receiver == head->receiver
            ? track_unpack(network, packed + sizeof figures, head->packed - sizeof figures)
            : NULL;
    if (track == NULL)
        return NULL;
    BinTrack *found = g_new0(BinTrack, 1);
    found->track = track;
    memcpy(found->fixes, figures.fixes, sizeof found->fixes);
    found->accuracy_p50_m = figures.accuracy_p50_m;
    found->distance_p50_m = figures.distance_p50_m;
    found->distance_p95_m = figures.distance_p95_m;
    return found;
}

BinTrack *bin_keep_get(const BinKeep *keep, const Network *network, gint64 receiver)
{
    for (guint i = 0; i < keep->kept->len; i++)
        if (g_array_index(keep->kept, Kept, i).head.receiver == receiver)
            return unpack(&g_array_index(keep->kept, Kept, i), network);
    return NULL;
}

void bin_keep_put(BinKeep *keep, gint64 receiver, const BinTrack *track)
{
    g_autoptr(GByteArray) packed = g_byte_array_new();
    if (keep->key == NULL)
        return;
    for (guint i = keep->kept->len; i > 0; i--) /* one that could not be unpacked */
        if (g_array_index(keep->kept, Kept, i - 1).head.receiver == receiver)
            g_array_remove_index(keep->kept, i - 1);
    Figures figures = {.receiver = receiver,
                       .accuracy_p50_m = track->accuracy_p50_m,
                       .distance_p50_m = track->distance_p50_m,
                       .distance_p95_m = track->distance_p95_m};
    memcpy(figures.fixes, track->fixes, sizeof figures.fixes);
    g_byte_array_append(packed, (const guint8 *)&figures, sizeof figures);
    track_pack(track->track, packed);
    Kept kept = {.head = {.receiver = receiver, .packed = packed->len}};
    size_t room = ZSTD_compressBound(packed->len);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    kept.stored = kept.own = g_malloc(room);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t stored = ZSTD_compress2(context, kept.own, room, packed->data, packed->len);
    ZSTD_freeCCtx(context);
    if (ZSTD_isError(stored)) {
        g_free(kept.own);
        return;
    }
    kept.head.stored = stored;
    g_array_append_val(keep->kept, kept);
    keep->changed = TRUE;
}

gboolean bin_keep_save(BinKeep *keep)
{
    if (!keep->changed)
        return TRUE;
    g_autoptr(FileReplace) file = file_replace_open(keep->path, NULL);
    if (file == NULL)
        return FALSE;
    FILE *stream = file_replace_stream(file);
    (void)fchmod(fileno(stream), keep->mode);
    uint64_t n_key = strlen(keep->key);
    (void)fwrite(MAGIC, sizeof MAGIC - 1, 1, stream);
    (void)fwrite(&n_key, sizeof n_key, 1, stream);
    (void)fwrite(keep->key, n_key, 1, stream);
    for (guint i = 0; i < keep->kept->len; i++) {
        const Kept *kept = &g_array_index(keep->kept, Kept, i);
        (void)fwrite(&kept->head, sizeof kept->head, 1, stream);
        (void)fwrite(kept->stored, kept->head.stored, 1, stream);
    }
    return file_replace_commit(file, NULL); /* which knows whether all was written */
}
