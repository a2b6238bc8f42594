/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network-learn.h"

#include "analyzer/crs.h"
#include "analyzer/learn.h"

#include <math.h>
#include <stdlib.h>

/* A line shorter than this, or from fewer fixes, is none. */
#define SHORTEST_M 50.0
enum { FEWEST_FIXES = 10 };

Learn *learn_new(void)
{
    Learn *learn = g_new0(Learn, 1);

    learn->fixes = g_array_new(FALSE, FALSE, sizeof(LearnFix));
    learn->tracks = g_array_new(FALSE, FALSE, sizeof(LearnTrack));
    return learn;
}

void learn_free(Learn *learn)
{
    if (learn == NULL)
        return;
    g_array_unref(learn->fixes);
    g_array_unref(learn->tracks);
    g_free(learn);
}

void learn_begin_track(Learn *learn)
{
    LearnTrack track = {learn->fixes->len, 0};

    g_array_append_val(learn->tracks, track);
}

void learn_add(Learn *learn, int64_t time_ns, GeoPoint point, double accuracy_m, double speed_mps)
{
    LearnFix fix = {.time_s = (double)time_ns / 1e9,
                    .accuracy_m = accuracy_m,
                    .speed_mps = speed_mps,
                    .geo = point};

    if (learn->tracks->len == 0)
        learn_begin_track(learn);
    g_array_append_val(learn->fixes, fix);
    g_array_index(learn->tracks, LearnTrack, learn->tracks->len - 1).n++;
}

void learn_result_clear(LearnResult *result)
{
    g_clear_pointer(&result->points, g_array_unref);
}

static int by_value(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;

    return (p > q) - (p < q);
}

/* One plane for all: around the median, which outliers do not move. */
static Plane common_plane(const Learn *learn)
{
    guint n = 0;
    g_autofree double *lon = g_new(double, learn->fixes->len + 1);
    g_autofree double *lat = g_new(double, learn->fixes->len + 1);

    for (guint i = 0; i < learn->fixes->len; i++) {
        const LearnFix *fix = &g_array_index(learn->fixes, LearnFix, i);
        if (!(fabs(fix->geo.lon) <= 180 && fabs(fix->geo.lat) <= 90) ||
            (fabs(fix->geo.lon) < 1e-4 && fabs(fix->geo.lat) < 1e-4))
            continue;
        lon[n] = fix->geo.lon;
        lat[n++] = fix->geo.lat;
    }
    qsort(lon, n, sizeof *lon, by_value);
    qsort(lat, n, sizeof *lat, by_value);
    return plane_at(n > 0 ? (GeoPoint){lon[n / 2], lat[n / 2]} : (GeoPoint){0, 0});
}

/* The corridor runs the way the first track first ran: where does it come by a tenth of the line?
 */
static gboolean runs_backwards(const GArray *fixes, const GArray *tracks, const GArray *line,
                               double length)
{
    const PlanePoint *p = (const PlanePoint *)(const void *)line->data;
    const LearnTrack *track = &g_array_index(tracks, LearnTrack, 0);
    double first = NAN, farthest = 0;
    guint step = MAX(track->n / 300, 1);

    for (guint i = 0; i < track->n && fabs(farthest) < length / 10; i += step) {
        LineHit hit =
            plane_project_line(g_array_index(fixes, LearnFix, track->first + i).p, p, line->len);
        if (hit.distance_m > 200)
            continue;
        if (isnan(first))
            first = hit.along_m;
        if (fabs(hit.along_m - first) > fabs(farthest))
            farthest = hit.along_m - first;
    }
    return farthest < 0;
}

gboolean learn_run(Learn *learn, LearnResult *result, GError **error)
{
    g_autoptr(GArray) fixes = g_array_new(FALSE, FALSE, sizeof(LearnFix));
    g_autoptr(GArray) tracks = g_array_new(FALSE, FALSE, sizeof(LearnTrack));
    Plane plane = common_plane(learn);

    *result = (LearnResult){0};
    for (guint i = 0; i < learn->fixes->len; i++) {
        LearnFix *fix = &g_array_index(learn->fixes, LearnFix, i);
        fix->p = plane_from_geo(&plane, fix->geo);
    }
    learn_clean(learn, fixes, tracks, result);
    g_autoptr(GArray) line = learn_grow(fixes, tracks);
    double length = 0;
    for (guint i = 1; i < line->len; i++)
        length += plane_distance(g_array_index(line, PlanePoint, i - 1),
                                 g_array_index(line, PlanePoint, i));
    if (fixes->len < FEWEST_FIXES || line->len < 2 || length < SHORTEST_M) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY,
                    "no line can be learnt: of %" G_GSIZE_FORMAT " fixes, %" G_GSIZE_FORMAT
                    " have no position, %" G_GSIZE_FORMAT " repeat the one before, %" G_GSIZE_FORMAT
                    " jump, and the others run over %.0f m; give drives that moved",
                    result->fixes, result->invalid, result->repeated, result->jumps, length);
        return FALSE;
    }
    learn_smooth(fixes, tracks, line, result);
    gboolean backwards = runs_backwards(fixes, tracks, line, length);
    result->points = g_array_sized_new(FALSE, FALSE, sizeof(GeoPoint), line->len);
    for (guint i = 0; i < line->len; i++) {
        guint at = backwards ? line->len - 1 - i : i;
        GeoPoint p = plane_to_geo(&plane, g_array_index(line, PlanePoint, at));
        g_array_append_val(result->points, p);
    }
    return TRUE;
}
