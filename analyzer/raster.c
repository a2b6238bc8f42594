/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/raster.h"

#include "analyzer/layer.h"

#include <cpl_conv.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>

#define CACHE_BYTES (64 << 20)
/* Pixels read at once: the square around a place serves its neighbours on the line. */
#define WINDOW 64

struct Raster {
    char *path;
    GDALDatasetH dataset;
    GDALRasterBandH band, mask; /* mask NULL: all valid */
    OGRCoordinateTransformationH transform;
    double inverse[6];
    double scale, offset; /* of stored values: level = stored * scale + offset */
    int width, height;
    int x0, y0, nx, ny; /* window held */
    double value[WINDOW * WINDOW];
    uint8_t valid[WINDOW * WINDOW];
};

static void prepare(void)
{
    GDALAllRegister();
    CPLSetErrorHandler(CPLQuietErrorHandler);
    GDALSetCacheMax64(CACHE_BYTES);
}

gboolean raster_is_one(const char *path)
{
    prepare();
    GDALDatasetH dataset = GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_READONLY, NULL, NULL, NULL);
    if (dataset == NULL)
        return FALSE;
    gboolean any = GDALGetRasterCount(dataset) > 0;
    GDALClose(dataset);
    return any;
}

static gboolean fail(const Raster *raster, int code, const char *what, GError **error)
{
    g_set_error(error, LAYER_ERROR, code, "%s: %s", raster->path, what);
    return FALSE;
}

static gboolean set_transform(Raster *raster, const char *crs, GError **error)
{
    OGRSpatialReferenceH own = GDALGetSpatialRef(raster->dataset);
    OGRSpatialReferenceH named = NULL, wgs84 = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(wgs84, 4326);
    OSRSetAxisMappingStrategy(wgs84, OAMS_TRADITIONAL_GIS_ORDER);
    if (own == NULL && crs != NULL) {
        named = OSRNewSpatialReference(NULL);
        if (OSRSetFromUserInput(named, crs) == OGRERR_NONE) {
            OSRSetAxisMappingStrategy(named, OAMS_TRADITIONAL_GIS_ORDER);
            own = named;
        }
    }
    if (own != NULL)
        raster->transform = OCTNewCoordinateTransformation(wgs84, own);
    OSRDestroySpatialReference(wgs84);
    if (named != NULL)
        OSRDestroySpatialReference(named);
    if (own == NULL)
        return fail(raster, LAYER_ERROR_NO_CRS,
                    "does not say its coordinate system; add crs=EPSG:… to the map", error);
    return raster->transform != NULL ||
           fail(raster, LAYER_ERROR_FAILED, "its coordinate system is not understood", error);
}

Raster *raster_open(const char *path, const char *crs, GError **error)
{
    prepare();
    g_autoptr(Raster) raster = g_new0(Raster, 1);
    raster->path = g_strdup(path);
    raster->dataset = GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_READONLY, NULL, NULL, NULL);
    if (raster->dataset == NULL || GDALGetRasterCount(raster->dataset) < 1) {
        fail(raster, LAYER_ERROR_FAILED, "is no raster that can be read", error);
        return NULL;
    }
    raster->band = GDALGetRasterBand(raster->dataset, 1);
    int known;
    raster->scale = GDALGetRasterScale(raster->band, &known);
    if (!known || raster->scale == 0.0)
        raster->scale = 1.0;
    raster->offset = GDALGetRasterOffset(raster->band, &known);
    if (!known)
        raster->offset = 0.0;
    raster->width = GDALGetRasterXSize(raster->dataset);
    raster->height = GDALGetRasterYSize(raster->dataset);
    if (!(GDALGetMaskFlags(raster->band) & GMF_ALL_VALID))
        raster->mask = GDALGetMaskBand(raster->band);
    double forward[6];
    if (GDALGetGeoTransform(raster->dataset, forward) != CE_None ||
        !GDALInvGeoTransform(forward, raster->inverse)) {
        fail(raster, LAYER_ERROR_NO_CRS, "does not say where on the earth it lies", error);
        return NULL;
    }
    if (!set_transform(raster, crs, error))
        return NULL;
    return g_steal_pointer(&raster);
}

void raster_close(Raster *raster)
{
    if (raster == NULL)
        return;
    if (raster->transform != NULL)
        OCTDestroyCoordinateTransformation(raster->transform);
    if (raster->dataset != NULL)
        GDALClose(raster->dataset);
    g_free(raster->path);
    g_free(raster);
}

static gboolean hold(Raster *r, int px, int py, GError **error)
{
    if (px >= r->x0 && px < r->x0 + r->nx && py >= r->y0 && py < r->y0 + r->ny)
        return TRUE;
    r->nx = MIN(WINDOW, r->width);
    r->ny = MIN(WINDOW, r->height);
    r->x0 = CLAMP(px - r->nx / 2, 0, r->width - r->nx);
    r->y0 = CLAMP(py - r->ny / 2, 0, r->height - r->ny);
    CPLErr got = GDALRasterIO(r->band, GF_Read, r->x0, r->y0, r->nx, r->ny, r->value, r->nx, r->ny,
                              GDT_Float64, 0, 0);
    if (got == CE_None && r->mask != NULL)
        got = GDALRasterIO(r->mask, GF_Read, r->x0, r->y0, r->nx, r->ny, r->valid, r->nx, r->ny,
                           GDT_Byte, 0, 0);
    if (got == CE_None)
        return TRUE;
    r->nx = r->ny = 0;
    return fail(r, LAYER_ERROR_FAILED, "cannot be read; is the file complete?", error);
}

gboolean raster_at(Raster *raster, GeoPoint point, gboolean *is_inside, gboolean *has_value,
                   double *value, GError **error)
{
    double x = point.lon, y = point.lat;
    *is_inside = *has_value = FALSE;
    if (!OCTTransform(raster->transform, 1, &x, &y, NULL))
        return TRUE;
    const double *g = raster->inverse;
    double px = floor(g[0] + x * g[1] + y * g[2]), py = floor(g[3] + x * g[4] + y * g[5]);
    if (!(px >= 0.0 && py >= 0.0 && px < raster->width && py < raster->height))
        return TRUE;
    *is_inside = TRUE;
    if (!hold(raster, (int)px, (int)py, error))
        return FALSE;
    int i = ((int)py - raster->y0) * raster->nx + ((int)px - raster->x0);
    *value = raster->value[i] * raster->scale + raster->offset;
    *has_value = isfinite(*value) && (raster->mask == NULL || raster->valid[i] != 0);
    return TRUE;
}
