/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/crash-vfs.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

enum { SECTOR = 512 };

typedef enum { OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_DELETE } OpKind;

typedef struct {
    OpKind kind;
    guint file;     /* index into CrashRecord.names */
    guint64 offset; /* of a write; new size of a truncation */
    guint64 at;     /* of the bytes in CrashRecord.bytes */
    guint length;
} Op;

typedef struct {
    guint op;
    gint64 value;
} Promise;

struct CrashRecord {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    GPtrArray *names; /* base names */
    GArray *ops;
    GByteArray *bytes;
    GArray *promises;
    gboolean recording;
};

typedef struct {
    sqlite3_file base;
    CrashRecord *record;
    guint file;
    sqlite3_file *real;
} CrashFile;

static guint file_number(CrashRecord *record, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    guint index = 0;
    if (g_ptr_array_find_with_equal_func(record->names, name, g_str_equal, &index))
        return index;
    g_ptr_array_add(record->names, g_steal_pointer(&name));
    return record->names->len - 1;
}

static void note(CrashRecord *record, OpKind kind, guint file, guint64 offset, const void *bytes,
                 guint length)
{
    if (!record->recording)
        return;
    Op op = {kind, file, offset, record->bytes->len, length};
    if (length > 0)
        g_byte_array_append(record->bytes, bytes, length);
    g_array_append_val(record->ops, op);
}

#define REAL(file) (((CrashFile *)(file))->real)

static int file_close(sqlite3_file *file)
{
    return REAL(file)->pMethods->xClose(REAL(file));
}

static int file_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 offset)
{
    return REAL(file)->pMethods->xRead(REAL(file), bytes, n, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
    CrashFile *mine = (CrashFile *)file;
    note(mine->record, OP_WRITE, mine->file, (guint64)offset, bytes, (guint)n);
    return mine->real->pMethods->xWrite(mine->real, bytes, n, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    CrashFile *mine = (CrashFile *)file;
    note(mine->record, OP_TRUNCATE, mine->file, (guint64)size, NULL, 0);
    return mine->real->pMethods->xTruncate(mine->real, size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    CrashFile *mine = (CrashFile *)file;
    int rc = mine->real->pMethods->xSync(mine->real, flags);
    note(mine->record, OP_SYNC, mine->file, 0, NULL, 0);
    return rc;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return REAL(file)->pMethods->xFileSize(REAL(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return REAL(file)->pMethods->xLock(REAL(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return REAL(file)->pMethods->xUnlock(REAL(file), level);
}

static int file_check_lock(sqlite3_file *file, int *result)
{
    return REAL(file)->pMethods->xCheckReservedLock(REAL(file), result);
}

static int file_control(sqlite3_file *file, int op, void *argument)
{
    return REAL(file)->pMethods->xFileControl(REAL(file), op, argument);
}

static int file_sector_size(sqlite3_file *file)
{
    (void)file;
    return SECTOR;
}

static int file_characteristics(sqlite3_file *file)
{
    (void)file;
    return 0; /* no power-safe overwrite, no atomic writes: the least a disk may promise */
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **map)
{
    return REAL(file)->pMethods->xShmMap(REAL(file), page, size, extend, map);
}

static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return REAL(file)->pMethods->xShmLock(REAL(file), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    REAL(file)->pMethods->xShmBarrier(REAL(file));
}

static int file_shm_unmap(sqlite3_file *file, int delete)
{
    return REAL(file)->pMethods->xShmUnmap(REAL(file), delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *out_flags)
{
    CrashRecord *record = vfs->pAppData;
    CrashFile *mine = (CrashFile *)file;
    const int recorded = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    if (name == NULL || (flags & recorded) == 0)
        return record->real->xOpen(record->real, name, file, flags, out_flags);
    mine->record = record;
    mine->real = (sqlite3_file *)(mine + 1);
    mine->file = file_number(record, name);
    int rc = record->real->xOpen(record->real, name, mine->real, flags, out_flags);
    mine->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    CrashRecord *record = vfs->pAppData;
    note(record, OP_DELETE, file_number(record, name), 0, NULL, 0);
    return record->real->xDelete(record->real, name, sync_dir);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    CrashRecord *record = vfs->pAppData;
    return record->real->xAccess(record->real, name, flags, result);
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    CrashRecord *record = vfs->pAppData;
    return record->real->xFullPathname(record->real, name, n, out);
}

CrashRecord *crash_record_start(void)
{
    CrashRecord *record = g_new0(CrashRecord, 1);
    record->names = g_ptr_array_new_with_free_func(g_free);
    record->ops = g_array_new(FALSE, FALSE, sizeof(Op));
    record->bytes = g_byte_array_new();
    record->promises = g_array_new(FALSE, FALSE, sizeof(Promise));
    record->recording = TRUE;
    record->real = sqlite3_vfs_find(NULL);
    record->vfs = *record->real;
    record->vfs.pNext = NULL;
    record->vfs.zName = "crash";
    record->vfs.szOsFile = (int)sizeof(CrashFile) + record->real->szOsFile;
    record->vfs.pAppData = record;
    record->vfs.xOpen = vfs_open;
    record->vfs.xDelete = vfs_delete;
    record->vfs.xAccess = vfs_access;
    record->vfs.xFullPathname = vfs_full_pathname;
    g_assert_cmpint(sqlite3_vfs_register(&record->vfs, 1), ==, SQLITE_OK);
    return record;
}

void crash_record_stop(CrashRecord *record)
{
    record->recording = FALSE;
    g_assert_cmpint(sqlite3_vfs_unregister(&record->vfs), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_vfs_register(record->real, 1), ==, SQLITE_OK);
}

void crash_record_free(CrashRecord *record)
{
    if (record == NULL)
        return;
    if (record->recording)
        crash_record_stop(record);
    g_ptr_array_unref(record->names);
    g_array_unref(record->ops);
    g_byte_array_unref(record->bytes);
    g_array_unref(record->promises);
    g_free(record);
}

void crash_record_promise(CrashRecord *record, gint64 value)
{
    Promise promise = {record->ops->len, value};
    g_array_append_val(record->promises, promise);
}

guint crash_record_length(const CrashRecord *record)
{
    return record->ops->len;
}

gint64 crash_record_promised(const CrashRecord *record, guint cut)
{
    gint64 value = 0;
    for (guint i = 0; i < record->promises->len; i++) {
        const Promise *promise = &g_array_index(record->promises, Promise, i);
        if (promise->op <= cut)
            value = promise->value;
    }
    return value;
}

gboolean crash_record_is_flush(const CrashRecord *record, guint cut)
{
    return cut > 0 && g_array_index(record->ops, Op, cut - 1).kind == OP_SYNC;
}

/* ---- laying out ---- */

static void put(GByteArray *content, guint64 offset, const guint8 *bytes, guint length)
{
    guint end = (guint)offset + length;
    guint old = content->len;
    if (old < end) {
        g_byte_array_set_size(content, end);
        memset(content->data + old, 0, end - old);
    }
    memcpy(content->data + offset, bytes, length);
}

/* Sector by sector, so that a write may arrive in part. */
static void put_by_chance(GByteArray *content, const Op *op, const guint8 *bytes, GRand *chance,
                          gboolean is_last)
{
    for (guint done = 0; done < op->length;) {
        guint64 offset = op->offset + done;
        guint length = MIN(op->length - done, SECTOR - (guint)(offset % SECTOR));
        guint dice = (guint)g_rand_int_range(chance, 0, 100);
        if (dice < 50) {
            put(content, offset, bytes + done, length);
        } else if (dice < 55 && is_last) {
            guint8 garbage[SECTOR];
            for (guint i = 0; i < length; i++)
                garbage[i] = (guint8)g_rand_int(chance);
            put(content, offset, garbage, length);
        }
        done += length;
    }
}

static void lay_out_file(const CrashRecord *record, guint file, guint cut, guint32 seed,
                         GRand *chance, const char *dir)
{
    gint64 flushed = -1;
    guint last_write = 0;
    for (guint i = 0; i < cut; i++) {
        const Op *op = &g_array_index(record->ops, Op, i);
        if (op->file != file)
            continue;
        if (op->kind == OP_SYNC)
            flushed = i;
        if (op->kind == OP_WRITE)
            last_write = i;
    }
    g_autoptr(GByteArray) content = g_byte_array_new();
    gboolean exists = FALSE;
    for (guint i = 0; i < cut; i++) {
        const Op *op = &g_array_index(record->ops, Op, i);
        if (op->file != file)
            continue;
        const guint8 *bytes = record->bytes->data + op->at;
        exists = op->kind != OP_DELETE;
        gboolean certain = (gint64)i <= flushed || seed == 0;
        if (op->kind == OP_DELETE)
            g_byte_array_set_size(content, 0);
        else if (op->kind == OP_WRITE && certain)
            put(content, op->offset, bytes, op->length);
        else if (op->kind == OP_WRITE && seed != 1)
            put_by_chance(content, op, bytes, chance, i == last_write);
        else if (op->kind == OP_TRUNCATE && op->offset < content->len &&
                 (certain || (seed != 1 && g_rand_boolean(chance))))
            g_byte_array_set_size(content, (guint)op->offset);
    }
    if (!exists)
        return;
    g_autofree char *path = g_build_filename(dir, g_ptr_array_index(record->names, file), NULL);
    g_autoptr(GError) error = NULL;
    g_file_set_contents_full(path, (const char *)content->data, content->len,
                             G_FILE_SET_CONTENTS_NONE, 0640, &error);
    g_assert_no_error(error);
}

void crash_record_lay_out(const CrashRecord *record, guint cut, guint32 seed, const char *dir)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(seed * 2654435761U + cut);
    for (guint file = 0; file < record->names->len; file++)
        lay_out_file(record, file, cut, seed, chance, dir);
}
