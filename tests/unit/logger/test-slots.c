/* SPDX-License-Identifier: Apache-2.0 */
/* Every slot without a sample is counted once, under its reason, and told once. */
#include "logger/slots.h"

#include <glib.h>
#include <stdint.h>

#define S INT64_C(1000000000)

typedef struct {
    guint calls, n;
    gint64 since_ns;
    char *why;
} Told;

static void tell(gpointer data, gint64 since_ns, guint n, const char *why)
{
    Told *told = data;
    told->calls++;
    told->n += n;
    told->since_ns = since_ns;
    g_free(told->why);
    told->why = g_strdup(why);
}

static void test_nothing_lost(void)
{
    Slots slots = {.open = 0};
    Told told = {.calls = 0};
    for (gint64 t = 1; t < 100; t++) {
        slots_ask(&slots, 1, t * S);
        slots_fill(&slots);
        slots_tell(&slots, t * S, FALSE, tell, &told);
    }
    /* Two at a time, in and out. */
    slots_ask(&slots, 1, 100 * S);
    slots_ask(&slots, 2, 101 * S);
    slots_fill(&slots);
    slots_ask(&slots, 2, 102 * S);
    slots_fill(&slots);
    slots_fill(&slots);
    slots_fill(&slots); /* an answer that nobody asked for */
    slots_ask(&slots, 1, 103 * S);
    slots_tell(&slots, 200 * S, TRUE, tell, &told);
    g_assert_cmpuint(told.calls, ==, 0);
}

static void test_reasons(void)
{
    Slots slots = {.open = 0};
    Told told = {.calls = 0};
    slots_lose(&slots, SLOT_LATE, 0, 1 * S);
    slots_lose(&slots, SLOT_LATE, 3, 2 * S);
    slots_ask(&slots, 1, 3 * S);
    slots_lose(&slots, SLOT_UNANSWERED, 1, 4 * S);
    slots_ask(&slots, 1, 5 * S); /* the one before ended without a sample */
    slots_fill(&slots);
    slots_tell(&slots, 11 * S, FALSE, tell, &told);
    g_assert_cmpuint(told.calls, ==, 0); /* not yet 10 s */
    slots_tell(&slots, 12 * S, FALSE, tell, &told);
    g_assert_cmpuint(told.calls, ==, 1);
    g_assert_cmpuint(told.n, ==, 5);
    g_assert_cmpint(told.since_ns, ==, 2 * S);
    g_assert_cmpstr(told.why, ==,
                    "3 asked late, 1 no answer yet to two questions before, "
                    "1 no levels in the answer");
    slots_tell(&slots, 50 * S, TRUE, tell, &told);
    g_assert_cmpuint(told.calls, ==, 1);
    /* A modem that is opened anew owes nothing for the time before. */
    slots_ask(&slots, 1, 60 * S);
    slots_restart(&slots);
    slots_ask(&slots, 1, 70 * S);
    slots_fill(&slots);
    slots_tell(&slots, 90 * S, TRUE, tell, &told);
    g_assert_cmpuint(told.calls, ==, 1);
    g_free(told.why);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/slots/nothing-lost", test_nothing_lost);
    g_test_add_func("/slots/reasons", test_reasons);
    return g_test_run();
}
