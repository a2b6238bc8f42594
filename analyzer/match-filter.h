/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a fix before any network is looked at: no position, a jump, a receiver that
 * repeats its last position.
 */
#pragma once

#include "analyzer/match.h"

typedef struct {
    MatchFix fix;
    FixStatus status; /* FIX_MATCHED: to be matched */
    FixFault fault;
    float away_m; /* a jump: from the last good fix */
} SeenFix;

/* Begin with all 0 and the speed. */
typedef struct {
    double max_speed_mps;
    MatchFix good, jumped; /* last believed fix; last of a row of jumps that agree */
    gboolean has_good;
    guint looked; /* number of the next fix to look at */
    guint agreeing, first_jump;
} MatchFilter;

/* Looks at the fixes that were added to `seen` (of SeenFix) and gives each its status. A jump is a
 * fix that cannot be reached from the last good one; five in a row that agree with each other are
 * believed instead (the receiver was wrong before, or has been carried off).
 * Returns how many fixes, from the first on, have a status that will not change. */
guint match_filter(MatchFilter *filter, GArray *seen, gboolean final);

/* The first n fixes were taken out of the array. */
void match_filter_shift(MatchFilter *filter, guint n);
