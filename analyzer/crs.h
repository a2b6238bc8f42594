/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Geodesy: PROJ and its geodesic.h behind a few functions. All positions are WGS 84, degrees; all
 * lengths metres on the ellipsoid; azimuths degrees clockwise from true north.
 */
#pragma once

#include "analyzer/network.h"

/* Length of the geodesic between two points (Karney 2013; nanometres). */
double crs_distance_m(GeoPoint a, GeoPoint b);

/* The same for points less than 10 km apart and not near a pole (|lat| < 85): ten times faster,
 * wrong by less than 1 part in 10^6 (mid-latitude formula with both radii of curvature). Longer
 * lines are done by crs_distance_m(). */
double crs_short_distance_m(GeoPoint a, GeoPoint b);

/* Distance and the azimuths at both ends, each pointing from a to b; NULL where not wanted.
 * Azimuths are -180..180. */
void crs_inverse(GeoPoint a, GeoPoint b, double *distance_m, double *azimuth_a, double *azimuth_b);

/* The point distance_m from a along the geodesic that leaves it at `azimuth`. */
GeoPoint crs_direct(GeoPoint a, double azimuth, double distance_m);

/* Length of a line through n points. */
double crs_line_length_m(const GeoPoint *points, size_t n);

/* A way between WGS 84 longitude/latitude and another CRS (any text PROJ knows: "EPSG:3006",
 * WKT, a PROJ string); its axes in the order x/easting, y/northing. */
typedef struct Crs Crs;

/* Returns: (transfer full): free with crs_free(). One thread uses it at a time. */
Crs *crs_new(const char *definition, GError **error);
void crs_free(Crs *crs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Crs, crs_free)

/* FALSE where the CRS is not defined; outputs are then untouched. */
gboolean crs_forward(const Crs *crs, GeoPoint point, double *x, double *y);
gboolean crs_backward(const Crs *crs, double x, double y, GeoPoint *point);
