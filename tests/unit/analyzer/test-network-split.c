/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/crs.h"
#include "analyzer/network-split.h"
#include "analyzer/network-tags.h"

#include <math.h>

static void test_tags(void)
{
    static const struct {
        const char *oneway, *junction, *highway;
        gboolean fclass;
        EdgeWay way;
    } rows[] = {
        {NULL, NULL, "residential", FALSE, EDGE_BOTH_WAYS},
        {NULL, NULL, "motorway", FALSE, EDGE_FORWARD_ONLY},
        {"no", NULL, "motorway", FALSE, EDGE_BOTH_WAYS},
        {"-1", NULL, "primary", FALSE, EDGE_BACKWARD_ONLY},
        {"yes", NULL, NULL, FALSE, EDGE_FORWARD_ONLY},
        {"1", NULL, NULL, FALSE, EDGE_FORWARD_ONLY},
        {"0", NULL, NULL, FALSE, EDGE_BOTH_WAYS},
        {"True", NULL, NULL, FALSE, EDGE_FORWARD_ONLY},
        {"F", NULL, NULL, TRUE, EDGE_FORWARD_ONLY},
        {"T", NULL, NULL, TRUE, EDGE_BACKWARD_ONLY},
        {"B", NULL, "motorway", TRUE, EDGE_BOTH_WAYS},
        {"F", NULL, NULL, FALSE, EDGE_BOTH_WAYS},
        {"reversible", NULL, NULL, FALSE, EDGE_BOTH_WAYS},
        {NULL, "roundabout", "tertiary", FALSE, EDGE_FORWARD_ONLY},
        {"", "roundabout", "tertiary", FALSE, EDGE_FORWARD_ONLY},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(tags_way(rows[i].oneway, rows[i].junction, rows[i].highway, rows[i].fclass),
                        ==, rows[i].way);
    g_assert_cmpint(tags_road("motorway_link", FALSE), ==, EDGE_ROAD);
    g_assert_cmpint(tags_road("footway", TRUE), ==, 0);
    g_assert_cmpint(tags_road("track", FALSE), ==, 0);
    g_assert_cmpint(tags_road("track", TRUE), ==, EDGE_ROAD);
    g_assert_cmpint(tags_road(NULL, TRUE), ==, 0);
    g_assert_cmpint(tags_rail("narrow_gauge"), ==, EDGE_RAIL);
    g_assert_cmpint(tags_rail("disused"), ==, 0);
    g_assert_cmpint(tags_flag("avalanche_protector"), ==, 1);
    g_assert_cmpint(tags_flag("no"), ==, 0);
    g_assert_cmpint(tags_flag(""), ==, -1);
    g_assert_cmpint(tags_layer("-1"), ==, -1);
    g_assert_cmpint(tags_layer("99999999999999"), ==, 99);
    g_assert_cmpint(tags_layer("up"), ==, 0);
}

static void add(LineSet *set, const char *id, uint8_t kind, uint8_t way, const GeoPoint *p,
                size_t n)
{
    NetworkEdge edge = {.id = id, .kind = kind, .way = way};

    line_set_add(set, &edge, p, n);
}

/* A cross of two lines that share their middle vertex, and a line that ends on a vertex. */
static const GeoPoint west_east[] = {{15, 60}, {15.001, 60}, {15.002, 60}};
static const GeoPoint south_north[] = {{15.001, 59.999}, {15.001, 60}, {15.001, 60.001}};

static void test_rules(void)
{
    g_autoptr(LineSet) ends = line_set_new();
    g_autoptr(LineSet) all = line_set_new();

    for (int i = 0; i < 2; i++) {
        LineSet *set = i == 0 ? ends : all;
        add(set, "a", EDGE_ROAD, EDGE_BOTH_WAYS, west_east, 3);
        add(set, "b", EDGE_ROAD, EDGE_BOTH_WAYS, south_north, 3);
        line_set_split(set, i == 0 ? SPLIT_AT_ENDS : SPLIT_AT_VERTICES);
    }
    g_assert_cmpuint(line_set_n_edges(ends), ==, 2); /* a bridge, as far as is known */
    g_assert_cmpuint(line_set_n_nodes(ends), ==, 4);
    g_assert_cmpuint(line_set_n_edges(all), ==, 4);
    g_assert_cmpuint(line_set_n_nodes(all), ==, 5);
    NetworkEdge edge;
    const GeoPoint *points = NULL;
    line_set_edge(all, 1, &edge, &points);
    g_assert_cmpstr(edge.id, ==, "a");
    g_assert_cmpfloat_with_epsilon(edge.id_offset_m, crs_line_length_m(west_east, 2), 1e-4);
    uint32_t degree = 0;
    line_set_node(all, edge.from, &degree);
    g_assert_cmpuint(degree, ==, 4);

    g_autoptr(LineSet) tee = line_set_new();
    add(tee, "a", EDGE_ROAD, EDGE_BOTH_WAYS, west_east, 3);
    add(tee, "b", EDGE_ROAD, EDGE_BOTH_WAYS, south_north, 2);
    line_set_split(tee, SPLIT_AT_ENDS);
    g_assert_cmpuint(line_set_n_edges(tee), ==, 3);
}

static void test_twins(void)
{
    g_autoptr(LineSet) set = line_set_new();
    const GeoPoint back[] = {west_east[2], west_east[1], west_east[0]};
    const GeoPoint other[] = {west_east[0], {15.001, 60.0005}, west_east[2]};
    NetworkEdge edge;
    const GeoPoint *points = NULL;

    add(set, "a", EDGE_ROAD, EDGE_FORWARD_ONLY, west_east, 3);
    add(set, "b", EDGE_ROAD, EDGE_FORWARD_ONLY, back, 3);  /* together: both ways */
    add(set, "c", EDGE_RAIL, EDGE_BOTH_WAYS, back, 3);     /* rails in the street */
    add(set, "d", EDGE_ROAD, EDGE_FORWARD_ONLY, other, 3); /* another way round */
    line_set_split(set, SPLIT_AT_ENDS);
    g_assert_cmpuint(line_set_n_edges(set), ==, 3);
    g_assert_cmpuint(line_set_n_twins(set), ==, 1);
    line_set_edge(set, 0, &edge, &points);
    g_assert_cmpint(edge.way, ==, EDGE_BOTH_WAYS);
    line_set_edge(set, 2, &edge, &points);
    g_assert_cmpint(edge.way, ==, EDGE_FORWARD_ONLY);
}

static void test_odd(void)
{
    g_autoptr(LineSet) set = line_set_new();
    const GeoPoint still[] = {{15, 60}, {15, 60}, {15, 60}};
    const GeoPoint loop[] = {{15, 60}, {15, 60}, {15.001, 60}, {15.001, 60.001}, {15, 60}};
    const GeoPoint line[] = {{-180, -90}, {180, 90}};

    add(set, "a", EDGE_ROAD, 0, still, 3);
    add(set, "b", EDGE_ROAD, 0, loop, 5);
    add(set, "c", EDGE_ROAD, 0, line, 2);
    g_assert_cmpuint(line_set_n_dropped(set), ==, 1);
    line_set_split(set, SPLIT_AT_VERTICES);
    g_assert_cmpuint(line_set_n_edges(set), ==, 2);
    NetworkEdge edge;
    const GeoPoint *points = NULL;
    line_set_edge(set, 0, &edge, &points);
    g_assert_cmpuint(edge.from, ==, edge.to);
    g_assert_cmpuint(edge.n_points, ==, 4);
}

static void test_snap(void)
{
    g_autoptr(LineSet) set = line_set_new();
    const GeoPoint a[] = {{15, 60}, {15.001, 60}}, b[] = {{15.001004, 60.000002}, {15.002, 60}};

    add(set, "a", EDGE_ROAD, 0, a, 2);
    add(set, "b", EDGE_ROAD, 0, b, 2);
    g_assert_cmpuint(line_set_snap(set, 0.5), ==, 1);
    line_set_split(set, SPLIT_AT_ENDS);
    g_assert_cmpuint(line_set_n_nodes(set), ==, 3);
}

/* Chance walks on a grid: no length is lost, pieces of a line follow each other, and no two pieces
 * meet but at nodes. */
static void test_property(void)
{
    for (int round = 0; round < 30; round++) {
        g_autoptr(LineSet) set = line_set_new();
        double total = 0, sum = 0;
        g_autoptr(GHashTable) links = g_hash_table_new(NULL, NULL);
        for (int l = 0; l < 12; l++) {
            GeoPoint p[15];
            int x = g_test_rand_int_range(0, 12), y = g_test_rand_int_range(0, 12), n = 0;
            for (int i = 0; i < 15; i++) {
                int nx = x + g_test_rand_int_range(-1, 2), ny = y + g_test_rand_int_range(-1, 2);
                /* each link of the grid once, so that no twin arises */
                int a = x * 100 + y, b = nx * 100 + ny;
                gpointer link = GINT_TO_POINTER(MIN(a, b) * 10000 + MAX(a, b) + 1);
                if (i > 0 && (a == b || nx < 0 || ny < 0 || !g_hash_table_add(links, link)))
                    break;
                if (i > 0) {
                    x = nx;
                    y = ny;
                }
                p[n++] = (GeoPoint){15 + x * 0.001, 60 + y * 0.001};
            }
            if (n >= 2)
                total += crs_line_length_m(p, (size_t)n);
            add(set, "l", EDGE_ROAD, 0, p, (size_t)n);
        }
        line_set_split(set, SPLIT_AT_VERTICES);
        g_assert_cmpuint(line_set_n_twins(set), ==, 0);
        for (uint32_t e = 0; e < line_set_n_edges(set); e++) {
            NetworkEdge edge;
            const GeoPoint *p = NULL;
            uint32_t degree = 0;
            line_set_edge(set, e, &edge, &p);
            sum += edge.length_m;
            g_assert_cmpfloat(crs_distance_m(line_set_node(set, edge.from, &degree), p[0]), <,
                              0.001);
            for (uint32_t i = 1; i + 1 < edge.n_points; i++) {
                for (uint32_t node = 0; node < line_set_n_nodes(set); node++)
                    g_assert_cmpfloat(crs_distance_m(line_set_node(set, node, &degree), p[i]), >,
                                      0.01);
            }
        }
        g_assert_cmpfloat_with_epsilon(sum, total, 1e-3 + total * 1e-6);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/split/tags", test_tags);
    g_test_add_func("/split/rules", test_rules);
    g_test_add_func("/split/twins", test_twins);
    g_test_add_func("/split/odd", test_odd);
    g_test_add_func("/split/snap", test_snap);
    g_test_add_func("/split/property", test_property);
    return g_test_run();
}
