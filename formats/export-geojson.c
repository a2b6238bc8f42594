/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GeoJSON (RFC 7946): one FeatureCollection, a feature a line. Unknown values are left out; a row
 * without a place has the geometry null.
 */
#include "formats/export.h"

#include <inttypes.h>

static void put_text(FILE *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    (void)putc('"', out);
    for (const char *c = valid; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            (void)putc('\\', out);
        if ((unsigned char)*c < 0x20)
            (void)fprintf(out, "\\u%04x", (unsigned)*c);
        else
            (void)putc(*c, out);
    }
    (void)putc('"', out);
}

static void begin(FILE *out, const ExportHead *head)
{
    (void)fputs("{\"type\":\"FeatureCollection\",\"name\":", out);
    put_text(out, head->title);
    (void)fputs(",\"features\":[", out);
}

static void put_point(FILE *out, const ExportPoint *point)
{
    char lon[32];
    char lat[32];
    (void)fprintf(out, "[%s,%s]", g_ascii_formatd(lon, sizeof lon, "%.7f", point->lon),
                  g_ascii_formatd(lat, sizeof lat, "%.7f", point->lat));
}

static void put_geometry(FILE *out, const ExportHead *head, const ExportRow *row)
{
    if (row->n_points == 0 || (head->lines && row->n_points < 2)) {
        (void)fputs("null", out);
        return;
    }
    if (!head->lines) {
        (void)fputs("{\"type\":\"Point\",\"coordinates\":", out);
        put_point(out, &row->points[0]);
        (void)putc('}', out);
        return;
    }
    (void)fputs("{\"type\":\"LineString\",\"coordinates\":[", out);
    for (size_t i = 0; i < row->n_points; i++) {
        if (i > 0)
            (void)putc(',', out);
        put_point(out, &row->points[i]);
    }
    (void)fputs("]}", out);
}

static void row(FILE *out, const ExportHead *head, const ExportRow *row, guint64 number)
{
    char text[32];
    (void)fputs(number > 0 ? ",\n{\"type\":\"Feature\",\"properties\":{"
                           : "\n{\"type\":\"Feature\",\"properties\":{",
                out);
    gboolean first = TRUE;
    for (guint i = 0; i < head->n_columns; i++) {
        const ExportValue *value = &row->values[i];
        ExportType type = head->columns[i].type;
        if (!value->known || (type == EXPORT_TEXT && value->v.t == NULL) ||
            (type == EXPORT_REAL && *export_real(value->v.r, text) == '\0'))
            continue;
        if (!first)
            (void)putc(',', out);
        first = FALSE;
        put_text(out, head->columns[i].name);
        (void)putc(':', out);
        if (type == EXPORT_INT)
            (void)fprintf(out, "%" PRId64, value->v.i);
        else if (type == EXPORT_REAL)
            (void)fputs(text, out);
        else
            put_text(out, value->v.t);
    }
    (void)fputs("},\"geometry\":", out);
    put_geometry(out, head, row);
    (void)putc('}', out);
}

static void end(FILE *out, guint64 rows)
{
    (void)rows;
    (void)fputs("\n]}\n", out);
}

const ExportFormat export_geojson = {.name = "geojson", .begin = begin, .row = row, .end = end};
