/* SPDX-License-Identifier: Apache-2.0 */
/* The layer `diff` with its styles, and what diff adds to `meta`. */
#include "analyzer/diff-state.h"
#include "analyzer/style.h"

#include <math.h>

static void service_columns(const Diff *d, OutRow *row, guint group, guint place, guint service)
{
    const char *id = diff_service(d, service)->id;
    gsize i = diff_figure_at(d, group, place, service);
    const DiffFigure *a = &d->before.figures[i], *b = &d->after.figures[i];
    const DiffResult *r = &d->results[i];
    char name[64];
#define NAME(suffix) (g_snprintf(name, sizeof name, "%s_" suffix, id), name)
    out_text(row, NAME("change"), diff_is_name(r->is));
    out_text(row, NAME("reason"), r->reason);
    out_text(row, NAME("verdict_before"), verdict_name(a->verdict));
    out_text(row, NAME("verdict_after"), verdict_name(b->verdict));
    out_real(row, NAME("share_before"), a->share);
    out_real(row, NAME("share_after"), b->share);
    out_real(row, NAME("effect"), r->effect.effect);
    out_real(row, NAME("low"), r->effect.low);
    out_real(row, NAME("high"), r->effect.high);
    out_real(row, NAME("p"), r->effect.p);
    out_real(row, NAME("p_adjusted"), r->p_adjusted);
#undef NAME
}

static gboolean write_place(const Diff *d, OutRow *row, guint group, guint place, GError **error)
{
    const DiffGroup *g = &g_array_index(d->groups, DiffGroup, group);
    const DiffSegment *s = diff_place(d, place);
    const DiffSide *a = &d->before.sides[diff_at(d, group, place)];
    const DiffSide *b = &d->after.sides[diff_at(d, group, place)];
    out_int(row, "segment", s->number);
    out_text(row, "corridor", s->corridor);
    out_real(row, "km_from", s->km_from);
    out_real(row, "km_to", s->km_to);
    out_real(row, "length_m", s->length_m);
    out_text(row, "operator", g->operator_label);
    out_text(row, "antenna", g->antenna);
    out_int(row, "passes_before", a->passes);
    out_int(row, "passes_after", b->passes);
    out_int(row, "n_before", a->n);
    out_int(row, "n_after", b->n);
    out_real(row, "level_before", a->level_dbm);
    out_real(row, "level_after", b->level_dbm);
    out_real(row, "level_change", b->level_dbm - a->level_dbm);
    for (guint i = 0; i < d->services->len; i++)
        service_columns(d, row, group, place, i);
    return out_row_end(row, &g_array_index(d->frame->points, GeoPoint, s->first_point), s->n_points,
                       error);
}

static gboolean write_styles(Diff *d, GError **error)
{
    static const StyleLine looks[] = {
        {"better", "0,114,178,255", "1.4", "solid"},
        {"worse", "178,55,29,255", "1.8", "solid"},
        {"unchanged", "90,98,106,255", "0.8", "solid"},
        {"unknown", "154,161,167,255", "0.4", "dot"},
    };
    /* the level first, as in the styles of `segments` */
    for (int by_level = 1; by_level >= 0; by_level--)
        for (guint i = 0; i < d->services->len; i++) {
            const Service *service = diff_service(d, i);
            if ((service->quantity == QUANTITY_LEVEL) != (by_level != 0))
                continue;
            g_autofree char *attribute = g_strconcat(service->id, "_change", NULL);
            g_autofree char *qml = style_by_value(attribute, looks, G_N_ELEMENTS(looks));
            if (!layer_add_style(d->writer, "diff",
                                 service->title != NULL ? service->title : service->id, qml, error))
                return FALSE;
        }
    return TRUE;
}

gboolean diff_write_segments(Diff *d, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, d->writer, "diff", LAYER_LINES);
    for (guint place = 0; place < d->n_places; place++)
        for (guint group = 0; group < d->groups->len; group++)
            if (!write_place(d, &row, group, place, error))
                return FALSE;
    /* the later file may be a result of diff itself */
    return layer_sql(d->writer, "DELETE FROM layer_styles WHERE f_table_name = 'diff'", error) &&
           write_styles(d, error);
}

static gboolean put_meta(LayerTable *table, const char *key, const char *value, GError **error)
{
    LayerValue values[] = {layer_text(key), layer_text(value)};
    return layer_add(table, NULL, 0, values, error);
}

gboolean diff_write_meta(Diff *d, GError **error)
{
    static const LayerField fields[] = {{"key", LAYER_TEXT}, {"value", LAYER_TEXT}};
    g_autofree char *before = g_path_get_basename(d->before.path);
    g_autofree char *after = g_path_get_basename(d->after.path);
    char rate[G_ASCII_DTOSTR_BUF_SIZE];
    if (!layer_sql(d->writer, "DELETE FROM meta WHERE key LIKE 'diff_%'", error))
        return FALSE;
    LayerTable *table = layer_append_table(d->writer, "meta", fields, 2, error);
    return table != NULL && put_meta(table, "diff_before", before, error) &&
           put_meta(table, "diff_after", after, error) &&
           put_meta(table, "diff_before_created_for", d->before.created_for, error) &&
           put_meta(table, "diff_rate",
                    g_ascii_formatd(rate, sizeof rate, "%.15g", d->options->rate), error) &&
           put_meta(table, "diff_same_equipment", d->options->same_equipment ? "1" : "0", error) &&
           put_meta(table, "diff_rebinned", d->same_segments ? "0" : "1", error);
}
