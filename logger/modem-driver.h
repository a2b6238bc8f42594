/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the drivers of modems share: a conversation that outlives close() until its last answer has
 * come, and questions of which one of each kind is outstanding at a time.
 */
#pragma once

#include "logger/modem.h"

#include <gio/gio.h>

/* Who answers. NULL = not known. */
typedef struct {
    char *model, *firmware, *imei, *iccid;
} ModemIdentity;

/* Frees the texts. */
void modem_identity_clear(ModemIdentity *identity);
void modem_identity_tell(const ModemIdentity *identity, const ModemSink *sink);

/* Time limit of one request for the libraries, in whole seconds, at least 1. */
guint modem_timeout_s(const ConfigModem *config);

/* Head of a driver's struct. */
typedef struct {
    gint refs;
    gboolean closed; /* nothing may be told any more */
    gboolean ready;  /* ready() was told */
    const ConfigModem *config;
    const ModemSink *sink;
    GCancellable *cancellable;
    ModemIdentity identity;
    gint64 slow_ns;                /* mono: when the slow round was asked last; 0 = never */
    void (*forget)(gpointer talk); /* frees what the driver's own fields hold */
} ModemTalk;

/* With one reference, that of close(). Config and sink are borrowed. */
void modem_talk_begin(ModemTalk *talk, const ConfigModem *config, const ModemSink *sink,
                      void (*forget)(gpointer talk));
/* Drops a reference; frees the driver with the last. */
void modem_talk_unref(ModemTalk *talk);
/* Tells the sink "what: error", unless closed; `error` may be NULL. */
void modem_talk_lost(ModemTalk *talk, const char *what, const GError *error);
/* Whether the slow round (card, data volume, bearer) is due now; the next is after card-interval.
 */
gboolean modem_talk_slow_due(ModemTalk *talk);

/* A kind of question. Zeroed at first. */
typedef struct {
    ModemTalk *talk;
    int what;         /* index of the kind */
    gboolean busy;    /* asked, not answered yet */
    gboolean refused; /* the modem does not know this question: it is not asked again */
    MonoTime asked;
} ModemQuestion;

/* Whether it may be asked now. One that is still unanswered may not, which the sink is told. */
gboolean modem_question_may(const ModemQuestion *question, const ModemTalk *talk);
/* It is asked now: holds a reference until modem_question_end(). */
void modem_question_begin(ModemQuestion *question, ModemTalk *talk, int what);
/* Which of two questions of the same kind to ask: one may overtake a late answer, but only one.
 * Returns the index into `questions`: `first` or `second`. */
int modem_question_either(const ModemQuestion *questions, int first, int second);
/* The answer is there (`timed_out` if none came in time, `name` says of what). TRUE: it is to be
 * looked at; in any case the caller drops the question's reference afterwards. */
gboolean modem_question_end(ModemQuestion *question, gboolean answered, gboolean timed_out,
                            const char *name, MonoTime at);
