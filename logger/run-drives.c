/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/run-drives.h"

#include <string.h>

typedef struct {
    char *path;
    gint64 owed_ns; /* to be added to its times */
    gboolean open;  /* closing it failed */
    gboolean older; /* of an earlier run: its times are its own */
} RunDrive;

struct RunDrives {
    Store *store;
    GPtrArray *all; /* of RunDrive */
};

static void drive_free(gpointer data)
{
    RunDrive *drive = data;
    g_free(drive->path);
    g_free(drive);
}

RunDrives *run_drives_new(Store *store)
{
    RunDrives *drives = g_new0(RunDrives, 1);
    drives->store = store;
    drives->all = g_ptr_array_new_with_free_func(drive_free);
    return drives;
}

void run_drives_free(RunDrives *drives)
{
    if (drives == NULL)
        return;
    g_ptr_array_unref(drives->all);
    g_free(drives);
}

void run_drives_add(RunDrives *drives, const char *path)
{
    RunDrive *drive = g_new0(RunDrive, 1);
    drive->path = g_strdup(path);
    g_ptr_array_add(drives->all, drive);
}

void run_drives_left_open(RunDrives *drives, const char *path)
{
    for (guint i = 0; i < drives->all->len; i++) {
        RunDrive *drive = g_ptr_array_index(drives->all, i);
        if (strcmp(drive->path, path) == 0) {
            drive->open = TRUE;
            return;
        }
    }
    RunDrive *older = g_new0(RunDrive, 1);
    older->path = g_strdup(path);
    older->open = older->older = TRUE;
    g_ptr_array_insert(drives->all, 0, older);
}

void run_drives_shift(RunDrives *drives, gint64 delta_ns)
{
    for (guint i = 0; i < drives->all->len; i++) {
        RunDrive *drive = g_ptr_array_index(drives->all, i);
        drive->owed_ns += drive->older ? 0 : delta_ns;
    }
}

/* Of the first `n`. */
static gboolean is_any_owed(const RunDrives *drives, guint n)
{
    for (guint i = 0; i < n; i++)
        if (((const RunDrive *)g_ptr_array_index(drives->all, i))->owed_ns != 0)
            return TRUE;
    return FALSE;
}

static void shift_closed(RunDrive *drive)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_open_append(drive->path, &error);
    if (writer != NULL &&
        drive_shift_times(writer, G_MININT64, G_MAXINT64, drive->owed_ns, &error)) {
        drive->owed_ns = 0;
        if (drive_writer_close(writer, &error))
            return;
        drive->open = TRUE;
    }
    if (g_file_test(drive->path, G_FILE_TEST_EXISTS)) {
        g_warning("%s; its times are put right later", error->message);
    } else {
        g_warning("%s; its times stay wrong", error->message);
        drive->owed_ns = 0;
    }
}

static gboolean shift_owed(RunDrives *drives, Sealer *sealer, DriveWriter *writer, GError **error)
{
    const guint n = drives->all->len;
    RunDrive *last = n > 0 ? g_ptr_array_index(drives->all, n - 1) : NULL;
    if (writer != NULL && last != NULL && last->owed_ns != 0) {
        if (!drive_shift_times(writer, G_MININT64, G_MAXINT64, last->owed_ns, error))
            return FALSE;
        last->owed_ns = 0;
    }
    if (!is_any_owed(drives, n))
        return TRUE;
    if (sealer != NULL)
        sealer_hold(sealer);
    store_withdraw_evidence(drives->store);
    for (guint i = 0; i < n; i++) {
        RunDrive *drive = g_ptr_array_index(drives->all, i);
        if (drive->owed_ns != 0)
            shift_closed(drive);
    }
    store_remake_evidence(drives->store);
    if (sealer != NULL)
        sealer_go_on(sealer);
    return TRUE;
}

/* Closing may wait for who reads the drive, which recording must not: the sealer does it. */
static void close_open(RunDrives *drives, Sealer *sealer, guint n)
{
    for (guint i = 0; i < n; i++) {
        RunDrive *drive = g_ptr_array_index(drives->all, i);
        drive->open = drive->open && !store_is_one_file(drive->path) &&
                      g_file_test(drive->path, G_FILE_TEST_EXISTS);
        if (drive->open && sealer != NULL)
            sealer_add(sealer, drive->path);
        else if (drive->open)
            (void)store_close_left(drive->path);
    }
}

gboolean run_drives_settle(RunDrives *drives, Sealer *sealer, DriveWriter *writer, GError **error)
{
    if (!shift_owed(drives, sealer, writer, error))
        return FALSE;
    close_open(drives, sealer, drives->all->len - (writer != NULL ? 1 : 0));
    return TRUE;
}
