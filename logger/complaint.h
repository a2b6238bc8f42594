/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complain once, then rarely, then say that it is over: the pause between two warnings of the same
 * trouble doubles from 5 minutes to a day, and the repeats are counted.
 */
#pragma once

#include <glib.h>

typedef struct {
    gboolean active;
    gint64 next_us; /* g_get_monotonic_time() */
    gint64 pause_us;
    guint held_back;
} Complaint;

/* TRUE if the trouble should be told now; *held_back gets how many were not told since. */
gboolean complaint_due(Complaint *complaint, gint64 now_us, guint *held_back);
/* The trouble is over. TRUE if that should be told. */
gboolean complaint_over(Complaint *complaint);

/* g_warning and g_message with them; `who` is for example "modem north". */
void complain(Complaint *complaint, const char *who, const char *what);
void complain_over(Complaint *complaint, const char *who, const char *what);
