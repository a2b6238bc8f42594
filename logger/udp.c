/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/udp.h"

#include "formats/time-map.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

G_DEFINE_QUARK(corridor - udp - error - quark, udp_error)

#define CONTROL_SIZE 256
#define BATCH        16

struct UdpSocket {
    int fd;
    int family;
    guint8 (*buffers)[UDP_MAX_PACKET]; /* BATCH of them, made at the first receive */
};

gint64 udp_realtime(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

gint64 udp_monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

gint64 udp_to_realtime(void)
{
    return clock_offset_ns(udp_realtime, udp_monotonic);
}

static gboolean set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

static gboolean set_options(int fd, const UdpOptions *options)
{
    int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    if (options->send_stamps)
        stamps |=
            SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
    gboolean good = set_int(fd, SOL_SOCKET, SO_TIMESTAMPING, stamps);
    if (options->family == AF_INET) {
        good = good && set_int(fd, IPPROTO_IP, IP_RECVTTL, 1) &&
               set_int(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
               (options->ttl == 0 || set_int(fd, IPPROTO_IP, IP_TTL, options->ttl));
    } else {
        (void)set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); /* ping sockets have none */
        good = good && set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
               set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
               (options->ttl == 0 || set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, options->ttl));
    }
    if (options->buffer_bytes > 0)
        (void)set_int(fd, SOL_SOCKET, SO_RCVBUF, options->buffer_bytes);
    return good;
}

/* What to do about it; "" where nothing is known to help. */
static const char *advice(int cause)
{
    static const struct {
        int cause;
        const char *text;
    } rows[] = {{EADDRINUSE, "; another program has it: stop that one or choose another port"},
                {EACCES, "; ports below 1024 need CAP_NET_BIND_SERVICE, or choose another port"},
                {EADDRNOTAVAIL, "; choose an address of this machine"},
                {ENODEV, "; `ip link` shows the interfaces there are"}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].cause == cause)
            return rows[i].text;
    return "";
}

static UdpSocket *fail(int fd, const UdpOptions *options, const char *what, GError **error)
{
    int cause = errno;
    UdpError code = cause == ENODEV || cause == EADDRNOTAVAIL || cause == ENETUNREACH
                        ? UDP_ERROR_INTERFACE
                        : UDP_ERROR_SYSTEM;
    g_set_error(error, UDP_ERROR, (int)code, "socket%s%s: %s: %s%s", options->device ? " on " : "",
                options->device ? options->device : "", what, g_strerror(cause), advice(cause));
    if (fd >= 0)
        close(fd);
    return NULL;
}

UdpSocket *udp_open(const UdpOptions *options, GError **error)
{
    int protocol = !options->echo               ? IPPROTO_UDP
                   : options->family == AF_INET ? IPPROTO_ICMP
                                                : IPPROTO_ICMPV6;
    int fd = socket(options->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0 && options->echo && errno == EACCES) {
        g_set_error(error, UDP_ERROR, UDP_ERROR_RIGHT,
                    "ping sockets are not allowed; set sysctl net.ipv4.ping_group_range");
        return NULL;
    }
    if (fd < 0)
        return fail(fd, options, "cannot be made", error);
    if (options->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options->device,
                                      (socklen_t)strlen(options->device) + 1) != 0)
        return fail(fd, options, "cannot be bound to the interface", error);
    if (!set_options(fd, options))
        return fail(fd, options, "cannot be set up", error);
    if (options->bind &&
        bind(fd, (const struct sockaddr *)&options->bind->address, options->bind->length) != 0)
        return fail(fd, options, "cannot be bound to its address", error);
    if (options->peer &&
        connect(fd, (const struct sockaddr *)&options->peer->address, options->peer->length) != 0)
        return fail(fd, options, "no way to the peer", error);
    UdpSocket *result = g_new0(UdpSocket, 1);
    result->fd = fd;
    result->family = options->family;
    return result;
}

void udp_close(UdpSocket *socket)
{
    if (!socket)
        return;
    close(socket->fd);
    g_free(socket->buffers);
    g_free(socket);
}

int udp_fd(const UdpSocket *socket)
{
    return socket->fd;
}

gboolean udp_own_address(const UdpSocket *socket, UdpAddress *own)
{
    *own = (UdpAddress){.length = sizeof own->address};
    if (getsockname(socket->fd, (struct sockaddr *)&own->address, &own->length) != 0)
        return FALSE;
    udp_address_set_port(own, 0);
    return TRUE;
}

static gint64 stamp_of(const struct cmsghdr *cmsg)
{
    struct scm_timestamping stamps;
    memcpy(&stamps, CMSG_DATA(cmsg), sizeof stamps);
    return (gint64)stamps.ts[0].tv_sec * 1000000000 + stamps.ts[0].tv_nsec;
}

static void read_control(struct msghdr *message, UdpPacket *packet)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg; cmsg = CMSG_NXTHDR(message, cmsg)) {
        if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_TIMESTAMPING) {
            gint64 stamp_ns = stamp_of(cmsg);
            if (stamp_ns > 0)
                packet->arrived_ns = stamp_ns;
        } else if ((cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_TTL) ||
                   (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_HOPLIMIT)) {
            memcpy(&packet->ttl, CMSG_DATA(cmsg), sizeof packet->ttl);
        } else if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            struct sockaddr_in *to = (struct sockaddr_in *)(void *)&packet->to.address;
            memcpy(&info, CMSG_DATA(cmsg), sizeof info);
            to->sin_family = AF_INET;
            to->sin_addr = info.ipi_addr;
            packet->to.length = sizeof *to;
        } else if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            struct sockaddr_in6 *to = (struct sockaddr_in6 *)(void *)&packet->to.address;
            memcpy(&info, CMSG_DATA(cmsg), sizeof info);
            to->sin6_family = AF_INET6;
            to->sin6_addr = info.ipi6_addr;
            to->sin6_scope_id = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
            packet->to.length = sizeof *to;
        }
    }
}

/* One recvmmsg. Returns packets read, -1 with errno. */
static int receive_batch(UdpSocket *socket, unsigned most, UdpReceive receive, gpointer data)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    UdpPacket packets[BATCH];
    _Alignas(struct cmsghdr) guint8 control[BATCH][CONTROL_SIZE];
    if (!socket->buffers)
        socket->buffers = g_malloc(sizeof *socket->buffers * BATCH);
    for (unsigned i = 0; i < most; i++) {
        parts[i] = (struct iovec){socket->buffers[i], UDP_MAX_PACKET};
        messages[i] = (struct mmsghdr){.msg_hdr = {
                                           .msg_name = &packets[i].from.address,
                                           .msg_namelen = sizeof packets[i].from.address,
                                           .msg_iov = &parts[i],
                                           .msg_iovlen = 1,
                                           .msg_control = control[i],
                                           .msg_controllen = CONTROL_SIZE,
                                       }};
    }
    int n = recvmmsg(socket->fd, messages, most, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        UdpPacket *packet = &packets[i];
        packet->data = socket->buffers[i];
        packet->length = messages[i].msg_len;
        packet->from.length = messages[i].msg_hdr.msg_namelen;
        packet->to.length = 0;
        packet->arrived_ns = 0;
        packet->ttl = -1;
        read_control(&messages[i].msg_hdr, packet);
        if (packet->arrived_ns == 0)
            packet->arrived_ns = udp_realtime();
        receive(packet, data);
    }
    return n;
}

unsigned udp_receive(UdpSocket *socket, unsigned most, UdpReceive receive, gpointer data,
                     int *trouble)
{
    unsigned total = 0;
    if (trouble)
        *trouble = 0;
    while (total < most) {
        unsigned want = MIN(most - total, (unsigned)BATCH);
        int n = receive_batch(socket, want, receive, data);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            if (errno != EAGAIN && trouble)
                *trouble = errno;
            break;
        }
        total += (unsigned)n;
        if ((unsigned)n < want)
            break;
    }
    return total;
}

/* Room for one packet-info message, to send from a chosen address. */
typedef union {
    struct cmsghdr head;
    guint8 room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
} SourceControl;

static void choose_source(struct msghdr *message, SourceControl *control, const UdpAddress *from)
{
    if (!from || from->length == 0)
        return;
    memset(control, 0, sizeof *control);
    message->msg_control = control;
    message->msg_controllen = sizeof *control;
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(message);
    if (from->address.ss_family == AF_INET) {
        struct in_pktinfo info = {
            .ipi_spec_dst = ((const struct sockaddr_in *)(const void *)&from->address)->sin_addr};
        cmsg->cmsg_level = IPPROTO_IP;
        cmsg->cmsg_type = IP_PKTINFO;
        cmsg->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(cmsg), &info, sizeof info);
        message->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        const struct sockaddr_in6 *own = (const struct sockaddr_in6 *)(const void *)&from->address;
        struct in6_pktinfo info = {.ipi6_addr = own->sin6_addr, .ipi6_ifindex = own->sin6_scope_id};
        cmsg->cmsg_level = IPPROTO_IPV6;
        cmsg->cmsg_type = IPV6_PKTINFO;
        cmsg->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(cmsg), &info, sizeof info);
        message->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

unsigned udp_send_many(UdpSocket *socket, const UdpOut *packets, unsigned n, const UdpAddress *to,
                       const UdpAddress *from, int *trouble)
{
    struct mmsghdr messages[UDP_BATCH];
    struct iovec parts[UDP_BATCH];
    SourceControl control;
    g_return_val_if_fail(n <= UDP_BATCH, 0);
    if (trouble)
        *trouble = 0;
    for (unsigned i = 0; i < n; i++) {
        /* sendmmsg does not write to the data; iovec has no const form. */
        union {
            const void *in;
            void *out;
        } data = {packets[i].data};
        parts[i] = (struct iovec){data.out, packets[i].length};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
        if (to) {
            union {
                const struct sockaddr_storage *in;
                void *out;
            } name = {&to->address};
            messages[i].msg_hdr.msg_name = name.out;
            messages[i].msg_hdr.msg_namelen = to->length;
        }
        choose_source(&messages[i].msg_hdr, &control, from);
    }
    unsigned sent = 0;
    while (sent < n) {
        int done = sendmmsg(socket->fd, messages + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done < 0) {
            if (errno == EINTR)
                continue;
            if (trouble)
                *trouble = errno;
            break;
        }
        sent += (unsigned)done;
    }
    return sent;
}

int udp_send(UdpSocket *socket, const void *data, gsize length, const UdpAddress *to,
             const UdpAddress *from)
{
    int trouble = 0;
    const UdpOut packet = {data, length};
    return udp_send_many(socket, &packet, 1, to, from, &trouble) == 1 ? 0 : trouble;
}

void udp_sent(UdpSocket *socket, UdpSent sent, gpointer data)
{
    for (;;) {
        struct mmsghdr messages[BATCH];
        _Alignas(struct cmsghdr) guint8 control[BATCH][CONTROL_SIZE];
        memset(messages, 0, sizeof messages);
        for (int i = 0; i < BATCH; i++) {
            messages[i].msg_hdr.msg_control = control[i];
            messages[i].msg_hdr.msg_controllen = CONTROL_SIZE;
        }
        int n = recvmmsg(socket->fd, messages, BATCH, MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            struct msghdr *message = &messages[i].msg_hdr;
            gint64 sent_ns = 0;
            gint64 number = -1;
            for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg;
                 cmsg = CMSG_NXTHDR(message, cmsg)) {
                if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_TIMESTAMPING) {
                    sent_ns = stamp_of(cmsg);
                } else if ((cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR) ||
                           (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_RECVERR)) {
                    struct sock_extended_err report;
                    memcpy(&report, CMSG_DATA(cmsg), sizeof report);
                    if (report.ee_origin == SO_EE_ORIGIN_TIMESTAMPING)
                        number = report.ee_data;
                }
            }
            if (number >= 0 && sent_ns > 0)
                sent((guint32)number, sent_ns, data);
        }
        if (n < BATCH)
            return;
    }
}

gboolean udp_address_parse(const char *text, guint16 port, UdpAddress *address)
{
    g_autoptr(GSocketAddress) parsed = g_inet_socket_address_new_from_string(text, port);
    if (!parsed)
        return FALSE;
    memset(address, 0, sizeof *address);
    address->length = (socklen_t)g_socket_address_get_native_size(parsed);
    return g_socket_address_to_native(parsed, &address->address, sizeof address->address, NULL);
}

guint16 udp_address_port(const UdpAddress *address)
{
    if (address->address.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)&address->address)->sin_port);
    return ntohs(((const struct sockaddr_in6 *)(const void *)&address->address)->sin6_port);
}

void udp_address_set_port(UdpAddress *address, guint16 port)
{
    if (address->address.ss_family == AF_INET)
        ((struct sockaddr_in *)(void *)&address->address)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)(void *)&address->address)->sin6_port = htons(port);
}

char *udp_address_text(const UdpAddress *address)
{
    char text[INET6_ADDRSTRLEN] = "?";
    if (address->address.ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)&address->address)->sin_addr,
                  text, sizeof text);
    else if (address->address.ss_family == AF_INET6)
        inet_ntop(AF_INET6,
                  &((const struct sockaddr_in6 *)(const void *)&address->address)->sin6_addr, text,
                  sizeof text);
    return g_strdup(text);
}

gboolean udp_address_equal(const UdpAddress *a, const UdpAddress *b)
{
    if (a->address.ss_family != b->address.ss_family || udp_address_port(a) != udp_address_port(b))
        return FALSE;
    if (a->address.ss_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)&a->address)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)(const void *)&b->address)->sin_addr.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)(const void *)&a->address)->sin6_addr,
                  &((const struct sockaddr_in6 *)(const void *)&b->address)->sin6_addr, 16) == 0;
}
