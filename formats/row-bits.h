/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rows of a chunk have a value, one bit a row: bit i % 64 of word i / 64. Bits after the last
 * row are 0. Most words are all ones or all zeros, so 64 rows go at once. For the chunk-*.c files
 * only.
 */
#pragma once

#include "formats/chunk.h"

enum { ROW_WORDS = CHUNK_ROWS / 64 };

/* From known bits by row to rows by column: bits[c] tells which of n rows have column c. */
void row_bits_by_column(const uint64_t *known, size_t n, uint64_t (*bits)[ROW_WORDS]);

/* Adds column c to the known bits of its rows. */
void row_bits_to_known(const uint64_t *bits, size_t n, unsigned c, uint64_t *known);

/* How many of n rows have a value. */
size_t row_bits_count(const uint64_t *bits, size_t n);

/* Runs of rows with and without a value, in turns, beginning with. Returns their number; the first
 * may be empty. `starts`, nullable: room for that number; gets the row at which each run ends. */
size_t row_bits_runs(const uint64_t *bits, size_t n, uint32_t *ends);

/* Sets the bits of the rows from `first` on, before `end`. */
void row_bits_fill(uint64_t *bits, size_t first, size_t end);

/* Copies the values of the rows that have one to `out`, one after the other; returns their number.
 */
size_t row_bits_gather(const uint64_t *bits, size_t n, const int64_t *values, int64_t *out);

/* The reverse, in place; `count` is row_bits_count(). Rows without a value get 0. */
void row_bits_spread(const uint64_t *bits, size_t n, size_t count, int64_t *values);

/* The first row that has a value, another in `a` than in `b`; n if there is none. */
size_t row_bits_difference(const uint64_t *bits, size_t n, const int64_t *a, const int64_t *b);
