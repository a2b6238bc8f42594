/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells that only one campaign saw. A cell is lost only if drives passed again where it had been
 * seen, and enough of them: what one drive saw, another may miss by chance.
 */
#include "analyzer/diff-state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A cell is called new or lost with certainty if chance alone would hide it this seldom. */
#define CHANCE 0.05

/* Distinct drives of a campaign over these places (ascending). */
static guint drives_over(const Diff *d, const DiffCampaign *c, guint group, const GArray *places)
{
    g_autoptr(GHashTable) drives = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < places->len; i++) {
        guint at = diff_at(d, group, g_array_index(places, uint32_t, i));
        for (guint r = c->first_run[at]; r < c->first_run[at + 1]; r++)
            g_hash_table_add(drives,
                             g_memdup2(&g_array_index(c->runs, DiffRun, r).drive, sizeof(int64_t)));
    }
    return g_hash_table_size(drives);
}

typedef struct {
    guint group;
    const char *cell;
    GArray *places;    /* uint32_t: where it was seen */
    guint seen;        /* drives that saw it */
    guint here, there; /* drives over those places in its campaign and in the other */
} Found;

static gboolean write_cell(Diff *d, OutRow *row, const Found *f, gboolean is_new, GError **error)
{
    const DiffGroup *g = &g_array_index(d->groups, DiffGroup, f->group);
    guint first = g_array_index(f->places, uint32_t, 0);
    guint last = g_array_index(f->places, uint32_t, f->places->len - 1);
    const DiffSegment *middle =
        diff_place(d, g_array_index(f->places, uint32_t, f->places->len / 2));
    double chance = diff_chance_missed(f->seen, f->here, f->there);
    out_text(row, "corridor", middle->corridor);
    out_text(row, "operator", g->operator_label);
    out_text(row, "antenna", g->antenna);
    out_text(row, "cell", f->cell);
    out_text(row, "change", f->there == 0 ? "unknown" : is_new ? "new" : "lost");
    out_int(row, "certain", f->there > 0 && chance <= CHANCE);
    out_real(row, "chance", chance);
    out_real(row, "km_from", diff_place(d, first)->km_from);
    out_real(row, "km_to", diff_place(d, last)->km_to);
    out_int(row, "segments", f->places->len);
    out_text(row, "seen", is_new ? "after" : "before");
    out_int(row, "drives_seen", f->seen);
    out_int(row, "drives_before", is_new ? f->there : f->here);
    out_int(row, "drives_after", is_new ? f->here : f->there);
    return out_row_end(row, &g_array_index(d->frame->points, GeoPoint, middle->first_point), 1,
                       error);
}

static gboolean is_seen(const DiffCampaign *c, guint group, const char *cell)
{
    guint low = 0, high = c->cells->len;
    while (low < high) {
        guint mid = low + (high - low) / 2;
        const DiffCell *x = &g_array_index(c->cells, DiffCell, mid);
        int order = x->group != group ? (x->group < group ? -1 : 1) : strcmp(x->cell, cell);
        if (order == 0)
            return TRUE;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return FALSE;
}

static gboolean write_side(Diff *d, OutRow *row, gboolean is_new, GError **error)
{
    const DiffCampaign *c = is_new ? &d->after : &d->before;
    const DiffCampaign *other = is_new ? &d->before : &d->after;
    for (guint i = 0; i < c->cells->len;) {
        const DiffCell *first = &g_array_index(c->cells, DiffCell, i);
        g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        g_autoptr(GHashTable) drives =
            g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
        for (; i < c->cells->len; i++) {
            const DiffCell *x = &g_array_index(c->cells, DiffCell, i);
            if (x->group != first->group || x->cell != first->cell)
                break;
            if (places->len == 0 || g_array_index(places, uint32_t, places->len - 1) != x->place)
                g_array_append_val(places, x->place);
            g_hash_table_add(drives, g_memdup2(&x->drive, sizeof x->drive));
        }
        if (is_seen(other, first->group, first->cell))
            continue;
        Found f = {first->group,
                   first->cell,
                   places,
                   g_hash_table_size(drives),
                   drives_over(d, c, first->group, places),
                   drives_over(d, other, first->group, places)};
        if (!write_cell(d, row, &f, is_new, error))
            return FALSE;
    }
    return TRUE;
}

gboolean diff_write_cells(Diff *d, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, d->writer, "diff_cells", LAYER_POINTS);
    if (!write_side(d, &row, TRUE, error) || !write_side(d, &row, FALSE, error))
        return FALSE;
    if (row.table != NULL)
        return TRUE;
    uint32_t nowhere = 0;
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_append_val(places, nowhere);
    Found none = {.cell = "", .places = places};
    return write_cell(d, &row, &none, TRUE, error) &&
           layer_sql(d->writer, "DELETE FROM diff_cells", error);
}
