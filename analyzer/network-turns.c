/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network-turns.h"

#include <math.h>
#include <string.h>

/* An edge's end: its node and the vertex before it. */
typedef struct {
    uint64_t key; /* of both places */
    uint32_t edge;
} End;

typedef struct {
    GeoPoint via, from_next, to_next;
    gboolean only; /* all turns but this one are forbidden */
    End from, to;
    uint32_t node;
} Restriction;

typedef struct {
    uint32_t from, node, to;
} Turn;

struct TurnList {
    GArray *restrictions, *turns;
    guint unused;
};

static uint64_t place_key(GeoPoint p)
{
    return (uint64_t)llround((p.lon + 180.0) * 1e7) << 31 ^ (uint64_t)llround((p.lat + 90.0) * 1e7);
}

static uint64_t end_key(GeoPoint node, GeoPoint next)
{
    return place_key(node) * UINT64_C(0x9e3779b97f4a7c15) ^ place_key(next);
}

static gboolean same_place(GeoPoint a, GeoPoint b)
{
    return place_key(a) == place_key(b);
}

/* Positive if the way from a over `via` to b bends to the left. */
static double bend(GeoPoint a, GeoPoint via, GeoPoint b)
{
    double shrink = cos(via.lat * G_PI / 180.0);
    double ux = (via.lon - a.lon) * shrink, uy = via.lat - a.lat;
    double vx = (b.lon - via.lon) * shrink, vy = b.lat - via.lat;

    return ux * vy - uy * vx;
}

/* Where one end of the lines meets: the place itself is not given. FALSE if they meet at no end, or
 * at both. */
static gboolean find_via(const LayerShape *shape, Restriction *r)
{
    guint found = 0;

    for (int k = 0; k < 4; k++) {
        const GeoPoint *a = shape->points + shape->part[0];
        const GeoPoint *b = shape->points + shape->part[1];
        uint32_t n = shape->part[1] - shape->part[0], m = shape->part[2] - shape->part[1];
        uint32_t i = k % 2 == 0 ? 0 : n - 1, j = k / 2 == 0 ? 0 : m - 1;
        if (n < 2 || m < 2)
            return FALSE;
        if (!same_place(a[i], b[j]))
            continue;
        found++;
        r->via = a[i];
        r->from_next = a[k % 2 == 0 ? 1 : n - 2];
        r->to_next = b[k / 2 == 0 ? 1 : m - 2];
    }
    return found == 1;
}

static void swap_if_turned(Restriction *r, const char *value)
{
    double left = bend(r->from_next, r->via, r->to_next);
    gboolean turned =
        (strstr(value, "left") != NULL && left < 0) || (strstr(value, "right") != NULL && left > 0);

    if (turned) {
        GeoPoint from = r->from_next;
        r->from_next = r->to_next;
        r->to_next = from;
    }
}

/* `value` and `except` may be NULL: what is no text is not understood. */
static void add_restriction(TurnList *list, const LayerRow *row, const char *value,
                            const char *except)
{
    Restriction r = {.only = value != NULL && g_str_has_prefix(value, "only_"), .node = UINT32_MAX};

    if (value == NULL || (!r.only && !g_str_has_prefix(value, "no_")) ||
        (except != NULL && except[0] != '\0') || row->shape.kind != LAYER_LINES ||
        row->shape.n_parts != 2 || !find_via(&row->shape, &r)) {
        list->unused++;
        return;
    }
    swap_if_turned(&r, value);
    r.from = (End){end_key(r.via, r.from_next), UINT32_MAX};
    r.to = (End){end_key(r.via, r.to_next), UINT32_MAX};
    g_array_append_val(list->restrictions, r);
}

TurnList *turn_list_read(LayerSource *source, GError **error)
{
    LayerQuery query = {.where = "type = 'restriction' AND restriction IS NOT NULL"};
    GError *failure = NULL;
    const LayerRow *row;

    g_autoptr(LayerReader) reader = layer_read(source, "other_relations", &query, error);
    if (reader == NULL)
        return NULL;
    g_autoptr(TurnList) list = g_new0(TurnList, 1);
    list->restrictions = g_array_new(FALSE, FALSE, sizeof(Restriction));
    list->turns = g_array_new(FALSE, FALSE, sizeof(Turn));
    int value = layer_column(reader, "restriction"), except = layer_column(reader, "except");
    while ((row = layer_next(reader, &failure)) != NULL)
        add_restriction(list, row, layer_get_text(row, value), layer_get_text(row, except));
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return NULL;
    }
    return g_steal_pointer(&list);
}

void turn_list_free(TurnList *list)
{
    if (list == NULL)
        return;
    g_array_unref(list->restrictions);
    g_array_unref(list->turns);
    g_free(list);
}

/* ---- which edges they are ---- */

static void note_end(GHashTable *ends, uint64_t key, uint32_t edge)
{
    for (GSList *at = g_hash_table_lookup(ends, &key); at != NULL; at = at->next)
        ((End *)at->data)->edge = edge;
}

static GHashTable *wanted_ends(const TurnList *list)
{
    GHashTable *ends =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)g_slist_free);

    for (guint i = 0; i < list->restrictions->len; i++) {
        Restriction *r = &g_array_index(list->restrictions, Restriction, i);
        End *const both[] = {&r->from, &r->to};
        for (guint k = 0; k < G_N_ELEMENTS(both); k++) {
            GSList *others = NULL;
            gpointer known = NULL;
            if (g_hash_table_steal_extended(ends, &both[k]->key, NULL, &known))
                others = known;
            g_hash_table_insert(ends, &both[k]->key, g_slist_prepend(others, both[k]));
        }
    }
    return ends;
}

static void find_edges(TurnList *list, const LineSet *set)
{
    g_autoptr(GHashTable) ends = wanted_ends(list);

    for (uint32_t e = 0; e < line_set_n_edges(set); e++) {
        const GeoPoint *p = NULL;
        NetworkEdge edge;
        line_set_edge(set, e, &edge, &p);
        if (edge.kind != EDGE_ROAD)
            continue;
        note_end(ends, end_key(p[0], p[1]), e);
        note_end(ends, end_key(p[edge.n_points - 1], p[edge.n_points - 2]), e);
    }
}

static void add_turn(TurnList *list, uint32_t from, uint32_t node, uint32_t to)
{
    Turn turn = {from, node, to};

    g_array_append_val(list->turns, turn);
}

/* Turns from the edge onto any but one that touches the node. */
static void forbid_others(TurnList *list, const LineSet *set)
{
    g_autoptr(GHashTable) by_node = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < list->restrictions->len; i++) {
        const Restriction *r = &g_array_index(list->restrictions, Restriction, i);
        if (!r->only || r->node == UINT32_MAX)
            continue;
        gpointer key = GUINT_TO_POINTER(r->node + 1);
        GSList *others = g_hash_table_lookup(by_node, key);
        g_hash_table_insert(by_node, key, g_slist_prepend(others, GUINT_TO_POINTER(i)));
    }
    for (uint32_t e = 0; g_hash_table_size(by_node) > 0 && e < line_set_n_edges(set); e++) {
        const GeoPoint *p = NULL;
        NetworkEdge edge;
        line_set_edge(set, e, &edge, &p);
        for (guint k = 0; k < (edge.from == edge.to ? 1U : 2U); k++) {
            uint32_t node = k == 0 ? edge.from : edge.to;
            for (GSList *at = g_hash_table_lookup(by_node, GUINT_TO_POINTER(node + 1)); at != NULL;
                 at = at->next) {
                const Restriction *r =
                    &g_array_index(list->restrictions, Restriction, GPOINTER_TO_UINT(at->data));
                if (e != r->to.edge)
                    add_turn(list, r->from.edge, node, e);
            }
        }
    }
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, by_node);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_slist_free(value);
}

void turn_list_resolve(TurnList *list, const LineSet *set)
{
    guint found = 0;

    find_edges(list, set);
    for (guint i = 0; i < list->restrictions->len; i++) {
        Restriction *r = &g_array_index(list->restrictions, Restriction, i);
        NetworkEdge edge;
        const GeoPoint *p = NULL;
        if (r->from.edge == UINT32_MAX || r->to.edge == UINT32_MAX)
            continue;
        line_set_edge(set, r->from.edge, &edge, &p);
        r->node = same_place(p[0], r->via) ? edge.from : edge.to;
        if (!r->only)
            add_turn(list, r->from.edge, r->node, r->to.edge);
        found++;
    }
    list->unused += list->restrictions->len - found;
    forbid_others(list, set);
}

guint turn_list_n_used(const TurnList *list)
{
    guint used = 0;

    for (guint i = 0; i < list->restrictions->len; i++)
        used += g_array_index(list->restrictions, Restriction, i).node != UINT32_MAX;
    return used;
}

guint turn_list_n_unused(const TurnList *list)
{
    return list->unused;
}

gboolean turn_list_write(const TurnList *list, const int64_t *fids, NetworkFile *file,
                         GError **error)
{
    for (guint i = 0; i < list->turns->len; i++) {
        const Turn *turn = &g_array_index(list->turns, Turn, i);
        if (!network_file_add_turn(file, fids[turn->from], turn->node, fids[turn->to], error))
            return FALSE;
    }
    return TRUE;
}
