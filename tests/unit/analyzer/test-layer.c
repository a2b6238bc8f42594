/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/layer.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* assert_bytes() takes int sizes */
#define assert_bytes(a, na, b, nb) g_assert_true((na) == (nb) && memcmp((a), (b), (nb)) == 0)

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void write_text(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static const LayerField fields[] = {
    {"name", LAYER_TEXT}, {"n", LAYER_INT}, {"level", LAYER_REAL}, {"bins", LAYER_BLOB}};
static const GeoPoint line[] = {{15.0, 60.0}, {15.001, 60.001}, {15.002, 60.0}};

static void write_one(const char *path, int rows)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LayerWriter) writer = layer_create(path, &error);

    g_assert_no_error(error);
    LayerTable *table = layer_add_table(writer, "segments", LAYER_LINES, fields, 4, &error);
    g_assert_no_error(error);
    for (int i = 0; i < rows; i++) {
        LayerValue values[] = {
            layer_text(i == 1 ? NULL : "å, \"b\""), layer_int(INT64_C(9007199254740993) + i),
            layer_real(i == 1 ? NAN : -97.123456789012345 - i), layer_blob("\0\1\2", 3)};
        g_assert_true(layer_add(table, line, i == 2 ? 0 : 3, values, &error));
    }
    g_assert_true(layer_add_style(writer, "segments", "level", "<qgis/>", &error));
    g_assert_true(layer_add_style(writer, "segments", "other", "<qgis />", &error));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(layer_finish(writer, &error));
    g_assert_no_error(error);
}

static void test_round_trip(void)
{
    g_autofree char *path = in_folder("round.gpkg");
    g_autoptr(GError) error = NULL;

    write_one(path, 3);
    g_autoptr(LayerSource) source = layer_open(path, &error);
    g_assert_no_error(error);
    g_assert_true(layer_has(source, "segments") && layer_has(source, "layer_styles"));
    {
        g_autoptr(LayerReader) reader = layer_read(source, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpint(layer_rows(reader), ==, 3);
        int name = layer_column(reader, "NAME"), n = layer_column(reader, "n"),
            level = layer_column(reader, "level"), bins = layer_column(reader, "bins"), none = 0;
        g_assert_false(layer_need_column(reader, "absent", &none, &error));
        g_assert_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER);
        g_clear_error(&error);
        for (int i = 0; i < 3; i++) {
            const LayerRow *row = layer_next(reader, &error);
            size_t size = 0;
            g_assert_nonnull(row);
            g_assert_cmpstr(layer_get_text(row, name), ==, i == 1 ? NULL : "å, \"b\"");
            g_assert_cmpint(layer_get_int(row, n, 0), ==, INT64_C(9007199254740993) + i);
            g_assert_true(layer_is_null(row, level) == (i == 1));
            if (i != 1)
                g_assert_cmpfloat(layer_get_real(row, level, 0), ==, -97.123456789012345 - i);
            const void *blob = layer_get_blob(row, bins, &size);
            assert_bytes(blob, size, "\0\1\2", 3);
            g_assert_cmpuint(row->shape.n_parts, ==, i == 2 ? 0 : 1);
            if (i != 2)
                assert_bytes(row->shape.points, row->shape.part[1] * sizeof(GeoPoint), line,
                             sizeof line);
        }
        g_assert_null(layer_next(reader, &error));
        g_assert_no_error(error);
    }
    LayerQuery query = {.sql = "SELECT styleQML, useAsDefault FROM layer_styles ORDER BY fid"};
    g_autoptr(LayerReader) styles = layer_read(source, NULL, &query, &error);
    g_assert_no_error(error);
    const LayerRow *row = layer_next(styles, &error);
    g_assert_cmpstr(layer_get_text(row, 0), ==, "<qgis/>");
    g_assert_cmpint(layer_get_int(row, 1, -1), ==, 1);
    row = layer_next(styles, &error);
    g_assert_cmpint(layer_get_int(row, 1, -1), ==, 0);
}

/* Not finished = nothing at the path, nothing left beside it. */
static void test_discard(void)
{
    g_autofree char *sub = in_folder("discard");
    g_autofree char *path = g_build_filename(sub, "x.gpkg", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir(sub, 0755), ==, 0);
    LayerWriter *writer = layer_create(path, &error);
    LayerTable *table = layer_add_table(writer, "t", LAYER_NONE, fields, 4, &error);
    LayerValue values[] = {layer_null(), layer_int(1), layer_null(), layer_null()};
    g_assert_true(layer_add(table, NULL, 0, values, &error));
    layer_discard(writer);
    g_assert_cmpint(g_rmdir(sub), ==, 0);
}

static void test_copy(void)
{
    g_autofree char *path = in_folder("copy.gpkg");
    g_autoptr(GError) error = NULL;

    write_one(path, 2);
    g_autoptr(LayerWriter) writer = layer_create_from(path, path, &error);
    g_assert_no_error(error);
    LayerTable *more = layer_append_table(writer, "segments", fields, 2, &error);
    g_assert_no_error(error);
    LayerValue values[] = {layer_text("more"), layer_int(7)};
    g_assert_true(layer_add(more, line, 3, values, &error));
    LayerTable *points = layer_add_table(writer, "stations", LAYER_POINTS, fields, 1, &error);
    g_assert_true(layer_add(points, line, 1, values, &error));
    g_assert_true(layer_add_style(writer, "stations", "s", "<qgis/>", &error));
    g_assert_true(layer_finish(writer, &error));
    g_assert_no_error(error);

    g_autoptr(LayerSource) source = layer_open(path, &error);
    LayerQuery query = {.where = "n = 7"};
    g_autoptr(LayerReader) reader = layer_read(source, "segments", &query, &error);
    g_assert_cmpstr(layer_get_text(layer_next(reader, &error), 0), ==, "more");
    g_assert_null(layer_next(reader, &error));
    g_autoptr(LayerReader) stations = layer_read(source, "stations", NULL, &error);
    const LayerRow *row = layer_next(stations, &error);
    g_assert_true(row->shape.kind == LAYER_POINTS);
    g_assert_cmpfloat(row->shape.points[0].lat, ==, 60.0);
}

static void test_box(void)
{
    g_autofree char *path = in_folder("box.gpkg");
    g_autoptr(GError) error = NULL;

    write_one(path, 2);
    g_autoptr(LayerSource) source = layer_open(path, &error);
    GeoBox near_it = {14.9, 59.9, 15.1, 60.1}, far = {16, 60, 17, 61};
    LayerQuery a = {.box = &near_it}, b = {.box = &far};
    {
        g_autoptr(LayerReader) reader = layer_read(source, NULL, &a, &error);
        g_assert_nonnull(layer_next(reader, &error));
        g_assert_nonnull(layer_next(reader, &error));
        g_assert_null(layer_next(reader, &error));
    }
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &b, &error);
    g_assert_null(layer_next(reader, &error));
    g_assert_no_error(error);
}

/* A layer in SWEREF 99 TM comes as WGS 84, and its box filter works, too. */
static void test_other_crs(void)
{
    g_autofree char *path = in_folder("sweref.geojson");
    g_autoptr(GError) error = NULL;

    write_text(path,
               "{\"type\":\"FeatureCollection\",\"crs\":{\"type\":\"name\",\"properties\":"
               "{\"name\":\"urn:ogc:def:crs:EPSG::3006\"}},\"features\":[{\"type\":\"Feature\","
               "\"properties\":{\"a\":1},\"geometry\":{\"type\":\"MultiLineString\","
               "\"coordinates\":[[[356083.438,6097106.672],[356083.438,6097206.672]],"
               "[[452024.069,6095048.642,7],[452024.069,6095148.642,8]]]}}]}");
    g_autoptr(LayerSource) source = layer_open(path, &error);
    g_assert_no_error(error);
    GeoBox box = {12.7, 54.9, 12.8, 55.1};
    LayerQuery query = {.box = &box};
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &query, &error);
    g_assert_no_error(error);
    const LayerRow *row = layer_next(reader, &error);
    g_assert_nonnull(row);
    g_assert_cmpuint(row->shape.n_parts, ==, 2);
    g_assert_cmpfloat_with_epsilon(row->shape.points[0].lon, 12.75, 1e-8);
    g_assert_cmpfloat_with_epsilon(row->shape.points[0].lat, 55, 1e-8);
    g_assert_cmpfloat_with_epsilon(row->shape.points[2].lon, 14.25, 1e-8);
}

static void test_refusals(void)
{
    g_autofree char *csv = in_folder("plain.csv");
    g_autofree char *text = in_folder("text.gpkg");
    g_autofree char *no_crs = in_folder("nocrs.csv");
    g_autoptr(GError) error = NULL;

    g_assert_null(layer_open("/nowhere/at/all.gpkg", &error));
    g_assert_error(error, LAYER_ERROR, LAYER_ERROR_FAILED);
    g_clear_error(&error);
    write_text(text, "this is no GeoPackage");
    g_assert_null(layer_open(text, &error));
    g_assert_error(error, LAYER_ERROR, LAYER_ERROR_FAILED);
    g_clear_error(&error);
    write_text(csv, "a,b\n1,2\n");
    write_text(no_crs, "a,WKT\n1,\"LINESTRING(500000 6500000,500000 6500100)\"\n");
    {
        g_autoptr(LayerSource) source = layer_open(csv, &error);
        g_assert_no_error(error);
        g_assert_null(layer_read(source, "absent", NULL, &error));
        g_assert_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER);
        g_clear_error(&error);
        LayerQuery wrong = {.where = "nothing like sql ("};
        g_assert_null(layer_read(source, NULL, &wrong, &error));
        g_assert_error(error, LAYER_ERROR, LAYER_ERROR_FAILED);
        g_clear_error(&error);
    }
    g_autoptr(LayerSource) source = layer_open(no_crs, &error);
    g_assert_no_error(error);
    g_assert_null(layer_read(source, NULL, NULL, &error));
    g_assert_error(error, LAYER_ERROR, LAYER_ERROR_NO_CRS);
    g_clear_error(&error);
    LayerQuery told = {.crs = "EPSG:3006"};
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &told, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat_with_epsilon(layer_next(reader, &error)->shape.points[0].lon, 15, 1e-9);
    g_assert_null(layer_create("/nowhere/at/all.gpkg", &error));
    g_assert_error(error, LAYER_ERROR, LAYER_ERROR_FAILED);
}

/* Coordinates off the earth are told, not passed on. */
static void test_damaged(void)
{
    g_autofree char *path = in_folder("damaged.geojson");
    g_autoptr(GError) error = NULL;

    write_text(path,
               "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
               "\"properties\":{},\"geometry\":{\"type\":\"LineString\",\"coordinates\":"
               "[[500000,6500000],[500000,6500100]]}},{\"type\":\"Feature\",\"properties\":{},"
               "\"geometry\":null}]}");
    g_autoptr(LayerSource) source = layer_open(path, &error);
    g_autoptr(LayerReader) reader = layer_read(source, NULL, NULL, &error);
    const LayerRow *row = layer_next(reader, &error);
    g_assert_true(row->damaged);
    g_assert_cmpuint(row->shape.n_parts, ==, 0);
    row = layer_next(reader, &error);
    g_assert_false(row->damaged);
    g_assert_cmpuint(row->shape.n_parts, ==, 0);
}

static void test_polygon(void)
{
    g_autofree char *path = in_folder("polygon.gpkg");
    g_autoptr(GError) error = NULL;
    GeoPoint p[] = {{0, 0}, {4, 0},   {4, 4}, {0, 0}, {1, 0.5}, {2, 0.5},
                    {2, 1}, {1, 0.5}, {7, 7}, {8, 7}, {8, 8},   {7, 7}};
    uint32_t part[] = {0, 4, 8, 12};
    uint8_t hole[] = {0, 1, 0};
    LayerShape shape = {
        .kind = LAYER_POLYGONS, .n_parts = 3, .part = part, .is_hole = hole, .points = p};
    LayerValue values[] = {layer_text("claim")};

    g_autoptr(LayerWriter) writer = layer_create(path, &error);
    LayerTable *table = layer_add_table(writer, "claims", LAYER_POLYGONS, fields, 1, &error);
    g_assert_true(layer_add_shape(table, &shape, values, &error));
    g_assert_true(layer_finish(writer, &error));
    g_autoptr(LayerSource) source = layer_open(path, &error);
    g_autoptr(LayerReader) reader = layer_read(source, NULL, NULL, &error);
    const LayerRow *row = layer_next(reader, &error);
    g_assert_true(row->shape.kind == LAYER_POLYGONS);
    assert_bytes(row->shape.part, 4 * sizeof *part, part, sizeof part);
    assert_bytes(row->shape.is_hole, 3, hole, 3);
    assert_bytes(row->shape.points, 12 * sizeof *p, p, sizeof p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("corridor-layer-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_test_add_func("/layer/round-trip", test_round_trip);
    g_test_add_func("/layer/discard", test_discard);
    g_test_add_func("/layer/copy", test_copy);
    g_test_add_func("/layer/box", test_box);
    g_test_add_func("/layer/other-crs", test_other_crs);
    g_test_add_func("/layer/refusals", test_refusals);
    g_test_add_func("/layer/damaged", test_damaged);
    g_test_add_func("/layer/polygon", test_polygon);
    int result = g_test_run();
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = in_folder(name);
        (void)g_remove(path);
    }
    (void)g_rmdir(folder);
    g_free(folder);
    return result;
}
