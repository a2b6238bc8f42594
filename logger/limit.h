/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask a reflector, and how often: networks that are peers, and a bounded table of token
 * buckets by address (IPv6: by /64, which is one customer).
 */
#pragma once

#include "logger/udp.h"

typedef struct Peers Peers;

/* Reads networks like "192.0.2.0/24" or "2001:db8::1".
 * Returns: (transfer full). */
Peers *peers_new(const char *const *networks, GError **error);
/* NULL is allowed. */
void peers_free(Peers *peers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peers, peers_free)
gboolean peers_have(const Peers *peers, const UdpAddress *address);

typedef struct Limit Limit;

/* rate_per_s tokens a second up to `burst` for each address; at most `addresses` remembered. When
 * all are in use, new addresses are refused until one has been silent for 10 s: a flood from made
 * up addresses cannot push out those who are being served.
 * Returns: (transfer full). */
Limit *limit_new(double rate_per_s, double burst, unsigned addresses);
/* NULL is allowed. */
void limit_free(Limit *limit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Limit, limit_free)
/* Takes `cost` tokens of the address. FALSE if there are not enough. */
gboolean limit_take(Limit *limit, const UdpAddress *address, double cost, gint64 now_ns);
