/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream of a meeting, and the packets of trains: which packet is sent when, and its head.
 *
 * Audio packet k leaves k / audio_per_s after the start; video frame f leaves f / frames_per_s + 5
 * ms after it, cut into as few packets of at most 1200 bytes as it needs, sent in one burst as RTP
 * senders do. Both ends know the plan, so both know what should have come and when it was sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { MEDIA_AUDIO, MEDIA_VIDEO, MEDIA_TRAIN, MEDIA_STREAMS } MediaStream;

#define MEDIA_HEADER_SIZE 48
#define MEDIA_MAX_SIZE    1452 /* UDP payload that fits 1500 bytes of IPv6 */
#define MEDIA_IP_OVERHEAD 28   /* IPv4 and UDP heads: rates and sizes below count them */

typedef struct {
    uint16_t audio_per_s;  /* 50 */
    uint16_t audio_size;   /* bytes of IP packet: 160 = 64 kbit/s at 50 packets/s */
    uint16_t frames_per_s; /* 0 = no video */
    uint32_t video_bps;    /* of IP packets */
} MediaShape;

MediaShape media_shape_default(void);

/* Within what a reflector accepts: 5..200 audio packets, 0..120 frames, packets that fit. */
bool media_shape_valid(const MediaShape *shape);

/* Packets a video frame has, and UDP payload of each. */
unsigned media_frame_packets(const MediaShape *shape);
unsigned media_payload(const MediaShape *shape, MediaStream stream);
/* Bytes of IP packets per second, one way. */
double media_bytes_per_s(const MediaShape *shape);

typedef struct {
    MediaStream stream;
    uint32_t seq;      /* within its stream, from 0; video: frame * packets + packet */
    int64_t offset_ns; /* after the start */
    unsigned payload;  /* UDP bytes */
} MediaPacket;

/* Where a sender stands. Zero = at the start. */
typedef struct {
    uint32_t audio, video;
} MediaCursor;

/* The packet that is due next, and the cursor moved past it. */
MediaPacket media_next(const MediaShape *shape, MediaCursor *cursor);
/* When it is due, the cursor left alone. */
int64_t media_due_ns(const MediaShape *shape, const MediaCursor *cursor);
/* When packet seq of a stream is due. */
int64_t media_offset_ns(const MediaShape *shape, MediaStream stream, uint32_t seq);

typedef struct {
    MediaStream stream;
    uint64_t token; /* of the session */
    uint32_t seq;
    uint32_t train;  /* MEDIA_TRAIN: number of the train */
    int64_t sent_ns; /* sender's CLOCK_REALTIME */
    bool echo;       /* the next two are set: the audio packet of the other way that came last */
    uint32_t echo_seq;
    int64_t echo_arrived_ns;
} MediaHeader;

/* Writes the head; the payload after it is the caller's (zeros). `room` of at least
 * MEDIA_HEADER_SIZE. */
void media_write(const MediaHeader *header, uint8_t *data, size_t room);
/* FALSE if it is not a media packet. */
bool media_read(const void *data, size_t length, MediaHeader *header);
