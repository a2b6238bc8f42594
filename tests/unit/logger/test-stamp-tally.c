/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/stamp-tally.h"

#include <math.h>
#include <string.h>

#define MS     G_GINT64_CONSTANT(1000000)
#define SECOND (1000 * MS)
#define FAR    G_GINT64_CONSTANT(77000000000) /* offset of the reflector's clock */

typedef struct {
    StampInterval intervals[200];
    unsigned n, trips;
} Out;

static void collect(const StampInterval *interval, gpointer data)
{
    Out *out = data;
    out->intervals[out->n++] = *interval;
}

static void on_trip(const StampRoundTrip *trip, gpointer data)
{
    if (trip->answered)
        g_assert_cmpint(trip->rtt_ns, ==, trip->up_ns + trip->down_ns);
    ((Out *)data)->trips++;
}

/* Which packets are lost on the way up, and which numbers the reflector gives the others: every
 * 40th is overtaken by the two after it. */
static void plan_up(double share, gboolean *lost, guint32 *number, int n)
{
    guint32 next = 0;
    for (int i = 0; i < n; i++)
        lost[i] = i > 0 && i < n - 1 && g_test_rand_double() < share;
    for (int i = 0; i < n; i++) {
        gboolean held = i % 40 == 10 && i + 2 < n;
        for (int k = held ? 1 : 0; held ? k <= 3 : k < 1; k++) {
            int at = i + (held ? k % 3 : 0);
            if (!lost[at])
                number[at] = next++;
        }
        i += held ? 2 : 0;
    }
}

/* Every loss, reordering and duplicate of a random channel is counted exactly, per interval and per
 * way, as the slow version that knows the truth counts them. */
static void test_exact(void)
{
    enum { N = 3000 };
    for (int round = 0; round < 20; round++) {
        static Out out;
        static gboolean lost_up[N], lost_down[N], late[N];
        static guint32 up_order[N];
        memset(&out, 0, sizeof out);
        g_autoptr(StampTally) tally = stamp_tally_new(0, SECOND, collect, &out);
        stamp_tally_watch(tally, on_trip, &out);
        double share = round * 0.01;
        gint64 held_at = -1;
        guint32 held_reflector = 0;
        unsigned reordered = 0, duplicates = 0;
        plan_up(share, lost_up, up_order, N);
        for (int i = 0; i < N; i++) {
            gint64 now = i * 20 * MS;
            lost_down[i] = i > 0 && i < N - 1 && !lost_up[i] && g_test_rand_double() < share;
            late[i] = held_at < 0 && i % 50 == 30 && !lost_up[i] && !lost_down[i];
            stamp_tally_sent(tally, (guint32)i, now, now);
            stamp_tally_stamped(tally, (guint32)i, now + MS / 10);
            /* every 40th packet is overtaken on the way up by the two after it */
            guint32 number = lost_up[i] ? 0 : up_order[i];
            if (late[i]) { /* its answer comes after the next one's */
                held_at = i;
                held_reflector = number;
            } else if (!lost_up[i] && !lost_down[i]) {
                g_assert_true(stamp_tally_answer(tally, (guint32)i, number, now + 10 * MS + FAR,
                                                 now + 11 * MS + FAR, now + 20 * MS, FALSE));
                if (i % 97 == 0) {
                    g_assert_false(stamp_tally_answer(tally, (guint32)i, number, 0, 0, now, FALSE));
                    duplicates++;
                }
                if (held_at >= 0) {
                    g_assert_true(stamp_tally_answer(tally, (guint32)held_at, held_reflector,
                                                     now + FAR, now + FAR, now + 25 * MS, FALSE));
                    held_at = -1;
                    reordered++;
                }
            }
            stamp_tally_advance(tally, now);
        }
        stamp_tally_finish(tally, N * 20 * MS);
        StampTotals totals = stamp_tally_totals(tally);
        unsigned up = 0, down = 0;
        for (int i = 0; i < N; i++) {
            up += lost_up[i] != FALSE;
            down += lost_down[i] != FALSE;
        }
        g_assert_cmpuint(totals.sent, ==, N);
        g_assert_cmpuint(totals.received, ==, N - up - down);
        g_assert_cmpuint(totals.lost_up, ==, up);
        g_assert_cmpuint(totals.lost_down, ==, down);
        g_assert_cmpuint(totals.lost_unknown, ==, 0);
        g_assert_cmpuint(totals.reordered, ==, reordered);
        g_assert_cmpuint(totals.duplicates, ==, duplicates);
        g_assert_cmpuint(out.n, ==, N / 50);
        g_assert_cmpuint(out.trips, ==, N);
        for (unsigned second = 0; second < out.n; second++) {
            const StampInterval *interval = &out.intervals[second];
            unsigned lost = 0;
            for (unsigned i = second * 50; i < second * 50 + 50; i++)
                lost += lost_up[i] || lost_down[i];
            g_assert_cmpuint(interval->sent, ==, 50);
            g_assert_cmpuint(interval->received, ==, 50 - lost);
            g_assert_true(interval->ways_known);
            g_assert_cmpuint(interval->lost_up + interval->lost_down, ==, lost);
            g_assert_cmpfloat_with_epsilon(interval->rtt_min_ms, 18.9, 1e-6);
        }
    }
}

static void test_outage(void)
{
    static Out out;
    memset(&out, 0, sizeof out);
    g_autoptr(StampTally) tally = stamp_tally_new(0, SECOND, collect, &out);
    for (guint32 i = 0; i < 500; i++) {
        gint64 now = i * 20 * MS;
        stamp_tally_sent(tally, i, now, now);
        if (i < 100 || i >= 350)
            g_assert_true(stamp_tally_answer(tally, i, i, now, now, now + MS, FALSE));
        if (i == 340)
            stamp_tally_restart(tally); /* another socket: the reflector counts anew */
        stamp_tally_advance(tally, now);
    }
    stamp_tally_finish(tally, 500 * 20 * MS);
    g_assert_cmpuint(out.n, ==, 10);
    for (unsigned i = 2; i < 7; i++) {
        g_assert_cmpuint(out.intervals[i].sent, ==, 50);
        g_assert_cmpuint(out.intervals[i].received, ==, 0);
        g_assert_false(out.intervals[i].ways_known);
        g_assert_true(isnan(out.intervals[i].rtt_ms));
        g_assert_cmpuint(out.intervals[i].longest_loss, ==, 50);
    }
    g_assert_cmpuint(stamp_tally_totals(tally).lost_unknown, ==, 250);
}

static void test_refused(void)
{
    static Out out;
    memset(&out, 0, sizeof out);
    g_autoptr(StampTally) tally = stamp_tally_new(0, SECOND, collect, &out);
    g_assert_false(stamp_tally_answer(tally, 0, 0, 0, 0, 0, FALSE)); /* never sent */
    stamp_tally_sent(tally, 0, 0, 5 * SECOND);
    g_assert_cmpint(stamp_tally_sent_time(tally, 0), ==, 5 * SECOND);
    g_assert_cmpint(stamp_tally_sent_time(tally, 1), ==, 0);
    g_assert_false(stamp_tally_answer(tally, 0, 0, 0, 0, 8 * SECOND, FALSE)); /* too late */
    g_assert_true(stamp_tally_answer(tally, 0, 0, 0, 0, 6 * SECOND, FALSE));
    g_assert_false(stamp_tally_answer(tally, 0, 0, 0, 0, 6 * SECOND, FALSE)); /* twice */
    stamp_tally_sent(tally, 1, MS, 5 * SECOND);
    stamp_tally_finish(tally, 2 * MS); /* the second one is still on its way */
    g_assert_cmpuint(out.n, ==, 1);
    g_assert_cmpuint(out.intervals[0].sent, ==, 1);
    /* The ring is bounded: many packets without any advance do not overrun it. */
    for (guint32 i = 1; i < 3 * STAMP_TALLY_SLOTS; i++)
        stamp_tally_sent(tally, i, i * MS, i * MS);
    stamp_tally_finish(tally, 100000 * SECOND);
    g_assert_cmpuint(stamp_tally_totals(tally).sent, ==, 3 * STAMP_TALLY_SLOTS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stamp-tally/exact", test_exact);
    g_test_add_func("/stamp-tally/outage", test_outage);
    g_test_add_func("/stamp-tally/refused", test_refused);
    return g_test_run();
}
