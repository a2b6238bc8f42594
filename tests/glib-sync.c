/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ThreadSanitizer must know of GLib. Debian's GLib is compiled without it, and its locks are
 * system calls of its own, so each lock would look like none at all. Here are the functions by
 * which this tree's threads meet: each tells what comes before what, then calls GLib's own. Linked
 * in only with -Db_sanitize=thread. Suppressions would hide real races together with the false
 * ones.
 */
#include <dlfcn.h>
#include <gio/gio.h>
#include <sanitizer/tsan_interface.h>

/* Looked up each time: a lock must not depend on another. */
#define REAL(name) ((__typeof__(&(name)))(guintptr)dlsym(RTLD_NEXT, #name))

/* ---- locks ---- */

void(g_mutex_lock)(GMutex *mutex)
{
    REAL(g_mutex_lock)(mutex);
    __tsan_acquire(mutex);
}

gboolean(g_mutex_trylock)(GMutex *mutex)
{
    if (!REAL(g_mutex_trylock)(mutex))
        return FALSE;
    __tsan_acquire(mutex);
    return TRUE;
}

void(g_mutex_unlock)(GMutex *mutex)
{
    __tsan_release(mutex);
    REAL(g_mutex_unlock)(mutex);
}

void(g_cond_wait)(GCond *cond, GMutex *mutex)
{
    __tsan_release(mutex);
    REAL(g_cond_wait)(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean(g_cond_wait_until)(GCond *cond, GMutex *mutex, gint64 end_time)
{
    __tsan_release(mutex);
    gboolean signalled = REAL(g_cond_wait_until)(cond, mutex, end_time);
    __tsan_acquire(mutex);
    return signalled;
}

/* What was set up once; who sees it set reads this word atomically, which is an acquire. */
void(g_once_init_leave)(volatile void *location, gsize result)
{
    __tsan_release((void *)(guintptr)location);
    REAL(g_once_init_leave)(location, result);
}

/* ---- pools: work handed over, and all of it done when the pool is gone ---- */

typedef struct {
    GFunc function;
    gpointer data;
} Work;

static void work(gpointer item, gpointer data)
{
    Work *of = data;
    __tsan_acquire(of);
    of->function(item, of->data);
    __tsan_release(of);
}

GThreadPool *(g_thread_pool_new)(GFunc function, gpointer data, gint max_threads, gboolean own,
                                 GError **error)
{
    Work *of = g_new(Work, 1);
    *of = (Work){function, data};
    return REAL(g_thread_pool_new)(work, of, max_threads, own, error);
}

gboolean(g_thread_pool_push)(GThreadPool *pool, gpointer item, GError **error)
{
    __tsan_release(pool->user_data);
    return REAL(g_thread_pool_push)(pool, item, error);
}

/* Unseen: the pool is GLib's, and its last thread may be the one that frees it. */
__attribute__((no_sanitize("thread"))) void(g_thread_pool_free)(GThreadPool *pool,
                                                                gboolean immediate, gboolean wait)
{
    Work *of = pool->user_data;
    REAL(g_thread_pool_free)(pool, immediate, wait);
    __tsan_acquire(of);
    if (wait)
        g_free(of);
}

/* ---- calls into another thread's main loop ---- */

typedef struct {
    GSourceFunc function;
    gpointer data;
    GDestroyNotify destroy;
} Call;

static gboolean call(gpointer data)
{
    Call *c = data;
    __tsan_acquire(c);
    return c->function(c->data);
}

static void call_free(gpointer data)
{
    Call *c = data;
    if (c->destroy != NULL)
        c->destroy(c->data);
    g_free(c);
}

void(g_main_context_invoke_full)(GMainContext *context, gint priority, GSourceFunc function,
                                 gpointer data, GDestroyNotify destroy)
{
    Call *c = g_new(Call, 1);
    *c = (Call){function, data, destroy};
    __tsan_release(c);
    REAL(g_main_context_invoke_full)(context, priority, call, c, call_free);
}

void(g_main_context_invoke)(GMainContext *context, GSourceFunc function, gpointer data)
{
    g_main_context_invoke_full(context, G_PRIORITY_DEFAULT, function, data, NULL);
}
