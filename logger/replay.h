/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recorded drive played again: what one of its sources measured, spaced as it was (or faster).
 * All that play the same drive at the same speed in this process keep one time, so that positions
 * and samples belong together, and begin it again together when it has ended.
 */
#pragma once

#include "formats/drive-read.h"
#include "formats/time-map.h"

typedef struct {
    const char *file;
    const char *label; /* of the source; NULL: the first that is (or, gps FALSE, is not) GPS */
    gboolean gps;      /* fixes; else what a modem measures */
    double speed;      /* times as fast as it was recorded */
    gpointer data;
    /* A record, due at `due`; borrowed. */
    void (*play)(gpointer data, RecordKind kind, gpointer record, MonoTime due);
    /* At least each 500 ms: it lives, though nothing may have been recorded then. */
    void (*alive)(gpointer data);
    /* All was played; nothing is told any more. */
    void (*ended)(gpointer data);
} ReplayPlan;

typedef struct Replay Replay;

/* Opens and begins, in the main loop. `plan` is copied, its texts borrowed. (transfer full) */
Replay *replay_new(const ReplayPlan *plan, GError **error);
/* NULL is allowed. */
void replay_free(Replay *replay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Replay, replay_free)

/* The source that is played. (transfer none) */
const Source *replay_source(const Replay *replay);
