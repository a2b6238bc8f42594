/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/judge.h"
#include "analyzer/stat.h"
#include "formats/records.h"

#include <math.h>

static const char *const verdicts[VERDICT_COUNT] = {"not measured", "uncertain", "not covered",
                                                    "covered"};
static const char *const reason_names[REASON_COUNT] = {
    "no sample",       "not tested",     "no level",     "clear", "level",          "no service",
    "too few samples", "too few passes", "too few days", "mixed", "near threshold",
};

const char *verdict_name(Verdict verdict)
{
    return verdicts[verdict];
}

Verdict verdict_by_name(const char *name)
{
    for (int v = 0; name != NULL && v < VERDICT_COUNT; v++)
        if (strcmp(name, verdicts[v]) == 0)
            return (Verdict)v;
    return VERDICT_NOT_MEASURED;
}

const char *reason_name(VerdictReason reason)
{
    return reason_names[reason];
}

double judge_effective(double n, double metres, double decorrelation_m)
{
    if (!(n > 0.0))
        return 0.0;
    double rho = stat_correlation(metres / n, decorrelation_m);
    return fmax(1.0, stat_effective_n(n, rho));
}

/* ---- how one entry of a histogram stands to a service ---- */

typedef enum { ENTRY_GOOD, ENTRY_BAD, ENTRY_NOT_JUDGED } EntryIs;

static int technology_of(uint8_t channel, uint8_t rat)
{
    static const int of_rat[RAT_COUNT] = {TECH_LTE, TECH_LTE, TECH_GSM, TECH_UMTS,
                                          TECH_LTE, TECH_LTE, TECH_NR};
    switch (channel) {
    case CHANNEL_GSM:
        return TECH_GSM;
    case CHANNEL_UMTS:
        return TECH_UMTS;
    case CHANNEL_SA:
    case CHANNEL_NR_LEG:
        return TECH_NR;
    case CHANNEL_NO_LEVEL:
    case CHANNEL_FLOOR:
        return of_rat[rat < RAT_COUNT ? rat : 0];
    default:
        return TECH_LTE;
    }
}

/* What a service makes of the entries of one channel and technology. */
typedef struct {
    gboolean by_level; /* else all are `is`, with `margin_db` */
    EntryIs is;
    double margin_db;     /* NAN: none */
    double threshold_dbm; /* by_level, or to tell the margin from */
    gboolean has_margin;
    gboolean is_floor;
} Scale;

static Scale scale_of(uint8_t channel, uint8_t rat, const Service *s)
{
    Scale scale = {.is = ENTRY_BAD, .margin_db = NAN};
    if (channel == CHANNEL_NO_SERVICE || (channel == CHANNEL_LIMITED && !s->limited_counts)) {
        scale.margin_db = -JUDGE_MARGIN_CAP_DB; /* below every level */
        return scale;
    }
    if (channel == CHANNEL_LIMITED) {
        scale.is = ENTRY_GOOD;
        return scale;
    }
    int tech = technology_of(channel, rat);
    scale.has_margin = s->has_level[tech] && channel != CHANNEL_NO_LEVEL;
    if (scale.has_margin)
        scale.threshold_dbm = s->level_dbm[tech];
    if (s->quantity == QUANTITY_STATE)
        scale.is = ENTRY_GOOD;
    else if (s->has_level[tech] && channel == CHANNEL_NO_LEVEL)
        scale.is = ENTRY_NOT_JUDGED;
    else /* a technology without a threshold does not give this service */
        scale.by_level = s->has_level[tech];
    scale.is_floor = channel == CHANNEL_FLOOR;
    return scale;
}

/* margin: level minus threshold, NAN where there is none. */
static inline EntryIs entry_is(const LevelEntry *e, const Scale *scale, double shift_db,
                               double *margin)
{
    *margin = scale->has_margin ? e->level_dbm + shift_db - scale->threshold_dbm : scale->margin_db;
    if (!scale->by_level)
        return scale->is;
    if (scale->is_floor)
        return *margin <= 0.0 ? ENTRY_BAD : ENTRY_NOT_JUDGED;
    return *margin >= 0.0 ? ENTRY_GOOD : ENTRY_BAD;
}

static void add_part(ServiceTally *t, double part, double weight, double time, EntryIs is,
                     double margin)
{
    t->all += part * weight;
    t->all_time += part * time;
    if (is == ENTRY_GOOD) {
        t->good += part * weight;
        t->good_time += part * time;
    }
    /* without a level: nothing speaks for the service, nothing says how far below it is */
    double low = isnan(margin) ? -JUDGE_MARGIN_CAP_DB : margin;
    double high = isnan(margin) ? (is == ENTRY_GOOD ? JUDGE_MARGIN_CAP_DB : 0.0) : margin;
    t->margin_low += part * weight * CLAMP(low, -JUDGE_MARGIN_CAP_DB, JUDGE_MARGIN_CAP_DB);
    t->margin_high += part * weight * CLAMP(high, -JUDGE_MARGIN_CAP_DB, JUDGE_MARGIN_CAP_DB);
}

typedef struct {
    double weight, time; /* of all NSA samples */
    uint32_t legs, legs_good;
    double margin; /* sum over legs */
} NsaLegs;

static void tally_legs(const LevelHistogram *levels, const Service *s, double shift_db, NsaLegs *l)
{
    Scale scale = scale_of(CHANNEL_NR_LEG, 0, s);
    for (uint32_t i = 0; i < levels->n; i++) {
        const LevelEntry *e = &levels->entry[i];
        double margin;
        if (e->channel != CHANNEL_NR_LEG)
            continue;
        l->legs += e->count;
        if (entry_is(e, &scale, shift_db, &margin) == ENTRY_GOOD)
            l->legs_good += e->count;
        l->margin += margin * e->count;
    }
}

void judge_tally(const LevelHistogram *levels, const Service *service, double shift_db,
                 ServiceTally *tally)
{
    *tally = (ServiceTally){0};
    uint64_t way = 0, time = 0;
    for (uint32_t i = 0; i < levels->n; i++) {
        way += levels->entry[i].way_dm;
        time += levels->entry[i].time_cs;
    }
    /* a service of NR alone is judged on the NR leg of NR-NSA, else on the LTE anchor */
    gboolean by_leg = service->quantity == QUANTITY_LEVEL && service->has_level[TECH_NR] &&
                      !service->has_level[TECH_LTE];
    NsaLegs legs = {0};
    if (by_leg)
        tally_legs(levels, service, shift_db, &legs);
    Scale scale = {0};
    for (uint32_t i = 0; i < levels->n; i++) {
        const LevelEntry *e = &levels->entry[i];
        double weight = way > 0 ? e->way_dm : e->count, seconds = time > 0 ? e->time_cs : e->count;
        double margin;
        if (e->channel == CHANNEL_NR_LEG)
            continue;
        if (i == 0 || e->channel != e[-1].channel || e->rat != e[-1].rat)
            scale = scale_of(e->channel, e->rat, service);
        if (e->channel == CHANNEL_NSA && by_leg) {
            if (legs.legs == 0)
                continue;
            double good = (double)legs.legs_good / legs.legs;
            margin = legs.margin / legs.legs;
            add_part(tally, good, weight, seconds, ENTRY_GOOD, margin);
            add_part(tally, 1.0 - good, weight, seconds, ENTRY_BAD, margin);
            tally->n += e->count;
            continue;
        }
        EntryIs is = entry_is(e, &scale, shift_db, &margin);
        if (is == ENTRY_NOT_JUDGED)
            continue;
        add_part(tally, 1.0, weight, seconds, is, margin);
        tally->n += e->count;
        if (e->channel == CHANNEL_NO_SERVICE)
            tally->n_no_service += e->count;
    }
}

/* ---- verdict ---- */

static void set(ServiceResult *r, Verdict verdict, VerdictReason reason)
{
    r->verdict = verdict;
    r->reason = reason;
}

void judge_verdict(const VerdictInput *in, const Service *service, double z, ServiceResult *r)
{
    r->share = in->share;
    r->n = (uint32_t)MIN(in->n, UINT32_MAX);
    StatInterval ci = stat_wilson(in->share, in->n_effective, z);
    r->low = ci.low;
    r->high = ci.high;
    if (in->passes < service->min_passes) {
        set(r, VERDICT_UNCERTAIN, REASON_FEW_PASSES);
        return;
    }
    if (in->days < service->min_days) {
        set(r, VERDICT_UNCERTAIN, REASON_FEW_DAYS);
        return;
    }
    if (in->n < service->min_samples) {
        set(r, VERDICT_UNCERTAIN, REASON_FEW_SAMPLES);
        return;
    }
    if (in->n_no_service == in->n) {
        set(r, VERDICT_NOT_COVERED, REASON_NO_SERVICE);
        return;
    }
    if (ci.low > service->required || ci.high < service->required) {
        set(r, ci.low > service->required ? VERDICT_COVERED : VERDICT_NOT_COVERED, REASON_CLEAR);
        return;
    }
    gboolean by_level = !isnan(in->margin_low);
    if (by_level) {
        /* the level that the required share of the way must reach, seen from the mean */
        double sigma = hypot(in->sigma_db, JUDGE_UE_SIGMA_DB);
        double ask = stat_normal_quantile(service->required) * sigma;
        double half = z * sigma / sqrt(fmax(in->n_effective, 1.0));
        if (in->margin_low - ask - half > 0.0) {
            set(r, VERDICT_COVERED, REASON_LEVEL);
            return;
        }
        if (service->quantity == QUANTITY_LEVEL && in->margin_high - ask + half < 0.0) {
            set(r, VERDICT_NOT_COVERED, REASON_LEVEL);
            return;
        }
    }
    gboolean one_sided = in->share <= 0.0 || in->share >= 1.0;
    if (by_level && service->quantity == QUANTITY_LEVEL && in->n_effective < 4.0)
        set(r, VERDICT_UNCERTAIN, one_sided ? REASON_NEAR : REASON_MIXED);
    else
        set(r, VERDICT_UNCERTAIN, one_sided ? REASON_FEW_SAMPLES : REASON_MIXED);
}
