/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-events.h"

#include <math.h>

const char *fix_fault_name(FixFault fault)
{
    static const char *const names[FIX_FAULT_COUNT] = {"", "no-position", "jump", "astray", "held"};
    return names[fault];
}

static void end_event(MatchEvents *events, const TrackFix *next)
{
    if (events->open.fault == FIX_FAULT_NONE)
        return;
    if (events->open.fault == FIX_FAULT_HELD && next != NULL && events->has_last &&
        next->status == FIX_MATCHED && next->stretch == events->last.stretch)
        events->open.distance_m = next->travelled_m - events->last.travelled_m;
    events->func(&events->open, events->user_data);
    events->open.fault = FIX_FAULT_NONE;
}

void match_events_take(MatchEvents *events, const TrackFix *fix)
{
    MatchEvent *open = &events->open;
    if (fix->fault != open->fault)
        end_event(events, fix);
    if (fix->status == FIX_MATCHED || fix->status == FIX_OFF_NETWORK) {
        events->last = *fix;
        events->has_last = fix->status == FIX_MATCHED;
    }
    if (fix->fault == FIX_FAULT_NONE)
        return;
    gboolean tells = fix->fault == FIX_FAULT_JUMP || fix->fault == FIX_FAULT_ASTRAY;
    double distance_m = tells ? fix->distance_m : NAN;
    if (open->fault == FIX_FAULT_NONE)
        *open = (MatchEvent){
            .from_ns = fix->time_ns, .fault = fix->fault, .distance_m = distance_m, .at = fix->raw};
    open->until_ns = fix->time_ns;
    open->fixes++;
    if (tells)
        open->distance_m = fmax(open->distance_m, distance_m);
}

void match_events_finish(MatchEvents *events)
{
    end_event(events, NULL);
}
