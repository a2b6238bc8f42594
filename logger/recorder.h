/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder: the only writer of drives, in a thread of its own.
 *
 * Records are handed over by any thread into one buffer; once per commit interval (at most 1 s) the
 * thread takes all of them, writes them and commits. When nothing can be written (disk full, disk
 * budget reached, disk gone) records are counted and dropped, an event says so once, and each 10 s
 * it is tried again: nothing that was recorded is ever deleted to make room.
 */
#pragma once

#include "formats/records.h"
#include "logger/config.h"
#include "logger/store.h"

typedef struct Recorder Recorder;

typedef enum {
    RECORDER_STARTING,
    RECORDER_WRITING,
    RECORDER_BUDGET, /* disk budget reached */
    RECORDER_FULL,   /* disk full, or only what must stay free */
    RECORDER_FAILED  /* the disk says no */
} RecorderState;

typedef struct {
    RecorderState state;
    char path[256];    /* of the drive being written; "" = none */
    char trouble[256]; /* what is wrong; "" = nothing */
    guint64 written;   /* records since the start */
    guint64 dropped;
    guint64 drive_bytes;
    StoreRoom room;
    gint64 last_commit_ns; /* mono; 0 = none yet */
    gint64 last_turn_ns;   /* mono: the thread lives */
} RecorderStatus;

/* How the recorder names times; asked from its thread. */
typedef gint64 (*RecorderUtc)(gpointer data);

/* Starts the thread. Config, store and utc_data must outlive it.
 * Returns: (transfer full). */
Recorder *recorder_new(const Config *config, Store *store, RecorderUtc utc, gpointer utc_data);

/* Writes what is there, closes the drive, ends the thread. NULL is allowed. */
void recorder_free(Recorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recorder, recorder_free)

/* Adds a source, or tells more about one with the same label. Returns its number, which is the same
 * in every drive. */
gint64 recorder_source(Recorder *recorder, const Source *source);

/* Takes a record (borrowed for the call). Any thread. */
void recorder_add(Recorder *recorder, RecordKind kind, const void *record);

/* A number for a probe. Any thread. */
gint64 recorder_next_probe(Recorder *recorder);

/* An event, time `utc_ns`. `source` 0 = the box; value NAN = none. */
void recorder_event(Recorder *recorder, gint64 utc_ns, gint64 source, const char *kind,
                    const char *detail, double value);

/* All that was recorded since the start is off by delta: shifts it, after what was added before. */
void recorder_shift(Recorder *recorder, gint64 delta_ns);

/* Ends this drive and begins another. */
void recorder_rotate(Recorder *recorder, const char *reason);

RecorderStatus recorder_status(Recorder *recorder);

/* "writing", "disk budget reached" … */
const char *recorder_state_name(RecorderState state);
