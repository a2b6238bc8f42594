/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The far end of the probes: answers STAMP (RFC 8762), and holds sessions for meetings and trains.
 *
 * It answers only addresses that are peers (STAMP without key) or senders that hold the key. It
 * never sends more than it got to an address that has not proven, with the key and by returning a
 * cookie, that it is there and wants it; what a proven session may get is bounded in rate, size and
 * time, and stops 10 s after the logger falls silent.
 */
#pragma once

#include "logger/limit.h"
#include "logger/session-wire.h"

typedef struct {
    const Key *key;            /* (borrowed) NULL: STAMP for peers only, no sessions */
    const Peers *peers;        /* (borrowed) */
    const char *const *listen; /* addresses; NULL or empty = all of both families */
    const char *device;        /* interface; NULL = any */
    guint16 stamp_port;
    guint16 session_port;
    gboolean stateless;      /* answer with the sender's sequence numbers (RFC 8762, 4.3) */
    double packets_per_s;    /* STAMP packets answered for one address */
    unsigned max_sessions;   /* meetings and trains at a time */
    guint64 max_rate_bps;    /* of one session, each way */
    guint32 max_train_bytes; /* of one train down */
    guint32 max_duration_s;  /* of one session */
} ReflectorConfig;

ReflectorConfig reflector_config_default(void);

#define REFLECTOR_COUNTS(X)                                                                        \
    X(received)   /* packets that came */                                                          \
    X(answered)   /* STAMP replies sent */                                                         \
    X(malformed)  /* too short, or not of the protocol */                                          \
    X(stranger)   /* no peer and no key */                                                         \
    X(wrong_key)  /* code that does not fit */                                                     \
    X(replayed)   /* authenticated packet seen before */                                           \
    X(limited)    /* over the rate of its address */                                               \
    X(sessions)   /* sessions begun */                                                             \
    X(refused)    /* sessions refused: busy or too big */                                          \
    X(moved)      /* sessions that went on from another address */                                 \
    X(media_in)   /* media packets of sessions */                                                  \
    X(media_out)  /* media packets sent */                                                         \
    X(send_error) /* packets the system would not send */

typedef struct {
#define X(name) guint64 name;
    REFLECTOR_COUNTS(X)
#undef X
} ReflectorCounts;

typedef struct Reflector Reflector;

/* Opens the sockets and answers from then on in `context`.
 * Returns: (transfer full). */
Reflector *reflector_new(const ReflectorConfig *config, GMainContext *context, GError **error);
/* Ends all sessions. NULL is allowed. */
void reflector_free(Reflector *reflector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reflector, reflector_free)

ReflectorCounts reflector_counts(const Reflector *reflector);
/* STAMP sessions and meeting or train sessions held now. */
unsigned reflector_stamp_sessions(const Reflector *reflector);
unsigned reflector_sessions(const Reflector *reflector);
