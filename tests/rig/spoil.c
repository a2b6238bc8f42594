/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/spoil.h"

#include "tests/rig/qmi-wire.h"

#define QMUX_TLVS     13
#define QMUX_LENGTH   11
#define MBIM_DONE     0x80000003U
#define MBIM_INDICATE 0x80000007U
#define MBIM_BUFFER   48 /* of a command-done message; an indication's begins 4 earlier */

static guint32 get_u32(const GByteArray *frame, gsize at)
{
    return (guint32)frame->data[at] | (guint32)frame->data[at + 1] << 8 |
           (guint32)frame->data[at + 2] << 16 | (guint32)frame->data[at + 3] << 24;
}

static void set_u16(GByteArray *frame, gsize at, gsize value)
{
    frame->data[at] = (guint8)value;
    frame->data[at + 1] = (guint8)(value >> 8);
}

static void set_u32(GByteArray *frame, gsize at, gsize value)
{
    set_u16(frame, at, value);
    set_u16(frame, at + 2, value >> 16);
}

gboolean spoil_applies(Framing framing, const GByteArray *frame)
{
    if (framing == FRAMING_QMUX)
        return frame->len > QMUX_TLVS + 7 && frame->data[4] != QMI_CTL;
    if (frame->len <= MBIM_BUFFER + 4)
        return FALSE;
    guint32 type = get_u32(frame, 0);
    return type == MBIM_DONE || type == MBIM_INDICATE;
}

static gsize body_of(Framing framing, const GByteArray *frame)
{
    return framing == FRAMING_QMUX          ? QMUX_TLVS
           : get_u32(frame, 0) == MBIM_DONE ? MBIM_BUFFER
                                            : MBIM_BUFFER - 4;
}

void spoil_truncate(Framing framing, GByteArray *frame, GRand *random)
{
    gsize body = body_of(framing, frame);
    gsize keep = body + (gsize)g_rand_int_range(random, 1, (gint32)(frame->len - body));
    g_byte_array_set_size(frame, (guint)keep);
    if (framing == FRAMING_QMUX) {
        set_u16(frame, 1, keep - 1);
        set_u16(frame, QMUX_LENGTH, keep - QMUX_TLVS);
    } else {
        set_u32(frame, 4, keep);
        set_u32(frame, body - 4, keep - body);
    }
}

void spoil_malform(Framing framing, GByteArray *frame, GRand *random)
{
    gsize body = body_of(framing, frame);
    for (int i = 0; i < 4; i++) {
        gsize at = (gsize)g_rand_int_range(random, (gint32)body, (gint32)frame->len);
        frame->data[at] = (guint8)g_rand_int(random);
    }
}

void spoil_unknown(Framing framing, GByteArray *frame)
{
    if (framing == FRAMING_QMUX) {
        for (guint8 type = 0xe0; type < 0xe4; type++) {
            put_u8(frame, type);
            put_u16(frame, 5);
            for (guint8 i = 0; i < 5; i++)
                put_u8(frame, i);
        }
        qmi_end(frame);
        return;
    }
    gsize body = body_of(framing, frame);
    put_u64(frame, G_GUINT64_CONSTANT(0x0123456789abcdef));
    set_u32(frame, 4, frame->len);
    set_u32(frame, body - 4, frame->len - body);
}
