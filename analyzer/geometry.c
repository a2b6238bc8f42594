/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/geometry.h"

#include <math.h>
#include <string.h>

#define WGS84_A  6378137.0
#define WGS84_E2 0.00669437999014132

Plane plane_at(GeoPoint origin)
{
    double s = sin(origin.lat * G_PI / 180.0), c = cos(origin.lat * G_PI / 180.0);
    double w2 = 1.0 - WGS84_E2 * s * s, w = sqrt(w2);

    /* radii of curvature: N across the meridian, M along it */
    return (Plane){.origin = origin,
                   .m_per_lon = fmax(WGS84_A / w * c * G_PI / 180.0, 1e-6),
                   .m_per_lat = WGS84_A * (1.0 - WGS84_E2) / (w2 * w) * G_PI / 180.0};
}

GeoPoint plane_to_geo(const Plane *plane, PlanePoint point)
{
    return (GeoPoint){plane->origin.lon + point.x / plane->m_per_lon,
                      plane->origin.lat + point.y / plane->m_per_lat};
}

double plane_distance(PlanePoint a, PlanePoint b)
{
    return hypot(b.x - a.x, b.y - a.y);
}

double plane_project(PlanePoint p, PlanePoint a, PlanePoint b, double *t)
{
    double dx = b.x - a.x, dy = b.y - a.y, l2 = dx * dx + dy * dy;
    double u = l2 > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / l2 : 0.0;

    u = CLAMP(u, 0.0, 1.0);
    if (t != NULL)
        *t = u;
    return hypot(p.x - (a.x + u * dx), p.y - (a.y + u * dy));
}

LineHit plane_project_line(PlanePoint p, const PlanePoint *line, size_t n)
{
    LineHit best = {.distance_m = plane_distance(p, line[0]), .point = line[0]};
    double along = 0;

    for (size_t i = 0; i + 1 < n; i++) {
        double t, length = plane_distance(line[i], line[i + 1]);
        double distance = plane_project(p, line[i], line[i + 1], &t);
        if (distance < best.distance_m || i == 0) {
            best.segment = i;
            best.t = t;
            best.along_m = along + t * length;
            best.distance_m = distance;
            best.point = (PlanePoint){line[i].x + t * (line[i + 1].x - line[i].x),
                                      line[i].y + t * (line[i + 1].y - line[i].y)};
        }
        along += length;
    }
    return best;
}

double plane_heading_deg(PlanePoint a, PlanePoint b)
{
    double deg = atan2(b.x - a.x, b.y - a.y) * 180.0 / G_PI;

    return deg < 0 ? deg + 360.0 : deg;
}

double heading_difference_deg(double a, double b)
{
    return fabs(remainder(a - b, 360.0));
}

gboolean plane_cross(PlanePoint a, PlanePoint b, PlanePoint c, PlanePoint d, double *t, double *u)
{
    double rx = b.x - a.x, ry = b.y - a.y, sx = d.x - c.x, sy = d.y - c.y;
    double cross = rx * sy - ry * sx;

    if (cross == 0)
        return FALSE;
    double qx = c.x - a.x, qy = c.y - a.y;
    double pt = (qx * sy - qy * sx) / cross, pu = (qx * ry - qy * rx) / cross;
    if (pt < 0 || pt > 1 || pu < 0 || pu > 1)
        return FALSE;
    *t = pt;
    *u = pu;
    return TRUE;
}

/* With an own stack: a line from a stranger may be long. */
void plane_simplify(const PlanePoint *line, size_t n, double tolerance_m, guint8 *keep)
{
    typedef struct {
        size_t first, last;
    } Span;

    memset(keep, 0, n);
    if (n == 0)
        return;
    keep[0] = keep[n - 1] = 1;
    GArray *stack = g_array_new(FALSE, FALSE, sizeof(Span));
    Span span = {0, n - 1};
    g_array_append_val(stack, span);
    while (stack->len > 0) {
        span = g_array_index(stack, Span, stack->len - 1);
        g_array_set_size(stack, stack->len - 1);
        double worst = tolerance_m;
        size_t at = 0;
        for (size_t i = span.first + 1; i < span.last; i++) {
            double d = plane_project(line[i], line[span.first], line[span.last], NULL);
            if (d > worst) {
                worst = d;
                at = i;
            }
        }
        if (at == 0)
            continue;
        keep[at] = 1;
        Span left = {span.first, at}, right = {at, span.last};
        g_array_append_val(stack, left);
        g_array_append_val(stack, right);
    }
    g_array_unref(stack);
}
