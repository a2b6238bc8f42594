/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaded before a program (LD_PRELOAD): the kernel's clock says that it follows UTC within
 * CORRIDOR_CLOCK_ERROR_US microseconds, or without it that it does not follow. Two programs on one
 * machine share one clock, so the first is true between them; a test cannot discipline the clock of
 * the machine it runs on, nor know whether it is. With CORRIDOR_CLOCK_AHEAD_S its clock is ahead by
 * so much; the kernel's own stamps are not.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *ahead_s = getenv("CORRIDOR_CLOCK_AHEAD_S");
    long done = syscall(SYS_clock_gettime, clock, now);
    if (done == 0 && ahead_s && clock == CLOCK_REALTIME)
        now->tv_sec += strtol(ahead_s, NULL, 10);
    return (int)done;
}

int adjtimex(struct timex *state)
{
    const char *error_us = getenv("CORRIDOR_CLOCK_ERROR_US");
    memset(state, 0, sizeof *state);
    state->status = error_us ? STA_PLL : STA_UNSYNC;
    state->esterror = error_us ? strtol(error_us, NULL, 10) : 16000000;
    return error_us ? TIME_OK : TIME_ERROR;
}
