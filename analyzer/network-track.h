/* SPDX-License-Identifier: Apache-2.0 */
/* A network file from drives alone: `corridor network from-track`. */
#pragma once

#include "analyzer/network-learn.h"

typedef struct {
    const char *name;          /* of the corridor */
    EdgeKind kind;             /* of its edges */
    double start_m;            /* chainage of its first point */
    gboolean reverse;          /* against the direction of the first drive */
    const char *stations;      /* file of named points along it, or NULL (corridor-points.h) */
    int64_t from_ns, until_ns; /* only fixes of this time; INT64_MIN, INT64_MAX = all */
    GPtrArray *problems;       /* what of the drives could not be read is added; may be NULL */
} TrackOptions;

/* Learns the line of the drives and writes it. `result` tells what was learnt; free it with
 * learn_result_clear() also after failure. */
gboolean network_from_tracks(const char *out, const TrackOptions *options,
                             const char *const *drives, LearnResult *result, double *length_m,
                             GError **error);
