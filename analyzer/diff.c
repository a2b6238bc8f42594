/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/diff.h"

#include "analyzer/diff-state.h"

#include <math.h>
#include <string.h>

void diff_report_clear(DiffReport *report)
{
    g_clear_pointer(&report->lines, g_ptr_array_unref);
    g_clear_pointer(&report->warnings, g_ptr_array_unref);
}

static int by_label(const void *a, const void *b)
{
    const DiffGroup *x = a, *y = b;
    int order = strcmp(x->operator_label, y->operator_label);
    return order != 0 ? order : strcmp(x->antenna, y->antenna);
}

static gboolean find_groups(Diff *d, const DiffCampaign *c, GError **error)
{
    static const LayerQuery query = {.sql = "SELECT DISTINCT operator, antenna FROM segments",
                                     .no_shapes = TRUE};
    g_autoptr(LayerSource) source = layer_open(c->path, error);
    g_autoptr(LayerReader) reader = source ? layer_read(source, NULL, &query, error) : NULL;
    if (reader == NULL)
        return FALSE;
    GError *local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        DiffGroup g = {diff_intern(d, layer_get_text(row, 0)),
                       diff_intern(d, layer_get_text(row, 1))};
        gboolean known = g.operator_label == NULL || g.antenna == NULL;
        for (guint i = 0; !known && i < d->groups->len; i++)
            known = by_label(&g_array_index(d->groups, DiffGroup, i), &g) == 0;
        if (!known)
            g_array_append_val(d->groups, g);
    }
    g_array_sort(d->groups, by_label);
    if (local != NULL)
        g_propagate_error(error, local);
    return local == NULL;
}

static gboolean same_service(const Service *a, const Service *b)
{
    gboolean same = a->quantity == b->quantity && fabs(a->required - b->required) < 1e-9 &&
                    fabs(a->limit - b->limit) < 1e-9;
    for (int t = 0; t < TECH_COUNT; t++)
        same = same && a->has_level[t] == b->has_level[t] &&
               fabs(a->level_dbm[t] - b->level_dbm[t]) < 1e-9;
    return same;
}

/* Services that mean the same in both files. */
static gboolean find_services(Diff *d, GError **error)
{
    g_autoptr(GString) left_out = g_string_new(NULL);
    for (guint i = 0; i < d->after.services->len; i++) {
        const Service *a = &g_array_index(d->after.services, Service, i);
        gboolean same = FALSE;
        for (guint k = 0; k < d->before.services->len; k++) {
            const Service *b = &g_array_index(d->before.services, Service, k);
            same = same || (a->id == b->id && same_service(a, b));
        }
        if (same)
            g_array_append_val(d->services, *a);
        else
            g_string_append_printf(left_out, "%s%s", left_out->len > 0 ? ", " : "", a->id);
    }
    if (d->services->len == 0) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                    "%s and %s have no service with the same thresholds; analyze both with the "
                    "same profile",
                    d->before.path, d->after.path);
        return FALSE;
    }
    if (left_out->len > 0)
        g_ptr_array_add(d->report->warnings,
                        g_strdup_printf("not compared, because its thresholds differ or one file "
                                        "lacks it: %s",
                                        left_out->str));
    return TRUE;
}

static gboolean check_groups(const Diff *d, GError **error)
{
    if (d->groups->len > 0)
        return TRUE;
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                "%s and %s: neither holds a measured operator; were the drives of this line?",
                d->options->before, d->options->after);
    return FALSE;
}

static gboolean run(Diff *d, GError **error)
{
    if (!diff_read(d, &d->before, error) || !diff_read(d, &d->after, error) ||
        !find_groups(d, &d->before, error) || !find_groups(d, &d->after, error) ||
        !check_groups(d, error) || !find_services(d, error) || !diff_find_places(d, error) ||
        !diff_read_figures(d, &d->before, error) || !diff_read_figures(d, &d->after, error) ||
        !diff_read_evidence(d, &d->before, error) || !diff_read_evidence(d, &d->after, error))
        return FALSE;
    diff_judge(d);
    /* equal inputs give equal bytes: the later campaign's date, not today's */
    g_autofree char *date = d->after.created_for != NULL && strlen(d->after.created_for) == 20
                                ? g_strdup_printf("%.19s.000Z", d->after.created_for)
                                : NULL;
    layer_set_date(date);
    d->writer = layer_create_from(d->options->out, d->options->after, error);
    gboolean done = d->writer != NULL && diff_write_segments(d, error) &&
                    diff_write_summary(d, error) && diff_write_gaps(d, error) &&
                    diff_write_cells(d, error) && diff_write_meta(d, error) &&
                    layer_finish(d->writer, error);
    layer_set_date(NULL);
    return done;
}

static void free_by_service(Diff *d, double **values)
{
    for (guint s = 0; values != NULL && s < d->services->len; s++)
        g_free(values[s]);
    g_free(values);
}

gboolean diff(const DiffOptions *options, DiffReport *report, GError **error)
{
    *report = (DiffReport){g_ptr_array_new_with_free_func(g_free),
                           g_ptr_array_new_with_free_func(g_free)};
    Diff d = {.options = options,
              .report = report,
              .names = g_string_chunk_new(4096),
              .before = {.path = options->before},
              .after = {.path = options->after},
              .groups = g_array_new(FALSE, FALSE, sizeof(DiffGroup)),
              .services = g_array_new(FALSE, FALSE, sizeof(Service))};
    gboolean done = run(&d, error);
    layer_discard(d.writer);
    for (int side = 0; side < 2; side++) {
        free_by_service(&d, d.margin[side]);
        free_by_service(&d, d.share[side]);
    }
    diff_campaign_clear(&d.before);
    diff_campaign_clear(&d.after);
    g_free(d.results);
    g_free(d.spreads);
    g_array_unref(d.groups);
    g_array_unref(d.services);
    g_string_chunk_free(d.names);
    return done;
}
