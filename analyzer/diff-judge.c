/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/diff-state.h"
#include "analyzer/stat.h"

#include <math.h>

/* Levels of two receivers differ by the error of both. */
#define EQUIPMENT_DB (G_SQRT2 * JUDGE_UE_SIGMA_DB)
/* A pass whose mean margin is not known to this (served, but no level told) is not judged by it. */
#define MARGIN_UNKNOWN_DB 1.0

const char *diff_is_name(DiffIs is)
{
    static const char *const names[DIFF_COUNT] = {"unknown", "unchanged", "worse", "better"};
    return names[is];
}

/* Mean margin of a pass from -JUDGE_MARGIN_CAP_DB to 45 dB, NAN if not known; judge's
 * own margins end at 15 dB either way, so that one strong sample cannot outweigh several weak ones:
 * here a change of 30 dB is to be larger than one of 15. */
static double margin_of(const LevelHistogram *levels, const Service *service, const ServiceTally *t)
{
    if (!(t->all > 0.0) || fabs(t->margin_high - t->margin_low) > MARGIN_UNKNOWN_DB * t->all)
        return NAN;
    ServiceTally above; /* the part of each margin from 15 to 45 dB */
    judge_tally(levels, service, -2.0 * JUDGE_MARGIN_CAP_DB, &above);
    return 0.5 * (t->margin_low + t->margin_high) / t->all + above.margin_low / above.all +
           JUDGE_MARGIN_CAP_DB;
}

static void tally_runs(Diff *d, const DiffCampaign *c, int side)
{
    d->margin[side] = g_new0(double *, MAX(d->services->len, 1));
    d->share[side] = g_new0(double *, MAX(d->services->len, 1));
    for (guint s = 0; s < d->services->len; s++) {
        const Service *service = diff_service(d, s);
        gboolean by_level = service->quantity == QUANTITY_LEVEL;
        d->margin[side][s] = g_new(double, MAX(c->runs->len, 1));
        d->share[side][s] = g_new(double, MAX(c->runs->len, 1));
        for (guint i = 0; i < c->runs->len; i++) {
            const LevelHistogram *levels = &g_array_index(c->runs, DiffRun, i).levels;
            ServiceTally t = {0};
            if (by_level || service->quantity == QUANTITY_STATE)
                judge_tally(levels, service, 0.0, &t);
            d->margin[side][s][i] = by_level ? margin_of(levels, service, &t) : (double)NAN;
            d->share[side][s][i] = t.all > 0.0 ? t.good / t.all : (double)NAN;
        }
    }
}

/* Passes of one campaign over one place that have a margin. */
static guint passes_of(const Diff *d, int side, guint service, guint at, DiffPass *pass)
{
    const DiffCampaign *c = side == 0 ? &d->before : &d->after;
    guint n = 0;
    for (guint i = c->first_run[at]; i < c->first_run[at + 1]; i++) {
        const DiffRun *run = &g_array_index(c->runs, DiffRun, i);
        double margin = d->margin[side][service][i];
        if (!isnan(margin))
            pass[n++] = (DiffPass){margin, run->level_n > 0.0 ? run->level_sum / run->level_n
                                                              : (double)NAN};
    }
    return n;
}

static void judge_levels(Diff *d, guint group, guint service)
{
    guint n_runs = d->before.runs->len + d->after.runs->len, used = 0;
    g_autofree DiffPass *pass = g_new(DiffPass, MAX(n_runs, 1));
    g_autofree DiffPair *pairs = g_new0(DiffPair, d->n_places);
    for (guint p = 0; p < d->n_places; p++) {
        guint at = diff_at(d, group, p);
        pairs[p].before = pass + used;
        used += pairs[p].n_before = passes_of(d, 0, service, at, pass + used);
        pairs[p].after = pass + used;
        used += pairs[p].n_after = passes_of(d, 1, service, at, pass + used);
    }
    DiffSpread *spread = &d->spreads[group * d->services->len + service];
    *spread = diff_spread(pairs, d->n_places);
    double equipment = d->options->same_equipment ? 0.0 : EQUIPMENT_DB;
    for (guint p = 0; p < d->n_places; p++)
        d->results[diff_figure_at(d, group, p, service)].effect =
            diff_level(&pairs[p], spread, equipment);
}

static void judge_shares(Diff *d, guint group, guint service)
{
    for (guint p = 0; p < d->n_places; p++) {
        gsize i = diff_figure_at(d, group, p, service);
        const DiffFigure *a = &d->before.figures[i], *b = &d->after.figures[i];
        d->results[i].effect = diff_share(a->share, a->n_effective, b->share, b->n_effective);
    }
}

static void classify(Diff *d, gsize i)
{
    DiffResult *r = &d->results[i];
    Verdict before = d->before.figures[i].verdict, after = d->after.figures[i].verdict;
    gboolean no_before = before == VERDICT_NOT_MEASURED, no_after = after == VERDICT_NOT_MEASURED;
    r->is = DIFF_UNKNOWN;
    if (no_before || no_after)
        r->reason = no_before && no_after ? "not measured"
                    : no_before           ? "not measured before"
                                          : "not measured after";
    else if (r->p_adjusted <= d->options->rate) {
        r->is = r->effect.effect > 0.0 ? DIFF_BETTER : DIFF_WORSE;
        r->reason = "proved";
    } else if (before == VERDICT_UNCERTAIN || after == VERDICT_UNCERTAIN)
        r->reason = "uncertain";
    else if (before == after) {
        r->is = DIFF_UNCHANGED;
        r->reason = "same verdict";
    } else
        r->reason = "not proved";
}

/* One family of tests: all places of one operator and service. */
static void adjust(Diff *d, guint group, guint service)
{
    g_autofree double *p = g_new(double, MAX(d->n_places, 1));
    g_autofree double *adjusted = g_new(double, MAX(d->n_places, 1));
    for (guint i = 0; i < d->n_places; i++)
        p[i] = d->results[diff_figure_at(d, group, i, service)].effect.p;
    stat_adjusted_p(p, d->n_places, adjusted);
    for (guint i = 0; i < d->n_places; i++) {
        gsize at = diff_figure_at(d, group, i, service);
        d->results[at].p_adjusted = adjusted[i];
        classify(d, at);
    }
}

void diff_judge(Diff *d)
{
    gsize n = (gsize)d->groups->len * d->n_places * d->services->len;
    d->results = g_new0(DiffResult, MAX(n, 1));
    d->spreads = g_new0(DiffSpread, MAX(d->groups->len * d->services->len, 1));
    tally_runs(d, &d->before, 0);
    tally_runs(d, &d->after, 1);
    for (guint g = 0; g < d->groups->len; g++)
        for (guint s = 0; s < d->services->len; s++) {
            if (diff_service(d, s)->quantity == QUANTITY_LEVEL)
                judge_levels(d, g, s);
            else
                judge_shares(d, g, s);
            adjust(d, g, s);
        }
}
