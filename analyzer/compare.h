/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claim against measurement: adds the tables claims, claim_tables, overclaims, claim_sensitivity,
 * vehicle_loss and arcep to a copy of OUT.gpkg (corridor-compare(1)).
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *in, *out;
    const char *service; /* id; NULL = the first one judged by level */
    char **maps;         /* OPERATOR=SPECIFICATION … */
    const char *areas;   /* specification of named polygons, or NULL */
    const char *crs;     /* of the arcep table; NULL = WGS 84 */
    guint64 seed;
    unsigned rounds;
} CompareOptions;

/* Lines of text that say what was found, for the terminal, and warnings. */
typedef struct {
    GPtrArray *lines, *warnings;
} CompareReport;
void compare_report_clear(CompareReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CompareReport, compare_report_clear)

gboolean compare(const CompareOptions *options, CompareReport *report, GError **error);
