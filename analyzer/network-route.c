/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network-route.h"

#include "analyzer/corridor-fold.h"
#include "analyzer/corridor-points.h"
#include "analyzer/corridor-search.h"
#include "analyzer/crs.h"
#include "analyzer/network-file.h"

#include <math.h>
#include <string.h>

/* A corridor that begins so near to a node begins at the node. */
#define NODE_M 1.0

/* A corridor being made. */
typedef struct {
    const RouteOptions *options;
    Network *network;
    GArray *steps; /* CorridorStep */
    CorridorPlace first, last;
    GArray *line;   /* GeoPoint */
    GArray *line_m; /* double: chainage of each */
    GArray *parts;  /* BuilderCorridorEdge */
    double at_m;    /* chainage reached */
} Maker;

static void add_line_point(Maker *maker, GeoPoint p, double at_m)
{
    guint n = maker->line->len;

    if (n > 0 && at_m - g_array_index(maker->line_m, double, n - 1) < 0.01)
        return;
    g_array_append_val(maker->line, p);
    g_array_append_val(maker->line_m, at_m);
}

/* Adds the stretch of an edge between two offsets, in the direction of the step. */
static void add_stretch(Maker *maker, const CorridorStep *step, int64_t fid, double low,
                        double high)
{
    const NetworkEdge *edge = &maker->network->edges[step->edge];
    const double *chain = maker->network->chain_m + edge->first_point;
    const GeoPoint *p = maker->network->points + edge->first_point;
    double from = step->reversed ? high : low, to = step->reversed ? low : high;
    BuilderCorridorEdge part = {.fid = fid,
                                .reversed = step->reversed,
                                .from_m = maker->at_m,
                                .to_m = maker->at_m + high - low};

    add_line_point(maker, network_point_at(maker->network, step->edge, from), maker->at_m);
    for (uint32_t k = 0; k < edge->n_points; k++) {
        uint32_t i = step->reversed ? edge->n_points - 1 - k : k;
        if (chain[i] > low && chain[i] < high)
            add_line_point(maker, p[i], maker->at_m + fabs(chain[i] - from));
    }
    maker->at_m = part.to_m;
    add_line_point(maker, network_point_at(maker->network, step->edge, to), maker->at_m);
    g_array_append_val(maker->parts, part);
}

/* Cuts the step's edge where the corridor begins or ends on it, and adds what lies within. */
static gboolean add_step(Maker *maker, NetworkFile *file, guint number, RouteReport *report,
                         GError **error)
{
    const CorridorStep *step = &g_array_index(maker->steps, CorridorStep, number);
    const NetworkEdge *edge = &maker->network->edges[step->edge];
    double low = 0, high = edge->length_m, cuts[2];
    int64_t fids[3] = {edge->fid, 0, 0};
    guint n_cuts = 0, piece = 0;

    if (number == 0)
        *(step->reversed ? &high : &low) = maker->first.offset_m;
    if (number + 1 == maker->steps->len)
        *(step->reversed ? &low : &high) = maker->last.offset_m;
    if (low < NODE_M)
        low = 0;
    if (high > edge->length_m - NODE_M)
        high = edge->length_m;
    if (high - low < NODE_M)
        return TRUE;
    if (low > 0)
        cuts[n_cuts++] = low;
    if (high < edge->length_m)
        cuts[n_cuts++] = high;
    if (n_cuts > 0) {
        piece = low > 0 ? 1 : 0;
        report->cut++;
        if (!network_file_cut_edge(file, maker->network, step->edge, cuts, n_cuts, fids, error))
            return FALSE;
    }
    add_stretch(maker, step, fids[piece], low, high);
    return TRUE;
}

/* Joins a leg to the way so far: the edge with the via place on it stands in both. */
static void join_leg(GArray *steps, const GArray *leg)
{
    guint skip = 0;

    if (steps->len > 0 && leg->len > 0) {
        const CorridorStep *a = &g_array_index(steps, CorridorStep, steps->len - 1),
                           *b = &g_array_index(leg, CorridorStep, 0);
        if (a->edge == b->edge) {
            skip = 1;
            if (a->reversed != b->reversed) /* in and out again: left out */
                g_array_set_size(steps, steps->len - 1);
        }
    }
    g_array_append_vals(steps, &g_array_index(leg, CorridorStep, skip), leg->len - skip);
}

static gboolean find_way(Maker *maker, RouteReport *report, GError **error)
{
    const RouteOptions *o = maker->options;
    CorridorPlace before = {0};

    for (size_t i = 0; i < o->n_places; i++) {
        CorridorPlace place;
        if (!corridor_nearest(maker->network, o->places[i], o->modes, &place)) {
            g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_ELSEWHERE,
                        "%s: nothing of it lies within 2 km of %.5f,%.5f (latitude, longitude)",
                        maker->network->path, o->places[i].lat, o->places[i].lon);
            return FALSE;
        }
        report->snapped_m = fmax(report->snapped_m, place.distance_m);
        g_autoptr(GArray) leg = g_array_new(FALSE, FALSE, sizeof(CorridorStep));
        if (i > 0 && !corridor_search(maker->network, &before, &place, o->modes, o->prefer, leg)) {
            g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_NO_ROUTE,
                        "%s: there is no way from %.5f,%.5f to %.5f,%.5f; look at the network in "
                        "QGIS, or build it with --snap",
                        maker->network->path, o->places[i - 1].lat, o->places[i - 1].lon,
                        o->places[i].lat, o->places[i].lon);
            return FALSE;
        }
        if (i == 0)
            maker->first = place;
        else
            join_leg(maker->steps, leg);
        before = maker->last = place;
    }
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < maker->steps->len; i++) {
        uint32_t edge = g_array_index(maker->steps, CorridorStep, i).edge;
        if (!g_hash_table_add(seen, GUINT_TO_POINTER(edge + 1))) {
            g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_NO_ROUTE,
                        "%s: the way comes by edge %s twice; give other --via places",
                        maker->network->path, maker->network->edges[edge].id);
            return FALSE;
        }
    }
    return TRUE;
}

/* The part of the network that the way most likely stays in. */
static Network *load_near(const char *in, const RouteOptions *o, GError **error)
{
    GeoBox box = {180, 90, -180, -90};

    for (size_t i = 0; i < o->n_places; i++) {
        box.west = fmin(box.west, o->places[i].lon);
        box.east = fmax(box.east, o->places[i].lon);
        box.south = fmin(box.south, o->places[i].lat);
        box.north = fmax(box.north, o->places[i].lat);
    }
    double margin = 0.3 + 0.4 * fmax(box.east - box.west, box.north - box.south);
    box = (GeoBox){box.west - 2 * margin, box.south - margin, box.east + 2 * margin,
                   box.north + margin};
    return network_load(in, &box, error);
}

/* The ref that most of the corridor's length has; "" if none. */
static const char *commonest_ref(const Maker *maker)
{
    g_autoptr(GHashTable) lengths = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    const char *best = "";
    double most = 0;

    for (guint i = 0; i < maker->steps->len; i++) {
        const NetworkEdge *e =
            &maker->network->edges[g_array_index(maker->steps, CorridorStep, i).edge];
        double *sum = g_hash_table_lookup(lengths, e->ref);
        if (sum == NULL) {
            sum = g_new0(double, 1);
            g_hash_table_insert(lengths, (void *)(guintptr)e->ref, sum);
        }
        *sum += e->length_m;
        if (*sum > most && e->ref[0] != '\0') {
            most = *sum;
            best = e->ref;
        }
    }
    return best;
}

static gboolean write_corridor(Maker *maker, NetworkFile *file, RouteReport *report, GError **error)
{
    const RouteOptions *o = maker->options;
    const GeoPoint *line = (const GeoPoint *)(const void *)maker->line->data;
    const double *line_m = (const double *)(const void *)maker->line_m->data;
    guint n = maker->line->len;
    g_autoptr(GArray) boards = g_array_new(FALSE, FALSE, sizeof(KmBoard));
    g_autoptr(GArray) stations = g_array_new(FALSE, FALSE, sizeof(CorridorStation));
    g_autofree guint8 *on_line = g_new0(guint8, maker->network->n_edges);
    GStringChunk *text = g_string_chunk_new(1024);

    report->edges = maker->parts->len;
    for (guint i = 0; i < maker->steps->len; i++)
        on_line[g_array_index(maker->steps, CorridorStep, i).edge] = 1;
    if (o->fold_m > 0)
        report->folded =
            corridor_fold(maker->network, line, line_m, n, on_line, o->fold_m, maker->parts);
    gboolean ok =
        (o->boards == NULL || corridor_read_boards(o->boards, line, line_m, n, boards, error)) &&
        (o->stations == NULL ||
         corridor_read_stations(o->stations, line, line_m, n, text, stations, error));
    report->boards = boards->len;
    report->stations = stations->len;
    report->length_m = maker->at_m - o->start_m;
    CorridorSpec spec = {
        .name = o->name,
        .ref = o->ref != NULL ? o->ref : commonest_ref(maker),
        .start_m = o->start_m,
        .length_m = report->length_m,
        .points = line,
        .n_points = n,
        .edges = (const BuilderCorridorEdge *)(const void *)maker->parts->data,
        .n_edges = maker->parts->len,
        .boards = (const KmBoard *)(const void *)boards->data,
        .n_boards = boards->len,
        .stations = (const CorridorStation *)(const void *)stations->data,
        .n_stations = stations->len,
        .uncertainty_m = NAN,
    };
    ok = ok && network_file_add_corridor(file, &spec, error);
    g_string_chunk_free(text);
    return ok;
}

static gboolean make(Maker *maker, const char *out, const char *in, RouteReport *report,
                     GError **error)
{
    GError *reason = NULL;

    maker->network = load_near(in, maker->options, error);
    if (maker->network == NULL)
        return FALSE;
    if (!find_way(maker, report, &reason)) {
        if (!g_error_matches(reason, NETWORK_ERROR, NETWORK_ERROR_NO_ROUTE)) {
            g_propagate_error(error, reason);
            return FALSE;
        }
        g_clear_error(&reason); /* perhaps a long way round */
        g_clear_pointer(&maker->network, network_free);
        g_array_set_size(maker->steps, 0);
        maker->network = network_load(in, NULL, error);
        if (maker->network == NULL || !find_way(maker, report, error))
            return FALSE;
    }
    g_autoptr(NetworkFile) file = network_file_copy(out, in, error);
    if (file == NULL)
        return FALSE;
    for (guint i = 0; i < maker->steps->len; i++) {
        if (!add_step(maker, file, i, report, error))
            return FALSE;
    }
    if (maker->parts->len == 0) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_NO_ROUTE,
                    "%s: the corridor would have no length; --from and --to are one place", in);
        return FALSE;
    }
    return write_corridor(maker, file, report, error) && network_file_finish(file, error);
}

gboolean network_route(const char *out, const char *in, const RouteOptions *options,
                       RouteReport *report, GError **error)
{
    Maker maker = {.options = options,
                   .steps = g_array_new(FALSE, FALSE, sizeof(CorridorStep)),
                   .line = g_array_new(FALSE, FALSE, sizeof(GeoPoint)),
                   .line_m = g_array_new(FALSE, FALSE, sizeof(double)),
                   .parts = g_array_new(FALSE, FALSE, sizeof(BuilderCorridorEdge)),
                   .at_m = options->start_m};

    *report = (RouteReport){0};
    gboolean ok = make(&maker, out, in, report, error);
    network_free(maker.network);
    g_array_unref(maker.steps);
    g_array_unref(maker.line);
    g_array_unref(maker.line_m);
    g_array_unref(maker.parts);
    return ok;
}
