/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first of the matcher's two passes: which arcs of the network were driven, in which order.
 * Where on them, the second pass says (analyzer/match-smooth.h).
 */
#pragma once

#include "analyzer/edge-index.h"
#include "analyzer/match-obs.h"
#include "analyzer/route-search.h"

/* "Not on the network", in place of an arc. */
#define MATCH_OFF UINT32_MAX

typedef struct {
    uint32_t arc;
    uint32_t first;  /* observations from this one on (to the next arc's first) lie in it */
    float enter_m;   /* where it is entered, in the direction of travel: 0, unless turned */
    gboolean begins; /* nothing connects it with the arc before */
    gboolean turned; /* the vehicle turned round on the edge */
} PathArc;

typedef struct MatchWalker MatchWalker;

/* All arguments must outlive the walker; options and noise may change meanwhile.
 * Returns: (transfer full): free with match_walker_free(). */
MatchWalker *match_walker_new(const Network *network, EdgeIndex *index, RouteSearch *search,
                              const MatchOptions *options, const MatchNoise *noise);
void match_walker_free(MatchWalker *walker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MatchWalker, match_walker_free)

/* Takes the next observation, number i (from 0, one by one). */
void match_walker_take(MatchWalker *walker, const Observation *observation, uint32_t i);

/* Appends to `path` (of PathArc) what is decided and was not given before. `end` is the number of
 * observations taken. final: decides all, for the better or worse; the walker may go on from there.
 * Returns the number of the first observation that is not decided: `end` if final. Those before it
 * each lie in an arc that was given, or off the network (MATCH_OFF). */
uint32_t match_walker_decide(MatchWalker *walker, uint32_t end, gboolean final, GArray *path);
