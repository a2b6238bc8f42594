/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/sound-drive.h"

#include "formats/drive-write.h"
#include "tests/fuzz/light-sqlite.h"
#include "tests/fuzz/scratch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHANGE_SIZE = 5, MAX_CHANGES = 200, ROWS = 16 };

static char *path, *sound, *recorded;
static gsize sound_size, recorded_size;
static int fd = -1; /* open to the end: SQLite's locks go with any descriptor that is closed */

static void leave(void)
{
    if (fd >= 0)
        (void)close(fd);
    g_free(path);
    g_free(sound);
    g_free(recorded);
}

static void enter(void)
{
    static gboolean done;
    light_sqlite();
    if (!done)
        (void)atexit(leave);
    done = TRUE;
}

static void add_records(DriveWriter *writer, gint64 from)
{
    Source source = {0};
    gint64 id = 0;
    RECORD_SET(&source, SOURCE, label, "A");
    RECORD_SET(&source, SOURCE, operator_label, "Alfa");
    g_assert_true(drive_add_source(writer, &source, &id, NULL));
    for (gint64 i = from; i < from + ROWS; i++) {
        Fix fix = {0};
        Sample sample = {0};
        Event event = {0};
        RECORD_SET(&fix, FIX, time_ns, i * 1000000000);
        RECORD_SET(&fix, FIX, source, id);
        RECORD_SET(&fix, FIX, lat, 47.0 + (double)i / 1000);
        RECORD_SET(&fix, FIX, lon, 9.0);
        RECORD_SET(&sample, SAMPLE, time_ns, i * 1000000000);
        RECORD_SET(&sample, SAMPLE, source, id);
        RECORD_SET(&sample, SAMPLE, rat, i % 7 == 0 ? RAT_NONE : RAT_LTE);
        RECORD_SET(&sample, SAMPLE, rsrp_dbm, -80.0 - (double)(i % 30));
        RECORD_SET(&sample, SAMPLE, plmn, i % 3 == 0 ? "24001" : "24002");
        RECORD_SET(&event, EVENT, time_ns, i * 1000000000);
        RECORD_SET(&event, EVENT, kind, "cell-change");
        g_assert_true(drive_add_fix(writer, &fix, NULL) &&
                      drive_add_sample(writer, &sample, NULL) &&
                      drive_add_event(writer, &event, NULL));
    }
}

/* A closed drive of rows. */
static void record(const char *to)
{
    g_autoptr(DriveWriter) writer = drive_create(to, NULL);
    add_records(writer, 1000);
    g_assert_true(drive_writer_close(writer, NULL));
}

static void make(void)
{
    enter();
    path = scratch_path("fuzz.drive");
    record(path);
    g_assert_true(drive_seal(path, NULL, NULL));
    g_autoptr(DriveWriter) writer = drive_open_append(path, NULL);
    add_records(writer, 2000);
    g_assert_true(drive_writer_close(writer, NULL));
    g_clear_pointer(&writer, drive_writer_free);
    g_assert_true(g_file_get_contents(path, &sound, &sound_size, NULL));
    fd = open(path, O_RDWR | O_CLOEXEC);
    g_assert_true(fd >= 0);
}

const char *sound_drive(void)
{
    if (path == NULL)
        make();
    return path;
}

/* The place and value of change i; FALSE at the end of the list. */
static gboolean change(const uint8_t *data, size_t size, size_t i, gsize of, guint32 *offset)
{
    if (i >= MAX_CHANGES || (i + 1) * CHANGE_SIZE > size)
        return FALSE;
    memcpy(offset, data + i * CHANGE_SIZE, 4);
    *offset %= (guint32)of;
    return TRUE;
}

void sound_drive_change(const uint8_t *data, size_t size, gboolean back)
{
    guint32 at = 0;
    for (size_t i = 0; change(data, size, i, sound_size, &at); i++)
        g_assert_true(pwrite(fd, back ? (const void *)(sound + at) : data + i * CHANGE_SIZE + 4, 1,
                             (off_t)at) == 1);
}

const char *recorded_drive_changed(const uint8_t *data, size_t size)
{
    static char to[256], wal[260], journal[264];
    enter();
    if (recorded == NULL) {
        g_autofree char *name = scratch_path("recorded.drive");
        g_strlcpy(to, name, sizeof to);
        (void)g_snprintf(wal, sizeof wal, "%s-wal", to);
        (void)g_snprintf(journal, sizeof journal, "%s-journal", to);
        record(to);
        g_assert_true(g_file_get_contents(to, &recorded, &recorded_size, NULL));
    }
    g_autofree char *changed = g_memdup2(recorded, recorded_size);
    guint32 at = 0;
    for (size_t i = 0; change(data, size, i, recorded_size, &at); i++)
        changed[at] = (char)data[i * CHANGE_SIZE + 4];
    (void)unlink(wal);
    (void)unlink(journal);
    scratch_write(to, changed, recorded_size);
    return to;
}
