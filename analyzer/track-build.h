/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a track: what the matcher knows and the askers of a track do not.
 */
#pragma once

#include "analyzer/track.h"

/* A piece of one edge, travelled in one direction. */
typedef struct {
    uint32_t edge;
    gboolean backward;
    double from_m;  /* in the direction of travel, from where the edge is entered */
    double start_s; /* metres travelled since the start of the stretch, at the piece's start */
} RoutePiece;

/* A matched fix that holds the track in place. */
typedef struct {
    int64_t time_ns;
    double s;        /* metres travelled since the start of the stretch */
    float speed_mps; /* along the track */
    float sigma_m;
} TrackAnchor;

/* Steps to a metre, a metre per second, a metre of sigma that an anchor is rounded to when it is
 * added: far finer than any fix, and small when packed. */
enum { TRACK_STEPS_M = 1024, TRACK_STEPS_MPS = 256, TRACK_STEPS_SIGMA = 64 };

/* network must outlive the track. keep_fixes: for track_fixes(); a track can be asked for places
 * without. Returns: (transfer full). */
Track *track_new(const Network *network, gboolean keep_fixes);

void track_add_fix(Track *track, const TrackFix *fix);

/* Begins a new stretch; pieces and anchors added from now on belong to it. */
void track_begin_stretch(Track *track);
guint track_stretches(const Track *track);
void track_add_piece(Track *track, RoutePiece piece);
void track_add_anchor(Track *track, TrackAnchor anchor);

/* Pieces of a stretch in the order of travel. (transfer none) */
const RoutePiece *track_pieces(const Track *track, guint stretch, guint *n);
TrackAnchor *track_anchors(Track *track, size_t *n);

/* Metres travelled at a time between two anchors of a stretch, and the half width of where the
 * vehicle can have been with at most `max_accel` m/s² (docs/method.md, "Placing"): cubic Hermite
 * with the guard of Fritsch and Carlson (1980) so that it never runs backward. */
void track_hermite(const TrackAnchor *a, const TrackAnchor *b, int64_t time_ns, double max_accel,
                   double *s, double *speed_mps, double *half_width_m);

/* A track (without its fixes) as bytes of this machine, appended to `out`, and back. Bytes that are
 * no track of this network give NULL: they may come from anywhere. */
void track_pack(const Track *track, GByteArray *out);
Track *track_unpack(const Network *network, const uint8_t *data, size_t n);
