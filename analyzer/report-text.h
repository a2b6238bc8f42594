/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words and numbers of a report, in its language.
 */
#pragma once

#include <glib.h>

typedef enum { REPORT_EN, REPORT_SV } ReportLanguage;

/* Sets the language of everything below, for the process. FALSE if there is none of that code. */
gboolean report_set_language(const char *code);
ReportLanguage report_language(void);

/* Translation of a text in English. (transfer none) */
const char *report_tr(const char *text) G_GNUC_FORMAT(1);
#define _(text)  report_tr(text)
#define N_(text) (text)

/* Appends text with & < > " ' escaped for HTML and SVG; NULL appends an en dash. */
void report_escape(GString *out, const char *text);

/* printf into HTML: %s arguments are NOT escaped; escape them first. */
void report_printf(GString *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A number with `decimals` decimals and the language's decimal sign; NAN gives an en dash.
 * Returns: (transfer full). */
char *report_number(double value, int decimals);

/* A share 0..1 as "83.4 %". */
char *report_percent(double share);

/* "x–y %" of two shares, "" where one is not known. */
char *report_percent_range(double low, double high);

/* Metres as "650 m" or "4.3 km". */
char *report_length(double metres);
