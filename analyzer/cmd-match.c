/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/match-events.h"
#include "analyzer/match.h"

#include "formats/csv-field.h"
#include "formats/file-replace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const Network *network;
    const MatchOptions *options;
    FILE *out, *event_out; /* event_out: NULL, not wanted */
    MatchEvents events;
    gint64 receiver;
    guint64 by_status[FIX_STATUS_COUNT];
    GPtrArray *problems;
} Job;

static void print_time(FILE *out, int64_t time_ns)
{
    time_ns += 500000; /* to the nearest millisecond */
    int64_t seconds = time_ns / 1000000000 - (time_ns % 1000000000 < 0 ? 1 : 0);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    g_autofree char *text = time != NULL ? g_date_time_format(time, "%FT%T") : g_strdup("?");
    (void)fprintf(out, "%s.%03dZ", text, (int)((time_ns - seconds * 1000000000) / 1000000));
}

static void print_match(Job *job, const TrackFix *fix)
{
    const NetworkEdge *edge = &job->network->edges[fix->edge];
    (void)fputc(',', job->out);
    csv_print_field(job->out, edge->id);
    (void)fprintf(job->out, ",%.1f,%.7f,%.7f,%.1f\n", edge->id_offset_m + fix->offset_m,
                  fix->point.lat, fix->point.lon, fix->distance_m);
}

static void print_event(const MatchEvent *event, void *user_data)
{
    Job *job = user_data;
    print_time(job->event_out, event->from_ns);
    (void)fputc(',', job->event_out);
    print_time(job->event_out, event->until_ns);
    (void)fprintf(job->event_out, ",%" G_GINT64_FORMAT ",%s,%" G_GUINT64_FORMAT ",", job->receiver,
                  fix_fault_name(event->fault), event->fixes);
    if (isfinite(event->distance_m))
        (void)fprintf(job->event_out, "%.1f", event->distance_m);
    if (isfinite(event->at.lat) && isfinite(event->at.lon))
        (void)fprintf(job->event_out, ",%.7f,%.7f\n", event->at.lat, event->at.lon);
    else
        (void)fputs(",,\n", job->event_out);
}

static void print_fix(const TrackFix *fix, void *user_data)
{
    Job *job = user_data;
    if (job->event_out != NULL)
        match_events_take(&job->events, fix);
    job->by_status[fix->status]++;
    print_time(job->out, fix->time_ns);
    if (fix->status == FIX_MATCHED)
        print_match(job, fix);
    else if (isfinite(fix->raw.lat) && isfinite(fix->raw.lon))
        (void)fprintf(job->out, ",,,%.7f,%.7f,\n", fix->raw.lat, fix->raw.lon);
    else
        (void)fputs(",,,,,\n", job->out);
}

static gboolean match_one(Job *job, Drive *drive, gint64 receiver, GError **error)
{
    job->receiver = receiver;
    job->events = (MatchEvents){.func = print_event, .user_data = job};
    if (!match_receiver(job->network, drive, receiver, job->options, NULL, print_fix, job, error)) {
        g_prefix_error(error, "%s: ", drive_path(drive));
        return FALSE;
    }
    match_events_finish(&job->events);
    return TRUE;
}

static gboolean match_drive(Job *job, const char *path, GError **error)
{
    g_autoptr(Drive) drive = drive_open(path, error);
    if (drive == NULL)
        return FALSE;
    g_autoptr(GArray) receivers = match_receivers(drive, error);
    if (receivers == NULL)
        return FALSE;
    for (guint i = 0; i < receivers->len; i++)
        if (!match_one(job, drive, g_array_index(receivers, gint64, i), error))
            return FALSE;
    drive_add_problems(drive, job->problems);
    return TRUE;
}

static gboolean match_to_files(Job *job, const char *csv, const char *events, char **drives,
                               GError **error)
{
    g_autoptr(FileReplace) file = file_replace_open(csv, error);
    if (file == NULL)
        return FALSE;
    g_autoptr(FileReplace) event_file = events != NULL ? file_replace_open(events, error) : NULL;
    if (events != NULL && event_file == NULL)
        return FALSE;
    job->out = file_replace_stream(file);
    (void)fputs("time,edge,offset_m,lat,lon,distance_m\n", job->out);
    if (event_file != NULL) {
        job->event_out = file_replace_stream(event_file);
        (void)fputs("time,until,receiver,kind,fixes,distance_m,lat,lon\n", job->event_out);
    }
    for (char **drive = drives; *drive != NULL; drive++)
        if (!match_drive(job, *drive, error))
            return FALSE;
    return (event_file == NULL || file_replace_commit(event_file, error)) &&
           file_replace_commit(file, error);
}

static gboolean parse_mode(const char *mode, unsigned *modes)
{
    static const struct {
        const char *name;
        unsigned modes;
    } rows[] = {{"all", 0}, {"road", EDGE_ROAD}, {"rail", EDGE_RAIL}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_strcmp0(mode, rows[i].name) == 0) {
            *modes = rows[i].modes;
            return TRUE;
        }
    return mode == NULL;
}

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *network_path = NULL;
    g_autofree char *csv = NULL;
    g_autofree char *events = NULL;
    g_autofree char *mode = NULL;
    const GOptionEntry entries[] = {
        {"network", 'n', 0, G_OPTION_ARG_FILENAME, &network_path, "Network to match to",
         "NET.gpkg"},
        {"csv", 0, 0, G_OPTION_ARG_FILENAME, &csv, "Table to write, a row for each fix", "OUT.csv"},
        {"events", 0, 0, G_OPTION_ARG_FILENAME, &events,
         "Table to write, a row for each fix refused", "OUT.csv"},
        {"mode", 0, 0, G_OPTION_ARG_STRING, &mode, "Only these edges: road, rail or all (all)",
         "MODE"},
        G_OPTION_ENTRY_NULL,
    };
    g_auto(GStrv) drives = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, -1, &drives, &status))
        return status;
    MatchOptions options = {0};
    if (network_path == NULL || csv == NULL)
        return command_usage_error(command, "%s is missing",
                                   network_path == NULL ? "-n NET.gpkg" : "--csv OUT.csv");
    if (!parse_mode(mode, &options.modes))
        return command_usage_error(command, "--mode %s: say road, rail or all", mode);
    const char *const maps[] = {network_path, NULL};
    const char *const outs[] = {csv, events};
    for (guint i = 0; i < G_N_ELEMENTS(outs); i++)
        if (!command_spares(command, outs[i], maps) ||
            !command_spares(command, outs[i], (const char *const *)drives))
            return EXIT_USAGE;
    g_autoptr(GError) error = NULL;
    g_autoptr(Network) network =
        match_load_network(network_path, drives, g_strv_length(drives), &error);
    if (network == NULL)
        return command_failed(command, error);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    Job job = {.network = network, .options = &options, .problems = problems};
    if (!match_to_files(&job, csv, events, drives, &error))
        return command_failed(command, error);
    command_tell_problems(command, problems);
    printf("%s: %" G_GUINT64_FORMAT " fixes matched, %" G_GUINT64_FORMAT
           " off the network, %" G_GUINT64_FORMAT " rejected, %" G_GUINT64_FORMAT " repeated\n",
           csv, job.by_status[FIX_MATCHED], job.by_status[FIX_OFF_NETWORK],
           job.by_status[FIX_REJECTED], job.by_status[FIX_REPEATED]);
    return EXIT_DONE;
}

const Command command_match = {"match", "DRIVE…", "find where on a network each fix was", run};
