/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted modem for tests of the drivers: the rig's modem behind a socket (QMI) or a pty (MBIM)
 * that the real libqmi and libmbim open, with a script that decides about each request.
 */
#pragma once

#include "logger/config.h"
#include "tests/rig/port.h"

typedef enum {
    PEER_ANSWER,
    PEER_HOLD,    /* until peer_release() */
    PEER_SWALLOW, /* never answered */
    PEER_REFUSE,  /* QMI error or MBIM status `refusal` */
} PeerAct;

/* A request as the modem sees it. QMI: service and message. MBIM: service 0 the link itself
 * (message 1 OPEN, 2 CLOSE), else MbimServiceId + 1 and the command's number. */
typedef struct {
    int service;
    guint message;
    int wanted; /* QMI, allocation of a client: the service; else -1 */
} PeerRequest;

typedef struct {
    Protocol protocol;
    char *device;       /* path to open; the proxy's path of QMI is in config */
    ConfigModem config; /* time-out 1 s */
    Scenario *scenario;
    World *world;
    RigModem modem;
    PeerAct (*script)(gpointer user, const PeerRequest *request); /* NULL: all is answered */
    gpointer user;
    guint16 refusal;
    GPtrArray *heard; /* "service/message" of each request, as hex */
    /* The rest is the peer's own. */
    GPtrArray *ports, *held;
    char *folder, *socket, *node;
    int listener, other;
    guint watch;
} Peer;

/* For a whole test program: a modem that is unplugged is a warning of the libraries', which ends no
 * test. */
void peer_quiet(void);

/* `mbimex` 1, 2 or 3. */
Peer *peer_new(Protocol protocol, int mbimex);
void peer_free(Peer *peer);

/* Scenario time goes on to t: its faults (SIM lost from 10 s to 20 s) begin and end. */
void peer_step(Peer *peer, double t);
/* What was held is answered now, in its order. Returns how many requests that were. */
guint peer_release(Peer *peer);
/* The modem goes; the device node with it. */
void peer_unplug(Peer *peer);
/* And comes back. */
void peer_plug(Peer *peer);
/* Sends the indications that were asked for. */
void peer_notify(Peer *peer, gboolean serving, gboolean levels);
/* How often a request was heard. */
guint peer_count(const Peer *peer, int service, guint message);
