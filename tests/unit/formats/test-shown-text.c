/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/shown-text.h"

static void test_rows(void)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"Gävle–Sundsvall", "Gävle–Sundsvall"},
        {"two\nlines\r\tand", "two lines  and"},
        {"\x1b]0;title\x07\x1b[2J", "?]0;title??[2J"},
        {"\xc2\x9b"
         "31m",
         "?31m"}, /* CSI as one character, U+009B */
        {"\x7f", "?"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"", ""},
        {NULL, "?"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *shown = shown_text(rows[i].text);
        g_assert_cmpstr(shown, ==, rows[i].shown);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shown-text/rows", test_rows);
    return g_test_run();
}
