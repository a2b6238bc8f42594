/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a report is made of: the tables of OUT.gpkg (corridor-out(5)) in memory, as columns.
 */
#pragma once

#include "analyzer/layer.h"

typedef struct {
    char *name;
    LayerType type;
    /* One of these, by type; LAYER_BLOB has none. */
    int64_t *ints;
    double *reals;
    const char **texts; /* NULL = not measured */
    uint8_t *known;     /* for ints: 0 = NULL. Reals that are NULL are NAN. */
} ReportColumn;

typedef struct {
    char *name;
    size_t n_rows;
    guint n_columns;
    ReportColumn *columns;
} ReportTable;

typedef struct {
    int64_t segment;
    size_t first, n; /* in ReportData.points */
} ReportLine;

typedef struct {
    char *path;
    GPtrArray *tables;   /* of ReportTable */
    GArray *points;      /* of GeoPoint */
    GArray *lines;       /* of ReportLine: each segment once, in the order of the file */
    GStringChunk *texts; /* owns all texts */
} ReportData;

/* Reads all tables but the histograms of the evidence. Fails where a table that a report cannot do
 * without is missing. Returns: (transfer full): free with report_data_free(). */
ReportData *report_data_load(const char *path, GError **error);
void report_data_free(ReportData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReportData, report_data_free)

/* NULL if there is none. (transfer none) */
const ReportTable *report_table(const ReportData *data, const char *name);
gboolean report_has_rows(const ReportData *data, const char *name);

/* Number of a column, -1 if there is none. */
int report_column(const ReportTable *table, const char *name);

/* Values; a column of -1 counts as NULL. Numbers: NAN where NULL. Text: NULL where NULL. */
double report_number_at(const ReportTable *table, size_t row, int column);
/* The same, whole; `none` where there is none, or one that is none of ours. */
int64_t report_int_at(const ReportTable *table, size_t row, int column, int64_t none);
const char *report_text_at(const ReportTable *table, size_t row, int column);

/* The same by name, for the small tables. */
double report_number(const ReportTable *table, size_t row, const char *column);
const char *report_text(const ReportTable *table, size_t row, const char *column);

/* Value of a key of the table meta, or NULL. */
const char *report_meta(const ReportData *data, const char *key);
