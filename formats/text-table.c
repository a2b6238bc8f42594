/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcsv calls back for each field and copies each byte; on the import path that alone costs more
 * than all the rest. This reader keeps the fields in place: one pass over the buffer, quoted fields
 * unfolded where they stand.
 */
#include "formats/text-table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIN_BUFFER = 1 << 12, BUFFER_SIZE = 1 << 18, MAX_ROW = 1 << 20, MAX_COLUMNS = 1024 };

G_DEFINE_QUARK(format - error - quark, format_error)

struct TextTable {
    char *path;
    int fd;
    char separator;
    char *buffer; /* room for one byte more than `capacity`, to end the last row */
    size_t capacity, start, end;
    gboolean at_end;
    gint64 size, read;
    guint64 line, next_line;
    GPtrArray *header;
    TextField *fields;
    unsigned n_fields;
};

gboolean text_table_refuse(const TextTable *table, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_SYNTAX, "%s:%" G_GUINT64_FORMAT ": %s",
                table->path, table->line, message);
    return FALSE;
}

/* Moves what is left to the front and reads more. FALSE on failure. */
static gboolean fill(TextTable *table, GError **error)
{
    if (table->start > 0) {
        memmove(table->buffer, table->buffer + table->start, table->end - table->start);
        table->end -= table->start;
        table->start = 0;
    }
    if (table->end == table->capacity) {
        if (table->capacity >= MAX_ROW)
            return text_table_refuse(table, error, "a row of more than %d bytes", MAX_ROW);
        table->capacity = MIN(table->capacity * 2, (size_t)MAX_ROW);
        table->buffer = g_realloc(table->buffer, table->capacity + 1);
    }
    ssize_t n = 0;
    do
        n = read(table->fd, table->buffer + table->end, table->capacity - table->end);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_FAILED, "%s: cannot be read: %s", table->path,
                    g_strerror(errno));
        return FALSE;
    }
    table->at_end = n == 0;
    table->end += (size_t)n;
    table->read += n;
    return TRUE;
}

/* Length of the row at `start` without its line end, or -1 if more bytes are needed. */
static ssize_t row_length(const TextTable *table, size_t *line_end, guint64 *lines)
{
    const char *row = table->buffer + table->start;
    size_t n = table->end - table->start;
    const char *newline = memchr(row, '\n', n);
    size_t span = newline != NULL ? (size_t)(newline - row) : n;
    *lines = 1;
    if (memchr(row, '"', span) == NULL) {
        if (newline == NULL && !table->at_end)
            return -1;
        *line_end = newline != NULL ? 1 : 0;
        return (ssize_t)span;
    }
    gboolean inside = FALSE;
    gboolean at_field = TRUE;
    for (size_t i = 0; i < n; i++) {
        char c = row[i];
        gboolean closed = FALSE;
        if (c == '"' && (inside || at_field)) {
            closed = inside;
            inside = !inside;
        } else if (c == '\n' && !inside) {
            *line_end = 1;
            return (ssize_t)i;
        }
        *lines += c == '\n' ? 1 : 0;
        /* after a closing quote a second one means a quote, so it opens again */
        at_field = c == table->separator || closed;
    }
    *line_end = 0;
    return table->at_end ? (ssize_t)n : -1;
}

/* The next row as [*row, *row + *length), ended by a zero byte. FALSE at the end or on failure. */
static gboolean next_row(TextTable *table, char **row, size_t *length, GError **error)
{
    for (;;) {
        size_t line_end = 0;
        guint64 lines = 0;
        table->line = table->next_line;
        ssize_t n = table->end > table->start ? row_length(table, &line_end, &lines) : -1;
        if (n < 0) {
            if (table->at_end)
                return FALSE;
            if (!fill(table, error))
                return FALSE;
            continue;
        }
        *row = table->buffer + table->start;
        *length = (size_t)n;
        table->start += (size_t)n + line_end;
        table->next_line += lines;
        if (*length > 0 && (*row)[*length - 1] == '\r')
            (*length)--;
        (*row)[*length] = '\0';
        if (*length > 0)
            return TRUE;
    }
}

/* Unfolds a quoted field in place; returns where the separator or the end is, NULL if the quote is
 * never closed. */
static char *unquote(char *at, char *end, TextField *field)
{
    char *out = at;
    char *in = at + 1;
    field->text = at;
    field->quoted = TRUE;
    while (in < end) {
        if (*in == '"') {
            if (in + 1 < end && in[1] == '"') {
                *out++ = '"';
                in += 2;
                continue;
            }
            break;
        }
        *out++ = *in++;
    }
    if (in >= end)
        return NULL;
    in++;
    field->length = (uint32_t)(out - at);
    /* The byte at `out` is the quote or a byte behind it: free to end the text. */
    *out = '\0';
    return in;
}

static gboolean split(TextTable *table, char *row, size_t length, unsigned *n, GError **error)
{
    char *at = row;
    char *end = row + length;
    *n = 0;
    if (memchr(row, '\0', length) != NULL)
        return text_table_refuse(table, error, "a zero byte; this is no text");
    for (;;) {
        if (*n == MAX_COLUMNS)
            return text_table_refuse(table, error, "more than %d columns", MAX_COLUMNS);
        TextField *field = &table->fields[(*n)++];
        field->quoted = FALSE;
        char *stop = NULL;
        if (*at == '"') {
            stop = unquote(at, end, field);
            if (stop == NULL)
                return text_table_refuse(table, error, "a quote that is never closed");
            if (stop < end && *stop != table->separator)
                return text_table_refuse(table, error, "text after a closing quote");
        } else {
            stop = memchr(at, table->separator, (size_t)(end - at));
            if (stop == NULL)
                stop = end;
            field->text = at;
            field->length = (uint32_t)(stop - at);
        }
        if (stop >= end)
            return TRUE;
        *stop = '\0';
        at = stop + 1;
    }
}

/* The separator that stands most often in the header, outside quotes. */
static char find_separator(const char *row, size_t length)
{
    static const char candidates[] = "\t;,";
    char best = ',';
    guint most = 0;
    for (const char *c = candidates; *c != '\0'; c++) {
        guint count = 0;
        gboolean inside = FALSE;
        for (size_t i = 0; i < length; i++) {
            if (row[i] == '"')
                inside = !inside;
            count += !inside && row[i] == *c ? 1 : 0;
        }
        if (count > most) {
            most = count;
            best = *c;
        }
    }
    return best;
}

static gboolean read_header(TextTable *table, GError **error)
{
    char *row = NULL;
    size_t length = 0;
    if (!fill(table, error))
        return FALSE;
    if (table->end >= 3 && memcmp(table->buffer, "\xef\xbb\xbf", 3) == 0)
        table->start = 3;
    GError *failure = NULL;
    if (!next_row(table, &row, &length, &failure)) {
        if (failure != NULL)
            g_propagate_error(error, failure);
        else
            g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_SYNTAX, "%s: is empty", table->path);
        return FALSE;
    }
    if (table->separator == '\0')
        table->separator = find_separator(row, length);
    unsigned n = 0;
    if (!split(table, row, length, &n, error))
        return FALSE;
    if (n > 1 && table->fields[n - 1].length == 0)
        n--;
    for (unsigned i = 0; i < n; i++) {
        if (!g_utf8_validate(table->fields[i].text, -1, NULL))
            return text_table_refuse(table, error, "the header is not UTF-8 text");
        g_ptr_array_add(table->header, g_strstrip(g_strdup(table->fields[i].text)));
    }
    table->n_fields = n;
    return TRUE;
}

TextTable *text_table_open(const char *path, char separator, GError **error)
{
    g_autoptr(TextTable) table = g_new0(TextTable, 1);
    table->path = g_strdup(path);
    table->separator = separator;
    table->fields = g_new(TextField, MAX_COLUMNS);
    table->header = g_ptr_array_new_with_free_func(g_free);
    table->line = table->next_line = 1;
    table->fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (table->fd < 0 || fstat(table->fd, &st) != 0) {
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_FAILED, "%s: cannot be read: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    if (S_ISDIR(st.st_mode)) {
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_FAILED, "%s: is a folder; name files", path);
        return NULL;
    }
    table->size = st.st_size;
    table->capacity = (size_t)CLAMP(st.st_size + 1, MIN_BUFFER, BUFFER_SIZE);
    table->buffer = g_malloc(table->capacity + 1);
    (void)posix_fadvise(table->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (!read_header(table, error))
        return NULL;
    return g_steal_pointer(&table);
}

void text_table_free(TextTable *table)
{
    if (table == NULL)
        return;
    if (table->fd >= 0)
        (void)close(table->fd);
    g_ptr_array_unref(table->header);
    g_free(table->fields);
    g_free(table->buffer);
    g_free(table->path);
    g_free(table);
}

const TextField *text_table_next(TextTable *table, GError **error)
{
    char *row = NULL;
    size_t length = 0;
    unsigned n = 0;
    if (!next_row(table, &row, &length, error) || !split(table, row, length, &n, error))
        return NULL;
    if (n == table->n_fields + 1 && table->fields[n - 1].length == 0)
        n--;
    if (n != table->n_fields) {
        text_table_refuse(table, error, "%u fields, but the header has %u columns", n,
                          table->n_fields);
        return NULL;
    }
    return table->fields;
}

const char *const *text_table_header(const TextTable *table, unsigned *n)
{
    *n = table->n_fields;
    return (const char *const *)table->header->pdata;
}

int text_table_column(const TextTable *table, const char *name)
{
    for (unsigned i = 0; i < table->n_fields; i++)
        if (g_ascii_strcasecmp(g_ptr_array_index(table->header, i), name) == 0)
            return (int)i;
    return -1;
}

const char *text_table_path(const TextTable *table)
{
    return table->path;
}

char text_table_separator(const TextTable *table)
{
    return table->separator;
}

guint64 text_table_line(const TextTable *table)
{
    return table->line;
}

gint64 text_table_position(const TextTable *table)
{
    return table->read;
}

gint64 text_table_size(const TextTable *table)
{
    return table->size;
}
