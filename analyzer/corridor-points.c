/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/corridor-points.h"

#include "analyzer/geometry.h"
#include "analyzer/layer.h"
#include "analyzer/learn.h"

#include <math.h>
#include <string.h>

#define BOARD_REACH_M   200.0
#define STATION_REACH_M 300.0

typedef struct {
    Plane plane;
    PlanePoint *line;
    const double *line_m;
    LineIndex *index;
} Ruler;

static void ruler_init(Ruler *ruler, const GeoPoint *line, const double *line_m, size_t n,
                       double reach_m)
{
    ruler->plane = plane_at(line[n / 2]);
    ruler->line = g_new(PlanePoint, n);
    ruler->line_m = line_m;
    ruler->index = line_index_new(reach_m);
    for (size_t i = 0; i < n; i++)
        ruler->line[i] = plane_from_geo(&ruler->plane, line[i]);
    line_index_set(ruler->index, ruler->line, (guint)n);
}

static void ruler_clear(Ruler *ruler)
{
    line_index_free(ruler->index);
    g_free(ruler->line);
}

static gboolean ruler_place(const Ruler *ruler, GeoPoint point, double *at_m, double *off_m)
{
    IndexHit hit;

    if (!line_index_nearest(ruler->index, plane_from_geo(&ruler->plane, point), NAN, 0, &hit))
        return FALSE;
    const double *m = ruler->line_m;
    *at_m = m[hit.segment] + hit.t * (m[hit.segment + 1] - m[hit.segment]);
    *off_m = hit.distance_m;
    return TRUE;
}

static int first_of(const LayerReader *reader, const char *const *names)
{
    int column = -1;

    for (; *names != NULL && column < 0; names++)
        column = layer_column(reader, *names);
    return column;
}

/* A number that may stand in a text field, as all do in CSV. */
static double number_of(const LayerRow *row, int column)
{
    const char *text = layer_get_text(row, column);
    char *end = NULL;

    if (text == NULL || text[0] == '\0')
        return NAN;
    double value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && isfinite(value) ? value : NAN;
}

static gboolean point_of(const LayerRow *row, int lat, int lon, GeoPoint *point)
{
    if (row->shape.kind == LAYER_POINTS && row->shape.n_parts > 0) {
        *point = row->shape.points[0];
        return TRUE;
    }
    *point = (GeoPoint){number_of(row, lon), number_of(row, lat)};
    return fabs(point->lon) <= 180 && fabs(point->lat) <= 90;
}

/* Is the table one without geometry, whose positions are fields? Then its CRS is no question. */
static void plain_if_table(const LayerSource *source, LayerQuery *query)
{
    query->no_shapes = layer_count(source) > 0 && layer_kind(source, 0) == LAYER_NONE;
}

gboolean corridor_read_boards(const char *path, const GeoPoint *line, const double *line_m,
                              size_t n, GArray *boards, GError **error)
{
    static const char *const km_names[] = {"km", "number", "nr", "board", NULL};
    static const char *const lat_names[] = {"lat", "latitude", NULL};
    static const char *const lon_names[] = {"lon", "longitude", "lng", NULL};
    LayerQuery query = {0};
    GError *failure = NULL;
    const LayerRow *row;
    Ruler ruler;

    g_autoptr(LayerSource) source = layer_open(path, error);
    if (source == NULL)
        return FALSE;
    plain_if_table(source, &query);
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &query, error);
    if (reader == NULL)
        return FALSE;
    int km = first_of(reader, km_names), at = layer_column(reader, "at_m"),
        lat = first_of(reader, lat_names), lon = first_of(reader, lon_names);
    if (km < 0)
        return layer_need_column(reader, "km", &km, error);
    g_autoptr(GArray) off = g_array_new(FALSE, FALSE, sizeof(double));
    ruler_init(&ruler, line, line_m, n, BOARD_REACH_M);
    while ((row = layer_next(reader, &failure)) != NULL) {
        double number = number_of(row, km), away = 0;
        KmBoard board = {.at_m = at >= 0 ? number_of(row, at) : NAN};
        GeoPoint p;
        if (!(fabs(number) < 1e6) ||
            (isnan(board.at_m) &&
             (!point_of(row, lat, lon, &p) || !ruler_place(&ruler, p, &board.at_m, &away))))
            continue;
        board.km = (int32_t)lround(number);
        guint same = 0;
        while (same < boards->len && g_array_index(boards, KmBoard, same).km != board.km)
            same++;
        if (same == boards->len) {
            g_array_append_val(boards, board);
            g_array_append_val(off, away);
        } else if (away < g_array_index(off, double, same)) {
            g_array_index(boards, KmBoard, same) = board;
            g_array_index(off, double, same) = away;
        }
    }
    ruler_clear(&ruler);
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (boards->len == 0) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_FAILED,
                    "%s: no kilometre board in it lies on the corridor; give km with at_m, or km "
                    "with lat and lon",
                    path);
        return FALSE;
    }
    g_array_sort(boards, km_board_compare);
    return TRUE;
}

gboolean corridor_read_stations(const char *path, const GeoPoint *line, const double *line_m,
                                size_t n, GStringChunk *text, GArray *stations, GError **error)
{
    static const char *const lat_names[] = {"lat", "latitude", NULL};
    static const char *const lon_names[] = {"lon", "longitude", "lng", NULL};
    LayerQuery query = {0};
    GError *failure = NULL;
    const LayerRow *row;
    Ruler ruler;
    int name = -1;

    g_autoptr(LayerSource) source = layer_open(path, error);
    if (source == NULL)
        return FALSE;
    if (layer_is_osm(source))
        query.where = "railway IN ('station', 'halt') OR highway = 'motorway_junction'";
    else
        plain_if_table(source, &query);
    g_autoptr(LayerReader) reader =
        layer_read(source, layer_is_osm(source) ? "points" : NULL, &query, error);
    if (reader == NULL || !layer_need_column(reader, "name", &name, error))
        return FALSE;
    int kinds[] = {layer_column(reader, "railway"), layer_column(reader, "highway"),
                   layer_column(reader, "kind")};
    int lat = first_of(reader, lat_names), lon = first_of(reader, lon_names);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    ruler_init(&ruler, line, line_m, n, STATION_REACH_M);
    while ((row = layer_next(reader, &failure)) != NULL) {
        CorridorStation station = {.name = layer_get_text(row, name), .kind = ""};
        double off = 0;
        if (station.name == NULL || station.name[0] == '\0' ||
            !point_of(row, lat, lon, &station.point) ||
            !ruler_place(&ruler, station.point, &station.at_m, &off) ||
            g_hash_table_contains(seen, station.name))
            continue;
        for (guint k = 0; k < G_N_ELEMENTS(kinds) && station.kind[0] == '\0'; k++) {
            const char *kind = layer_get_text(row, kinds[k]);
            station.kind = kind != NULL ? g_string_chunk_insert_const(text, kind) : "";
        }
        station.name = g_string_chunk_insert_const(text, station.name);
        g_hash_table_add(seen, (void *)(guintptr)station.name);
        g_array_append_val(stations, station);
    }
    ruler_clear(&ruler);
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    g_array_sort(stations, corridor_station_compare);
    return TRUE;
}
