/* SPDX-License-Identifier: Apache-2.0 */
/* Small chunks put together: what comes out of a pack, and what damage to it costs. */
#include "formats/chunk-pack.h"
#include "formats/drive-read.h"
#include "formats/drive-recover.h"
#include "formats/drive-write.h"
#include "tests/unit/drive-folder.h"

#include <glib/gstdio.h>
#include <string.h>

enum { SOURCES = 5, ROWS = 60, STEP_NS = 1000000000 };

/* ---- the bytes ---- */

static void test_places(void)
{
    static const PackPlace places[] = {{1, 0, 1}, {127, 128, 16384}, {G_MAXINT64, 1U << 20, 0}};
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        pack_place_append(bytes, &places[i]);
        PackPlace back = {0};
        g_assert_true(pack_place_read(bytes->data, bytes->len, &back));
        g_assert_cmpint(back.pack, ==, places[i].pack);
        g_assert_cmpuint(back.offset, ==, places[i].offset);
        g_assert_cmpuint(back.size, ==, places[i].size);
        for (guint length = 0; length < bytes->len; length++)
            g_assert_false(pack_place_read(bytes->data, length, &back));
        guint8 more = 0;
        g_byte_array_append(bytes, &more, 1);
        g_assert_false(pack_place_read(bytes->data, bytes->len, &back));
    }
}

static GByteArray *open_pack(const GByteArray *bytes)
{
    g_autoptr(GError) error = NULL;
    GByteArray *chunks = pack_open(bytes->data, bytes->len, &error);
    g_assert_true((chunks == NULL) == (error != NULL));
    if (error != NULL)
        g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED);
    return chunks;
}

/* Whatever is flipped or cut off is found. */
static void test_damage(void)
{
    g_autoptr(GByteArray) chunks = g_byte_array_new();
    for (int i = 0; i < 500; i++) {
        guint8 byte = (guint8)g_test_rand_int_range(0, 20);
        g_byte_array_append(chunks, &byte, 1);
    }
    g_autoptr(GByteArray) pack = pack_make(chunks, NULL);
    g_assert_cmpuint(pack->len, <, chunks->len);
    g_autoptr(GByteArray) back = open_pack(pack);
    g_assert_cmpuint(back->len, ==, chunks->len);
    g_assert_true(memcmp(back->data, chunks->data, chunks->len) == 0);
    for (guint bit = 0; bit < pack->len * 8; bit++) {
        pack->data[bit / 8] ^= (guint8)(1U << bit % 8);
        g_assert_null(open_pack(pack));
        pack->data[bit / 8] ^= (guint8)(1U << bit % 8);
    }
    while (pack->len > 0) {
        g_byte_array_set_size(pack, pack->len - 1);
        g_assert_null(open_pack(pack));
    }
}

/* ---- drives ---- */

/* The sample of a source at a time; what it holds follows from these. */
static Sample sample_of(gint64 source, gint64 time_ns)
{
    gint64 i = time_ns / STEP_NS;
    Sample sample = {0};
    RECORD_SET(&sample, SAMPLE, time_ns, time_ns);
    RECORD_SET(&sample, SAMPLE, source, source);
    RECORD_SET(&sample, SAMPLE, rat, (int)(i / 10 % RAT_COUNT));
    RECORD_SET(&sample, SAMPLE, plmn, source % 2 == 0 ? "24001" : "24007");
    RECORD_SET(&sample, SAMPLE, cell_id, source * 1000 + i / 7);
    if (i % 4 != 0)
        RECORD_SET(&sample, SAMPLE, rsrp_dbm, -140.0 + (double)((i * 7 + source) % 97));
    return sample;
}

static void add_samples(DriveWriter *writer, gint64 source, gint64 first, gint64 n)
{
    for (gint64 i = first; i < first + n; i++) {
        Sample sample = sample_of(source, i * STEP_NS);
        g_assert_true(drive_add_sample(writer, &sample, NULL));
    }
}

static void make_sealed(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(path, &error);
    g_assert_no_error(error);
    for (gint64 source = 1; source <= SOURCES; source++)
        add_samples(writer, source, 100, ROWS);
    for (gint64 i = 0; i < ROWS; i++) {
        Fix fix = {0};
        RECORD_SET(&fix, FIX, time_ns, i * STEP_NS);
        RECORD_SET(&fix, FIX, source, 1);
        RECORD_SET(&fix, FIX, lat, 60 + (double)i / 1000);
        g_assert_true(drive_add(writer, RECORD_FIX, &fix, &error));
    }
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    g_assert_true(drive_seal(path, NULL, &error));
    g_assert_no_error(error);
}

/* Reads all of a kind; samples are what they were, but for their times, which are `late_ns` later.
 * Problems are appended to `said`, a line each. */
static gint64 count(const char *path, RecordKind kind, gint64 late_ns, GString *said)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(DriveCursor) cursor = drive_read(drive, kind, 0, 0, INT64_MIN, INT64_MAX, &error);
    gint64 n = 0;
    for (const Batch *batch = NULL; (batch = drive_next(cursor, &error)) != NULL;)
        for (size_t i = 0; i < batch->n; i++, n++) {
            if (kind != RECORD_SAMPLE)
                continue;
            Sample sample;
            batch_get(batch, kind, i, &sample);
            Sample wanted = sample_of(sample.source, sample.time_ns - late_ns);
            g_assert_cmphex(sample.known, ==, wanted.known);
            g_assert_cmpint(sample.rat, ==, wanted.rat);
            g_assert_cmpstr(sample.plmn, ==, wanted.plmn);
            g_assert_cmpint(sample.cell_id, ==, wanted.cell_id);
            g_assert_true(sample.rsrp_dbm == wanted.rsrp_dbm);
        }
    g_assert_no_error(error);
    for (guint i = 0; i < drive_problems(drive)->len; i++)
        g_string_append_printf(said, "%s\n", (char *)g_ptr_array_index(drive_problems(drive), i));
    return n;
}

static void check_whole(const char *path, gint64 samples, gint64 late_ns)
{
    g_autoptr(GString) said = g_string_new(NULL);
    g_assert_cmpint(count(path, RECORD_SAMPLE, late_ns, said), ==, samples);
    g_assert_cmpint(count(path, RECORD_FIX, 0, said), ==, ROWS);
    g_assert_cmpstr(said->str, ==, "");
}

static void test_sealed(DriveFolder *f, gconstpointer data)
{
    (void)data;
    make_sealed(f->path);
    check_whole(f->path, SOURCES * ROWS, 0);
    g_assert_cmpint(drive_folder_sql(f->path, "PRAGMA user_version"), >=, 3);
    g_assert_cmpint(drive_folder_sql(f->path, "SELECT count(*) FROM chunks WHERE kind = 'packs'"),
                    ==, 2);
    g_assert_cmpint(drive_folder_sql(f->path, "SELECT sum(n) FROM chunks WHERE kind = 'samples'"
                                              " AND length(data) < 16"),
                    ==, SOURCES * ROWS);
}

/* A row of `chunks` changed by SQL: what is lost, and what is said. */
static void test_liars(DriveFolder *f, gconstpointer data)
{
    (void)data;
    static const struct {
        const char *sql;
        gint64 lost_samples, lost_fixes;
        const char *said;
    } rows[] = {
        {"DELETE FROM chunks WHERE id = (SELECT min(id) FROM chunks WHERE kind = 'packs')", 0, ROWS,
         "is missing; its 60 rows are lost"},
        {"DELETE FROM chunks WHERE id = (SELECT max(id) FROM chunks WHERE kind = 'packs')",
         SOURCES * ROWS, 0, "is missing; its 60 rows are lost"},
        {"UPDATE chunks SET data = zeroblob(length(data)) WHERE kind = 'packs'", SOURCES * ROWS,
         ROWS, "its pack has another beginning"},
        {"UPDATE chunks SET data = substr(data, 1, 40) WHERE kind = 'packs'", SOURCES * ROWS, ROWS,
         "its pack has a wrong checksum"},
        {"UPDATE chunks SET data = x'435245467f0001' WHERE kind = 'fixes'", 0, ROWS,
         "its pack 127 is missing"},
        {"UPDATE chunks SET data = x'43524546010001' WHERE kind = 'fixes'", 0, ROWS, "not a chunk"},
        {"UPDATE chunks SET data = x'435245460100ffff7f' WHERE kind = 'fixes'", 0, ROWS,
         "lies beyond its pack's end"},
        {"UPDATE chunks SET data = x'43524546ffffffffffffffffff' WHERE kind = 'fixes'", 0, ROWS,
         "not a chunk"},
        {"UPDATE chunks SET data = (SELECT data FROM chunks WHERE kind = 'samples' AND source = 3)"
         " WHERE kind = 'samples' AND source = 2",
         ROWS, 0, "rows, times or source differ from what the table says"},
    };
    make_sealed(f->path);
    g_assert_cmpint(drive_folder_sql(f->path, "SELECT id FROM chunks WHERE kind = 'packs'"), ==, 1);
    g_autofree char *original = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(f->path, &original, &length, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(g_file_set_contents(f->path, original, (gssize)length, NULL));
        (void)drive_folder_sql(f->path, rows[i].sql);
        g_autoptr(GString) said = g_string_new(NULL);
        gint64 samples = count(f->path, RECORD_SAMPLE, 0, said);
        gint64 fixes = count(f->path, RECORD_FIX, 0, said);
        g_test_message("%s: %s", rows[i].sql, said->str);
        g_assert_cmpint(samples, ==, SOURCES * ROWS - rows[i].lost_samples);
        g_assert_cmpint(fixes, ==, ROWS - rows[i].lost_fixes);
        g_assert_nonnull(strstr(said->str, rows[i].said));
    }
}

/* One of the bits of a row's data: which is what is left of `at` divided by their number. */
static void flip(sqlite3 *db, gint64 id, guint at)
{
    sqlite3_blob *blob = NULL;
    guint8 byte = 0;
    g_assert_cmpint(sqlite3_blob_open(db, "main", "chunks", "data", id, 1, &blob), ==, SQLITE_OK);
    at %= 8 * (guint)sqlite3_blob_bytes(blob);
    g_assert_cmpint(sqlite3_blob_read(blob, &byte, 1, (int)(at / 8)), ==, SQLITE_OK);
    byte ^= (guint8)(1U << at % 8);
    g_assert_cmpint(sqlite3_blob_write(blob, &byte, 1, (int)(at / 8)), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_blob_close(blob), ==, SQLITE_OK);
}

/* Any bit of a pack costs the chunks in it, any of a reference the one chunk, and that is told. */
static void test_bit_flips(DriveFolder *f, gconstpointer data)
{
    (void)data;
    make_sealed(f->path);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), ==, SQLITE_OK);
    gint64 n = drive_folder_sql(f->path, "SELECT max(id) FROM chunks");
    for (int round = 0; round < 80; round++) {
        gint64 id = 1 + g_test_rand_int_range(0, (gint32)n);
        g_autofree char *is_pack =
            g_strdup_printf("SELECT kind = 'packs' FROM chunks WHERE id = %" G_GINT64_FORMAT, id);
        g_autofree char *in_pack =
            g_strdup_printf("SELECT sum(n) FROM chunks WHERE kind = (SELECT kind FROM chunks WHERE "
                            "id = 1 + %" G_GINT64_FORMAT ")",
                            id);
        gint64 costs =
            drive_folder_sql(f->path, is_pack) ? drive_folder_sql(f->path, in_pack) : ROWS;
        const guint at = (guint)g_test_rand_int_range(0, G_MAXINT32);
        flip(db, id, at);
        g_autoptr(GString) said = g_string_new(NULL);
        gint64 left = count(f->path, RECORD_SAMPLE, 0, said) + count(f->path, RECORD_FIX, 0, said);
        g_assert_cmpint(left, ==, (SOURCES + 1) * ROWS - costs);
        g_assert_nonnull(strstr(said->str, "rows are lost"));
        flip(db, id, at);
    }
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    check_whole(f->path, SOURCES * ROWS, 0);
}

/* Rows before the end of what is sealed: their source is sealed anew, and in the end no chunk is
 * left of the first pack, which goes too. */
static void test_sealed_anew(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    make_sealed(f->path);
    for (gint64 source = 1; source <= SOURCES; source++) {
        g_autoptr(DriveWriter) writer = drive_open_append(f->path, &error);
        g_assert_no_error(error);
        add_samples(writer, source, 50, ROWS / 2);
        g_assert_true(drive_writer_close(writer, &error));
        g_clear_pointer(&writer, drive_writer_free);
        g_assert_true(drive_seal(f->path, NULL, &error));
        g_assert_no_error(error);
        check_whole(f->path, SOURCES * ROWS + source * (ROWS / 2), 0);
        g_assert_cmpint(
            drive_folder_sql(f->path, "SELECT count(*) FROM chunks WHERE kind = 'packs'"), ==,
            source < SOURCES ? 2 + source : 1 + source);
    }
}

static void test_shifted(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    make_sealed(f->path);
    g_autoptr(DriveWriter) writer = drive_open_append(f->path, &error);
    g_assert_no_error(error);
    g_assert_true(drive_shift_times(writer, 100 * (gint64)STEP_NS, INT64_MAX, 77, &error));
    g_assert_no_error(error);
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    check_whole(f->path, SOURCES * ROWS, 77);
    g_assert_cmpint(drive_folder_sql(f->path, "SELECT count(*) FROM chunks WHERE kind = 'packs'"),
                    ==, 1); /* of the fixes, which are earlier */
}

static void test_recovered(DriveFolder *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    make_sealed(f->path);
    g_autofree char *out = g_build_filename(f->dir, "saved.drive", NULL);
    RecoverReport report;
    g_assert_true(drive_recover(f->path, out, &report, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(report.losses->len, ==, SOURCES); /* of which there is no description */
    g_assert_cmpint(report.saved[RECORD_SAMPLE], ==, SOURCES * ROWS);
    recover_report_clear(&report);
    check_whole(out, SOURCES * ROWS, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packs/places", test_places);
    g_test_add_func("/packs/damage", test_damage);
    static const struct {
        const char *name;
        void (*run)(DriveFolder *, gconstpointer);
    } tests[] = {
        {"/packs/sealed", test_sealed},       {"/packs/liars", test_liars},
        {"/packs/bit-flips", test_bit_flips}, {"/packs/sealed-anew", test_sealed_anew},
        {"/packs/shifted", test_shifted},     {"/packs/recovered", test_recovered},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, DriveFolder, NULL, drive_folder_set_up, tests[i].run,
                   drive_folder_tear_down);
    return g_test_run();
}
