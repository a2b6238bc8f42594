/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box's time: feeds the time map from gpsd and the kernel, records it and its steps.
 * All functions may be called from any thread, clock_new() and clock_free() from the main one.
 */
#pragma once

#include "formats/time-map.h"
#include "logger/recorder.h"

typedef struct LoggerClock LoggerClock;

/* Starts with the system clock, looks at it each second in the main loop. (transfer full) */
LoggerClock *clock_new(void);
/* NULL is allowed. */
void clock_free(LoggerClock *clock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LoggerClock, clock_free)

/* Where mappings and steps are written from now on. Must outlive the clock's use of it. NULL ends
 * it. */
void clock_record(LoggerClock *clock, Recorder *recorder);

/* The receiver said that it was `utc`; the message came at `mono`. */
void clock_gps(LoggerClock *clock, UtcTime utc, MonoTime mono);
/* gpsd saw the pulse of second `utc` when the system clock said `system`. */
void clock_pps(LoggerClock *clock, UtcTime utc, UtcTime system);

UtcTime clock_utc(LoggerClock *clock, MonoTime mono);
/* RecorderUtc: now. */
gint64 clock_utc_now(gpointer clock);
/* What CLOCK_REALTIME said, in the drive's UTC. */
gint64 clock_utc_of_system(gpointer clock, gint64 realtime_ns);

typedef struct {
    TimeOrigin origin;
    double uncertainty_ms; /* NAN = unknown */
    double system_off_s;   /* system clock minus ours */
    gboolean system_synchronised;
} ClockState;
ClockState clock_state(LoggerClock *clock);
