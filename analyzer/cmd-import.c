/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/progress.h"
#include "formats/file-replace.h"
#include "formats/import.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    char *format, *operator_label, *vehicle, *timezone, *output, *map_file, *antenna;
    char **map;
} Options;

static void clear_options(Options *options)
{
    g_free(options->format);
    g_free(options->operator_label);
    g_free(options->vehicle);
    g_free(options->timezone);
    g_free(options->output);
    g_free(options->map_file);
    g_free(options->antenna);
    g_strfreev(options->map);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, clear_options)

static void show_progress(gint64 done, gint64 total, gpointer data)
{
    (void)total;
    progress_set(data, done);
}

static void print_summary(const char *path, const ImportSummary *s)
{
    printf("%s: %s, %" G_GUINT64_FORMAT " rows: %" G_GUINT64_FORMAT " samples", path, s->format,
           s->rows, s->samples);
    if (s->no_service > 0)
        printf(" (%" G_GUINT64_FORMAT " without service)", s->no_service);
    const struct {
        guint64 n;
        const char *name;
    } more[] = {{s->fixes, "fixes"},
                {s->latencies, "round trips"},
                {s->throughputs, "throughputs"},
                {s->events, "events"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(more); i++)
        if (more[i].n > 0)
            printf(", %" G_GUINT64_FORMAT " %s", more[i].n, more[i].name);
    putchar('\n');
    guint64 refused = 0;
    for (int k = 0; k < REFUSED_KIND_COUNT; k++)
        refused += s->refused.count[k];
    if (refused == 0)
        return;
    printf("  %" G_GUINT64_FORMAT " values out of range, stored as unknown:", refused);
    for (int k = 0; k < REFUSED_KIND_COUNT; k++)
        if (s->refused.count[k] > 0)
            printf(" %s %" G_GUINT64_FORMAT, radio_refused_name((RefusedKind)k),
                   s->refused.count[k]);
    putchar('\n');
}

/* OUT.drive, or the first file's name with the extension .drive in the current folder. */
static char *output_name(const Options *options, const char *first)
{
    if (options->output != NULL)
        return g_strdup(options->output);
    g_autofree char *base = g_path_get_basename(first);
    char *dot = strrchr(base, '.');
    if (dot != NULL && dot != base)
        *dot = '\0';
    return g_strconcat(base, ".drive", NULL);
}

/* "roof", "cabin"; anything else is PLACE_UNKNOWN. */
static AntennaPlace antenna_place(const char *word)
{
    const RecordColumn *column = &record_type(RECORD_SOURCE)->columns[SOURCE_COL_place];
    int value = word != NULL ? record_enum_value(column, word, strlen(word)) : -1;
    return value > 0 ? (AntennaPlace)value : PLACE_UNKNOWN;
}

/* What became of one file. */
typedef struct {
    char *path;
    ImportSummary summary;
} Result;

static void clear_result(gpointer result)
{
    g_free(((Result *)result)->path);
}

static gboolean import_one(DriveWriter *writer, const ImportOptions *options, const char *file,
                           GArray *results, GError **error)
{
    GStatBuf st;
    gint64 size = g_stat(file, &st) == 0 ? (gint64)st.st_size : 0;
    g_autoptr(Progress) progress = progress_new(file, "bytes", size);
    Result result;
    if (!import_file(writer, file, options, show_progress, progress, &result.summary, error))
        return FALSE;
    result.path = g_strdup(file);
    g_array_append_val(results, result);
    return TRUE;
}

/* What belongs to the file read last and was not named itself. */
static gboolean import_beside(DriveWriter *writer, const ImportOptions *options, char **files,
                              GArray *results, GError **error)
{
    const Result *last = &g_array_index(results, Result, results->len - 1);
    g_auto(GStrv) beside = import_companions(last->path, last->summary.format);
    for (char **file = beside; *file != NULL; file++) {
        g_autoptr(GError) failure = NULL;
        if (g_strv_contains((const char *const *)files, *file) ||
            import_one(writer, options, *file, results, &failure))
            continue;
        if (!g_error_matches(failure, DRIVE_ERROR, DRIVE_ERROR_DUPLICATE)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean import_all(DriveWriter *writer, const Options *options, char **files,
                           GArray *results, GError **error)
{
    ImportOptions import_options = {
        .format = options->format,
        .operator_label = options->operator_label,
        .timezone = options->timezone,
        .map = (const char *const *)options->map,
        .map_file = options->map_file,
        .place = antenna_place(options->antenna),
    };
    if (options->vehicle != NULL && !drive_set_meta(writer, "vehicle", options->vehicle, error))
        return FALSE;
    if (!drive_set_meta(writer, "software", "corridor " CORRIDOR_VERSION, error))
        return FALSE;
    for (char **file = files; *file != NULL; file++)
        if (!import_one(writer, &import_options, *file, results, error) ||
            !import_beside(writer, &import_options, files, results, error))
            return FALSE;
    return TRUE;
}

static void remove_drive(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (unsigned i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *name = g_strconcat(path, endings[i], NULL);
        (void)g_unlink(name);
    }
}

/* A new drive is written beside and renamed, so that it appears whole or not at all. */
static gboolean import_new(const char *output, const Options *options, char **files,
                           GArray *results, GError **error)
{
    if (!file_replace_check(output, error))
        return FALSE;
    g_autofree char *beside = file_replace_name_beside(output);
    file_replace_watch(beside);
    g_autoptr(DriveWriter) writer = drive_create(beside, error);
    if (writer == NULL) {
        file_replace_unwatch(beside);
        return FALSE;
    }
    gboolean done = drive_writer_set_bulk(writer, error) &&
                    import_all(writer, options, files, results, error) &&
                    drive_writer_close(writer, error);
    g_clear_pointer(&writer, drive_writer_free);
    done = done && file_replace_rename(beside, output, error);
    if (!done)
        remove_drive(beside);
    file_replace_unwatch(beside);
    return done;
}

/* An existing drive gets all files in one transaction, or none. */
static gboolean import_into(const char *output, const Options *options, char **files,
                            GArray *results, GError **error)
{
    g_autoptr(DriveWriter) writer = drive_open_append(output, error);
    if (writer == NULL || !import_all(writer, options, files, results, error) ||
        !drive_writer_close(writer, error))
        return FALSE;
    g_clear_pointer(&writer, drive_writer_free);
    return drive_seal(output, NULL, error);
}

static int run(const Command *command, int argc, char **argv)
{
    g_auto(Options) options = {0};
    const GOptionEntry entries[] = {
        {"format", 0, 0, G_OPTION_ARG_STRING, &options.format,
         "breitband, gnettrack, plain or generic", "F"},
        {"operator", 0, 0, G_OPTION_ARG_STRING, &options.operator_label,
         "Label of the operator, not what the file says", "LABEL"},
        {"vehicle", 0, 0, G_OPTION_ARG_STRING, &options.vehicle, "Name of the vehicle", "V"},
        {"timezone", 0, 0, G_OPTION_ARG_STRING, &options.timezone,
         "Zone of times, like Europe/Stockholm (UTC)", "TZ"},
        {"antenna", 0, 0, G_OPTION_ARG_STRING, &options.antenna,
         "Where the devices were: roof or cabin", "PLACE"},
        {"map", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.map,
         "Which column is what; see corridor-mapping(5)", "FIELD=COLUMN"},
        {"map-file", 0, 0, G_OPTION_ARG_FILENAME, &options.map_file, "A file of such lines",
         "FILE"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
         "Drive to make, or to add to if it exists", "OUT.drive"},
        G_OPTION_ENTRY_NULL,
    };
    g_auto(GStrv) files = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, -1, &files, &status))
        return status;
    if (options.antenna != NULL && antenna_place(options.antenna) == PLACE_UNKNOWN)
        return command_usage_error(command, "--antenna is roof or cabin, not %s", options.antenna);
    g_autofree char *output = output_name(&options, files[0]);
    if (!command_spares(command, output, (const char *const *)files))
        return EXIT_USAGE;
    g_autoptr(GArray) results = g_array_new(FALSE, FALSE, sizeof(Result));
    g_array_set_clear_func(results, clear_result);
    g_autoptr(GError) error = NULL;
    gboolean exists = g_file_test(output, G_FILE_TEST_EXISTS);
    gboolean done = exists ? import_into(output, &options, files, results, &error)
                           : import_new(output, &options, files, results, &error);
    if (!done) {
        (void)command_failed(command, error);
        return g_error_matches(error, FORMAT_ERROR, FORMAT_ERROR_OPTION) ? EXIT_USAGE : EXIT_FAILED;
    }
    gboolean used_zone = FALSE;
    for (guint i = 0; i < results->len; i++) {
        const Result *result = &g_array_index(results, Result, i);
        print_summary(result->path, &result->summary);
        used_zone = used_zone || result->summary.used_zone;
    }
    printf("%s %s\n", exists ? "added to" : "wrote", output);
    if (used_zone && options.timezone == NULL)
        command_warn(command, "times name no time zone and were read as UTC; give --timezone");
    return EXIT_DONE;
}

const Command command_import = {"import", "FILE…", "read measurement files into a drive", run};
