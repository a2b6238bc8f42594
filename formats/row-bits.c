/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/row-bits.h"

#include <string.h>

G_STATIC_ASSERT(CHUNK_ROWS % 64 == 0);

static size_t words_of(size_t n)
{
    return (n + 63) / 64;
}

/* The bits of the rows of word w that there are. */
static uint64_t all_of(size_t n, size_t w)
{
    const size_t left = n - 64 * w;
    return left >= 64 ? UINT64_MAX : (UINT64_C(1) << left) - 1;
}

/* Rows to columns of 64 times 64 bits (Warren, Hacker's Delight, 7-3). */
static void transpose(uint64_t a[64])
{
    uint64_t mask = UINT32_MAX;
    for (unsigned j = 32; j != 0; j >>= 1, mask ^= mask << j)
        for (unsigned k = 0; k < 64; k = ((k | j) + 1) & ~j) {
            uint64_t t = ((a[k] >> j) ^ a[k | j]) & mask;
            a[k] ^= t << j;
            a[k | j] ^= t;
        }
}

void row_bits_by_column(const uint64_t *known, size_t n, uint64_t (*bits)[ROW_WORDS])
{
    for (size_t w = 0; w < words_of(n); w++) {
        const size_t rows = MIN(64, n - 64 * w);
        const uint64_t *from = known + 64 * w;
        uint64_t differ = 0;
        for (size_t i = 1; i < rows; i++)
            differ |= from[i] ^ from[0];
        if (differ == 0) {
            for (unsigned c = 0; c < 64; c++)
                bits[c][w] = (from[0] >> c & 1U) != 0 ? all_of(n, w) : 0;
            continue;
        }
        uint64_t block[64] = {0};
        memcpy(block, from, rows * sizeof *block);
        transpose(block);
        for (unsigned c = 0; c < 64; c++)
            bits[c][w] = block[c];
    }
}

void row_bits_to_known(const uint64_t *bits, size_t n, unsigned c, uint64_t *known)
{
    for (size_t w = 0; w < words_of(n); w++) {
        uint64_t *rows = known + 64 * w;
        const size_t n_rows = MIN(64, n - 64 * w);
        for (size_t i = 0; bits[w] != 0 && i < n_rows; i++)
            rows[i] |= (bits[w] >> i & 1U) << c;
    }
}

size_t row_bits_count(const uint64_t *bits, size_t n)
{
    size_t count = 0;
    for (size_t w = 0; w < words_of(n); w++)
        count += bits[w] == UINT64_MAX ? 64 : (size_t)__builtin_popcountll(bits[w]);
    return count;
}

size_t row_bits_runs(const uint64_t *bits, size_t n, uint32_t *ends)
{
    size_t runs = 0;
    uint64_t before = 1; /* runs begin with rows that have one */
    for (size_t w = 0; w < words_of(n); w++) {
        uint64_t changes = (bits[w] ^ (bits[w] << 1 | before)) & all_of(n, w);
        before = bits[w] >> 63;
        for (; changes != 0; changes &= changes - 1) {
            if (ends != NULL)
                ends[runs] = (uint32_t)(64 * w + (size_t)__builtin_ctzll(changes));
            runs++;
        }
    }
    if (ends != NULL)
        ends[runs] = (uint32_t)n;
    return runs + 1;
}

void row_bits_fill(uint64_t *bits, size_t first, size_t end)
{
    for (size_t w = first / 64; 64 * w < end; w++) {
        uint64_t word = all_of(end, w);
        if (64 * w < first)
            word &= UINT64_MAX << (first % 64);
        bits[w] |= word;
    }
}

size_t row_bits_gather(const uint64_t *bits, size_t n, const int64_t *values, int64_t *out)
{
    size_t count = 0;
    for (size_t w = 0; w < words_of(n); w++) {
        const int64_t *from = values + 64 * w;
        if (bits[w] == UINT64_MAX) {
            memcpy(out + count, from, 64 * sizeof *out);
            count += 64;
            continue;
        }
        for (uint64_t left = bits[w]; left != 0; left &= left - 1)
            out[count++] = from[__builtin_ctzll(left)];
    }
    return count;
}

void row_bits_spread(const uint64_t *bits, size_t n, size_t count, int64_t *values)
{
    size_t from = count; /* from the end: what is moved is not needed any more */
    size_t end = n;
    for (size_t w = words_of(n); w-- > 0 && from < end; end = 64 * w) {
        int64_t *to = values + 64 * w;
        if (bits[w] == UINT64_MAX) {
            from -= 64;
            memmove(to, values + from, 64 * sizeof *to);
            continue;
        }
        for (size_t i = end - 64 * w; i-- > 0;) {
            const uint64_t has = bits[w] >> i & 1U;
            from -= has;
            to[i] = (int64_t)((uint64_t)values[from] & (0 - has));
        }
    }
}

size_t row_bits_difference(const uint64_t *bits, size_t n, const int64_t *a, const int64_t *b)
{
    for (size_t w = 0; w < words_of(n); w++) {
        const size_t first = 64 * w;
        if (bits[w] == UINT64_MAX && memcmp(a + first, b + first, 64 * sizeof *a) == 0)
            continue;
        for (uint64_t left = bits[w]; left != 0; left &= left - 1) {
            const size_t i = first + (size_t)__builtin_ctzll(left);
            if (a[i] != b[i])
                return i;
        }
    }
    return n;
}
