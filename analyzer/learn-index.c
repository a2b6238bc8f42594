/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest segment of a line, by a grid of cells as large as the reach. */
#include "analyzer/learn.h"

#include <math.h>

struct LineIndex {
    double cell_m;
    const PlanePoint *points;
    guint n;
    GArray *along;     /* double */
    GHashTable *cells; /* int64 -> GArray of guint */
};

LineIndex *line_index_new(double reach_m)
{
    LineIndex *index = g_new0(LineIndex, 1);

    index->cell_m = reach_m * 1.5; /* segments are noted every 1/2 cell, so none is missed */
    index->along = g_array_new(FALSE, FALSE, sizeof(double));
    index->cells =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_array_unref);
    return index;
}

void line_index_free(LineIndex *index)
{
    if (index == NULL)
        return;
    g_array_unref(index->along);
    g_hash_table_unref(index->cells);
    g_free(index);
}

static int64_t cell_key(int64_t x, int64_t y)
{
    return x * INT64_C(4294967296) + y;
}

static void note(LineIndex *index, PlanePoint p, guint segment)
{
    int64_t key =
        cell_key((int64_t)floor(p.x / index->cell_m), (int64_t)floor(p.y / index->cell_m));
    GArray *cell = g_hash_table_lookup(index->cells, &key);

    if (cell == NULL) {
        cell = g_array_new(FALSE, FALSE, sizeof(guint));
        g_hash_table_insert(index->cells, g_memdup2(&key, sizeof key), cell);
    }
    if (cell->len == 0 || g_array_index(cell, guint, cell->len - 1) != segment)
        g_array_append_val(cell, segment);
}

void line_index_extend(LineIndex *index, const PlanePoint *points, guint n)
{
    index->points = points;
    for (guint i = index->n; i < n; i++) {
        double length = i > 0 ? plane_distance(points[i - 1], points[i]) : 0;
        double along = i > 0 ? g_array_index(index->along, double, i - 1) + length : 0;
        g_array_append_val(index->along, along);
        if (i == 0)
            continue;
        int steps = (int)ceil(length / (index->cell_m / 2)) + 1;
        for (int k = 0; k <= steps; k++) {
            double t = (double)k / steps;
            note(index,
                 (PlanePoint){points[i - 1].x + t * (points[i].x - points[i - 1].x),
                              points[i - 1].y + t * (points[i].y - points[i - 1].y)},
                 i - 1);
        }
    }
    index->n = n;
}

void line_index_set(LineIndex *index, const PlanePoint *points, guint n)
{
    g_hash_table_remove_all(index->cells);
    g_array_set_size(index->along, 0);
    index->n = 0;
    line_index_extend(index, points, n);
}

double line_index_along(const LineIndex *index, guint i)
{
    return g_array_index(index->along, double, i);
}

gboolean line_index_nearest(const LineIndex *index, PlanePoint p, double expect_m, double pull,
                            IndexHit *hit)
{
    int64_t cx = (int64_t)floor(p.x / index->cell_m), cy = (int64_t)floor(p.y / index->cell_m);
    double best = HUGE_VAL, reach = index->cell_m / 1.5;
    gboolean found = FALSE;

    for (int64_t k = 0; k < 9; k++) {
        int64_t key = cell_key(cx + k % 3 - 1, cy + k / 3 - 1);
        const GArray *cell = g_hash_table_lookup(index->cells, &key);
        for (guint c = 0; cell != NULL && c < cell->len; c++) {
            guint segment = g_array_index(cell, guint, c);
            double t;
            double distance =
                plane_project(p, index->points[segment], index->points[segment + 1], &t);
            double from = g_array_index(index->along, double, segment),
                   to = g_array_index(index->along, double, segment + 1);
            double along = from + t * (to - from);
            double cost = distance;
            if (!isnan(expect_m))
                cost += pull * fmin(fabs(along - expect_m), 1000);
            if (distance <= reach && cost < best) {
                best = cost;
                *hit = (IndexHit){segment, t, along, distance};
                found = TRUE;
            }
        }
    }
    return found;
}
