/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the vehicle is: a line on the ground, and how far along it the vehicle is at each time.
 */
#pragma once

#include <glib.h>

typedef struct Path Path;
typedef struct Motion Motion;

#define PATH_EARTH_M 6371008.8 /* mean radius: the rig's world is a sphere */

/* Points as lat, lon pairs in degrees; at least two. Returns: (transfer full). */
Path *path_new(const double *lat_lon, gsize points, GError **error);
/* "LAT,LON LAT,LON …". */
Path *path_new_from_text(const char *text, GError **error);
/* A GeoJSON file with one LineString, or a CSV file of lat,lon. */
Path *path_new_from_file(const char *file, GError **error);
void path_free(Path *path);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Path, path_free)

double path_length_m(const Path *path);
/* Position `s` m from the start; clamped to the ends. */
void path_at(const Path *path, double s, double *lat, double *lon, double *heading_deg);
/* `along` m from the start and `aside` m to the right of the direction of travel. */
void path_beside(const Path *path, double along, double aside, double *lat, double *lon);

/* Moves a position by metres north and east. */
void path_offset(double *lat, double *lon, double north_m, double east_m);
/* Great-circle distance (haversine). */
double path_distance_m(double lat1, double lon1, double lat2, double lon2);

typedef struct {
    double from_m; /* from here on */
    double mps;    /* no faster than this */
} SpeedLimit;

typedef struct {
    double at_m;
    double for_s;
} Stop;

/* Drives a path: as fast as the limits (ascending in from_m; the first counts from the start) and
 * the acceleration allow, standing at each stop (ascending in at_m). */
Motion *motion_new(const Path *path, const SpeedLimit *limits, gsize n_limits, const Stop *stops,
                   gsize n_stops, double acceleration_mps2, double duration_s);
void motion_free(Motion *motion);
/* Distance from the start and speed at t seconds. */
void motion_at(const Motion *motion, double t, double *s, double *mps);
