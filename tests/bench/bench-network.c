/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A national network: towns of crooked streets, tiled until there are some millions of edges, and a
 * drive of four hours across it. Measures loading the part around the drive against loading all.
 * Usage: bench-network [FILE.gpkg [TOWNS_A_SIDE]]; FILE is kept and used again if it is there.
 */
#include "analyzer/crs.h"
#include "analyzer/network-file.h"

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

static gboolean add_street(NetworkFile *file, int i, int j, int along, int side, GError **error)
{
    GeoPoint a = crossing(i, j), b = along ? crossing(i + 1, j) : crossing(i, j + 1), p[POINTS];
    NetworkEdge edge = {.kind = EDGE_ROAD, .class = j % 9 == 0 ? "primary" : "residential"};
    int64_t node = (int64_t)j * (side + 1) + i;

    for (int k = 0; k < POINTS; k++) {
        double t = k / (POINTS - 1.0), bend = 0.05 * STREET_DEG * sin(t * G_PI * 2);
        p[k] = (GeoPoint){a.lon + t * (b.lon - a.lon) + (along ? 0 : bend),
                          a.lat + t * (b.lat - a.lat) + (along ? bend : 0)};
        if (k > 0)
            edge.length_m += crs_short_distance_m(p[k - 1], p[k]);
    }
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

/* A drive that winds over the map at 28 m/s. */
static void make_drive(GeoPoint *places, int towns)
{
    double size = towns * TOWN_DEG;

    for (int t = 0; t < DRIVE_S; t++) {
        double u = (double)t / DRIVE_S, reach = fmin(size * 0.45, 1.8);
        places[t] = (GeoPoint){8 + size / 2 + reach * (2 * u - 1) * 1.2,
                               46 + size / 2 + reach * 0.5 * sin(u * 7)};
    }
}

typedef Network *(*LoadFunc)(const char *path, int towns, GError **error);

static Network *load_part(const char *path, int towns, GError **error)
{
    g_autofree GeoPoint *places = g_new(GeoPoint, DRIVE_S);

    make_drive(places, towns);
    return network_load_around(path, places, DRIVE_S, 200, error);
}

static Network *load_all(const char *path, int towns, GError **error)
{
    (void)towns;
    return network_load(path, NULL, error);
}

/* In a process of its own, so that the peak of memory is its own. Returns seconds. */
static double measure(const char *what, LoadFunc load, const char *path, int towns)
{
    gint64 start = g_get_monotonic_time();
    (void)fflush(stdout);
    pid_t child = fork();

    if (child == 0) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Network) net = load(path, towns, &error);
        if (net == NULL)
            printf("%s: %s\n", what, error->message);
        else
            printf("%s: %u edges, %u nodes", what, net->n_edges, net->n_nodes);
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
    (void)fflush(stdout);
    double part = measure("part around a 4-hour drive", load_part, path, towns);
    double all = measure("all", load_all, path, towns);
    printf("ratio part/all: %.4f\n", part / all);
    if (argc <= 1)
        (void)g_remove(path);
    return 0;
}
