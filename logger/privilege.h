/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the logger may do beyond its user (the reflector nothing, once its ports are bound): open
 * packet sockets (CAP_NET_RAW), and that only for the moment in which it does. Modems come and go,
 * so it cannot be given up for good. Source: capabilities(7). Sets belong to a thread; a new thread
 * has those of the one that made it.
 */
#pragma once

#include <glib.h>

/* To be called before there are threads. Keeps CAP_NET_RAW, if the process has it, as something it
 * may take up, and gives up all else: what is in effect, inherited, ambient; the bounding set as
 * far as the process may; and that programs it starts may gain any. */
void privilege_drop(void);

/* The same, and CAP_NET_RAW goes, too: nothing is left. */
void privilege_drop_all(void);

/* Takes CAP_NET_RAW up in this thread, where the process has it. */
void privilege_raise(void);

/* Lays it down again. */
void privilege_lower(void);
