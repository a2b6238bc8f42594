/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug captures: rotating pcapng files of headers, with all addresses zeroed and no payload. Off
 * unless asked for. Format: draft-ietf-opsawg-pcapng, 4.1 to 4.3.
 */
#pragma once

#include <glib.h>

typedef struct Pcapng Pcapng;

/* Writes PREFIX-0.pcapng, PREFIX-1.pcapng … of at most max_bytes each; of `files` the oldest is
 * overwritten.
 * Returns: (transfer full). */
Pcapng *pcapng_new(const char *prefix, guint64 max_bytes, unsigned files, GError **error);
/* NULL is allowed. */
void pcapng_free(Pcapng *pcapng);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pcapng, pcapng_free)

/* One packet from its IP header on. FALSE if the file cannot be written: nothing more is tried. */
gboolean pcapng_packet(Pcapng *pcapng, gboolean up, gint64 time_ns, const guint8 *data,
                       gsize captured, gsize length, GError **error);
