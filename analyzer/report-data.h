/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a report is made of: the tables of an OUT.gpkg (corridor-out(5)) in memory.
 */
#pragma once

#include "analyzer/layer.h"

/* A small table, as text and numbers by column name. */
typedef struct ReportTable ReportTable;
guint report_table_rows(const ReportTable *table);
/* NULL where the value or the column is missing. (transfer none) */
const char *report_text_at(const ReportTable *table, guint row, const char *column);
/* NAN where the value or the column is missing. */
double report_real_at(const ReportTable *table, guint row, const char *column);

typedef enum {
    VERDICT_NOT_MEASURED,
    VERDICT_COVERED,
    VERDICT_UNCERTAIN,
    VERDICT_NOT_COVERED,
    VERDICT_COUNT
} ReportVerdict;

typedef struct {
    double share, low, high;
    ReportVerdict verdict;
    const char *reason;
} ReportServiceCell;

/* One segment for one operator and antenna. Numbers are NAN where not measured. */
typedef struct {
    guint place;  /* index into ReportData.places */
    guint series; /* index into ReportData.series */
    gint64 n, passes, n_no_service;
    double level_p10, level_p50, level_p90, rtt_p50, loss_share, down_p50, up_p50;
    const char *rat, *meeting;
    gboolean no_service; /* its median is "no service" */
    guint first_cell;    /* n_services cells from here in ReportData.cells */
} ReportSegment;

/* A segment on the map and on the km axis, shared by all operators. */
typedef struct {
    gint64 number;
    guint corridor; /* index into corridors, G_MAXUINT outside */
    double km_from, km_to, length_m;
    guint first_point, n_points;
} ReportPlace;

/* An operator with an antenna place. */
typedef struct {
    const char *operator_label, *antenna;
    char *title; /* as shown */
} ReportSeries;

typedef struct {
    const char *id, *title, *quantity, *unit;
    gboolean is_level;
} ReportService;

typedef struct {
    const char *name;
    double length_km, start_km;
} ReportCorridor;

typedef struct {
    char *path;
    GArray *services;  /* of ReportService */
    GArray *corridors; /* of ReportCorridor */
    GArray *series;    /* of ReportSeries: measured ones, without (any) and (all) */
    GArray *places;    /* of ReportPlace */
    GArray *segments;  /* of ReportSegment */
    GArray *cells;     /* of ReportServiceCell */
    GArray *points;    /* of GeoPoint */
    ReportTable *summary, *gaps, *operators, *pairs, *quality, *drives, *sources, *service_rows,
        *meta, *changes, *hours, *tests, *stations;
    GStringChunk *text;
} ReportData;

/* Reads a results file. Returns: (transfer full). */
ReportData *report_data_load(const char *path, GError **error);
void report_data_free(ReportData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReportData, report_data_free)

/* Value of a meta key, or NULL. */
const char *report_meta(const ReportData *data, const char *key);

/* Row of `summary` for a corridor, operator, antenna and service, or -1. */
int report_summary_row(const ReportData *data, const char *corridor, const char *operator_label,
                       const char *antenna, const char *service);

/* The service that headlines speak of: the first one that judges a level, else the first. */
guint report_main_service(const ReportData *data);
