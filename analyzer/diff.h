/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before and after: adds the tables diff, diff_summary, diff_gaps and diff_cells to a copy of the
 * later campaign's OUT.gpkg (corridor-diff(1)).
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *before, *after, *out;
    double rate;             /* of false discoveries, 0..1 */
    gboolean same_equipment; /* the same receivers and antennas in both campaigns */
    guint64 seed;
    unsigned rounds;
} DiffOptions;

/* Lines of text that say what was found, for the terminal, and warnings. */
typedef struct {
    GPtrArray *lines, *warnings;
} DiffReport;
void diff_report_clear(DiffReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DiffReport, diff_report_clear)

gboolean diff(const DiffOptions *options, DiffReport *report, GError **error);
