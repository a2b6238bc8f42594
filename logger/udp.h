/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP sockets for measuring: bound to one interface, kernel timestamps both ways, TTL and local
 * address of what arrives, many packets per system call. Never blocks.
 */
#pragma once

#include <gio/gio.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define UDP_ERROR udp_error_quark()
typedef enum {
    UDP_ERROR_RIGHT,     /* ping sockets are not allowed to us (net.ipv4.ping_group_range) */
    UDP_ERROR_INTERFACE, /* the interface is not there, or has no address of the family */
    UDP_ERROR_SYSTEM     /* anything else; the message says what */
} UdpError;
GQuark udp_error_quark(void);

#define UDP_MAX_PACKET 2048 /* longer ones are cut; the caller sees a length above its limit */

/* Address of a peer, or of the end of the socket that got a packet. */
typedef struct {
    struct sockaddr_storage address;
    socklen_t length;
} UdpAddress;

typedef struct {
    const guint8 *data; /* (transfer none, until the next call) */
    gsize length;
    UdpAddress from;
    UdpAddress to;     /* our address it was sent to; its port is not set */
    gint64 arrived_ns; /* CLOCK_REALTIME, by the kernel; by us where the kernel gave none */
    int ttl;           /* TTL or hop limit; -1 = not known */
} UdpPacket;

typedef struct {
    int family;             /* AF_INET or AF_INET6 */
    gboolean echo;          /* unprivileged ICMP echo (ping socket) instead of UDP */
    const char *device;     /* interface (SO_BINDTODEVICE); NULL = any */
    const UdpAddress *bind; /* NULL = any address, any port */
    const UdpAddress *peer; /* connects; NULL = not connected */
    gboolean send_stamps;   /* kernel timestamps of sent packets: udp_sent() */
    int ttl;                /* of sent packets; 0 = the system's */
    int buffer_bytes;       /* receive buffer; 0 = the system's */
} UdpOptions;

typedef struct UdpSocket UdpSocket;

/* Returns: (transfer full). */
UdpSocket *udp_open(const UdpOptions *options, GError **error);
/* NULL is allowed. */
void udp_close(UdpSocket *socket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UdpSocket, udp_close)

int udp_fd(const UdpSocket *socket);
/* The address it sends from once connected, port 0. */
gboolean udp_own_address(const UdpSocket *socket, UdpAddress *own);

typedef void (*UdpReceive)(const UdpPacket *packet, gpointer data);

/* Gives what has arrived to `receive`, at most `most` packets. Returns how many; an error of the
 * socket (peer unreachable, interface gone) is reported once through `trouble` (may be NULL) as an
 * errno. */
unsigned udp_receive(UdpSocket *socket, unsigned most, UdpReceive receive, gpointer data,
                     int *trouble);

/* Sends one packet: to `to` (NULL = connected peer), from `from` (NULL = as the system likes).
 * Returns 0 or an errno; ENOBUFS and EAGAIN mean the packet was dropped here. */
int udp_send(UdpSocket *socket, const void *data, gsize length, const UdpAddress *to,
             const UdpAddress *from);

/* Packets of equal destination in one call. */
typedef struct {
    const void *data;
    gsize length;
} UdpOut;
#define UDP_BATCH 32
/* Sends up to UDP_BATCH packets. Returns how many went out; the rest was dropped (errno in
 * `trouble`, may be NULL). */
unsigned udp_send_many(UdpSocket *socket, const UdpOut *packets, unsigned n, const UdpAddress *to,
                       const UdpAddress *from, int *trouble);

/* Number of the sent packet (from 0, counted by the kernel) and when it left. */
typedef void (*UdpSent)(guint32 number, gint64 sent_ns, gpointer data);
void udp_sent(UdpSocket *socket, UdpSent sent, gpointer data);

/* CLOCK_REALTIME and CLOCK_MONOTONIC, ns. */
gint64 udp_realtime(void);
gint64 udp_monotonic(void);
/* The first less the second, read as one (clock_offset_ns()). */
gint64 udp_to_realtime(void);

/* Reads "192.0.2.1", "2001:db8::1" with a port. FALSE if it is no address. */
gboolean udp_address_parse(const char *text, guint16 port, UdpAddress *address);
/* Port in host order; and the same address with another port. */
guint16 udp_address_port(const UdpAddress *address);
void udp_address_set_port(UdpAddress *address, guint16 port);
/* Address without port as text. Returns: (transfer full). */
char *udp_address_text(const UdpAddress *address);
/* Same address and port. */
gboolean udp_address_equal(const UdpAddress *a, const UdpAddress *b);
