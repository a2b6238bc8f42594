/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-filter.h"

#include "analyzer/crs.h"

#include <math.h>

/* A row of jumps is given up when it spans so many fixes, most of which have no position. */
enum { AGREEING_JUMPS = 5, LONGEST_ROW = 256 };

static double tolerance_m(const MatchFix *fix)
{
    return isfinite(fix->accuracy_m) ? CLAMP(3.0 * fix->accuracy_m, 30.0, 300.0) : 50.0;
}

static gboolean reachable(const MatchFix *a, const MatchFix *b, double max_speed_mps)
{
    double seconds = fabs((double)(b->time_ns - a->time_ns) / 1e9);
    /* times of phones are whole seconds: half a second more on either side */
    double limit_m = max_speed_mps * (seconds + 1.0) + tolerance_m(a) + tolerance_m(b);
    /* nowhere is a degree longer than this: most fixes need no geodesy */
    if ((fabs(a->lat - b->lat) + fabs(a->lon - b->lon)) * 111700.0 <= limit_m)
        return TRUE;
    double metres = crs_short_distance_m((GeoPoint){a->lon, a->lat}, (GeoPoint){b->lon, b->lat});
    return metres <= limit_m;
}

/* Same position while the vehicle moves: by its own word, or because it moved before and after. */
static gboolean is_repeat(const MatchFix *fix, const MatchFix *before)
{
    if (fix->lat != before->lat || fix->lon != before->lon || fix->time_ns == before->time_ns)
        return FALSE;
    return !(fix->speed_mps < 0.5);
}

static gboolean on_earth(const MatchFix *fix)
{
    return fabs(fix->lat) <= 90.0 && fabs(fix->lon) <= 180.0;
}

static void believe(SeenFix *seen)
{
    seen->status = FIX_MATCHED;
    seen->fault = FIX_FAULT_NONE;
    seen->away_m = 0.0f;
}

/* A fix that cannot be reached from the last good one. */
static void take_jump(MatchFilter *filter, SeenFix *all, guint i)
{
    SeenFix *seen = &all[i];
    seen->fault = FIX_FAULT_JUMP;
    seen->away_m = (float)crs_short_distance_m((GeoPoint){filter->good.lon, filter->good.lat},
                                               (GeoPoint){seen->fix.lon, seen->fix.lat});
    if (filter->agreeing > 0 && reachable(&filter->jumped, &seen->fix, filter->max_speed_mps)) {
        filter->agreeing++;
    } else {
        filter->agreeing = 1;
        filter->first_jump = i;
    }
    filter->jumped = seen->fix;
    if (filter->agreeing < AGREEING_JUMPS)
        return;
    for (guint k = filter->first_jump; k <= i; k++)
        if (all[k].fault == FIX_FAULT_JUMP)
            believe(&all[k]);
    filter->good = seen->fix;
    filter->agreeing = 0;
}

guint match_filter(MatchFilter *filter, GArray *seen, gboolean final)
{
    SeenFix *all = (SeenFix *)(void *)seen->data;
    for (; filter->looked < seen->len; filter->looked++) {
        guint i = filter->looked;
        const MatchFix *fix = &all[i].fix;
        all[i].status = FIX_REJECTED;
        all[i].fault = FIX_FAULT_NO_POSITION;
        if (filter->agreeing > 0 && i - filter->first_jump > LONGEST_ROW)
            filter->agreeing = 0;
        if (!on_earth(fix))
            continue;
        if (filter->has_good && is_repeat(fix, &filter->good)) {
            all[i].status = FIX_REPEATED;
            all[i].fault = FIX_FAULT_HELD;
        } else if (!filter->has_good || reachable(&filter->good, fix, filter->max_speed_mps)) {
            believe(&all[i]);
            filter->good = *fix;
            filter->has_good = TRUE;
            filter->agreeing = 0;
        } else {
            take_jump(filter, all, i);
        }
    }
    return final || filter->agreeing == 0 ? filter->looked : filter->first_jump;
}

void match_filter_shift(MatchFilter *filter, guint n)
{
    filter->looked -= n;
    filter->first_jump -= MIN(n, filter->first_jump);
}
