/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/scrub.h"

#include "analyzer/crs.h"
#include "formats/drive-read.h"
#include "formats/drive-write.h"
#include "formats/file-replace.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

G_DEFINE_QUARK(corridor - scrub - error, scrub_error)

/* Metres of a degree of latitude, for the squares of --blur; their exact size does not matter. */
static const double metres_per_degree = 111195.0;

#define IMPORT_NAME "scrubbed" /* of any imported file */

typedef struct {
    gint64 receiver, from_ns, to_ns; /* from_ns <= time_ns < to_ns */
} Span;

/* Different values of one kind of id, in order of appearance. */
typedef struct {
    GHashTable *numbers;
} Renamer;

enum { RENAME_CELL, RENAME_AREA, RENAME_NR_CELL, RENAME_COUNT };

typedef struct {
    const ScrubOptions *options;
    ScrubReport *report;
    Drive *drive;
    GArray *spans;
    GHashTable *receivers; /* source -> its receiver, where that has fixes */
    Renamer renamers[RENAME_COUNT];
} Scrub;

/* ---- places ---- */

static gboolean is_near(const ScrubOptions *options, double lat, double lon)
{
    for (guint i = 0; i < options->n_places; i++)
        if (crs_distance_m(options->places[i].at, (GeoPoint){lon, lat}) <=
            options->places[i].radius_m)
            return TRUE;
    return FALSE;
}

static gboolean has_position(const Fix *fix)
{
    return RECORD_HAS(fix, FIX, lat) && RECORD_HAS(fix, FIX, lon);
}

/* Times of one receiver near a place: from behind the last fix outside to the next one outside. */
static gboolean find_spans(Scrub *scrub, gint64 receiver, GError **error)
{
    g_autoptr(DriveCursor) cursor =
        drive_read(scrub->drive, RECORD_FIX, 0, receiver, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    GError *failure = NULL;
    gint64 outside_ns = INT64_MIN;
    gboolean inside = FALSE;
    const Batch *batch = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            Fix fix;
            batch_get(batch, RECORD_FIX, i, &fix);
            if (!has_position(&fix))
                continue;
            gboolean near = is_near(scrub->options, fix.lat, fix.lon);
            if (inside && !near) {
                Span span = {receiver, outside_ns, fix.time_ns};
                g_array_append_val(scrub->spans, span);
            }
            inside = near;
            if (!near)
                outside_ns = fix.time_ns + 1;
        }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (inside) {
        Span span = {receiver, outside_ns, INT64_MAX};
        g_array_append_val(scrub->spans, span);
    }
    return TRUE;
}

static gboolean prepare(Scrub *scrub, GError **error)
{
    guint n = 0;
    const Source *sources = drive_sources(scrub->drive, &n);
    gint64 first = 0;
    gint64 last = 0;
    gint64 count = 0;
    for (guint i = 0; i < n; i++) {
        const Source *source = &sources[i];
        gint64 receiver =
            RECORD_HAS(source, SOURCE, position_source) ? source->position_source : source->id;
        if (!drive_count(scrub->drive, RECORD_FIX, receiver, &count, &first, &last, error))
            return FALSE;
        if (count > 0)
            g_hash_table_insert(scrub->receivers, g_memdup2(&source->id, sizeof source->id),
                                g_memdup2(&receiver, sizeof receiver));
        if (scrub->options->n_places > 0 && !find_spans(scrub, source->id, error))
            return FALSE;
    }
    for (guint i = 0; i < scrub->spans->len; i++) {
        const Span *span = &g_array_index(scrub->spans, Span, i);
        if (!drive_count(scrub->drive, RECORD_FIX, span->receiver, &count, &first, &last, error))
            return FALSE;
        scrub->report->seconds +=
            (double)(MIN(span->to_ns, last) - MAX(span->from_ns, first)) / 1e9;
    }
    scrub->report->spans = scrub->spans->len;
    return TRUE;
}

/* Whether something of this source at this time could tell of a place: by its own receiver, or by
 * any where none is known to place it. */
static gboolean is_hidden(const Scrub *scrub, gint64 source, gint64 from_ns, gint64 to_ns)
{
    const gint64 *receiver = g_hash_table_lookup(scrub->receivers, &source);
    for (guint i = 0; i < scrub->spans->len; i++) {
        const Span *span = &g_array_index(scrub->spans, Span, i);
        if ((receiver == NULL || span->receiver == *receiver) && to_ns >= span->from_ns &&
            from_ns < span->to_ns)
            return TRUE;
    }
    return FALSE;
}

/* ---- records ---- */

static gint64 int_of(const RecordType *type, const char *name, const void *record, gint64 otherwise)
{
    guint64 known = *(const guint64 *)record;
    for (unsigned c = 0; c < type->n_columns; c++)
        if (strcmp(type->columns[c].name, name) == 0 && (known >> c & 1U) != 0)
            return *(const gint64 *)(const void *)((const char *)record + type->columns[c].offset);
    return otherwise;
}

static gboolean is_removed(const Scrub *scrub, const RecordType *type, const void *record)
{
    if (scrub->options->blur_m > 0 || scrub->spans->len == 0 || type->kind == RECORD_SOURCE ||
        type->kind == RECORD_IMPORT)
        return FALSE;
    gint64 time_ns = int_of(type, "time_ns", record, 0);
    gint64 end_ns = int_of(type, "end_ns", record, time_ns);
    end_ns = MAX(end_ns, time_ns + int_of(type, "duration_ns", record, 0));
    return is_hidden(scrub, int_of(type, "source", record, 0), time_ns, end_ns);
}

/* The middle of the square of so many metres that a point lies in; that of a middle is itself. */
static GeoPoint middle_of_square(double size_m, double lat, double lon)
{
    double step = size_m / metres_per_degree;
    double middle = (floor(lat / step) + 0.5) * step;
    double lon_step = step / MAX(cos(middle * G_PI / 180.0), 0.01);
    return (GeoPoint){.lon = CLAMP((floor(lon / lon_step) + 0.5) * lon_step, -180.0, 180.0),
                      .lat = CLAMP(middle, -90.0, 90.0)};
}

static void blur(Scrub *scrub, Fix *fix)
{
    const double size_m = scrub->options->blur_m;
    if (size_m <= 0 || !has_position(fix) || !is_near(scrub->options, fix->lat, fix->lon))
        return;
    const GeoPoint middle = middle_of_square(size_m, fix->lat, fix->lon);
    RECORD_SET(fix, FIX, lat, middle.lat);
    RECORD_SET(fix, FIX, lon, middle.lon);
    RECORD_SET(fix, FIX, accuracy_m, MAX(size_m, fix->accuracy_m));
    RECORD_UNSET(fix, FIX, altitude_m);
    RECORD_UNSET(fix, FIX, speed_mps);
    RECORD_UNSET(fix, FIX, heading_deg);
    scrub->report->blurred++;
}

static gint64 rename_id(Renamer *renamer, gint64 id)
{
    gpointer number = g_hash_table_lookup(renamer->numbers, &id);
    if (number == NULL) {
        number = GUINT_TO_POINTER(g_hash_table_size(renamer->numbers) + 1);
        g_hash_table_insert(renamer->numbers, g_memdup2(&id, sizeof id), number);
    }
    return GPOINTER_TO_UINT(number);
}

static void hide_cells(Scrub *scrub, RecordKind kind, AnyRecord *any)
{
    if (kind == RECORD_SAMPLE) {
        Sample *sample = &any->SAMPLE_record;
        if (RECORD_HAS(sample, SAMPLE, cell_id))
            sample->cell_id = rename_id(&scrub->renamers[RENAME_CELL], sample->cell_id);
        if (RECORD_HAS(sample, SAMPLE, tac))
            sample->tac = rename_id(&scrub->renamers[RENAME_AREA], sample->tac);
        if (RECORD_HAS(sample, SAMPLE, nr_cell_id))
            sample->nr_cell_id = rename_id(&scrub->renamers[RENAME_NR_CELL], sample->nr_cell_id);
    } else if (kind == RECORD_NEIGHBOUR) {
        Neighbour *neighbour = &any->NEIGHBOUR_record;
        if (RECORD_HAS(neighbour, NEIGHBOUR, cell_id))
            neighbour->cell_id = rename_id(&scrub->renamers[RENAME_CELL], neighbour->cell_id);
    } else if (kind == RECORD_EVENT) {
        RECORD_UNSET(&any->EVENT_record, EVENT, detail); /* names the cells of a change */
    } else if (kind == RECORD_PROBE) {
        RECORD_UNSET(&any->PROBE_record, PROBE, detail);
    }
}

#define HIDE(scrub, record, KIND, field)                                                           \
    ((scrub)->report->devices += RECORD_HAS((record), KIND, field) ? 1 : 0,                        \
     RECORD_UNSET((record), KIND, field))

static void hide_devices(Scrub *scrub, RecordKind kind, AnyRecord *any)
{
    if (kind == RECORD_SOURCE) {
        HIDE(scrub, &any->SOURCE_record, SOURCE, device_hash);
        HIDE(scrub, &any->SOURCE_record, SOURCE, sim_hash);
        HIDE(scrub, &any->SOURCE_record, SOURCE, firmware);
    } else if (kind == RECORD_IMPORT) {
        HIDE(scrub, &any->IMPORT_record, IMPORT, sha256);
        HIDE(scrub, &any->IMPORT_record, IMPORT, detail);
        scrub->report->devices++;
        RECORD_SET(&any->IMPORT_record, IMPORT, name, IMPORT_NAME);
    } else if (kind == RECORD_CLOCK) {
        HIDE(scrub, &any->CLOCK_record, CLOCK, boot);
    } else if (kind == RECORD_EVENT) {
        HIDE(scrub, &any->EVENT_record, EVENT, detail);
    }
}

static gboolean copy_kind(Scrub *scrub, DriveWriter *writer, RecordKind kind, GError **error)
{
    const RecordType *type = record_type(kind);
    g_autoptr(DriveCursor) cursor =
        drive_read(scrub->drive, kind, 0, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    GError *failure = NULL;
    const Batch *batch = NULL;
    while (failure == NULL && (batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n && failure == NULL; i++) {
            AnyRecord record;
            batch_get(batch, kind, i, &record);
            if (is_removed(scrub, type, &record)) {
                scrub->report->removed[kind]++;
                continue;
            }
            if (kind == RECORD_FIX)
                blur(scrub, &record.FIX_record);
            if (scrub->options->cells)
                hide_cells(scrub, kind, &record);
            if (scrub->options->devices)
                hide_devices(scrub, kind, &record);
            scrub->report->kept[kind] += drive_add(writer, kind, &record, &failure) ? 1 : 0;
        }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

/* ---- the new drive ---- */

static gboolean copy_meta(Scrub *scrub, DriveWriter *writer, GError **error)
{
    /* What may name a place, a device or a person goes with any scrubbing. */
    static const char *const keys[] = {"vehicle", "software", "recovered"};
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *value = drive_meta(scrub->drive, keys[i]);
        if (value != NULL && !drive_set_meta(writer, keys[i], value, error))
            return FALSE;
    }
    g_autofree char *text = g_strdup_printf(
        "%u spans of time near places %s%s%s", scrub->report->spans,
        scrub->options->blur_m > 0 ? "blurred" : "removed",
        scrub->options->devices ? ", devices" : "", scrub->options->cells ? ", cell ids" : "");
    return drive_set_meta(writer, "scrubbed", text, error);
}

static gboolean write_out(Scrub *scrub, const char *path, GError **error)
{
    g_autoptr(DriveWriter) writer = drive_create(path, error);
    if (writer == NULL || !drive_writer_set_bulk(writer, error) || !copy_meta(scrub, writer, error))
        return FALSE;
    for (int k = 0; k < RECORD_KIND_COUNT; k++)
        if (!copy_kind(scrub, writer, (RecordKind)k, error))
            return FALSE;
    /* What could not be read would be missing from the rest, and nobody would know. */
    const GPtrArray *problems = drive_problems(scrub->drive);
    if (problems->len > 0) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s; nothing was written: run `corridor recover` first",
                    (const char *)g_ptr_array_index(problems, 0));
        return FALSE;
    }
    return drive_writer_close(writer, error);
}

/* ---- proof ---- */

static gboolean left(GError **error, const char *path, const char *what)
{
    g_set_error(error, SCRUB_ERROR, SCRUB_ERROR_LEFT, "%s: still holds %s; please report this",
                path, what);
    return FALSE;
}

/* A blurred position says no more than its square. */
static gboolean is_too_exact(const ScrubOptions *options, const Fix *fix)
{
    if (!has_position(fix) || !is_near(options, fix->lat, fix->lon))
        return FALSE;
    if (options->blur_m <= 0)
        return TRUE;
    const GeoPoint middle = middle_of_square(options->blur_m, fix->lat, fix->lon);
    return fabs(middle.lat - fix->lat) > 1e-9 || fabs(middle.lon - fix->lon) > 1e-9 ||
           RECORD_HAS(fix, FIX, altitude_m) || RECORD_HAS(fix, FIX, speed_mps) ||
           RECORD_HAS(fix, FIX, heading_deg);
}

static gboolean tells_of_device(RecordKind kind, const AnyRecord *any)
{
    const Source *source = &any->SOURCE_record;
    const Import *import = &any->IMPORT_record;
    switch (kind) {
    case RECORD_SOURCE:
        return RECORD_HAS(source, SOURCE, device_hash) || RECORD_HAS(source, SOURCE, sim_hash) ||
               RECORD_HAS(source, SOURCE, firmware);
    case RECORD_IMPORT:
        return RECORD_HAS(import, IMPORT, sha256) || RECORD_HAS(import, IMPORT, detail) ||
               g_strcmp0(import->name, IMPORT_NAME) != 0;
    case RECORD_CLOCK:
        return RECORD_HAS(&any->CLOCK_record, CLOCK, boot);
    case RECORD_EVENT:
        return RECORD_HAS(&any->EVENT_record, EVENT, detail);
    default:
        return FALSE;
    }
}

static gboolean is_no_new_name(const Scrub *scrub, int renamer, gboolean has, gint64 id)
{
    return has && (id < 1 || id > (gint64)g_hash_table_size(scrub->renamers[renamer].numbers));
}

static gboolean tells_of_cell(const Scrub *scrub, RecordKind kind, const AnyRecord *any)
{
    const Sample *sample = &any->SAMPLE_record;
    const Neighbour *neighbour = &any->NEIGHBOUR_record;
    switch (kind) {
    case RECORD_SAMPLE:
        return is_no_new_name(scrub, RENAME_CELL, RECORD_HAS(sample, SAMPLE, cell_id),
                              sample->cell_id) ||
               is_no_new_name(scrub, RENAME_AREA, RECORD_HAS(sample, SAMPLE, tac), sample->tac) ||
               is_no_new_name(scrub, RENAME_NR_CELL, RECORD_HAS(sample, SAMPLE, nr_cell_id),
                              sample->nr_cell_id);
    case RECORD_NEIGHBOUR:
        return is_no_new_name(scrub, RENAME_CELL, RECORD_HAS(neighbour, NEIGHBOUR, cell_id),
                              neighbour->cell_id);
    case RECORD_EVENT:
        return RECORD_HAS(&any->EVENT_record, EVENT, detail);
    case RECORD_PROBE:
        return RECORD_HAS(&any->PROBE_record, PROBE, detail);
    default:
        return FALSE;
    }
}

static const char *find_left(const Scrub *scrub, RecordKind kind, const AnyRecord *any)
{
    if (kind == RECORD_FIX && is_too_exact(scrub->options, &any->FIX_record))
        return "a position near a place";
    if (scrub->options->devices && tells_of_device(kind, any))
        return "what tells of a device";
    if (scrub->options->cells && tells_of_cell(scrub, kind, any))
        return "a cell id";
    if (is_removed(scrub, record_type(kind), any))
        return "a record of a time near a place";
    return NULL;
}

/* Reads what was written as anybody would. */
static gboolean prove(Scrub *scrub, const char *path, GError **error)
{
    g_autoptr(Drive) drive = drive_open(path, error);
    if (drive == NULL)
        return FALSE;
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        g_autoptr(DriveCursor) cursor =
            drive_read(drive, (RecordKind)k, 0, 0, INT64_MIN, INT64_MAX, error);
        if (cursor == NULL)
            return FALSE;
        gint64 n = 0;
        GError *failure = NULL;
        for (const Batch *batch = NULL; (batch = drive_next(cursor, &failure)) != NULL;)
            for (size_t i = 0; i < batch->n; i++, n++) {
                AnyRecord record;
                batch_get(batch, (RecordKind)k, i, &record);
                const char *what = find_left(scrub, (RecordKind)k, &record);
                if (what != NULL)
                    return left(error, path, what);
            }
        if (failure != NULL) {
            g_propagate_error(error, failure);
            return FALSE;
        }
        if (n != scrub->report->kept[k])
            return left(error, path, "another number of records than were kept");
    }
    return TRUE;
}

gboolean scrub_drive(const char *path, const char *out, const ScrubOptions *options,
                     ScrubReport *report, GError **error)
{
    memset(report, 0, sizeof *report);
    if (g_file_test(out, G_FILE_TEST_EXISTS)) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_EXISTS, "%s: is there already; give a new name",
                    out);
        return FALSE;
    }
    if (!file_replace_check(out, error))
        return FALSE;
    g_autoptr(Drive) drive = drive_open(path, error);
    if (drive == NULL)
        return FALSE;
    Scrub scrub = {.options = options, .report = report, .drive = drive};
    scrub.spans = g_array_new(FALSE, FALSE, sizeof(Span));
    scrub.receivers = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    for (int i = 0; i < RENAME_COUNT; i++)
        scrub.renamers[i].numbers =
            g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autofree char *beside = file_replace_name_beside(out);
    file_replace_watch(beside);
    gboolean done = prepare(&scrub, error) && write_out(&scrub, beside, error) &&
                    prove(&scrub, beside, error) && file_replace_rename(beside, out, error);
    if (!done)
        (void)g_unlink(beside);
    file_replace_unwatch(beside);
    report->cells = g_hash_table_size(scrub.renamers[RENAME_CELL].numbers);
    for (int i = 0; i < RENAME_COUNT; i++)
        g_hash_table_unref(scrub.renamers[i].numbers);
    g_hash_table_unref(scrub.receivers);
    g_array_unref(scrub.spans);
    return done;
}
