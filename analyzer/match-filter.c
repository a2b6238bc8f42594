/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-filter.h"

#include "analyzer/crs.h"

#include <math.h>

enum { AGREEING_JUMPS = 5 };

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

void match_filter(const MatchFix *fixes, size_t n, double max_speed_mps, FixStatus *status)
{
    gssize good = -1;   /* last believed fix */
    gssize jumped = -1; /* last of a row of jumps that agree */
    size_t first_jump = 0;
    guint agreeing = 0;
    for (size_t i = 0; i < n; i++) {
        const MatchFix *fix = &fixes[i];
        status[i] = FIX_REJECTED;
        if (!isfinite(fix->lat) || !isfinite(fix->lon) || fabs(fix->lat) > 90.0 ||
            fabs(fix->lon) > 180.0)
            continue;
        if (good >= 0 && is_repeat(fix, &fixes[good])) {
            status[i] = FIX_REPEATED;
            continue;
        }
        if (good < 0 || reachable(&fixes[good], fix, max_speed_mps)) {
            status[i] = FIX_MATCHED;
            good = (gssize)i;
            agreeing = 0;
            jumped = -1;
            continue;
        }
        if (jumped >= 0 && reachable(&fixes[jumped], fix, max_speed_mps)) {
            agreeing++;
        } else {
            agreeing = 1;
            first_jump = i;
        }
        jumped = (gssize)i;
        if (agreeing < AGREEING_JUMPS)
            continue;
        for (size_t k = first_jump; k <= i; k++)
            if (isfinite(fixes[k].lat) && isfinite(fixes[k].lon))
                status[k] = FIX_MATCHED;
        good = (gssize)i;
        agreeing = 0;
        jumped = -1;
    }
}
