/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GIS files without GDAL: all of analyzer/layer.h, where what is read are rows made of the fuzzer's
 * input (any values in any field, any shape that layer.h promises), and what is written goes
 * nowhere.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What is read from now on; borrowed. One byte says which layers and fields are missing. */
void fake_layer_begin(const uint8_t *data, size_t size);

/* Tables that the files have until the next fake_layer_begin(): `columns` are names with a type
 * behind a colon (i, r, t), in the order of their values. Tables of other names are made as
 * without: any name, and the columns asked for. Borrowed. */
typedef struct {
    const char *name, *columns;
} FakeTable;
void fake_layer_tables(const FakeTable *tables, size_t n);

/* Takes one byte of what is left, 0 at the end: for a target's own choices. */
uint8_t fake_layer_byte(void);
