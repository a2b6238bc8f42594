/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/time-map.h"

#include <time.h>

/* Two clocks read within this are read as one. */
enum { OFFSET_TRIES = 5, OFFSET_CLOSE_NS = 20000 };

TimeMap time_map(void)
{
    return (TimeMap){.origin = TIME_ORIGIN_NONE};
}

static TimeMapResult replace(TimeMap *map, TimeOrigin origin, int64_t offset_ns,
                             double uncertainty_ms, int64_t *change_ns)
{
    *change_ns = map->origin == TIME_ORIGIN_NONE ? 0 : offset_ns - map->offset_ns;
    *map = (TimeMap){.origin = origin,
                     .offset_ns = offset_ns,
                     .uncertainty_ms = uncertainty_ms,
                     .window = {offset_ns},
                     .n_window = 1};
    return TIME_MAP_REPLACED;
}

/* The largest offset of the window: the message that was least late. */
static int64_t least_late(const TimeMap *map)
{
    int64_t most = map->window[0];
    for (unsigned i = 1; i < map->n_window; i++)
        most = MAX(most, map->window[i]);
    return most;
}

TimeMapResult time_map_observe(TimeMap *map, TimeOrigin origin, MonoTime mono, UtcTime utc,
                               double uncertainty_ms, int64_t *change_ns)
{
    *change_ns = 0;
    if (origin != TIME_ORIGIN_SYSTEM && utc.ns < TIME_MAP_EARLIEST_NS)
        return TIME_MAP_REFUSED;
    int64_t offset_ns = utc.ns - mono.ns;
    if (origin > map->origin)
        return replace(map, origin, offset_ns, uncertainty_ms, change_ns);
    if (origin < map->origin)
        return TIME_MAP_REFUSED;
    int64_t difference = offset_ns - map->offset_ns;
    if (difference > TIME_MAP_STEP_NS || difference < -TIME_MAP_STEP_NS) {
        /* The system clock steps at once when it is set; a receiver must say it three times alike.
         */
        int64_t apart = offset_ns - map->odd_ns;
        map->n_odd = map->n_odd > 0 && apart < TIME_MAP_STEP_NS && apart > -TIME_MAP_STEP_NS
                         ? map->n_odd + 1
                         : 1;
        map->odd_ns = offset_ns;
        if (origin != TIME_ORIGIN_SYSTEM && map->n_odd < 3)
            return TIME_MAP_REFUSED;
        (void)replace(map, origin, offset_ns, uncertainty_ms, change_ns);
        return TIME_MAP_STEPPED;
    }
    map->n_odd = 0;
    map->uncertainty_ms = uncertainty_ms;
    if (map->n_window == TIME_MAP_WINDOW) {
        for (unsigned i = 1; i < TIME_MAP_WINDOW; i++)
            map->window[i - 1] = map->window[i];
        map->n_window--;
    }
    map->window[map->n_window++] = offset_ns;
    int64_t target = origin == TIME_ORIGIN_GPS ? least_late(map) : offset_ns;
    /* At most 1 ms per observation: times of records stay in order. */
    int64_t move = target - map->offset_ns;
    move = CLAMP(move, -1000000, 1000000);
    map->offset_ns += move;
    *change_ns = move;
    return TIME_MAP_SAME;
}

UtcTime time_map_utc(const TimeMap *map, MonoTime mono)
{
    return (UtcTime){mono.ns + map->offset_ns};
}

const char *time_origin_name(TimeOrigin origin)
{
    static const char *const names[] = {"none", "system", "gps", "pps"};
    return origin <= TIME_ORIGIN_PPS ? names[origin] : "none";
}

static int64_t read_clock(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

MonoTime mono_now(void)
{
    return (MonoTime){read_clock(CLOCK_BOOTTIME)};
}

UtcTime system_now(void)
{
    return (UtcTime){read_clock(CLOCK_REALTIME)};
}

int64_t clock_offset_ns(ReadClock clock, ReadClock other)
{
    int64_t least_ns = INT64_MAX, offset_ns = 0;
    for (int i = 0; i < OFFSET_TRIES && least_ns > OFFSET_CLOSE_NS; i++) {
        const int64_t before_ns = other();
        const int64_t shown_ns = clock();
        const int64_t took_ns = other() - before_ns;
        if (took_ns >= least_ns)
            continue;
        least_ns = took_ns;
        offset_ns = shown_ns - before_ns - took_ns / 2;
    }
    return offset_ns;
}

static int64_t read_mono(void)
{
    return mono_now().ns;
}

static int64_t read_system(void)
{
    return system_now().ns;
}

int64_t system_offset_ns(void)
{
    return clock_offset_ns(read_system, read_mono);
}
