/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/out-row.h"
#include "analyzer/result.h"
#include "analyzer/stat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shortest block in which a corridor is resampled. */
#define BLOCK_M       500.0
#define FEWEST_DRIVES 3
/* Results on less than this share of a corridor, or this many segments, are not shown as such. */
#define ENOUGH_SHARE    0.1
#define ENOUGH_SEGMENTS 10

typedef struct {
    const Result *result;
    guint corridor;
    const Scope *scope;
    guint service;
    const uint32_t *seg; /* its segments; outside corridors those where anything was measured */
    uint32_t n;
    /* by segment of the corridor */
    uint8_t *verdict;
    double *length_m, *share_m, *measured_m;
    GArray *gaps;
    uint64_t seed;
} Sum;

/* Sums over the segments measured. */
typedef struct {
    double length_km, km[VERDICT_COUNT], grey_km;
    double share_m, measured_m, seconds, seconds_with;
    uint32_t n_segments;
} Totals;

static void fill(Sum *sum, Totals *t)
{
    *t = (Totals){0};
    for (uint32_t i = 0; i < sum->n; i++) {
        ScopeService s;
        Segment info;
        result_scope_service(sum->result, sum->scope, sum->seg[i], sum->service, &s);
        segments_get(sum->result->segments, sum->seg[i], &info, NULL);
        sum->verdict[i] = (uint8_t)s.verdict;
        sum->length_m[i] = info.length_m;
        sum->share_m[i] = sum->measured_m[i] = 0.0;
        t->length_km += info.length_m / 1000.0;
        t->km[s.verdict] += info.length_m / 1000.0;
        if (s.grey)
            t->grey_km += info.length_m / 1000.0;
        if (isnan(s.share))
            continue;
        sum->share_m[i] = s.share * info.length_m;
        sum->measured_m[i] = info.length_m;
        t->share_m += sum->share_m[i];
        t->measured_m += info.length_m;
        t->seconds += s.seconds;
        t->seconds_with += s.seconds * s.share_time;
        t->n_segments++;
    }
}

/* What the samples inside the segments leave open of a corridor's share, as a standard error. */
static double error_within(const Sum *sum, const Totals *t)
{
    double square = 0.0;
    for (uint32_t i = 0; i < sum->n; i++) {
        const Brief *b = result_brief(sum->result, sum->seg[i], sum->scope->group[0]);
        if (b == NULL || !(sum->measured_m[i] > 0.0))
            continue;
        double p = sum->share_m[i] / sum->measured_m[i];
        square +=
            sum->measured_m[i] * sum->measured_m[i] * p * (1.0 - p) / fmax(b->n_effective, 1.0);
    }
    return sqrt(square) / t->measured_m;
}

/* Interval on two levels (docs/method.md, "Corridors"): how drives lie apart from what all of them
 * found in the same segments, and never less than what is open inside the segments. */
static gboolean interval_by_drives(const Sum *sum, const Totals *t, double share, StatInterval *ci)
{
    const Result *result = sum->result;
    if (sum->scope->kind != SCOPE_GROUP || share <= 0.0 || share >= 1.0)
        return FALSE;
    uint64_t scope =
        ((uint64_t)sum->corridor << 24 | (uint64_t)sum->scope->group[0] << 12 | sum->service) << 20;
    g_autofree double *apart = g_new(double, MAX(result->n_drives, 1));
    double length = 0.0;
    guint k = 0;
    for (guint d = 0; d < result->n_drives; d++) {
        uint64_t key = scope | d;
        const DriveShare *drive = g_hash_table_lookup(result->drive_share, &key);
        if (drive == NULL)
            continue;
        apart[k++] = drive->apart_m / t->measured_m;
        length += drive->length_m;
    }
    /* drives that did not go the same way say nothing of each other */
    if (k < FEWEST_DRIVES || length < (FEWEST_DRIVES - 0.01) * t->measured_m)
        return FALSE;
    *ci = stat_share_drives(share, apart, k, error_within(sum, t));
    return TRUE;
}

typedef struct {
    StatInterval ci;
    const char *method;
    double block_m, n_effective;
} Interval;

static void find_interval(const Sum *sum, const Totals *t, double decorrelation_m, Interval *out)
{
    *out = (Interval){.ci = {NAN, NAN}, .block_m = NAN, .method = NULL};
    if (t->n_segments == 0)
        return;
    StatShare s =
        stat_share_interval(sum->share_m, sum->measured_m, sum->n, t->measured_m / t->n_segments,
                            decorrelation_m, BLOCK_M, sum->result->rounds, sum->seed);
    out->n_effective = s.n_effective;
    out->ci = s.ci;
    out->method = s.by_blocks ? "blocks" : "wilson";
    if (s.by_blocks)
        out->block_m = s.block_m;
    StatInterval drives;
    if (interval_by_drives(sum, t, s.share, &drives)) {
        out->ci = drives;
        out->method = "drives";
        out->block_m = NAN;
    }
}

static double over_length(const Sum *sum, size_t offset, double p)
{
    const Result *result = sum->result;
    if (sum->scope->kind != SCOPE_GROUP)
        return NAN;
    g_autoptr(GArray) v = g_array_new(FALSE, FALSE, sizeof(StatWeighted));
    for (uint32_t i = 0; i < sum->n; i++) {
        const Brief *b = result_brief(result, sum->seg[i], sum->scope->group[0]);
        float x;
        if (b == NULL)
            continue;
        memcpy(&x, (const char *)b + offset, sizeof x);
        if (isnan(x))
            continue;
        StatWeighted w = {x, b->length_m};
        g_array_append_val(v, w);
    }
    return stat_percentile_weighted((StatWeighted *)(void *)v->data, v->len, p);
}

/* The same of the segments' median levels; those below a floor are only known to be. NAN where the
 * percentile falls on those, or on segments without service. */
static double level_over_length(const Sum *sum, double p)
{
    if (sum->scope->kind != SCOPE_GROUP)
        return NAN;
    g_autoptr(GArray) v = g_array_new(FALSE, FALSE, sizeof(StatCensored));
    double none = 0.0, value = NAN;
    for (uint32_t i = 0; i < sum->n; i++) {
        const Brief *b = result_brief(sum->result, sum->seg[i], sum->scope->group[0]);
        if (b == NULL || isnan(b->level))
            continue;
        gboolean is_limit = !isnan(b->below);
        if (isinf(b->level) && !is_limit) {
            none += b->length_m;
            continue;
        }
        StatCensored c = {is_limit ? b->below : b->level, is_limit, b->length_m};
        g_array_append_val(v, c);
    }
    StatAt at = stat_percentile_censored((StatCensored *)(void *)v->data, v->len, none, p, &value);
    return at == STAT_AT_VALUE ? value : (double)NAN;
}

typedef struct {
    double metres, meeting[5], meeting_m, loss_m, loss_length;
    double cell_changes, rat_changes;
    uint64_t tests, tests_failed, tests_skipped;
    unsigned passes, days;
    uint64_t n;
} Counts;

static void count(const Sum *sum, Counts *c)
{
    *c = (Counts){0};
    for (uint32_t i = 0; i < sum->n; i++)
        for (guint g = 0; g < sum->scope->n; g++) {
            const Brief *b = result_brief(sum->result, sum->seg[i], sum->scope->group[g]);
            if (b == NULL)
                continue;
            c->n += b->n;
            c->passes = MAX(c->passes, b->passes);
            c->days = MAX(c->days, b->days);
            c->metres += b->metres;
            c->cell_changes += b->cell_changes;
            c->rat_changes += b->rat_changes;
            c->tests += b->tests;
            c->tests_failed += b->tests_failed;
            c->tests_skipped += b->tests_skipped;
            if (b->meeting_n > 0)
                c->meeting_m += b->length_m;
            for (int k = 1; k <= 4; k++)
                c->meeting[k] += b->meeting[k] * b->length_m;
            if (!isnan(b->loss)) {
                c->loss_m += b->loss * b->length_m;
                c->loss_length += b->length_m;
            }
        }
}

static int descending(const void *a, const void *b)
{
    const Gap *x = a, *y = b;
    if (x->length_m != y->length_m)
        return x->length_m < y->length_m ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

static double km_of(const Sum *sum, uint32_t i, gboolean end)
{
    Segment info;
    segments_get(sum->result->segments, sum->seg[i], &info, NULL);
    return (end ? info.to_m : info.from_m) / 1000.0;
}

static void gap_columns(OutRow *row, const Sum *sum, const Totals *t)
{
    const Gap *gap = (const Gap *)(void *)sum->gaps->data;
    guint n = sum->gaps->len;
    double length = 0.0, square = 0.0;
    g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(double));
    for (guint i = 0; i < n; i++) {
        length += gap[i].length_m;
        square += gap[i].length_m * gap[i].length_m;
        g_array_prepend_val(sorted, gap[i].length_m); /* gaps are sorted, longest first */
    }
    const double *lengths = (const double *)(void *)sorted->data;
    out_int(row, "gaps", n);
    out_real(row, "gap_longest_m", n ? gap[0].length_m : (double)NAN);
    out_real(row, "gap_longest_from_km", n ? km_of(sum, gap[0].first, FALSE) : (double)NAN);
    out_real(row, "gap_longest_to_km", n ? km_of(sum, gap[0].last, TRUE) : (double)NAN);
    out_real(row, "gap_mean_m", n ? length / n : (double)NAN);
    out_real(row, "gap_weighted_m", n ? square / length : (double)NAN);
    out_real(row, "gap_p50_m", n ? stat_percentile_1(lengths, n, 0.5) : (double)NAN);
    out_real(row, "gap_p90_m", n ? stat_percentile_1(lengths, n, 0.9) : (double)NAN);
    double measured = t->length_km - t->km[VERDICT_NOT_MEASURED];
    out_real(row, "gaps_per_100km", measured > 0.0 ? n / measured * 100.0 : (double)NAN);
}

static double finite_or_nan(double x)
{
    return isfinite(x) ? x : (double)NAN;
}

static void quality_columns(OutRow *row, const Sum *sum, const Counts *c)
{
    static const struct {
        const char *name;
        size_t offset;
        double p;
    } columns[] = {
        {"rtt_p50", offsetof(Brief, rtt_p50), 0.5},
        {"rtt_p90", offsetof(Brief, rtt_p90), 0.9},
        {"loss_share", 0, 0.0},
        {"jitter_p50", offsetof(Brief, jitter_p50), 0.5},
        {"down_p10", offsetof(Brief, down_p50), 0.1},
        {"down_p50", offsetof(Brief, down_p50), 0.5},
        {"up_p10", offsetof(Brief, up_p50), 0.1},
        {"up_p50", offsetof(Brief, up_p50), 0.5},
    };
    out_real(row, "level_p10", level_over_length(sum, 0.1));
    out_real(row, "level_p50", level_over_length(sum, 0.5));
    out_real(row, "level_p90", level_over_length(sum, 0.9));
    double loss = c->loss_length > 0.0 ? c->loss_m / c->loss_length : (double)NAN;
    for (unsigned i = 0; i < G_N_ELEMENTS(columns); i++)
        out_real(row, columns[i].name,
                 columns[i].p > 0.0
                     ? finite_or_nan(over_length(sum, columns[i].offset, columns[i].p))
                     : loss);
    static const char *const grades[] = {NULL, "meeting_green", "meeting_yellow", "meeting_red",
                                         "meeting_black"};
    for (int k = 1; k <= 4; k++)
        out_real(row, grades[k], c->meeting_m > 0.0 ? c->meeting[k] / c->meeting_m : (double)NAN);
    double per = c->metres > 0.0 ? 1e5 / c->metres : (double)NAN;
    out_real(row, "cell_changes_per_100km", c->cell_changes * per);
    out_real(row, "rat_changes_per_100km", c->rat_changes * per);
    out_int(row, "tests", (int64_t)c->tests);
    out_int(row, "tests_failed", (int64_t)c->tests_failed);
    out_int(row, "tests_skipped", (int64_t)c->tests_skipped);
}

/* Corridor index of a group (docs/method.md, "Corridor index"): of its first level service. */
static double corridor_index(const Sum *sum, const Totals *t, const Counts *c)
{
    double p10 = over_length(sum, offsetof(Brief, down_p50), 0.1);
    if (sum->scope->kind != SCOPE_GROUP || t->n_segments == 0 || c->meeting_m <= 0.0 || isnan(p10))
        return NAN;
    double windows = (c->meeting[1] + c->meeting[2]) / c->meeting_m;
    double longest = sum->gaps->len ? g_array_index(sum->gaps, Gap, 0).length_m / 1000.0 : 0.001;
    return 100.0 * (0.4 * stat_index_item(t->share_m / t->measured_m, 0.8, 1.0, FALSE) +
                    0.3 * stat_index_item(windows, 0.70, 0.99, FALSE) +
                    0.2 * stat_index_item(longest, 5.0, 0.2, TRUE) +
                    0.1 * stat_index_item(p10, 1.0, 8.0, FALSE));
}

static const char *why_not_enough(const Totals *t)
{
    if (t->n_segments == 0)
        return "not measured";
    if (t->n_segments < ENOUGH_SEGMENTS)
        return "fewer than 10 segments measured";
    if (t->measured_m / 1000.0 < ENOUGH_SHARE * t->length_km)
        return "less than 10 % of the corridor measured";
    return NULL;
}

static void name_columns(OutRow *row, const Sum *sum)
{
    const char *corridor = result_corridor_name(sum->result, sum->corridor);
    out_text(row, "corridor", corridor ? corridor : "(other)");
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): each sum is of a scope */
    out_text(row, "operator", sum->scope->operator_label);
    out_text(row, "antenna", sum->scope->antenna);
    out_text(row, "service", sum->result->profile->services[sum->service].id);
}

static gboolean write_summary(OutRow *row, const Sum *sum, const Totals *t, GError **error)
{
    Counts c;
    Interval interval;
    count(sum, &c);
    double dc = 0.0;
    for (guint g = 0; g < sum->scope->n; g++)
        dc = fmax(dc, sum->result->group[sum->scope->group[g]].decorrelation_m);
    find_interval(sum, t, dc, &interval);
    gboolean any = t->n_segments > 0;
    name_columns(row, sum);
    out_real(row, "length_km", t->length_km);
    out_real(row, "km_covered", t->km[VERDICT_COVERED]);
    out_real(row, "km_not_covered", t->km[VERDICT_NOT_COVERED]);
    out_real(row, "km_uncertain", t->km[VERDICT_UNCERTAIN]);
    out_real(row, "km_not_measured", t->km[VERDICT_NOT_MEASURED]);
    out_real(row, "km_grey", t->grey_km);
    out_real(row, "share", any ? t->share_m / t->measured_m : (double)NAN);
    out_real(row, "share_low", interval.ci.low);
    out_real(row, "share_high", interval.ci.high);
    out_text(row, "interval", interval.method);
    out_real(row, "block_m", interval.block_m);
    out_real(row, "share_time", t->seconds > 0.0 ? t->seconds_with / t->seconds : (double)NAN);
    out_real(row, "seconds", t->seconds);
    out_real(row, "seconds_with", t->seconds_with);
    out_int(row, "passes", c.passes);
    out_int(row, "days", c.days);
    out_int(row, "n", (int64_t)c.n);
    out_int(row, "n_segments", t->n_segments);
    out_real(row, "n_effective", any ? interval.n_effective : (double)NAN);
    out_real(row, "decorrelation_m", dc);
    gap_columns(row, sum, t);
    quality_columns(row, sum, &c);
    const char *note = why_not_enough(t);
    out_int(row, "enough", note == NULL);
    out_text(row, "note", note);
    out_real(row, "index", corridor_index(sum, t, &c));
    return out_row_end(row, NULL, 0, error);
}

static gboolean write_gap(OutRow *row, const Sum *sum, guint rank, GArray *points, GError **error)
{
    const Result *result = sum->result;
    const Gap *gap = &g_array_index(sum->gaps, Gap, rank);
    double none_m = 0.0, seconds = 0.0, metres = 0.0;
    unsigned passes = UINT_MAX;
    g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(StatWeighted));
    for (uint32_t i = gap->first; i <= gap->last; i++)
        for (guint g = 0; g < sum->scope->n; g++) {
            const Brief *b = result_brief(result, sum->seg[i], sum->scope->group[g]);
            if (b == NULL || b->n == 0)
                continue;
            none_m += b->share_none * b->length_m / (float)sum->scope->n;
            passes = MIN(passes, b->passes);
            seconds += b->seconds;
            metres += b->metres;
            StatWeighted v = {b->level, b->length_m};
            if (!isnan(b->level))
                g_array_append_val(levels, v);
        }
    g_array_set_size(points, 0);
    double from_km = km_of(sum, gap->first, FALSE), to_km = km_of(sum, gap->last, TRUE);
    if (sum->corridor < result->network->n_corridors)
        segments_corridor_line(result->segments, sum->corridor, from_km * 1000.0, to_km * 1000.0,
                               points);
    name_columns(row, sum);
    out_real(row, "km_from", from_km);
    out_real(row, "km_to", to_km);
    out_real(row, "length_m", gap->length_m);
    out_real(row, "unknown_m", gap->unknown_m);
    out_int(row, "segments", gap->segments);
    out_int(row, "rank", (int64_t)rank + 1);
    out_real(row, "no_service_m", none_m);
    out_real(row, "level_p50",
             finite_or_nan(
                 stat_percentile_weighted((StatWeighted *)(void *)levels->data, levels->len, 0.5)));
    out_int_or_null(row, "passes", passes < UINT_MAX, passes);
    out_real(row, "seconds",
             metres > 0.0 && seconds > 0.0 ? gap->length_m * seconds / metres : (double)NAN);
    return out_row_end(row, (const GeoPoint *)(void *)points->data, points->len, error);
}

static gboolean write_empty_gaps(OutRow *row, const Sum *sum, GError **error)
{
    static const char *const reals[] = {"km_from", "km_to", "length_m", "unknown_m"};
    name_columns(row, sum);
    for (unsigned i = 0; i < G_N_ELEMENTS(reals); i++)
        out_real(row, reals[i], 0.0);
    out_int(row, "segments", 0);
    out_int(row, "rank", 0);
    out_real(row, "no_service_m", 0.0);
    out_real(row, "level_p50", 0.0);
    out_int(row, "passes", 0);
    out_real(row, "seconds", 0.0);
    return out_row_only_fields(row, error);
}

static gboolean sum_one(Sum *sum, OutRow *summary, OutRow *gaps, GArray *points, GError **error)
{
    Totals t;
    fill(sum, &t);
    g_array_set_size(sum->gaps, 0);
    if (sum->corridor < sum->result->network->n_corridors)
        gaps_find(sum->verdict, sum->length_m, sum->n, sum->gaps);
    if (sum->gaps->len > 1)
        qsort(sum->gaps->data, sum->gaps->len, sizeof(Gap), descending);
    if (!write_summary(summary, sum, &t, error))
        return FALSE;
    for (guint i = 0; i < sum->gaps->len; i++)
        if (!write_gap(gaps, sum, i, points, error))
            return FALSE;
    return TRUE;
}

static gboolean sum_corridor(const Result *result, guint corridor, const GArray *scopes,
                             OutRow *summary, OutRow *gaps, GError **error)
{
    g_autoptr(GArray) segments = result_segments(result, corridor);
    uint32_t n = segments->len;
    Sum sum = {.result = result,
               .corridor = corridor,
               .seg = (const uint32_t *)(void *)segments->data,
               .n = n};
    g_autofree uint8_t *verdict = g_new0(uint8_t, MAX(n, 1));
    g_autofree double *length_m = g_new0(double, MAX(n, 1));
    g_autofree double *share_m = g_new0(double, MAX(n, 1));
    g_autofree double *measured_m = g_new0(double, MAX(n, 1));
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Gap));
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    sum.verdict = verdict;
    sum.length_m = length_m;
    sum.share_m = share_m;
    sum.measured_m = measured_m;
    sum.gaps = found;
    for (guint s = 0; s < scopes->len; s++)
        for (guint k = 0; k < result->profile->n_services; k++) {
            sum.scope = &g_array_index(scopes, Scope, s);
            sum.service = k;
            sum.seed = result->seed + ((uint64_t)corridor << 32 | s << 16 | k);
            if (!sum_one(&sum, summary, gaps, points, error))
                return FALSE;
        }
    if (gaps->table == NULL && corridor + 1 == result_corridors(result))
        return write_empty_gaps(gaps, &sum, error);
    return TRUE;
}

gboolean out_summary(const Result *result, LayerWriter *writer, GError **error)
{
    g_auto(OutRow) summary = {0}, gaps = {0};
    out_row_init(&summary, writer, "summary", LAYER_NONE);
    out_row_init(&gaps, writer, "gaps", LAYER_LINES);
    g_autoptr(GArray) scopes = result_scopes(result);
    gboolean done = TRUE;
    for (guint c = 0; c < result_corridors(result) && done; c++)
        done = sum_corridor(result, c, scopes, &summary, &gaps, error);
    for (guint s = 0; s < scopes->len; s++)
        g_free(g_array_index(scopes, Scope, s).group);
    return done;
}
