/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network-file.h"

#include "analyzer/layer.h"

static const LayerField edge_fields[] = {
    {"id", LAYER_TEXT},     {"id_offset_m", LAYER_REAL}, {"from_node", LAYER_INT},
    {"to_node", LAYER_INT}, {"length_m", LAYER_REAL},    {"kind", LAYER_TEXT},
    {"class", LAYER_TEXT},  {"name", LAYER_TEXT},        {"ref", LAYER_TEXT},
    {"way", LAYER_TEXT},    {"tunnel", LAYER_INT},       {"bridge", LAYER_INT},
    {"layer", LAYER_INT},
};
static const LayerField node_fields[] = {{"node", LAYER_INT}, {"edges", LAYER_INT}};
static const LayerField corridor_fields[] = {
    {"corridor", LAYER_INT}, {"name", LAYER_TEXT},     {"ref", LAYER_TEXT},
    {"start_m", LAYER_REAL}, {"length_m", LAYER_REAL}, {"uncertainty_m", LAYER_REAL},
    {"passes", LAYER_INT},
};
static const LayerField part_fields[] = {
    {"corridor", LAYER_INT}, {"seq", LAYER_INT},   {"edge", LAYER_INT},   {"reversed", LAYER_INT},
    {"from_m", LAYER_REAL},  {"to_m", LAYER_REAL}, {"folded", LAYER_INT},
};
static const LayerField board_fields[] = {
    {"corridor", LAYER_INT}, {"km", LAYER_INT}, {"at_m", LAYER_REAL}};
static const LayerField station_fields[] = {
    {"corridor", LAYER_INT}, {"name", LAYER_TEXT}, {"kind", LAYER_TEXT}, {"at_m", LAYER_REAL}};
static const LayerField turn_fields[] = {
    {"from_edge", LAYER_INT}, {"node", LAYER_INT}, {"to_edge", LAYER_INT}};
static const LayerField meta_fields[] = {{"key", LAYER_TEXT}, {"value", LAYER_TEXT}};

enum { EDGES, NODES, CORRIDORS, PARTS, BOARDS, STATIONS, META, TURNS, N_TABLES };

static const struct {
    const char *name;
    LayerKind kind;
    const LayerField *fields;
    guint n_fields;
} tables[N_TABLES] = {
    {"edges", LAYER_LINES, edge_fields, G_N_ELEMENTS(edge_fields)},
    {"nodes", LAYER_POINTS, node_fields, G_N_ELEMENTS(node_fields)},
    {"corridors", LAYER_LINES, corridor_fields, G_N_ELEMENTS(corridor_fields)},
    {"corridor_edges", LAYER_NONE, part_fields, G_N_ELEMENTS(part_fields)},
    {"km_boards", LAYER_NONE, board_fields, G_N_ELEMENTS(board_fields)},
    {"stations", LAYER_POINTS, station_fields, G_N_ELEMENTS(station_fields)},
    {"network", LAYER_NONE, meta_fields, G_N_ELEMENTS(meta_fields)},
    {"turns", LAYER_NONE, turn_fields, G_N_ELEMENTS(turn_fields)}, /* may be missing */
};

struct NetworkFile {
    LayerWriter *writer;
    LayerTable *table[N_TABLES];
    int64_t next_corridor;
    int64_t next_node; /* 0 = not asked yet */
};

/* Roads by class in greys, railways dark: a background for results. */
static const char edges_qml[] =
    "<qgis><renderer-v2 type=\"RuleRenderer\" symbollevels=\"0\"><rules key=\"r\">"
    "<rule filter=\"&quot;kind&quot; = 'rail'\" symbol=\"0\" label=\"rail\" key=\"r0\"/>"
    "<rule filter=\"ELSE\" symbol=\"1\" label=\"road\" key=\"r1\"/></rules><symbols>"
    "<symbol type=\"line\" name=\"0\"><layer class=\"SimpleLine\">"
    "<prop k=\"line_color\" v=\"40,40,40,255\"/><prop k=\"line_width\" v=\"0.5\"/></layer></symbol>"
    "<symbol type=\"line\" name=\"1\"><layer class=\"SimpleLine\">"
    "<prop k=\"line_color\" v=\"150,150,150,255\"/><prop k=\"line_width\" v=\"0.3\"/></layer>"
    "</symbol></symbols></renderer-v2></qgis>";
static const char corridors_qml[] =
    "<qgis><renderer-v2 type=\"singleSymbol\"><symbols><symbol type=\"line\" name=\"0\">"
    "<layer class=\"SimpleLine\"><prop k=\"line_color\" v=\"0,90,160,255\"/>"
    "<prop k=\"line_width\" v=\"1\"/></layer></symbol></symbols></renderer-v2></qgis>";

NetworkFile *network_file_create(const char *path, GError **error)
{
    g_autoptr(NetworkFile) file = g_new0(NetworkFile, 1);

    file->writer = layer_create(path, error);
    if (file->writer == NULL)
        return NULL;
    for (guint i = 0; i < N_TABLES; i++) {
        file->table[i] = layer_add_table(file->writer, tables[i].name, tables[i].kind,
                                         tables[i].fields, tables[i].n_fields, error);
        if (file->table[i] == NULL)
            return NULL;
    }
    file->next_corridor = 1;
    g_autofree char *version = g_strdup_printf("%d", NETWORK_FORMAT_VERSION);
    if (!network_file_set(file, "format", version, error) ||
        !network_file_set(file, "made_by", "corridor " CORRIDOR_VERSION, error) ||
        !layer_add_style(file->writer, "edges", "network", edges_qml, error) ||
        !layer_add_style(file->writer, "corridors", "corridors", corridors_qml, error))
        return NULL;
    return g_steal_pointer(&file);
}

/* The highest corridor number in a file that is to be copied, and whether it has turns. */
static gboolean look_into(const char *from, int64_t *last, gboolean *has_turns, GError **error)
{
    LayerQuery query = {.sql = "SELECT max(corridor) AS last FROM corridors"};
    g_autoptr(LayerSource) source = layer_open(from, error);

    if (source == NULL)
        return FALSE;
    *has_turns = layer_has(source, tables[TURNS].name);
    for (guint i = 0; i < TURNS; i++) {
        if (!layer_has(source, tables[i].name)) {
            g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_NOT_A_NETWORK,
                        "%s: is not a network file (it has no layer \"%s\"); make one with "
                        "corridor network build",
                        from, tables[i].name);
            return FALSE;
        }
    }
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &query, error);
    if (reader == NULL)
        return FALSE;
    const LayerRow *row = layer_next(reader, NULL);
    *last = row != NULL ? layer_get_int(row, 0, 0) : 0;
    return TRUE;
}

NetworkFile *network_file_copy(const char *path, const char *from, GError **error)
{
    g_autoptr(NetworkFile) file = g_new0(NetworkFile, 1);

    gboolean has_turns = FALSE;

    if (!look_into(from, &file->next_corridor, &has_turns, error))
        return NULL;
    file->next_corridor++;
    file->writer = layer_create_from(path, from, error);
    if (file->writer == NULL)
        return NULL;
    for (guint i = 0; i < N_TABLES; i++) {
        file->table[i] = i == TURNS && !has_turns
                             ? layer_add_table(file->writer, tables[i].name, tables[i].kind,
                                               tables[i].fields, tables[i].n_fields, error)
                             : layer_append_table(file->writer, tables[i].name, tables[i].fields,
                                                  tables[i].n_fields, error);
        if (file->table[i] == NULL)
            return NULL;
    }
    return g_steal_pointer(&file);
}

void network_file_discard(NetworkFile *file)
{
    if (file == NULL)
        return;
    layer_discard(file->writer);
    g_free(file);
}

gboolean network_file_add_edge(NetworkFile *file, const NetworkEdge *edge, int64_t from_node,
                               int64_t to_node, const GeoPoint *points, size_t n_points,
                               int64_t *fid, GError **error)
{
    static const char *const ways[] = {"both", "forward", "backward"};
    LayerValue values[] = {
        layer_text(edge->id != NULL && edge->id[0] != '\0' ? edge->id : NULL),
        layer_real(edge->id_offset_m),
        layer_int(from_node),
        layer_int(to_node),
        layer_real(edge->length_m),
        layer_text(edge->kind == EDGE_RAIL ? "rail" : "road"),
        layer_text(edge->class != NULL ? edge->class : ""),
        layer_text(edge->name),
        layer_text(edge->ref),
        layer_text(ways[MIN(edge->way, G_N_ELEMENTS(ways) - 1)]),
        layer_int(edge->tunnel),
        layer_int(edge->bridge),
        layer_int(edge->layer),
    };

    if (!layer_add(file->table[EDGES], points, n_points, values, error))
        return FALSE;
    if (fid != NULL)
        *fid = layer_last_fid(file->table[EDGES]);
    return TRUE;
}

gboolean network_file_add_node(NetworkFile *file, int64_t node, GeoPoint point, int64_t n_edges,
                               GError **error)
{
    LayerValue values[] = {layer_int(node), layer_int(n_edges)};

    return layer_add(file->table[NODES], &point, 1, values, error);
}

gboolean network_file_add_turn(NetworkFile *file, int64_t from_fid, int64_t node, int64_t to_fid,
                               GError **error)
{
    LayerValue values[] = {layer_int(from_fid), layer_int(node), layer_int(to_fid)};

    return layer_add(file->table[TURNS], NULL, 0, values, error);
}

gboolean network_file_set(NetworkFile *file, const char *key, const char *value, GError **error)
{
    LayerValue values[] = {layer_text(key), layer_text(value)};

    return layer_add(file->table[META], NULL, 0, values, error);
}

/* Takes away the corridor of that name. */
static gboolean remove_corridor(NetworkFile *file, const char *name, GError **error)
{
    static const char *const of_corridor[] = {"corridor_edges", "km_boards", "stations"};
    g_auto(GStrv) pieces = g_strsplit(name, "'", -1);
    g_autofree char *quoted = g_strjoinv("''", pieces);

    for (guint i = 0; i < G_N_ELEMENTS(of_corridor); i++) {
        g_autofree char *sql =
            g_strdup_printf("DELETE FROM %s WHERE corridor IN (SELECT corridor FROM corridors "
                            "WHERE name = '%s')",
                            of_corridor[i], quoted);
        if (!layer_sql(file->writer, sql, error))
            return FALSE;
    }
    g_autofree char *sql = g_strdup_printf("DELETE FROM corridors WHERE name = '%s'", quoted);
    return layer_sql(file->writer, sql, error);
}

gboolean network_file_add_corridor(NetworkFile *file, const CorridorSpec *spec, GError **error)
{
    int64_t corridor = file->next_corridor++;
    LayerValue values[] = {
        layer_int(corridor),
        layer_text(spec->name),
        layer_text(spec->ref != NULL ? spec->ref : ""),
        layer_real(spec->start_m),
        layer_real(spec->length_m),
        layer_real(spec->uncertainty_m),
        spec->passes > 0 ? layer_int(spec->passes) : layer_null(),
    };

    if (!remove_corridor(file, spec->name, error) ||
        !layer_add(file->table[CORRIDORS], spec->points, spec->n_points, values, error))
        return FALSE;
    for (size_t i = 0; i < spec->n_edges; i++) {
        const BuilderCorridorEdge *e = &spec->edges[i];
        LayerValue part[] = {layer_int(corridor),    layer_int((int64_t)i), layer_int(e->fid),
                             layer_int(e->reversed), layer_real(e->from_m), layer_real(e->to_m),
                             layer_int(e->folded)};
        if (!layer_add(file->table[PARTS], NULL, 0, part, error))
            return FALSE;
    }
    for (size_t i = 0; i < spec->n_boards; i++) {
        LayerValue board[] = {layer_int(corridor), layer_int(spec->boards[i].km),
                              layer_real(spec->boards[i].at_m)};
        if (!layer_add(file->table[BOARDS], NULL, 0, board, error))
            return FALSE;
    }
    for (size_t i = 0; i < spec->n_stations; i++) {
        const CorridorStation *s = &spec->stations[i];
        LayerValue station[] = {layer_int(corridor), layer_text(s->name), layer_text(s->kind),
                                layer_real(s->at_m)};
        if (!layer_add(file->table[STATIONS], &s->point, 1, station, error))
            return FALSE;
    }
    return TRUE;
}

/* Numbers of an edge's nodes, and the first that is free for a new one. */
static gboolean nodes_of(const char *path, int64_t fid, int64_t *from, int64_t *to, int64_t *next,
                         GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT from_node, to_node, (SELECT max(max(from_node), max(to_node)) FROM "
                        "edges) FROM edges WHERE fid = %" G_GINT64_FORMAT,
                        fid);
    LayerQuery query = {.sql = sql};
    g_autoptr(LayerSource) source = layer_open(path, error);
    g_autoptr(LayerReader) reader = source != NULL ? layer_read(source, NULL, &query, error) : NULL;
    const LayerRow *row = reader != NULL ? layer_next(reader, NULL) : NULL;

    if (reader == NULL)
        return FALSE;
    if (row == NULL) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_FAILED,
                    "%s: edge %" G_GINT64_FORMAT " is gone; the file changed meanwhile", path, fid);
        return FALSE;
    }
    *from = layer_get_int(row, 0, 0);
    *to = layer_get_int(row, 1, 0);
    *next = layer_get_int(row, 2, 0) + 1;
    return TRUE;
}

/* The points of an edge between two offsets. (transfer full) */
static GArray *points_between(const Network *network, uint32_t number, double from, double to)
{
    const NetworkEdge *edge = &network->edges[number];
    const double *chain = network->chain_m + edge->first_point;
    GArray *points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    GeoPoint p = network_point_at(network, number, from);

    g_array_append_val(points, p);
    for (uint32_t i = 0; i < edge->n_points; i++) {
        if (chain[i] > from + 0.01 && chain[i] < to - 0.01)
            g_array_append_val(points, network->points[edge->first_point + i]);
    }
    p = network_point_at(network, number, to);
    g_array_append_val(points, p);
    return points;
}

/* What corridors say of the edge `old` between the shares t0 and t1 goes to the piece `fid`. */
static gboolean move_corridors(NetworkFile *file, int64_t old, int64_t fid, double t0, double t1,
                               GError **error)
{
    char a[G_ASCII_DTOSTR_BUF_SIZE], b[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_dtostr(a, sizeof a, t0);
    g_ascii_dtostr(b, sizeof b, t1);
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO corridor_edges (corridor, seq, edge, reversed, from_m, to_m, folded) "
        "SELECT corridor, seq, %" G_GINT64_FORMAT ", reversed, "
        "from_m + (to_m - from_m) * CASE reversed WHEN 0 THEN %s ELSE 1 - %s END, "
        "from_m + (to_m - from_m) * CASE reversed WHEN 0 THEN %s ELSE 1 - %s END, folded "
        "FROM corridor_edges WHERE edge = %" G_GINT64_FORMAT,
        fid, a, b, b, a, old);
    return layer_sql(file->writer, sql, error);
}

/* Turns from or onto the edge `old` at one of its nodes are those of the piece there. */
static gboolean move_turns(NetworkFile *file, int64_t old, int64_t node, int64_t fid,
                           GError **error)
{
    static const char *const columns[] = {"from_edge", "to_edge"};

    for (guint i = 0; i < G_N_ELEMENTS(columns); i++) {
        g_autofree char *sql =
            g_strdup_printf("UPDATE turns SET %s = %" G_GINT64_FORMAT
                            " WHERE %s = %" G_GINT64_FORMAT " AND node = %" G_GINT64_FORMAT,
                            columns[i], fid, columns[i], old, node);
        if (!layer_sql(file->writer, sql, error))
            return FALSE;
    }
    return TRUE;
}

gboolean network_file_cut_edge(NetworkFile *file, const Network *network, uint32_t number,
                               const double *cuts, guint n_cuts, int64_t *fids, GError **error)
{
    const NetworkEdge *edge = &network->edges[number];
    int64_t from = 0, to = 0, next = 0;

    if (!nodes_of(network->path, edge->fid, &from, &to, &next, error))
        return FALSE;
    file->next_node = MAX(file->next_node, next);
    int64_t first = from;
    for (guint i = 0; i <= n_cuts; i++) {
        double begin = i > 0 ? cuts[i - 1] : 0, end = i < n_cuts ? cuts[i] : edge->length_m;
        NetworkEdge piece = *edge;
        piece.length_m = end - begin;
        piece.id_offset_m += begin;
        int64_t last = i < n_cuts ? file->next_node++ : to;
        g_autoptr(GArray) points = points_between(network, number, begin, end);
        const GeoPoint *p = (const GeoPoint *)(const void *)points->data;
        if (!network_file_add_edge(file, &piece, from, last, p, points->len, &fids[i], error) ||
            (i < n_cuts && !network_file_add_node(file, last, p[points->len - 1], 2, error)) ||
            !move_corridors(file, edge->fid, fids[i], begin / edge->length_m, end / edge->length_m,
                            error))
            return FALSE;
        from = last;
    }
    g_autofree char *parts =
        g_strdup_printf("DELETE FROM corridor_edges WHERE edge = %" G_GINT64_FORMAT, edge->fid);
    g_autofree char *gone =
        g_strdup_printf("DELETE FROM edges WHERE fid = %" G_GINT64_FORMAT, edge->fid);
    return move_turns(file, edge->fid, first, fids[0], error) &&
           move_turns(file, edge->fid, to, fids[n_cuts], error) &&
           layer_sql(file->writer, parts, error) && layer_sql(file->writer, gone, error);
}

gboolean network_file_finish(NetworkFile *file, GError **error)
{
    return layer_finish(file->writer, error);
}
