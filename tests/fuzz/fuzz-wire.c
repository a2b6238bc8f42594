/* SPDX-License-Identifier: Apache-2.0 */
/* What comes over the network: STAMP, sessions, media, captured headers. The first byte chooses.
 * Codes are made right here, so that what lies behind them is reached. */
#include "logger/flow.h"
#include "logger/session-wire.h"
#include "logger/stamp-packet.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Key *key;

/* A reply has exactly the length of its request, and carries its number and time back. */
static void stamp(const uint8_t *data, size_t size, const Key *with)
{
    uint8_t packet[STAMP_MAX_SIZE], answer[STAMP_MAX_SIZE];
    StampRequest request;
    StampReply reply = {0}, back;
    if (size > sizeof packet)
        return;
    memcpy(packet, data, size);
    if (with && size >= STAMP_AUTH_SIZE)
        key_mac(with, packet, STAMP_AUTH_SIZE - KEY_MAC_SIZE,
                packet + STAMP_AUTH_SIZE - KEY_MAC_SIZE);
    (void)stamp_reply_read(packet, size, with, &back);
    if (!stamp_request_read(packet, size, with, &request))
        return;
    reply.sender_seq = request.seq;
    reply.sender_time = request.time;
    size_t length = stamp_reply_write(&reply, with, packet, size, answer, sizeof answer);
    g_assert_cmpuint(length, ==, size);
    g_assert_true(stamp_reply_read(answer, length, with, &back));
    g_assert_cmpuint(back.sender_seq, ==, request.seq);
    g_assert_cmpuint(back.sender_time, ==, request.time);
}

/* A message that was read can be written, and is then read as the same. */
static void session(const uint8_t *data, size_t size)
{
    uint8_t packet[SESSION_MAX_SIZE], again[SESSION_MAX_SIZE];
    static SessionMessage first, second;
    if (size + KEY_MAC_SIZE > sizeof packet)
        return;
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    memcpy(packet, data, size);
    key_mac(key, packet, size, packet + size);
    if (!session_read(packet, size + KEY_MAC_SIZE, key, &first))
        return;
    size_t length = session_write(&first, key, again, sizeof again);
    g_assert_cmpuint(length, >, 0);
    g_assert_true(session_read(again, length, key, &second));
    g_assert_true(memcmp(&first, &second, sizeof first) == 0);
}

static void ignore(const FlowBin *bin, gpointer data)
{
    g_assert_cmpuint(bin->packets[0] + bin->packets[1], >, 0);
    (void)data;
}

/* Packets one after the other, each with its length in front. */
static void flow(const uint8_t *data, size_t size)
{
    g_autoptr(Flow) seen = flow_new(ignore, NULL);
    gint64 time_ns = G_GINT64_CONSTANT(1790000000000000000);
    while (size > 2) {
        gsize length = MIN(data[0], size - 2);
        time_ns += data[1] * G_GINT64_CONSTANT(1000000);
        flow_packet(seen, data[1] & 1, time_ns, data + 2, length, length + data[1]);
        data += 2 + length;
        size -= 2 + length;
    }
    flow_finish(seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MediaHeader header;
    if (!key)
        key = key_new("0123456789abcdef", 16);
    if (size == 0)
        return 0;
    switch (data[0] % 5) {
    case 0:
        stamp(data + 1, size - 1, NULL);
        break;
    case 1:
        stamp(data + 1, size - 1, key);
        break;
    case 2:
        session(data + 1, size - 1);
        break;
    case 3:
        if (media_read(data + 1, size - 1, &header))
            g_assert_cmpint(header.stream, <, MEDIA_STREAMS);
        break;
    default:
        flow(data + 1, size - 1);
        break;
    }
    return 0;
}
