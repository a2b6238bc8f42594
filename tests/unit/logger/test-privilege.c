/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/privilege.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* 0, or why no packet socket opens. */
static int packet_socket(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    if (fd < 0)
        return errno;
    (void)close(fd);
    return 0;
}

/* One of the sets of this thread, as /proc tells it. */
static guint64 set_of(const char *name)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents("/proc/thread-self/status", &text, NULL, NULL));
    g_autofree char *start = g_strdup_printf("\n%s:\t", name);
    const char *at = strstr(text, start);
    g_assert_nonnull(at);
    return g_ascii_strtoull(at + strlen(start), NULL, 16);
}

static gpointer in_thread(gpointer expected)
{
    g_assert_cmphex(set_of("CapEff"), ==, 0);
    privilege_raise();
    g_assert_cmpint(packet_socket(), ==, GPOINTER_TO_INT(expected));
    privilege_lower();
    g_assert_cmpint(packet_socket(), ==, EPERM);
    return NULL;
}

/* What is given up stays given up, so in a process of its own. */
static void test_drop(void)
{
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
        g_test_trap_assert_passed();
        return;
    }
    const int before = packet_socket(); /* 0 as root, EPERM as anybody */
    privilege_drop();
    g_assert_cmpint(packet_socket(), ==, EPERM);
    g_assert_cmphex(set_of("CapEff") | set_of("CapInh") | set_of("CapAmb"), ==, 0);
    g_assert_cmphex(set_of("CapPrm") & ~(G_GUINT64_CONSTANT(1) << 13), ==, 0);
    g_assert_cmphex(set_of("NoNewPrivs"), ==, 1);
    g_thread_join(g_thread_new("other", in_thread, GINT_TO_POINTER(before)));
    (void)in_thread(GINT_TO_POINTER(before));
    if (before == 0)
        g_assert_cmphex(set_of("CapBnd"), ==, G_GUINT64_CONSTANT(1) << 13);
}

static void test_drop_all(void)
{
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
        g_test_trap_assert_passed();
        return;
    }
    const gboolean may = packet_socket() == 0;
    privilege_drop_all();
    privilege_raise();
    g_assert_cmpint(packet_socket(), ==, EPERM);
    g_assert_cmphex(set_of("CapEff") | set_of("CapInh") | set_of("CapAmb") | set_of("CapPrm"), ==,
                    0);
    g_assert_cmphex(set_of("NoNewPrivs"), ==, 1);
    if (may)
        g_assert_cmphex(set_of("CapBnd"), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/privilege/drop", test_drop);
    g_test_add_func("/privilege/drop-all", test_drop_all);
    return g_test_run();
}
