/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table reader against a slow one that works byte by byte, on made tables of odd bytes; files
 * larger than its buffer; its limits.
 */
#include "formats/text-table.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

static char *write_file(const char *bytes, size_t n)
{
    char *path = g_build_filename(folder, "table", NULL);
    g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
    return path;
}

/* ---- the slow way: RFC 4180, one byte at a time ---- */

typedef struct {
    GPtrArray *rows; /* of GPtrArray of char * */
    gboolean refused;
} Slow;

static void end_field(GPtrArray *row, GString *field)
{
    g_ptr_array_add(row, g_strdup(field->str));
    g_string_truncate(field, 0);
}

static void free_row(gpointer row)
{
    g_ptr_array_unref(row);
}

static Slow slow_read(const char *text, size_t n)
{
    Slow slow = {g_ptr_array_new_with_free_func(free_row), FALSE};
    enum { START, PLAIN, QUOTED, CLOSED } state = START;
    GPtrArray *row = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) field = g_string_new(NULL);
    gboolean open = FALSE;
    for (size_t i = 0; i < n && !slow.refused; i++) {
        char c = text[i];
        if (state == QUOTED) {
            if (c == '"')
                state = CLOSED;
            else
                g_string_append_c(field, c);
            continue;
        }
        if (state == CLOSED && c == '"') {
            g_string_append_c(field, '"');
            state = QUOTED;
            continue;
        }
        if (c == '\r' && (i + 1 == n || text[i + 1] == '\n'))
            continue;
        if (c == '\n') {
            if (open || field->len > 0) {
                end_field(row, field);
                g_ptr_array_add(slow.rows, row);
                row = g_ptr_array_new_with_free_func(g_free);
            }
            state = START;
            open = FALSE;
        } else if (c == ',') {
            end_field(row, field);
            state = START;
            open = TRUE;
        } else if (state == CLOSED) {
            slow.refused = TRUE;
        } else if (state == START && c == '"') {
            state = QUOTED;
            open = TRUE;
        } else {
            g_string_append_c(field, c);
            state = PLAIN;
            open = TRUE;
        }
    }
    slow.refused = slow.refused || state == QUOTED;
    if (!slow.refused && (open || field->len > 0)) {
        end_field(row, field);
        g_ptr_array_add(slow.rows, row);
    } else {
        g_ptr_array_unref(row);
    }
    return slow;
}

/* ---- made tables ---- */

static void append_made_field(GString *text)
{
    static const char *const pieces[] = {"a", "-1.5", "", "null", " ", "\xc3\xa4", "x y"};
    static const char *const quoted[] = {"a", ",", "\"\"", "\n", "b", " "};
    if (g_test_rand_int_range(0, 4) != 0) {
        g_string_append(text, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
        return;
    }
    g_string_append_c(text, '"');
    for (int n = g_test_rand_int_range(0, 4); n > 0; n--)
        g_string_append(text, quoted[g_test_rand_int_range(0, G_N_ELEMENTS(quoted))]);
    g_string_append_c(text, '"');
}

static GString *made_table(void)
{
    GString *text = g_string_new("h1,h2,h3\n");
    for (int rows = g_test_rand_int_range(0, 6); rows > 0; rows--) {
        int columns = g_test_rand_int_range(0, 12) == 0 ? g_test_rand_int_range(1, 6) : 3;
        g_string_append_c(text, 'k'); /* a first field that is never empty: no blank rows */
        for (int c = 1; c < columns; c++) {
            g_string_append_c(text, ',');
            append_made_field(text);
        }
        if (g_test_rand_int_range(0, 20) == 0)
            g_string_append(text, "\"");
        if (rows > 1 || g_test_rand_bit())
            g_string_append(text, g_test_rand_bit() ? "\n" : "\r\n");
    }
    return text;
}

/* Rows that the slow reader accepts: width of the header, or one more if the last is empty. */
static gboolean slow_row_fits(const GPtrArray *row)
{
    return row->len == 3 || (row->len == 4 && *(const char *)g_ptr_array_index(row, 3) == '\0');
}

static void compare(const GString *text)
{
    Slow slow = slow_read(text->str, text->len);
    g_autofree char *path = write_file(text->str, text->len);
    g_autoptr(GError) error = NULL;
    g_autoptr(TextTable) table = text_table_open(path, ',', &error);
    g_assert_no_error(error);
    guint n = 1;
    const TextField *fields = NULL;
    while ((fields = text_table_next(table, &error)) != NULL) {
        g_assert_cmpuint(n, <, slow.rows->len);
        const GPtrArray *row = g_ptr_array_index(slow.rows, n);
        g_assert_true(slow_row_fits(row));
        for (guint c = 0; c < 3; c++) {
            g_assert_cmpstr(fields[c].text, ==, g_ptr_array_index(row, c));
            g_assert_cmpuint(fields[c].length, ==, strlen(g_ptr_array_index(row, c)));
        }
        n++;
    }
    if (error == NULL) {
        g_assert_false(slow.refused);
        g_assert_cmpuint(n, ==, slow.rows->len);
    } else {
        g_assert_true(slow.refused || !slow_row_fits(g_ptr_array_index(slow.rows, n)));
    }
    g_ptr_array_unref(slow.rows);
}

static void test_against_slow(void)
{
    for (int i = 0; i < 3000; i++) {
        GString *text = made_table();
        compare(text);
        g_string_free(text, TRUE);
    }
}

/* Rows cross the ends of the buffer at every offset. */
static void test_long(void)
{
    g_autoptr(GString) text = g_string_new("number,text\n");
    const guint rows = 60000;
    for (guint i = 0; i < rows; i++) {
        g_string_append_printf(text, "%u,\"", i);
        for (guint k = 0; k < i % 23; k++)
            g_string_append_c(text, (char)('a' + (int)(k % 26)));
        g_string_append(text, i % 7 == 0 ? "\n\"\r\n" : "\"\n");
    }
    g_autofree char *path = write_file(text->str, text->len);
    g_autoptr(GError) error = NULL;
    g_autoptr(TextTable) table = text_table_open(path, '\0', &error);
    g_assert_no_error(error);
    const TextField *fields = NULL;
    guint n = 0;
    guint64 line = 2;
    while ((fields = text_table_next(table, &error)) != NULL) {
        g_assert_cmpuint(g_ascii_strtoull(fields[0].text, NULL, 10), ==, n);
        g_assert_cmpuint(fields[1].length, ==, n % 23 + (n % 7 == 0 ? 1 : 0));
        g_assert_cmpuint(text_table_line(table), ==, line);
        line += n % 7 == 0 ? 2 : 1;
        n++;
    }
    g_assert_no_error(error);
    g_assert_cmpuint(n, ==, rows);
    g_assert_cmpint(text_table_position(table), ==, (gint64)text->len);
}

static void assert_refused(const char *bytes, size_t n, const char *message)
{
    g_autofree char *path = write_file(bytes, n);
    g_autoptr(GError) error = NULL;
    g_autoptr(TextTable) table = text_table_open(path, '\0', &error);
    while (table != NULL && text_table_next(table, &error) != NULL)
        continue;
    g_assert_nonnull(error);
    if (strstr(error->message, message) == NULL)
        g_error("\"%s\" has no \"%s\"", error->message, message);
}

static void test_limits(void)
{
    g_autoptr(GString) text = g_string_new("a,b\n1,");
    for (int i = 0; i < 1 << 21; i++)
        g_string_append_c(text, 'x');
    assert_refused(text->str, text->len, ":2: a row of more than");
    g_string_assign(text, "a");
    for (int i = 0; i < 2000; i++)
        g_string_append_c(text, ',');
    assert_refused(text->str, text->len, ":1: more than 1024 columns");
    assert_refused("", 0, "is empty");
    assert_refused("\xef\xbb\xbf", 3, "is empty");
    assert_refused("a,b\xff\n1,2\n", 9, "not UTF-8");
    assert_refused("a,b\n1,2\n\n3\n", 11, ":4: 1 fields");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("corridor-table-XXXXXX", NULL);
    g_test_add_func("/text-table/against-slow", test_against_slow);
    g_test_add_func("/text-table/long", test_long);
    g_test_add_func("/text-table/limits", test_limits);
    int status = g_test_run();
    g_autofree char *path = g_build_filename(folder, "table", NULL);
    (void)g_unlink(path);
    (void)g_rmdir(folder);
    g_free(folder);
    return status;
}
