/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made power cuts: an SQLite VFS that stands in front of the real one, records every write,
 * truncation, fsync and deletion of database, WAL and journal files, and can afterwards lay out
 * what a medium may hold after the power went at any point of that record.
 *
 * The medium's promise is that of a disk with a volatile cache: what was written before the last
 * fsync of the same file is there; of what was written after it, each 512-byte sector may be old or
 * new, in any combination, and the one being written may hold garbage.
 */
#pragma once

#include <glib.h>

typedef struct CrashRecord CrashRecord;

/* Registers the VFS as SQLite's default and starts recording. One at a time.
 * Returns: (transfer full). */
CrashRecord *crash_record_start(void);

/* Notes that something was promised: rows up to `value` are durable. Kept with its place. */
void crash_record_promise(CrashRecord *record, gint64 value);

/* Stops recording and puts the real VFS back as the default. */
void crash_record_stop(CrashRecord *record);

/* Number of operations recorded: power can go before operation 0 … n. */
guint crash_record_length(const CrashRecord *record);

/* The latest promise made before operation `cut`, or 0. */
gint64 crash_record_promised(const CrashRecord *record, guint cut);

/* TRUE if operation `cut` - 1 was an fsync: a flush boundary. */
gboolean crash_record_is_flush(const CrashRecord *record, guint cut);

/* Lays out under `dir` (by base name) what the files hold if power goes before operation `cut`.
 * `seed` decides which unflushed sectors made it; seed 0 = all of them, 1 = none. */
void crash_record_lay_out(const CrashRecord *record, guint cut, guint32 seed, const char *dir);

void crash_record_free(CrashRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CrashRecord, crash_record_free)
