/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MBIM 1.0 messages. A structure has a fixed part and, behind it, the texts, arrays and structures
 * that the fixed part points to by offset (from the structure's start) and length.
 */
#pragma once

#include <glib.h>

typedef struct {
    GByteArray *fixed, *tail;
    GArray *offsets; /* guint: places in `fixed` that hold an offset into `tail` */
} MbimStruct;

MbimStruct *mbim_struct_new(void);
void mbim_u32(MbimStruct *s, guint32 value);
void mbim_u64(MbimStruct *s, guint64 value);
/* A signed value, rounded. */
void mbim_i32(MbimStruct *s, double value);
/* Offset and length of a UTF-16 text in the tail. */
void mbim_text(MbimStruct *s, const char *text);
/* Offset and length of bytes in the tail, padded to four. */
void mbim_bytes(MbimStruct *s, const GByteArray *bytes);
/* TLVs of MBIMEx 3, in place: an array of numbers, a text. */
void mbim_tlv_u16s(MbimStruct *s, const guint16 *values, gsize n);
void mbim_tlv_text(MbimStruct *s, const char *text);
/* Offset 0, length 0. */
void mbim_nothing(MbimStruct *s);
/* Joins the parts and frees the structure. Returns: (transfer full). */
GByteArray *mbim_struct_end(MbimStruct *s);
/* mbim_bytes() of a structure, which is freed. */
void mbim_struct(MbimStruct *s, MbimStruct *inner);

/* Bytes of the first message in `data`: 0 if more are needed, -1 if this is no message. */
gssize mbim_frame_length(const guint8 *data, gsize length);
guint32 mbim_get_u32(const guint8 *data, gsize length, gsize at); /* 0 past the end */
