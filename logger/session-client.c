/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/session-client.h"

#include "logger/pace.h"
#include "logger/probe-target.h"
#include <glib-unix.h>
#include <string.h>

#define NS_PER_S    G_GINT64_CONSTANT(1000000000)
#define FIRST_RETRY (NS_PER_S / 4)
#define LAST_RETRY  NS_PER_S
#define COOKIE_NS   (5 * NS_PER_S) /* START is repeated with one cookie so long */
#define BUFFER      (1 << 20)
#define STOPS       3              /* no answer comes to STOP, and one may be lost */
#define START_NS    (NS_PER_S / 5) /* the reflector's stream begins so long after ACCEPT */

typedef enum { STATE_RESOLVING, STATE_HELLO, STATE_START, STATE_STANDS, STATE_OVER } State;

struct SessionClient {
    ProbeRun *run;
    SessionEvents events;
    gpointer data;
    State state;
    ProbeTarget *resolving;
    UdpAddress peer;
    UdpSocket *socket;
    GSource *readable; /* only during the handshake, when each wait counts */
    Pace *retry;
    gint64 retry_ns, begun_ns, deadline_ns, asked_ns, heard_ns, start_mono_ns;
    gboolean ever; /* stood before */
    double setup_ms;
    SessionMessage ask; /* the question being repeated, and the parameters */
    SessionMessage grant;
    SessionMessage in;
    gboolean in_callback, freed;
};

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data);

/* Heads of IP and UDP on our packets, bytes. */
static gint64 heads(const SessionClient *client)
{
    return client->peer.address.ss_family == AF_INET6 ? 48 : 28;
}

static void watch(SessionClient *client, gboolean on)
{
    if (client->readable) {
        g_source_destroy(client->readable);
        g_source_unref(client->readable);
        client->readable = NULL;
    }
    if (!on || !client->socket)
        return;
    client->readable = g_unix_fd_source_new(udp_fd(client->socket), G_IO_IN);
    g_source_set_callback(client->readable, (GSourceFunc)(void (*)(void))on_readable, client, NULL);
    g_source_attach(client->readable, client->run->context);
}

static int send_message(SessionClient *client, const SessionMessage *message)
{
    guint8 data[SESSION_MAX_SIZE];
    gsize length = session_write(message, client->run->settings->key, data, sizeof data);
    int trouble = udp_send(client->socket, data, length, NULL, NULL);
    if (trouble == 0)
        client->run->bytes_up += (gint64)length + heads(client);
    return trouble;
}

static void fail(SessionClient *client, const char *reason, const char *detail)
{
    client->state = STATE_OVER;
    watch(client, FALSE);
    if (client->retry)
        pace_set(client->retry, G_MAXINT64);
    client->events.failed(reason, detail, client->data);
}

static void ask(SessionClient *client, SessionType type)
{
    client->ask.type = type;
    client->ask.nonce = (guint64)g_random_int() << 32 | g_random_int();
    client->asked_ns = udp_monotonic();
    client->retry_ns = FIRST_RETRY;
    (void)send_message(client, &client->ask);
    pace_set(client->retry, client->asked_ns + client->retry_ns);
}

static gint64 on_retry(gint64 now_ns, gpointer data)
{
    SessionClient *client = data;
    if (client->state != STATE_HELLO && client->state != STATE_START)
        return 0;
    if (now_ns >= client->deadline_ns) {
        fail(client, "no-answer", "the reflector does not answer");
        return 0;
    }
    if (client->state == STATE_START && now_ns - client->asked_ns > COOKIE_NS) {
        client->state = STATE_HELLO; /* the cookie gets old */
        client->ask.type = SESSION_HELLO;
    }
    (void)send_message(client, &client->ask);
    client->retry_ns = MIN(2 * client->retry_ns, LAST_RETRY);
    return MIN(now_ns + client->retry_ns, client->deadline_ns);
}

static gboolean same_address(const UdpSocket *a, const UdpSocket *b)
{
    UdpAddress one, other;
    return udp_own_address(a, &one) && udp_own_address(b, &other) &&
           udp_address_equal(&one, &other);
}

static gboolean open_socket(SessionClient *client, GError **error)
{
    const UdpOptions options = {
        .family = client->peer.address.ss_family,
        .device = client->run->modem.interface,
        .peer = &client->peer,
        .buffer_bytes = BUFFER,
    };
    UdpSocket *socket = udp_open(&options, error);
    if (!socket)
        return FALSE;
    /* The same address as before: the old socket is as good, and its port is known over there. */
    if (client->socket && same_address(client->socket, socket)) {
        udp_close(socket);
        return TRUE;
    }
    UdpAddress own;
    if (udp_own_address(socket, &own))
        probe_run_address(client->run, &own);
    watch(client, FALSE);
    udp_close(client->socket);
    client->socket = socket;
    return TRUE;
}

static void on_resolved(const UdpAddress *address, const GError *error, gpointer data)
{
    SessionClient *client = data;
    g_autoptr(GError) problem = NULL;
    client->resolving = NULL;
    if (!address) {
        fail(client, "dns", error->message);
        return;
    }
    client->peer = *address;
    client->retry = pace_new(client->run->context, G_MAXINT64, on_retry, client, &problem);
    if (!client->retry || !open_socket(client, &problem)) {
        fail(client, "no-interface", problem->message);
        return;
    }
    client->state = STATE_HELLO;
    watch(client, TRUE);
    ask(client, SESSION_HELLO);
}

SessionClient *session_client_new(ProbeRun *run, SessionKind kind, guint32 duration_s,
                                  const SessionEvents *events, gpointer data)
{
    SessionClient *client = g_new0(SessionClient, 1);
    client->run = run;
    client->events = *events;
    client->data = data;
    client->begun_ns = udp_monotonic();
    client->deadline_ns = client->begun_ns + (gint64)(run->settings->timeout_s * 1e9);
    client->ask.session = (guint64)g_random_int() << 32 | g_random_int();
    client->ask.kind = kind;
    client->ask.shape = run->settings->meeting;
    client->ask.duration_s = duration_s;
    client->resolving = probe_target_resolve(run->settings->reflector, run->settings->session_port,
                                             run->settings->family, run->settings->timeout_s,
                                             run->context, on_resolved, client);
    return client;
}

static void really_free(SessionClient *client)
{
    udp_close(client->socket);
    g_free(client);
}

void session_client_free(SessionClient *client)
{
    if (!client)
        return;
    probe_target_cancel(client->resolving);
    watch(client, FALSE);
    pace_free(client->retry);
    client->retry = NULL;
    if (client->ever) {
        client->ask.type = SESSION_STOP;
        for (int i = 0; i < STOPS; i++)
            (void)send_message(client, &client->ask);
    }
    client->state = STATE_OVER;
    client->freed = TRUE;
    if (!client->in_callback)
        really_free(client);
}

static void on_accept(SessionClient *client, const UdpPacket *packet)
{
    const SessionMessage *in = &client->in;
    gint64 now_ns = udp_monotonic();
    if (in->status != SESSION_OK) {
        fail(client, in->status == SESSION_BUSY ? "busy" : "too-big", "refused by the reflector");
        return;
    }
    gboolean again = client->ever;
    if (again && in->token != client->grant.token) {
        fail(client, "session-lost", "the reflector no longer knows the session");
        return;
    }
    if (!again) {
        /* The answer came when the kernel says, however late we read it. */
        gint64 came_ns = now_ns - (udp_realtime() - packet->arrived_ns);
        client->setup_ms = (double)(came_ns - client->begun_ns) / 1e6;
        client->start_mono_ns = came_ns - (came_ns - client->asked_ns) / 2 + START_NS;
    }
    client->grant = *in;
    client->ever = TRUE;
    client->state = STATE_STANDS;
    watch(client, FALSE);
    client->events.established(again, client->data);
}

static void on_packet(const UdpPacket *packet, gpointer data)
{
    SessionClient *client = data;
    SessionMessage *in = &client->in;
    MediaHeader header;
    if (client->state == STATE_OVER)
        return;
    client->run->bytes_down += (gint64)packet->length + heads(client);
    if (media_read(packet->data, packet->length, &header)) {
        if (!client->ever || header.token != client->grant.token)
            return;
        client->heard_ns = udp_monotonic();
        client->events.media(&header, packet, client->data);
        return;
    }
    if (!session_read(packet->data, packet->length, client->run->settings->key, in) ||
        in->session != client->ask.session)
        return;
    client->heard_ns = udp_monotonic();
    if (in->type == SESSION_CHALLENGE && client->state == STATE_HELLO &&
        in->nonce == client->ask.nonce) {
        memcpy(client->ask.cookie, in->cookie, sizeof in->cookie);
        client->state = STATE_START;
        ask(client, SESSION_START);
    } else if (in->type == SESSION_ACCEPT && client->state == STATE_START &&
               in->nonce == client->ask.nonce) {
        on_accept(client, packet);
    } else if (in->type == SESSION_ACCEPT && client->state == STATE_STANDS &&
               in->status != SESSION_OK) {
        fail(client, "too-big", "the reflector refuses a train of this rate or size");
    } else if (in->type == SESSION_LOG && client->state == STATE_STANDS) {
        client->events.log(in, packet, client->data);
    }
}

void session_client_receive(SessionClient *client)
{
    if (!client->socket)
        return;
    client->in_callback = TRUE;
    (void)udp_receive(client->socket, 4096, on_packet, client, NULL);
    client->in_callback = FALSE;
    if (client->freed)
        really_free(client);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd;
    (void)condition;
    session_client_receive(data);
    return G_SOURCE_CONTINUE;
}

void session_client_renew(SessionClient *client)
{
    if (client->state == STATE_OVER || client->state == STATE_RESOLVING)
        return;
    client->state = STATE_HELLO;
    client->deadline_ns = G_MAXINT64; /* whoever called decides when to give up */
    if (!open_socket(client, NULL))
        return;
    watch(client, TRUE);
    ask(client, SESSION_HELLO);
}

const SessionMessage *session_client_grant(const SessionClient *client)
{
    return &client->grant;
}

double session_client_setup_ms(const SessionClient *client)
{
    return client->setup_ms;
}

gint64 session_client_start_mono(const SessionClient *client)
{
    return client->start_mono_ns;
}

gint64 session_client_heard(const SessionClient *client)
{
    return client->heard_ns;
}

gboolean session_client_stands(const SessionClient *client)
{
    return client->state == STATE_STANDS;
}

unsigned session_client_send(SessionClient *client, const UdpOut *packets, unsigned n, int *trouble)
{
    unsigned sent = udp_send_many(client->socket, packets, n, NULL, NULL, trouble);
    for (unsigned i = 0; i < sent; i++)
        client->run->bytes_up += (gint64)packets[i].length + heads(client);
    return sent;
}

void session_client_fetch(SessionClient *client, guint32 from)
{
    SessionMessage message = {.type = SESSION_FETCH, .session = client->ask.session, .from = from};
    (void)send_message(client, &message);
}

void session_client_go(SessionClient *client, guint32 train, guint32 packets, guint32 size,
                       guint64 rate_bps)
{
    SessionMessage message = {.type = SESSION_GO,
                              .session = client->ask.session,
                              .train = train,
                              .packets = packets,
                              .size = size,
                              .rate_bps = rate_bps};
    (void)send_message(client, &message);
}
