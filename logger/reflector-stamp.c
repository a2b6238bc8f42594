/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/reflector-stamp.h"

#include "logger/utc-quality.h"
#include <string.h>

#define IDLE_NS      G_GINT64_CONSTANT(60000000000)
#define MAX_SESSIONS 4096
#define REPLAY_SLOTS 16384 /* a power of two */
#define ADDRESSES    4096

/* One sender: what makes it a session (RFC 8972, 3), and the number of its next reply. */
typedef struct {
    guint8 address[16];
    guint16 port;
    guint16 ssid;
    guint32 family;
} StampName;

typedef struct {
    StampName name; /* first: it is the key of the table */
    guint32 next;
    gint64 used_ns;
} StampSession;

struct ReflectorStamp {
    const ReflectorConfig *config;
    ReflectorCounts *counts;
    Limit *limit;
    GHashTable *sessions;
    guint64 *seen; /* start of the code of authenticated packets, by its own bits */
};

static guint name_hash(gconstpointer data)
{
    guint64 words[3];
    memcpy(words, data, sizeof words);
    guint64 mixed =
        (words[0] ^ words[1] * 31 ^ words[2] * 131) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return (guint)(mixed >> 32);
}

static gboolean name_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(StampName)) == 0;
}

G_STATIC_ASSERT(sizeof(StampName) == 24);

ReflectorStamp *reflector_stamp_new(const ReflectorConfig *config, ReflectorCounts *counts)
{
    ReflectorStamp *stamp = g_new0(ReflectorStamp, 1);
    stamp->config = config;
    stamp->counts = counts;
    stamp->limit = limit_new(config->packets_per_s, config->packets_per_s, ADDRESSES);
    stamp->sessions = g_hash_table_new_full(name_hash, name_equal, g_free, NULL);
    stamp->seen = g_new0(guint64, REPLAY_SLOTS);
    return stamp;
}

void reflector_stamp_free(ReflectorStamp *stamp)
{
    if (!stamp)
        return;
    limit_free(stamp->limit);
    g_hash_table_unref(stamp->sessions);
    g_free(stamp->seen);
    g_free(stamp);
}

static StampName name_of(const UdpAddress *from, guint16 ssid)
{
    StampName name = {.port = udp_address_port(from), .ssid = ssid};
    name.family = from->address.ss_family;
    if (from->address.ss_family == AF_INET)
        memcpy(name.address, &((const struct sockaddr_in *)(const void *)&from->address)->sin_addr,
               4);
    else
        memcpy(name.address,
               &((const struct sockaddr_in6 *)(const void *)&from->address)->sin6_addr, 16);
    return name;
}

/* The number of the reply: our own count of a session, or the sender's where there is no room for
 * another session: then it cannot tell the ways of a loss apart, but is answered. */
static guint32 reply_number(ReflectorStamp *stamp, const UdpAddress *from,
                            const StampRequest *request, gint64 now_ns)
{
    if (stamp->config->stateless)
        return request->seq;
    StampName name = name_of(from, request->ssid);
    StampSession *session = g_hash_table_lookup(stamp->sessions, &name);
    if (!session) {
        if (g_hash_table_size(stamp->sessions) >= MAX_SESSIONS)
            return request->seq;
        session = g_new0(StampSession, 1);
        session->name = name;
        g_hash_table_add(stamp->sessions, session);
    }
    session->used_ns = now_ns;
    return session->next++;
}

/* Exact repetition of an authenticated packet. */
static gboolean is_replay(ReflectorStamp *stamp, const UdpPacket *packet)
{
    guint64 code;
    memcpy(&code, packet->data + STAMP_AUTH_SIZE - KEY_MAC_SIZE, sizeof code);
    guint64 *slot = &stamp->seen[code & (REPLAY_SLOTS - 1)];
    if (*slot == code)
        return TRUE;
    *slot = code;
    return FALSE;
}

/* Reads the request as the opt-in of its sender allows: `key` is set to the key it was read with,
 * NULL for a peer's without. */
static gboolean admit(ReflectorStamp *stamp, const UdpPacket *packet, StampRequest *request,
                      const Key **key)
{
    const ReflectorConfig *config = stamp->config;
    *key = config->key;
    if (config->key && stamp_request_read(packet->data, packet->length, config->key, request)) {
        if (!is_replay(stamp, packet))
            return TRUE;
        stamp->counts->replayed++;
        return FALSE;
    }
    *key = NULL;
    if (peers_have(config->peers, &packet->from) &&
        stamp_request_read(packet->data, packet->length, NULL, request))
        return TRUE;
    if (config->key && packet->length >= STAMP_AUTH_SIZE)
        stamp->counts->wrong_key++;
    else
        stamp->counts->stranger++;
    return FALSE;
}

void reflector_stamp_packet(ReflectorStamp *stamp, UdpSocket *socket, const UdpPacket *packet,
                            gint64 now_ns)
{
    guint8 answer[STAMP_MAX_SIZE];
    StampRequest request;
    const Key *key;
    stamp->counts->received++;
    if (packet->length < STAMP_SIZE || packet->length > STAMP_MAX_SIZE) {
        stamp->counts->malformed++;
        return;
    }
    if (!limit_take(stamp->limit, &packet->from, 1, now_ns)) {
        stamp->counts->limited++;
        return;
    }
    if (!admit(stamp, packet, &request, &key))
        return;
    StampClock clock = utc_quality();
    clock.ptp = stamp_error_decode(request.error).ptp; /* answer in the sender's format */
    StampReply reply = {
        .seq = reply_number(stamp, &packet->from, &request, now_ns),
        .error = stamp_error_encode(clock),
        .ssid = request.ssid,
        .receive_time = stamp_time_encode(packet->arrived_ns, clock.ptp),
        .sender_seq = request.seq,
        .sender_time = request.time,
        .sender_error = request.error,
        .sender_ttl = (guint8)CLAMP(packet->ttl, 0, 255),
    };
    reply.time = stamp_time_encode(udp_realtime(), clock.ptp);
    size_t length =
        stamp_reply_write(&reply, key, packet->data, packet->length, answer, sizeof answer);
    if (length > 0 && udp_send(socket, answer, length, &packet->from, &packet->to) == 0)
        stamp->counts->answered++;
    else
        stamp->counts->send_error++;
}

static gboolean is_idle(gpointer key, gpointer value, gpointer data)
{
    (void)value;
    return *(const gint64 *)data - ((const StampSession *)key)->used_ns > IDLE_NS;
}

void reflector_stamp_clean(ReflectorStamp *stamp, gint64 now_ns)
{
    (void)g_hash_table_foreach_remove(stamp->sessions, is_idle, &now_ns);
}

unsigned reflector_stamp_count(const ReflectorStamp *stamp)
{
    return g_hash_table_size(stamp->sessions);
}
