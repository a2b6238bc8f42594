/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Table tests of the importers: fixtures/import/NAME.in is a file as an app writes it,
 * NAME.expected says in lines of # what is odd in it, then in lines of > how it is imported, then
 * what the drive must hold, a record a line, or the error.
 * With CORRIDOR_UPDATE_EXPECTED set, the last part is written anew; read the difference.
 */
#include "formats/drive-read.h"
#include "formats/import.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

static void append_value(GString *out, const RecordColumn *column, const void *record)
{
    const void *field = (const char *)record + column->offset;
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (column->type == COLUMN_INT)
        g_string_append_printf(out, "%" G_GINT64_FORMAT, *(const gint64 *)field);
    else if (column->type == COLUMN_REAL)
        g_string_append(out, g_ascii_formatd(text, sizeof text, "%.10g", *(const double *)field));
    else if (column->type == COLUMN_ENUM)
        g_string_append(out, record_enum_name(column, *(const int *)field));
    else
        g_string_append_printf(out, "\"%s\"", *(const char *const *)field);
}

/* Seconds since 1970 with three decimals, which is what the files have. */
static void append_time(GString *out, gint64 time_ns)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_ns / 1000000000);
    g_autofree char *text = g_date_time_format(time, "%FT%T");
    g_string_append_printf(out, "%s.%03d", text, (int)(time_ns / 1000000 % 1000));
}

static void append_record(GString *out, RecordKind kind, const void *record, uint64_t known)
{
    const RecordType *type = record_type(kind);
    g_string_append(out, type->table);
    for (unsigned c = 0; c < type->n_columns; c++) {
        const RecordColumn *column = &type->columns[c];
        if ((known >> c & 1U) == 0 || strcmp(column->name, "sha256") == 0 ||
            (kind == RECORD_IMPORT && c == IMPORT_COL_time_ns))
            continue;
        g_string_append_c(out, ' ');
        if (strcmp(column->name, "time_ns") == 0) {
            append_time(out,
                        *(const gint64 *)(const void *)((const char *)record + column->offset));
            continue;
        }
        g_string_append_printf(out, "%s=", column->name);
        append_value(out, column, record);
    }
    g_string_append_c(out, '\n');
}

static void append_kind(GString *out, Drive *drive, RecordKind kind)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveCursor) cursor = drive_read(drive, kind, 0, 0, INT64_MIN, INT64_MAX, &error);
    g_assert_no_error(error);
    const Batch *batch = NULL;
    while ((batch = drive_next(cursor, &error)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            union {
                Fix fix;
                Sample sample;
                Latency latency;
                Throughput throughput;
                Neighbour neighbour;
                Event event;
                Import import;
            } record;
            batch_get(batch, kind, i, &record);
            append_record(out, kind, &record, record.fix.known);
        }
    g_assert_no_error(error);
}

static char *dump(const char *path)
{
    static const RecordKind kinds[] = {RECORD_FIX,     RECORD_SAMPLE,     RECORD_NEIGHBOUR,
                                       RECORD_LATENCY, RECORD_THROUGHPUT, RECORD_EVENT,
                                       RECORD_IMPORT};
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_no_error(error);
    GString *out = g_string_new(NULL);
    guint n = 0;
    const Source *sources = drive_sources(drive, &n);
    for (guint i = 0; i < n; i++)
        append_record(out, RECORD_SOURCE, &sources[i], sources[i].known);
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        append_kind(out, drive, kinds[i]);
    return g_string_free(out, FALSE);
}

typedef struct {
    GString *head; /* lines of # and > */
    GPtrArray *map;
    char *format, *operator_label, *timezone, *map_file;
    char *body;
} Expected;

static void take_option(Expected *expected, const char *line)
{
    const char *equals = strchr(line, '=');
    g_assert_nonnull(equals);
    g_autofree char *name = g_strstrip(g_strndup(line, (gsize)(equals - line)));
    char *value = g_strstrip(g_strdup(equals + 1));
    if (strcmp(name, "format") == 0)
        expected->format = value;
    else if (strcmp(name, "operator") == 0)
        expected->operator_label = value;
    else if (strcmp(name, "timezone") == 0)
        expected->timezone = value;
    else if (strcmp(name, "map-file") == 0) {
        expected->map_file = g_build_filename(g_getenv("G_TEST_SRCDIR"), value, NULL);
        g_free(value);
    } else if (strcmp(name, "map") == 0)
        g_ptr_array_add(expected->map, value);
    else
        g_error("no option %s", name);
}

static void read_expected(const char *path, Expected *expected)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    *expected =
        (Expected){.head = g_string_new(NULL), .map = g_ptr_array_new_with_free_func(g_free)};
    const char *at = text;
    while (*at == '#' || *at == '>') {
        const char *end = strchr(at, '\n');
        g_assert_nonnull(end);
        g_string_append_len(expected->head, at, end - at + 1);
        if (*at == '>') {
            g_autofree char *line = g_strndup(at + 1, (gsize)(end - at - 1));
            take_option(expected, line);
        }
        at = end + 1;
    }
    expected->body = g_strdup(at);
}

static void expected_clear(Expected *expected)
{
    g_string_free(expected->head, TRUE);
    g_ptr_array_unref(expected->map);
    g_free(expected->format);
    g_free(expected->operator_label);
    g_free(expected->timezone);
    g_free(expected->map_file);
    g_free(expected->body);
}

/* Imports into a new drive; what is in it, or the error with the folder cut off. */
static char *import_and_dump(const char *path, Expected *expected)
{
    g_autofree char *drive = g_build_filename(folder, "import.drive", NULL);
    (void)g_unlink(drive);
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(drive, &error);
    g_assert_no_error(error);
    g_ptr_array_add(expected->map, NULL);
    ImportOptions options = {
        .format = expected->format,
        .operator_label = expected->operator_label,
        .timezone = expected->timezone,
        .map = expected->map->len > 1 ? (const char *const *)expected->map->pdata : NULL,
        .map_file = NULL};
    g_autofree char *map_file = expected->map_file;
    expected->map_file = NULL;
    options.map_file = map_file;
    ImportSummary summary;
    if (!import_file(writer, path, &options, NULL, NULL, &summary, &error)) {
        g_autofree char *prefix = g_strconcat(g_getenv("G_TEST_SRCDIR"), "/fixtures/import/", NULL);
        g_auto(GStrv) pieces = g_strsplit(error->message, prefix, -1);
        g_autofree char *message = g_strjoinv("", pieces);
        return g_strdup_printf("error %s\n", message);
    }
    g_assert_true(drive_writer_close(writer, &error));
    g_clear_pointer(&writer, drive_writer_free);
    g_autofree char *text = dump(drive);
    /* the mapping file's folder is not the same everywhere */
    g_auto(GStrv) parts = g_strsplit(text, g_getenv("G_TEST_SRCDIR"), -1);
    return g_strjoinv("", parts);
}

static void test_file(gconstpointer data)
{
    const char *path = data;
    g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".in"));
    g_autofree char *expected_path = g_strconcat(stem, ".expected", NULL);
    Expected expected;
    read_expected(expected_path, &expected);
    g_autofree char *got = import_and_dump(path, &expected);
    if (g_getenv("CORRIDOR_UPDATE_EXPECTED") != NULL) {
        g_autofree char *whole = g_strconcat(expected.head->str, got, NULL);
        g_assert_true(g_file_set_contents(expected_path, whole, -1, NULL));
    } else {
        g_auto(GStrv) wanted = g_strsplit(expected.body, "\n", -1);
        g_auto(GStrv) lines = g_strsplit(got, "\n", -1);
        for (guint i = 0; wanted[i] != NULL && lines[i] != NULL; i++)
            g_assert_cmpstr(lines[i], ==, wanted[i]);
        g_assert_cmpuint(g_strv_length(lines), ==, g_strv_length(wanted));
    }
    expected_clear(&expected);
}

/* The same bytes twice are refused, whatever the file is called. */
static void test_twice(void)
{
    g_autofree char *source =
        g_build_filename(g_getenv("G_TEST_SRCDIR"), "fixtures", "import", "plain.in", NULL);
    g_autofree char *copy = g_build_filename(folder, "copy.csv", NULL);
    g_autofree char *drive = g_build_filename(folder, "twice.drive", NULL);
    g_autofree char *bytes = NULL;
    gsize n = 0;
    g_assert_true(g_file_get_contents(source, &bytes, &n, NULL));
    g_assert_true(g_file_set_contents(copy, bytes, (gssize)n, NULL));
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveWriter) writer = drive_create(drive, &error);
    ImportOptions options = {0};
    ImportSummary summary;
    g_assert_true(import_file(writer, source, &options, NULL, NULL, &summary, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(summary.rows, >, 0);
    g_assert_false(import_file(writer, copy, &options, NULL, NULL, &summary, &error));
    g_assert_error(error, DRIVE_ERROR, DRIVE_ERROR_DUPLICATE);
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("corridor-import-XXXXXX", NULL);
    g_autofree char *fixtures =
        g_build_filename(g_getenv("G_TEST_SRCDIR"), "fixtures", "import", NULL);
    g_autoptr(GDir) dir = g_dir_open(fixtures, 0, NULL);
    g_assert_nonnull(dir);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    const char *name = NULL;
    while ((name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".in"))
            g_ptr_array_add(files, g_build_filename(fixtures, name, NULL));
    g_assert_cmpuint(files->len, >, 20);
    g_ptr_array_sort(files, by_name);
    for (guint i = 0; i < files->len; i++) {
        g_autofree char *base = g_path_get_basename(g_ptr_array_index(files, i));
        g_autofree char *test = g_strdup_printf("/import/%.*s", (int)strlen(base) - 3, base);
        g_test_add_data_func(test, g_ptr_array_index(files, i), test_file);
    }
    g_test_add_func("/import/twice", test_twice);
    int status = g_test_run();
    g_autoptr(GDir) made = g_dir_open(folder, 0, NULL);
    while (made != NULL && (name = g_dir_read_name(made)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        (void)g_unlink(path);
    }
    (void)g_rmdir(folder);
    g_free(folder);
    return status;
}
