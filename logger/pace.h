/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pacing: calls at absolute times, by timerfd. A GLib timeout has milliseconds and drifts; 50
 * packets a second need neither. Runs in the main context given, which for probes is a thread of
 * its own (probe-schedule.h): nothing that may block belongs there.
 */
#pragma once

#include <glib.h>

/* Called at its deadline or later; `now_ns` is CLOCK_MONOTONIC. Returns the next deadline, 0 to
 * stop. A deadline in the past is called at once. */
typedef gint64 (*PaceFunc)(gint64 now_ns, gpointer data);

typedef struct Pace Pace;

/* Returns: (transfer full); NULL if the system gives no timer. */
Pace *pace_new(GMainContext *context, gint64 first_ns, PaceFunc func, gpointer data,
               GError **error);
/* Moves the next call. */
void pace_set(Pace *pace, gint64 deadline_ns);
/* No call happens after. May be called from inside the function. NULL is allowed. */
void pace_free(Pace *pace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pace, pace_free)
