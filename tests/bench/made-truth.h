/* SPDX-License-Identifier: Apache-2.0 */
/* Drives whose every place is known: read from the reference data, or made on a made network. */
#pragma once

#include "analyzer/network.h"

typedef struct {
    int64_t time_ns;
    uint32_t edge;
    double offset_m;
    GeoPoint at;
    double speed_mps;  /* as a receiver tells it */
    GeoPoint measured; /* the reference data's own noisy fix; NAN if made */
    uint32_t trip;
} TruthFix;

typedef struct {
    char *name;
    Network *network;
    GArray *fixes; /* TruthFix */
} Truth;

void truth_free(Truth *truth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Truth, truth_free)

/* Reads edges.geojson, drive.csv and truth.csv of a folder. NULL if it is not there or not that. */
Truth *truth_read(const char *folder);

/* Trips along random routes on a given network (NULL: an own one, streets in a jittered grid with
 * side roads, and roads beside roads). */
Truth *truth_make(Network *network, guint32 seed, guint trips);

/* Positions as a receiver gives them, with errors of sigma_m each way that last (first-order
 * autoregression, 0.9 from one fix to the next); sigma_m < 0: as measured in the reference data.
 * Returns: (transfer full) a place for each fix. */
GeoPoint *truth_blur(const Truth *truth, double sigma_m, guint32 seed);
