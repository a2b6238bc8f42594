/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report: one HTML page that opens without a network, its plots as SVG, and all tables as CSV.
 */
#pragma once

#include <glib.h>

#define REPORT_ERROR report_error_quark()
typedef enum {
    REPORT_ERROR_INPUT,  /* not what `corridor analyze` writes; the message says what is missing */
    REPORT_ERROR_FAILED, /* cannot be written; gnuplot failed */
} ReportError;
GQuark report_error_quark(void);

typedef struct {
    char *page;      /* path of index.html */
    guint64 bytes;   /* its size */
    guint plots;     /* SVG files */
    guint tables;    /* CSV files */
    char *no_charts; /* why there are none, or NULL */
} ReportSummary;
void report_summary_clear(ReportSummary *summary);

/* Languages a report can be written in ("en", "sv"), ended by NULL. */
const char *const *report_languages(void);

/* Writes the report of the GeoPackage `results` into the folder `folder` (made if it is not there).
 * Each file appears whole or not at all. */
gboolean report_write(const char *results, const char *folder, const char *language,
                      ReportSummary *summary, GError **error);
