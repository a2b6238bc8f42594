/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paths of all living hypotheses, as a tree that grows from the past. What all of them share is
 * decided: it is handed over and forgotten, so that the tree stays small however long the drive.
 */
#pragma once

#include "analyzer/match-path.h"

typedef struct {
    GArray *nodes; /* the first one is the root, handed over already; parents before children */
    GArray *path;  /* PathArc: what was handed over */
} MatchTree;

void match_tree_init(MatchTree *tree);
void match_tree_clear(MatchTree *tree);

/* A new node after `parent`; returns its number. The root is 0. */
int32_t match_tree_add(MatchTree *tree, PathArc arc, int32_t parent);

guint match_tree_size(const MatchTree *tree);

/* Hands over what the paths to the n nodes share and forgets what none of them needs. The nodes'
 * new numbers replace the old ones. */
void match_tree_prune(MatchTree *tree, int32_t *nodes, guint n);

/* The first observation that lies in a child of the root: the least `first` of them, or `end`. */
uint32_t match_tree_first_open(const MatchTree *tree, uint32_t end);
