/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GIS vector files behind plain structs: layer.c and layer-write.c are the only files that know
 * OGR, layer-bulk.c and layer-rtree.c how it keeps rows in SQLite.
 *
 * Everything inside is longitude and latitude on WGS 84: readers transform from whatever the layer
 * says it is in, writers write EPSG:4326. A layer that does not say is refused with a message that
 * says what to do, unless the caller knows its CRS.
 *
 * Reading:
 *     g_autoptr(LayerSource) source = layer_open(path, &error);
 *     g_autoptr(LayerReader) reader = layer_read(source, "segments", NULL, &error);
 *     int op = layer_column(reader, "operator"), n = layer_column(reader, "n");
 *     const LayerRow *row;
 *     while ((row = layer_next(reader, &local_error)) != NULL)
 *         use(layer_get_text(row, op), layer_get_int(row, n, 0), row->shape.points);
 *
 * Writing (a GeoPackage that appears whole or not at all):
 *     static const LayerField fields[] = {{"operator", LAYER_TEXT}, {"n", LAYER_INT}};
 *     g_autoptr(LayerWriter) writer = layer_create(path, &error);
 *     LayerTable *table = layer_add_table(writer, "segments", LAYER_LINES, fields, 2, &error);
 *     LayerValue values[] = {layer_text("Alfa"), layer_int(12)};
 *     layer_add(table, points, n_points, values, &error);
 *     layer_add_style(writer, "segments", "share", qml, &error);
 *     layer_finish(writer, &error);        without it, nothing appears at `path`
 *
 * One thread uses a source (with its readers) or a writer at a time.
 */
#pragma once

#include "analyzer/network.h"

#define LAYER_ERROR layer_error_quark()
typedef enum {
    LAYER_ERROR_FAILED,   /* cannot be opened, read or written; the message says why */
    LAYER_ERROR_NO_LAYER, /* no layer or field of that name */
    LAYER_ERROR_NO_CRS,   /* the layer does not say its coordinate system */
} LayerError;
GQuark layer_error_quark(void);

typedef enum {
    LAYER_NONE,     /* a table without geometry */
    LAYER_POINTS,   /* points; multipoints read as parts of one point each */
    LAYER_LINES,    /* lines; multilines read as several parts */
    LAYER_POLYGONS, /* polygons; each ring is a part, closed (last point = first) */
    LAYER_MIXED,    /* only as the kind of a layer: its features may be of any kind */
} LayerKind;

typedef enum { LAYER_INT, LAYER_REAL, LAYER_TEXT, LAYER_BLOB } LayerType;

typedef struct {
    const char *name;
    LayerType type;
} LayerField;

/* A value for a field; `known` FALSE is NULL. Make with the functions below. */
typedef struct {
    gboolean known;
    union {
        int64_t i;
        double r;
        const char *t;
        struct {
            const void *data;
            size_t n;
        } b;
    } v;
} LayerValue;

LayerValue layer_null(void);
LayerValue layer_int(int64_t value);
LayerValue layer_real(double value);               /* not finite = NULL */
LayerValue layer_text(const char *value);          /* NULL = NULL; borrowed until layer_add() */
LayerValue layer_blob(const void *data, size_t n); /* borrowed until layer_add() */

/* ---- reading ---- */

typedef struct LayerSource LayerSource;
typedef struct LayerReader LayerReader;

/* Opens any vector file OGR can read. OpenStreetMap files are opened with the tags that a network
 * needs as fields (layer "lines": osm_id, highway, railway, name, ref, oneway, junction, tunnel,
 * bridge, layer, service, usage …; layer "points": name, railway, highway, ref …; layer
 * "other_relations": type, restriction, except).
 * Returns: (transfer full): free with layer_close(). */
LayerSource *layer_open(const char *path, GError **error);
void layer_close(LayerSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayerSource, layer_close)

const char *layer_path(const LayerSource *source);
gboolean layer_is_osm(const LayerSource *source);
guint layer_count(const LayerSource *source);
/* Name (transfer none) and kind of layer i. */
const char *layer_name(const LayerSource *source, guint i);
LayerKind layer_kind(const LayerSource *source, guint i);
gboolean layer_has(const LayerSource *source, const char *layer);

typedef struct {
    const char *where;  /* SQL condition on the layer's fields, or NULL */
    const char *sql;    /* a whole SELECT in the source's own SQL (GeoPackage: SQLite) instead of a
                           layer name and `where`; NULL usually */
    const char *crs;    /* assumed where the layer does not say, e.g. "EPSG:3006"; NULL = refuse */
    const GeoBox *box;  /* only features whose box meets this one; NULL = all */
    gboolean no_shapes; /* fields only: faster */
} LayerQuery;

/* Starts reading a layer. layer NULL = the only layer, or the first one with geometry.
 * Several readers of one layer must not be used at once.
 * Returns: (transfer full): free with layer_reader_free(); must not outlive the source. */
LayerReader *layer_read(LayerSource *source, const char *layer, const LayerQuery *query,
                        GError **error);
void layer_reader_free(LayerReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayerReader, layer_reader_free)

/* Fields of the layer. (transfer none, until the reader is freed) */
const LayerField *layer_fields(const LayerReader *reader, guint *n);
/* Number of a field by name (case ignored), -1 if there is none. */
int layer_column(const LayerReader *reader, const char *name);
/* As layer_column(), but a missing field is an error that names it and the file. */
gboolean layer_need_column(const LayerReader *reader, const char *name, int *column,
                           GError **error);
/* How many features there are, -1 if that is not known without reading them. */
int64_t layer_rows(const LayerReader *reader);

/* Geometry of one feature: n_parts runs of points; part p is points[part[p]] ..
 * points[part[p + 1] - 1]. */
typedef struct {
    LayerKind kind;
    uint32_t n_parts;
    const uint32_t *part;   /* n_parts + 1 offsets */
    const uint8_t *is_hole; /* per part: 1 for the inner rings of polygons. A polygon's rings follow
                               each other, the outer one first */
    const GeoPoint *points;
} LayerShape;

typedef struct LayerRow {
    int64_t fid;
    LayerShape shape; /* kind LAYER_NONE if it has none */
    gboolean
        damaged; /* it has a geometry that makes no sense (not numbers, off the earth): no shape */
    const LayerReader *reader;
} LayerRow;

/* The next feature, or NULL at the end (error unset) or on failure (error set).
 * Returns: (transfer none, until the next call). */
const LayerRow *layer_next(LayerReader *reader, GError **error);

/* Values of the current feature. Column -1 counts as NULL. */
gboolean layer_is_null(const LayerRow *row, int column);
int64_t layer_get_int(const LayerRow *row, int column, int64_t if_null);
double layer_get_real(const LayerRow *row, int column, double if_null);
/* NULL if the field is NULL; numbers come as text. (transfer none, until the next layer_next() or
 * layer_get_text() of the same column) */
const char *layer_get_text(const LayerRow *row, int column);
const void *layer_get_blob(const LayerRow *row, int column, size_t *n);

/* ---- writing ---- */

typedef struct LayerWriter LayerWriter;
typedef struct LayerTable LayerTable;

/* Begins a new GeoPackage, written beside `path`; what is at `path` stays until layer_finish().
 * Returns: (transfer full): free with layer_discard(). */
LayerWriter *layer_create(const char *path, GError **error);

/* Date that files written by this thread from now on carry ("2025-05-26T14:47:05.000Z"), instead of
 * the time of writing: equal content then gives equal bytes. NULL = the time of writing again. */
void layer_set_date(const char *date);

/* The same, beginning with a copy of the GeoPackage `from` (which may be `path` itself), to add
 * layers to it. */
LayerWriter *layer_create_from(const char *path, const char *from, GError **error);

/* Frees; what was not finished is deleted. NULL is allowed. */
void layer_discard(LayerWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayerWriter, layer_discard)

/* Adds a layer, or a plain table (LAYER_NONE). Geometry column "geom", key column "fid". In a copy,
 * a layer of the same name is replaced. Returns: (transfer none): belongs to the writer. */
LayerTable *layer_add_table(LayerWriter *writer, const char *name, LayerKind kind,
                            const LayerField *fields, guint n_fields, GError **error);

/* The same for very many rows, added by layer_add() alone (points: one, lines: one run): only in a
 * writer made by layer_create(). layer_sql() does not see its rows. (transfer none) */
LayerTable *layer_add_bulk_table(LayerWriter *writer, const char *name, LayerKind kind,
                                 const LayerField *fields, guint n_fields, GError **error);

/* The table of that name in a copy, to append rows; its fields are given by `fields` (names that
 * must exist there). (transfer none) */
LayerTable *layer_append_table(LayerWriter *writer, const char *name, const LayerField *fields,
                               guint n_fields, GError **error);

/* Adds a row: `values` in the order of `fields`. Points: the one place, the line, or the outer ring
 * (closed by itself if it is not); n_points 0 = no geometry. */
gboolean layer_add(LayerTable *table, const GeoPoint *points, size_t n_points,
                   const LayerValue *values, GError **error);

/* A row of a bulk table as bytes, appended to `rows`, which layer_add_encoded() adds: several
 * threads may encode at the same time, while no table is added to the writer. */
gboolean layer_encode(const LayerTable *table, const GeoPoint *points, size_t n_points,
                      const LayerValue *values, GByteArray *rows, GError **error);
gboolean layer_add_encoded(LayerWriter *writer, const uint8_t *rows, size_t n, GError **error);

/* layer_add() with a geometry of several parts (a multi-geometry) or a polygon with holes. */
gboolean layer_add_shape(LayerTable *table, const LayerShape *shape, const LayerValue *values,
                         GError **error);

/* Key (fid) that the row added last got. */
int64_t layer_last_fid(const LayerTable *table);

/* Adds a style (QML text) to `layer_styles`, where QGIS looks; the first one of a layer is its
 * default. */
gboolean layer_add_style(LayerWriter *writer, const char *layer, const char *name, const char *qml,
                         GError **error);

/* Runs SQL on the file being written, for what has no function here (an index, a view). */
gboolean layer_sql(LayerWriter *writer, const char *sql, GError **error);

/* Completes the file (spatial indexes, sync to disk) and renames it to its path. The writer can
 * only be freed afterwards. */
gboolean layer_finish(LayerWriter *writer, GError **error);
