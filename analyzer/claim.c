/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/claim.h"

#include "analyzer/layer.h"
#include "analyzer/polygon-index.h"
#include "analyzer/raster.h"
#include "formats/shown-text.h"

#include <math.h>
#include <string.h>

/* Kept at once, at up to 80 bytes each. */
#define MOST_EDGES 1300000

struct ClaimMap {
    char *path, *layer, *where, *level, *name, *crs;
    gboolean has_min;
    double min;
    GArray *classes; /* double; NULL = any value */
    LayerSource *source;
    Raster *raster;
    PolygonIndex *polygons; /* around the box loaded last */
};

gboolean claim_fail(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *line = shown_text(text); /* names come from files of strangers */
    g_set_error_literal(error, LAYER_ERROR, LAYER_ERROR_FAILED, line);
    return FALSE;
}

static gboolean read_number(const char *text, double *value)
{
    char *end;
    *value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

static gboolean set_option(ClaimMap *map, const char *key, const char *value, GError **error)
{
    struct {
        const char *key;
        char **text;
    } texts[] = {{"layer", &map->layer},
                 {"where", &map->where},
                 {"level", &map->level},
                 {"name", &map->name},
                 {"crs", &map->crs}};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        if (strcmp(texts[i].key, key) == 0) {
            g_free(*texts[i].text);
            *texts[i].text = g_strdup(value);
            return TRUE;
        }
    if (strcmp(key, "min") == 0) {
        map->has_min = read_number(value, &map->min);
        return map->has_min || claim_fail(error, "%s: min=%s is not a number", map->path, value);
    }
    if (strcmp(key, "classes") == 0) {
        g_auto(GStrv) values = g_strsplit(value, "/", -1);
        map->classes = g_array_new(FALSE, FALSE, sizeof(double));
        for (char **v = values; *v != NULL; v++) {
            double number;
            if (!read_number(*v, &number))
                return claim_fail(error, "%s: classes=%s: %s is not a number", map->path, value,
                                  *v);
            g_array_append_val(map->classes, number);
        }
        return TRUE;
    }
    return claim_fail(error,
                      "%s: %s= is not an option of a map; known: layer, where, level, min, "
                      "classes, name, crs",
                      map->path, key);
}

static gboolean read_specification(ClaimMap *map, const char *specification, GError **error)
{
    static const char *const keys[] = {
        "layer=", "where=", "level=", "min=", "name=", "classes=", "crs="};
    /* commas inside where= belong to it: an option begins only at a known key */
    g_auto(GStrv) parts = g_strsplit(specification, ",", -1);
    g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);
    for (char **part = parts; *part != NULL; part++) {
        gboolean begins = FALSE;
        for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
            begins = begins || g_str_has_prefix(*part, keys[i]);
        char **last = options->len ? (char **)&options->pdata[options->len - 1] : NULL;
        if (begins || (last == NULL && map->path != NULL && strchr(*part, '=') != NULL)) {
            g_ptr_array_add(options, g_strdup(*part));
        } else {
            char **into = last ? last : &map->path;
            char *joined = *into ? g_strconcat(*into, ",", *part, NULL) : g_strdup(*part);
            g_free(*into);
            *into = joined;
        }
    }
    for (guint i = 0; i < options->len; i++) {
        char *option = options->pdata[i], *equal = strchr(option, '=');
        g_assert(equal != NULL);
        *equal = '\0';
        if (!set_option(map, option, equal + 1, error))
            return FALSE;
    }
    return TRUE;
}

char *claim_file(const char *specification)
{
    g_autoptr(ClaimMap) map = g_new0(ClaimMap, 1);
    return read_specification(map, specification, NULL) ? g_steal_pointer(&map->path) : NULL;
}

ClaimMap *claim_open(const char *specification, GError **error)
{
    g_autoptr(ClaimMap) map = g_new0(ClaimMap, 1);
    if (!read_specification(map, specification, error))
        return NULL;
    if (map->path == NULL || !g_file_test(map->path, G_FILE_TEST_EXISTS)) {
        claim_fail(error, "%s: there is no such map", map->path ? map->path : specification);
        return NULL;
    }
    gboolean vector_only = map->layer || map->where || map->level || map->name;
    if (!vector_only && raster_is_one(map->path)) {
        map->raster = raster_open(map->path, map->crs, error);
        return map->raster ? g_steal_pointer(&map) : NULL;
    }
    map->source = layer_open(map->path, error);
    if (map->source == NULL)
        return NULL;
    if (map->has_min && map->level == NULL) {
        claim_fail(error, "%s: min= needs level=, the attribute that holds the level", map->path);
        return NULL;
    }
    return g_steal_pointer(&map);
}

void claim_close(ClaimMap *map)
{
    if (map == NULL)
        return;
    layer_close(map->source);
    raster_close(map->raster);
    polygon_index_free(map->polygons);
    if (map->classes != NULL)
        g_array_unref(map->classes);
    g_free(map->path);
    g_free(map->layer);
    g_free(map->where);
    g_free(map->level);
    g_free(map->name);
    g_free(map->crs);
    g_free(map);
}

const char *claim_path(const ClaimMap *map)
{
    return map->path;
}

static gboolean is_claimed_value(const ClaimMap *map, double value)
{
    if (map->has_min)
        return value >= map->min;
    if (map->classes == NULL)
        return TRUE;
    for (guint i = 0; i < map->classes->len; i++)
        if (g_array_index(map->classes, double, i) == value)
            return TRUE;
    return FALSE;
}

gboolean claim_load(ClaimMap *map, const GeoBox *box, gboolean *too_much, GError **error)
{
    if (too_much != NULL)
        *too_much = FALSE;
    if (map->raster != NULL)
        return TRUE;
    polygon_index_free(map->polygons);
    map->polygons = polygon_index_new(box);
    LayerQuery query = {.where = map->where, .crs = map->crs, .box = box};
    g_autoptr(LayerReader) reader = layer_read(map->source, map->layer, &query, error);
    if (reader == NULL)
        return FALSE;
    int level = -1, name = -1;
    if (map->level != NULL && !layer_need_column(reader, map->level, &level, error))
        return FALSE;
    if (map->name != NULL && !layer_need_column(reader, map->name, &name, error))
        return FALSE;
    if (name < 0)
        name = layer_column(reader, "name");
    g_autoptr(GError) local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        double claimed = layer_get_real(row, level, NAN);
        if (!row->damaged && row->shape.kind == LAYER_POLYGONS &&
            (level < 0 || is_claimed_value(map, claimed)))
            polygon_index_add(map->polygons, &row->shape, claimed, layer_get_text(row, name));
        if (too_much != NULL && polygon_index_edges(map->polygons) > MOST_EDGES) {
            *too_much = TRUE;
            return TRUE;
        }
    }
    if (local != NULL) {
        /* GDAL's own words are a whole SELECT */
        if (map->where != NULL && polygon_index_count(map->polygons) == 0)
            return claim_fail(error,
                              "%s: where=%s cannot be used; it is SQL on the fields of the layer, "
                              "such as where=tech = '4G'",
                              map->path, map->where);
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    polygon_index_finish(map->polygons);
    return TRUE;
}

gboolean claim_is_map(ClaimMap *map, GError **error)
{
    if (map->raster != NULL)
        return TRUE;
    LayerQuery query = {.where = map->where, .crs = map->crs};
    g_autoptr(LayerReader) reader = layer_read(map->source, map->layer, &query, error);
    if (reader == NULL)
        return FALSE;
    g_autoptr(GError) local = NULL;
    const LayerRow *row;
    guint64 rows = 0;
    while ((row = layer_next(reader, &local)) != NULL) {
        if (row->shape.kind == LAYER_POLYGONS)
            return TRUE;
        rows++;
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    gboolean may_hold = FALSE; /* an empty GeoJSON does not say of what kind it is */
    for (guint i = 0; i < layer_count(map->source); i++) {
        LayerKind kind = layer_kind(map->source, i);
        may_hold = may_hold || kind == LAYER_POLYGONS || kind == LAYER_MIXED;
    }
    return (rows == 0 && may_hold) ||
           claim_fail(error,
                      "%s: holds no area; a map of coverage is areas or a raster, and layer= says "
                      "which layer",
                      map->path);
}

gboolean claim_at(ClaimMap *map, GeoPoint point, gboolean *claimed, double *level,
                  gboolean *is_inside, GError **error)
{
    *claimed = FALSE;
    *level = NAN;
    if (map->raster != NULL) {
        gboolean inside, has_value;
        double value = 0.0;
        if (!raster_at(map->raster, point, &inside, &has_value, &value, error))
            return FALSE;
        *is_inside = *is_inside || inside;
        *claimed = has_value && is_claimed_value(map, value);
        if (*claimed && map->has_min)
            *level = value;
        return TRUE;
    }
    *is_inside = *is_inside || polygon_index_count(map->polygons) > 0;
    *claimed = polygon_index_at(map->polygons, point, level, NULL);
    return TRUE;
}

const char *claim_name_at(const ClaimMap *map, GeoPoint point)
{
    const char *name = NULL;
    if (!polygon_index_at(map->polygons, point, NULL, &name))
        return NULL;
    return name ? name : "(unnamed)";
}
