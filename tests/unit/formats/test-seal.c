/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed part of a drive: whatever is written and sealed in whatever order comes back, in order
 * of time per source. */
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "tests/unit/drive-folder.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

/* What a row must be, from its time, source and number. */
typedef struct {
    gint64 time_ns, source, number;
} Row;

static Sample sample_of(Row row)
{
    static const char *const plmns[] = {"24001", "24007", "26202"};
    Sample sample = {0};
    RECORD_SET(&sample, SAMPLE, time_ns, row.time_ns);
    RECORD_SET(&sample, SAMPLE, source, row.source);
    RECORD_SET(&sample, SAMPLE, cell_id, row.number);
    RECORD_SET(&sample, SAMPLE, rat, (int)(row.number % RAT_COUNT));
    if (row.number % 3 != 0)
        RECORD_SET(&sample, SAMPLE, plmn, plmns[row.number % 3]);
    if (row.number % 4 != 0)
        RECORD_SET(&sample, SAMPLE, rsrp_dbm, -140.0 + (double)(row.number % 900) / 10.0);
    return sample;
}

static gint compare_rows(gconstpointer a, gconstpointer b)
{
    const Row *x = a;
    const Row *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Reads with the given selection and compares with the model, filtered the slow way. */
static void check(const char *path, const GArray *model, gint64 source, gint64 from, gint64 to)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(DriveCursor) cursor = drive_read(drive, RECORD_SAMPLE, 0, source, from, to, &error);
    g_assert_no_error(error);
    g_autoptr(GArray) got = g_array_new(FALSE, FALSE, sizeof(Row));
    const Batch *batch = NULL;
    gint64 latest[8];
    for (int i = 0; i < 8; i++)
        latest[i] = INT64_MIN;
    while ((batch = drive_next(cursor, &error)) != NULL) {
        g_assert_cmpuint(batch->n, <=, DRIVE_BATCH_ROWS);
        for (size_t i = 0; i < batch->n; i++) {
            Sample sample;
            batch_get(batch, RECORD_SAMPLE, i, &sample);
            Row row = {sample.time_ns, sample.source, sample.cell_id};
            Sample wanted = sample_of(row);
            g_assert_cmphex(sample.known, ==, wanted.known);
            g_assert_cmpstr(sample.plmn, ==, wanted.plmn);
            g_assert_cmpint(sample.rat, ==, wanted.rat);
            g_assert_true(sample.rsrp_dbm == wanted.rsrp_dbm);
            g_assert_cmpint(row.time_ns, >=, latest[row.source]);
            latest[row.source] = row.time_ns;
            g_array_append_val(got, row);
        }
    }
    g_assert_no_error(error);
    g_assert_cmpuint(drive_problems(drive)->len, ==, 0);
    g_autoptr(GArray) wanted = g_array_new(FALSE, FALSE, sizeof(Row));
    for (guint i = 0; i < model->len; i++) {
        Row row = g_array_index(model, Row, i);
        if ((source == 0 || row.source == source) && row.time_ns >= from && row.time_ns < to)
            g_array_append_val(wanted, row);
    }
    g_array_sort(got, compare_rows);
    g_array_sort(wanted, compare_rows);
    g_assert_cmpuint(got->len, ==, wanted->len);
    g_assert_true(got->len == 0 || memcmp(got->data, wanted->data, got->len * sizeof(Row)) == 0);
    gint64 n = 0;
    gint64 first = 0;
    gint64 last = 0;
    g_assert_true(drive_count(drive, RECORD_SAMPLE, 0, &n, &first, &last, &error));
    g_assert_cmpint(n, ==, model->len);
}

static void add_rows(DriveWriter *writer, GArray *model, gint64 *clock, int n, gboolean ordered)
{
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < n; i++) {
        *clock += g_test_rand_int_range(0, 5);
        Row row = {.time_ns = ordered ? *clock : g_test_rand_int_range(0, 100000),
                   .source = g_test_rand_int_range(1, 4),
                   .number = (gint64)model->len};
        Sample sample = sample_of(row);
        g_assert_true(drive_add_sample(writer, &sample, &error));
        g_array_append_val(model, row);
    }
    g_assert_no_error(error);
}

static void test_any_history(DriveFolder *f, gconstpointer data)
{
    (void)data;
    for (int round = 0; round < 8; round++) {
        g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
        g_autoptr(GError) error = NULL;
        gint64 clock = 0;
        DriveWriter *writer = drive_create(f->path, &error);
        if (round % 2 == 0)
            g_assert_true(drive_writer_set_bulk(writer, &error));
        add_rows(writer, model, &clock, g_test_rand_int_range(0, 40000), round % 3 != 0);
        g_assert_true(drive_writer_close(writer, &error));
        g_assert_no_error(error);
        drive_writer_free(writer);
        for (int step = 0; step < 3; step++) {
            check(f->path, model, 0, INT64_MIN, INT64_MAX);
            check(f->path, model, 2, 1000, 30000);
            writer = drive_open_append(f->path, &error);
            g_assert_no_error(error);
            add_rows(writer, model, &clock, g_test_rand_int_range(0, 6000), step % 2 == 0);
            g_assert_true(drive_writer_commit(writer, &error));
            drive_writer_free(writer);
            check(f->path, model, 0, INT64_MIN, INT64_MAX);
            check(f->path, model, 1, 500, 50000);
            g_assert_true(drive_seal(f->path, NULL, &error));
            g_assert_no_error(error);
        }
        check(f->path, model, 0, INT64_MIN, INT64_MAX);
        g_assert_cmpint(g_unlink(f->path), ==, 0);
    }
}

static void make_sealed(const char *path, GArray *model)
{
    g_autoptr(GError) error = NULL;
    gint64 clock = 0;
    g_autoptr(DriveWriter) writer = drive_create(path, &error);
    add_rows(writer, model, &clock, 60000, TRUE);
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    g_assert_true(drive_seal(path, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpint(drive_folder_sql(path, "SELECT count(*) FROM samples"), ==, 0);
    g_assert_cmpint(drive_folder_sql(path, "SELECT sum(n) FROM chunks"), ==, 60000);
}

/* What nobody else knows yet is written once: no WAL beside it that grows as large. */
static void test_bulk(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
    gint64 clock = 0;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    g_assert_no_error(error);
    g_assert_true(drive_writer_set_bulk(writer, &error));
    add_rows(writer, model, &clock, 50000, TRUE);
    g_assert_cmpuint(drive_writer_unfolded(writer), ==, 0);
    g_assert_true(drive_writer_commit(writer, &error));
    g_assert_cmpuint(drive_writer_unfolded(writer), ==, 0);
    g_autofree char *wal = g_strconcat(f->path, "-wal", NULL);
    g_assert_false(g_file_test(wal, G_FILE_TEST_EXISTS));
    g_assert_true(drive_writer_close(writer, &error));
    g_assert_no_error(error);
    g_clear_pointer(&writer, drive_writer_free);
    check(f->path, model, 0, INT64_MIN, INT64_MAX);
}

/* Rows read. *first: the first problem that was noted (transfer full), NULL if none was. */
static guint read_with_problems(const char *path, guint *n_problems, char **first)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SAMPLE, 0, 0, INT64_MIN, INT64_MAX, &error);
    const Batch *batch = NULL;
    guint n = 0;
    while ((batch = drive_next(cursor, &error)) != NULL)
        n += (guint)batch->n;
    g_assert_no_error(error);
    *n_problems = drive_problems(drive)->len;
    for (guint i = 0; i < *n_problems; i++)
        g_assert_null(strchr(g_ptr_array_index(drive_problems(drive), i), '\n'));
    if (first != NULL)
        *first = *n_problems > 0 ? g_strdup(g_ptr_array_index(drive_problems(drive), 0)) : NULL;
    return n;
}

/* A row of `chunks` that lies, or is not there, costs one chunk at most, and is told in one line.
 */
static void test_liars(DriveFolder *f, gconstpointer data)
{
    (void)data;
    static const struct {
        const char *sql;
        guint lost_chunks, problems;
        const char *said;
    } rows[] = {
        {"UPDATE chunks SET data = zeroblob(length(data)) WHERE id = 2", 1, 1,
         "chunk 2 of samples: not a chunk; its 8192 rows are lost"},
        {"UPDATE chunks SET data = zeroblob(0) WHERE id = 2", 1, 1,
         "chunk 2 of samples: not a chunk"},
        {"UPDATE chunks SET data = substr(data, 1, 500) WHERE id = 2", 1, 1,
         "chunk 2 of samples: data beyond the end"},
        {"UPDATE chunks SET n = n + 1 WHERE id = 2", 1, 1,
         "chunk 2 of samples: impossible counts or times; its 8193 rows are left out"},
        {"UPDATE chunks SET n = n - 1 WHERE id = 2", 1, 1,
         "chunk 2 of samples: rows, times or source differ from what the table says"},
        {"UPDATE chunks SET n = -5 WHERE id = 2", 1, 1,
         "chunk 2 of samples: impossible counts or times"},
        {"UPDATE chunks SET last_ns = first_ns - 1 WHERE id = 2", 1, 1,
         "chunk 2 of samples: impossible counts or times"},
        {"UPDATE chunks SET first_ns = first_ns - 1 WHERE id = 2", 1, 1,
         "chunk 2 of samples: rows, times or source differ"},
        {"UPDATE chunks SET last_ns = last_ns + 1000000 WHERE id = 1", 1, 1,
         "chunk 1 of samples: other times than the table says"},
        {"UPDATE chunks SET first_ns = 0 WHERE id = 5", 1, 1, "chunk 5 of samples: "},
        {"DELETE FROM chunks WHERE id = 2", 1, 1, "number 1 is missing"},
        {"DELETE FROM chunks WHERE id = 5", 1, 1, "number 2 is missing"},
        {"UPDATE chunks SET seq = 0x7fffffffffffffff WHERE id = 5", 0, 2, "number 2 is missing"},
        {"UPDATE chunks SET source = 9 WHERE id = 3", 1, 2, "number 1 is missing"},
        {"INSERT INTO chunks SELECT 99, kind, source, seq, n, first_ns, last_ns, data FROM chunks"
         " WHERE id = 2",
         0, 1, "chunk 99 of samples: overlaps the chunk before it in time"},
    };
    g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
    make_sealed(f->path, model);
    g_autofree char *original = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(f->path, &original, &length, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(g_file_set_contents(f->path, original, (gssize)length, NULL));
        (void)drive_folder_sql(f->path, rows[i].sql);
        guint problems = 0;
        g_autofree char *first = NULL;
        guint n = read_with_problems(f->path, &problems, &first);
        g_test_message("%s: %u rows, %u problems: %s", rows[i].sql, n, problems, first);
        g_assert_cmpuint(problems, ==, rows[i].problems);
        g_assert_nonnull(strstr(first, rows[i].said));
        g_assert_cmpuint(n, ==, 60000 - rows[i].lost_chunks * 8192);
    }
}

/* Any bit of any chunk: found, named, and only that chunk is lost. */
static void test_bit_flips(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
    make_sealed(f->path, model);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
    gint64 n_chunks = drive_folder_sql(f->path, "SELECT max(id) FROM chunks");
    for (int round = 0; round < 40; round++) {
        gint64 id = 1 + g_test_rand_int_range(0, (gint32)n_chunks);
        g_autofree char *rows_sql =
            g_strdup_printf("SELECT n FROM chunks WHERE id = %" G_GINT64_FORMAT, id);
        gint64 rows = drive_folder_sql(f->path, rows_sql);
        sqlite3_blob *blob = NULL;
        guint8 byte = 0;
        g_assert_cmpint(sqlite3_blob_open(db, "main", "chunks", "data", id, 1, &blob), ==,
                        SQLITE_OK);
        int at = g_test_rand_int_range(0, sqlite3_blob_bytes(blob));
        guint8 bit = (guint8)(1U << g_test_rand_int_range(0, 8));
        g_assert_cmpint(sqlite3_blob_read(blob, &byte, 1, at), ==, SQLITE_OK);
        byte ^= bit;
        g_assert_cmpint(sqlite3_blob_write(blob, &byte, 1, at), ==, SQLITE_OK);
        g_assert_cmpint(sqlite3_blob_close(blob), ==, SQLITE_OK);
        g_autoptr(GError) error = NULL;
        g_autoptr(Drive) drive = drive_open(f->path, &error);
        g_autoptr(DriveCursor) cursor =
            drive_read(drive, RECORD_SAMPLE, 0, 0, INT64_MIN, INT64_MAX, &error);
        gint64 n = 0;
        for (const Batch *batch = NULL; (batch = drive_next(cursor, &error)) != NULL;)
            n += (gint64)batch->n;
        g_assert_no_error(error);
        g_assert_cmpint(n, ==, (gint64)model->len - rows);
        g_assert_cmpuint(drive_problems(drive)->len, ==, 1);
        g_autofree char *name = g_strdup_printf("chunk %" G_GINT64_FORMAT " of samples", id);
        g_assert_nonnull(strstr(g_ptr_array_index(drive_problems(drive), 0), name));
        byte ^= bit;
        g_assert_cmpint(sqlite3_blob_open(db, "main", "chunks", "data", id, 1, &blob), ==,
                        SQLITE_OK);
        g_assert_cmpint(sqlite3_blob_write(blob, &byte, 1, at), ==, SQLITE_OK);
        g_assert_cmpint(sqlite3_blob_close(blob), ==, SQLITE_OK);
    }
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    check(f->path, model, 0, INT64_MIN, INT64_MAX);
}

/* ---- ended from another thread ---- */

/* A cell pointer that leads into the unused part of its page: SQLite reads a row of nothing there
 * and goes on, but deleting the rows around it spoils the table. */
static void test_damaged_page(DriveFolder *f, gconstpointer data)
{
    (void)data;
    enum { PAGE = 4096, ROWS = 20, CELL = 4 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    g_assert_no_error(error);
    gint64 clock = 0;
    add_rows(writer, model, &clock, ROWS, TRUE);
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    const gint64 root =
        drive_folder_sql(f->path, "SELECT rootpage FROM sqlite_schema WHERE name = 'samples'");
    g_autofree char *bytes = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(f->path, &bytes, &size, NULL));
    guint8 *page = (guint8 *)bytes + (root - 1) * PAGE;
    g_assert_cmpint(page[0], ==, 13); /* a leaf */
    page[8 + 2 * CELL] = 1;
    page[8 + 2 * CELL + 1] = 0;
    g_assert_true(g_file_set_contents(f->path, bytes, (gssize)size, NULL));
    guint n_problems = 0;
    const guint before = read_with_problems(f->path, &n_problems, NULL);
    g_assert_false(drive_seal(f->path, NULL, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED);
    g_assert_cmpuint(read_with_problems(f->path, &n_problems, NULL), ==, before);
    g_assert_cmpuint(before, >=, ROWS - 1);
}

/* Everywhere it stands: pages keep what was deleted. */
static void replace_bytes(char *bytes, gsize size, const char *what, const char *by)
{
    const gsize n = strlen(what);
    g_assert_cmpuint(strlen(by), ==, n);
    for (gsize at = 0; at + n <= size; at++)
        if (memcmp(bytes + at, what, n) == 0)
            memcpy(bytes + at, by, n);
}

/* A table may have lost its column of times: rows without one cannot be sealed, and nothing is
 * lost. */
static void test_row_without_time(DriveFolder *f, gconstpointer data)
{
    const gboolean some_sealed = data != NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    g_assert_no_error(error);
    gint64 clock = 0;
    if (some_sealed) {
        add_rows(writer, model, &clock, 20, TRUE);
        g_assert_true(drive_writer_close(writer, &error));
        drive_writer_free(writer);
        g_assert_true(drive_seal(f->path, NULL, &error));
        writer = drive_open_append(f->path, &error);
        g_assert_no_error(error);
    }
    add_rows(writer, model, &clock, 20, TRUE);
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    g_autofree char *bytes = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(f->path, &bytes, &size, NULL));
    replace_bytes(bytes, size, "samples (\n  time_ns", "samples (\n  timeens");
    g_assert_true(g_file_set_contents(f->path, bytes, (gssize)size, NULL));
    g_assert_false(drive_seal(f->path, NULL, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED);
    g_assert_nonnull(strstr(error->message, "a row without a time"));
    g_assert_cmpint(drive_folder_sql(f->path, "SELECT count(*) FROM samples"), ==, 20);
}

static gpointer cancel_soon(gpointer data)
{
    g_usleep((gulong)g_test_rand_int_range(0, 60000));
    g_cancellable_cancel(data);
    return NULL;
}

/* Whenever sealing is told to end, the drive is whole, and the next attempt does the rest. */
static void test_cancel(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
    g_autoptr(GError) error = NULL;
    gint64 clock = 0;
    DriveWriter *writer = drive_create(f->path, &error);
    add_rows(writer, model, &clock, 100000, TRUE);
    g_assert_true(drive_writer_close(writer, &error));
    drive_writer_free(writer);
    g_autofree char *original = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(f->path, &original, &length, NULL));
    int cancelled = 0;
    for (int round = 0; round < 8; round++) {
        g_assert_true(g_file_set_contents(f->path, original, (gssize)length, NULL));
        g_autoptr(GCancellable) cancel = g_cancellable_new();
        if (round == 0)
            g_cancellable_cancel(cancel);
        GThread *thread = g_thread_new("cancel", cancel_soon, cancel);
        if (!drive_seal(f->path, cancel, &error)) {
            g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
            g_clear_error(&error);
            cancelled++;
        }
        (void)g_thread_join(thread);
        g_assert_cmpint(drive_folder_sql(f->path, "SELECT count(*) FROM meta WHERE key = 'closed'"),
                        ==, 1);
        check(f->path, model, 0, INT64_MIN, INT64_MAX);
        g_assert_true(drive_seal(f->path, NULL, &error));
        g_assert_no_error(error);
        check(f->path, model, 0, INT64_MIN, INT64_MAX);
        g_assert_cmpint(drive_folder_sql(f->path, "SELECT count(*) FROM samples"), ==, 0);
    }
    g_assert_cmpint(cancelled, >=, 1);
}

/* ---- times corrected after sealing ---- */

static void test_shift(DriveFolder *f, gconstpointer data)
{
    (void)data;
    const gint64 delta_ns = G_GINT64_CONSTANT(63072000000000000);
    g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
    g_autoptr(GError) error = NULL;
    make_sealed(f->path, model);
    gint64 clock = g_array_index(model, Row, model->len - 1).time_ns;
    g_autoptr(DriveWriter) writer = drive_open_append(f->path, &error);
    add_rows(writer, model, &clock, 100, TRUE);
    /* part of a chunk cannot be corrected alone, and then nothing is */
    g_assert_false(drive_shift_times(writer, 0, clock / 2, delta_ns, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_true(drive_shift_times(writer, INT64_MIN, INT64_MAX, delta_ns, &error));
    g_assert_true(drive_writer_close(writer, &error));
    g_assert_no_error(error);
    g_clear_pointer(&writer, drive_writer_free);
    for (guint i = 0; i < model->len; i++)
        g_array_index(model, Row, i).time_ns += delta_ns;
    check(f->path, model, 0, INT64_MIN, INT64_MAX);
    check(f->path, model, 2, delta_ns + 1000, delta_ns + 30000);
    g_assert_true(drive_wants_sealing(f->path));
    g_assert_true(drive_seal(f->path, NULL, &error));
    check(f->path, model, 0, INT64_MIN, INT64_MAX);
    g_assert_false(drive_wants_sealing(f->path));
}

/* So much is in the drive besides, in a kind that is not sealed. */
static void add_events(DriveWriter *writer, int n)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *detail = g_strnfill(4000, 'x');
    for (int i = 0; i < n; i++) {
        Event event = {0};
        RECORD_SET(&event, EVENT, time_ns, i);
        RECORD_SET(&event, EVENT, kind, "app-event");
        RECORD_SET(&event, EVENT, detail, detail);
        g_assert_true(drive_add_event(writer, &event, &error));
    }
    g_assert_no_error(error);
}

/* Rows out of order become chunks only at the end: what they took is given back. */
static void test_bulk_out_of_order(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
    g_autoptr(GError) error = NULL;
    gint64 clock = 0;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    g_assert_true(drive_writer_set_bulk(writer, &error));
    add_rows(writer, model, &clock, 60000, FALSE);
    add_events(writer, 300); /* so much that pages stay as they are */
    g_assert_true(drive_writer_close(writer, &error));
    g_assert_no_error(error);
    g_clear_pointer(&writer, drive_writer_free);
    g_assert_cmpint(drive_folder_sql(f->path, "PRAGMA page_size"), ==, 4096);
    g_assert_cmpint(drive_folder_sql(f->path, "PRAGMA freelist_count"), ==, 0);
    check(f->path, model, 0, INT64_MIN, INT64_MAX);
}

/* A closed drive has pages as large as it needs, and grows out of them again. */
static void test_pages(DriveFolder *f, gconstpointer data)
{
    (void)data;
    static const struct {
        int events;
        gint64 page_size;
    } steps[] = {{0, 512}, {100, 1024}, {300, 4096}, {0, 4096}};
    g_autoptr(GArray) model = g_array_new(FALSE, FALSE, sizeof(Row));
    g_autoptr(GError) error = NULL;
    gint64 clock = 0;
    for (int bulk = 0; bulk < 2; bulk++) {
        g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
        if (bulk != 0)
            g_assert_true(drive_writer_set_bulk(writer, &error));
        g_array_set_size(model, 0);
        add_rows(writer, model, &clock, 500, TRUE);
        g_assert_true(drive_writer_close(writer, &error));
        g_clear_pointer(&writer, drive_writer_free);
        g_assert_cmpint(drive_folder_sql(f->path, "PRAGMA page_size"), ==, bulk ? 512 : 4096);
        for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
            writer = drive_open_append(f->path, &error);
            g_assert_no_error(error);
            add_events(writer, steps[i].events);
            g_assert_true(drive_writer_close(writer, &error));
            g_clear_pointer(&writer, drive_writer_free);
            g_assert_true(drive_seal(f->path, NULL, &error));
            g_assert_no_error(error);
            g_assert_cmpint(drive_folder_sql(f->path, "PRAGMA page_size"), ==, steps[i].page_size);
            g_assert_cmpint(drive_folder_sql(f->path, "PRAGMA freelist_count"), ==, 0);
            check(f->path, model, 0, INT64_MIN, INT64_MAX);
        }
        g_assert_cmpint(g_unlink(f->path), ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/seal/any-history", DriveFolder, NULL, drive_folder_set_up, test_any_history,
               drive_folder_tear_down);
    g_test_add("/seal/bulk", DriveFolder, NULL, drive_folder_set_up, test_bulk,
               drive_folder_tear_down);
    g_test_add("/seal/bulk-out-of-order", DriveFolder, NULL, drive_folder_set_up,
               test_bulk_out_of_order, drive_folder_tear_down);
    g_test_add("/seal/cancel", DriveFolder, NULL, drive_folder_set_up, test_cancel,
               drive_folder_tear_down);
    g_test_add("/seal/pages", DriveFolder, NULL, drive_folder_set_up, test_pages,
               drive_folder_tear_down);
    g_test_add("/seal/shift", DriveFolder, NULL, drive_folder_set_up, test_shift,
               drive_folder_tear_down);
    g_test_add("/seal/bit-flips", DriveFolder, NULL, drive_folder_set_up, test_bit_flips,
               drive_folder_tear_down);
    g_test_add("/seal/damaged-page", DriveFolder, NULL, drive_folder_set_up, test_damaged_page,
               drive_folder_tear_down);
    g_test_add("/seal/row-without-time", DriveFolder, NULL, drive_folder_set_up,
               test_row_without_time, drive_folder_tear_down);
    g_test_add("/seal/row-without-time-after-chunks", DriveFolder, "", drive_folder_set_up,
               test_row_without_time, drive_folder_tear_down);
    g_test_add("/seal/liars", DriveFolder, NULL, drive_folder_set_up, test_liars,
               drive_folder_tear_down);
    return g_test_run();
}
