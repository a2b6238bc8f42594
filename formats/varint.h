/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole numbers in as few bytes as they need, seven bits each, the lowest first (LEB128); numbers
 * near zero with a sign are folded first (zigzag). Short ones are read and written in place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { VARINT_MOST_BYTES = 10 };

static inline uint64_t varint_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t varint_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ ((value & 1) != 0 ? UINT64_MAX : 0));
}

/* Returns the end of what was written; there is room for VARINT_MOST_BYTES. */
static inline uint8_t *varint_put(uint8_t *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80U);
    *to++ = (uint8_t)value;
    return to;
}

/* Returns what follows the number, or NULL if it is cut off or too long. */
static inline const uint8_t *varint_get(const uint8_t *from, const uint8_t *end, uint64_t *value)
{
    if (from < end && *from < 0x80) { /* most are this short */
        *value = *from;
        return from + 1;
    }
    uint64_t v = 0;
    for (unsigned shift = 0; from < end && shift < 64; shift += 7) {
        uint8_t byte = *from++;
        v |= (uint64_t)(byte & 0x7fU) << shift;
        if (byte < 0x80) {
            *value = v;
            return shift == 63 && byte > 1 ? NULL : from;
        }
    }
    return NULL;
}
