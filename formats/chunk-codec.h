/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integers of one column, packed into bytes: as offsets from the smallest, or as differences from
 * value to value, divided by their greatest common divisor, in planes of bytes (all lowest bytes
 * first, then all second bytes …); or, where few values differ from the one before, as runs. Planes
 * are what zstd compresses best, and what unpacks with vector instructions. Pure functions; the
 * layout is specified in docs/drive-file.md.
 */
#pragma once

#include "formats/varint.h"

#include <glib.h>
#include <stdint.h>

typedef enum {
    CODEC_CONSTANT = 0, /* all values equal `base`; no bytes */
    CODEC_OFFSET = 1,   /* value = base + scale * u */
    CODEC_DELTA = 2,    /* value[0] = base, value[i] = value[i-1] + scale * unzigzag(u) */
    CODEC_RUNS = 3,     /* steps and lengths of runs of equal values */
    CODEC_JUMPS = 4,    /* delta, and at a few places more that is no multiple of the scale */
} CodecLayout;

typedef struct {
    uint8_t layout; /* CodecLayout */
    uint8_t width;  /* bytes of each packed number, 0..8; 0 if none are packed */
    int64_t base;
    int64_t scale; /* >= 1 */
} CodecHeader;

/* Of n > 0 values. */
typedef struct {
    int64_t low, high;
    size_t changes; /* values that differ from the one before */
} CodecRange;

CodecRange codec_range(const int64_t *values, size_t n);

/* Chooses a layout for n > 0 values, whose codec_range() is `range`, and packs them; what `values`
 * holds afterwards is undefined. `out` must have room for 8 * n bytes. Returns the number of bytes
 * written. Any int64 values are exact. */
size_t codec_pack(int64_t *values, size_t n, const CodecRange *range, CodecHeader *header,
                  uint8_t *out);

/* Unpacks n > 0 values from exactly `length` bytes. FALSE if header or bytes make no sense. All
 * arithmetic wraps, so that hostile bytes give wrong numbers but nothing worse. */
gboolean codec_unpack(const CodecHeader *header, const uint8_t *bytes, size_t length, size_t n,
                      int64_t *values);

/* Numbers of 7 bits a byte, lowest first, the top bit set on all but the last. */
enum { CODEC_MAX_VARINT = VARINT_MOST_BYTES };

/* Returns the number of bytes written, at most CODEC_MAX_VARINT. */
size_t codec_put_varint(uint8_t *out, uint64_t value);

/* Returns the number of bytes read; 0 if the number does not end or does not fit. */
size_t codec_get_varint(const uint8_t *bytes, size_t length, uint64_t *value);

/* Signed numbers as unsigned, small ones small: 0, -1, 1, -2 … as 0, 1, 2, 3 … */
static inline uint64_t codec_zigzag(uint64_t difference)
{
    return varint_zigzag((int64_t)difference);
}

static inline uint64_t codec_unzigzag(uint64_t packed)
{
    return (uint64_t)varint_unzigzag(packed);
}
