/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matched positions kept beside a drive, in DRIVE.match (keep-file.h): a later run on the same
 * network does not match again. Drives of which something could not be read have none. One thread
 * uses an object at a time.
 */
#pragma once

#include "analyzer/bin-track.h"

/* Raised with every change of the matcher or of what is packed. */
#define BIN_KEEP_RULES 4

typedef struct BinKeep BinKeep;

/* `network_key` from bin_keep_network_key(). To be called before the drive is read.
 * Returns: (transfer full). */
BinKeep *bin_keep_open(const char *drive_path, const char *network_key);
void bin_keep_free(BinKeep *keep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BinKeep, bin_keep_free)

/* The track of a receiver, NULL if it is not kept. (transfer full) */
BinTrack *bin_keep_get(const BinKeep *keep, const Network *network, gint64 receiver);

/* Keeps a track that was matched now. */
void bin_keep_put(BinKeep *keep, gint64 receiver, const BinTrack *track);

/* Writes the file if bin_keep_put() added anything. FALSE if it could not be. */
gboolean bin_keep_save(BinKeep *keep);

/* Deletes what programs that were killed had begun to keep beside drives: the file itself may be
 * whole by now, and not be written again. */
void bin_keep_sweep(char *const *drives);

/* Differs for networks, and parts of networks, in which edges are not numbered alike.
 * (transfer full) */
char *bin_keep_network_key(const Network *network);
