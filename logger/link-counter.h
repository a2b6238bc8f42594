/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes an interface has carried, as the kernel counts them (rtnetlink, IFLA_STATS64). */
#pragma once

#include <glib.h>

/* FALSE if there is no such interface. */
gboolean link_counter(const char *interface, guint64 *received, guint64 *sent);
