/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/segment.h"

#include <math.h>

/* One edge's part of a corridor. */
typedef struct {
    uint32_t corridor;
    uint32_t part; /* in Corridor.edges */
} EdgeUse;

struct Segments {
    const Network *network;
    uint32_t count;
    uint32_t *first;  /* by corridor, n_corridors + 2 */
    double *piece_m;  /* by corridor: length of its segments */
    uint32_t *use_at; /* by edge, n_edges + 1 offsets into use */
    EdgeUse *use;
    uint32_t *edge_first; /* by edge: its first segment; SEGMENT_NONE in corridors */
    double wanted_m;
};

static uint32_t pieces(double length_m, double wanted_m)
{
    return (uint32_t)fmax(1.0, floor(length_m / wanted_m + 0.5));
}

static void index_uses(Segments *s)
{
    const Network *net = s->network;
    s->use_at = g_new0(uint32_t, net->n_edges + 1);
    for (uint32_t c = 0; c < net->n_corridors; c++)
        for (uint32_t i = 0; i < net->corridors[c].n_edges; i++)
            s->use_at[net->corridors[c].edges[i].edge + 1]++;
    for (uint32_t e = 0; e < net->n_edges; e++)
        s->use_at[e + 1] += s->use_at[e];
    s->use = g_new(EdgeUse, MAX(s->use_at[net->n_edges], 1));
    g_autofree uint32_t *next = g_memdup2(s->use_at, (net->n_edges + 1) * sizeof *s->use_at);
    for (uint32_t c = 0; c < net->n_corridors; c++)
        for (uint32_t i = 0; i < net->corridors[c].n_edges; i++)
            s->use[next[net->corridors[c].edges[i].edge]++] = (EdgeUse){c, i};
}

Segments *segments_new(const Network *network, double length_m, GError **error)
{
    g_autoptr(Segments) s = g_new0(Segments, 1);
    s->network = network;
    s->wanted_m = length_m;
    index_uses(s);
    s->first = g_new0(uint32_t, network->n_corridors + 2);
    s->piece_m = g_new0(double, network->n_corridors + 1);
    uint64_t count = 0;
    for (uint32_t c = 0; c < network->n_corridors; c++) {
        uint32_t n = pieces(network->corridors[c].length_m, length_m);
        s->first[c] = (uint32_t)count;
        s->piece_m[c] = network->corridors[c].length_m / n;
        count += n;
    }
    s->first[network->n_corridors] = (uint32_t)count;
    s->edge_first = g_new(uint32_t, MAX(network->n_edges, 1));
    for (uint32_t e = 0; e < network->n_edges && count < G_MAXINT32; e++) {
        s->edge_first[e] = SEGMENT_NONE;
        if (s->use_at[e + 1] > s->use_at[e])
            continue;
        s->edge_first[e] = (uint32_t)count;
        count += pieces(network->edges[e].length_m, length_m);
    }
    if (count >= G_MAXINT32) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_FAILED,
                    "%s: too many segments of %g m; ask for longer ones", network->path, length_m);
        return NULL;
    }
    s->first[network->n_corridors + 1] = s->count = (uint32_t)count;
    return g_steal_pointer(&s);
}

void segments_free(Segments *segments)
{
    if (segments == NULL)
        return;
    g_free(segments->first);
    g_free(segments->piece_m);
    g_free(segments->use_at);
    g_free(segments->use);
    g_free(segments->edge_first);
    g_free(segments);
}

uint32_t segments_count(const Segments *segments)
{
    return segments->count;
}

uint32_t segments_first(const Segments *segments, uint32_t corridor)
{
    return segments->first[corridor];
}

uint32_t segments_number(const Segments *segments, uint32_t corridor)
{
    return segments->first[corridor + 1] - segments->first[corridor];
}

unsigned segments_at(const Segments *s, uint32_t edge, double offset_m,
                     uint32_t segment[SEGMENTS_AT_ONCE], double along_m[SEGMENTS_AT_ONCE],
                     gboolean against[SEGMENTS_AT_ONCE])
{
    const NetworkEdge *e = &s->network->edges[edge];
    double share = e->length_m > 0.0 ? CLAMP(offset_m / e->length_m, 0.0, 1.0) : 0.0;
    uint32_t begin = s->use_at[edge], end = s->use_at[edge + 1];
    if (begin == end) {
        uint32_t n = pieces(e->length_m, s->wanted_m);
        segment[0] = s->edge_first[edge] + MIN((uint32_t)(share * n), n - 1);
        along_m[0] = share * e->length_m;
        against[0] = FALSE;
        return 1;
    }
    unsigned found = 0;
    for (uint32_t u = begin; u < end && found < SEGMENTS_AT_ONCE; u++) {
        uint32_t c = s->use[u].corridor;
        const Corridor *corridor = &s->network->corridors[c];
        const CorridorEdge *part = &corridor->edges[s->use[u].part];
        double t = part->reversed ? 1.0 - share : share;
        double along = part->from_m + t * (part->to_m - part->from_m);
        uint32_t n = s->first[c + 1] - s->first[c];
        double k = floor((along - corridor->start_m) / s->piece_m[c]);
        uint32_t number = s->first[c] + (uint32_t)CLAMP(k, 0.0, (double)n - 1.0);
        gboolean known = FALSE;
        for (unsigned i = 0; i < found; i++)
            known = known || segment[i] == number;
        if (known)
            continue;
        segment[found] = number;
        along_m[found] = along;
        against[found++] = part->reversed;
    }
    return found;
}

static void add_point(GArray *points, GeoPoint p)
{
    if (points->len > 0) {
        const GeoPoint *last = &g_array_index(points, GeoPoint, points->len - 1);
        if (last->lon == p.lon && last->lat == p.lat)
            return;
    }
    g_array_append_val(points, p);
}

/* Line of an edge between two offsets, in the direction from a to b. */
static void edge_line(const Network *net, uint32_t edge, double a, double b, GArray *points)
{
    const NetworkEdge *e = &net->edges[edge];
    const double *chain = net->chain_m + e->first_point;
    const GeoPoint *p = net->points + e->first_point;
    double low = fmin(a, b), high = fmax(a, b);
    add_point(points, network_point_at(net, edge, a));
    for (uint32_t k = 0; k < e->n_points; k++) {
        uint32_t i = a <= b ? k : e->n_points - 1 - k;
        if (chain[i] > low + 1e-6 && chain[i] < high - 1e-6)
            add_point(points, p[i]);
    }
    add_point(points, network_point_at(net, edge, b));
}

/* Walks the own parts of a corridor that meet from..to; returns the first edge met. */
static uint32_t corridor_line(const Segments *s, uint32_t c, double from_m, double to_m,
                              GArray *points, double *tunnel_m)
{
    const Corridor *corridor = &s->network->corridors[c];
    uint32_t first = UINT32_MAX;
    for (uint32_t i = 0; i < corridor->n_edges; i++) {
        const CorridorEdge *part = &corridor->edges[i];
        const NetworkEdge *e = &s->network->edges[part->edge];
        double low = fmax(from_m, part->from_m), high = fmin(to_m, part->to_m);
        if (part->folded || high <= low)
            continue;
        double scale = e->length_m / (part->to_m - part->from_m);
        double a = (low - part->from_m) * scale, b = (high - part->from_m) * scale;
        if (part->reversed) {
            a = e->length_m - a;
            b = e->length_m - b;
        }
        if (first == UINT32_MAX)
            first = part->edge;
        if (e->tunnel)
            *tunnel_m += high - low;
        if (points != NULL)
            edge_line(s->network, part->edge, a, b, points);
    }
    return first;
}

void segments_corridor_line(const Segments *segments, uint32_t corridor, double from_m, double to_m,
                            GArray *points)
{
    double tunnel_m = 0.0;
    corridor_line(segments, corridor, from_m, to_m, points, &tunnel_m);
}

static uint32_t find_edge(const Segments *s, uint32_t segment)
{
    /* edges in corridors have no number of their own: step back to one that has */
    uint32_t low = 0, high = s->network->n_edges;
    uint32_t found = 0;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2, probe = mid;
        while (probe > low && s->edge_first[probe] == SEGMENT_NONE)
            probe--;
        if (s->edge_first[probe] == SEGMENT_NONE) {
            low = mid + 1;
        } else if (s->edge_first[probe] <= segment) {
            found = probe;
            low = mid + 1;
        } else {
            high = probe;
        }
    }
    return found;
}

uint32_t segments_corridor(const Segments *s, uint32_t segment)
{
    uint32_t c = 0, high = s->network->n_corridors;
    if (segment >= s->first[high])
        return UINT32_MAX;
    while (high - c > 1) {
        uint32_t mid = c + (high - c) / 2;
        if (s->first[mid] <= segment)
            c = mid;
        else
            high = mid;
    }
    return c;
}

void segments_get(const Segments *s, uint32_t segment, Segment *info, GArray *points)
{
    *info = (Segment){.corridor = UINT32_MAX, .edge = UINT32_MAX};
    if (points != NULL)
        g_array_set_size(points, 0);
    uint32_t c = segments_corridor(s, segment);
    if (c != UINT32_MAX) {
        const Corridor *corridor = &s->network->corridors[c];
        uint32_t k = segment - s->first[c];
        info->corridor = c;
        info->from_m = corridor->start_m + k * s->piece_m[c];
        info->to_m = corridor->start_m + (k + 1) * s->piece_m[c];
        info->length_m = s->piece_m[c];
        info->edge = corridor_line(s, c, info->from_m, info->to_m, points, &info->tunnel_m);
        return;
    }
    uint32_t edge = find_edge(s, segment);
    const NetworkEdge *e = &s->network->edges[edge];
    uint32_t n = pieces(e->length_m, s->wanted_m), k = segment - s->edge_first[edge];
    info->edge = edge;
    info->length_m = e->length_m / n;
    info->from_m = k * info->length_m;
    info->to_m = info->from_m + info->length_m;
    info->tunnel_m = e->tunnel ? info->length_m : 0.0;
    if (points != NULL)
        edge_line(s->network, edge, info->from_m, info->to_m, points);
}
