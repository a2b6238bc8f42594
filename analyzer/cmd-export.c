/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/export-drive.h"
#include "analyzer/progress.h"
#include "formats/drive.h"
#include "formats/export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef enum { FILE_OTHER, FILE_DRIVE, FILE_GEOPACKAGE } FileKind;

/* Both are SQLite files; the application id at byte 68 tells them apart
 * (https://www.sqlite.org/fileformat.html, 1.3; OGC 12-128r17, 1.1.1). */
static gboolean sniff(const char *path, FileKind *kind, GError **error)
{
    unsigned char head[72] = {0};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        g_set_error(error, EXPORT_ERROR, EXPORT_ERROR_FAILED, "%s: cannot be read: %s", path,
                    g_strerror(errno));
        return FALSE;
    }
    size_t n = fread(head, 1, sizeof head, file);
    (void)fclose(file);
    guint32 id = (guint32)head[68] << 24 | (guint32)head[69] << 16 | (guint32)head[70] << 8 |
                 (guint32)head[71];
    *kind = FILE_OTHER;
    if (n == sizeof head && memcmp(head, "SQLite format 3", 16) == 0)
        *kind = id == DRIVE_APPLICATION_ID                                 ? FILE_DRIVE
                : id == 0x47504b47 || id == 0x47503130 || id == 0x47503131 ? FILE_GEOPACKAGE
                                                                           : FILE_OTHER;
    return TRUE;
}

static void tell(gint64 done, gint64 total, gpointer data)
{
    (void)total;
    progress_set(data, done);
}

static int check(const Command *command, const ExportOptions *options)
{
    if (options->out == NULL)
        return command_usage_error(command, "-o FILE is missing");
    if (options->format == NULL)
        return command_usage_error(command, "--format is missing: csv, geojson, kml or gpx");
    if (!g_strv_contains(export_formats(), options->format))
        return command_usage_error(command,
                                   "there is no format %s; formats are csv, geojson, kml, "
                                   "gpx",
                                   options->format);
    return EXIT_DONE;
}

static gboolean export_file(const char *path, const ExportOptions *options, ExportSummary *summary,
                            GError **error)
{
    FileKind kind = FILE_OTHER;
    if (!sniff(path, &kind, error))
        return FALSE;
    if (kind == FILE_OTHER) {
        g_set_error(error, EXPORT_ERROR, EXPORT_ERROR_FAILED,
                    "%s: is neither a drive nor a GeoPackage of corridor analyze", path);
        return FALSE;
    }
    if (kind == FILE_GEOPACKAGE)
        return export_results(path, options, summary, error);
    if (options->layer != NULL || options->service != NULL) {
        g_set_error(error, EXPORT_ERROR, EXPORT_ERROR_FAILED,
                    "%s: is a drive; --layer and --service are for results", path);
        return FALSE;
    }
    g_autoptr(Progress) progress = progress_new("exporting", "samples", 0);
    return export_drive(path, options, tell, progress, summary, error);
}

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *format = NULL;
    g_autofree char *out = NULL;
    g_autofree char *layer = NULL;
    g_autofree char *service = NULL;
    g_autofree char *label = NULL;
    const GOptionEntry entries[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &format, "csv, geojson, kml or gpx", "F"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &out, "File to write", "FILE"},
        {"operator", 0, 0, G_OPTION_ARG_STRING, &label, "Only this operator", "LABEL"},
        {"service", 0, 0, G_OPTION_ARG_STRING, &service, "Results as kml or gpx: only this service",
         "ID"},
        {"layer", 0, 0, G_OPTION_ARG_STRING, &layer, "csv, geojson: this table, not segments",
         "NAME"},
        G_OPTION_ENTRY_NULL,
    };
    g_auto(GStrv) words = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, 1, &words, &status))
        return status;
    const ExportOptions options = {format, out, layer, service, label};
    status = check(command, &options);
    if (status != EXIT_DONE)
        return status;
    if (!command_spares(command, out, (const char *const *)words))
        return EXIT_USAGE;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    ExportSummary summary = {.problems = problems};
    if (!export_file(words[0], &options, &summary, &error))
        return command_failed(command, error);
    command_tell_problems(command, problems);
    printf("%s: %" G_GUINT64_FORMAT " rows", out, summary.rows);
    if (summary.without_place > 0)
        printf(", %" G_GUINT64_FORMAT " of them without a place", summary.without_place);
    puts("");
    return EXIT_DONE;
}

const Command command_export = {"export", "DRIVE|OUT.gpkg",
                                "write samples or results as CSV, GeoJSON, KML or GPX", run};
