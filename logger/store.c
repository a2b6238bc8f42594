/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/store.h"
#include "formats/drive-write.h"
#include "formats/evidence.h"
#include "formats/file-replace.h"
#include "formats/time-map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

G_DEFINE_QUARK(corridor - store - error, store_error)

#define LOCK_NAME ".lock"

struct Store {
    char *folder;
    int lock_fd;
    EvidenceKey *key;     /* NULL: not signed */
    EvidenceChain chain;  /* before the first evidence since store_open() */
    GPtrArray *evidenced; /* drives whose evidence was made since, in that order; NULL: none */
};

static gboolean fail(GError **error, int code, const char *path, const char *what)
{
    g_set_error(error, STORE_ERROR, code, "%s: %s", path, what);
    return FALSE;
}

static int open_lock(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, LOCK_NAME, NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        int code = errno;
        g_autofree char *what =
            g_strdup_printf("drives cannot be written here: %s; %s", g_strerror(code),
                            code == EROFS ? "the disk is read-only, check it"
                                          : "let the logger's user own the folder");
        fail(error, STORE_ERROR_SYSTEM, folder, what);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    gboolean busy = errno == EWOULDBLOCK;
    (void)close(fd);
    if (busy)
        fail(error, STORE_ERROR_BUSY, folder,
             "another corridor-logger writes here; stop it or give this one its own store folder");
    else
        fail(error, STORE_ERROR_SYSTEM, folder, "cannot be locked");
    return -1;
}

Store *store_open(const char *folder, GError **error)
{
    if (g_mkdir_with_parents(folder, 0750) != 0) {
        g_autofree char *what =
            g_strdup_printf("the store folder cannot be made: %s", g_strerror(errno));
        fail(error, STORE_ERROR_SYSTEM, folder, what);
        return NULL;
    }
    int fd = open_lock(folder, error);
    if (fd < 0)
        return NULL;
    file_replace_sweep(folder, NULL);
    Store *store = g_new0(Store, 1);
    store->folder = g_strdup(folder);
    store->lock_fd = fd;
    return store;
}

void store_free(Store *store)
{
    if (store == NULL)
        return;
    (void)close(store->lock_fd);
    evidence_key_free(store->key);
    g_clear_pointer(&store->evidenced, g_ptr_array_unref);
    g_free(store->folder);
    g_free(store);
}

gboolean store_check(const char *folder, gboolean *busy, GError **error)
{
    *busy = FALSE;
    struct stat info;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
        g_autofree char *what =
            g_strdup_printf("no such folder; make it with `install -d -o corridor %s`", folder);
        return fail(error, STORE_ERROR_SYSTEM, folder, what);
    }
    g_autoptr(GError) local = NULL;
    int fd = open_lock(folder, &local);
    if (fd >= 0) {
        (void)close(fd);
        return TRUE;
    }
    *busy = g_error_matches(local, STORE_ERROR, STORE_ERROR_BUSY);
    if (*busy)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean is_drive_file(const char *name)
{
    return strstr(name, ".drive") != NULL;
}

gboolean store_free_bytes(const char *folder, guint64 *free_bytes, GError **error)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0)
        return fail(error, STORE_ERROR_SYSTEM, folder, "the disk cannot be asked for its room");
    *free_bytes = (guint64)disk.f_bavail * disk.f_frsize;
    return TRUE;
}

gboolean store_room(const char *folder, StoreRoom *room, GError **error)
{
    *room = (StoreRoom){.free_bytes = 0};
    if (!store_free_bytes(folder, &room->free_bytes, error))
        return FALSE;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    if (dir == NULL)
        return FALSE;
    for (const char *name = NULL; (name = g_dir_read_name(dir)) != NULL;) {
        if (!is_drive_file(name))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct stat info;
        if (stat(path, &info) != 0)
            continue;
        room->drives_bytes += (guint64)info.st_blocks * 512;
        room->n_drives += g_str_has_suffix(name, ".drive") ? 1 : 0;
    }
    return TRUE;
}

/* What a file name may hold. */
static char *clean(const char *name)
{
    char *copy = g_strdup(name);
    for (char *at = copy; *at != '\0'; at++)
        if (!g_ascii_isalnum(*at) && *at != '-' && *at != '_')
            *at = '_';
    return copy;
}

char *store_new_path(const Store *store, const char *name, gint64 utc_ns, const char *boot_id)
{
    g_autofree char *vehicle = clean(name);
    g_autofree char *stem = NULL;
    if (utc_ns >= TIME_MAP_EARLIEST_NS) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(utc_ns / 1000000000);
        g_autofree char *text = g_date_time_format(time, "%Y%m%dT%H%M%SZ");
        stem = g_strdup_printf("%s-%s", vehicle, text);
    } else {
        stem = g_strdup_printf("%s-boot-%.8s", vehicle, boot_id);
    }
    for (unsigned i = 1;; i++) {
        g_autofree char *file =
            i == 1 ? g_strdup_printf("%s.drive", stem) : g_strdup_printf("%s-%u.drive", stem, i);
        char *path = g_build_filename(store->folder, file, NULL);
        if (access(path, F_OK) != 0)
            return path;
        g_free(path);
    }
}

/* What SQLite leaves beside a drive of which the file alone is not all, or too much: rows not yet
 * folded in; pages from before a change that was not ended. */
static const char *const besides[] = {"-wal", "-journal"};

gboolean store_is_one_file(const char *drive)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(besides); i++) {
        g_autofree char *path = g_strconcat(drive, besides[i], NULL);
        if (access(path, F_OK) == 0)
            return FALSE;
    }
    return TRUE;
}

GPtrArray *store_unclosed(const Store *store)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(store->folder, 0, NULL);
    for (const char *name = NULL; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(store->folder, name, NULL);
        if (g_str_has_suffix(name, ".drive") && !store_is_one_file(path))
            g_ptr_array_add(paths, g_steal_pointer(&path));
    }
    return paths;
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *store_closed(const Store *store)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(store->folder, 0, NULL);
    for (const char *name = NULL; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(store->folder, name, NULL);
        if (g_str_has_suffix(name, ".drive") && store_is_one_file(path))
            g_ptr_array_add(paths, g_steal_pointer(&path));
    }
    g_ptr_array_sort(paths, compare_paths);
    return paths;
}

gboolean store_close_left(const char *drive)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_open_append(drive, &error);
    if (writer != NULL && drive_writer_close(writer, &error))
        return TRUE;
    /* Who has it closes it, too; it may be just that. */
    g_log(G_LOG_DOMAIN,
          g_error_matches(error, DRIVE_ERROR, DRIVE_ERROR_BUSY) ? G_LOG_LEVEL_MESSAGE
                                                                : G_LOG_LEVEL_WARNING,
          "%s; left as it is", error->message);
    return FALSE;
}

const char *store_folder(const Store *store)
{
    return store->folder;
}

char *store_boot_id(void)
{
    char *text = NULL;
    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
        return g_strdup("");
    return g_strstrip(text);
}

gboolean store_use_key(Store *store, const char *path, GError **error)
{
    evidence_key_free(store->key);
    store->key = evidence_key_open(path, TRUE, error);
    return store->key != NULL;
}

void store_make_evidence(Store *store, const char *drive)
{
    g_autoptr(GError) error = NULL;
    if (store->evidenced == NULL) {
        store->evidenced = g_ptr_array_new_with_free_func(g_free);
        /* A chain that begins now has its id from here on. */
        if (!evidence_chain_read(store->folder, &store->chain, &error) ||
            (store->chain.number == 0 &&
             !evidence_chain_write(store->folder, &store->chain, &error))) {
            g_warning("%s", error->message);
            g_clear_pointer(&store->evidenced, g_ptr_array_unref);
            return;
        }
    }
    if (evidence_make(drive, store->key, &error))
        g_ptr_array_add(store->evidenced, g_strdup(drive));
    else
        g_warning("%s; the drive has no evidence yet", error->message);
}

void store_withdraw_evidence(Store *store)
{
    if (store->evidenced == NULL)
        return;
    g_autoptr(GError) error = NULL;
    /* At each instant what is left follows the chain without a gap, and is of drives not yet
     * changed: a power cut costs the evidence of some drives, which the next start makes. */
    if (!evidence_chain_write(store->folder, &store->chain, &error))
        g_warning("%s; drives have no evidence until the next start", error->message);
    for (guint i = store->evidenced->len; i > 0; i--)
        evidence_remove(g_ptr_array_index(store->evidenced, i - 1));
    if (error != NULL)
        g_clear_pointer(&store->evidenced, g_ptr_array_unref);
}

void store_remake_evidence(Store *store)
{
    g_autoptr(GPtrArray) drives = g_steal_pointer(&store->evidenced);
    for (guint i = 0; drives != NULL && i < drives->len; i++)
        store_make_evidence(store, g_ptr_array_index(drives, i));
}
