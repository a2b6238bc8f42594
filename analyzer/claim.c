/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/claim.h"

#include "analyzer/layer.h"
#include "analyzer/raster.h"

#include <math.h>
#include <string.h>

typedef struct {
    GeoBox box;
    guint first_part, n_parts;
    double level;     /* NAN if none */
    const char *name; /* interned; NULL if none */
} Polygon;

struct ClaimMap {
    char *path, *layer, *where, *level, *name, *crs;
    gboolean has_min;
    double min;
    GArray *classes; /* double; NULL = any value */
    LayerSource *source;
    Raster *raster;
    GArray *polygons, *parts, *points; /* Polygon, guint offsets into points, GeoPoint */
    GStringChunk *names;
};

static gboolean fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean fail(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, LAYER_ERROR, LAYER_ERROR_FAILED, text);
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
        return map->has_min || fail(error, "%s: min=%s is not a number", map->path, value);
    }
    if (strcmp(key, "classes") == 0) {
        g_auto(GStrv) values = g_strsplit(value, "/", -1);
        map->classes = g_array_new(FALSE, FALSE, sizeof(double));
        for (char **v = values; *v != NULL; v++) {
            double number;
            if (!read_number(*v, &number))
                return fail(error, "%s: classes=%s: %s is not a number", map->path, value, *v);
            g_array_append_val(map->classes, number);
        }
        return TRUE;
    }
    return fail(error,
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
        *equal = '\0';
        if (!set_option(map, option, equal + 1, error))
            return FALSE;
    }
    return TRUE;
}

ClaimMap *claim_open(const char *specification, GError **error)
{
    g_autoptr(ClaimMap) map = g_new0(ClaimMap, 1);
    map->polygons = g_array_new(FALSE, FALSE, sizeof(Polygon));
    map->parts = g_array_new(FALSE, FALSE, sizeof(guint));
    map->points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    map->names = g_string_chunk_new(1024);
    if (!read_specification(map, specification, error))
        return NULL;
    if (map->path == NULL || !g_file_test(map->path, G_FILE_TEST_EXISTS)) {
        fail(error, "%s: there is no such map", map->path ? map->path : specification);
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
        fail(error, "%s: min= needs level=, the attribute that holds the level", map->path);
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
    g_array_unref(map->polygons);
    g_array_unref(map->parts);
    g_array_unref(map->points);
    if (map->classes != NULL)
        g_array_unref(map->classes);
    g_string_chunk_free(map->names);
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

static void add_polygon(ClaimMap *map, const LayerRow *row, int level, int name)
{
    const LayerShape *shape = &row->shape;
    if (row->damaged || shape->kind != LAYER_POLYGONS || shape->n_parts == 0)
        return;
    Polygon p = {.box = {181.0, 91.0, -181.0, -91.0},
                 .first_part = map->parts->len,
                 .n_parts = shape->n_parts,
                 .level = level >= 0 ? layer_get_real(row, level, NAN) : (double)NAN};
    if (level >= 0 && !is_claimed_value(map, p.level))
        return;
    const char *text = name >= 0 ? layer_get_text(row, name) : NULL;
    p.name = text ? g_string_chunk_insert_const(map->names, text) : NULL;
    for (guint part = 0; part < shape->n_parts; part++) {
        guint at = map->points->len;
        g_array_append_val(map->parts, at);
        g_array_append_vals(map->points, shape->points + shape->part[part],
                            shape->part[part + 1] - shape->part[part]);
    }
    for (uint32_t i = shape->part[0]; i < shape->part[shape->n_parts]; i++) {
        p.box.west = fmin(p.box.west, shape->points[i].lon);
        p.box.east = fmax(p.box.east, shape->points[i].lon);
        p.box.south = fmin(p.box.south, shape->points[i].lat);
        p.box.north = fmax(p.box.north, shape->points[i].lat);
    }
    g_array_append_val(map->polygons, p);
}

gboolean claim_load(ClaimMap *map, const GeoBox *box, GError **error)
{
    if (map->raster != NULL)
        return TRUE;
    g_array_set_size(map->polygons, 0);
    g_array_set_size(map->parts, 0);
    g_array_set_size(map->points, 0);
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
    while ((row = layer_next(reader, &local)) != NULL)
        add_polygon(map, row, level, name);
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    guint end = map->points->len;
    g_array_append_val(map->parts, end);
    return TRUE;
}

/* Even-odd rule over all rings: holes fall out by themselves, and polygons that cross themselves
 * still mean something. */
static gboolean holds(const ClaimMap *map, const Polygon *p, GeoPoint q)
{
    gboolean inside = FALSE;
    if (q.lon < p->box.west || q.lon > p->box.east || q.lat < p->box.south || q.lat > p->box.north)
        return FALSE;
    for (guint part = p->first_part; part < p->first_part + p->n_parts; part++) {
        guint from = g_array_index(map->parts, guint, part);
        guint to = g_array_index(map->parts, guint, part + 1);
        const GeoPoint *v = &g_array_index(map->points, GeoPoint, from);
        for (guint i = 0, j = to - from - 1; i < to - from; j = i++)
            if ((v[i].lat > q.lat) != (v[j].lat > q.lat) &&
                q.lon <
                    (v[j].lon - v[i].lon) * (q.lat - v[i].lat) / (v[j].lat - v[i].lat) + v[i].lon)
                inside = !inside;
    }
    return inside;
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
    *is_inside = *is_inside || map->polygons->len > 0;
    for (guint i = 0; i < map->polygons->len; i++) {
        const Polygon *p = &g_array_index(map->polygons, Polygon, i);
        if (!holds(map, p, point))
            continue;
        *claimed = TRUE;
        if (isnan(p->level))
            return TRUE;
        *level = isnan(*level) ? p->level : fmax(*level, p->level);
    }
    return TRUE;
}

const char *claim_name_at(const ClaimMap *map, GeoPoint point)
{
    for (guint i = 0; i < map->polygons->len; i++) {
        const Polygon *p = &g_array_index(map->polygons, Polygon, i);
        if (holds(map, p, point))
            return p->name ? p->name : "(unnamed)";
    }
    return NULL;
}
