/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/scrub.h"

#include <math.h>
#include <stdio.h>

static gboolean parse_place(const char *text, ScrubPlace *place)
{
    double values[3];
    const char *at = text;
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        values[i] = g_ascii_strtod(at, &end);
        if (end == at || !isfinite(values[i]) || *end != (i < 2 ? ',' : '\0'))
            return FALSE;
        at = end + 1;
    }
    *place = (ScrubPlace){{.lon = values[1], .lat = values[0]}, values[2]};
    return fabs(values[0]) <= 90 && fabs(values[1]) <= 180 && values[2] > 0 && values[2] <= 1e5;
}

static void print_report(const char *out, const ScrubReport *report, const ScrubOptions *options)
{
    gint64 kept = 0;
    gint64 removed = 0;
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        kept += report->kept[k];
        removed += report->removed[k];
    }
    printf("%s: %" G_GINT64_FORMAT " records kept", out, kept);
    if (options->n_places > 0 && options->blur_m > 0)
        printf(", %" G_GINT64_FORMAT " positions blurred", report->blurred);
    else if (options->n_places > 0)
        printf(", %" G_GINT64_FORMAT " removed: %u times near places, %.0f s with fixes", removed,
               report->spans, report->seconds);
    if (options->devices)
        printf(", %" G_GINT64_FORMAT " values that tell of devices taken out", report->devices);
    if (options->cells)
        printf(", %" G_GINT64_FORMAT " cells renamed", report->cells);
    puts("; read again: nothing of it is left");
    for (int k = 0; k < RECORD_KIND_COUNT; k++)
        if (report->removed[k] > 0)
            printf("  %s: %" G_GINT64_FORMAT " kept, %" G_GINT64_FORMAT " removed\n",
                   record_type((RecordKind)k)->table, report->kept[k], report->removed[k]);
}

static int run(const Command *command, int argc, char **argv)
{
    g_auto(GStrv) near = NULL;
    ScrubOptions options = {0};
    const GOptionEntry entries[] = {
        {"near", 0, 0, G_OPTION_ARG_STRING_ARRAY, &near, "Remove what is near; may be repeated",
         "LAT,LON,M"},
        {"blur", 0, 0, G_OPTION_ARG_DOUBLE, &options.blur_m, "Move positions to squares instead",
         "M"},
        {"devices", 0, 0, G_OPTION_ARG_NONE, &options.devices, "Remove what tells of devices",
         NULL},
        {"cells", 0, 0, G_OPTION_ARG_NONE, &options.cells, "Number cells from 1", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_auto(GStrv) words = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 2, 2, &words, &status))
        return status;
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(ScrubPlace));
    for (char **text = near; text != NULL && *text != NULL; text++) {
        ScrubPlace place;
        if (!parse_place(*text, &place))
            return command_usage_error(command, "--near %s: is no LAT,LON,METRES", *text);
        g_array_append_val(places, place);
    }
    options.places = (const ScrubPlace *)(void *)places->data;
    options.n_places = places->len;
    if (places->len == 0 && !options.devices && !options.cells)
        return command_usage_error(command, "say what: --near, --devices or --cells");
    if (!(options.blur_m >= 0 && options.blur_m <= 1e5) || (options.blur_m > 0 && places->len == 0))
        return command_usage_error(command, "--blur goes with --near, up to 100000 metres");
    g_autoptr(GError) error = NULL;
    ScrubReport report;
    if (!scrub_drive(words[0], words[1], &options, &report, &error))
        return command_failed(command, error);
    print_report(words[1], &report, &options);
    return EXIT_DONE;
}

const Command command_scrub = {"scrub", "DRIVE OUT.drive",
                               "take places, devices and cell ids out of a drive", run};
