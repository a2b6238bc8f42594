/* SPDX-License-Identifier: Apache-2.0 */
/* The STAMP half of the reflector. */
#pragma once

#include "logger/reflector.h"

typedef struct ReflectorStamp ReflectorStamp;

/* `config` and `counts` are borrowed until the free. */
ReflectorStamp *reflector_stamp_new(const ReflectorConfig *config, ReflectorCounts *counts);
void reflector_stamp_free(ReflectorStamp *stamp);

/* Answers one packet, or drops it and counts why. */
void reflector_stamp_packet(ReflectorStamp *stamp, UdpSocket *socket, const UdpPacket *packet,
                            gint64 now_ns);

/* Forgets sessions that have been silent for a minute. */
void reflector_stamp_clean(ReflectorStamp *stamp, gint64 now_ns);
unsigned reflector_stamp_count(const ReflectorStamp *stamp);
