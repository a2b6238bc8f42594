/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network-build.h"

#include "analyzer/layer.h"
#include "analyzer/network-file.h"
#include "analyzer/network-split.h"
#include "analyzer/network-tags.h"
#include "analyzer/network-turns.h"

#include <stdio.h>
#include <string.h>

/* Fields of the source, each under the first of its usual names that is there. */
typedef struct {
    int id, highway, railway, class, service, name, ref, oneway, junction, tunnel, bridge, layer;
    int area;
    gboolean fclass;
} SourceColumns;

static int first_column(const LayerReader *reader, const char *const *names)
{
    for (; *names != NULL; names++) {
        int column = layer_column(reader, *names);
        if (column >= 0)
            return column;
    }
    return -1;
}

#define FIRST(reader, ...) first_column(reader, (const char *const[]){__VA_ARGS__, NULL})

static gboolean find_columns(const LayerReader *reader, const BuildOptions *options,
                             SourceColumns *c, GError **error)
{
    c->id = -1;
    if (options->id_field != NULL && !layer_need_column(reader, options->id_field, &c->id, error))
        return FALSE;
    c->highway = FIRST(reader, "highway");
    c->railway = FIRST(reader, "railway");
    c->class = FIRST(reader, "class", "fclass", "kind", "road_class", "type");
    c->fclass = layer_column(reader, "fclass") >= 0;
    c->service = FIRST(reader, "service");
    c->name = FIRST(reader, "name", "namn", "street", "street_name", "gatunamn");
    c->ref = FIRST(reader, "ref", "road_number", "vagnummer", "route", "line");
    c->oneway = FIRST(reader, "oneway", "one_way");
    c->junction = FIRST(reader, "junction");
    c->tunnel = FIRST(reader, "tunnel");
    c->bridge = FIRST(reader, "bridge");
    c->layer = FIRST(reader, "layer", "level");
    c->area = FIRST(reader, "area");
    return TRUE;
}

/* Class of a feature as an edge of one kind, NULL if it is none. A street with tram rails in it is
 * both. A map of its own kind, without highway and railway: what it calls rail is rail, what it
 * calls by no word we know is what was asked for. */
static const char *class_as(EdgeKind kind, const LayerRow *row, const SourceColumns *c,
                            const BuildOptions *options, gboolean osm)
{
    if ((options->modes & (int)kind) == 0)
        return NULL;
    if (osm || c->highway >= 0 || c->railway >= 0) {
        const char *service = layer_get_text(row, c->service);
        const char *value = layer_get_text(row, kind == EDGE_RAIL ? c->railway : c->highway);
        int known = kind == EDGE_RAIL ? tags_rail(value) : tags_road(value, options->tracks);
        if (known == 0)
            return NULL;
        return kind == EDGE_RAIL && service != NULL && service[0] != '\0' ? service : value;
    }
    const char *class = layer_get_text(row, c->class);
    gboolean rail = options->modes == EDGE_RAIL;
    if (tags_rail(class) != 0 || tags_road(class, TRUE) != 0)
        rail = tags_rail(class) != 0;
    if (rail != (kind == EDGE_RAIL))
        return NULL;
    return class != NULL ? class : "";
}

static void add_feature(LineSet *set, const LayerRow *row, const SourceColumns *c,
                        const BuildOptions *options, gboolean osm, BuildReport *report)
{
    static const EdgeKind kinds[] = {EDGE_ROAD, EDGE_RAIL};
    gboolean used = FALSE;

    report->features++;
    if (row->damaged) {
        report->damaged++;
        return;
    }
    for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
        NetworkEdge edge = {.kind = (uint8_t)kinds[k]};
        edge.class = class_as(kinds[k], row, c, options, osm);
        if (edge.class == NULL || row->shape.kind != LAYER_LINES ||
            tags_flag(layer_get_text(row, c->area)) == 1)
            continue;
        used = TRUE;
        edge.id = layer_get_text(row, c->id);
        edge.name = layer_get_text(row, c->name);
        edge.ref = layer_get_text(row, c->ref);
        edge.tunnel = tags_flag(layer_get_text(row, c->tunnel)) == 1;
        edge.bridge = tags_flag(layer_get_text(row, c->bridge)) == 1;
        edge.layer = tags_layer(layer_get_text(row, c->layer));
        if (edge.kind == EDGE_ROAD)
            edge.way = (uint8_t)tags_way(layer_get_text(row, c->oneway),
                                         layer_get_text(row, c->junction), edge.class, c->fclass);
        for (uint32_t p = 0; p < row->shape.n_parts; p++)
            line_set_add(set, &edge, row->shape.points + row->shape.part[p],
                         row->shape.part[p + 1] - row->shape.part[p]);
    }
    report->other_kind += !used;
}

static gboolean read_lines(LineSet *set, LayerSource *source, const BuildOptions *options,
                           Progress *progress, BuildReport *report, GError **error)
{
    gboolean osm = layer_is_osm(source);
    const char *layer = options->layer == NULL && osm ? "lines" : options->layer;
    g_autofree char *only = NULL;
    SourceColumns columns;
    GError *failure = NULL;
    const LayerRow *row;

    if (osm) {
        const char *kinds = options->modes == EDGE_ROAD   ? "highway IS NOT NULL"
                            : options->modes == EDGE_RAIL ? "railway IS NOT NULL"
                                                          : "(highway IS NOT NULL OR railway IS "
                                                            "NOT NULL)";
        only = options->where == NULL ? g_strdup(kinds)
                                      : g_strdup_printf("%s AND (%s)", kinds, options->where);
    }
    LayerQuery query = {.where = osm ? only : options->where, .crs = options->crs};
    g_autoptr(LayerReader) reader = layer_read(source, layer, &query, error);
    if (reader == NULL || !find_columns(reader, options, &columns, error))
        return FALSE;
    while ((row = layer_next(reader, &failure)) != NULL) {
        add_feature(set, row, &columns, options, osm, report);
        if (progress != NULL && report->features % 1024 == 0)
            progress_set(progress, (gint64)report->features);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return TRUE;
}

/* turns: NULL if the source tells none. */
static gboolean write_network(NetworkFile *file, const LineSet *set, const TurnList *turns,
                              BuildReport *report, GError **error)
{
    g_autofree int64_t *fids = turns != NULL ? g_new(int64_t, report->edges) : NULL;

    for (uint32_t i = 0; i < report->nodes; i++) {
        uint32_t degree = 0;
        GeoPoint p = line_set_node(set, i, &degree);
        if (!network_file_add_node(file, i, p, degree, error))
            return FALSE;
    }
    for (uint32_t i = 0; i < report->edges; i++) {
        const GeoPoint *points = NULL;
        NetworkEdge edge;
        line_set_edge(set, i, &edge, &points);
        *(edge.kind == EDGE_RAIL ? &report->rail_m : &report->road_m) += edge.length_m;
        if (!network_file_add_edge(file, &edge, edge.from, edge.to, points, edge.n_points,
                                   fids != NULL ? &fids[i] : NULL, error))
            return FALSE;
    }
    return turns == NULL || turn_list_write(turns, fids, file, error);
}

gboolean network_build(const char *out, const BuildOptions *options, Progress *progress,
                       BuildReport *report, GError **error)
{
    g_autoptr(LineSet) set = line_set_new();
    g_autoptr(LayerSource) source = layer_open(options->source, error);

    *report = (BuildReport){0};
    if (source == NULL || !read_lines(set, source, options, progress, report, error))
        return FALSE;
    report->no_length = line_set_n_dropped(set);
    if (line_set_n_lines(set) == 0) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY,
                    "%s: no line in it is a %s (%" G_GUINT64_FORMAT
                    " features read, %" G_GUINT64_FORMAT
                    " damaged); check --mode, --where and --layer",
                    options->source,
                    options->modes == EDGE_RAIL   ? "railway"
                    : options->modes == EDGE_ROAD ? "road"
                                                  : "road or railway",
                    report->features, report->damaged);
        return FALSE;
    }
    report->snapped = line_set_snap(set, options->snap_m);
    line_set_split(set, options->split || layer_is_osm(source) ? SPLIT_AT_VERTICES : SPLIT_AT_ENDS);
    report->edges = line_set_n_edges(set);
    report->nodes = line_set_n_nodes(set);
    report->twins = line_set_n_twins(set);
    g_autoptr(TurnList) turns = NULL;
    if (layer_is_osm(source) && (options->modes & EDGE_ROAD) != 0) {
        turns = turn_list_read(source, error);
        if (turns == NULL)
            return FALSE;
        turn_list_resolve(turns, set);
        report->turn_limits = turn_list_n_used(turns);
        report->turn_limits_unused = turn_list_n_unused(turns);
    }
    g_autoptr(NetworkFile) file = network_file_create(out, error);
    return file != NULL && write_network(file, set, turns, report, error) &&
           network_file_set(file, "source", options->source, error) &&
           network_file_finish(file, error);
}
