/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Map matching: from fixes to a path through the network. Hidden Markov model (Newson & Krumm,
 * 2009) over directed edges; docs/method.md, "Matching".
 */
#pragma once

#include "analyzer/track.h"
#include "formats/drive-read.h"

/* One fix as the matcher takes it; NAN where the receiver did not say. */
typedef struct {
    int64_t time_ns;
    double lat, lon;
    double accuracy_m; /* 68 % */
    double speed_mps;
    double heading_deg; /* clockwise from true north */
} MatchFix;

typedef struct {
    unsigned modes;       /* mask of EdgeKind; 0 = all of the network */
    double sigma_m;       /* of the receiver; 0 = from accuracies, or estimated */
    double max_speed_mps; /* believable; 0 = 100 */
} MatchOptions;

/* Matches fixes in order of time. Fixes without a finite position are given back as FIX_REJECTED.
 * Memory: the track (about 80 bytes a fix); the model itself holds a bounded window.
 * Errors: NETWORK_ERROR_ELSEWHERE if nothing of the network is within 20 km of the fixes; the
 * message says how far apart they are. options may be NULL.
 * Returns: (transfer full): free with track_free(). */
Track *track_match(const Network *network, const MatchFix *fixes, size_t n,
                   const MatchOptions *options, GError **error);

/* Reads the fixes of one receiver of a drive (ordered, with a position or not).
 * Returns: (transfer full) array of MatchFix, or NULL on failure. */
GArray *match_read_fixes(Drive *drive, gint64 source, GError **error);

/* Sources of a drive that have fixes. Returns: (transfer full) array of gint64. */
GArray *match_receivers(Drive *drive, GError **error);

/* Loads the part of a network that lies around drives: what their receivers passed, and what lies
 * between where they were silent. Drives without any position load all of it. `n` paths.
 * Returns: (transfer full): free with network_free(). */
Network *match_load_network(const char *network_path, char **drive_paths, size_t n, GError **error);
