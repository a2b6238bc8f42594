/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/bin-passes.h"

#include <math.h>
#include <string.h>

/* Two changes further apart than this are not seen as neighbours. */
#define CHANGE_REACH_NS (INT64_C(30) * 1000000000)
#define SHORT_STAY_NS   (INT64_C(5) * 1000000000)
#define STANDING_MPS    1.0

/* What is remembered of the sample before, per source. */
typedef struct {
    gboolean is_set, placed; /* somewhere; on the network, at `place` */
    int64_t time_ns;
    TrackPlace place;
    unsigned n;
    uint32_t segment[SEGMENTS_AT_ONCE];
    LevelEntry entry; /* of its level, not in the cells yet: half of the step that follows lacks */
    gboolean moved;   /* since the sample before it */
    uint64_t id, id_before;
    int64_t id_since;
    int rat; /* -1 not known */
} Before;

typedef struct {
    int64_t time_ns;
    uint64_t known;
    int rat, service;
    LevelEntry entry;
    gboolean is_missing, has_level;
    double level;
} Seen;

#define COLUMN(batch, name) ((batch)->column[SAMPLE_COL_##name])
#define HAS(known, name)    (((known) >> SAMPLE_COL_##name & 1U) != 0)

static const uint64_t wanted =
    RECORD_BIT(SAMPLE, rat) | RECORD_BIT(SAMPLE, service) | RECORD_BIT(SAMPLE, plmn) |
    RECORD_BIT(SAMPLE, cell_id) | RECORD_BIT(SAMPLE, pci) | RECORD_BIT(SAMPLE, arfcn) |
    RECORD_BIT(SAMPLE, band) | RECORD_BIT(SAMPLE, rsrp_dbm) | RECORD_BIT(SAMPLE, rsrq_db) |
    RECORD_BIT(SAMPLE, sinr_db) | RECORD_BIT(SAMPLE, rssi_dbm) | RECORD_BIT(SAMPLE, rscp_dbm) |
    RECORD_BIT(SAMPLE, ecio_db) | RECORD_BIT(SAMPLE, rxlev_dbm) | RECORD_BIT(SAMPLE, nr_rsrp_dbm) |
    RECORD_BIT(SAMPLE, nr_band);

static gboolean level_of(const Batch *b, size_t i, int rat, double *level)
{
    uint64_t known = b->known[i];
    switch (rat) {
    case RAT_UMTS:
        *level = COLUMN(b, rscp_dbm).r[i];
        return HAS(known, rscp_dbm);
    case RAT_GSM:
        if (HAS(known, rxlev_dbm)) {
            *level = COLUMN(b, rxlev_dbm).r[i];
            return TRUE;
        }
        *level = COLUMN(b, rssi_dbm).r[i];
        return HAS(known, rssi_dbm);
    case RAT_NONE:
        return FALSE;
    default:
        *level = COLUMN(b, rsrp_dbm).r[i];
        return HAS(known, rsrp_dbm);
    }
}

static const uint8_t channel_of_rat[RAT_COUNT] = {
    [RAT_UNKNOWN] = CHANNEL_LTE, [RAT_NONE] = CHANNEL_NO_SERVICE, [RAT_GSM] = CHANNEL_GSM,
    [RAT_UMTS] = CHANNEL_UMTS,   [RAT_LTE] = CHANNEL_LTE,         [RAT_NR_NSA] = CHANNEL_NSA,
    [RAT_NR_SA] = CHANNEL_SA,
};

/* What is added to a level: cable and antenna, and the loss into the vehicle on its band. */
static double correction(const BinSource *source, gboolean band_known, int64_t band)
{
    if (source->loss_db == NULL)
        return source->correction_db;
    int64_t b = band_known ? CLAMP(band, 0, VEHICLE_LOSS_BANDS - 1) : 0;
    return source->correction_db + source->loss_db[b];
}

/* The state machine of docs/method.md, "No service": which channel a sample is counted in. */
static void see(const Batch *b, size_t i, const BinSource *source, Seen *seen)
{
    uint64_t known = b->known[i];
    *seen = (Seen){.time_ns = COLUMN(b, time_ns).i[i], .known = known};
    seen->rat = HAS(known, rat) ? (int)COLUMN(b, rat).i[i] : RAT_UNKNOWN;
    seen->service = HAS(known, service) ? (int)COLUMN(b, service).i[i] : SERVICE_UNKNOWN;
    if (seen->rat < 0 || seen->rat >= RAT_COUNT)
        seen->rat = RAT_UNKNOWN;
    if (seen->service == SERVICE_NONE ||
        (seen->rat == RAT_NONE && seen->service != SERVICE_LIMITED)) {
        seen->rat = RAT_NONE;
        seen->entry.channel = CHANNEL_NO_SERVICE;
        return;
    }
    if (seen->service == SERVICE_LIMITED) {
        seen->entry.channel = CHANNEL_LIMITED;
        return;
    }
    double level = 0.0;
    seen->has_level = level_of(b, i, seen->rat, &level);
    if (!seen->has_level) {
        seen->is_missing = seen->rat == RAT_UNKNOWN && seen->service == SERVICE_UNKNOWN;
        seen->entry.channel = CHANNEL_NO_LEVEL;
        seen->entry.rat = (uint8_t)seen->rat;
        return;
    }
    seen->level = level;
    if ((source->source.known & RECORD_BIT(SOURCE, floor_dbm)) != 0 &&
        level <= source->source.floor_dbm) {
        seen->has_level = FALSE;
        seen->entry.channel = CHANNEL_FLOOR;
        seen->entry.rat = (uint8_t)seen->rat;
        level = source->source.floor_dbm;
    } else {
        seen->entry.channel = channel_of_rat[seen->rat];
    }
    level += correction(source, HAS(known, band), COLUMN(b, band).i[i]);
    double rounded = floor(level + 0.5);
    seen->entry.level_dbm = (int16_t)CLAMP(rounded, -300.0, 100.0);
}

/* Metres from one place to the next: along the track, or straight where it was lost in between. */
static double way_between(const Network *network, const TrackPlace *a, const TrackPlace *b)
{
    if (a->stretch == b->stretch)
        return fabs(b->travelled_m - a->travelled_m);
    GeoPoint p = network_point_at(network, a->edge, a->offset_m);
    GeoPoint q = network_point_at(network, b->edge, b->offset_m);
    double east = (q.lon - p.lon) * 111320.0 * cos(0.5 * (q.lat + p.lat) * G_PI / 180.0);
    double north = (q.lat - p.lat) * 111132.0;
    return hypot(east, north);
}

/* Half of the step between two samples belongs to each. */
static void book_step(const BinState *state, Before *before, const Seen *seen,
                      const TrackPlace *place, LevelEntry *own, double *seconds)
{
    int64_t dt = MIN(seen->time_ns - before->time_ns, 2 * BIN_REACH_NS);
    if (dt <= 0)
        return;
    double s = (double)(seen->time_ns - before->time_ns) / 1e9;
    double way = way_between(state->setup->network, &before->place, place);
    gboolean moves = way >= STANDING_MPS * s;
    if (s > (double)BIN_REACH_NS / 1e9)
        way *= (double)BIN_REACH_NS / 1e9 / s;
    uint32_t way_dm = moves ? (uint32_t)(MIN(0.5 * way, BIN_REACH_M) * 10.0 + 0.5) : 0;
    uint32_t time_cs = (uint32_t)(MIN(dt / 2, BIN_REACH_NS) / 10000000);
    *seconds += 2.0 * time_cs / 100.0;
    before->entry.time_cs += time_cs;
    own->time_cs = time_cs;
    /* a sample that stands for the end of a halt is not part of the way that follows it */
    before->entry.way_dm += before->moved ? way_dm : 0;
    own->way_dm = way_dm;
    before->moved = moves;
}

/* Puts the level of the sample before into its cells. */
static gboolean book_level(BinState *state, Before *before, GError **error)
{
    for (unsigned k = 0; k < before->n; k++) {
        Cell *cell = bin_cell(state, before->segment[k], before->time_ns, error);
        if (cell == NULL)
            return FALSE;
        level_histogram_add(&cell->levels, before->entry);
    }
    before->n = 0;
    return TRUE;
}

/* Level of the NR leg, whole dBm. */
static int nr_level(const BinSource *source, const Seen *seen, const Batch *b, size_t i)
{
    double level = COLUMN(b, nr_rsrp_dbm).r[i] +
                   correction(source, HAS(seen->known, nr_band), COLUMN(b, nr_band).i[i]);
    return (int)floor(level + 0.5);
}

static void count_sample(Cell *cell, const BinSource *source, const Seen *seen, const Batch *b,
                         size_t i, const BinSpot *spot, gboolean against)
{
    CellHead *h = &cell->head;
    uint64_t known = seen->known;
    cell_touch(cell, seen->time_ns);
    if (spot->place.quality == PLACE_INTERPOLATED)
        h->n_interpolated++;
    h->position_dm = MAX(h->position_dm, (uint32_t)(spot->place.uncertainty_m * 10.0 + 0.5));
    if (seen->is_missing) {
        h->n_missing++;
        return;
    }
    h->n++;
    if ((spot->place.backward != FALSE) != (against != FALSE))
        h->n_backward++;
    h->n_no_service += seen->entry.channel == CHANNEL_NO_SERVICE;
    h->n_limited += seen->entry.channel == CHANNEL_LIMITED;
    h->n_level += seen->has_level ? 1 : 0;
    if (seen->entry.channel == CHANNEL_NO_SERVICE || seen->entry.channel == CHANNEL_LIMITED)
        return;
    if (HAS(known, rsrq_db))
        cell_tally(cell, TALLY_RSRQ, (int)lrint(COLUMN(b, rsrq_db).r[i] * 2.0), 1);
    else if (HAS(known, ecio_db))
        cell_tally(cell, TALLY_RSRQ, (int)lrint(COLUMN(b, ecio_db).r[i] * 2.0), 1);
    if (HAS(known, sinr_db))
        cell_tally(cell, TALLY_SINR, (int)lrint(COLUMN(b, sinr_db).r[i] * 2.0), 1);
    if (HAS(known, band))
        cell_tally(cell, TALLY_BAND, (int)COLUMN(b, band).i[i], 1);
    if (HAS(known, nr_rsrp_dbm) && seen->rat == RAT_NR_NSA) {
        int level = nr_level(source, seen, b, i);
        cell_tally(cell, TALLY_NR_LEVEL, level, 1);
        LevelEntry entry = {.channel = CHANNEL_NR_LEG, .level_dbm = (int16_t)level, .count = 1};
        level_histogram_add(&cell->levels, entry);
    }
}

static GeoPoint point_of(const BinState *state, const BinSpot *spot)
{
    return network_point_at(state->setup->network, spot->place.edge, spot->place.offset_m);
}

SpillKey bin_change_key(const BinSetup *setup, const BinState *state, const BinChange *change)
{
    return (SpillKey){segments_corridor(setup->segments, change->segment), state->report->group,
                      change->time_ns, state->drive, state->source * BIN_KEY_KINDS + change->kind};
}

static gboolean add_change(BinState *state, ChangeKind kind, const Seen *seen, const BinSpot *spot,
                           uint64_t was, uint64_t is, gboolean short_stay, GError **error)
{
    GeoPoint point = point_of(state, spot);
    for (unsigned i = 0; i < spot->n; i++) {
        BinChange change = {.was = was,
                            .is = is,
                            .time_ns = seen->time_ns,
                            .along_m = spot->along_m[i],
                            .lon = point.lon,
                            .lat = point.lat,
                            .segment = spot->segment[i],
                            .drive = state->drive,
                            .kind = (uint8_t)kind,
                            .short_stay = short_stay ? 1 : 0};
        SpillKey key = bin_change_key(state->setup, state, &change);
        bin_passes_add_change(state->passes, &change, state->source);
        if (!spill_add(state->changes, &key, &change, sizeof change, error))
            return FALSE;
    }
    return TRUE;
}

static uint64_t identity(const Batch *b, size_t i, const Seen *seen)
{
    uint64_t known = seen->known;
    if (HAS(known, cell_id))
        return cell_identity(HAS(known, plmn) ? COLUMN(b, plmn).t[i] : NULL,
                             COLUMN(b, cell_id).i[i]);
    if (HAS(known, arfcn) && HAS(known, pci))
        return cell_identity_radio(seen->rat, COLUMN(b, arfcn).i[i], COLUMN(b, pci).i[i]);
    return 0;
}

static gboolean note_changes(BinState *state, Before *before, const Seen *seen, uint64_t id,
                             const BinSpot *spot, Cell *const *cell, GError **error)
{
    gboolean near = before->is_set && seen->time_ns - before->time_ns <= CHANGE_REACH_NS;
    if (near && before->rat >= 0 && before->rat != seen->rat &&
        !(before->rat == RAT_UNKNOWN || seen->rat == RAT_UNKNOWN)) {
        ChangeKind kind = seen->rat == RAT_NONE     ? CHANGE_LOST
                          : before->rat == RAT_NONE ? CHANGE_FOUND
                                                    : CHANGE_RAT;
        for (unsigned i = 0; i < spot->n; i++)
            cell[i]->head.rat_changes++;
        if (!add_change(state, kind, seen, spot, (uint64_t)before->rat, (uint64_t)seen->rat, FALSE,
                        error))
            return FALSE;
    }
    before->rat = seen->rat;
    if (id == 0)
        return TRUE;
    if (id != before->id && before->id != 0) {
        if (near) {
            gboolean back =
                id == before->id_before && seen->time_ns - before->id_since < SHORT_STAY_NS;
            for (unsigned i = 0; i < spot->n; i++) {
                cell[i]->head.cell_changes++;
                cell[i]->head.short_stays += back ? 1 : 0;
            }
            if (!add_change(state, CHANGE_CELL, seen, spot, before->id, id, back, error))
                return FALSE;
        }
        before->id_before = near ? before->id : 0;
        before->id_since = seen->time_ns;
    }
    before->id = id;
    return TRUE;
}

static gboolean book_elsewhere(BinState *state, Before *before, const Seen *seen,
                               PlaceQuality quality, GError **error)
{
    BinSource *report = state->report;
    if (!book_level(state, before, error))
        return FALSE;
    if (before->is_set) {
        double s = (double)(seen->time_ns - before->time_ns) / 1e9;
        s = CLAMP(s, 0.0, (double)BIN_REACH_NS / 1e9);
        if (quality == PLACE_OFF_NETWORK)
            report->seconds_off_network += s;
        else
            report->seconds_no_position += s;
    }
    before->time_ns = seen->time_ns;
    before->is_set = TRUE;
    before->moved = FALSE;
    before->placed = FALSE;
    return TRUE;
}

/* Keeps the sample itself, where that is wanted. */
static gboolean keep_sample(BinState *state, const Seen *seen, const Batch *b, size_t i,
                            const BinSpot *spot, GError **error)
{
    if (state->samples == NULL)
        return TRUE;
    GeoPoint point = point_of(state, spot);
    gboolean leg = seen->rat == RAT_NR_NSA && HAS(seen->known, nr_rsrp_dbm);
    gboolean band = HAS(seen->known, band) && COLUMN(b, band).i[i] <= INT16_MAX;
    for (unsigned k = 0; k < spot->n; k++) {
        BinPlaced placed = {.lon = point.lon,
                            .lat = point.lat,
                            .along_m = spot->along_m[k],
                            .time_ns = seen->time_ns,
                            .uncertainty_m = (float)spot->place.uncertainty_m,
                            .nr_level_dbm = leg ? (float)nr_level(state->report, seen, b, i) : NAN,
                            .level_dbm = seen->entry.level_dbm,
                            .band = band ? (int16_t)COLUMN(b, band).i[i] : -1,
                            .channel = seen->entry.channel,
                            .rat = (uint8_t)seen->rat,
                            .is_interpolated = spot->place.quality == PLACE_INTERPOLATED,
                            .has_level = seen->has_level ? 1 : 0};
        SpillKey key = {spot->segment[k], state->report->group, seen->time_ns, state->drive,
                        state->source};
        if (!spill_add(state->samples, &key, &placed, sizeof placed, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_sample(BinState *state, Before *before, const Batch *b, size_t i,
                           GError **error)
{
    BinSource *report = state->report;
    Seen seen;
    see(b, i, report, &seen);
    report->samples++;
    BinSpot spot;
    bin_spot(state, seen.time_ns, &spot);
    if (spot.n == 0) {
        gboolean unsure = spot.place.quality <= PLACE_INTERPOLATED;
        if (unsure)
            report->uncertain++;
        else
            report->placed[spot.place.quality]++;
        return book_elsewhere(state, before, &seen, spot.place.quality, error);
    }
    report->placed[spot.place.quality]++;
    Cell *cell[SEGMENTS_AT_ONCE] = {NULL};
    uint64_t id = seen.is_missing ? 0 : identity(b, i, &seen);
    LevelEntry own = seen.entry;
    own.count = 1;
    if (!seen.is_missing && before->placed)
        book_step(state, before, &seen, &spot.place, &own, &report->seconds_used);
    if (!seen.is_missing && !book_level(state, before, error))
        return FALSE;
    for (unsigned k = 0; k < spot.n; k++) {
        if ((cell[k] = bin_cell(state, spot.segment[k], seen.time_ns, error)) == NULL)
            return FALSE;
        count_sample(cell[k], report, &seen, b, i, &spot, spot.against[k]);
        if (id != 0)
            cell_add_id(cell[k], id);
    }
    if (seen.is_missing) {
        report->missing++;
        return TRUE;
    }
    report->used++;
    if (!keep_sample(state, &seen, b, i, &spot, error))
        return FALSE;
    if (!note_changes(state, before, &seen, id, &spot, cell, error))
        return FALSE;
    if (!before->placed)
        before->moved = TRUE;
    before->is_set = before->placed = TRUE;
    before->time_ns = seen.time_ns;
    before->place = spot.place;
    before->n = spot.n;
    memcpy(before->segment, spot.segment, sizeof before->segment);
    before->entry = own;
    return bin_expire(state, seen.time_ns, error);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t row_digest(const Batch *b, size_t i)
{
    uint64_t level;
    memcpy(&level, &COLUMN(b, rsrp_dbm).r[i], sizeof level);
    return mix((uint64_t)COLUMN(b, time_ns).i[i] + 31 * (uint64_t)COLUMN(b, source).i[i] +
               mix(level ^ (uint64_t)COLUMN(b, cell_id).i[i]) + (uint64_t)COLUMN(b, rat).i[i]);
}

gboolean bin_samples(Drive *drive, BinState *states, guint n, BinDrive *out, uint64_t *digest,
                     GError **error)
{
    g_autofree Before *before = g_new0(Before, MAX(n, 1));
    for (guint s = 0; s < n; s++)
        before[s].rat = -1;
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SAMPLE, wanted, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    g_autoptr(GError) local = NULL;
    const Batch *b;
    while ((b = drive_next(cursor, &local)) != NULL) {
        for (size_t i = 0; i < b->n; i++) {
            int64_t source = COLUMN(b, source).i[i], time_ns = COLUMN(b, time_ns).i[i];
            out->records++;
            *digest += row_digest(b, i);
            if (source < 1 || source > (int64_t)n || states[source - 1].report == NULL)
                continue;
            out->first_ns = MIN(out->first_ns, time_ns);
            out->last_ns = MAX(out->last_ns, time_ns);
            if (!add_sample(&states[source - 1], &before[source - 1], b, i, error))
                return FALSE;
        }
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    for (guint s = 0; s < n; s++)
        if (states[s].report != NULL && !book_level(&states[s], &before[s], error))
            return FALSE;
    return TRUE;
}
