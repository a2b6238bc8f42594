/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `corridor export` writes: the samples of a drive with their positions, or the layers of an
 * OUT.gpkg.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct {
    const char *format;
    const char *out;
    const char *layer;          /* OUT.gpkg: layer, NULL = segments */
    const char *service;        /* OUT.gpkg with groups: one service, NULL = all */
    const char *operator_label; /* only this operator, NULL = all */
} ExportOptions;

typedef struct {
    guint64 rows;
    guint64 without_place; /* among them; KML and GPX leave them out */
    GPtrArray
        *problems; /* what of the drive could not be read is added; the caller's, may be NULL */
} ExportSummary;

typedef void (*ExportProgressFunc)(gint64 done, gint64 total, gpointer data);

/* Each sample stands where the fixes of its source were at its time: at a fix, or between two that
 * are at most EXPORT_FIX_GAP_S apart; else it has no place. */
#define EXPORT_FIX_GAP_S 10

gboolean export_drive(const char *path, const ExportOptions *options, ExportProgressFunc progress,
                      gpointer data, ExportSummary *summary, GError **error);

/* CSV and GeoJSON: a layer (or table) with all its columns. KML and GPX: for each service and
 * operator the runs of segments with the same verdict, in its colour. */
gboolean export_results(const char *path, const ExportOptions *options, ExportSummary *summary,
                        GError **error);
