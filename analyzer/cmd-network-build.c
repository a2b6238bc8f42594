/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/network-build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static gboolean parse_mode(const char *text, int *modes)
{
    static const struct {
        const char *name;
        int modes;
    } rows[] = {{"road", EDGE_ROAD}, {"rail", EDGE_RAIL}, {"all", EDGE_ROAD | EDGE_RAIL}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(text, rows[i].name) == 0) {
            *modes = rows[i].modes;
            return TRUE;
        }
    }
    return FALSE;
}

static void print_report(const Command *command, const char *out, const BuildReport *report)
{
    printf("%s: %u edges between %u nodes; %.1f km of road, %.1f km of railway\n", out,
           report->edges, report->nodes, report->road_m / 1000, report->rail_m / 1000);
    if (report->twins > 0)
        printf("%u lines that lay on another one were taken together with it\n", report->twins);
    if (report->turn_limits + report->turn_limits_unused > 0)
        printf("%u forbidden turns, %u that are not understood\n", report->turn_limits,
               report->turn_limits_unused);
    if (report->snapped > 0)
        printf("%u line ends were moved to the nearest one (--snap)\n", report->snapped);
    if (report->no_length > 0)
        printf("%" G_GUINT64_FORMAT " lines without length were left out\n", report->no_length);
    if (report->damaged > 0)
        command_warn(command,
                     "%" G_GUINT64_FORMAT " features with coordinates that are not numbers or not "
                     "on the earth were left out",
                     report->damaged);
}

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *out = NULL, *mode = NULL, *where = NULL, *id_field = NULL, *layer = NULL,
                    *crs = NULL;
    double snap_m = 0;
    gboolean split = FALSE, tracks = FALSE;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &out, "The network file to make", "NET.gpkg"},
        {"mode", 0, 0, G_OPTION_ARG_STRING, &mode, "Road, rail or all (default all)", "MODE"},
        {"where", 0, 0, G_OPTION_ARG_STRING, &where, "Only features that meet this condition",
         "SQL"},
        {"id-field", 0, 0, G_OPTION_ARG_STRING, &id_field, "Field whose value names the edges",
         "F"},
        {"layer", 0, 0, G_OPTION_ARG_STRING, &layer, "Layer of the source to read", "NAME"},
        {"crs", 0, 0, G_OPTION_ARG_STRING, &crs, "Coordinate system, if the source does not say",
         "CRS"},
        {"snap", 0, 0, G_OPTION_ARG_DOUBLE, &snap_m, "Join line ends that are nearer (default 0)",
         "M"},
        {"tracks", 0, 0, G_OPTION_ARG_NONE, &tracks, "With farm and forest tracks", NULL},
        {"split", 0, 0, G_OPTION_ARG_NONE, &split, "Cut lines at every vertex they share", NULL},
        G_OPTION_ENTRY_NULL};
    g_auto(GStrv) sources = NULL;
    g_autoptr(GError) error = NULL;
    BuildOptions options = {0};
    BuildReport report;
    int status = EXIT_DONE;

    if (!command_parse(command, entries, argc, argv, 1, 1, &sources, &status))
        return status;
    if (out == NULL)
        return command_usage_error(command, "say with -o what file to make");
    if (!parse_mode(mode != NULL ? mode : "all", &options.modes))
        return command_usage_error(command, "--mode %s: is none of road, rail, all", mode);
    if (!(snap_m >= 0 && snap_m <= 100))
        return command_usage_error(command, "--snap %g: must be 0 to 100 metres", snap_m);
    if (!command_spares(command, out, (const char *const *)sources))
        return EXIT_USAGE;
    options.source = sources[0];
    options.layer = layer;
    options.where = where;
    options.id_field = id_field;
    options.crs = crs;
    options.snap_m = snap_m;
    options.split = split;
    options.tracks = tracks;
    g_autoptr(Progress) progress = progress_new("reading", "lines", 0);
    gboolean ok = network_build(out, &options, progress, &report, &error);
    g_clear_pointer(&progress, progress_free);
    if (!ok)
        return command_failed(command, error);
    print_report(command, out, &report);
    return EXIT_DONE;
}

const Command command_network_build = {"network build", "SOURCE",
                                       "make a network from a map of roads or railways", run};
