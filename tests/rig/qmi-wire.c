/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/qmi-wire.h"

#include "formats/bytes.h"

#include <math.h>
#include <string.h>

#define HEADER 6

void put_u8(GByteArray *out, guint8 value)
{
    g_byte_array_append(out, &value, 1);
}

void put_u16(GByteArray *out, guint16 value)
{
    value = GUINT16_TO_LE(value);
    g_byte_array_append(out, (const guint8 *)&value, sizeof value);
}

void put_u32(GByteArray *out, guint32 value)
{
    value = GUINT32_TO_LE(value);
    g_byte_array_append(out, (const guint8 *)&value, sizeof value);
}

void put_u64(GByteArray *out, guint64 value)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(out, (const guint8 *)&value, sizeof value);
}

void put_i16(GByteArray *out, double value)
{
    put_u16(out, (guint16)(gint16)CLAMP(lround(value), G_MININT16, G_MAXINT16));
}

void put_plmn_bcd(GByteArray *out, const char *plmn)
{
    guint8 d[6] = {0xf, 0xf, 0xf, 0xf, 0xf, 0xf};
    for (gsize i = 0; i < 6 && plmn[i] != '\0'; i++)
        d[i] = (guint8)(plmn[i] - '0');
    put_u8(out, (guint8)(d[1] << 4 | d[0]));
    put_u8(out, (guint8)(d[5] << 4 | d[2]));
    put_u8(out, (guint8)(d[4] << 4 | d[3]));
}

void put_short_text(GByteArray *out, const char *text)
{
    put_u8(out, (guint8)strlen(text));
    g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

gssize qmi_frame_length(const guint8 *data, gsize length)
{
    if (length >= 1 && data[0] != 1)
        return -1;
    if (length < 3)
        return 0;
    gsize whole = (gsize)(data[1] | data[2] << 8) + 1;
    if (whole < HEADER + 6)
        return -1;
    return length >= whole ? (gssize)whole : 0;
}

gboolean qmi_message_parse(const guint8 *frame, gsize length, QmiMessageView *view)
{
    ByteReader r = byte_reader(frame, length);
    byte_read_skip(&r, 1);
    gsize declared = byte_read_u16_le(&r);
    byte_read_skip(&r, 1);
    view->service = byte_read_u8(&r);
    view->client = byte_read_u8(&r);
    guint8 flags = byte_read_u8(&r);
    gboolean control = view->service == QMI_CTL;
    view->transaction = control ? byte_read_u8(&r) : byte_read_u16_le(&r);
    /* Control messages have their flags one bit lower. */
    guint8 bits = control ? (guint8)(flags << 1) : flags;
    view->kind = bits & 4 ? QMI_INDICATION : bits & 2 ? QMI_RESPONSE : QMI_REQUEST;
    view->message = byte_read_u16_le(&r);
    view->tlvs_length = byte_read_u16_le(&r);
    view->tlvs = byte_read_run(&r, view->tlvs_length);
    return byte_reader_done(&r) && declared + 1 == length && byte_reader_left(&r) == 0;
}

const guint8 *qmi_message_tlv(const QmiMessageView *view, guint8 type, gsize *length)
{
    ByteReader r = byte_reader(view->tlvs, view->tlvs_length);
    while (byte_reader_left(&r) >= 3) {
        guint8 found = byte_read_u8(&r);
        gsize size = byte_read_u16_le(&r);
        const guint8 *value = byte_read_run(&r, size);
        if (found == type && byte_reader_done(&r)) {
            *length = size;
            return value;
        }
    }
    return NULL;
}

void qmi_begin(GByteArray *out, QmiKind kind, guint8 service, guint8 client, guint16 transaction,
               guint16 message)
{
    gboolean control = service == QMI_CTL;
    guint8 bits = kind == QMI_INDICATION ? 4 : kind == QMI_RESPONSE ? 2 : 0;
    g_byte_array_set_size(out, 0);
    put_u8(out, 1);
    put_u16(out, 0); /* length: qmi_end() */
    put_u8(out, kind == QMI_REQUEST ? 0 : 0x80);
    put_u8(out, service);
    put_u8(out, client);
    put_u8(out, control ? bits >> 1 : bits);
    if (control)
        put_u8(out, (guint8)transaction);
    else
        put_u16(out, transaction);
    put_u16(out, message);
    put_u16(out, 0);
}

void qmi_end(GByteArray *out)
{
    gsize whole = out->len - 1;
    gsize at = out->data[4] == QMI_CTL ? HEADER + 4 : HEADER + 5; /* of the TLVs' length */
    gsize tlvs = out->len - at - 2;
    out->data[1] = (guint8)whole;
    out->data[2] = (guint8)(whole >> 8);
    out->data[at] = (guint8)tlvs;
    out->data[at + 1] = (guint8)(tlvs >> 8);
}

void qmi_tlv_begin(GByteArray *out, guint8 type)
{
    put_u8(out, type);
    /* Length 0 marks the one that is still open. */
    put_u16(out, 0);
}

/* TLVs are not nested, so the last one begun is found by walking them. */
void qmi_tlv_end(GByteArray *out)
{
    gsize at = out->data[4] == QMI_CTL ? HEADER + 6 : HEADER + 7;
    for (;;) {
        gsize length = (gsize)(out->data[at + 1] | out->data[at + 2] << 8);
        if (length == 0) {
            gsize real = out->len - at - 3;
            out->data[at + 1] = (guint8)real;
            out->data[at + 2] = (guint8)(real >> 8);
            return;
        }
        at += 3 + length;
    }
}

void qmi_put_result(GByteArray *out, guint16 error)
{
    qmi_tlv_begin(out, 0x02);
    put_u16(out, error != 0);
    put_u16(out, error);
    qmi_tlv_end(out);
}

void qmi_tlv_text(GByteArray *out, guint8 type, const char *text)
{
    if (text[0] == '\0')
        return;
    qmi_tlv_begin(out, type);
    g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
    qmi_tlv_end(out);
}

void qmi_tlv_u8(GByteArray *out, guint8 type, guint8 value)
{
    qmi_tlv_begin(out, type);
    put_u8(out, value);
    qmi_tlv_end(out);
}

void qmi_tlv_u16(GByteArray *out, guint8 type, guint16 value)
{
    qmi_tlv_begin(out, type);
    put_u16(out, value);
    qmi_tlv_end(out);
}

void qmi_tlv_u32(GByteArray *out, guint8 type, guint32 value)
{
    qmi_tlv_begin(out, type);
    put_u32(out, value);
    qmi_tlv_end(out);
}

void qmi_tlv_u64(GByteArray *out, guint8 type, guint64 value)
{
    qmi_tlv_begin(out, type);
    put_u64(out, value);
    qmi_tlv_end(out);
}
