/* SPDX-License-Identifier: Apache-2.0 */
/* Loss into the vehicle: passes of a roof and a cabin source of one operator in one vehicle over
 * the same segment at the same time (docs/method.md, "Loss into the vehicle"). */
#include "analyzer/compare-state.h"
#include "analyzer/pass-read.h"
#include "analyzer/stat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of receivers that do not say theirs. */
#define FLOOR_DBM (-125.0)
/* Levels less than this above the floor would hide part of the loss. */
#define ABOVE_FLOOR_DB 10.0
/* Both pass the same segment within this time: the same ride. */
#define SAME_RIDE_NS (INT64_C(60) * 1000000000)
#define BLOCK_M      1000.0
#define FEWEST_PAIRS 10

typedef struct {
    const char *operator_label; /* interned */
    int64_t segment, vehicle, first_ns, last_ns, band;
    double level, floor_dbm; /* level -INFINITY: below the floor or no service */
    gboolean is_roof;
} Ride;

typedef struct {
    const char *operator_label;
    int64_t band, vehicle, segment, first_ns;
    double roof, loss_db; /* INFINITY: nothing left inside */
    double cabin_floor;
} Pair;

/* ---- reading ---- */

/* Vehicles by drive id: drives of one named vehicle have one number. */
static GHashTable *read_vehicles(LayerSource *source, GError **error)
{
    g_autoptr(LayerReader) reader = layer_read(source, "drives", NULL, error);
    int id, vehicle;
    if (reader == NULL || !layer_need_column(reader, "id", &id, error) ||
        !layer_need_column(reader, "vehicle", &vehicle, error))
        return NULL;
    g_autoptr(GHashTable) found = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GError) local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL) {
        gpointer drive = GINT_TO_POINTER((gint)layer_get_int(row, id, 0)), number = drive;
        const char *name = layer_get_text(row, vehicle);
        if (name != NULL && g_hash_table_contains(by_name, name))
            number = g_hash_table_lookup(by_name, name);
        else if (name != NULL)
            g_hash_table_insert(by_name, g_strdup(name), drive);
        g_hash_table_insert(found, drive, number);
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    return g_steal_pointer(&found);
}

/* Floors by source id, in tenths of a dB; those that say none are left out. */
static GHashTable *read_floors(LayerSource *source, GError **error)
{
    g_autoptr(LayerReader) reader = layer_read(source, "sources", NULL, error);
    int id, floor_dbm, correction;
    if (reader == NULL || !layer_need_column(reader, "id", &id, error) ||
        !layer_need_column(reader, "floor_dbm", &floor_dbm, error) ||
        !layer_need_column(reader, "correction_db", &correction, error))
        return NULL;
    g_autoptr(GHashTable) found = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GError) local = NULL;
    const LayerRow *row;
    while ((row = layer_next(reader, &local)) != NULL)
        if (!layer_is_null(row, floor_dbm)) {
            double tenths =
                10.0 * (layer_get_real(row, floor_dbm, 0.0) + layer_get_real(row, correction, 0.0));
            g_hash_table_insert(found, GINT_TO_POINTER((gint)layer_get_int(row, id, 0)),
                                GINT_TO_POINTER((gint)lrint(tenths)));
        }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    return g_steal_pointer(&found);
}

/* Median level of a pass by way (by samples where there is no way). NAN: nothing with a level. */
static double level_of(const LevelHistogram *h)
{
    double by_level[512] = {0.0}, below = 0.0, way = 0.0;
    for (uint32_t i = 0; i < h->n; i++)
        way += h->entry[i].way_dm;
    for (uint32_t i = 0; i < h->n; i++) {
        const LevelEntry *e = &h->entry[i];
        double weight = way > 0.0 ? e->way_dm : e->count;
        if (e->channel == CHANNEL_NO_SERVICE || e->channel == CHANNEL_LIMITED ||
            e->channel == CHANNEL_FLOOR)
            below += weight;
        else if (e->channel >= CHANNEL_GSM && e->channel <= CHANNEL_SA)
            by_level[CLAMP(e->level_dbm + 350, 0, 511)] += weight;
    }
    double median = stat_median_grouped(by_level, G_N_ELEMENTS(by_level), below, 0.0);
    return median - 350.0;
}

static void add_ride(Compare *c, const PassRead *pass, GHashTable *vehicles, GHashTable *floors,
                     GArray *rides)
{
    const PassRecord *record = pass->record;
    gboolean is_roof = strcmp(pass->antenna, "roof") == 0;
    if (!is_roof && strcmp(pass->antenna, "cabin") != 0)
        return;
    gpointer drive = GINT_TO_POINTER((gint)record->drive), floor_dbm = NULL;
    gpointer source = GINT_TO_POINTER((gint)record->source);
    Ride ride = {.operator_label = g_string_chunk_insert_const(c->names, pass->operator_label),
                 .segment = pass->segment,
                 .vehicle = GPOINTER_TO_INT(g_hash_table_lookup(vehicles, drive)),
                 .first_ns = record->first_ns,
                 .last_ns = record->last_ns,
                 .band = record->band,
                 .level = level_of(&record->levels),
                 .floor_dbm = FLOOR_DBM,
                 .is_roof = is_roof};
    if (g_hash_table_lookup_extended(floors, source, NULL, &floor_dbm))
        ride.floor_dbm = GPOINTER_TO_INT(floor_dbm) / 10.0;
    if (!isnan(ride.level))
        g_array_append_val(rides, ride);
}

static gboolean read_rides(Compare *c, GArray *rides, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(c->options->in, error);
    if (source == NULL)
        return FALSE;
    g_autoptr(GHashTable) vehicles = read_vehicles(source, error);
    g_autoptr(GHashTable) floors = vehicles ? read_floors(source, error) : NULL;
    g_autoptr(PassReader) reader = floors ? pass_reader_new(source, error) : NULL;
    if (reader == NULL)
        return FALSE;
    GError *local = NULL;
    const PassRead *pass;
    while ((pass = pass_reader_next(reader, &local)) != NULL)
        add_ride(c, pass, vehicles, floors, rides);
    if (local != NULL)
        g_propagate_error(error, local);
    return local == NULL;
}

/* ---- pairs ---- */

static int by_ride(const void *a, const void *b)
{
    const Ride *x = a, *y = b;
    int order = strcmp(x->operator_label, y->operator_label);
    if (order == 0)
        order = (x->segment > y->segment) - (x->segment < y->segment);
    if (order == 0)
        order = (x->vehicle > y->vehicle) - (x->vehicle < y->vehicle);
    if (order == 0)
        order = (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
    return order != 0 ? order : y->is_roof - x->is_roof;
}

static int by_pair(const void *a, const void *b)
{
    const Pair *x = a, *y = b;
    int order = strcmp(x->operator_label, y->operator_label);
    if (order == 0)
        order = (x->band > y->band) - (x->band < y->band);
    if (order == 0)
        order = (x->vehicle > y->vehicle) - (x->vehicle < y->vehicle);
    if (order == 0)
        order = (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
    return order != 0 ? order : (x->segment > y->segment) - (x->segment < y->segment);
}

static gboolean is_soon_after(int64_t time_ns, int64_t end_ns)
{
    return end_ns > INT64_MAX - SAME_RIDE_NS || time_ns <= end_ns + SAME_RIDE_NS;
}

static gboolean is_same_ride(const Ride *a, const Ride *b)
{
    return a->operator_label == b->operator_label && a->segment == b->segment &&
           a->vehicle == b->vehicle && is_soon_after(a->first_ns, b->last_ns) &&
           is_soon_after(b->first_ns, a->last_ns);
}

/* Each roof ride with the cabin rides beside it. */
static GArray *make_pairs(const GArray *rides)
{
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
    for (guint i = 0; i < rides->len; i++) {
        const Ride *roof = &g_array_index(rides, Ride, i);
        guint from = i, to = i + 1;
        if (!roof->is_roof || !isfinite(roof->level))
            continue;
        while (from > 0 && is_same_ride(&g_array_index(rides, Ride, from - 1), roof))
            from--;
        while (to < rides->len && is_same_ride(&g_array_index(rides, Ride, to), roof))
            to++;
        for (guint k = from; k < to; k++) {
            const Ride *cabin = &g_array_index(rides, Ride, k);
            if (cabin->is_roof || cabin->band != roof->band)
                continue;
            Pair pair = {.operator_label = roof->operator_label,
                         .band = roof->band,
                         .vehicle = roof->vehicle,
                         .segment = roof->segment,
                         .first_ns = roof->first_ns,
                         .roof = roof->level,
                         .loss_db = roof->level - cabin->level,
                         .cabin_floor = cabin->floor_dbm};
            g_array_append_val(pairs, pair);
        }
    }
    g_array_sort(pairs, by_pair);
    return pairs;
}

/* ---- estimate ---- */

#define LOSS_BINS 256
#define LOSS_BIAS 100 /* bin of 0 dB */

static int bin_of(const Pair *p)
{
    return isfinite(p->loss_db) ? CLAMP((int)lrint(p->loss_db) + LOSS_BIAS, 0, LOSS_BINS - 1)
                                : LOSS_BINS;
}

/* Which pairs count is decided on the roof alone, or low levels inside that happen to be high would
 * be chosen: the roof must lie so far above the cabin's floor that the loss found first fits. */
static guint choose(const Pair *pair, guint n, int *bin, double *counts, double *lost)
{
    double loss = 0.0;
    guint kept = 0;
    for (int round = 0; round < 3; round++) {
        memset(counts, 0, LOSS_BINS * sizeof *counts);
        *lost = 0.0;
        kept = 0;
        for (guint i = 0; i < n; i++) {
            gboolean fits =
                round == 0 ? isfinite(pair[i].loss_db) && pair[i].roof - pair[i].loss_db >=
                                                              pair[i].cabin_floor + ABOVE_FLOOR_DB
                           : pair[i].roof - loss >= pair[i].cabin_floor + ABOVE_FLOOR_DB;
            if (!fits)
                continue;
            bin[kept] = bin_of(&pair[i]);
            if (bin[kept] < LOSS_BINS)
                counts[bin[kept]] += 1.0;
            else
                *lost += 1.0;
            kept++;
        }
        loss = stat_median_grouped(counts, LOSS_BINS, 0.0, *lost) - LOSS_BIAS;
        if (!isfinite(loss))
            return 0;
    }
    return kept;
}

static double quantile(const double *counts, double lost, double p)
{
    return stat_quantile_grouped(counts, LOSS_BINS, 0.0, lost, p) - LOSS_BIAS;
}

static gboolean write_loss(Compare *c, OutRow *row, const Pair *pair, guint n, gboolean all_bands,
                           GError **error)
{
    g_autofree int *bin = g_new(int, MAX(n, 1));
    double counts[LOSS_BINS] = {0.0}, lost = 0.0;
    guint kept = n > 0 ? choose(pair, n, bin, counts, &lost) : 0;
    double length_m = 100.0;
    if (c->items->len > 0)
        length_m = fmax(1.0, g_array_index(c->items, CompareItem, 0).length_m);
    size_t block = (size_t)fmax(1.0, floor(BLOCK_M / length_m + 0.5));
    StatInterval ci = {NAN, NAN};
    if (kept >= FEWEST_PAIRS)
        ci = stat_bootstrap_medians(bin, kept, LOSS_BINS, MIN(block, kept / FEWEST_PAIRS + 1),
                                    c->options->rounds, 0.95, c->options->seed);
    gboolean band_known = !all_bands && n > 0 && pair[0].band >= 0;
    out_text(row, "operator", n > 0 ? pair[0].operator_label : NULL);
    out_int_or_null(row, "band", band_known, n > 0 ? pair[0].band : 0);
    out_int(row, "segments", kept);
    out_real(row, "loss_p50", kept > 0 ? quantile(counts, lost, 0.5) : (double)NAN);
    out_real(row, "loss_p25", kept > 0 ? quantile(counts, lost, 0.25) : (double)NAN);
    out_real(row, "loss_p75", kept > 0 ? quantile(counts, lost, 0.75) : (double)NAN);
    out_real(row, "loss_low", ci.low - LOSS_BIAS);
    out_real(row, "loss_high", ci.high - LOSS_BIAS);
    out_int(row, "enough", kept >= FEWEST_PAIRS);
    if (n == 0)
        return out_row_only_fields(row, error);
    if (kept >= FEWEST_PAIRS && band_known)
        g_ptr_array_add(c->report->lines,
                        g_strdup_printf("%s, band %" G_GINT64_FORMAT ": %.1f dB are lost on the "
                                        "way into the vehicle (%.1f to %.1f, n = %u)",
                                        pair[0].operator_label, pair[0].band,
                                        quantile(counts, lost, 0.5), ci.low - LOSS_BIAS,
                                        ci.high - LOSS_BIAS, kept));
    else if (kept >= FEWEST_PAIRS && all_bands)
        g_ptr_array_add(c->report->lines,
                        g_strdup_printf("%s: corridor analyze --vehicle-loss %s takes the loss "
                                        "into the vehicle into account",
                                        pair[0].operator_label, c->options->out));
    return out_row_end(row, NULL, 0, error);
}

gboolean compare_losses(Compare *c, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, c->writer, "vehicle_loss", LAYER_NONE);
    g_autoptr(GArray) rides = g_array_new(FALSE, FALSE, sizeof(Ride));
    if (!read_rides(c, rides, error))
        return FALSE;
    g_array_sort(rides, by_ride);
    g_autoptr(GArray) pairs = make_pairs(rides);
    const Pair *pair = (const Pair *)(void *)pairs->data;
    for (guint from = 0; from < pairs->len;) {
        guint end = from;
        while (end < pairs->len && pair[end].operator_label == pair[from].operator_label)
            end++;
        for (guint k = from; k < end;) {
            guint to = k;
            while (to < end && pair[to].band == pair[k].band)
                to++;
            if (pair[k].band >= 0 && !write_loss(c, &row, pair + k, to - k, FALSE, error))
                return FALSE;
            k = to;
        }
        if (!write_loss(c, &row, pair + from, end - from, TRUE, error))
            return FALSE;
        from = end;
    }
    return row.table != NULL || write_loss(c, &row, NULL, 0, TRUE, error);
}
