/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delimited text: comma, semicolon or tab separated, with a header line. Reads what the world
 * writes: byte order mark, CRLF, quoted fields with separators, quotes and line breaks in them
 * (RFC 4180), a last line without its newline. Streams: memory does not grow with the file.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#define FORMAT_ERROR format_error_quark()
typedef enum {
    FORMAT_ERROR_FAILED,  /* cannot be read */
    FORMAT_ERROR_UNKNOWN, /* nothing here knows this format, or two do */
    FORMAT_ERROR_SYNTAX,  /* a row that is not of the format; message names file:line */
    FORMAT_ERROR_OPTION,  /* an option that does not fit: wrong usage */
} FormatError;
GQuark format_error_quark(void);

typedef struct {
    const char *text; /* ended by a zero byte */
    uint32_t length;
    gboolean quoted;
} TextField;

typedef struct TextTable TextTable;

/* Opens a file and reads its header line. separator 0: found from the header.
 * Returns: (transfer full). */
TextTable *text_table_open(const char *path, char separator, GError **error);
void text_table_free(TextTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextTable, text_table_free)

const char *text_table_path(const TextTable *table);
char text_table_separator(const TextTable *table);

/* Header names, trimmed; n of them. */
const char *const *text_table_header(const TextTable *table, unsigned *n);

/* Column by name, ignoring ASCII case; -1 if there is none. */
int text_table_column(const TextTable *table, const char *name);

/* The next row of data, with as many fields as the header (blank lines are passed over; one empty
 * field too many at the end is allowed, some apps write it). NULL at the end (error unset), or on
 * failure: a row of another width is refused with its line.
 * Returns: (transfer none, until the next call). */
const TextField *text_table_next(TextTable *table, GError **error);

/* Line on which the row given last began, from 1. */
guint64 text_table_line(const TextTable *table);

/* Bytes read so far, and in all. */
gint64 text_table_position(const TextTable *table);
gint64 text_table_size(const TextTable *table);

/* A syntax error at the current row: "PATH:LINE: message". Returns FALSE. */
gboolean text_table_refuse(const TextTable *table, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
