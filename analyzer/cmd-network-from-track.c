/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/network-track.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_result(const char *out, const char *name, const LearnResult *result,
                         double length_m)
{
    printf("%s: corridor \"%s\", %.2f km, learnt from %" G_GSIZE_FORMAT " fixes, %u pass%s\n", out,
           name, length_m / 1000, result->used, result->passes, result->passes == 1 ? "" : "es");
    printf("scatter of a fix across the line %.1f m", result->scatter_m);
    if (isfinite(result->uncertainty_m))
        printf("; 95 %% of the line is believed within %.1f m", result->uncertainty_m);
    printf("\n");
    printf("not used: %" G_GSIZE_FORMAT " without position, %" G_GSIZE_FORMAT
           " held positions, %" G_GSIZE_FORMAT " jumps, %" G_GSIZE_FORMAT " off the line\n",
           result->invalid, result->repeated, result->jumps, result->off_line);
    if (result->shared > 0)
        printf("%" G_GSIZE_FORMAT " fixes that several sources share were counted once\n",
               result->shared);
    if (result->longest_gap_m >= 500)
        printf("longest stretch without a fix: %.1f km, drawn as a curve\n",
               result->longest_gap_m / 1000);
}

static gboolean parse_time(const char *text, int64_t *time_ns)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);

    if (time == NULL)
        return FALSE;
    *time_ns = g_date_time_to_unix(time) * INT64_C(1000000000) +
               g_date_time_get_microsecond(time) * INT64_C(1000);
    return TRUE;
}

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *out = NULL, *name = NULL, *mode = NULL, *from = NULL, *until = NULL,
                    *stations = NULL;
    double start_km = 0;
    gboolean reverse = FALSE;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &out, "The network file to make", "NET.gpkg"},
        {"name", 0, 0, G_OPTION_ARG_STRING, &name, "Name of the corridor", "NAME"},
        {"mode", 0, 0, G_OPTION_ARG_STRING, &mode, "Road (default) or rail", "MODE"},
        {"start-km", 0, 0, G_OPTION_ARG_DOUBLE, &start_km, "Chainage of its beginning (default 0)",
         "KM"},
        {"reverse", 0, 0, G_OPTION_ARG_NONE, &reverse, "Against the direction of the first drive",
         NULL},
        {"stations", 0, 0, G_OPTION_ARG_FILENAME, &stations, "Named points along it", "FILE"},
        {"from-time", 0, 0, G_OPTION_ARG_STRING, &from, "Only fixes from this time (UTC) on",
         "TIME"},
        {"until-time", 0, 0, G_OPTION_ARG_STRING, &until, "Only fixes before this time", "TIME"},
        G_OPTION_ENTRY_NULL};
    g_auto(GStrv) drives = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    TrackOptions options = {
        .kind = EDGE_ROAD, .from_ns = INT64_MIN, .until_ns = INT64_MAX, .problems = problems};
    LearnResult result;
    double length_m = 0;
    int status = EXIT_DONE;

    if (!command_parse(command, entries, argc, argv, 1, -1, &drives, &status))
        return status;
    if (out == NULL)
        return command_usage_error(command, "say with -o what file to make");
    if (name == NULL || name[0] == '\0')
        return command_usage_error(command, "say with --name what the corridor is called");
    if (mode != NULL && strcmp(mode, "road") != 0 && strcmp(mode, "rail") != 0)
        return command_usage_error(command, "--mode %s: is none of road, rail", mode);
    if (from != NULL && !parse_time(from, &options.from_ns))
        return command_usage_error(command, "--from-time %s: write it like 2026-05-04T06:00:00Z",
                                   from);
    if (until != NULL && !parse_time(until, &options.until_ns))
        return command_usage_error(command, "--until-time %s: write it like 2026-05-04T06:00:00Z",
                                   until);
    if (!command_spares(command, out, (const char *const *)drives))
        return EXIT_USAGE;
    if (!(fabs(start_km) <= 1e5))
        return command_usage_error(command, "--start-km %g: is out of range", start_km);
    options.name = name;
    options.kind = mode != NULL && strcmp(mode, "rail") == 0 ? EDGE_RAIL : EDGE_ROAD;
    options.start_m = start_km * 1000;
    options.reverse = reverse;
    options.stations = stations;
    gboolean ok =
        network_from_tracks(out, &options, (const char *const *)drives, &result, &length_m, &error);
    command_tell_problems(command, problems);
    if (ok)
        print_result(out, name, &result, length_m);
    else
        status = command_failed(command, error);
    learn_result_clear(&result);
    return status;
}

const Command command_network_from_track = {"network from-track", "DRIVE…",
                                            "learn a corridor's line from drives", run};
