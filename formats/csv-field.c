/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/csv-field.h"

#include <string.h>

void csv_append_field(GString *line, const char *text)
{
    g_autofree char *valid = g_utf8_validate(text, -1, NULL) ? NULL : g_utf8_make_valid(text, -1);
    if (valid != NULL)
        text = valid;
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        g_string_append(line, text);
        return;
    }
    g_string_append_c(line, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            g_string_append_c(line, '"');
        g_string_append_c(line, *text);
    }
    g_string_append_c(line, '"');
}

void csv_print_field(FILE *out, const char *text)
{
    if (text[strcspn(text, ",\"\r\n")] == '\0' && g_utf8_validate(text, -1, NULL)) {
        (void)fputs(text, out);
        return;
    }
    g_autoptr(GString) field = g_string_new(NULL);
    csv_append_field(field, text);
    (void)fputs(field->str, out);
}
