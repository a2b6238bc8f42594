/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/out-row.h"
#include "analyzer/result.h"

#include <math.h>
#include <string.h>

/* Words of corridor-out(5), "LAYER samples". */
static const char *level_is(uint8_t channel)
{
    switch (channel) {
    case CHANNEL_NO_SERVICE:
        return "no service";
    case CHANNEL_LIMITED:
        return "limited";
    case CHANNEL_NO_LEVEL:
        return "no level";
    case CHANNEL_FLOOR:
        return "below floor";
    default:
        return "value";
    }
}

static void columns(OutRow *row, const Result *result, const BinPlaced *p, const SpillKey *key)
{
    gboolean has_number = p->has_level || p->channel == CHANNEL_FLOOR;
    Segment info;
    segments_get(result->segments, key->a, &info, NULL);
    out_int(row, "segment", (int64_t)key->a + 1);
    out_text(row, "corridor", result_corridor_name(result, info.corridor));
    out_real(row, "km", p->along_m / 1000.0);
    out_time(row, "time", TRUE, key->time_ns);
    out_int(row, "time_ns", key->time_ns);
    out_text(row, "operator", result->setup.groups[key->b].operator_label);
    out_text(row, "antenna", result->setup.groups[key->b].antenna);
    out_int(row, "drive", (int64_t)result->rank[key->c] + 1);
    out_int(row, "source", result_source_id(result, key->c, key->d));
    out_text(row, "rat", rat_name((Rat)p->rat));
    out_int_or_null(row, "band", p->band >= 0, p->band);
    out_real(row, "level", has_number ? p->level_dbm : (double)NAN);
    out_text(row, "level_is", level_is(p->channel));
    out_real(row, "nr_level", p->nr_level_dbm);
    out_int(row, "interpolated", p->is_interpolated);
    out_real(row, "position_m", p->uncertainty_m);
}

typedef struct {
    SpillKey key;
    BinPlaced placed;
    uint32_t rank;
} Kept;

static int by_rank(const void *a, const void *b)
{
    const Kept *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->key.d > y->key.d) - (x->key.d < y->key.d);
}

/* Writes samples of one segment, group and time: in an order that does not depend on that of the
 * drives on the command line. */
static gboolean write_kept(OutRow *row, const Result *result, GArray *kept, GError **error)
{
    g_array_sort(kept, by_rank);
    for (guint i = 0; i < kept->len; i++) {
        const Kept *k = &g_array_index(kept, Kept, i);
        GeoPoint point = {k->placed.lon, k->placed.lat};
        columns(row, result, &k->placed, &k->key);
        if (!out_row_end(row, &point, 1, error))
            return FALSE;
    }
    g_array_set_size(kept, 0);
    return TRUE;
}

gboolean out_samples(const Result *result, LayerWriter *writer, SpillMerge *merge, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init_bulk(&row, writer, "samples", LAYER_POINTS);
    g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(Kept));
    g_autoptr(GError) local = NULL;
    SpillKey key;
    size_t n;
    const void *data;
    while ((data = spill_next(merge, &key, &n, &local)) != NULL) {
        Kept k = {.key = key, .rank = result->rank[key.c]};
        memcpy(&k.placed, data, sizeof k.placed);
        const SpillKey *last = kept->len ? &g_array_index(kept, Kept, 0).key : &key;
        gboolean same = last->a == key.a && last->b == key.b && last->time_ns == key.time_ns;
        if (!same && !write_kept(&row, result, kept, error))
            return FALSE;
        g_array_append_val(kept, k);
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!write_kept(&row, result, kept, error))
        return FALSE;
    if (row.table != NULL)
        return TRUE;
    BinPlaced none = {.channel = CHANNEL_NO_SERVICE, .rat = RAT_NONE};
    SpillKey first = {0};
    columns(&row, result, &none, &first);
    return out_row_only_fields(&row, error);
}
