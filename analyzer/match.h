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

/* Takes the result of one fix; borrowed for the call. */
typedef void (*MatchFixFunc)(const TrackFix *fix, void *user_data);

/* The matcher as a stream: fixes go in, and come out as soon as it is decided where they were. What
 * it holds does not grow with the drive: a window of some ten thousand fixes. */
typedef struct Matcher Matcher;

/* func: called for each fix, in the order in which they were fed; NULL: not wanted. track: gets the
 * path, for asking where the vehicle was at a time; NULL: not wanted. It grows with the drive (32
 * bytes a fix). Network, options and track must outlive the matcher; options may be NULL.
 * Returns: (transfer full), or NULL if the network is empty: free with matcher_free(). */
Matcher *matcher_new(const Network *network, const MatchOptions *options, Track *track,
                     MatchFixFunc func, void *user_data, GError **error);
void matcher_free(Matcher *matcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Matcher, matcher_free)

/* Feeds n fixes in order of time. Those without a finite position come out as FIX_REJECTED. */
void matcher_feed(Matcher *matcher, const MatchFix *fixes, size_t n);

/* No more fixes: the rest comes out. Once.
 * Errors: NETWORK_ERROR_ELSEWHERE if nothing of the network is within 20 km of the fixes; the
 * message says how far apart they are. */
gboolean matcher_finish(Matcher *matcher, GError **error);

/* All that at once, for fixes in memory. The track keeps them: track_fixes().
 * Returns: (transfer full): free with track_free(). */
Track *track_match(const Network *network, const MatchFix *fixes, size_t n,
                   const MatchOptions *options, GError **error);

/* Matches what one receiver of a drive wrote, as it is read. *track (NULL: not wanted) gets a track
 * that does not keep the fixes (transfer full); untouched after a failure. */
gboolean match_receiver(const Network *network, Drive *drive, gint64 receiver,
                        const MatchOptions *options, Track **track, MatchFixFunc func,
                        void *user_data, GError **error);

/* Sources of a drive that have fixes. Returns: (transfer full) array of gint64. */
GArray *match_receivers(Drive *drive, GError **error);

/* Loads the part of a network that lies around drives: what their receivers passed, and what lies
 * between where they were silent. Drives without any position load all of it. `n` paths.
 * Returns: (transfer full): free with network_free(). */
Network *match_load_network(const char *network_path, char **drive_paths, size_t n, GError **error);
