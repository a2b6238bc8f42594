/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/complaint.h"

#define FIRST_PAUSE_US (5 * 60 * G_USEC_PER_SEC)
#define LAST_PAUSE_US  (24 * 3600 * (gint64)G_USEC_PER_SEC)

gboolean complaint_due(Complaint *complaint, gint64 now_us, guint *held_back)
{
    if (complaint->active && now_us < complaint->next_us) {
        complaint->held_back++;
        return FALSE;
    }
    *held_back = complaint->held_back;
    complaint->held_back = 0;
    complaint->pause_us =
        complaint->active ? MIN(complaint->pause_us * 2, LAST_PAUSE_US) : FIRST_PAUSE_US;
    complaint->next_us = now_us + complaint->pause_us;
    complaint->active = TRUE;
    return TRUE;
}

gboolean complaint_over(Complaint *complaint)
{
    gboolean was = complaint->active;
    *complaint = (Complaint){.active = FALSE};
    return was;
}

void complain(Complaint *complaint, const char *who, const char *what)
{
    guint held_back = 0;
    if (!complaint_due(complaint, g_get_monotonic_time(), &held_back))
        return;
    if (held_back > 0)
        g_warning("%s: %s (%u more times since the last warning)", who, what, held_back);
    else
        g_warning("%s: %s", who, what);
}

void complain_over(Complaint *complaint, const char *who, const char *what)
{
    if (complaint_over(complaint))
        g_message("%s: %s", who, what);
}
