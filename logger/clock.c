/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/clock.h"

#include <math.h>
#include <sys/timex.h>

#define RECORD_EVERY_NS INT64_C(60000000000)
/* gpsd's own: serial line, parsing, and its position in the second are not known better. */
#define GPS_UNCERTAINTY_MS 200.0
#define PPS_UNCERTAINTY_MS 1.0
#define STEP_TOLD_NS       INT64_C(100000000)

struct LoggerClock {
    GMutex lock;
    TimeMap map;
    Recorder *recorder;
    char *boot;
    guint timer;
    gint64 recorded_ns; /* mono */
    gint64 system_offset_ns;
};

/* How far off the system clock may be; NAN where nothing keeps it right. */
static double system_uncertainty_ms(gboolean *synchronised)
{
    struct timex state = {.modes = 0};
    int rc = adjtimex(&state);
    *synchronised = rc != -1 && rc != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    return *synchronised ? (double)state.maxerror / 1000.0 : (double)NAN;
}

static void write_mapping(LoggerClock *clock, gint64 step_ns)
{
    if (clock->recorder == NULL)
        return;
    MonoTime now = mono_now();
    Clock record = {0};
    RECORD_SET(&record, CLOCK, time_ns, time_map_utc(&clock->map, now).ns);
    RECORD_SET(&record, CLOCK, mono_ns, now.ns);
    RECORD_SET(&record, CLOCK, boot, clock->boot);
    RECORD_SET(&record, CLOCK, origin, time_origin_name(clock->map.origin));
    if (!isnan(clock->map.uncertainty_ms))
        RECORD_SET(&record, CLOCK, uncertainty_ms, clock->map.uncertainty_ms);
    RECORD_SET(&record, CLOCK, step_ns, step_ns);
    recorder_add(clock->recorder, RECORD_CLOCK, &record);
    clock->recorded_ns = now.ns;
}

static void observe(LoggerClock *clock, TimeOrigin origin, MonoTime mono, UtcTime utc,
                    double uncertainty_ms)
{
    TimeOrigin before = clock->map.origin;
    gint64 change_ns = 0;
    TimeMapResult result =
        time_map_observe(&clock->map, origin, mono, utc, uncertainty_ms, &change_ns);
    if (result != TIME_MAP_REPLACED && result != TIME_MAP_STEPPED)
        return;
    /* The system clock that is set knows better than it did before, too. */
    gboolean was_wrong = result == TIME_MAP_REPLACED || origin == TIME_ORIGIN_SYSTEM;
    if (clock->recorder != NULL && before != TIME_ORIGIN_NONE) {
        if (was_wrong && change_ns != 0)
            recorder_shift(clock->recorder, change_ns - change_ns % 1000); /* see clock_utc() */
        char detail[160];
        g_snprintf(detail, sizeof detail, "%s to %s; %s", time_origin_name(before),
                   time_origin_name(origin),
                   was_wrong ? "earlier records of this run were shifted"
                             : "earlier records were left as they were");
        if (ABS(change_ns) >= STEP_TOLD_NS)
            recorder_event(clock->recorder, time_map_utc(&clock->map, mono_now()).ns, 0,
                           "clock-step", detail, (double)change_ns / 1e9);
    }
    if (before != TIME_ORIGIN_NONE && (before != origin || ABS(change_ns) >= STEP_TOLD_NS))
        g_message("clock: time from %s, %+.3f s from before", time_origin_name(origin),
                  (double)change_ns / 1e9);
    write_mapping(clock, change_ns);
}

static gboolean look(gpointer data)
{
    LoggerClock *clock = data;
    gboolean synchronised = FALSE;
    double uncertainty_ms = system_uncertainty_ms(&synchronised);
    g_mutex_lock(&clock->lock);
    const gint64 offset_ns = system_offset_ns();
    MonoTime mono = mono_now();
    UtcTime system = {mono.ns + offset_ns};
    gint64 step_ns = offset_ns - clock->system_offset_ns;
    clock->system_offset_ns = offset_ns;
    if (clock->map.origin <= TIME_ORIGIN_SYSTEM)
        observe(clock, TIME_ORIGIN_SYSTEM, mono, system, uncertainty_ms);
    else if (ABS(step_ns) >= STEP_TOLD_NS && clock->recorder != NULL)
        recorder_event(clock->recorder, time_map_utc(&clock->map, mono).ns, 0, "system-clock-step",
                       "the system clock was set; times of records do not come from it",
                       (double)step_ns / 1e9);
    if (mono.ns - clock->recorded_ns >= RECORD_EVERY_NS)
        write_mapping(clock, 0);
    g_mutex_unlock(&clock->lock);
    return G_SOURCE_CONTINUE;
}

LoggerClock *clock_new(void)
{
    LoggerClock *clock = g_new0(LoggerClock, 1);
    g_mutex_init(&clock->lock);
    clock->map = time_map();
    clock->boot = store_boot_id();
    clock->system_offset_ns = system_offset_ns();
    (void)look(clock);
    clock->timer = g_timeout_add_seconds(1, look, clock);
    return clock;
}

void clock_free(LoggerClock *clock)
{
    if (clock == NULL)
        return;
    g_source_remove(clock->timer);
    g_mutex_clear(&clock->lock);
    g_free(clock->boot);
    g_free(clock);
}

void clock_record(LoggerClock *clock, Recorder *recorder)
{
    g_mutex_lock(&clock->lock);
    clock->recorder = recorder;
    write_mapping(clock, 0);
    g_mutex_unlock(&clock->lock);
}

void clock_gps(LoggerClock *clock, UtcTime utc, MonoTime mono)
{
    g_mutex_lock(&clock->lock);
    observe(clock, TIME_ORIGIN_GPS, mono, utc, GPS_UNCERTAINTY_MS);
    g_mutex_unlock(&clock->lock);
}

void clock_pps(LoggerClock *clock, UtcTime utc, UtcTime system)
{
    g_mutex_lock(&clock->lock);
    MonoTime mono = {system.ns - system_offset_ns()};
    observe(clock, TIME_ORIGIN_PPS, mono, utc, PPS_UNCERTAINTY_MS);
    g_mutex_unlock(&clock->lock);
}

UtcTime clock_utc(LoggerClock *clock, MonoTime mono)
{
    g_mutex_lock(&clock->lock);
    UtcTime utc = time_map_utc(&clock->map, mono);
    g_mutex_unlock(&clock->lock);
    /* Whole microseconds: no answer is timed better, and the digits below are noise, more than a
     * byte of each time in a sealed drive. */
    utc.ns -= utc.ns % 1000;
    return utc;
}

gint64 clock_utc_now(gpointer clock)
{
    return clock_utc(clock, mono_now()).ns;
}

gint64 clock_utc_of_system(gpointer clock, gint64 realtime_ns)
{
    return clock_utc(clock, (MonoTime){realtime_ns - system_offset_ns()}).ns;
}

ClockState clock_state(LoggerClock *clock)
{
    ClockState state = {0};
    (void)system_uncertainty_ms(&state.system_synchronised);
    g_mutex_lock(&clock->lock);
    state.origin = clock->map.origin;
    state.uncertainty_ms = clock->map.uncertainty_ms;
    MonoTime mono = mono_now();
    state.system_off_s =
        (double)(mono.ns + system_offset_ns() - time_map_utc(&clock->map, mono).ns) / 1e9;
    g_mutex_unlock(&clock->lock);
    return state;
}
