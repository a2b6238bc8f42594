/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody reads, and the rig goes on: its ptys and sockets never block. */
#include "tests/rig/gps-feed.h"
#include "tests/rig/outlet.h"
#include "tests/rig/port.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* All or nothing of each message, in order, once the other end reads at last. */
static void test_unread_pty(void)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int other = -1;
    int master = port_pty(&path, &other, &error);
    g_assert_no_error(error);
    Outlet *outlet = outlet_new(master, 10000);
    guint taken = 0;
    gint64 began_us = g_get_monotonic_time();
    for (guint i = 0; i < 20000; i++) {
        g_autofree char *line = g_strdup_printf("%09u\n", taken);
        if (outlet_write(outlet, line, 10))
            taken++;
    }
    g_assert_cmpint(g_get_monotonic_time() - began_us, <, 5 * G_USEC_PER_SEC);
    g_assert_cmpuint(taken, >, 1000);
    g_assert_cmpuint(taken, <, 20000);
    g_assert_cmpuint(outlet_waiting(outlet), >, 10000 - 10);
    g_assert_cmpuint(outlet_waiting(outlet), <=, 10000);
    g_autoptr(GString) got = g_string_new(NULL);
    (void)fcntl(other, F_SETFL, O_NONBLOCK);
    gint64 end_us = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    while (got->len < 10 * (gsize)taken && g_get_monotonic_time() < end_us) {
        char bytes[4096];
        ssize_t n = read(other, bytes, sizeof bytes);
        if (n > 0)
            g_string_append_len(got, bytes, n);
        else
            g_usleep(1000);
        while (g_main_context_iteration(NULL, FALSE))
            ;
    }
    g_assert_cmpuint(got->len, ==, 10 * (gsize)taken);
    for (guint i = 0; i < taken; i++)
        g_assert_cmpuint((guint)g_ascii_strtoull(got->str + 10 * i, NULL, 10), ==, i);
    outlet_free(outlet);
    close(master);
    close(other);
}

/* The receiver's pty: the rig once stood still when no gpsd had opened it. */
static void test_unread_receiver(void)
{
    g_autofree char *folder = g_dir_make_tmp("corridor-outlet-XXXXXX", NULL);
    g_autofree char *text = g_strdup_printf("[rig]\nduration-s=100\n[path]\n"
                                            "points=59.33,18.06 59.34,18.09\nspeed-mps=1\n"
                                            "[gps]\noutput=pty:%s/gps\nrate-hz=10\n",
                                            folder);
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = scenario_parse("outlet", text, &error);
    g_assert_no_error(error);
    g_autoptr(GpsFeed) feed = gps_feed_new(scenario, &error);
    g_assert_no_error(error);
    gint64 began_us = g_get_monotonic_time();
    for (gint64 i = 0; i < 2000; i++)
        gps_feed_send(feed, (double)i / 10, i * 100000000);
    g_assert_cmpint(g_get_monotonic_time() - began_us, <, 10 * G_USEC_PER_SEC);
    g_clear_pointer(&feed, gps_feed_free);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outlet/unread-pty", test_unread_pty);
    g_test_add_func("/outlet/unread-receiver", test_unread_receiver);
    return g_test_run();
}
