/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims: what an operator's map says of a place. A map is polygons (any OGR vector format) or a
 * raster (any GDAL one), given as
 *     FILE[,layer=L][,where=SQL][,level=ATTRIBUTE][,min=DBM][,classes=V/V…][,crs=C]
 */
#pragma once

#include "analyzer/network.h"

typedef struct ClaimMap ClaimMap;

/* Sets a LAYER_ERROR of this text; always FALSE. */
gboolean claim_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Reads the specification and opens the file. Errors: LAYER_ERROR.
 * Returns: (transfer full): free with claim_close(). */
ClaimMap *claim_open(const char *specification, GError **error);
void claim_close(ClaimMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ClaimMap, claim_close)
const char *claim_path(const ClaimMap *map);
/* The file that a specification names, whether it exists or not; NULL if it is none.
 * Returns: (transfer full). */
char *claim_file(const char *specification);

/* Loads what touches the box; places are then asked inside it. *too_much (nullable: load all the
 * same) is set to TRUE if polygons there would take more than about 100 MB: nothing can be asked
 * then; load a smaller box. */
gboolean claim_load(ClaimMap *map, const GeoBox *box, gboolean *too_much, GError **error);

/* Reads the map until its first area: a raster, a layer with an area, or an empty layer is one; a
 * table, lines or points are not. Errors: LAYER_ERROR, among them for what is no map. */
gboolean claim_is_map(ClaimMap *map, GError **error);

/* Is coverage claimed there? *level: the claimed level, NAN if the map has none. *is_inside is set
 * to TRUE if the map says anything there at all (raster), or any polygon lies near (vector). */
gboolean claim_at(ClaimMap *map, GeoPoint point, gboolean *claimed, double *level,
                  gboolean *is_inside, GError **error);

/* Polygons with a name, for --areas: FILE[,layer=L][,name=FIELD]. Name (transfer none, as long as
 * the map) of the polygon at a place, NULL outside all. */
const char *claim_name_at(const ClaimMap *map, GeoPoint point);
