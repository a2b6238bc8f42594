/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing GeoPackages through OGR. The file is built under a hidden name in the folder of its
 * destination, synced and renamed, so that a reader sees the old file or the whole new one.
 */
#include "analyzer/layer-bulk.h"
#include "analyzer/layer.h"
#include "formats/file-replace.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <errno.h>
#include <fcntl.h>
#include <gdal.h>
#include <gio/gio.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <string.h>
#include <unistd.h>

struct LayerTable {
    LayerWriter *writer;
    OGRLayerH layer;
    LayerKind kind;
    guint n_fields;
    LayerType *types;
    int *index; /* of each field in the layer */
    OGRFeatureH feature;
    int bulk; /* its number in writer->bulk, -1 if OGR writes its rows */
};

struct LayerWriter {
    GDALDatasetH dataset;
    char *path, *part; /* where it will be, where it is being written */
    GPtrArray *tables; /* of LayerTable */
    LayerBulk *bulk;   /* NULL without bulk tables */
    GByteArray *row;   /* of a bulk table, scratch */
    gboolean in_transaction;
};

LayerValue layer_null(void)
{
    return (LayerValue){.known = FALSE};
}

LayerValue layer_int(int64_t value)
{
    return (LayerValue){.known = TRUE, .v.i = value};
}

LayerValue layer_real(double value)
{
    return isfinite(value) ? (LayerValue){.known = TRUE, .v.r = value} : layer_null();
}

LayerValue layer_text(const char *value)
{
    return value != NULL ? (LayerValue){.known = TRUE, .v.t = value} : layer_null();
}

LayerValue layer_blob(const void *data, size_t n)
{
    return data != NULL && n <= INT_MAX ? (LayerValue){.known = TRUE, .v.b = {.data = data, .n = n}}
                                        : layer_null();
}

static gboolean fail(const LayerWriter *writer, const char *what, GError **error)
{
    const char *said = CPLGetLastErrorMsg();
    g_autofree char *line = g_strdelimit(g_strdup(said != NULL ? said : ""), "\r\n", ' ');

    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: %s: %s", writer->path, what,
                line[0] != '\0' ? line : "no reason given");
    return FALSE;
}

static void table_free(void *data)
{
    LayerTable *table = data;

    if (table->feature != NULL)
        OGR_F_Destroy(table->feature);
    g_free(table->types);
    g_free(table->index);
    g_free(table);
}

static LayerWriter *writer_new(const char *path)
{
    LayerWriter *writer = g_new0(LayerWriter, 1);

    writer->path = g_strdup(path);
    writer->part = file_replace_hidden_beside(path, ".gpkg");
    file_replace_watch(writer->part);
    writer->tables = g_ptr_array_new_with_free_func(table_free);
    writer->row = g_byte_array_new();
    return writer;
}

/* A destination that cannot be written must fail before hours of work, with the reason. */
static gboolean check_place(const LayerWriter *writer, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(writer->path);

    if (g_file_test(writer->path, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                    "%s: is a folder; give the name of a file", writer->path);
        return FALSE;
    }
    if (access(dir, W_OK) != 0) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: cannot be written: %s",
                    writer->path, g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

static gboolean begin(LayerWriter *writer, GError **error)
{
    if (GDALDatasetStartTransaction(writer->dataset, FALSE) != OGRERR_NONE)
        return fail(writer, "cannot be written", error);
    writer->in_transaction = TRUE;
    return TRUE;
}

void layer_set_date(const char *date)
{
    CPLSetThreadLocalConfigOption("OGR_CURRENT_DATE", date);
}

LayerWriter *layer_create(const char *path, GError **error)
{
    GDALAllRegister();
    CPLSetErrorHandler(CPLQuietErrorHandler);
    CPLSetThreadLocalConfigOption("OGR_SQLITE_SYNCHRONOUS", "OFF"); /* synced once, at the end */
    CPLErrorReset();
    g_autoptr(LayerWriter) writer = writer_new(path);
    if (!check_place(writer, error))
        return NULL;
    writer->dataset =
        GDALCreate(GDALGetDriverByName("GPKG"), writer->part, 0, 0, 0, GDT_Unknown, NULL);
    if (writer->dataset == NULL) {
        fail(writer, "cannot be written", error);
        return NULL;
    }
    return begin(writer, error) ? g_steal_pointer(&writer) : NULL;
}

LayerWriter *layer_create_from(const char *path, const char *from, GError **error)
{
    GDALAllRegister();
    CPLSetErrorHandler(CPLQuietErrorHandler);
    CPLSetThreadLocalConfigOption("OGR_SQLITE_SYNCHRONOUS", "OFF");
    CPLErrorReset();
    g_autoptr(LayerWriter) writer = writer_new(path);
    if (!check_place(writer, error))
        return NULL;
    g_autoptr(GFile) source = g_file_new_for_path(from);
    g_autoptr(GFile) part = g_file_new_for_path(writer->part);
    g_autoptr(GError) reason = NULL;
    if (!g_file_copy(source, part, G_FILE_COPY_NONE, NULL, NULL, NULL, &reason)) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: cannot be copied: %s", from,
                    reason->message);
        return NULL;
    }
    (void)chmod(writer->part, 0644);
    static const char *const drivers[] = {"GPKG", NULL};
    writer->dataset =
        GDALOpenEx(writer->part, GDAL_OF_VECTOR | GDAL_OF_UPDATE, drivers, NULL, NULL);
    if (writer->dataset == NULL) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: is not a GeoPackage", from);
        return NULL;
    }
    return begin(writer, error) ? g_steal_pointer(&writer) : NULL;
}

void layer_discard(LayerWriter *writer)
{
    if (writer == NULL)
        return;
    layer_bulk_free(writer->bulk);
    g_ptr_array_unref(writer->tables);
    g_byte_array_unref(writer->row);
    if (writer->dataset != NULL) {
        if (writer->in_transaction)
            (void)GDALDatasetRollbackTransaction(writer->dataset);
        GDALClose(writer->dataset);
    }
    if (writer->part != NULL) {
        static const char *const tails[] = {"", "-journal", "-wal", "-shm"};
        for (guint i = 0; i < G_N_ELEMENTS(tails); i++) {
            g_autofree char *name = g_strconcat(writer->part, tails[i], NULL);
            (void)unlink(name);
        }
        file_replace_unwatch(writer->part);
    }
    g_free(writer->path);
    g_free(writer->part);
    g_free(writer);
}

static LayerTable *table_new(LayerWriter *writer, OGRLayerH layer, LayerKind kind,
                             const LayerField *fields, guint n_fields)
{
    LayerTable *table = g_new0(LayerTable, 1);

    table->bulk = -1;
    table->writer = writer;
    table->layer = layer;
    table->kind = kind;
    table->n_fields = n_fields;
    table->types = g_new0(LayerType, n_fields);
    table->index = g_new0(int, n_fields);
    for (guint i = 0; i < n_fields; i++) {
        table->types[i] = fields[i].type;
        table->index[i] = OGR_FD_GetFieldIndex(OGR_L_GetLayerDefn(layer), fields[i].name);
    }
    table->feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    g_ptr_array_add(writer->tables, table);
    return table;
}

static LayerTable *add_table(LayerWriter *writer, const char *name, LayerKind kind,
                             const LayerField *fields, guint n_fields, gboolean with_index,
                             GError **error)
{
    static const OGRwkbGeometryType geometry[] = {
        [LAYER_NONE] = wkbNone,        [LAYER_POINTS] = wkbPoint,  [LAYER_LINES] = wkbLineString,
        [LAYER_POLYGONS] = wkbPolygon, [LAYER_MIXED] = wkbUnknown,
    };
    static const OGRFieldType types[] = {
        [LAYER_INT] = OFTInteger64,
        [LAYER_REAL] = OFTReal,
        [LAYER_TEXT] = OFTString,
        [LAYER_BLOB] = OFTBinary,
    };
    const char *const options[] = {"GEOMETRY_NAME=geom", "FID=fid", "OVERWRITE=YES",
                                   with_index ? NULL : "SPATIAL_INDEX=NO", NULL};

    CPLErrorReset();
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(srs, 4326);
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    OGRLayerH layer = GDALDatasetCreateLayer(writer->dataset, name, kind == LAYER_NONE ? NULL : srs,
                                             geometry[kind], (char **)(guintptr)options);
    OSRDestroySpatialReference(srs);
    if (layer == NULL) {
        fail(writer, "cannot add a layer", error);
        return NULL;
    }
    for (guint i = 0; i < n_fields; i++) {
        OGRFieldDefnH field = OGR_Fld_Create(fields[i].name, types[fields[i].type]);
        gboolean ok = OGR_L_CreateField(layer, field, FALSE) == OGRERR_NONE;
        OGR_Fld_Destroy(field);
        if (!ok) {
            fail(writer, "cannot add a field", error);
            return NULL;
        }
    }
    return table_new(writer, layer, kind, fields, n_fields);
}

LayerTable *layer_add_table(LayerWriter *writer, const char *name, LayerKind kind,
                            const LayerField *fields, guint n_fields, GError **error)
{
    return add_table(writer, name, kind, fields, n_fields, TRUE, error);
}

LayerTable *layer_add_bulk_table(LayerWriter *writer, const char *name, LayerKind kind,
                                 const LayerField *fields, guint n_fields, GError **error)
{
    LayerTable *table = add_table(writer, name, kind, fields, n_fields, FALSE, error);

    if (table == NULL)
        return NULL;
    CPLErrorReset();
    if (OGR_L_SyncToDisk(table->layer) != OGRERR_NONE) { /* now the table is really made */
        fail(writer, "cannot add a layer", error);
        return NULL;
    }
    if (writer->bulk == NULL)
        writer->bulk = layer_bulk_new(GDALGetInternalHandle(writer->dataset, "SQLITE_HANDLE"),
                                      writer->part, writer->path);
    table->bulk = layer_bulk_table(writer->bulk, name, kind, fields, n_fields, error);
    return table->bulk < 0 ? NULL : table;
}

LayerTable *layer_append_table(LayerWriter *writer, const char *name, const LayerField *fields,
                               guint n_fields, GError **error)
{
    OGRLayerH layer = GDALDatasetGetLayerByName(writer->dataset, name);

    if (layer == NULL) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER, "%s: has no layer \"%s\"",
                    writer->path, name);
        return NULL;
    }
    for (guint i = 0; i < n_fields; i++) {
        if (OGR_FD_GetFieldIndex(OGR_L_GetLayerDefn(layer), fields[i].name) < 0) {
            g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER,
                        "%s: layer \"%s\" has no field \"%s\"", writer->path, name, fields[i].name);
            return NULL;
        }
    }
    return table_new(writer, layer, OGR_L_GetGeomType(layer) == wkbNone ? LAYER_NONE : LAYER_MIXED,
                     fields, n_fields);
}

static OGRGeometryH make_run(OGRwkbGeometryType type, const GeoPoint *p, uint32_t n)
{
    OGRGeometryH geometry = OGR_G_CreateGeometry(type);
    gboolean close =
        type == wkbLinearRing && n > 0 && (p[0].lon != p[n - 1].lon || p[0].lat != p[n - 1].lat);

    OGR_G_SetPointCount(geometry, (int)n + (close ? 1 : 0));
    for (uint32_t i = 0; i < n; i++)
        OGR_G_SetPoint_2D(geometry, (int)i, p[i].lon, p[i].lat);
    if (close)
        OGR_G_SetPoint_2D(geometry, (int)n, p[0].lon, p[0].lat);
    return geometry;
}

/* A multi-geometry only where there are several parts: layers declare the simple type. */
static OGRGeometryH make_geometry(const LayerShape *shape)
{
    OGRwkbGeometryType single = shape->kind == LAYER_POINTS  ? wkbPoint
                                : shape->kind == LAYER_LINES ? wkbLineString
                                                             : wkbPolygon;
    OGRGeometryH collection = NULL, current = NULL;

    for (uint32_t i = 0; i < shape->n_parts; i++) {
        /* -fanalyzer: part[] has n_parts + 1 offsets; the one part of layer_add() has two */
        const GeoPoint *p = shape->points + shape->part[i];
        uint32_t n = shape->part[i + 1] - shape->part[i];
        if (single == wkbPolygon && current != NULL && shape->is_hole != NULL &&
            shape->is_hole[i]) {
            OGR_G_AddGeometryDirectly(current, make_run(wkbLinearRing, p, n));
            continue;
        }
        if (current != NULL) {
            if (collection == NULL)
                collection = OGR_G_CreateGeometry(single == wkbPoint        ? wkbMultiPoint
                                                  : single == wkbLineString ? wkbMultiLineString
                                                                            : wkbMultiPolygon);
            OGR_G_AddGeometryDirectly(collection, current);
        }
        if (single == wkbPolygon) {
            current = OGR_G_CreateGeometry(wkbPolygon);
            OGR_G_AddGeometryDirectly(current, make_run(wkbLinearRing, p, n));
        } else {
            current = make_run(single, p, n);
        }
    }
    if (collection == NULL)
        return current;
    OGR_G_AddGeometryDirectly(collection, current);
    return collection;
}

static void set_field(const LayerTable *table, guint i, const LayerValue *value)
{
    int index = table->index[i];

    if (!value->known) {
        OGR_F_SetFieldNull(table->feature, index);
        return;
    }
    switch (table->types[i]) {
    case LAYER_INT:
        OGR_F_SetFieldInteger64(table->feature, index, value->v.i);
        break;
    case LAYER_REAL:
        OGR_F_SetFieldDouble(table->feature, index, value->v.r);
        break;
    case LAYER_TEXT:
        OGR_F_SetFieldString(table->feature, index, value->v.t);
        break;
    case LAYER_BLOB:
        OGR_F_SetFieldBinary(table->feature, index, (int)value->v.b.n,
                             (const void *)value->v.b.data);
        break;
    }
}

gboolean layer_add_shape(LayerTable *table, const LayerShape *shape, const LayerValue *values,
                         GError **error)
{
    OGRGeometryH geometry = shape != NULL && shape->n_parts > 0 ? make_geometry(shape) : NULL;

    OGR_F_SetFID(table->feature, OGRNullFID);
    if (table->kind != LAYER_NONE)
        OGR_F_SetGeometryDirectly(table->feature, geometry);
    for (guint i = 0; i < table->n_fields; i++)
        set_field(table, i, &values[i]);
    if (OGR_L_CreateFeature(table->layer, table->feature) != OGRERR_NONE)
        return fail(table->writer, "cannot be written", error);
    return TRUE;
}

gboolean layer_add(LayerTable *table, const GeoPoint *points, size_t n_points,
                   const LayerValue *values, GError **error)
{
    LayerWriter *writer = table->writer;
    if (table->bulk >= 0) {
        g_byte_array_set_size(writer->row, 0);
        return layer_bulk_encode(writer->bulk, table->bulk, points, n_points, values, writer->row,
                                 error) &&
               layer_bulk_add(writer->bulk, writer->row->data, writer->row->len, error);
    }
    uint32_t part[2] = {0, (uint32_t)n_points};
    LayerKind kind = table->kind != LAYER_MIXED ? table->kind
                     : n_points == 1            ? LAYER_POINTS
                                                : LAYER_LINES;
    LayerShape shape = {
        .kind = kind, .n_parts = n_points > 0 ? 1 : 0, .part = part, .points = points};

    return layer_add_shape(table, &shape, values, error);
}

gboolean layer_encode(const LayerTable *table, const GeoPoint *points, size_t n_points,
                      const LayerValue *values, GByteArray *rows, GError **error)
{
    return layer_bulk_encode(table->writer->bulk, table->bulk, points, n_points, values, rows,
                             error);
}

gboolean layer_add_encoded(LayerWriter *writer, const uint8_t *rows, size_t n, GError **error)
{
    return layer_bulk_add(writer->bulk, rows, n, error);
}

int64_t layer_last_fid(const LayerTable *table)
{
    return OGR_F_GetFID(table->feature);
}

gboolean layer_add_style(LayerWriter *writer, const char *layer, const char *name, const char *qml,
                         GError **error)
{
    static const LayerField fields[] = {
        {"f_table_catalog", LAYER_TEXT},
        {"f_table_schema", LAYER_TEXT},
        {"f_table_name", LAYER_TEXT},
        {"f_geometry_column", LAYER_TEXT},
        {"styleName", LAYER_TEXT},
        {"styleQML", LAYER_TEXT},
        {"styleSLD", LAYER_TEXT},
        {"useAsDefault", LAYER_INT},
        {"description", LAYER_TEXT},
        {"owner", LAYER_TEXT},
        {"ui", LAYER_TEXT},
        {"update_time", LAYER_TEXT},
    };
    OGRLayerH there = GDALDatasetGetLayerByName(writer->dataset, "layer_styles");
    LayerTable *table = NULL;
    gboolean first = TRUE;

    for (guint i = 0; i < writer->tables->len; i++) {
        LayerTable *t = g_ptr_array_index(writer->tables, i);
        if (there != NULL && t->layer == there)
            table = t;
    }
    if (table == NULL && there != NULL)
        table = layer_append_table(writer, "layer_styles", fields, G_N_ELEMENTS(fields), error);
    else if (table == NULL)
        table = layer_add_table(writer, "layer_styles", LAYER_NONE, fields, G_N_ELEMENTS(fields),
                                error);
    if (table == NULL)
        return FALSE;
    OGR_L_ResetReading(table->layer);
    OGRFeatureH row;
    while ((row = OGR_L_GetNextFeature(table->layer)) != NULL) {
        if (g_strcmp0(OGR_F_GetFieldAsString(row, table->index[2]), layer) == 0)
            first = FALSE;
        OGR_F_Destroy(row);
    }
    const char *date = CPLGetConfigOption("OGR_CURRENT_DATE", NULL);
    LayerValue values[] = {
        layer_text(""),   layer_text(""),  layer_text(layer), layer_text("geom"),
        layer_text(name), layer_text(qml), layer_text(""),    layer_int(first),
        layer_text(name), layer_text(""),  layer_null(),      layer_text(date),
    };
    return layer_add(table, NULL, 0, values, error);
}

gboolean layer_sql(LayerWriter *writer, const char *sql, GError **error)
{
    CPLErrorReset();
    OGRLayerH result = GDALDatasetExecuteSQL(writer->dataset, sql, NULL, NULL);
    if (result != NULL)
        GDALDatasetReleaseResultSet(writer->dataset, result);
    if (CPLGetLastErrorType() >= CE_Failure)
        return fail(writer, "cannot be written", error);
    return TRUE;
}

static gboolean sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return FALSE;
    gboolean ok = fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

gboolean layer_finish(LayerWriter *writer, GError **error)
{
    if (writer->bulk != NULL && !layer_bulk_end(writer->bulk, error))
        return FALSE;
    CPLErrorReset();
    writer->in_transaction = FALSE;
    if (GDALDatasetCommitTransaction(writer->dataset) != OGRERR_NONE)
        return fail(writer, "cannot be written", error);
    g_ptr_array_set_size(writer->tables, 0);
    GDALClose(g_steal_pointer(&writer->dataset)); /* writes what is left, e.g. spatial indexes */
    if (CPLGetLastErrorType() >= CE_Failure)
        return fail(writer, "cannot be written", error);
    if (writer->bulk != NULL && !layer_bulk_register(writer->bulk, writer->part, error))
        return FALSE;
    g_autofree char *dir = g_path_get_dirname(writer->path);
    if (!sync_file(writer->part) || rename(writer->part, writer->path) != 0) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: cannot be written: %s",
                    writer->path, g_strerror(errno));
        return FALSE;
    }
    (void)sync_file(dir); /* the name itself; some file systems do not know this */
    return TRUE;
}
