/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/export.h"

#include "formats/file-replace.h"

#include <math.h>
#include <string.h>
#include <time.h>

G_DEFINE_QUARK(corridor - export - error - quark, export_error)

static const ExportFormat *const formats[] = {&export_csv, &export_geojson, &export_kml,
                                              &export_gpx};

struct ExportWriter {
    const ExportFormat *format;
    ExportHead head;
    FileReplace *file;
    FILE *out;
    guint64 rows;
    char *path;
};

const char *const *export_formats(void)
{
    static const char *names[G_N_ELEMENTS(formats) + 1];
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
        names[i] = formats[i]->name;
    return names;
}

ExportWriter *export_create(const char *path, const char *format, const ExportHead *head,
                            GError **error)
{
    const ExportFormat *found = NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
        if (strcmp(formats[i]->name, format) == 0)
            found = formats[i];
    if (found == NULL) {
        g_set_error(error, EXPORT_ERROR, EXPORT_ERROR_FORMAT,
                    "there is no format %s; formats are csv, geojson, kml, gpx", format);
        return NULL;
    }
    FileReplace *file = file_replace_open(path, error);
    if (file == NULL)
        return NULL;
    ExportWriter *writer = g_new0(ExportWriter, 1);
    writer->format = found;
    writer->head = *head;
    writer->file = file;
    writer->out = file_replace_stream(file);
    writer->path = g_strdup(path);
    found->begin(writer->out, &writer->head);
    return writer;
}

void export_free(ExportWriter *writer)
{
    if (writer == NULL)
        return;
    file_replace_free(writer->file);
    g_free(writer->path);
    g_free(writer);
}

gboolean export_has_groups(const ExportWriter *writer)
{
    return writer->format->groups;
}

void export_group_begin(ExportWriter *writer, const char *name, gboolean shown)
{
    if (writer->format->group_begin != NULL)
        writer->format->group_begin(writer->out, &writer->head, name, shown);
}

void export_group_break(ExportWriter *writer)
{
    if (writer->format->group_break != NULL)
        writer->format->group_break(writer->out);
}

void export_group_end(ExportWriter *writer)
{
    if (writer->format->group_end != NULL)
        writer->format->group_end(writer->out, &writer->head);
}

/* Numbers that are no place would be no GeoJSON, and no GPX. */
static gboolean is_on_earth(const ExportRow *row)
{
    for (size_t i = 0; i < row->n_points; i++)
        if (!(fabs(row->points[i].lon) <= 180.0 && fabs(row->points[i].lat) <= 90.0))
            return FALSE;
    return TRUE;
}

gboolean export_add(ExportWriter *writer, const ExportRow *row, GError **error)
{
    ExportRow nowhere = *row;
    nowhere.n_points = 0;
    writer->format->row(writer->out, &writer->head, is_on_earth(row) ? row : &nowhere,
                        writer->rows++);
    if (ferror(writer->out)) {
        g_set_error(error, EXPORT_ERROR, EXPORT_ERROR_FAILED,
                    "%s: cannot be written; is the disk full?", writer->path);
        return FALSE;
    }
    return TRUE;
}

gboolean export_finish(ExportWriter *writer, GError **error)
{
    if (writer->format->end != NULL)
        writer->format->end(writer->out, writer->rows);
    return file_replace_commit(writer->file, error);
}

const char *export_real(double value, char text[32])
{
    if (!isfinite(value)) {
        text[0] = '\0';
        return text;
    }
    return g_ascii_formatd(text, 32, "%.12g", value);
}

const char *export_time(int64_t time_ns, char text[32])
{
    const int64_t second = 1000000000;
    int64_t rest = time_ns % second;
    int64_t seconds = time_ns / second - (rest < 0 ? 1 : 0);
    int ms = (int)((rest < 0 ? rest + second : rest) / 1000000);
    struct tm utc;
    time_t whole = (time_t)seconds;
    if (gmtime_r(&whole, &utc) == NULL) {
        text[0] = '\0';
        return text;
    }
    size_t n = strftime(text, 24, "%Y-%m-%dT%H:%M:%S", &utc);
    if (ms != 0)
        (void)g_snprintf(text + n, 32 - n, ".%03dZ", ms);
    else
        (void)g_snprintf(text + n, 32 - n, "Z");
    return text;
}

char *export_xml(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    for (char *c = valid; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
        else if (strncmp(c, "\xef\xbf\xbe", 3) == 0 || strncmp(c, "\xef\xbf\xbf", 3) == 0)
            c[2] = '\xbd'; /* U+FFFE and U+FFFF are no characters of XML (1.0, 2.2) */
    return g_markup_escape_text(valid, -1);
}
