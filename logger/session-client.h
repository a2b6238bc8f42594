/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logger's end of a session with a reflector: finds it, proves itself, keeps the session over
 * outages and changes of address.
 */
#pragma once

#include "logger/probe.h"
#include "logger/session-wire.h"
#include "logger/udp.h"

typedef struct SessionClient SessionClient;

typedef struct {
    /* The session stands: the first time, or again after session_client_renew(). */
    void (*established)(gboolean again, gpointer data);
    /* It could not be set up: "dns", "no-answer", "busy", "too-big", "no-interface", or it was
     * lost: "session-lost". The client may be freed from here. `detail` is for people. */
    void (*failed)(const char *reason, const char *detail, gpointer data);
    void (*media)(const MediaHeader *header, const UdpPacket *packet, gpointer data);
    void (*log)(const SessionMessage *message, const UdpPacket *packet, gpointer data);
} SessionEvents;

/* Begins at once. `run` gives modem, settings and main context and must outlive the client; its
 * byte counts are kept.
 * Returns: (transfer full). */
SessionClient *session_client_new(ProbeRun *run, SessionKind kind, guint32 duration_s,
                                  const SessionEvents *events, gpointer data);
/* Says STOP if a session stands. NULL is allowed. */
void session_client_free(SessionClient *client);

/* Of a standing session: token, start_ns, synchronised, duration_s. */
const SessionMessage *session_client_grant(const SessionClient *client);
/* From the first HELLO to the first ACCEPT, the name's look-up before it included, ms. */
double session_client_setup_ms(const SessionClient *client);
/* When the reflector's stream begins, CLOCK_MONOTONIC here, as well as the handshake tells. */
gint64 session_client_start_mono(const SessionClient *client);

/* Reads what has come; events are called from here. */
void session_client_receive(SessionClient *client);
/* When something genuine came last, CLOCK_MONOTONIC. */
gint64 session_client_heard(const SessionClient *client);
gboolean session_client_stands(const SessionClient *client);

/* Sends media packets. Returns how many went out; ENODEV and the like in `trouble`. */
unsigned session_client_send(SessionClient *client, const UdpOut *packets, unsigned n,
                             int *trouble);
void session_client_fetch(SessionClient *client, guint32 from);
void session_client_go(SessionClient *client, guint32 train, guint32 packets, guint32 size,
                       guint64 rate_bps);

/* Nothing comes any more: another socket, and the handshake again for the same session. */
void session_client_renew(SessionClient *client);
