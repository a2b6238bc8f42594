/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/mbim-wire.h"

#include "tests/rig/qmi-wire.h"

#include <math.h>

#define LONGEST_MESSAGE 4096

MbimStruct *mbim_struct_new(void)
{
    MbimStruct *s = g_new0(MbimStruct, 1);
    s->fixed = g_byte_array_new();
    s->tail = g_byte_array_new();
    s->offsets = g_array_new(FALSE, FALSE, sizeof(guint));
    return s;
}

void mbim_u32(MbimStruct *s, guint32 value)
{
    put_u32(s->fixed, value);
}

void mbim_u64(MbimStruct *s, guint64 value)
{
    put_u64(s->fixed, value);
}

void mbim_i32(MbimStruct *s, double value)
{
    put_u32(s->fixed, (guint32)(gint32)lround(value));
}

static void refer(MbimStruct *s, const guint8 *data, gsize length)
{
    static const guint8 padding[4];
    guint at = s->fixed->len;
    g_array_append_val(s->offsets, at);
    put_u32(s->fixed, s->tail->len);
    put_u32(s->fixed, (guint32)length);
    g_byte_array_append(s->tail, data, (guint)length);
    g_byte_array_append(s->tail, padding, (4 - s->tail->len % 4) % 4);
}

void mbim_nothing(MbimStruct *s)
{
    put_u64(s->fixed, 0);
}

void mbim_text(MbimStruct *s, const char *text)
{
    glong length = 0;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &length, NULL);
    if (wide == NULL || length == 0) {
        mbim_nothing(s);
        return;
    }
    for (glong i = 0; i < length; i++)
        wide[i] = GUINT16_TO_LE(wide[i]);
    refer(s, (const guint8 *)wide, 2 * (gsize)length);
}

void mbim_bytes(MbimStruct *s, const GByteArray *bytes)
{
    refer(s, bytes->data, bytes->len);
}

/* MBIMEx 3, 2.2: type, reserved, bytes of padding, length, data, padding to four. */
static void add_tlv(MbimStruct *s, guint16 type, const guint16 *values, gsize n)
{
    gsize padding = n % 2 * 2;
    put_u16(s->fixed, type);
    put_u8(s->fixed, 0);
    put_u8(s->fixed, (guint8)padding);
    put_u32(s->fixed, (guint32)(2 * n));
    for (gsize i = 0; i < n; i++)
        put_u16(s->fixed, values[i]);
    if (padding > 0)
        put_u16(s->fixed, 0);
}

void mbim_tlv_u16s(MbimStruct *s, const guint16 *values, gsize n)
{
    add_tlv(s, 11, values, n);
}

void mbim_tlv_text(MbimStruct *s, const char *text)
{
    glong length = 0;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &length, NULL);
    add_tlv(s, 10, wide, wide != NULL ? (gsize)length : 0);
}

GByteArray *mbim_struct_end(MbimStruct *s)
{
    GByteArray *whole = s->fixed;
    for (guint i = 0; i < s->offsets->len; i++) {
        guint at = g_array_index(s->offsets, guint, i);
        guint32 offset = mbim_get_u32(whole->data, whole->len, at) + whole->len;
        for (guint k = 0; k < 4; k++)
            whole->data[at + k] = (guint8)(offset >> (8 * k));
    }
    g_byte_array_append(whole, s->tail->data, s->tail->len);
    g_byte_array_unref(s->tail);
    g_array_unref(s->offsets);
    g_free(s);
    return whole;
}

void mbim_struct(MbimStruct *s, MbimStruct *inner)
{
    g_autoptr(GByteArray) bytes = mbim_struct_end(inner);
    mbim_bytes(s, bytes);
}

guint32 mbim_get_u32(const guint8 *data, gsize length, gsize at)
{
    if (at > length || length - at < 4)
        return 0;
    return (guint32)data[at] | (guint32)data[at + 1] << 8 | (guint32)data[at + 2] << 16 |
           (guint32)data[at + 3] << 24;
}

gssize mbim_frame_length(const guint8 *data, gsize length)
{
    if (length < 12)
        return 0;
    guint32 type = mbim_get_u32(data, length, 0), whole = mbim_get_u32(data, length, 4);
    if (whole < 12 || whole > LONGEST_MESSAGE || (type & 0x7fffffff) > 16)
        return -1;
    return length >= whole ? (gssize)whole : 0;
}
