/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/check-report.h"
#include "logger/modem.h"
#include "logger/probe-config.h"
#include "logger/probe-target.h"
#include "logger/stamp-packet.h"
#include "logger/udp.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_WAIT_MS 2000U
#define RESOLVE_WAIT_S 4.0
#define PACKETS        3 /* one may be lost on the air */

/* --- proxies --- */

static gboolean socket_is_there(const char *name)
{
    g_autofree char *text = NULL;
    g_autofree char *wanted = g_strdup_printf(" @%s\n", name);
    return g_file_get_contents("/proc/net/unix", &text, NULL, NULL) && strstr(text, wanted) != NULL;
}

static void check_proxy(CheckReport *report, const char *name, const char *package)
{
    g_autofree char *program = g_strdup_printf("/usr/libexec/%s", name);
    if (socket_is_there(name))
        check_line(report, "ok", "%s: runs", name);
    else if (package != NULL && access(program, X_OK) == 0)
        check_line(report, "ok", "%s: will be started when it is needed", name);
    else if (package != NULL)
        check_line(report, "FIX",
                   "%s: neither runs nor is installed; install %s, or set proxy = no", name,
                   package);
    else
        check_line(report, "FIX",
                   "%s: nobody listens there; start that proxy, or remove proxy-path", name);
}

static void check_proxies(CheckReport *report, const GPtrArray *modems)
{
    gboolean qmi = FALSE, mbim = FALSE;
    for (guint i = 0; i < modems->len; i++) {
        const ConfigModem *modem = g_ptr_array_index(modems, i);
        if (modem->driver == DRIVER_REPLAY || !modem_uses_proxy(modem))
            continue;
        if (modem->driver == DRIVER_QMI && modem->proxy_path != NULL)
            check_proxy(report, modem->proxy_path, NULL);
        qmi = qmi || (modem->driver == DRIVER_QMI && modem->proxy_path == NULL);
        mbim = mbim || modem->driver == DRIVER_MBIM;
    }
    if (qmi)
        check_proxy(report, "qmi-proxy", "libqmi-proxy");
    if (mbim)
        check_proxy(report, "mbim-proxy", "libmbim-proxy");
}

/* --- interfaces --- */

typedef struct {
    gboolean there, up, has_address;
} Interface;

static Interface look_at_interface(const char *name)
{
    Interface found = {.there = if_nametoindex(name) != 0};
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0)
        return found;
    for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        if (strcmp(at->ifa_name, name) != 0)
            continue;
        found.up = found.up || (at->ifa_flags & IFF_UP) != 0;
        found.has_address =
            found.has_address || (at->ifa_addr != NULL && (at->ifa_addr->sa_family == AF_INET ||
                                                           at->ifa_addr->sa_family == AF_INET6));
    }
    freeifaddrs(list);
    return found;
}

/* The interface of a modem that probes can use. (transfer full); NULL: none, and it was said. */
static char *check_interface(CheckReport *report, const ConfigModem *modem)
{
    const char *device = modem_finder_node(report->finder, modem);
    g_autofree char *name = modem->interface != NULL ? g_strdup(modem->interface)
                            : device != NULL         ? modem_find_interface(device)
                                                     : NULL;
    const char *label = modem->head.label;
    if (name == NULL) {
        check_line(report, "FIX",
                   "modem %s: no network interface belongs to it, so no probes; give interface = …",
                   label);
        return NULL;
    }
    Interface found = look_at_interface(name);
    if (!found.there)
        check_line(report, "FIX", "modem %s: there is no interface %s; see `ip link`", label, name);
    else if (!found.up || !found.has_address)
        check_line(
            report, "FIX",
            "modem %s: its interface %s %s; connect the modem (ModemManager, NetworkManager)",
            label, name, found.up ? "has no address" : "is down");
    else
        return g_steal_pointer(&name);
    return NULL;
}

/* --- reflector --- */

typedef struct {
    GMainLoop *loop;
    UdpAddress address;
    gboolean resolved;
    char *trouble;
    const Key *key;
    gint64 sent_ns, rtt_ns;
    gboolean answered;
} Reach;

static void on_resolved(const UdpAddress *address, const GError *error, gpointer data)
{
    Reach *reach = data;
    reach->resolved = address != NULL;
    if (address != NULL)
        reach->address = *address;
    else
        reach->trouble = g_strdup(error->message);
    g_main_loop_quit(reach->loop);
}

static void on_packet(const UdpPacket *packet, gpointer data)
{
    Reach *reach = data;
    StampReply reply;
    if (packet->length > STAMP_MAX_SIZE || reach->answered ||
        !stamp_reply_read(packet->data, packet->length, reach->key, &reply))
        return;
    reach->answered = TRUE;
    reach->rtt_ns =
        packet->arrived_ns - stamp_time_decode(reply.sender_time, FALSE, reach->sent_ns);
}

static gboolean wait_for_answer(UdpSocket *socket, Reach *reach)
{
    gint64 until_us = g_get_monotonic_time() + ANSWER_WAIT_MS * 1000;
    GPollFD poll = {.fd = udp_fd(socket), .events = G_IO_IN};
    int trouble = 0;
    while (!reach->answered && g_get_monotonic_time() < until_us && trouble == 0) {
        (void)g_poll(&poll, 1, 100);
        (void)udp_receive(socket, 16, on_packet, reach, &trouble);
    }
    if (trouble != 0)
        reach->trouble = g_strdup(g_strerror(trouble));
    return reach->answered;
}

static gboolean ask_reflector(Reach *reach, const char *interface)
{
    g_autoptr(GError) error = NULL;
    UdpOptions options = {
        .family = reach->address.address.ss_family, .device = interface, .peer = &reach->address};
    g_autoptr(UdpSocket) socket = udp_open(&options, &error);
    if (socket == NULL) {
        reach->trouble = g_strdup(error->message);
        return FALSE;
    }
    reach->sent_ns = udp_realtime();
    int code = 0;
    for (guint32 i = 0; i < PACKETS && code == 0; i++) {
        guint8 packet[STAMP_MAX_SIZE];
        StampRequest request = {.seq = i, .time = stamp_time_encode(udp_realtime(), FALSE)};
        size_t length = stamp_request_write(&request, reach->key,
                                            reach->key != NULL ? STAMP_AUTH_SIZE : STAMP_SIZE,
                                            packet, sizeof packet);
        code = udp_send(socket, packet, length, NULL, NULL);
    }
    if (code != 0) {
        reach->trouble = g_strdup(g_strerror(code));
        return FALSE;
    }
    return wait_for_answer(socket, reach);
}

static void check_reflector(CheckReport *report, const ProbeSettings *settings,
                            const char *interface)
{
    g_autofree char *way = interface != NULL ? g_strdup_printf(" through %s", interface) : NULL;
    Reach reach = {.loop = g_main_loop_new(NULL, FALSE),
                   .key = settings->stamp_key ? settings->key : NULL};
    (void)probe_target_resolve(settings->reflector, settings->stamp_port, settings->family,
                               RESOLVE_WAIT_S, NULL, on_resolved, &reach);
    g_main_loop_run(reach.loop);
    g_main_loop_unref(reach.loop);
    if (!reach.resolved)
        check_line(report, "FIX", "reflector: %s; check host and the name server", reach.trouble);
    else if (ask_reflector(&reach, interface))
        check_line(report, "ok", "reflector: %s answers%s in %.0f ms", settings->reflector,
                   way != NULL ? way : "", (double)reach.rtt_ns / 1e6);
    else if (reach.trouble != NULL)
        check_line(
            report, "FIX",
            "reflector: %s port %u cannot be asked%s: %s; does corridor-reflector run there?",
            settings->reflector, settings->stamp_port, way != NULL ? way : "", reach.trouble);
    else
        check_line(report, "FIX",
                   "reflector: no answer%s from %s port %u; does corridor-reflector run there, is "
                   "that UDP port open, is the key the same?",
                   way != NULL ? way : "", settings->reflector, settings->stamp_port);
    g_free(reach.trouble);
}

void check_reach(CheckReport *report, const Config *config)
{
    check_proxies(report, config->modems);
    g_autoptr(GError) error = NULL;
    g_autoptr(ProbeConfig) probes = probe_config_new(config, &error);
    if (probes == NULL) {
        check_line(report, "FIX", "probes: %s", error->message);
        return;
    }
    const ProbeSettings *settings = &probe_config_schedule(probes)->probe;
    if (settings->reflector == NULL && settings->echo_target == NULL &&
        settings->download_url == NULL && settings->upload_url == NULL) {
        check_line(report, "note", "probes: none; give a [reflector] host to measure round trips");
        return;
    }
    gboolean asked = FALSE;
    for (guint i = 0; i < config->modems->len; i++) {
        const ConfigModem *modem = g_ptr_array_index(config->modems, i);
        g_autofree char *interface =
            modem->driver != DRIVER_REPLAY ? check_interface(report, modem) : NULL;
        if (interface == NULL || settings->reflector == NULL)
            continue;
        check_reflector(report, settings, interface);
        asked = TRUE;
    }
    /* No modem is connected: at least whether it is there at all. */
    if (!asked && settings->reflector != NULL)
        check_reflector(report, settings, NULL);
}
