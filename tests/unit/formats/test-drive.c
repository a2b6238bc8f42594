/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/drive-damage.h"
#include "formats/drive-file.h"
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "tests/unit/drive-folder.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

static gint64 add_source(DriveWriter *writer, const char *label)
{
    g_autoptr(GError) error = NULL;
    Source source = {0};
    RECORD_SET(&source, SOURCE, label, label);
    RECORD_SET(&source, SOURCE, kind, SOURCE_MODEM);
    gint64 id = 0;
    g_assert_true(drive_add_source(writer, &source, &id, &error));
    g_assert_no_error(error);
    return id;
}

static void add_sample(DriveWriter *writer, gint64 time_ns, gint64 source, double rsrp_dbm)
{
    g_autoptr(GError) error = NULL;
    Sample sample = {0};
    RECORD_SET(&sample, SAMPLE, time_ns, time_ns);
    RECORD_SET(&sample, SAMPLE, source, source);
    RECORD_SET(&sample, SAMPLE, rat, RAT_LTE);
    RECORD_SET(&sample, SAMPLE, plmn, time_ns % 2 == 0 ? "24001" : "26207");
    if (rsrp_dbm < 0)
        RECORD_SET(&sample, SAMPLE, rsrp_dbm, rsrp_dbm);
    g_assert_true(drive_add_sample(writer, &sample, &error));
    g_assert_no_error(error);
}

static void write_empty(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(path, &error);
    g_assert_true(drive_writer_close(writer, &error));
}

static void test_round_trip(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(add_source(writer, "one"), ==, 1);
    g_assert_cmpint(add_source(writer, "two"), ==, 2);
    g_assert_cmpint(add_source(writer, "one"), ==, 1);
    enum { N = 10000 };
    for (int i = 0; i < N; i++)
        add_sample(writer, i, 1 + i % 2, i % 7 == 0 ? 0.0 : -100.0 + i % 40 * 0.1);
    g_assert_true(drive_set_meta(writer, "vehicle", "X2 \"åäö\"", &error));
    g_assert_true(drive_writer_close(writer, &error));
    g_assert_no_error(error);
    g_clear_pointer(&writer, drive_writer_free);

    g_autoptr(Drive) drive = drive_open(f->path, &error);
    g_assert_no_error(error);
    g_autofree char *vehicle = drive_meta(drive, "vehicle");
    g_assert_cmpstr(vehicle, ==, "X2 \"åäö\"");
    guint n_sources = 0;
    const Source *sources = drive_sources(drive, &n_sources);
    g_assert_cmpuint(n_sources, ==, 2);
    g_assert_cmpstr(sources[1].label, ==, "two");
    g_assert_false(RECORD_HAS(&sources[0], SOURCE, operator_label));

    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SAMPLE, 0, 0, INT64_MIN, INT64_MAX, &error);
    g_assert_no_error(error);
    const Batch *batch = NULL;
    int i = 0;
    while ((batch = drive_next(cursor, &error)) != NULL)
        for (size_t row = 0; row < batch->n; row++, i++) {
            Sample sample;
            batch_get(batch, RECORD_SAMPLE, row, &sample);
            g_assert_cmpint(sample.time_ns, ==, i);
            g_assert_cmpint(sample.source, ==, 1 + i % 2);
            g_assert_cmpint(sample.rat, ==, RAT_LTE);
            g_assert_cmpstr(sample.plmn, ==, i % 2 == 0 ? "24001" : "26207");
            g_assert_cmpint(RECORD_HAS(&sample, SAMPLE, rsrp_dbm), ==, i % 7 != 0);
            if (i % 7 != 0)
                g_assert_true(sample.rsrp_dbm == -100.0 + i % 40 * 0.1);
        }
    g_assert_no_error(error);
    g_assert_cmpint(i, ==, N);

    gint64 n = 0;
    gint64 first = 0;
    gint64 last = 0;
    g_assert_true(drive_count(drive, RECORD_SAMPLE, 2, &n, &first, &last, &error));
    g_assert_cmpint(n, ==, N / 2);
    g_assert_cmpint(first, ==, 1);
    g_assert_cmpint(last, ==, N - 1);
}

static int count_rows(Drive *drive, uint64_t columns, gint64 source, gint64 from, gint64 to)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SAMPLE, columns, source, from, to, &error);
    g_assert_no_error(error);
    const Batch *batch = NULL;
    int n = 0;
    gint64 previous[4] = {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN};
    while ((batch = drive_next(cursor, &error)) != NULL)
        for (size_t row = 0; row < batch->n; row++, n++) {
            gint64 *last = &previous[batch->column[SAMPLE_COL_source].i[row]];
            g_assert_cmpint(batch->column[SAMPLE_COL_time_ns].i[row], >=, *last);
            *last = batch->column[SAMPLE_COL_time_ns].i[row];
            if (columns != 0)
                g_assert_null(batch->column[SAMPLE_COL_plmn].t);
        }
    g_assert_no_error(error);
    return n;
}

static void test_selection_and_order(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    g_assert_no_error(error);
    g_assert_true(drive_writer_set_bulk(writer, &error));
    (void)add_source(writer, "one");
    (void)add_source(writer, "two");
    for (int i = 999; i >= 0; i--)
        add_sample(writer, i, 1 + i % 2, -99);
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    g_autoptr(Drive) drive = drive_open(f->path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(count_rows(drive, 0, 0, INT64_MIN, INT64_MAX), ==, 1000);
    g_assert_cmpint(count_rows(drive, RECORD_BIT(SAMPLE, rsrp_dbm), 2, INT64_MIN, INT64_MAX), ==,
                    500);
    g_assert_cmpint(count_rows(drive, 0, 0, 100, 200), ==, 100);
    g_assert_cmpint(count_rows(drive, 0, 3, INT64_MIN, INT64_MAX), ==, 0);
}

static void test_append_and_lock(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    (void)add_source(writer, "one");
    add_sample(writer, 5, 1, -90);
    g_assert_true(drive_writer_commit(writer, &error));
    add_sample(writer, 6, 1, -90); /* never committed */

    g_assert_null(drive_create(f->path, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_null(drive_open_append(f->path, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_BUSY);
    g_clear_error(&error);

    /* readable while it is written */
    g_autoptr(Drive) drive = drive_open(f->path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(count_rows(drive, 0, 0, INT64_MIN, INT64_MAX), ==, 1);
    g_clear_pointer(&drive, drive_free);
    g_clear_pointer(&writer, drive_writer_free);

    writer = drive_open_append(f->path, &error);
    g_assert_no_error(error);
    add_sample(writer, 4, 1, -90); /* goes back: the drive must be read through a sort from now */
    Probe probe = {0};
    RECORD_SET(&probe, PROBE, time_ns, 1);
    RECORD_SET(&probe, PROBE, id, drive_next_probe(writer));
    g_assert_true(drive_add_probe(writer, &probe, &error));
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    drive = drive_open(f->path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(count_rows(drive, 0, 0, INT64_MIN, INT64_MAX), ==, 2);
    g_clear_pointer(&drive, drive_free);
    writer = drive_open_append(f->path, &error);
    g_assert_cmpint(drive_next_probe(writer), ==, 2);
}

/* A writer that is refused leaves the file as it found it: readers make no -wal beside it. */
static void test_refused_append(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    (void)add_source(writer, "one");
    add_sample(writer, 5, 1, -90);
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    g_autofree char *before = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(f->path, &before, &size, NULL));

    writer = drive_open_append(f->path, &error);
    g_assert_no_error(error);
    add_sample(writer, 6, 1, -90); /* never committed */
    g_clear_pointer(&writer, drive_writer_free);
    g_autofree char *after = NULL;
    gsize size_after = 0;
    g_assert_true(g_file_get_contents(f->path, &after, &size_after, NULL));
    g_assert_cmpint(after[18], ==, 1);
    g_assert_cmpint(after[19], ==, 1);
    g_autoptr(Drive) drive = drive_open(f->path, &error);
    g_assert_cmpint(count_rows(drive, 0, 0, INT64_MIN, INT64_MAX), ==, 1);
    g_autofree char *wal = g_strconcat(f->path, "-wal", NULL);
    g_assert_false(g_file_test(wal, G_FILE_TEST_EXISTS));
}

static void test_fold(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    (void)add_source(writer, "one");
    for (int i = 0; i < 1000; i++)
        add_sample(writer, i, 1, -90);
    g_assert_true(drive_writer_commit(writer, &error));
    g_assert_cmpuint(drive_writer_unfolded(writer), >, 0);
    add_sample(writer, 1000, 1, -90);
    g_assert_true(drive_writer_fold(writer, &error));
    g_assert_cmpuint(drive_writer_unfolded(writer), ==, 0);
    g_autoptr(Drive) drive = drive_open(f->path, &error);
    g_assert_cmpint(count_rows(drive, 0, 0, INT64_MIN, INT64_MAX), ==, 1001);
}

static void test_shift(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    (void)add_source(writer, "one");
    for (int i = 0; i < 10; i++)
        add_sample(writer, i, 1, -90);
    g_assert_true(drive_shift_times(writer, 0, 5, 1000, &error));
    g_assert_no_error(error);
    g_assert_true(drive_shift_times(writer, 5, 10, 1000, &error));
    g_assert_no_error(error);
    g_clear_pointer(&writer, drive_writer_free);
    g_autoptr(Drive) drive = drive_open(f->path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(count_rows(drive, 0, 0, 1000, 1010), ==, 10);
}

static void test_duplicate_import(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    g_assert_true(drive_check_not_imported(writer, "abc", &error));
    Import import = {0};
    RECORD_SET(&import, IMPORT, time_ns, G_GINT64_CONSTANT(1700000000000000000));
    RECORD_SET(&import, IMPORT, sha256, "abc");
    RECORD_SET(&import, IMPORT, name, "first.csv");
    g_assert_true(drive_add_import(writer, &import, &error));
    g_assert_false(drive_check_not_imported(writer, "abc", &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_DUPLICATE);
    g_assert_nonnull(strstr(error->message, "first.csv on 2023-11-14"));
}

static void test_strangers(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_assert_null(drive_open(f->path, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED);
    g_clear_error(&error);

    g_assert_true(g_file_set_contents(f->path, "", 0, NULL));
    g_assert_null(drive_open(f->path, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE);
    g_clear_error(&error);

    g_assert_true(g_file_set_contents(f->path, "time,lat,lon\n1,2,3\n", -1, NULL));
    g_assert_null(drive_open(f->path, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE);
    g_clear_error(&error);
    (void)g_unlink(f->path);

    write_empty(f->path);
    (void)drive_folder_sql(f->path, "PRAGMA user_version = 99");
    g_assert_null(drive_open(f->path, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_TOO_NEW);
    g_clear_error(&error);

    (void)drive_folder_sql(f->path, "PRAGMA user_version = 1; DROP TABLE samples;"
                                    "CREATE VIEW samples AS SELECT 1 AS time_ns, 2 AS source");
    g_assert_null(drive_open(f->path, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE);
    g_assert_null(strchr(error->message, '\n'));
}

static void refuse(const char *path, DriveError code)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *before = NULL, *after = NULL;
    gsize n_before = 0, n_after = 0;
    g_assert_true(g_file_get_contents(path, &before, &n_before, NULL));
    g_assert_null(drive_open(path, &error));
    g_assert_error(error, DRIVE_ERROR, (gint)code);
    g_assert_null(strchr(error->message, '\n'));
    g_clear_error(&error);
    g_assert_null(drive_open_append(path, &error));
    g_assert_error(error, DRIVE_ERROR, (gint)code);
    g_clear_error(&error);
    g_assert_false(drive_seal(path, NULL, &error));
    g_assert_nonnull(error);
    g_assert_true(g_file_get_contents(path, &after, &n_after, NULL));
    g_assert_cmpuint(n_before, ==, n_after);
    g_assert_true(memcmp(before, after, n_after) == 0);
}

/* What a schema can say beyond a table is refused by every way to open a drive. */
static void test_hostile_schema(DriveFolder *f, gconstpointer data)
{
    static const struct {
        const char *sql;
        DriveError code;
    } schemas[] = {
        {"DROP TABLE samples; CREATE VIEW samples AS SELECT 1 AS time_ns, 2 AS source",
         DRIVE_ERROR_NOT_A_DRIVE},
        {"DROP TABLE samples; CREATE VIEW Samples AS SELECT 1 AS time_ns, 2 AS source",
         DRIVE_ERROR_NOT_A_DRIVE},
        {"DROP TABLE meta; CREATE VIEW meta AS SELECT 'a' AS key, 'b' AS value",
         DRIVE_ERROR_NOT_A_DRIVE},
        {"DROP TABLE chunks; CREATE VIRTUAL TABLE chunks USING fts5(id, kind, source)",
         DRIVE_ERROR_NOT_A_DRIVE},
        {"DROP TABLE events; CREATE TABLE events (time_ns, kind TEXT, detail TEXT AS (hex(kind)))",
         DRIVE_ERROR_NOT_A_DRIVE},
        /* what VACUUM would leave out */
        {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'tAble' WHERE name = "
         "'fixes'",
         DRIVE_ERROR_DAMAGED},
        {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = 'others'"
         " WHERE name = 'fixes'",
         DRIVE_ERROR_DAMAGED},
        {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = CAST('table' AS BLOB)"
         " WHERE name = 'fixes'",
         DRIVE_ERROR_DAMAGED},
        {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'c' || substr(sql, 2)"
         " WHERE name = 'fixes'",
         DRIVE_ERROR_DAMAGED},
        /* a view in the clothes of another */
        {"DROP TABLE samples; CREATE VIEW samples AS SELECT 1 AS time_ns, 2 AS source;"
         "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'index', name = 'a',"
         " tbl_name = 'fixes' WHERE name = 'samples'",
         DRIVE_ERROR_DAMAGED},
    };
    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(schemas); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
        g_assert_true(drive_writer_close(writer, &error));
        g_clear_pointer(&writer, drive_writer_free);
        (void)drive_folder_sql(f->path, schemas[i].sql);
        refuse(f->path, schemas[i].code);
        (void)g_unlink(f->path);
    }
}

/* Everyone counts on a label; a table without its rules may have none. */
static void test_no_label(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    write_empty(f->path);
    (void)drive_folder_sql(f->path,
                           "DROP TABLE sources; CREATE TABLE sources (id INTEGER PRIMARY KEY,"
                           " label TEXT, operator_label TEXT);"
                           "INSERT INTO sources VALUES (7, NULL, 'Alfa')");
    g_autoptr(Drive) drive = drive_open(f->path, &error);
    g_assert_no_error(error);
    guint n = 0;
    const Source *sources = drive_sources(drive, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpstr(sources[0].label, ==, "source 7");
}

/* What a damaged table of extents says of no kind is passed over. */
static void test_extent_of_nothing(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    write_empty(f->path);
    (void)drive_folder_sql(f->path,
                           "DROP TABLE extents; CREATE TABLE extents (kind, source, n, first_ns,"
                           " last_ns, ordered);"
                           "INSERT INTO extents VALUES (NULL, NULL, NULL, NULL, NULL, NULL)");
    g_autoptr(DriveWriter) writer = drive_open_append(f->path, &error);
    g_assert_no_error(error);
    g_assert_nonnull(writer);
}

/* Names in a message of SQLite's do not break its line, nor reach a terminal as orders. */
static void test_hostile_name(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    write_empty(f->path);
    (void)drive_folder_sql(f->path,
                           "PRAGMA writable_schema = ON;"
                           "UPDATE sqlite_schema SET sql = 'CREATE TABLE fixes (\n \x1b[2J'"
                           " WHERE name = 'fixes'");
    g_assert_null(drive_open(f->path, &error));
    g_assert_nonnull(error);
    g_assert_null(strpbrk(error->message, "\n\x1b"));
}

/* Triggers lie in the file and do nothing: neither reading nor writing follows them. */
static void test_hostile_trigger(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    write_empty(f->path);
    (void)drive_folder_sql(f->path, "CREATE TABLE seen (n);"
                                    "CREATE TRIGGER t AFTER INSERT ON events BEGIN"
                                    " INSERT INTO seen VALUES (1); END");
    g_autoptr(DriveWriter) writer = drive_open_append(f->path, &error);
    g_assert_no_error(error);
    Event event = {0};
    RECORD_SET(&event, EVENT, time_ns, 5);
    RECORD_SET(&event, EVENT, kind, "cell-change");
    g_assert_true(drive_add_event(writer, &event, &error));
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    g_assert_cmpint(drive_folder_sql(f->path, "SELECT count(*) FROM seen"), ==, 0);
    g_assert_cmpint(drive_folder_sql(f->path, "SELECT count(*) FROM events"), ==, 1);
}

/* A journal may name a super-journal, which SQLite deletes once the journal is applied: a
 * stranger's would have any file of the user deleted. It is refused, whoever opens. */
static void test_hostile_journal(DriveFolder *f, gconstpointer data)
{
    (void)data;
    write_empty(f->path);
    g_autofree char *victim = g_strconcat(f->path, "-victim", NULL);
    g_autofree char *journal = g_strconcat(f->path, "-journal", NULL);
    g_assert_true(g_file_set_contents(victim, "dear", -1, NULL));
    static const guint8 magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const guint32 sector = 512, page = 4096, none = 0;
    const guint32 pages = (guint32)drive_folder_sql(f->path, "PRAGMA page_count");
    const guint32 head[] = {none, GUINT32_TO_BE(7), GUINT32_TO_BE(pages), GUINT32_TO_BE(sector),
                            GUINT32_TO_BE(page)};
    g_byte_array_append(bytes, magic, sizeof magic);
    g_byte_array_append(bytes, (const guint8 *)head, sizeof head);
    while (bytes->len < sector)
        g_byte_array_append(bytes, (const guint8 *)"", 1);
    guint32 sum = 0;
    for (const char *c = victim; *c != '\0'; c++)
        sum += (guint8)*c;
    const guint32 lock_page = GUINT32_TO_BE(0x40000000 / 4096 + 1),
                  tail[] = {GUINT32_TO_BE((guint32)strlen(victim)), GUINT32_TO_BE(sum)};
    g_byte_array_append(bytes, (const guint8 *)&lock_page, 4);
    g_byte_array_append(bytes, (const guint8 *)victim, (guint)strlen(victim));
    g_byte_array_append(bytes, (const guint8 *)tail, sizeof tail);
    g_byte_array_append(bytes, magic, sizeof magic);
    g_assert_true(g_file_set_contents(journal, (const char *)bytes->data, bytes->len, NULL));
    refuse(f->path, DRIVE_ERROR_NOT_A_DRIVE);
    g_assert_true(g_file_test(victim, G_FILE_TEST_EXISTS));
    /* This is what SQLite by itself does with it; if it no longer did, the guard could go. */
    (void)drive_folder_sql(f->path, "SELECT count(*) FROM events");
    g_assert_false(g_file_test(victim, G_FILE_TEST_EXISTS));
}

/* A table less is damage, told when the drive is opened, not at the first record of that kind. */
static void test_lacks_table(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    write_empty(f->path);
    (void)drive_folder_sql(f->path, "DROP TABLE latencies");
    g_assert_null(drive_open_append(f->path, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED);
    g_assert_nonnull(strstr(error->message, "has no table latencies"));
}

static int record_meanwhile(unsigned kind, void *data, void *statement, void *text)
{
    (void)kind;
    (void)statement;
    if (strstr(text, "FROM extents") != NULL) {
        add_sample(data, 1000, 1, -80);
        g_assert_true(drive_writer_commit(data, NULL));
    }
    return 0;
}

/* Rows and their number are compared as of one instant, though the drive is being recorded. */
static void test_damage_while_recorded(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    g_assert_no_error(error);
    add_sample(writer, 1, add_source(writer, "one"), -80);
    g_assert_true(drive_writer_commit(writer, &error));
    g_autoptr(Drive) drive = drive_open(f->path, &error);
    g_assert_no_error(error);
    (void)sqlite3_trace_v2(drive->db, SQLITE_TRACE_STMT, record_meanwhile, writer);
    g_autoptr(GPtrArray) damage = drive_find_damage(drive);
    if (damage->len > 0)
        g_error("%s", (const char *)g_ptr_array_index(damage, 0));
    (void)sqlite3_trace_v2(drive->db, 0, NULL, NULL);
    gint64 n = 0, first_ns = 0, last_ns = 0;
    g_assert_true(drive_count(drive, RECORD_SAMPLE, 0, &n, &first_ns, &last_ns, &error));
    g_assert_cmpint(n, >, 1);
}

/* Each column must be in docs/drive-file.md with its unit and meaning, in one table row. */
static void test_documented(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("G_TEST_SRCDIR"), "docs", "drive-file.md", NULL);
    g_autofree char *doc = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_get_contents(path, &doc, NULL, &error));
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        const RecordType *type = record_type((RecordKind)k);
        g_autofree char *heading = g_strdup_printf("\n### %s\n", type->table);
        const char *section = strstr(doc, heading);
        if (section == NULL)
            g_error("docs/drive-file.md has no section %s", type->table);
        const char *end = strstr(section + 5, "\n### ");
        g_autofree char *body =
            end != NULL ? g_strndup(section, (gsize)(end - section)) : g_strdup(section);
        for (unsigned c = 0; c < type->n_columns; c++) {
            const RecordColumn *column = &type->columns[c];
            g_autofree char *row =
                g_strdup_printf("| `%s` | %s | %s |", column->name, column->unit, column->text);
            if (strstr(body, row) == NULL)
                g_error("docs/drive-file.md, section %s, lacks: %s", type->table, row);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add(name, DriveFolder, NULL, drive_folder_set_up, function, drive_folder_tear_down)
    ADD("/drive/round-trip", test_round_trip);
    ADD("/drive/selection-and-order", test_selection_and_order);
    ADD("/drive/append-and-lock", test_append_and_lock);
    ADD("/drive/refused-append", test_refused_append);
    ADD("/drive/fold", test_fold);
    ADD("/drive/shift", test_shift);
    ADD("/drive/duplicate-import", test_duplicate_import);
    ADD("/drive/strangers", test_strangers);
    ADD("/drive/hostile-schema", test_hostile_schema);
    ADD("/drive/no-label", test_no_label);
    ADD("/drive/extent-of-nothing", test_extent_of_nothing);
    ADD("/drive/hostile-name", test_hostile_name);
    ADD("/drive/hostile-trigger", test_hostile_trigger);
    ADD("/drive/hostile-journal", test_hostile_journal);
    ADD("/drive/lacks-table", test_lacks_table);
    ADD("/drive/damage-while-recorded", test_damage_while_recorded);
    g_test_add_func("/drive/documented", test_documented);
    return g_test_run();
}
