/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network-track.h"

#include "analyzer/corridor-points.h"
#include "analyzer/crs.h"
#include "analyzer/network-file.h"
#include "formats/drive-read.h"

#include <math.h>

/* Edges of about this length: a matcher's spatial index and a person in QGIS like pieces. */
#define EDGE_M 1000.0

/* Phones mix satellite fixes with guesses from cells and Wi-Fi; only the former come with a speed.
 * In a source that gives speeds, a fix without one and without a stated accuracy counts as a guess
 * of this accuracy. */
#define GUESS_ACCURACY_M 500.0

/* Does the source give speeds? */
static gboolean gives_speed(Drive *drive, int64_t source, gboolean *yes, GError **error)
{
    size_t n = 0, with = 0;
    GError *failure = NULL;
    const Batch *batch;

    g_autoptr(DriveCursor) cursor = drive_read(drive, RECORD_FIX, RECORD_BIT(FIX, speed_mps),
                                               source, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    while ((batch = drive_next(cursor, &failure)) != NULL) {
        for (size_t i = 0; i < batch->n; i++)
            with += (batch->known[i] & RECORD_BIT(FIX, speed_mps)) != 0;
        n += batch->n;
    }
    *yes = with * 4 > n;
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

static gboolean add_source(Learn *learn, Drive *drive, int64_t source, const TrackOptions *options,
                           GError **error)
{
    uint64_t columns = RECORD_BIT(FIX, lat) | RECORD_BIT(FIX, lon) | RECORD_BIT(FIX, accuracy_m) |
                       RECORD_BIT(FIX, speed_mps) | RECORD_BIT(FIX, mode);
    gboolean speeds = FALSE;
    GError *failure = NULL;
    const Batch *batch;

    if (!gives_speed(drive, source, &speeds, error))
        return FALSE;
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_FIX, columns, source, options->from_ns, options->until_ns, error);
    if (cursor == NULL)
        return FALSE;
    learn_begin_track(learn);
    while ((batch = drive_next(cursor, &failure)) != NULL) {
        for (size_t i = 0; i < batch->n; i++) {
            uint64_t known = batch->known[i];
            gboolean placed =
                (known & RECORD_BIT(FIX, lat)) != 0 && (known & RECORD_BIT(FIX, lon)) != 0 &&
                !((known & RECORD_BIT(FIX, mode)) != 0 && batch->column[FIX_COL_mode].i[i] == 1);
            GeoPoint p = {NAN, NAN};
            if (placed)
                p = (GeoPoint){batch->column[FIX_COL_lon].r[i], batch->column[FIX_COL_lat].r[i]};
            double accuracy =
                speeds && (known & RECORD_BIT(FIX, speed_mps)) == 0 ? GUESS_ACCURACY_M : NAN;
            if ((known & RECORD_BIT(FIX, accuracy_m)) != 0)
                accuracy = batch->column[FIX_COL_accuracy_m].r[i];
            learn_add(learn, batch->column[FIX_COL_time_ns].i[i], p, accuracy,
                      (known & RECORD_BIT(FIX, speed_mps)) != 0
                          ? batch->column[FIX_COL_speed_mps].r[i]
                          : NAN);
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return TRUE;
}

static gboolean add_drive(Learn *learn, const char *path, const TrackOptions *options,
                          GError **error)
{
    g_autoptr(Drive) drive = drive_open(path, error);
    guint n = 0;

    if (drive == NULL)
        return FALSE;
    const Source *sources = drive_sources(drive, &n);
    for (guint i = 0; i < n; i++) {
        if (!add_source(learn, drive, sources[i].id, options, error))
            return FALSE;
    }
    drive_add_problems(drive, options->problems);
    return TRUE;
}

static gboolean read_stations(const TrackOptions *options, const GeoPoint *p, guint n,
                              GStringChunk *text, GArray *stations, GError **error)
{
    g_autofree double *line_m = g_new(double, MAX(n, 1));
    line_m[0] = options->start_m;
    for (guint i = 1; i < n; i++)
        line_m[i] = line_m[i - 1] + crs_distance_m(p[i - 1], p[i]);
    return options->stations == NULL ||
           corridor_read_stations(options->stations, p, line_m, n, text, stations, error);
}

/* Writes the line as edges in a row and a corridor of them all. */
static gboolean write_line(NetworkFile *file, const TrackOptions *options,
                           const LearnResult *result, double *length_m, GError **error)
{
    const GeoPoint *p = (const GeoPoint *)(const void *)result->points->data;
    guint n = result->points->len;
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(BuilderCorridorEdge));
    double total = crs_line_length_m(p, n);
    double wanted = total / fmax(round(total / EDGE_M), 1);
    double along = options->start_m, length = 0;
    int64_t node = 0;
    guint first = 0;

    if (!network_file_add_node(file, 0, p[0], 1, error))
        return FALSE;
    for (guint i = 1; i < n; i++) {
        length += crs_distance_m(p[i - 1], p[i]);
        if (i + 1 < n && length < wanted - 1)
            continue;
        NetworkEdge edge = {
            .kind = (uint8_t)options->kind, .name = options->name, .length_m = length};
        BuilderCorridorEdge part = {.from_m = along, .to_m = along + length};
        if (!network_file_add_edge(file, &edge, node, node + 1, p + first, i - first + 1, &part.fid,
                                   error) ||
            !network_file_add_node(file, node + 1, p[i], i + 1 < n ? 2 : 1, error))
            return FALSE;
        g_array_append_val(parts, part);
        along += length;
        length = 0;
        first = i;
        node++;
    }
    *length_m = along - options->start_m;
    g_autoptr(GArray) stations = g_array_new(FALSE, FALSE, sizeof(CorridorStation));
    g_autoptr(GStringChunk) text = g_string_chunk_new(1024);
    if (!read_stations(options, p, n, text, stations, error))
        return FALSE;
    CorridorSpec spec = {.name = options->name,
                         .start_m = options->start_m,
                         .length_m = *length_m,
                         .points = p,
                         .n_points = n,
                         .edges = (const BuilderCorridorEdge *)(const void *)parts->data,
                         .n_edges = parts->len,
                         .stations = (const CorridorStation *)(const void *)stations->data,
                         .n_stations = stations->len,
                         .uncertainty_m = result->uncertainty_m,
                         .passes = (int)result->passes};
    return network_file_add_corridor(file, &spec, error);
}

static void turn_round(GArray *points)
{
    for (guint i = 0; i < points->len / 2; i++) {
        GeoPoint *a = &g_array_index(points, GeoPoint, i),
                 *b = &g_array_index(points, GeoPoint, points->len - 1 - i), swap = *a;
        *a = *b;
        *b = swap;
    }
}

gboolean network_from_tracks(const char *out, const TrackOptions *options,
                             const char *const *drives, LearnResult *result, double *length_m,
                             GError **error)
{
    g_autoptr(Learn) learn = learn_new();
    g_autoptr(GString) source = g_string_new("from-track:");

    *result = (LearnResult){0};
    for (guint i = 0; drives[i] != NULL; i++) {
        if (!add_drive(learn, drives[i], options, error))
            return FALSE;
        g_autofree char *base = g_path_get_basename(drives[i]);
        g_string_append_printf(source, " %s", base);
    }
    if (!learn_run(learn, result, error))
        return FALSE;
    if (options->reverse)
        turn_round(result->points);
    g_autoptr(NetworkFile) file = network_file_create(out, error);
    return file != NULL && write_line(file, options, result, length_m, error) &&
           network_file_set(file, "source", source->str, error) && network_file_finish(file, error);
}
