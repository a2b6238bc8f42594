/* SPDX-License-Identifier: Apache-2.0 */
/* What track.c and track-pack.c share. */
#pragma once

#include "analyzer/track-build.h"

/* A connected piece of route: ranges of pieces and anchors. */
typedef struct {
    guint first_piece, n_pieces, first_anchor, n_anchors;
} Stretch;

/* A believable fix that is not on the network. */
typedef struct {
    int64_t time_ns;
    GeoPoint at;
} OffFix;

struct Track {
    const Network *network;
    GArray *fixes;                              /* NULL: not kept */
    GArray *stretches, *pieces, *anchors, *off; /* Stretch, RoutePiece, TrackAnchor, OffFix */
};
