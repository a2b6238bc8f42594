/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other programs read must be of its format, whatever text stands in it. Each function aborts
 * where it is not, and says why.
 */
#pragma once

#include <glib.h>

/* UTF-8 without zero bytes. */
void well_formed_utf8(const char *text, gsize length);

/* RFC 4180: every row with n fields, `rows` of them behind the header; field numbers and order as
 * told to `field` (may be NULL). */
typedef void (*WellFormedField)(gsize row, guint column, const char *text, gpointer data);
void well_formed_csv(const char *text, guint n, gsize rows, WellFormedField field, gpointer data);

/* JSON, by json-glib; GeoJSON: a FeatureCollection of `features`. */
void well_formed_json(const char *text, gsize length);
void well_formed_geojson(const char *text, gsize length, gsize features);

/* XML, by expat. Returns elements of that name. */
gsize well_formed_xml(const char *text, gsize length, const char *name);

/* A piece of HTML of the report: only its own elements and attributes, closed in their order, and
 * none of the text's own markup: FORGED names what only texts hold. */
#define WELL_FORMED_FORGED "forged"
void well_formed_html(const char *text);
