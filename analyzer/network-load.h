/* SPDX-License-Identifier: Apache-2.0 */
/* What the loaders of network files share (network-load.c, network-cache.c). */
#pragma once

#include "analyzer/layer.h"
#include "analyzer/network-builder.h"

/* Opens a network file and checks that it is one. (transfer full) */
LayerSource *network_open(const char *path, GError **error);

/* Key of the file's content. (transfer full) */
char *network_digest(const char *path, GError **error);

/* Called for each edge; all borrowed for the call. FALSE = the edge is no line. */
typedef gboolean (*NetworkEdgeFunc)(const NetworkEdge *edge, int64_t from_node, int64_t to_node,
                                    const GeoPoint *points, size_t n_points, void *user_data);
gboolean network_read_edges(LayerSource *source, const GeoBox *box, NetworkEdgeFunc func,
                            void *user_data, GError **error);

/* Adds all corridors of the file to a builder. */
gboolean network_read_corridors(LayerSource *source, NetworkBuilder *builder, GError **error);

/* Adds the forbidden turns of the file to a builder that has the edges. */
gboolean network_read_turns(LayerSource *source, NetworkBuilder *builder, GError **error);

/* For when nothing of the network lies in the box: sets an error that says how far apart they are,
 * or that the network is empty. */
void network_say_elsewhere(LayerSource *source, const GeoBox *box, GError **error);
