/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions and time from gpsd, or positions from a recorded drive. Connects again by itself; tells
 * the loss of the position (silence, no fix, gpsd gone) once and its return once; never stops
 * anything.
 */
#pragma once

#include "logger/clock.h"
#include "logger/config.h"

typedef struct Gps Gps;

typedef struct {
    gboolean connected;
    gboolean have_fix;
    Fix fix;            /* the last with a position */
    gint64 fix_mono_ns; /* 0 = none yet */
    guint64 fixes;      /* messages */
    double distance_m;  /* driven */
    gint64 standing_ns; /* mono since when the vehicle stands; 0 = it moves, or is not known */
    gboolean has_moved; /* since gps_clear_moved() */
    char trouble[160];
} GpsStatus;

/* Config, recorder and clock must outlive it. (transfer full) */
Gps *gps_new(const ConfigGps *config, Recorder *recorder, LoggerClock *clock);
/* NULL is allowed. */
void gps_free(Gps *gps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Gps, gps_free)

/* Any thread. */
void gps_status(Gps *gps, GpsStatus *status);
void gps_clear_moved(Gps *gps);
