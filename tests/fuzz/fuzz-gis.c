/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the analyzer makes of GIS files: a network file, a map that a network is built of (with its
 * restrictions of turns), kilometre boards, stations, an operator's map. The first byte chooses,
 * the rest are the rows that GDAL would give (fake-layer.h). A result that holds together, or an
 * error.
 */
#include "analyzer/claim.h"
#include "analyzer/corridor-points.h"
#include "analyzer/network-build.h"
#include "tests/fuzz/fake-layer.h"
#include "tests/fuzz/scratch.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any file: its digest is taken. */
static const char *file(void)
{
    static char path[256];
    if (*path == '\0') {
        g_autofree char *name = scratch_path("x.gpkg");
        g_strlcpy(path, name, sizeof path);
        scratch_write(path, "x", 1);
    }
    return path;
}

static void load(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Network) network = network_load(file(), NULL, &error);
    g_assert_true((network != NULL) == (error == NULL));
    for (uint32_t e = 0; network != NULL && e < network->n_edges; e++) {
        const NetworkEdge *edge = &network->edges[e];
        g_assert_cmpuint(MAX(edge->from, edge->to), <, network->n_nodes);
        g_assert_cmpuint(edge->n_points, >=, 2);
        g_assert_cmpuint(edge->first_point + edge->n_points, <=, network->n_points);
        g_assert_true(edge->id != NULL && edge->name != NULL && edge->ref != NULL);
        for (uint32_t p = 0; p < edge->n_points; p++)
            g_assert_true(isfinite(network->chain_m[edge->first_point + p]));
    }
    for (uint32_t c = 0; network != NULL && c < network->n_corridors; c++) {
        const Corridor *corridor = &network->corridors[c];
        g_assert_true(corridor->name != NULL && isfinite(corridor->length_m));
        for (uint32_t e = 0; e < corridor->n_edges; e++)
            g_assert_cmpuint(corridor->edges[e].edge, <, network->n_edges);
        for (uint32_t b = 1; b < corridor->n_boards; b++)
            g_assert_true(corridor->boards[b - 1].at_m <= corridor->boards[b].at_m);
    }
    for (uint32_t t = 0; network != NULL && t < network->n_turns; t++)
        g_assert_cmpuint(MAX(network->turns[t].from_edge, network->turns[t].to_edge), <,
                         network->n_edges);
}

static void build(void)
{
    const uint8_t choice = fake_layer_byte();
    const BuildOptions options = {
        .source = file(),
        .id_field = (choice & 1) != 0 ? "id" : NULL,
        .modes = 1 + (choice >> 1) % 3,
        .snap_m = (choice >> 3) % 4 * 5,
        .tracks = (choice & 64) != 0,
        .split = (choice & 128) != 0,
    };
    g_autoptr(GError) error = NULL;
    BuildReport report;
    gboolean built = network_build(file(), &options, NULL, &report, &error);
    g_assert_true(built == (error == NULL));
    g_assert_true(!built || (isfinite(report.road_m) && isfinite(report.rail_m)));
}

static const GeoPoint line[] = {{15, 60}, {15.003, 60.001}, {15.006, 60.003}};
static const double line_m[] = {0, 200, 480};

static void boards(void)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(KmBoard));
    g_autoptr(GError) error = NULL;
    gboolean read = corridor_read_boards(file(), line, line_m, G_N_ELEMENTS(line), found, &error);
    g_assert_true(read == (error == NULL));
    for (guint i = 0; read && i < found->len; i++)
        g_assert_true(isfinite(g_array_index(found, KmBoard, i).at_m));
}

static void stations(void)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(CorridorStation));
    g_autoptr(GStringChunk) text = g_string_chunk_new(256);
    g_autoptr(GError) error = NULL;
    gboolean read =
        corridor_read_stations(file(), line, line_m, G_N_ELEMENTS(line), text, found, &error);
    g_assert_true(read == (error == NULL));
    for (guint i = 0; read && i < found->len; i++) {
        const CorridorStation *station = &g_array_index(found, CorridorStation, i);
        g_assert_true(station->name != NULL && station->kind != NULL && isfinite(station->at_m));
    }
}

static void claims(void)
{
    static const char *const options[] = {"layer=a", "layer=a,level=dbm,min=-100",
                                          "layer=a,level=dbm,classes=1;2", "layer=a,name=n"};
    g_autofree char *specification =
        g_strconcat(file(), ",", options[fake_layer_byte() % G_N_ELEMENTS(options)], NULL);
    const GeoBox box = {14.9, 59.9, 15.1, 60.1};
    g_autoptr(GError) error = NULL;
    g_autoptr(ClaimMap) map = claim_open(specification, &error);
    gboolean loaded = map != NULL && claim_load(map, &box, NULL, &error);
    g_assert_true(loaded == (error == NULL));
    for (int i = 0; loaded && i < 16; i++) {
        const GeoPoint place = {15 + i * 0.0004, 60 + i % 4 * 0.0002};
        gboolean claimed = FALSE, inside = FALSE;
        double level = 0;
        g_assert_true(claim_at(map, place, &claimed, &level, &inside, &error));
        g_assert_true(!claimed || inside);
        (void)claim_name_at(map, place);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(void) = {load, build, boards, stations, claims};
    if (size < 2)
        return 0;
    fake_layer_begin(data + 1, size - 1);
    ways[data[0] % G_N_ELEMENTS(ways)]();
    return 0;
}
