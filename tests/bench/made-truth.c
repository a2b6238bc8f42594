/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/made-truth.h"

#include "analyzer/geometry.h"
#include "analyzer/network-builder.h"
#include "analyzer/route-search.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

void truth_free(Truth *truth)
{
    if (truth == NULL)
        return;
    g_free(truth->name);
    network_free(truth->network);
    g_array_unref(truth->fixes);
    g_free(truth);
}

/* ---- the reference data ---- */

static void read_edge(NetworkBuilder *builder, JsonObject *feature)
{
    JsonObject *properties = json_object_get_object_member(feature, "properties");
    JsonArray *line = json_object_get_array_member(
        json_object_get_object_member(feature, "geometry"), "coordinates");
    guint n = json_array_get_length(line);
    g_autofree GeoPoint *points = g_new(GeoPoint, n);
    for (guint i = 0; i < n; i++) {
        JsonArray *p = json_array_get_array_element(line, i);
        points[i] =
            (GeoPoint){json_array_get_double_element(p, 0), json_array_get_double_element(p, 1)};
    }
    const char *kind = json_object_get_string_member(properties, "kind");
    NetworkEdge edge = {.fid = json_object_get_int_member(properties, "id"),
                        .class = kind,
                        .kind = strcmp(kind, "rail") == 0 ? EDGE_RAIL : EDGE_ROAD};
    (void)network_builder_add_edge(builder, &edge, json_object_get_int_member(properties, "u"),
                                   json_object_get_int_member(properties, "v"), points, n);
}

static int64_t time_of(const char *text)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
    return time != NULL ? g_date_time_to_unix(time) * 1000000000 : 0;
}

static Network *read_network(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "edges.geojson", NULL);
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_file(parser, path, NULL))
        return NULL;
    NetworkBuilder *builder = network_builder_new();
    JsonArray *features = json_object_get_array_member(
        json_node_get_object(json_parser_get_root(parser)), "features");
    for (guint i = 0; i < json_array_get_length(features); i++)
        read_edge(builder, json_array_get_object_element(features, i));
    return network_builder_finish(builder, NULL, NULL);
}

static gboolean read_fixes(const char *folder, Truth *truth)
{
    g_autofree char *truth_path = g_build_filename(folder, "truth.csv", NULL);
    g_autofree char *drive_path = g_build_filename(folder, "drive.csv", NULL);
    g_autofree char *truth_text = NULL;
    g_autofree char *drive_text = NULL;
    if (!g_file_get_contents(truth_path, &truth_text, NULL, NULL) ||
        !g_file_get_contents(drive_path, &drive_text, NULL, NULL))
        return FALSE;
    g_autoptr(GHashTable) edge_of = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (uint32_t e = 0; e < truth->network->n_edges; e++)
        g_hash_table_insert(edge_of, GSIZE_TO_POINTER((gsize)truth->network->edges[e].fid),
                            GSIZE_TO_POINTER((gsize)e + 1));
    g_auto(GStrv) true_rows = g_strsplit(truth_text, "\n", -1);
    g_auto(GStrv) rows = g_strsplit(drive_text, "\n", -1);
    guint row = 1;
    uint32_t trip = 0;
    int64_t before_ns = 0;
    for (guint i = 1; true_rows[i] != NULL && true_rows[i][0] != '\0'; i++) {
        g_auto(GStrv) cells = g_strsplit(true_rows[i], ",", -1);
        size_t time_length = strlen(cells[0]);
        while (rows[row] != NULL && strncmp(rows[row], cells[0], time_length) != 0)
            row++;
        if (rows[row] == NULL)
            return FALSE;
        g_auto(GStrv) seen = g_strsplit(rows[row], ",", -1);
        TruthFix fix = {
            .time_ns = time_of(cells[0]),
            .edge = (uint32_t)GPOINTER_TO_SIZE(g_hash_table_lookup(
                        edge_of, GSIZE_TO_POINTER((gsize)g_ascii_strtoll(cells[1], NULL, 10)))) -
                    1,
            .offset_m = g_ascii_strtod(cells[2], NULL),
            .at = {g_ascii_strtod(cells[4], NULL), g_ascii_strtod(cells[3], NULL)},
            .measured = {g_ascii_strtod(seen[2], NULL), g_ascii_strtod(seen[1], NULL)},
            .speed_mps = g_ascii_strtod(seen[3], NULL) / 3.6,
        };
        trip += before_ns != 0 && fix.time_ns - before_ns > INT64_C(600000000000);
        before_ns = fix.time_ns;
        fix.trip = trip;
        g_array_append_val(truth->fixes, fix);
    }
    return truth->fixes->len > 0;
}

Truth *truth_read(const char *folder)
{
    g_autoptr(Truth) truth = g_new0(Truth, 1);
    truth->name = g_strdup("drive-li");
    truth->fixes = g_array_new(FALSE, FALSE, sizeof(TruthFix));
    truth->network = read_network(folder);
    if (truth->network == NULL || !read_fixes(folder, truth))
        return NULL;
    return g_steal_pointer(&truth);
}

/* ---- made ones ---- */

enum { ROWS = 24, COLUMNS = 24 };

static void add_street(NetworkBuilder *builder, GRand *rand, GeoPoint a, GeoPoint b, int64_t from,
                       int64_t to)
{
    GeoPoint line[5];
    double bend = g_rand_double_range(rand, -0.12, 0.12);
    for (int k = 0; k < 5; k++) {
        double t = k / 4.0;
        double out = bend * sin(G_PI * t);
        line[k] = (GeoPoint){a.lon + t * (b.lon - a.lon) - out * (b.lat - a.lat) * 1.9,
                             a.lat + t * (b.lat - a.lat) + out * (b.lon - a.lon) / 1.9};
    }
    NetworkEdge edge = {.fid = network_builder_n_edges(builder) + 1,
                        .class = "residential",
                        .kind = EDGE_ROAD,
                        .way = g_rand_double(rand) < 0.1 ? EDGE_FORWARD_ONLY : EDGE_BOTH_WAYS};
    (void)network_builder_add_edge(builder, &edge, from, to, line, 5);
}

static Network *make_network(GRand *rand)
{
    NetworkBuilder *builder = network_builder_new();
    GeoPoint nodes[ROWS][COLUMNS];
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS; c++)
            nodes[r][c] = (GeoPoint){16.0 + (c + g_rand_double_range(rand, -0.3, 0.3)) * 0.0030,
                                     58.0 + (r + g_rand_double_range(rand, -0.3, 0.3)) * 0.0016};
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS; c++) {
            int64_t here = r * COLUMNS + c;
            if (c + 1 < COLUMNS && g_rand_double(rand) < 0.85)
                add_street(builder, rand, nodes[r][c], nodes[r][c + 1], here, here + 1);
            if (r + 1 < ROWS && g_rand_double(rand) < 0.85)
                add_street(builder, rand, nodes[r][c], nodes[r + 1][c], here, here + COLUMNS);
            if (r + 1 < ROWS && c + 1 < COLUMNS && g_rand_double(rand) < 0.1)
                add_street(builder, rand, nodes[r][c], nodes[r + 1][c + 1], here,
                           here + COLUMNS + 1);
        }
    return network_builder_finish(builder, NULL, NULL);
}

typedef struct {
    Truth *truth;
    GRand *rand;
    int64_t time_ns;
    uint32_t trip;
    double pace; /* share of the usual speed, wandering */
    double rest_m;
    double cruise_mps;
} Driver;

static void drive_arc(Driver *d, uint32_t arc, double until_m)
{
    const Network *network = d->truth->network;
    double length_m = network->edges[arc_edge(arc)].length_m;
    double s = d->rest_m;
    while (s < fmin(length_m, until_m)) {
        double offset_m = arc_backward(arc) ? length_m - s : s;
        d->pace =
            CLAMP(0.95 * d->pace + 0.05 + g_rand_double_range(d->rand, -0.06, 0.06), 0.4, 1.4);
        double v = d->cruise_mps * d->pace;
        TruthFix fix = {.time_ns = d->time_ns,
                        .edge = arc_edge(arc),
                        .offset_m = offset_m,
                        .at = network_point_at(network, arc_edge(arc), offset_m),
                        .measured = {NAN, NAN},
                        .speed_mps = round(v * 36.0) / 36.0,
                        .trip = d->trip};
        g_array_append_val(d->truth->fixes, fix);
        d->time_ns += 1000000000;
        s += v;
    }
    d->rest_m = s - length_m;
}

Truth *truth_make(Network *network, guint32 seed, guint trips)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    Truth *truth = g_new0(Truth, 1);
    truth->name = g_strdup_printf("made-%u", seed);
    truth->fixes = g_array_new(FALSE, FALSE, sizeof(TruthFix));
    truth->network = network != NULL ? network : make_network(rand);
    network = truth->network;
    g_autoptr(RouteSearch) search = route_search_new(network, EDGE_ROAD);
    Driver driver = {.truth = truth, .rand = rand, .time_ns = INT64_C(1770000000000000000)};
    for (guint tries = 0; driver.trip < trips && tries < 100 * trips; tries++) {
        uint32_t from = 2 * (uint32_t)g_rand_int_range(rand, 0, (gint32)network->n_edges);
        if (network->edges[arc_edge(from)].kind != EDGE_ROAD || !route_arc_allowed(network, from))
            continue;
        route_search_run(search, from, 12000.0, FALSE, NULL, 0);
        size_t n = 0;
        const uint32_t *arcs = route_search_settled(search, &n);
        if (n < 40)
            continue;
        uint32_t to = arcs[n / 3 + (size_t)g_rand_int_range(rand, 0, (gint32)(n - n / 3))];
        g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        g_array_append_val(way, from);
        if (route_search_distance_m(search, to) < 1500.0 || !route_search_path(search, to, way))
            continue;
        driver.pace = 1.0;
        driver.rest_m = 0.0;
        driver.cruise_mps = g_rand_double_range(rand, 8.0, 22.0);
        for (guint i = 0; i < way->len; i++)
            drive_arc(&driver, g_array_index(way, uint32_t, i), INFINITY);
        driver.trip++;
        driver.time_ns += INT64_C(3000000000000);
    }
    return truth;
}

/* ---- noise ---- */

static double normal(GRand *rand)
{
    double u = fmax(g_rand_double(rand), 1e-300);
    return sqrt(-2.0 * log(u)) * cos(2.0 * G_PI * g_rand_double(rand));
}

GeoPoint *truth_blur(const Truth *truth, double sigma_m, guint32 seed)
{
    static const double kept = 0.9;
    const TruthFix *fixes = (const TruthFix *)(void *)truth->fixes->data;
    GeoPoint *places = g_new(GeoPoint, truth->fixes->len);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    double x = 0.0;
    double y = 0.0;
    for (guint i = 0; i < truth->fixes->len; i++) {
        if (i == 0 || fixes[i].trip != fixes[i - 1].trip) {
            x = sigma_m * normal(rand);
            y = sigma_m * normal(rand);
        } else {
            double fresh = sigma_m * sqrt(1.0 - kept * kept);
            x = kept * x + fresh * normal(rand);
            y = kept * y + fresh * normal(rand);
        }
        Plane plane = plane_at(fixes[i].at);
        places[i] = sigma_m < 0.0 ? fixes[i].measured : plane_to_geo(&plane, (PlanePoint){x, y});
    }
    return places;
}
