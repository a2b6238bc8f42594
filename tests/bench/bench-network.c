/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A national network: towns of crooked streets, tiled until there are some millions of edges, and a
 * drive of four hours through them. Measures loading the part around the drive against loading all,
 * and loading and matching together.
 * Usage: bench-network [FILE.gpkg [TOWNS_A_SIDE]]; FILE is kept and used again if it is there.
 */
#include "analyzer/crs.h"
#include "analyzer/match.h"
#include "analyzer/network-file.h"
#include "formats/drive-write.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STREETS = 45, POINTS = 7, DRIVE_S = 4 * 3600 };
#define TOWN_DEG   0.1
#define STREET_DEG (TOWN_DEG / STREETS)

/* The point at (i, j) of the whole grid of crossings: towns are alike, streets meet at their edges.
 */
static GeoPoint crossing(int i, int j)
{
    double wobble = 0.2 * STREET_DEG;

    return (GeoPoint){8 + i * STREET_DEG + wobble * sin(i % STREETS * 12.9 + j % STREETS * 78.2),
                      46 + j * STREET_DEG + wobble * cos(i % STREETS * 39.3 + j % STREETS * 11.1)};
}

/* The street from crossing (i, j) to the east (along) or north. */
static void street_points(int i, int j, int along, GeoPoint *p)
{
    GeoPoint a = crossing(i, j), b = along ? crossing(i + 1, j) : crossing(i, j + 1);

    for (int k = 0; k < POINTS; k++) {
        double t = k / (POINTS - 1.0), bend = 0.05 * STREET_DEG * sin(t * G_PI * 2);
        p[k] = (GeoPoint){a.lon + t * (b.lon - a.lon) + (along ? 0 : bend),
                          a.lat + t * (b.lat - a.lat) + (along ? bend : 0)};
    }
}

static gboolean add_street(NetworkFile *file, int i, int j, int along, int side, GError **error)
{
    GeoPoint p[POINTS] = {{0}};
    NetworkEdge edge = {.kind = EDGE_ROAD, .class = j % 9 == 0 ? "primary" : "residential"};
    int64_t node = (int64_t)j * (side + 1) + i;

    street_points(i, j, along, p);
    for (int k = 1; k < POINTS; k++)
        edge.length_m += crs_short_distance_m(p[k - 1], p[k]);
    return network_file_add_edge(file, &edge, node, along ? node + 1 : node + side + 1, p, POINTS,
                                 NULL, error);
}

static gboolean make(const char *path, int towns, GError **error)
{
    g_autoptr(NetworkFile) file = network_file_create(path, error);
    int side = towns * STREETS;

    for (int j = 0; j < side && file != NULL; j++) {
        for (int i = 0; i < side; i++) {
            if (!add_street(file, i, j, 0, side, error) || !add_street(file, i, j, 1, side, error))
                return FALSE;
        }
    }
    return file != NULL && network_file_finish(file, error);
}

/* ---- the drive: streets east, and after every fifth one a street north, at 14 m/s ---- */

typedef struct {
    int64_t time_ns, fid;
    GeoPoint seen;
} DriveFix;

static double normal(GRand *rand)
{
    double u = MAX(g_rand_double(rand), 1e-300);
    return sqrt(-2.0 * log(u)) * cos(2.0 * G_PI * g_rand_double(rand));
}

/* The fix of each second, with errors of 5 m that last. Where the map ends the drive stands. */
static void make_drive(DriveFix *fixes, int side)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    GeoPoint p[POINTS];
    double s[POINTS] = {0};
    int i = side / 8, j = side / 8, street = 0, along = 0;
    double metres = 0, x = 0, y = 0;

    street_points(i, j, along, p);
    for (int t = 0; t < DRIVE_S; t++) {
        for (int k = 1; k < POINTS; k++)
            s[k] = s[k - 1] + crs_short_distance_m(p[k - 1], p[k]);
        if (metres >= s[POINTS - 1] && i + 2 < side && j + 2 < side) {
            metres -= s[POINTS - 1];
            i += along;
            j += 1 - along;
            along = ++street % 6 != 0;
            street_points(i, j, along, p);
            for (int k = 1; k < POINTS; k++)
                s[k] = s[k - 1] + crs_short_distance_m(p[k - 1], p[k]);
        }
        int k = 0;
        while (k + 2 < POINTS && s[k + 1] <= metres)
            k++;
        double u = (metres - s[k]) / (s[k + 1] - s[k]);
        GeoPoint at = {p[k].lon + u * (p[k + 1].lon - p[k].lon),
                       p[k].lat + u * (p[k + 1].lat - p[k].lat)};
        x = 0.9 * x + 5.0 * sqrt(0.19) * normal(rand);
        y = 0.9 * y + 5.0 * sqrt(0.19) * normal(rand);
        fixes[t] = (DriveFix){.time_ns = INT64_C(1770000000000000000) + t * INT64_C(1000000000),
                              .fid = 2 * ((int64_t)j * side + i) + 1 + along,
                              .seen = {at.lon + x / 77400.0, at.lat + y / 111150.0}};
        metres += 14.0;
    }
}

static gboolean write_drive(const char *path, int towns, GError **error)
{
    g_autofree DriveFix *fixes = g_new(DriveFix, DRIVE_S);
    (void)g_remove(path);
    g_autoptr(DriveWriter) writer = drive_create(path, error);
    Source source = {0};
    gint64 id = 0;

    RECORD_SET(&source, SOURCE, label, "gps");
    RECORD_SET(&source, SOURCE, kind, SOURCE_GPS);
    if (writer == NULL || !drive_writer_set_bulk(writer, error) ||
        !drive_add_source(writer, &source, &id, error))
        return FALSE;
    make_drive(fixes, towns * STREETS);
    for (int t = 0; t < DRIVE_S; t++) {
        Fix fix = {0};
        RECORD_SET(&fix, FIX, time_ns, fixes[t].time_ns);
        RECORD_SET(&fix, FIX, source, id);
        RECORD_SET(&fix, FIX, lat, fixes[t].seen.lat);
        RECORD_SET(&fix, FIX, lon, fixes[t].seen.lon);
        RECORD_SET(&fix, FIX, speed_mps, 14.0);
        if (!drive_add_fix(writer, &fix, error))
            return FALSE;
    }
    return drive_writer_close(writer, error);
}

/* ---- what is measured ---- */

typedef struct {
    const char *network, *drive;
    int towns;
} Job;
typedef Network *(*LoadFunc)(const Job *job, GError **error);

static Network *load_part(const Job *job, GError **error)
{
    char *drives[] = {(char *)(uintptr_t)job->drive, NULL};

    return match_load_network(job->network, drives, 1, error);
}

static Network *load_all(const Job *job, GError **error)
{
    return network_load(job->network, NULL, error);
}

typedef struct {
    const Network *network;
    const DriveFix *truth;
    guint n, matched, right;
} Tally;

static void take_fix(const TrackFix *fix, void *user_data)
{
    Tally *tally = user_data;

    if (fix->status == FIX_MATCHED) {
        tally->matched++;
        tally->right += tally->network->edges[fix->edge].fid == tally->truth[tally->n].fid;
    }
    tally->n++;
}

static Network *load_and_match(const Job *job, GError **error)
{
    g_autofree DriveFix *fixes = g_new(DriveFix, DRIVE_S);
    g_autoptr(Network) network = load_part(job, error);
    g_autoptr(Drive) drive = network != NULL ? drive_open(job->drive, error) : NULL;
    g_autoptr(GArray) receivers = drive != NULL ? match_receivers(drive, error) : NULL;
    Tally tally = {.network = network, .truth = fixes};

    make_drive(fixes, job->towns * STREETS);
    if (receivers == NULL || !match_receiver(network, drive, g_array_index(receivers, gint64, 0),
                                             NULL, NULL, take_fix, &tally, error))
        return NULL;
    printf("%u fixes, %u matched, %.2f %% on the right edge; ", tally.n, tally.matched,
           100.0 * tally.right / MAX(tally.n, 1U));
    return g_steal_pointer(&network);
}

/* In a process of its own, so that the peak of memory is its own. Returns seconds. */
static double measure(const char *what, LoadFunc load, const Job *job)
{
    gint64 start = g_get_monotonic_time();
    (void)fflush(stdout);
    pid_t child = fork();

    if (child == 0) {
        g_autoptr(GError) error = NULL;
        printf("%s: ", what);
        g_autoptr(Network) net = load(job, &error);
        if (net == NULL)
            printf("%s\n", error->message);
        else
            printf("%u edges, %u nodes", net->n_edges, net->n_nodes);
        (void)fflush(stdout);
        _exit(net == NULL);
    }
    int status = 0;
    struct rusage used = {0};
    (void)wait4(child, &status, 0, &used);
    double seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    printf(", %.2f s (%.2f s of CPU), %ld MB at most\n", seconds,
           (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6,
           used.ru_maxrss / 1024);
    return seconds;
}

int main(int argc, char **argv)
{
    g_autofree char *own = g_build_filename(g_get_tmp_dir(), "corridor-bench-network.gpkg", NULL);
    const char *path = argc > 1 ? argv[1] : own;
    int towns = argc > 2 ? atoi(argv[2]) : 36;
    g_autoptr(GError) error = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        gint64 start = g_get_monotonic_time();
        if (!make(path, towns, &error)) {
            printf("%s\n", error->message);
            return 1;
        }
        printf("made %s: %d edges, %.1f s\n", path, towns * towns * STREETS * STREETS * 2,
               (double)(g_get_monotonic_time() - start) / 1e6);
    }
    g_autofree char *drive = g_strconcat(path, ".drive", NULL);
    if (!write_drive(drive, towns, &error)) {
        printf("%s\n", error->message);
        return 1;
    }
    Job job = {path, drive, towns};
    (void)fflush(stdout);
    double part = measure("the part around a 4-hour drive", load_part, &job);
    (void)measure("that, and matching the drive", load_and_match, &job);
    double all = measure("all", load_all, &job);
    printf("ratio part/all: %.4f\n", part / all);
    (void)g_remove(drive);
    if (argc <= 1)
        (void)g_remove(path);
    return 0;
}
