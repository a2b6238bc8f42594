/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user-stamps: STAMP packets one by one, each answer read as soon as it comes, timed three ways.
 *
 *     user-stamps INTERFACE ADDRESS PORT SECONDS PER_SECOND
 *
 * One line a packet, ms: by the kernel's stamps at both ends; by times taken here around the system
 * calls, the reflector's by its kernel; by times taken here, nothing subtracted, so that the
 * reflector's waking up counts too, as it does for programs that know user space only.
 */
#include "logger/stamp-packet.h"
#include "logger/udp.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    UdpSocket *socket;
    guint32 seq;
    gint64 kernel_sent_ns, user_sent_ns, user_came_ns;
    gboolean came;
    StampReply reply;
    gint64 kernel_came_ns;
} Trip;

static void on_sent(guint32 number, gint64 sent_ns, gpointer data)
{
    Trip *trip = data;
    if (number == trip->seq)
        trip->kernel_sent_ns = sent_ns;
}

static void on_answer(const UdpPacket *packet, gpointer data)
{
    Trip *trip = data;
    trip->user_came_ns = udp_realtime();
    StampReply reply;
    if (!stamp_reply_read(packet->data, packet->length, NULL, &reply) ||
        reply.sender_seq != trip->seq)
        return;
    trip->reply = reply;
    trip->kernel_came_ns = packet->arrived_ns;
    trip->came = TRUE;
}

static void tell(const Trip *trip)
{
    gint64 t2 = stamp_time_decode(trip->reply.receive_time, false, trip->kernel_came_ns);
    gint64 t3 = stamp_time_decode(trip->reply.time, false, trip->kernel_came_ns);
    printf("%.6f %.6f %.6f\n",
           (double)stamp_rtt_ns(trip->kernel_sent_ns, t2, t3, trip->kernel_came_ns) / 1e6,
           (double)stamp_rtt_ns(trip->user_sent_ns, t2, t3, trip->user_came_ns) / 1e6,
           (double)(trip->user_came_ns - trip->user_sent_ns) / 1e6);
}

int main(int argc, char **argv)
{
    UdpAddress peer;
    g_autoptr(GError) error = NULL;
    if (argc != 6 || !udp_address_parse(argv[2], (guint16)atoi(argv[3]), &peer)) {
        fprintf(stderr, "user-stamps: use: INTERFACE ADDRESS PORT SECONDS PER_SECOND\n");
        return 2;
    }
    const UdpOptions options = {
        .family = peer.address.ss_family, .device = argv[1], .peer = &peer, .send_stamps = TRUE};
    Trip trip = {.socket = udp_open(&options, &error)};
    if (!trip.socket) {
        fprintf(stderr, "user-stamps: %s\n", error->message);
        return 1;
    }
    double per_s = g_ascii_strtod(argv[5], NULL);
    guint32 n = (guint32)(g_ascii_strtod(argv[4], NULL) * per_s);
    for (trip.seq = 0; trip.seq < n; trip.seq++) {
        guint8 data[STAMP_SIZE];
        trip.came = FALSE;
        trip.user_sent_ns = trip.kernel_sent_ns = udp_realtime();
        const StampRequest request = {
            .seq = trip.seq, .time = stamp_time_encode(trip.user_sent_ns, false), .ssid = 7};
        (void)stamp_request_write(&request, NULL, sizeof data, data, sizeof data);
        (void)udp_send(trip.socket, data, sizeof data, NULL, NULL);
        gint64 next_ns = trip.user_sent_ns + (gint64)(1e9 / per_s);
        while (!trip.came && udp_realtime() < next_ns + 1000000000) {
            struct pollfd wait = {udp_fd(trip.socket), POLLIN, 0};
            if (poll(&wait, 1, 100) > 0 && (wait.revents & POLLIN))
                (void)udp_receive(trip.socket, 1, on_answer, &trip, NULL);
            udp_sent(trip.socket, on_sent, &trip);
        }
        if (trip.came)
            tell(&trip);
        gint64 left_ns = next_ns - udp_realtime();
        if (left_ns > 0)
            usleep((useconds_t)(left_ns / 1000));
    }
    udp_close(trip.socket);
    return 0;
}
