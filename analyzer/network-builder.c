/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network-builder.h"

#include "analyzer/crs.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    char *name, *ref;
    double start_m, length_m;
    GArray *parts;    /* BuilderCorridorEdge */
    GArray *boards;   /* KmBoard */
    GArray *stations; /* CorridorStation */
} CorridorDraft;

typedef struct {
    int64_t from_fid, to_fid;
    uint32_t node;
} TurnDraft;

struct NetworkBuilder {
    GStringChunk *text;
    GArray *edges, *points, *chain; /* NetworkEdge, GeoPoint, double */
    GArray *nodes;                  /* GeoPoint */
    GArray *same_as;                /* uint32_t: union-find over nodes */
    GHashTable *node_of;            /* caller's number -> our number + 1 */
    GPtrArray *corridors;           /* CorridorDraft */
    GArray *turns;                  /* TurnDraft */
    gboolean merged;
};

/* What a finished network owns. */
typedef struct {
    GStringChunk *text;
    GArray *edges, *points, *chain, *nodes;
    uint32_t *star, *star_edges;
    Corridor *corridors;
    GPtrArray *drafts;
    GPtrArray *corridor_edges; /* GArray of CorridorEdge */
    GArray *turns;             /* NetworkTurn */
} NetworkOwn;

static void draft_free(void *data)
{
    CorridorDraft *draft = data;

    g_free(draft->name);
    g_free(draft->ref);
    g_array_unref(draft->parts);
    g_array_unref(draft->boards);
    g_array_unref(draft->stations);
    g_free(draft);
}

NetworkBuilder *network_builder_new(void)
{
    NetworkBuilder *builder = g_new0(NetworkBuilder, 1);

    builder->text = g_string_chunk_new(1 << 16);
    builder->edges = g_array_new(FALSE, FALSE, sizeof(NetworkEdge));
    builder->points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    builder->chain = g_array_new(FALSE, FALSE, sizeof(double));
    builder->nodes = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    builder->same_as = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    builder->node_of = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    builder->corridors = g_ptr_array_new_with_free_func(draft_free);
    builder->turns = g_array_new(FALSE, FALSE, sizeof(TurnDraft));
    return builder;
}

void network_builder_free(NetworkBuilder *builder)
{
    if (builder == NULL)
        return;
    g_clear_pointer(&builder->text, g_string_chunk_free);
    g_clear_pointer(&builder->edges, g_array_unref);
    g_clear_pointer(&builder->points, g_array_unref);
    g_clear_pointer(&builder->chain, g_array_unref);
    g_clear_pointer(&builder->nodes, g_array_unref);
    g_clear_pointer(&builder->same_as, g_array_unref);
    g_clear_pointer(&builder->node_of, g_hash_table_unref);
    g_clear_pointer(&builder->corridors, g_ptr_array_unref);
    g_clear_pointer(&builder->turns, g_array_unref);
    g_free(builder);
}

static uint32_t node_number(NetworkBuilder *builder, int64_t number, GeoPoint at)
{
    uint32_t known = GPOINTER_TO_UINT(g_hash_table_lookup(builder->node_of, &number));

    if (known != 0)
        return known - 1;
    uint32_t node = builder->nodes->len;
    g_array_append_val(builder->nodes, at);
    g_array_append_val(builder->same_as, node);
    g_hash_table_insert(builder->node_of, g_memdup2(&number, sizeof number),
                        GUINT_TO_POINTER(node + 1));
    return node;
}

static uint32_t root_of(GArray *same_as, uint32_t node)
{
    uint32_t *same = (uint32_t *)(void *)same_as->data;

    while (same[node] != node)
        node = same[node] = same[same[node]];
    return node;
}

static gboolean sane(const GeoPoint *points, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(points[i].lon) <= 180.0 && fabs(points[i].lat) <= 90.0))
            return FALSE;
    }
    return n >= 2 && n < UINT32_MAX / 2;
}

static const char *keep_text(NetworkBuilder *builder, const char *text)
{
    return text == NULL || text[0] == '\0' ? "" : g_string_chunk_insert_const(builder->text, text);
}

gboolean network_builder_add_edge(NetworkBuilder *builder, const NetworkEdge *edge,
                                  int64_t from_node, int64_t to_node, const GeoPoint *points,
                                  size_t n_points)
{
    if (!sane(points, n_points))
        return FALSE;
    uint32_t first = builder->points->len;
    double length = 0;
    NetworkEdge e = *edge;
    e.limited = 0;
    e.from = node_number(builder, from_node, points[0]);
    e.to = node_number(builder, to_node, points[n_points - 1]);
    g_array_append_vals(builder->points, points, (guint)n_points);
    for (size_t i = 0; i < n_points; i++) {
        if (i > 0)
            length += crs_short_distance_m(points[i - 1], points[i]);
        g_array_append_val(builder->chain, length);
    }
    if (!(length > 0)) {
        uint32_t a = root_of(builder->same_as, e.from), b = root_of(builder->same_as, e.to);
        g_array_index(builder->same_as, uint32_t, MAX(a, b)) = MIN(a, b);
        builder->merged |= a != b;
        g_array_set_size(builder->points, first);
        g_array_set_size(builder->chain, first);
        return TRUE;
    }
    if (isfinite(e.length_m) && fabs(e.length_m - length) <= length * 1e-3 + 1e-3 &&
        e.length_m > 0) {
        double *chain = &g_array_index(builder->chain, double, first);
        for (size_t i = 1; i < n_points; i++)
            chain[i] *= e.length_m / length;
        chain[n_points - 1] = e.length_m;
    } else {
        e.length_m = length;
    }
    e.first_point = first;
    e.n_points = (uint32_t)n_points;
    if (edge->id != NULL && edge->id[0] != '\0') {
        e.id = g_string_chunk_insert(builder->text, edge->id);
    } else {
        char digits[24];
        g_snprintf(digits, sizeof digits, "%" G_GINT64_FORMAT, edge->fid);
        e.id = g_string_chunk_insert(builder->text, digits);
    }
    e.class = keep_text(builder, edge->class);
    e.name = keep_text(builder, edge->name);
    e.ref = keep_text(builder, edge->ref);
    g_array_append_val(builder->edges, e);
    return TRUE;
}

void network_builder_add_turn(NetworkBuilder *builder, int64_t from_fid, int64_t node,
                              int64_t to_fid)
{
    uint32_t known = GPOINTER_TO_UINT(g_hash_table_lookup(builder->node_of, &node));
    TurnDraft turn = {from_fid, to_fid, known - 1};

    if (known != 0)
        g_array_append_val(builder->turns, turn);
}

uint32_t network_builder_n_edges(const NetworkBuilder *builder)
{
    return builder->edges->len;
}

uint32_t network_builder_add_corridor(NetworkBuilder *builder, const char *name, const char *ref,
                                      double start_m, double length_m)
{
    CorridorDraft *draft = g_new0(CorridorDraft, 1);

    draft->name = g_strdup(name != NULL ? name : "");
    draft->ref = g_strdup(ref != NULL ? ref : "");
    draft->start_m = start_m;
    draft->length_m = length_m;
    draft->parts = g_array_new(FALSE, FALSE, sizeof(BuilderCorridorEdge));
    draft->boards = g_array_new(FALSE, FALSE, sizeof(KmBoard));
    draft->stations = g_array_new(FALSE, FALSE, sizeof(CorridorStation));
    g_ptr_array_add(builder->corridors, draft);
    return builder->corridors->len - 1;
}

void network_builder_add_corridor_edge(NetworkBuilder *builder, uint32_t corridor,
                                       const BuilderCorridorEdge *edge)
{
    CorridorDraft *draft = g_ptr_array_index(builder->corridors, corridor);

    g_array_append_val(draft->parts, *edge);
}

void network_builder_add_board(NetworkBuilder *builder, uint32_t corridor, KmBoard board)
{
    CorridorDraft *draft = g_ptr_array_index(builder->corridors, corridor);

    g_array_append_val(draft->boards, board);
}

void network_builder_add_station(NetworkBuilder *builder, uint32_t corridor,
                                 const CorridorStation *station)
{
    CorridorDraft *draft = g_ptr_array_index(builder->corridors, corridor);
    CorridorStation copy = *station;

    copy.name = keep_text(builder, station->name);
    copy.kind = keep_text(builder, station->kind);
    g_array_append_val(draft->stations, copy);
}

static int by_chainage(const void *a, const void *b)
{
    const CorridorEdge *p = a, *q = b;

    if (p->folded != q->folded)
        return p->folded ? 1 : -1;
    return (p->from_m > q->from_m) - (p->from_m < q->from_m);
}

/* Nodes that are one node get one number, without holes. */
static void merge_nodes(NetworkBuilder *builder)
{
    uint32_t n = builder->nodes->len, used = 0;
    g_autofree uint32_t *number = g_new(uint32_t, n);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t root = root_of(builder->same_as, i); /* never above i */
        if (root == i) {
            g_array_index(builder->nodes, GeoPoint, used) =
                g_array_index(builder->nodes, GeoPoint, i);
            number[i] = used++;
        } else {
            number[i] = number[root];
        }
    }
    g_array_set_size(builder->nodes, used);
    for (guint i = 0; i < builder->edges->len; i++) {
        NetworkEdge *e = &g_array_index(builder->edges, NetworkEdge, i);
        e->from = number[e->from];
        e->to = number[e->to];
    }
    for (guint i = 0; i < builder->turns->len; i++) {
        TurnDraft *turn = &g_array_index(builder->turns, TurnDraft, i);
        turn->node = number[turn->node];
    }
}

static void make_star(Network *network, NetworkOwn *own)
{
    own->star = g_new0(uint32_t, (size_t)network->n_nodes + 1);
    own->star_edges = g_new(uint32_t, (size_t)network->n_edges * 2 + 1);
    for (uint32_t i = 0; i < network->n_edges; i++) {
        own->star[network->edges[i].from]++;
        own->star[network->edges[i].to]++;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < network->n_nodes; i++) {
        sum += own->star[i];
        own->star[i] = sum;
    }
    own->star[network->n_nodes] = sum;
    for (uint32_t i = network->n_edges; i-- > 0;) {
        own->star_edges[--own->star[network->edges[i].to]] = i;
        own->star_edges[--own->star[network->edges[i].from]] = i;
    }
    network->star = own->star;
    network->star_edges = own->star_edges;
}

/* Number of each edge + 1 by its fid. */
static GHashTable *edges_by_fid(const NetworkOwn *own)
{
    GHashTable *by_fid = g_hash_table_new(g_int64_hash, g_int64_equal);

    for (uint32_t i = 0; i < own->edges->len; i++)
        g_hash_table_insert(by_fid, &g_array_index(own->edges, NetworkEdge, i).fid,
                            GUINT_TO_POINTER(i + 1));
    return by_fid;
}

static int by_turn(const void *a, const void *b)
{
    const NetworkTurn *p = a, *q = b;

    if (p->from_edge != q->from_edge)
        return p->from_edge < q->from_edge ? -1 : 1;
    if (p->node != q->node)
        return p->node < q->node ? -1 : 1;
    return (p->to_edge > q->to_edge) - (p->to_edge < q->to_edge);
}

static gboolean touches(const NetworkEdge *edge, uint32_t node)
{
    return edge->from == node || edge->to == node;
}

static void make_turns(Network *network, NetworkOwn *own, const GArray *drafts, GHashTable *by_fid)
{
    NetworkEdge *edges = (NetworkEdge *)(void *)own->edges->data;

    own->turns = g_array_new(FALSE, FALSE, sizeof(NetworkTurn));
    for (guint i = 0; i < drafts->len; i++) {
        const TurnDraft *draft = &g_array_index(drafts, TurnDraft, i);
        uint32_t from = GPOINTER_TO_UINT(g_hash_table_lookup(by_fid, &draft->from_fid));
        uint32_t to = GPOINTER_TO_UINT(g_hash_table_lookup(by_fid, &draft->to_fid));
        if (from == 0 || to == 0 || !touches(&edges[from - 1], draft->node) ||
            !touches(&edges[to - 1], draft->node))
            continue;
        NetworkTurn turn = {from - 1, draft->node, to - 1};
        edges[from - 1].limited = 1;
        g_array_append_val(own->turns, turn);
    }
    if (own->turns->len > 0)
        qsort(own->turns->data, own->turns->len, sizeof(NetworkTurn), by_turn);
    network->n_turns = own->turns->len;
    network->turns = (const NetworkTurn *)(const void *)own->turns->data;
}

static void make_corridors(Network *network, NetworkOwn *own, GHashTable *by_fid)
{
    guint n = own->drafts->len;

    own->corridors = g_new0(Corridor, n + 1);
    own->corridor_edges = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (guint c = 0; c < n; c++) {
        CorridorDraft *draft = g_ptr_array_index(own->drafts, c);
        GArray *parts = g_array_new(FALSE, FALSE, sizeof(CorridorEdge));
        for (guint i = 0; i < draft->parts->len; i++) {
            BuilderCorridorEdge *p = &g_array_index(draft->parts, BuilderCorridorEdge, i);
            uint32_t known = GPOINTER_TO_UINT(g_hash_table_lookup(by_fid, &p->fid));
            CorridorEdge part = {known - 1, p->reversed, p->from_m, p->to_m, p->folded};
            if (known != 0)
                g_array_append_val(parts, part);
        }
        if (parts->len > 0)
            qsort(parts->data, parts->len, sizeof(CorridorEdge), by_chainage);
        g_array_sort(draft->boards, km_board_compare);
        g_array_sort(draft->stations, corridor_station_compare);
        g_ptr_array_add(own->corridor_edges, parts);
        own->corridors[c] = (Corridor){
            .name = draft->name,
            .ref = draft->ref,
            .start_m = draft->start_m,
            .length_m = draft->length_m,
            .n_edges = parts->len,
            .edges = (const CorridorEdge *)(const void *)parts->data,
            .n_boards = draft->boards->len,
            .boards = (const KmBoard *)(const void *)draft->boards->data,
            .n_stations = draft->stations->len,
            .stations = (const CorridorStation *)(const void *)draft->stations->data,
        };
    }
    network->n_corridors = n;
    network->corridors = own->corridors;
}

Network *network_builder_finish(NetworkBuilder *builder, const char *path, const char *digest)
{
    Network *network = g_new0(Network, 1);
    NetworkOwn *own = g_new0(NetworkOwn, 1);

    if (builder->merged)
        merge_nodes(builder);
    own->text = g_steal_pointer(&builder->text);
    own->edges = g_steal_pointer(&builder->edges);
    own->points = g_steal_pointer(&builder->points);
    own->chain = g_steal_pointer(&builder->chain);
    own->nodes = g_steal_pointer(&builder->nodes);
    own->drafts = g_steal_pointer(&builder->corridors);
    network->own = own;
    network->n_nodes = own->nodes->len;
    network->nodes = (const GeoPoint *)(const void *)own->nodes->data;
    network->n_edges = own->edges->len;
    network->edges = (const NetworkEdge *)(const void *)own->edges->data;
    network->n_points = own->points->len;
    network->points = (const GeoPoint *)(const void *)own->points->data;
    network->chain_m = (const double *)(const void *)own->chain->data;
    make_star(network, own);
    g_autoptr(GHashTable) by_fid =
        own->drafts->len > 0 || builder->turns->len > 0 ? edges_by_fid(own) : NULL;
    make_corridors(network, own, by_fid);
    make_turns(network, own, builder->turns, by_fid);
    network->path = g_strdup(path != NULL ? path : "");
    network->digest = g_strdup(digest != NULL ? digest : "");
    network_builder_free(builder);
    return network;
}

void network_free(Network *network)
{
    if (network == NULL)
        return;
    NetworkOwn *own = network->own;
    g_string_chunk_free(own->text);
    g_array_unref(own->edges);
    g_array_unref(own->points);
    g_array_unref(own->chain);
    g_array_unref(own->nodes);
    g_free(own->star);
    g_free(own->star_edges);
    g_free(own->corridors);
    g_ptr_array_unref(own->drafts);
    g_ptr_array_unref(own->corridor_edges);
    g_array_unref(own->turns);
    g_free(own);
    g_free(network->path);
    g_free(network->digest);
    g_free(network);
}
