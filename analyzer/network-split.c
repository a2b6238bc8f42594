/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network-split.h"

#include "analyzer/crs.h"
#include "analyzer/geometry.h"

#include <math.h>
#include <string.h>

typedef struct {
    const char *id, *class, *name, *ref;
    uint64_t first;
    uint32_t n;
    uint8_t kind, way, tunnel, bridge;
    int8_t layer;
} Line;

typedef struct {
    uint32_t line;
    uint32_t first; /* vertex of the line */
    uint32_t n;
    uint32_t from, to;
    double length_m, offset_m;
    uint8_t way;
} Piece;

/* Table of places: open addressing, key = position in 1e-7 degrees. */
typedef struct {
    uint64_t *key;
    uint32_t *value;
    size_t mask, used;
} Places;

/* Bits of a place's value beside the number of its node (+ 1). */
#define PLACE_SHARED UINT32_C(0x80000000)
#define PLACE_END    UINT32_C(0x40000000)
#define PLACE_NUMBER UINT32_C(0x3fffffff)

struct LineSet {
    GStringChunk *text;
    GArray *lines, *points, *pieces; /* Line, GeoPoint, Piece */
    GArray *nodes, *degree;          /* GeoPoint, uint32_t */
    Places places;
    uint32_t dropped, twins;
};

LineSet *line_set_new(void)
{
    LineSet *set = g_new0(LineSet, 1);

    set->text = g_string_chunk_new(1 << 16);
    set->lines = g_array_new(FALSE, FALSE, sizeof(Line));
    set->points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    set->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    set->nodes = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    set->degree = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return set;
}

static void places_clear(Places *places)
{
    g_clear_pointer(&places->key, g_free);
    g_clear_pointer(&places->value, g_free);
}

void line_set_free(LineSet *set)
{
    if (set == NULL)
        return;
    g_string_chunk_free(set->text);
    g_array_unref(set->lines);
    g_array_unref(set->points);
    g_array_unref(set->pieces);
    g_array_unref(set->nodes);
    g_array_unref(set->degree);
    places_clear(&set->places);
    g_free(set);
}

static const char *keep(LineSet *set, const char *text)
{
    return text == NULL || text[0] == '\0' ? "" : g_string_chunk_insert_const(set->text, text);
}

/* Never 0: longitudes are shifted to be positive, and the top bit is set. */
static uint64_t place_key(GeoPoint p)
{
    uint64_t lon = (uint64_t)llround((p.lon + 180.0) * 1e7),
             lat = (uint64_t)llround((p.lat + 90.0) * 1e7);

    return (lon << 31 | (lat & 0x7fffffffU)) | UINT64_C(1) << 63;
}

void line_set_add(LineSet *set, const NetworkEdge *edge, const GeoPoint *points, size_t n)
{
    Line line = {.first = set->points->len,
                 .kind = edge->kind,
                 .way = edge->way,
                 .tunnel = edge->tunnel,
                 .bridge = edge->bridge,
                 .layer = edge->layer};
    uint64_t last = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t key = place_key(points[i]);
        if (key != last)
            g_array_append_val(set->points, points[i]);
        last = key;
    }
    line.n = (uint32_t)(set->points->len - line.first);
    if (line.n < 2) {
        g_array_set_size(set->points, (guint)line.first);
        set->dropped++;
        return;
    }
    line.id = keep(set, edge->id);
    line.class = keep(set, edge->class);
    line.name = keep(set, edge->name);
    line.ref = keep(set, edge->ref);
    g_array_append_val(set->lines, line);
}

uint32_t line_set_n_lines(const LineSet *set)
{
    return set->lines->len;
}

uint32_t line_set_n_dropped(const LineSet *set)
{
    return set->dropped;
}

static Line *line_at(const LineSet *set, uint32_t i)
{
    return &g_array_index(set->lines, Line, i);
}

static GeoPoint *points_of(const LineSet *set, const Line *line)
{
    return &g_array_index(set->points, GeoPoint, line->first);
}

static size_t places_hash(uint64_t key)
{
    key ^= key >> 31;
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(key ^ key >> 29);
}

static void places_init(Places *places, size_t wanted)
{
    size_t size = 64;

    while (size < wanted + wanted / 2)
        size *= 2;
    places->key = g_new0(uint64_t, size);
    places->value = g_new0(uint32_t, size);
    places->mask = size - 1;
    places->used = 0;
}

static void places_grow(Places *places)
{
    Places bigger;

    places_init(&bigger, places->mask + 1);
    bigger.used = places->used;
    for (size_t i = 0; i <= places->mask; i++) {
        if (places->key[i] == 0)
            continue;
        size_t at = places_hash(places->key[i]) & bigger.mask;
        while (bigger.key[at] != 0)
            at = (at + 1) & bigger.mask;
        bigger.key[at] = places->key[i];
        bigger.value[at] = places->value[i];
    }
    places_clear(places);
    *places = bigger;
}

/* The value at a place, put there with 0 if it is new; *is_new says so. */
static uint32_t *places_at(Places *places, uint64_t key, gboolean *is_new)
{
    if (places->used * 4 > places->mask * 3)
        places_grow(places);
    size_t at = places_hash(key) & places->mask;
    while (places->key[at] != 0 && places->key[at] != key)
        at = (at + 1) & places->mask;
    *is_new = places->key[at] == 0;
    if (*is_new) {
        places->key[at] = key;
        places->used++;
    }
    return &places->value[at];
}

/* Ends in a grid of cells of snap_m; each looks for an earlier end in its own and the 8 cells
 * around it. */
uint32_t line_set_snap(LineSet *set, double snap_m)
{
    uint32_t moved = 0;
    g_autoptr(GHashTable) cells =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_array_unref);

    if (!(snap_m > 0) || set->lines->len == 0)
        return 0;
    for (uint32_t i = 0; i < set->lines->len * 2; i++) {
        Line *line = line_at(set, i / 2);
        GeoPoint *end = points_of(set, line) + (i % 2 == 0 ? 0 : line->n - 1);
        /* one plane per 1/10 degree of latitude keeps cells consistent from line to line */
        Plane plane = plane_at((GeoPoint){0, floor(end->lat * 10) / 10});
        int64_t cx = (int64_t)floor(end->lon * plane.m_per_lon / snap_m),
                cy = (int64_t)floor(end->lat * plane.m_per_lat / snap_m);
        const GeoPoint *near = NULL;
        for (int64_t k = 0; k < 9 && near == NULL; k++) {
            int64_t key = (cx + k % 3 - 1) * INT64_C(4294967296) + (cy + k / 3 - 1);
            GArray *cell = g_hash_table_lookup(cells, &key);
            for (guint c = 0; cell != NULL && c < cell->len && near == NULL; c++) {
                const GeoPoint *other = &g_array_index(cell, GeoPoint, c);
                if (crs_short_distance_m(*other, *end) <= snap_m)
                    near = other;
            }
        }
        if (near != NULL) {
            moved += place_key(*near) != place_key(*end);
            *end = *near;
            continue;
        }
        int64_t key = cx * INT64_C(4294967296) + cy;
        GArray *cell = g_hash_table_lookup(cells, &key);
        if (cell == NULL) {
            cell = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
            g_hash_table_insert(cells, g_memdup2(&key, sizeof key), cell);
        }
        g_array_append_val(cell, *end);
    }
    return moved;
}

/* Notes for every vertex whether lines meet there. */
static void mark_places(LineSet *set)
{
    for (uint32_t i = 0; i < set->lines->len; i++) {
        const Line *line = line_at(set, i);
        const GeoPoint *p = points_of(set, line);
        for (uint32_t k = 0; k < line->n; k++) {
            gboolean is_new;
            uint32_t *place = places_at(&set->places, place_key(p[k]), &is_new);
            if (!is_new)
                *place |= PLACE_SHARED;
            if (k == 0 || k == line->n - 1)
                *place |= PLACE_END;
        }
    }
}

/* Number of the node at a place that is one. */
static uint32_t node_at(LineSet *set, GeoPoint p)
{
    gboolean is_new;
    uint32_t *place = places_at(&set->places, place_key(p), &is_new);

    if ((*place & PLACE_NUMBER) == 0) {
        uint32_t zero = 0;
        g_array_append_val(set->nodes, p);
        g_array_append_val(set->degree, zero);
        *place |= set->nodes->len & PLACE_NUMBER;
    }
    return (*place & PLACE_NUMBER) - 1;
}

/* The same for a line in either direction. */
static uint64_t shape_key(const GeoPoint *p, uint32_t n, uint8_t kind)
{
    uint64_t sum = kind;

    for (uint32_t i = 0; i < n; i++)
        sum += places_hash(place_key(p[i])) * (2 * MIN(i, n - 1 - i) + 1);
    return sum | UINT64_C(1) << 63;
}

static gboolean same_shape(const GeoPoint *a, const GeoPoint *b, uint32_t n, gboolean *reversed)
{
    gboolean along = TRUE, against = TRUE;

    for (uint32_t i = 0; i < n && (along || against); i++) {
        along = along && place_key(a[i]) == place_key(b[i]);
        against = against && place_key(a[i]) == place_key(b[n - 1 - i]);
    }
    *reversed = !along;
    return along || against;
}

/* Takes a piece into the edge that lies on it already, if there is one. */
static gboolean is_twin(LineSet *set, Places *shapes, const Line *line, const Piece *piece)
{
    const GeoPoint *p = points_of(set, line) + piece->first;
    gboolean is_new, reversed;
    uint32_t *known = places_at(shapes, shape_key(p, piece->n, line->kind), &is_new);

    if (is_new) {
        *known = set->pieces->len;
        return FALSE;
    }
    Piece *other = &g_array_index(set->pieces, Piece, *known);
    const Line *owner = line_at(set, other->line);
    if (other->n != piece->n || owner->kind != line->kind ||
        !same_shape(p, points_of(set, owner) + other->first, piece->n, &reversed))
        return FALSE; /* chance: both stay */
    static const uint8_t turned[] = {EDGE_BOTH_WAYS, EDGE_BACKWARD_ONLY, EDGE_FORWARD_ONLY};
    uint8_t way = reversed ? turned[piece->way] : piece->way;
    if (way != other->way)
        other->way = EDGE_BOTH_WAYS;
    return TRUE;
}

static void split_line(LineSet *set, uint32_t number, SplitRule rule, Places *shapes)
{
    const Line *line = line_at(set, number);
    const GeoPoint *p = points_of(set, line);
    uint32_t start = 0;
    double length = 0, offset = 0;

    for (uint32_t k = 1; k < line->n; k++) {
        gboolean is_new;
        uint32_t place = *places_at(&set->places, place_key(p[k]), &is_new);
        length += crs_short_distance_m(p[k - 1], p[k]);
        gboolean meets = rule == SPLIT_AT_VERTICES ? (place & (PLACE_SHARED | PLACE_END)) != 0
                                                   : (place & PLACE_END) != 0;
        if (!meets && k + 1 < line->n)
            continue;
        Piece piece = {.line = number, .first = start, .n = k - start + 1, .way = line->way};
        piece.offset_m = offset;
        piece.length_m = length;
        if (is_twin(set, shapes, line, &piece)) {
            set->twins++;
        } else {
            piece.from = node_at(set, p[start]);
            piece.to = node_at(set, p[k]);
            g_array_index(set->degree, uint32_t, piece.from)++;
            g_array_index(set->degree, uint32_t, piece.to)++;
            g_array_append_val(set->pieces, piece);
        }
        offset += length;
        length = 0;
        start = k;
    }
}

void line_set_split(LineSet *set, SplitRule rule)
{
    Places shapes;

    places_init(&set->places, set->points->len);
    places_init(&shapes, set->lines->len);
    mark_places(set);
    for (uint32_t i = 0; i < set->lines->len; i++)
        split_line(set, i, rule, &shapes);
    places_clear(&shapes);
    places_clear(&set->places);
}

uint32_t line_set_n_edges(const LineSet *set)
{
    return set->pieces->len;
}

uint32_t line_set_n_nodes(const LineSet *set)
{
    return set->nodes->len;
}

uint32_t line_set_n_twins(const LineSet *set)
{
    return set->twins;
}

void line_set_edge(const LineSet *set, uint32_t i, NetworkEdge *edge, const GeoPoint **points)
{
    const Piece *piece = &g_array_index(set->pieces, Piece, i);
    const Line *line = line_at(set, piece->line);

    *points = points_of(set, line) + piece->first;
    *edge = (NetworkEdge){
        .from = piece->from,
        .to = piece->to,
        .n_points = piece->n,
        .length_m = piece->length_m,
        .id = line->id,
        .id_offset_m = piece->offset_m,
        .class = line->class,
        .name = line->name,
        .ref = line->ref,
        .kind = line->kind,
        .way = piece->way,
        .tunnel = line->tunnel,
        .bridge = line->bridge,
        .layer = line->layer,
    };
}

GeoPoint line_set_node(const LineSet *set, uint32_t i, uint32_t *n_edges)
{
    *n_edges = g_array_index(set->degree, uint32_t, i);
    return g_array_index(set->nodes, GeoPoint, i);
}
