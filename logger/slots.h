/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots of one modem: every interval is to have its sample. What is lost is counted by reason, and
 * told as one event for all that was lost within 10 s, so that a modem which is too slow for its
 * interval does not fill the drive with events.
 */
#pragma once

#include <glib.h>

typedef enum {
    SLOT_LATE,       /* the logger itself was not run in time */
    SLOT_UNANSWERED, /* the questions before were still without an answer */
    SLOT_EMPTY,      /* the answer held no levels, or none came */
    SLOT_REASONS
} SlotReason;

/* `n` slots were lost since `since_ns` (mono); `why` says how many of which reason. */
typedef void (*SlotsTell)(gpointer data, gint64 since_ns, guint n, const char *why);

/* Zeroed: nothing lost. */
typedef struct {
    guint lost[SLOT_REASONS];
    gint64 since_ns; /* mono: the first of these; 0 = none */
    guint open;      /* questions that have not brought a sample */
} Slots;

/* A question for the slot goes out; with it `under_way` are unanswered. Those that were answered
 * and brought no sample are lost. */
void slots_ask(Slots *slots, guint under_way, gint64 now_ns);
/* A question brought its sample. */
void slots_fill(Slots *slots);
/* n slots pass without a question. */
void slots_lose(Slots *slots, SlotReason reason, guint n, gint64 now_ns);
/* Tells what is due; `all`: whatever there is. */
void slots_tell(Slots *slots, gint64 now_ns, gboolean all, SlotsTell tell, gpointer data);
/* The modem was opened anew: what was asked before counts no more. */
void slots_restart(Slots *slots);
