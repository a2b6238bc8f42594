/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/utc-quality.h"

#include <sys/timex.h>
#include <time.h>

StampClock utc_quality(void)
{
    static _Thread_local StampClock known = {.error_s = 1};
    static _Thread_local time_t asked;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (asked == now.tv_sec)
        return known;
    struct timex state = {0};
    int answer = adjtimex(&state);
    asked = now.tv_sec;
    known.synchronised = answer >= 0 && answer != TIME_ERROR && !(state.status & STA_UNSYNC);
    /* Estimated, not maximum: the latter grows by 0.5 ms a second between updates. */
    known.error_s = known.synchronised ? (double)state.esterror / 1e6 : 16;
    return known;
}

bool utc_quality_good(StampClock clock)
{
    return clock.synchronised && clock.error_s <= UTC_QUALITY_LIMIT_S;
}
