/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One importer (FUZZ_FORMAT) on a file of any bytes: it succeeds, or it says why not; never both,
 * never neither. Records go into a drive that is never committed.
 */
#include "formats/import.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* So many files into one drive before the next, or its transaction would grow for ever. */
enum { FILES_PER_DRIVE = 400 };

static char *folder;
static DriveWriter *writer;

static void leave(void)
{
    g_clear_pointer(&writer, drive_writer_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        (void)g_unlink(path);
    }
    (void)g_rmdir(folder);
    g_clear_pointer(&folder, g_free);
}

static void renew_drive(void)
{
    static guint runs;
    if (folder == NULL) {
        folder = g_dir_make_tmp("corridor-fuzz-XXXXXX", NULL);
        g_assert_nonnull(folder);
        (void)atexit(leave);
    }
    if (writer != NULL && runs++ % FILES_PER_DRIVE != 0)
        return;
    g_clear_pointer(&writer, drive_writer_free);
    g_autofree char *path = g_build_filename(folder, "fuzz.drive", NULL);
    (void)g_unlink(path);
    g_autoptr(GError) error = NULL;
    writer = drive_create(path, &error);
    g_assert_no_error(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const map[] = {"time=t",     "lat=y",
                                      "lon=x",      "rat=r",
                                      "rsrp=p|q",   "rtt_ms=ping_*",
                                      "cell_id=c",  "options.rtt_lost=empty",
                                      "operator=o", NULL};
    renew_drive();
    g_autofree char *path = g_build_filename(folder, "in", NULL);
    FILE *file = fopen(path, "we");
    g_assert_nonnull(file);
    g_assert_true(size == 0 || fwrite(data, 1, size, file) == size);
    g_assert_true(fclose(file) == 0);
    ImportOptions options = {.format = FUZZ_FORMAT, .timezone = "Europe/Berlin"};
    if (g_strcmp0(FUZZ_FORMAT, "generic") == 0)
        options.map = map;
    g_autoptr(GError) error = NULL;
    ImportSummary summary;
    gboolean done = import_file(writer, path, &options, NULL, NULL, &summary, &error);
    g_assert_true(done == (error == NULL));
    g_assert_true(error == NULL || *error->message != '\0');
    return 0;
}
