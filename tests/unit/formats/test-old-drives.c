/* SPDX-License-Identifier: Apache-2.0 */
/* Drives of every format version that there was are read, with the same values, for ever: the files
 * of fixtures/drives are never made anew. version-N.expected holds what is in them: a line
 * "## TABLE ORDER BY …", the names of the columns, the records. */
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "formats/sql.h"
#include "tests/unit/drive-folder.h"

#include <glib/gstdio.h>
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

static void check_drive(const char *drive_path, int version)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_strdup_printf("version-%d.expected", version);
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

static const struct {
    const char *name;
    int version;
    gboolean sealed;
} drives[] = {
    {"version-1-rows.drive", 1, FALSE}, {"version-1-sealed.drive", 1, TRUE},
    {"version-2-rows.drive", 2, FALSE}, {"version-2-sealed.drive", 2, TRUE},
    {"version-3-rows.drive", 3, FALSE}, {"version-3-sealed.drive", 3, TRUE},
};

static void test_reading(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(drives); i++) {
        g_autofree char *path = path_of(drives[i].name);
        g_test_message("%s", path);
        check_drive(path, drives[i].version);
    }
}

/* An old drive that is sealed, or gets more chunks beside old ones, says that it has new ones. */
static void test_sealing(DriveFolder *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(drives); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *old_path = path_of(drives[i].name);
        g_autofree char *bytes = NULL;
        gsize length = 0;
        g_assert_true(g_file_get_contents(old_path, &bytes, &length, &error));
        g_assert_true(g_file_set_contents(f->path, bytes, (gssize)length, &error));
        if (!drives[i].sealed) {
            g_assert_true(drive_seal(f->path, NULL, &error));
            g_assert_no_error(error);
            g_assert_cmpint(drive_folder_sql(f->path, "SELECT count(*) FROM samples"), ==, 0);
            check_drive(f->path, drives[i].version);
        }
        g_autoptr(DriveWriter) writer = drive_open_append(f->path, &error);
        g_assert_no_error(error);
        Sample sample = {0};
        RECORD_SET(&sample, SAMPLE, time_ns, G_GINT64_CONSTANT(1900000000000000000));
        RECORD_SET(&sample, SAMPLE, source, 1);
        g_assert_true(drive_add_sample(writer, &sample, &error));
        g_assert_true(drive_writer_close(writer, &error));
        g_clear_pointer(&writer, drive_writer_free);
        g_assert_true(drive_seal(f->path, NULL, &error));
        g_assert_no_error(error);
        g_assert_cmpint(drive_folder_sql(f->path, "PRAGMA user_version"), ==, DRIVE_FORMAT_VERSION);
        /* packs, references to them, and what was there */
        gboolean mixed = drives[i].sealed && drives[i].version < 3;
        g_assert_cmpint(
            drive_folder_sql(f->path, "SELECT count(DISTINCT substr(data, 1, 4)) FROM chunks"), ==,
            mixed ? 3 : 2);
        g_autoptr(GString) n = g_string_new(NULL);
        g_assert_true(drive_sql(f->path, "SELECT count(*) FROM samples", collect, n, NULL, &error));
        g_assert_cmpstr(n->str, ==, "count(*)\n401\n");
        g_assert_cmpint(g_unlink(f->path), ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/old-drives/reading", test_reading);
    g_test_add("/old-drives/sealing", DriveFolder, NULL, drive_folder_set_up, test_sealing,
               drive_folder_tear_down);
    return g_test_run();
}
