/* SPDX-License-Identifier: Apache-2.0 */
/* The sealer: finds what an earlier run left, takes what is closed now, keeps off what is being
 * written, ends at once. */
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "formats/evidence.h"
#include "logger/seal-child.h"
#include "logger/sealer.h"
#include "tests/unit/folder.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>

enum { PATIENCE_S = 120, S_US = 1000000 };

typedef struct {
    char *dir;
    Store *store;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    f->dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    f->store = store_open(f->dir, &error);
    g_assert_no_error(error);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    store_free(f->store);
    (void)folder_remove(f->dir);
    g_free(f->dir);
}

static DriveWriter *write_drive(const char *path, int n)
{
    g_autoptr(GError) error = NULL;
    DriveWriter *writer = drive_create(path, &error);
    g_assert_no_error(error);
    for (int i = 0; i < n; i++) {
        Sample sample = {0};
        RECORD_SET(&sample, SAMPLE, time_ns, i);
        RECORD_SET(&sample, SAMPLE, source, 1 + i % 8);
        RECORD_SET(&sample, SAMPLE, rat, RAT_LTE);
        RECORD_SET(&sample, SAMPLE, rsrp_dbm, -80.0 - i % 50);
        g_assert_true(drive_add_sample(writer, &sample, &error));
    }
    g_assert_true(drive_writer_commit(writer, &error));
    g_assert_no_error(error);
    return writer;
}

static char *closed_drive(Fixture *f, const char *name, int n)
{
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(f->dir, name, NULL);
    g_autoptr(DriveWriter) writer = write_drive(path, n);
    g_assert_true(drive_writer_close(writer, &error));
    g_assert_no_error(error);
    return path;
}

static gint64 count(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 10000);
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
    gint64 value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    return value;
}

static void wait_until_sealed(const char *path)
{
    for (int i = 0; i < PATIENCE_S * 20; i++) {
        if (!drive_wants_sealing(path) && count(path, "SELECT count(*) FROM chunks") > 0)
            return;
        g_usleep(50000);
    }
    g_error("%s is not sealed after %d s", path, PATIENCE_S);
}

static gint64 read_samples(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SAMPLE, 0, 0, INT64_MIN, INT64_MAX, &error);
    gint64 n = 0;
    for (const Batch *batch = NULL; (batch = drive_next(cursor, &error)) != NULL;)
        n += (gint64)batch->n;
    g_assert_no_error(error);
    g_assert_cmpuint(drive_problems(drive)->len, ==, 0);
    return n;
}

static const ConfigStore wanted = {.seal = TRUE, .evidence = TRUE};
static const ConfigStore evidence_only = {.evidence = TRUE};
static const ConfigStore no_room = {.seal = TRUE, .keep_free = (gint64)1 << 62};

static void check_evidence(const char *path)
{
    g_autoptr(GError) error = NULL;
    Evidence evidence;
    g_assert_true(evidence_verify(path, NULL, &evidence, &error));
    g_assert_no_error(error);
    evidence_clear(&evidence);
}

static void test_finds_and_takes(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *left = closed_drive(f, "a.drive", 20000);
    g_autofree char *being_written = g_build_filename(f->dir, "b.drive", NULL);
    g_autoptr(DriveWriter) writer = write_drive(being_written, 500);
    g_assert_nonnull(writer);
    g_autofree char *other = g_build_filename(f->dir, "c.drive", NULL);
    g_assert_true(g_file_set_contents(other, "no drive at all", -1, NULL));
    Sealer *sealer = sealer_new(f->store, &wanted);
    wait_until_sealed(left);
    g_autofree char *added = closed_drive(f, "d.drive", 3000);
    sealer_add(sealer, added);
    wait_until_sealed(added);
    sealer_free(sealer);
    check_evidence(left);
    check_evidence(added);
    g_assert_false(evidence_exists(being_written));
    g_assert_false(evidence_exists(other));
    g_assert_cmpint(read_samples(left), ==, 20000);
    g_assert_cmpint(read_samples(added), ==, 3000);
    g_assert_cmpint(count(being_written, "SELECT count(*) FROM samples"), ==, 500);
    g_assert_cmpint(count(being_written, "SELECT count(*) FROM chunks"), ==, 0);
}

/* While it is held nothing is touched. */
static void test_hold(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    Sealer *sealer = sealer_new(f->store, &wanted);
    for (int round = 0; round < 5; round++) {
        g_autofree char *name = g_strdup_printf("%d.drive", round);
        g_autofree char *path = closed_drive(f, name, 30000);
        sealer_add(sealer, path);
        g_usleep((gulong)g_test_rand_int_range(0, 30000));
        sealer_hold(sealer);
        g_autoptr(DriveWriter) writer = drive_open_append(path, &error);
        g_assert_no_error(error);
        g_assert_true(drive_shift_times(writer, INT64_MIN, INT64_MAX, 7, &error));
        g_assert_true(drive_writer_close(writer, &error));
        g_clear_pointer(&writer, drive_writer_free);
        sealer_go_on(sealer);
        wait_until_sealed(path);
        g_assert_cmpint(read_samples(path), ==, 30000);
        g_assert_cmpint(count(path, "SELECT min(first_ns) FROM chunks"), ==, 7);
    }
    sealer_free(sealer);
}

/* What the logger does at its start. A process that sealed and was slow to end was killed, and its
 * WAL lies there. */
static Sealer *next_start(Fixture *f)
{
    g_autoptr(GPtrArray) left = store_unclosed(f->store);
    for (guint i = 0; i < left->len; i++)
        g_assert_true(store_close_left(g_ptr_array_index(left, i)));
    return sealer_new(f->store, &wanted);
}

/* Ended at any instant, the drives are whole, and the next start does the rest. */
static void test_end(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *first = closed_drive(f, "a.drive", 60000);
    g_autofree char *second = closed_drive(f, "b.drive", 60000);
    for (int round = 0; round < 6; round++) {
        Sealer *sealer = next_start(f);
        g_usleep((gulong)g_test_rand_int_range(0, 20000));
        sealer_free(sealer);
        g_assert_cmpint(read_samples(first), ==, 60000);
        g_assert_cmpint(read_samples(second), ==, 60000);
    }
    Sealer *sealer = next_start(f);
    wait_until_sealed(first);
    wait_until_sealed(second);
    sealer_free(sealer);
    g_assert_cmpint(read_samples(second), ==, 60000);
}

/* What this run closed has its evidence when it ends, and is small; what an earlier run left may
 * wait. */
static void test_own_at_end(Fixture *f, gconstpointer data)
{
    (void)data;
    for (int round = 0; round < 4; round++) {
        g_autofree char *name = g_strdup_printf("%d.drive", round);
        g_autofree char *other_name = g_strdup_printf("%d-other.drive", round);
        Sealer *sealer = sealer_new(f->store, &wanted);
        g_autofree char *path = closed_drive(f, name, 20000);
        g_autofree char *other = closed_drive(f, other_name, 3000);
        sealer_add(sealer, path);
        sealer_add(sealer, other);
        g_usleep((gulong)g_test_rand_int_range(0, 60000));
        sealer_free(sealer);
        g_assert_false(drive_wants_sealing(path));
        check_evidence(path);
        g_assert_false(drive_wants_sealing(other));
        check_evidence(other);
        g_assert_cmpint(read_samples(path), ==, 20000);
    }
}

static SealOutcome outcome_of(const char *path)
{
    g_autoptr(GError) error = NULL;
    pid_t child = seal_child_start(path, &error);
    g_assert_no_error(error);
    g_assert_true(seal_child_wait(child, 0));
    return seal_child_reap(child);
}

/* The process by itself: what it says, and that it can be ended softly and hard. */
static void test_child(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autofree char *none = g_build_filename(f->dir, "none.drive", NULL);
    g_assert_cmpint(outcome_of(none), ==, SEAL_FAILED);
    g_autofree char *open = g_build_filename(f->dir, "open.drive", NULL);
    g_autoptr(DriveWriter) writer = write_drive(open, 500);
    g_assert_nonnull(writer);
    g_assert_cmpint(outcome_of(open), ==, SEAL_BUSY);
    g_autofree char *path = closed_drive(f, "a.drive", 300000);
    const int how[] = {SIGTERM, SIGKILL};
    for (size_t i = 0; i < G_N_ELEMENTS(how); i++) {
        pid_t child = seal_child_start(path, &error);
        g_assert_no_error(error);
        g_assert_false(seal_child_wait(child, g_get_monotonic_time() + 1));
        g_assert_cmpint(kill(child, how[i]), ==, 0);
        g_assert_true(seal_child_wait(child, g_get_monotonic_time() + PATIENCE_S * S_US));
        g_assert_cmpint(seal_child_reap(child), ==, i == 0 ? SEAL_INTERRUPTED : SEAL_DIED);
        g_assert_cmpint(read_samples(path), ==, 300000);
    }
    g_assert_cmpint(outcome_of(path), ==, SEAL_DONE);
    g_assert_false(drive_wants_sealing(path));
    g_assert_cmpint(read_samples(path), ==, 300000);
}

/* A signal at any instant, also when the work is done: the process ends by itself. */
static void test_child_signalled(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autofree char *first = closed_drive(f, "first.drive", 500);
    gint64 began = g_get_monotonic_time();
    g_assert_cmpint(outcome_of(first), ==, SEAL_DONE);
    const gint64 whole_us = g_get_monotonic_time() - began;
    for (int round = 0; round < 20; round++) {
        g_autofree char *name = g_strdup_printf("%d.drive", round);
        g_autofree char *path = closed_drive(f, name, 500);
        pid_t child = seal_child_start(path, &error);
        g_assert_no_error(error);
        g_usleep((gulong)(g_test_rand_double_range(0.5, 1.1) * (double)whole_us));
        (void)kill(child, SIGTERM);
        g_assert_true(seal_child_wait(child, 0));
        SealOutcome outcome = seal_child_reap(child);
        g_assert_true(outcome == SEAL_DONE || outcome == SEAL_INTERRUPTED);
        g_assert_cmpint(read_samples(path), ==, 500);
    }
}

/* A process that this thread or another has started; 0: none. */
static pid_t any_child(void)
{
    g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
    for (const char *name = NULL; tasks != NULL && (name = g_dir_read_name(tasks)) != NULL;) {
        g_autofree char *path = g_build_filename("/proc/self/task", name, "children", NULL);
        g_autofree char *text = NULL;
        if (g_file_get_contents(path, &text, NULL, NULL) && text[0] != '\0')
            return (pid_t)g_ascii_strtoll(text, NULL, 10);
    }
    return 0;
}

/* Memory ran out, and the kernel has killed the process at any instant: it is not begun again and
 * again, and the evidence is that of a whole file. */
static void test_killed(Fixture *f, gconstpointer data)
{
    (void)data;
    for (int round = 0; round < 4; round++) {
        g_autofree char *name = g_strdup_printf("%d.drive", round);
        g_autofree char *path = closed_drive(f, name, 60000);
        g_autofree char *wal = g_strconcat(path, "-wal", NULL);
        Sealer *sealer = sealer_new(f->store, &wanted);
        pid_t child = 0;
        for (int i = 0; i < PATIENCE_S * 1000 && (child = any_child()) == 0; i++)
            g_usleep(1000);
        g_assert_cmpint(child, >, 0);
        if (round > 0)
            g_usleep((gulong)g_test_rand_int_range(0, 80000));
        (void)kill(child, SIGKILL); /* it may be over, or hashed already */
        for (int i = 0; i < PATIENCE_S * 100 && !evidence_exists(path); i++)
            g_usleep(10000);
        sealer_free(sealer);
        g_assert_true(round > 0 || drive_wants_sealing(path)); /* the first had no time at all */
        check_evidence(path);
        g_assert_false(g_file_test(wal, G_FILE_TEST_EXISTS));
        g_assert_cmpint(read_samples(path), ==, 60000);
    }
}

/* Seen while it is being closed: all is in its WAL yet, and who closes it tells of it then. */
static void test_being_closed(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(f->dir, "a.drive", NULL);
    g_autoptr(DriveWriter) writer = write_drive(path, 500);
    g_assert_true(drive_set_meta(writer, "closed", "1", &error));
    g_assert_true(drive_writer_commit(writer, &error));
    Sealer *sealer = sealer_new(f->store, &evidence_only);
    sealer_add(sealer, path);
    sealer_free(sealer);
    g_assert_false(evidence_exists(path));
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    sealer = sealer_new(f->store, &evidence_only);
    sealer_add(sealer, path);
    sealer_free(sealer);
    check_evidence(path);
}

static void copy(const char *from, const char *to)
{
    g_autofree char *bytes = NULL;
    gsize n = 0;
    g_assert_true(g_file_get_contents(from, &bytes, &n, NULL));
    g_assert_true(g_file_set_contents(to, bytes, (gssize)n, NULL));
}

/* Killed in the middle of a change with a rollback journal, as the end of closing is: the file
 * alone is no drive yet, and its hash would be that of nothing. */
static void test_journal(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *path = closed_drive(f, "a.drive", 20000);
    g_autofree char *journal = g_strconcat(path, "-journal", NULL);
    g_autofree char *cut = g_build_filename(f->dir, "cut.drive", NULL);
    g_autofree char *cut_journal = g_strconcat(cut, "-journal", NULL);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db,
                                 "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 10; BEGIN;"
                                 "UPDATE samples SET rsrp_dbm = -1",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    copy(path, cut);
    copy(journal, cut_journal);
    g_assert_cmpint(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    g_autoptr(GPtrArray) unclosed = store_unclosed(f->store);
    g_assert_cmpuint(unclosed->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(unclosed, 0), ==, cut);
    g_autoptr(GPtrArray) closed = store_closed(f->store);
    g_assert_cmpuint(closed->len, ==, 1);
    g_assert_true(store_close_left(cut));
    g_assert_true(store_is_one_file(cut));
    Sealer *sealer = sealer_new(f->store, &evidence_only);
    sealer_add(sealer, cut);
    sealer_free(sealer);
    check_evidence(cut);
    g_assert_cmpint(count(cut, "SELECT count(*) FROM samples WHERE rsrp_dbm = -1"), ==, 0);
    g_assert_cmpint(read_samples(cut), ==, 20000);
}

static gpointer let_go(gpointer db)
{
    g_usleep(4500000);
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return NULL;
}

/* What takes longer than an interrupted process may, without a process: here a drive that somebody
 * has locked. The end waits for it instead of holding it up for ever. */
static void test_slow_end(Fixture *f, gconstpointer data)
{
    (void)data;
    Sealer *sealer = sealer_new(f->store, &evidence_only);
    g_usleep(300000); /* it has seen that there is nothing yet */
    g_autofree char *path = closed_drive(f, "a.drive", 500);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(
        sqlite3_exec(db, "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE", NULL, NULL, NULL), ==,
        SQLITE_OK);
    GThread *thread = g_thread_new("let-go", let_go, db);
    sealer_add(sealer, path);
    g_usleep(300000);
    sealer_free(sealer);
    g_thread_join(thread);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    check_evidence(path);
}

/* What must stay free stays free. */
static void test_no_room(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *path = closed_drive(f, "a.drive", 1000);
    Sealer *sealer = sealer_new(f->store, &no_room);
    g_usleep(200000);
    sealer_free(sealer);
    g_assert_true(drive_wants_sealing(path));
}

int main(int argc, char **argv)
{
    /* The sealer starts its own program to seal. */
    if (argc == 3 && strcmp(argv[1], "seal") == 0)
        return seal_child_main(argv[2]);
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add(name, Fixture, NULL, set_up, function, tear_down)
    ADD("/sealer/finds-and-takes", test_finds_and_takes);
    ADD("/sealer/hold", test_hold);
    ADD("/sealer/end", test_end);
    ADD("/sealer/own-at-end", test_own_at_end);
    ADD("/sealer/child", test_child);
    ADD("/sealer/child-signalled", test_child_signalled);
    ADD("/sealer/killed", test_killed);
    ADD("/sealer/being-closed", test_being_closed);
    ADD("/sealer/journal", test_journal);
    ADD("/sealer/slow-end", test_slow_end);
    ADD("/sealer/no-room", test_no_room);
    return g_test_run();
}
