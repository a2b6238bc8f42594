/* SPDX-License-Identifier: Apache-2.0 */
/* A reflector on loopback, asked by plain sockets: what it answers, and above all what it does not.
 */
#include "logger/reflector.h"

#include "logger/stamp-packet.h"
#include <string.h>
#include <unistd.h>

/* By process, so that two runs at a time do not meet. */
#define STAMP_TEST_PORT   ((guint16)(20000 + 2 * (getpid() % 10000)))
#define SESSION_TEST_PORT ((guint16)(STAMP_TEST_PORT + 1))

typedef struct {
    Key *key, *wrong;
    Peers *peers;
    Reflector *reflector;
    UdpSocket *stamp, *session;
    guint8 last[UDP_MAX_PACKET];
    gsize length;
    unsigned n;
    gsize bytes;
    int ttl;
} Fixture;

static UdpSocket *open_client(const char *address, guint16 port)
{
    UdpAddress peer;
    g_autoptr(GError) error = NULL;
    g_assert_true(udp_address_parse(address, port, &peer));
    const UdpOptions options = {.family = peer.address.ss_family, .peer = &peer, .ttl = 33};
    UdpSocket *socket = udp_open(&options, &error);
    g_assert_no_error(error);
    return socket;
}

static void set_up_with(Fixture *fixture, gboolean with_key, const char *network, double rate,
                        gboolean stateless)
{
    g_autoptr(GError) error = NULL;
    static const char *const listen[] = {"127.0.0.1", NULL};
    const char *networks[] = {network, NULL};
    memset(fixture, 0, sizeof *fixture);
    fixture->key = key_new("0123456789abcdef", 16);
    fixture->wrong = key_new("0123456789abcdeg", 16);
    fixture->peers = peers_new(network ? networks : NULL, &error);
    g_assert_no_error(error);
    ReflectorConfig config = reflector_config_default();
    config.key = with_key ? fixture->key : NULL;
    config.peers = fixture->peers;
    config.listen = listen;
    config.stamp_port = STAMP_TEST_PORT;
    config.session_port = SESSION_TEST_PORT;
    config.packets_per_s = rate;
    config.stateless = stateless;
    config.max_sessions = 2;
    config.max_duration_s = 100;
    fixture->reflector = reflector_new(&config, NULL, &error);
    g_assert_no_error(error);
    fixture->stamp = open_client("127.0.0.1", STAMP_TEST_PORT);
    fixture->session = open_client("127.0.0.1", SESSION_TEST_PORT);
}

static void tear_down(Fixture *fixture)
{
    reflector_free(fixture->reflector);
    udp_close(fixture->stamp);
    udp_close(fixture->session);
    peers_free(fixture->peers);
    key_free(fixture->key);
    key_free(fixture->wrong);
}

static void keep(const UdpPacket *packet, gpointer data)
{
    Fixture *fixture = data;
    memcpy(fixture->last, packet->data, packet->length);
    fixture->length = packet->length;
    fixture->ttl = packet->ttl;
    fixture->bytes += packet->length;
    fixture->n++;
}

/* Lets the reflector work for a while and takes what it says. Returns packets got. */
static unsigned settle(Fixture *fixture, UdpSocket *socket, int ms)
{
    fixture->n = 0;
    fixture->bytes = 0;
    gint64 end_us = g_get_monotonic_time() + ms * 1000;
    do {
        while (g_main_context_iteration(NULL, FALSE))
            ;
        (void)udp_receive(socket, 1000, keep, fixture, NULL);
        g_usleep(200);
    } while (g_get_monotonic_time() < end_us);
    return fixture->n;
}

/* Waits for n packets, at most 5 s: a busy machine may be slow. Returns packets got. */
static unsigned await(Fixture *fixture, UdpSocket *socket, unsigned n)
{
    unsigned got = 0;
    for (int i = 0; i < 500 && got < n; i++)
        got += settle(fixture, socket, 10);
    return got;
}

static unsigned ask(Fixture *fixture, UdpSocket *socket, const void *data, gsize length)
{
    g_assert_cmpint(udp_send(socket, data, length, NULL, NULL), ==, 0);
    return settle(fixture, socket, 30);
}

static void test_stamp_peer(void)
{
    Fixture fixture;
    guint8 data[STAMP_MAX_SIZE];
    StampReply reply;
    set_up_with(&fixture, FALSE, "127.0.0.0/8", 1000, FALSE);
    for (guint32 i = 0; i < 3; i++) { /* numbers 10, 20, 30 lost between: replies are 0, 1, 2 */
        gint64 before_ns = udp_realtime();
        StampRequest request = {.seq = 10 * (i + 1),
                                .time = stamp_time_encode(before_ns, false),
                                .error = 0x8001,
                                .ssid = 5};
        gsize length = stamp_request_write(&request, NULL, 92, data, sizeof data);
        g_assert_cmpuint(ask(&fixture, fixture.stamp, data, length), ==, 1);
        g_assert_cmpuint(fixture.length, ==, 92);
        g_assert_true(stamp_reply_read(fixture.last, fixture.length, NULL, &reply));
        g_assert_cmpuint(reply.seq, ==, i);
        g_assert_cmpuint(reply.sender_seq, ==, request.seq);
        g_assert_cmpuint(reply.sender_time, ==, request.time);
        g_assert_cmpuint(reply.sender_error, ==, 0x8001);
        g_assert_cmpuint(reply.ssid, ==, 5);
        g_assert_cmpuint(reply.sender_ttl, ==, 33);
        gint64 t2 = stamp_time_decode(reply.receive_time, false, before_ns);
        gint64 t3 = stamp_time_decode(reply.time, false, before_ns);
        g_assert_cmpint(t2, >=, before_ns - 1000);
        g_assert_cmpint(t3, >=, t2 - 1);
        g_assert_cmpint(t3, <=, udp_realtime());
    }
    g_assert_cmpuint(reflector_stamp_sessions(fixture.reflector), ==, 1);
    for (gsize length = 0; length < STAMP_SIZE; length++) /* short ones */
        g_assert_cmpint(udp_send(fixture.stamp, data, length, NULL, NULL), ==, 0);
    g_assert_cmpuint(settle(&fixture, fixture.stamp, 20), ==, 0);
    g_assert_cmpuint(ask(&fixture, fixture.stamp, data, STAMP_MAX_SIZE), ==, 1);
    g_assert_cmpuint(fixture.length, ==, STAMP_MAX_SIZE);
    tear_down(&fixture);
}

static void test_stamp_stateless(void)
{
    Fixture fixture;
    guint8 data[STAMP_SIZE];
    StampReply reply;
    StampRequest request = {.seq = 41};
    set_up_with(&fixture, FALSE, "127.0.0.1", 1000, TRUE);
    (void)stamp_request_write(&request, NULL, sizeof data, data, sizeof data);
    g_assert_cmpuint(ask(&fixture, fixture.stamp, data, sizeof data), ==, 1);
    g_assert_true(stamp_reply_read(fixture.last, fixture.length, NULL, &reply));
    g_assert_cmpuint(reply.seq, ==, 41);
    g_assert_cmpuint(reflector_stamp_sessions(fixture.reflector), ==, 0);
    tear_down(&fixture);
}

static void test_stamp_key(void)
{
    Fixture fixture;
    guint8 data[STAMP_AUTH_SIZE];
    StampReply reply;
    StampRequest request = {.seq = 1};
    set_up_with(&fixture, TRUE, "192.0.2.0/24", 1000, FALSE);
    (void)stamp_request_write(&request, fixture.key, sizeof data, data, sizeof data);
    g_assert_cmpuint(ask(&fixture, fixture.stamp, data, sizeof data), ==, 1);
    g_assert_cmpuint(fixture.length, ==, STAMP_AUTH_SIZE);
    g_assert_true(stamp_reply_read(fixture.last, fixture.length, fixture.key, &reply));
    /* the same again: a replay */
    g_assert_cmpuint(ask(&fixture, fixture.stamp, data, sizeof data), ==, 0);
    g_assert_cmpuint(reflector_counts(fixture.reflector).replayed, ==, 1);
    /* another key; no key and no peer */
    (void)stamp_request_write(&request, fixture.wrong, sizeof data, data, sizeof data);
    g_assert_cmpuint(ask(&fixture, fixture.stamp, data, sizeof data), ==, 0);
    g_assert_cmpuint(reflector_counts(fixture.reflector).wrong_key, ==, 1);
    (void)stamp_request_write(&request, NULL, STAMP_SIZE, data, sizeof data);
    g_assert_cmpuint(ask(&fixture, fixture.stamp, data, STAMP_SIZE), ==, 0);
    g_assert_cmpuint(reflector_counts(fixture.reflector).stranger, ==, 1);
    tear_down(&fixture);
}

/* 5000 packets in a burst: answered up to the rate, and never more bytes than came. */
static void test_flood(void)
{
    Fixture fixture;
    guint8 data[STAMP_SIZE];
    set_up_with(&fixture, TRUE, "127.0.0.1", 100, FALSE);
    unsigned answered = 0;
    gint64 start_us = g_get_monotonic_time();
    for (guint32 i = 0; i < 5000; i++) {
        StampRequest request = {.seq = i};
        (void)stamp_request_write(&request, NULL, sizeof data, data, sizeof data);
        (void)udp_send(fixture.stamp, data, sizeof data, NULL, NULL);
        if (i % 200 == 199)
            answered += settle(&fixture, fixture.stamp, 1);
    }
    answered += settle(&fixture, fixture.stamp, 20);
    ReflectorCounts counts = reflector_counts(fixture.reflector);
    g_assert_cmpuint(answered, >=, 100);
    double seconds = (double)(g_get_monotonic_time() - start_us) / 1e6;
    g_assert_cmpfloat(answered, <=, 100 + 100 * seconds + 1); /* the burst, and the rate */
    g_assert_cmpuint(counts.limited + answered, ==, counts.received);
    tear_down(&fixture);
}

/* Random bytes, and broken copies of good messages, at both doors: no answer, no crash. */
static void test_garbage(void)
{
    Fixture fixture;
    guint8 data[SESSION_MAX_SIZE];
    g_autofree SessionMessage *message = g_new0(SessionMessage, 1);
    set_up_with(&fixture, TRUE, NULL, 1e6, FALSE);
    for (int i = 0; i < 3000; i++) {
        gsize length = (gsize)g_test_rand_int_range(0, SESSION_MAX_SIZE);
        for (gsize at = 0; at < length; at++)
            data[at] = (guint8)g_test_rand_int();
        if (i % 2) { /* a good one, spoilt in one byte */
            message->type = (SessionType)g_test_rand_int_range(1, 9);
            message->session = 1;
            message->kind = SESSION_MEETING;
            length = session_write(message, fixture.key, data, sizeof data);
            data[g_test_rand_int_range(0, (int)length)] ^= 0x20;
        }
        (void)udp_send(i % 4 < 2 ? fixture.session : fixture.stamp, data, length, NULL, NULL);
        if (i % 100 == 0) {
            g_assert_cmpuint(settle(&fixture, fixture.session, 1), ==, 0);
            g_assert_cmpuint(settle(&fixture, fixture.stamp, 1), ==, 0);
        }
    }
    g_assert_cmpuint(reflector_sessions(fixture.reflector), ==, 0);
    tear_down(&fixture);
}

static gboolean tell(Fixture *fixture, SessionMessage *message, SessionMessage *reply)
{
    guint8 data[SESSION_MAX_SIZE];
    gsize length = session_write(message, fixture->key, data, sizeof data);
    return ask(fixture, fixture->session, data, length) > 0 &&
           session_read(fixture->last, fixture->length, fixture->key, reply);
}

static gboolean start(Fixture *fixture, guint64 id, SessionKind kind, guint32 duration_s,
                      SessionMessage *reply)
{
    g_autofree SessionMessage *message = g_new0(SessionMessage, 1);
    message->type = SESSION_HELLO;
    message->session = id;
    if (!tell(fixture, message, reply))
        return FALSE;
    g_assert_cmpint(reply->type, ==, SESSION_CHALLENGE);
    memcpy(message->cookie, reply->cookie, sizeof message->cookie);
    message->type = SESSION_START;
    message->kind = kind;
    message->shape = media_shape_default();
    message->duration_s = duration_s;
    return tell(fixture, message, reply);
}

static void test_session(void)
{
    Fixture fixture;
    guint8 data[SESSION_MAX_SIZE];
    g_autofree SessionMessage *reply = g_new0(SessionMessage, 1);
    g_autofree SessionMessage *message = g_new0(SessionMessage, 1);
    set_up_with(&fixture, TRUE, NULL, 1000, FALSE);
    /* START with a made-up cookie gets nothing. */
    message->type = SESSION_START;
    message->session = 9;
    message->kind = SESSION_TRAINS;
    message->duration_s = 10;
    g_assert_false(tell(&fixture, message, reply));
    g_assert_cmpuint(reflector_sessions(fixture.reflector), ==, 0);
    /* A session of trains. */
    g_assert_true(start(&fixture, 9, SESSION_TRAINS, 10, reply));
    g_assert_cmpint(reply->type, ==, SESSION_ACCEPT);
    g_assert_cmpint(reply->status, ==, SESSION_OK);
    guint64 token = reply->token;
    /* Up: three packets, one of them with a wrong token, are logged. */
    for (guint32 seq = 0; seq < 3; seq++) {
        MediaHeader header = {
            .stream = MEDIA_TRAIN, .token = seq == 1 ? token ^ 1 : token, .seq = seq};
        media_write(&header, data, MEDIA_HEADER_SIZE);
        g_assert_cmpuint(ask(&fixture, fixture.session, data, MEDIA_HEADER_SIZE), ==, 0);
    }
    message->type = SESSION_FETCH;
    message->from = 0;
    g_assert_true(tell(&fixture, message, reply));
    g_assert_cmpint(reply->type, ==, SESSION_LOG);
    g_assert_cmpuint(reply->total, ==, 2);
    g_assert_cmpuint(reply->arrivals[1].seq, ==, 2);
    g_assert_cmpint(reply->arrivals[1].stream, ==, MEDIA_TRAIN);
    /* Down: 100 packets of 1250 bytes at 20 Mbit/s take 50 ms. */
    message->type = SESSION_GO;
    message->train = 1;
    message->packets = 100;
    message->size = 1250;
    message->rate_bps = 20000000;
    (void)session_write(message, fixture.key, data, sizeof data);
    g_assert_cmpint(udp_send(fixture.session, data, SESSION_ASK_SIZE, NULL, NULL), ==, 0);
    g_assert_cmpuint(await(&fixture, fixture.session, 100), ==, 100);
    g_assert_cmpuint(settle(&fixture, fixture.session, 120), ==, 0);
    g_assert_cmpuint(fixture.length, ==, 1250 - MEDIA_IP_OVERHEAD);
    /* The same GO again is old; a train beyond the limits is refused. */
    g_assert_cmpint(udp_send(fixture.session, data, SESSION_ASK_SIZE, NULL, NULL), ==, 0);
    g_assert_cmpuint(settle(&fixture, fixture.session, 120), ==, 0);
    message->train = 2;
    message->packets = 4000;
    g_assert_true(tell(&fixture, message, reply));
    g_assert_cmpint(reply->status, ==, SESSION_TOO_BIG);
    message->packets = 100;
    message->rate_bps = 200000000;
    g_assert_true(tell(&fixture, message, reply));
    g_assert_cmpint(reply->status, ==, SESSION_TOO_BIG);
    g_assert_cmpuint(reflector_counts(fixture.reflector).refused, ==, 2);
    /* Places: two. */
    g_assert_true(start(&fixture, 10, SESSION_TRAINS, 10, reply));
    g_assert_true(start(&fixture, 11, SESSION_TRAINS, 10, reply));
    g_assert_cmpint(reply->status, ==, SESSION_BUSY);
    message->type = SESSION_STOP;
    message->session = 10;
    g_assert_false(tell(&fixture, message, reply));
    g_assert_cmpuint(reflector_sessions(fixture.reflector), ==, 1);
    g_assert_true(start(&fixture, 12, SESSION_TRAINS, 101, reply));
    g_assert_cmpint(reply->status, ==, SESSION_TOO_BIG);
    tear_down(&fixture);
}

/* A meeting sends by its plan; a session goes on from another address only with a new cookie. */
static void test_meeting(void)
{
    Fixture fixture;
    g_autofree SessionMessage *reply = g_new0(SessionMessage, 1);
    set_up_with(&fixture, TRUE, NULL, 1000, FALSE);
    g_assert_true(start(&fixture, 3, SESSION_MEETING, 60, reply));
    guint64 token = reply->token;
    gint64 begun_us = g_get_monotonic_time();
    unsigned n = await(&fixture, fixture.session, 180); /* 200 a second, 0.2 s after ACCEPT */
    double took_s = (double)(g_get_monotonic_time() - begun_us) / 1e6;
    g_assert_cmpuint(n, >=, 180);
    g_assert_cmpfloat(n, <=, 200 * took_s + 20);
    MediaHeader header;
    g_assert_true(media_read(fixture.last, fixture.length, &header));
    g_assert_cmpuint(header.token, ==, token);
    udp_close(fixture.session);
    fixture.session = open_client("127.0.0.1", SESSION_TEST_PORT); /* another port */
    g_assert_cmpuint(settle(&fixture, fixture.session, 50), ==, 0);
    guint8 data[MEDIA_HEADER_SIZE];
    header = (MediaHeader){.token = token}; /* the token alone does not move a session */
    media_write(&header, data, sizeof data);
    g_assert_cmpuint(ask(&fixture, fixture.session, data, sizeof data), ==, 0);
    g_assert_false(start(&fixture, 3, SESSION_MEETING, 60, reply) && reply->token != token);
    g_assert_cmpuint(await(&fixture, fixture.session, 21), >, 20);
    g_assert_cmpuint(reflector_counts(fixture.reflector).moved, ==, 1);
    g_assert_cmpuint(reflector_sessions(fixture.reflector), ==, 1);
    tear_down(&fixture);
}

static void test_limit(void)
{
    g_autoptr(Limit) limit = limit_new(10, 5, 16);
    UdpAddress a, b;
    g_assert_true(udp_address_parse("192.0.2.1", 1, &a));
    g_assert_true(udp_address_parse("2001:db8::1", 1, &b));
    for (int i = 0; i < 5; i++)
        g_assert_true(limit_take(limit, &a, 1, 0));
    g_assert_false(limit_take(limit, &a, 1, 0));
    g_assert_true(limit_take(limit, &b, 5, 0));
    g_assert_true(limit_take(limit, &a, 1, 100000000));
    g_assert_false(limit_take(limit, &a, 1, 100000000));
    /* Made up addresses cannot push out the one being served; the table stays as it is. */
    unsigned let_in = 0;
    for (int i = 0; i < 1000; i++) {
        g_autofree char *text = g_strdup_printf("198.51.%d.%d", i / 250, i % 250);
        UdpAddress other;
        g_assert_true(udp_address_parse(text, 1, &other));
        let_in += limit_take(limit, &other, 1, 200000000) != FALSE;
    }
    g_assert_cmpuint(let_in, <=, 14);
    g_assert_true(limit_take(limit, &a, 1, 300000000));
    /* Neighbours in one /64 are one customer. */
    UdpAddress c;
    g_assert_true(udp_address_parse("2001:db8::2", 1, &c));
    g_assert_false(limit_take(limit, &c, 5, 1000));
}

static void test_peers(void)
{
    static const char *const networks[] = {"192.0.2.0/24", "2001:db8:1::/48", "10.1.2.3", NULL};
    static const char *const broken[] = {"192.0.2.0/33", NULL};
    static const struct {
        const char *address;
        gboolean in;
    } rows[] = {{"192.0.2.255", TRUE}, {"192.0.3.0", FALSE},      {"10.1.2.3", TRUE},
                {"10.1.2.4", FALSE},   {"2001:db8:1:9::1", TRUE}, {"2001:db8:2::1", FALSE}};
    g_autoptr(Peers) peers = peers_new(networks, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        UdpAddress address;
        g_assert_true(udp_address_parse(rows[i].address, 1, &address));
        g_assert_cmpint(peers_have(peers, &address), ==, rows[i].in);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(peers_new(broken, &error));
    g_assert_nonnull(error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reflector/limit", test_limit);
    g_test_add_func("/reflector/peers", test_peers);
    g_test_add_func("/reflector/stamp-peer", test_stamp_peer);
    g_test_add_func("/reflector/stamp-stateless", test_stamp_stateless);
    g_test_add_func("/reflector/stamp-key", test_stamp_key);
    g_test_add_func("/reflector/flood", test_flood);
    g_test_add_func("/reflector/garbage", test_garbage);
    g_test_add_func("/reflector/session", test_session);
    g_test_add_func("/reflector/meeting", test_meeting);
    return g_test_run();
}
