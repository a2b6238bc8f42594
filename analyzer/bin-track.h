/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where one receiver of a drive was, and what its fixes were worth.
 */
#pragma once

#include "analyzer/match.h"

typedef struct {
    Track *track;
    int64_t fixes[FIX_STATUS_COUNT];
    /* medians and the 95th percentile, in steps of 0.1 m; NAN if not known */
    double accuracy_p50_m, distance_p50_m, distance_p95_m;
} BinTrack;

/* Matches the receiver's fixes. Returns: (transfer full): free with bin_track_free(). */
BinTrack *bin_track_new(const Network *network, Drive *drive, gint64 receiver, GError **error);
void bin_track_free(BinTrack *track);
