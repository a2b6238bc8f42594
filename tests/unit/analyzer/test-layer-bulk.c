/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk tables against what OGR writes of the same rows. */
#include "analyzer/layer.h"

#include <glib/gstdio.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>

static char *folder;
static const LayerField fields[] = {
    {"name", LAYER_TEXT}, {"n", LAYER_INT}, {"level", LAYER_REAL}, {"bins", LAYER_BLOB}};

typedef enum { BY_OGR, BULK } Way;

static void check(gboolean done, GError *error)
{
    g_assert_no_error(error);
    g_assert_true(done);
}

/* Two tables with geometry and one without, their rows in turn, some values and places missing. */
static char *write_rows(Way way, guint n, guint32 seed)
{
    static const char *const tables[] = {"points", "lines", "plain"};
    static const LayerKind kinds[] = {LAYER_POINTS, LAYER_LINES, LAYER_NONE};
    char *path = g_strdup_printf("%s/%d-%u.gpkg", folder, way, n);
    g_autoptr(GError) error = NULL;
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    layer_set_date("2025-05-26T14:47:05.000Z");
    g_autoptr(LayerWriter) writer = layer_create(path, &error);
    g_assert_no_error(error);
    LayerTable *table[3];
    for (guint t = 0; t < 3; t++) {
        table[t] = (way == BY_OGR ? layer_add_table : layer_add_bulk_table)(
            writer, tables[t], kinds[t], fields, 4, &error);
        g_assert_no_error(error);
    }
    GeoPoint at = {15.0, 60.0};
    static guint8 bins[30000];
    for (guint i = 0; i < n; i++) {
        at.lon += g_rand_double_range(rand, -0.002, 0.003);
        at.lat += g_rand_double_range(rand, -0.002, 0.002);
        GeoPoint line[] = {at, {at.lon + 0.001, at.lat}, {at.lon, at.lat - 0.001}};
        g_autofree char *name = g_strdup_printf("å \"%u\"", i);
        static const double reals[] = {NAN, 0.0, 1.0, -0.0, -77.0, 1e15, -140737488355327.0, 0.5};
        gint64 integer = ((gint64)g_rand_int(rand) << 32 | g_rand_int(rand)) >> i % 64;
        memset(bins, (int)i, sizeof bins); /* some rows run on over several pages */
        size_t n_bins = i % 29 == 3 ? i % sizeof bins : i % 4;
        LayerValue values[] = {layer_text(i % 7 == 0   ? NULL
                                          : i % 7 == 1 ? ""
                                                       : name),
                               i % 11 == 0 ? layer_null() : layer_int(integer),
                               layer_real(i % 5 == 0 ? reals[i / 5 % 8] : at.lon),
                               layer_blob(bins, n_bins)};
        check(layer_add(table[0], line, i % 13 != 0, values, &error), error);
        if (i % 3 == 0)
            check(layer_add(table[1], line, i % 13 != 0 ? 3 : 0, values, &error), error);
        if (i % 2 == 0)
            check(layer_add(table[2], NULL, 0, values, &error), error);
    }
    check(layer_add_style(writer, "points", "p", "<qgis/>", &error), error);
    check(layer_finish(writer, &error), error);
    return path;
}

static sqlite3 *open_file(const char *path)
{
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
    return db;
}

/* All of a query's rows as one text. */
static char *ask(sqlite3 *db, const char *sql)
{
    GString *text = g_string_new(NULL);
    sqlite3_stmt *statement = NULL;
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), ==, SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int c = 0; c < sqlite3_column_count(statement); c++)
            g_string_append_printf(text, "%s%c", (const char *)sqlite3_column_text(statement, c),
                                   c + 1 < sqlite3_column_count(statement) ? '|' : '\n');
    g_assert_cmpint(sqlite3_finalize(statement), ==, SQLITE_OK);
    return g_string_free(text, FALSE);
}

static void same_answer(sqlite3 *a, sqlite3 *b, const char *sql)
{
    g_autofree char *x = ask(a, sql), *y = ask(b, sql);
    g_assert_cmpstr(x, ==, y);
}

static void answer(sqlite3 *db, const char *sql, const char *wanted)
{
    g_autofree char *x = ask(db, sql);
    g_assert_cmpstr(x, ==, wanted);
}

/* Every row, its geometry, the registration and the index's boxes are those of OGR. */
static void test_as_ogr(void)
{
    static const guint sizes[] = {0, 1, 16, 51, 52, 700, 9000};
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *a = write_rows(BY_OGR, sizes[i], 1), *b = write_rows(BULK, sizes[i], 1);
        sqlite3 *x = open_file(a), *y = open_file(b);
        same_answer(x, y, "SELECT fid, hex(geom), name, n, level, hex(bins) FROM points");
        same_answer(x, y, "SELECT fid, hex(geom), name, n, level, hex(bins) FROM lines");
        same_answer(x, y, "SELECT fid, name, n, level, typeof(level), hex(bins) FROM plain");
        same_answer(x, y,
                    "SELECT table_name, data_type, last_change, srs_id FROM gpkg_contents"
                    " ORDER BY 1");
        same_answer(x, y, "SELECT * FROM gpkg_geometry_columns ORDER BY 1");
        same_answer(x, y, "SELECT * FROM gpkg_extensions ORDER BY table_name");
        same_answer(x, y,
                    "SELECT type, name, tbl_name FROM sqlite_schema"
                    " WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2");
        same_answer(x, y, "SELECT id FROM rtree_points_geom ORDER BY id");
        same_answer(x, y, "SELECT id FROM rtree_lines_geom ORDER BY id");
        answer(y, "SELECT rtreecheck('rtree_points_geom'), rtreecheck('rtree_lines_geom')",
               "ok|ok\n");
        answer(y, "PRAGMA integrity_check", "ok\n");
        g_autofree char *count =
            g_strdup_printf("%u\n%u\n%u\n", sizes[i], (sizes[i] + 2) / 3, (sizes[i] + 1) / 2);
        answer(y,
               "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name <> 'layer_styles'"
               " ORDER BY table_name <> 'points', table_name",
               count);
        sqlite3_close(x);
        sqlite3_close(y);
    }
}

/* A box gives what a look at every row gives. */
static void test_boxes(void)
{
    g_autofree char *path = write_rows(BULK, 9000, 2);
    g_autoptr(GError) error = NULL;
    g_autoptr(LayerSource) source = layer_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    const LayerRow *row;
    {
        g_autoptr(LayerReader) reader = layer_read(source, "points", NULL, &error);
        while ((row = layer_next(reader, &error)) != NULL)
            if (row->shape.n_parts == 1)
                g_array_append_val(all, row->shape.points[0]);
    }
    g_assert_cmpuint(all->len, >, 8000);
    guint64 found = 0;
    for (guint k = 0; k < 40; k++) {
        GeoPoint c = g_array_index(all, GeoPoint, (guint)g_test_rand_int_range(0, (gint)all->len));
        double reach = g_test_rand_double_range(0.0, 0.3);
        GeoBox box = {c.lon - reach, c.lat - reach, c.lon + reach, c.lat + reach};
        guint wanted = 0, got = 0;
        for (guint i = 0; i < all->len; i++) {
            GeoPoint p = g_array_index(all, GeoPoint, i);
            wanted +=
                p.lon >= box.west && p.lon <= box.east && p.lat >= box.south && p.lat <= box.north;
        }
        LayerQuery query = {.box = &box};
        g_autoptr(LayerReader) reader = layer_read(source, "points", &query, &error);
        while ((row = layer_next(reader, &error)) != NULL) {
            GeoPoint p = row->shape.points[0]; /* the index's floats are a little wider */
            got +=
                p.lon >= box.west && p.lon <= box.east && p.lat >= box.south && p.lat <= box.north;
        }
        g_assert_no_error(error);
        g_assert_cmpuint(got, ==, wanted);
        found += got;
    }
    g_assert_cmpuint(found, >, 40);
}

/* Name of a file of the folder with that in its name, NULL if there is none. */
static const char *find_like(const char *part)
{
    static char found[256];
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
        if (strstr(name, part) != NULL) {
            g_strlcpy(found, name, sizeof found);
            return found;
        }
    return NULL;
}

/* Discarded in the middle: nothing stays. */
static void test_discard(void)
{
    g_autofree char *path = g_build_filename(folder, "discarded.gpkg", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(LayerWriter) writer = layer_create(path, &error);
    LayerTable *table = layer_add_bulk_table(writer, "t", LAYER_POINTS, fields, 2, &error);
    GeoPoint at = {15.0, 60.0};
    LayerValue values[] = {layer_text("a"), layer_int(1)};
    for (guint i = 0; i < 300000; i++)
        check(layer_add(table, &at, 1, values, &error), error);
    g_clear_pointer(&writer, layer_discard);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_null(find_like("discarded"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("corridor-layer-bulk-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_test_add_func("/layer-bulk/as-ogr", test_as_ogr);
    g_test_add_func("/layer-bulk/boxes", test_boxes);
    g_test_add_func("/layer-bulk/discard", test_discard);
    int result = g_test_run();
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        (void)g_remove(path);
    }
    g_rmdir(folder);
    g_free(folder);
    return result;
}
