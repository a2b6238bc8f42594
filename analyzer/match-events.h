/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why fixes were not used, as events: each is a row of fixes with the same fault.
 */
#pragma once

#include "analyzer/track.h"

typedef struct {
    int64_t from_ns, until_ns; /* first and last of its fixes */
    FixFault fault;
    guint64 fixes;
    double distance_m; /* FIX_FAULT_JUMP and FIX_FAULT_ASTRAY: how far off, at most;
                          FIX_FAULT_HELD: how far the vehicle went meanwhile, from the matched fix
                          before to the one after, NAN if it left the path there;
                          FIX_FAULT_NO_POSITION: NAN */
    GeoPoint at;       /* first position as received; NAN if it had none */
} MatchEvent;

typedef void (*MatchEventFunc)(const MatchEvent *event, void *user_data);

/* Begin with all 0 but the function. */
typedef struct {
    MatchEventFunc func;
    void *user_data;
    MatchEvent open; /* FIX_FAULT_NONE: no event is open */
    TrackFix last;   /* last matched fix */
    gboolean has_last;
} MatchEvents;

/* Takes fixes in order; calls the function for each event that is over. */
void match_events_take(MatchEvents *events, const TrackFix *fix);

/* No more fixes. */
void match_events_finish(MatchEvents *events);

/* "jump", "astray", "held", "no-position"; "" for FIX_FAULT_NONE. */
const char *fix_fault_name(FixFault fault);
