/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of `corridor analyze`: drives and a network in, OUT.gpkg (corridor-out(5)) out. Drives
 * are binned by several threads; all that follows is done in one order, so that the result does not
 * depend on their number. Memory: the network, one track a thread, and a few bytes for each segment
 * and group; cells of evidence are sorted on disk.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *network, *out, *profile; /* profile NULL = "default" */
    char **drives;
    double segment_m;
    unsigned jobs;
    gboolean pooled, outdoor;
    gboolean samples;         /* write the layer `samples` */
    const char *vehicle_loss; /* vehicle-loss.h; NULL = none */
    guint64 seed;
    unsigned rounds;                                              /* of the bootstrap */
    void (*progress)(gint64 done, gint64 total, void *user_data); /* drives; may be NULL */
    void *user_data;
} AnalyzeOptions;

typedef struct {
    gint64 drives, samples, used, off_network, no_position, uncertain;
    double corridor_km;
    GPtrArray *problems; /* what could not be read of the drives, a line each; (transfer full) */
} AnalyzeReport;
void analyze_report_clear(AnalyzeReport *report);

gboolean analyze(const AnalyzeOptions *options, AnalyzeReport *report, GError **error);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AnalyzeReport, analyze_report_clear)
