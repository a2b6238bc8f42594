/* SPDX-License-Identifier: Apache-2.0 */
/* Do intervals and verdicts keep what they state? Made corridors whose true share is known, with
 * shadows that fade along the line, noise, and drives that differ. 2,000 corridors a row with
 * CORRIDOR_LONG set, else 200. Seeds are fixed; the figures stand in docs/method.md. */
#include "analyzer/judge.h"
#include "analyzer/stat.h"

#include <math.h>
#include <stdio.h>

#define PIECE_M   100.0
#define SHADOW_DB 8.0
#define FAST_DB   3.0

static gboolean is_long(void)
{
    return g_getenv("CORRIDOR_LONG") != NULL;
}

static unsigned corridors(void)
{
    return is_long() ? 2000 : 200;
}

/* Limits for a rate out of 2,000 corridors; with 200 chance takes more room. */
static void expect_rate(const char *what, double rate, double low, double high)
{
    double room = is_long() ? 0.0 : 0.035;
    g_test_message("%s: %.2f %%", what, 100.0 * rate);
    g_assert_cmpfloat(rate, >=, low - room);
    g_assert_cmpfloat(rate, <=, fmin(1.0, high + room));
}

/* ---- one drive: blocks along the line ---- */

typedef struct {
    size_t n;
    double *good, *all;
    float *level;
} Line;

static Line line_new(size_t n)
{
    return (Line){n, g_new(double, n), g_new(double, n), g_new(float, n)};
}

static void line_clear(Line *line)
{
    g_free(line->good);
    g_free(line->all);
    g_free(line->level);
}

/* Four samples in each segment; the threshold is 0 dB. */
static void drive_along(Line *line, double mean_db, double distance_m, StatRandom *random)
{
    double rho = exp(-PIECE_M / distance_m), shadow = stat_random_normal(random);
    for (size_t i = 0; i < line->n; i++) {
        double good = 0.0, sum = 0.0;
        if (i > 0)
            shadow = rho * shadow + sqrt(1.0 - rho * rho) * stat_random_normal(random);
        for (int k = 0; k < 4; k++) {
            double level = mean_db + SHADOW_DB * shadow + FAST_DB * stat_random_normal(random);
            good += level >= 0.0 ? 0.25 : 0.0;
            sum += level;
        }
        line->good[i] = good * PIECE_M;
        line->all[i] = PIECE_M;
        line->level[i] = (float)(sum / 4.0);
    }
}

static void test_blocks(void)
{
    static const struct {
        double km, distance_m, share, low, high;
    } rows[] = {
        {100, 50, 0.50, 0.94, 0.965}, {100, 50, 0.90, 0.94, 0.965}, {100, 50, 0.97, 0.94, 0.965},
        {100, 150, 0.50, 0.94, 0.96}, {100, 150, 0.90, 0.94, 0.96}, {100, 300, 0.50, 0.94, 0.96},
        {100, 300, 0.90, 0.94, 0.96}, {300, 300, 0.90, 0.94, 0.96}, {100, 500, 0.50, 0.94, 0.96},
    };
    for (unsigned r = 0; r < G_N_ELEMENTS(rows); r++) {
        Line line = line_new((size_t)(rows[r].km * 1000.0 / PIECE_M));
        double mean = stat_normal_quantile(rows[r].share) * hypot(SHADOW_DB, FAST_DB);
        unsigned held = 0, held_wilson = 0;
        for (unsigned c = 0; c < corridors(); c++) {
            StatRandom random = {1000 * r + c};
            size_t known;
            drive_along(&line, mean, rows[r].distance_m, &random);
            double dc = stat_decorrelation_levels(line.level, line.n, PIECE_M, &known);
            StatShare s =
                stat_share_interval(line.good, line.all, line.n, PIECE_M, dc, 500.0, 400, c + 1);
            StatInterval w = stat_wilson(s.share, s.n_effective, STAT_Z95);
            held += s.ci.low <= rows[r].share && rows[r].share <= s.ci.high;
            held_wilson += w.low <= rows[r].share && rows[r].share <= w.high;
        }
        g_autofree char *what = g_strdup_printf(
            "blocks: %.0f km, distance %.0f m, share %.2f (Wilson %.2f %%)", rows[r].km,
            rows[r].distance_m, rows[r].share, 100.0 * held_wilson / corridors());
        expect_rate(what, (double)held / corridors(), rows[r].low, rows[r].high);
        line_clear(&line);
    }
}

/* The exact test of "98 % of the claimed places have it" on corridors where 98 % have: neither
 * answer may come more often than its level, 5 %. */
static void test_decisions(void)
{
    static const double distances[] = {50, 150, 300};
    for (unsigned r = 0; r < G_N_ELEMENTS(distances); r++) {
        Line line = line_new(1000);
        double mean = stat_normal_quantile(0.98) * hypot(SHADOW_DB, FAST_DB);
        unsigned confirmed = 0, contradicted = 0;
        for (unsigned c = 0; c < corridors(); c++) {
            StatRandom random = {50000 + 3000 * r + c};
            size_t known;
            drive_along(&line, mean, distances[r], &random);
            double dc = stat_decorrelation_levels(line.level, line.n, PIECE_M, &known);
            StatShare s =
                stat_share_interval(line.good, line.all, line.n, PIECE_M, dc, 1000.0, 10, 1);
            int64_t n = (int64_t)floor(s.n_effective);
            StatDecision d = stat_decide(s.share * (double)n, n, 0.98, 0.05, NULL);
            confirmed += d == STAT_CONFIRMED;
            contradicted += d == STAT_CONTRADICTED;
        }
        g_autofree char *what = g_strdup_printf("claims: distance %.0f m, falsely", distances[r]);
        g_autofree char *yes = g_strconcat(what, " confirmed", NULL);
        g_autofree char *no = g_strconcat(what, " contradicted", NULL);
        expect_rate(yes, (double)confirmed / corridors(), 0.0, 0.05);
        expect_rate(no, (double)contradicted / corridors(), 0.0, 0.05);
        line_clear(&line);
    }
}

/* ---- several drives over the same line: two levels ---- */

static void test_drives(void)
{
    static const struct {
        unsigned drives;
        double drive_db, mean_db, low, high;
    } rows[] = {
        {3, 2.5, 3.0, 0.94, 0.96},
        {6, 2.5, 3.0, 0.94, 0.96},
        {12, 4.0, 0.0, 0.94, 0.96},
        {6, 0.0, 3.0, 0.94, 1.0}, /* drives alike: what is open inside is the floor */
    };
    const size_t n = 300;
    g_autofree double *place = g_new(double, n);
    for (unsigned r = 0; r < G_N_ELEMENTS(rows); r++) {
        unsigned held = 0, k = rows[r].drives;
        g_autofree double *share = g_new(double, n *k);
        for (unsigned c = 0; c < corridors(); c++) {
            StatRandom random = {90000 + 5000 * r + c};
            double truth = 0.0, rho = exp(-PIECE_M / 150.0), shadow = stat_random_normal(&random);
            for (size_t i = 0; i < n; i++) {
                shadow = rho * shadow + sqrt(1.0 - rho * rho) * stat_random_normal(&random);
                place[i] = rows[r].mean_db + SHADOW_DB * shadow;
                truth += stat_normal_cdf(place[i] / hypot(rows[r].drive_db, FAST_DB)) / (double)n;
            }
            for (unsigned d = 0; d < k; d++) {
                double off = rows[r].drive_db * stat_random_normal(&random);
                for (size_t i = 0; i < n; i++) {
                    share[d * n + i] = 0.0;
                    for (int s = 0; s < 4; s++)
                        share[d * n + i] +=
                            place[i] + off + FAST_DB * stat_random_normal(&random) >= 0.0 ? 0.25
                                                                                          : 0.0;
                }
            }
            double mean = 0.0, within = 0.0;
            g_autofree double *apart = g_new0(double, k);
            for (size_t i = 0; i < n; i++) {
                double p = 0.0;
                for (unsigned d = 0; d < k; d++)
                    p += share[d * n + i] / k;
                for (unsigned d = 0; d < k; d++)
                    apart[d] += (share[d * n + i] - p) / k / (double)n;
                mean += p / (double)n;
                within += p * (1.0 - p) / (4.0 * k) / (double)n / (double)n;
            }
            StatInterval ci = stat_share_drives(mean, apart, k, sqrt(within));
            held += ci.low <= truth && truth <= ci.high;
        }
        g_autofree char *what = g_strdup_printf("drives: %u, %.1f dB apart", k, rows[r].drive_db);
        expect_rate(what, (double)held / corridors(), rows[r].low, rows[r].high);
    }
}

/* ---- verdicts of segments ---- */

typedef struct {
    unsigned passes, samples;
    double drive_db;
} Plan;

/* Judges one made segment whose levels lie `margin_db` above the threshold in the middle. */
static ServiceResult judge_made(const Plan *plan, const Profile *profile, guint service,
                                double threshold_dbm, double margin_db, const JudgeGroup *group,
                                StatRandom *random)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new();
    g_autoptr(GArray) pass = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autofree uint32_t *rank = g_new(uint32_t, plan->passes);
    double step = PIECE_M / plan->samples, rho = exp(-step / group->decorrelation_m);
    for (unsigned p = 0; p < plan->passes; p++) {
        Cell *cell = g_new(Cell, 1);
        cell_init(cell);
        rank[p] = p;
        cell->head.drive = p;
        cell->head.first_ns = (int64_t)p * 86400 * 1000000000;
        cell->head.last_ns = cell->head.first_ns + 4 * INT64_C(1000000000);
        double off = plan->drive_db * stat_random_normal(random), x = stat_random_normal(random);
        for (unsigned s = 0; s < plan->samples; s++) {
            if (s > 0)
                x = rho * x + sqrt(1.0 - rho * rho) * stat_random_normal(random);
            double level = threshold_dbm + margin_db + off + group->sigma_db * x;
            LevelEntry e = {.channel = CHANNEL_LTE,
                            .level_dbm = (int16_t)floor(level + 0.5),
                            .count = 1,
                            .way_dm = (uint32_t)(step * 10.0),
                            .time_cs = 100};
            level_histogram_add(&cell->levels, e);
            cell->head.n++;
            cell->head.n_level++;
        }
        g_ptr_array_add(cells, cell);
    }
    judge_join(cells, rank, pass);
    SegmentFigures figures;
    g_autofree ServiceResult *results = g_new(ServiceResult, profile->n_services);
    judge_segment(cells, pass, profile, group, &figures, results, NULL);
    for (guint i = 0; i < cells->len; i++) {
        cell_clear(cells->pdata[i]);
        g_free(cells->pdata[i]);
    }
    return results[service];
}

/* Half of the way is required, and the middle of the levels lies on the threshold or beside it: a
 * verdict for the wrong side is false. On the threshold itself either is counted for its side. */
static void test_verdicts(void)
{
    static const Plan plans[] = {{1, 5, 0.0}, {1, 20, 0.0}, {3, 5, 2.5}, {5, 5, 2.5}, {10, 5, 2.5}};
    static const double margins[] = {0.0, 0.5, 1.0, 2.0};
    g_autoptr(GError) error = NULL;
    g_autoptr(Profile) profile = profile_load("default", &error);
    g_assert_no_error(error);
    guint service = 0;
    while (service < profile->n_services && profile->services[service].quantity != QUANTITY_LEVEL)
        service++;
    g_assert_cmpuint(service, <, profile->n_services);
    double threshold = profile->services[service].level_dbm[TECH_LTE];
    const JudgeGroup group = {.decorrelation_m = 50.0, .sigma_db = 4.0, .z = STAT_Z95};
    for (unsigned p = 0; p < G_N_ELEMENTS(plans); p++)
        for (unsigned m = 0; m < G_N_ELEMENTS(margins); m++) {
            unsigned false_covered = 0, false_not = 0, n = 2 * corridors();
            for (unsigned i = 0; i < n; i++) {
                StatRandom random = {700000 + 10000 * p + i};
                /* levels are rounded half up: half a dB less than the threshold still reaches it */
                false_covered += judge_made(&plans[p], profile, service, threshold,
                                            -margins[m] - 0.5, &group, &random)
                                     .verdict == VERDICT_COVERED;
                false_not += judge_made(&plans[p], profile, service, threshold, margins[m] - 0.5,
                                        &group, &random)
                                 .verdict == VERDICT_NOT_COVERED;
            }
            g_autofree char *what = g_strdup_printf(
                "%u passes of %u samples, %.1f dB from the threshold: false covered, false not",
                plans[p].passes, plans[p].samples, margins[m]);
            expect_rate(what, (double)false_covered / n, 0.0, 0.05);
            expect_rate(what, (double)false_not / n, 0.0, 0.05);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/intervals/blocks", test_blocks);
    g_test_add_func("/intervals/decisions", test_decisions);
    g_test_add_func("/intervals/drives", test_drives);
    g_test_add_func("/intervals/verdicts", test_verdicts);
    return g_test_run();
}
