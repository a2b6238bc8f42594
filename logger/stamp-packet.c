/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/stamp-packet.h"

#include "formats/bytes.h"
#include <math.h>
#include <string.h>

#define NTP_OF_1970       INT64_C(2208988800) /* s from 1900 to 1970 */
#define ERA_S             INT64_C(4294967296) /* both formats hold 32 bits of seconds */
#define NS_PER_S          INT64_C(1000000000)
#define AUTH_COVERED      (STAMP_AUTH_SIZE - KEY_MAC_SIZE)
#define TLV_UNRECOGNIZED  0x80 /* U flag, RFC 8972, 4 */
#define TLV_MALFORMED     0x40 /* M flag */
#define TLV_INTEGRITY     0x20 /* I flag */
#define TLV_EXTRA_PADDING 1    /* RFC 8972, 4.1 */

uint16_t stamp_error_encode(StampClock clock)
{
    unsigned scale = 0;
    double multiplier = ceil(clock.error_s * 4294967296.0);
    while (multiplier > 255 && scale < 63) {
        multiplier = ceil(multiplier / 2);
        scale++;
    }
    if (!(multiplier >= 1))
        multiplier = 1;
    if (multiplier > 255)
        multiplier = 255;
    return (uint16_t)((clock.synchronised ? 0x8000U : 0U) | (clock.ptp ? 0x4000U : 0U) |
                      scale << 8 | (unsigned)multiplier);
}

StampClock stamp_error_decode(uint16_t error)
{
    return (StampClock){
        .synchronised = (error & 0x8000) != 0,
        .ptp = (error & 0x4000) != 0,
        .error_s = ldexp(error & 0xff, (int)((error >> 8) & 0x3f) - 32),
    };
}

uint64_t stamp_time_encode(int64_t realtime_ns, bool ptp)
{
    int64_t seconds = realtime_ns / NS_PER_S;
    int64_t ns = realtime_ns % NS_PER_S;
    if (ns < 0) {
        ns += NS_PER_S;
        seconds--;
    }
    if (ptp)
        return (uint64_t)(uint32_t)seconds << 32 | (uint64_t)ns;
    uint64_t fraction = (((uint64_t)ns << 32) + NS_PER_S / 2) / NS_PER_S;
    return ((uint64_t)(uint32_t)(seconds + NTP_OF_1970) << 32) + fraction;
}

int64_t stamp_time_decode(uint64_t time, bool ptp, int64_t near_ns)
{
    int64_t seconds = (int64_t)(time >> 32) - (ptp ? 0 : NTP_OF_1970);
    uint32_t low = (uint32_t)time;
    int64_t ns =
        ptp ? (int64_t)low : (int64_t)(((uint64_t)low * NS_PER_S + (UINT64_C(1) << 31)) >> 32);
    int64_t distance = near_ns / NS_PER_S - seconds;
    int64_t eras = (distance + (distance < 0 ? -ERA_S / 2 : ERA_S / 2)) / ERA_S;
    return (seconds + eras * ERA_S) * NS_PER_S + ns;
}

size_t stamp_request_write(const StampRequest *request, const Key *key, size_t size, void *data,
                           size_t room)
{
    size_t base = key ? STAMP_AUTH_SIZE : STAMP_SIZE;
    if (size < base || size > room || size > STAMP_MAX_SIZE ||
        (size > base && size < base + STAMP_TLV_HEADER))
        return 0;
    ByteWriter writer = byte_writer(data, size);
    byte_write_u32(&writer, request->seq);
    if (key)
        byte_write_zero(&writer, 12);
    byte_write_u64(&writer, request->time);
    byte_write_u16(&writer, request->error);
    byte_write_u16(&writer, request->ssid);
    if (key) {
        uint8_t mac[KEY_MAC_SIZE];
        byte_write_zero(&writer, 68);
        key_mac(key, data, AUTH_COVERED, mac);
        byte_write_run(&writer, mac, sizeof mac);
    } else {
        byte_write_zero(&writer, 28);
    }
    if (size > base) {
        byte_write_u8(&writer, TLV_UNRECOGNIZED);
        byte_write_u8(&writer, TLV_EXTRA_PADDING);
        byte_write_u16(&writer, (uint16_t)(size - base - STAMP_TLV_HEADER));
        byte_write_zero(&writer, size - base - STAMP_TLV_HEADER);
    }
    return byte_writer_done(&writer) ? size : 0;
}

/* Length, and the code where there is a key: the same for requests and replies. */
static bool genuine(const uint8_t *data, size_t length, const Key *key)
{
    if (length < (key ? STAMP_AUTH_SIZE : STAMP_SIZE))
        return false;
    return !key || key_check(key, data, AUTH_COVERED, data + AUTH_COVERED);
}

bool stamp_request_read(const void *data, size_t length, const Key *key, StampRequest *request)
{
    if (!genuine(data, length, key))
        return false;
    ByteReader reader = byte_reader(data, length);
    request->seq = byte_read_u32(&reader);
    if (key)
        byte_read_skip(&reader, 12);
    request->time = byte_read_u64(&reader);
    request->error = byte_read_u16(&reader);
    request->ssid = byte_read_u16(&reader);
    return byte_reader_done(&reader);
}

/* Carries TLVs back as RFC 8972, 4 asks of a reflector. We hold no key for TLVs: in authenticated
 * mode each is marked as not verified (I flag) and otherwise left alone, but for Extra Padding
 * alone, which needs no code (4.8). */
static void answer_tlvs(uint8_t *tlvs, size_t length, bool authenticated)
{
    size_t at = 0;
    if (length >= STAMP_TLV_HEADER && tlvs[1] == TLV_EXTRA_PADDING &&
        ((size_t)tlvs[2] << 8 | tlvs[3]) + STAMP_TLV_HEADER == length)
        authenticated = false;
    while (length - at >= STAMP_TLV_HEADER) {
        size_t value = (size_t)tlvs[at + 2] << 8 | tlvs[at + 3];
        if (value > length - at - STAMP_TLV_HEADER) {
            tlvs[at] |= TLV_MALFORMED;
            return;
        }
        if (authenticated)
            tlvs[at] |= TLV_INTEGRITY;
        else if (tlvs[at + 1] == TLV_EXTRA_PADDING)
            tlvs[at] &= (uint8_t)~TLV_UNRECOGNIZED;
        else
            tlvs[at] |= TLV_UNRECOGNIZED;
        at += STAMP_TLV_HEADER + value;
    }
}

static void write_unauthenticated(ByteWriter *writer, const StampReply *reply)
{
    byte_write_u32(writer, reply->seq);
    byte_write_u64(writer, reply->time);
    byte_write_u16(writer, reply->error);
    byte_write_u16(writer, reply->ssid);
    byte_write_u64(writer, reply->receive_time);
    byte_write_u32(writer, reply->sender_seq);
    byte_write_u64(writer, reply->sender_time);
    byte_write_u16(writer, reply->sender_error);
    byte_write_zero(writer, 2);
    byte_write_u8(writer, reply->sender_ttl);
    byte_write_zero(writer, 3);
}

/* RFC 8762, figure 6: the same fields, each in blocks of 16 bytes. */
static void write_authenticated(ByteWriter *writer, const StampReply *reply)
{
    byte_write_u32(writer, reply->seq);
    byte_write_zero(writer, 12);
    byte_write_u64(writer, reply->time);
    byte_write_u16(writer, reply->error);
    byte_write_u16(writer, reply->ssid);
    byte_write_zero(writer, 4);
    byte_write_u64(writer, reply->receive_time);
    byte_write_zero(writer, 8);
    byte_write_u32(writer, reply->sender_seq);
    byte_write_zero(writer, 12);
    byte_write_u64(writer, reply->sender_time);
    byte_write_u16(writer, reply->sender_error);
    byte_write_zero(writer, 6);
    byte_write_u8(writer, reply->sender_ttl);
    byte_write_zero(writer, 15);
}

size_t stamp_reply_write(const StampReply *reply, const Key *key, const void *asked, size_t length,
                         void *data, size_t room)
{
    size_t base = key ? STAMP_AUTH_SIZE : STAMP_SIZE;
    if (length < base || length > room)
        return 0;
    ByteWriter writer = byte_writer(data, length);
    if (key) {
        uint8_t mac[KEY_MAC_SIZE];
        write_authenticated(&writer, reply);
        key_mac(key, data, AUTH_COVERED, mac);
        byte_write_run(&writer, mac, sizeof mac);
    } else {
        write_unauthenticated(&writer, reply);
    }
    byte_write_run(&writer, (const uint8_t *)asked + base, length - base);
    answer_tlvs((uint8_t *)data + base, length - base, key != NULL);
    return byte_writer_done(&writer) ? length : 0;
}

bool stamp_reply_read(const void *data, size_t length, const Key *key, StampReply *reply)
{
    if (!genuine(data, length, key))
        return false;
    ByteReader reader = byte_reader(data, length);
    reply->seq = byte_read_u32(&reader);
    byte_read_skip(&reader, key ? 12 : 0);
    reply->time = byte_read_u64(&reader);
    reply->error = byte_read_u16(&reader);
    reply->ssid = byte_read_u16(&reader);
    byte_read_skip(&reader, key ? 4 : 0);
    reply->receive_time = byte_read_u64(&reader);
    byte_read_skip(&reader, key ? 8 : 0);
    reply->sender_seq = byte_read_u32(&reader);
    byte_read_skip(&reader, key ? 12 : 0);
    reply->sender_time = byte_read_u64(&reader);
    reply->sender_error = byte_read_u16(&reader);
    byte_read_skip(&reader, key ? 6 : 2);
    reply->sender_ttl = byte_read_u8(&reader);
    return byte_reader_done(&reader);
}

int64_t stamp_rtt_ns(int64_t t1_ns, int64_t t2_ns, int64_t t3_ns, int64_t t4_ns)
{
    return (t4_ns - t1_ns) - (t3_ns - t2_ns);
}
