/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/layer-record.h"

#include "formats/page-format.h"

#include <math.h>
#include <string.h>

/* Reals below this without a fraction are kept as integers: six bytes hold them. */
#define WHOLE_BELOW 140737488355328.0

size_t layer_varint(uint8_t *to, uint64_t value)
{
    if (value < 0x80) {
        *to = (uint8_t)value;
        return 1;
    }
    if (value >> 56 != 0) { /* the ninth byte is whole */
        to[8] = (uint8_t)value;
        value >>= 8;
        for (int i = 7; i >= 0; i--, value >>= 7)
            to[i] = (uint8_t)((value & 0x7f) | 0x80);
        return 9;
    }
    size_t n = 1;
    for (uint64_t v = value >> 7; v != 0; v >>= 7)
        n++;
    for (size_t i = n; i-- > 0; value >>= 7)
        to[i] = (uint8_t)((value & 0x7f) | (i + 1 < n ? 0x80 : 0));
    return n;
}

static uint64_t int_serial(int64_t value)
{
    static const uint64_t most[] = {INT8_MAX, INT16_MAX, 0x7fffff, INT32_MAX, 0x7fffffffffff};
    if (value == 0 || value == 1)
        return value == 0 ? SERIAL_ZERO : SERIAL_ONE;
    uint64_t size = value < 0 ? ~(uint64_t)value : (uint64_t)value;
    uint64_t serial = 1;
    while (serial <= G_N_ELEMENTS(most) && size > most[serial - 1])
        serial++;
    return serial;
}

static gboolean is_whole(double value)
{
    return fabs(value) < WHOLE_BELOW && (double)(int64_t)value == value &&
           !(value == 0.0 && signbit(value));
}

static uint64_t serial_of(LayerType type, const LayerValue *value)
{
    if (!value->known)
        return SERIAL_NULL;
    switch (type) {
    case LAYER_INT:
        return int_serial(value->v.i);
    case LAYER_REAL:
        return is_whole(value->v.r) ? int_serial((int64_t)value->v.r) : SERIAL_REAL;
    case LAYER_TEXT:
        return SERIAL_TEXT + 2 * (uint64_t)strlen(value->v.t);
    case LAYER_BLOB:
        return SERIAL_BLOB + 2 * (uint64_t)value->v.b.n;
    }
    return SERIAL_NULL;
}

static uint8_t *put_bytes(uint8_t *to, const void *data, size_t n)
{
    if (n > 0)
        memcpy(to, data, n);
    return to + n;
}

static uint8_t *put_number(uint8_t *to, uint64_t bits, size_t n)
{
    bits = GUINT64_TO_BE(bits);
    memcpy(to, (const uint8_t *)&bits + 8 - n, n);
    return to + n;
}

static uint8_t *put_value(uint8_t *to, LayerType type, const LayerValue *value, uint64_t serial)
{
    size_t n = (size_t)page_value_size((gint64)serial);
    uint64_t bits;
    if (serial >= SERIAL_BLOB)
        return put_bytes(
            to, type == LAYER_TEXT ? (const void *)value->v.t : (const void *)value->v.b.data, n);
    if (n == 0)
        return to;
    if (type == LAYER_REAL && serial != SERIAL_REAL)
        bits = (uint64_t)(int64_t)value->v.r;
    else
        memcpy(&bits, &value->v, sizeof bits);
    return put_number(to, bits, n);
}

void layer_record(GByteArray *out, const LayerRecord *r)
{
    guint columns = r->n_values + (r->has_geometry ? 2 : 1);
    g_autofree uint64_t *serial = g_new(uint64_t, columns);
    uint8_t scratch[LAYER_VARINT_BYTES];
    size_t head = 0, body = 0;
    serial[0] = SERIAL_NULL; /* the key */
    if (r->has_geometry)
        serial[1] = r->geometry != NULL ? SERIAL_BLOB + 2 * (uint64_t)r->n_geometry : SERIAL_NULL;
    uint64_t *own = serial + columns - r->n_values;
    for (guint i = 0; i < r->n_values; i++)
        own[i] = serial_of(r->types[i], &r->values[i]);
    for (guint i = 0; i < columns; i++) {
        head += serial[i] < 0x80 ? 1 : layer_varint(scratch, serial[i]);
        body += (size_t)page_value_size((gint64)serial[i]);
    }
    /* the head's length counts itself */
    size_t length = layer_varint(scratch, head + 1) == 1 ? 1 : layer_varint(scratch, head + 2);
    guint at = out->len;
    g_byte_array_set_size(out, at + (guint)(length + head + body));
    uint8_t *to = out->data + at;
    to += layer_varint(to, head + length);
    for (guint i = 0; i < columns; i++)
        to += layer_varint(to, serial[i]);
    if (r->has_geometry && r->geometry != NULL)
        to = put_bytes(to, r->geometry, r->n_geometry);
    for (guint i = 0; i < r->n_values; i++)
        to = put_value(to, r->types[i], &r->values[i], own[i]);
}
