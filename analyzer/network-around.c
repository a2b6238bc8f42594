/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading the part of a network that lies around a drive. The places are gathered into tiles; runs
 * of tiles become boxes for the GeoPackage's spatial index; an edge that several boxes meet is
 * taken once.
 */
#include "analyzer/geometry.h"
#include "analyzer/network-load.h"

#include <math.h>
#include <stdlib.h>

/* Tiles of about 2 km: small enough not to load a city for its motorway. */
#define TILE_DEG 0.02

typedef struct {
    int32_t row, column; /* of latitude and longitude */
} Tile;

static int by_tile(const void *a, const void *b)
{
    const Tile *p = a, *q = b;

    if (p->row != q->row)
        return p->row < q->row ? -1 : 1;
    return (p->column > q->column) - (p->column < q->column);
}

/* The tiles within reach of the places, sorted, each once. */
static GArray *tiles_around(const GeoPoint *places, size_t n, double reach_m)
{
    GArray *tiles = g_array_new(FALSE, FALSE, sizeof(Tile));
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (size_t i = 0; i < n; i++) {
        if (!(fabs(places[i].lon) <= 180.0 && fabs(places[i].lat) <= 89.0))
            continue;
        Plane plane = plane_at(places[i]);
        double dlon = reach_m / plane.m_per_lon, dlat = reach_m / plane.m_per_lat;
        int32_t south = (int32_t)floor((places[i].lat - dlat) / TILE_DEG),
                north = (int32_t)floor((places[i].lat + dlat) / TILE_DEG),
                west = (int32_t)floor((places[i].lon - dlon) / TILE_DEG),
                east = (int32_t)floor((places[i].lon + dlon) / TILE_DEG);
        for (int32_t row = south; row <= north; row++) {
            for (int32_t column = west; column <= east; column++) {
                int64_t key = (int64_t)row * (INT64_C(1) << 32) + column;
                if (!g_hash_table_contains(seen, &key)) {
                    Tile tile = {row, column};
                    g_hash_table_add(seen, g_memdup2(&key, sizeof key));
                    g_array_append_val(tiles, tile);
                }
            }
        }
    }
    if (tiles->len > 0)
        qsort(tiles->data, tiles->len, sizeof(Tile), by_tile);
    return tiles;
}

typedef struct {
    NetworkBuilder *builder;
    GHashTable *seen; /* fids */
} Gather;

static gboolean gather_edge(const NetworkEdge *edge, int64_t from, int64_t to,
                            const GeoPoint *points, size_t n, void *user_data)
{
    Gather *gather = user_data;

    if (g_hash_table_contains(gather->seen, &edge->fid))
        return TRUE;
    g_hash_table_add(gather->seen, g_memdup2(&edge->fid, sizeof edge->fid));
    return network_builder_add_edge(gather->builder, edge, from, to, points, n);
}

static void grow(GeoBox *all, const GeoBox *box)
{
    all->west = fmin(all->west, box->west);
    all->south = fmin(all->south, box->south);
    all->east = fmax(all->east, box->east);
    all->north = fmax(all->north, box->north);
}

Network *network_load_around(const char *path, const GeoPoint *places, size_t n, double reach_m,
                             GError **error)
{
    g_autoptr(LayerSource) source = network_open(path, error);
    if (source == NULL)
        return NULL;
    g_autoptr(NetworkBuilder) builder = network_builder_new();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autoptr(GArray) tiles = tiles_around(places, n, reach_m);
    Gather gather = {builder, seen};
    GeoBox all = {180, 90, -180, -90};

    if (tiles->len == 0) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_ELSEWHERE,
                    "%s: cannot be loaded around a drive that has no positions", path);
        return NULL;
    }
    for (guint i = 0; i < tiles->len;) {
        Tile first = g_array_index(tiles, Tile, i);
        guint run = 1;
        while (i + run < tiles->len) {
            Tile next = g_array_index(tiles, Tile, i + run);
            if (next.row != first.row || next.column != first.column + (int32_t)run)
                break;
            run++;
        }
        GeoBox box = {first.column * TILE_DEG, first.row * TILE_DEG,
                      (first.column + (int32_t)run) * TILE_DEG, (first.row + 1) * TILE_DEG};
        if (!network_read_edges(source, &box, gather_edge, &gather, error))
            return NULL;
        grow(&all, &box);
        i += run;
    }
    return network_finish_loading(source, g_steal_pointer(&builder), path, &all, error);
}
