/* SPDX-License-Identifier: Apache-2.0 */
/* Texts, times and places that the formats of the exports cannot hold as they are. */
#include "formats/csv-field.h"
#include "formats/export.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static void test_xml(void)
{
    static const struct {
        const char *text, *xml;
    } rows[] = {
        {"a < b & \"c\" 'd' > e", "a &lt; b &amp; &quot;c&quot; &apos;d&apos; &gt; e"},
        {"a\nb\x01\x7f", "a b  "},
        {"\xff\xc3\xa5\xed\xa0\x80", "\xef\xbf\xbd\xc3\xa5\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd"}, /* no characters of XML */
        {"\xef\xbf", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *xml = export_xml(rows[i].text);
        g_assert_cmpstr(xml, ==, rows[i].xml);
    }
}

static void test_time(void)
{
    static const struct {
        int64_t time_ns;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1500000000, "1970-01-01T00:00:01.500Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000000000, "1969-12-31T23:59:59Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854Z"},
    };
    char text[32];
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpstr(export_time(rows[i].time_ns, text), ==, rows[i].text);
}

static void test_csv(void)
{
    g_autoptr(GString) line = g_string_new(NULL);
    csv_append_field(line, "plain");
    csv_append_field(line, "\xff,\"");
    csv_append_field(line, "\xc3");
    g_assert_cmpstr(line->str, ==, "plain\"\xef\xbf\xbd,\"\"\"\xef\xbf\xbd");
}

/* A row whose place is none keeps its values. */
static void test_place(void)
{
    static const double wrong[] = {NAN, INFINITY, -181, 1e300};
    static const ExportColumn column = {"n", EXPORT_INT};
    const ExportHead head = {.title = "t", .columns = &column, .n_columns = 1};
    const ExportValue value = {.known = TRUE, .v.i = 7};
    g_autofree char *folder = g_dir_make_tmp("corridor-export-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "out", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ExportWriter) writer = export_create(path, "geojson", &head, &error);
        g_assert_no_error(error);
        const ExportPoint point = {wrong[i], 60};
        const ExportRow row = {.values = &value, .points = &point, .n_points = 1};
        g_assert_true(export_add(writer, &row, &error));
        g_assert_true(export_finish(writer, &error));
        g_autofree char *text = NULL;
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        g_assert_nonnull(strstr(text, "{\"n\":7},\"geometry\":null}"));
    }
    g_assert_cmpint(g_unlink(path) + g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/export/xml", test_xml);
    g_test_add_func("/export/time", test_time);
    g_test_add_func("/export/csv", test_csv);
    g_test_add_func("/export/place", test_place);
    return g_test_run();
}
