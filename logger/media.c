/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/media.h"

#include "formats/bytes.h"

#define MAGIC           UINT32_C(0x43524d31) /* "CRM1" */
#define FLAG_ECHO       0x01
#define VIDEO_OFFSET_NS INT64_C(5000000)
#define VIDEO_PACKET    1200 /* longest IP packet of video */
#define NS_PER_S        INT64_C(1000000000)

MediaShape media_shape_default(void)
{
    return (MediaShape){
        .audio_per_s = 50, .audio_size = 160, .frames_per_s = 30, .video_bps = 1200000};
}

bool media_shape_valid(const MediaShape *shape)
{
    if (shape->audio_per_s < 5 || shape->audio_per_s > 200 || shape->frames_per_s > 120 ||
        shape->audio_size < MEDIA_HEADER_SIZE + MEDIA_IP_OVERHEAD ||
        shape->audio_size > VIDEO_PACKET)
        return false;
    if (shape->frames_per_s == 0)
        return true;
    return shape->video_bps <= 20000000 && media_payload(shape, MEDIA_VIDEO) >= MEDIA_HEADER_SIZE;
}

static unsigned frame_bytes(const MediaShape *shape)
{
    return shape->video_bps / 8 / shape->frames_per_s;
}

unsigned media_frame_packets(const MediaShape *shape)
{
    if (shape->frames_per_s == 0)
        return 0;
    unsigned packets = (frame_bytes(shape) + VIDEO_PACKET - 1) / VIDEO_PACKET;
    return packets ? packets : 1;
}

unsigned media_payload(const MediaShape *shape, MediaStream stream)
{
    if (stream == MEDIA_AUDIO)
        return shape->audio_size - (unsigned)MEDIA_IP_OVERHEAD;
    unsigned size = frame_bytes(shape) / media_frame_packets(shape);
    return size > MEDIA_IP_OVERHEAD ? size - MEDIA_IP_OVERHEAD : 0;
}

double media_bytes_per_s(const MediaShape *shape)
{
    double audio = (double)shape->audio_per_s * shape->audio_size;
    return audio + (shape->frames_per_s ? shape->video_bps / 8.0 : 0);
}

int64_t media_offset_ns(const MediaShape *shape, MediaStream stream, uint32_t seq)
{
    if (stream == MEDIA_AUDIO)
        return (int64_t)seq * NS_PER_S / shape->audio_per_s;
    int64_t frame = seq / media_frame_packets(shape);
    return frame * NS_PER_S / shape->frames_per_s + VIDEO_OFFSET_NS;
}

static MediaStream due_stream(const MediaShape *shape, const MediaCursor *cursor)
{
    if (shape->frames_per_s == 0)
        return MEDIA_AUDIO;
    return media_offset_ns(shape, MEDIA_VIDEO, cursor->video) <
                   media_offset_ns(shape, MEDIA_AUDIO, cursor->audio)
               ? MEDIA_VIDEO
               : MEDIA_AUDIO;
}

int64_t media_due_ns(const MediaShape *shape, const MediaCursor *cursor)
{
    MediaStream stream = due_stream(shape, cursor);
    return media_offset_ns(shape, stream, stream == MEDIA_AUDIO ? cursor->audio : cursor->video);
}

MediaPacket media_next(const MediaShape *shape, MediaCursor *cursor)
{
    MediaPacket packet = {.stream = due_stream(shape, cursor)};
    packet.seq = packet.stream == MEDIA_AUDIO ? cursor->audio++ : cursor->video++;
    packet.offset_ns = media_offset_ns(shape, packet.stream, packet.seq);
    packet.payload = media_payload(shape, packet.stream);
    return packet;
}

void media_write(const MediaHeader *header, uint8_t *data, size_t room)
{
    ByteWriter writer = byte_writer(data, room);
    byte_write_u32(&writer, MAGIC);
    byte_write_u8(&writer, (uint8_t)header->stream);
    byte_write_u8(&writer, header->echo ? FLAG_ECHO : 0);
    byte_write_zero(&writer, 2);
    byte_write_u64(&writer, header->token);
    byte_write_u32(&writer, header->seq);
    byte_write_u32(&writer, header->train);
    byte_write_u64(&writer, (uint64_t)header->sent_ns);
    byte_write_u32(&writer, header->echo_seq);
    byte_write_zero(&writer, 4);
    byte_write_u64(&writer, (uint64_t)header->echo_arrived_ns);
}

bool media_read(const void *data, size_t length, MediaHeader *header)
{
    ByteReader reader = byte_reader(data, length);
    bool known = byte_read_u32(&reader) == MAGIC;
    uint8_t stream = byte_read_u8(&reader);
    uint8_t flags = byte_read_u8(&reader);
    byte_read_skip(&reader, 2);
    header->stream = (MediaStream)stream;
    header->echo = (flags & FLAG_ECHO) != 0;
    header->token = byte_read_u64(&reader);
    header->seq = byte_read_u32(&reader);
    header->train = byte_read_u32(&reader);
    header->sent_ns = (int64_t)byte_read_u64(&reader);
    header->echo_seq = byte_read_u32(&reader);
    byte_read_skip(&reader, 4);
    header->echo_arrived_ns = (int64_t)byte_read_u64(&reader);
    return byte_reader_done(&reader) && known && stream < MEDIA_STREAMS && length <= MEDIA_MAX_SIZE;
}
