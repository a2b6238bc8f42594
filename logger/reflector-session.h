/* SPDX-License-Identifier: Apache-2.0 */
/* The half of the reflector that holds meetings and trains. */
#pragma once

#include "logger/reflector.h"

typedef struct ReflectorSessions ReflectorSessions;

/* `config` and `counts` are borrowed until the free. */
ReflectorSessions *reflector_sessions_new(const ReflectorConfig *config, ReflectorCounts *counts,
                                          GMainContext *context);
void reflector_sessions_free(ReflectorSessions *sessions);

/* Takes one packet; `socket` is kept for the answers of its session. */
void reflector_sessions_packet(ReflectorSessions *sessions, UdpSocket *socket,
                               const UdpPacket *packet, gint64 now_ns);

/* Ends sessions that are over or have been silent for a minute. */
void reflector_sessions_clean(ReflectorSessions *sessions, gint64 now_ns);
unsigned reflector_sessions_count(const ReflectorSessions *sessions);
