/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/compare-state.h"
#include "analyzer/stat.h"

#include <math.h>
#include <stdlib.h>

#define BLOCK_M   1000.0
#define TARGET    0.98 /* ARCEP: mean over large zones */
#define TARGET_50 0.95 /* ARCEP: each zone of 50 km2 */

const double compare_shift_db[COMPARE_SHIFTS] = {-20, -10, -5, -3, 0, 3, 5, 10};

static gboolean same_group(const CompareItem *a, const CompareItem *b)
{
    return a->operator_label == b->operator_label && a->antenna == b->antenna;
}

static const char *class_of(const CompareItem *i)
{
    gboolean claimed = compare_is_claimed(i);
    switch (i->verdict) {
    case VERDICT_COVERED:
        return claimed ? "claimed, covered" : "not claimed, covered";
    case VERDICT_NOT_COVERED:
        return claimed ? "claimed, not covered" : "not claimed, not covered";
    case VERDICT_UNCERTAIN:
        return claimed ? "claimed, uncertain" : "not claimed, uncertain";
    default:
        return claimed ? "claimed, not measured" : "not claimed, not measured";
    }
}

static gboolean write_claims(Compare *c, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, c->writer, "claims", LAYER_LINES);
    for (guint k = 0; k < c->items->len; k++) {
        const CompareItem *i = &g_array_index(c->items, CompareItem, k);
        out_int(&row, "segment", i->segment);
        out_text(&row, "corridor", i->corridor);
        out_real(&row, "km_from", i->km_from);
        out_real(&row, "km_to", i->km_to);
        out_real(&row, "length_m", i->length_m);
        out_text(&row, "operator", i->operator_label);
        out_text(&row, "antenna", i->antenna);
        out_text(&row, "service", c->service_id);
        out_text(&row, "area", i->area);
        out_int(&row, "claimed", compare_is_claimed(i));
        out_real(&row, "claimed_share", i->claimed_share);
        out_real(&row, "claimed_level", i->claimed_level);
        out_text(&row, "measured", verdict_name(i->verdict));
        out_real(&row, "share", i->share);
        out_real(&row, "level_p50", i->level_p50);
        out_real(&row, "level_difference", i->level_p50 - i->claimed_level);
        out_int(&row, "n", i->n);
        out_int(&row, "n_no_service", i->n_no_service);
        out_text(&row, "class", class_of(i));
        if (!out_row_end(&row, &g_array_index(c->points, GeoPoint, i->first_point), i->n_points,
                         error))
            return FALSE;
    }
    return TRUE;
}

/* ---- tables ---- */

typedef struct {
    double km[2][VERDICT_COUNT], seconds[2][VERDICT_COUNT]; /* [claimed][verdict] */
    double none_km[2], none_seconds[2]; /* [claimed]: no service at all; part of not covered */
    double *good, *all;                 /* by item: share and length of what is claimed */
    double all_m, length_m;             /* of what is claimed and measured, and of all items */
    int64_t tests;
} Table;

/* By segments, and by squares where no samples were kept: the verdict of the segment, for the part
 * of it that is claimed. */
static void add_segment(Table *t, const CompareItem *i, double part, guint at)
{
    double km = i->length_m / 1000.0;
    t->km[1][i->verdict] += km * part;
    t->km[0][i->verdict] += km * (1.0 - part);
    t->seconds[1][i->verdict] += i->seconds * part;
    t->seconds[0][i->verdict] += i->seconds * (1.0 - part);
    if (i->verdict == VERDICT_NOT_COVERED && i->n > 0 && i->n_no_service == i->n) {
        t->none_km[1] += km * part;
        t->none_km[0] += km * (1.0 - part);
        t->none_seconds[1] += i->seconds * part;
        t->none_seconds[0] += i->seconds * (1.0 - part);
    }
    if (isnan(i->share) || part <= 0.0)
        return;
    t->good[at] = i->share * i->length_m * part;
    t->all[at] = i->length_m * part;
}

/* By what the samples in each square say. */
static void add_squares(Table *t, const CompareItem *i, guint at)
{
    double side_km = i->length_m / 1000.0 / MAX(i->n_squares, 1);
    double claimed = i->claimed_share * i->n_squares;
    const double squares[2] = {i->n_squares - claimed, claimed};
    for (int k = 0; k < 2; k++) {
        const CompareMeasured *m = &i->measured[k];
        t->km[k][VERDICT_COVERED] += m->metres[1] / 1000.0;
        t->km[k][VERDICT_NOT_COVERED] += m->metres[0] / 1000.0;
        t->km[k][VERDICT_NOT_MEASURED] += side_km * (squares[k] - m->squares);
        t->seconds[k][VERDICT_COVERED] += m->seconds[1];
        t->seconds[k][VERDICT_NOT_COVERED] += m->seconds[0];
        t->none_km[k] += m->none_m / 1000.0;
        t->none_seconds[k] += m->none_seconds;
    }
    t->good[at] = i->measured[1].metres[1];
    t->all[at] = i->measured[1].metres[0] + i->measured[1].metres[1];
}

static void add_item(Table *t, const CompareItem *i, gboolean by_square, gboolean has_samples,
                     guint at)
{
    double part = by_square ? i->claimed_share : compare_is_claimed(i) ? 1.0 : 0.0;
    t->length_m += i->length_m;
    t->good[at] = t->all[at] = 0.0;
    if (by_square && has_samples)
        add_squares(t, i, at);
    else
        add_segment(t, i, part, at);
    t->all_m += t->all[at];
    t->tests += t->all[at] > 0.0 ? 1 : 0;
}

static void decision_columns(OutRow *row, const char *suffix, double successes, int64_t n,
                             double target)
{
    int64_t more;
    StatDecision decision = stat_decide(successes, n, target, 0.05, &more);
    g_autofree char *name = g_strconcat("decision_", suffix, NULL);
    g_autofree char *more_name = g_strconcat("more_tests_", suffix, NULL);
    out_text(row, name, n > 0 ? stat_decision_name(decision) : NULL);
    out_int_or_null(row, more_name, n > 0 && more >= 0, more);
}

static void km_columns(OutRow *row, const Table *t)
{
    static const struct {
        const char *name;
        int claimed;
        Verdict verdict;
    } cells[] = {
        {"claimed_covered", 1, VERDICT_COVERED},
        {"claimed_not_covered", 1, VERDICT_NOT_COVERED},
        {"not_claimed_covered", 0, VERDICT_COVERED},
        {"not_claimed_not_covered", 0, VERDICT_NOT_COVERED},
        {"claimed_uncertain", 1, VERDICT_UNCERTAIN},
        {"not_claimed_uncertain", 0, VERDICT_UNCERTAIN},
        {"claimed_not_measured", 1, VERDICT_NOT_MEASURED},
        {"not_claimed_not_measured", 0, VERDICT_NOT_MEASURED},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cells); i++) {
        g_autofree char *name = g_strconcat("km_", cells[i].name, NULL);
        out_real(row, name, t->km[cells[i].claimed][cells[i].verdict]);
    }
    out_real(row, "km_claimed_no_service", t->none_km[1]);
    out_real(row, "km_not_claimed_no_service", t->none_km[0]);
    for (unsigned i = 0; i < G_N_ELEMENTS(cells); i++) {
        g_autofree char *name = g_strconcat("seconds_", cells[i].name, NULL);
        out_real(row, name, t->seconds[cells[i].claimed][cells[i].verdict]);
    }
    out_real(row, "seconds_claimed_no_service", t->none_seconds[1]);
    out_real(row, "seconds_not_claimed_no_service", t->none_seconds[0]);
}

/* "not decided, n = 45 (104 more tests would decide)" */
static char *decision_text(double successes, int64_t n, double target)
{
    int64_t more;
    StatDecision decision = stat_decide(successes, n, target, 0.05, &more);
    const char *name = stat_decision_name(decision);
    if (decision != STAT_NOT_DECIDED)
        return g_strdup_printf("%s, n = %" G_GINT64_FORMAT, name, n);
    if (more < 0)
        return g_strdup_printf("%s, n = %" G_GINT64_FORMAT " (a million more tests would not "
                               "decide)",
                               name, n);
    return g_strdup_printf("%s, n = %" G_GINT64_FORMAT " (%" G_GINT64_FORMAT
                           " more tests would decide)",
                           name, n, more);
}

static gboolean write_table(Compare *c, OutRow *row, const CompareItem *group, const char *area,
                            gboolean by_square, Table *t, guint n, GError **error)
{
    StatTable decided = {t->km[1][VERDICT_COVERED], t->km[1][VERDICT_NOT_COVERED],
                         t->km[0][VERDICT_COVERED], t->km[0][VERDICT_NOT_COVERED]};
    StatTableFigures f = stat_table_figures(decided);
    const CompareGroup *known_of = compare_group(c, group);
    StatShare found =
        stat_share_interval(t->good, t->all, n, t->length_m / MAX(n, 1), known_of->decorrelation_m,
                            BLOCK_M, c->options->rounds, c->options->seed);
    double share = found.share;
    StatInterval wilson = stat_wilson(isnan(share) ? 0.0 : share, found.n_effective, STAT_Z95);
    gboolean known = t->all_m > 0.0;
    int64_t tests = (int64_t)floor(found.n_effective);
    double successes = known ? share * (double)tests : 0.0;
    out_text(row, "operator", group->operator_label);
    out_text(row, "antenna", group->antenna);
    out_text(row, "service", c->service_id);
    out_text(row, "area", area ? area : "(all)");
    out_text(row, "by", by_square ? "squares" : "segments");
    out_text(row, "measured_by", by_square && c->has_samples ? "squares" : "segments");
    km_columns(row, t);
    out_real(row, "seconds_no_position", area ? (double)NAN : known_of->seconds_no_position);
    out_real(row, "reliability", share);
    out_real(row, "reliability_low", known ? found.ci.low : (double)NAN);
    out_real(row, "reliability_high", known ? found.ci.high : (double)NAN);
    out_text(row, "interval", !known ? NULL : found.by_blocks ? "blocks" : "wilson");
    out_real(row, "block_m", found.by_blocks ? found.block_m : (double)NAN);
    out_real(row, "wilson_low", known ? wilson.low : (double)NAN);
    out_real(row, "wilson_high", known ? wilson.high : (double)NAN);
    out_real(row, "reliability_decided", f.ppv);
    out_real(row, "detection", f.tpr);
    out_real(row, "missed_share", 1.0 - f.tpr);
    out_real(row, "specificity", f.specificity);
    out_real(row, "accuracy", f.accuracy);
    out_real(row, "bias", f.bias);
    out_int(row, "tests", t->tests);
    out_int(row, "tests_effective", tests);
    out_real(row, "successes_effective", successes);
    decision_columns(row, "98", successes, tests, TARGET);
    decision_columns(row, "95", successes, tests, TARGET_50);
    if (area == NULL && !by_square && known) {
        g_autofree char *at_98 = decision_text(successes, tests, TARGET);
        g_autofree char *at_95 = decision_text(successes, tests, TARGET_50);
        g_ptr_array_add(
            c->report->lines,
            g_strdup_printf("%s (%s), %s: claimed %.1f km, of what was measured there %.1f %% has "
                            "it (%.1f to %.1f); 98 %%: %s; 95 %%: %s",
                            group->operator_label, group->antenna, c->service_id,
                            t->km[1][0] + t->km[1][1] + t->km[1][2] + t->km[1][3], 100.0 * share,
                            100.0 * found.ci.low, 100.0 * found.ci.high, at_98, at_95));
    }
    return out_row_end(row, NULL, 0, error);
}

static gboolean write_tables_of(Compare *c, OutRow *row, guint from, guint to, const char *area,
                                GError **error)
{
    const CompareItem *items = &g_array_index(c->items, CompareItem, from);
    g_autofree double *good = g_new0(double, to - from);
    g_autofree double *all = g_new0(double, to - from);
    for (int by_square = 0; by_square < 2; by_square++) {
        Table t = {.good = good, .all = all};
        guint n = 0;
        for (guint k = 0; k < to - from; k++)
            if (area == NULL || items[k].area == area)
                add_item(&t, &items[k], by_square != 0, c->has_samples, n++);
        if (!write_table(c, row, items, area, by_square != 0, &t, n, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- over-claims ---- */

typedef struct {
    guint from, to; /* items */
    double length_m, no_service_m;
} Over;

static int longest_first(const void *a, const void *b)
{
    const Over *x = a, *y = b;
    if (x->length_m != y->length_m)
        return x->length_m < y->length_m ? 1 : -1;
    return (x->from > y->from) - (x->from < y->from);
}

static gboolean write_over(Compare *c, OutRow *row, const Over *o, guint rank, GError **error)
{
    const CompareItem *first = &g_array_index(c->items, CompareItem, o->from);
    const CompareItem *last = &g_array_index(c->items, CompareItem, o->to - 1);
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(StatWeighted));
    double claimed = NAN;
    int64_t n = 0;
    for (guint k = o->from; k < o->to; k++) {
        const CompareItem *i = &g_array_index(c->items, CompareItem, k);
        StatWeighted v = {isnan(i->level_p50) ? -(double)INFINITY : i->level_p50, i->length_m};
        g_array_append_val(levels, v);
        g_array_append_vals(points, &g_array_index(c->points, GeoPoint, i->first_point),
                            i->n_points);
        n += i->n;
        if (!isnan(i->claimed_level))
            claimed = isnan(claimed) ? i->claimed_level : fmax(claimed, i->claimed_level);
    }
    GeoPoint middle = g_array_index(points, GeoPoint, points->len / 2);
    g_autofree char *link =
        g_strdup_printf("https://www.openstreetmap.org/?mlat=%.5f&mlon=%.5f#map=14/%.5f/%.5f",
                        middle.lat, middle.lon, middle.lat, middle.lon);
    double level = stat_percentile_weighted((StatWeighted *)(void *)levels->data, levels->len, 0.5);
    out_int(row, "rank", (int64_t)rank + 1);
    out_text(row, "operator", first->operator_label);
    out_text(row, "antenna", first->antenna);
    out_text(row, "service", c->service_id);
    out_text(row, "corridor", first->corridor);
    out_text(row, "area", first->area);
    out_real(row, "km_from", first->km_from);
    out_real(row, "km_to", last->km_to);
    out_real(row, "length_m", o->length_m);
    out_real(row, "no_service_m", o->no_service_m);
    out_real(row, "claimed_level", claimed);
    out_real(row, "level_p50", isfinite(level) ? level : (double)NAN);
    out_int(row, "n", n);
    out_text(row, "link", link);
    return out_row_end(row, (const GeoPoint *)(void *)points->data, points->len, error);
}

static gboolean is_over(const CompareItem *i)
{
    return compare_is_claimed(i) && i->verdict == VERDICT_NOT_COVERED;
}

static gboolean write_overclaims_of(Compare *c, OutRow *row, guint from, guint to, GError **error)
{
    g_autoptr(GArray) overs = g_array_new(FALSE, FALSE, sizeof(Over));
    const CompareItem *all = (const CompareItem *)(void *)c->items->data;
    for (guint k = from; k < to;) {
        if (!is_over(&all[k])) {
            k++;
            continue;
        }
        Over o = {.from = k};
        while (k < to && is_over(&all[k]) &&
               (k == o.from || (all[k].segment == all[k - 1].segment + 1 &&
                                all[k].corridor == all[k - 1].corridor))) {
            o.length_m += all[k].length_m;
            if (all[k].n > 0 && all[k].n_no_service == all[k].n)
                o.no_service_m += all[k].length_m;
            k++;
        }
        o.to = k;
        g_array_append_val(overs, o);
    }
    if (overs->len > 1)
        qsort(overs->data, overs->len, sizeof(Over), longest_first);
    for (guint i = 0; i < overs->len; i++)
        if (!write_over(c, row, &g_array_index(overs, Over, i), i, error))
            return FALSE;
    return TRUE;
}

/* ---- sensitivity ---- */

static gboolean write_sensitivity_of(Compare *c, OutRow *row, guint from, guint to, GError **error)
{
    const CompareItem *items = (const CompareItem *)(void *)c->items->data;
    for (unsigned s = 0; s < COMPARE_SHIFTS; s++) {
        double claimed = 0.0, good = 0.0, measured = 0.0, covered = 0.0;
        for (guint k = from; k < to; k++) {
            if (items[k].passes == 0)
                continue;
            double km = items[k].length_m / 1000.0, share = items[k].shifted[s] / items[k].passes;
            measured += km;
            covered += km * share;
            if (compare_is_claimed(&items[k])) {
                claimed += km;
                good += km * share;
            }
        }
        out_text(row, "operator", items[from].operator_label);
        out_text(row, "antenna", items[from].antenna);
        out_text(row, "service", c->service_id);
        out_real(row, "shift_db", compare_shift_db[s]);
        out_real(row, "km_measured", measured);
        out_real(row, "share_covered", measured > 0.0 ? covered / measured : (double)NAN);
        out_real(row, "km_claimed_measured", claimed);
        out_real(row, "reliability", claimed > 0.0 ? good / claimed : (double)NAN);
        if (!out_row_end(row, NULL, 0, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean write_group(Compare *c, guint from, guint to, OutRow *tables, OutRow *overs,
                            OutRow *sensitivity, GError **error)
{
    if (!write_tables_of(c, tables, from, to, NULL, error))
        return FALSE;
    g_autoptr(GPtrArray) areas = g_ptr_array_new();
    for (guint k = from; k < to; k++) {
        const char *area = g_array_index(c->items, CompareItem, k).area;
        if (area != NULL && !g_ptr_array_find(areas, area, NULL))
            g_ptr_array_add(areas, (gpointer)(uintptr_t)area);
    }
    for (guint i = 0; i < areas->len; i++)
        if (!write_tables_of(c, tables, from, to, areas->pdata[i], error))
            return FALSE;
    return write_overclaims_of(c, overs, from, to, error) &&
           write_sensitivity_of(c, sensitivity, from, to, error);
}

gboolean compare_write(Compare *c, GError **error)
{
    g_auto(OutRow) tables = {0}, overs = {0}, sensitivity = {0};
    out_row_init(&tables, c->writer, "claim_tables", LAYER_NONE);
    out_row_init(&overs, c->writer, "overclaims", LAYER_LINES);
    out_row_init(&sensitivity, c->writer, "claim_sensitivity", LAYER_NONE);
    guint n = c->items->len;
    if (!write_claims(c, error))
        return FALSE;
    for (guint from = 0; from < n;) {
        guint to = from;
        while (to < n && same_group(&g_array_index(c->items, CompareItem, to),
                                    &g_array_index(c->items, CompareItem, from)))
            to++;
        if (!write_group(c, from, to, &tables, &overs, &sensitivity, error))
            return FALSE;
        from = to;
    }
    if (overs.table == NULL && n > 0) {
        Over none = {.from = 0, .to = 1};
        if (!write_over(c, &overs, &none, 0, error) ||
            !layer_sql(c->writer, "DELETE FROM overclaims", error))
            return FALSE;
    }
    return TRUE;
}
