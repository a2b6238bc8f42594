/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/diff.h"

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *out = NULL;
    gboolean same = FALSE;
    gint rounds = 2000;
    gint64 seed = 1;
    double rate = 0.05;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &out, "AFTER.gpkg with the changes added",
         "DELTA.gpkg"},
        {"rate", 0, 0, G_OPTION_ARG_DOUBLE, &rate, "Share of false changes to allow (0.05)", "Q"},
        {"same-equipment", 0, 0, G_OPTION_ARG_NONE, &same,
         "The same modems and antennas measured both times", NULL},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Of the resampling (1)", "N"},
        {"resamples", 0, 0, G_OPTION_ARG_INT, &rounds, "Of the intervals (2000)", "N"},
        G_OPTION_ENTRY_NULL};
    g_auto(GStrv) rest = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 2, 2, &rest, &status))
        return status;
    if (out == NULL)
        return command_usage_error(command, "-o DELTA.gpkg is missing");
    if (!(rate > 0.0) || rate > 0.5)
        return command_usage_error(command, "--rate is to be more than 0, at most 0.5");
    if (rounds < 100 || rounds > 1000000)
        return command_usage_error(command, "--resamples is to be 100 to 1000000");
    const char *const before[] = {rest[0], NULL}; /* the later one is in what is written */
    if (!command_spares(command, out, before))
        return EXIT_USAGE;
    DiffOptions options = {.before = rest[0],
                           .after = rest[1],
                           .out = out,
                           .rate = rate,
                           .same_equipment = same,
                           .seed = (guint64)seed,
                           .rounds = (unsigned)rounds};
    g_auto(DiffReport) report = {0};
    g_autoptr(GError) error = NULL;
    if (!diff(&options, &report, &error))
        return command_failed(command, error);
    command_tell_found(command, report.warnings, report.lines);
    return EXIT_DONE;
}

const Command command_diff = {"diff", "BEFORE.gpkg AFTER.gpkg",
                              "what changed between two campaigns", run};
