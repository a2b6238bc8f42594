/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gaps that closed, opened or changed their length. A gap that was not driven through again is
 * unknown, not closed.
 */
#include "analyzer/diff-state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *corridor, *operator_label, *antenna, *change;
    guint first, end; /* places */
    double before_m, after_m, proved_m;
} GapChange;

/* One operator and antenna, or any of an antenna's operators, and a service. */
typedef struct {
    const char *operator_label, *antenna;
    guint group; /* DIFF_NOWHERE: (any) */
    guint service;
    uint8_t *in_gap[2]; /* by place */
} Scope;

/* Places of which at least half lies in a gap of the campaign. */
static void mark_gaps(const Diff *d, const DiffCampaign *c, const Scope *scope, uint8_t *in_gap)
{
    g_autofree double *gap_m = g_new0(double, d->n_places);
    g_autofree double *all_m = g_new0(double, d->n_places);
    g_autoptr(GArray) mine = g_array_new(FALSE, FALSE, sizeof(DiffGap));
    for (guint i = 0; i < c->gaps->len; i++) {
        DiffGap gap = g_array_index(c->gaps, DiffGap, i);
        if (gap.operator_label == scope->operator_label && gap.antenna == scope->antenna &&
            gap.service == diff_service(d, scope->service)->id)
            g_array_append_val(mine, gap);
    }
    for (guint i = 0; i < c->segments->len; i++) {
        const DiffSegment *s = &g_array_index(c->segments, DiffSegment, i);
        if (s->place == DIFF_NOWHERE)
            continue;
        double middle = 0.5 * (s->km_from + s->km_to);
        gboolean inside = FALSE;
        for (guint k = 0; !inside && s->corridor != NULL && k < mine->len; k++) {
            const DiffGap *gap = &g_array_index(mine, DiffGap, k);
            inside = gap->corridor == s->corridor && middle > gap->km_from && middle < gap->km_to;
        }
        all_m[s->place] += s->length_m;
        gap_m[s->place] += inside ? s->length_m : 0.0;
    }
    for (guint p = 0; p < d->n_places; p++)
        in_gap[p] = gap_m[p] > 0.0 && gap_m[p] >= 0.5 * all_m[p];
}

static Verdict verdict_at(const Diff *d, const DiffCampaign *c, const Scope *scope, guint place)
{
    guint n = 0, count[VERDICT_COUNT] = {0};
    for (guint g = 0; g < d->groups->len; g++) {
        if (scope->group != DIFF_NOWHERE
                ? g != scope->group
                : g_array_index(d->groups, DiffGroup, g).antenna != scope->antenna)
            continue;
        count[c->figures[diff_figure_at(d, g, place, scope->service)].verdict]++;
        n++;
    }
    if (count[VERDICT_COVERED] > 0)
        return VERDICT_COVERED;
    if (count[VERDICT_NOT_COVERED] == n)
        return VERDICT_NOT_COVERED;
    return count[VERDICT_NOT_MEASURED] == n ? VERDICT_NOT_MEASURED : VERDICT_UNCERTAIN;
}

static const char *change_of(double before, double after, double opened, double closed,
                             double unknown, double step)
{
    /* opened, closed: gap in one campaign, covered in the other; unknown: gap in one, no verdict in
     * the other */
    if (!(after > 0.0))
        return closed >= 0.5 * before ? "closed" : "unknown";
    if (!(before > 0.0))
        return opened >= 0.5 * after ? "new" : "unknown";
    if (opened - closed > step)
        return "longer";
    if (closed - opened > step)
        return "shorter";
    return unknown > step ? "unknown" : "unchanged";
}

static void judge_run(const Diff *d, const Scope *scope, guint first, guint end, GArray *found)
{
    GapChange c = {.corridor = diff_place(d, first)->corridor,
                   .operator_label = scope->operator_label,
                   .antenna = scope->antenna,
                   .first = first,
                   .end = end};
    double opened = 0.0, closed = 0.0, unknown = 0.0, step = 0.0;
    for (guint p = first; p < end; p++) {
        double m = diff_place(d, p)->length_m;
        gboolean before = scope->in_gap[0][p], after = scope->in_gap[1][p];
        c.before_m += before ? m : 0.0;
        c.after_m += after ? m : 0.0;
        step = fmax(step, 1.5 * m);
        if (before != after) {
            Verdict other = verdict_at(d, before ? &d->after : &d->before, scope, p);
            double *sum = other != VERDICT_COVERED ? &unknown : before ? &closed : &opened;
            *sum += other == VERDICT_NOT_COVERED ? 0.0 : m;
        }
        if (scope->group != DIFF_NOWHERE) {
            const DiffResult *r = &d->results[diff_figure_at(d, scope->group, p, scope->service)];
            c.proved_m += r->is == DIFF_BETTER || r->is == DIFF_WORSE ? m : 0.0;
        }
    }
    c.change = change_of(c.before_m, c.after_m, opened, closed, unknown, step);
    g_array_append_val(found, c);
}

static int largest_first(const void *a, const void *b)
{
    const GapChange *x = a, *y = b;
    double dx = fabs(x->after_m - x->before_m), dy = fabs(y->after_m - y->before_m);
    if (fabs(dx - dy) > 1e-9)
        return dx < dy ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

static gboolean write_change(Diff *d, OutRow *row, const Scope *scope, const GapChange *c,
                             guint rank, GError **error)
{
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    for (guint p = c->first; p < c->end; p++) {
        const DiffSegment *s = diff_place(d, p);
        g_array_append_vals(points, &g_array_index(d->frame->points, GeoPoint, s->first_point),
                            s->n_points);
    }
    out_text(row, "corridor", c->corridor);
    out_text(row, "operator", c->operator_label);
    out_text(row, "antenna", c->antenna);
    out_text(row, "service", diff_service(d, scope->service)->id);
    out_int(row, "rank", rank);
    out_text(row, "change", c->change);
    out_real(row, "km_from", diff_place(d, c->first)->km_from);
    out_real(row, "km_to", diff_place(d, c->end - 1)->km_to);
    out_real(row, "before_m", c->before_m);
    out_real(row, "after_m", c->after_m);
    out_real(row, "change_m", c->after_m - c->before_m);
    out_real(row, "proved_m", scope->group != DIFF_NOWHERE ? c->proved_m : (double)NAN);
    return out_row_end(row, (const GeoPoint *)(void *)points->data, points->len, error);
}

static gboolean write_scope(Diff *d, OutRow *row, Scope *scope, GError **error)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(GapChange));
    mark_gaps(d, &d->before, scope, scope->in_gap[0]);
    mark_gaps(d, &d->after, scope, scope->in_gap[1]);
    for (guint p = 0; p < d->n_places;) {
        guint end = p;
        while (end < d->n_places && (scope->in_gap[0][end] || scope->in_gap[1][end]) &&
               diff_place(d, end)->corridor == diff_place(d, p)->corridor)
            end++;
        if (end > p)
            judge_run(d, scope, p, end, found);
        p = end > p ? end : p + 1;
    }
    g_array_sort(found, largest_first);
    for (guint i = 0; i < found->len; i++)
        if (!write_change(d, row, scope, &g_array_index(found, GapChange, i), i + 1, error))
            return FALSE;
    return TRUE;
}

/* Is an antenna's (any) to be written with this group: its first, of several? */
static gboolean begins_any(const Diff *d, guint group)
{
    const DiffGroup *g = &g_array_index(d->groups, DiffGroup, group);
    guint n = 0;
    for (guint k = 0; k < d->groups->len; k++) {
        gboolean same = g_array_index(d->groups, DiffGroup, k).antenna == g->antenna;
        if (same && k < group)
            return FALSE;
        n += same ? 1 : 0;
    }
    return n > 1;
}

gboolean diff_write_gaps(Diff *d, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, d->writer, "diff_gaps", LAYER_LINES);
    g_autofree uint8_t *before = g_new0(uint8_t, d->n_places);
    g_autofree uint8_t *after = g_new0(uint8_t, d->n_places);
    for (guint s = 0; s < d->services->len; s++)
        for (guint g = 0; g < d->groups->len; g++) {
            const DiffGroup *group = &g_array_index(d->groups, DiffGroup, g);
            Scope scope = {group->operator_label, group->antenna, g, s, {before, after}};
            if (!write_scope(d, &row, &scope, error))
                return FALSE;
            scope.operator_label = diff_intern(d, "(any)");
            scope.group = DIFF_NOWHERE;
            if (begins_any(d, g) && !write_scope(d, &row, &scope, error))
                return FALSE;
        }
    if (row.table != NULL)
        return TRUE;
    Scope scope = {NULL, NULL, DIFF_NOWHERE, 0, {before, after}};
    GapChange none = {.end = 1};
    return write_change(d, &row, &scope, &none, 0, error) &&
           layer_sql(d->writer, "DELETE FROM diff_gaps", error);
}
