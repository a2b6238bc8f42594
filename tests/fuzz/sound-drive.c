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

static char *path, *sound;
static gsize sound_size;
static int fd = -1; /* open to the end: SQLite's locks go with any descriptor that is closed */

static void leave(void)
{
    (void)close(fd);
    g_free(path);
    g_free(sound);
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

static void make(void)
{
    light_sqlite();
    path = scratch_path("fuzz.drive");
    (void)atexit(leave);
    g_autoptr(DriveWriter) writer = drive_create(path, NULL);
    add_records(writer, 1000);
    g_assert_true(drive_writer_close(writer, NULL));
    g_clear_pointer(&writer, drive_writer_free);
    g_assert_true(drive_seal(path, NULL, NULL));
    writer = drive_open_append(path, NULL);
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

void sound_drive_change(const uint8_t *data, size_t size, gboolean back)
{
    for (size_t i = 0; i + CHANGE_SIZE <= size && i < (size_t)CHANGE_SIZE * MAX_CHANGES;
         i += CHANGE_SIZE) {
        guint32 offset = 0;
        memcpy(&offset, data + i, 4);
        offset %= (guint32)sound_size;
        g_assert_true(pwrite(fd, back ? (const void *)(sound + offset) : data + i + 4, 1,
                             (off_t)offset) == 1);
    }
}
