/* SPDX-License-Identifier: Apache-2.0 */
/* Kilometre boards and named places from a point layer or a CSV file, placed on a corridor's line.
 */
#pragma once

#include "analyzer/network.h"

/* Reads boards: field `km` (or number, nr), and the chainage in `at_m` or a position (geometry, or
 * fields lat and lon) within 200 m of the line. Appends KmBoards in the order of chainage, each
 * number once, the nearest. line_m: chainage of each vertex. */
gboolean corridor_read_boards(const char *path, const GeoPoint *line, const double *line_m,
                              size_t n, GArray *boards, GError **error);

/* Reads named points within 300 m of the line: field `name`; kind from `railway`, `highway` or
 * `kind`. Of OpenStreetMap files: stations, halts and motorway junctions. Appends CorridorStations
 * in the order of chainage, each name once; their text lives in `text`. */
gboolean corridor_read_stations(const char *path, const GeoPoint *line, const double *line_m,
                                size_t n, GStringChunk *text, GArray *stations, GError **error);
