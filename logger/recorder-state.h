/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the recorder, for recorder*.c only.
 */
#pragma once

#include "formats/drive-write.h"
#include "logger/recorder.h"
#include "logger/run-drives.h"
#include "logger/sealer.h"

/* What the thread is asked for besides records, in its place between them. */
typedef enum { ORDER_SHIFT, ORDER_ROTATE } OrderKind;
typedef struct {
    OrderKind kind;
    guint at; /* offset in the run: records before it come first */
    gint64 delta_ns;
    const char *reason; /* interned */
} Order;

struct Recorder {
    const Config *config;
    Store *store;
    RecorderUtc utc;
    gpointer utc_data;
    char *boot_id;
    GThread *thread;

    GMutex lock; /* all until "thread only" */
    GCond wake;
    GByteArray *run;
    GArray *orders;
    GPtrArray *labels;
    GPtrArray *sources; /* what is known of each, packed; as many as labels */
    guint n_sources_changed;
    gint64 next_probe;
    guint64 dropped;
    gboolean stop;
    RecorderStatus status;

    /* thread only */
    GByteArray *taken;
    GArray *taken_orders;
    gsize kept;        /* of `taken`: up to here it lies in a closed drive */
    guint orders_done; /* of `taken_orders` */
    DriveWriter *writer;
    char *path; /* of the writer's drive */
    gint64 opened_ns, last_room_ns, retry_ns;
    guint sources_seen;
    RunDrives *drives;
    gboolean low_told;
    guint64 dropped_told; /* of `dropped`: by an event */
    gint64 gap_since_ns, gap_utc_ns;
    const char *gap_kind; /* event of the pause; interned */
    char gap_trouble[256];
    gboolean gap_told; /* it is in the drive that was closed */
    Sealer *sealer;    /* NULL: neither sealing nor evidence is wanted */
};

/* ---- recorder-add.c ---- */

/* Its texts are borrowed. */
Event recorder_make_event(gint64 utc_ns, gint64 source, const char *kind, const char *detail,
                          double value);

/* ---- recorder-drive.c: by the thread only ---- */

/* Opens a drive, if there is room. FALSE: recording is paused. */
gboolean recorder_open_drive(Recorder *recorder);

/* TRUE if all that was added is in the drive. */
gboolean recorder_close_drive(Recorder *recorder);

/* Nothing can be written now: closes, remembers since when, tries again later. */
void recorder_pause_for_error(Recorder *recorder, const GError *error);

/* Writes sources that are new or of which more is known. */
gboolean recorder_write_new_sources(Recorder *recorder, GError **error);

/* Stops before the disk is full. Closing a drive can take as much room again as its WAL: that has
 * to be there, too. */
void recorder_watch_room(Recorder *recorder);

guint64 recorder_dropped(Recorder *recorder);
