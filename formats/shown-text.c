/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/shown-text.h"

char *shown_text(const char *text)
{
    if (text == NULL)
        return g_strdup("?");
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *shown = g_string_new(NULL);
    for (char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        const gunichar c = g_utf8_get_char(at);
        g_string_append_unichar(shown, c == '\n' || c == '\r' || c == '\t' ? ' '
                                       : g_unichar_iscntrl(c)              ? '?'
                                                                           : c);
    }
    return g_string_free(shown, FALSE);
}
