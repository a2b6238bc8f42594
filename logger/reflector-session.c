/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/reflector-session.h"

#include "logger/pace.h"
#include "logger/utc-quality.h"
#include <errno.h>
#include <string.h>

#define NS_PER_S       G_GINT64_CONSTANT(1000000000)
#define SLOT_NS        (16 * NS_PER_S) /* a cookie holds for this and the slot after */
#define SILENT_NS      (10 * NS_PER_S) /* the stream down pauses */
#define IDLE_NS        (60 * NS_PER_S) /* the session ends */
#define START_NS       (NS_PER_S / 5)  /* from ACCEPT to the first packet down */
#define LOG_SIZE       4096            /* arrivals remembered */
#define TRAIN_TICK_NS  G_GINT64_CONSTANT(1000000)
#define TRAIN_PAUSE_NS (NS_PER_S / 10) /* between two trains down of one session */
#define CONTROL_PER_S  200 /* control messages looked at for one address: eight meetings ask 40 */
#define ADDRESSES      4096
#define LATE_NS        NS_PER_S /* packets this late are not sent any more */

typedef struct {
    guint64 id, token;
    ReflectorSessions *owner;
    UdpSocket *socket; /* (borrowed) the one it came on */
    UdpAddress peer, own;
    SessionKind kind;
    MediaShape shape;
    gint64 start_mono_ns, start_ns, used_ns, end_ns;
    MediaCursor cursor;
    Pace *pace;
    gboolean echo;
    guint32 echo_seq;
    gint64 echo_arrived_ns;
    Arrival *log; /* ring of LOG_SIZE */
    guint32 total;
    SessionMessage go; /* the train being sent; packets = 0: none */
    guint32 train_sent;
    gint64 train_start_ns, train_end_ns;
} Session;

struct ReflectorSessions {
    const ReflectorConfig *config;
    ReflectorCounts *counts;
    GMainContext *context;
    Limit *limit;
    GHashTable *by_id;      /* owns the sessions */
    GHashTable *by_token;   /* borrows them */
    Key *secret;            /* of this run: makes cookies and tokens */
    SessionMessage in, out; /* scratch: they are large */
};

static void session_free(gpointer data)
{
    Session *session = data;
    g_hash_table_remove(session->owner->by_token, &session->token);
    pace_free(session->pace);
    g_free(session->log);
    g_free(session);
}

ReflectorSessions *reflector_sessions_new(const ReflectorConfig *config, ReflectorCounts *counts,
                                          GMainContext *context)
{
    guint32 random[8];
    ReflectorSessions *sessions = g_new0(ReflectorSessions, 1);
    sessions->config = config;
    sessions->counts = counts;
    sessions->context = context;
    sessions->limit = limit_new(CONTROL_PER_S, 2 * CONTROL_PER_S, ADDRESSES);
    sessions->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, session_free);
    sessions->by_token = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (unsigned i = 0; i < G_N_ELEMENTS(random); i++)
        random[i] = g_random_int();
    sessions->secret = key_new(random, sizeof random);
    return sessions;
}

void reflector_sessions_free(ReflectorSessions *sessions)
{
    if (!sessions)
        return;
    g_hash_table_unref(sessions->by_id);
    g_hash_table_unref(sessions->by_token);
    limit_free(sessions->limit);
    key_free(sessions->secret);
    g_free(sessions);
}

unsigned reflector_sessions_count(const ReflectorSessions *sessions)
{
    return g_hash_table_size(sessions->by_id);
}

/* A cookie binds address, port and session to a stretch of time, without state. */
static void make_cookie(const ReflectorSessions *sessions, const UdpAddress *from, guint64 session,
                        gint64 slot, guint8 cookie[SESSION_COOKIE_SIZE])
{
    struct {
        guint64 session;
        gint64 slot;
        guint8 address[sizeof(struct sockaddr_in6)];
    } input;
    memset(&input, 0, sizeof input);
    input.session = session;
    input.slot = slot;
    memcpy(input.address, &from->address, MIN(from->length, sizeof input.address));
    G_STATIC_ASSERT(SESSION_COOKIE_SIZE == KEY_MAC_SIZE);
    key_mac(sessions->secret, &input, sizeof input, cookie);
}

static void answer(ReflectorSessions *sessions, UdpSocket *socket, const UdpPacket *packet)
{
    guint8 data[SESSION_MAX_SIZE];
    size_t length = session_write(&sessions->out, sessions->config->key, data, sizeof data);
    if (length == 0 || udp_send(socket, data, length, &packet->from, &packet->to) != 0)
        sessions->counts->send_error++;
}

static void begin_answer(ReflectorSessions *sessions, SessionType type)
{
    sessions->out.type = type;
    sessions->out.session = sessions->in.session;
    sessions->out.nonce = sessions->in.nonce;
}

static gboolean cookie_good(const ReflectorSessions *sessions, const UdpPacket *packet,
                            gint64 now_ns)
{
    guint8 cookie[SESSION_COOKIE_SIZE];
    for (gint64 slot = now_ns / SLOT_NS; slot >= now_ns / SLOT_NS - 1; slot--) {
        make_cookie(sessions, &packet->from, sessions->in.session, slot, cookie);
        if (memcmp(cookie, sessions->in.cookie, sizeof cookie) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Media packet `seq` of a stream, with the echo that gives the other end its round trips. */
static void put_media(Session *session, MediaStream stream, guint32 seq, guint32 train,
                      guint8 *data, gsize payload)
{
    MediaHeader header = {
        .stream = stream,
        .token = session->token,
        .seq = seq,
        .train = train,
        .sent_ns = udp_realtime(),
        .echo = session->echo,
        .echo_seq = session->echo_seq,
        .echo_arrived_ns = session->echo_arrived_ns,
    };
    memset(data + MEDIA_HEADER_SIZE, 0, payload - MEDIA_HEADER_SIZE);
    media_write(&header, data, MEDIA_HEADER_SIZE);
    if (stream == MEDIA_AUDIO)
        session->echo = FALSE; /* each arrival is echoed once */
}

static void send_out(Session *session, const UdpOut *packets, unsigned n)
{
    unsigned sent = udp_send_many(session->socket, packets, n, &session->peer, &session->own, NULL);
    session->owner->counts->media_out += sent;
    session->owner->counts->send_error += n - sent;
}

/* Sends what of the meeting is due. Returns the next deadline, 0 at the end. */
static gint64 meeting_tick(gint64 now_ns, gpointer data)
{
    Session *session = data;
    guint8 room[UDP_BATCH][MEDIA_MAX_SIZE];
    UdpOut packets[UDP_BATCH];
    unsigned n = 0;
    gboolean silent = now_ns - session->used_ns > SILENT_NS;
    if (now_ns >= session->end_ns)
        return 0;
    while (session->start_mono_ns + media_due_ns(&session->shape, &session->cursor) <= now_ns) {
        MediaPacket packet = media_next(&session->shape, &session->cursor);
        if (silent || now_ns - session->start_mono_ns - packet.offset_ns > LATE_NS)
            continue;
        put_media(session, packet.stream, packet.seq, 0, room[n], packet.payload);
        packets[n] = (UdpOut){room[n], packet.payload};
        if (++n == UDP_BATCH) {
            send_out(session, packets, n);
            n = 0;
        }
    }
    if (n > 0)
        send_out(session, packets, n);
    return session->start_mono_ns + media_due_ns(&session->shape, &session->cursor);
}

static gint64 train_tick(gint64 now_ns, gpointer data)
{
    Session *session = data;
    SessionMessage *go = &session->go;
    guint8 room[UDP_BATCH][MEDIA_MAX_SIZE];
    UdpOut packets[UDP_BATCH];
    unsigned payload = go->size - MEDIA_IP_OVERHEAD;
    /* A slow train could outlast who asked for it. */
    if (now_ns - session->used_ns > SILENT_NS || now_ns >= session->end_ns) {
        go->packets = session->train_sent;
        session->train_end_ns = now_ns;
        return 0;
    }
    double due = (double)(now_ns - session->train_start_ns) * (double)go->rate_bps / 8e9 / go->size;
    guint32 until = due + 1 >= go->packets ? go->packets : (guint32)due + 1;
    while (session->train_sent < until) {
        unsigned n = 0;
        while (n < UDP_BATCH && session->train_sent < until) {
            put_media(session, MEDIA_TRAIN, session->train_sent++, go->train, room[n], payload);
            packets[n] = (UdpOut){room[n], payload};
            n++;
        }
        send_out(session, packets, n);
    }
    if (session->train_sent == go->packets) {
        session->train_end_ns = now_ns;
        return 0;
    }
    gint64 next_ns = session->train_start_ns +
                     (gint64)(8e9 * session->train_sent * (double)go->size / (double)go->rate_bps);
    return MAX(next_ns, now_ns + TRAIN_TICK_NS);
}

static SessionStatus grant(const ReflectorSessions *sessions)
{
    const SessionMessage *in = &sessions->in;
    const ReflectorConfig *config = sessions->config;
    if (g_hash_table_size(sessions->by_id) >= config->max_sessions)
        return SESSION_BUSY;
    if (in->duration_s == 0 || in->duration_s > config->max_duration_s)
        return SESSION_TOO_BIG;
    if (in->kind == SESSION_MEETING &&
        (!media_shape_valid(&in->shape) ||
         8 * media_bytes_per_s(&in->shape) > (double)config->max_rate_bps))
        return SESSION_TOO_BIG;
    return SESSION_OK;
}

static Session *session_begin(ReflectorSessions *sessions, gint64 now_ns)
{
    guint8 mac[KEY_MAC_SIZE];
    guint64 seed[3] = {sessions->in.session, (guint64)now_ns,
                       (guint64)g_random_int() << 32 | g_random_int()};
    Session *session = g_new0(Session, 1);
    key_mac(sessions->secret, seed, sizeof seed, mac);
    memcpy(&session->token, mac, sizeof session->token);
    session->id = sessions->in.session;
    session->owner = sessions;
    session->kind = sessions->in.kind;
    session->shape = sessions->in.shape;
    session->log = g_new0(Arrival, LOG_SIZE);
    session->start_mono_ns = now_ns + START_NS;
    session->start_ns = session->start_mono_ns + udp_to_realtime();
    session->end_ns = now_ns + START_NS + sessions->in.duration_s * NS_PER_S;
    session->used_ns = now_ns;
    if (session->kind == SESSION_MEETING)
        session->pace =
            pace_new(sessions->context, session->start_mono_ns, meeting_tick, session, NULL);
    g_hash_table_insert(sessions->by_id, &session->id, session);
    g_hash_table_insert(sessions->by_token, &session->token, session);
    sessions->counts->sessions++;
    return session;
}

/* START: a new session, or one that goes on, perhaps from another address. A repeated START gets
 * the same answer. */
static void on_start(ReflectorSessions *sessions, UdpSocket *socket, const UdpPacket *packet,
                     gint64 now_ns)
{
    if (!cookie_good(sessions, packet, now_ns)) {
        sessions->counts->replayed++;
        return;
    }
    begin_answer(sessions, SESSION_ACCEPT);
    Session *session = g_hash_table_lookup(sessions->by_id, &sessions->in.session);
    sessions->out.status = session ? SESSION_OK : grant(sessions);
    sessions->out.synchronised = utc_quality_good(utc_quality());
    if (sessions->out.status != SESSION_OK) {
        sessions->counts->refused++;
        sessions->out.token = 0;
        sessions->out.start_ns = 0;
        sessions->out.duration_s = 0;
        answer(sessions, socket, packet);
        return;
    }
    if (!session)
        session = session_begin(sessions, now_ns);
    else if (!udp_address_equal(&session->peer, &packet->from))
        sessions->counts->moved++;
    session->socket = socket;
    session->peer = packet->from;
    session->own = packet->to;
    session->used_ns = now_ns;
    sessions->out.token = session->token;
    sessions->out.start_ns = session->start_ns;
    sessions->out.duration_s = (guint32)(MAX(session->end_ns - now_ns, 0) / NS_PER_S);
    answer(sessions, socket, packet);
}

static void on_go(ReflectorSessions *sessions, Session *session, UdpSocket *socket,
                  const UdpPacket *packet, gint64 now_ns)
{
    const SessionMessage *in = &sessions->in;
    const ReflectorConfig *config = sessions->config;
    gboolean running = session->go.packets > 0 && session->train_sent < session->go.packets;
    if (session->kind != SESSION_TRAINS || running || in->train <= session->go.train ||
        now_ns - session->train_end_ns < TRAIN_PAUSE_NS || now_ns >= session->end_ns)
        return;
    if (in->packets == 0 || in->packets > LOG_SIZE || in->rate_bps == 0 ||
        in->rate_bps > config->max_rate_bps || in->size < MEDIA_HEADER_SIZE + MEDIA_IP_OVERHEAD ||
        in->size > MEDIA_MAX_SIZE + MEDIA_IP_OVERHEAD ||
        (guint64)in->packets * in->size > config->max_train_bytes) {
        sessions->counts->refused++;
        begin_answer(sessions, SESSION_ACCEPT);
        sessions->out.status = SESSION_TOO_BIG;
        answer(sessions, socket, packet);
        return;
    }
    session->go = *in;
    session->train_sent = 0;
    session->train_start_ns = now_ns;
    pace_free(session->pace);
    session->pace = pace_new(sessions->context, now_ns, train_tick, session, NULL);
}

static void on_fetch(ReflectorSessions *sessions, const Session *session, UdpSocket *socket,
                     const UdpPacket *packet)
{
    SessionMessage *out = &sessions->out;
    guint32 oldest = session->total > LOG_SIZE ? session->total - LOG_SIZE : 0;
    begin_answer(sessions, SESSION_LOG);
    out->from = MAX(sessions->in.from, oldest);
    out->total = session->total;
    out->now_ns = udp_realtime();
    out->n = 0;
    for (guint32 i = out->from; i < session->total && out->n < SESSION_LOG_ENTRIES; i++)
        out->arrivals[out->n++] = session->log[i % LOG_SIZE];
    answer(sessions, socket, packet);
}

static void on_control(ReflectorSessions *sessions, UdpSocket *socket, const UdpPacket *packet,
                       gint64 now_ns)
{
    if (!limit_take(sessions->limit, &packet->from, 1, now_ns)) {
        sessions->counts->limited++;
        return;
    }
    if (!session_read(packet->data, packet->length, sessions->config->key, &sessions->in)) {
        sessions->counts->wrong_key++;
        return;
    }
    if (sessions->in.type == SESSION_HELLO) {
        begin_answer(sessions, SESSION_CHALLENGE);
        make_cookie(sessions, &packet->from, sessions->in.session, now_ns / SLOT_NS,
                    sessions->out.cookie);
        answer(sessions, socket, packet);
        return;
    }
    if (sessions->in.type == SESSION_START) {
        on_start(sessions, socket, packet, now_ns);
        return;
    }
    Session *session = g_hash_table_lookup(sessions->by_id, &sessions->in.session);
    if (!session || !udp_address_equal(&session->peer, &packet->from)) {
        sessions->counts->stranger++;
        return;
    }
    session->used_ns = now_ns;
    if (sessions->in.type == SESSION_GO)
        on_go(sessions, session, socket, packet, now_ns);
    else if (sessions->in.type == SESSION_FETCH)
        on_fetch(sessions, session, socket, packet);
    else if (sessions->in.type == SESSION_STOP)
        g_hash_table_remove(sessions->by_id, &sessions->in.session);
}

static void on_media(ReflectorSessions *sessions, const UdpPacket *packet, gint64 now_ns)
{
    MediaHeader header;
    if (!media_read(packet->data, packet->length, &header)) {
        sessions->counts->malformed++;
        return;
    }
    Session *session = g_hash_table_lookup(sessions->by_token, &header.token);
    if (!session || !udp_address_equal(&session->peer, &packet->from)) {
        sessions->counts->stranger++;
        return;
    }
    sessions->counts->media_in++;
    session->used_ns = now_ns;
    session->log[session->total++ % LOG_SIZE] =
        (Arrival){.stream = header.stream, .seq = header.seq, .arrived_ns = packet->arrived_ns};
    if (header.stream == MEDIA_AUDIO) {
        session->echo = TRUE;
        session->echo_seq = header.seq;
        session->echo_arrived_ns = packet->arrived_ns;
    }
}

void reflector_sessions_packet(ReflectorSessions *sessions, UdpSocket *socket,
                               const UdpPacket *packet, gint64 now_ns)
{
    sessions->counts->received++;
    if (session_is(packet->data, packet->length))
        on_control(sessions, socket, packet, now_ns);
    else
        on_media(sessions, packet, now_ns);
}

static gboolean is_over(gpointer key, gpointer value, gpointer data)
{
    const Session *session = value;
    gint64 now_ns = *(const gint64 *)data;
    (void)key;
    return now_ns - session->used_ns > IDLE_NS || now_ns > session->end_ns + SILENT_NS;
}

void reflector_sessions_clean(ReflectorSessions *sessions, gint64 now_ns)
{
    (void)g_hash_table_foreach_remove(sessions->by_id, is_over, &now_ns);
}
