/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/stamp-packet.h"

#include <glib.h>
#include <string.h>

#define NOW INT64_C(1790000000123456789)

/* Every field at the offset of RFC 8762, figures 2 and 5 (T-ST1: both have 44 bytes). */
static void test_unauthenticated(void)
{
    uint8_t asked[64], answer[64];
    const StampRequest request = {0x01020304, UINT64_C(0x1112131415161718), 0x8001, 0x2122};
    g_assert_cmpuint(stamp_request_write(&request, NULL, STAMP_SIZE, asked, sizeof asked), ==, 44);
    static const uint8_t expected[44] = {1,    2,    3,    4,    0x11, 0x12, 0x13, 0x14,
                                         0x15, 0x16, 0x17, 0x18, 0x80, 0x01, 0x21, 0x22};
    g_assert_true(memcmp(asked, expected, 44) == 0);

    StampRequest read;
    g_assert_true(stamp_request_read(asked, 44, NULL, &read));
    g_assert_cmpuint(read.seq, ==, request.seq);
    g_assert_cmpuint(read.time, ==, request.time);
    g_assert_cmpuint(read.error, ==, request.error);
    g_assert_cmpuint(read.ssid, ==, request.ssid);

    const StampReply reply = {
        .seq = 0x31323334,
        .time = UINT64_C(0x4142434445464748),
        .error = 0x5152,
        .ssid = 0x2122,
        .receive_time = UINT64_C(0x6162636465666768),
        .sender_seq = read.seq,
        .sender_time = read.time,
        .sender_error = read.error,
        .sender_ttl = 0x3f,
    };
    g_assert_cmpuint(stamp_reply_write(&reply, NULL, asked, 44, answer, sizeof answer), ==, 44);
    static const uint8_t figure5[44] = {
        0x31, 0x32, 0x33, 0x34, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x51, 0x52, 0x21,
        0x22, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 1,    2,    3,    4,    0x11, 0x12,
        0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x80, 0x01, 0,    0,    0x3f, 0,    0,    0};
    g_assert_true(memcmp(answer, figure5, 44) == 0);
    StampReply back;
    g_assert_true(stamp_reply_read(answer, 44, NULL, &back));
    g_assert_true(memcmp(&back.sender_time, &reply.sender_time, 8) == 0);
    g_assert_cmpuint(back.sender_ttl, ==, 0x3f);
    g_assert_cmpuint(back.receive_time, ==, reply.receive_time);
}

/* RFC 8762, figures 3 and 6: the same fields in blocks of 16 bytes, HMAC at 96. */
static void test_authenticated(void)
{
    static const uint8_t bytes[16] = "0123456789abcde";
    g_autoptr(Key) key = key_new(bytes, sizeof bytes);
    g_autoptr(Key) other = key_new("another key here", 16);
    uint8_t asked[112], answer[112], mac[KEY_MAC_SIZE];
    const StampRequest request = {7, UINT64_C(0x1112131415161718), 0x8001, 9};
    g_assert_cmpuint(stamp_request_write(&request, key, STAMP_AUTH_SIZE, asked, 112), ==, 112);
    g_assert_cmpuint(asked[3], ==, 7);
    g_assert_cmpuint(asked[16], ==, 0x11);
    g_assert_cmpuint(asked[24], ==, 0x80);
    g_assert_cmpuint(asked[27], ==, 9);
    key_mac(key, asked, 96, mac);
    g_assert_true(memcmp(asked + 96, mac, 16) == 0);
    StampRequest read;
    g_assert_true(stamp_request_read(asked, 112, key, &read));
    g_assert_cmpuint(read.seq, ==, 7);
    g_assert_false(stamp_request_read(asked, 112, other, &read));
    for (unsigned i = 0; i < 112; i++) { /* each byte is covered */
        asked[i] ^= 0x10;
        g_assert_false(stamp_request_read(asked, 112, key, &read));
        asked[i] ^= 0x10;
    }
    const StampReply reply = {.seq = 8,
                              .time = 1,
                              .error = 2,
                              .ssid = 9,
                              .receive_time = 3,
                              .sender_seq = 7,
                              .sender_time = 4,
                              .sender_error = 5,
                              .sender_ttl = 6};
    g_assert_cmpuint(stamp_reply_write(&reply, key, asked, 112, answer, 112), ==, 112);
    g_assert_cmpuint(answer[3], ==, 8);
    g_assert_cmpuint(answer[23], ==, 1);
    g_assert_cmpuint(answer[25], ==, 2);
    g_assert_cmpuint(answer[27], ==, 9);
    g_assert_cmpuint(answer[39], ==, 3);
    g_assert_cmpuint(answer[51], ==, 7);
    g_assert_cmpuint(answer[71], ==, 4);
    g_assert_cmpuint(answer[73], ==, 5);
    g_assert_cmpuint(answer[80], ==, 6);
    StampReply back;
    g_assert_true(stamp_reply_read(answer, 112, key, &back));
    g_assert_cmpuint(back.sender_ttl, ==, 6);
    g_assert_cmpuint(back.sender_seq, ==, 7);
    g_assert_false(stamp_reply_read(answer, 112, other, &back));
    g_assert_false(stamp_reply_read(answer, 111, key, &back));
}

/* Padding TLV out (U set), the same back with U cleared; unknown and broken ones marked. */
static void test_tlvs(void)
{
    uint8_t asked[92], answer[92];
    const StampRequest request = {.seq = 1};
    const StampReply reply = {.seq = 1};
    g_assert_cmpuint(stamp_request_write(&request, NULL, 92, asked, 92), ==, 92);
    static const uint8_t head[] = {0x80, 1, 0, 44};
    g_assert_true(memcmp(asked + 44, head, 4) == 0);
    g_assert_cmpuint(stamp_reply_write(&reply, NULL, asked, 92, answer, 92), ==, 92);
    g_assert_cmpuint(answer[44], ==, 0);
    asked[45] = 77; /* no such TLV here */
    g_assert_cmpuint(stamp_reply_write(&reply, NULL, asked, 92, answer, 92), ==, 92);
    g_assert_cmpuint(answer[44], ==, 0x80);
    asked[47] = 45; /* longer than what is left */
    g_assert_cmpuint(stamp_reply_write(&reply, NULL, asked, 92, answer, 92), ==, 92);
    g_assert_cmpuint(answer[44] & 0x40, ==, 0x40);
    /* Sizes that cannot be made; replies never longer than what was asked. */
    g_assert_cmpuint(stamp_request_write(&request, NULL, 46, asked, 92), ==, 0);
    g_assert_cmpuint(stamp_request_write(&request, NULL, 93, asked, 92), ==, 0);
    g_assert_cmpuint(stamp_request_write(&request, NULL, 43, asked, 92), ==, 0);
    g_assert_cmpuint(stamp_reply_write(&reply, NULL, asked, 43, answer, 92), ==, 0);
    g_assert_cmpuint(stamp_reply_write(&reply, NULL, asked, 92, answer, 91), ==, 0);
    StampRequest read;
    for (size_t length = 0; length < STAMP_SIZE; length++)
        g_assert_false(stamp_request_read(asked, length, NULL, &read));
}

static void test_times(void)
{
    /* 1970 in NTP is 2208988800 s; half a second is 2^31. */
    g_assert_cmphex(stamp_time_encode(500000000, false), ==, UINT64_C(0x83aa7e8080000000));
    g_assert_cmphex(stamp_time_encode(500000000, true), ==, UINT64_C(0x000000001dcd6500));
    for (int i = 0; i < 20000; i++) {
        int64_t time_ns =
            NOW + (int64_t)(g_test_rand_double() * 9e18 / 2) % INT64_C(4000000000000000000);
        int64_t near_ns = time_ns + g_test_rand_int_range(-1000000, 1000000) * INT64_C(1000000);
        int64_t ntp = stamp_time_decode(stamp_time_encode(time_ns, false), false, near_ns);
        g_assert_cmpint(ABS(ntp - time_ns), <=, 1);
        g_assert_cmpint(stamp_time_decode(stamp_time_encode(time_ns, true), true, near_ns), ==,
                        time_ns);
    }
    /* 2036-02-07T06:28:16Z: NTP era 1 begins. */
    int64_t rollover = INT64_C(2085978496) * 1000000000;
    g_assert_cmphex(stamp_time_encode(rollover, false), ==, 0);
    g_assert_cmpint(stamp_time_decode(0, false, rollover - 5), ==, rollover);
    g_assert_cmpint(stamp_time_decode(0, false, rollover + 5), ==, rollover);
}

static void test_error_estimate(void)
{
    /* multiplier 1, scale 0 is 2^-32 s; 1 ms = 4294968 * 2^-32 = 132 (rounded up) * 2^15 */
    g_assert_cmphex(stamp_error_encode((StampClock){.synchronised = true}), ==, 0x8001);
    uint16_t field = stamp_error_encode((StampClock){true, true, 0.001});
    g_assert_cmphex(field, ==, 0x8000 | 0x4000 | 15 << 8 | 132);
    StampClock back = stamp_error_decode(field);
    g_assert_true(back.synchronised && back.ptp);
    g_assert_cmpfloat(back.error_s, >=, 0.001);
    g_assert_cmpfloat(back.error_s, <, 0.00101);
    for (double error = 1e-9; error < 1e9; error *= 1.7) { /* never understated, within 1/128 */
        double read =
            stamp_error_decode(stamp_error_encode((StampClock){.error_s = error})).error_s;
        g_assert_cmpfloat(read, >=, error);
        g_assert_cmpfloat(read, <=, error * (1 + 1.0 / 64) + 3e-10);
    }
    g_assert_cmphex(stamp_error_encode((StampClock){.error_s = 1e30}) & 0xff, !=, 0);
}

static void test_rtt(void)
{
    g_assert_cmpint(stamp_rtt_ns(0, 40, 41, 83), ==, 82); /* T-ST1 */
    g_assert_cmpint(stamp_rtt_ns(0, NOW + 40, NOW + 41, 83), ==, 82);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stamp/unauthenticated", test_unauthenticated);
    g_test_add_func("/stamp/authenticated", test_authenticated);
    g_test_add_func("/stamp/tlvs", test_tlvs);
    g_test_add_func("/stamp/times", test_times);
    g_test_add_func("/stamp/error-estimate", test_error_estimate);
    g_test_add_func("/stamp/rtt", test_rtt);
    return g_test_run();
}
