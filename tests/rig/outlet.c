/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/outlet.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

struct Outlet {
    int fd;
    gsize limit;
    GByteArray *waiting;
    guint watch;
};

Outlet *outlet_new(int fd, gsize limit)
{
    Outlet *outlet = g_new0(Outlet, 1);
    outlet->fd = fd;
    outlet->limit = limit;
    outlet->waiting = g_byte_array_new();
    (void)g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    return outlet;
}

void outlet_free(Outlet *outlet)
{
    if (outlet == NULL)
        return;
    if (outlet->watch != 0)
        g_source_remove(outlet->watch);
    g_byte_array_unref(outlet->waiting);
    g_free(outlet);
}

static gboolean on_writable(int fd, GIOCondition condition, gpointer user)
{
    Outlet *outlet = user;
    (void)condition;
    ssize_t n = write(fd, outlet->waiting->data, outlet->waiting->len);
    if (n > 0)
        g_byte_array_remove_range(outlet->waiting, 0, (guint)n);
    if (outlet->waiting->len > 0 && (n > 0 || errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    g_byte_array_set_size(outlet->waiting, 0);
    outlet->watch = 0;
    return G_SOURCE_REMOVE;
}

gboolean outlet_write(Outlet *outlet, gconstpointer data, gsize length)
{
    if (outlet->waiting->len + length > outlet->limit)
        return FALSE;
    g_byte_array_append(outlet->waiting, data, (guint)length);
    if (outlet->watch == 0 && on_writable(outlet->fd, G_IO_OUT, outlet) == G_SOURCE_CONTINUE)
        outlet->watch = g_unix_fd_add(outlet->fd, G_IO_OUT, on_writable, outlet);
    return TRUE;
}

gsize outlet_waiting(const Outlet *outlet)
{
    return outlet->waiting->len;
}
