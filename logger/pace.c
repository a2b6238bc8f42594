/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/pace.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct Pace {
    int fd;
    GSource *source;
    PaceFunc func;
    gpointer data;
};

static void arm(int fd, gint64 deadline_ns)
{
    struct itimerspec spec = {0};
    if (deadline_ns > 0) {
        spec.it_value.tv_sec = (time_t)(deadline_ns / 1000000000);
        spec.it_value.tv_nsec = (long)(deadline_ns % 1000000000);
    }
    (void)timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static gboolean on_time(gint fd, GIOCondition condition, gpointer data)
{
    Pace *pace = data;
    guint64 expirations;
    struct timespec now;
    (void)condition;
    if (read(fd, &expirations, sizeof expirations) != (ssize_t)sizeof expirations)
        return G_SOURCE_CONTINUE;
    clock_gettime(CLOCK_MONOTONIC, &now);
    GSource *source = g_source_ref(pace->source);
    gint64 next_ns = pace->func((gint64)now.tv_sec * 1000000000 + now.tv_nsec, pace->data);
    /* The function may have freed us. */
    if (!g_source_is_destroyed(source))
        arm(fd, next_ns);
    g_source_unref(source);
    return G_SOURCE_CONTINUE;
}

Pace *pace_new(GMainContext *context, gint64 first_ns, PaceFunc func, gpointer data, GError **error)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(errno), "no timer: %s",
                    g_strerror(errno));
        return NULL;
    }
    Pace *pace = g_new0(Pace, 1);
    pace->fd = fd;
    pace->func = func;
    pace->data = data;
    pace->source = g_unix_fd_source_new(fd, G_IO_IN);
    g_source_set_callback(pace->source, (GSourceFunc)(void (*)(void))on_time, pace, NULL);
    g_source_set_priority(pace->source, G_PRIORITY_HIGH);
    g_source_attach(pace->source, context);
    arm(fd, first_ns > 0 ? first_ns : 1);
    return pace;
}

void pace_set(Pace *pace, gint64 deadline_ns)
{
    arm(pace->fd, deadline_ns > 0 ? deadline_ns : 1);
}

void pace_free(Pace *pace)
{
    if (!pace)
        return;
    g_source_destroy(pace->source);
    g_source_unref(pace->source);
    close(pace->fd);
    g_free(pace);
}
