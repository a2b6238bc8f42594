/* SPDX-License-Identifier: Apache-2.0 */
/* What the loaders of network files share (network-load.c, network-cache.c). */
#pragma once

#include "analyzer/layer.h"
#include "analyzer/network-builder.h"

/* Opens a network file and checks that it is one. (transfer full) */
LayerSource *network_open(const char *path, GError **error);

/* Called for each edge; all borrowed for the call. FALSE = the edge is no line. */
typedef gboolean (*NetworkEdgeFunc)(const NetworkEdge *edge, int64_t from_node, int64_t to_node,
                                    const GeoPoint *points, size_t n_points, void *user_data);
gboolean network_read_edges(LayerSource *source, const GeoBox *box, NetworkEdgeFunc func,
                            void *user_data, GError **error);

/* Adds the corridors and the forbidden turns to a builder that has the edges, and finishes it.
 * `loaded`: (transfer full). NULL, if it has no edges, with an error that says how far apart they
 * and the box are, or that the network is empty. (transfer full) */
Network *network_finish_loading(LayerSource *source, NetworkBuilder *loaded, const char *path,
                                const GeoBox *box, GError **error);
