/* SPDX-License-Identifier: Apache-2.0 */
/* bench-drive [SAMPLES]: rows against sealed chunks, side by side: size, writing, sealing, reading,
 * a bare SELECT of the same columns through SQLite's C API, and the same SQL through the virtual
 * tables and on plain row tables. */
#include "formats/drive-read.h"
#include "formats/sql.h"
#include "tests/bench/bench.h"
#include "tests/bench/made-drive.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROFILE_COLUMNS                                                                            \
    (RECORD_BIT(SAMPLE, rat) | RECORD_BIT(SAMPLE, service) | RECORD_BIT(SAMPLE, rsrp_dbm) |        \
     RECORD_BIT(SAMPLE, rsrq_db) | RECORD_BIT(SAMPLE, sinr_db) | RECORD_BIT(SAMPLE, nr_rsrp_dbm))

static double make(const char *path, guint64 n, gboolean bulk)
{
    g_autoptr(GError) error = NULL;
    MadeDrive options = made_drive_default(n);
    double start = bench_now_s();
    g_autoptr(DriveWriter) writer = drive_create(path, &error);
    bench_check(error);
    if (bulk)
        (void)drive_writer_set_bulk(writer, &error);
    (void)made_drive_fill(writer, &options, &error);
    bench_check(error);
    (void)drive_writer_close(writer, &error);
    bench_check(error);
    return bench_now_s() - start;
}

/* Sums, so that nothing is optimized away; the same for both ways. Seconds of processor time, as in
 * the other ways to read: quieter than the clock. */
static double read_all(const char *path, uint64_t columns, double *sum)
{
    g_autoptr(GError) error = NULL;
    double start = bench_cpu_s();
    g_autoptr(Drive) drive = drive_open(path, &error);
    bench_check(error);
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SAMPLE, columns, 0, INT64_MIN, INT64_MAX, &error);
    bench_check(error);
    const Batch *batch = NULL;
    *sum = 0;
    while ((batch = drive_next(cursor, &error)) != NULL)
        for (size_t i = 0; i < batch->n; i++)
            *sum += batch->column[SAMPLE_COL_rsrp_dbm].r[i];
    bench_check(error);
    return bench_cpu_s() - start;
}

/* All columns of all rows, as sealing needs them. */
static double bare_select_all(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    double start = bench_cpu_s();
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT * FROM samples", -1, &stmt, NULL) != SQLITE_OK)
        exit(1);
    volatile gint64 sink = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW)
        for (int c = 0; c < sqlite3_column_count(stmt); c++)
            sink += sqlite3_column_type(stmt, c) != SQLITE_NULL ? sqlite3_column_int64(stmt, c) : 0;
    sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    (void)sink;
    return bench_cpu_s() - start;
}

static double bare_select(const char *path, double *sum)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    double start = bench_cpu_s();
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db,
                           "SELECT time_ns, source, rat, service, rsrp_dbm, rsrq_db, sinr_db,"
                           " nr_rsrp_dbm FROM samples",
                           -1, &stmt, NULL) != SQLITE_OK)
        exit(1);
    *sum = 0;
    volatile gint64 sink = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        sink += sqlite3_column_int64(stmt, 0) + sqlite3_column_int64(stmt, 1);
        sink += sqlite3_column_text(stmt, 2) != NULL;
        sink += sqlite3_column_text(stmt, 3) != NULL;
        *sum += sqlite3_column_double(stmt, 4);
        for (int c = 5; c < 8; c++)
            if (sqlite3_column_type(stmt, c) != SQLITE_NULL)
                sink += (gint64)sqlite3_column_double(stmt, c);
    }
    sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    (void)sink;
    return bench_cpu_s() - start;
}

static const char by_operator[] =
    "SELECT operator_label, count(*), round(avg(rsrp_dbm), 6) FROM samples"
    " JOIN sources ON id = source GROUP BY operator_label";

/* ---- the same SQL on row tables and through the virtual tables ---- */

static gboolean collect(gboolean row, int n, const char *const *values, gpointer data)
{
    for (int i = 0; row && i < n; i++)
        g_string_append_printf(data, "%s ", values[i] != NULL ? values[i] : "-");
    return TRUE;
}

/* Plain SQLite on the row tables, values taken as `corridor sql` takes them. */
static void ask_rows(const char *path, const char *sql, GString *answer)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        exit(1);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        for (int c = 0; c < sqlite3_column_count(stmt); c++)
            g_string_append_printf(answer, "%s ",
                                   sqlite3_column_type(stmt, c) != SQLITE_NULL
                                       ? (const char *)sqlite3_column_text(stmt, c)
                                       : "-");
    sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

static void compare_sql(const char *rows, const char *sealed, double millions)
{
    static const char *const queries[] = {
        "SELECT count(*) FROM samples",
        "SELECT count(rsrp_dbm), round(avg(rsrp_dbm), 6) FROM samples",
        "SELECT source, count(*), round(avg(rsrp_dbm), 6) FROM samples GROUP BY source",
        by_operator,
        "SELECT rat, count(*), round(avg(rsrp_dbm), 6) FROM samples GROUP BY rat",
        "SELECT count(*) FROM samples WHERE rat = 'LTE' AND rsrp_dbm < -110",
    };
    printf("SQL, M samples/s of processor time: row tables, `corridor sql` of sealed ones\n");
    for (unsigned q = 0; q < G_N_ELEMENTS(queries); q++) {
        g_autoptr(GString) a = g_string_new(NULL);
        g_autoptr(GString) b = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        double start = bench_cpu_s();
        ask_rows(rows, queries[q], a);
        double by_rows = bench_cpu_s() - start;
        start = bench_cpu_s();
        (void)drive_sql(sealed, queries[q], collect, b, NULL, &error);
        bench_check(error);
        double by_chunks = bench_cpu_s() - start;
        if (strcmp(a->str, b->str) != 0) {
            (void)fprintf(stderr, "%s: %s is not %s\n", queries[q], b->str, a->str);
            exit(1);
        }
        printf("  %6.2f %6.2f  ratio %5.2f  %s\n", millions / by_rows, millions / by_chunks,
               by_rows / by_chunks, queries[q]);
    }
}

static double size_of(const char *path)
{
    GStatBuf st;
    return g_stat(path, &st) == 0 ? (double)st.st_size : 0.0;
}

int main(int argc, char **argv)
{
    guint64 n = argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : 2000000;
    g_autofree char *dir = g_dir_make_tmp("corridor-bench-XXXXXX", NULL);
    g_autofree char *rows = g_build_filename(dir, "rows.drive", NULL);
    g_autofree char *sealed = g_build_filename(dir, "sealed.drive", NULL);
    double millions = (double)n / 1e6;
    double sums[3];
    double write_rows = make(rows, n, FALSE);
    double write_sealed = make(sealed, n, TRUE);
    double read_rows = read_all(rows, PROFILE_COLUMNS, &sums[0]);
    double read_sealed = read_all(sealed, PROFILE_COLUMNS, &sums[1]);
    double select = bare_select(rows, &sums[2]);
    if (sums[0] != sums[1] || sums[0] != sums[2]) {
        (void)fprintf(stderr, "the three ways disagree\n");
        return 1;
    }
    double row_bytes = size_of(rows) / (double)n;
    double sealed_bytes = size_of(sealed) / (double)n;
    printf("%.1f M samples of 4 modems, 10 Hz\n", millions);
    printf("%-28s %8.2f B/sample rows %8.2f B/sample sealed  ratio %.3f\n", "size", row_bytes,
           sealed_bytes, sealed_bytes / row_bytes);
    printf("%-28s %8.2f M/s rows %12.2f M/s sealed       ratio %.2f\n", "writing",
           millions / write_rows, millions / write_sealed, write_rows / write_sealed);
    printf("%-28s %8.2f M/s rows %12.2f M/s sealed       ratio %.2f, of processor time\n",
           "reading a profile's columns", millions / read_rows, millions / read_sealed,
           read_rows / read_sealed);
    printf("%-28s %8.2f M/s; rows reach %.2f of it, sealed %.2f\n", "bare SELECT",
           millions / select, select / read_rows, select / read_sealed);
    compare_sql(rows, sealed, millions);
    g_autoptr(GError) error = NULL;
    double all = bare_select_all(rows);
    double start = bench_now_s();
    double cpu_start = bench_cpu_s();
    (void)drive_seal(rows, NULL, &error);
    bench_check(error);
    double sealing = bench_now_s() - start;
    double cpu = bench_cpu_s() - cpu_start;
    printf("%-28s %8.2f M/s; %.2f us of processor a row, %.2f of a bare SELECT *\n", "sealing",
           millions / sealing, cpu / millions, cpu / all);
    (void)g_unlink(rows);
    (void)g_unlink(sealed);
    (void)g_rmdir(dir);
    return 0;
}
