/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fields of a map say about a line: OpenStreetMap tags (wiki.openstreetmap.org:
 * Key:highway, Key:railway, Key:oneway, Key:layer) and the like in other sources. Pure functions.
 */
#pragma once

#include "analyzer/network.h"

/* Kind of a `highway` or `railway` value that a vehicle runs on, 0 for all others (footway,
 * disused, platform …). NULL gives 0. `tracks`: with farm and forest tracks. */
int tags_road(const char *highway, gboolean tracks);
int tags_rail(const char *railway);

/* Yes, no or unknown (-1) from "yes", "no", "true", "1", "F" … in any case; other words, such as
 * "viaduct" or "avalanche_protector", are a yes. */
int tags_flag(const char *value);

/* Direction from a oneway value ("yes", "-1", "reverse", "1", "F", "T", "B" …), the junction and
 * the highway value; each may be NULL. Roundabouts and motorways are one-way unless said otherwise.
 * `fclass` TRUE = the letters of Geofabrik's shapefiles: F along, T against the line. */
EdgeWay tags_way(const char *oneway, const char *junction, const char *highway, gboolean fclass);

/* Vertical order: a number in text, -99..99; 0 if there is none. */
int8_t tags_layer(const char *layer);
