/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data budget of one modem: bytes per day and per month (UTC), counted from the interface, kept
 * over restarts.
 *
 * The file promises more than was used: used plus a reserve. While running it is written again when
 * the reserve is spent, so a power cut can only make us count too much (at most one reserve), never
 * too little; a clean end writes the exact sum.
 */
#pragma once

#include <glib.h>

#define BUDGET_RESERVE (4 * 1000 * 1000)

typedef struct Budget Budget;

/* A day begins anew when the clock goes on to it. A clock that is set back gives nothing, and goes
 * on from there: a day in the future, which a wrong clock left in the file, keeps nothing away for
 * longer than to the next day.
 *
 * 0 bytes = no limit. `path` NULL = not kept. A file that cannot be read counts as a day and month
 * that are used up by one reserve, and is replaced.
 * Returns: (transfer full). */
Budget *budget_new(const char *path, guint64 daily_bytes, guint64 monthly_bytes, gint64 utc_ns);
/* Writes the exact sum. NULL is allowed. */
void budget_free(Budget *budget);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Budget, budget_free)

/* The interface's counters now. Counters that went back belong to a new interface. TRUE if the
 * budget's file should be written: budget_text(), somewhere that may block. */
gboolean budget_count(Budget *budget, guint64 received, guint64 sent, gint64 utc_ns);
/* The interface is gone: its next counters start anew. */
void budget_interface_gone(Budget *budget);

/* Bytes that may still be used today: G_MAXINT64 without limits; never below 0. */
gint64 budget_left(const Budget *budget);
guint64 budget_used_today(const Budget *budget);
guint64 budget_used_month(const Budget *budget);

/* What the file shall hold, with the reserve promised.
 * Returns: (transfer full). */
char *budget_text(Budget *budget);
const char *budget_path(const Budget *budget);
