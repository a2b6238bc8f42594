/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/logger/modem-peer.h"

#include "tests/rig/mbim-answer.h"
#include "tests/rig/qmi-answer.h"

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char scenario_text[] = "[rig]\nduration-s=100\nseed=5\n"
                                    "[path]\npoints=59.33,18.06 59.34,18.09\nspeed-mps=1\n"
                                    "[gps]\noutput=none\n"
                                    "[operator Red]\nplmn=24001\n"
                                    "[cell red]\noperator=Red\nrat=LTE\nband=3\n"
                                    "frequency-mhz=1815\narfcn=1300\nspacing-m=1500\n"
                                    "cell-id=0x1A2B01\ntac=4101\npci=101\n"
                                    "[modem one]\noperator=Red\nprotocol=%s\nmbimex=%d\n"
                                    "[fault card]\nkind=sim-lost\nmodem=one\nat-s=10\nfor-s=10\n";

typedef struct {
    Port *port;
    GByteArray *frame;
} Held;

static void free_held(gpointer data)
{
    Held *held = data;
    g_byte_array_unref(held->frame);
    g_free(held);
}

static void read_qmi(const guint8 *frame, gsize length, PeerRequest *request)
{
    QmiMessageView view;
    gsize size = 0;
    if (!qmi_message_parse(frame, length, &view))
        return;
    request->service = view.service;
    request->message = view.message;
    const guint8 *tlv = qmi_message_tlv(&view, 0x01, &size);
    if (view.service == QMI_CTL && view.message == 0x0022 && tlv != NULL && size == 1)
        request->wanted = *tlv;
}

static void read_mbim(const guint8 *frame, gsize length, PeerRequest *request)
{
    request->service = 0;
    request->message = mbim_get_u32(frame, length, 0);
    for (int i = 0; request->message == 3 && i < MBIM_SERVICE_COUNT; i++)
        if (length >= 40 && memcmp(frame + 20, mbim_uuids[i], 16) == 0)
            request->service = i + 1;
    if (request->service > 0)
        request->message = mbim_get_u32(frame, length, 36);
}

static void refuse_qmi(const Peer *peer, Port *port, const guint8 *frame, gsize length)
{
    QmiMessageView view;
    g_autoptr(GByteArray) out = g_byte_array_new();
    if (!qmi_message_parse(frame, length, &view))
        return;
    qmi_begin(out, QMI_RESPONSE, view.service, view.client, view.transaction, view.message);
    qmi_put_result(out, peer->refusal);
    qmi_end(out);
    port_send(port, out);
}

/* COMMAND_DONE or OPEN_DONE with the status and nothing else. */
static void refuse_mbim(const Peer *peer, Port *port, const guint8 *frame, gsize length,
                        const PeerRequest *request)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    gboolean command = request->service > 0;
    put_u32(out, 0x80000000U | (command ? 3 : request->message));
    put_u32(out, command ? 48 : 16);
    put_u32(out, mbim_get_u32(frame, length, 8));
    if (command) {
        put_u32(out, 1);
        put_u32(out, 0);
        g_byte_array_append(out, frame + 20, 16);
        put_u32(out, request->message);
    }
    put_u32(out, peer->refusal);
    if (command)
        put_u32(out, 0);
    port_send(port, out);
}

static gboolean on_frame(gpointer user, Port *port, const guint8 *frame, gsize length)
{
    Peer *peer = user;
    PeerRequest request = {-1, 0, -1};
    if (peer->protocol == PROTOCOL_QMI)
        read_qmi(frame, length, &request);
    else
        read_mbim(frame, length, &request);
    g_ptr_array_add(peer->heard,
                    g_strdup_printf("%x/%x", (unsigned)request.service, request.message));
    switch (peer->script != NULL ? peer->script(peer->user, &request) : PEER_ANSWER) {
    case PEER_ANSWER:
        return TRUE;
    case PEER_SWALLOW:
        return FALSE;
    case PEER_HOLD: {
        Held *held = g_new0(Held, 1);
        held->port = port;
        held->frame = g_byte_array_new();
        g_byte_array_append(held->frame, frame, (guint)length);
        g_ptr_array_add(peer->held, held);
        return FALSE;
    }
    case PEER_REFUSE:
        if (peer->protocol == PROTOCOL_QMI)
            refuse_qmi(peer, port, frame, length);
        else
            refuse_mbim(peer, port, frame, length, &request);
        return FALSE;
    }
    return TRUE;
}

static RigModem *on_find(gpointer user, const char *path)
{
    Peer *peer = user;
    (void)path;
    return peer->modem.gone ? NULL : &peer->modem;
}

static void on_closed(gpointer user, Port *port)
{
    Peer *peer = user;
    for (guint i = peer->held->len; i-- > 0;)
        if (((Held *)g_ptr_array_index(peer->held, i))->port == port)
            g_ptr_array_remove_index(peer->held, i);
    g_ptr_array_remove_fast(peer->ports, port);
}

static PortOwner owner_of(Peer *peer)
{
    return (PortOwner){on_find, on_closed, peer, on_frame};
}

static gboolean on_client(int fd, GIOCondition condition, gpointer user)
{
    Peer *peer = user;
    (void)condition;
    PortOwner owner = owner_of(peer);
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0)
        g_ptr_array_add(peer->ports, port_new(client, FRAMING_QMUX, NULL, &owner));
    return G_SOURCE_CONTINUE;
}

void peer_plug(Peer *peer)
{
    g_autoptr(GError) error = NULL;
    peer->modem.gone = FALSE;
    if (peer->protocol == PROTOCOL_QMI)
        return;
    g_autofree char *pty = NULL;
    PortOwner owner = owner_of(peer);
    int fd = port_pty(&pty, &peer->other, &error);
    g_assert_no_error(error);
    g_ptr_array_add(peer->ports, port_new(fd, FRAMING_MBIM, &peer->modem, &owner));
    g_assert_cmpint(symlink(pty, peer->node), ==, 0);
}

void peer_unplug(Peer *peer)
{
    peer->modem.gone = TRUE;
    g_ptr_array_set_size(peer->held, 0);
    g_ptr_array_set_size(peer->ports, 0);
    if (peer->other >= 0)
        close(peer->other);
    peer->other = -1;
    (void)g_unlink(peer->node);
}

static void ignore(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
    (void)domain;
    (void)level;
    (void)text;
    (void)data;
}

void peer_quiet(void)
{
    (void)g_log_set_handler("Qmi", G_LOG_LEVEL_MASK, ignore, NULL);
    (void)g_log_set_handler("Mbim", G_LOG_LEVEL_MASK, ignore, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
}

Peer *peer_new(Protocol protocol, int mbimex)
{
    static guint number;
    static const char *const names[] = {"qmi", "mbim", "qmi-over-mbim"};
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf(scenario_text, names[protocol], mbimex);
    Peer *peer = g_new0(Peer, 1);
    peer->protocol = protocol;
    peer->scenario = scenario_parse("peer", text, &error);
    g_assert_no_error(error);
    peer->world = world_new(peer->scenario);
    peer->folder = g_dir_make_tmp("corridor-peer-XXXXXX", NULL);
    peer->node = g_build_filename(peer->folder, "modem", NULL);
    peer->device = peer->node;
    peer->socket = g_strdup_printf("corridor-peer-%d-%u", (int)getpid(), number++);
    peer->heard = g_ptr_array_new_with_free_func(g_free);
    peer->held = g_ptr_array_new_with_free_func(free_held);
    peer->ports = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))port_free);
    peer->listener = peer->other = -1;
    peer->modem = (RigModem){.scenario = peer->scenario,
                             .plan = &g_array_index(peer->scenario->modems, ModemPlan, 0),
                             .radio = world_radio(peer->world, 0),
                             .ports = g_ptr_array_new(),
                             .random = g_rand_new_with_seed(1)};
    gboolean qmi = protocol == PROTOCOL_QMI;
    peer->config = (ConfigModem){.head = {.label = g_strdup("one")},
                                 .driver = qmi ? DRIVER_QMI : DRIVER_MBIM,
                                 .device = peer->node,
                                 .interval_ns = 100 * G_GINT64_CONSTANT(1000000),
                                 .cell_interval_ns = G_GINT64_CONSTANT(1000000000),
                                 .card_interval_ns = 300 * G_GINT64_CONSTANT(1000000),
                                 .timeout_ns = G_GINT64_CONSTANT(1000000000),
                                 .wedge_ns = 15 * G_GINT64_CONSTANT(1000000000),
                                 .antennas = TRUE,
                                 .qmi_over_mbim = protocol == PROTOCOL_QMI_OVER_MBIM,
                                 .proxy = qmi,
                                 .proxy_path = qmi ? peer->socket : NULL,
                                 .no_file_check = qmi};
    if (qmi) {
        peer->listener = port_listen(peer->socket, &error);
        g_assert_no_error(error);
        peer->watch = g_unix_fd_add(peer->listener, G_IO_IN, on_client, peer);
    }
    peer_step(peer, 0);
    peer_plug(peer);
    return peer;
}

void peer_free(Peer *peer)
{
    peer_unplug(peer);
    if (peer->watch != 0)
        g_source_remove(peer->watch);
    if (peer->listener >= 0)
        close(peer->listener);
    (void)g_rmdir(peer->folder);
    g_ptr_array_unref(peer->ports);
    g_ptr_array_unref(peer->held);
    g_ptr_array_unref(peer->heard);
    g_ptr_array_unref(peer->modem.ports);
    g_rand_free(peer->modem.random);
    world_free(peer->world);
    scenario_free(peer->scenario);
    g_free(peer->config.head.label);
    g_free(peer->folder);
    g_free(peer->socket);
    g_free(peer->node);
    g_free(peer);
}

void peer_step(Peer *peer, double t)
{
    world_step(peer->world, t);
    peer->modem.now = t;
}

guint peer_release(Peer *peer)
{
    guint n = peer->held->len;
    for (guint i = 0; i < n; i++) {
        Held *held = g_ptr_array_index(peer->held, i);
        port_handle(held->port, held->frame->data, held->frame->len);
    }
    g_ptr_array_set_size(peer->held, 0);
    return n;
}

void peer_notify(Peer *peer, gboolean serving, gboolean levels)
{
    for (guint i = 0; i < peer->ports->len; i++)
        port_notify(g_ptr_array_index(peer->ports, i), serving, levels);
}

guint peer_count(const Peer *peer, int service, guint message)
{
    g_autofree char *wanted = g_strdup_printf("%x/%x", (unsigned)service, message);
    guint n = 0;
    for (guint i = 0; i < peer->heard->len; i++)
        n += g_str_equal(g_ptr_array_index(peer->heard, i), wanted);
    return n;
}
