/* SPDX-License-Identifier: Apache-2.0 */
/* Reading GIS vector files through OGR. Writing stands in layer-write.c. */
#include "analyzer/layer.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <string.h>
#include <sys/stat.h>

G_DEFINE_QUARK(corridor - layer - error - quark, layer_error)

struct LayerSource {
    GDALDatasetH dataset;
    char *path;
    gboolean osm;
};

struct LayerReader {
    LayerSource *source;
    OGRLayerH layer;
    gboolean from_sql;
    gboolean no_shapes;
    OGRCoordinateTransformationH transform; /* NULL = the layer is in WGS 84 already */
    OGRFeatureH feature;
    GArray *fields; /* LayerField */
    LayerRow row;
    GArray *points, *part, *is_hole;
    char **text; /* per field: a number as text */
};

/* Tags that become fields of the OpenStreetMap layers. */
static const char osm_config[] =
    "closed_ways_are_polygons=aeroway,amenity,boundary,building,craft,geological,historic,landuse,"
    "leisure,military,natural,office,place,shop,sport,tourism\n"
    "attribute_name_laundering=no\n"
    "[points]\nosm_id=yes\nosm_version=no\nosm_timestamp=no\nosm_uid=no\nosm_user=no\n"
    "osm_changeset=no\nattributes=name,ref,railway,highway,public_transport,place,train\n"
    "other_tags=no\n"
    "[lines]\nosm_id=yes\nosm_version=no\nosm_timestamp=no\nosm_uid=no\nosm_user=no\n"
    "osm_changeset=no\n"
    "attributes=name,ref,highway,railway,oneway,junction,tunnel,bridge,layer,service,usage,access,"
    "route,maxspeed,area\nother_tags=no\n"
    "[multipolygons]\nosm_id=yes\nattributes=name\nother_tags=no\n"
    "[multilinestrings]\nosm_id=yes\nattributes=name\nother_tags=no\n"
    "[other_relations]\nosm_id=yes\nattributes=type,restriction,except\nother_tags=no\n";
#define OSM_CONFIG_PATH "/vsimem/corridor-osm.ini"

static void start_gdal(void)
{
    static gsize done = 0;

    if (g_once_init_enter(&done)) {
        GDALAllRegister();
        CPLSetErrorHandler(CPLQuietErrorHandler); /* errors are returned, never printed */
        VSILFILE *file = VSIFOpenL(OSM_CONFIG_PATH, "wb");
        if (file != NULL) {
            (void)VSIFWriteL(osm_config, 1, strlen(osm_config), file);
            VSIFCloseL(file);
        }
        g_once_init_leave(&done, 1);
    }
}

/* What GDAL said last, on one line. */
static const char *gdal_said(void)
{
    const char *text = CPLGetLastErrorMsg();

    if (text == NULL || text[0] == '\0')
        return "GDAL knows no such format";
    if (strchr(text, '\n') == NULL)
        return text;
    char *line = g_strdelimit(g_strdup(text), "\r\n", ' ');
    const char *interned = g_intern_string(line);
    g_free(line);
    return interned;
}

/* Why a file is no map, where GDAL says nothing. */
static const char *why_no_map(const char *path)
{
    struct stat file;

    if (stat(path, &file) == 0 && S_ISDIR(file.st_mode))
        return "it is a folder without any";
    if (stat(path, &file) == 0 && S_ISREG(file.st_mode) && file.st_size == 0)
        return "it is empty";
    return gdal_said();
}

LayerSource *layer_open(const char *path, GError **error)
{
    static const char *const osm_options[] = {"CONFIG_FILE=" OSM_CONFIG_PATH, NULL};

    start_gdal();
    if (!g_file_test(path, G_FILE_TEST_EXISTS) && !g_str_has_prefix(path, "/vsi")) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: no such file", path);
        return NULL;
    }
    CPLErrorReset();
    GDALDriverH driver = GDALIdentifyDriverEx(path, GDAL_OF_VECTOR, NULL, NULL);
    gboolean osm = driver != NULL && g_str_equal(GDALGetDriverShortName(driver), "OSM");
    GDALDatasetH dataset =
        GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_READONLY, NULL, osm ? osm_options : NULL, NULL);
    if (dataset == NULL) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                    "%s: not a map file that can be read (%s); give a GeoPackage, Shapefile, "
                    "GeoJSON or .osm.pbf",
                    path, why_no_map(path));
        return NULL;
    }
    LayerSource *source = g_new0(LayerSource, 1);
    source->dataset = dataset;
    source->path = g_strdup(path);
    source->osm = osm;
    return source;
}

void layer_close(LayerSource *source)
{
    if (source == NULL)
        return;
    GDALClose(source->dataset);
    g_free(source->path);
    g_free(source);
}

const char *layer_path(const LayerSource *source)
{
    return source->path;
}

gboolean layer_is_osm(const LayerSource *source)
{
    return source->osm;
}

guint layer_count(const LayerSource *source)
{
    return (guint)GDALDatasetGetLayerCount(source->dataset);
}

const char *layer_name(const LayerSource *source, guint i)
{
    OGRLayerH layer = GDALDatasetGetLayer(source->dataset, (int)i);

    return layer == NULL ? "" : OGR_L_GetName(layer);
}

static LayerKind kind_of(OGRwkbGeometryType type)
{
    switch (OGR_GT_Flatten(type)) {
    case wkbNone:
        return LAYER_NONE;
    case wkbPoint:
    case wkbMultiPoint:
        return LAYER_POINTS;
    case wkbLineString:
    case wkbMultiLineString:
    case wkbCircularString:
    case wkbCompoundCurve:
    case wkbMultiCurve:
    case wkbLinearRing:
        return LAYER_LINES;
    case wkbPolygon:
    case wkbMultiPolygon:
    case wkbCurvePolygon:
    case wkbMultiSurface:
        return LAYER_POLYGONS;
    default:
        return LAYER_MIXED;
    }
}

LayerKind layer_kind(const LayerSource *source, guint i)
{
    OGRLayerH layer = GDALDatasetGetLayer(source->dataset, (int)i);

    return layer == NULL ? LAYER_NONE : kind_of(OGR_L_GetGeomType(layer));
}

gboolean layer_has(const LayerSource *source, const char *layer)
{
    for (guint i = 0; i < layer_count(source); i++) {
        if (g_ascii_strcasecmp(layer_name(source, i), layer) == 0)
            return TRUE;
    }
    return FALSE;
}

static OGRLayerH pick_layer(const LayerSource *source, const char *name, GError **error)
{
    GString *names = g_string_new(NULL);
    OGRLayerH first = NULL, found = NULL;

    for (guint i = 0; i < layer_count(source) && found == NULL; i++) {
        OGRLayerH layer = GDALDatasetGetLayer(source->dataset, (int)i);
        if (name != NULL && g_ascii_strcasecmp(OGR_L_GetName(layer), name) == 0)
            found = layer;
        if (first == NULL && OGR_L_GetGeomType(layer) != wkbNone)
            first = layer;
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", OGR_L_GetName(layer));
    }
    if (name == NULL && found == NULL)
        found = first != NULL ? first : GDALDatasetGetLayer(source->dataset, 0);
    if (found == NULL && name != NULL)
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER, "%s: has no layer \"%s\"; it has: %s",
                    source->path, name, names->len > 0 ? names->str : "none");
    else if (found == NULL)
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER, "%s: has no layer", source->path);
    g_string_free(names, TRUE);
    return found;
}

static OGRSpatialReferenceH wgs84(void)
{
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);

    OSRImportFromEPSG(srs, 4326);
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    return srs;
}

/* Sets up the way to WGS 84 and the box filter, which OGR wants in the layer's own CRS. */
static gboolean set_crs(LayerReader *reader, const LayerQuery *query, GError **error)
{
    const char *path = reader->source->path;
    OGRSpatialReferenceH own = OGR_L_GetSpatialRef(reader->layer);
    OGRSpatialReferenceH from = own != NULL ? OSRClone(own) : OSRNewSpatialReference(NULL);
    OGRSpatialReferenceH to = wgs84();
    gboolean ok = TRUE;

    if (own == NULL && query->crs == NULL) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_CRS,
                    "%s: layer \"%s\" does not say its coordinate system; give it with --crs "
                    "(e.g. --crs EPSG:3006), or write it into the file",
                    path, OGR_L_GetName(reader->layer));
        ok = FALSE;
    } else if (own == NULL && OSRSetFromUserInput(from, query->crs) != OGRERR_NONE) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_CRS,
                    "%s: \"%s\" is no known coordinate system; write it like EPSG:3006", path,
                    query->crs);
        ok = FALSE;
    }
    if (ok) {
        OSRSetAxisMappingStrategy(from, OAMS_TRADITIONAL_GIS_ORDER);
        if (!OSRIsSame(from, to)) {
            reader->transform = OCTNewCoordinateTransformation(from, to);
            if (reader->transform == NULL) {
                g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_CRS,
                            "%s: no way from its coordinate system to WGS 84 (%s)", path,
                            gdal_said());
                ok = FALSE;
            }
        }
    }
    if (ok && query->box != NULL) {
        GeoBox box = *query->box;
        if (reader->transform != NULL) {
            OGRCoordinateTransformationH back = OCTNewCoordinateTransformation(to, from);
            if (back == NULL ||
                !OCTTransformBounds(back, box.west, box.south, box.east, box.north, &box.west,
                                    &box.south, &box.east, &box.north, 21))
                box = (GeoBox){-1e300, -1e300, 1e300, 1e300};
            OCTDestroyCoordinateTransformation(back);
        }
        OGR_L_SetSpatialFilterRect(reader->layer, box.west, box.south, box.east, box.north);
    }
    OSRDestroySpatialReference(from);
    OSRDestroySpatialReference(to);
    return ok;
}

static LayerType type_of(OGRFieldDefnH field)
{
    switch (OGR_Fld_GetType(field)) {
    case OFTInteger:
    case OFTInteger64:
        return LAYER_INT;
    case OFTReal:
        return LAYER_REAL;
    case OFTBinary:
        return LAYER_BLOB;
    default:
        return LAYER_TEXT;
    }
}

static void list_fields(LayerReader *reader)
{
    OGRFeatureDefnH defn = OGR_L_GetLayerDefn(reader->layer);
    int n = OGR_FD_GetFieldCount(defn);

    reader->fields = g_array_new(FALSE, FALSE, sizeof(LayerField));
    for (int i = 0; i < n; i++) {
        OGRFieldDefnH field = OGR_FD_GetFieldDefn(defn, i);
        LayerField f = {OGR_Fld_GetNameRef(field), type_of(field)};
        g_array_append_val(reader->fields, f);
    }
    reader->text = g_new0(char *, (size_t)n + 1);
}

LayerReader *layer_read(LayerSource *source, const char *layer, const LayerQuery *query,
                        GError **error)
{
    static const LayerQuery all = {0};

    if (query == NULL)
        query = &all;
    g_autoptr(LayerReader) reader = g_new0(LayerReader, 1);
    reader->source = source;
    reader->no_shapes = query->no_shapes;
    CPLErrorReset();
    if (query->sql != NULL) {
        reader->layer = GDALDatasetExecuteSQL(source->dataset, query->sql, NULL, NULL);
        reader->from_sql = TRUE;
        if (reader->layer == NULL) {
            g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: cannot do \"%s\": %s",
                        source->path, query->sql, gdal_said());
            return NULL;
        }
    } else {
        reader->layer = pick_layer(source, layer, error);
        if (reader->layer == NULL)
            return NULL;
        OGR_L_SetSpatialFilter(reader->layer, NULL);
        if (OGR_L_SetAttributeFilter(reader->layer, query->where) != OGRERR_NONE) {
            g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                        "%s: the condition \"%s\" does not fit layer \"%s\": %s", source->path,
                        query->where, OGR_L_GetName(reader->layer), gdal_said());
            return NULL;
        }
    }
    list_fields(reader);
    reader->points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    reader->part = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    reader->is_hole = g_array_new(FALSE, FALSE, sizeof(uint8_t));
    if (!query->no_shapes && OGR_L_GetGeomType(reader->layer) != wkbNone &&
        !set_crs(reader, query, error))
        return NULL;
    OGR_L_ResetReading(reader->layer);
    return g_steal_pointer(&reader);
}

void layer_reader_free(LayerReader *reader)
{
    if (reader == NULL)
        return;
    if (reader->feature != NULL)
        OGR_F_Destroy(reader->feature);
    if (reader->transform != NULL)
        OCTDestroyCoordinateTransformation(reader->transform);
    for (guint i = 0; reader->fields != NULL && i < reader->fields->len; i++)
        g_free(reader->text[i]);
    g_free(reader->text);
    if (reader->layer != NULL && reader->from_sql)
        GDALDatasetReleaseResultSet(reader->source->dataset, reader->layer);
    else if (reader->layer != NULL) {
        OGR_L_SetAttributeFilter(reader->layer, NULL);
        OGR_L_SetSpatialFilter(reader->layer, NULL);
    }
    g_clear_pointer(&reader->fields, g_array_unref);
    g_clear_pointer(&reader->points, g_array_unref);
    g_clear_pointer(&reader->part, g_array_unref);
    g_clear_pointer(&reader->is_hole, g_array_unref);
    g_free(reader);
}

const LayerField *layer_fields(const LayerReader *reader, guint *n)
{
    *n = reader->fields->len;
    return (const LayerField *)(const void *)reader->fields->data;
}

int layer_column(const LayerReader *reader, const char *name)
{
    for (guint i = 0; i < reader->fields->len; i++) {
        if (g_ascii_strcasecmp(g_array_index(reader->fields, LayerField, i).name, name) == 0)
            return (int)i;
    }
    return -1;
}

gboolean layer_need_column(const LayerReader *reader, const char *name, int *column, GError **error)
{
    *column = layer_column(reader, name);
    if (*column >= 0)
        return TRUE;
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < reader->fields->len; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
                               g_array_index(reader->fields, LayerField, i).name);
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER,
                "%s: layer \"%s\" has no field \"%s\"; it has: %s", reader->source->path,
                OGR_L_GetName(reader->layer), name, names->len > 0 ? names->str : "none");
    g_string_free(names, TRUE);
    return FALSE;
}

int64_t layer_rows(const LayerReader *reader)
{
    if (!OGR_L_TestCapability(reader->layer, OLCFastFeatureCount))
        return -1;
    return OGR_L_GetFeatureCount(reader->layer, FALSE);
}

/* Adds one run of points. A shape is of the kind of its first part; others are left out. */
static void add_part(LayerReader *reader, OGRGeometryH geometry, LayerKind kind, gboolean hole)
{
    int n = OGR_G_GetPointCount(geometry);

    if (reader->row.shape.kind == LAYER_NONE)
        reader->row.shape.kind = kind;
    if (n <= 0 || reader->row.shape.kind != kind || n > 1 << 28)
        return;
    guint first = reader->points->len;
    uint32_t start = first;
    uint8_t is_hole = hole ? 1 : 0;
    g_array_append_val(reader->part, start);
    g_array_append_val(reader->is_hole, is_hole);
    g_array_set_size(reader->points, first + (guint)n);
    GeoPoint *p = &g_array_index(reader->points, GeoPoint, first);
    OGR_G_GetPoints(geometry, &p->lon, sizeof *p, &p->lat, sizeof *p, NULL, 0);
}

static void add_geometry(LayerReader *reader, OGRGeometryH geometry, gboolean hole, int depth)
{
    OGRwkbGeometryType type = OGR_GT_Flatten(OGR_G_GetGeometryType(geometry));

    if (type == wkbPoint) {
        add_part(reader, geometry, LAYER_POINTS, FALSE);
    } else if (type == wkbLineString || type == wkbLinearRing) {
        add_part(reader, geometry, LAYER_LINES, FALSE);
    } else if (type == wkbPolygon) {
        for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++)
            add_part(reader, OGR_G_GetGeometryRef(geometry, i), LAYER_POLYGONS, i > 0);
    } else if (depth < 8) {
        for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++)
            add_geometry(reader, OGR_G_GetGeometryRef(geometry, i), hole, depth + 1);
    }
}

/* Fills row.shape from the feature's geometry. */
static void read_shape(LayerReader *reader)
{
    LayerRow *row = &reader->row;
    OGRGeometryH geometry = OGR_F_GetGeometryRef(reader->feature);

    g_array_set_size(reader->points, 0);
    g_array_set_size(reader->part, 0);
    g_array_set_size(reader->is_hole, 0);
    row->shape = (LayerShape){0};
    row->damaged = FALSE;
    if (geometry == NULL || reader->no_shapes)
        return;
    OGRGeometryH linear =
        OGR_G_HasCurveGeometry(geometry, TRUE) ? OGR_G_GetLinearGeometry(geometry, 0, NULL) : NULL;
    add_geometry(reader, linear != NULL ? linear : geometry, FALSE, 0);
    if (linear != NULL)
        OGR_G_DestroyGeometry(linear);
    uint32_t n = reader->points->len;
    GeoPoint *p = (GeoPoint *)(void *)reader->points->data;
    for (uint32_t i = 0; i < n && !row->damaged; i++) {
        if (reader->transform != NULL) {
            int good = 0;
            row->damaged =
                !OCTTransformEx(reader->transform, 1, &p[i].lon, &p[i].lat, NULL, &good) || !good;
        }
        /* written so that NaN is damage, too */
        if (!(fabs(p[i].lon) <= 180.0 && fabs(p[i].lat) <= 90.0))
            row->damaged = TRUE;
    }
    if (row->damaged || n == 0) {
        row->shape = (LayerShape){0};
        return;
    }
    row->shape.n_parts = reader->part->len;
    g_array_append_val(reader->part, n);
    row->shape.part = (const uint32_t *)(const void *)reader->part->data;
    row->shape.is_hole = (const uint8_t *)reader->is_hole->data;
    row->shape.points = p;
}

const LayerRow *layer_next(LayerReader *reader, GError **error)
{
    if (reader->feature != NULL)
        OGR_F_Destroy(reader->feature);
    CPLErrorReset();
    reader->feature = OGR_L_GetNextFeature(reader->layer);
    if (reader->feature == NULL) {
        if (CPLGetLastErrorType() >= CE_Failure)
            g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: cannot be read on: %s",
                        reader->source->path, gdal_said());
        return NULL;
    }
    reader->row.fid = OGR_F_GetFID(reader->feature);
    reader->row.reader = reader;
    read_shape(reader);
    return &reader->row;
}

gboolean layer_is_null(const LayerRow *row, int column)
{
    return column < 0 || !OGR_F_IsFieldSetAndNotNull(row->reader->feature, column);
}

int64_t layer_get_int(const LayerRow *row, int column, int64_t if_null)
{
    return layer_is_null(row, column) ? if_null
                                      : OGR_F_GetFieldAsInteger64(row->reader->feature, column);
}

double layer_get_real(const LayerRow *row, int column, double if_null)
{
    return layer_is_null(row, column) ? if_null
                                      : OGR_F_GetFieldAsDouble(row->reader->feature, column);
}

const char *layer_get_text(const LayerRow *row, int column)
{
    if (layer_is_null(row, column))
        return NULL;
    const char *text = OGR_F_GetFieldAsString(row->reader->feature, column);
    if (g_array_index(row->reader->fields, LayerField, column).type == LAYER_TEXT)
        return text; /* lives in the feature; other types share one buffer */
    g_free(row->reader->text[column]);
    return row->reader->text[column] = g_strdup(text);
}

const void *layer_get_blob(const LayerRow *row, int column, size_t *n)
{
    *n = 0;
    if (layer_is_null(row, column))
        return NULL;
    int size = 0;
    const void *data = OGR_F_GetFieldAsBinary(row->reader->feature, column, &size);
    *n = size > 0 ? (size_t)size : 0;
    return data;
}
