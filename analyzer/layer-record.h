/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row as SQLite stores it (https://www.sqlite.org/fileformat.html, 2.1): for tables that are
 * written page by page (layer-pages.h).
 */
#pragma once

#include "analyzer/layer.h"

/* Values of a row whose first column is its key, which stands outside of the record. `geometry` is
 * the second column, NULL: SQL's NULL, unless `has_geometry` is FALSE: then there is none. */
typedef struct {
    gboolean has_geometry;
    const void *geometry;
    size_t n_geometry; /* bytes */
    const LayerType *types;
    const LayerValue *values;
    guint n_values;
} LayerRecord;

/* Appends the record to `out`. Reals without a fraction are stored as integers, as SQLite does. */
void layer_record(GByteArray *out, const LayerRecord *record);

/* Most bytes of a variable-length integer; and writing one: returns its length. */
#define LAYER_VARINT_BYTES 9
size_t layer_varint(uint8_t *to, uint64_t value);
