/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/analyze.h"
#include "analyzer/command.h"
#include "analyzer/progress.h"

#include <stdio.h>

static void on_progress(gint64 done, gint64 total, void *user_data)
{
    (void)total;
    progress_set(user_data, done);
}

static void show(const AnalyzeReport *report, const char *path)
{
    printf("%s: %" G_GINT64_FORMAT " drives, %" G_GINT64_FORMAT " samples", path, report->drives,
           report->samples);
    if (report->corridor_km > 0.0)
        printf(", corridors of %.1f km", report->corridor_km);
    printf("\n  %" G_GINT64_FORMAT " on the network, %" G_GINT64_FORMAT " off it, %" G_GINT64_FORMAT
           " without a position, %" G_GINT64_FORMAT " placed too vaguely\n",
           report->used, report->off_network, report->no_position, report->uncertain);
}

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *network = NULL, *out = NULL, *profile = NULL, *vehicle_loss = NULL;
    double segment_m = 100.0;
    gint jobs = (gint)g_get_num_processors(), rounds = 2000;
    gint64 seed = 1;
    gboolean pooled = FALSE, outdoor = FALSE, samples = FALSE;
    const GOptionEntry entries[] = {
        {"network", 'n', 0, G_OPTION_ARG_FILENAME, &network, "Network to place the drives on",
         "NET.gpkg"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Results", "OUT.gpkg"},
        {"segment", 0, 0, G_OPTION_ARG_DOUBLE, &segment_m, "Length of a segment (100)", "M"},
        {"profile", 0, 0, G_OPTION_ARG_FILENAME, &profile, "Services to judge (default)", "P"},
        {"jobs", 0, 0, G_OPTION_ARG_INT, &jobs, "Drives worked on at once", "N"},
        {"pool", 0, 0, G_OPTION_ARG_NONE, &pooled, "Put roof and cabin together", NULL},
        {"outdoor", 0, 0, G_OPTION_ARG_NONE, &outdoor,
         "Correct levels by the sources' antenna data", NULL},
        {"samples", 0, 0, G_OPTION_ARG_NONE, &samples, "Keep the samples, as a layer", NULL},
        {"vehicle-loss", 0, 0, G_OPTION_ARG_STRING, &vehicle_loss,
         "Add to cabin levels: dB, BAND=dB,.. or file", "LOSS"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Of the resampling (1)", "N"},
        {"resamples", 0, 0, G_OPTION_ARG_INT, &rounds, "Of the intervals (2000)", "N"},
        G_OPTION_ENTRY_NULL};
    g_auto(GStrv) drives = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, -1, &drives, &status))
        return status;
    if (network == NULL || out == NULL)
        return command_usage_error(command, "%s is missing",
                                   network ? "-o OUT.gpkg" : "-n NET.gpkg");
    if (!(segment_m >= 5.0 && segment_m <= 100000.0))
        return command_usage_error(command, "--segment is to be 5 to 100000 metres");
    if (jobs < 1 || jobs > 256 || rounds < 100 || rounds > 1000000)
        return command_usage_error(command, "%s is out of range",
                                   jobs < 1 || jobs > 256 ? "--jobs" : "--resamples");
    const char *const maps[] = {network, NULL};
    if (!command_spares(command, out, maps) ||
        !command_spares(command, out, (const char *const *)drives))
        return EXIT_USAGE;
    g_autoptr(Progress) progress =
        progress_new("analyzing", "drives", (gint64)g_strv_length(drives));
    AnalyzeOptions options = {.network = network,
                              .out = out,
                              .profile = profile,
                              .drives = drives,
                              .segment_m = segment_m,
                              .jobs = (unsigned)jobs,
                              .pooled = pooled,
                              .outdoor = outdoor,
                              .vehicle_loss = vehicle_loss,
                              .samples = samples,
                              .seed = (guint64)seed,
                              .rounds = (unsigned)rounds,
                              .progress = on_progress,
                              .user_data = progress};
    g_auto(AnalyzeReport) report = {0};
    g_autoptr(GError) error = NULL;
    gboolean done = analyze(&options, &report, &error);
    g_clear_pointer(&progress, progress_free);
    if (!done)
        return command_failed(command, error);
    command_tell_problems(command, report.problems);
    show(&report, out);
    if (report.used == 0)
        command_warn(command, "no sample lies on the network; is it the right one?");
    return EXIT_DONE;
}

const Command command_analyze = {"analyze", "DRIVE…",
                                 "judge drives on a network: segments, verdicts, gaps", run};
