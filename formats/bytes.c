/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/bytes.h"

#include <string.h>

ByteReader byte_reader(const void *data, size_t length)
{
    return (ByteReader){.data = data, .length = length};
}

const uint8_t *byte_read_run(ByteReader *reader, size_t length)
{
    if (reader->failed || length > reader->length - reader->at) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *run = reader->data + reader->at;
    reader->at += length;
    return run;
}

void byte_read_skip(ByteReader *reader, size_t length)
{
    (void)byte_read_run(reader, length);
}

/* The one place that turns bytes into a number; `size` is 1 to 8. */
static uint64_t read_number(ByteReader *reader, size_t size, bool little)
{
    const uint8_t *run = byte_read_run(reader, size);
    uint64_t value = 0;
    if (!run)
        return 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | run[little ? size - 1 - i : i];
    return value;
}

uint8_t byte_read_u8(ByteReader *reader)
{
    return (uint8_t)read_number(reader, 1, false);
}

uint16_t byte_read_u16(ByteReader *reader)
{
    return (uint16_t)read_number(reader, 2, false);
}

uint32_t byte_read_u32(ByteReader *reader)
{
    return (uint32_t)read_number(reader, 4, false);
}

uint64_t byte_read_u64(ByteReader *reader)
{
    return read_number(reader, 8, false);
}

uint16_t byte_read_u16_le(ByteReader *reader)
{
    return (uint16_t)read_number(reader, 2, true);
}

uint32_t byte_read_u32_le(ByteReader *reader)
{
    return (uint32_t)read_number(reader, 4, true);
}

uint64_t byte_read_u64_le(ByteReader *reader)
{
    return read_number(reader, 8, true);
}

size_t byte_reader_left(const ByteReader *reader)
{
    return reader->failed ? 0 : reader->length - reader->at;
}

bool byte_reader_done(const ByteReader *reader)
{
    return !reader->failed;
}

ByteWriter byte_writer(void *data, size_t length)
{
    return (ByteWriter){.data = data, .length = length};
}

/* Room for `length` bytes, or NULL and the flag. */
static uint8_t *claim(ByteWriter *writer, size_t length)
{
    if (writer->failed || length > writer->length - writer->at) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *room = writer->data + writer->at;
    writer->at += length;
    return room;
}

static void write_number(ByteWriter *writer, uint64_t value, size_t size, bool little)
{
    uint8_t *room = claim(writer, size);
    if (!room)
        return;
    for (size_t i = 0; i < size; i++)
        room[little ? i : size - 1 - i] = (uint8_t)(value >> (8 * i));
}

void byte_write_u8(ByteWriter *writer, uint8_t value)
{
    write_number(writer, value, 1, false);
}

void byte_write_u16(ByteWriter *writer, uint16_t value)
{
    write_number(writer, value, 2, false);
}

void byte_write_u32(ByteWriter *writer, uint32_t value)
{
    write_number(writer, value, 4, false);
}

void byte_write_u64(ByteWriter *writer, uint64_t value)
{
    write_number(writer, value, 8, false);
}

void byte_write_u16_le(ByteWriter *writer, uint16_t value)
{
    write_number(writer, value, 2, true);
}

void byte_write_u32_le(ByteWriter *writer, uint32_t value)
{
    write_number(writer, value, 4, true);
}

void byte_write_u64_le(ByteWriter *writer, uint64_t value)
{
    write_number(writer, value, 8, true);
}

void byte_write_run(ByteWriter *writer, const void *data, size_t length)
{
    uint8_t *room = claim(writer, length);
    if (room && length)
        memcpy(room, data, length);
}

void byte_write_zero(ByteWriter *writer, size_t length)
{
    uint8_t *room = claim(writer, length);
    if (room && length)
        memset(room, 0, length);
}

bool byte_writer_done(const ByteWriter *writer)
{
    return !writer->failed;
}
