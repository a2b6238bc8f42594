/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Styles of lines for QGIS (QML): colours that colour-blind people can tell apart, with widths and
 * dashes that tell the same without colour.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *value;    /* of the attribute; our own word: nothing to escape */
    const char *colour;   /* red,green,blue,alpha */
    const char *width_mm; /* the widest shows where lines lie upon each other */
    const char *line;     /* solid, dash, dot */
} StyleLine;

/* One symbol for each value of an attribute. Attributes are made of a-z, 0-9 and _: nothing to
 * escape. Returns: (transfer full). */
char *style_by_value(const char *attribute, const StyleLine *lines, guint n);

/* One symbol for all. Returns: (transfer full). */
char *style_plain(const StyleLine *line);
