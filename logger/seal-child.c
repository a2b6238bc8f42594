/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/seal-child.h"
#include "formats/drive-write.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* proc(5): added to what the kernel thinks of a process when memory is out; 1000 = always this one.
 */
#define OOM_SCORE "800"

enum { LOOK_EVERY_US = 20000 };

/* --- the process --- */

static gpointer wait_for_end(gpointer cancel)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    int number = 0;
    (void)sigwait(&set, &number);
    g_cancellable_cancel(cancel);
    return NULL;
}

static void be_first_to_go(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t written = write(fd, OOM_SCORE, strlen(OOM_SCORE));
    (void)written;
    (void)close(fd);
}

/* One line for whoever typed the command; to the journal as the logger's own, with its level. */
static void tell(GLogLevelFlags level, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void tell(GLogLevelFlags level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (g_log_writer_is_journald(STDERR_FILENO))
        g_log(G_LOG_DOMAIN, level, "%s", text);
    else
        (void)fprintf(stderr, "corridor-logger: %s\n", text);
}

int seal_child_main(const char *path)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    be_first_to_go();
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    /* A reference of its own: a signal may come as late as after the end of this function. */
    g_thread_unref(g_thread_new("end", wait_for_end, g_object_ref(cancel)));
    g_autoptr(GError) error = NULL;
    if (drive_seal(path, cancel, &error)) {
        tell(G_LOG_LEVEL_MESSAGE, "made %s small", path);
        return SEAL_DONE;
    }
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return SEAL_INTERRUPTED;
    gboolean busy = g_error_matches(error, DRIVE_ERROR, DRIVE_ERROR_BUSY);
    if (busy || g_error_matches(error, DRIVE_ERROR, DRIVE_ERROR_FULL)) {
        tell(G_LOG_LEVEL_MESSAGE, "%s; a logger tries that again at its next start",
             error->message);
        return busy ? SEAL_BUSY : SEAL_FULL;
    }
    tell(G_LOG_LEVEL_WARNING, "%s; the drive stays as it is", error->message);
    return SEAL_FAILED;
}

/* --- who starts it --- */

/* By name where that is still this program: not every tool that runs a program (valgrind) is one
 * that /proc/self/exe leads through. After an update of the package only the link is left. */
static char *own_program(void)
{
    g_autofree char *name = g_file_read_link("/proc/self/exe", NULL);
    if (name != NULL && access(name, X_OK) == 0)
        return g_steal_pointer(&name);
    return g_strdup("/proc/self/exe");
}

pid_t seal_child_start(const char *path, GError **error)
{
    g_autofree char *program = own_program();
    char command[] = "seal";
    g_autofree char *drive = g_strdup(path);
    char *arguments[] = {program, command, drive, NULL};
    sigset_t blocked, all;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM); /* until it is ready for it */
    (void)sigfillset(&all);
    posix_spawnattr_t how;
    posix_spawn_file_actions_t files;
    if (posix_spawnattr_init(&how) != 0 || posix_spawn_file_actions_init(&files) != 0)
        g_error("out of memory");
    (void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setsigmask(&how, &blocked);
    (void)posix_spawnattr_setsigdefault(&how, &all);
    /* Modems, sockets and the lock of the store are not its business. */
    (void)posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    pid_t child = 0;
    int code = posix_spawn(&child, program, &files, &how, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&how);
    if (code == 0)
        return child;
    g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
                "%s: it cannot be made small: %s cannot be started: %s", path, program,
                g_strerror(code));
    return 0;
}

gboolean seal_child_wait(pid_t child, gint64 until_us)
{
    for (;;) {
        siginfo_t info = {0};
        int options = WEXITED | WNOWAIT | (until_us != 0 ? WNOHANG : 0);
        int result = waitid(P_PID, (id_t)child, &info, options);
        if (result != 0 && errno == EINTR)
            continue;
        if (result != 0 || info.si_pid == child)
            return TRUE;
        if (g_get_monotonic_time() >= until_us)
            return FALSE;
        g_usleep(LOOK_EVERY_US);
    }
}

SealOutcome seal_child_reap(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return SEAL_FAILED;
    if (WIFSIGNALED(status)) {
        g_message("the process that seals was ended by signal %d", WTERMSIG(status));
        return WTERMSIG(status) == SIGTERM ? SEAL_INTERRUPTED : SEAL_DIED;
    }
    switch (WEXITSTATUS(status)) {
    case SEAL_DONE:
        return SEAL_DONE;
    case SEAL_INTERRUPTED:
        return SEAL_INTERRUPTED;
    case SEAL_FULL:
        return SEAL_FULL;
    case SEAL_BUSY:
        return SEAL_BUSY;
    default:
        return SEAL_FAILED;
    }
}
