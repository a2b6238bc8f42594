/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of a client, as a socket or a pty: takes frames apart, hands them to the session,
 * and sends what the session answers, spoiled as the scenario's faults say.
 */
#pragma once

#include "tests/rig/modem.h"
#include "tests/rig/spoil.h"

typedef struct {
    /* The modem with that device node; NULL if there is none or it is gone. */
    RigModem *(*find)(gpointer user, const char *path);
    /* The other end is gone: the owner frees the port. */
    void (*closed)(gpointer user, Port *port);
    gpointer user;
    /* FALSE: the modem does not get to see this frame. NULL: it sees all. */
    gboolean (*admit)(gpointer user, Port *port, const guint8 *frame, gsize length);
} PortOwner;

/* Takes `fd`. `modem` NULL: the client names its device first, as it does to the proxies. */
Port *port_new(int fd, Framing framing, RigModem *modem, const PortOwner *owner);
/* Closes. NULL is allowed. */
void port_free(Port *port);

/* The modem sees a frame that was held back. */
void port_handle(Port *port, const guint8 *frame, gsize length);
/* Sends a frame of the caller's making to the client. */
void port_send(Port *port, const GByteArray *frame);
/* Sends the indications the client asked for. */
void port_notify(Port *port, gboolean serving, gboolean levels);
RigModem *port_modem(const Port *port);

/* Listens on an abstract socket. Returns -1 with `error` set. */
int port_listen(const char *name, GError **error);
/* Opens a pty in raw mode; its name goes to `path` (transfer full). `other` is the slave's end, to
 * be kept open so that a closing client is no hang-up. Returns the master or -1. */
int port_pty(char **path, int *other, GError **error);
