/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/bytes.h"

#include <glib.h>
#include <string.h>

static void test_orders(void)
{
    uint8_t buffer[28];
    ByteWriter writer = byte_writer(buffer, sizeof buffer);
    byte_write_u16(&writer, 0x0102);
    byte_write_u32(&writer, 0x03040506);
    byte_write_u64(&writer, UINT64_C(0x0708090a0b0c0d0e));
    byte_write_u16_le(&writer, 0x0102);
    byte_write_u64_le(&writer, UINT64_C(0x0708090a0b0c0d0e));
    byte_write_u32_le(&writer, 0x03040506);
    g_assert_true(byte_writer_done(&writer));
    static const uint8_t expected[] = {1, 2, 3,  4,  5,  6,  7,  8, 9, 10, 11, 12, 13, 14,
                                       2, 1, 14, 13, 12, 11, 10, 9, 8, 7,  6,  5,  4,  3};
    g_assert_cmpuint(writer.at, ==, sizeof expected);
    g_assert_true(memcmp(buffer, expected, sizeof expected) == 0);

    ByteReader reader = byte_reader(buffer, sizeof buffer);
    g_assert_cmphex(byte_read_u16(&reader), ==, 0x0102);
    g_assert_cmphex(byte_read_u32(&reader), ==, 0x03040506);
    g_assert_cmphex(byte_read_u64(&reader), ==, UINT64_C(0x0708090a0b0c0d0e));
    g_assert_cmphex(byte_read_u16_le(&reader), ==, 0x0102);
    g_assert_cmphex(byte_read_u64_le(&reader), ==, UINT64_C(0x0708090a0b0c0d0e));
    g_assert_cmphex(byte_read_u32_le(&reader), ==, 0x03040506);
    g_assert_cmpuint(byte_reader_left(&reader), ==, 0);
    g_assert_true(byte_reader_done(&reader));
}

/* Past the end: zeros, the flag, and the flag stays although a later read would fit. */
static void test_sticky(void)
{
    const uint8_t three[] = {1, 2, 3};
    ByteReader reader = byte_reader(three, sizeof three);
    g_assert_cmpuint(byte_read_u8(&reader), ==, 1);
    g_assert_cmpuint(byte_read_u32(&reader), ==, 0);
    g_assert_false(byte_reader_done(&reader));
    g_assert_cmpuint(byte_read_u8(&reader), ==, 0);
    g_assert_cmpuint(byte_reader_left(&reader), ==, 0);
    g_assert_null(byte_read_run(&reader, 0));

    uint8_t room[3] = {9, 9, 9};
    ByteWriter writer = byte_writer(room, sizeof room);
    byte_write_u8(&writer, 1);
    byte_write_u32(&writer, 0);
    byte_write_u8(&writer, 7);
    byte_write_zero(&writer, SIZE_MAX);
    g_assert_false(byte_writer_done(&writer));
    g_assert_cmpuint(room[0], ==, 1);
    g_assert_cmpuint(room[1], ==, 9);

    ByteReader empty = byte_reader(NULL, 0);
    g_assert_true(byte_reader_done(&empty));
    g_assert_cmpuint(byte_read_u8(&empty), ==, 0);
    g_assert_false(byte_reader_done(&empty));
    ByteReader huge = byte_reader(three, sizeof three);
    g_assert_null(byte_read_run(&huge, SIZE_MAX));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bytes/orders", test_orders);
    g_test_add_func("/bytes/sticky", test_sticky);
    return g_test_run();
}
