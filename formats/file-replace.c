/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/file-replace.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BESIDE ".new-" /* then the process and a number */

struct FileReplace {
    char *path, *beside;
    FILE *stream;
    gboolean hurries;
};

static gboolean failed(const char *path, int number, GError **error)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number),
                "%s: cannot be written: %s", path, g_strerror(number));
    return FALSE;
}

/* ---- interrupted ---- */

enum { WATCHED = 16, NAMES = 4 };

/* Names that the handler deletes: nothing in it may allocate. Threads that write take turns. */
static char *watched[WATCHED][NAMES];
static volatile sig_atomic_t watched_used[WATCHED];
static GMutex watched_lock;

static void clean_up(int number)
{
    for (int i = 0; i < WATCHED; i++)
        for (int n = 0; watched_used[i] && n < NAMES; n++)
            (void)unlink(watched[i][n]);
    (void)raise(number); /* by its usual handler: see SA_RESETHAND */
}

void file_replace_clean_up_on_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = clean_up, .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct sigaction old;
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &action, NULL);
    }
}

void file_replace_watch(const char *beside)
{
    static const char *const endings[NAMES] = {"", "-wal", "-shm", "-journal"};
    g_mutex_lock(&watched_lock);
    for (int i = 0; i < WATCHED; i++) {
        if (watched_used[i])
            continue;
        for (int n = 0; n < NAMES; n++)
            watched[i][n] = g_strconcat(beside, endings[n], NULL);
        watched_used[i] = 1;
        break;
    }
    g_mutex_unlock(&watched_lock);
}

void file_replace_unwatch(const char *beside)
{
    g_mutex_lock(&watched_lock);
    for (int i = 0; i < WATCHED; i++) {
        if (!watched_used[i] || strcmp(watched[i][0], beside) != 0)
            continue;
        watched_used[i] = 0;
        for (int n = 0; n < NAMES; n++)
            g_clear_pointer(&watched[i][n], g_free);
        break;
    }
    g_mutex_unlock(&watched_lock);
}

/* ---- what was left ---- */

/* The process of "PID-NUMBER", the number perhaps hexadecimal; 0: no such text. What
 * follows is left in `rest`. */
static pid_t process_of(const char *text, const char **rest)
{
    char *end = NULL;
    const guint64 pid = g_ascii_isdigit(text[0]) ? g_ascii_strtoull(text, &end, 10) : 0;
    if (pid == 0 || pid > G_MAXINT32 || *end != '-' || !g_ascii_isxdigit(end[1]))
        return 0;
    *rest = end + 1 + strspn(end + 1, "0123456789abcdef");
    return (pid_t)pid;
}

/* Which files are meant; NULL: any. */
typedef struct {
    const char *prefix, *ending;
    const char *const *endings;
    gboolean own_too; /* what this process itself left */
} Meant;

/* The process that wrote a file of this name, if it is one of those meant; else 0. */
typedef pid_t (*WriterOf)(const char *name, const Meant *meant);

/* NAME.new-PID-NUMBER, beside the file itself, and what stands beside that. */
static pid_t writer_beside(const char *name, const Meant *meant)
{
    const char *at = g_strrstr(name, BESIDE), *rest = NULL;
    const pid_t pid = at != NULL ? process_of(at + strlen(BESIDE), &rest) : 0;
    if (pid == 0 || (*rest != '\0' && *rest != '-') ||
        (meant->prefix != NULL && !g_str_has_prefix(name, meant->prefix)))
        return 0;
    if (meant->endings == NULL)
        return pid;
    g_autofree char *whole = g_strndup(name, (gsize)(at - name));
    for (const char *const *ending = meant->endings; *ending != NULL; ending++)
        if (g_str_has_suffix(whole, *ending))
            return pid;
    return 0;
}

/* The same for hidden names: .NAME.PID-NUMBER.ENDING. */
static pid_t writer_hidden(const char *name, const Meant *meant)
{
    const char *rest = NULL;
    const pid_t pid =
        g_str_has_prefix(name, meant->prefix) ? process_of(name + strlen(meant->prefix), &rest) : 0;
    if (pid == 0 || !g_str_has_prefix(rest, meant->ending))
        return 0;
    rest += strlen(meant->ending);
    return *rest == '\0' || *rest == '-' || *rest == '.' ? pid : 0;
}

/* A process that may not be asked is another user's, which did not make a file of ours: the number
 * is that of an earlier boot. */
static gboolean is_running(pid_t pid, const struct stat *file)
{
    return kill(pid, 0) == 0 || (errno == EPERM && file->st_uid != geteuid());
}

static void sweep(const char *folder, WriterOf writer_of, const Meant *meant)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = NULL; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        const pid_t pid = writer_of(name, meant);
        if (pid == 0)
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct stat file;
        if (lstat(path, &file) != 0 || !S_ISREG(file.st_mode))
            continue;
        if (pid == getpid() ? meant->own_too : !is_running(pid, &file))
            (void)g_unlink(path);
    }
}

void file_replace_sweep(const char *folder, const char *prefix)
{
    sweep(folder, writer_beside, &(Meant){.prefix = prefix, .own_too = prefix == NULL});
}

void file_replace_sweep_endings(const char *folder, const char *const *endings)
{
    sweep(folder, writer_beside, &(Meant){.endings = endings});
}

/* ---- files ---- */

char *file_replace_name_beside(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *prefix = g_strconcat(base, BESIDE, NULL);
    file_replace_sweep(folder, prefix);
    for (guint try = 0;; try++) {
        g_autofree char *name = g_strdup_printf("%s" BESIDE "%d-%u", path, (int)getpid(), try);
        if (!g_file_test(name, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&name);
    }
}

char *file_replace_hidden_beside(const char *path, const char *ending)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *prefix = g_strdup_printf(".%s.", base);
    sweep(folder, writer_hidden, &(Meant){.prefix = prefix, .ending = ending});
    g_autofree char *name =
        g_strdup_printf("%s%d-%08x%s", prefix, (int)getpid(), g_random_int(), ending);
    return g_build_filename(folder, name, NULL);
}

gboolean file_replace_check(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    return access(folder, W_OK | X_OK) == 0 || failed(path, errno, error);
}

/* The rename is durable once the folder is. Some file systems cannot sync folders: not an error. */
static void sync_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

gboolean file_replace_rename(const char *beside, const char *path, GError **error)
{
    if (g_rename(beside, path) != 0)
        return failed(path, errno, error);
    sync_folder(path);
    return TRUE;
}

gboolean file_replace_rename_new(const char *beside, const char *path, GError **error)
{
    int number = renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE) == 0 ? 0 : errno;
    if (number == EINVAL) /* not on every file system */
        number = access(path, F_OK) == 0 ? EEXIST : rename(beside, path) != 0 ? errno : 0;
    if (number != 0)
        return failed(path, number, error);
    sync_folder(path);
    return TRUE;
}

FileReplace *file_replace_open(const char *path, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        failed(path, EISDIR, error);
        return NULL;
    }
    g_autoptr(FileReplace) file = g_new0(FileReplace, 1);
    file->path = g_strdup(path);
    file->beside = file_replace_name_beside(path);
    int fd = open(file->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        failed(path, errno, error);
        g_clear_pointer(&file->beside, g_free);
        return NULL;
    }
    file->stream = fdopen(fd, "w");
    if (file->stream == NULL) {
        failed(path, errno, error);
        (void)close(fd);
        return NULL;
    }
    file_replace_watch(file->beside);
    (void)setvbuf(file->stream, NULL, _IOFBF, 1 << 16);
    return g_steal_pointer(&file);
}

FILE *file_replace_stream(FileReplace *file)
{
    return file->stream;
}

void file_replace_hurry(FileReplace *file)
{
    file->hurries = TRUE;
}

gboolean file_replace_commit(FileReplace *file, GError **error)
{
    g_return_val_if_fail(file->stream != NULL, FALSE);
    errno = 0;
    gboolean whole = fflush(file->stream) == 0 && !ferror(file->stream) &&
                     (file->hurries || fsync(fileno(file->stream)) == 0);
    int number = errno != 0 ? errno : EIO;
    whole = fclose(g_steal_pointer(&file->stream)) == 0 && whole;
    if (!whole)
        return failed(file->path, number, error);
    if (file->hurries ? g_rename(file->beside, file->path) != 0
                      : !file_replace_rename(file->beside, file->path, error))
        return file->hurries ? failed(file->path, errno, error) : FALSE;
    file_replace_unwatch(file->beside);
    g_clear_pointer(&file->beside, g_free);
    return TRUE;
}

void file_replace_free(FileReplace *file)
{
    if (file == NULL)
        return;
    if (file->stream != NULL)
        (void)fclose(file->stream);
    if (file->beside != NULL) {
        (void)g_unlink(file->beside);
        file_replace_unwatch(file->beside);
    }
    g_free(file->beside);
    g_free(file->path);
    g_free(file);
}

gboolean file_replace_text(const char *path, const char *text, GError **error)
{
    g_autoptr(FileReplace) file = file_replace_open(path, error);
    if (file == NULL)
        return FALSE;
    (void)fputs(text, file_replace_stream(file));
    return file_replace_commit(file, error);
}
