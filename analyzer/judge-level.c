/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/judge-level.h"

#include "analyzer/stat.h"
#include "formats/records.h"

#include <math.h>

/* Levels are whole dBm: weights are added up by level before anything is sorted. */
enum { LOWEST_DBM = -300, HIGHEST_DBM = 100, LEVELS = HIGHEST_DBM - LOWEST_DBM + 1 };

/* Weights of levels known, and of those only known to lie below a floor; and of none. */
typedef struct {
    double known[LEVELS], below[LEVELS];
    int low, high; /* within which they are not zero */
    double none;
} Weights;

static void add_level(Weights *w, const LevelEntry *e, double weight)
{
    if (e->channel == CHANNEL_NO_LEVEL || !(weight > 0.0))
        return;
    if (e->channel == CHANNEL_NO_SERVICE || e->channel == CHANNEL_LIMITED) {
        w->none += weight;
        return;
    }
    int i = CLAMP(e->level_dbm, LOWEST_DBM, HIGHEST_DBM) - LOWEST_DBM;
    (e->channel == CHANNEL_FLOOR ? w->below : w->known)[i] += weight;
    w->low = MIN(w->low, i);
    w->high = MAX(w->high, i);
}

static LevelRank rank_at(StatCensored *levels, size_t n, double none, double p)
{
    static const LevelIs is[] = {
        [STAT_AT_NOTHING] = LEVEL_NOT_MEASURED,
        [STAT_AT_NONE] = LEVEL_NO_SERVICE,
        [STAT_AT_LIMIT] = LEVEL_BELOW_FLOOR,
        [STAT_AT_VALUE] = LEVEL_VALUE,
    };
    double value = NAN;
    StatAt at = stat_percentile_censored(levels, n, none, p, &value);
    return (LevelRank){value, is[at]};
}

static void set_ranks(const Weights *w, SegmentFigures *f)
{
    StatCensored levels[2 * LEVELS];
    size_t n = 0;
    for (int i = w->high; i >= w->low; i--) { /* in the order in which they are looked at */
        if (w->known[i] > 0.0)
            levels[n++] = (StatCensored){i + LOWEST_DBM, FALSE, w->known[i]};
        if (w->below[i] > 0.0)
            levels[n++] = (StatCensored){i + LOWEST_DBM, TRUE, w->below[i]};
    }
    f->p10 = rank_at(levels, n, w->none, 0.1);
    f->p50 = rank_at(levels, n, w->none, 0.5);
    f->p90 = rank_at(levels, n, w->none, 0.9);
}

/* Linear mean, and extremes. */
static void set_mean(const Weights *w, SegmentFigures *f)
{
    double linear = 0.0, weight = 0.0;
    f->level_mean = f->level_min = f->level_max = NAN;
    for (int i = w->low; i <= w->high; i++) {
        if (!(w->known[i] > 0.0))
            continue;
        double level_dbm = i + LOWEST_DBM;
        linear += w->known[i] * pow(10.0, level_dbm / 10.0);
        weight += w->known[i];
        f->level_min = isnan(f->level_min) ? level_dbm : f->level_min;
        f->level_max = level_dbm;
    }
    if (weight > 0.0)
        f->level_mean = 10.0 * log10(linear / weight);
}

static const int8_t rat_of_channel[CHANNEL_COUNT] = {
    [CHANNEL_NO_SERVICE] = RAT_NONE, [CHANNEL_LIMITED] = RAT_NONE, [CHANNEL_GSM] = RAT_GSM,
    [CHANNEL_UMTS] = RAT_UMTS,       [CHANNEL_LTE] = RAT_LTE,      [CHANNEL_NSA] = RAT_NR_NSA,
    [CHANNEL_SA] = RAT_NR_SA,
};

/* Each pass weighs the same; inside it samples weigh their way, or the same if it has none. */
static double add_pass(Weights *w, const JudgePass *pass, SegmentFigures *f)
{
    const LevelHistogram *levels = pass->levels;
    double all = (double)pass->way_dm, added = 0.0;
    for (uint32_t i = 0; i < levels->n && pass->way_dm == 0; i++)
        if (levels->entry[i].channel != CHANNEL_NR_LEG)
            all += levels->entry[i].count;
    for (uint32_t i = 0; i < levels->n && all > 0.0; i++) {
        const LevelEntry *e = &levels->entry[i];
        double weight = (pass->way_dm > 0 ? e->way_dm : e->count) / all;
        if (e->channel == CHANNEL_NR_LEG)
            continue;
        int rat = e->channel >= CHANNEL_NO_LEVEL ? e->rat : rat_of_channel[e->channel];
        f->share_of_rat[rat < RAT_COUNT ? rat : 0] += weight;
        added += weight;
        add_level(w, e, weight);
    }
    return added;
}

void judge_levels(const JudgePass *passes, guint n, SegmentFigures *f)
{
    Weights w = {.low = LEVELS, .high = -1};
    double weight = 0.0;
    for (guint p = 0; p < n; p++)
        weight += add_pass(&w, &passes[p], f);
    set_ranks(&w, f);
    set_mean(&w, f);
    f->rat = -1;
    for (int rat = 0; rat < RAT_COUNT && weight > 0.0; rat++) {
        f->share_of_rat[rat] /= weight;
        if (f->rat < 0 || f->share_of_rat[rat] > f->share_of_rat[f->rat])
            f->rat = rat;
    }
}
