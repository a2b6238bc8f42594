/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small drive with live and sealed rows, of small, usual and large pages, is damaged at every
 * page: zeroed, overwritten, single bits flipped, cut off. Whatever is left, nothing crashes; no
 * row comes out that did not go in (but live rows of a page with a flipped bit: they carry no
 * checksum); and no row is lost that does not lie, at least in part, on the damaged page.
 */
#include "formats/drive-damage.h"
#include "formats/drive-recover.h"
#include "formats/drive-write.h"
#include "formats/salvage.h"
#include "tests/unit/drive-folder.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEALED = 900, LIVE = 260 };

static gsize page_size; /* of the drive as it is now */

static char *dir, *whole_path, *damaged_path, *out_path;
static guint8 *whole;
static gsize whole_length;
static GHashTable *whole_rows; /* text of a row -> how often */

static void add_rows(DriveWriter *writer, gint64 from, gint64 to)
{
    g_autoptr(GError) error = NULL;
    for (gint64 i = from; i < to; i++) {
        Sample sample = {0};
        Fix fix = {0};
        Event event = {0};
        Probe probe = {0};
        RECORD_SET(&sample, SAMPLE, time_ns, i * 1000);
        RECORD_SET(&sample, SAMPLE, source, 1 + i % 2);
        RECORD_SET(&sample, SAMPLE, rat, i % 9 == 0 ? RAT_NONE : RAT_LTE);
        RECORD_SET(&sample, SAMPLE, plmn, "24001");
        RECORD_SET(&sample, SAMPLE, cell_id, i * 7919 % 268435455);
        RECORD_SET(&sample, SAMPLE, rsrp_dbm, -80.0 - (double)(i * 37 % 400) / 10.0);
        RECORD_SET(&fix, FIX, time_ns, i * 1000 + 1);
        RECORD_SET(&fix, FIX, source, 3);
        RECORD_SET(&fix, FIX, lat, 57.0 + (double)i / 7e4);
        RECORD_SET(&fix, FIX, lon, i % 50 == 0 ? 12.0 : 12.0 + (double)i / 3e4);
        RECORD_SET(&event, EVENT, time_ns, i * 1000 + 2);
        RECORD_SET(&event, EVENT, kind, "cell-change");
        RECORD_SET(&probe, PROBE, time_ns, i * 1000 + 3);
        RECORD_SET(&probe, PROBE, source, 1);
        RECORD_SET(&probe, PROBE, id, i);
        RECORD_SET(&probe, PROBE, kind, PROBE_TRAIN);
        RECORD_SET(&probe, PROBE, status, STATUS_OK);
        g_assert_true(drive_add_sample(writer, &sample, &error) &&
                      drive_add_fix(writer, &fix, &error));
        if (i % 5 == 0)
            g_assert_true(drive_add_event(writer, &event, &error));
        if (i % 11 == 0)
            g_assert_true(drive_add_probe(writer, &probe, &error));
    }
    g_assert_no_error(error);
}

static void make_drive(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(whole_path, &error);
    g_assert_no_error(error);
    static const char *const labels[] = {"red", "blue", "gps"};
    for (unsigned i = 0; i < G_N_ELEMENTS(labels); i++) {
        Source source = {0};
        gint64 id = 0;
        RECORD_SET(&source, SOURCE, label, labels[i]);
        RECORD_SET(&source, SOURCE, kind, i < 2 ? SOURCE_MODEM : SOURCE_GPS);
        g_assert_true(drive_add_source(writer, &source, &id, &error));
    }
    g_assert_true(drive_set_meta(writer, "vehicle", "X2", &error));
    add_rows(writer, 0, SEALED);
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    g_assert_true(drive_seal(whole_path, NULL, &error));
    writer = drive_open_append(whole_path, &error);
    add_rows(writer, SEALED, SEALED + LIVE);
    g_assert_true(drive_writer_close(writer, &error));
    g_assert_no_error(error);
}

/* ---- rows as text ---- */

static char *row_text(RecordKind kind, const Batch *batch, size_t i)
{
    const RecordType *type = record_type(kind);
    GString *text = g_string_new(type->table);
    for (unsigned c = 0; c < type->n_columns; c++) {
        if ((batch->known[i] >> c & 1U) == 0)
            g_string_append(text, "|-");
        else if (type->columns[c].type == COLUMN_REAL)
            g_string_append_printf(text, "|%.17g", batch->column[c].r[i]);
        else if (type->columns[c].type == COLUMN_TEXT)
            g_string_append_printf(text, "|%s", batch->column[c].t[i]);
        else
            g_string_append_printf(text, "|%" G_GINT64_FORMAT, batch->column[c].i[i]);
    }
    return g_string_free(text, FALSE);
}

static void change_count(GHashTable *rows, const char *text, int by)
{
    int n = GPOINTER_TO_INT(g_hash_table_lookup(rows, text)) + by;
    g_hash_table_insert(rows, g_strdup(text), GINT_TO_POINTER(n));
}

static GHashTable *read_rows(const char *path)
{
    g_autoptr(GError) error = NULL;
    GHashTable *rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_no_error(error);
    for (int k = RECORD_IMPORT; k < RECORD_KIND_COUNT; k++) {
        g_autoptr(DriveCursor) cursor =
            drive_read(drive, (RecordKind)k, 0, 0, INT64_MIN, INT64_MAX, &error);
        const Batch *batch = NULL;
        while ((batch = drive_next(cursor, &error)) != NULL)
            for (size_t i = 0; i < batch->n; i++) {
                g_autofree char *text = row_text((RecordKind)k, batch, i);
                change_count(rows, text, 1);
            }
        g_assert_no_error(error);
    }
    g_assert_cmpuint(drive_problems(drive)->len, ==, 0);
    return rows;
}

/* ---- damage ---- */

typedef struct {
    GHashTable *lost, *foreign; /* sets of texts */
    gboolean saved;
} Outcome;

static void outcome_clear(Outcome *outcome)
{
    g_hash_table_unref(outcome->lost);
    g_hash_table_unref(outcome->foreign);
}

static void write_damaged(const guint8 *bytes, gsize length)
{
    FILE *file = fopen(damaged_path, "we");
    if (file == NULL)
        g_error("%s cannot be written", damaged_path);
    g_assert_true(fwrite(bytes, 1, length, file) == length);
    g_assert_true(fclose(file) == 0);
}

/* Opening and checking a damaged drive gives an error, lines of damage, or neither; never more. */
static void look_at_damaged(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(damaged_path, &error);
    g_assert_true((drive == NULL) == (error != NULL));
    if (drive != NULL) {
        g_autoptr(GPtrArray) damage = drive_find_damage(drive);
        g_assert_nonnull(damage);
    }
}

static Outcome recover(const guint8 *bytes, gsize length)
{
    g_autoptr(GError) error = NULL;
    RecoverReport report;
    Outcome outcome = {g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                       g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL), FALSE};
    write_damaged(bytes, length);
    look_at_damaged();
    (void)g_unlink(out_path);
    outcome.saved = drive_recover(damaged_path, out_path, &report, &error);
    g_assert_true(outcome.saved == (error == NULL));
    g_assert_true(g_file_test(out_path, G_FILE_TEST_EXISTS) == outcome.saved);
    g_autoptr(GHashTable) rows = outcome.saved ? read_rows(out_path) : g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    gpointer key = NULL;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, whole_rows);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!outcome.saved || GPOINTER_TO_INT(g_hash_table_lookup(rows, key)) < 1)
            g_hash_table_add(outcome.lost, g_strdup(key));
    g_hash_table_iter_init(&iter, rows);
    while (outcome.saved && g_hash_table_iter_next(&iter, &key, &value))
        if (GPOINTER_TO_INT(value) > GPOINTER_TO_INT(g_hash_table_lookup(whole_rows, key)))
            g_hash_table_add(outcome.foreign, g_strdup(key));
    if (outcome.saved && g_hash_table_size(outcome.lost) > g_hash_table_size(outcome.foreign))
        g_assert_cmpuint(report.losses->len, >, 0);
    recover_report_clear(&report);
    return outcome;
}

static gboolean is_live(const char *text)
{
    const char *time = strchr(text, '|') + 1;
    return g_str_has_prefix(text, "events") || g_str_has_prefix(text, "probes") ||
           g_ascii_strtoll(time, NULL, 10) >= (gint64)SEALED * 1000;
}

static guint count_live(GHashTable *rows)
{
    guint n = 0;
    GHashTableIter iter;
    gpointer key = NULL;
    g_hash_table_iter_init(&iter, rows);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        n += is_live(key) ? 1 : 0;
    return n;
}

static void use_pages(gconstpointer data)
{
    if (page_size == GPOINTER_TO_SIZE(data))
        return;
    page_size = GPOINTER_TO_SIZE(data);
    g_autofree char *sql =
        g_strdup_printf("PRAGMA page_size = %" G_GSIZE_FORMAT "; VACUUM", page_size);
    (void)drive_folder_sql(whole_path, sql);
    g_free(whole);
    g_assert_true(g_file_get_contents(whole_path, (char **)&whole, &whole_length, NULL));
    g_assert_cmpuint(whole_length % page_size, ==, 0);
}

static guint8 *copy_whole(void)
{
    return g_memdup2(whole, whole_length);
}

static void test_sound(gconstpointer data)
{
    use_pages(data);
    Outcome outcome = recover(whole, whole_length);
    g_assert_true(outcome.saved);
    g_assert_cmpuint(g_hash_table_size(outcome.lost), ==, 0);
    g_assert_cmpuint(g_hash_table_size(outcome.foreign), ==, 0);
    outcome_clear(&outcome);
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(out_path, &error);
    g_assert_no_error(error);
    g_autofree char *vehicle = drive_meta(drive, "vehicle");
    g_assert_cmpstr(vehicle, ==, "X2");
    guint n = 0;
    const Source *sources = drive_sources(drive, &n);
    g_assert_cmpuint(n, ==, 3);
    g_assert_cmpstr(sources[1].label, ==, "blue");
    g_autoptr(GPtrArray) damage = drive_find_damage(drive);
    g_assert_cmpuint(damage->len, ==, 0);
}

/* Each live row lies on one page: over all pages, each is lost once. */
static void test_zeroed_pages(gconstpointer data)
{
    use_pages(data);
    guint lost_live = 0;
    for (gsize page = 0; page < whole_length / page_size; page++) {
        g_autofree guint8 *bytes = copy_whole();
        memset(bytes + page * page_size, 0, page_size);
        Outcome outcome = recover(bytes, whole_length);
        g_assert_true(outcome.saved);
        g_assert_cmpuint(g_hash_table_size(outcome.foreign), ==, 0);
        lost_live += count_live(outcome.lost);
        outcome_clear(&outcome);
    }
    g_assert_cmpuint(lost_live, ==, count_live(whole_rows));
}

/* Bits flipped: what is lost is part of what is lost without the page. */
static void test_flipped_bits(gconstpointer data)
{
    use_pages(data);
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)g_test_rand_int());
    const int flips = g_test_slow() ? 64 : 4;
    guint changed = 0;
    for (gsize page = 0; page < whole_length / page_size; page++) {
        g_autofree guint8 *zeroed = copy_whole();
        memset(zeroed + page * page_size, 0, page_size);
        Outcome without = recover(zeroed, whole_length);
        for (int f = 0; f < flips; f++) {
            g_autofree guint8 *bytes = copy_whole();
            /* every second one in the head of the page, where it hurts */
            gint32 at = g_rand_int_range(rand, 0, f % 2 == 0 ? (gint32)page_size : 16);
            bytes[page * page_size + (gsize)at] ^= (guint8)(1U << g_rand_int_range(rand, 0, 8));
            Outcome outcome = recover(bytes, whole_length);
            g_assert_true(outcome.saved);
            GHashTableIter iter;
            gpointer key = NULL;
            g_hash_table_iter_init(&iter, outcome.lost);
            while (g_hash_table_iter_next(&iter, &key, NULL))
                if (!g_hash_table_contains(without.lost, key))
                    g_error("page %zu byte %d: %s lies on another page", page + 1, at,
                            (const char *)key);
            g_hash_table_iter_init(&iter, outcome.foreign);
            while (g_hash_table_iter_next(&iter, &key, NULL))
                changed++;
            g_assert_cmpuint(g_hash_table_size(outcome.foreign), <=, count_live(without.lost));
            outcome_clear(&outcome);
        }
        outcome_clear(&without);
    }
    g_test_message("%u live rows came back changed: their bit was flipped", changed);
}

static void test_truncated(gconstpointer data)
{
    use_pages(data);
    for (gsize pages = 0; pages < whole_length / page_size; pages++)
        for (gsize more = 0; more < page_size; more += 2200) {
            Outcome outcome = recover(whole, pages * page_size + more);
            g_assert_cmpuint(g_hash_table_size(outcome.foreign), ==, 0);
            /* page 1 lists the tables, all rows lie behind it */
            g_assert_true(outcome.saved || pages <= 6);
            outcome_clear(&outcome);
        }
}

/* What a writer had committed to the -wal file when it was cut off. */
static void test_wal(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(dir, "wal.drive", NULL);
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    g_autofree char *damaged_wal = g_strconcat(damaged_path, "-wal", NULL);
    g_autoptr(DriveWriter) writer = drive_create(path, &error);
    add_rows(writer, 0, 100);
    g_assert_true(drive_writer_commit(writer, &error));
    add_rows(writer, 100, 200);
    g_autofree char *bytes = NULL;
    g_autofree char *wal_bytes = NULL;
    gsize length = 0;
    gsize wal_length = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &length, &error));
    g_assert_true(g_file_get_contents(wal, &wal_bytes, &wal_length, &error));
    g_assert_cmpuint(wal_length, >, 4096);
    write_damaged((const guint8 *)bytes, length);
    g_assert_true(g_file_set_contents(damaged_wal, wal_bytes, (gssize)wal_length, &error));
    RecoverReport report;
    (void)g_unlink(out_path);
    g_assert_true(drive_recover(damaged_path, out_path, &report, &error));
    g_assert_no_error(error);
    g_assert_cmpint(report.saved[RECORD_SAMPLE], ==, 100);
    recover_report_clear(&report);
    (void)g_unlink(damaged_wal);
}

static void test_nothing(gconstpointer data)
{
    use_pages(data);
    static const char *const contents[] = {"", "this is no drive", "SQLite format 3"};
    for (unsigned i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autoptr(GError) error = NULL;
        RecoverReport report;
        write_damaged((const guint8 *)contents[i], strlen(contents[i]));
        (void)g_unlink(out_path);
        g_assert_false(drive_recover(damaged_path, out_path, &report, &error));
        g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE);
        g_assert_false(g_file_test(out_path, G_FILE_TEST_EXISTS));
        recover_report_clear(&report);
    }
    g_autoptr(GError) error = NULL;
    RecoverReport report;
    write_damaged(whole, whole_length);
    g_assert_false(drive_recover(damaged_path, damaged_path, &report, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_EXISTS);
    recover_report_clear(&report);
}

static void remove_files(void)
{
    g_autoptr(GDir) files = g_dir_open(dir, 0, NULL);
    const char *name = NULL;
    while ((name = g_dir_read_name(files)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        (void)g_unlink(path);
    }
    (void)g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    whole_path = g_build_filename(dir, "whole.drive", NULL);
    damaged_path = g_build_filename(dir, "damaged.drive", NULL);
    out_path = g_build_filename(dir, "out.drive", NULL);
    make_drive();
    whole_rows = read_rows(whole_path);
#define ADD(name, size, function)                                                                  \
    g_test_add_data_func("/recover/" #size "/" name, GSIZE_TO_POINTER(size), function)
    ADD("sound", 4096, test_sound);
    ADD("zeroed-pages", 4096, test_zeroed_pages);
    ADD("flipped-bits", 4096, test_flipped_bits);
    ADD("truncated", 4096, test_truncated);
    ADD("nothing", 4096, test_nothing);
    ADD("sound", 512, test_sound);
    ADD("zeroed-pages", 512, test_zeroed_pages);
    ADD("sound", 65536, test_sound);
    ADD("zeroed-pages", 65536, test_zeroed_pages);
#undef ADD
    g_test_add_func("/recover/wal", test_wal);
    int status = g_test_run();
    remove_files();
    g_hash_table_unref(whole_rows);
    g_free(whole);
    g_free(dir);
    g_free(whole_path);
    g_free(damaged_path);
    g_free(out_path);
    return status;
}
