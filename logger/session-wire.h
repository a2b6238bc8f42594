/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control messages between a logger and its reflector for meetings and trains. Every message ends
 * in the code of the shared key; without the key a reflector says nothing.
 *
 *     HELLO      logger -> reflector   I would like a session          160 bytes
 *     CHALLENGE  reflector -> logger   prove that you are where you say
 *     START      logger -> reflector   the cookie, and what is wanted  160 bytes
 *     ACCEPT     reflector -> logger   token and start, or a refusal
 *     GO         logger -> reflector   send me a train (ACCEPT: no)    160 bytes
 *     FETCH      logger -> reflector   what came since entry n?        160 bytes
 *     LOG        reflector -> logger   arrivals: stream, number, time
 *     STOP       logger -> reflector   the session is over
 *
 * Until START is answered the reflector keeps no state and sends less than it got. Docs:
 * docs/probes.md.
 */
#pragma once

#include "logger/key.h"
#include "logger/media.h"

#define SESSION_PORT        8762
#define SESSION_ASK_SIZE    160  /* of what a logger sends */
#define SESSION_MAX_SIZE    1232 /* of any message: fits the smallest IPv6 path */
#define SESSION_COOKIE_SIZE 16
#define SESSION_LOG_ENTRIES 96 /* most in one LOG */

typedef enum {
    SESSION_HELLO = 1,
    SESSION_CHALLENGE,
    SESSION_START,
    SESSION_ACCEPT,
    SESSION_GO,
    SESSION_FETCH,
    SESSION_LOG,
    SESSION_STOP
} SessionType;

typedef enum { SESSION_MEETING = 1, SESSION_TRAINS } SessionKind;

typedef enum {
    SESSION_OK,
    SESSION_BUSY,   /* no room for another session */
    SESSION_TOO_BIG /* more than this reflector gives: rate, size or duration */
} SessionStatus;

/* One packet that arrived. */
typedef struct {
    MediaStream stream;
    uint32_t seq;
    int64_t arrived_ns; /* CLOCK_REALTIME of who received it */
} Arrival;

/* All fields of all messages; the type says which count. */
typedef struct {
    SessionType type;
    uint64_t session;                    /* all: chosen by the logger at random */
    uint64_t nonce;                      /* all: an answer carries that of its question */
    uint8_t cookie[SESSION_COOKIE_SIZE]; /* CHALLENGE, START */
    SessionKind kind;                    /* START */
    MediaShape shape;                    /* START of a meeting */
    uint32_t duration_s;                 /* START: how long at most; ACCEPT: granted */
    SessionStatus status;                /* ACCEPT */
    uint64_t token;                      /* ACCEPT: in every media packet */
    int64_t start_ns;  /* ACCEPT: when the reflector's stream begins, its CLOCK_REALTIME */
    bool synchronised; /* ACCEPT: the reflector's clock follows UTC */
    uint32_t train;    /* GO: number of the train */
    uint32_t packets;  /* GO: how many */
    uint32_t size;     /* GO: IP bytes of each */
    uint64_t rate_bps; /* GO */
    uint32_t from;     /* FETCH, LOG: number of the first entry */
    uint32_t total;    /* LOG: entries there are */
    int64_t now_ns;    /* LOG: the reflector's CLOCK_REALTIME: all that came before is counted */
    unsigned n;        /* LOG: entries in this message */
    Arrival arrivals[SESSION_LOG_ENTRIES];
} SessionMessage;

/* Writes a message with its code; questions are filled up to SESSION_ASK_SIZE.
 * Returns its length, 0 if `room` is too small. */
size_t session_write(const SessionMessage *message, const Key *key, uint8_t *data, size_t room);

/* TRUE if it looks like a control message, whatever the key. */
bool session_is(const void *data, size_t length);

/* Reads a message. FALSE if it is none, broken, or the key does not fit. */
bool session_read(const void *data, size_t length, const Key *key, SessionMessage *message);
