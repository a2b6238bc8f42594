/* SPDX-License-Identifier: Apache-2.0 */
/* Loading network files. What they hold may have been edited by hand: nothing in them is trusted.
 */
#include "analyzer/network-load.h"
#include "analyzer/crs.h"
#include "analyzer/layer.h"
#include "analyzer/network-builder.h"
#include "analyzer/network-file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES_READ = 64 };

/* Small files whole; of large ones the size, the first page (which holds SQLite's count of changes)
 * and pages spread over the file. */
/* Key of the content of the file. */
static char *digest_of(const char *path, GError **error)
{
    g_autofree guint8 *buffer = g_malloc(PAGE);
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_FAILED, "%s: cannot be read: %s", path,
                    fd < 0 ? g_strerror(errno) : "it is not a file");
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    int64_t size = info.st_size, pages = (size + PAGE - 1) / PAGE;
    int64_t step = pages <= 4096 ? 1 : pages / PAGES_READ;
    g_checksum_update(sum, (const guchar *)&size, sizeof size);
    for (int64_t page = 0; page < pages; page += step) {
        ssize_t n = pread(fd, buffer, PAGE, page * PAGE);
        if (n > 0)
            g_checksum_update(sum, buffer, n);
    }
    (void)close(fd);
    return g_strdup(g_checksum_get_string(sum));
}

static gboolean check_is_network(LayerSource *source, GError **error)
{
    static const char *const wanted[] = {"edges", "corridors", "corridor_edges", "network"};
    LayerQuery query = {.where = "key = 'format'"};

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (!layer_has(source, wanted[i])) {
            g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_NOT_A_NETWORK,
                        "%s: is not a network file (it has no layer \"%s\"); make one with "
                        "corridor network build",
                        layer_path(source), wanted[i]);
            return FALSE;
        }
    }
    g_autoptr(LayerReader) reader = layer_read(source, "network", &query, error);
    if (reader == NULL)
        return FALSE;
    const LayerRow *row = layer_next(reader, NULL);
    int64_t version = row != NULL ? layer_get_int(row, layer_column(reader, "value"), 0) : 0;
    if (version < 1 || version > NETWORK_FORMAT_VERSION) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_NOT_A_NETWORK,
                    "%s: network format %" G_GINT64_FORMAT " is not known to this version of "
                    "corridor; build the network again",
                    layer_path(source), version);
        return FALSE;
    }
    return TRUE;
}

typedef struct {
    int id, id_offset, from, to, length, kind, class, name, ref, way, tunnel, bridge, layer;
} EdgeColumns;

static gboolean find_columns(const LayerReader *reader, EdgeColumns *c, GError **error)
{
    if (!layer_need_column(reader, "from_node", &c->from, error) ||
        !layer_need_column(reader, "to_node", &c->to, error))
        return FALSE;
    c->id = layer_column(reader, "id");
    c->id_offset = layer_column(reader, "id_offset_m");
    c->length = layer_column(reader, "length_m");
    c->kind = layer_column(reader, "kind");
    c->class = layer_column(reader, "class");
    c->name = layer_column(reader, "name");
    c->ref = layer_column(reader, "ref");
    c->way = layer_column(reader, "way");
    c->tunnel = layer_column(reader, "tunnel");
    c->bridge = layer_column(reader, "bridge");
    c->layer = layer_column(reader, "layer");
    return TRUE;
}

/* One row as an edge; its text lives as long as the row. */
static void edge_of_row(const LayerRow *row, const EdgeColumns *c, NetworkEdge *edge)
{
    const char *way = layer_get_text(row, c->way);

    *edge = (NetworkEdge){
        .length_m = layer_get_real(row, c->length, NAN),
        .fid = row->fid,
        .id = layer_get_text(row, c->id),
        .id_offset_m = layer_get_real(row, c->id_offset, 0),
        .class = layer_get_text(row, c->class),
        .name = layer_get_text(row, c->name),
        .ref = layer_get_text(row, c->ref),
        .kind = g_strcmp0(layer_get_text(row, c->kind), "rail") == 0 ? EDGE_RAIL : EDGE_ROAD,
        .way = g_strcmp0(way, "forward") == 0    ? EDGE_FORWARD_ONLY
               : g_strcmp0(way, "backward") == 0 ? EDGE_BACKWARD_ONLY
                                                 : EDGE_BOTH_WAYS,
        .tunnel = layer_get_int(row, c->tunnel, 0) != 0,
        .bridge = layer_get_int(row, c->bridge, 0) != 0,
        .layer = (int8_t)CLAMP(layer_get_int(row, c->layer, 0), -100, 100),
    };
}

gboolean network_read_edges(LayerSource *source, const GeoBox *box, NetworkEdgeFunc func,
                            void *user_data, GError **error)
{
    LayerQuery query = {.box = box};
    EdgeColumns columns;
    GError *failure = NULL;
    const LayerRow *row;

    g_autoptr(LayerReader) reader = layer_read(source, "edges", &query, error);
    if (reader == NULL || !find_columns(reader, &columns, error))
        return FALSE;
    while ((row = layer_next(reader, &failure)) != NULL) {
        NetworkEdge edge;
        if (row->shape.kind != LAYER_LINES || row->shape.n_parts != 1 ||
            layer_is_null(row, columns.from) || layer_is_null(row, columns.to)) {
            g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_NOT_A_NETWORK,
                        "%s: edge with fid %" G_GINT64_FORMAT " %s; delete or repair it",
                        layer_path(source), row->fid,
                        row->damaged ? "has coordinates that are not numbers or not on the earth"
                        : row->shape.n_parts != 1 ? "is not one line"
                                                  : "has no from_node or to_node");
            return FALSE;
        }
        edge_of_row(row, &columns, &edge);
        if (!func(&edge, layer_get_int(row, columns.from, 0), layer_get_int(row, columns.to, 0),
                  row->shape.points, row->shape.part[1], user_data)) {
            g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_NOT_A_NETWORK,
                        "%s: edge with fid %" G_GINT64_FORMAT " is not a line; delete or repair it",
                        layer_path(source), row->fid);
            return FALSE;
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return TRUE;
}

/* Rows of one of the tables that belong to corridors. */
typedef void (*PartFunc)(NetworkBuilder *builder, uint32_t corridor, const LayerRow *row);

static void add_part(NetworkBuilder *builder, uint32_t corridor, const LayerRow *row)
{
    BuilderCorridorEdge part = {.fid = layer_get_int(row, 1, 0),
                                .reversed = layer_get_int(row, 2, 0) != 0,
                                .from_m = layer_get_real(row, 3, NAN),
                                .to_m = layer_get_real(row, 4, NAN),
                                .folded = layer_get_int(row, 5, 0) != 0};

    if (isfinite(part.from_m) && isfinite(part.to_m))
        network_builder_add_corridor_edge(builder, corridor, &part);
}

static void add_board(NetworkBuilder *builder, uint32_t corridor, const LayerRow *row)
{
    int64_t km = layer_get_int(row, 1, 0);
    KmBoard board = {.km = (int32_t)CLAMP(km, INT32_MIN, INT32_MAX),
                     .at_m = layer_get_real(row, 2, NAN)};

    if (isfinite(board.at_m))
        network_builder_add_board(builder, corridor, board);
}

static void add_station(NetworkBuilder *builder, uint32_t corridor, const LayerRow *row)
{
    CorridorStation station = {.name = layer_get_text(row, 1),
                               .kind = layer_get_text(row, 2),
                               .at_m = layer_get_real(row, 3, NAN)};

    if (row->shape.n_parts > 0)
        station.point = row->shape.points[0];
    if (isfinite(station.at_m) && row->shape.n_parts > 0)
        network_builder_add_station(builder, corridor, &station);
}

static gboolean read_parts(LayerSource *source, const char *table, const char *sql, PartFunc func,
                           NetworkBuilder *builder, GHashTable *numbers, GError **error)
{
    LayerQuery query = {.sql = sql};
    GError *failure = NULL;
    const LayerRow *row;

    if (!layer_has(source, table))
        return TRUE;
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &query, error);
    if (reader == NULL)
        return FALSE;
    while ((row = layer_next(reader, &failure)) != NULL) {
        int64_t number = layer_get_int(row, 0, -1);
        gpointer known = g_hash_table_lookup(numbers, &number);
        if (known != NULL)
            func(builder, GPOINTER_TO_UINT(known) - 1, row);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return TRUE;
}

static gboolean read_corridors(LayerSource *source, NetworkBuilder *builder, GError **error)
{
    LayerQuery query = {.sql = "SELECT corridor, name, ref, start_m, length_m FROM corridors "
                               "ORDER BY corridor"};
    g_autoptr(GHashTable) numbers =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    GError *failure = NULL;
    const LayerRow *row;

    g_autoptr(LayerReader) reader = layer_read(source, NULL, &query, error);
    if (reader == NULL)
        return FALSE;
    while ((row = layer_next(reader, &failure)) != NULL) {
        int64_t number = layer_get_int(row, 0, -1);
        double start = layer_get_real(row, 3, 0), length = layer_get_real(row, 4, 0);
        uint32_t c = network_builder_add_corridor(
            builder, layer_get_text(row, 1), layer_get_text(row, 2), isfinite(start) ? start : 0,
            isfinite(length) ? length : 0);
        g_hash_table_insert(numbers, g_memdup2(&number, sizeof number), GUINT_TO_POINTER(c + 1));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return read_parts(source, "corridor_edges",
                      "SELECT corridor, edge, reversed, from_m, to_m, folded FROM corridor_edges "
                      "ORDER BY corridor, seq",
                      add_part, builder, numbers, error) &&
           read_parts(source, "km_boards",
                      "SELECT corridor, km, at_m FROM km_boards ORDER BY corridor, at_m", add_board,
                      builder, numbers, error) &&
           read_parts(source, "stations", "SELECT corridor, name, kind, at_m, geom FROM stations",
                      add_station, builder, numbers, error);
}

static gboolean read_turns(LayerSource *source, NetworkBuilder *builder, GError **error)
{
    LayerQuery query = {.sql = "SELECT from_edge, node, to_edge FROM turns"};
    GError *failure = NULL;
    const LayerRow *row;

    if (!layer_has(source, "turns")) /* files of before there were any */
        return TRUE;
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &query, error);
    if (reader == NULL)
        return FALSE;
    while ((row = layer_next(reader, &failure)) != NULL)
        network_builder_add_turn(builder, layer_get_int(row, 0, 0), layer_get_int(row, 1, -1),
                                 layer_get_int(row, 2, 0));
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return TRUE;
}

LayerSource *network_open(const char *path, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(path, error);

    return source != NULL && check_is_network(source, error) ? g_steal_pointer(&source) : NULL;
}

/* Nothing of the network lies in the box: how far apart are they? */
static void say_elsewhere(LayerSource *source, const GeoBox *box, GError **error)
{
    LayerQuery query = {.sql = "SELECT min(minx), min(miny), max(maxx), max(maxy) "
                               "FROM rtree_edges_geom"};
    g_autoptr(LayerReader) reader = layer_read(source, NULL, &query, NULL);
    const LayerRow *row = reader != NULL ? layer_next(reader, NULL) : NULL;

    if (row == NULL || layer_is_null(row, 0) || box == NULL) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY,
                    "%s: the network has no edges; build it again with other options",
                    layer_path(source));
        return;
    }
    GeoBox net = {layer_get_real(row, 0, 0), layer_get_real(row, 1, 0), layer_get_real(row, 2, 0),
                  layer_get_real(row, 3, 0)};
    GeoPoint centre = {(box->west + box->east) / 2, (box->south + box->north) / 2};
    GeoPoint edge = {CLAMP(centre.lon, net.west, net.east),
                     CLAMP(centre.lat, net.south, net.north)};
    double km = crs_distance_m(centre, edge) / 1000.0;
    g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_ELSEWHERE,
                "%s: drive and network do not meet: %.0f km apart (drive around %.3f,%.3f, network "
                "%.3f,%.3f to %.3f,%.3f); take the network of the drive's country",
                layer_path(source), km, centre.lat, centre.lon, net.south, net.west, net.north,
                net.east);
}

static gboolean add_to_builder(const NetworkEdge *edge, int64_t from, int64_t to,
                               const GeoPoint *points, size_t n, void *user_data)
{
    return network_builder_add_edge(user_data, edge, from, to, points, n);
}

Network *network_finish_loading(LayerSource *source, NetworkBuilder *loaded, const char *path,
                                const GeoBox *box, GError **error)
{
    g_autoptr(NetworkBuilder) builder = loaded;

    if (network_builder_n_edges(builder) == 0) {
        say_elsewhere(source, box, error);
        return NULL;
    }
    if (!read_corridors(source, builder, error) || !read_turns(source, builder, error))
        return NULL;
    g_autofree char *digest = digest_of(path, error);
    if (digest == NULL)
        return NULL;
    return network_builder_finish(g_steal_pointer(&builder), path, digest);
}

Network *network_load(const char *path, const GeoBox *box, GError **error)
{
    g_autoptr(NetworkBuilder) builder = network_builder_new();
    g_autoptr(LayerSource) source = network_open(path, error);

    if (box != NULL && box->west == 0 && box->south == 0 && box->east == 0 && box->north == 0)
        box = NULL;
    if (source == NULL || !network_read_edges(source, box, add_to_builder, builder, error))
        return NULL;
    return network_finish_loading(source, g_steal_pointer(&builder), path, box, error);
}
