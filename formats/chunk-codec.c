/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk-codec.h"

#include <string.h>

size_t codec_put_varint(uint8_t *out, uint64_t value)
{
    return (size_t)(varint_put(out, value) - out);
}

size_t codec_get_varint(const uint8_t *bytes, size_t length, uint64_t *value)
{
    const uint8_t *end = varint_get(bytes, bytes + length, value);
    return end != NULL ? (size_t)(end - bytes) : 0;
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

/* Multiples of a number are told without dividing, and divided by multiplying with the inverse of
 * its odd part modulo 2^64 (Warren, Hacker's Delight, 10-16 and 10-17). */
typedef struct {
    uint64_t number;
    unsigned shift;         /* its factors of 2 */
    uint64_t inverse, most; /* of the odd part, and how often that goes into 2^64 - 1 */
} Divisor;

static Divisor divisor_of(uint64_t number)
{
    Divisor of = {.number = number, .shift = (unsigned)__builtin_ctzll(number)};
    uint64_t odd = number >> of.shift;
    of.inverse = odd; /* right in 3 bits; each round doubles them */
    for (int round = 0; round < 5; round++)
        of.inverse *= 2 - odd * of.inverse;
    of.most = UINT64_MAX / odd;
    return of;
}

static gboolean is_multiple(uint64_t value, const Divisor *of)
{
    return (value & ((UINT64_C(1) << of->shift) - 1)) == 0 && value * of->inverse <= of->most;
}

/* Differences from the first value: if they share a divisor, so do offsets and deltas. Above
 * INT64_MAX differences wrap and have no common divisor to speak of. */
static Divisor common_divisor(const int64_t *values, size_t n, uint64_t range)
{
    Divisor of = {0};
    for (size_t i = 1; i < n && of.number != 1 && range <= INT64_MAX; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): all n are set */
        uint64_t difference = values[i] >= values[0] ? (uint64_t)values[i] - (uint64_t)values[0]
                                                     : (uint64_t)values[0] - (uint64_t)values[i];
        if (difference != 0 && (of.number == 0 || !is_multiple(difference, &of)))
            of = divisor_of(gcd(difference, of.number));
    }
    return of.number != 0 ? of : divisor_of(1);
}

/* Values to multiples of the divisor above `low`. */
static void to_multiples(uint64_t *u, size_t n, uint64_t low, const Divisor *of)
{
    for (size_t i = 0; i < n; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): all n are set */
        u[i] = ((u[i] - low) >> of->shift) * of->inverse;
}

/* Returns all deltas, one or the other bit. */
static uint64_t to_deltas(uint64_t *u, size_t n)
{
    uint64_t all = 0;
    uint64_t previous = u[0];
    u[0] = 0;
    for (size_t i = 1; i < n; i++) {
        uint64_t value = u[i];
        u[i] = codec_zigzag(value - previous);
        all |= u[i];
        previous = value;
    }
    return all;
}

/* Of a number of planes, how often each byte stands in them. */
typedef struct {
    uint32_t of[8][256];
    unsigned width;
} ByteCounts;

static void count_bytes(ByteCounts *counts, uint64_t u)
{
    for (unsigned plane = 0; plane < counts->width; plane++)
        counts->of[plane][u >> (8 * plane) & 0xffU]++;
}

/* c * log2(c) in 1/256 bit, log2 drawn straight between powers of 2. */
static uint64_t c_log_c(uint64_t c)
{
    if (c <= 1)
        return 0;
    const unsigned whole = bit_length(c) - 1;
    return c * (256 * (whole - 1) + (c << 8 >> whole));
}

/* What n numbers take at least when each plane is compressed byte by byte, in 1/256 bit: the
 * entropy of the planes (Shannon 1948, 7). */
static uint64_t least_bits(const ByteCounts *counts, size_t n)
{
    uint64_t bits = 0;
    for (unsigned plane = 0; plane < counts->width; plane++) {
        bits += c_log_c(n);
        for (unsigned byte = 0; byte < 256; byte++)
            bits -= c_log_c(counts->of[plane][byte]);
    }
    return bits;
}

static unsigned bytes_of(uint64_t u)
{
    return (bit_length(u) + 7) / 8;
}

/* Which layout leaves least to compress; of many values one in EVERY is looked at (which is odd, so
 * that no short rhythm is met always at the same beat). `usual`, if not 1: what the steps are
 * multiples of but at n_jumps places. */
static CodecLayout choose_layout(const uint64_t *u, size_t n, uint64_t width, int64_t usual,
                                 size_t n_jumps)
{
    enum { EVERY = 5, MANY = 2048 };
    ByteCounts offsets = {.width = bytes_of(width)};
    ByteCounts deltas = {.width = bytes_of(width < INT64_MAX ? 2 * width : UINT64_MAX)};
    ByteCounts jumps = {.width = usual > 1 ? bytes_of(2 * width / (uint64_t)usual + 1) : 0};
    size_t seen = 0;
    for (size_t i = 1; i < n; i += n >= MANY ? EVERY : 1) {
        const uint64_t step = u[i] - u[i - 1];
        count_bytes(&offsets, u[i]);
        count_bytes(&deltas, codec_zigzag(step));
        if (usual > 1)
            count_bytes(&jumps, codec_zigzag((uint64_t)((int64_t)step / usual)));
        seen++;
    }
    const uint64_t by_offsets = least_bits(&offsets, seen);
    const uint64_t by_deltas = least_bits(&deltas, seen);
    /* a jump takes some five bytes besides */
    const uint64_t by_jumps = least_bits(&jumps, seen) + n_jumps * 40 * 256 * seen / n;
    if (usual > 1 && by_jumps < MIN(by_offsets, by_deltas))
        return CODEC_JUMPS;
    return by_deltas < by_offsets ? CODEC_DELTA : CODEC_OFFSET;
}

/* Few values differ from the one before: `changes` of them. */
static size_t pack_runs(const int64_t *values, size_t n, const CodecRange *range,
                        CodecHeader *header, uint8_t *out)
{
    const size_t runs = range->changes + 1;
    g_autofree int64_t *of_runs = g_new0(int64_t, runs + 1);
    g_autofree size_t *ends = g_new0(size_t, runs + 1);
    size_t k = 0;
    of_runs[0] = values[0];
    for (size_t i = 1; i < n; i++) {
        ends[k] = i;
        k += values[i] != values[i - 1];
        of_runs[k] = values[i];
    }
    ends[k] = n;
    const Divisor divisor =
        common_divisor(of_runs, runs, (uint64_t)range->high - (uint64_t)range->low);
    uint64_t *u = (uint64_t *)of_runs; /* signed and unsigned may alias: C11 6.5 p7 */
    to_multiples(u, runs, (uint64_t)range->low, &divisor);
    *header =
        (CodecHeader){.layout = CODEC_RUNS, .base = values[0], .scale = (int64_t)divisor.number};
    size_t length = 0;
    for (k = 0; k < runs; k++) {
        /* NOLINTBEGIN(clang-analyzer-core.UndefinedBinaryOperatorResult): all runs are set */
        length += codec_put_varint(out + length, codec_zigzag(u[k] - u[k > 0 ? k - 1 : 0]));
        length += codec_put_varint(out + length, ends[k] - (k > 0 ? ends[k - 1] : 0));
        /* NOLINTEND(clang-analyzer-core.UndefinedBinaryOperatorResult) */
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
 * where their offset was corrected. Returns that divisor in units of u's, or 1, and the number of
 * such places. */
static int64_t usual_divisor(const uint64_t *u, size_t n, uint64_t width, uint64_t unit,
                             size_t *n_jumps)
{
    static const uint64_t divisors[] = {1000000000, 1000000, 1000};
    *n_jumps = 0;
    for (unsigned k = 0; k < G_N_ELEMENTS(divisors); k++) {
        const int64_t divisor = (int64_t)(divisors[k] / unit);
        if (divisors[k] % unit != 0 || divisor < 2 || width < (uint64_t)divisor)
            continue;
        *n_jumps = 0;
        for (size_t i = 1; i < n && *n_jumps <= n / 32; i++)
            *n_jumps += (int64_t)(u[i] - u[i - 1]) % divisor != 0;
        if (*n_jumps <= n / 32)
            return divisor;
    }
    return 1;
}

/* `usual` is what the steps of u are multiples of, but for n_jumps; u counts units. */
static size_t put_jumps(uint64_t *u, size_t n, int64_t usual, uint64_t unit, size_t n_jumps,
                        uint8_t *width, uint8_t *out)
{
    g_autofree uint8_t *list = g_malloc((2 * n_jumps + 1) * CODEC_MAX_VARINT);
    size_t length = codec_put_varint(list, n_jumps);
    uint64_t previous = u[0];
    uint64_t all = 0;
    size_t last = 0;
    u[0] = 0;
    for (size_t i = 1; i < n; i++) {
        int64_t step = (int64_t)(u[i] - previous);
        int64_t rest = step % usual;
        previous = u[i];
        u[i] = codec_zigzag((uint64_t)(step / usual));
        all |= u[i];
        if (rest == 0)
            continue;
        length += codec_put_varint(list + length, i - last);
        length += codec_put_varint(list + length, codec_zigzag((uint64_t)rest * unit));
        last = i;
    }
    size_t packed = put_planes(u, n, all, width, out);
    memcpy(out + packed, list, length);
    return packed + length;
}

CodecRange codec_range(const int64_t *values, size_t n)
{
    CodecRange range = {values[0], values[0], 0};
    for (size_t i = 1; i < n; i++) {
        range.low = MIN(range.low, values[i]);
        range.high = MAX(range.high, values[i]);
        range.changes += values[i] != values[i - 1];
    }
    return range;
}

size_t codec_pack(int64_t *values, size_t n, const CodecRange *range, CodecHeader *header,
                  uint8_t *out)
{
    *header = (CodecHeader){.layout = CODEC_CONSTANT, .base = range->low, .scale = 1};
    if (range->low == range->high)
        return 0;
    /* a run takes some three bytes, a change in planes some four after compression */
    if ((range->changes + 1) * 6 <= n)
        return pack_runs(values, n, range, header, out);
    const int64_t first = values[0];
    const uint64_t width = (uint64_t)range->high - (uint64_t)range->low;
    const Divisor divisor = common_divisor(values, n, width);
    uint64_t *u = (uint64_t *)values; /* signed and unsigned may alias: C11 6.5 p7 */
    to_multiples(u, n, (uint64_t)range->low, &divisor);
    const uint64_t unit = divisor.number;
    size_t n_jumps = 0;
    const int64_t usual =
        width <= INT64_MAX ? usual_divisor(u, n, width / unit, unit, &n_jumps) : 1;
    header->layout = (uint8_t)choose_layout(u, n, width / unit, usual, n_jumps);
    header->scale = (int64_t)unit;
    if (header->layout == CODEC_OFFSET)
        return put_planes(u, n, width / unit, &header->width, out);
    header->base = first;
    if (header->layout == CODEC_JUMPS) {
        header->scale = usual * (int64_t)unit;
        return put_jumps(u, n, usual, unit, n_jumps, &header->width, out);
    }
    const uint64_t all = to_deltas(u, n);
    return put_planes(u, n, all, &header->width, out);
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
