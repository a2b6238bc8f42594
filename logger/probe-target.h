/* SPDX-License-Identifier: Apache-2.0 */
/* Name or address of a far end to a socket address, without blocking and with a time limit. */
#pragma once

#include "logger/udp.h"

typedef struct ProbeTarget ProbeTarget;

/* Called once: `address` is set, or `error` says why not. */
typedef void (*ProbeTargetDone)(const UdpAddress *address, const GError *error, gpointer data);

/* family AF_INET, AF_INET6, or AF_UNSPEC: the first one the name has.
 * Returns: (transfer none): a handle for probe_target_cancel(), valid until `done` was called. */
ProbeTarget *probe_target_resolve(const char *name, guint16 port, int family, double timeout_s,
                                  GMainContext *context, ProbeTargetDone done, gpointer data);
/* `done` is not called any more. NULL is allowed. */
void probe_target_cancel(ProbeTarget *target);
