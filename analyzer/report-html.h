/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page: one HTML text that needs nothing else.
 */
#pragma once

#include "analyzer/report-data.h"

/* plots: for each corridor the SVGs of report_plot_corridor() (element-type GPtrArray).
 * Returns: (transfer full): the whole document. */
GString *report_html(const ReportData *data, const GPtrArray *plots);

/* ---- sections (report-sections.c), appended to the page in this order ---- */

void report_section_decision(const ReportData *data, GString *out);
void report_section_operators(const ReportData *data, guint corridor, GString *out);
void report_section_gaps(const ReportData *data, GString *out);
void report_section_comparison(const ReportData *data, GString *out);
void report_section_probes(const ReportData *data, GString *out);
void report_section_quality(const ReportData *data, GString *out);
void report_section_method(const ReportData *data, GString *out);
