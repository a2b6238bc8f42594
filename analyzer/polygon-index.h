/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polygons around a box, asked for many places in it. Only edges that a question inside the box can
 * meet are kept, in bands of latitude: a polygon of a million corners costs what lies beside the
 * line. Rings follow the even-odd rule, so that one that crosses itself still means something; a
 * place belongs to a polygon if its outer ring holds it and none of its inner rings does.
 */
#pragma once

#include "analyzer/layer.h"

typedef struct PolygonIndex PolygonIndex;

/* (transfer full): free with polygon_index_free(). */
PolygonIndex *polygon_index_new(const GeoBox *box);
void polygon_index_free(PolygonIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PolygonIndex, polygon_index_free)

/* Adds the polygons of one feature; level NAN and name NULL if it has none. The name is copied. */
void polygon_index_add(PolygonIndex *index, const LayerShape *shape, double level,
                       const char *name);
/* To be called once after the last one, before the first question. */
void polygon_index_finish(PolygonIndex *index);
/* Features added, and edges kept. */
guint polygon_index_count(const PolygonIndex *index);
guint polygon_index_edges(const PolygonIndex *index);

/* Does any polygon hold the place (in the box)? *level (nullable): the highest level of those that
 * do, NAN if none has one. *name (nullable): of the first one; NULL if it has none. */
gboolean polygon_index_at(const PolygonIndex *index, GeoPoint place, double *level,
                          const char **name);
