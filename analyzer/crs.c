/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/crs.h"

#include <geodesic.h>
#include <math.h>
#include <proj.h>

#define WGS84_A 6378137.0
#define WGS84_F (1.0 / 298.257223563)

static const struct geod_geodesic *ellipsoid(void)
{
    static struct geod_geodesic wgs84;
    static gsize done = 0;

    if (g_once_init_enter(&done)) {
        geod_init(&wgs84, WGS84_A, WGS84_F);
        g_once_init_leave(&done, 1);
    }
    return &wgs84;
}

void crs_inverse(GeoPoint a, GeoPoint b, double *distance_m, double *azimuth_a, double *azimuth_b)
{
    geod_inverse(ellipsoid(), a.lat, a.lon, b.lat, b.lon, distance_m, azimuth_a, azimuth_b);
}

double crs_distance_m(GeoPoint a, GeoPoint b)
{
    double distance = 0;

    crs_inverse(a, b, &distance, NULL, NULL);
    return distance;
}

double crs_short_distance_m(GeoPoint a, GeoPoint b)
{
    const double e2 = WGS84_F * (2.0 - WGS84_F);
    double dlon = b.lon - a.lon, dlat = b.lat - a.lat, mid = (a.lat + b.lat) / 2.0;

    /* 0.08 degrees of latitude are 8.9 km */
    if (!(fabs(dlon) < 0.08 && fabs(dlat) < 0.08 && fabs(mid) < 85.0))
        return crs_distance_m(a, b);
    double s = sin(mid * G_PI / 180.0), c = cos(mid * G_PI / 180.0);
    double w2 = 1.0 - e2 * s * s, w = sqrt(w2);
    double north = dlat * G_PI / 180.0 * WGS84_A * (1.0 - e2) / (w2 * w);
    double east = dlon * G_PI / 180.0 * WGS84_A / w * c;
    return hypot(north, east);
}

GeoPoint crs_direct(GeoPoint a, double azimuth, double distance_m)
{
    GeoPoint b;

    geod_direct(ellipsoid(), a.lat, a.lon, azimuth, distance_m, &b.lat, &b.lon, NULL);
    return b;
}

double crs_line_length_m(const GeoPoint *points, size_t n)
{
    double length = 0;

    for (size_t i = 1; i < n; i++)
        length += crs_distance_m(points[i - 1], points[i]);
    return length;
}

struct Crs {
    PJ_CONTEXT *context;
    PJ *way;
};

Crs *crs_new(const char *definition, GError **error)
{
    g_autoptr(Crs) crs = g_new0(Crs, 1);

    crs->context = proj_context_create();
    proj_log_level(crs->context, PJ_LOG_NONE);
    PJ *raw = proj_create_crs_to_crs(crs->context, "EPSG:4326", definition, NULL);
    if (raw != NULL) {
        crs->way = proj_normalize_for_visualization(crs->context, raw);
        proj_destroy(raw);
    }
    if (crs->way == NULL) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_FAILED,
                    "\"%s\" is no known coordinate system; write it like EPSG:3006", definition);
        return NULL;
    }
    return g_steal_pointer(&crs);
}

void crs_free(Crs *crs)
{
    if (crs == NULL)
        return;
    if (crs->way != NULL)
        proj_destroy(crs->way);
    proj_context_destroy(crs->context);
    g_free(crs);
}

static gboolean transform(const Crs *crs, PJ_DIRECTION direction, double *x, double *y)
{
    PJ_COORD in = proj_coord(*x, *y, 0, 0), out = proj_trans(crs->way, direction, in);

    if (!isfinite(out.xy.x) || !isfinite(out.xy.y))
        return FALSE;
    *x = out.xy.x;
    *y = out.xy.y;
    return TRUE;
}

gboolean crs_forward(const Crs *crs, GeoPoint point, double *x, double *y)
{
    double px = point.lon, py = point.lat;

    if (!transform(crs, PJ_FWD, &px, &py))
        return FALSE;
    *x = px;
    *y = py;
    return TRUE;
}

gboolean crs_backward(const Crs *crs, double x, double y, GeoPoint *point)
{
    if (!transform(crs, PJ_INV, &x, &y))
        return FALSE;
    *point = (GeoPoint){.lon = x, .lat = y};
    return TRUE;
}
