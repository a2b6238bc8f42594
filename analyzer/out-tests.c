/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/out-tests.h"

#include "analyzer/stat.h"

typedef struct {
    int target; /* 0.1 Mbit/s */
    uint64_t n, reached;
} Trains;

static void columns(OutRow *row, const Result *result, const Segment *info, uint32_t segment,
                    uint32_t group, gboolean up, const Trains *t)
{
    double share = t->n > 0 ? (double)t->reached / (double)t->n : 0.0;
    StatInterval ci = stat_wilson(share, (double)t->n, STAT_Z95);
    out_int(row, "segment", (int64_t)segment + 1);
    out_text(row, "corridor", result ? result_corridor_name(result, info->corridor) : NULL);
    out_real(row, "km_from", info->from_m / 1000.0);
    out_real(row, "km_to", info->to_m / 1000.0);
    out_text(row, "operator", result ? result->setup.groups[group].operator_label : NULL);
    out_text(row, "antenna", result ? result->setup.groups[group].antenna : NULL);
    out_text(row, "direction", up ? "up" : "down");
    out_real(row, "target_mbps", t->target / 10.0);
    out_int(row, "n", (int64_t)t->n);
    out_int(row, "reached", (int64_t)t->reached);
    out_real(row, "share", share);
    out_real(row, "low", ci.low);
    out_real(row, "high", ci.high);
}

static int by_target(const void *a, const void *b)
{
    return ((const Trains *)a)->target - ((const Trains *)b)->target;
}

static void count(GArray *trains, const Cell *cell, TallyKind yes, TallyKind no)
{
    const Tally *tally = &cell->tally; /* sorted: trains stand at the end */
    if (tally->n == 0 || tally->entry[tally->n - 1].kind < TALLY_TRAIN_DOWN_REACHED)
        return;
    for (guint i = 0; i < tally->n; i++) {
        const TallyEntry *e = &tally->entry[i];
        if (e->kind != (uint16_t)yes && e->kind != (uint16_t)no)
            continue;
        guint k = 0;
        while (k < trains->len && g_array_index(trains, Trains, k).target != e->value)
            k++;
        if (k == trains->len) {
            Trains t = {.target = e->value};
            g_array_append_val(trains, t);
        }
        Trains *t = &g_array_index(trains, Trains, k);
        t->n += e->count;
        t->reached += e->kind == (uint16_t)yes ? e->count : 0;
    }
}

gboolean out_tests(OutRow *row, const Result *result, const Segment *info, uint32_t segment,
                   uint32_t group, const GPtrArray *cells, GError **error)
{
    for (int up = 0; up < 2; up++) {
        g_autoptr(GArray) trains = g_array_new(FALSE, FALSE, sizeof(Trains));
        for (guint i = 0; i < cells->len; i++)
            count(trains, cells->pdata[i], up ? TALLY_TRAIN_UP_REACHED : TALLY_TRAIN_DOWN_REACHED,
                  up ? TALLY_TRAIN_UP_MISSED : TALLY_TRAIN_DOWN_MISSED);
        g_array_sort(trains, by_target);
        for (guint i = 0; i < trains->len; i++) {
            columns(row, result, info, segment, group, up != 0, &g_array_index(trains, Trains, i));
            if (!out_row_end(row, NULL, 0, error))
                return FALSE;
        }
    }
    return TRUE;
}

gboolean out_tests_empty(OutRow *row, GError **error)
{
    Segment info = {.corridor = UINT32_MAX};
    Trains none = {0};
    columns(row, NULL, &info, 0, 0, FALSE, &none);
    return out_row_only_fields(row, error);
}
