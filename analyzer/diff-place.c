/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common places of two campaigns. The same network cut the same way has the same segments. Else a
 * segment belongs to the place that its middle lies nearest to, in the same direction (either way),
 * and of the same corridor if one of that name is near.
 */
#include "analyzer/diff-state.h"
#include "analyzer/geometry.h"

#include <math.h>
#include <string.h>

/* How far lines of the same road or track may lie apart: learnt from two days' GPS, or from maps of
 * different makers. */
#define NEAR_M   60.0
#define TURN_DEG 45.0

/* Cells of the grid, degrees; larger than NEAR_M on both axes up to 84 degrees of latitude. */
#define GRID_DEG 0.005

static int64_t grid_key(double lon, double lat, int dx, int dy)
{
    int64_t x = (int64_t)floor(lon / GRID_DEG) + dx, y = (int64_t)floor(lat / GRID_DEG) + dy;
    return x * 1000003 + y;
}

static void grid_add(GHashTable *grid, int64_t key, guint place)
{
    GArray *list = g_hash_table_lookup(grid, &key);
    if (list == NULL) {
        list = g_array_new(FALSE, FALSE, sizeof(guint));
        g_hash_table_insert(grid, g_memdup2(&key, sizeof key), list);
    }
    if (list->len == 0 || g_array_index(list, guint, list->len - 1) != place)
        g_array_append_val(list, place);
}

static const GeoPoint *points_of(const DiffCampaign *c, const DiffSegment *s)
{
    return &g_array_index(c->points, GeoPoint, s->first_point);
}

static GHashTable *grid_new(const DiffCampaign *frame)
{
    GHashTable *grid =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_array_unref);
    for (guint i = 0; i < frame->segments->len; i++) {
        const DiffSegment *s = &g_array_index(frame->segments, DiffSegment, i);
        const GeoPoint *p = points_of(frame, s);
        for (guint k = 0; k < s->n_points; k++) {
            /* pieces longer than a cell are rare, and followed in steps */
            GeoPoint a = p[k], b = p[MIN(k + 1, s->n_points - 1)];
            double far = fmax(fabs(b.lon - a.lon), fabs(b.lat - a.lat));
            int steps = 1 + (int)fmin(ceil(far / GRID_DEG), 1000.0);
            for (int t = 0; t <= steps; t++)
                grid_add(grid,
                         grid_key(a.lon + (b.lon - a.lon) * t / steps,
                                  a.lat + (b.lat - a.lat) * t / steps, 0, 0),
                         i);
        }
    }
    return grid;
}

/* Distance of the middle of a line from another line, and the angle between them there. */
static double distance_to(const DiffCampaign *frame, guint place, const Plane *plane,
                          double heading_deg, double *turn_deg)
{
    const DiffSegment *s = &g_array_index(frame->segments, DiffSegment, place);
    const GeoPoint *p = points_of(frame, s);
    g_autofree PlanePoint *line = g_new(PlanePoint, s->n_points);
    for (guint k = 0; k < s->n_points; k++)
        line[k] = plane_from_geo(plane, p[k]);
    LineHit hit = plane_project_line((PlanePoint){0.0, 0.0}, line, s->n_points);
    size_t next = MIN(hit.segment + 1, (size_t)s->n_points - 1);
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): a segment has two points at least */
    double there_deg = plane_heading_deg(line[hit.segment], line[next]);
    double turn = heading_difference_deg(heading_deg, there_deg);
    *turn_deg = fmin(turn, 180.0 - turn); /* a track has no direction */
    return hit.distance_m;
}

/* Middle of a line by length, and its direction there. */
static GeoPoint middle_of(const DiffCampaign *c, const DiffSegment *s, double *heading_deg)
{
    const GeoPoint *p = points_of(c, s);
    Plane plane = plane_at(p[0]);
    double length = 0.0, along = 0.0;
    *heading_deg = 0.0;
    for (guint k = 0; k + 1 < s->n_points; k++)
        length += plane_distance(plane_from_geo(&plane, p[k]), plane_from_geo(&plane, p[k + 1]));
    for (guint k = 0; k + 1 < s->n_points; k++) {
        PlanePoint a = plane_from_geo(&plane, p[k]), b = plane_from_geo(&plane, p[k + 1]);
        double piece = plane_distance(a, b);
        if (piece > 0.0 && along + piece >= 0.5 * length) {
            double t = (0.5 * length - along) / piece;
            *heading_deg = plane_heading_deg(a, b);
            return plane_to_geo(&plane, (PlanePoint){a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)});
        }
        along += piece;
    }
    return p[0];
}

static uint32_t nearest(const DiffCampaign *frame, GHashTable *grid, const DiffCampaign *c,
                        const DiffSegment *s)
{
    double heading, least = NEAR_M, least_same = NEAR_M;
    GeoPoint middle = middle_of(c, s, &heading);
    Plane plane = plane_at(middle);
    uint32_t best = DIFF_NOWHERE, best_same = DIFF_NOWHERE;
    for (int cell = 0; cell < 9; cell++) {
        int64_t key = grid_key(middle.lon, middle.lat, cell % 3 - 1, cell / 3 - 1);
        const GArray *list = g_hash_table_lookup(grid, &key);
        for (guint k = 0; list != NULL && k < list->len; k++) {
            guint place = g_array_index(list, guint, k);
            double turn, far = distance_to(frame, place, &plane, heading, &turn);
            const char *corridor = g_array_index(frame->segments, DiffSegment, place).corridor;
            if (turn > TURN_DEG)
                continue;
            if (far < least) {
                least = far;
                best = place;
            }
            if (far < least_same && corridor == s->corridor) {
                least_same = far;
                best_same = place;
            }
        }
    }
    return best_same != DIFF_NOWHERE ? best_same : best;
}

static void put_by_place(Diff *d, DiffCampaign *c)
{
    g_autoptr(GHashTable) grid = grid_new(d->frame);
    double all_m = 0.0, there_m = 0.0;
    for (guint i = 0; i < c->segments->len; i++) {
        DiffSegment *s = &g_array_index(c->segments, DiffSegment, i);
        s->place = nearest(d->frame, grid, c, s);
        all_m += s->length_m;
        there_m += s->place != DIFF_NOWHERE ? s->length_m : 0.0;
    }
    g_ptr_array_add(d->report->warnings,
                    g_strdup_printf("%s and %s have different segments (%g m and %g m): both are "
                                    "put into those of %s, by the place of their middles; %.1f of "
                                    "%.1f km found one",
                                    d->before.path, d->after.path, d->before.segment_m,
                                    d->after.segment_m, d->frame->path, there_m / 1000.0,
                                    all_m / 1000.0));
}

/* The same network and length: numbers mean the same, outside corridors as well. Numbers of
 * segments outside corridors that only one campaign has are no places for the other. */
static gboolean same_segments(const Diff *d)
{
    return d->before.network_digest != NULL && d->after.network_digest != NULL &&
           strcmp(d->before.network_digest, d->after.network_digest) == 0 &&
           fabs(d->before.segment_m - d->after.segment_m) < 1e-9;
}

static void put_by_number(Diff *d, DiffCampaign *c)
{
    for (guint i = 0; i < c->segments->len; i++) {
        DiffSegment *s = &g_array_index(c->segments, DiffSegment, i);
        guint low = 0, high = d->n_places;
        while (low < high) {
            guint mid = low + (high - low) / 2;
            if (diff_place(d, mid)->number < s->number)
                low = mid + 1;
            else
                high = mid;
        }
        s->place =
            low < d->n_places && diff_place(d, low)->number == s->number ? low : DIFF_NOWHERE;
    }
}

/* Segments outside corridors are listed where something was measured only: those that only the
 * earlier campaign has are places too. */
static void add_missing_places(Diff *d)
{
    DiffCampaign *frame = &d->after, *other = &d->before;
    guint n = frame->segments->len;
    for (guint i = 0, k = 0; i < other->segments->len; i++) {
        DiffSegment s = g_array_index(other->segments, DiffSegment, i);
        while (k < n && g_array_index(frame->segments, DiffSegment, k).number < s.number)
            k++;
        if (k < n && g_array_index(frame->segments, DiffSegment, k).number == s.number)
            continue;
        const GeoPoint *p = points_of(other, &s);
        s.first_point = frame->points->len;
        g_array_append_vals(frame->points, p, s.n_points);
        g_array_append_val(frame->segments, s);
    }
}

static int by_number(const void *a, const void *b)
{
    const DiffSegment *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

gboolean diff_find_places(Diff *d, GError **error)
{
    d->same_segments = same_segments(d);
    DiffCampaign *frame =
        d->same_segments || d->after.segment_m >= d->before.segment_m ? &d->after : &d->before;
    DiffCampaign *other = frame == &d->after ? &d->before : &d->after;
    d->frame = frame;
    if (d->same_segments) {
        add_missing_places(d);
        g_array_sort(frame->segments, by_number);
    }
    d->n_places = frame->segments->len;
    for (guint i = 0; i < d->n_places; i++)
        g_array_index(frame->segments, DiffSegment, i).place = i;
    if (d->same_segments)
        put_by_number(d, other);
    else
        put_by_place(d, other);
    for (guint i = 0; i < other->segments->len; i++)
        if (g_array_index(other->segments, DiffSegment, i).place != DIFF_NOWHERE)
            return TRUE;
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                "%s and %s have no segment in common; analyze both on the same network",
                d->before.path, d->after.path);
    return FALSE;
}
