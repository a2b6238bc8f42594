/* SPDX-License-Identifier: Apache-2.0 */
/* SQL over sealed and live records gives what plain SQL gives over the same records as rows. */
#include "formats/drive-write.h"
#include "formats/sql-tables.h"
#include "formats/sql.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
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
    g_assert_true(drive_sql(path, sql, collect, text, NULL, &error));
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
        g_assert_false(drive_sql(path, queries[q], collect, text, NULL, &error));
        g_assert_nonnull(error);
        g_assert_null(strchr(error->message, '\n'));
    }
    g_autofree char *n = ask(path, "SELECT count(*) FROM samples");
    g_assert_cmpstr(n, ==, "count(*)\n10\n");
    (void)g_unlink(path);
    (void)g_rmdir(dir);
}

/* ---- time and source are pushed down ---- */

typedef struct {
    sqlite3 *db;
    char *plan;
    gint64 result, steps;
} Asked;

static Asked ask_how(sqlite3 *db, const char *sql)
{
    Asked asked = {.db = db};
    sqlite3_stmt *stmt = NULL;
    g_autofree char *explain = g_strconcat("EXPLAIN QUERY PLAN ", sql, NULL);
    g_assert_cmpint(sqlite3_prepare_v2(db, explain, -1, &stmt, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
    asked.plan = g_strdup((const char *)sqlite3_column_text(stmt, 3));
    sqlite3_finalize(stmt);
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
    asked.result = sqlite3_column_int64(stmt, 0);
    /* each row that the table gives costs a few operations of SQLite's machine */
    asked.steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
    sqlite3_finalize(stmt);
    return asked;
}

static void test_push_down(void)
{
    enum { N = 60000 };
    static const struct {
        const char *condition;
        int index; /* bits: 1 source, 2 time =, 4 time from, 8 time to */
        gint64 rows;
    } rows[] = {
        {"1", 0, N},
        {"source = 2", 1, N / 3},
        {"time_ns = 250000000000", 2, 1},
        {"time_ns >= 12500000000000", 4, N - 50000},
        {"time_ns < 2500000000000", 8, 10000},
        {"time_ns BETWEEN 2500000000000 AND 2749999999999", 12, 1000},
        {"source = 3 AND time_ns > 2500000000000 AND time_ns <= 2575000000000", 13, 100},
        {"source = 77", 1, 0},
        {"rsrp_dbm < -200", 0, 0},
    };
    g_autofree char *dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "a.drive", NULL);
    fill(path, TRUE, 0, N);
    sqlite3 *db = NULL;
    char *message = NULL;
    g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sql_tables_register(db, path, NULL, &message), ==, SQLITE_OK);
    gint64 all_steps = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *sql =
            g_strdup_printf("SELECT count(*) FROM samples WHERE %s", rows[i].condition);
        Asked asked = ask_how(db, sql);
        g_test_message("%s: %s, %" G_GINT64_FORMAT " steps", rows[i].condition, asked.plan,
                       asked.steps);
        g_autofree char *wanted = g_strdup_printf("VIRTUAL TABLE INDEX %d:", rows[i].index);
        g_assert_nonnull(strstr(asked.plan, wanted));
        g_assert_cmpint(asked.result, ==, rows[i].rows);
        if (i == 0)
            all_steps = asked.steps;
        else if (rows[i].index != 0)
            /* no row is given that does not count: time to the nanosecond, source exactly */
            g_assert_cmpint(asked.steps, <=, all_steps * 4 * rows[i].rows / N + 100);
        g_free(asked.plan);
    }
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    (void)g_unlink(path);
    (void)g_rmdir(dir);
}

/* ---- chunks are in order of source and time already ---- */

static gboolean is_sorted_by_sqlite(sqlite3 *db, const char *sql)
{
    g_autofree char *explain = g_strconcat("EXPLAIN QUERY PLAN ", sql, NULL);
    sqlite3_stmt *stmt = NULL;
    gboolean sorted = FALSE;
    g_assert_cmpint(sqlite3_prepare_v2(db, explain, -1, &stmt, NULL), ==, SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        sorted = sorted || strstr((const char *)sqlite3_column_text(stmt, 3), "B-TREE") != NULL;
    sqlite3_finalize(stmt);
    return sorted;
}

static void test_order(void)
{
    static const struct {
        const char *sql;
        gboolean sorted;
    } rows[] = {
        {"SELECT source, count(*) FROM samples GROUP BY source", FALSE},
        {"SELECT time_ns FROM samples ORDER BY source, time_ns", FALSE},
        {"SELECT time_ns FROM samples WHERE source = 2 ORDER BY time_ns", FALSE},
        {"SELECT time_ns FROM samples ORDER BY time_ns", TRUE},
        {"SELECT time_ns FROM samples ORDER BY source DESC", TRUE},
        {"SELECT time_ns FROM samples ORDER BY time_ns, source", TRUE},
        {"SELECT time_ns FROM samples ORDER BY source, time_ns, rat", TRUE},
        {"SELECT time_ns FROM samples WHERE source = 2 ORDER BY time_ns, rat", TRUE},
        {"SELECT rat, count(*) FROM samples GROUP BY rat", TRUE},
    };
    enum { N = 30000 };
    g_autofree char *dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "a.drive", NULL);
    fill(path, TRUE, 0, N);
    sqlite3 *db = NULL;
    char *message = NULL;
    g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sql_tables_register(db, path, NULL, &message), ==, SQLITE_OK);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(is_sorted_by_sqlite(db, rows[i].sql), ==, rows[i].sorted);
    /* The order is what SQLite makes of it; a plan made before rows came is made anew. */
    sqlite3_stmt *stmt = NULL;
    g_assert_cmpint(
        sqlite3_prepare_v2(db,
                           "SELECT count(*), sum(source < s OR source = s AND time_ns < t)"
                           " FROM (SELECT source, time_ns, lag(source) OVER () AS s,"
                           " lag(time_ns) OVER () AS t"
                           " FROM (SELECT * FROM samples ORDER BY source, time_ns))",
                           -1, &stmt, NULL),
        ==, SQLITE_OK);
    for (int round = 0; round < 2; round++) {
        g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
        g_assert_cmpint(sqlite3_column_int(stmt, 0), ==, N + 1000 * round);
        g_assert_cmpint(sqlite3_column_int(stmt, 1), ==, 0);
        (void)sqlite3_reset(stmt);
        if (round == 0)
            fill(path, FALSE, N, N + 1000);
    }
    g_assert_true(is_sorted_by_sqlite(db, rows[0].sql));
    sqlite3_finalize(stmt);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    (void)g_unlink(path);
    (void)g_rmdir(dir);
}

/* A damaged chunk is told, and the rest answered. */
static void test_damage(void)
{
    g_autofree char *dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "a.drive", NULL);
    fill(path, TRUE, 0, 60000);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db,
                                 "UPDATE chunks SET data = zeroblob(length(data)) WHERE source = 2"
                                 " AND seq = 1",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_assert_true(drive_sql(path,
                            "SELECT (SELECT count(*) FROM samples) AS a,"
                            " (SELECT count(rsrp_dbm) > 0 FROM samples WHERE source = 2) AS b",
                            collect, text, problems, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(text->str, ==, "a,b\n51808,1\n");
    g_assert_cmpuint(problems->len, ==, 1);
    g_assert_nonnull(strstr(g_ptr_array_index(problems, 0), "8192 rows are lost"));
    (void)g_unlink(path);
    (void)g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sql/same-answers", test_same_answers);
    g_test_add_func("/sql/push-down", test_push_down);
    g_test_add_func("/sql/order", test_order);
    g_test_add_func("/sql/damage", test_damage);
    g_test_add_func("/sql/refusals", test_refusals);
    return g_test_run();
}
