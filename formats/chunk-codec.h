/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integers of one column, packed into bytes: as offsets from the smallest, or as differences from
 * value to value, divided by their greatest common divisor, in planes of bytes (all lowest bytes
 * first, then all second bytes …). Planes are what zstd compresses best, and what unpacks with
 * vector instructions. Pure functions; the layout is specified in docs/drive-file.md.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef enum {
    CODEC_CONSTANT = 0, /* all values equal `base`; no bytes */
    CODEC_OFFSET = 1,   /* value = base + scale * u */
    CODEC_DELTA = 2,    /* value[0] = base, value[i] = value[i-1] + scale * unzigzag(u) */
} CodecLayout;

typedef struct {
    uint8_t layout; /* CodecLayout */
    uint8_t width;  /* bytes of each packed number, 0..8; 0 only with CODEC_CONSTANT */
    int64_t base;
    int64_t scale; /* >= 1 */
} CodecHeader;

/* Chooses a layout for n > 0 values and packs them; what `values` holds afterwards is undefined.
 * `out` must have room for 8 * n bytes.
 * Returns the number of bytes written: width * n. Any int64 values are exact. */
size_t codec_pack(int64_t *values, size_t n, CodecHeader *header, uint8_t *out);

/* Unpacks n values from header->width * n bytes. FALSE if the header makes no sense. All arithmetic
 * wraps, so that hostile bytes give wrong numbers but nothing worse. */
gboolean codec_unpack(const CodecHeader *header, const uint8_t *bytes, size_t n, int64_t *values);
