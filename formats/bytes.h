/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing byte buffers without a bounds check at each place of use.
 *
 * Reading past the end gives zero (NULL for byte runs) and sets `failed`; writing past the end
 * writes nothing and sets `failed`. The flag stays set: ask it once per message, with
 * byte_reader_done() or byte_writer_done(). A message whose reader failed is not used.
 * Numbers are big-endian (network order) unless the name ends in _le.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data; /* borrowed */
    size_t length;
    size_t at;
    bool failed;
} ByteReader;

typedef struct {
    uint8_t *data; /* borrowed */
    size_t length; /* room */
    size_t at;     /* bytes written */
    bool failed;
} ByteWriter;

/* `data` may be NULL if `length` is 0. */
ByteReader byte_reader(const void *data, size_t length);

uint8_t byte_read_u8(ByteReader *reader);
uint16_t byte_read_u16(ByteReader *reader);
uint32_t byte_read_u32(ByteReader *reader);
uint64_t byte_read_u64(ByteReader *reader);
uint16_t byte_read_u16_le(ByteReader *reader);
uint32_t byte_read_u32_le(ByteReader *reader);
uint64_t byte_read_u64_le(ByteReader *reader);

/* `length` bytes inside the buffer, or NULL. */
const uint8_t *byte_read_run(ByteReader *reader, size_t length);
void byte_read_skip(ByteReader *reader, size_t length);

/* Bytes not read yet; 0 after a failure. */
size_t byte_reader_left(const ByteReader *reader);

/* True if nothing was read past the end. Bytes may be left over: ask byte_reader_left(). */
bool byte_reader_done(const ByteReader *reader);

ByteWriter byte_writer(void *data, size_t length);

void byte_write_u8(ByteWriter *writer, uint8_t value);
void byte_write_u16(ByteWriter *writer, uint16_t value);
void byte_write_u32(ByteWriter *writer, uint32_t value);
void byte_write_u64(ByteWriter *writer, uint64_t value);
void byte_write_u16_le(ByteWriter *writer, uint16_t value);
void byte_write_u32_le(ByteWriter *writer, uint32_t value);
void byte_write_u64_le(ByteWriter *writer, uint64_t value);
void byte_write_run(ByteWriter *writer, const void *data, size_t length);
void byte_write_zero(ByteWriter *writer, size_t length);

/* True if everything had room. */
bool byte_writer_done(const ByteWriter *writer);
