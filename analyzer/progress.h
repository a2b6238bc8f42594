/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress of long work: one line on stderr that is written over, with rate and time left, if
 * stderr is a terminal; nothing otherwise.
 */
#pragma once

#include <glib.h>

typedef struct Progress Progress;

/* `what` ("importing"), `unit` ("rows"). total <= 0: not known.
 * Returns: (transfer full). */
Progress *progress_new(const char *what, const char *unit, gint64 total);

/* Sets how much is done. Cheap; may be called often, from one thread at a time. */
void progress_set(Progress *progress, gint64 done);

/* Clears the line and frees. NULL is allowed. */
void progress_free(Progress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_free)
