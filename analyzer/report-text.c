/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-text.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

static ReportLanguage language = REPORT_EN;

gboolean report_set_language(const char *code)
{
    static const char *const codes[] = {"en", "sv"};
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
        if (strcmp(codes[i], code) == 0) {
            language = (ReportLanguage)i;
            return TRUE;
        }
    return FALSE;
}

ReportLanguage report_language(void)
{
    return language;
}

const char *report_tr(const char *text)
{
    return text;
}

void report_escape(GString *out, const char *text)
{
    if (text == NULL) {
        g_string_append(out, "\xe2\x80\x93");
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    for (const char *c = valid; *c != '\0'; c++)
        switch (*c) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '"':
            g_string_append(out, "&quot;");
            break;
        case '\'':
            g_string_append(out, "&#39;");
            break;
        default:
            if ((guchar)*c >= 0x20 || *c == '\n' || *c == '\t')
                g_string_append_c(out, *c);
        }
}

void report_printf(GString *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_string_append_vprintf(out, format, arguments);
    va_end(arguments);
}

char *report_number(double value, int decimals)
{
    if (!isfinite(value))
        return g_strdup("\xe2\x80\x93");
    char text[64];
    char format[8];
    (void)g_snprintf(format, sizeof format, "%%.%df", CLAMP(decimals, 0, 9));
    (void)g_ascii_formatd(text, sizeof text, format, value);
    if (strspn(text, "-0.") == strlen(text) && text[0] == '-')
        memmove(text, text + 1, strlen(text)); /* no "-0.0" */
    GString *out = g_string_new(NULL);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '-')
            g_string_append(out, "\xe2\x88\x92"); /* minus sign */
        else if (*c == '.' && language == REPORT_SV)
            g_string_append_c(out, ',');
        else
            g_string_append_c(out, *c);
    }
    return g_string_free(out, FALSE);
}

char *report_percent(double share)
{
    g_autofree char *number = report_number(share * 100.0, 1);
    return isfinite(share) ? g_strconcat(number, "\xc2\xa0%", NULL) : g_steal_pointer(&number);
}

char *report_percent_range(double low, double high)
{
    if (!isfinite(low) || !isfinite(high))
        return g_strdup("");
    g_autofree char *a = report_number(low * 100.0, 1);
    g_autofree char *b = report_number(high * 100.0, 1);
    return g_strconcat(a, "\xe2\x80\x93", b, "\xc2\xa0%", NULL);
}

char *report_length(double metres)
{
    if (!isfinite(metres))
        return g_strdup("\xe2\x80\x93");
    g_autofree char *number =
        metres < 1000.0 ? report_number(metres, 0) : report_number(metres / 1000.0, 1);
    return g_strconcat(number, metres < 1000.0 ? "\xc2\xa0m" : "\xc2\xa0km", NULL);
}
