/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in the pages of an SQLite file (https://www.sqlite.org/fileformat.html, the section is
 * named at each): for salvage.c, which reads damaged files, and drive-pages.c, which reads sound
 * ones quickly.
 */
#pragma once

#include <glib.h>

enum {
    PAGE_INDEX_INTERIOR = 2, /* 1.6 */
    PAGE_TABLE_INTERIOR = 5,
    PAGE_INDEX_LEAF = 10,
    PAGE_TABLE_LEAF = 13,
    PAGE_FILE_HEADER_SIZE = 100, /* 1.3 */
    SERIAL_NULL = 0,             /* 2.1; 1 to 6 integers of 1, 2, 3, 4, 6, 8 bytes */
    SERIAL_REAL = 7,
    SERIAL_ZERO = 8,
    SERIAL_ONE = 9,
    SERIAL_BLOB = 12, /* every second number from here on; texts between them */
    SERIAL_TEXT = 13,
};

static inline guint32 page_u16(const guint8 *p)
{
    return (guint32)p[0] << 8 | p[1];
}

static inline guint32 page_u32(const guint8 *p)
{
    return page_u16(p) << 16 | page_u16(p + 2);
}

/* 1.6: a variable-length integer. Returns its length, or 0 if it runs over the end. */
static inline guint page_varint(const guint8 *p, gsize left, gint64 *value)
{
    guint64 v = 0;
    for (guint i = 0; i < 9 && i < left; i++) {
        if (i == 8) {
            *value = (gint64)(v << 8 | p[i]);
            return 9;
        }
        v = v << 7 | (p[i] & 0x7fU);
        if ((p[i] & 0x80U) == 0) {
            *value = (gint64)v;
            return i + 1;
        }
    }
    return 0;
}

/* 2.1: a signed integer of n bytes, 1 to 8. */
static inline gint64 page_signed(const guint8 *p, gsize n)
{
    guint64 v = (guint64)(gint64)(gint8)p[0];
    for (gsize i = 1; i < n; i++)
        v = v << 8 | p[i];
    return (gint64)v;
}

/* 2.1: bytes of a value; -1 for serial types that are not in use. */
static inline gint64 page_value_size(gint64 serial)
{
    static const gint8 sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, -1, -1};
    if (serial < 0)
        return -1;
    return serial < SERIAL_BLOB ? sizes[serial] : (serial - SERIAL_BLOB) / 2;
}

/* 1.6, "payload": how much of `total` bytes stands in a page itself; the rest overflows. */
static inline gsize page_local_size(gsize total, gsize usable, gboolean index)
{
    const gsize most = index ? (usable - 12) * 64 / 255 - 23 : usable - 35;
    const gsize least = (usable - 12) * 32 / 255 - 23;
    if (total <= most)
        return total;
    gsize local = least + (total - least) % (usable - 4);
    return local > most ? least : local;
}
