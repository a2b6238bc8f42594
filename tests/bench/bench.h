/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmarks in C share. */
#pragma once

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double bench_now_s(void)
{
    return (double)g_get_monotonic_time() / 1e6;
}

/* Processor time of all threads, system calls included: quieter than the clock on a busy machine.
 */
static inline double bench_cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Ends the program on an error. */
static inline void bench_check(const GError *error)
{
    if (error != NULL) {
        (void)fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
}
