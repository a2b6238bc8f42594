/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One importer (FUZZ_FORMAT) on a file of any bytes: it succeeds, or it says why not; never both,
 * never neither. Records go into a drive that is never committed.
 */
#include "formats/import.h"
#include "tests/fuzz/scratch.h"

#include <glib/gstdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* So many files into one drive before the next, or its transaction would grow for ever. */
enum { FILES_PER_DRIVE = 400 };

#define ZONE "Europe/Berlin"

static DriveWriter *writer;
static GTimeZone *zone; /* held, or GLib would read its file again for each input */

static void leave(void)
{
    g_clear_pointer(&writer, drive_writer_free);
    g_clear_pointer(&zone, g_time_zone_unref);
}

static void renew_drive(void)
{
    static guint runs;
    if (zone == NULL) {
        (void)scratch_folder(); /* first, so that it is deleted after the drive is closed */
        zone = g_time_zone_new_identifier(ZONE);
        (void)atexit(leave);
    }
    if (writer != NULL && runs++ % FILES_PER_DRIVE != 0)
        return;
    g_clear_pointer(&writer, drive_writer_free);
    g_autofree char *path = scratch_path("fuzz.drive");
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
    g_autofree char *path = scratch_path("in");
    scratch_write(path, data, size);
    ImportOptions options = {.format = FUZZ_FORMAT, .timezone = ZONE};
    if (g_strcmp0(FUZZ_FORMAT, "generic") == 0)
        options.map = map;
    g_autoptr(GError) error = NULL;
    ImportSummary summary;
    gboolean done = import_file(writer, path, &options, NULL, NULL, &summary, &error);
    g_assert_true(done == (error == NULL));
    g_assert_true(error == NULL || *error->message != '\0');
    return 0;
}
