/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/diff-state.h"

#include <math.h>
#include <string.h>

static gboolean ended(GError *local, GError **error)
{
    if (local == NULL)
        return TRUE;
    g_propagate_error(error, local);
    return FALSE;
}

/* ---- segments, once each ---- */

static int by_number(const void *a, const void *b)
{
    const DiffSegment *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static gboolean read_segments(Diff *d, DiffCampaign *c, LayerSource *source, GError **error)
{
    g_autoptr(LayerReader) reader = layer_read(source, "segments", NULL, error);
    int number, corridor, from, to, length;
    if (reader == NULL || !layer_need_column(reader, "segment", &number, error) ||
        !layer_need_column(reader, "corridor", &corridor, error) ||
        !layer_need_column(reader, "km_from", &from, error) ||
        !layer_need_column(reader, "km_to", &to, error) ||
        !layer_need_column(reader, "length_m", &length, error))
        return FALSE;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    GError *local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        int64_t id = layer_get_int(row, number, 0);
        if (row->shape.n_parts == 0 || !g_hash_table_add(seen, g_memdup2(&id, sizeof id)))
            continue;
        DiffSegment s = {.number = id,
                         .corridor = diff_intern(d, layer_get_text(row, corridor)),
                         .km_from = layer_get_real(row, from, 0.0),
                         .km_to = layer_get_real(row, to, 0.0),
                         .length_m = layer_get_real(row, length, 0.0),
                         .first_point = c->points->len,
                         .n_points = row->shape.part[1],
                         .place = DIFF_NOWHERE};
        g_array_append_vals(c->points, row->shape.points, s.n_points);
        g_array_append_val(c->segments, s);
    }
    g_array_sort(c->segments, by_number);
    return ended(local, error);
}

/* ---- services, gaps, meta ---- */

static Service *service_by_id(GArray *services, const char *id)
{
    for (guint i = 0; i < services->len; i++)
        if (g_array_index(services, Service, i).id == id)
            return &g_array_index(services, Service, i);
    return NULL;
}

static gboolean read_services(Diff *d, DiffCampaign *c, LayerSource *source, GError **error)
{
    g_autoptr(LayerReader) reader = layer_read(source, "services", NULL, error);
    int id, what;
    if (reader == NULL || !layer_need_column(reader, "service", &id, error) ||
        !layer_need_column(reader, "quantity", &what, error))
        return FALSE;
    int rat = layer_column(reader, "rat"), threshold = layer_column(reader, "threshold"),
        required = layer_column(reader, "required"), title = layer_column(reader, "title");
    GError *local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        const char *name = diff_intern(d, layer_get_text(row, id));
        int quantity = quantity_by_name(layer_get_text(row, what));
        if (name == NULL || quantity < 0)
            continue;
        Service *s = service_by_id(c->services, name);
        if (s == NULL) {
            Service added = {.id = (char *)(uintptr_t)name,
                             .title = (char *)(uintptr_t)diff_intern(d, layer_get_text(row, title)),
                             .quantity = (Quantity)quantity,
                             .required = layer_get_real(row, required, 0.5),
                             .limit = layer_get_real(row, threshold, 0.0)};
            g_array_append_val(c->services, added);
            s = &g_array_index(c->services, Service, c->services->len - 1);
        }
        int tech = technology_by_name(layer_get_text(row, rat));
        if (tech >= 0) {
            s->has_level[tech] = TRUE;
            s->level_dbm[tech] = layer_get_real(row, threshold, 0.0);
        }
    }
    return ended(local, error);
}

static gboolean read_gaps(Diff *d, DiffCampaign *c, LayerSource *source, GError **error)
{
    static const LayerQuery query = {.no_shapes = TRUE};
    g_autoptr(LayerReader) reader = layer_read(source, "gaps", &query, error);
    if (reader == NULL)
        return FALSE;
    int corridor = layer_column(reader, "corridor"), op = layer_column(reader, "operator"),
        antenna = layer_column(reader, "antenna"), service = layer_column(reader, "service"),
        from = layer_column(reader, "km_from"), to = layer_column(reader, "km_to");
    GError *local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        DiffGap gap = {diff_intern(d, layer_get_text(row, corridor)),
                       diff_intern(d, layer_get_text(row, op)),
                       diff_intern(d, layer_get_text(row, antenna)),
                       diff_intern(d, layer_get_text(row, service)),
                       layer_get_real(row, from, NAN),
                       layer_get_real(row, to, NAN)};
        g_array_append_val(c->gaps, gap);
    }
    return ended(local, error);
}

static gboolean read_meta(DiffCampaign *c, LayerSource *source, GError **error)
{
    g_autoptr(LayerReader) reader = layer_read(source, "meta", NULL, error);
    if (reader == NULL)
        return FALSE;
    int key = layer_column(reader, "key"), value = layer_column(reader, "value");
    GError *local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        g_autofree char *name = g_strdup(layer_get_text(row, key));
        const char *text = layer_get_text(row, value);
        if (g_strcmp0(name, "network_digest") == 0) {
            g_free(c->network_digest);
            c->network_digest = g_strdup(text);
        } else if (g_strcmp0(name, "created_for") == 0) {
            g_free(c->created_for);
            c->created_for = g_strdup(text);
        } else if (g_strcmp0(name, "segment_m") == 0 && text != NULL) {
            c->segment_m = g_ascii_strtod(text, NULL);
        }
    }
    return ended(local, error);
}

static gboolean read_decorrelation(Diff *d, DiffCampaign *c, LayerSource *source, GError **error)
{
    g_autoptr(LayerReader) reader = layer_read(source, "summary", NULL, error);
    if (reader == NULL)
        return FALSE;
    int op = layer_column(reader, "operator"), column = layer_column(reader, "decorrelation_m");
    GError *local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        const char *name = diff_intern(d, layer_get_text(row, op));
        double far = layer_get_real(row, column, 0.0);
        double *there = name != NULL ? g_hash_table_lookup(c->decorrelation_m, name) : NULL;
        if (there != NULL)
            *there = fmax(*there, far);
        else if (name != NULL)
            g_hash_table_insert(c->decorrelation_m, (gpointer)(uintptr_t)name,
                                g_memdup2(&far, sizeof far));
    }
    return ended(local, error);
}

/* A file of `analyze` has all of these; another one is told what it lacks. */
static gboolean check(const DiffCampaign *c, LayerSource *source, GError **error)
{
    static const char *const tables[] = {"segments", "evidence", "services",
                                         "summary",  "gaps",     "meta"};
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
        if (!layer_has(source, tables[i])) {
            g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER,
                        "%s: has no table %s; give what corridor analyze wrote", c->path,
                        tables[i]);
            return FALSE;
        }
    return TRUE;
}

gboolean diff_read(Diff *d, DiffCampaign *c, GError **error)
{
    c->segments = g_array_new(FALSE, FALSE, sizeof(DiffSegment));
    c->points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    c->services = g_array_new(FALSE, TRUE, sizeof(Service));
    c->gaps = g_array_new(FALSE, FALSE, sizeof(DiffGap));
    c->runs = g_array_new(FALSE, TRUE, sizeof(DiffRun));
    c->cells = g_array_new(FALSE, FALSE, sizeof(DiffCell));
    c->decorrelation_m = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    g_autoptr(LayerSource) source = layer_open(c->path, error);
    return source != NULL && check(c, source, error) && read_segments(d, c, source, error) &&
           read_services(d, c, source, error) && read_gaps(d, c, source, error) &&
           read_meta(c, source, error) && read_decorrelation(d, c, source, error);
}

void diff_campaign_clear(DiffCampaign *c)
{
    for (guint i = 0; c->runs != NULL && i < c->runs->len; i++)
        level_histogram_clear(&g_array_index(c->runs, DiffRun, i).levels);
    GArray *arrays[] = {c->segments, c->points, c->services, c->gaps, c->runs, c->cells};
    for (guint i = 0; i < G_N_ELEMENTS(arrays); i++)
        if (arrays[i] != NULL)
            g_array_unref(arrays[i]);
    g_clear_pointer(&c->decorrelation_m, g_hash_table_unref);
    g_free(c->network_digest);
    g_free(c->created_for);
    g_free(c->first_run);
    g_free(c->figures);
    g_free(c->sides);
}
