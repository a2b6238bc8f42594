/* SPDX-License-Identifier: Apache-2.0 */
/* Forbidden turns of OpenStreetMap: from the map into the network, and what they do there. */
#include "analyzer/match.h"
#include "analyzer/network-build.h"
#include "analyzer/network-file.h"
#include "analyzer/route-search.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* A crossing (node 1) with arms to the west (way 11, with one vertex more), north (12), east (13)
 * and south (14), and a street (15) from the west arm's far end to the north arm's. */
static const char map_head[] =
    "<?xml version='1.0' encoding='UTF-8'?><osm version='0.6'>"
    "<node id='1' lat='60.000' lon='15.000' version='1'/>"
    "<node id='2' lat='60.000' lon='14.990' version='1'/>"
    "<node id='3' lat='60.005' lon='15.000' version='1'/>"
    "<node id='4' lat='60.000' lon='15.010' version='1'/>"
    "<node id='5' lat='59.995' lon='15.000' version='1'/>"
    "<node id='6' lat='60.000' lon='14.995' version='1'/>"
    "<way id='11' version='1'><nd ref='2'/><nd ref='6'/><nd ref='1'/>"
    "<tag k='highway' v='residential'/><tag k='name' v='west'/></way>"
    "<way id='12' version='1'><nd ref='3'/><nd ref='1'/><tag k='highway' v='residential'/>"
    "<tag k='name' v='north'/></way>"
    "<way id='13' version='1'><nd ref='1'/><nd ref='4'/><tag k='highway' v='residential'/>"
    "<tag k='name' v='east'/></way>"
    "<way id='14' version='1'><nd ref='1'/><nd ref='5'/><tag k='highway' v='residential'/>"
    "<tag k='name' v='south'/></way>"
    "<way id='15' version='1'><nd ref='2'/><nd ref='3'/><tag k='highway' v='residential'/>"
    "<tag k='name' v='round'/></way>";

#define MEMBER(type, ref, role) "<member type='" type "' ref='" ref "' role='" role "'/>"
#define RESTRICTION(id, members, value, more)                                                      \
    "<relation id='" id "' version='1'>" members "<tag k='type' v='restriction'/>"                 \
    "<tag k='restriction' v='" value "'/>" more "</relation>"

static Network *build(const char *folder, const char *relations, BuildReport *report)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *map = g_build_filename(folder, "map.osm", NULL);
    g_autofree char *net = g_build_filename(folder, "net.gpkg", NULL);
    g_autofree char *text = g_strconcat(map_head, relations, "</osm>", NULL);
    g_assert_true(g_file_set_contents(map, text, -1, &error));
    BuildOptions options = {.source = map, .modes = EDGE_ROAD | EDGE_RAIL};
    g_assert_true(network_build(net, &options, NULL, report, &error));
    g_assert_no_error(error);
    Network *network = network_load(net, NULL, &error);
    g_assert_no_error(error);
    return network;
}

static uint32_t edge_named(const Network *network, const char *name)
{
    for (uint32_t e = 0; e < network->n_edges; e++)
        if (strcmp(network->edges[e].name, name) == 0)
            return e;
    g_error("no edge %s", name);
}

/* May one go from one street over the crossing into the other? */
static gboolean may_go(const Network *network, const char *from, const char *to)
{
    g_autoptr(RouteSearch) search = route_search_new(network, 0);
    uint32_t a = edge_named(network, from), b = edge_named(network, to);
    uint32_t crossing = network->edges[edge_named(network, "east")].from;
    return route_may_follow(search, 2 * a + (network->edges[a].from == crossing),
                            2 * b + (network->edges[b].to == crossing), FALSE);
}

typedef struct {
    char *folder;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->folder = g_dir_make_tmp("corridor-turns-XXXXXX", NULL);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GDir) dir = g_dir_open(fixture->folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        (void)g_unlink(path);
    }
    (void)g_rmdir(fixture->folder);
    g_free(fixture->folder);
}

static void test_no_turn(Fixture *fixture, gconstpointer data)
{
    (void)data;
    /* the second one names the members in the wrong order: "right" tells */
    static const char relations[] = RESTRICTION(
        "101", MEMBER("way", "11", "from") MEMBER("node", "1", "via") MEMBER("way", "12", "to"),
        "no_left_turn", "") RESTRICTION("102",
                                        MEMBER("way", "13", "to") MEMBER("node", "1", "via")
                                            MEMBER("way", "14", "from"),
                                        "no_right_turn", "")
        RESTRICTION(
            "103", MEMBER("way", "13", "from") MEMBER("node", "1", "via") MEMBER("way", "12", "to"),
            "no_right_turn", "<tag k='except' v='bus'/>")
            RESTRICTION("104",
                        MEMBER("way", "13", "from") MEMBER("way", "11", "via")
                            MEMBER("way", "15", "to"),
                        "no_u_turn", "");
    BuildReport report;
    g_autoptr(Network) network = build(fixture->folder, relations, &report);
    g_assert_cmpuint(report.turn_limits, ==, 2);
    g_assert_cmpuint(report.turn_limits_unused, ==, 2);
    g_assert_cmpuint(network->n_turns, ==, 2);
    g_assert_false(may_go(network, "west", "north"));
    g_assert_true(may_go(network, "west", "east"));
    g_assert_true(may_go(network, "west", "south"));
    g_assert_true(may_go(network, "north", "west"));
    g_assert_false(may_go(network, "south", "east"));
    g_assert_true(may_go(network, "east", "south"));
    g_assert_true(may_go(network, "east", "north"));
}

static void test_only_turn(Fixture *fixture, gconstpointer data)
{
    (void)data;
    static const char relations[] = RESTRICTION(
        "101", MEMBER("way", "11", "from") MEMBER("node", "1", "via") MEMBER("way", "13", "to"),
        "only_straight_on", "");
    BuildReport report;
    g_autoptr(Network) network = build(fixture->folder, relations, &report);
    g_assert_cmpuint(report.turn_limits, ==, 1);
    g_assert_true(may_go(network, "west", "east"));
    g_assert_false(may_go(network, "west", "north"));
    g_assert_false(may_go(network, "west", "south"));
    g_assert_true(may_go(network, "south", "west"));
}

/* Turns stay with the piece at their node when an edge is cut, and in a copy of a file. */
static void test_cut(Fixture *fixture, gconstpointer data)
{
    (void)data;
    static const char relations[] = RESTRICTION(
        "101", MEMBER("way", "11", "from") MEMBER("node", "1", "via") MEMBER("way", "12", "to"),
        "no_left_turn", "");
    g_autoptr(GError) error = NULL;
    BuildReport report;
    g_autoptr(Network) network = build(fixture->folder, relations, &report);
    g_autofree char *copy = g_build_filename(fixture->folder, "cut.gpkg", NULL);
    g_autoptr(NetworkFile) file = network_file_copy(copy, network->path, &error);
    g_assert_no_error(error);
    uint32_t west = edge_named(network, "west");
    uint32_t north = edge_named(network, "north");
    uint32_t crossing = network->edges[edge_named(network, "east")].from;
    double cuts[] = {100.0, 200.0};
    int64_t fids[3] = {0}, more[3] = {0};
    g_assert_true(network_file_cut_edge(file, network, west, cuts, 2, fids, &error));
    g_assert_true(network_file_cut_edge(file, network, north, cuts, 2, more, &error));
    g_assert_true(network_file_finish(file, &error));
    g_autoptr(Network) cut = network_load(copy, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(cut->n_turns, ==, 1);
    const NetworkEdge *from = &cut->edges[cut->turns[0].from_edge];
    const NetworkEdge *to = &cut->edges[cut->turns[0].to_edge];
    g_assert_cmpint(from->fid, ==, network->edges[west].to == crossing ? fids[2] : fids[0]);
    g_assert_cmpint(to->fid, ==, network->edges[north].to == crossing ? more[2] : more[0]);
    g_assert_true(from->limited);
}

/* From the west to the north over the crossing, allowed or not. */
static void test_match(Fixture *fixture, gconstpointer data)
{
    (void)data;
    static const char forbidden[] = RESTRICTION(
        "101", MEMBER("way", "11", "from") MEMBER("node", "1", "via") MEMBER("way", "12", "to"),
        "no_left_turn", "");
    for (int round = 0; round < 2; round++) {
        BuildReport report;
        g_autoptr(Network) network = build(fixture->folder, round == 0 ? "" : forbidden, &report);
        MatchFix fixes[40];
        for (int i = 0; i < 40; i++)
            fixes[i] = (MatchFix){.time_ns = INT64_C(1770000000000000000) + i * INT64_C(2000000000),
                                  .lat = i < 20 ? 60.0 : 60.0 + (i - 19) * 0.00024,
                                  .lon = i < 20 ? 14.9904 + i * 0.0005 : 15.0,
                                  .accuracy_m = NAN,
                                  .speed_mps = NAN,
                                  .heading_deg = NAN};
        g_autoptr(Track) track = track_match(network, fixes, 40, NULL, NULL);
        g_assert_nonnull(track);
        size_t n = 0;
        const TrackFix *found = track_fixes(track, &n);
        g_assert_cmpstr(network->edges[found[2].edge].name, ==, "west");
        g_assert_cmpstr(network->edges[found[38].edge].name, ==, "north");
        /* one path if it may turn; it stays on both streets, but breaks, if it may not */
        if (round == 0)
            g_assert_cmpuint(found[2].stretch, ==, found[38].stretch);
        else
            g_assert_cmpuint(found[2].stretch, !=, found[38].stretch);
    }
}

#define ADD(path, test) g_test_add(path, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/network-turns/no-turn", test_no_turn);
    ADD("/network-turns/only-turn", test_only_turn);
    ADD("/network-turns/cut", test_cut);
    ADD("/network-turns/match", test_match);
    return g_test_run();
}
