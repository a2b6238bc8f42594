/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/claim.h"
#include "analyzer/command.h"
#include "analyzer/compare.h"

#include <string.h>

/* The files of the maps and areas. */
static GPtrArray *files_read(char *const *maps, const char *areas)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    for (; *maps != NULL; maps++) {
        const char *equal = strchr(*maps, '=');
        char *file = equal != NULL ? claim_file(equal + 1) : NULL;
        if (file != NULL)
            g_ptr_array_add(files, file);
    }
    char *file = areas != NULL ? claim_file(areas) : NULL;
    if (file != NULL)
        g_ptr_array_add(files, file);
    g_ptr_array_add(files, NULL);
    return files;
}

static int run(const Command *command, int argc, char **argv)
{
    g_auto(GStrv) maps = NULL;
    g_autofree char *out = NULL, *service = NULL, *areas = NULL, *crs = NULL;
    gint rounds = 2000;
    gint64 seed = 1;
    const GOptionEntry entries[] = {
        {"map", 0, 0, G_OPTION_ARG_STRING_ARRAY, &maps,
         "OPERATOR=FILE[,layer=L,where=SQL,level=A,min=DBM]", "MAP"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &out, "OUT.gpkg with the comparison added",
         "OUT2.gpkg"},
        {"service", 0, 0, G_OPTION_ARG_STRING, &service, "What the maps claim (first by level)",
         "ID"},
        {"areas", 0, 0, G_OPTION_ARG_STRING, &areas,
         "Polygons to report by: FILE[,layer=L][,name=FIELD]", "FILE"},
        {"result-crs", 0, 0, G_OPTION_ARG_STRING, &crs, "Of the table arcep (WGS 84)", "CRS"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Of the resampling (1)", "N"},
        {"resamples", 0, 0, G_OPTION_ARG_INT, &rounds, "Of the intervals (2000)", "N"},
        G_OPTION_ENTRY_NULL};
    g_auto(GStrv) rest = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, 1, &rest, &status))
        return status;
    if (out == NULL || maps == NULL)
        return command_usage_error(command, "%s is missing", out ? "--map" : "-o OUT2.gpkg");
    if (rounds < 100 || rounds > 1000000)
        return command_usage_error(command, "--resamples is to be 100 to 1000000");
    g_autoptr(GPtrArray) files = files_read(maps, areas); /* the results are in what is written */
    if (!command_spares(command, out, (const char *const *)files->pdata))
        return EXIT_USAGE;
    CompareOptions options = {.in = rest[0],
                              .out = out,
                              .service = service,
                              .maps = maps,
                              .areas = areas,
                              .crs = crs,
                              .seed = (guint64)seed,
                              .rounds = (unsigned)rounds};
    g_auto(CompareReport) report = {0};
    g_autoptr(GError) error = NULL;
    if (!compare(&options, &report, &error))
        return command_failed(command, error);
    command_tell_found(command, report.warnings, report.lines);
    return EXIT_DONE;
}

const Command command_compare = {"compare", "OUT.gpkg", "operators' maps against what was measured",
                                 run};
