/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/judge.h"
#include "analyzer/result.h"
#include "analyzer/stat.h"
#include "formats/records.h"

#include <math.h>
#include <string.h>

static const char profile_text[] =
    "[profile]\nid=t\ntitle=T\n"
    "[service any]\ntitle=Any\nquantity=state\nLTE=-120\nrequired=0.5\n"
    "threshold_source=x\nrequired_source=x\n"
    "[service lte]\ntitle=LTE\nquantity=level\nLTE=-105\nrequired=0.5\n"
    "threshold_source=x\nrequired_source=x\n"
    "[service nr]\ntitle=NR\nquantity=level\nNR=-110\nrequired=0.5\n"
    "threshold_source=x\nrequired_source=x\n"
    "[service often]\ntitle=Often\nquantity=level\nLTE=-104\nrequired=0.5\nmin_passes=3\n"
    "threshold_source=x\nrequired_source=x\n"
    "[service ping]\ntitle=Ping\nquantity=rtt\nlimit=100\nrequired=0.5\n"
    "threshold_source=x\nrequired_source=x\n";
enum { ANY, LTE, NR, OFTEN, PING, SERVICES };

static Profile *profile(void)
{
    g_autoptr(GError) error = NULL;
    Profile *p = profile_parse("t", profile_text, strlen(profile_text), &error);
    g_assert_no_error(error);
    return p;
}

/* One sample: channel and level, 20 m and 1 s of way and time. */
static void put(Cell *cell, LevelChannel channel, int level, unsigned n)
{
    LevelEntry e = {(uint8_t)channel, 0, (int16_t)level, n, 200 * n, 100 * n};
    level_histogram_add(&cell->levels, e);
    cell->head.n += n;
    cell->head.n_no_service += channel == CHANNEL_NO_SERVICE ? n : 0;
}

static Cell *new_cell(unsigned drive, unsigned source, double start_s, double end_s)
{
    Cell *cell = g_new(Cell, 1);
    cell_init(cell);
    cell->head.drive = drive;
    cell->head.source = source;
    cell->head.first_ns = (int64_t)(start_s * 1e9);
    cell->head.last_ns = (int64_t)(end_s * 1e9);
    return cell;
}

typedef struct {
    GPtrArray *cells;
    SegmentFigures f;
    ServiceResult r[SERVICES];
} Case;

static const uint32_t rank[8] = {0, 1, 2, 3, 4, 5, 6, 7};
static const JudgeGroup group = {50.0, 4.0, STAT_Z95};

static void judge(Case *c)
{
    g_autoptr(Profile) p = profile();
    g_autoptr(GArray) pass = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GPtrArray) all = g_ptr_array_copy(c->cells, NULL, NULL);
    judge_join(c->cells, rank, pass);
    judge_segment(c->cells, pass, p, &group, &c->f, c->r, NULL);
    for (guint i = 0; i < all->len; i++) {
        cell_clear(all->pdata[i]);
        g_free(all->pdata[i]);
    }
    g_ptr_array_unref(c->cells);
}

static void test_verdicts(void)
{
    static const struct {
        const char *name;
        LevelChannel channel;
        int level, n;
        Verdict any, lte;
        VerdictReason any_reason, lte_reason;
    } rows[] = {
        {"strong", CHANNEL_LTE, -80, 2, VERDICT_COVERED, VERDICT_COVERED, REASON_LEVEL,
         REASON_LEVEL},
        {"near", CHANNEL_LTE, -104, 2, VERDICT_COVERED, VERDICT_UNCERTAIN, REASON_LEVEL,
         REASON_NEAR},
        {"just below", CHANNEL_LTE, -106, 2, VERDICT_COVERED, VERDICT_UNCERTAIN, REASON_LEVEL,
         REASON_NEAR},
        {"weak", CHANNEL_LTE, -119, 2, VERDICT_UNCERTAIN, VERDICT_NOT_COVERED, REASON_FEW_SAMPLES,
         REASON_LEVEL},
        {"one without service", CHANNEL_NO_SERVICE, 0, 1, VERDICT_NOT_COVERED, VERDICT_NOT_COVERED,
         REASON_NO_SERVICE, REASON_NO_SERVICE},
        {"emergency only", CHANNEL_LIMITED, 0, 2, VERDICT_UNCERTAIN, VERDICT_NOT_COVERED,
         REASON_FEW_SAMPLES, REASON_LEVEL},
        {"other technology", CHANNEL_GSM, -70, 2, VERDICT_UNCERTAIN, VERDICT_UNCERTAIN,
         REASON_FEW_SAMPLES, REASON_NEAR},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Case c = {.cells = g_ptr_array_new()};
        Cell *cell = new_cell(0, 1, 0, 3);
        put(cell, rows[i].channel, rows[i].level, (unsigned)rows[i].n);
        g_ptr_array_add(c.cells, cell);
        judge(&c);
        g_test_message("%s: %s (%s), %s (%s)", rows[i].name, verdict_name(c.r[ANY].verdict),
                       reason_name(c.r[ANY].reason), verdict_name(c.r[LTE].verdict),
                       reason_name(c.r[LTE].reason));
        g_assert_cmpint(c.r[ANY].verdict, ==, rows[i].any);
        g_assert_cmpint(c.r[ANY].reason, ==, rows[i].any_reason);
        g_assert_cmpint(c.r[LTE].verdict, ==, rows[i].lte);
        g_assert_cmpint(c.r[LTE].reason, ==, rows[i].lte_reason);
        g_assert_cmpint(c.r[OFTEN].reason, ==, REASON_FEW_PASSES);
        g_assert_cmpint(c.r[PING].reason, ==, REASON_NOT_TESTED);
        g_assert_cmpuint(c.f.passes, ==, 1);
    }
}

/* Passes weigh the same however many samples they have; a long halt is one pass. */
static void test_passes(void)
{
    Case c = {.cells = g_ptr_array_new()};
    Cell *halt = new_cell(0, 1, 0, 600), *moving = new_cell(1, 1, 5000, 5003);
    put(halt, CHANNEL_LTE, -70, 600);
    put(moving, CHANNEL_LTE, -112, 4);
    g_ptr_array_add(c.cells, moving);
    g_ptr_array_add(c.cells, halt);
    /* the same pass, seen again after 60 s, and a third one an hour later */
    Cell *again = new_cell(1, 1, 5063, 5065), *later = new_cell(1, 1, 9000, 9001);
    put(again, CHANNEL_LTE, -112, 2);
    put(later, CHANNEL_LTE, -112, 1);
    g_ptr_array_add(c.cells, later);
    g_ptr_array_add(c.cells, again);
    judge(&c);
    g_assert_cmpuint(c.f.passes, ==, 3);
    g_assert_cmpuint(c.f.n, ==, 607);
    g_assert_cmpfloat_with_epsilon(c.r[LTE].share, 1.0 / 3.0, 1e-9);
    g_assert_cmpfloat(c.f.p50.dbm, ==, -112.0);
    g_assert_cmpfloat(c.f.p90.dbm, ==, -70.0);
    /* linear mean of -70, -112, -112 with equal weights */
    double mean = 10.0 * log10((1e-7 + 2.0 * pow(10, -11.2)) / 3.0);
    g_assert_cmpfloat_with_epsilon(c.f.level_mean, mean, 1e-9);
}

/* No service ranks below every level, and below the floor is no number either. */
static void test_ranks(void)
{
    Case c = {.cells = g_ptr_array_new()};
    Cell *cell = new_cell(0, 1, 0, 10);
    put(cell, CHANNEL_NO_SERVICE, 0, 2);
    put(cell, CHANNEL_FLOOR, -125, 4);
    put(cell, CHANNEL_LTE, -90, 4);
    g_ptr_array_add(c.cells, cell);
    judge(&c);
    g_assert_cmpint(c.f.p10.is, ==, LEVEL_NO_SERVICE);
    g_assert_cmpint(c.f.p50.is, ==, LEVEL_BELOW_FLOOR);
    g_assert_cmpint(c.f.p90.is, ==, LEVEL_VALUE);
    g_assert_cmpfloat(c.f.p90.dbm, ==, -90.0);
    g_assert_cmpfloat_with_epsilon(c.r[LTE].share, 0.4, 1e-9);
    g_assert_cmpfloat_with_epsilon(c.r[ANY].share, 0.8, 1e-9);
    g_assert_cmpfloat_with_epsilon(c.f.level_mean, -90.0, 1e-9);
}

/* Receivers of two floors: -110 twice and -120 twice below, six levels (T-K2); then with two
 * samples of no service, which rank below all. */
static void test_floors(void)
{
    static const int levels[] = {-90, -98, -104, -108, -115, -118};
    for (int silent = 0; silent < 2; silent++) {
        Case c = {.cells = g_ptr_array_new()};
        Cell *cell = new_cell(0, 1, 0, 3);
        for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++)
            put(cell, CHANNEL_LTE, levels[i], 1);
        put(cell, CHANNEL_FLOOR, -110, 2);
        put(cell, CHANNEL_FLOOR, -120, 2);
        if (silent)
            put(cell, CHANNEL_NO_SERVICE, 0, 2);
        g_ptr_array_add(c.cells, cell);
        judge(&c);
        g_assert_cmpint(c.f.p50.is, ==, LEVEL_VALUE);
        g_assert_cmpfloat(c.f.p50.dbm, ==, silent ? -118.0 : -115.0);
        g_assert_cmpint(c.f.p10.is, ==, silent ? LEVEL_NO_SERVICE : LEVEL_BELOW_FLOOR);
        g_assert_cmpint(c.f.p90.is, ==, LEVEL_VALUE);
        g_assert_cmpfloat(c.f.p90.dbm, ==, -98.0);
    }
}

/* A service of NR alone is judged on the NR leg, others on the anchor. */
static void test_nsa(void)
{
    Case c = {.cells = g_ptr_array_new()};
    Cell *cell = new_cell(0, 1, 0, 10);
    put(cell, CHANNEL_NSA, -90, 4);
    put(cell, CHANNEL_LTE, -90, 4);
    LevelEntry good = {.channel = CHANNEL_NR_LEG, .level_dbm = -100, .count = 3};
    LevelEntry bad = {.channel = CHANNEL_NR_LEG, .level_dbm = -118, .count = 1};
    level_histogram_add(&cell->levels, good);
    level_histogram_add(&cell->levels, bad);
    g_ptr_array_add(c.cells, cell);
    judge(&c);
    g_assert_cmpfloat_with_epsilon(c.r[LTE].share, 1.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(c.r[NR].share, 0.5 * 0.75, 1e-9);
    g_assert_cmpfloat_with_epsilon(c.f.share_of_rat[RAT_NR_NSA], 0.5, 1e-9);
}

static void test_ping(void)
{
    Case c = {.cells = g_ptr_array_new()};
    Cell *cell = new_cell(0, 1, 0, 19);
    cell_tally(cell, TALLY_RTT, cell_bucket(40.0), 15);
    cell_tally(cell, TALLY_RTT, cell_bucket(300.0), 3);
    cell_tally(cell, TALLY_RTT, TALLY_LOST, 2);
    g_ptr_array_add(c.cells, cell);
    judge(&c);
    g_assert_cmpfloat_with_epsilon(c.r[PING].share, 0.75, 1e-9);
    g_assert_cmpfloat_with_epsilon(c.f.loss_share, 0.1, 1e-9);
    g_assert_cmpfloat(fabs(c.f.rtt_p50 - 40.0), <, 0.5);
    g_assert_cmpfloat(fabs(c.f.rtt_p90 - 300.0), <, 3.1);
    g_assert_true(isnan(c.f.rtt_p95)); /* lost */
    g_assert_cmpint(c.r[PING].verdict, ==, VERDICT_COVERED);
    g_assert_cmpint(c.r[LTE].verdict, ==, VERDICT_NOT_MEASURED);
}

/* T-GP1 */
static void test_gaps(void)
{
    static const char line[] = "111001000111101110000011";
    uint8_t verdict[24];
    double length[24], total = 0, square = 0;
    for (int i = 0; i < 24; i++) {
        verdict[i] = line[i] == '1' ? VERDICT_COVERED : VERDICT_NOT_COVERED;
        length[i] = 100;
    }
    g_autoptr(GArray) gaps = g_array_new(FALSE, FALSE, sizeof(Gap));
    gaps_find(verdict, length, 24, gaps);
    static const double wanted[] = {200, 300, 100, 500};
    g_assert_cmpuint(gaps->len, ==, 4);
    for (guint i = 0; i < 4; i++) {
        double l = g_array_index(gaps, Gap, i).length_m;
        g_assert_cmpfloat(l, ==, wanted[i]);
        total += l;
        square += l * l;
    }
    g_assert_cmpfloat_with_epsilon(total / 2400, 0.458333, 1e-6);
    g_assert_cmpfloat_with_epsilon(total / 4, 275, 1e-9);
    g_assert_cmpfloat_with_epsilon(square / total, 354.545, 1e-3);
    g_assert_cmpfloat_with_epsilon(4 / 2.4 * 100, 166.67, 1e-2);

    /* two unknown segments do not end a gap, three do, and none hang on at its end */
    uint8_t bridged[] = {2, 0, 1, 2, 0, 0, 0, 2, 0, 3};
    g_array_set_size(gaps, 0);
    gaps_find(bridged, length, G_N_ELEMENTS(bridged), gaps);
    g_assert_cmpuint(gaps->len, ==, 2);
    g_assert_cmpfloat(g_array_index(gaps, Gap, 0).length_m, ==, 400);
    g_assert_cmpfloat(g_array_index(gaps, Gap, 0).unknown_m, ==, 200);
    g_assert_cmpfloat(g_array_index(gaps, Gap, 1).length_m, ==, 100);
}

/* Few false verdicts: levels at the very threshold, with fading and the error of the UE. */
static void test_false_rates(void)
{
    g_autoptr(Profile) p = profile();
    StatRandom random = {5};
    const double sigma = 4.0;
    unsigned covered = 0, not_covered = 0, tries = 4000;
    for (unsigned i = 0; i < tries; i++) {
        double ue = JUDGE_UE_SIGMA_DB * stat_random_normal(&random);
        unsigned n = 1 + (unsigned)stat_random_below(&random, 8);
        VerdictInput in = {.sigma_db = sigma, .n = n, .passes = 1, .days = 1};
        double rho = stat_correlation(20.0, 50.0), x = stat_random_normal(&random);
        for (unsigned k = 0; k < n; k++) {
            double margin = ue + sigma * x;
            in.share += (margin >= 0.0) / (double)n;
            in.margin_low += CLAMP(margin, -15.0, 15.0) / n;
            x = rho * x + sqrt(1.0 - rho * rho) * stat_random_normal(&random);
        }
        in.margin_high = in.margin_low;
        in.n_effective = judge_effective(n, 20.0 * n, 50.0);
        ServiceResult r;
        judge_verdict(&in, &p->services[LTE], STAT_Z95, &r);
        covered += r.verdict == VERDICT_COVERED;
        not_covered += r.verdict == VERDICT_NOT_COVERED;
    }
    g_test_message("false covered %.2f %%, false not covered %.2f %%", 100.0 * covered / tries,
                   100.0 * not_covered / tries);
    g_assert_cmpuint(covered, <, tries / 20);
    g_assert_cmpuint(not_covered, <, tries / 20);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/judge/verdicts", test_verdicts);
    g_test_add_func("/judge/passes", test_passes);
    g_test_add_func("/judge/ranks", test_ranks);
    g_test_add_func("/judge/nsa", test_nsa);
    g_test_add_func("/judge/floors", test_floors);
    g_test_add_func("/judge/ping", test_ping);
    g_test_add_func("/judge/gaps", test_gaps);
    g_test_add_func("/judge/false-rates", test_false_rates);
    return g_test_run();
}
