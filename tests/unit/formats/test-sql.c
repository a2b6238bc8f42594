/* SPDX-License-Identifier: Apache-2.0 */
/* SQL over sealed and live records gives what plain SQL gives over the same records as rows. */
#include "formats/drive-write.h"
#include "formats/sql.h"

#include <glib/gstdio.h>
#include <string.h>

static void fill(const char *path, gboolean bulk, int from, int to)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer =
        from == 0 ? drive_create(path, &error) : drive_open_append(path, &error);
    g_assert_no_error(error);
    if (bulk)
        g_assert_true(drive_writer_set_bulk(writer, &error));
    for (int i = from; i < to; i++) {
        Sample sample = {0};
        RECORD_SET(&sample, SAMPLE, time_ns, i * G_GINT64_CONSTANT(250000000));
        RECORD_SET(&sample, SAMPLE, source, 1 + i % 3);
        RECORD_SET(&sample, SAMPLE, rat, i % 10 == 0 ? RAT_NONE : RAT_LTE);
        if (i % 10 != 0)
            RECORD_SET(&sample, SAMPLE, rsrp_dbm, -80.0 - i % 50);
        g_assert_true(drive_add_sample(writer, &sample, &error));
    }
    g_assert_true(drive_writer_close(writer, &error));
    g_assert_no_error(error);
}

static gboolean collect(gboolean row, int n, const char *const *values, gpointer data)
{
    (void)row;
    for (int i = 0; i < n; i++)
        g_string_append_printf(data, "%s%c", values[i] != NULL ? values[i] : "NULL",
                               i + 1 < n ? ',' : '\n');
    return TRUE;
}

static char *ask(const char *path, const char *sql)
{
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(NULL);
    g_assert_true(drive_sql(path, sql, collect, text, &error));
    g_assert_no_error(error);
    return g_string_free(text, FALSE);
}

static void test_same_answers(void)
{
    static const char *const queries[] = {
        "SELECT count(*), sum(source), avg(rsrp_dbm) FROM samples",
        "SELECT rat, source, count(*), min(rsrp_dbm) FROM samples GROUP BY rat, source"
        " ORDER BY rat, source",
        "SELECT count(*) FROM samples WHERE source = 2 AND time_ns >= 1000000000000"
        " AND time_ns < 2000000000000",
        "SELECT count(*) FROM samples WHERE time_ns > 1000000000000 AND time_ns <= 2000000000000",
        "SELECT count(*) FROM samples WHERE rsrp_dbm IS NULL",
        "SELECT a.time_ns, b.rsrp_dbm FROM samples a JOIN samples b ON a.time_ns = b.time_ns"
        " WHERE a.source = 1 AND a.time_ns < 20000000000 ORDER BY 1",
        "SELECT 1 FROM samples WHERE source = 77",
    };
    g_autofree char *dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    g_autofree char *rows = g_build_filename(dir, "rows.drive", NULL);
    g_autofree char *sealed = g_build_filename(dir, "sealed.drive", NULL);
    g_autofree char *both = g_build_filename(dir, "both.drive", NULL);
    fill(rows, FALSE, 0, 30000);
    fill(sealed, TRUE, 0, 30000);
    fill(both, TRUE, 0, 20000);
    fill(both, FALSE, 20000, 30000);
    for (unsigned q = 0; q < G_N_ELEMENTS(queries); q++) {
        g_autofree char *wanted = ask(rows, queries[q]);
        g_autofree char *from_sealed = ask(sealed, queries[q]);
        g_autofree char *from_both = ask(both, queries[q]);
        g_assert_cmpstr(from_sealed, ==, wanted);
        g_assert_cmpstr(from_both, ==, wanted);
    }
    GStatBuf a;
    GStatBuf b;
    g_assert_cmpint(g_stat(rows, &a), ==, 0);
    g_assert_cmpint(g_stat(sealed, &b), ==, 0);
    g_test_message("bytes per sample: %.2f as rows, %.2f sealed", (double)a.st_size / 30000,
                   (double)b.st_size / 30000);
    (void)g_unlink(rows);
    (void)g_unlink(sealed);
    (void)g_unlink(both);
    (void)g_rmdir(dir);
}

static void test_refusals(void)
{
    static const char *const queries[] = {
        "DELETE FROM samples",
        "DROP TABLE chunks",
        "ATTACH 'x' AS y",
        "SELECT 1; SELECT 2",
        "",
        "SELECT nonsense FROM samples",
        "PRAGMA journal_mode = WAL",
        "SELECT load_extension('x')",
        "INSERT INTO meta VALUES (1)",
    };
    g_autofree char *dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "a.drive", NULL);
    fill(path, FALSE, 0, 10);
    for (unsigned q = 0; q < G_N_ELEMENTS(queries); q++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) text = g_string_new(NULL);
        g_assert_false(drive_sql(path, queries[q], collect, text, &error));
        g_assert_nonnull(error);
        g_assert_null(strchr(error->message, '\n'));
    }
    g_autofree char *n = ask(path, "SELECT count(*) FROM samples");
    g_assert_cmpstr(n, ==, "count(*)\n10\n");
    (void)g_unlink(path);
    (void)g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sql/same-answers", test_same_answers);
    g_test_add_func("/sql/refusals", test_refusals);
    return g_test_run();
}
