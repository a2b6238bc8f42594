/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splitting lines into edges between nodes. Lines are collected first; then each vertex is known by
 * its place (1 cm), and lines are cut where they meet.
 */
#pragma once

#include "analyzer/network.h"

typedef struct LineSet LineSet;

typedef enum {
    SPLIT_AT_ENDS,    /* where the end of one line lies on a vertex of another */
    SPLIT_AT_VERTICES /* at every vertex that two lines share, as OpenStreetMap means it */
} SplitRule;

LineSet *line_set_new(void);
void line_set_free(LineSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LineSet, line_set_free)

/* Adds a line. From `edge` are taken id, class, name, ref, kind, way, tunnel, bridge, layer; all is
 * copied. Repeated vertices are dropped; a line that has no length is not added and counted. */
void line_set_add(LineSet *set, const NetworkEdge *edge, const GeoPoint *points, size_t n);

uint32_t line_set_n_lines(const LineSet *set);
uint32_t line_set_n_dropped(const LineSet *set); /* lines without length */

/* Moves line ends that are within snap_m of each other to one place. Returns how many moved. */
uint32_t line_set_snap(LineSet *set, double snap_m);

/* Cuts the lines. To be called once. Lines that lie on one another over their whole length, in
 * either direction, and are of one kind become one edge; one-way twins in opposite directions
 * become an edge for both ways. */
void line_set_split(LineSet *set, SplitRule rule);

uint32_t line_set_n_edges(const LineSet *set);
uint32_t line_set_n_nodes(const LineSet *set);
uint32_t line_set_n_twins(const LineSet *set);

/* Edge i: its attributes with geodesic length; its nodes are 0-based numbers. (transfer none) */
void line_set_edge(const LineSet *set, uint32_t i, NetworkEdge *edge, const GeoPoint **points);
/* Place and number of edge ends of node i. */
GeoPoint line_set_node(const LineSet *set, uint32_t i, uint32_t *n_edges);
