/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/judge.h"

#include "analyzer/bin-state.h"
#include "analyzer/judge-level.h"
#include "analyzer/stat.h"
#include "formats/records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NS (INT64_C(86400) * 1000000000)

static const char *const level_names[] = {"value", "no service", "below floor", "not measured"};

const char *level_is_name(LevelIs is)
{
    return level_names[is];
}

/* ---- joining ---- */

static int by_source(const void *a, const void *b, void *user_data)
{
    const CellHead *x = &(*(Cell *const *)a)->head, *y = &(*(Cell *const *)b)->head;
    const uint32_t *rank = user_data;
    if (rank[x->drive] != rank[y->drive])
        return rank[x->drive] < rank[y->drive] ? -1 : 1;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
}

static int by_time(const void *a, const void *b, void *user_data)
{
    const CellHead *x = &(*(Cell *const *)a)->head, *y = &(*(Cell *const *)b)->head;
    const uint32_t *rank = user_data;
    if (rank[x->drive] != rank[y->drive])
        return rank[x->drive] < rank[y->drive] ? -1 : 1;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return (x->source > y->source) - (x->source < y->source);
}

void judge_join(GPtrArray *cells, const uint32_t *rank, GArray *pass)
{
    g_array_set_size(pass, 0);
    if (cells->len == 0)
        return;
    qsort_r(cells->pdata, cells->len, sizeof(Cell *), by_source, (void *)(uintptr_t)rank);
    guint kept = 1;
    for (guint i = 1; i < cells->len; i++) {
        Cell *last = cells->pdata[kept - 1], *cell = cells->pdata[i];
        if (last->head.drive == cell->head.drive && last->head.source == cell->head.source &&
            cell->head.first_ns - last->head.last_ns <= BIN_PASS_GAP_NS) {
            cell_merge(last, cell);
            cell_clear(cell);
        } else {
            cells->pdata[kept++] = cell;
        }
    }
    cells->len = kept;
    qsort_r(cells->pdata, cells->len, sizeof(Cell *), by_time, (void *)(uintptr_t)rank);
    int64_t end_ns = 0;
    uint32_t number = 0;
    for (guint i = 0; i < cells->len; i++) {
        const CellHead *h = &((Cell *)cells->pdata[i])->head;
        if (i == 0 || h->drive != ((Cell *)cells->pdata[i - 1])->head.drive) {
            number = 1;
            end_ns = h->last_ns;
        } else if (h->first_ns - end_ns > BIN_PASS_GAP_NS) {
            number++;
        }
        end_ns = MAX(end_ns, h->last_ns);
        g_array_append_val(pass, number);
    }
}

/* ---- passes ---- */

/* Cells i to end - 1 as one pass, which stays where it is: it may point to its own levels. */
static void set_pass(JudgePass *p, const GPtrArray *cells, guint i, guint end,
                     const JudgeGroup *group)
{
    *p = (JudgePass){.first_cell = i, .end_cell = end};
    p->levels = end - i > 1 ? &p->joined : &((const Cell *)cells->pdata[i])->levels;
    for (guint k = i; k < end; k++) {
        const Cell *cell = cells->pdata[k];
        p->n += cell->head.n;
        if (end - i > 1)
            level_histogram_merge(&p->joined, &cell->levels);
        for (uint32_t e = 0; e < cell->levels.n; e++) {
            p->time_cs += cell->levels.entry[e].time_cs;
            if (cell->levels.entry[e].channel != CHANNEL_NR_LEG)
                p->way_dm += cell->levels.entry[e].way_dm;
        }
    }
    p->n_effective =
        judge_effective((double)p->n, (double)p->way_dm / 10.0, group->decorrelation_m);
}

static void free_pass(void *pass)
{
    level_histogram_clear(&((JudgePass *)pass)->joined);
}

/* ---- figures of counts ---- */

static double finite_or_nan(double x)
{
    return isfinite(x) ? x : (double)NAN;
}

static void log_percentiles(const Tally *tally, TallyKind kind, const double *p, double **out,
                            unsigned n)
{
    LogHistogram h = {0};
    cell_log_histogram(tally, kind, &h);
    for (unsigned i = 0; i < n; i++)
        *out[i] = finite_or_nan(log_histogram_percentile(&h, p[i]));
    log_histogram_clear(&h);
}

static void reason_text(const Tally *tally, char *text, size_t size)
{
    uint32_t count[BIN_REASONS] = {0};
    for (guint i = 0; i < tally->n; i++) {
        const TallyEntry *e = &tally->entry[i];
        if (e->kind == TALLY_REASON && e->value >= 0 && e->value < BIN_REASONS)
            count[e->value] += e->count;
    }
    text[0] = '\0';
    for (;;) {
        int most = 0;
        for (int i = 1; i < BIN_REASONS; i++)
            if (count[i] > count[most])
                most = i;
        if (count[most] == 0)
            return;
        if (text[0] != '\0')
            g_strlcat(text, ",", size);
        g_strlcat(text, bin_reason_name(most), size);
        count[most] = 0;
    }
}

static void tally_figures(const Tally *t, SegmentFigures *f)
{
    static const double rtt[] = {0.5, 0.9, 0.95}, rate[] = {0.1, 0.5, 0.9}, half[] = {0.5, 0.9};
    log_percentiles(t, TALLY_RTT, rtt, (double *[]){&f->rtt_p50, &f->rtt_p90, &f->rtt_p95}, 3);
    log_percentiles(t, TALLY_JITTER, half, (double *[]){&f->jitter_p50, &f->jitter_p90}, 2);
    log_percentiles(t, TALLY_DOWN, rate, (double *[]){&f->down_p10, &f->down_p50, &f->down_p90}, 3);
    log_percentiles(t, TALLY_UP, rate, (double *[]){&f->up_p10, &f->up_p50, &f->up_p90}, 3);
    log_percentiles(t, TALLY_PASSIVE_DOWN, half, (double *[]){&f->passive_down_p50}, 1);
    log_percentiles(t, TALLY_PASSIVE_UP, half, (double *[]){&f->passive_up_p50}, 1);
    f->down_n = cell_tally_count(t, TALLY_DOWN);
    f->up_n = cell_tally_count(t, TALLY_UP);
    f->rtt_n = cell_tally_count(t, TALLY_RTT);
    uint64_t lost = 0;
    f->meeting_n = cell_tally_count(t, TALLY_GRADE);
    f->band = cell_tally_most(t, TALLY_BAND);
    for (guint i = 0; i < t->n; i++) {
        const TallyEntry *e = &t->entry[i];
        if (e->kind == TALLY_RTT && e->value == TALLY_LOST)
            lost += e->count;
        if (e->kind == TALLY_GRADE && e->value >= 1 && e->value <= 4)
            f->meeting[e->value] = (double)e->count / (double)f->meeting_n;
    }
    f->loss_share = f->rtt_n > 0 ? (double)lost / (double)f->rtt_n : (double)NAN;
    f->mos_p50 = cell_tally_percentile(t, TALLY_MOS, 0.5) / 100.0;
    f->nr_level_p50 = cell_tally_percentile(t, TALLY_NR_LEVEL, 0.5);
    f->rsrq_p10 = cell_tally_percentile(t, TALLY_RSRQ, 0.1) / 2.0;
    f->rsrq_p50 = cell_tally_percentile(t, TALLY_RSRQ, 0.5) / 2.0;
    f->sinr_p10 = cell_tally_percentile(t, TALLY_SINR, 0.1) / 2.0;
    f->sinr_p50 = cell_tally_percentile(t, TALLY_SINR, 0.5) / 2.0;
    reason_text(t, f->reasons, sizeof f->reasons);
}

static void head_figures(const CellHead *h, SegmentFigures *f)
{
    f->n = h->n;
    f->n_level = h->n_level;
    f->n_no_service = h->n_no_service;
    f->n_limited = h->n_limited;
    f->n_missing = h->n_missing;
    f->n_interpolated = h->n_interpolated;
    f->position_m = h->position_dm / 10.0;
    f->first_ns = h->first_ns;
    f->last_ns = h->last_ns;
    f->cell_changes = h->cell_changes;
    f->rat_changes = h->rat_changes;
    f->short_stays = h->short_stays;
    f->outages = h->outages;
    f->tests = h->tests;
    f->tests_failed = h->tests_failed;
    f->tests_skipped = h->tests_skipped;
}

/* ---- services ---- */

/* Two levels: the spread between passes, where there are enough to see it, limits what their
 * samples are worth together. */
static double between_passes(const double *share, guint k, double mean, double within)
{
    if (k < 3)
        return within;
    double square = 0.0;
    for (guint i = 0; i < k; i++)
        square += (share[i] - mean) * (share[i] - mean);
    double variance = square / (k - 1) / k;
    if (!(variance > 0.0))
        return within;
    return CLAMP(mean * (1.0 - mean) / variance, 1.0, within);
}

static int grey_of(const SegmentFigures *f, const Service *s)
{
    static const int tech[RAT_COUNT] = {TECH_LTE, TECH_LTE, TECH_GSM, TECH_UMTS,
                                        TECH_LTE, TECH_LTE, TECH_NR};
    if (s->quantity != QUANTITY_LEVEL || f->p50.is != LEVEL_VALUE || f->rat < 0)
        return -1;
    double level = f->p50.dbm;
    int t = tech[f->rat];
    if (f->rat == RAT_NR_NSA && !s->has_level[TECH_LTE]) {
        t = TECH_NR;
        level = f->nr_level_p50;
    }
    if (!s->has_level[t] || isnan(level))
        return -1;
    return fabs(level - s->level_dbm[t]) <= JUDGE_GREY_DB;
}

/* Shares of the cells of passes of several receivers; a pass of one cell has its share. */
static void share_cells(const GPtrArray *cells, const JudgePass *pass, const Service *s,
                        double pass_share, double *share)
{
    for (guint i = pass->first_cell; share != NULL && i < pass->end_cell; i++) {
        ServiceTally t;
        share[i] = pass_share;
        if (pass->end_cell - pass->first_cell == 1)
            return;
        judge_tally(&((const Cell *)cells->pdata[i])->levels, s, 0.0, &t);
        share[i] = t.all > 0.0 ? t.good / t.all : (double)NAN;
    }
}

static void judge_radio(const GPtrArray *cells, GArray *passes, const Service *s,
                        const JudgeGroup *group, const SegmentFigures *f, double *cell_share,
                        ServiceResult *r)
{
    g_autofree double *share = g_new(double, MAX(passes->len, 1));
    VerdictInput in = {.margin_low = 0.0, .margin_high = 0.0, .sigma_db = group->sigma_db};
    double time_share = 0.0, within = 0.0;
    guint k = 0;
    for (guint p = 0; p < passes->len; p++) {
        const JudgePass *pass = &g_array_index(passes, JudgePass, p);
        ServiceTally t;
        judge_tally(pass->levels, s, 0.0, &t);
        double good = t.all > 0.0 ? t.good / t.all : (double)NAN;
        share_cells(cells, pass, s, good, cell_share);
        if (!(t.all > 0.0))
            continue;
        share[k++] = good;
        in.share += good;
        time_share += t.all_time > 0.0 ? t.good_time / t.all_time : good;
        in.margin_low += t.margin_low / t.all;
        in.margin_high += t.margin_high / t.all;
        in.n += t.n;
        in.n_no_service += t.n_no_service;
        within += t.n == pass->n
                      ? pass->n_effective
                      : judge_effective(t.n, (double)pass->way_dm / 10.0, group->decorrelation_m);
    }
    r->grey = grey_of(f, s);
    if (k == 0) {
        r->verdict = f->n > 0 ? VERDICT_UNCERTAIN : VERDICT_NOT_MEASURED;
        r->reason = f->n > 0 ? REASON_NO_LEVEL : REASON_NO_SAMPLE;
        return;
    }
    in.share /= k;
    in.margin_low /= k;
    in.margin_high /= k;
    in.passes = f->passes;
    in.days = f->days;
    in.n_effective = between_passes(share, k, in.share, within);
    if (s->quantity == QUANTITY_STATE) {
        gboolean any = FALSE;
        for (unsigned t = 0; t < TECH_COUNT; t++)
            any = any || s->has_level[t];
        if (!any)
            in.margin_low = in.margin_high = NAN;
    }
    r->share_time = time_share / k;
    judge_verdict(&in, s, group->z, r);
}

/* Probes: each second measured counts as one independent observation at most. */
static void judge_probe(const Tally *tally, const Service *s, const JudgeGroup *group,
                        const SegmentFigures *f, double probe_seconds, ServiceResult *r)
{
    static const TallyKind kinds[QUANTITY_COUNT] = {
        [QUANTITY_RTT] = TALLY_RTT, [QUANTITY_LOSS] = TALLY_LOSS,     [QUANTITY_DOWN] = TALLY_DOWN,
        [QUANTITY_UP] = TALLY_UP,   [QUANTITY_MEETING] = TALLY_GRADE,
    };
    uint64_t n = 0, good = 0;
    for (guint i = 0; i < tally->n; i++) {
        const TallyEntry *e = &tally->entry[i];
        if (e->kind != (uint16_t)kinds[s->quantity])
            continue;
        double value = s->quantity == QUANTITY_LOSS      ? e->value / 10.0
                       : s->quantity == QUANTITY_MEETING ? e->value
                       : e->value == TALLY_LOST
                           ? (double)INFINITY
                           : log_histogram_value(e->value, LOG_HISTOGRAM_ACCURACY);
        gboolean above = s->quantity == QUANTITY_DOWN || s->quantity == QUANTITY_UP;
        n += e->count;
        if (above ? value >= s->limit : value <= s->limit)
            good += e->count;
    }
    if (n == 0) {
        r->verdict = VERDICT_NOT_MEASURED;
        r->reason = f->n > 0 ? REASON_NOT_TESTED : REASON_NO_SAMPLE;
        return;
    }
    VerdictInput in = {.share = (double)good / (double)n,
                       .n_effective = CLAMP(probe_seconds, 1.0, (double)n),
                       .margin_low = NAN,
                       .margin_high = NAN,
                       .n = n,
                       .passes = MAX(f->passes, 1),
                       .days = MAX(f->days, 1)};
    r->share_time = in.share;
    judge_verdict(&in, s, group->z, r);
}

static unsigned count_days(const GPtrArray *cells)
{
    g_autoptr(GHashTable) days = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autofree int64_t *day = g_new(int64_t, MAX(cells->len, 1));
    int64_t last = INT64_MIN; /* mostly it is that of the cell before */
    for (guint i = 0; i < cells->len; i++) {
        const CellHead *h = &((const Cell *)cells->pdata[i])->head;
        day[i] = h->first_ns / DAY_NS;
        if (h->n == 0 || day[i] == last)
            continue;
        g_hash_table_add(days, &day[i]);
        last = day[i];
    }
    return g_hash_table_size(days);
}

static GArray *list_passes(const GPtrArray *cells, const GArray *pass, const JudgeGroup *group,
                           SegmentFigures *f)
{
    /* with room for all: none moves */
    GArray *passes = g_array_sized_new(FALSE, FALSE, sizeof(JudgePass), cells->len);
    g_array_set_clear_func(passes, free_pass);
    for (guint i = 0, end; i < cells->len; i = end) {
        for (end = i + 1; end < cells->len; end++)
            if (((Cell *)cells->pdata[end])->head.drive != ((Cell *)cells->pdata[i])->head.drive ||
                g_array_index(pass, uint32_t, end) != g_array_index(pass, uint32_t, i))
                break;
        g_array_set_size(passes, passes->len + 1);
        JudgePass *p = &g_array_index(passes, JudgePass, passes->len - 1);
        set_pass(p, cells, i, end, group);
        f->metres += (double)p->way_dm / 10.0;
        f->seconds += (double)p->time_cs / 100.0;
        f->n_effective += p->n_effective;
        f->passes += p->n > 0;
    }
    return passes;
}

/* Sums of all cells, but for their levels, which are weighed by pass. */
static double sum_cells(const GPtrArray *cells, Cell *all)
{
    double probe_seconds = 0.0;
    cell_begin_counting(all);
    for (guint i = 0; i < cells->len; i++) {
        const Cell *cell = cells->pdata[i];
        Cell one = *cell;
        one.levels = (LevelHistogram){0};
        if (i == 0) {
            all->head = one.head;
            one.head = (CellHead){.first_ns = INT64_MAX, .last_ns = INT64_MIN};
        }
        cell_merge(all, &one);
        probe_seconds += 1.0 + (double)(cell->head.last_ns - cell->head.first_ns) / 1e9;
    }
    cell_end_counting(all);
    return probe_seconds;
}

void judge_segment(const GPtrArray *cells, const GArray *pass, const Profile *profile,
                   const JudgeGroup *group, SegmentFigures *f, ServiceResult *services,
                   double *share)
{
    *f = (SegmentFigures){.level_mean = NAN, .level_min = INFINITY, .level_max = -INFINITY};
    Cell all;
    cell_init(&all);
    double probe_seconds = sum_cells(cells, &all);
    head_figures(&all.head, f);
    f->cells = all.ids.n;
    f->days = count_days(cells);
    tally_figures(&all.tally, f);
    g_autoptr(GArray) passes = list_passes(cells, pass, group, f);
    judge_levels((const JudgePass *)(void *)passes->data, passes->len, f);
    for (guint s = 0; s < profile->n_services; s++) {
        services[s] =
            (ServiceResult){.share = NAN, .share_time = NAN, .low = 0.0, .high = 1.0, .grey = -1};
        if (profile->services[s].quantity <= QUANTITY_STATE)
            judge_radio(cells, passes, &profile->services[s], group, f,
                        share != NULL ? share + (size_t)s * cells->len : NULL, &services[s]);
        else
            judge_probe(&all.tally, &profile->services[s], group, f, probe_seconds, &services[s]);
    }
    cell_clear(&all);
}
