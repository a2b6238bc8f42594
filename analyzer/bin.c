/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/bin.h"

#include "analyzer/bin-keep.h"
#include "analyzer/bin-passes.h"
#include "analyzer/bin-track.h"
#include "analyzer/match.h"
#include "analyzer/stat.h"
#include "formats/file-hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *bin_operator(const Source *source)
{
    if ((source->known & RECORD_BIT(SOURCE, operator_label)) && source->operator_label[0] != '\0')
        return source->operator_label;
    if ((source->known & RECORD_BIT(SOURCE, label)) && source->label[0] != '\0')
        return source->label;
    return "unnamed";
}

const char *bin_antenna(const Source *source, gboolean pooled)
{
    if (pooled)
        return "pooled";
    if (!(source->known & RECORD_BIT(SOURCE, place)))
        return "unknown";
    return source->place == PLACE_ROOF    ? "roof"
           : source->place == PLACE_CABIN ? "cabin"
                                          : "unknown";
}

int bin_group(const BinSetup *setup, const Source *source)
{
    const char *operator_label = bin_operator(source);
    const char *antenna = bin_antenna(source, setup->pooled);
    for (guint g = 0; g < setup->n_groups; g++)
        if (strcmp(setup->groups[g].operator_label, operator_label) == 0 &&
            strcmp(setup->groups[g].antenna, antenna) == 0)
            return (int)g;
    return -1;
}

/* ---- open cells ---- */

CellPlace bin_cell_place(const SpillKey *key)
{
    return (CellPlace){key->a, key->b, key->c, key->d / BIN_KEY_KINDS, key->time_ns};
}

static gboolean spill_cell(BinState *state, Cell *cell, GError **error)
{
    const CellHead *h = &cell->head;
    SpillKey key = {h->segment, h->group, h->first_ns, h->drive,
                    h->source * BIN_KEY_KINDS + state->key_bit};
    g_byte_array_set_size(state->scratch, 0);
    cell_end_counting(cell);
    cell_pack(cell, state->scratch);
    CellPlace place = bin_cell_place(&key);
    BinGlance glance = bin_glance(cell);
    bin_look_add(state->look, &place, &glance);
    bin_passes_add_cell(state->passes, &key, &glance, state->scratch);
    return spill_add(state->cells, &key, state->scratch->data, state->scratch->len, error);
}

/* Puts an open cell into the spill; its memory is kept for the next one. */
static gboolean put_away(BinState *state, guint number, GError **error)
{
    Cell *cell = state->open->pdata[number];
    if (!spill_cell(state, cell, error))
        return FALSE;
    (void)g_ptr_array_steal_index(state->open, number);
    g_ptr_array_add(state->idle, cell);
    return TRUE;
}

static void free_cell(void *cell)
{
    cell_clear(cell);
    g_free(cell);
}

Cell *bin_cell(BinState *state, uint32_t segment, int64_t time_ns, GError **error)
{
    for (guint i = state->open->len; i > 0; i--) {
        Cell *cell = state->open->pdata[i - 1];
        if (cell->head.segment == segment && time_ns - cell->head.last_ns <= BIN_PASS_GAP_NS)
            return cell;
    }
    if (state->open->len >= BIN_OPEN_MOST) {
        guint oldest = 0;
        for (guint i = 1; i < state->open->len; i++) {
            const Cell *a = state->open->pdata[i], *b = state->open->pdata[oldest];
            if (a->head.last_ns < b->head.last_ns)
                oldest = i;
        }
        if (!put_away(state, oldest, error))
            return NULL;
    }
    Cell *cell = state->idle->len > 0
                     ? g_ptr_array_steal_index_fast(state->idle, state->idle->len - 1)
                     : g_new0(Cell, 1);
    cell_reset(cell);
    cell_begin_counting(cell);
    cell->head.segment = segment;
    cell->head.group = state->report->group;
    cell->head.drive = state->drive;
    cell->head.source = state->source;
    cell->head.first_ns = cell->head.last_ns = time_ns;
    g_ptr_array_add(state->open, cell);
    return cell;
}

gboolean bin_expire(BinState *state, int64_t now_ns, GError **error)
{
    /* cells stand in order of their beginning, which is nearly the order of their end */
    if (now_ns <= state->none_before_ns)
        return TRUE;
    while (state->open->len > 0) {
        Cell *first = state->open->pdata[0];
        state->none_before_ns = first->head.last_ns + BIN_PASS_GAP_NS;
        if (now_ns <= state->none_before_ns)
            return TRUE;
        if (!put_away(state, 0, error))
            return FALSE;
    }
    return TRUE;
}

gboolean bin_close(BinState *state, GError **error)
{
    for (guint i = 0; i < state->open->len; i++)
        if (!spill_cell(state, state->open->pdata[i], error))
            return FALSE;
    g_ptr_array_set_size(state->open, 0);
    state->none_before_ns = INT64_MIN;
    return TRUE;
}

void bin_spot(BinState *state, int64_t time_ns, BinSpot *spot)
{
    spot->n = 0;
    if (state->track == NULL) {
        spot->place.quality = PLACE_NO_POSITION;
        return;
    }
    track_find(state->track, time_ns, &state->hint, &spot->place);
    if (spot->place.quality > PLACE_INTERPOLATED ||
        spot->place.uncertainty_m > state->setup->segment_m)
        return;
    spot->n = segments_at(state->setup->segments, spot->place.edge, spot->place.offset_m,
                          spot->segment, spot->along_m, spot->against);
}

/* ---- tracks ---- */

static gboolean is_receiver(const GArray *receivers, gint64 id)
{
    for (guint i = 0; i < receivers->len; i++)
        if (g_array_index(receivers, gint64, i) == id)
            return TRUE;
    return FALSE;
}

/* The receiver that places a source; 0 if there is none. */
static gint64 receiver_of(const Source *source, const GArray *receivers)
{
    if ((source->known & RECORD_BIT(SOURCE, position_source)) &&
        is_receiver(receivers, source->position_source))
        return source->position_source;
    if (is_receiver(receivers, source->id))
        return source->id;
    return receivers->len > 0 ? g_array_index(receivers, gint64, 0) : 0;
}

/* ---- a drive ---- */

static void copy_source(Source *to, const Source *from)
{
    *to = *from;
    to->label = g_strdup(from->label);
    to->operator_label = g_strdup(from->operator_label);
    to->model = g_strdup(from->model);
    to->firmware = g_strdup(from->firmware);
    to->home_plmn = to->device_hash = to->sim_hash = NULL;
}

void bin_drive_clear(BinDrive *drive)
{
    for (guint i = 0; i < drive->n_sources; i++) {
        BinSource *s = &drive->sources[i];
        g_free((char *)(uintptr_t)s->source.label);
        g_free((char *)(uintptr_t)s->source.operator_label);
        g_free((char *)(uintptr_t)s->source.model);
        g_free((char *)(uintptr_t)s->source.firmware);
        g_free(s->correction);
        g_free(s->loss_db);
    }
    g_free(drive->sources);
    g_free(drive->path);
    g_free(drive->name);
    g_free(drive->digest);
    g_free(drive->sha256);
    g_free(drive->vehicle);
    g_free(drive->problems);
    *drive = (BinDrive){0};
}

/* Levels corrected to an isotropic antenna outdoors (docs/method.md, "Antenna"). */
static void set_correction(const BinSetup *setup, BinSource *report)
{
    const Source *s = &report->source;
    g_autoptr(GString) text = g_string_new(NULL);
    if (setup->outdoor) {
        double loss = s->known & RECORD_BIT(SOURCE, cable_loss_db) ? s->cable_loss_db : 0.0;
        double gain = s->known & RECORD_BIT(SOURCE, antenna_gain_dbi) ? s->antenna_gain_dbi : 0.0;
        report->correction_db = loss - gain;
        g_string_append_printf(text, "cable %+.1f dB, antenna gain %+.1f dB", loss, -gain);
    }
    if (setup->loss != NULL && s->place == PLACE_CABIN) {
        g_autofree char *into = vehicle_loss_text(setup->loss, bin_operator(s));
        report->loss_db = vehicle_loss_by_band(setup->loss, bin_operator(s));
        g_string_append_printf(text, "%sloss into the vehicle: %s", text->len ? ", " : "", into);
    }
    if (text->len > 0)
        report->correction = g_strdup(text->str);
}

static void sum_imports(Drive *drive, BinDrive *out)
{
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_IMPORT, 0, 0, INT64_MIN, INT64_MAX, NULL);
    const Batch *b;
    int64_t refused = 0;
    while (cursor != NULL && (b = drive_next(cursor, NULL)) != NULL)
        for (size_t i = 0; i < b->n; i++)
            refused += b->column[IMPORT_COL_refused_values].i[i];
    if (out->n_sources > 0)
        out->sources[0].refused_values = refused;
}

static char *join_problems(Drive *drive)
{
    const GPtrArray *problems = drive_problems(drive);
    if (problems == NULL || problems->len == 0)
        return NULL;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < problems->len; i++)
        g_string_append_printf(text, "%s%s", i ? "\n" : "", (const char *)problems->pdata[i]);
    return g_string_free(text, FALSE);
}

typedef struct {
    Drive *drive;
    GArray *receivers;
    BinKeep *keep;
    GPtrArray *tracks; /* BinTrack, by receiver, same order; may hold NULL */
    BinState *states;
    guint n_states;
    BinPasses *passes; /* NULL: not kept */
} Work;

static void work_clear(Work *work)
{
    for (guint i = 0; i < work->n_states; i++)
        if (work->states[i].open != NULL) {
            g_ptr_array_unref(work->states[i].open);
            g_ptr_array_unref(work->states[i].idle);
            g_byte_array_unref(work->states[i].scratch);
        }
    g_free(work->states);
    g_clear_pointer(&work->tracks, g_ptr_array_unref);
    g_clear_pointer(&work->receivers, g_array_unref);
    bin_keep_free(work->keep);
    bin_passes_free(work->passes);
    drive_free(work->drive);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static const BinTrack *track_of(Work *work, const BinSetup *setup, gint64 receiver, GError **error)
{
    for (guint i = 0; i < work->receivers->len; i++) {
        if (g_array_index(work->receivers, gint64, i) != receiver)
            continue;
        if (work->tracks->pdata[i] == NULL)
            work->tracks->pdata[i] = bin_keep_get(work->keep, setup->network, receiver);
        if (work->tracks->pdata[i] == NULL) {
            work->tracks->pdata[i] = bin_track_new(setup->network, work->drive, receiver, error);
            if (work->tracks->pdata[i] != NULL)
                bin_keep_put(work->keep, receiver, work->tracks->pdata[i]);
        }
        return work->tracks->pdata[i];
    }
    return NULL;
}

static void free_track(void *track)
{
    bin_track_free(track);
}

static gboolean prepare(Work *work, const BinSetup *setup, uint32_t number, Spill *cells,
                        Spill *changes, Spill *samples, BinLook *look, BinDrive *out,
                        GError **error)
{
    guint n;
    const Source *sources = drive_sources(work->drive, &n);
    work->receivers = match_receivers(work->drive, error);
    if (work->receivers == NULL)
        return FALSE;
    work->tracks = g_ptr_array_new_full(work->receivers->len, free_track);
    g_ptr_array_set_size(work->tracks, (gint)work->receivers->len);
    gint64 last = 0;
    for (guint i = 0; i < n; i++)
        last = MAX(last, sources[i].id);
    if (last > 100000) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s: source number %" G_GINT64_FORMAT " makes no sense; the file is damaged",
                    out->path, last);
        return FALSE;
    }
    work->n_states = (guint)last;
    work->states = g_new0(BinState, MAX(work->n_states, 1));
    out->sources = g_new0(BinSource, MAX(n, 1));
    for (guint i = 0; i < n; i++) {
        gint64 count = 0, first_ns, last_ns;
        if (!drive_count(work->drive, RECORD_SAMPLE, sources[i].id, &count, &first_ns, &last_ns,
                         error))
            return FALSE;
        /* A receiver that only gives positions belongs to no operator. */
        if (sources[i].id < 1 || (sources[i].kind == SOURCE_GPS && count == 0))
            continue;
        int group = bin_group(setup, &sources[i]);
        if (group < 0)
            continue;
        BinSource *report = &out->sources[out->n_sources++];
        copy_source(&report->source, &sources[i]);
        report->group = (guint)group;
        report->accuracy_p50_m = report->distance_p50_m = report->distance_p95_m = NAN;
        report->interval_p50_s = NAN;
        if (count > 1)
            report->interval_p50_s = (double)(last_ns - first_ns) / 1e9 / (double)(count - 1);
        set_correction(setup, report);
        BinState *state = &work->states[sources[i].id - 1];
        *state = (BinState){.report = report,
                            .source = (uint32_t)sources[i].id,
                            .drive = number,
                            .setup = setup,
                            .cells = cells,
                            .changes = changes,
                            .samples = samples,
                            .look = look,
                            .passes = work->passes,
                            .none_before_ns = INT64_MIN,
                            .open = g_ptr_array_new_with_free_func(free_cell),
                            .idle = g_ptr_array_new_with_free_func(free_cell),
                            .scratch = g_byte_array_new()};
    }
    return TRUE;
}

/* The tracks of all sources: kept, or matched now. */
static gboolean find_tracks(Work *work, const BinSetup *setup, GError **error)
{
    for (guint i = 0; i < work->n_states; i++) {
        BinState *state = &work->states[i];
        BinSource *report = state->report;
        gint64 receiver = report != NULL ? receiver_of(&report->source, work->receivers) : 0;
        if (receiver == 0)
            continue;
        const BinTrack *track = track_of(work, setup, receiver, error);
        if (track == NULL)
            return FALSE;
        state->track = track->track;
        memcpy(report->fixes, track->fixes, sizeof report->fixes);
        report->accuracy_p50_m = track->accuracy_p50_m;
        report->distance_p50_m = track->distance_p50_m;
        report->distance_p95_m = track->distance_p95_m;
    }
    /* What is lost must be told each time. In a folder that cannot be written nothing is kept. */
    if (drive_problems(work->drive)->len == 0)
        (void)bin_keep_save(work->keep);
    g_clear_pointer(&work->keep, bin_keep_free);
    return TRUE;
}

/* Reads samples and probes. */
static gboolean read_drive(Work *work, BinDrive *out, uint64_t *digest, GError **error)
{
    if (!bin_samples(work->drive, work->states, work->n_states, out, digest, error))
        return FALSE;
    for (guint i = 0; i < work->n_states; i++) {
        if (work->states[i].report == NULL)
            continue;
        if (!bin_close(&work->states[i], error))
            return FALSE;
        work->states[i].key_bit = 1;
        work->states[i].hint = (TrackHint){0};
    }
    if (!bin_probes(work->drive, work->states, work->n_states, error))
        return FALSE;
    for (guint i = 0; i < work->n_states; i++)
        if (work->states[i].report != NULL && !bin_close(&work->states[i], error))
            return FALSE;
    return TRUE;
}

gboolean bin_drive(const BinSetup *setup, const char *path, uint32_t number, Spill *cells,
                   Spill *changes, Spill *samples, BinLook *look, BinDrive *out, GError **error)
{
    g_auto(Work) work = {0};
    *out = (BinDrive){.first_ns = INT64_MAX, .last_ns = INT64_MIN};
    out->path = g_strdup(path);
    out->name = g_path_get_basename(path);
    work.keep = bin_keep_open(path, setup->network_key);
    /* samples that are wanted themselves are not kept */
    work.passes = samples == NULL ? bin_passes_open(path, setup) : NULL;
    work.drive = drive_open(path, error);
    if (work.drive == NULL ||
        !prepare(&work, setup, number, cells, changes, samples, look, out, error))
        return FALSE;
    out->vehicle = drive_meta(work.drive, "vehicle");
    out->sha256 = file_hash(path, NULL, error);
    if (out->sha256 == NULL)
        return FALSE;
    uint64_t digest = 0;
    gboolean known = bin_passes_known(work.passes, out->sources, out->n_sources);
    if (known ? !bin_passes_restore(work.passes, work.states, out, &digest, error)
              : !find_tracks(&work, setup, error) || !read_drive(&work, out, &digest, error))
        return FALSE;
    sum_imports(work.drive, out);
    out->problems = join_problems(work.drive);
    bin_passes_save(work.passes, out, digest);
    out->digest = g_strdup_printf("%016" G_GINT64_MODIFIER "x-%" G_GINT64_FORMAT, (guint64)digest,
                                  out->records);
    return TRUE;
}
