/* SPDX-License-Identifier: Apache-2.0 */
/* Drives of every format version that there was are read, with the same values, for ever: the files
 * of fixtures/drives are never made anew. version-N.expected holds what is in them: a line
 * "## TABLE ORDER BY …", the names of the columns, the records. */
#include "formats/drive-read.h"
#include "formats/sql.h"

#include <string.h>

static gboolean collect(gboolean row, int n, const char *const *values, gpointer data)
{
    (void)row;
    for (int i = 0; i < n; i++) {
        const char *value = values[i] != NULL ? values[i] : "";
        /* as `corridor sql` prints it */
        gboolean quoted = strpbrk(value, ",\"\n") != NULL;
        g_auto(GStrv) parts = g_strsplit(value, "\"", -1);
        g_autofree char *doubled = g_strjoinv("\"\"", parts);
        g_string_append_printf(data, quoted ? "\"%s\"%c" : "%s%c", quoted ? doubled : value,
                               i + 1 < n ? ',' : '\n');
    }
    return TRUE;
}

static char *path_of(const char *name)
{
    return g_build_filename(g_getenv("G_TEST_SRCDIR"), "fixtures", "drives", name, NULL);
}

/* Asks for the columns of that version only: later ones add more. */
static void check_table(const char *drive, const char *section)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) got = g_string_new(NULL);
    const char *head_end = strchr(section, '\n');
    const char *columns = head_end + 1;
    const char *columns_end = strchr(columns, '\n');
    g_autofree char *sql = g_strdup_printf("SELECT %.*s FROM %.*s", (int)(columns_end - columns),
                                           columns, (int)(head_end - section), section);
    g_assert_true(drive_sql(drive, sql, collect, got, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(got->str, ==, columns);
}

static void test_version(gconstpointer data)
{
    const char *name = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *drive_path = path_of(name);
    g_autofree char *expected_name = g_strndup(name, strcspn(name, "-") + 2);
    g_autofree char *file = g_strconcat(expected_name, ".expected", NULL);
    g_autofree char *expected_path = path_of(file);
    g_autofree char *expected = NULL;
    g_assert_true(g_file_get_contents(expected_path, &expected, NULL, &error));
    g_assert_no_error(error);
    g_auto(GStrv) sections = g_strsplit(expected, "## ", -1);
    g_assert_cmpuint(g_strv_length(sections), ==, 8);
    for (char **section = sections + 1; *section != NULL; section++)
        check_table(drive_path, *section);
    g_autoptr(Drive) drive = drive_open(drive_path, &error);
    g_assert_no_error(error);
    gint64 n = 0;
    gint64 first_ns = 0;
    gint64 last_ns = 0;
    g_assert_true(drive_count(drive, RECORD_SAMPLE, 0, &n, &first_ns, &last_ns, &error));
    g_assert_cmpint(n, ==, 400);
    g_assert_cmpuint(drive_problems(drive)->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/old-drives/1-rows", "version-1-rows.drive", test_version);
    g_test_add_data_func("/old-drives/1-sealed", "version-1-sealed.drive", test_version);
    return g_test_run();
}
