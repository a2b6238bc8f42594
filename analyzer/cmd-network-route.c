/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/network-route.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "59.33,18.06": latitude first, as people write it. */
static gboolean parse_place(const char *text, GeoPoint *place)
{
    char *end = NULL;

    place->lat = g_ascii_strtod(text, &end);
    if (end == text || *end != ',')
        return FALSE;
    const char *second = end + 1;
    place->lon = g_ascii_strtod(second, &end);
    return end != second && *end == '\0' && fabs(place->lat) <= 90 && fabs(place->lon) <= 180;
}

/* from, via …, to. Returns EXIT_DONE or the status of the usage error that it told. */
static int gather_places(const Command *command, const char *from, char **via, const char *to,
                         GArray *places)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();

    g_ptr_array_add(texts, (void *)(guintptr)from);
    for (char **v = via; v != NULL && *v != NULL; v++)
        g_ptr_array_add(texts, *v);
    g_ptr_array_add(texts, (void *)(guintptr)to);
    for (guint i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);
        GeoPoint place;
        if (!parse_place(text, &place))
            return command_usage_error(command,
                                       "\"%s\" is no place: write LAT,LON, like 59.33,18.06", text);
        g_array_append_val(places, place);
    }
    return EXIT_DONE;
}

static void print_report(const Command *command, const char *out, const char *name,
                         const RouteReport *report)
{
    printf("%s: corridor \"%s\", %.3f km over %u edges\n", out, name, report->length_m / 1000,
           report->edges);
    if (report->folded > 0)
        printf("%u edges beside it were folded onto it\n", report->folded);
    if (report->boards > 0)
        printf("%u kilometre boards\n", report->boards);
    if (report->stations > 0)
        printf("%u stations and junctions\n", report->stations);
    if (report->snapped_m > 100)
        command_warn(command, "the nearest line was %.0f m from a place that was given",
                     report->snapped_m);
}

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *out = NULL, *name = NULL, *from = NULL, *to = NULL, *mode = NULL, *ref = NULL,
                    *boards = NULL, *stations = NULL;
    g_auto(GStrv) via = NULL;
    g_auto(GStrv) files = NULL;
    double start_km = 0, fold_m = 0;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &out, "The network file to write", "NET.gpkg"},
        {"name", 0, 0, G_OPTION_ARG_STRING, &name, "Name of the corridor", "NAME"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &from, "Where it begins", "LAT,LON"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &to, "Where it ends", "LAT,LON"},
        {"via", 0, 0, G_OPTION_ARG_STRING_ARRAY, &via, "What it comes by; may be repeated",
         "LAT,LON"},
        {"mode", 0, 0, G_OPTION_ARG_STRING, &mode, "Road or rail (default: either)", "MODE"},
        {"ref", 0, 0, G_OPTION_ARG_STRING, &ref, "Road or line number to follow", "REF"},
        {"start-km", 0, 0, G_OPTION_ARG_DOUBLE, &start_km, "Chainage of its beginning (default 0)",
         "KM"},
        {"fold", 0, 0, G_OPTION_ARG_DOUBLE, &fold_m, "Fold tracks, carriageways so near onto it",
         "M"},
        {"boards", 0, 0, G_OPTION_ARG_FILENAME, &boards, "Kilometre boards: points or CSV", "FILE"},
        {"stations", 0, 0, G_OPTION_ARG_FILENAME, &stations, "Named points along it", "FILE"},
        G_OPTION_ENTRY_NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    RouteReport report;
    int status = EXIT_DONE;

    if (!command_parse(command, entries, argc, argv, 1, 1, &files, &status))
        return status;
    if (out == NULL || name == NULL || name[0] == '\0' || from == NULL || to == NULL)
        return command_usage_error(command, "-o, --name, --from and --to are needed");
    if (mode != NULL && strcmp(mode, "road") != 0 && strcmp(mode, "rail") != 0)
        return command_usage_error(command, "--mode %s: is none of road, rail", mode);
    if (!(fold_m >= 0 && fold_m <= 500))
        return command_usage_error(command, "--fold %g: must be 0 to 500 metres", fold_m);
    if (!(fabs(start_km) <= 1e5))
        return command_usage_error(command, "--start-km %g: is out of range", start_km);
    status = gather_places(command, from, via, to, places);
    if (status != EXIT_DONE)
        return status;
    RouteOptions options = {
        .name = name,
        .places = (const GeoPoint *)(const void *)places->data,
        .n_places = places->len,
        .modes = mode == NULL                ? 0
                 : strcmp(mode, "rail") == 0 ? EDGE_RAIL
                                             : EDGE_ROAD,
        .prefer = ref,
        .start_m = start_km * 1000,
        .fold_m = fold_m,
        .boards = boards,
        .stations = stations,
    };
    if (!network_route(out, files[0], &options, &report, &error))
        return command_failed(command, error);
    print_report(command, out, name, &report);
    return EXIT_DONE;
}

const Command command_network_route = {"network route", "NET.gpkg",
                                       "cut a named corridor out of a network", run};
