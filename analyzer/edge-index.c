/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/edge-index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint32_t edge, vertex; /* the piece from vertex to vertex + 1 (into Network.points) */
} Piece;

struct EdgeIndex {
    const Network *network;
    double west, south, cell_lon, cell_lat;
    uint32_t columns, rows;
    uint32_t *start; /* of each cell in pieces; columns * rows + 1 */
    Piece *pieces;
    uint32_t *seen; /* by edge: number of the search that met it last */
    uint32_t *hit_at;
    uint32_t search;
};

enum { MAX_CELLS = 1 << 24 };
static const double least_cell_m = 60.0;

static uint32_t clamp_cell(double value, uint32_t n)
{
    return value < 0.0 ? 0 : value >= (double)n ? n - 1 : (uint32_t)value;
}

static uint32_t column_of(const EdgeIndex *index, double lon)
{
    return clamp_cell((lon - index->west) / index->cell_lon, index->columns);
}

static uint32_t row_of(const EdgeIndex *index, double lat)
{
    return clamp_cell((lat - index->south) / index->cell_lat, index->rows);
}

/* Calls for each cell that the piece's box covers: pieces are short against cells. */
static void count_or_put(EdgeIndex *index, unsigned modes, uint32_t *fill)
{
    const Network *network = index->network;
    for (uint32_t e = 0; e < network->n_edges; e++) {
        const NetworkEdge *edge = &network->edges[e];
        if (modes != 0 && (edge->kind & modes) == 0)
            continue;
        for (uint32_t v = edge->first_point; v + 1 < edge->first_point + edge->n_points; v++) {
            GeoPoint a = network->points[v];
            GeoPoint b = network->points[v + 1];
            uint32_t x0 = column_of(index, fmin(a.lon, b.lon));
            uint32_t x1 = column_of(index, fmax(a.lon, b.lon));
            uint32_t y0 = row_of(index, fmin(a.lat, b.lat));
            uint32_t y1 = row_of(index, fmax(a.lat, b.lat));
            for (uint32_t y = y0; y <= y1; y++)
                for (uint32_t x = x0; x <= x1; x++) {
                    size_t cell = (size_t)y * index->columns + x;
                    if (fill != NULL)
                        index->pieces[fill[cell]++] = (Piece){e, v};
                    else
                        index->start[cell + 1]++;
                }
        }
    }
}

static void choose_grid(EdgeIndex *index)
{
    const Network *network = index->network;
    double east = -INFINITY;
    double north = -INFINITY;
    index->west = INFINITY;
    index->south = INFINITY;
    for (uint32_t i = 0; i < network->n_points; i++) {
        GeoPoint p = network->points[i];
        index->west = fmin(index->west, p.lon);
        index->south = fmin(index->south, p.lat);
        east = fmax(east, p.lon);
        north = fmax(north, p.lat);
    }
    Plane plane = plane_at((GeoPoint){(index->west + east) / 2.0, (index->south + north) / 2.0});
    double width_m = fmax((east - index->west) * plane.m_per_lon, 1.0);
    double height_m = fmax((north - index->south) * plane.m_per_lat, 1.0);
    double wanted = fmin(4.0 * network->n_points + 16.0, MAX_CELLS);
    double cell_m = fmax(least_cell_m, sqrt(width_m * height_m / wanted));
    index->columns = (uint32_t)fmin(width_m / cell_m, 65000.0) + 1;
    index->rows = (uint32_t)fmin(height_m / cell_m, 65000.0) + 1;
    index->cell_lon = fmax((east - index->west) / index->columns, 1e-9) * (1.0 + 1e-12);
    index->cell_lat = fmax((north - index->south) / index->rows, 1e-9) * (1.0 + 1e-12);
}

EdgeIndex *edge_index_new(const Network *network, unsigned modes)
{
    EdgeIndex *index = g_new0(EdgeIndex, 1);
    index->network = network;
    choose_grid(index);
    size_t cells = (size_t)index->columns * index->rows;
    index->start = g_new0(uint32_t, cells + 1);
    count_or_put(index, modes, NULL);
    for (size_t c = 0; c < cells; c++)
        index->start[c + 1] += index->start[c];
    index->pieces = g_new(Piece, MAX(index->start[cells], 1U));
    g_autofree uint32_t *fill = g_memdup2(index->start, cells * sizeof(uint32_t));
    count_or_put(index, modes, fill);
    index->seen = g_new0(uint32_t, MAX(network->n_edges, 1U));
    index->hit_at = g_new0(uint32_t, MAX(network->n_edges, 1U));
    return index;
}

void edge_index_free(EdgeIndex *index)
{
    if (index == NULL)
        return;
    g_free(index->start);
    g_free(index->pieces);
    g_free(index->seen);
    g_free(index->hit_at);
    g_free(index);
}

typedef struct {
    EdgeIndex *index;
    Plane plane;
    double radius2;
    EdgeHit *hits;
    size_t n, max;
} Search;

static int compare_hits(const void *a, const void *b)
{
    const EdgeHit *x = a;
    const EdgeHit *y = b;
    if (x->distance_m != y->distance_m)
        return x->distance_m < y->distance_m ? -1 : 1;
    return x->edge < y->edge ? -1 : x->edge > y->edge;
}

static void keep_hit(Search *search, const EdgeHit *hit)
{
    EdgeIndex *index = search->index;
    if (index->seen[hit->edge] == index->search) {
        /* unless a nearer edge has taken its place meanwhile */
        EdgeHit *old = &search->hits[index->hit_at[hit->edge]];
        if (old->edge == hit->edge) {
            if (hit->distance_m < old->distance_m)
                *old = *hit;
            return;
        }
    }
    size_t at = search->n;
    if (search->n == search->max) {
        /* full: take the place of the farthest, if nearer */
        size_t worst = 0;
        for (size_t i = 1; i < search->n; i++)
            if (search->hits[i].distance_m > search->hits[worst].distance_m)
                worst = i;
        if (search->hits[worst].distance_m <= hit->distance_m)
            return;
        at = worst;
    } else {
        search->n++;
    }
    search->hits[at] = *hit;
    index->seen[hit->edge] = index->search;
    index->hit_at[hit->edge] = (uint32_t)at;
}

static void try_piece(Search *search, Piece piece)
{
    const Network *network = search->index->network;
    PlanePoint a = plane_from_geo(&search->plane, network->points[piece.vertex]);
    PlanePoint b = plane_from_geo(&search->plane, network->points[piece.vertex + 1]);
    double dx = b.x - a.x;
    double dy = b.y - a.y;
    double length2 = dx * dx + dy * dy;
    double t = length2 > 0.0 ? -(a.x * dx + a.y * dy) / length2 : 0.0;
    t = t < 0.0 ? 0.0 : t > 1.0 ? 1.0 : t;
    double x = a.x + t * dx;
    double y = a.y + t * dy;
    double distance2 = x * x + y * y;
    if (!(distance2 <= search->radius2))
        return;
    double from_m = network->chain_m[piece.vertex];
    double to_m = network->chain_m[piece.vertex + 1];
    EdgeHit hit = {piece.edge, from_m + t * (to_m - from_m), sqrt(distance2),
                   plane_heading_deg(a, b)};
    keep_hit(search, &hit);
}

size_t edge_index_near(EdgeIndex *index, GeoPoint point, double radius_m, EdgeHit *hits, size_t max)
{
    Search search = {index, plane_at(point), radius_m * radius_m, hits, 0, max};
    double lon_reach = radius_m / search.plane.m_per_lon;
    double lat_reach = radius_m / search.plane.m_per_lat;
    if (!isfinite(point.lon) || !isfinite(point.lat) || max == 0 ||
        point.lon + lon_reach < index->west || point.lat + lat_reach < index->south ||
        point.lon - lon_reach > index->west + index->cell_lon * index->columns ||
        point.lat - lat_reach > index->south + index->cell_lat * index->rows)
        return 0;
    if (++index->search == 0) {
        memset(index->seen, 0, index->network->n_edges * sizeof(uint32_t));
        index->search = 1;
    }
    uint32_t x0 = column_of(index, point.lon - lon_reach);
    uint32_t x1 = column_of(index, point.lon + lon_reach);
    uint32_t y0 = row_of(index, point.lat - lat_reach);
    uint32_t y1 = row_of(index, point.lat + lat_reach);
    for (uint32_t y = y0; y <= y1; y++)
        for (uint32_t x = x0; x <= x1; x++) {
            size_t cell = (size_t)y * index->columns + x;
            for (uint32_t i = index->start[cell]; i < index->start[cell + 1]; i++)
                try_piece(&search, index->pieces[i]);
        }
    qsort(hits, search.n, sizeof *hits, compare_hits);
    return search.n;
}

double edge_index_nearest_m(EdgeIndex *index, GeoPoint point, double limit_m)
{
    for (double radius_m = fmin(200.0, limit_m);; radius_m = fmin(radius_m * 4.0, limit_m)) {
        EdgeHit hit;
        if (edge_index_near(index, point, radius_m, &hit, 1) > 0)
            return hit.distance_m;
        if (radius_m >= limit_m)
            return limit_m;
    }
}
