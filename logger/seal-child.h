/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing of one drive in a process of its own: `corridor-logger seal DRIVE`, which the logger
 * starts by itself. Sealing takes some megabytes for seconds, hours apart; what it took goes back
 * whole with the process, and if memory is short it is that process that ends, not the recording.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Exit status of the process; 2 is wrong usage. */
typedef enum {
    SEAL_DONE,
    SEAL_FAILED,          /* the drive stays as it is */
    SEAL_INTERRUPTED = 3, /* by SIGTERM; likewise */
    SEAL_FULL,            /* no room on the disk; likewise */
    SEAL_BUSY,            /* another process has the drive; likewise */
    SEAL_DIED, /* no exit status: killed; what it did may lie in a WAL beside the drive */
} SealOutcome;

/* The process: seals `path` and says on stderr how that went. SIGTERM interrupts it, as does the
 * end of the thread that started it. Returns a SealOutcome. */
int seal_child_main(const char *path);

/* Starts this program again to seal `path`, with the calling thread's priority. End it with
 * kill(SIGTERM), wait for it with seal_child_wait(). Returns 0 and sets `error` if it cannot. */
pid_t seal_child_start(const char *path, GError **error);

/* Waits until the process is over, or until g_get_monotonic_time() is `until_us` (0 = for ever);
 * TRUE if it is over. It stays a zombie, so that its id is nobody else's, until
 * seal_child_reap(). */
gboolean seal_child_wait(pid_t child, gint64 until_us);

/* How it ended; a process that SIGTERM killed counts as SEAL_INTERRUPTED. */
SealOutcome seal_child_reap(pid_t child);
