/* SPDX-License-Identifier: Apache-2.0 */
/* Folding the other carriageway and parallel tracks onto a corridor's line. */
#pragma once

#include "analyzer/network-builder.h"

/* Finds the edges that run beside a line within fold_m over their whole length, in its direction or
 * against it, and adds them to `parts` (BuilderCorridorEdge, folded). Railways fold onto railways;
 * a road folds if it shares a ref or the name with one of the line's edges, or is one-way and of
 * the class of one. `on_line`: per edge of the network, 1 for those of the line itself.
 * line_m: chainage of each vertex of the line. Returns how many were added. */
guint corridor_fold(const Network *network, const GeoPoint *line, const double *line_m, size_t n,
                    const guint8 *on_line, double fold_m, GArray *parts);
