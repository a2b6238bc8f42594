/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/session-wire.h"

#include "formats/bytes.h"
#include <string.h>

#define MAGIC      UINT32_C(0x43525331) /* "CRS1": the 1 is the version */
#define VIDEO_FLAG UINT32_C(0x80000000)
#define TRAIN_FLAG UINT32_C(0x40000000)
#define SEQ_MASK   UINT32_C(0x3fffffff)

static void write_body(ByteWriter *writer, const SessionMessage *message)
{
    switch (message->type) {
    case SESSION_CHALLENGE:
        byte_write_run(writer, message->cookie, sizeof message->cookie);
        break;
    case SESSION_START:
        byte_write_run(writer, message->cookie, sizeof message->cookie);
        byte_write_u8(writer, (uint8_t)message->kind);
        byte_write_u16(writer, message->shape.audio_per_s);
        byte_write_u16(writer, message->shape.audio_size);
        byte_write_u16(writer, message->shape.frames_per_s);
        byte_write_u32(writer, message->shape.video_bps);
        byte_write_u32(writer, message->duration_s);
        break;
    case SESSION_ACCEPT:
        byte_write_u8(writer, (uint8_t)message->status);
        byte_write_u8(writer, message->synchronised);
        byte_write_u64(writer, message->token);
        byte_write_u64(writer, (uint64_t)message->start_ns);
        byte_write_u32(writer, message->duration_s);
        break;
    case SESSION_GO:
        byte_write_u32(writer, message->train);
        byte_write_u32(writer, message->packets);
        byte_write_u32(writer, message->size);
        byte_write_u64(writer, message->rate_bps);
        break;
    case SESSION_FETCH:
        byte_write_u32(writer, message->from);
        break;
    case SESSION_LOG:
        byte_write_u32(writer, message->from);
        byte_write_u32(writer, message->total);
        byte_write_u64(writer, (uint64_t)message->now_ns);
        byte_write_u16(writer, (uint16_t)message->n);
        for (unsigned i = 0; i < message->n; i++) {
            const Arrival *arrival = &message->arrivals[i];
            uint32_t flag = arrival->stream == MEDIA_VIDEO   ? VIDEO_FLAG
                            : arrival->stream == MEDIA_TRAIN ? TRAIN_FLAG
                                                             : 0;
            byte_write_u32(writer, (arrival->seq & SEQ_MASK) | flag);
            byte_write_u64(writer, (uint64_t)arrival->arrived_ns);
        }
        break;
    case SESSION_HELLO:
    case SESSION_STOP:
        break;
    }
}

static bool is_question(SessionType type)
{
    return type != SESSION_CHALLENGE && type != SESSION_ACCEPT && type != SESSION_LOG;
}

size_t session_write(const SessionMessage *message, const Key *key, uint8_t *data, size_t room)
{
    uint8_t mac[KEY_MAC_SIZE];
    ByteWriter writer = byte_writer(data, room);
    byte_write_u32(&writer, MAGIC);
    byte_write_u8(&writer, (uint8_t)message->type);
    byte_write_zero(&writer, 3);
    byte_write_u64(&writer, message->session);
    byte_write_u64(&writer, message->nonce);
    write_body(&writer, message);
    if (is_question(message->type) && writer.at < SESSION_ASK_SIZE - KEY_MAC_SIZE)
        byte_write_zero(&writer, SESSION_ASK_SIZE - KEY_MAC_SIZE - writer.at);
    if (!byte_writer_done(&writer))
        return 0;
    key_mac(key, data, writer.at, mac);
    byte_write_run(&writer, mac, sizeof mac);
    return byte_writer_done(&writer) ? writer.at : 0;
}

bool session_is(const void *data, size_t length)
{
    ByteReader reader = byte_reader(data, length);
    return byte_read_u32(&reader) == MAGIC && length <= SESSION_MAX_SIZE &&
           length >= 24 + KEY_MAC_SIZE;
}

static void read_cookie(ByteReader *reader, SessionMessage *message)
{
    const uint8_t *cookie = byte_read_run(reader, sizeof message->cookie);
    if (cookie)
        memcpy(message->cookie, cookie, sizeof message->cookie);
}

static bool read_log(ByteReader *reader, SessionMessage *message)
{
    message->from = byte_read_u32(reader);
    message->total = byte_read_u32(reader);
    message->now_ns = (int64_t)byte_read_u64(reader);
    message->n = byte_read_u16(reader);
    if (message->n > SESSION_LOG_ENTRIES)
        return false;
    for (unsigned i = 0; i < message->n; i++) {
        uint32_t word = byte_read_u32(reader);
        message->arrivals[i] = (Arrival){
            .stream = word & VIDEO_FLAG   ? MEDIA_VIDEO
                      : word & TRAIN_FLAG ? MEDIA_TRAIN
                                          : MEDIA_AUDIO,
            .seq = word & SEQ_MASK,
            .arrived_ns = (int64_t)byte_read_u64(reader),
        };
    }
    return true;
}

static bool read_body(ByteReader *reader, SessionMessage *message)
{
    switch (message->type) {
    case SESSION_CHALLENGE:
        read_cookie(reader, message);
        return true;
    case SESSION_START: {
        read_cookie(reader, message);
        uint8_t kind = byte_read_u8(reader);
        message->kind = (SessionKind)kind;
        message->shape.audio_per_s = byte_read_u16(reader);
        message->shape.audio_size = byte_read_u16(reader);
        message->shape.frames_per_s = byte_read_u16(reader);
        message->shape.video_bps = byte_read_u32(reader);
        message->duration_s = byte_read_u32(reader);
        return kind == SESSION_MEETING || kind == SESSION_TRAINS;
    }
    case SESSION_ACCEPT: {
        uint8_t status = byte_read_u8(reader);
        message->status = (SessionStatus)status;
        message->synchronised = byte_read_u8(reader) != 0;
        message->token = byte_read_u64(reader);
        message->start_ns = (int64_t)byte_read_u64(reader);
        message->duration_s = byte_read_u32(reader);
        return status <= SESSION_TOO_BIG;
    }
    case SESSION_GO:
        message->train = byte_read_u32(reader);
        message->packets = byte_read_u32(reader);
        message->size = byte_read_u32(reader);
        message->rate_bps = byte_read_u64(reader);
        return true;
    case SESSION_FETCH:
        message->from = byte_read_u32(reader);
        return true;
    case SESSION_LOG:
        return read_log(reader, message);
    case SESSION_HELLO:
    case SESSION_STOP:
        return true;
    }
    return false; /* a type of a later version */
}

bool session_read(const void *data, size_t length, const Key *key, SessionMessage *message)
{
    if (!session_is(data, length))
        return false;
    const uint8_t *bytes = data;
    size_t covered = length - KEY_MAC_SIZE;
    if (!key_check(key, data, covered, bytes + covered))
        return false;
    ByteReader reader = byte_reader(data, covered);
    byte_read_skip(&reader, 4);
    message->type = (SessionType)byte_read_u8(&reader);
    byte_read_skip(&reader, 3);
    message->session = byte_read_u64(&reader);
    message->nonce = byte_read_u64(&reader);
    if (is_question(message->type) && length < SESSION_ASK_SIZE)
        return false;
    return read_body(&reader, message) && byte_reader_done(&reader);
}
