/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a drive. One writer per file at a time; a second one gets DRIVE_ERROR_BUSY.
 * Rows become durable at drive_writer_commit(); what is not committed is lost at a power cut, what
 * is committed is not. Not thread-safe: one thread uses a writer at a time.
 */
#pragma once

#include "formats/drive.h"
#include "formats/records.h"

#include <gio/gio.h>

typedef struct DriveWriter DriveWriter;

/* Creates a new drive. Fails with DRIVE_ERROR_EXISTS rather than touch a file that is there.
 * Returns: (transfer full): free with drive_writer_free(). */
DriveWriter *drive_create(const char *path, GError **error);

/* Opens an existing drive for appending.
 * Returns: (transfer full). */
DriveWriter *drive_open_append(const char *path, GError **error);

/* Rolls back what was not committed and frees. NULL is allowed. */
void drive_writer_free(DriveWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DriveWriter, drive_writer_free)

/* Adds one record of the kind; `record` points to its struct (borrowed for the call). Within one
 * source, times should ascend; a drive in which they do not is marked and read through a sort. */
gboolean drive_add(DriveWriter *writer, RecordKind kind, const void *record, GError **error);

/* Adds a source and gives its number; source->id is ignored. If a source with the same label
 * exists, its row is updated with the known columns and its number is returned. */
gboolean drive_add_source(DriveWriter *writer, const Source *source, gint64 *id, GError **error);

/* Number of the one phone of an operator in this drive, at that place if it is known; 0 if there is
 * none or more than one. */
gboolean drive_only_phone_of(DriveWriter *writer, const char *operator_label, AntennaPlace place,
                             gint64 *id, GError **error);

/* A number for the next probe, unique in this drive. */
gint64 drive_next_probe(DriveWriter *writer);

/* Sets one row of the `meta` table (vehicle, software, configuration …). */
gboolean drive_set_meta(DriveWriter *writer, const char *key, const char *value, GError **error);

/* Whether any file was imported into this drive before. */
gboolean drive_has_imports(DriveWriter *writer);

/* Refuses (DRIVE_ERROR_DUPLICATE, naming when and as what) if a file with this SHA-256 was imported
 * into this drive before. */
gboolean drive_check_not_imported(DriveWriter *writer, const char *sha256, GError **error);

/* Adds delta_ns to every time of the records (all kinds) with from_ns <= time_ns < to_ns, sealed or
 * not; a sealed chunk must lie in that range whole. For a box whose clock was wrong at boot. In one
 * transaction; a failure leaves the drive as it was. */
gboolean drive_shift_times(DriveWriter *writer, gint64 from_ns, gint64 to_ns, gint64 delta_ns,
                           GError **error);

/* Makes all added so far durable. */
gboolean drive_writer_commit(DriveWriter *writer, GError **error);

/* How long closing waits for who reads the drive: 5 s if this was not called. What was committed
 * lies in the WAL if it gives up. */
void drive_writer_set_patience(DriveWriter *writer, int milliseconds);

/* Commits, marks the drive as closed (meta key "closed"), leaves no WAL behind. The writer is still
 * to be freed. */
gboolean drive_writer_close(DriveWriter *writer, GError **error);

/* Bytes that lie in the WAL: closing the drive may need as much again for a moment. */
guint64 drive_writer_unfolded(DriveWriter *writer);

/* Commits and moves the WAL into the drive; the WAL is empty then. Does nothing, successfully,
 * while a reader needs it. */
gboolean drive_writer_fold(DriveWriter *writer, GError **error);

/* Bytes the drive takes on disk now, WAL included. */
guint64 drive_writer_size(DriveWriter *writer);

#define drive_add_fix(w, r, e)    drive_add((w), RECORD_FIX, 1 ? (r) : (const Fix *)0, (e))
#define drive_add_sample(w, r, e) drive_add((w), RECORD_SAMPLE, 1 ? (r) : (const Sample *)0, (e))
#define drive_add_neighbour(w, r, e)                                                               \
    drive_add((w), RECORD_NEIGHBOUR, 1 ? (r) : (const Neighbour *)0, (e))
#define drive_add_carrier(w, r, e) drive_add((w), RECORD_CARRIER, 1 ? (r) : (const Carrier *)0, (e))
#define drive_add_antenna(w, r, e) drive_add((w), RECORD_ANTENNA, 1 ? (r) : (const Antenna *)0, (e))
#define drive_add_registration(w, r, e)                                                            \
    drive_add((w), RECORD_REGISTRATION, 1 ? (r) : (const Registration *)0, (e))
#define drive_add_probe(w, r, e)   drive_add((w), RECORD_PROBE, 1 ? (r) : (const Probe *)0, (e))
#define drive_add_latency(w, r, e) drive_add((w), RECORD_LATENCY, 1 ? (r) : (const Latency *)0, (e))
#define drive_add_throughput(w, r, e)                                                              \
    drive_add((w), RECORD_THROUGHPUT, 1 ? (r) : (const Throughput *)0, (e))
#define drive_add_meeting(w, r, e) drive_add((w), RECORD_MEETING, 1 ? (r) : (const Meeting *)0, (e))
#define drive_add_event(w, r, e)   drive_add((w), RECORD_EVENT, 1 ? (r) : (const Event *)0, (e))
#define drive_add_clock(w, r, e)   drive_add((w), RECORD_CLOCK, 1 ? (r) : (const Clock *)0, (e))
#define drive_add_import(w, r, e)  drive_add((w), RECORD_IMPORT, 1 ? (r) : (const Import *)0, (e))

/* For a file that nobody else knows yet (written beside, renamed when done): no WAL and no fsync
 * until drive_writer_close(), and records go straight into sealed chunks, which is several
 * times faster. A crash leaves it useless. */
gboolean drive_writer_set_bulk(DriveWriter *writer, GError **error);

/* Turns the rows of a drive that nobody writes into sealed column chunks (see docs/drive-file.md),
 * in one transaction; a failure leaves the drive as it was. Readers notice no difference. `cancel`
 * (nullable) ends it from another thread with G_IO_ERROR_CANCELLED. */
gboolean drive_seal(const char *path, GCancellable *cancel, GError **error);

/* Whether sealing would make a closed drive smaller: it has rows, or space between its pages. */
gboolean drive_wants_sealing(const char *path);
