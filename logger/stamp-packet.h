/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STAMP test packets (RFC 8762, 4.2 and 4.3) with the session identifier and the TLVs of RFC 8972.
 *
 * Unauthenticated packets have 44 bytes, authenticated ones 112 with an HMAC-SHA-256-128 over the
 * first 96. Bytes that follow are TLVs (RFC 8972, 4); ours are Extra Padding only.
 * Times are CLOCK_REALTIME nanoseconds since 1970 outside this file; on the wire NTP (RFC 5905, 6)
 * or truncated PTPv2 (IEEE 1588) as the Z bit of the error estimate says.
 */
#pragma once

#include "logger/key.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_PORT       862 /* RFC 8762, 4.1 */
#define STAMP_SIZE       44
#define STAMP_AUTH_SIZE  112
#define STAMP_MAX_SIZE   1472 /* longest packet read or made: fits 1500 bytes of IPv4 */
#define STAMP_TLV_HEADER 4

typedef struct {
    bool synchronised; /* the clock follows UTC (S bit) */
    bool ptp;          /* PTPv2 timestamps (Z bit), else NTP */
    double error_s;    /* how far off the clock may be */
} StampClock;

typedef struct {
    uint32_t seq;
    uint64_t time; /* as on the wire: stamp_time_decode() */
    uint16_t error;
    uint16_t ssid; /* 0 = not used */
} StampRequest;

typedef struct {
    uint32_t seq;
    uint64_t time; /* when the reflector sent */
    uint16_t error;
    uint16_t ssid;
    uint64_t receive_time; /* when the reflector received */
    uint32_t sender_seq;
    uint64_t sender_time;
    uint16_t sender_error;
    uint8_t sender_ttl; /* TTL or hop limit the request had at the reflector */
} StampReply;

/* Error estimate field: error = multiplier * 2^(scale - 32) s (RFC 4656, 4.1.2), rounded up;
 * multiplier is never 0. Errors beyond the field's range give its largest value. */
uint16_t stamp_error_encode(StampClock clock);
StampClock stamp_error_decode(uint16_t error);

/* Wire time. Decoding picks the NTP era (or PTP wrap) nearest to `near_ns`, so the roll-over of
 * 2036 does not matter. NTP keeps 2^-32 s: a decoded time is the encoded one within 1 ns. */
uint64_t stamp_time_encode(int64_t realtime_ns, bool ptp);
int64_t stamp_time_decode(uint64_t time, bool ptp, int64_t near_ns);

/* Writes a request of `size` bytes: key NULL = unauthenticated. A size above the base size is
 * filled with one Extra Padding TLV and must leave room for its 4-byte head.
 * Returns the bytes written, 0 if `size` or `room` does not allow it. */
size_t stamp_request_write(const StampRequest *request, const Key *key, size_t size, void *data,
                           size_t room);

/* Reads a request. FALSE if it is too short, or the key does not fit. */
bool stamp_request_read(const void *data, size_t length, const Key *key, StampRequest *request);

/* Writes the reply to the request in `asked` (its TLVs are carried back: known ones with the U flag
 * cleared, RFC 8972, 4). The reply has exactly the length of the request, never more.
 * Returns the bytes written, 0 if `room` is too small. */
size_t stamp_reply_write(const StampReply *reply, const Key *key, const void *asked, size_t length,
                         void *data, size_t room);

/* Reads a reply. FALSE if it is too short, or the key does not fit. */
bool stamp_reply_read(const void *data, size_t length, const Key *key, StampReply *reply);

/* RTT = (T4 - T1) - (T3 - T2), ns (RFC 8762, 4.3): free of the two clocks' offset. */
int64_t stamp_rtt_ns(int64_t t1_ns, int64_t t2_ns, int64_t t3_ns, int64_t t4_ns);
