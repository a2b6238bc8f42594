/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of events: the table, docs/drive-file.md and the programs say the same. */
#include "formats/event-kinds.h"

#include <string.h>

static char *read_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("G_TEST_SRCDIR"), folder, name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    return text;
}

static void test_table(void)
{
    for (const EventKind *row = event_kinds; row->kind != NULL; row++) {
        g_assert_true(event_kind_find(row->kind) == row); /* none twice */
        g_assert_cmpuint(strlen(row->meaning), >, 0);
    }
    g_assert_null(event_kind_find("no-such-kind"));
}

/* Row for row, and none besides. */
static void test_documented(void)
{
    g_autofree char *doc = read_file("docs", "drive-file.md");
    const char *section = strstr(doc, "\n## Events\n");
    g_assert_nonnull(section);
    const char *end = strstr(section + 4, "\n## ");
    g_autofree char *body = g_strndup(section, (gsize)(end - section));
    guint wanted = 0, documented = 0;
    for (const EventKind *row = event_kinds; row->kind != NULL; row++, wanted++) {
        g_autofree char *line =
            g_strdup_printf("\n| `%s` | %s | %s |\n", row->kind, row->unit, row->meaning);
        if (strstr(body, line) == NULL)
            g_error("docs/drive-file.md, section Events, lacks: %s", line);
    }
    for (const char *at = body; (at = strstr(at, "\n| `")) != NULL; at++)
        documented++;
    g_assert_cmpuint(documented, ==, wanted);
}

/* No kind that nobody writes. */
static void test_written(void)
{
    static const char *const folders[] = {"logger", "formats"};
    g_autoptr(GString) all = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(g_getenv("G_TEST_SRCDIR"), folders[i], NULL);
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        g_assert_nonnull(dir);
        for (const char *name = NULL; (name = g_dir_read_name(dir)) != NULL;) {
            if (!g_str_has_suffix(name, ".c") || strcmp(name, "event-kinds.c") == 0)
                continue;
            g_autofree char *text = read_file(folders[i], name);
            g_string_append(all, text);
        }
    }
    for (const EventKind *row = event_kinds; row->kind != NULL; row++) {
        g_autofree char *quoted = g_strdup_printf("\"%s\"", row->kind);
        if (strstr(all->str, quoted) == NULL)
            g_error("nobody writes events of the kind %s", row->kind);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/event-kinds/table", test_table);
    g_test_add_func("/event-kinds/documented", test_documented);
    g_test_add_func("/event-kinds/written", test_written);
    return g_test_run();
}
