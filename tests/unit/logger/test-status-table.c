/* SPDX-License-Identifier: Apache-2.0 */
/* The table of corridor-logger status, whatever answers at the socket. */
#include "logger/status.h"

#include <string.h>

static void test_sound(void)
{
    static const char json[] =
        "{\"vehicle\":\"X 2\",\"time_ns\":1777896000000000000,\"clock\":{\"origin\":\"gps\"},"
        "\"recorder\":{\"state\":\"recording\",\"drive\":\"/x/a.drive\",\"written\":7},"
        "\"gps\":{\"enabled\":true,\"position\":true,\"fix\":{\"lat\":60.125,\"lon\":15.25,"
        "\"speed_mps\":10,\"satellites\":9}},\"modems\":[{\"label\":\"op1\",\"state\":\"running\","
        "\"sim\":\"absent\",\"sample_age_s\":0.5,\"sample\":{\"rat\":\"LTE\",\"service\":\"ok\","
        "\"rsrp_dbm\":-97,\"sinr_db\":null,\"cell_id\":12}}],\"probes\":[{\"source\":1,"
        "\"running\":\"latency\",\"done\":3}]}";
    static const char *const lines[] = {
        "X 2  2026-05-04 12:00:00 UTC  time from gps\n",
        "recorder     recording  a.drive\n",
        "gps          60.12500, 15.25000  36 km/h  9 satellites\n",
        "op1          running  LTE     ok        -97    -    -          12    0.5 s ago\n",
        "             no SIM\n",
        "probes of source 1: latency, 3 done, ",
    };
    g_autoptr(GError) error = NULL;
    g_autofree char *table = status_table(json, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        if (strstr(table, lines[i]) == NULL)
            g_error("no line \"%s\" in\n%s", lines[i], table);
}

/* Members of another kind are not there; what a terminal would obey is not shown. */
static void test_other_kinds(void)
{
    static const char *const rows[] = {
        "{\"modems\":[]}",
        "{\"modems\":[1,null,{\"sample\":[],\"label\":3,\"state\":{}}],\"recorder\":7,"
        "\"clock\":null,\"gps\":[],\"probes\":{},\"time_ns\":1e300,\"vehicle\":false}",
        "{\"modems\":[{\"label\":\"\\u001b[2J\",\"state\":\"running\",\"sample\":{\"band\":\"x\","
        "\"rat\":1,\"rsrp_dbm\":[]},\"sample_age_s\":\"old\"}],\"gps\":{\"enabled\":true,"
        "\"position\":true,\"fix\":3,\"trouble\":\"\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5"
        "\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5"
        "\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\"},"
        "\"probes\":[[],{\"source\":{}}]}",
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *table = status_table(rows[i], &error);
        g_assert_no_error(error);
        g_assert_true(g_utf8_validate(table, -1, NULL));
        g_assert_null(strchr(table, '\x1b'));
    }
}

static void test_no_status(void)
{
    static const char *const rows[] = {"", "null", "[]", "{}", "{\"modems\":7}", "{\"modems\":"};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(status_table(rows[i], &error));
        g_assert_error(error, STATUS_ERROR, STATUS_ERROR_ANSWER);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status-table/sound", test_sound);
    g_test_add_func("/status-table/other-kinds", test_other_kinds);
    g_test_add_func("/status-table/no-status", test_no_status);
    return g_test_run();
}
