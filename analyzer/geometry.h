/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plane geometry in metres. A Plane is a local map of the ellipsoid around one point: within 50 km
 * of it, lengths and angles are right to about 1 part in 1000 east-west (meridians converge),
 * within 5 km to 1 in 10000. For deciding what is near, not for lengths that are reported: those
 * are geodesic (analyzer/crs.h).
 */
#pragma once

#include "analyzer/network.h"

typedef struct {
    double x, y; /* metres east, north */
} PlanePoint;

typedef struct {
    GeoPoint origin;
    double m_per_lon, m_per_lat; /* metres per degree at the origin's latitude */
} Plane;

Plane plane_at(GeoPoint origin);

static inline PlanePoint plane_from_geo(const Plane *plane, GeoPoint point)
{
    return (PlanePoint){(point.lon - plane->origin.lon) * plane->m_per_lon,
                        (point.lat - plane->origin.lat) * plane->m_per_lat};
}

GeoPoint plane_to_geo(const Plane *plane, PlanePoint point);

double plane_distance(PlanePoint a, PlanePoint b);

/* Where p falls on the segment a-b: share t in 0..1 from a. A segment of no length gives 0.
 * Returns the distance from p to that point. */
double plane_project(PlanePoint p, PlanePoint a, PlanePoint b, double *t);

typedef struct {
    size_t segment;    /* between vertices segment and segment + 1 */
    double t;          /* share of it, 0..1 */
    double along_m;    /* from the first vertex */
    double distance_m; /* from the point */
    PlanePoint point;  /* on the line */
} LineHit;

/* Nearest place on a line through n >= 1 points; the first one if several are equally near. */
LineHit plane_project_line(PlanePoint p, const PlanePoint *line, size_t n);

/* Direction of a-b, degrees clockwise from north (0..360); 0 for no length. */
double plane_heading_deg(PlanePoint a, PlanePoint b);

/* Angle between two directions given in degrees: 0..180. */
double heading_difference_deg(double a, double b);

/* Where two segments cross: shares on both, TRUE if they do (ends count, parallels do not). */
gboolean plane_cross(PlanePoint a, PlanePoint b, PlanePoint c, PlanePoint d, double *t, double *u);

/* Marks in keep[0..n) the vertices that a line needs to stay within tolerance_m of itself
 * (Douglas and Peucker 1973). Ends are always kept. */
void plane_simplify(const PlanePoint *line, size_t n, double tolerance_m, guint8 *keep);
