/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file: MAGIC, the length and text of the key, then for each piece a Head and its bytes under
 * zstd, whose frame has a checksum. The key names all that the pieces depend on; it also keeps
 * machines apart whose numbers look different. A file that a power cut left half on the disk is
 * seen by its lengths and checksums, like any damage.
 */
#include "analyzer/keep-file.h"

#include "formats/file-replace.h"

#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#define MAGIC "corridor keeps 1\n"

enum {
    MOST_BYTES = 1 << 30, /* of a piece: the track of some hundred million fixes */
    SQLITE_HEADER = 100,
    /* A change of the drive within the clock's step (10 ms at most) would not show. */
    CLOCK_STEP_NS = 50000000,
};

typedef struct {
    int64_t number;
    uint64_t plain, stored; /* bytes */
} Head;

typedef struct {
    Head head;
    const void *stored; /* head.stored bytes */
    void *own;          /* the same, unless they stand in the file's content */
} Piece;

struct KeepFile {
    char *path;
    char *key;     /* NULL: nothing is kept of this drive */
    mode_t mode;   /* of the drive: who may see it may see where it was */
    char *content; /* of the file, as read */
    GArray *pieces;
    gboolean is_read, changed;
};

static void piece_clear(void *piece)
{
    g_free(((Piece *)piece)->own);
}

/* A drive that is being written, or that changed just now, is not kept. */
static char *make_key(const char *path, const char *what, mode_t *mode)
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
    return g_strdup_printf("corridor %s, order %d\n%s\ndrive of %" G_GINT64_FORMAT
                           " bytes, changed %" G_GINT64_FORMAT ", %s\n",
                           CORRIDOR_VERSION, *(const uint8_t *)&order, what, (gint64)info.st_size,
                           changed_ns, digest);
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

/* When they are wanted first. */
static void read_pieces(KeepFile *keep)
{
    size_t left;
    uint64_t n_key;
    char magic[sizeof MAGIC - 1];
    if (keep->is_read || keep->key == NULL)
        return;
    keep->is_read = TRUE;
    if (!g_file_get_contents(keep->path, &keep->content, &left, NULL))
        return;
    const char *data = keep->content;
    if (!take(&data, &left, magic, sizeof magic) || memcmp(magic, MAGIC, sizeof magic) != 0 ||
        !take(&data, &left, &n_key, sizeof n_key) || n_key != strlen(keep->key) || left < n_key ||
        memcmp(data, keep->key, n_key) != 0)
        return;
    data += n_key;
    left -= n_key;
    Piece piece = {0};
    while (take(&data, &left, &piece.head, sizeof piece.head) && piece.head.stored <= left) {
        piece.stored = data;
        data += piece.head.stored;
        left -= piece.head.stored;
        g_array_append_val(keep->pieces, piece);
    }
}

KeepFile *keep_file_open(const char *drive_path, const char *suffix, const char *key)
{
    KeepFile *keep = g_new0(KeepFile, 1);
    keep->path = g_strconcat(drive_path, ".", suffix, NULL);
    keep->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    g_array_set_clear_func(keep->pieces, piece_clear);
    keep->key = make_key(drive_path, key, &keep->mode);
    return keep;
}

void keep_file_free(KeepFile *keep)
{
    if (keep == NULL)
        return;
    g_array_unref(keep->pieces);
    g_free(keep->content);
    g_free(keep->path);
    g_free(keep->key);
    g_free(keep);
}

gboolean keep_file_can_keep(const KeepFile *keep)
{
    return keep->key != NULL;
}

guint8 *keep_file_get(KeepFile *keep, gint64 number, size_t *n)
{
    const Piece *piece = NULL;
    read_pieces(keep);
    for (guint i = 0; i < keep->pieces->len; i++)
        if (g_array_index(keep->pieces, Piece, i).head.number == number)
            piece = &g_array_index(keep->pieces, Piece, i);
    if (piece == NULL || piece->head.plain > MOST_BYTES ||
        ZSTD_getFrameContentSize(piece->stored, piece->head.stored) != piece->head.plain)
        return NULL;
    *n = piece->head.plain;
    g_autofree guint8 *plain = g_try_malloc(*n);
    if (plain == NULL || ZSTD_decompress(plain, *n, piece->stored, piece->head.stored) != *n)
        return NULL;
    return g_steal_pointer(&plain);
}

void keep_file_put(KeepFile *keep, gint64 number, const void *data, size_t n, KeepLevel level)
{
    if (keep->key == NULL)
        return;
    read_pieces(keep);
    for (guint i = keep->pieces->len; i > 0; i--) /* one that was damaged */
        if (g_array_index(keep->pieces, Piece, i - 1).head.number == number)
            g_array_remove_index(keep->pieces, i - 1);
    Piece piece = {.head = {.number = number, .plain = n}};
    size_t room = ZSTD_compressBound(n);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    piece.stored = piece.own = g_malloc(room);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, (int)level);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t stored = ZSTD_compress2(context, piece.own, room, data, n);
    ZSTD_freeCCtx(context);
    if (ZSTD_isError(stored)) {
        g_free(piece.own);
        return;
    }
    piece.stored = piece.own = g_realloc(piece.own, stored);
    piece.head.stored = stored;
    g_array_append_val(keep->pieces, piece);
    keep->changed = TRUE;
}

gboolean keep_file_save(KeepFile *keep)
{
    if (!keep->changed)
        return TRUE;
    g_autoptr(FileReplace) file = file_replace_open(keep->path, NULL);
    if (file == NULL)
        return FALSE;
    file_replace_hurry(file);
    FILE *stream = file_replace_stream(file);
    (void)fchmod(fileno(stream), keep->mode);
    uint64_t n_key = strlen(keep->key);
    (void)fwrite(MAGIC, sizeof MAGIC - 1, 1, stream);
    (void)fwrite(&n_key, sizeof n_key, 1, stream);
    (void)fwrite(keep->key, n_key, 1, stream);
    for (guint i = 0; i < keep->pieces->len; i++) {
        const Piece *piece = &g_array_index(keep->pieces, Piece, i);
        (void)fwrite(&piece->head, sizeof piece->head, 1, stream);
        (void)fwrite(piece->stored, piece->head.stored, 1, stream);
    }
    return file_replace_commit(file, NULL); /* which knows whether all was written */
}
