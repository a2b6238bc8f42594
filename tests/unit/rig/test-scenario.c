/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/data-link.h"
#include "tests/rig/scenario-reader.h"
#include "tests/rig/world.h"

#include <math.h>

#define PATH_GROUP "[path]\npoints=59.33,18.06 59.34,18.09 59.36,18.10\nspeed-mps=20\n"
#define RADIO                                                                                      \
    "[operator A]\nplmn=24001\n[cell a]\noperator=A\nspacing-m=1000\n[modem m]\noperator=A\n"

/* Each: text, what the one-line error must contain. */
static void test_errors(void)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"[path]\npoints=59.33,18.06\n", "x:2: [path] points: a path needs at least two points"},
        {PATH_GROUP "[rig]\nsteps-ms=3\n", "x:5: [rig] steps-ms: no such key"},
        {PATH_GROUP "[rig]\nseed=1\nseed=2\n", "x:6: given twice"},
        {PATH_GROUP "[rig]\nduration-s=many\n", "x:5: [rig] duration-s: \"many\" is not a number"},
        {PATH_GROUP "[modem m]\noperator=Nobody\n",
         "x:5: [modem m] operator: no [operator Nobody]"},
        {PATH_GROUP "[fault f]\nkind=meltdown\n", "x:5: [fault f] kind: \"meltdown\" is none of"},
        {PATH_GROUP "[fault f]\nkind=roaming\n", "x:4: [fault f]: kind roaming needs text"},
        {PATH_GROUP RADIO "[tunnel t]\nfrom-m=9\nto-m=5\n", "the tunnel ends before it begins"},
        {PATH_GROUP "[weather]\n", "x:4: [weather]: no such group"},
        {"[path]\npoints=99,18 59,18\n", "is no position"},
        {"[operator A]\nplmn=24\n" PATH_GROUP, "x:2: [operator A] plmn"},
        {PATH_GROUP "stops=500:10 400:5\n", "x:4: [path] stops"},
        {PATH_GROUP RADIO "[link l]\nloss=0.1\n", "[link l]: whose link?"},
        {PATH_GROUP RADIO "[link l]\nmodem=n\n", "[link l] modem: no [modem n]"},
        {PATH_GROUP RADIO "[link l]\nmodem=m\nfollow=stars\n", "\"stars\" is none of"},
        {PATH_GROUP RADIO "[link l]\nmodem=m\neffects=5:1,2,0.1\n",
         "[link l] effects: \"5:1,2,0.1\": write VALUE:DELAY-MS,JITTER-MS,LOSS,BURST"},
        {PATH_GROUP RADIO "[link l]\nmodem=m\neffects=5:1,2,0,1 4:1,2,0,1\n", "ascending"},
        {PATH_GROUP RADIO "[link l]\nmodem=m\neffects=5:1,2,0,0.5\n", "at least 1 packet"},
        {PATH_GROUP RADIO "[link l]\nmodem=m\neffects=5:1,2,1,1\n", "loss is 0..0.9"},
        {PATH_GROUP RADIO "[link l]\nmodem=m\neffects-by=level\n",
         "x:11: [link l] effects: is needed with effects-by=level"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Scenario) scenario = scenario_parse("x", rows[i].text, &error);
        g_assert_null(scenario);
        g_assert_nonnull(error);
        if (strstr(error->message, rows[i].wanted) == NULL)
            g_error("row %zu: %s", i, error->message);
        g_assert_null(strchr(error->message, '\n'));
    }
}

/* TR 36.942, A.2, by hand: 0 dB is log2(2) = 1 bit/s/Hz before attenuation. */
static void test_rate(void)
{
    g_assert_cmpfloat_with_epsilon(data_link_rate_bps(0, 20e6, FALSE), 12e6, 1);
    g_assert_cmpfloat_with_epsilon(data_link_rate_bps(0, 20e6, TRUE), 8e6, 1);
    g_assert_cmpfloat_with_epsilon(data_link_rate_bps(30, 10e6, FALSE), 44e6, 1);
    g_assert_cmpfloat_with_epsilon(data_link_rate_bps(30, 10e6, TRUE), 20e6, 1);
    g_assert_cmpfloat_with_epsilon(data_link_rate_bps(-10.5, 20e6, FALSE), 0, 1e-9);
    g_assert_cmpfloat_with_epsilon(data_link_rate_bps((double)NAN, 20e6, TRUE), 0, 1e-9);
}

/* A link that follows the radio: its rate at each step, outages without service and for 300 ms
 * after each change of cell, then the plan that follows nothing. */
static void test_data_link(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = scenario_parse(
        "x",
        "[rig]\nduration-s=200\n" PATH_GROUP RADIO
        "[link a]\nmodem=m\nfollow=radio\nshare=0.25\nup-kbps=5000\ndown-kbps=90000\n"
        "handover-ms=300\n"
        "[link b]\nmodem=m\nat-s=150\ndelay-ms=7\n[link c]\nmodem=m\nat-s=160\noutage=yes\n"
        "[fault f]\nkind=no-service\nat-s=50\nfor-s=10\n",
        &error);
    g_assert_no_error(error);
    g_autoptr(World) world = world_new(scenario);
    guint outages = 0, changes = 0;
    for (double t = 0; t < 150; t += 0.1) {
        DataLink link;
        world_step(world, t);
        g_assert_true(data_link_now(scenario, world, 0, &link));
        const RadioState *radio = world_radio(world, 0);
        gboolean fresh = radio->changes > 1 && t - radio->changed_t < 0.3;
        g_assert_cmpint(link.outage, ==, radio->rat == RAT_NONE || fresh || link.up_kbps <= 0);
        outages += link.outage ? 1 : 0;
        changes = radio->changes;
        if (radio->serving.cell == NULL)
            continue;
        double hz = 1000.0 * radio->serving.cell->bandwidth_khz;
        double down = data_link_rate_bps(radio->serving.sinr_db, hz, FALSE) * 0.25 / 1000;
        double up = data_link_rate_bps(radio->serving.sinr_db, hz, TRUE) * 0.25 / 1000;
        g_assert_cmpfloat_with_epsilon(link.down_kbps, MIN(down, 90000), 50.01);
        g_assert_cmpfloat_with_epsilon(link.up_kbps, MIN(up, 5000), 50.01);
    }
    g_assert_cmpuint(outages, >=, 100);
    g_assert_cmpuint(changes, >, 2);
    DataLink link;
    world_step(world, 155);
    g_assert_true(data_link_now(scenario, world, 0, &link));
    g_assert_false(link.outage);
    g_assert_cmpfloat_with_epsilon(link.delay_ms, 7, 1e-9);
    g_assert_cmpfloat_with_epsilon(link.down_kbps, 50000, 1e-9);
    world_step(world, 165);
    g_assert_true(data_link_now(scenario, world, 0, &link));
    g_assert_true(link.outage);
}

/* What the radio adds to a link: the rows, what lies between them, what lies outside. */
static void test_effect(void)
{
    static const RadioEffect table[] = {
        {-5, 30, 60, 0.1, 4}, {5, 10, 20, 0.02, 2}, {20, 0, 0, 0, 1}};
    static const RadioEffect wanted[] = {
        {-9, 30, 60, 0.1, 4},   {-5, 30, 60, 0.1, 4}, {0, 20, 40, 0.06, 3}, {5, 10, 20, 0.02, 2},
        {8, 8, 16, 0.016, 1.8}, {20, 0, 0, 0, 1},     {25, 0, 0, 0, 1}};
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
        RadioEffect got = data_link_effect(table, G_N_ELEMENTS(table), wanted[i].at);
        g_assert_cmpfloat_with_epsilon(got.delay_ms, wanted[i].delay_ms, 1e-9);
        g_assert_cmpfloat_with_epsilon(got.jitter_ms, wanted[i].jitter_ms, 1e-9);
        g_assert_cmpfloat_with_epsilon(got.loss, wanted[i].loss, 1e-9);
        g_assert_cmpfloat_with_epsilon(got.burst, wanted[i].burst, 1e-9);
    }
    RadioEffect unknown = data_link_effect(table, G_N_ELEMENTS(table), (double)NAN);
    g_assert_cmpfloat_with_epsilon(unknown.loss, 0.1, 1e-9);
}

/* The same along a drive, by level with a table of the scenario's own, on top of what the link has
 * without radio. */
static void test_effects_of_drive(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario =
        scenario_parse("x",
                       "[rig]\nduration-s=150\n" PATH_GROUP RADIO
                       "[link a]\nmodem=m\nfollow=radio\ndelay-ms=15\njitter-ms=3\nloss=0.1\n"
                       "effects-by=level\neffects=-130:40,50,0.5,5 -80:0,0,0,1\n",
                       &error);
    g_assert_no_error(error);
    g_autoptr(World) world = world_new(scenario);
    double least = 1e9, most = 0;
    for (double t = 0; t < 150; t += 0.1) {
        DataLink link;
        world_step(world, t);
        g_assert_true(data_link_now(scenario, world, 0, &link));
        const RadioState *radio = world_radio(world, 0);
        double level = CLAMP(radio->serving.rsrp_dbm, -130, -80), bad = (-80 - level) / 50;
        if (radio->serving.cell == NULL)
            continue;
        g_assert_cmpfloat_with_epsilon(link.delay_ms, 15 + 40 * bad, 0.051);
        g_assert_cmpfloat_with_epsilon(link.jitter_ms, 3 + 50 * bad, 0.051);
        g_assert_cmpfloat_with_epsilon(link.loss, 1 - 0.9 * (1 - 0.5 * bad), 1e-9);
        g_assert_cmpfloat_with_epsilon(link.burst, 1 + 4 * bad, 1e-9);
        least = MIN(least, link.delay_ms);
        most = MAX(most, link.delay_ms);
    }
    g_assert_cmpfloat(most - least, >, 5);
}

static void test_motion(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = scenario_parse(
        "x", "[rig]\nduration-s=400\n" PATH_GROUP "limits=1000:5\nstops=500:30\n", &error);
    g_assert_no_error(error);
    double length = path_length_m(scenario->path), before = 0, standing = 0;
    for (double t = 0; t < 400; t += 0.1) {
        double s = 0, mps = 0;
        motion_at(scenario->motion, t, &s, &mps);
        g_assert_cmpfloat(s, >=, before);
        g_assert_cmpfloat(s, <=, length);
        g_assert_cmpfloat(mps, <=, s > 1001 ? 5.1 : 20.1);
        if (mps < 1e-9 && s < 501)
            standing += 0.1;
        before = s;
    }
    g_assert_cmpfloat_with_epsilon(standing, 30, 0.3);
}

/* Positions along the path are as far from each other as their distances say. */
static void test_path(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Path) path = path_new_from_text("59.33,18.06 59.34,18.09 59.36,18.10", &error);
    g_assert_no_error(error);
    double lat = 0, lon = 0, heading = 0, lat0 = 0, lon0 = 0, sum = 0;
    path_at(path, 0, &lat0, &lon0, &heading);
    for (double s = 1; s <= path_length_m(path); s += 1) {
        path_at(path, s, &lat, &lon, &heading);
        sum += path_distance_m(lat0, lon0, lat, lon);
        lat0 = lat;
        lon0 = lon;
    }
    g_assert_cmpfloat_with_epsilon(sum, floor(path_length_m(path)), 1);
    path_beside(path, 100, 50, &lat, &lon);
    path_at(path, 100, &lat0, &lon0, &heading);
    g_assert_cmpfloat_with_epsilon(path_distance_m(lat, lon, lat0, lon0), 50, 0.1);
}

/* The same seed is the same world, another seed another one; changes are where the cells are. */
static void test_world(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) a = scenario_parse("x", PATH_GROUP RADIO, &error);
    g_autoptr(Scenario) b = scenario_parse("x", PATH_GROUP RADIO, &error);
    g_autoptr(Scenario) c = scenario_parse("x", "[rig]\nseed=2\n" PATH_GROUP RADIO, &error);
    g_assert_no_error(error);
    g_autoptr(World) wa = world_new(a);
    g_autoptr(World) wb = world_new(b);
    g_autoptr(World) wc = world_new(c);
    int differ = 0, steps = 0;
    for (double t = 0; t < 60; t += 0.1, steps++) {
        world_step(wa, t);
        world_step(wb, t);
        world_step(wc, t);
        const RadioState *x = world_radio(wa, 0), *y = world_radio(wb, 0);
        g_assert_cmpfloat(x->serving.rsrp_dbm, ==, y->serving.rsrp_dbm);
        g_assert_cmpint(x->rat, ==, RAT_LTE);
        g_assert_cmpfloat(x->serving.rsrp_dbm, ==, round(x->serving.rsrp_dbm));
        differ += x->serving.rsrp_dbm != world_radio(wc, 0)->serving.rsrp_dbm;
    }
    g_assert_cmpint(differ, >, steps / 4);
    g_assert_cmpuint(world_radio(wa, 0)->changes, >, 0);
}

/* Without shadowing the level is the path loss of the formula. */
static void test_level(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) s = scenario_parse(
        "x",
        PATH_GROUP
        "[operator A]\nshadowing-db=0\nexponent=3\n[cell a]\noperator=A\n"
        "position=59.33,18.08\npower-dbm=30\nfrequency-mhz=1000\n[modem m]\noperator=A\n",
        &error);
    g_assert_no_error(error);
    g_autoptr(World) world = world_new(s);
    world_step(world, 0);
    double metres = path_distance_m(59.33, 18.06, 59.33, 18.08);
    double wanted = 30 - (20 * log10(1000) - 27.55 + 30 * log10(metres));
    g_assert_cmpfloat_with_epsilon(world_radio(world, 0)->serving.rsrp_dbm, wanted, 0.51);
}

static void test_faults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) s = scenario_parse(
        "x",
        PATH_GROUP RADIO "[tunnel t]\nfrom-m=200\nto-m=300\n"
                         "[fault a]\nkind=roaming\ntext=26201\nat-s=1\nfor-s=2\nmodem=m\n"
                         "[fault b]\nkind=sim-lost\nat-s=4\nfor-s=1\n"
                         "[fault c]\nkind=ping-pong\nat-s=6\nfor-s=3\nvalue=1\n",
        &error);
    g_assert_no_error(error);
    g_autoptr(World) world = world_new(s);
    const RadioState *radio = world_radio(world, 0);
    world_step(world, 2);
    g_assert_true(radio->roaming);
    g_assert_cmpstr(radio->plmn, ==, "26201");
    world_step(world, 4.5);
    g_assert_false(radio->sim);
    g_assert_cmpint(radio->rat, ==, RAT_NONE);
    world_step(world, 6.5);
    const Cell *first = radio->serving.cell;
    world_step(world, 7.5);
    g_assert_true(radio->serving.cell != first);
    world_step(world, 12.5); /* 20 m/s: in the tunnel */
    g_assert_true(world_vehicle(world)->tunnel);
    g_assert_false(world_vehicle(world)->gps);
    g_assert_cmpint(radio->rat, ==, RAT_NONE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rig/link-rate", test_rate);
    g_test_add_func("/rig/data-link", test_data_link);
    g_test_add_func("/rig/effect", test_effect);
    g_test_add_func("/rig/effects-of-drive", test_effects_of_drive);
    g_test_add_func("/rig/scenario/errors", test_errors);
    g_test_add_func("/rig/scenario/motion", test_motion);
    g_test_add_func("/rig/scenario/path", test_path);
    g_test_add_func("/rig/world/seed", test_world);
    g_test_add_func("/rig/world/level", test_level);
    g_test_add_func("/rig/world/faults", test_faults);
    return g_test_run();
}
