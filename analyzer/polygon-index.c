/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/polygon-index.h"

#include <math.h>

#define MOST_BANDS 4096
/* An edge may stand in several bands; in all of them together at most this often on average. */
#define MOST_COPIES 8

typedef struct {
    double level; /* NAN if none */
    const char *name;
} Feature;

typedef struct {
    guint feature, part; /* part: an outer ring and its holes */
    gboolean is_hole;
} Ring;

typedef struct {
    GeoPoint a, b;
    guint ring;
} Edge;

struct PolygonIndex {
    GeoBox box;
    GArray *features, *rings, *edges;
    GStringChunk *names;
    guint parts, bands;
    guint *start, *entry; /* edges of band i: entry[start[i]] .. entry[start[i + 1] - 1] */
};

PolygonIndex *polygon_index_new(const GeoBox *box)
{
    PolygonIndex *index = g_new0(PolygonIndex, 1);
    index->box = *box;
    index->features = g_array_new(FALSE, FALSE, sizeof(Feature));
    index->rings = g_array_new(FALSE, FALSE, sizeof(Ring));
    index->edges = g_array_new(FALSE, FALSE, sizeof(Edge));
    index->names = g_string_chunk_new(1024);
    return index;
}

void polygon_index_free(PolygonIndex *index)
{
    if (index == NULL)
        return;
    g_array_unref(index->features);
    g_array_unref(index->rings);
    g_array_unref(index->edges);
    g_string_chunk_free(index->names);
    g_free(index->start);
    g_free(index->entry);
    g_free(index);
}

guint polygon_index_count(const PolygonIndex *index)
{
    return index->features->len;
}

guint polygon_index_edges(const PolygonIndex *index)
{
    return index->edges->len;
}

/* Edges are asked by a ray to the east: those south, north or west of the box cannot meet it. */
static void add_edge(PolygonIndex *index, GeoPoint a, GeoPoint b, guint ring)
{
    const GeoBox *box = &index->box;
    if (a.lat == b.lat || fmax(a.lat, b.lat) < box->south || fmin(a.lat, b.lat) > box->north ||
        fmax(a.lon, b.lon) < box->west)
        return;
    Edge edge = {a, b, ring};
    g_array_append_val(index->edges, edge);
}

void polygon_index_add(PolygonIndex *index, const LayerShape *shape, double level, const char *name)
{
    Feature feature = {level, name ? g_string_chunk_insert_const(index->names, name) : NULL};
    for (uint32_t p = 0; p < shape->n_parts; p++) {
        const GeoPoint *v = shape->points + shape->part[p];
        uint32_t n = shape->part[p + 1] - shape->part[p];
        gboolean is_hole = shape->is_hole[p] != 0 && index->parts > 0;
        index->parts += is_hole ? 0 : 1;
        Ring ring = {index->features->len, index->parts, is_hole};
        for (uint32_t i = 0; i + 1 < n; i++)
            add_edge(index, v[i], v[i + 1], index->rings->len);
        if (n > 1)
            add_edge(index, v[n - 1], v[0], index->rings->len);
        g_array_append_val(index->rings, ring);
    }
    g_array_append_val(index->features, feature);
}

static guint band_of(const PolygonIndex *index, double lat)
{
    double height = fmax(index->box.north - index->box.south, 1e-9);
    double band = floor((lat - index->box.south) / height * index->bands);
    return (guint)CLAMP(band, 0.0, index->bands - 1.0);
}

static void bands_of(const PolygonIndex *index, const Edge *edge, guint *from, guint *to)
{
    *from = band_of(index, fmin(edge->a.lat, edge->b.lat));
    *to = band_of(index, fmax(edge->a.lat, edge->b.lat));
}

void polygon_index_finish(PolygonIndex *index)
{
    const Edge *edge = (const Edge *)(void *)index->edges->data;
    guint n = index->edges->len, from, to;
    guint64 entries = 0;
    for (index->bands = MOST_BANDS;; index->bands /= 2) {
        entries = 0;
        for (guint i = 0; i < n; i++) {
            bands_of(index, &edge[i], &from, &to);
            entries += to - from + 1;
        }
        if (index->bands == 1 || entries <= (guint64)MOST_COPIES * n)
            break;
    }
    index->start = g_new0(guint, index->bands + 1);
    index->entry = g_new(guint, MAX(entries, 1));
    for (guint i = 0; i < n; i++) {
        bands_of(index, &edge[i], &from, &to);
        for (guint band = from; band <= to; band++)
            index->start[band + 1]++;
    }
    for (guint band = 0; band < index->bands; band++)
        index->start[band + 1] += index->start[band];
    g_autofree guint *next = g_memdup2(index->start, index->bands * sizeof(guint));
    for (guint i = 0; i < n; i++) {
        bands_of(index, &edge[i], &from, &to);
        for (guint band = from; band <= to; band++)
            index->entry[next[band]++] = i;
    }
}

static gboolean is_crossed(const Edge *e, GeoPoint q)
{
    return (e->a.lat > q.lat) != (e->b.lat > q.lat) &&
           q.lon < (e->b.lon - e->a.lon) * (q.lat - e->a.lat) / (e->b.lat - e->a.lat) + e->a.lon;
}

gboolean polygon_index_at(const PolygonIndex *index, GeoPoint q, double *level, const char **name)
{
    gboolean any = FALSE;
    if (level != NULL)
        *level = NAN;
    if (q.lat < index->box.south || q.lat > index->box.north || q.lon < index->box.west)
        return FALSE;
    guint band = band_of(index, q.lat);
    const guint *entry = index->entry + index->start[band];
    guint n = index->start[band + 1] - index->start[band];
    for (guint i = 0; i < n;) {
        /* edges stand in the order of their rings, and rings in the order of their parts */
        const Edge *e = &g_array_index(index->edges, Edge, entry[i]);
        guint part = g_array_index(index->rings, Ring, e->ring).part;
        guint feature = g_array_index(index->rings, Ring, e->ring).feature;
        gboolean in_outer = FALSE, in_hole = FALSE;
        while (i < n) {
            guint ring = g_array_index(index->edges, Edge, entry[i]).ring;
            const Ring *r = &g_array_index(index->rings, Ring, ring);
            if (r->part != part)
                break;
            gboolean inside = FALSE;
            for (; i < n && g_array_index(index->edges, Edge, entry[i]).ring == ring; i++)
                inside ^= is_crossed(&g_array_index(index->edges, Edge, entry[i]), q);
            if (r->is_hole)
                in_hole = in_hole || inside;
            else
                in_outer = inside;
        }
        if (!in_outer || in_hole)
            continue;
        const Feature *f = &g_array_index(index->features, Feature, feature);
        if (!any && name != NULL)
            *name = f->name;
        any = TRUE;
        if (level != NULL && !isnan(f->level))
            *level = isnan(*level) ? f->level : fmax(*level, f->level);
    }
    return any;
}
