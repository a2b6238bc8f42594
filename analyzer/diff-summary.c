/* SPDX-License-Identifier: Apache-2.0 */
/* Headlines of before and after: kilometres by change, and the change of the corridor's share. */
#include "analyzer/diff-state.h"
#include "analyzer/stat.h"

#include <math.h>

typedef struct {
    guint first, end; /* places */
    const char *corridor;
} Stretch;

typedef struct {
    double length_km, km[DIFF_COUNT], km_not_measured, km_gained, km_lost;
    double share_before, share_after, change, low, high; /* NAN: nothing measured both times */
    double level_change, km_compared;
    guint drives[2], passes[2];
    gsize tests;
    const char *interval;
} Summary;

/* ---- the change of the share, with its interval ---- */

static double block_m(const Diff *d, const char *operator_label)
{
    double *a = g_hash_table_lookup(d->before.decorrelation_m, operator_label);
    double *b = g_hash_table_lookup(d->after.decorrelation_m, operator_label);
    return fmax(500.0, 3.0 * fmax(a != NULL ? *a : 0.0, b != NULL ? *b : 0.0));
}

/* What one drive's share lies above its campaign's, over the places that it measured. */
typedef struct {
    int64_t drive;
    double deviation, length_m;
} DriveMean;

static int by_drive(const void *a, const void *b)
{
    const DriveMean *x = a, *y = b;
    return (x->drive > y->drive) - (x->drive < y->drive);
}

/* Variance of a campaign's share by which drives it happened to be made of; counts the drives.
 * 0 with fewer than two. */
static double variance_of_drives(const Diff *d, int side, const Stretch *stretch, guint group,
                                 guint service, guint *n_drives)
{
    const DiffCampaign *c = side == 0 ? &d->before : &d->after;
    guint first = c->first_run[diff_at(d, group, stretch->first)];
    guint end = c->first_run[diff_at(d, group, stretch->end - 1) + 1];
    g_autoptr(GArray) means = g_array_new(FALSE, FALSE, sizeof(DriveMean));
    for (guint i = first; i < end; i++) {
        const DiffRun *run = &g_array_index(c->runs, DiffRun, i);
        double length = diff_place(d, run->place)->length_m;
        double all = c->figures[diff_figure_at(d, group, run->place, service)].share;
        double share = d->share[side][service][i];
        gboolean known = !isnan(share) && !isnan(all);
        DriveMean m = {run->drive, known ? (share - all) * length : 0.0, known ? length : 0.0};
        g_array_append_val(means, m);
    }
    g_array_sort(means, by_drive);
    double squares = 0.0;
    *n_drives = 0;
    for (guint i = 0; i < means->len;) {
        DriveMean sum = {.drive = g_array_index(means, DriveMean, i).drive};
        for (; i < means->len && g_array_index(means, DriveMean, i).drive == sum.drive; i++) {
            sum.deviation += g_array_index(means, DriveMean, i).deviation;
            sum.length_m += g_array_index(means, DriveMean, i).length_m;
        }
        (*n_drives)++;
        if (sum.length_m > 0.0)
            squares += pow(sum.deviation / sum.length_m, 2.0);
    }
    double n = *n_drives;
    return n >= 2.0 ? squares / (n - 1.0) / n : 0.0;
}

/* Three drives each time: how they differ (Welch). Else, or where they do not differ at all, how
 * blocks of neighbouring segments do; and where these do not either, Newcombe's interval on the
 * number of blocks. */
static void interval_of_change(const Diff *d, Summary *s, const double variance[2],
                               const double *change, const double *length, guint used, double block)
{
    double v = variance[0] + variance[1];
    if (s->drives[0] >= 3 && s->drives[1] >= 3 && v > 0.0) {
        double df = v * v /
                    (variance[0] * variance[0] / (s->drives[0] - 1.0) +
                     variance[1] * variance[1] / (s->drives[1] - 1.0));
        double half = stat_t_quantile(0.975, df) * sqrt(v);
        s->low = fmax(-1.0, s->change - half);
        s->high = fmin(1.0, s->change + half);
        s->interval = "drives";
        return;
    }
    /* fewer than three blocks say nothing of the spread between blocks */
    if (used < 3.0 * block)
        return;
    StatInterval ci = stat_bootstrap_blocks(change, length, used, (size_t)block, d->options->rounds,
                                            0.95, d->options->seed);
    s->interval = "blocks";
    if (!(ci.high - ci.low > 1e-12)) {
        DiffEffect e = diff_share(s->share_before, used / block, s->share_after, used / block);
        ci = (StatInterval){e.low, e.high};
        s->interval = "newcombe";
    }
    s->low = ci.low;
    s->high = ci.high;
}

static void change_of_share(const Diff *d, const Stretch *stretch, guint group, guint service,
                            Summary *s)
{
    guint n = stretch->end - stretch->first, used = 0;
    g_autofree double *change = g_new(double, n);
    g_autofree double *length = g_new(double, n);
    double before = 0.0, after = 0.0, all = 0.0;
    for (guint p = stretch->first; p < stretch->end; p++) {
        gsize i = diff_figure_at(d, group, p, service);
        double a = d->before.figures[i].share, b = d->after.figures[i].share;
        double metres = diff_place(d, p)->length_m;
        if (isnan(a) || isnan(b))
            continue;
        before += a * metres;
        after += b * metres;
        all += metres;
        change[used] = (b - a) * metres;
        length[used++] = metres;
    }
    double variance[2];
    for (int side = 0; side < 2; side++)
        variance[side] = variance_of_drives(d, side, stretch, group, service, &s->drives[side]);
    s->km_compared = all / 1000.0;
    s->share_before = all > 0.0 ? before / all : (double)NAN;
    s->share_after = all > 0.0 ? after / all : (double)NAN;
    s->change = s->share_after - s->share_before;
    s->low = s->high = NAN;
    if (used == 0)
        return;
    const char *label = g_array_index(d->groups, DiffGroup, group).operator_label;
    double block = fmax(1.0, ceil(block_m(d, label) / (all / used)));
    interval_of_change(d, s, variance, change, length, used, block);
}

/* ---- kilometres ---- */

static void add_places(const Diff *d, const Stretch *stretch, guint group, guint service,
                       Summary *s)
{
    g_autofree StatWeighted *levels = g_new(StatWeighted, stretch->end - stretch->first);
    size_t n_levels = 0;
    for (guint p = stretch->first; p < stretch->end; p++) {
        gsize i = diff_figure_at(d, group, p, service);
        const DiffResult *r = &d->results[i];
        double km = diff_place(d, p)->length_m / 1000.0;
        Verdict a = d->before.figures[i].verdict, b = d->after.figures[i].verdict;
        s->length_km += km;
        s->km[r->is] += km;
        if (a == VERDICT_NOT_MEASURED || b == VERDICT_NOT_MEASURED)
            s->km_not_measured += km;
        if (r->is == DIFF_BETTER && a != VERDICT_COVERED && b == VERDICT_COVERED)
            s->km_gained += km;
        if (r->is == DIFF_WORSE && a == VERDICT_COVERED && b != VERDICT_COVERED)
            s->km_lost += km;
        s->tests += isnan(r->effect.p) ? 0 : 1;
        const DiffSide *before = &d->before.sides[diff_at(d, group, p)],
                       *after = &d->after.sides[diff_at(d, group, p)];
        s->passes[0] = MAX(s->passes[0], before->passes);
        s->passes[1] = MAX(s->passes[1], after->passes);
        if (!isnan(after->level_dbm - before->level_dbm))
            levels[n_levels++] = (StatWeighted){after->level_dbm - before->level_dbm, km};
    }
    s->level_change = stat_percentile_weighted(levels, n_levels, 0.5);
}

static const char *note_of(const Summary *s)
{
    if (s->tests == 0)
        return "nothing was measured both times";
    if (s->drives[0] < 2 || s->drives[1] < 2)
        return s->drives[0] < 2 && s->drives[1] < 2 ? "one drive each time: says nothing of other "
                                                      "days"
               : s->drives[0] < 2                   ? "one drive before: says nothing of other days"
                                                    : "one drive after: says nothing of other days";
    return s->interval == NULL ? "too short for an interval" : NULL;
}

static const char *change_word(const Summary *s)
{
    if (isnan(s->low))
        return isnan(s->change) ? NULL : "not proved";
    return s->low > 0.0 ? "better" : s->high < 0.0 ? "worse" : "not proved";
}

/* The terminal hears of one service: the one that heads the report. */
static guint first_by_level(const Diff *d)
{
    guint s = 0;
    while (s < d->services->len && diff_service(d, s)->quantity != QUANTITY_LEVEL)
        s++;
    return s;
}

static gboolean write_row(Diff *d, OutRow *row, const Stretch *stretch, guint group, guint service,
                          GError **error)
{
    const DiffGroup *g = &g_array_index(d->groups, DiffGroup, group);
    const Service *what = diff_service(d, service);
    gboolean by_level = what->quantity == QUANTITY_LEVEL;
    const DiffSpread *spread = &d->spreads[group * d->services->len + service];
    Summary s = {0};
    add_places(d, stretch, group, service, &s);
    change_of_share(d, stretch, group, service, &s);
    out_text(row, "corridor", stretch->corridor != NULL ? stretch->corridor : "(other)");
    out_text(row, "operator", g->operator_label);
    out_text(row, "antenna", g->antenna);
    out_text(row, "service", what->id);
    out_real(row, "length_km", s.length_km);
    out_real(row, "km_better", s.km[DIFF_BETTER]);
    out_real(row, "km_worse", s.km[DIFF_WORSE]);
    out_real(row, "km_unchanged", s.km[DIFF_UNCHANGED]);
    out_real(row, "km_unknown", s.km[DIFF_UNKNOWN]);
    out_real(row, "km_not_measured", s.km_not_measured);
    out_real(row, "km_gained", s.km_gained);
    out_real(row, "km_lost", s.km_lost);
    out_real(row, "km_compared", s.km_compared);
    out_real(row, "share_before", s.share_before);
    out_real(row, "share_after", s.share_after);
    out_real(row, "change", s.change);
    out_real(row, "change_low", s.low);
    out_real(row, "change_high", s.high);
    out_text(row, "interval", s.interval);
    out_text(row, "change_is", change_word(&s));
    out_real(row, "level_change_p50", s.level_change);
    out_int(row, "drives_before", s.drives[0]);
    out_int(row, "drives_after", s.drives[1]);
    out_int(row, "passes_before", s.passes[0]);
    out_int(row, "passes_after", s.passes[1]);
    out_int(row, "tests", (int64_t)s.tests);
    out_real(row, "rate", d->options->rate);
    out_real(row, "spread_db", by_level ? sqrt(spread->variance) : (double)NAN);
    out_text(row, "spread_from", by_level ? diff_spread_name(spread->from) : NULL);
    out_text(row, "note", note_of(&s));
    if (service == first_by_level(d) && s.length_km > 0.0)
        g_ptr_array_add(
            d->report->lines,
            g_strdup_printf("%s, %s (%s), %s: of %.1f km %.1f better, %.1f worse, %.1f unchanged, "
                            "%.1f unknown%s%s",
                            stretch->corridor != NULL ? stretch->corridor : "(other)",
                            g->operator_label, g->antenna, what->id, s.length_km, s.km[DIFF_BETTER],
                            s.km[DIFF_WORSE], s.km[DIFF_UNCHANGED], s.km[DIFF_UNKNOWN],
                            note_of(&s) != NULL ? "; " : "",
                            note_of(&s) != NULL ? note_of(&s) : ""));
    return out_row_end(row, NULL, 0, error);
}

gboolean diff_write_summary(Diff *d, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, d->writer, "diff_summary", LAYER_NONE);
    for (guint first = 0; first < d->n_places;) {
        Stretch stretch = {first, first, diff_place(d, first)->corridor};
        while (stretch.end < d->n_places &&
               diff_place(d, stretch.end)->corridor == stretch.corridor)
            stretch.end++;
        for (guint g = 0; g < d->groups->len; g++)
            for (guint s = 0; s < d->services->len; s++)
                if (!write_row(d, &row, &stretch, g, s, error))
                    return FALSE;
        first = stretch.end;
    }
    return TRUE;
}
