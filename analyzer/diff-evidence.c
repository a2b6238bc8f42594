/* SPDX-License-Identifier: Apache-2.0 */
/* Figures, passes and cells of a campaign, put on the common places. */
#include "analyzer/diff-state.h"
#include "analyzer/pass-read.h"

#include <math.h>
#include <string.h>

static gboolean ended(GError *local, GError **error)
{
    if (local == NULL)
        return TRUE;
    g_propagate_error(error, local);
    return FALSE;
}

static uint32_t place_of(const DiffCampaign *c, int64_t number)
{
    guint low = 0, high = c->segments->len;
    while (low < high) {
        guint mid = low + (high - low) / 2;
        if (g_array_index(c->segments, DiffSegment, mid).number < number)
            low = mid + 1;
        else
            high = mid;
    }
    if (low >= c->segments->len || g_array_index(c->segments, DiffSegment, low).number != number)
        return DIFF_NOWHERE;
    return g_array_index(c->segments, DiffSegment, low).place;
}

static uint32_t group_of(const Diff *d, const char *operator_label, const char *antenna)
{
    for (guint g = 0; operator_label != NULL && antenna != NULL && g < d->groups->len; g++) {
        const DiffGroup *group = &g_array_index(d->groups, DiffGroup, g);
        if (strcmp(group->operator_label, operator_label) == 0 &&
            strcmp(group->antenna, antenna) == 0)
            return g;
    }
    return DIFF_NOWHERE;
}

/* ---- figures ---- */

typedef struct {
    int share, low, high, verdict;
} ServiceColumns;

/* Several segments of one campaign in one place: shares by length, and one verdict only if all
 * that were measured have the same. */
static void add_figure(DiffFigure *f, const LayerRow *row, const ServiceColumns *col, double length)
{
    Verdict verdict = verdict_by_name(layer_get_text(row, col->verdict));
    if (verdict != VERDICT_NOT_MEASURED)
        f->verdict = f->verdict == VERDICT_NOT_MEASURED || f->verdict == verdict
                         ? verdict
                         : VERDICT_UNCERTAIN;
    double share = layer_get_real(row, col->share, NAN);
    if (isnan(share))
        return;
    double n = diff_effective_n(share, layer_get_real(row, col->low, 0.0),
                                layer_get_real(row, col->high, 1.0));
    f->share = isnan(f->share) ? share
                               : (f->share * f->length_m + share * length) / (f->length_m + length);
    f->length_m += length;
    f->n_effective += n;
}

static void add_side(DiffSide *side, const LayerRow *row, int n, int passes, int level,
                     double length)
{
    double median = layer_get_real(row, level, NAN);
    if (layer_get_int(row, n, 0) == 0)
        return;
    side->n += (uint32_t)layer_get_int(row, n, 0);
    side->passes = MAX(side->passes, (uint32_t)layer_get_int(row, passes, 0));
    if (!isnan(median)) {
        side->level_dbm =
            isnan(side->level_dbm)
                ? median
                : (side->level_dbm * side->length_m + median * length) / (side->length_m + length);
        side->length_m += length;
    }
}

static gboolean find_columns(const Diff *d, LayerReader *reader, ServiceColumns *col,
                             GError **error)
{
    static const char *const suffix[] = {"share", "low", "high", "verdict"};
    for (guint s = 0; s < d->services->len; s++) {
        int *columns[] = {&col[s].share, &col[s].low, &col[s].high, &col[s].verdict};
        for (guint k = 0; k < G_N_ELEMENTS(columns); k++) {
            g_autofree char *name = g_strdup_printf("%s_%s", diff_service(d, s)->id, suffix[k]);
            if (!layer_need_column(reader, name, columns[k], error))
                return FALSE;
        }
    }
    return TRUE;
}

gboolean diff_read_figures(Diff *d, DiffCampaign *c, GError **error)
{
    static const LayerQuery query = {.no_shapes = TRUE};
    gsize n = (gsize)d->groups->len * d->n_places;
    c->figures = g_new(DiffFigure, MAX(n * d->services->len, 1));
    c->sides = g_new(DiffSide, MAX(n, 1));
    for (gsize i = 0; i < n * d->services->len; i++)
        c->figures[i] = (DiffFigure){.share = NAN, .verdict = VERDICT_NOT_MEASURED};
    for (gsize i = 0; i < n; i++)
        c->sides[i] = (DiffSide){.level_dbm = NAN};
    g_autoptr(LayerSource) source = layer_open(c->path, error);
    g_autoptr(LayerReader) reader = source ? layer_read(source, "segments", &query, error) : NULL;
    g_autofree ServiceColumns *col = g_new0(ServiceColumns, MAX(d->services->len, 1));
    if (reader == NULL || !find_columns(d, reader, col, error))
        return FALSE;
    int number = layer_column(reader, "segment"), op = layer_column(reader, "operator"),
        antenna = layer_column(reader, "antenna"), length = layer_column(reader, "length_m"),
        samples = layer_column(reader, "n"), passes = layer_column(reader, "passes"),
        level = layer_column(reader, "level_p50");
    GError *local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        g_autofree char *label = g_strdup(layer_get_text(row, op));
        uint32_t group = group_of(d, label, layer_get_text(row, antenna));
        uint32_t place = place_of(c, layer_get_int(row, number, 0));
        if (group == DIFF_NOWHERE || place == DIFF_NOWHERE)
            continue;
        double metres = layer_get_real(row, length, 0.0);
        add_side(&c->sides[diff_at(d, group, place)], row, samples, passes, level, metres);
        for (guint s = 0; s < d->services->len; s++)
            add_figure(&c->figures[diff_figure_at(d, group, place, s)], row, &col[s], metres);
    }
    return ended(local, error);
}

/* ---- passes and cells ---- */

static int by_run(const void *a, const void *b)
{
    const DiffRun *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->drive != y->drive)
        return x->drive < y->drive ? -1 : 1;
    return (x->pass > y->pass) - (x->pass < y->pass);
}

static int by_cell(const void *a, const void *b)
{
    const DiffCell *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    int order = strcmp(x->cell, y->cell);
    if (order != 0)
        return order;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return (x->drive > y->drive) - (x->drive < y->drive);
}

/* Rows of one pass (several receivers, several segments) become one. */
static void join_runs(Diff *d, DiffCampaign *c)
{
    g_array_sort(c->runs, by_run);
    guint kept = 0;
    for (guint i = 0; i < c->runs->len; i++) {
        DiffRun *run = &g_array_index(c->runs, DiffRun, i);
        DiffRun *last = kept > 0 ? &g_array_index(c->runs, DiffRun, kept - 1) : NULL;
        if (last != NULL && by_run(last, run) == 0) {
            level_histogram_merge(&last->levels, &run->levels);
            last->level_sum += run->level_sum;
            last->level_n += run->level_n;
            level_histogram_clear(&run->levels);
            continue;
        }
        if (kept != i) {
            g_array_index(c->runs, DiffRun, kept) = *run;
            run->levels = (LevelHistogram){0};
        }
        kept++;
    }
    g_array_set_size(c->runs, kept);
    guint n = d->groups->len * d->n_places;
    c->first_run = g_new(guint, n + 1);
    for (guint at = 0, i = 0; at <= n; at++) {
        while (i < kept) {
            const DiffRun *run = &g_array_index(c->runs, DiffRun, i);
            if (diff_at(d, run->group, run->place) >= at)
                break;
            i++;
        }
        c->first_run[at] = i;
    }
}

static void add_cells(Diff *d, DiffCampaign *c, const DiffRun *run, const char *text)
{
    if (text == NULL)
        return;
    g_auto(GStrv) cells = g_strsplit(text, ",", -1);
    for (char **cell = cells; *cell != NULL; cell++) {
        DiffCell seen = {run->group, run->place, diff_intern(d, *cell), run->drive};
        g_array_append_val(c->cells, seen);
    }
}

static void add_run(Diff *d, DiffCampaign *c, const PassRead *pass)
{
    const PassRecord *record = pass->record;
    DiffRun run = {.group = group_of(d, pass->operator_label, pass->antenna),
                   .place = place_of(c, pass->segment),
                   .drive = record->drive,
                   .pass = record->pass};
    if (run.group == DIFF_NOWHERE || run.place == DIFF_NOWHERE)
        return;
    level_histogram_merge(&run.levels, &record->levels);
    double level = pass_figures(record, pass->decorrelation_m).level_mean;
    if (!isnan(level)) {
        run.level_n = record->n_level;
        run.level_sum = level * run.level_n;
    }
    g_array_append_val(c->runs, run);
    add_cells(d, c, &run, record->cells);
}

gboolean diff_read_evidence(Diff *d, DiffCampaign *c, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(c->path, error);
    g_autoptr(PassReader) reader = source ? pass_reader_new(source, error) : NULL;
    if (reader == NULL)
        return FALSE;
    GError *local = NULL;
    const PassRead *pass;
    while ((pass = pass_reader_next(reader, &local)) != NULL)
        add_run(d, c, pass);
    if (!ended(local, error))
        return FALSE;
    join_runs(d, c);
    g_array_sort(c->cells, by_cell);
    return TRUE;
}
