/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/media.h"

#include "logger/session-wire.h"
#include <glib.h>
#include <string.h>

/* One minute of the default plan: 3000 audio packets, 1800 frames, 1.2 Mbit/s and 64 kbit/s. */
static void test_plan(void)
{
    MediaShape shape = media_shape_default();
    MediaCursor cursor = {0};
    guint64 bytes[2] = {0};
    guint32 next[2] = {0};
    int64_t last_ns = 0;
    g_assert_true(media_shape_valid(&shape));
    while (media_due_ns(&shape, &cursor) < INT64_C(60000000000)) {
        int64_t due_ns = media_due_ns(&shape, &cursor);
        MediaPacket packet = media_next(&shape, &cursor);
        g_assert_cmpint(packet.offset_ns, ==, due_ns);
        g_assert_cmpint(packet.offset_ns, >=, last_ns);
        g_assert_cmpint(packet.offset_ns, ==, media_offset_ns(&shape, packet.stream, packet.seq));
        g_assert_cmpuint(packet.seq, ==, next[packet.stream]++);
        g_assert_cmpuint(packet.payload, <=, MEDIA_MAX_SIZE);
        bytes[packet.stream] += packet.payload + MEDIA_IP_OVERHEAD;
        last_ns = packet.offset_ns;
    }
    g_assert_cmpuint(next[MEDIA_AUDIO], ==, 3000);
    g_assert_cmpuint(next[MEDIA_VIDEO], ==, 1800 * media_frame_packets(&shape));
    g_assert_cmpfloat_with_epsilon((double)bytes[MEDIA_AUDIO] * 8 / 60, 64000, 1);
    g_assert_cmpfloat_with_epsilon((double)bytes[MEDIA_VIDEO] * 8 / 60, 1.2e6, 0.01e6);
    g_assert_cmpfloat_with_epsilon(media_bytes_per_s(&shape) * 8, 1.264e6, 1);
}

static void test_shapes(void)
{
    static const struct {
        MediaShape shape;
        bool valid;
    } rows[] = {
        {{50, 160, 0, 0}, true},          {{50, 75, 0, 0}, false},
        {{4, 160, 0, 0}, false},          {{50, 1201, 0, 0}, false},
        {{50, 160, 121, 1}, false},       {{50, 160, 30, 0}, false},
        {{50, 160, 30, 18000}, false},    {{50, 160, 30, 20000}, true},
        {{50, 160, 30, 30000000}, false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(media_shape_valid(&rows[i].shape), ==, rows[i].valid);
}

static void test_header(void)
{
    uint8_t data[MEDIA_HEADER_SIZE];
    MediaHeader header =
                    {MEDIA_VIDEO, UINT64_C(0x1122334455667788), 7, 3, 1234567890123456789, true, 99,
                     -5},
                back;
    media_write(&header, data, sizeof data);
    g_assert_true(media_read(data, sizeof data, &back));
    g_assert_cmpuint(back.stream, ==, MEDIA_VIDEO);
    g_assert_cmpuint(back.token, ==, header.token);
    g_assert_cmpint(back.sent_ns, ==, header.sent_ns);
    g_assert_cmpint(back.echo_arrived_ns, ==, -5);
    g_assert_true(back.echo);
    for (size_t length = 0; length < sizeof data; length++)
        g_assert_false(media_read(data, length, &back));
    data[4] = MEDIA_STREAMS;
    g_assert_false(media_read(data, sizeof data, &back));
}

/* Every message there and back; every truncation and every flipped byte refused. */
static void test_messages(void)
{
    g_autoptr(Key) key = key_new("0123456789abcdef", 16);
    for (int type = SESSION_HELLO; type <= SESSION_STOP; type++) {
        uint8_t data[SESSION_MAX_SIZE];
        g_autofree SessionMessage *out = g_new0(SessionMessage, 1);
        g_autofree SessionMessage *in = g_new0(SessionMessage, 1);
        *out = (SessionMessage){.type = (SessionType)type, .session = 5, .nonce = 6};
        memcpy(out->cookie, "ABCDEFGHIJKLMNOP", 16);
        out->kind = SESSION_TRAINS;
        out->shape = media_shape_default();
        out->duration_s = 60;
        out->status = SESSION_BUSY;
        out->token = 77;
        out->start_ns = 88;
        out->synchronised = true;
        out->train = 2;
        out->packets = 200;
        out->size = 1250;
        out->rate_bps = 10000000;
        out->from = 4;
        out->total = 100;
        out->now_ns = -9;
        out->n = SESSION_LOG_ENTRIES;
        for (unsigned i = 0; i < out->n; i++)
            out->arrivals[i] = (Arrival){(MediaStream)(i % 3), 1000 + i, (int64_t)i * 7};
        size_t length = session_write(out, key, data, sizeof data);
        g_assert_cmpuint(length, >, 0);
        g_assert_cmpuint(session_write(out, key, data, length - 1), ==, 0);
        length = session_write(out, key, data, sizeof data);
        g_assert_true(session_read(data, length, key, in));
        g_assert_cmpuint(in->session, ==, 5);
        if (type == SESSION_START) {
            g_assert_true(memcmp(in->cookie, out->cookie, 16) == 0);
            g_assert_cmpuint(in->shape.video_bps, ==, out->shape.video_bps);
        } else if (type == SESSION_ACCEPT) {
            g_assert_cmpuint(in->token, ==, 77);
            g_assert_true(in->synchronised);
        } else if (type == SESSION_GO) {
            g_assert_cmpuint(in->rate_bps, ==, 10000000);
        } else if (type == SESSION_LOG) {
            g_assert_cmpuint(in->n, ==, SESSION_LOG_ENTRIES);
            g_assert_cmpint(in->now_ns, ==, -9);
            for (unsigned i = 0; i < in->n; i++) {
                g_assert_cmpuint(in->arrivals[i].stream, ==, i % 3);
                g_assert_cmpuint(in->arrivals[i].seq, ==, 1000 + i);
                g_assert_cmpint(in->arrivals[i].arrived_ns, ==, (int64_t)i * 7);
            }
        }
        for (size_t cut = 0; cut < length; cut++)
            g_assert_false(session_read(data, cut, key, in));
        for (size_t i = 0; i < length; i += 3) {
            data[i] ^= 0x41;
            g_assert_false(session_read(data, length, key, in));
            data[i] ^= 0x41;
        }
    }
}

/* Nothing a reflector says before the cookie is longer than what it was asked with. */
static void test_no_amplification(void)
{
    g_autoptr(Key) key = key_new("0123456789abcdef", 16);
    g_autofree SessionMessage *message = g_new0(SessionMessage, 1);
    uint8_t data[SESSION_MAX_SIZE];
    size_t length[SESSION_STOP + 1];
    for (int type = SESSION_HELLO; type <= SESSION_ACCEPT; type++) {
        message->type = (SessionType)type;
        message->kind = SESSION_MEETING;
        length[type] = session_write(message, key, data, sizeof data);
    }
    g_assert_cmpuint(length[SESSION_CHALLENGE], <=, length[SESSION_HELLO]);
    g_assert_cmpuint(length[SESSION_ACCEPT], <=, length[SESSION_START]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/plan", test_plan);
    g_test_add_func("/media/shapes", test_shapes);
    g_test_add_func("/media/header", test_header);
    g_test_add_func("/session-wire/messages", test_messages);
    g_test_add_func("/session-wire/no-amplification", test_no_amplification);
    return g_test_run();
}
