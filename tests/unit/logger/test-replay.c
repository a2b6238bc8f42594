/* SPDX-License-Identifier: Apache-2.0 */
/* The replay driver: what was recorded comes again, in its order and at its pace, from live rows
 * and from sealed chunks; what cannot be played is said. */
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "logger/modem.h"
#include "logger/replay.h"

#include <glib/gstdio.h>
#include <string.h>

#define S     INT64_C(1000000000)
#define T0    (INT64_C(1795000000) * S)
#define N     400
#define SPEED 50

typedef struct {
    char *dir, *path;
    ConfigModem config;
    GString *heard; /* a line for each thing told, without times */
    GArray *times;  /* of samples, mono */
    gint64 answer_ns;
    gboolean ready, lost;
    char *why;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    f->dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "a.drive", NULL);
    f->config =
        (ConfigModem){.driver = DRIVER_REPLAY, .replay_file = f->path, .replay_speed = SPEED};
    f->heard = g_string_new(NULL);
    f->times = g_array_new(FALSE, FALSE, sizeof(gint64));
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    (void)g_unlink(f->path);
    (void)g_rmdir(f->dir);
    g_free(f->dir);
    g_free(f->path);
    g_free(f->why);
    g_string_free(f->heard, TRUE);
    g_array_unref(f->times);
}

/* Every known column but times and source, as text. */
static void describe(GString *out, RecordKind kind, const void *record)
{
    const RecordType *type = record_type(kind);
    guint64 known = *(const guint64 *)record;
    g_string_append(out, type->table);
    for (unsigned c = 0; c < type->n_columns; c++) {
        const RecordColumn *column = &type->columns[c];
        const void *at = (const char *)record + column->offset;
        if (((known >> c) & 1U) == 0 || g_str_has_suffix(column->name, "_ns") ||
            strcmp(column->name, "source") == 0)
            continue;
        g_string_append_printf(out, " %s=", column->name);
        if (column->type == COLUMN_INT)
            g_string_append_printf(out, "%" G_GINT64_FORMAT, *(const gint64 *)at);
        else if (column->type == COLUMN_REAL)
            g_string_append_printf(out, "%.3f", *(const double *)at);
        else if (column->type == COLUMN_ENUM)
            g_string_append(out, record_enum_name(column, *(const int *)at));
        else
            g_string_append(out, *(const char *const *)at);
    }
    g_string_append_c(out, '\n');
}

static void tell_ready(gpointer data)
{
    ((Fixture *)data)->ready = TRUE;
}

static void tell_lost(gpointer data, const char *why)
{
    Fixture *f = data;
    g_assert_false(f->lost);
    f->lost = TRUE;
    f->why = g_strdup(why);
}

static void tell_answered(gpointer data, MonoTime at)
{
    (void)data;
    (void)at;
}

static void tell_silent(gpointer data, const char *request)
{
    (void)data;
    g_error("a replay is silent: %s", request);
}

static void tell_skipped(gpointer data)
{
    (void)data;
    g_error("a replay skips");
}

static void tell_sample(gpointer data, MonoTime asked, MonoTime at, Sample *sample)
{
    Fixture *f = data;
    describe(f->heard, RECORD_SAMPLE, sample);
    g_array_append_val(f->times, at.ns);
    if (asked.ns != 0)
        f->answer_ns = at.ns - asked.ns;
}

static void tell_record(gpointer data, MonoTime at, RecordKind kind, gpointer record)
{
    (void)at;
    describe(((Fixture *)data)->heard, kind, record);
}

static void tell_identity(gpointer data, const char *model, const char *firmware, const char *imei,
                          const char *iccid)
{
    (void)data;
    g_assert_cmpstr(model, ==, "Made 1");
    g_assert_cmpstr(firmware, ==, "2.0");
    g_assert_null(imei);
    g_assert_null(iccid);
}

static void tell_sim(gpointer data, gboolean present)
{
    (void)data;
    (void)present;
}

static void tell_protocol(gpointer data, const char *name)
{
    (void)data;
    g_assert_cmpstr(name, ==, "replay");
}

static void play(Fixture *f)
{
    const ModemSink sink = {
        f,           tell_ready,  tell_lost,     tell_answered, tell_silent,  tell_skipped,
        tell_sample, tell_record, tell_identity, tell_sim,      tell_protocol};
    gpointer driver = modem_replay.open(&f->config, f->path, &sink);
    g_assert_false(f->lost); /* not before open() has returned */
    while (!f->lost)
        (void)g_main_context_iteration(NULL, TRUE);
    modem_replay.close(driver);
}

static gint64 add_source(DriveWriter *writer, const char *label)
{
    Source source = {0};
    gint64 id = 0;
    RECORD_SET(&source, SOURCE, label, label);
    RECORD_SET(&source, SOURCE, kind, strcmp(label, "gps") == 0 ? SOURCE_GPS : SOURCE_MODEM);
    RECORD_SET(&source, SOURCE, model, "Made 1");
    RECORD_SET(&source, SOURCE, firmware, "2.0");
    g_autoptr(GError) error = NULL;
    g_assert_true(drive_add_source(writer, &source, &id, &error));
    return id;
}

/* A drive of two modems; what the first measured is also described in `expected`. */
static void make_drive(Fixture *f, GString *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(f->path, &error);
    g_assert_no_error(error);
    gint64 gps = add_source(writer, "gps"), red = add_source(writer, "red");
    gint64 green = add_source(writer, "green");
    for (gint64 i = 0; i < N; i++) {
        gint64 t = T0 + i * S / 10;
        Fix fix = {0};
        RECORD_SET(&fix, FIX, time_ns, t);
        RECORD_SET(&fix, FIX, source, gps);
        g_assert_true(drive_add_fix(writer, &fix, &error));
        Sample s = {0};
        RECORD_SET(&s, SAMPLE, time_ns, t);
        RECORD_SET(&s, SAMPLE, source, red);
        RECORD_SET(&s, SAMPLE, rat, i % 7 == 0 ? RAT_NONE : RAT_NR_NSA);
        if (i % 3 != 0)
            RECORD_SET(&s, SAMPLE, request_ns, t - 20000000);
        if (i % 7 != 0) {
            RECORD_SET(&s, SAMPLE, rsrp_dbm, -80.0 - (double)(i % 500) / 10);
            RECORD_SET(&s, SAMPLE, plmn, i % 2 != 0 ? "24001" : "24007");
            RECORD_SET(&s, SAMPLE, nr_pci, i % 1008);
        }
        g_assert_true(drive_add_sample(writer, &s, &error));
        describe(expected, RECORD_SAMPLE, &s);
        s.source = green;
        RECORD_SET(&s, SAMPLE, rsrp_dbm, -140);
        g_assert_true(drive_add_sample(writer, &s, &error));
        if (i % 10 != 5)
            continue;
        Neighbour n = {0};
        RECORD_SET(&n, NEIGHBOUR, time_ns, t + 1000);
        RECORD_SET(&n, NEIGHBOUR, source, red);
        RECORD_SET(&n, NEIGHBOUR, pci, i % 504);
        g_assert_true(drive_add_neighbour(writer, &n, &error));
        describe(expected, RECORD_NEIGHBOUR, &n);
        Carrier c = {0};
        RECORD_SET(&c, CARRIER, time_ns, t + 2000);
        RECORD_SET(&c, CARRIER, source, red);
        RECORD_SET(&c, CARRIER, number, 1);
        g_assert_true(drive_add_carrier(writer, &c, &error));
        describe(expected, RECORD_CARRIER, &c);
        Antenna a = {0};
        RECORD_SET(&a, ANTENNA, time_ns, t + 3000);
        RECORD_SET(&a, ANTENNA, source, red);
        RECORD_SET(&a, ANTENNA, chain, 1);
        g_assert_true(drive_add_antenna(writer, &a, &error));
        describe(expected, RECORD_ANTENNA, &a);
        Registration r = {0};
        RECORD_SET(&r, REGISTRATION, time_ns, t + 4000);
        RECORD_SET(&r, REGISTRATION, source, red);
        RECORD_SET(&r, REGISTRATION, state, "home");
        g_assert_true(drive_add_registration(writer, &r, &error));
        describe(expected, RECORD_REGISTRATION, &r);
    }
    g_assert_true(drive_writer_close(writer, &error));
}

static void test_again(Fixture *f, gconstpointer data)
{
    g_autoptr(GString) expected = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    make_drive(f, expected);
    if (data != NULL) {
        g_assert_true(drive_seal(f->path, NULL, &error));
        g_autoptr(Drive) drive = drive_open(f->path, &error);
        g_assert_nonnull(drive);
    }
    play(f);
    g_assert_true(f->ready);
    g_assert_cmpstr(f->why, ==, "the replayed drive has ended");
    g_assert_cmpstr(f->heard->str, ==, expected->str);
    g_assert_cmpuint(f->times->len, ==, N);
    g_assert_cmpint(f->answer_ns, ==, 20000000);
    /* never faster than asked for: a busy machine may only be late */
    gint64 first = g_array_index(f->times, gint64, 0);
    for (guint i = 1; i < N; i++)
        g_assert_cmpint(g_array_index(f->times, gint64, i) - first, >=,
                        (gint64)i * S / 10 / SPEED - 2000000);
}

static void test_other_source(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GString) expected = g_string_new(NULL);
    make_drive(f, expected);
    f->config.replay_label = (char *)(uintptr_t) "green";
    f->config.replay_speed = 1000;
    play(f);
    g_assert_cmpuint(f->times->len, ==, N);
    g_assert_nonnull(strstr(f->heard->str, "rsrp_dbm=-140.000"));
    g_assert_null(strstr(f->heard->str, "neighbours"));
}

typedef struct {
    GArray *due_ns[2]; /* of fixes and samples, mono */
    gboolean ended[2];
} Together;
typedef struct {
    Together *together;
    int which;
} Part;

static void part_plays(gpointer data, RecordKind kind, gpointer record, MonoTime due)
{
    (void)record;
    const Part *part = data;
    if (kind == RECORD_FIX || kind == RECORD_SAMPLE)
        g_array_append_val(part->together->due_ns[part->which], due.ns);
}

static void part_lives(gpointer data)
{
    (void)data;
}

static void part_ends(gpointer data)
{
    const Part *part = data;
    part->together->ended[part->which] = TRUE;
}

/* The receiver begins 100 ms late and is the same drive's: each of its fixes is due at the moment
 * of the sample that was measured there, in the first turn and in the next. */
static void test_together(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GString) expected = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    make_drive(f, expected);
    Together together = {
        {g_array_new(FALSE, FALSE, sizeof(gint64)), g_array_new(FALSE, FALSE, sizeof(gint64))},
        {FALSE, FALSE}};
    for (guint turn = 0; turn < 2; turn++) {
        Part parts[] = {{&together, 0}, {&together, 1}};
        Replay *replays[2];
        for (int i = 1; i >= 0; i--) {
            const ReplayPlan plan = {.file = f->path,
                                     .gps = i == 0,
                                     .speed = SPEED,
                                     .data = &parts[i],
                                     .play = part_plays,
                                     .alive = part_lives,
                                     .ended = part_ends};
            replays[i] = replay_new(&plan, &error);
            g_assert_no_error(error);
            g_usleep(100000);
        }
        g_assert_cmpstr(replay_source(replays[0])->label, ==, "gps");
        while (!together.ended[0] || !together.ended[1])
            (void)g_main_context_iteration(NULL, TRUE);
        for (int i = 0; i < 2; i++) {
            replay_free(replays[i]);
            g_assert_cmpuint(together.due_ns[i]->len, ==, (turn + 1) * N);
            together.ended[i] = FALSE;
        }
    }
    for (guint i = 0; i < 2 * N; i++)
        g_assert_cmpint(g_array_index(together.due_ns[0], gint64, i), ==,
                        g_array_index(together.due_ns[1], gint64, i));
    for (int i = 0; i < 2; i++)
        g_array_unref(together.due_ns[i]);
}

static void test_refusals(Fixture *f, gconstpointer data)
{
    (void)data;
    play(f);
    g_assert_false(f->ready);
    g_assert_nonnull(strstr(f->why, f->path));
    f->lost = FALSE;
    g_clear_pointer(&f->why, g_free);
    g_assert_true(g_file_set_contents(f->path, "no drive", -1, NULL));
    play(f);
    g_assert_nonnull(strstr(f->why, f->path));
    (void)g_unlink(f->path);
    f->lost = FALSE;
    g_clear_pointer(&f->why, g_free);
    g_autoptr(GString) expected = g_string_new(NULL);
    make_drive(f, expected);
    f->config.replay_label = (char *)(uintptr_t) "blue";
    play(f);
    g_assert_cmpstr(f->why, ==, "the drive has no source blue");
    g_assert_false(f->ready);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, data, function) g_test_add(name, Fixture, data, set_up, function, tear_down)
    ADD("/replay/rows", NULL, test_again);
    ADD("/replay/sealed", "sealed", test_again);
    ADD("/replay/other-source", NULL, test_other_source);
    ADD("/replay/together", NULL, test_together);
    ADD("/replay/refusals", NULL, test_refusals);
    return g_test_run();
}
