/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/compare-state.h"
#include "analyzer/crs.h"
#include "analyzer/pass-read.h"

#include <math.h>
#include <string.h>

/* The service as the table `services` has it: the one asked for, or the first by level. */
static gboolean read_service(Compare *c, LayerSource *source, GError **error)
{
    g_autoptr(LayerReader) reader = layer_read(source, "services", NULL, error);
    if (reader == NULL)
        return FALSE;
    int id = layer_column(reader, "service"), quantity = layer_column(reader, "quantity"),
        rat = layer_column(reader, "rat"), threshold = layer_column(reader, "threshold"),
        required = layer_column(reader, "required"), title = layer_column(reader, "title");
    g_autoptr(GString) known = g_string_new(NULL);
    g_autoptr(GError) local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        g_autofree char *name = g_strdup(layer_get_text(row, id));
        g_autofree char *what = g_strdup(layer_get_text(row, quantity));
        if (name == NULL || what == NULL)
            continue;
        gboolean radio = strcmp(what, "level") == 0 || strcmp(what, "state") == 0;
        if (radio && strstr(known->str, name) == NULL)
            g_string_append_printf(known, "%s%s", known->len ? ", " : "", name);
        gboolean wanted = c->options->service ? strcmp(name, c->options->service) == 0
                          : c->service_id     ? strcmp(name, c->service_id) == 0
                                              : strcmp(what, "level") == 0;
        if (!wanted || !radio)
            continue;
        if (c->service_id == NULL) {
            c->service_id = g_strdup(name);
            c->title = g_strdup(layer_get_text(row, title));
            c->service.quantity = strcmp(what, "level") == 0 ? QUANTITY_LEVEL : QUANTITY_STATE;
            c->service.required = layer_get_real(row, required, 0.5);
        }
        int tech = technology_by_name(layer_get_text(row, rat));
        if (tech >= 0) {
            c->service.has_level[tech] = TRUE;
            c->service.level_dbm[tech] = layer_get_real(row, threshold, 0.0);
        }
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    return c->service_id != NULL ||
           claim_fail(error, "%s: no service %s to compare; it has %s", c->options->in,
                      c->options->service ? c->options->service : "judged by level", known->str);
}

static gboolean is_wanted(const Compare *c, const char *operator_label)
{
    size_t n = strlen(operator_label);
    for (char **map = c->options->maps; *map != NULL; map++)
        if (strncmp(*map, operator_label, n) == 0 && (*map)[n] == '=')
            return TRUE;
    return FALSE;
}

typedef struct {
    int segment, corridor, km_from, km_to, length, operator_label, antenna, n, n_none, seconds,
        level, band, share, verdict;
} Columns;

static gboolean find_columns(const Compare *c, LayerReader *reader, Columns *col, GError **error)
{
    g_autofree char *share = g_strconcat(c->service_id, "_share", NULL);
    g_autofree char *verdict = g_strconcat(c->service_id, "_verdict", NULL);
    struct {
        const char *name;
        int *column;
    } all[] = {{"segment", &col->segment},     {"corridor", &col->corridor},
               {"km_from", &col->km_from},     {"km_to", &col->km_to},
               {"length_m", &col->length},     {"operator", &col->operator_label},
               {"antenna", &col->antenna},     {"n", &col->n},
               {"n_no_service", &col->n_none}, {"seconds", &col->seconds},
               {"level_p50", &col->level},     {"band", &col->band},
               {share, &col->share},           {verdict, &col->verdict}};
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
        if (!layer_need_column(reader, all[i].name, all[i].column, error))
            return FALSE;
    return TRUE;
}

static const char *interned(Compare *c, const char *text)
{
    return text ? g_string_chunk_insert_const(c->names, text) : NULL;
}

static void read_item(Compare *c, const LayerRow *row, const Columns *col)
{
    CompareItem i = {.segment = layer_get_int(row, col->segment, 0),
                     .km_from = layer_get_real(row, col->km_from, 0.0),
                     .km_to = layer_get_real(row, col->km_to, 0.0),
                     .length_m = layer_get_real(row, col->length, 0.0),
                     .n = layer_get_int(row, col->n, 0),
                     .n_no_service = layer_get_int(row, col->n_none, 0),
                     .seconds = layer_get_real(row, col->seconds, 0.0),
                     .level_p50 = layer_get_real(row, col->level, NAN),
                     .band = layer_get_int(row, col->band, -1),
                     .share = layer_get_real(row, col->share, NAN),
                     .claimed_level = NAN,
                     .first_point = c->points->len};
    i.corridor = interned(c, layer_get_text(row, col->corridor));
    i.operator_label = interned(c, layer_get_text(row, col->operator_label));
    i.antenna = interned(c, layer_get_text(row, col->antenna));
    i.verdict = verdict_by_name(layer_get_text(row, col->verdict));
    if (i.operator_label == NULL || i.antenna == NULL || row->shape.n_parts == 0)
        return;
    i.n_points = row->shape.part[row->shape.n_parts];
    g_array_append_vals(c->points, row->shape.points, i.n_points);
    g_array_append_val(c->items, i);
}

static int by_operator(const void *a, const void *b)
{
    const CompareItem *x = a, *y = b;
    int order = strcmp(x->operator_label, y->operator_label);
    if (order == 0)
        order = strcmp(x->antenna, y->antenna);
    return order != 0 ? order : (x->segment > y->segment) - (x->segment < y->segment);
}

static gboolean check_operators(const Compare *c, GPtrArray *seen, GError **error)
{
    g_autoptr(GHashTable) given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (char **map = c->options->maps; *map != NULL; map++) {
        const char *equal = strchr(*map, '=');
        if (equal == NULL || equal == *map)
            return claim_fail(error, "--map %s: write OPERATOR=FILE", *map);
        g_autofree char *name = g_strndup(*map, (gsize)(equal - *map));
        if (!g_hash_table_add(given, g_strdup(name)))
            return claim_fail(error,
                              "--map %s: %s is given twice; put its maps into one file or compare "
                              "them one after the other",
                              *map, name);
        if (g_ptr_array_find_with_equal_func(seen, name, g_str_equal, NULL))
            continue;
        g_autoptr(GString) all = g_string_new(NULL);
        for (guint i = 0; i < seen->len; i++)
            g_string_append_printf(all, "%s%s", i ? ", " : "", (char *)seen->pdata[i]);
        return claim_fail(error, "--map %s: %s has no operator of that name; it has %s", *map,
                          c->options->in, all->str);
    }
    return TRUE;
}

static CompareGroup *group_of(Compare *c, const char *operator_label, const char *antenna)
{
    g_autofree char *key = g_strconcat(operator_label, "\n", antenna, NULL);
    CompareGroup *group = g_hash_table_lookup(c->groups, key);
    if (group == NULL) {
        group = g_new0(CompareGroup, 1);
        g_hash_table_insert(c->groups, g_steal_pointer(&key), group);
    }
    return group;
}

const CompareGroup *compare_group(Compare *c, const CompareItem *item)
{
    return group_of(c, item->operator_label, item->antenna);
}

/* Reads one number by operator and antenna from a table: the largest, or the sum. */
static gboolean read_groups(Compare *c, LayerSource *source, const char *table, const char *column,
                            gsize offset, gboolean is_sum, GError **error)
{
    g_autoptr(LayerReader) reader = layer_read(source, table, NULL, error);
    int op, antenna, value;
    if (reader == NULL || !layer_need_column(reader, "operator", &op, error) ||
        !layer_need_column(reader, "antenna", &antenna, error) ||
        !layer_need_column(reader, column, &value, error))
        return FALSE;
    g_autoptr(GError) local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        const char *name = layer_get_text(row, op), *place = layer_get_text(row, antenna);
        if (name == NULL || place == NULL)
            continue;
        double *into = (double *)(void *)((char *)group_of(c, name, place) + offset);
        double x = layer_get_real(row, value, 0.0);
        *into = is_sum ? *into + x : fmax(*into, x);
    }
    if (local == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

gboolean compare_read(Compare *c, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(c->options->in, error);
    if (source == NULL || !read_service(c, source, error) ||
        !read_groups(c, source, "summary", "decorrelation_m",
                     offsetof(CompareGroup, decorrelation_m), FALSE, error) ||
        !read_groups(c, source, "quality", "seconds_no_position",
                     offsetof(CompareGroup, seconds_no_position), TRUE, error))
        return FALSE;
    g_autoptr(LayerReader) reader = layer_read(source, "segments", NULL, error);
    Columns col;
    if (reader == NULL || !find_columns(c, reader, &col, error))
        return FALSE;
    g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        const char *name = layer_get_text(row, col.operator_label);
        if (name == NULL)
            continue;
        if (!g_ptr_array_find_with_equal_func(seen, name, g_str_equal, NULL))
            g_ptr_array_add(seen, g_strdup(name));
        if (is_wanted(c, name))
            read_item(c, row, &col);
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_array_sort(c->items, by_operator);
    return check_operators(c, seen, error);
}

/* ---- evidence ---- */

CompareItem *compare_find_item(Compare *c, const char *operator_label, const char *antenna,
                               int64_t segment)
{
    CompareItem key = {.operator_label = operator_label, .antenna = antenna, .segment = segment};
    guint at;
    return g_array_binary_search(c->items, &key, by_operator, &at)
               ? &g_array_index(c->items, CompareItem, at)
               : NULL;
}

static void ends(const Compare *c, const CompareItem *i, const Crs *crs, double xy[4])
{
    const GeoPoint *p = &g_array_index(c->points, GeoPoint, i->first_point);
    GeoPoint end[2] = {p[0], p[i->n_points - 1]};
    for (int k = 0; k < 2; k++) {
        xy[2 * k] = end[k].lon;
        xy[2 * k + 1] = end[k].lat;
        if (crs != NULL)
            (void)crs_forward(crs, end[k], &xy[2 * k], &xy[2 * k + 1]);
    }
}

/* Columns A to K of the regulator's result file (docs/method.md, "Claims"). */
static gboolean write_test(OutRow *row, const double xy[4], int64_t time_ns, int64_t source,
                           const char *cells, gboolean declared, gboolean success,
                           gboolean conforms, GError **error)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_ns / 1000000000);
    g_autofree char *date = time ? g_date_time_format(time, "%Y-%m-%d") : NULL;
    g_autofree char *clock = time ? g_date_time_format(time, "%H:%M:%S") : NULL;
    g_autofree char *terminal = g_strdup_printf("source %" G_GINT64_FORMAT, source);
    const char *dash = cells ? strchr(cells, '-') : NULL;
    g_autofree char *plmn = dash ? g_strndup(cells, (gsize)(dash - cells)) : NULL;
    out_text(row, "date", date);
    out_text(row, "time", clock);
    out_real(row, "x_start", xy[0]);
    out_real(row, "y_start", xy[1]);
    out_real(row, "x_end", xy[2]);
    out_real(row, "y_end", xy[3]);
    out_text(row, "terminal", terminal);
    out_text(row, "plmn", plmn);
    out_int(row, "declared_covered", declared);
    out_int(row, "success", success);
    out_int(row, "technology_conforms", conforms);
    return out_row_end(row, NULL, 0, error);
}

static gboolean conforms(const Service *service, const LevelHistogram *levels)
{
    Service state = *service;
    state.quantity = QUANTITY_LEVEL;
    for (int t = 0; t < TECH_COUNT; t++)
        state.level_dbm[t] = -1000.0;
    ServiceTally t;
    judge_tally(levels, &state, 0.0, &t);
    return t.all > 0.0 && t.good >= 0.5 * t.all;
}

/* One test: the pass, if it says anything of the service. */
static gboolean add_pass(Compare *c, const Crs *crs, const PassRead *pass, OutRow *out,
                         GError **error)
{
    const PassRecord *record = pass->record;
    CompareItem *i = compare_find_item(c, pass->operator_label, pass->antenna, pass->segment);
    ServiceTally t;
    if (i == NULL)
        return TRUE;
    judge_tally(&record->levels, &c->service, 0.0, &t);
    if (!(t.all > 0.0))
        return TRUE;
    i->passes++;
    for (int s = 0; s < COMPARE_SHIFTS; s++) {
        ServiceTally shifted;
        judge_tally(&record->levels, &c->service, compare_shift_db[s], &shifted);
        i->shifted[s] += shifted.all > 0.0 ? shifted.good / shifted.all : 0.0;
    }
    double xy[4];
    ends(c, i, crs, xy);
    return write_test(out, xy, record->first_ns, record->source, record->cells,
                      compare_is_claimed(i), t.good >= c->service.required * t.all,
                      conforms(&c->service, &record->levels), error);
}

gboolean compare_evidence(Compare *c, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(c->options->in, error);
    g_autoptr(PassReader) reader = source ? pass_reader_new(source, error) : NULL;
    if (reader == NULL)
        return FALSE;
    g_autoptr(Crs) crs = c->options->crs ? crs_new(c->options->crs, error) : NULL;
    if (c->options->crs != NULL && crs == NULL)
        return FALSE;
    g_auto(OutRow) out = {0};
    out_row_init(&out, c->writer, "arcep", LAYER_NONE);
    GError *local = NULL;
    const PassRead *pass;
    while ((pass = pass_reader_next(reader, &local)) != NULL)
        if (!add_pass(c, crs, pass, &out, error))
            return FALSE;
    if (local != NULL)
        g_propagate_error(error, local);
    return local == NULL;
}
