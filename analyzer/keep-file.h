/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was worked out from a drive, kept in a file beside it, DRIVE.SUFFIX, so that a later run
 * need not work it out again: numbered pieces of bytes. Whatever is wrong with that file (made for
 * something else, a drive that has changed since, damage) it is passed over and written anew; where
 * it cannot be written, nothing is kept. One thread uses an object at a time.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct KeepFile KeepFile;

/* What the file is for: the drive as it is now, and `key`, a text that names all else that the
 * pieces depend on. To be called before the drive is read, so that a change while it is being read
 * shows the next time. Returns: (transfer full). */
KeepFile *keep_file_open(const char *drive_path, const char *suffix, const char *key);
void keep_file_free(KeepFile *keep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeepFile, keep_file_free)

/* FALSE if nothing of this drive can be kept: it is being written, or has just been. */
gboolean keep_file_can_keep(const KeepFile *keep);

/* A piece (n bytes), NULL if it is not kept or is damaged. Returns: (transfer full). */
guint8 *keep_file_get(KeepFile *keep, gint64 number, size_t *n);

/* Levels of zstd: a negative one takes more room and half the time, above all of reading. */
typedef enum { KEEP_FAST = -1, KEEP_SMALL = 1 } KeepLevel;

/* Keeps a piece (copied) instead of one of that number. */
void keep_file_put(KeepFile *keep, gint64 number, const void *data, size_t n, KeepLevel level);

/* Writes the file if keep_file_put() added anything. FALSE if it could not be. */
gboolean keep_file_save(KeepFile *keep);
