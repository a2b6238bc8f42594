/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/sealer.h"
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "formats/evidence.h"

#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/ioprio.h: who is a thread; class "idle", which gets the disk when nobody else wants it. */
enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13, LOWEST_PRIORITY = 19 };

struct Sealer {
    Store *store;
    const ConfigStore *config;
    GThread *thread;
    GMutex lock; /* all below */
    GCond changed;
    GQueue paths; /* waiting */
    GCancellable *cancel;
    gboolean running, stop;
    guint holds;
};

/* A drive of an hour costs a second of CPU and some megabytes of writing, which can wait. Threads
 * that this one starts inherit it. Where it is not allowed, sealing takes its share. */
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

/* FALSE if it was interrupted. */
static gboolean finish(const Sealer *sealer, const char *path, GCancellable *cancel)
{
    /* The scan at the start and sealer_add() may both have named a drive that was closed just then.
     */
    if (evidence_exists(path))
        return TRUE;
    if (!sealer->config->seal || !drive_wants_sealing(path)) {
        if (sealer->config->evidence)
            store_make_evidence(sealer->store, path);
        return TRUE;
    }
    if (!has_room(sealer, path)) {
        g_message("%s: no room on the disk to make it small; that is tried again at the next start",
                  path);
        return TRUE;
    }
    g_autoptr(GError) error = NULL;
    if (drive_seal(path, cancel, &error))
        g_message("made %s small", path);
    else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return FALSE;
    else if (g_error_matches(error, DRIVE_ERROR, DRIVE_ERROR_BUSY)) {
        g_message("%s; that is tried again at the next start", error->message);
        return TRUE; /* whoever has it tells of it when it is closed */
    } else
        g_warning("%s; the drive stays as it is", error->message);
    if (sealer->config->evidence)
        store_make_evidence(sealer->store, path);
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

static gpointer run(gpointer data)
{
    Sealer *sealer = data;
    give_way();
    g_autoptr(GPtrArray) left = store_closed(sealer->store);
    for (guint i = 0; i < left->len; i++)
        if (is_wanted(sealer, g_ptr_array_index(left, i)))
            sealer_add(sealer, g_ptr_array_index(left, i));
    g_mutex_lock(&sealer->lock);
    while (!sealer->stop) {
        if (sealer->holds > 0 || g_queue_is_empty(&sealer->paths)) {
            g_cond_wait(&sealer->changed, &sealer->lock);
            continue;
        }
        g_autofree char *path = g_queue_pop_head(&sealer->paths);
        g_autoptr(GCancellable) cancel = g_cancellable_new();
        sealer->cancel = cancel;
        sealer->running = TRUE;
        g_mutex_unlock(&sealer->lock);
        /* It may have been found at the start and told of as well, or shifted meanwhile. */
        gboolean over = !is_wanted(sealer, path) || finish(sealer, path, cancel);
        (void)malloc_trim(0); /* what a drive took for seconds is not needed for hours */
        g_mutex_lock(&sealer->lock);
        sealer->cancel = NULL;
        sealer->running = FALSE;
        if (!over)
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
    sealer->thread = g_thread_new("seal", run, sealer);
    return sealer;
}

void sealer_free(Sealer *sealer)
{
    if (sealer == NULL)
        return;
    g_mutex_lock(&sealer->lock);
    sealer->stop = TRUE;
    g_cancellable_cancel(sealer->cancel);
    g_cond_broadcast(&sealer->changed);
    g_mutex_unlock(&sealer->lock);
    (void)g_thread_join(sealer->thread);
    /* A hash takes no longer than the stop of a service may; sealing would. */
    for (char *path = NULL;
         !sealer->config->seal && (path = g_queue_pop_head(&sealer->paths)) != NULL; g_free(path))
        if (is_wanted(sealer, path))
            store_make_evidence(sealer->store, path);
    g_queue_clear_full(&sealer->paths, g_free);
    g_mutex_clear(&sealer->lock);
    g_cond_clear(&sealer->changed);
    g_free(sealer);
}

void sealer_add(Sealer *sealer, const char *path)
{
    g_mutex_lock(&sealer->lock);
    if (g_queue_find_custom(&sealer->paths, path, (GCompareFunc)strcmp) == NULL)
        g_queue_push_tail(&sealer->paths, g_strdup(path));
    g_cond_broadcast(&sealer->changed);
    g_mutex_unlock(&sealer->lock);
}

void sealer_hold(Sealer *sealer)
{
    g_mutex_lock(&sealer->lock);
    sealer->holds++;
    g_cancellable_cancel(sealer->cancel);
    while (sealer->running)
        g_cond_wait(&sealer->changed, &sealer->lock);
    g_mutex_unlock(&sealer->lock);
}

void sealer_go_on(Sealer *sealer)
{
    g_mutex_lock(&sealer->lock);
    sealer->holds--;
    g_cond_broadcast(&sealer->changed);
    g_mutex_unlock(&sealer->lock);
}
