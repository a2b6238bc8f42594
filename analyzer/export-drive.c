/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/export-drive.h"

#include "formats/drive-read.h"
#include "formats/export.h"
#include "formats/radio.h"

#include <math.h>
#include <string.h>

/* Fixes of one receiver, walked along beside its samples. */
typedef struct {
    DriveCursor *cursor;
    const Batch *batch;
    size_t next;
    Fix before, after;
    gboolean has_before, has_after, at_end;
} FixWalk;

enum { FIRST_FIELDS = 4, N_COLUMNS = FIRST_FIELDS + SAMPLE_COL_COUNT };

/* Classes of level, chosen by the project; colours (cividis-like) that colour-blind people tell
 * apart. */
static const struct {
    double from_dbm;
    ExportStyle style;
} classes[] = {
    {-85.0, {"l85", "level from -85 dBm", 0x08306b}},
    {-95.0, {"l95", "level -95 to -85 dBm", 0x2171b5}},
    {-105.0, {"l105", "level -105 to -95 dBm", 0x6baed6}},
    {-115.0, {"l115", "level -115 to -105 dBm", 0xfdae61}},
    {-1000.0, {"l999", "level under -115 dBm", 0xe6550d}},
};
enum { STYLE_NO_SERVICE = G_N_ELEMENTS(classes), STYLE_NO_LEVEL, N_STYLES };

typedef struct {
    Drive *drive;
    ExportWriter *writer;
    ExportSummary *summary;
    ExportProgressFunc progress;
    gpointer data;
    gint64 total;
    ExportColumn columns[N_COLUMNS];
    guint n_columns;
    gboolean groups;
} Job;

static gboolean fix_walk_step(FixWalk *walk, GError **error)
{
    for (;;) {
        while (walk->batch != NULL && walk->next < walk->batch->n) {
            Fix fix;
            batch_get(walk->batch, RECORD_FIX, walk->next++, &fix);
            if (!RECORD_HAS(&fix, FIX, lat) || !RECORD_HAS(&fix, FIX, lon))
                continue;
            walk->before = walk->after;
            walk->has_before = walk->has_after;
            walk->after = fix;
            walk->has_after = TRUE;
            return TRUE;
        }
        GError *failure = NULL;
        walk->batch = drive_next(walk->cursor, &failure);
        walk->next = 0;
        if (walk->batch != NULL)
            continue;
        if (failure != NULL) {
            g_propagate_error(error, failure);
            return FALSE;
        }
        if (!walk->at_end) {
            walk->before = walk->after;
            walk->has_before = walk->has_after;
            walk->has_after = FALSE;
            walk->at_end = TRUE;
        }
        return TRUE;
    }
}

static gboolean fix_walk_place(FixWalk *walk, int64_t time_ns, ExportPoint *point, gboolean *known,
                               GError **error)
{
    *known = FALSE;
    while (!walk->at_end && (!walk->has_after || walk->after.time_ns < time_ns))
        if (!fix_walk_step(walk, error))
            return FALSE;
    if (walk->has_after && walk->after.time_ns == time_ns) {
        *point = (ExportPoint){walk->after.lon, walk->after.lat};
        *known = TRUE;
    } else if (walk->has_before && walk->before.time_ns == time_ns) {
        *point = (ExportPoint){walk->before.lon, walk->before.lat};
        *known = TRUE;
    } else if (walk->has_before && walk->has_after &&
               walk->after.time_ns - walk->before.time_ns <=
                   EXPORT_FIX_GAP_S * G_GINT64_CONSTANT(1000000000) &&
               fabs(walk->after.lon - walk->before.lon) < 180.0) {
        double share = (double)(time_ns - walk->before.time_ns) /
                       (double)(walk->after.time_ns - walk->before.time_ns);
        point->lon = walk->before.lon + share * (walk->after.lon - walk->before.lon);
        point->lat = walk->before.lat + share * (walk->after.lat - walk->before.lat);
        *known = TRUE;
    }
    return TRUE;
}

/* time, operator, source, antenna, then the sample's columns but for time, source and request. */
static void make_columns(Job *job)
{
    static const char *const first[FIRST_FIELDS] = {"time", "operator", "source", "antenna"};
    const RecordType *type = record_type(RECORD_SAMPLE);
    for (int i = 0; i < FIRST_FIELDS; i++)
        job->columns[job->n_columns++] = (ExportColumn){first[i], EXPORT_TEXT};
    for (unsigned c = 0; c < type->n_columns; c++) {
        if (c == SAMPLE_COL_time_ns || c == SAMPLE_COL_source || c == SAMPLE_COL_request_ns)
            continue;
        const RecordColumn *column = &type->columns[c];
        job->columns[job->n_columns++] =
            (ExportColumn){column->name, column->type == COLUMN_INT    ? EXPORT_INT
                                         : column->type == COLUMN_REAL ? EXPORT_REAL
                                                                       : EXPORT_TEXT};
    }
}

static ExportValue text_value(const char *text)
{
    return (ExportValue){.known = text != NULL, .v.t = text};
}

static void fill_values(const Source *source, const Sample *sample, const char *time,
                        ExportValue *values)
{
    static const RecordColumn *place;
    const RecordType *type = record_type(RECORD_SAMPLE);
    if (place == NULL)
        place = &record_type(RECORD_SOURCE)->columns[SOURCE_COL_place];
    values[0] = text_value(time);
    values[1] =
        text_value(RECORD_HAS(source, SOURCE, operator_label) ? source->operator_label : NULL);
    values[2] = text_value(RECORD_HAS(source, SOURCE, label) ? source->label : NULL);
    values[3] = text_value(
        RECORD_HAS(source, SOURCE, place) ? record_enum_name(place, source->place) : NULL);
    ExportValue *value = values + FIRST_FIELDS;
    for (unsigned c = 0; c < type->n_columns; c++) {
        if (c == SAMPLE_COL_time_ns || c == SAMPLE_COL_source || c == SAMPLE_COL_request_ns)
            continue;
        const RecordColumn *column = &type->columns[c];
        const void *field = (const char *)sample + column->offset;
        value->known = (sample->known >> c & 1U) != 0;
        if (column->type == COLUMN_INT)
            value->v.i = *(const int64_t *)field;
        else if (column->type == COLUMN_REAL)
            value->v.r = *(const double *)field;
        else if (column->type == COLUMN_TEXT)
            value->v.t = *(const char *const *)field;
        else
            value->v.t = record_enum_name(column, *(const int *)field);
        /* An empty service would be read as the one that follows from the technology. */
        if (c == SAMPLE_COL_service && !value->known)
            *value = text_value("unknown");
        value++;
    }
}

static guint style_of(const Sample *sample)
{
    double level = 0;
    if (RECORD_HAS(sample, SAMPLE, service) && sample->service == SERVICE_NONE)
        return STYLE_NO_SERVICE;
    if (!radio_level_dbm(sample, &level))
        return STYLE_NO_LEVEL;
    for (guint i = 0; i + 1 < G_N_ELEMENTS(classes); i++)
        if (level >= classes[i].from_dbm)
            return i;
    return G_N_ELEMENTS(classes) - 1;
}

/* "LTE -97 dBm", "no service". */
static void describe(const Sample *sample, char name[64])
{
    double level = 0;
    const char *rat = RECORD_HAS(sample, SAMPLE, rat) ? rat_name((Rat)sample->rat) : "unknown";
    if (RECORD_HAS(sample, SAMPLE, service) && sample->service == SERVICE_NONE)
        (void)g_snprintf(name, 64, "no service");
    else if (radio_level_dbm(sample, &level))
        (void)g_snprintf(name, 64, "%s %.0f dBm", rat, level);
    else
        (void)g_snprintf(name, 64, "%s", rat);
}

static gboolean export_sample(Job *job, const Source *source, const Sample *sample, FixWalk *walk,
                              gboolean *placed_before, GError **error)
{
    ExportPoint point;
    ExportValue values[N_COLUMNS];
    gboolean known = FALSE;
    char time[32];
    char name[64];
    if (!fix_walk_place(walk, sample->time_ns, &point, &known, error))
        return FALSE;
    job->summary->without_place += known ? 0 : 1;
    if (job->groups && !known && *placed_before)
        export_group_break(job->writer);
    *placed_before = known;
    if (!job->groups)
        fill_values(source, sample, export_time(sample->time_ns, time), values);
    else
        describe(sample, name);
    ExportRow row = {.values = job->groups ? NULL : values,
                     .points = &point,
                     .n_points = known ? 1 : 0,
                     .name = job->groups ? name : NULL,
                     .style = style_of(sample),
                     .has_time = TRUE,
                     .time_ns = sample->time_ns};
    return export_add(job->writer, &row, error);
}

static gboolean export_source(Job *job, const Source *source, GError **error)
{
    gint64 receiver =
        RECORD_HAS(source, SOURCE, position_source) ? source->position_source : source->id;
    g_autoptr(DriveCursor) samples =
        drive_read(job->drive, RECORD_SAMPLE, 0, source->id, INT64_MIN, INT64_MAX, error);
    g_autoptr(DriveCursor) fixes =
        samples != NULL
            ? drive_read(job->drive, RECORD_FIX, RECORD_BIT(FIX, lat) | RECORD_BIT(FIX, lon),
                         receiver, INT64_MIN, INT64_MAX, error)
            : NULL;
    if (fixes == NULL)
        return FALSE;
    FixWalk walk = {.cursor = fixes};
    GError *failure = NULL;
    const Batch *batch = NULL;
    gboolean begun = FALSE;
    gboolean placed = FALSE;
    while ((batch = drive_next(samples, &failure)) != NULL) {
        if (!begun)
            export_group_begin(job->writer,
                               RECORD_HAS(source, SOURCE, label) ? source->label : "source", TRUE);
        begun = TRUE;
        for (size_t i = 0; i < batch->n; i++) {
            Sample sample;
            batch_get(batch, RECORD_SAMPLE, i, &sample);
            if (!export_sample(job, source, &sample, &walk, &placed, error))
                return FALSE;
        }
        job->summary->rows += batch->n;
        if (job->progress != NULL)
            job->progress((gint64)job->summary->rows, job->total, job->data);
    }
    if (begun)
        export_group_end(job->writer);
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

gboolean export_drive(const char *path, const ExportOptions *options, ExportProgressFunc progress,
                      gpointer data, ExportSummary *summary, GError **error)
{
    g_autoptr(Drive) drive = drive_open(path, error);
    if (drive == NULL)
        return FALSE;
    Job job = {.drive = drive, .summary = summary, .progress = progress, .data = data};
    gint64 first = 0;
    gint64 last = 0;
    if (!drive_count(drive, RECORD_SAMPLE, 0, &job.total, &first, &last, error))
        return FALSE;
    make_columns(&job);
    ExportStyle styles[N_STYLES];
    for (guint i = 0; i < G_N_ELEMENTS(classes); i++)
        styles[i] = classes[i].style;
    styles[STYLE_NO_SERVICE] = (ExportStyle){"none", "no service", 0x000000};
    styles[STYLE_NO_LEVEL] = (ExportStyle){"unknown", "no level measured", 0x999999};
    g_autofree char *title = g_path_get_basename(path);
    ExportHead head = {.title = title,
                       .columns = job.columns,
                       .n_columns = job.n_columns,
                       .styles = styles,
                       .n_styles = N_STYLES};
    g_autoptr(ExportWriter) writer = export_create(options->out, options->format, &head, error);
    if (writer == NULL)
        return FALSE;
    job.writer = writer;
    job.groups = export_has_groups(writer);
    guint n = 0;
    guint taken = 0;
    const Source *sources = drive_sources(drive, &n);
    for (guint i = 0; i < n; i++) {
        const Source *source = &sources[i];
        if (options->operator_label != NULL &&
            (!RECORD_HAS(source, SOURCE, operator_label) ||
             strcmp(source->operator_label, options->operator_label) != 0))
            continue;
        taken++;
        if (!export_source(&job, source, error))
            return FALSE;
    }
    if (taken == 0) {
        g_set_error(error, EXPORT_ERROR, EXPORT_ERROR_FAILED,
                    "%s: has no source of operator %s; corridor info shows what is in it", path,
                    options->operator_label != NULL ? options->operator_label : "any");
        return FALSE;
    }
    drive_add_problems(drive, summary->problems);
    return export_finish(writer, error);
}
