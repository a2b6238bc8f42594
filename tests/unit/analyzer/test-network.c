/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/crs.h"
#include "analyzer/layer.h"
#include "analyzer/network-builder.h"
#include "analyzer/network-file.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* A grid of streets: rows x columns nodes, 0.001 degrees apart. Edge fids are 1, 2, … */
static void write_grid(const char *path, int rows, int columns)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NetworkFile) file = network_file_create(path, &error);
    g_assert_no_error(error);
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
            GeoPoint p = {15 + c * 0.001, 60 + r * 0.001};
            g_assert_true(network_file_add_node(file, r * columns + c, p, 4, &error));
            for (int way = 0; way < 2; way++) {
                GeoPoint q = {p.lon + (way == 0 ? 0.001 : 0), p.lat + (way == 1 ? 0.001 : 0)};
                GeoPoint line[] = {p, {(p.lon + q.lon) / 2, (p.lat + q.lat) / 2}, q};
                NetworkEdge edge = {.class = "residential",
                                    .name = way == 0 ? "Långgatan" : NULL,
                                    .kind = EDGE_ROAD,
                                    .way = EDGE_FORWARD_ONLY,
                                    .bridge = way == 1,
                                    .layer = -1,
                                    .length_m = crs_line_length_m(line, 3)};
                if (way == 0 ? c + 1 < columns : r + 1 < rows)
                    g_assert_true(network_file_add_edge(file, &edge, r * columns + c,
                                                        way == 0 ? r * columns + c + 1
                                                                 : (r + 1) * columns + c,
                                                        line, 3, NULL, &error));
            }
        }
    }
    BuilderCorridorEdge parts[] = {{.fid = 1, .from_m = 500, .to_m = 555.8},
                                   {.fid = 3, .from_m = 555.8, .to_m = 611.6, .reversed = TRUE},
                                   {.fid = 9999, .from_m = 611.6, .to_m = 700}};
    KmBoard boards[] = {{700, 2}, {600, 1}};
    CorridorStation station = {560, {15.001, 60}, "Mitt", "halt"};
    GeoPoint line[] = {{15, 60}, {15.002, 60}};
    CorridorSpec spec = {.name = "It's a line",
                         .ref = "E4",
                         .start_m = 500,
                         .length_m = 200,
                         .points = line,
                         .n_points = 2,
                         .edges = parts,
                         .n_edges = 3,
                         .boards = boards,
                         .n_boards = 2,
                         .stations = &station,
                         .n_stations = 1,
                         .uncertainty_m = NAN};
    g_assert_true(network_file_add_corridor(file, &spec, &error));
    g_assert_true(network_file_add_corridor(file, &spec, &error)); /* replaces the first */
    g_assert_true(network_file_finish(file, &error));
    g_assert_no_error(error);
}

static void check_star(const Network *net)
{
    for (uint32_t e = 0; e < net->n_edges; e++) {
        const NetworkEdge *edge = &net->edges[e];
        uint32_t found = 0;
        for (uint32_t s = net->star[edge->from]; s < net->star[edge->from + 1]; s++)
            found += net->star_edges[s] == e;
        g_assert_cmpuint(found, ==, edge->from == edge->to ? 2 : 1);
        GeoPoint first = net->points[edge->first_point],
                 last = net->points[edge->first_point + edge->n_points - 1];
        g_assert_cmpfloat(crs_distance_m(first, net->nodes[edge->from]), <, 0.01);
        g_assert_cmpfloat(crs_distance_m(last, net->nodes[edge->to]), <, 0.01);
        g_assert_cmpfloat(net->chain_m[edge->first_point], ==, 0);
        g_assert_cmpfloat(net->chain_m[edge->first_point + edge->n_points - 1], ==, edge->length_m);
    }
    g_assert_cmpuint(net->star[net->n_nodes], ==, 2 * net->n_edges);
}

static void test_load(void)
{
    g_autofree char *path = in_folder("grid.gpkg");
    g_autoptr(GError) error = NULL;

    write_grid(path, 4, 5);
    g_autoptr(Network) net = network_load(path, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(net->n_nodes, ==, 20);
    g_assert_cmpuint(net->n_edges, ==, 4 * 4 + 3 * 5);
    check_star(net);
    const NetworkEdge *e = &net->edges[0];
    g_assert_cmpstr(e->id, ==, "1");
    g_assert_cmpstr(e->name, ==, "Långgatan");
    g_assert_cmpstr(e->class, ==, "residential");
    g_assert_true(e->kind == EDGE_ROAD && e->way == EDGE_FORWARD_ONLY && e->layer == -1);
    g_assert_true(!e->bridge && net->edges[1].bridge && !e->tunnel);
    GeoPoint mid = network_point_at(net, 0, e->length_m / 4);
    g_assert_cmpfloat_with_epsilon(mid.lon, 15.00025, 1e-9);
    g_assert_cmpfloat(network_point_at(net, 0, -5).lon, ==, 15);
    g_assert_cmpfloat(network_point_at(net, 0, NAN).lon, ==, 15);
    g_assert_cmpfloat_with_epsilon(network_point_at(net, 0, 1e9).lon, 15.001, 1e-12);

    g_assert_cmpuint(net->n_corridors, ==, 1);
    const Corridor *c = &net->corridors[0];
    g_assert_cmpstr(c->name, ==, "It's a line");
    g_assert_cmpuint(c->n_edges, ==, 2);
    g_assert_cmpuint(c->edges[1].edge, ==, 2);
    g_assert_true(c->edges[1].reversed);
    g_assert_cmpfloat(c->edges[1].to_m, ==, 611.6);
    g_assert_cmpuint(c->n_boards, ==, 2);
    g_assert_cmpint(c->boards[0].km, ==, 1);
    g_assert_cmpuint(c->n_stations, ==, 1);
    g_assert_cmpstr(c->stations[0].name, ==, "Mitt");
    g_assert_cmpfloat(c->stations[0].point.lon, ==, 15.001);
}

/* A part by box, and around places, against the same chosen from the whole. */
static void test_parts(void)
{
    g_autofree char *path = in_folder("parts.gpkg");
    g_autoptr(GError) error = NULL;

    write_grid(path, 60, 60);
    g_autoptr(Network) all = network_load(path, NULL, &error);
    GeoBox box = {15.0101, 60.0101, 15.0199, 60.0149};
    g_autoptr(Network) part = network_load(path, &box, &error);
    g_assert_no_error(error);
    check_star(part);
    uint32_t expected = 0;
    for (uint32_t e = 0; e < all->n_edges; e++) {
        GeoPoint a = all->nodes[all->edges[e].from], b = all->nodes[all->edges[e].to];
        expected +=
            b.lon >= box.west && a.lon <= box.east && b.lat >= box.south && a.lat <= box.north;
    }
    g_assert_cmpuint(part->n_edges, ==, expected);
    GeoBox everything = {0, 0, 0, 0};
    g_autoptr(Network) whole = network_load(path, &everything, &error);
    g_assert_cmpuint(whole->n_edges, ==, all->n_edges);

    GeoPoint places[] = {{15.012, 60.0}, {NAN, NAN}, {15.058, 60.058}, {400, 0}, {15.012, 60.0}};
    g_autoptr(Network) around = network_load_around(path, places, 5, 50, &error);
    g_assert_no_error(error);
    check_star(around);
    g_assert_cmpuint(around->n_edges, <, all->n_edges);
    g_autoptr(GHashTable) fids = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (uint32_t e = 0; e < around->n_edges; e++)
        g_assert_true(g_hash_table_add(fids, (void *)(guintptr)&around->edges[e].fid));
    for (uint32_t e = 0; e < all->n_edges; e++) {
        GeoPoint p = network_point_at(all, e, all->edges[e].length_m / 2);
        if (crs_distance_m(p, places[0]) < 50 || crs_distance_m(p, places[2]) < 50)
            g_assert_true(g_hash_table_contains(fids, &all->edges[e].fid));
    }
}

static void test_elsewhere(void)
{
    g_autofree char *path = in_folder("elsewhere.gpkg");
    g_autoptr(GError) error = NULL;
    GeoBox new_york = {-74.1, 40.6, -73.9, 40.8};
    GeoPoint there = {-74, 40.7};

    write_grid(path, 3, 3);
    g_assert_null(network_load(path, &new_york, &error));
    g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_ELSEWHERE);
    g_assert_nonnull(strstr(error->message, "do not meet: 6"));
    g_clear_error(&error);
    g_assert_null(network_load_around(path, &there, 1, 500, &error));
    g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_ELSEWHERE);
    g_clear_error(&error);
    GeoPoint nowhere = {NAN, NAN};
    g_assert_null(network_load_around(path, &nowhere, 1, 500, &error));
    g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_ELSEWHERE);
}

static void test_not_a_network(void)
{
    g_autofree char *path = in_folder("other.gpkg");
    g_autofree char *empty = in_folder("empty.gpkg");
    g_autoptr(GError) error = NULL;
    static const LayerField fields[] = {{"id", LAYER_TEXT}};

    g_assert_null(network_load("/nowhere.gpkg", NULL, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    LayerWriter *writer = layer_create(path, &error);
    layer_add_table(writer, "edges", LAYER_LINES, fields, 1, &error);
    g_assert_true(layer_finish(writer, &error));
    layer_discard(writer);
    g_assert_null(network_load(path, NULL, &error));
    g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_NOT_A_NETWORK);
    g_clear_error(&error);
    g_assert_null(network_file_copy(empty, path, &error));
    g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_NOT_A_NETWORK);
    g_clear_error(&error);
    g_autoptr(NetworkFile) file = network_file_create(empty, &error);
    g_assert_true(network_file_finish(file, &error));
    g_assert_null(network_load(empty, NULL, &error));
    g_assert_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY);
}

/* Edges that a person or a tool has spoilt. */
static void test_odd_edges(void)
{
    g_autoptr(NetworkBuilder) builder = network_builder_new();
    NetworkEdge edge = {.kind = EDGE_RAIL, .fid = 7, .length_m = NAN};
    GeoPoint line[] = {{15, 60}, {15.01, 60}, {15, 60}}, zero[] = {{15.02, 60}, {15.02, 60}};
    GeoPoint more[] = {{15.02, 60}, {15.03, 60}}, bad[] = {{15, 60}, {NAN, 60}};

    g_assert_false(network_builder_add_edge(builder, &edge, 1, 2, bad, 2));
    g_assert_false(network_builder_add_edge(builder, &edge, 1, 2, line, 1));
    g_assert_true(network_builder_add_edge(builder, &edge, 1, 2, line, 2));
    edge.length_m = 3;                                                      /* nonsense: 556 m */
    g_assert_true(network_builder_add_edge(builder, &edge, 5, 5, line, 3)); /* a loop */
    g_assert_true(network_builder_add_edge(builder, &edge, 3, 4, zero, 2)); /* 3 and 4 are one */
    edge.fid = 8;
    g_assert_true(network_builder_add_edge(builder, &edge, 4, 9, more, 2));
    g_assert_true(network_builder_add_edge(builder, &edge, 3, 9, more, 2)); /* a twin */
    g_autoptr(Network) net = network_builder_finish(g_steal_pointer(&builder), NULL, NULL);
    check_star(net);
    g_assert_cmpuint(net->n_edges, ==, 4);
    g_assert_cmpuint(net->n_nodes, ==, 5);
    g_assert_cmpfloat_with_epsilon(net->edges[0].length_m, crs_line_length_m(line, 2), 1e-3);
    g_assert_cmpfloat_with_epsilon(net->edges[1].length_m, 2 * net->edges[0].length_m, 1e-6);
    g_assert_cmpuint(net->edges[2].from, ==, net->edges[3].from);
    g_assert_cmpstr(net->edges[2].id, ==, "8");
}

static void test_digest(void)
{
    g_autofree char *path = in_folder("digest.gpkg");
    g_autofree char *other = in_folder("digest2.gpkg");
    g_autoptr(GError) error = NULL;

    write_grid(path, 3, 3);
    g_autoptr(Network) a = network_load(path, NULL, &error);
    g_autoptr(Network) again = network_load(path, NULL, &error);
    g_assert_cmpstr(a->digest, ==, again->digest);
    g_autoptr(NetworkFile) file = network_file_copy(other, path, &error);
    CorridorSpec spec = {.name = "new", .length_m = 1, .points = a->points, .n_points = 2};
    g_assert_true(network_file_add_corridor(file, &spec, &error));
    g_assert_true(network_file_finish(file, &error));
    g_autoptr(Network) b = network_load(other, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(b->n_corridors, ==, 2);
    g_assert_cmpstr(a->digest, !=, b->digest);
}

/* A point of an edge, found from its share, is where a walk along the edge finds it: even and
 * uneven points, points that fall together. */
static void test_point_at(void)
{
    GeoPoint points[60];
    double chain[60];
    for (int round = 0; round < 300; round++) {
        uint32_t n = (uint32_t)g_test_rand_int_range(2, 60);
        for (uint32_t i = 0; i < n; i++) {
            double step = round % 3 == 0 ? 10.0
                          : round % 3 == 1
                              ? g_test_rand_double_range(0.0, 50.0)
                              : g_test_rand_int_range(0, 3) * (i % 7 == 3 ? 500.0 : 1.0);
            chain[i] = i == 0 ? 0.0 : chain[i - 1] + step;
            points[i] = (GeoPoint){10.0 + i, 50.0 - i};
        }
        NetworkEdge edge = {.n_points = n, .length_m = chain[n - 1]};
        Network network = {.edges = &edge, .points = points, .chain_m = chain, .n_edges = 1};
        for (int k = 0; k < 40; k++) {
            double at = k % 2 == 0 ? g_test_rand_double_range(-1.0, edge.length_m + 1.0)
                                   : chain[g_test_rand_int_range(0, (gint)n)];
            GeoPoint wanted = at <= 0.0 ? points[0] : points[n - 1];
            for (uint32_t i = 0; at > 0.0 && i + 1 < n; i++)
                if (chain[i] <= at && at < chain[i + 1]) {
                    double t = (at - chain[i]) / (chain[i + 1] - chain[i]);
                    wanted = (GeoPoint){10.0 + i + t, 50.0 - i - t};
                }
            GeoPoint got = network_point_at(&network, 0, at);
            g_assert_cmpfloat_with_epsilon(got.lon, wanted.lon, 1e-9);
            g_assert_cmpfloat_with_epsilon(got.lat, wanted.lat, 1e-9);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("corridor-network-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_test_add_func("/network/load", test_load);
    g_test_add_func("/network/parts", test_parts);
    g_test_add_func("/network/elsewhere", test_elsewhere);
    g_test_add_func("/network/not-a-network", test_not_a_network);
    g_test_add_func("/network/odd-edges", test_odd_edges);
    g_test_add_func("/network/digest", test_digest);
    g_test_add_func("/network/point-at", test_point_at);
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
