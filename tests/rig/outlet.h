/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be written to a socket or a pty whose other end may read slowly or not at all: never
 * waits, and holds no more than its limit.
 */
#pragma once

#include <glib.h>

typedef struct Outlet Outlet;

/* Makes `fd` (borrowed) non-blocking. `limit`: bytes that may wait. */
Outlet *outlet_new(int fd, gsize limit);
/* Drops what waits. NULL is allowed. */
void outlet_free(Outlet *outlet);

/* Writes as soon as there is room, all of it or, beyond the limit, nothing (FALSE). */
gboolean outlet_write(Outlet *outlet, gconstpointer data, gsize length);
/* Bytes that wait. */
gsize outlet_waiting(const Outlet *outlet);
