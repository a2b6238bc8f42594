/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A drive from a stranger: the input is a list of changes (offset, 4 bytes; new byte) to a sound
 * drive with live and sealed records. It is read as far as it goes, or refused with a reason.
 * With FUZZ_RECOVER it is recovered instead.
 */
#include "formats/drive-damage.h"
#include "formats/drive-read.h"
#include "formats/drive-recover.h"
#include "formats/drive-write.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHANGE_SIZE = 5, MAX_CHANGES = 200 };

static char *folder, *path, *sound;
static gsize sound_size;

static void leave(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(folder, name, NULL);
        (void)g_unlink(file);
    }
    (void)g_rmdir(folder);
    g_free(folder);
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
    for (gint64 i = from; i < from + 50; i++) {
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

static void enter(void)
{
    folder = g_dir_make_tmp("corridor-fuzz-XXXXXX", NULL);
    g_assert_nonnull(folder);
    path = g_build_filename(folder, "fuzz.drive", NULL);
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
}

static void write_changed(const uint8_t *data, size_t size)
{
    g_autofree char *bytes = g_memdup2(sound, sound_size);
    for (size_t i = 0; i + CHANGE_SIZE <= size && i < (size_t)CHANGE_SIZE * MAX_CHANGES;
         i += CHANGE_SIZE) {
        guint32 offset = 0;
        memcpy(&offset, data + i, 4);
        bytes[offset % sound_size] = (char)data[i + 4];
    }
    FILE *file = fopen(path, "we");
    g_assert_nonnull(file);
    g_assert_true(fwrite(bytes, 1, sound_size, file) == sound_size);
    g_assert_true(fclose(file) == 0);
}

static void read_kind(Drive *drive, RecordKind kind)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveCursor) cursor = drive_read(drive, kind, 0, 0, INT64_MIN, INT64_MAX, &error);
    g_assert_true((cursor != NULL) == (error == NULL));
    const Batch *batch = NULL;
    size_t bytes = 0;
    while (cursor != NULL && (batch = drive_next(cursor, &error)) != NULL) {
        g_assert_true(batch->n > 0 && batch->n <= DRIVE_BATCH_ROWS);
        const RecordType *type = record_type(kind);
        for (unsigned c = 0; c < type->n_columns; c++)
            for (size_t i = 0; type->columns[c].type == COLUMN_TEXT && i < batch->n; i++)
                if ((batch->known[i] >> c & 1U) != 0)
                    bytes += strlen(batch->column[c].t[i]);
    }
    g_assert_cmpuint(bytes, <, G_MAXSIZE);
}

static void read_all(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_true((drive != NULL) == (error == NULL));
    for (int k = RECORD_IMPORT; drive != NULL && k < RECORD_KIND_COUNT; k++)
        read_kind(drive, (RecordKind)k);
    if (drive != NULL)
        g_ptr_array_unref(drive_find_damage(drive));
}

/* What is saved can be read. */
static void recover(void)
{
    g_autofree char *out = g_build_filename(folder, "out.drive", NULL);
    (void)g_unlink(out);
    g_autoptr(GError) error = NULL;
    RecoverReport report;
    gboolean done = drive_recover(path, out, &report, &error);
    g_assert_true(done == (error == NULL));
    recover_report_clear(&report);
    g_autoptr(Drive) drive = done ? drive_open(out, &error) : NULL;
    g_assert_true(!done || drive != NULL);
    for (int k = RECORD_IMPORT; drive != NULL && k < RECORD_KIND_COUNT; k++)
        read_kind(drive, (RecordKind)k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (folder == NULL)
        enter();
    write_changed(data, size);
#ifdef FUZZ_RECOVER
    recover();
    (void)read_all;
#else
    read_all();
    (void)recover;
#endif
    return 0;
}
