/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forbidden turns of OpenStreetMap: relations of type=restriction over one node. GDAL gives the
 * members' lines in their order, without their roles: the first line is taken as `from`, the second
 * as `to`, unless the restriction says "left" or "right" and the lines say the opposite. Those over
 * a way, for some vehicles only (except=…) or at some times only are passed over.
 */
#pragma once

#include "analyzer/layer.h"
#include "analyzer/network-file.h"
#include "analyzer/network-split.h"

typedef struct TurnList TurnList;

/* Reads the restrictions of an OpenStreetMap file.
 * Returns: (transfer full): free with turn_list_free(). */
TurnList *turn_list_read(LayerSource *source, GError **error);
void turn_list_free(TurnList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TurnList, turn_list_free)

/* Finds the edges that the restrictions speak of, in a set that was split. only_… forbids all other
 * turns from the edge. */
void turn_list_resolve(TurnList *list, const LineSet *set);

guint turn_list_n_used(const TurnList *list);   /* restrictions whose edges were found */
guint turn_list_n_unused(const TurnList *list); /* others */

/* Writes the forbidden turns. fids: of the set's edges. */
gboolean turn_list_write(const TurnList *list, const int64_t *fids, NetworkFile *file,
                         GError **error);
