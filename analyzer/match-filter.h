/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a fix before any network is looked at: no position, a jump, a receiver that
 * repeats its last position.
 */
#pragma once

#include "analyzer/match.h"

/* Sets status[i] to FIX_MATCHED (to be matched), FIX_REJECTED or FIX_REPEATED for n fixes. A jump
 * is a fix that cannot be reached from the last good one at max_speed_mps; five in a row that agree
 * with each other are believed instead (the receiver was wrong before, or has been carried off). */
void match_filter(const MatchFix *fixes, size_t n, double max_speed_mps, FixStatus *status);
