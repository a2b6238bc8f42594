/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GDAL rasters behind a few functions: values at places. With layer.c the only file that knows
 * GDAL. Pixels are read block by block as they are asked for; memory is bounded by GDAL's cache.
 */
#pragma once

#include "analyzer/network.h"

typedef struct Raster Raster;

/* Is this a file GDAL reads as a raster? */
gboolean raster_is_one(const char *path);

/* Opens the first band. `crs` names the coordinate system where the file does not say; NULL =
 * refuse (LAYER_ERROR_NO_CRS). Returns: (transfer full): free with raster_close(). */
Raster *raster_open(const char *path, const char *crs, GError **error);
void raster_close(Raster *raster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Raster, raster_close)

/* Value at a place. *is_inside: it lies on the raster; *has_value: it is neither nodata nor masked
 * nor transparent. Returns FALSE if the file cannot be read there. */
gboolean raster_at(Raster *raster, GeoPoint point, gboolean *is_inside, gboolean *has_value,
                   double *value, GError **error);
