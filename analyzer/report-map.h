/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data behind the map: compact JSON that report.js reads.
 */
#pragma once

#include "analyzer/report-data.h"

/* Appends the JSON, safe inside a <script> element. */
void report_map_json(const ReportData *data, GString *out);
