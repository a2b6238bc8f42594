/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk-codec.h"

#include <string.h>

size_t codec_put_varint(uint8_t *out, uint64_t value)
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        out[n++] = (uint8_t)(value | 0x80U);
    out[n++] = (uint8_t)value;
    return n;
}

size_t codec_get_varint(const uint8_t *bytes, size_t length, uint64_t *value)
{
    uint64_t v = 0;
    for (size_t n = 0; n < length && n < CODEC_MAX_VARINT; n++) {
        v |= (uint64_t)(bytes[n] & 0x7fU) << (7 * n);
        if (bytes[n] < 0x80) {
            *value = v;
            return n + 1 == CODEC_MAX_VARINT && bytes[n] > 1 ? 0 : n + 1;
        }
    }
    return 0;
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
        u[i] = codec_zigzag(value - previous);
        previous = value;
    }
}

/* What tells which layout leaves least to compress. */
typedef struct {
    uint64_t offset_bits, delta_bits; /* sums of the lengths of all numbers */
    uint64_t all_deltas;              /* or of all */
    size_t changes;                   /* values that differ from the one before */
} Survey;

static Survey survey(const uint64_t *u, size_t n)
{
    Survey of = {0};
    for (size_t i = 1; i < n; i++) {
        uint64_t delta = codec_zigzag(u[i] - u[i - 1]);
        of.offset_bits += bit_length(u[i]);
        of.delta_bits += bit_length(delta);
        of.all_deltas |= delta;
        of.changes += delta != 0;
    }
    return of;
}

static size_t put_runs(const uint64_t *u, size_t n, uint8_t *out)
{
    size_t length = 0;
    uint64_t previous = u[0];
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && u[end] == u[i])
            end++;
        length += codec_put_varint(out + length, codec_zigzag(u[i] - previous));
        length += codec_put_varint(out + length, end - i);
        previous = u[i];
        i = end;
    }
    return length;
}

static size_t put_planes(const uint64_t *u, size_t n, uint64_t all, uint8_t *width, uint8_t *out)
{
    *width = (uint8_t)((bit_length(all) + 7) / 8);
    for (unsigned plane = 0; plane < *width; plane++) {
        uint8_t *to = out + plane * n;
        for (size_t i = 0; i < n; i++)
            to[i] = (uint8_t)(u[i] >> (8 * plane));
    }
    return *width * n;
}

/* Clocks that count micro- or milliseconds give steps with a common divisor, but for the few places
 * where their offset was corrected. Returns that divisor, or 1, and the number of such places. */
static int64_t usual_divisor(const uint64_t *u, size_t n, size_t *n_jumps)
{
    static const int64_t divisors[] = {1000000000, 1000000, 1000};
    for (unsigned k = 0; k < G_N_ELEMENTS(divisors); k++) {
        *n_jumps = 0;
        for (size_t i = 1; i < n && *n_jumps <= n / 32; i++)
            *n_jumps += (int64_t)(u[i] - u[i - 1]) % divisors[k] != 0;
        if (*n_jumps <= n / 32)
            return divisors[k];
    }
    return 1;
}

static size_t put_jumps(uint64_t *u, size_t n, size_t n_jumps, CodecHeader *header, uint8_t *out)
{
    g_autofree uint8_t *list = g_malloc((2 * n_jumps + 1) * CODEC_MAX_VARINT);
    size_t length = codec_put_varint(list, n_jumps);
    uint64_t previous = u[0];
    uint64_t all = 0;
    size_t last = 0;
    u[0] = 0;
    for (size_t i = 1; i < n; i++) {
        int64_t step = (int64_t)(u[i] - previous);
        int64_t rest = step % header->scale;
        previous = u[i];
        u[i] = codec_zigzag((uint64_t)(step / header->scale));
        all |= u[i];
        if (rest == 0)
            continue;
        length += codec_put_varint(list + length, i - last);
        length += codec_put_varint(list + length, codec_zigzag((uint64_t)rest));
        last = i;
    }
    size_t packed = put_planes(u, n, all, &header->width, out);
    memcpy(out + packed, list, length);
    return packed + length;
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
    const Survey of = survey(u, n);
    header->base = first;
    header->scale = (int64_t)divisor;
    /* a run takes some three bytes, a change in planes some four after compression */
    if ((of.changes + 1) * 6 <= n) {
        header->layout = CODEC_RUNS;
        return put_runs(u, n, out);
    }
    size_t n_jumps = 0;
    const int64_t usual = divisor == 1 && range <= INT64_MAX ? usual_divisor(u, n, &n_jumps) : 1;
    /* a thousandth is ten bits; a jump takes some five bytes */
    if (usual > 1 && of.delta_bits + 40 * n_jumps < MIN(of.offset_bits, of.delta_bits) + 10 * n) {
        header->layout = CODEC_JUMPS;
        header->scale = usual;
        return put_jumps(u, n, n_jumps, header, out);
    }
    if (of.delta_bits < of.offset_bits) {
        header->layout = CODEC_DELTA;
        to_deltas(u, n);
        return put_planes(u, n, of.all_deltas, &header->width, out);
    }
    header->layout = CODEC_OFFSET;
    header->base = low;
    return put_planes(u, n, range / divisor, &header->width, out);
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

/* Two numbers that stand after each other from `at` on, which goes past them. */
static gboolean take_two(const uint8_t *bytes, size_t length, size_t *at, uint64_t *first,
                         uint64_t *second)
{
    size_t first_size = codec_get_varint(bytes + *at, length - *at, first);
    *at += first_size;
    size_t second_size = codec_get_varint(bytes + *at, length - *at, second);
    *at += second_size;
    return first_size != 0 && second_size != 0;
}

static gboolean get_runs(const CodecHeader *header, const uint8_t *bytes, size_t length, size_t n,
                         uint64_t *u)
{
    uint64_t value = (uint64_t)header->base;
    size_t at = 0;
    size_t i = 0;
    while (i < n) {
        uint64_t step = 0;
        uint64_t run = 0;
        if (!take_two(bytes, length, &at, &step, &run) || run == 0 || run > n - i)
            return FALSE;
        value += (uint64_t)header->scale * codec_unzigzag(step);
        for (const size_t end = i + run; i < end; i++)
            u[i] = value;
    }
    return at == length;
}

/* The list of jumps, added to the steps. */
static gboolean add_jumps(const uint8_t *bytes, size_t length, size_t n, uint64_t *steps)
{
    uint64_t n_jumps = 0;
    size_t at = codec_get_varint(bytes, length, &n_jumps);
    if (at == 0 || n_jumps > n)
        return FALSE;
    size_t i = 0;
    for (uint64_t k = 0; k < n_jumps; k++) {
        uint64_t distance = 0;
        uint64_t rest = 0;
        if (!take_two(bytes, length, &at, &distance, &rest) || distance > n - 1 - i)
            return FALSE;
        i += distance;
        steps[i] += codec_unzigzag(rest);
    }
    return at == length;
}

gboolean codec_unpack(const CodecHeader *header, const uint8_t *bytes, size_t length, size_t n,
                      int64_t *values)
{
    uint64_t *u = (uint64_t *)values; /* signed and unsigned may alias: C11 6.5 p7 */
    uint64_t base = (uint64_t)header->base;
    uint64_t scale = (uint64_t)header->scale;
    size_t packed = header->width * n;
    if (header->scale < 1 || header->width > 8 || packed > length)
        return FALSE;
    switch ((CodecLayout)header->layout) {
    case CODEC_CONSTANT:
        for (size_t i = 0; i < n; i++)
            u[i] = base;
        return length == 0;
    case CODEC_OFFSET:
        if (header->width == 0 || packed != length)
            return FALSE;
        gather(bytes, n, header->width, u);
        for (size_t i = 0; i < n; i++)
            u[i] = base + scale * u[i];
        return TRUE;
    case CODEC_DELTA:
        if (header->width == 0 || packed != length)
            return FALSE;
        gather(bytes, n, header->width, u);
        for (size_t i = 0; i < n; i++)
            u[i] = base += scale * codec_unzigzag(u[i]);
        return TRUE;
    case CODEC_RUNS:
        return header->width == 0 && get_runs(header, bytes, length, n, u);
    case CODEC_JUMPS:
        if (header->width == 0)
            return FALSE;
        gather(bytes, n, header->width, u);
        for (size_t i = 0; i < n; i++)
            u[i] = scale * codec_unzigzag(u[i]);
        if (!add_jumps(bytes + packed, length - packed, n, u))
            return FALSE;
        for (size_t i = 0; i < n; i++)
            u[i] = base += u[i];
        return TRUE;
    }
    return FALSE;
}
