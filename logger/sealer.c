/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/sealer.h"
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "formats/evidence.h"
#include "logger/seal-child.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long an interrupted process may take to put things back, and how long sealing may take when
 * the logger ends: well within TimeoutStopSec of the service. */
enum { INTERRUPT_US = 3 * G_USEC_PER_SEC, LAST_SEALING_US = 6 * G_USEC_PER_SEC };

/* linux/ioprio.h: who is a thread; class "idle", which gets the disk when nobody else wants it. */
enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13, LOWEST_PRIORITY = 19 };

struct Sealer {
    Store *store;
    const ConfigStore *config;
    GThread *thread;
    GMutex lock; /* all below */
    GCond changed;
    GQueue paths; /* waiting */
    GQueue own;   /* those of `paths` and the one under way that this run recorded */
    pid_t child;  /* sealing; 0: none */
    gboolean running, stop;
    guint holds;
};

/* A drive of an hour costs a second of CPU and some megabytes of writing, which can wait. Processes
 * that this thread starts inherit it. Where it is not allowed, sealing takes its share. */
static void give_way(void)
{
    pid_t thread = (pid_t)syscall(SYS_gettid);
    (void)setpriority(PRIO_PROCESS, (id_t)thread, LOWEST_PRIORITY);
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, thread, IOPRIO_IDLE);
}

/* Chunks come before the rows go, then once more without the space between: an eighth of the drive
 * as rows (180 MB of a made drive grew by 21 MB for a moment). */
static gboolean has_room(const Sealer *sealer, const char *path)
{
    guint64 left = 0;
    struct stat drive;
    return stat(path, &drive) == 0 && store_free_bytes(store_folder(sealer->store), &left, NULL) &&
           left >= (guint64)sealer->config->keep_free + (guint64)drive.st_size / 2;
}

/* Until g_get_monotonic_time() is `until_us`; 0 = as long as it takes. */
static SealOutcome seal(Sealer *sealer, const char *path, gint64 until_us)
{
    g_autoptr(GError) error = NULL;
    g_mutex_lock(&sealer->lock);
    gboolean go = until_us != 0 || (!sealer->stop && sealer->holds == 0);
    pid_t child = sealer->child = go ? seal_child_start(path, &error) : 0;
    g_mutex_unlock(&sealer->lock);
    if (error != NULL)
        g_warning("%s", error->message);
    if (child == 0)
        return go ? SEAL_FAILED : SEAL_INTERRUPTED;
    gboolean late = !seal_child_wait(child, until_us);
    if (late) {
        (void)kill(child, SIGTERM);
        if (!seal_child_wait(child, g_get_monotonic_time() + INTERRUPT_US))
            (void)kill(child, SIGKILL);
    }
    (void)seal_child_wait(child, 0);
    g_mutex_lock(&sealer->lock);
    SealOutcome outcome = seal_child_reap(child);
    sealer->child = 0;
    /* Killed by interrupt() or here, it is begun again. Killed by others, such as a kernel out of
     * memory, it would be so again and again. */
    if (outcome == SEAL_DIED && (late || sealer->stop || sealer->holds > 0))
        outcome = SEAL_INTERRUPTED;
    g_mutex_unlock(&sealer->lock);
    return outcome;
}

/* The file is all of the drive: else its hash would not be that of the drive. */
static gboolean is_one_file(const char *path)
{
    return store_is_one_file(path) || store_close_left(path);
}

static void make_evidence(const Sealer *sealer, const char *path)
{
    if (sealer->config->evidence && is_one_file(path))
        store_make_evidence(sealer->store, path);
}

/* FALSE if it was interrupted. */
static gboolean finish(Sealer *sealer, const char *path, gint64 until_us)
{
    /* The scan at the start and sealer_add() may both have named a drive that was closed just then.
     */
    if (evidence_exists(path))
        return TRUE;
    if (sealer->config->seal && drive_wants_sealing(path)) {
        if (!has_room(sealer, path)) {
            g_message(
                "%s: no room on the disk to make it small; that is tried again at the next start",
                path);
            return TRUE;
        }
        SealOutcome outcome = seal(sealer, path, until_us);
        if (outcome == SEAL_INTERRUPTED)
            return FALSE;
        /* Whoever has it tells of it when it is closed; without room it waits for the next start.
         */
        if (outcome == SEAL_BUSY || outcome == SEAL_FULL)
            return TRUE;
    }
    make_evidence(sealer, path);
    return TRUE;
}

static gboolean is_closed(const char *path)
{
    g_autoptr(Drive) drive = drive_open(path, NULL);
    g_autofree char *closed = drive != NULL ? drive_meta(drive, "closed") : NULL;
    return closed != NULL;
}

/* A drive with evidence must not change any more. */
static gboolean is_wanted(const Sealer *sealer, const char *path)
{
    if (evidence_exists(path))
        return FALSE;
    return (sealer->config->seal && drive_wants_sealing(path)) ||
           (sealer->config->evidence && is_closed(path));
}

/* What could not be closed, as the disk failed or somebody read it, is closed first. */
static gboolean is_ready(const Sealer *sealer, const char *path)
{
    return !evidence_exists(path) && is_one_file(path) && is_wanted(sealer, path);
}

static GList *find(GQueue *queue, const char *path)
{
    return g_queue_find_custom(queue, path, (GCompareFunc)strcmp);
}

static void forget(GQueue *queue, const char *path)
{
    GList *link = find(queue, path);
    if (link == NULL)
        return;
    g_free(link->data);
    g_queue_delete_link(queue, link);
}

static void add(Sealer *sealer, const char *path, gboolean own)
{
    g_mutex_lock(&sealer->lock);
    if (find(&sealer->paths, path) == NULL)
        g_queue_push_tail(&sealer->paths, g_strdup(path));
    if (own && find(&sealer->own, path) == NULL)
        g_queue_push_tail(&sealer->own, g_strdup(path));
    g_cond_broadcast(&sealer->changed);
    g_mutex_unlock(&sealer->lock);
}

static gpointer run(gpointer data)
{
    Sealer *sealer = data;
    give_way();
    g_autoptr(GPtrArray) left = store_closed(sealer->store);
    for (guint i = 0; i < left->len; i++)
        if (is_wanted(sealer, g_ptr_array_index(left, i)))
            add(sealer, g_ptr_array_index(left, i), FALSE);
    g_mutex_lock(&sealer->lock);
    while (!sealer->stop) {
        if (sealer->holds > 0 || g_queue_is_empty(&sealer->paths)) {
            g_cond_wait(&sealer->changed, &sealer->lock);
            continue;
        }
        g_autofree char *path = g_queue_pop_head(&sealer->paths);
        sealer->running = TRUE;
        g_mutex_unlock(&sealer->lock);
        /* It may have been found at the start and told of as well, or shifted meanwhile. */
        gboolean over = !is_ready(sealer, path) || finish(sealer, path, 0);
        g_mutex_lock(&sealer->lock);
        sealer->running = FALSE;
        /* Told of meanwhile, as it was just being closed, it comes once more. */
        if (over && find(&sealer->paths, path) == NULL)
            forget(&sealer->own, path);
        else if (!over)
            g_queue_push_head(&sealer->paths, g_steal_pointer(&path));
        g_cond_broadcast(&sealer->changed);
    }
    g_mutex_unlock(&sealer->lock);
    return NULL;
}

Sealer *sealer_new(Store *store, const ConfigStore *config)
{
    Sealer *sealer = g_new0(Sealer, 1);
    sealer->store = store;
    sealer->config = config;
    g_mutex_init(&sealer->lock);
    g_cond_init(&sealer->changed);
    g_queue_init(&sealer->paths);
    g_queue_init(&sealer->own);
    sealer->thread = g_thread_new("seal", run, sealer);
    return sealer;
}

/* Locked. A process that does not end by itself, as its disk does not answer, is killed: a drive is
 * whole at any instant. */
static void interrupt(Sealer *sealer)
{
    if (sealer->child != 0)
        (void)kill(sealer->child, SIGTERM);
    while (sealer->running) {
        /* Anew each time: g_cond_wait_until() does not let go of the lock when its time is past,
         * and what runs here without a process, such as hashing, needs it to come to its end. */
        gint64 until = g_get_monotonic_time() + INTERRUPT_US;
        if (!g_cond_wait_until(&sealer->changed, &sealer->lock, until) && sealer->child != 0)
            (void)kill(sealer->child, SIGKILL);
    }
}

/* What this run recorded has its evidence before the logger ends: made small before that if there
 * is time, as it is if not. What earlier runs left waits for the next start. */
static void finish_own(Sealer *sealer)
{
    gint64 until_us = g_get_monotonic_time() + LAST_SEALING_US;
    for (char *path = NULL; (path = g_queue_pop_head(&sealer->own)) != NULL; g_free(path))
        if (is_ready(sealer, path) && !finish(sealer, path, until_us)) {
            g_message("%s: no time to make it small before the end", path);
            make_evidence(sealer, path);
        }
}

void sealer_free(Sealer *sealer)
{
    if (sealer == NULL)
        return;
    g_mutex_lock(&sealer->lock);
    sealer->stop = TRUE;
    g_cond_broadcast(&sealer->changed);
    interrupt(sealer);
    g_mutex_unlock(&sealer->lock);
    (void)g_thread_join(sealer->thread);
    finish_own(sealer);
    g_queue_clear_full(&sealer->paths, g_free);
    g_mutex_clear(&sealer->lock);
    g_cond_clear(&sealer->changed);
    g_free(sealer);
}

void sealer_add(Sealer *sealer, const char *path)
{
    add(sealer, path, TRUE);
}

void sealer_hold(Sealer *sealer)
{
    g_mutex_lock(&sealer->lock);
    sealer->holds++;
    interrupt(sealer);
    g_mutex_unlock(&sealer->lock);
}

void sealer_go_on(Sealer *sealer)
{
    g_mutex_lock(&sealer->lock);
    sealer->holds--;
    g_cond_broadcast(&sealer->changed);
    g_mutex_unlock(&sealer->lock);
}
