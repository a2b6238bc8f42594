/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/bin-look.h"

#include <math.h>

/* Sums of squares in this part of a dB^2: whole numbers add up to the same in any order. */
#define PART_DB2 65536.0

typedef struct {
    int64_t first_ns; /* of the pass; drive and source decide between equal ones */
    uint32_t drive, source;
    float level_dbm; /* NAN: none yet */
} First;

typedef struct {
    First *first; /* by segment */
    int64_t square, n;
} Group;

struct BinLook {
    guint n_groups;
    uint32_t n_segments;
    Group *group;
};

BinLook *bin_look_new(guint n_groups, uint32_t n_segments)
{
    BinLook *look = g_new0(BinLook, 1);
    look->n_groups = n_groups;
    look->n_segments = n_segments;
    look->group = g_new0(Group, n_groups);
    for (guint g = 0; g < n_groups; g++) {
        look->group[g].first = g_new0(First, n_segments);
        for (uint32_t s = 0; s < n_segments; s++)
            look->group[g].first[s].level_dbm = NAN;
    }
    return look;
}

void bin_look_free(BinLook *look)
{
    if (look == NULL)
        return;
    for (guint g = 0; g < look->n_groups; g++)
        g_free(look->group[g].first);
    g_free(look->group);
    g_free(look);
}

static gboolean is_before(const First *a, const First *b)
{
    if (isnan(a->level_dbm) || isnan(b->level_dbm))
        return !isnan(a->level_dbm);
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns;
    return a->drive != b->drive ? a->drive < b->drive : a->source < b->source;
}

BinGlance bin_glance(const Cell *cell)
{
    int64_t sum = 0, square = 0, n = 0;
    for (uint32_t i = 0; i < cell->levels.n; i++) {
        const LevelEntry *e = &cell->levels.entry[i];
        if (e->channel < CHANNEL_GSM || e->channel > CHANNEL_SA)
            continue;
        sum += (int64_t)e->count * e->level_dbm;
        square += (int64_t)e->count * e->level_dbm * e->level_dbm;
        n += e->count;
    }
    if (n < 1)
        return (BinGlance){.level_dbm = NAN};
    double mean = (double)sum / (double)n;
    return (BinGlance){(float)mean, llround(((double)square - (double)sum * mean) * PART_DB2),
                       n - 1};
}

void bin_look_add(BinLook *look, const CellPlace *place, const BinGlance *glance)
{
    if (isnan(glance->level_dbm) || place->group >= look->n_groups)
        return;
    Group *group = &look->group[place->group];
    group->square += glance->square;
    group->n += glance->n;
    First one = {place->first_ns, place->drive, place->source, glance->level_dbm};
    if (place->segment < look->n_segments && is_before(&one, &group->first[place->segment]))
        group->first[place->segment] = one;
}

void bin_look_join(BinLook *into, const BinLook *from)
{
    for (guint g = 0; g < into->n_groups; g++) {
        into->group[g].square += from->group[g].square;
        into->group[g].n += from->group[g].n;
        for (uint32_t s = 0; s < into->n_segments; s++)
            if (is_before(&from->group[g].first[s], &into->group[g].first[s]))
                into->group[g].first[s] = from->group[g].first[s];
    }
}

float *bin_look_levels(const BinLook *look, guint group)
{
    float *level = g_new(float, MAX(look->n_segments, 1));
    for (uint32_t s = 0; s < look->n_segments; s++)
        level[s] = look->group[group].first[s].level_dbm;
    return level;
}

double bin_look_sigma(const BinLook *look, guint group, double if_few)
{
    const Group *g = &look->group[group];
    return g->n >= 30 ? sqrt((double)g->square / PART_DB2 / (double)g->n) : if_few;
}
