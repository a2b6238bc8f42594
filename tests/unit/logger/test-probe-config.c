/* SPDX-License-Identifier: Apache-2.0 */
/* [reflector] and [probes]: what a schedule gets, and what is refused. */
#include "logger/probe-config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static ProbeConfig *read_text(const char *text, GError **error)
{
    g_autoptr(Config) config = config_parse("test.conf", text, strlen(text), error);
    return config ? probe_config_new(config, error) : NULL;
}

static void test_defaults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ProbeConfig) probes = read_text("", &error);
    g_assert_no_error(error);
    const ProbeScheduleConfig *schedule = probe_config_schedule(probes);
    /* Nothing is sent to nobody: without a far end only traffic is counted. */
    g_assert_null(schedule->probe.reflector);
    for (int kind = 0; kind < PLAN_COUNT; kind++) {
        g_assert_cmpfloat(schedule->plans[kind].every_s, ==, 0);
        g_assert_cmpfloat(schedule->plans[kind].every_m, ==, 0);
    }
    g_assert_true(probe_config_enabled(probes));
    g_autoptr(ProbeConfig) none = read_text("[probes]\npassive = no\n", &error);
    g_assert_no_error(error);
    g_assert_false(probe_config_enabled(none));
}

static void test_values(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path =
        g_strdup_printf("%s/probe-config-%d.key", g_get_tmp_dir(), (int)getpid());
    g_assert_true(g_file_set_contents(path, "000102030405060708090a0b0c0d0e0f", -1, NULL));
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    g_autofree char *text = g_strdup_printf(
        "[reflector]\nhost = r.example\nkey-file = %s\nfamily = ipv6\nstamp-port = 8620\n"
        "[probes]\ntrain-down = 3, 8, 10.5\ntrain-up = none\nmeeting-every = 30 min\n"
        "meeting-video = 0 Mbit/s\ndownload-url = https://web.example/big\n"
        "download-every-distance = 2000 m\ntransfer-size = 5 MB\ndaily-budget = 100 MB\n",
        path);
    Config *config = config_parse("test.conf", text, strlen(text), &error);
    g_assert_no_error(error);
    ProbeConfig *probes = probe_config_new(config, &error);
    g_assert_no_error(error);
    const ProbeScheduleConfig *schedule = probe_config_schedule(probes);
    const ProbeSettings *settings = &schedule->probe;
    g_assert_cmpstr(settings->reflector, ==, "r.example");
    g_assert_nonnull(settings->key);
    g_assert_cmpint(settings->family, ==, AF_INET6);
    g_assert_cmpuint(settings->stamp_port, ==, 8620);
    g_assert_cmpfloat(settings->train_down_bps[2], ==, 10.5e6);
    g_assert_cmpfloat(settings->train_down_bps[3], ==, 0);
    g_assert_cmpfloat(settings->train_up_bps[0], ==, 0);
    g_assert_cmpuint(settings->meeting.frames_per_s, ==, 0);
    g_assert_cmpfloat(schedule->plans[PLAN_MEETING].every_s, ==, 1800);
    g_assert_cmpfloat(schedule->plans[PLAN_TRAIN].every_m, ==, 500);
    g_assert_cmpfloat(schedule->plans[PLAN_DOWNLOAD].every_m, ==, 2000);
    g_assert_cmpuint(settings->throughput_bytes, ==, 5000000);
    g_assert_cmpuint(schedule->daily_bytes, ==, 100000000);
    probe_config_free(probes);
    config_free(config);
    g_unlink(path);
}

static void test_refusals(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"[probes]\ntrain-down = 10, 3\n", "train-down"},
        {"[probes]\ntrain-up = fast\n", "train-up"},
        {"[probes]\ntrain-up = 1,2,3,4,5,6,7,8,9\n", "train-up"},
        {"[probes]\ntrain-down = -3\n", "train-down"},
        {"[probes]\ncodec = mp3\n", "codec"},
        {"[probes]\ndownload-url = ftp://x/y\n", "http"},
        {"[probes]\nmeeting-video = 0.001 Mbit/s\n", "meeting-video"},
        {"[reflector]\nkey-file = /nonexistent/key\n", "key-file"},
        {"[reflector]\nstamp-port = 70000\n", "stamp-port"},
        {"[probes]\nno-such-key = 1\n", "no-such-key"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(read_text(rows[i].text, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, rows[i].says));
        g_assert_null(strchr(error->message, '\n'));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/probe-config/defaults", test_defaults);
    g_test_add_func("/probe-config/values", test_values);
    g_test_add_func("/probe-config/refusals", test_refusals);
    return g_test_run();
}
