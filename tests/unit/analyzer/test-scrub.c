/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A drive that begins and ends at home. What is taken out is searched for in the bytes of the new
 * file, in its chunks and in its rows; what is kept is compared bit for bit.
 */
#include "analyzer/crs.h"
#include "analyzer/scrub.h"
#include "formats/drive-read.h"
#include "formats/drive-write.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define S      G_GINT64_CONSTANT(1000000000)
#define IMEI   "d5d0b7a1c3f54e0b9d0f6c1e2a3b4c5d"
#define SIM    "77aa41d2e39b4f0c8e1d2f3a4b5c6d7e"
#define SECRET "imei-hash=" IMEI

enum { SECONDS = 2000, AT_HOME = 300, FIRST_CELL = 123456700 };

typedef struct {
    char *dir, *path, *out;
} Fixture;

/* Stands at home, drives away, comes back. */
static GeoPoint position(int second)
{
    const double lat0 = 57.123456789;
    int away = second < SECONDS / 2 ? second : SECONDS - second;
    double drive = MAX(away - AT_HOME, 0) * 2e-4;
    return (GeoPoint){12.987654321 + 1e-7 * (second % 7), lat0 + drive};
}

static void write_rows(DriveWriter *writer, int from, int to)
{
    g_autoptr(GError) error = NULL;
    for (int t = from; t < to; t++) {
        GeoPoint at = position(t);
        Fix fix = {0};
        Sample sample = {0};
        Clock clock = {0};
        RECORD_SET(&fix, FIX, time_ns, t * S);
        RECORD_SET(&fix, FIX, source, 1);
        RECORD_SET(&fix, FIX, lat, at.lat);
        RECORD_SET(&fix, FIX, lon, at.lon);
        RECORD_SET(&fix, FIX, speed_mps, 3.25);
        RECORD_SET(&sample, SAMPLE, time_ns, t * S + 1);
        RECORD_SET(&sample, SAMPLE, source, 2);
        RECORD_SET(&sample, SAMPLE, rat, RAT_LTE);
        RECORD_SET(&sample, SAMPLE, cell_id, FIRST_CELL + t / 100);
        RECORD_SET(&sample, SAMPLE, tac, 40961);
        RECORD_SET(&sample, SAMPLE, rsrp_dbm, -80.0 - t % 30);
        RECORD_SET(&clock, CLOCK, time_ns, t * S);
        RECORD_SET(&clock, CLOCK, boot, "9f8e7d6c-5b4a-4c3d-8e2f-102938475665");
        g_assert_true(drive_add_fix(writer, &fix, &error) &&
                      drive_add_sample(writer, &sample, &error));
        if (t % 100 == 0) {
            Event event = {0};
            Probe probe = {0};
            RECORD_SET(&event, EVENT, time_ns, t * S);
            RECORD_SET(&event, EVENT, kind, "cell-change");
            RECORD_SET(&event, EVENT, detail, "from 123456701 to 123456702");
            RECORD_SET(&probe, PROBE, time_ns, t * S);
            RECORD_SET(&probe, PROBE, end_ns, (t + 50) * S);
            RECORD_SET(&probe, PROBE, source, 2);
            RECORD_SET(&probe, PROBE, id, t / 100 + 1);
            g_assert_true(drive_add_event(writer, &event, &error) &&
                          drive_add_probe(writer, &probe, &error) &&
                          drive_add_clock(writer, &clock, &error));
        }
    }
    g_assert_no_error(error);
}

/* The first half sealed, the second in rows. */
static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    f->dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "a.drive", NULL);
    f->out = g_build_filename(f->dir, "out.drive", NULL);
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    Source gps = {0};
    Source modem = {0};
    gint64 id = 0;
    RECORD_SET(&gps, SOURCE, label, "gps");
    RECORD_SET(&modem, SOURCE, label, "red");
    RECORD_SET(&modem, SOURCE, position_source, 1);
    RECORD_SET(&modem, SOURCE, device_hash, IMEI);
    RECORD_SET(&modem, SOURCE, sim_hash, SIM);
    g_assert_true(drive_add_source(writer, &gps, &id, &error) &&
                  drive_add_source(writer, &modem, &id, &error));
    g_assert_true(drive_set_meta(writer, "configuration", SECRET, &error));
    g_assert_true(drive_set_meta(writer, "vehicle", "X2", &error));
    write_rows(writer, 0, SECONDS / 2);
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    g_assert_true(drive_seal(f->path, NULL, &error));
    writer = drive_open_append(f->path, &error);
    write_rows(writer, SECONDS / 2, SECONDS);
    g_assert_true(drive_writer_close(writer, &error));
    g_assert_no_error(error);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    (void)g_unlink(f->path);
    (void)g_unlink(f->out);
    (void)g_rmdir(f->dir);
    g_free(f->dir);
    g_free(f->path);
    g_free(f->out);
}

/* Bytes anywhere in the file: pages in use, free pages, slack. */
static gboolean holds(const char *path, const void *bytes, gsize n)
{
    g_autofree char *content = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    return memmem(content, length, bytes, n) != NULL;
}

static gboolean holds_text(const char *path, const char *text)
{
    return holds(path, text, strlen(text));
}

/* As SQLite stores it in a row, and as a chunk does that keeps the bits. */
static gboolean holds_real(const char *path, double value)
{
    guint64 bits = 0;
    memcpy(&bits, &value, sizeof bits);
    guint64 big = GUINT64_TO_BE(bits);
    guint64 little = GUINT64_TO_LE(bits);
    return holds(path, &big, sizeof big) || holds(path, &little, sizeof little);
}

static GPtrArray *rows_of(const char *path, RecordKind kind)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(DriveCursor) cursor = drive_read(drive, kind, 0, 0, INT64_MIN, INT64_MAX, &error);
    GPtrArray *rows = g_ptr_array_new_with_free_func(g_free);
    for (const Batch *batch = NULL; (batch = drive_next(cursor, &error)) != NULL;)
        for (size_t i = 0; i < batch->n; i++) {
            AnyRecord *record = g_new0(AnyRecord, 1);
            batch_get(batch, kind, i, record);
            g_ptr_array_add(rows, record);
        }
    g_assert_no_error(error);
    return rows;
}

static const ScrubPlace home = {{.lon = 12.987654321, .lat = 57.123456789}, 500};

static void test_places(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    ScrubReport report;
    const ScrubOptions options = {.places = &home, .n_places = 1};
    g_assert_true(holds_real(f->path, position(SECONDS - 1).lat));
    g_assert_true(scrub_drive(f->path, f->out, &options, &report, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(report.spans, ==, 2);
    g_autoptr(GPtrArray) before = rows_of(f->path, RECORD_FIX);
    g_autoptr(GPtrArray) after = rows_of(f->out, RECORD_FIX);
    guint at = 0;
    gint64 first_ns = 0;
    gint64 last_ns = 0;
    for (guint i = 0; i < before->len; i++) {
        const Fix *fix = g_ptr_array_index(before, i);
        if (crs_distance_m(home.at, (GeoPoint){fix->lon, fix->lat}) <= home.radius_m) {
            g_assert_false(holds_real(f->out, fix->lat));
            continue;
        }
        first_ns = first_ns == 0 ? fix->time_ns : first_ns;
        last_ns = fix->time_ns;
        g_assert_cmpuint(at, <, after->len);
        g_assert_true(memcmp(fix, g_ptr_array_index(after, at), sizeof *fix) == 0);
        at++;
    }
    g_assert_cmpuint(at, ==, after->len);
    g_assert_cmpuint(at, >, 1000);
    g_assert_cmpint(report.removed[RECORD_FIX], ==, before->len - after->len);

    /* samples of the drive in between are the same, none of the time at home is left */
    g_autoptr(GPtrArray) samples = rows_of(f->path, RECORD_SAMPLE);
    g_autoptr(GPtrArray) kept = rows_of(f->out, RECORD_SAMPLE);
    at = 0;
    for (guint i = 0; i < samples->len; i++) {
        const Sample *sample = g_ptr_array_index(samples, i);
        if (sample->time_ns < first_ns || sample->time_ns > last_ns)
            continue;
        g_assert_cmpint(((const Sample *)g_ptr_array_index(kept, at))->time_ns, ==,
                        sample->time_ns);
        g_assert_true(((const Sample *)g_ptr_array_index(kept, at))->rsrp_dbm == sample->rsrp_dbm);
        at++;
    }
    g_assert_cmpuint(at, ==, kept->len);
    static const RecordKind others[] = {RECORD_EVENT, RECORD_PROBE, RECORD_CLOCK};
    for (unsigned k = 0; k < G_N_ELEMENTS(others); k++) {
        g_autoptr(GPtrArray) rows = rows_of(f->out, others[k]);
        g_assert_cmpuint(rows->len, >, 0);
        for (guint i = 0; i < rows->len; i++) {
            const Event *row = g_ptr_array_index(rows, i); /* time_ns is first in all of them */
            g_assert_cmpint(row->time_ns, >=, first_ns);
            g_assert_cmpint(row->time_ns, <=, last_ns);
        }
    }
    g_assert_false(holds_text(f->out, "configuration"));
}

static void test_blur(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    ScrubReport report;
    const ScrubOptions options = {.places = &home, .n_places = 1, .blur_m = 1000};
    g_assert_true(scrub_drive(f->path, f->out, &options, &report, &error));
    g_assert_no_error(error);
    g_autoptr(GPtrArray) before = rows_of(f->path, RECORD_FIX);
    g_autoptr(GPtrArray) after = rows_of(f->out, RECORD_FIX);
    g_assert_cmpuint(after->len, ==, before->len);
    gint64 blurred = 0;
    g_autoptr(GHashTable) squares =
        g_hash_table_new_full(g_double_hash, g_double_equal, g_free, NULL);
    for (guint i = 0; i < before->len; i++) {
        const Fix *fix = g_ptr_array_index(before, i);
        const Fix *moved = g_ptr_array_index(after, i);
        double away =
            crs_distance_m((GeoPoint){fix->lon, fix->lat}, (GeoPoint){moved->lon, moved->lat});
        if (crs_distance_m(home.at, (GeoPoint){fix->lon, fix->lat}) > home.radius_m) {
            g_assert_true(memcmp(fix, moved, sizeof *fix) == 0);
            continue;
        }
        blurred++;
        g_hash_table_add(squares, g_memdup2(&moved->lat, sizeof moved->lat));
        g_assert_cmpfloat(away, <=, 1000 * 0.75);
        g_assert_false(RECORD_HAS(moved, FIX, speed_mps));
    }
    g_assert_cmpint(report.blurred, ==, blurred);
    g_assert_cmpuint(g_hash_table_size(squares), <=, 3);
    g_assert_false(holds_real(f->out, position(0).lat));
    g_assert_cmpint(report.removed[RECORD_SAMPLE], ==, 0);
}

static void test_devices_and_cells(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    ScrubReport report;
    const ScrubOptions options = {.devices = TRUE, .cells = TRUE};
    g_assert_true(holds_text(f->path, IMEI) && holds_text(f->path, SIM));
    g_assert_true(scrub_drive(f->path, f->out, &options, &report, &error));
    g_assert_no_error(error);
    static const char *const gone[] = {IMEI, SIM, "imei-hash", "9f8e7d6c", "123456701"};
    for (unsigned i = 0; i < G_N_ELEMENTS(gone); i++)
        g_assert_false(holds_text(f->out, gone[i]));
    g_assert_true(holds_text(f->out, "X2"));
    g_autoptr(GPtrArray) before = rows_of(f->path, RECORD_SAMPLE);
    g_autoptr(GPtrArray) after = rows_of(f->out, RECORD_SAMPLE);
    g_assert_cmpuint(after->len, ==, before->len);
    guint changes_before = 0;
    guint changes_after = 0;
    for (guint i = 0; i < before->len; i++) {
        const Sample *was = g_ptr_array_index(before, i);
        const Sample *is = g_ptr_array_index(after, i);
        g_assert_cmpint(is->cell_id, <=, SECONDS / 100);
        g_assert_cmpint(is->tac, ==, 1);
        g_assert_true(is->rsrp_dbm == was->rsrp_dbm);
        if (i > 0) {
            const Sample *was_last = g_ptr_array_index(before, i - 1);
            const Sample *is_last = g_ptr_array_index(after, i - 1);
            changes_before += was->cell_id != was_last->cell_id ? 1 : 0;
            changes_after += is->cell_id != is_last->cell_id ? 1 : 0;
        }
    }
    g_assert_cmpuint(changes_after, ==, changes_before);
    g_assert_cmpint(report.cells, ==, SECONDS / 100);
}

static void test_refused(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    ScrubReport report;
    const ScrubOptions options = {.devices = TRUE};
    g_assert_false(scrub_drive(f->path, f->path, &options, &report, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_EXISTS);
    g_clear_error(&error);
    g_autofree char *none = g_build_filename(f->dir, "none.drive", NULL);
    g_assert_false(scrub_drive(none, f->out, &options, &report, &error));
    g_assert_false(g_file_test(f->out, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, test) g_test_add("/scrub/" name, Fixture, NULL, set_up, test, tear_down)
    ADD("places", test_places);
    ADD("blur", test_blur);
    ADD("devices-and-cells", test_devices_and_cells);
    ADD("refused", test_refused);
    return g_test_run();
}
