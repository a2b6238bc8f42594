/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drives of this run: all of them move when the time turns out to have been wrong, and those
 * that could not be closed, as the disk failed, are closed when it works again. What cannot be done
 * now is owed, and tried again. For the recorder's thread.
 */
#pragma once

#include "formats/drive-write.h"
#include "logger/sealer.h"
#include "logger/store.h"

typedef struct RunDrives RunDrives;

/* `store` must outlive it. Returns: (transfer full). */
RunDrives *run_drives_new(Store *store);
void run_drives_free(RunDrives *drives);

/* One more drive, which is being written from now on. */
void run_drives_add(RunDrives *drives, const char *path);

/* Closing it failed: rows of it lie in a WAL beside it. One that was not added is of an earlier
 * run: its times stay. */
void run_drives_left_open(RunDrives *drives, const char *path);

/* All times of all of them are off by delta. */
void run_drives_shift(RunDrives *drives, gint64 delta_ns);

/* Does what is owed. `writer` writes the last of them; NULL: none is being written. `sealer` may be
 * NULL. FALSE with `error` if `writer` fails; what fails with the others is a warning, and owed on.
 */
gboolean run_drives_settle(RunDrives *drives, Sealer *sealer, DriveWriter *writer, GError **error);
