/* SPDX-License-Identifier: Apache-2.0 */
/* Rows read from the pages of a drive are those that SQLite gives, value by value, whatever is in
 * them; pages that lie end the reading. */
#include "formats/drive-pages.h"
#include "formats/drive-write.h"
#include "tests/unit/drive-folder.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static gint64 random_int(void)
{
    guint64 bits = (guint64)(guint32)g_test_rand_int() << 32 | (guint32)g_test_rand_int();
    bits >>= g_test_rand_int_range(0, 64);
    return (gint64)(g_test_rand_bit() ? bits : 0 - bits);
}

static double random_real(void)
{
    return g_test_rand_int_range(0, 3) == 0 ? (double)g_test_rand_int_range(-200, 200)
                                            : g_test_rand_double_range(-1e6, 1e6);
}

/* Texts short, long enough for a two-byte length, and longer than a page; some the beginning of
 * others. */
static const char *random_text(char *room)
{
    static const int limits[] = {1, 8, 12, 200, 12000};
    const int letters = g_test_rand_bit() ? 26 : 1;
    int length = g_test_rand_int_range(0, limits[g_test_rand_int_range(0, 5)]);
    for (int i = 0; i < length; i++)
        room[i] = (char)('a' + g_test_rand_int_range(0, letters));
    room[length] = '\0';
    return room;
}

/* Any value in any column, and none in some. */
static void random_record(RecordKind kind, gint64 time_ns, void *record, char *room)
{
    const RecordType *type = record_type(kind);
    memset(record, 0, type->size);
    uint64_t known = 0;
    for (unsigned c = 0; c < type->n_columns; c++) {
        const RecordColumn *column = &type->columns[c];
        void *field = (char *)record + column->offset;
        if (g_test_rand_int_range(0, 4) == 0)
            continue;
        known |= UINT64_C(1) << c;
        switch (column->type) {
        case COLUMN_INT:
            *(int64_t *)field = random_int();
            break;
        case COLUMN_REAL:
            *(double *)field = random_real();
            break;
        case COLUMN_TEXT:
            *(const char **)field = random_text(room + c * 12000);
            break;
        case COLUMN_ENUM:
            *(int *)field = g_test_rand_int_range(0, column->enum_count);
            break;
        }
    }
    /* every sealed kind begins with these two */
    *(int64_t *)(void *)((char *)record + type->columns[0].offset) = time_ns;
    *(int64_t *)(void *)((char *)record + type->columns[1].offset) = g_test_rand_int_range(1, 5);
    *(uint64_t *)record = known | 3;
}

static const RecordKind kinds[] = {RECORD_FIX, RECORD_SAMPLE, RECORD_MEETING, RECORD_LATENCY};

static void make_drive(const char *path, int n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(path, &error);
    g_assert_no_error(error);
    g_autofree char *room = g_malloc(64 * 12000);
    union {
        Fix fix;
        Sample sample;
        Meeting meeting;
        Latency latency;
    } record;
    for (int i = 0; i < n; i++) {
        RecordKind kind = kinds[g_test_rand_int_range(0, (gint32)G_N_ELEMENTS(kinds))];
        random_record(kind, i, &record, room);
        g_assert_true(drive_add(writer, kind, &record, &error));
    }
    g_assert_true(drive_writer_close(writer, &error));
    g_assert_no_error(error);
}

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
    return db;
}

static gint64 count_rows(sqlite3 *db, RecordKind kind)
{
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s", record_type(kind)->table);
    sqlite3_stmt *stmt = NULL;
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
    gint64 n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

static void check_all(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    sqlite3 *db = open_db(path);
    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
        g_autoptr(PageRows) rows = page_rows_new(fd, db, kinds[k]);
        g_autoptr(ChunkBuilder) builder = chunk_builder_new(kinds[k]);
        g_assert_nonnull(rows);
        gint64 n = 0;
        PageStep step = PAGE_ROWS_END;
        while ((step = page_rows_next(rows)) == PAGE_ROWS_ROW) {
            n++;
            g_assert_true(page_rows_add(rows, builder));
            g_assert_true(page_rows_agree(rows, builder));
            if (chunk_builder_rows(builder) == CHUNK_ROWS)
                chunk_builder_clear(builder);
        }
        g_assert_cmpint(step, ==, PAGE_ROWS_END);
        g_assert_cmpint(n, ==, count_rows(db, kinds[k]));
    }
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    (void)close(fd);
}

static void test_any_rows(DriveFolder *f, gconstpointer data)
{
    (void)data;
    static const int sizes[] = {0, 1, 40, 3000};
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        make_drive(f->path, sizes[i]);
        check_all(f->path);
        g_assert_cmpint(g_unlink(f->path), ==, 0);
    }
}

/* Pages of every size that SQLite knows. */
static void test_page_sizes(DriveFolder *f, gconstpointer data)
{
    (void)data;
    make_drive(f->path, 300);
    (void)drive_folder_sql(f->path, "PRAGMA journal_mode = DELETE");
    for (int size = 512; size <= 65536; size *= 2) {
        g_autofree char *sql = g_strdup_printf("PRAGMA page_size = %d; VACUUM", size);
        (void)drive_folder_sql(f->path, sql);
        g_assert_cmpint(drive_folder_sql(f->path, "PRAGMA page_size"), ==, size);
        check_all(f->path);
    }
}

/* Rows that were written before a column was added end early; deleted rows leave holes. */
static void test_altered(DriveFolder *f, gconstpointer data)
{
    (void)data;
    make_drive(f->path, 500);
    (void)drive_folder_sql(f->path, "ALTER TABLE samples DROP COLUMN nr_sinr_db;"
                                    "ALTER TABLE samples ADD COLUMN nr_sinr_db REAL;"
                                    "ALTER TABLE fixes ADD COLUMN of_a_later_version TEXT;"
                                    "UPDATE fixes SET of_a_later_version = 'x' WHERE rowid % 2;"
                                    "DELETE FROM latencies WHERE rowid % 3 = 1; VACUUM");
    check_all(f->path);
}

/* Not a table of rows by number: SQLite's business. */
static void test_other_tables(DriveFolder *f, gconstpointer data)
{
    (void)data;
    make_drive(f->path, 10);
    (void)drive_folder_sql(
        f->path, "DROP TABLE samples;"
                 "CREATE TABLE samples (time_ns INTEGER PRIMARY KEY, source INTEGER) STRICT;"
                 "DROP TABLE fixes; CREATE TABLE fixes (time_ns INTEGER, source INTEGER,"
                 " PRIMARY KEY (time_ns, source)) WITHOUT ROWID;"
                 "DROP TABLE meetings; CREATE VIEW meetings AS SELECT 1 AS time_ns;"
                 "DROP TABLE latencies");
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    sqlite3 *db = open_db(f->path);
    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++)
        g_assert_null(page_rows_new(fd, db, kinds[k]));
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    (void)close(fd);
}

/* Pages may hold anything: the reading ends, and stays within what it was given. */
static void test_spoilt_pages(DriveFolder *f, gconstpointer data)
{
    (void)data;
    make_drive(f->path, 400);
    g_autofree char *bytes = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(f->path, &bytes, &length, NULL));
    sqlite3 *db = open_db(f->path);
    g_autofree char *other = g_build_filename(f->dir, "spoilt", NULL);
    for (int round = 0; round < 150; round++) {
        g_autofree char *spoilt = g_memdup2(bytes, length);
        for (int i = g_test_rand_int_range(1, 200); i > 0; i--)
            spoilt[g_test_rand_int_range(100, (gint32)length)] = (char)g_test_rand_int();
        g_assert_true(g_file_set_contents(other, spoilt, (gssize)length, NULL));
        int fd = open(other, O_RDONLY | O_CLOEXEC);
        for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
            g_autoptr(PageRows) rows = page_rows_new(fd, db, kinds[k]);
            g_autoptr(ChunkBuilder) builder = chunk_builder_new(kinds[k]);
            for (int n = 0; rows != NULL && n < CHUNK_ROWS; n++) {
                if (page_rows_next(rows) != PAGE_ROWS_ROW)
                    break;
                if (!page_rows_add(rows, builder))
                    break;
                (void)page_rows_agree(rows, builder);
            }
        }
        (void)close(fd);
    }
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    (void)g_unlink(other);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add(name, DriveFolder, NULL, drive_folder_set_up, function, drive_folder_tear_down)
    ADD("/drive-pages/any-rows", test_any_rows);
    ADD("/drive-pages/page-sizes", test_page_sizes);
    ADD("/drive-pages/altered", test_altered);
    ADD("/drive-pages/other-tables", test_other_tables);
    ADD("/drive-pages/spoilt-pages", test_spoilt_pages);
    return g_test_run();
}
