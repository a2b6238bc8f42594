/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV tables beside the report: the same columns as the layers of OUT.gpkg.
 */
#pragma once

#include "analyzer/layer.h"

/* Writes a CSV for each table of the results file into `dir`: segments.csv, summary.csv, gaps.csv …
 * Numbers in the C locale, empty = NULL, blobs left out. */
gboolean report_write_tables(const char *results, const char *dir, GError **error);
