/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/compare.h"

#include "analyzer/compare-state.h"
#include "analyzer/geometry.h"
#include "analyzer/stat.h"

#include <math.h>
#include <string.h>

/* Segments for which a vector map is loaded at a time: fewer where that would be too much. */
#define BATCH_MOST  4000
#define BATCH_LEAST 50

void compare_report_clear(CompareReport *report)
{
    g_clear_pointer(&report->lines, g_ptr_array_unref);
    g_clear_pointer(&report->warnings, g_ptr_array_unref);
}

static GeoBox box_of(const Compare *c, guint from, guint to)
{
    GeoBox box = {180.0, 90.0, -180.0, -90.0};
    for (guint k = from; k < to; k++) {
        const CompareItem *i = &g_array_index(c->items, CompareItem, k);
        for (guint p = i->first_point; p < i->first_point + i->n_points; p++) {
            GeoPoint q = g_array_index(c->points, GeoPoint, p);
            box.west = fmin(box.west, q.lon - 0.002);
            box.east = fmax(box.east, q.lon + 0.002);
            box.south = fmin(box.south, q.lat - 0.001);
            box.north = fmax(box.north, q.lat + 0.001);
        }
    }
    return box;
}

/* Asks the map of one operator for all its segments. */
static gboolean ask_map(Compare *c, const char *option, GError **error)
{
    const char *equal = strchr(option, '=');
    g_autofree char *name = g_strndup(option, (gsize)(equal - option));
    g_autoptr(ClaimMap) map = claim_open(equal + 1, error);
    if (map == NULL)
        return FALSE;
    gboolean is_inside = FALSE;
    guint n = c->items->len, batch = BATCH_MOST;
    for (guint from = 0; from < n;) {
        if (strcmp(g_array_index(c->items, CompareItem, from).operator_label, name) != 0) {
            from++;
            continue;
        }
        guint to = from;
        while (to < n && to - from < batch &&
               strcmp(g_array_index(c->items, CompareItem, to).operator_label, name) == 0)
            to++;
        GeoBox box = box_of(c, from, to);
        gboolean too_much = FALSE;
        if (!claim_load(map, &box, batch > BATCH_LEAST ? &too_much : NULL, error))
            return FALSE;
        if (too_much) {
            batch /= 4;
            continue;
        }
        for (guint k = from; k < to; k++)
            if (!compare_ask_squares(c, &g_array_index(c->items, CompareItem, k), map, &is_inside,
                                     error))
                return FALSE;
        from = to;
    }
    if (!is_inside && !claim_is_map(map, error))
        return FALSE;
    if (!is_inside)
        g_ptr_array_add(c->report->warnings,
                        g_strdup_printf("%s: nothing of the map lies near the segments of %s: it "
                                        "counts as claiming nothing; is it the right map?",
                                        claim_path(map), name));
    return TRUE;
}

/* The point half way along a segment. */
static GeoPoint middle_of(const Compare *c, const CompareItem *i)
{
    const GeoPoint *p = &g_array_index(c->points, GeoPoint, i->first_point);
    Plane plane = plane_at(p[0]);
    double length = 0.0;
    for (guint k = 0; k + 1 < i->n_points; k++)
        length += plane_distance(plane_from_geo(&plane, p[k]), plane_from_geo(&plane, p[k + 1]));
    double left = length / 2.0;
    for (guint k = 0; k + 1 < i->n_points; k++) {
        PlanePoint a = plane_from_geo(&plane, p[k]), b = plane_from_geo(&plane, p[k + 1]);
        double piece = plane_distance(a, b);
        if (left <= piece && piece > 0.0) {
            double t = left / piece;
            return (GeoPoint){p[k].lon + t * (p[k + 1].lon - p[k].lon),
                              p[k].lat + t * (p[k + 1].lat - p[k].lat)};
        }
        left -= piece;
    }
    return p[i->n_points - 1];
}

static gboolean ask_areas(Compare *c, GError **error)
{
    if (c->options->areas == NULL)
        return TRUE;
    g_autoptr(ClaimMap) map = claim_open(c->options->areas, error);
    if (map == NULL)
        return FALSE;
    GeoBox box = box_of(c, 0, c->items->len);
    if (!claim_load(map, &box, NULL, error))
        return FALSE;
    for (guint k = 0; k < c->items->len; k++) {
        CompareItem *i = &g_array_index(c->items, CompareItem, k);
        const char *name = claim_name_at(map, middle_of(c, i));
        i->area = name ? g_string_chunk_insert_const(c->names, name) : NULL;
    }
    return TRUE;
}

static gboolean run(Compare *c, GError **error)
{
    if (!compare_read(c, error))
        return FALSE;
    for (char **map = c->options->maps; *map != NULL; map++)
        if (!ask_map(c, *map, error))
            return FALSE;
    if (!ask_areas(c, error) || !compare_measured_squares(c, error))
        return FALSE;
    c->writer = layer_create_from(c->options->out, c->options->in, error);
    return c->writer != NULL && compare_evidence(c, error) && compare_write(c, error) &&
           compare_losses(c, error) && layer_finish(c->writer, error);
}

gboolean compare(const CompareOptions *options, CompareReport *report, GError **error)
{
    *report = (CompareReport){g_ptr_array_new_with_free_func(g_free),
                              g_ptr_array_new_with_free_func(g_free)};
    Compare c = {.options = options,
                 .report = report,
                 .items = g_array_new(FALSE, FALSE, sizeof(CompareItem)),
                 .points = g_array_new(FALSE, FALSE, sizeof(GeoPoint)),
                 .squares = g_array_new(FALSE, FALSE, sizeof(CompareSquare)),
                 .names = g_string_chunk_new(1024),
                 .groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
    gboolean done = run(&c, error);
    layer_discard(c.writer);
    g_array_unref(c.items);
    g_array_unref(c.points);
    g_array_unref(c.squares);
    g_string_chunk_free(c.names);
    g_hash_table_unref(c.groups);
    g_free(c.service_id);
    g_free(c.title);
    return done;
}
