/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk-codec.h"

#include <string.h>

static uint64_t zigzag(uint64_t difference)
{
    return (difference << 1) ^ (uint64_t) - (int64_t)(difference >> 63);
}

static uint64_t unzigzag(uint64_t packed)
{
    return (packed >> 1) ^ (uint64_t) - (int64_t)(packed & 1);
}

static unsigned bit_length(uint64_t u)
{
    return u == 0 ? 0 : 64U - (unsigned)__builtin_clzll(u);
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Differences from the first value: if they share a divisor, so do offsets and deltas. Above
 * INT64_MAX differences wrap and have no common divisor to speak of. */
static uint64_t common_divisor(const int64_t *values, size_t n, uint64_t range)
{
    if (range > INT64_MAX)
        return 1;
    uint64_t divisor = 0;
    for (size_t i = 1; i < n && divisor != 1; i++) {
        uint64_t difference = values[i] >= values[0] ? (uint64_t)values[i] - (uint64_t)values[0]
                                                     : (uint64_t)values[0] - (uint64_t)values[i];
        if (difference != 0 && (divisor == 0 || difference % divisor != 0))
            divisor = gcd(difference, divisor);
    }
    return divisor == 0 ? 1 : divisor;
}

/* One packed number; divisor is common to all differences, so the division is exact. */
static uint64_t packed_offset(int64_t value, int64_t base, uint64_t divisor)
{
    return ((uint64_t)value - (uint64_t)base) / divisor;
}

static uint64_t packed_delta(int64_t value, int64_t previous, uint64_t divisor)
{
    uint64_t difference = (uint64_t)value - (uint64_t)previous;
    if (divisor > 1)
        difference = (uint64_t)((int64_t)difference / (int64_t)divisor);
    return zigzag(difference);
}

size_t codec_pack(const int64_t *values, size_t n, CodecHeader *header, uint8_t *out)
{
    int64_t low = values[0];
    int64_t high = values[0];
    for (size_t i = 1; i < n; i++) {
        low = MIN(low, values[i]);
        high = MAX(high, values[i]);
    }
    *header = (CodecHeader){.layout = CODEC_CONSTANT, .base = low, .scale = 1};
    if (low == high)
        return 0;
    uint64_t divisor = common_divisor(values, n, (uint64_t)high - (uint64_t)low);
    /* The sum of bit lengths tells which layout leaves less to compress. */
    uint64_t offset_bits = 0;
    uint64_t delta_bits = 0;
    uint64_t delta_all = 0;
    for (size_t i = 1; i < n; i++) {
        uint64_t delta = packed_delta(values[i], values[i - 1], divisor);
        offset_bits += bit_length(packed_offset(values[i], low, divisor));
        delta_bits += bit_length(delta);
        delta_all |= delta;
    }
    gboolean by_delta = delta_bits < offset_bits;
    uint64_t widest = by_delta ? delta_all : packed_offset(high, low, divisor);
    header->layout = by_delta ? CODEC_DELTA : CODEC_OFFSET;
    header->base = by_delta ? values[0] : low;
    header->scale = (int64_t)divisor;
    header->width = (uint8_t)((bit_length(widest) + 7) / 8);
    for (size_t i = 0; i < n; i++) {
        uint64_t u = !by_delta ? packed_offset(values[i], low, divisor)
                     : i == 0  ? 0
                               : packed_delta(values[i], values[i - 1], divisor);
        for (unsigned plane = 0; plane < header->width; plane++)
            out[plane * n + i] = (uint8_t)(u >> (8 * plane));
    }
    return header->width * n;
}

static void gather(const uint8_t *bytes, size_t n, unsigned width, uint64_t *u)
{
    const uint8_t *p0 = bytes;
    const uint8_t *p1 = bytes + n;
    switch (width) {
    case 1:
        for (size_t i = 0; i < n; i++)
            u[i] = p0[i];
        return;
    case 2:
        for (size_t i = 0; i < n; i++)
            u[i] = (uint64_t)p0[i] | (uint64_t)p1[i] << 8;
        return;
    default:
        for (size_t i = 0; i < n; i++)
            u[i] = (uint64_t)p0[i] | (uint64_t)p1[i] << 8;
        for (unsigned plane = 2; plane < width; plane++) {
            const uint8_t *p = bytes + plane * n;
            for (size_t i = 0; i < n; i++)
                u[i] |= (uint64_t)p[i] << (8 * plane);
        }
    }
}

gboolean codec_unpack(const CodecHeader *header, const uint8_t *bytes, size_t n, int64_t *values)
{
    uint64_t *u = (uint64_t *)values; /* signed and unsigned may alias: C11 6.5 p7 */
    uint64_t base = (uint64_t)header->base;
    uint64_t scale = (uint64_t)header->scale;
    if (header->scale < 1 || header->width > 8)
        return FALSE;
    switch ((CodecLayout)header->layout) {
    case CODEC_CONSTANT:
        for (size_t i = 0; i < n; i++)
            u[i] = base;
        return header->width == 0;
    case CODEC_OFFSET:
        if (header->width == 0)
            return FALSE;
        gather(bytes, n, header->width, u);
        for (size_t i = 0; i < n; i++)
            u[i] = base + scale * u[i];
        return TRUE;
    case CODEC_DELTA:
        if (header->width == 0)
            return FALSE;
        gather(bytes, n, header->width, u);
        for (size_t i = 0; i < n; i++)
            u[i] = base += scale * unzigzag(u[i]);
        return TRUE;
    }
    return FALSE;
}
