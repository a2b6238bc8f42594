/* SPDX-License-Identifier: Apache-2.0 */
/* bench-analyze [SAMPLES [sealed]]: analyze against a bare SELECT of the same columns through
 * SQLite's C API on the same drives; two jobs against one; sealed drives; a second run, that does
 * not match again; and the memory it takes. Ratios by the clock and by the processor's time, which
 * other work on the machine disturbs less. With "sealed", drives are written in chunks straight
 * away and only these are analyzed: for sets too large to be made as rows. */
#include "tests/bench/bench.h"
#include "tests/bench/made-drive.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define DRIVES 4

static char *folder, *corridor, *network, *out, *drive[DRIVES];

typedef struct {
    double clock_s, cpu_s;
} Cost;

static double timeval_s(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Since some time; of this process or of its children. */
static Cost now(int who)
{
    struct rusage usage;
    (void)getrusage(who, &usage);
    return (Cost){(double)g_get_monotonic_time() / 1e6,
                  timeval_s(usage.ru_utime) + timeval_s(usage.ru_stime)};
}

static Cost since(Cost start, int who)
{
    Cost end = now(who);
    return (Cost){end.clock_s - start.clock_s, end.cpu_s - start.cpu_s};
}

static void make(const char *path, guint64 n, guint number, gboolean sealed)
{
    g_autoptr(GError) error = NULL;
    MadeDrive options = made_drive_default(n);
    options.seed += number;
    options.start_ns += (gint64)number * 86400 * 1000000000;
    g_autoptr(DriveWriter) writer = drive_create(path, &error);
    bench_check(error);
    if (sealed)
        (void)drive_writer_set_bulk(writer, &error);
    bench_check(error);
    (void)made_drive_fill(writer, &options, &error);
    bench_check(error);
    (void)drive_writer_close(writer, &error);
    bench_check(error);
}

static Cost select_all(const char *path)
{
    Cost start = now(RUSAGE_SELF);
    double sum = 0.0;
    sqlite3 *db;
    sqlite3_stmt *statement;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db,
                           "SELECT time_ns, source, rat, service, plmn, cell_id, pci, arfcn, band,"
                           " rsrp_dbm, rsrq_db, sinr_db, rssi_dbm, rscp_dbm, ecio_db, rxlev_dbm,"
                           " nr_rsrp_dbm FROM samples",
                           -1, &statement, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "%s: %s\n", path, sqlite3_errmsg(db));
        exit(1);
    }
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int c = 0; c < 17; c++)
            sum += sqlite3_column_double(statement, c);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    if (sum == 1.0)
        puts("");
    return since(start, RUSAGE_SELF);
}

static void run(const char *const *argv)
{
    g_autoptr(GError) error = NULL;
    int status;
    (void)g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                       NULL, NULL, &status, &error);
    bench_check(error);
    (void)g_spawn_check_wait_status(status, &error);
    bench_check(error);
}

static void make_network(void)
{
    MadeDrive options = made_drive_default(1);
    g_autofree char *map = g_build_filename(folder, "line.geojson", NULL);
    g_autoptr(GString) text = g_string_new(
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":"
        "{\"highway\":\"primary\"},\"geometry\":{\"type\":\"LineString\",\"coordinates\":[");
    for (int i = -10; i <= 410; i++) {
        char lon[G_ASCII_DTOSTR_BUF_SIZE], lat[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(lon, sizeof lon, "%.6f", options.west_deg + 0.01 * i);
        g_ascii_formatd(lat, sizeof lat, "%.6f", options.lat_deg);
        g_string_append_printf(text, "%s[%s,%s]", i > -10 ? "," : "", lon, lat);
    }
    g_string_append(text, "]}}]}");
    g_autoptr(GError) error = NULL;
    (void)g_file_set_contents(map, text->str, -1, &error);
    bench_check(error);
    run((const char *[]){corridor, "network", "build", "-o", network, map, NULL});
}

static void forget_matches(void)
{
    for (guint i = 0; i < DRIVES; i++) {
        g_autofree char *kept = g_strconcat(drive[i], ".match", NULL);
        (void)g_remove(kept);
    }
}

static Cost analyze(const char *jobs)
{
    Cost start = now(RUSAGE_CHILDREN);
    run((const char *[]){corridor, "analyze", "--jobs", jobs, "-n", network, "-o", out, drive[0],
                         drive[1], drive[2], drive[3], NULL});
    return since(start, RUSAGE_CHILDREN);
}

static void show(const char *what, Cost cost, Cost beside, const char *whom)
{
    printf("%-34s %6.2f s, %6.2f s of CPU: %.2f x the rate of %s (%.2f x by CPU)\n", what,
           cost.clock_s, cost.cpu_s, beside.clock_s / cost.clock_s, whom,
           beside.cpu_s / cost.cpu_s);
}

static void measure_rows(void)
{
    Cost select = {0};
    for (guint i = 0; i < DRIVES; i++) {
        Cost one = select_all(drive[i]);
        select.clock_s += one.clock_s;
        select.cpu_s += one.cpu_s;
    }
    printf("%-34s %6.2f s, %6.2f s of CPU\n", "SELECT of the same columns", select.clock_s,
           select.cpu_s);
    Cost one = analyze("1");
    show("analyze, rows, 1 job", one, select, "SELECT");
    forget_matches();
    Cost two = analyze("2");
    show("analyze, rows, 2 jobs", two, one, "1 job");
    run((const char *[]){corridor, "seal", drive[0], drive[1], drive[2], drive[3], NULL});
    forget_matches();
    Cost sealed = analyze("1");
    show("analyze, sealed, 1 job", sealed, select, "SELECT");
    show("the same, matched before", analyze("1"), sealed, "the first run");
}

static void measure_sealed(guint64 n)
{
    double bytes = 0;
    for (guint i = 0; i < DRIVES; i++) {
        GStatBuf st;
        bytes += g_stat(drive[i], &st) == 0 ? (double)st.st_size : 0.0;
    }
    printf("%.0f MB, %.2f bytes a sample\n", bytes / 1e6, bytes / (double)n);
    static const char *const names[] = {"analyze, matching included", "the same, matched before"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        Cost cost = analyze("2");
        printf("%-34s %6.2f s, %6.2f s of CPU: %.2f M samples/s\n", names[i], cost.clock_s,
               cost.cpu_s, (double)n / 1e6 / cost.clock_s);
    }
}

int main(int argc, char **argv)
{
    guint64 n = argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : 10000000;
    gboolean sealed = argc > 2 && strcmp(argv[2], "sealed") == 0;
    const char *build = g_getenv("CORRIDOR_BUILD");
    corridor = g_build_filename(build ? build : "build", "analyzer", "corridor", NULL);
    g_autoptr(GError) error = NULL;
    folder = g_dir_make_tmp("bench-analyze-XXXXXX", &error);
    bench_check(error);
    network = g_build_filename(folder, "net.gpkg", NULL);
    out = g_build_filename(folder, "out.gpkg", NULL);
    make_network();
    for (guint i = 0; i < DRIVES; i++) {
        drive[i] = g_strdup_printf("%s/%u.drive", folder, i);
        make(drive[i], n / DRIVES, i, sealed);
    }
    printf("%" G_GUINT64_FORMAT " samples in %d drives\n", n, DRIVES);
    if (sealed)
        measure_sealed(n);
    else
        measure_rows();
    struct rusage usage;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    printf("largest memory %.0f MB\n", (double)usage.ru_maxrss / 1024.0);
    forget_matches();
    for (guint i = 0; i < DRIVES; i++) {
        g_remove(drive[i]);
        g_free(drive[i]);
    }
    g_autofree char *map = g_build_filename(folder, "line.geojson", NULL);
    g_remove(map);
    g_remove(network);
    g_remove(out);
    g_rmdir(folder);
    g_free(folder);
    g_free(corridor);
    g_free(network);
    g_free(out);
    return 0;
}
