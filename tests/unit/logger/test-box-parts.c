/* SPDX-License-Identifier: Apache-2.0 */
/* Time map, identities, complaints, GPS messages, recorder and its store. */
#include "formats/drive-damage.h"
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "formats/evidence.h"
#include "formats/identity.h"
#include "formats/time-map.h"
#include "logger/complaint.h"
#include "logger/gps-convert.h"
#include "logger/recorder.h"
#include "logger/seal-child.h"
#include "tests/unit/folder.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define S     INT64_C(1000000000)
#define NOW_S INT64_C(1795000000)

static gint64 change;

static TimeMapResult observe(TimeMap *map, TimeOrigin origin, gint64 mono_ns, gint64 utc_ns)
{
    return time_map_observe(map, origin, (MonoTime){mono_ns}, (UtcTime){utc_ns}, 1, &change);
}

/* A configuration with a store in a folder, and these lines about it. */
static Config *config_of(const char *folder, const char *lines)
{
    g_autofree char *text = g_strdup_printf("[store]\nfolder=%s\n%s", folder, lines);
    g_autoptr(GError) error = NULL;
    Config *config = config_parse("x", text, strlen(text), &error);
    g_assert_no_error(error);
    return config;
}

/* Two clocks, of which reading the second shows 5 s more; each reading takes a microsecond, the
 * `late`-th as long as a busy machine wants. */
static struct {
    gint64 now_ns;
    int readings, late;
} shown;

static int64_t read_other(void)
{
    shown.now_ns += ++shown.readings == shown.late ? 7 * S / 10 : 1000;
    return shown.now_ns;
}

static int64_t read_clock(void)
{
    return read_other() + 5 * S;
}

static void test_clock_offset(void)
{
    for (int late = 0; late <= 4; late++) {
        shown.now_ns = S;
        shown.readings = 0;
        shown.late = late;
        g_assert_cmpint(ABS(clock_offset_ns(read_clock, read_other) - 5 * S), <=, 1000);
    }
}

static void test_time_map(void)
{
    TimeMap map = time_map();
    /* booted in 1970 */
    g_assert_cmpint(observe(&map, TIME_ORIGIN_SYSTEM, 10 * S, 15 * S), ==, TIME_MAP_REPLACED);
    g_assert_cmpint(time_map_utc(&map, (MonoTime){11 * S}).ns, ==, 16 * S);
    /* a receiver that has lost count of its weeks */
    g_assert_cmpint(observe(&map, TIME_ORIGIN_GPS, 20 * S, (NOW_S - 1024 * 604800) * S), ==,
                    TIME_MAP_REFUSED);
    g_assert_cmpint(observe(&map, TIME_ORIGIN_GPS, 20 * S, NOW_S * S), ==, TIME_MAP_REPLACED);
    g_assert_cmpint(change, ==, (NOW_S - 25) * S);
    /* the system clock has no say any more */
    g_assert_cmpint(observe(&map, TIME_ORIGIN_SYSTEM, 21 * S, 30 * S), ==, TIME_MAP_REFUSED);
    /* late messages do not drag the map; a pulse replaces it */
    gint64 before = map.offset_ns;
    for (gint64 i = 1; i < 30; i++)
        g_assert_cmpint(
            observe(&map, TIME_ORIGIN_GPS, (20 + i) * S + (i % 3) * S / 20, (NOW_S + i) * S), ==,
            TIME_MAP_SAME);
    g_assert_cmpint(ABS(map.offset_ns - before), <=, 100000);
    g_assert_cmpint(observe(&map, TIME_ORIGIN_PPS, 50 * S, (NOW_S + 30) * S + 5000000), ==,
                    TIME_MAP_REPLACED);
    g_assert_cmpint(change, >=, 5000000 - 100000);
    /* a step of the origin itself must be said three times alike */
    for (gint64 i = 0; i < 2; i++)
        g_assert_cmpint(observe(&map, TIME_ORIGIN_PPS, (51 + i) * S, (NOW_S + 131 + i) * S), ==,
                        TIME_MAP_REFUSED);
    g_assert_cmpint(observe(&map, TIME_ORIGIN_PPS, 53 * S, (NOW_S + 133) * S), ==,
                    TIME_MAP_STEPPED);
    /* a single wild time is nothing */
    g_assert_cmpint(observe(&map, TIME_ORIGIN_PPS, 54 * S, (NOW_S + 9999) * S), ==,
                    TIME_MAP_REFUSED);
    g_assert_cmpint(observe(&map, TIME_ORIGIN_PPS, 55 * S, (NOW_S + 135) * S), ==, TIME_MAP_SAME);
}

/* A power cut at the first start leaves no half key that ends all starts; an empty one is no key.
 */
static void test_identity_cut(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "identity.key", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
    g_autoptr(Identity) first = identity_open(path, &error);
    g_assert_no_error(error);
    g_autofree char *a = identity_hash(first, "356938035643809");
    g_autoptr(Identity) again = identity_open(path, &error);
    g_autofree char *b = identity_hash(again, "356938035643809");
    g_assert_cmpstr(a, ==, b);
    struct stat status;
    g_assert_cmpint(g_stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    g_assert_true(g_file_set_contents(path, "half", 4, NULL));
    g_assert_null(identity_open(path, &error)); /* it may have hashed: somebody has to look */
    g_assert_error(error, IDENTITY_ERROR, IDENTITY_ERROR_FILE);
    g_assert_true(folder_remove(folder));
}

static void test_identity(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "identity.key", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Identity) first = identity_open(path, &error);
    g_assert_no_error(error);
    struct stat info;
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
    g_autofree char *a = identity_hash(first, "356938035643809");
    g_autofree char *b = identity_hash(first, "356938035643810");
    g_autoptr(Identity) again = identity_open(path, &error);
    g_autofree char *c = identity_hash(again, "356938035643809");
    g_assert_cmpuint(strlen(a), ==, 32);
    g_assert_cmpstr(a, ==, c);
    g_assert_cmpstr(a, !=, b);
    g_assert_null(identity_hash(first, ""));
    g_assert_null(identity_hash(first, NULL));
    g_autoptr(Identity) clear = identity_open(NULL, &error);
    g_autofree char *open = identity_hash(clear, "42");
    g_assert_cmpstr(open, ==, "42");
    g_assert_true(g_file_set_contents(path, "short", -1, NULL));
    g_assert_null(identity_open(path, &error));
    g_assert_error(error, IDENTITY_ERROR, IDENTITY_ERROR_FILE);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* Two lines for a box that stands in a tunnel for two hours, not 7,200. */
static void test_complaint(void)
{
    Complaint complaint = {.active = FALSE};
    guint told = 0, held_back = 0, all = 0;
    for (gint64 second = 0; second < 7200; second++)
        if (complaint_due(&complaint, second * G_USEC_PER_SEC, &held_back)) {
            told++;
            all += held_back + 1;
        }
    g_assert_cmpuint(told, ==, 5); /* 0, 5, 15, 35, 75 min */
    g_assert_cmpuint(all, ==, 4501);
    g_assert_true(complaint_over(&complaint));
    g_assert_false(complaint_over(&complaint));
}

static void test_gps(void)
{
    struct gps_data_t data;
    memset(&data, 0, sizeof data);
    Fix fix;
    gint64 utc_ns = 0;
    g_assert_false(gps_make_fix(&data, &fix, &utc_ns));
    data.set = MODE_SET | LATLON_SET | TIME_SET;
    data.fix.mode = MODE_3D;
    data.fix.latitude = 59.5;
    data.fix.longitude = 18.5;
    data.fix.altMSL = 30;
    data.fix.speed = 25;
    data.fix.track = 90;
    data.fix.eph = NAN;
    data.fix.epx = 3;
    data.fix.epy = 4;
    data.fix.time.tv_sec = NOW_S;
    data.dop.hdop = NAN; /* before the first SKY */
    g_assert_true(gps_make_fix(&data, &fix, &utc_ns));
    g_assert_cmpint(utc_ns, ==, NOW_S * S);
    g_assert_cmpint(fix.mode, ==, 3);
    g_assert_cmpfloat(fix.accuracy_m, ==, 5);
    g_assert_false(RECORD_HAS(&fix, FIX, hdop));
    g_assert_false(RECORD_HAS(&fix, FIX, satellites));
    /* a damaged TPV: "3D" and no position */
    data.fix.latitude = NAN;
    g_assert_true(gps_make_fix(&data, &fix, &utc_ns));
    g_assert_cmpint(fix.mode, ==, 1);
    g_assert_false(RECORD_HAS(&fix, FIX, lat));
    data.fix.latitude = 59.5;
    data.set &= ~LATLON_SET;
    g_assert_true(gps_make_fix(&data, &fix, &utc_ns));
    g_assert_false(RECORD_HAS(&fix, FIX, lat));
    /* no fix: old satellites and dilution are still in the struct, and mean nothing */
    data.fix.mode = MODE_NO_FIX;
    data.satellites_used = 9;
    data.dop.hdop = 1;
    g_assert_true(gps_make_fix(&data, &fix, &utc_ns));
    g_assert_false(RECORD_HAS(&fix, FIX, satellites));
    g_assert_false(RECORD_HAS(&fix, FIX, hdop));
    /* first message after a connect: mode 0, time 0 */
    data.fix.mode = MODE_NOT_SEEN;
    data.fix.time.tv_sec = 0;
    g_assert_true(gps_make_fix(&data, &fix, &utc_ns));
    g_assert_cmpint(utc_ns, ==, 0);
    g_assert_cmpint(fix.mode, ==, 0);
    /* 1024 weeks ago */
    data.fix.time.tv_sec = NOW_S - 1024 * 604800;
    g_assert_true(gps_make_fix(&data, &fix, &utc_ns));
    g_assert_cmpint(utc_ns, ==, 0);
}

static gint64 fake_utc_ns = 100 * S; /* 1970 */

static gint64 fake_utc(gpointer data)
{
    (void)data;
    return fake_utc_ns;
}

static guint count_drives(const char *folder, char **last)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;
    for (const char *name = NULL; (name = g_dir_read_name(dir)) != NULL;)
        if (g_str_has_suffix(name, ".drive")) {
            n++;
            g_free(*last);
            *last = g_build_filename(folder, name, NULL);
        }
    return n;
}

static void add_fix(Recorder *recorder, gint64 time_ns, gint64 source)
{
    Fix fix = {0};
    RECORD_SET(&fix, FIX, time_ns, time_ns);
    RECORD_SET(&fix, FIX, source, source);
    RECORD_SET(&fix, FIX, mode, 1);
    recorder_add(recorder, RECORD_FIX, &fix);
}

/* A box that boots in 1970: what was recorded before GPS said the time ends right, also in a drive
 * that was closed and sealed by then; the evidence is that of the drives as they are at the end. */
static void test_recorder_shift(gconstpointer seal)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autofree char *text = g_strdup_printf("[store]\nfolder=%s\nseal=%s\ncommit=100 ms\n"
                                            "keep-free=0 B\n",
                                            folder, (const char *)seal);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse("x", text, strlen(text), &error);
    g_assert_no_error(error);
    g_autoptr(Store) store = store_open(folder, &error);
    g_assert_no_error(error);
    g_assert_null(store_open(folder, &error)); /* the second logger */
    g_assert_error(error, STORE_ERROR, STORE_ERROR_BUSY);
    g_clear_error(&error);
    Recorder *recorder = recorder_new(config, store, fake_utc, NULL);
    Source source = {0};
    RECORD_SET(&source, SOURCE, label, "gps");
    RECORD_SET(&source, SOURCE, kind, SOURCE_GPS);
    gint64 id = recorder_source(recorder, &source);
    for (gint64 i = 0; i < 100; i++)
        add_fix(recorder, (100 + i) * S, id);
    recorder_rotate(recorder, "test"); /* one drive is closed with wrong times */
    for (gint64 i = 100; i < 200; i++)
        add_fix(recorder, (100 + i) * S, id);
    recorder_shift(recorder, NOW_S * S);
    for (gint64 i = 200; i < 300; i++)
        add_fix(recorder, (NOW_S + 100 + i) * S, id);
    recorder_free(recorder);
    char *last = NULL;
    g_assert_cmpuint(count_drives(folder, &last), ==, 2);
    gint64 sum = 0;
    guint64 numbers = 0;
    guint64 n_evidence = 0;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = NULL; (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_suffix(name, ".drive"))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autoptr(Drive) drive = drive_open(path, &error);
        g_assert_no_error(error);
        gint64 n = 0, first = 0, final = 0;
        g_assert_true(drive_count(drive, RECORD_FIX, id, &n, &first, &final, &error));
        g_assert_cmpint(first, >=, (NOW_S + 100) * S);
        g_assert_cmpint(final, <=, (NOW_S + 399) * S);
        g_assert_cmpint(final - first, ==, (n - 1) * S);
        sum += n;
        g_autoptr(GPtrArray) damage = drive_find_damage(drive);
        g_assert_cmpuint(damage->len, ==, 0);
        if (!evidence_exists(path))
            continue;
        Evidence evidence;
        g_assert_true(evidence_verify(path, NULL, &evidence, &error));
        g_assert_no_error(error);
        numbers += evidence.number;
        n_evidence++;
        evidence_clear(&evidence);
    }
    g_assert_cmpint(sum, ==, 300);
    g_assert_cmpuint(n_evidence, ==, 2);
    g_assert_cmpuint(numbers, ==, 1 + 2);
    g_free(last);
    (void)folder_remove(folder);
}

static gint64 count_fixes(const char *folder, gint64 *first_ns)
{
    gint64 sum = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = NULL; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autoptr(Drive) drive = g_str_has_suffix(name, ".drive") ? drive_open(path, NULL) : NULL;
        gint64 n = 0, first = 0, last = 0;
        if (drive == NULL)
            continue;
        g_assert_true(drive_count(drive, RECORD_FIX, 0, &n, &first, &last, &error));
        *first_ns = first;
        sum += n;
    }
    return sum;
}

/* The time comes out while nothing can be recorded: what lies there already ends right. */
static void test_recorder_shift_paused(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_of(folder, "budget=1 MiB\ncommit=100 ms\nkeep-free=0 B\n");
    g_assert_no_error(error);
    g_autoptr(Store) store = store_open(folder, &error);
    Recorder *recorder = recorder_new(config, store, fake_utc, NULL);
    for (gint64 i = 0; i < 10; i++)
        add_fix(recorder, (100 + i) * S, 1);
    while (recorder_status(recorder).written < 10)
        g_usleep(10000);
    g_autofree char *other = g_build_filename(folder, "other.drive", NULL);
    g_autofree char *bytes = g_malloc0(1100 * 1024);
    memset(bytes, 1, 1100 * 1024);
    g_assert_true(g_file_set_contents(other, bytes, 1100 * 1024, NULL));
    recorder_rotate(recorder, "test");
    while (recorder_status(recorder).state != RECORDER_BUDGET)
        g_usleep(10000);
    recorder_shift(recorder, NOW_S * S);
    add_fix(recorder, (NOW_S + 200) * S, 1); /* cannot be kept */
    recorder_free(recorder);
    gint64 first_ns = 0;
    g_assert_cmpint(count_fixes(folder, &first_ns), ==, 10);
    g_assert_cmpint(first_ns, ==, (NOW_S + 100) * S);
    (void)folder_remove(folder);
}

/* More than memory may hold until the disk has taken it: the drive says how much is lost. */
static void test_recorder_overflow(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_of(folder, "seal=no\nkeep-free=0 B\n");
    g_autoptr(Store) store = store_open(folder, &error);
    Recorder *recorder = recorder_new(config, store, fake_utc, NULL);
    gint64 added = 0;
    for (; recorder_status(recorder).dropped < 100; added++)
        add_fix(recorder, added, 1);
    guint64 dropped = recorder_status(recorder).dropped;
    while (recorder_status(recorder).written + dropped < (guint64)added)
        g_usleep(10000);
    recorder_free(recorder);
    gint64 first_ns = 0;
    g_assert_cmpint(count_fixes(folder, &first_ns), ==, added - (gint64)dropped);
    char *path = NULL;
    g_assert_cmpuint(count_drives(folder, &path), ==, 1);
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_EVENT, 0, 0, INT64_MIN, INT64_MAX, &error);
    double told = 0;
    for (const Batch *batch = NULL; (batch = drive_next(cursor, &error)) != NULL;)
        for (size_t i = 0; i < batch->n; i++) {
            AnyRecord record;
            batch_get(batch, RECORD_EVENT, i, &record);
            if (strcmp(record.EVENT_record.kind, "records-dropped") == 0)
                told += record.EVENT_record.value;
        }
    g_assert_no_error(error);
    g_assert_cmpfloat(told, ==, (double)dropped);
    g_free(path);
    (void)folder_remove(folder);
}

/* What is told of a source bit by bit is known in each drive, however often it is told again. */
static void test_recorder_sources(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_of(folder, "seal=no\ncommit=100 ms\nkeep-free=0 B\n");
    g_autoptr(Store) store = store_open(folder, &error);
    Recorder *recorder = recorder_new(config, store, fake_utc, NULL);
    for (int i = 0; i < 100; i++) {
        Source one = {0};
        Source more = {0};
        RECORD_SET(&one, SOURCE, label, "red");
        RECORD_SET(&one, SOURCE, kind, SOURCE_MODEM);
        RECORD_SET(&one, SOURCE, operator_label, "Red");
        RECORD_SET(&more, SOURCE, label, "red");
        RECORD_SET(&more, SOURCE, firmware, i % 2 == 0 ? "1.0" : "1.1");
        g_assert_cmpint(recorder_source(recorder, &one), ==, 1);
        g_assert_cmpint(recorder_source(recorder, &more), ==, 1);
    }
    while (recorder_status(recorder).state != RECORDER_WRITING)
        g_usleep(10000);
    recorder_rotate(recorder, "test");
    recorder_free(recorder);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = NULL; (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_suffix(name, ".drive"))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autoptr(Drive) drive = drive_open(path, &error);
        g_assert_no_error(error);
        guint n = 0;
        const Source *sources = drive_sources(drive, &n);
        g_assert_cmpuint(n, ==, 1);
        g_assert_cmpstr(sources[0].operator_label, ==, "Red");
        g_assert_cmpstr(sources[0].firmware, ==, "1.1");
    }
    (void)folder_remove(folder);
}

/* What an earlier run left open, and somebody holds at the start, is closed with the next drive;
 * its times are its own. */
static void test_recorder_held(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_of(folder, "seal=no\ncommit=100 ms\nkeep-free=0 B\n");
    g_autofree char *path = g_build_filename(folder, "left.drive", NULL);
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    DriveWriter *left = drive_create(path, &error);
    g_assert_no_error(error);
    Fix fix = {0};
    RECORD_SET(&fix, FIX, time_ns, 5 * S);
    RECORD_SET(&fix, FIX, source, 1);
    g_assert_true(drive_add_fix(left, &fix, &error) && drive_writer_commit(left, &error));
    g_autoptr(Store) store = store_open(folder, &error);
    Recorder *recorder = recorder_new(config, store, fake_utc, NULL);
    while (recorder_status(recorder).state != RECORDER_WRITING)
        g_usleep(10000);
    g_autoptr(Drive) reader = drive_open(path, &error); /* keeps the WAL when its writer goes */
    g_assert_no_error(error);
    drive_writer_free(left);
    g_clear_pointer(&reader, drive_free);
    recorder_shift(recorder, NOW_S * S);
    recorder_rotate(recorder, "test");
    recorder_free(recorder);
    g_assert_false(g_file_test(wal, G_FILE_TEST_EXISTS));
    g_assert_true(evidence_exists(path));
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_no_error(error);
    gint64 n = 0, first = 0, last = 0;
    g_assert_true(drive_count(drive, RECORD_FIX, 0, &n, &first, &last, &error));
    g_assert_cmpint(n, ==, 1);
    g_assert_cmpint(first, ==, 5 * S);
    (void)folder_remove(folder);
}

/* Somebody reads the drive when the next one is due: recording goes on, and it is closed later. */
static void test_recorder_read(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_of(folder, "seal=no\ncommit=100 ms\nkeep-free=0 B\n");
    g_autoptr(Store) store = store_open(folder, &error);
    Recorder *recorder = recorder_new(config, store, fake_utc, NULL);
    add_fix(recorder, 5 * S, 1);
    while (recorder_status(recorder).written < 1)
        g_usleep(10000);
    RecorderStatus status = recorder_status(recorder);
    g_autofree char *path = g_strdup(status.path);
    g_autoptr(Drive) reader = drive_open(path, &error);
    g_autoptr(DriveCursor) cursor =
        drive_read(reader, RECORD_FIX, 0, 0, INT64_MIN, INT64_MAX, &error);
    g_assert_nonnull(drive_next(cursor, &error)); /* in the middle of it */
    recorder_rotate(recorder, "test");
    do {
        g_usleep(10000);
        status = recorder_status(recorder);
    } while (status.path[0] == '\0' || strcmp(status.path, path) == 0);
    add_fix(recorder, 6 * S, 1);
    while (recorder_status(recorder).written < 2)
        g_usleep(10000);
    g_assert_false(store_is_one_file(path));
    g_clear_pointer(&cursor, drive_cursor_free);
    g_clear_pointer(&reader, drive_free);
    recorder_free(recorder);
    g_assert_true(store_is_one_file(path));
    g_assert_true(evidence_exists(path));
    gint64 first_ns = 0;
    g_assert_cmpint(count_fixes(folder, &first_ns), ==, 2);
    (void)folder_remove(folder);
}

/* What a killed logger had begun goes when the next one takes the folder, and only then. */
static void test_store_left(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autofree char *name = g_strdup_printf("a.drive.evidence.new-%d-0", (int)getpid());
    g_autofree char *left = g_build_filename(folder, name, NULL);
    g_autofree char *evidence = g_build_filename(folder, "a.drive.evidence", NULL);
    g_assert_true(g_file_set_contents(left, "half", -1, NULL));
    g_assert_true(g_file_set_contents(evidence, "whole", -1, NULL));
    g_autoptr(Store) store = store_open(folder, NULL);
    g_assert_nonnull(store);
    g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(evidence, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_set_contents(left, "half", -1, NULL));
    g_assert_null(store_open(folder, NULL)); /* another one has it */
    g_assert_true(g_file_test(left, G_FILE_TEST_EXISTS));
    (void)folder_remove(folder);
}

/* At the disk budget recording stops, nothing is deleted; room again: it goes on. */
static void test_recorder_budget(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_of(folder, "seal=no\nbudget=1 MiB\ncommit=100 ms\n");
    g_autofree char *old = g_build_filename(folder, "old.drive", NULL);
    g_autofree char *bytes = g_malloc0(1100 * 1024);
    memset(bytes, 1, 1100 * 1024);
    g_assert_true(g_file_set_contents(old, bytes, 1100 * 1024, NULL));
    g_autoptr(Store) store = store_open(folder, &error);
    Recorder *recorder = recorder_new(config, store, fake_utc, NULL);
    add_fix(recorder, 1, 1);
    while (recorder_status(recorder).last_turn_ns == 0)
        g_usleep(10000);
    g_assert_cmpint(recorder_status(recorder).state, ==, RECORDER_BUDGET);
    recorder_free(recorder);
    char *last = NULL;
    g_assert_cmpuint(count_drives(folder, &last), ==, 1);
    g_assert_cmpstr(last, ==, old);
    g_free(last);
    (void)folder_remove(folder);
}

int main(int argc, char **argv)
{
    /* The sealer starts its own program to seal. */
    if (argc == 3 && strcmp(argv[1], "seal") == 0)
        return seal_child_main(argv[2]);
    g_test_init(&argc, &argv, NULL);
    (void)g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK); /* warnings are wanted */
    g_test_add_func("/box/time-map", test_time_map);
    g_test_add_func("/box/clock-offset", test_clock_offset);
    g_test_add_func("/box/identity", test_identity);
    g_test_add_func("/box/identity-cut", test_identity_cut);
    g_test_add_func("/box/complaint", test_complaint);
    g_test_add_func("/box/gps", test_gps);
    g_test_add_data_func("/box/recorder-shift", "no", test_recorder_shift);
    g_test_add_data_func("/box/recorder-shift-sealed", "yes", test_recorder_shift);
    g_test_add_func("/box/recorder-shift-paused", test_recorder_shift_paused);
    g_test_add_func("/box/recorder-overflow", test_recorder_overflow);
    g_test_add_func("/box/recorder-sources", test_recorder_sources);
    g_test_add_func("/box/recorder-budget", test_recorder_budget);
    g_test_add_func("/box/recorder-held", test_recorder_held);
    g_test_add_func("/box/recorder-read", test_recorder_read);
    g_test_add_func("/box/store-left", test_store_left);
    return g_test_run();
}
