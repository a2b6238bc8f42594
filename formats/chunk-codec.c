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
        if (values[i] == values[i - 1])
            continue;
        uint64_t difference = values[i] >= values[0] ? (uint64_t)values[i] - (uint64_t)values[0]
                                                     : (uint64_t)values[0] - (uint64_t)values[i];
        if (difference != 0 && (divisor == 0 || difference % divisor != 0))
            divisor = gcd(difference, divisor);
    }
    return divisor == 0 ? 1 : divisor;
}

/* Values to multiples of `divisor` above `low`. The division leaves no rest, so it is a shift and a
 * multiplication with the inverse modulo 2^64 (Warren, Hacker's Delight, 10-16). */
static void to_multiples(uint64_t *u, size_t n, uint64_t low, uint64_t divisor)
{
    unsigned shift = (unsigned)__builtin_ctzll(divisor);
    uint64_t odd = divisor >> shift;
    uint64_t inverse = odd; /* right in 3 bits; each round doubles them */
    for (int round = 0; round < 5; round++)
        inverse *= 2 - odd * inverse;
    for (size_t i = 0; i < n; i++)
        u[i] = ((u[i] - low) >> shift) * inverse;
}

static void to_deltas(uint64_t *u, size_t n)
{
    uint64_t previous = u[0];
    u[0] = 0;
    for (size_t i = 1; i < n; i++) {
        uint64_t value = u[i];
        u[i] = zigzag(value - previous);
        previous = value;
    }
}

/* The sum of bit lengths tells which layout leaves less to compress. */
static gboolean delta_is_smaller(const uint64_t *u, size_t n, uint64_t *all_deltas)
{
    uint64_t offset_bits = 0;
    uint64_t delta_bits = 0;
    for (size_t i = 1; i < n; i++) {
        uint64_t delta = zigzag(u[i] - u[i - 1]);
        offset_bits += bit_length(u[i]);
        delta_bits += bit_length(delta);
        *all_deltas |= delta;
    }
    return delta_bits < offset_bits;
}

size_t codec_pack(int64_t *values, size_t n, CodecHeader *header, uint8_t *out)
{
    int64_t first = values[0];
    int64_t low = first;
    int64_t high = first;
    for (size_t i = 1; i < n; i++) {
        low = MIN(low, values[i]);
        high = MAX(high, values[i]);
    }
    *header = (CodecHeader){.layout = CODEC_CONSTANT, .base = low, .scale = 1};
    if (low == high)
        return 0;
    uint64_t range = (uint64_t)high - (uint64_t)low;
    uint64_t divisor = common_divisor(values, n, range);
    uint64_t *u = (uint64_t *)values; /* signed and unsigned may alias: C11 6.5 p7 */
    to_multiples(u, n, (uint64_t)low, divisor);
    uint64_t all_deltas = 0;
    gboolean by_delta = delta_is_smaller(u, n, &all_deltas);
    if (by_delta)
        to_deltas(u, n);
    header->layout = by_delta ? CODEC_DELTA : CODEC_OFFSET;
    header->base = by_delta ? first : low;
    header->scale = (int64_t)divisor;
    header->width = (uint8_t)((bit_length(by_delta ? all_deltas : range / divisor) + 7) / 8);
    for (unsigned plane = 0; plane < header->width; plane++) {
        uint8_t *to = out + plane * n;
        for (size_t i = 0; i < n; i++)
            to[i] = (uint8_t)(u[i] >> (8 * plane));
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
