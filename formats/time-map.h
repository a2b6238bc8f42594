/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Monotonic time and UTC: the only place that converts one into the other.
 *
 * Everything a box records is captured with CLOCK_BOOTTIME, which starts at boot, runs on in sleep
 * and never steps. One offset turns it into UTC: first guessed from the system clock, then taken
 * from GPS, better from PPS. A new source that says something else than the offset in use moves
 * all of this boot (what was recorded before is shifted as well): there is one true offset per
 * boot, whatever was believed of it earlier.
 *
 * A source of a better kind replaces a lesser one at once. The same kind moves the offset slowly
 * (nothing jumps for jitter) unless it disagrees by more than TIME_MAP_STEP_NS three times in a
 * row: then it is a step of the source itself.
 * GPS by messages arrives late by an unknown, varying time, never early: of the last
 * TIME_MAP_WINDOW messages the earliest counts.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Two kinds of time that cannot be mixed up by accident. */
typedef struct {
    int64_t ns; /* CLOCK_BOOTTIME */
} MonoTime;

typedef struct {
    int64_t ns; /* since 1970-01-01T00:00:00Z, leap seconds not counted */
} UtcTime;

typedef enum {
    TIME_ORIGIN_NONE,
    TIME_ORIGIN_SYSTEM, /* "system" */
    TIME_ORIGIN_GPS,    /* "gps": time in messages */
    TIME_ORIGIN_PPS,    /* "pps": pulse, seen by the kernel or gpsd */
} TimeOrigin;

#define TIME_MAP_WINDOW  10
#define TIME_MAP_STEP_NS INT64_C(200000000)
/* No GPS receiver that works says a time before this: 2024-01-01. One that does has lost count of
 * its weeks (they wrap every 1024) or has no time yet. */
#define TIME_MAP_EARLIEST_NS INT64_C(1704067200000000000)

typedef struct {
    TimeOrigin origin;
    int64_t offset_ns; /* UTC = mono + offset */
    double uncertainty_ms;
    int64_t window[TIME_MAP_WINDOW]; /* offsets seen, newest last */
    unsigned n_window;
    unsigned n_odd; /* in a row that disagree */
    int64_t odd_ns;
} TimeMap;

/* What an observation did. */
typedef enum {
    TIME_MAP_SAME,     /* nothing to be told */
    TIME_MAP_REPLACED, /* better origin: earlier records are off by *change_ns */
    TIME_MAP_STEPPED, /* the origin itself stepped by *change_ns: earlier records were right then */
    TIME_MAP_REFUSED  /* impossible time, or of a lesser origin */
} TimeMapResult;

TimeMap time_map(void);

/* The origin says that it was `utc` at `mono`, with this uncertainty. *change_ns gets new minus old
 * offset. */
TimeMapResult time_map_observe(TimeMap *map, TimeOrigin origin, MonoTime mono, UtcTime utc,
                               double uncertainty_ms, int64_t *change_ns);

UtcTime time_map_utc(const TimeMap *map, MonoTime mono);

/* "system", "gps", "pps", "none" */
const char *time_origin_name(TimeOrigin origin);

MonoTime mono_now(void);
/* CLOCK_REALTIME. */
UtcTime system_now(void);

/* What one clock shows more than another, in ns, read so that whoever is kept from the processor
 * between the two does not see it: a busy machine does that for tenths of a second. */
typedef int64_t (*ReadClock)(void);
int64_t clock_offset_ns(ReadClock clock, ReadClock other);
/* system_now() less mono_now(). */
int64_t system_offset_ns(void);
