/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reflector behind its decoding: a row of datagrams from several addresses, at any times, into
 * its STAMP and session halves. Sockets, clocks and timers are made here (--wrap), so that what is
 * promised can be held against every packet that leaves: to whom, how large, how fast, how long.
 */
#include "formats/bytes.h"
#include "logger/pace.h"
#include "logger/reflector-session.h"
#include "logger/reflector-stamp.h"
#include "logger/stamp-packet.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NS_PER_S     G_GINT64_CONSTANT(1000000000)
#define COOKIE_NS    (32 * NS_PER_S)
#define SILENT_NS    (10 * NS_PER_S)
#define MAX_RATE_BPS 2000000

enum {
    MAX_SESSIONS = 2,
    MAX_TRAIN = 200000,
    MAX_DURATION_S = 100,
    PLACES = 6, /* addresses that send */
    NAMES = 3,  /* sessions */
    COOKIES = 64,
    KEPT = 8, /* packets that may come again */
    STEPS = 64,
    FLOODS = 1, /* of one input: many media packets at once */
};

typedef struct {
    gint64 at_ns;
    guint place, name;
    guint8 cookie[SESSION_COOKIE_SIZE];
} Issued;

struct Pace {
    PaceFunc func;
    gpointer data;
    gint64 begun_ns, next_ns;
    guint64 bytes; /* of IP, sent from within it */
};

static struct {
    ReflectorConfig config;
    ReflectorCounts counts;
    ReflectorSessions *sessions;
    ReflectorStamp *stamp;
    Key *key, *wrong;
    Peers *peers;
    gint64 now_ns;
    GPtrArray *paces;
    Pace *running;
    UdpPacket packet; /* that is being answered; length 0: none */
    gboolean is_stamp;
    guint place;
    UdpAddress places[PLACES];
    gint64 heard_ns[PLACES], end_ns[PLACES]; /* end: of what was granted there */
    Issued issued[COOKIES];
    guint n_issued;
    guint64 token[NAMES];
    guint8 kept[KEPT][UDP_MAX_PACKET];
    gsize kept_length[KEPT];
    guint n_kept, n_floods;
} w;

/* ---- the world: clocks, timers, what is sent ---- */

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): names of the linker */
gint64 __wrap_udp_realtime(void);
gint64 __wrap_udp_monotonic(void);
int __wrap_udp_send(UdpSocket *socket, const void *data, gsize length, const UdpAddress *to,
                    const UdpAddress *from);
unsigned __wrap_udp_send_many(UdpSocket *socket, const UdpOut *packets, unsigned n,
                              const UdpAddress *to, const UdpAddress *from, int *trouble);
Pace *__wrap_pace_new(GMainContext *context, gint64 first_ns, PaceFunc func, gpointer data,
                      GError **error);
void __wrap_pace_free(Pace *pace);

gint64 __wrap_udp_realtime(void)
{
    return w.now_ns + G_GINT64_CONSTANT(1790000000) * NS_PER_S;
}

gint64 __wrap_udp_monotonic(void)
{
    return w.now_ns;
}

Pace *__wrap_pace_new(GMainContext *context, gint64 first_ns, PaceFunc func, gpointer data,
                      GError **error)
{
    (void)context;
    (void)error;
    Pace *pace = g_new0(Pace, 1);
    *pace = (Pace){.func = func, .data = data, .begun_ns = w.now_ns, .next_ns = MAX(first_ns, 1)};
    g_ptr_array_add(w.paces, pace);
    return pace;
}

void __wrap_pace_free(Pace *pace)
{
    if (pace == NULL)
        return;
    g_assert_true(g_ptr_array_remove(w.paces, pace));
    g_free(pace);
}

static guint place_of(const UdpAddress *address)
{
    guint place = 0;
    while (place < PLACES && !udp_address_equal(&w.places[place], address))
        place++;
    g_assert_cmpuint(place, <, PLACES); /* nobody else ever sent anything */
    return place;
}

static guint name_of(guint64 session)
{
    g_assert_cmpuint(session, >=, 1);
    g_assert_cmpuint(session, <=, NAMES);
    return (guint)session - 1;
}

/* A session may only go on where its cookie was sent to, not long ago. */
static void check_accepted(const SessionMessage *message)
{
    gboolean found = FALSE;
    for (guint i = 0; i < MIN(w.n_issued, COOKIES); i++) {
        const Issued *issued = &w.issued[i];
        found = found || (issued->place == w.place && issued->name == name_of(message->session) &&
                          w.now_ns - issued->at_ns <= COOKIE_NS);
    }
    g_assert_true(found);
    g_assert_cmpuint(message->duration_s, <=, MAX_DURATION_S);
    w.token[name_of(message->session)] = message->token;
    gint64 end_ns = w.now_ns + NS_PER_S / 5 + ((gint64)message->duration_s + 1) * NS_PER_S;
    w.end_ns[w.place] = MAX(w.end_ns[w.place], end_ns);
}

static void check_control(const guint8 *data, gsize length)
{
    static SessionMessage message;
    g_assert_true(session_read(data, length, w.key, &message));
    if (message.type == SESSION_LOG) {
        g_assert_cmpint(w.end_ns[w.place], >, 0); /* proven */
        return;
    }
    g_assert_cmpuint(length, <=, w.packet.length);
    if (message.type == SESSION_ACCEPT && message.status == SESSION_OK) {
        check_accepted(&message);
    } else if (message.type == SESSION_CHALLENGE) {
        Issued *issued = &w.issued[w.n_issued++ % COOKIES];
        *issued = (Issued){.at_ns = w.now_ns, .place = w.place, .name = name_of(message.session)};
        memcpy(issued->cookie, message.cookie, sizeof issued->cookie);
    } else {
        g_assert_cmpint(message.type, ==, SESSION_ACCEPT);
    }
}

int __wrap_udp_send(UdpSocket *socket, const void *data, gsize length, const UdpAddress *to,
                    const UdpAddress *from)
{
    (void)socket;
    (void)from;
    g_assert_cmpuint(w.packet.length, >, 0); /* by itself it sends media alone */
    g_assert_cmpuint(place_of(to), ==, w.place);
    if (w.is_stamp)
        g_assert_cmpuint(length, ==, w.packet.length);
    else
        check_control(data, length);
    return 0;
}

unsigned __wrap_udp_send_many(UdpSocket *socket, const UdpOut *packets, unsigned n,
                              const UdpAddress *to, const UdpAddress *from, int *trouble)
{
    (void)socket;
    (void)from;
    (void)trouble;
    guint place = place_of(to);
    g_assert_nonnull(w.running);
    g_assert_cmpuint(n, <=, UDP_BATCH);
    g_assert_cmpint(w.now_ns, <=, w.end_ns[place]);
    g_assert_cmpint(w.now_ns - w.heard_ns[place], <=, SILENT_NS);
    for (unsigned i = 0; i < n; i++) {
        MediaHeader header;
        g_assert_true(media_read(packets[i].data, packets[i].length, &header));
        w.running->bytes += packets[i].length + MEDIA_IP_OVERHEAD;
    }
    /* What is a second late is sent at once, and one packet or frame may be ahead. */
    double s = (double)(w.now_ns - w.running->begun_ns) / 1e9 + 1;
    g_assert_cmpfloat((double)w.running->bytes, <=, MAX_RATE_BPS / 8.0 * s + MAX_RATE_BPS / 8.0);
    return n;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void run_paces(void)
{
    for (guint i = 0; i < w.paces->len; i++) {
        Pace *pace = g_ptr_array_index(w.paces, i);
        if (pace->next_ns == 0 || pace->next_ns > w.now_ns)
            continue;
        w.running = pace;
        pace->next_ns = pace->func(w.now_ns, pace->data);
        w.running = NULL;
        g_assert_true(pace->next_ns == 0 || pace->next_ns > w.now_ns);
    }
}

static void wait_ns(gint64 length_ns, guint steps)
{
    for (guint i = 0; i < steps; i++) {
        w.now_ns += length_ns / steps;
        run_paces();
    }
}

/* ---- what comes ---- */

static void deliver(gboolean is_stamp, guint place, const guint8 *data, gsize length)
{
    w.place = place;
    w.is_stamp = is_stamp;
    w.heard_ns[place] = w.now_ns;
    g_autofree guint8 *exact = g_memdup2(data, length);
    w.packet = (UdpPacket){.data = exact,
                           .length = length,
                           .from = w.places[place],
                           .arrived_ns = __wrap_udp_realtime(),
                           .ttl = (int)(length % 3) * 128 - 1};
    if (is_stamp)
        reflector_stamp_packet(w.stamp, NULL, &w.packet, w.now_ns);
    else
        reflector_sessions_packet(w.sessions, NULL, &w.packet, w.now_ns);
    w.packet.length = 0;
    g_assert_cmpuint(reflector_sessions_count(w.sessions), <=, MAX_SESSIONS);
}

static void keep(const guint8 *data, gsize length)
{
    guint at = w.n_kept++ % KEPT;
    memcpy(w.kept[at], data, length);
    w.kept_length[at] = length;
}

static guint byte(ByteReader *in)
{
    return byte_reader_left(in) > 0 ? byte_read_u8(in) : 0;
}

static guint16 word(ByteReader *in)
{
    guint high = byte(in);
    return (guint16)(high << 8 | byte(in));
}

static void stamp_comes(ByteReader *in, guint place)
{
    guint8 packet[STAMP_MAX_SIZE] = {0};
    guint form = byte(in);
    gsize length =
        MIN(form / 4 * 4U + (form & 2 ? STAMP_AUTH_SIZE : STAMP_SIZE) - 4, sizeof packet);
    gsize n = byte(in);
    n = MIN(n, MIN(length, byte_reader_left(in)));
    if (n > 0)
        memcpy(packet, byte_read_run(in, n), n);
    if ((form & 1) != 0 && length >= STAMP_AUTH_SIZE)
        key_mac(w.key, packet, STAMP_AUTH_SIZE - KEY_MAC_SIZE,
                packet + STAMP_AUTH_SIZE - KEY_MAC_SIZE);
    deliver(TRUE, place, packet, length);
}

static void message_comes(ByteReader *in, guint place)
{
    static SessionMessage message;
    guint8 packet[SESSION_MAX_SIZE];
    guint form = byte(in), name = byte(in) % NAMES;
    memset(&message, 0, sizeof message);
    message.type = (SessionType)(1 + form % 8);
    message.session = name + 1;
    message.nonce = form;
    if (message.type == SESSION_START) {
        const Issued *issued = &w.issued[(w.n_issued + COOKIES - 1 - byte(in) % 4) % COOKIES];
        guint shape = byte(in);
        memcpy(message.cookie, issued->cookie, sizeof message.cookie);
        message.kind = shape & 1 ? SESSION_TRAINS : SESSION_MEETING;
        message.shape = media_shape_default();
        if (shape & 2) {
            message.shape.audio_per_s = (uint16_t)byte(in);
            message.shape.audio_size = word(in);
            message.shape.frames_per_s = (uint16_t)byte(in);
            message.shape.video_bps = word(in) * 64U;
        }
        message.duration_s = shape & 4 ? word(in) : byte(in) % (MAX_DURATION_S + 1);
    } else if (message.type == SESSION_GO) {
        guint size = byte(in);
        message.train = byte(in);
        message.packets = size & 1 ? word(in) : 1 + byte(in);
        message.size = size & 2 ? word(in) : 200;
        message.rate_bps = (size & 4 ? word(in) * 256U : byte(in) * 1000U) + (size & 8 ? 0 : 1000);
    } else {
        message.from = byte(in) & 1 ? word(in) : 0;
        message.status = SESSION_OK;
    }
    gsize length = session_write(&message, form & 0x40 ? w.wrong : w.key, packet, sizeof packet);
    if (length == 0)
        return;
    if (form & 0x80) { /* shorter or longer, with a code that fits */
        gsize other = KEY_MAC_SIZE + word(in) % 200U;
        memset(packet + MIN(other, length), 0, sizeof packet - MIN(other, length));
        key_mac(w.key, packet, other, packet + other);
        length = other + KEY_MAC_SIZE;
    }
    keep(packet, length);
    deliver(FALSE, place, packet, length);
}

static void media_comes(ByteReader *in, guint place)
{
    guint8 packet[MEDIA_HEADER_SIZE + 64] = {0};
    guint form = byte(in);
    MediaHeader header = {.stream = (MediaStream)(form % MEDIA_STREAMS),
                          .token = w.token[form / 4 % NAMES],
                          .seq = word(in)};
    media_write(&header, packet, sizeof packet);
    gboolean many = (form & 0x80) != 0 && w.n_floods++ < FLOODS;
    for (guint n = many ? byte(in) * 20U : 1; n > 0; n--)
        deliver(FALSE, place, packet, sizeof packet);
}

static void bytes_come(ByteReader *in, guint place)
{
    gsize length = word(in) % UDP_MAX_PACKET;
    length = MIN(length, byte_reader_left(in));
    const guint8 *data = length > 0 ? byte_read_run(in, length) : (const guint8 *)"";
    deliver(length % 2 == 0, place, data, length);
}

static void again(ByteReader *in, guint place)
{
    guint at = byte(in) % KEPT;
    if (w.kept_length[at] > 0)
        deliver(FALSE, place, w.kept[at], w.kept_length[at]);
}

static void clean(void)
{
    reflector_sessions_clean(w.sessions, w.now_ns);
    reflector_stamp_clean(w.stamp, w.now_ns);
}

static void step(ByteReader *in)
{
    static void (*const comes[])(ByteReader *, guint) = {message_comes, message_comes, media_comes,
                                                         stamp_comes,   bytes_come,    again};
    guint form = byte(in), place = form / 16 % PLACES;
    switch (form % 16) {
    case 0:
    case 1:
        wait_ns(byte(in) * (form & 1 ? NS_PER_S / 20 : NS_PER_S / 1000), 1 + form / 64);
        return;
    case 2:
        clean();
        return;
    default:
        comes[form % 16 % G_N_ELEMENTS(comes)](in, place);
    }
}

static void begin(guint form)
{
    static const struct {
        const char *address;
        guint16 port;
    } places[PLACES] = {{"192.0.2.1", 1000},   {"192.0.2.1", 1001},   {"198.51.100.7", 1000},
                        {"2001:db8::1", 1000}, {"2001:db8::2", 1000}, {"fe80::1", 1000}};
    static const char *const peers[] = {"192.0.2.0/24", "2001:db8::1", NULL};
    memset(&w, 0, sizeof w);
    for (guint i = 0; i < PLACES; i++)
        g_assert_true(udp_address_parse(places[i].address, places[i].port, &w.places[i]));
    w.now_ns = 100 * NS_PER_S;
    w.paces = g_ptr_array_new();
    w.key = key_new("0123456789abcdef", 16);
    w.wrong = key_new("0123456789abcdeg", 16);
    w.peers = peers_new(peers, NULL);
    w.config = reflector_config_default();
    w.config.key = w.key;
    w.config.peers = w.peers;
    w.config.stateless = (form & 1) != 0;
    w.config.max_sessions = MAX_SESSIONS;
    w.config.max_rate_bps = MAX_RATE_BPS;
    w.config.max_train_bytes = MAX_TRAIN;
    w.config.max_duration_s = MAX_DURATION_S;
    w.stamp = reflector_stamp_new(&w.config, &w.counts);
    w.sessions = reflector_sessions_new(&w.config, &w.counts, NULL);
}

static void end(void)
{
    /* Silence ends it all. */
    w.now_ns += 61 * NS_PER_S;
    clean();
    g_assert_cmpuint(reflector_sessions_count(w.sessions), ==, 0);
    g_assert_cmpuint(reflector_stamp_count(w.stamp), ==, 0);
    g_assert_cmpuint(w.paces->len, ==, 0);
    reflector_sessions_free(w.sessions);
    reflector_stamp_free(w.stamp);
    g_ptr_array_unref(w.paces);
    peers_free(w.peers);
    key_free(w.key);
    key_free(w.wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ByteReader in = byte_reader(data, size);
    begin(byte(&in));
    for (guint i = 0; i < STEPS && byte_reader_left(&in) > 0; i++)
        step(&in);
    end();
    return 0;
}
