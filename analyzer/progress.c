/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { INTERVAL_US = 200000, FIRST_AFTER_US = 500000 };

struct Progress {
    char *what, *unit;
    gint64 total, start_us, shown_us;
    gboolean terminal, visible;
};

Progress *progress_new(const char *what, const char *unit, gint64 total)
{
    Progress *progress = g_new0(Progress, 1);
    progress->what = g_strdup(what);
    progress->unit = g_strdup(unit);
    progress->total = total;
    progress->start_us = g_get_monotonic_time();
    progress->shown_us = progress->start_us + FIRST_AFTER_US - INTERVAL_US;
    progress->terminal = isatty(STDERR_FILENO) == 1;
    return progress;
}

/* "38.9 M", "812 k", "97": a number short enough to read while it changes. */
static void shorten(double value, char text[16])
{
    if (value >= 1e6)
        (void)g_snprintf(text, 16, "%.1f M", value / 1e6);
    else if (value >= 1e4)
        (void)g_snprintf(text, 16, "%.0f k", value / 1e3);
    else
        (void)g_snprintf(text, 16, value >= 10.0 ? "%.0f " : "%.1f ", value);
}

void progress_set(Progress *progress, gint64 done)
{
    if (!progress->terminal)
        return;
    gint64 now_us = g_get_monotonic_time();
    if (now_us - progress->shown_us < INTERVAL_US)
        return;
    progress->shown_us = now_us;
    progress->visible = TRUE;
    double seconds = (double)(now_us - progress->start_us) / 1e6;
    double rate = (double)done / seconds;
    char speed[16];
    shorten(rate, speed);
    if (progress->total > 0 && done > 0 && done <= progress->total) {
        double left_s = (double)(progress->total - done) / rate;
        (void)fprintf(stderr, "\r\033[K%s: %.0f %%, %s%s/s, %d:%02d left", progress->what,
                      100.0 * (double)done / (double)progress->total, speed, progress->unit,
                      (int)(left_s / 60.0), (int)left_s % 60);
    } else {
        (void)fprintf(stderr, "\r\033[K%s: %" G_GINT64_FORMAT " %s, %s/s", progress->what, done,
                      progress->unit, g_strchomp(speed));
    }
    (void)fflush(stderr);
}

void progress_free(Progress *progress)
{
    if (progress == NULL)
        return;
    if (progress->visible)
        (void)fputs("\r\033[K", stderr);
    g_free(progress->what);
    g_free(progress->unit);
    g_free(progress);
}
