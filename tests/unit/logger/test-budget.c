/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/budget.h"

#include <glib/gstdio.h>

#define DAY  G_GINT64_CONSTANT(86400000000000)
#define NOON (G_GINT64_CONSTANT(1793534400000000000)) /* 2026-11-01T12:00:00Z */

static void test_counts(void)
{
    g_autoptr(Budget) budget = budget_new(NULL, 1000, 1500, NOON);
    g_assert_cmpint(budget_left(budget), ==, 1000);
    budget_count(budget, 5000, 5000, NOON); /* what was there before does not count */
    g_assert_cmpint(budget_left(budget), ==, 1000);
    budget_count(budget, 5300, 5100, NOON);
    g_assert_cmpint(budget_left(budget), ==, 600);
    budget_count(budget, 10, 10, NOON); /* another interface, counting from 0 */
    g_assert_cmpint(budget_left(budget), ==, 600);
    budget_count(budget, 710, 10, NOON);
    g_assert_cmpint(budget_left(budget), ==, 0);
    g_assert_cmpuint(budget_used_today(budget), ==, 1100);
    budget_interface_gone(budget);
    budget_count(budget, 9999, 9999, NOON);
    g_assert_cmpuint(budget_used_today(budget), ==, 1100);
    /* The next day is free again, as far as the month goes. */
    budget_count(budget, 9999, 9999, NOON + DAY);
    g_assert_cmpint(budget_left(budget), ==, 400);
    /* A clock set back gives nothing. */
    budget_count(budget, 10099, 9999, NOON + DAY);
    budget_count(budget, 10099, 9999, NOON);
    g_assert_cmpint(budget_left(budget), ==, 300);
    budget_count(budget, 10099, 9999, 0);
    g_assert_cmpint(budget_left(budget), ==, 300);
    /* The next month. */
    budget_count(budget, 10099, 9999, NOON + 31 * DAY);
    g_assert_cmpint(budget_left(budget), ==, 1000);
    g_autoptr(Budget) none = budget_new(NULL, 0, 0, NOON);
    g_assert_cmpint(budget_left(none), ==, G_MAXINT64);
}

/* A clean end keeps the exact sum; after a cut at any moment at least what was used is counted, and
 * at most one reserve more. */
static void test_kept(void)
{
    g_autofree char *folder = g_dir_make_tmp("budget-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "budget-op1", NULL);
    Budget *budget = budget_new(path, 1000000000, 0, NOON);
    budget_count(budget, 0, 0, NOON);
    budget_count(budget, 1234, 0, NOON);
    budget_free(budget);
    budget = budget_new(path, 1000000000, 0, NOON);
    g_assert_cmpuint(budget_used_today(budget), ==, 1234);
    guint64 counter = 0;
    budget_count(budget, 0, 0, NOON);
    for (int i = 0; i < 3000; i++) {
        counter += (guint64)g_test_rand_int_range(0, 20000);
        if (budget_count(budget, counter, 0, NOON)) {
            g_autofree char *text = budget_text(budget);
            g_assert_true(g_file_set_contents(path, text, -1, NULL));
        }
        if (i % 50 == 0) { /* the power goes: somebody else reads the file */
            Budget *after = budget_new(path, 1000000000, 0, NOON);
            g_assert_cmpuint(budget_used_today(after), >=, 1234 + counter);
            g_assert_cmpuint(budget_used_today(after), <=, 1234 + counter + BUDGET_RESERVE);
            g_autofree char *text = NULL;
            g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
            budget_free(after);
            g_assert_true(g_file_set_contents(path, text, -1, NULL));
        }
    }
    budget_free(budget);
    static const char *const broken[] = {"", "rubbish", "[budget]\nday=99\n",
                                         ("[budget]\nday=20261101\nmonth=202610\nday_bytes=1\n"
                                          "month_bytes=1\n")};
    for (unsigned i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_assert_true(g_file_set_contents(path, broken[i], -1, NULL));
        budget = budget_new(path, 1000000000, 0, NOON);
        g_assert_cmpuint(budget_used_month(budget), ==, BUDGET_RESERVE);
        budget_free(budget);
    }
    g_unlink(path);
    g_rmdir(folder);
}

/* A sum at the end of its numbers stays used up: it does not begin again at 0. */
static void test_most(void)
{
    g_autofree char *folder = g_dir_make_tmp("budget-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "budget-op1", NULL);
    static const char most[] = "[budget]\nday=20261101\nmonth=202611\n"
                               "day_bytes=18446744073709551615\nmonth_bytes=18446744073709551000\n";
    g_assert_true(g_file_set_contents(path, most, -1, NULL));
    g_autoptr(Budget) budget = budget_new(path, 1000000, 1000000, NOON);
    (void)budget_count(budget, 0, 0, NOON);
    (void)budget_count(budget, 5000, 0, NOON);
    g_assert_cmpint(budget_left(budget), ==, 0);
    g_autofree char *text = budget_text(budget);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_autoptr(Budget) again = budget_new(path, 1000000, 1000000, NOON);
    g_assert_cmpint(budget_left(again), ==, 0);
    g_assert_cmpuint(budget_used_month(again), ==, G_MAXUINT64);
    g_clear_pointer(&budget, budget_free);
    g_clear_pointer(&again, budget_free);
    (void)g_unlink(path);
    (void)g_rmdir(folder);
}

static guint64 used_after(Budget *budget, guint64 *counter, gint64 utc_ns)
{
    *counter += 10;
    (void)budget_count(budget, *counter, 0, utc_ns);
    return budget_used_today(budget);
}

/* The file was left by a clock that was ten years ahead: that day gives nothing again, the days
 * that now come do, over restarts, whatever the clock says before it is set. */
static void test_future(void)
{
    g_autofree char *folder = g_dir_make_tmp("budget-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "budget-op1", NULL);
    static const char left[] =
        "[budget]\nday=20361101\nmonth=203611\nday_bytes=900\nmonth_bytes=900\n";
    const gint64 far = NOON + 3653 * DAY, farther = far + 400 * DAY, boot = NOON - 300 * DAY;
    g_assert_true(g_file_set_contents(path, left, -1, NULL));
    guint64 counter = 0;
    for (int day = 0; day < 29; day++) {
        g_autoptr(Budget) budget = budget_new(path, 1000, 0, boot);
        (void)budget_count(budget, counter, 0, boot);
        (void)used_after(budget, &counter, boot);
        (void)used_after(budget, &counter, far); /* wrong again: nothing new */
        g_assert_cmpuint(used_after(budget, &counter, NOON + day * DAY), ==, 10);
        g_assert_cmpuint(used_after(budget, &counter, boot), ==, 20);
        g_assert_cmpuint(used_after(budget, &counter, far), ==, 30);
        g_assert_cmpuint(used_after(budget, &counter, NOON + day * DAY), ==, 40);
        g_assert_cmpuint(budget_used_month(budget), ==, 40 + 60 * (guint64)day);
    }
    /* Farther ahead than ever is believed once, as any later day is. */
    Budget *budget = budget_new(path, 1000, 0, farther);
    g_assert_cmpuint(budget_used_today(budget), ==, 0);
    (void)budget_count(budget, counter, 0, farther);
    (void)used_after(budget, &counter, farther);
    budget_free(budget);
    budget = budget_new(path, 1000, 0, NOON + 28 * DAY);
    g_assert_cmpuint(budget_used_today(budget), ==, 10);
    (void)budget_count(budget, counter, 0, NOON + 29 * DAY);
    g_assert_cmpuint(budget_used_today(budget), ==, 0);
    g_assert_cmpuint(budget_used_month(budget), ==, 10);
    (void)used_after(budget, &counter, NOON + 29 * DAY);
    (void)budget_count(budget, counter, 0, NOON + 31 * DAY); /* December */
    g_assert_cmpuint(budget_used_month(budget), ==, 0);
    budget_free(budget);
    /* Marks from a file that are rubbish, or too many, and all ahead. */
    static const char many[] =
        "[budget]\nday=20370101\nmonth=203701\nday_bytes=900\n"
        "month_bytes=900\nmarks=-5;20380101;20370101;20360101;20350101;20340101;\n";
    g_assert_true(g_file_set_contents(path, many, -1, NULL));
    budget = budget_new(path, 1000, 0, NOON);
    g_assert_cmpuint(budget_used_today(budget), ==, 900);
    (void)budget_count(budget, counter, 0, NOON);
    g_assert_cmpuint(used_after(budget, &counter, NOON), ==, 910);
    budget_free(budget);
    budget = budget_new(path, 1000, 0, NOON + DAY);
    g_assert_cmpuint(budget_used_today(budget), ==, 0);
    budget_free(budget);
    g_unlink(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/budget/counts", test_counts);
    g_test_add_func("/budget/kept", test_kept);
    g_test_add_func("/budget/most", test_most);
    g_test_add_func("/budget/future", test_future);
    return g_test_run();
}
