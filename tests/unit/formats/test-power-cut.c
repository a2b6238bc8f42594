/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power goes at every point of a recording: whatever a disk may then hold opens, passes
 * PRAGMA integrity_check and has every row whose commit had returned.
 */
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "tests/rig/crash-vfs.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

enum { ROWS_PER_COMMIT = 40, COMMITS = 120 };

static char *dir;

static void empty_dir(void)
{
    g_autoptr(GDir) files = g_dir_open(dir, 0, NULL);
    const char *name = NULL;
    while ((name = g_dir_read_name(files)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        (void)g_unlink(path);
    }
}

static void add_rows(DriveWriter *writer, gint64 from, gint64 to)
{
    g_autoptr(GError) error = NULL;
    for (gint64 i = from; i < to; i++) {
        Sample sample = {0};
        RECORD_SET(&sample, SAMPLE, time_ns, i);
        RECORD_SET(&sample, SAMPLE, source, 1 + i % 3);
        RECORD_SET(&sample, SAMPLE, rat, RAT_LTE);
        RECORD_SET(&sample, SAMPLE, plmn, "24001");
        RECORD_SET(&sample, SAMPLE, rsrp_dbm, -90.0 - (double)(i % 30));
        g_assert_true(drive_add_sample(writer, &sample, &error));
        if (i % 7 == 0) {
            Event event = {0};
            RECORD_SET(&event, EVENT, time_ns, i);
            RECORD_SET(&event, EVENT, kind, "cell-change");
            g_assert_true(drive_add_event(writer, &event, &error));
        }
    }
    g_assert_no_error(error);
}

/* A box's day: records, is cut off, goes on, closes, seals. */
static CrashRecord *record_a_drive(const char *path)
{
    g_autoptr(GError) error = NULL;
    CrashRecord *record = crash_record_start();
    DriveWriter *writer = drive_create(path, &error);
    g_assert_no_error(error);
    Source source = {0};
    RECORD_SET(&source, SOURCE, label, "modem");
    gint64 id = 0;
    g_assert_true(drive_add_source(writer, &source, &id, &error));
    for (int c = 0; c < COMMITS; c++) {
        add_rows(writer, c * ROWS_PER_COMMIT, (c + 1) * ROWS_PER_COMMIT);
        g_assert_true(drive_writer_commit(writer, &error));
        crash_record_promise(record, (c + 1) * ROWS_PER_COMMIT);
        if (c == COMMITS / 2) {
            drive_writer_free(writer);
            writer = drive_open_append(path, &error);
        }
    }
    g_assert_true(drive_writer_close(writer, &error));
    drive_writer_free(writer);
    g_assert_true(drive_seal(path, NULL, &error));
    g_assert_no_error(error);
    crash_record_stop(record);
    return record;
}

static void check_integrity(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL), ==,
                    SQLITE_OK);
    g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
    g_assert_cmpstr((const char *)sqlite3_column_text(stmt, 0), ==, "ok");
    sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

/* Rows 0, 1, 2 … without a hole; returns how many. */
static gint64 count_rows(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(path, &error);
    if (g_error_matches(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE))
        return 0; /* cut before the tables were there: an empty file, and said so */
    g_assert_no_error(error);
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SAMPLE, 0, 0, INT64_MIN, INT64_MAX, &error);
    g_assert_no_error(error);
    const Batch *batch = NULL;
    gint64 n = 0;
    gint64 sum = 0;
    while ((batch = drive_next(cursor, &error)) != NULL)
        for (size_t i = 0; i < batch->n; i++, n++)
            sum += batch->column[SAMPLE_COL_time_ns].i[i];
    g_assert_no_error(error);
    g_assert_cmpuint(drive_problems(drive)->len, ==, 0);
    g_assert_cmpint(sum, ==, n * (n - 1) / 2);
    return n;
}

static void test_every_cut(void)
{
    g_autofree char *path = g_build_filename(dir, "a.drive", NULL);
    g_autoptr(CrashRecord) record = record_a_drive(path);
    guint length = crash_record_length(record);
    guint stride = g_test_slow() ? 1 : 2;
    guint cuts = 0;
    guint flushes = 0;
    gint64 most_lost = 0;
    for (guint cut = 0; cut <= length; cut++) {
        gboolean flush = crash_record_is_flush(record, cut);
        if (!flush && cut % stride != 0)
            continue;
        for (guint32 seed = 0; seed < (g_test_slow() ? 12U : 3U); seed++) {
            empty_dir();
            crash_record_lay_out(record, cut, seed, dir);
            gint64 promised = crash_record_promised(record, cut);
            gint64 n = g_file_test(path, G_FILE_TEST_EXISTS) ? count_rows(path) : 0;
            if (n < promised)
                g_error("cut %u seed %u: %" G_GINT64_FORMAT " rows, promised %" G_GINT64_FORMAT,
                        cut, seed, n, promised);
            g_assert_cmpint(n % ROWS_PER_COMMIT, ==, 0); /* whole commits only */
            most_lost = MAX(most_lost, promised + ROWS_PER_COMMIT - n);
            if (n > 0)
                check_integrity(path);
            cuts++;
        }
        flushes += flush ? 1 : 0;
    }
    g_test_message("%u operations, %u cuts (%u flush boundaries), 0 corrupt, at most one commit "
                   "lost",
                   length, cuts, flushes);
    g_assert_cmpuint(cuts, >=, 2000);
    g_assert_cmpint(most_lost, <=, ROWS_PER_COMMIT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    g_test_add_func("/power-cut/every-cut", test_every_cut);
    int status = g_test_run();
    empty_dir();
    (void)g_rmdir(dir);
    g_free(dir);
    return status;
}
