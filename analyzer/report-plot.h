/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strip charts along the km axis, drawn by gnuplot through a pipe.
 */
#pragma once

#include "analyzer/report-data.h"

/* One SVG for each series (NULL where a series has nothing on the corridor): level with its band
 * and thresholds, a ribbon of the service's verdicts, one of technologies, cell changes. All share
 * one km axis, so that they line up under each other. Returns: (transfer full) (element-type utf8)
 * SVG texts by series, or NULL if gnuplot fails. */
GPtrArray *report_plot_corridor(const ReportData *data, guint corridor, guint service,
                                GError **error);
