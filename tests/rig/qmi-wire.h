/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QMUX frames: one byte 0x01, length, flags, service, client, then a QMI message of TLVs. All
 * numbers little-endian.
 */
#pragma once

#include <glib.h>

typedef enum {
    QMI_CTL = 0,
    QMI_WDS = 1,
    QMI_DMS = 2,
    QMI_NAS = 3,
    QMI_UIM = 11,
    QMI_DSD = 0x2a,
} QmiService;

typedef enum { QMI_REQUEST, QMI_RESPONSE, QMI_INDICATION } QmiKind;

typedef struct {
    QmiKind kind;
    guint8 service, client;
    guint16 transaction, message;
    const guint8 *tlvs; /* borrowed from the frame */
    gsize tlvs_length;
} QmiMessageView;

/* Bytes of the first frame in `data`: 0 if more are needed, -1 if this is no frame. */
gssize qmi_frame_length(const guint8 *data, gsize length);

/* FALSE if the frame contradicts itself. */
gboolean qmi_message_parse(const guint8 *frame, gsize length, QmiMessageView *view);
/* A TLV's value; NULL if it is absent or cut. */
const guint8 *qmi_message_tlv(const QmiMessageView *view, guint8 type, gsize *length);

/* Begins a message in `out` (emptied) with the addresses of `to`; TLVs follow, then qmi_end(). */
void qmi_begin(GByteArray *out, QmiKind kind, guint8 service, guint8 client, guint16 transaction,
               guint16 message);
void qmi_end(GByteArray *out);
/* Result TLV: error 0 is success. */
void qmi_put_result(GByteArray *out, guint16 error);

void qmi_tlv_begin(GByteArray *out, guint8 type);
void qmi_tlv_end(GByteArray *out); /* of the last one begun */
void qmi_tlv_text(GByteArray *out, guint8 type, const char *text);
void qmi_tlv_u8(GByteArray *out, guint8 type, guint8 value);
void qmi_tlv_u16(GByteArray *out, guint8 type, guint16 value);
void qmi_tlv_u32(GByteArray *out, guint8 type, guint32 value);
void qmi_tlv_u64(GByteArray *out, guint8 type, guint64 value);

void put_u8(GByteArray *out, guint8 value);
void put_u16(GByteArray *out, guint16 value);
void put_u32(GByteArray *out, guint32 value);
void put_u64(GByteArray *out, guint64 value);
void put_i16(GByteArray *out, double value); /* rounded and clamped */
/* Three bytes of BCD as in 3GPP TS 24.008, 10.5.1.3. */
void put_plmn_bcd(GByteArray *out, const char *plmn);
/* Length byte, then text. */
void put_short_text(GByteArray *out, const char *text);
