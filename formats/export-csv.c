/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV as RFC 4180 has it, with LF line ends. Behind the columns stands the place: lat and lon of a
 * point; lat_from … lon_to, the ends, of a line.
 */
#include "formats/csv-field.h"
#include "formats/export.h"

#include <inttypes.h>

static void begin(FILE *out, const ExportHead *head)
{
    for (guint i = 0; i < head->n_columns; i++) {
        if (i > 0)
            (void)putc(',', out);
        csv_print_field(out, head->columns[i].name);
    }
    (void)fputs(head->no_places ? "\n"
                : head->lines   ? ",lat_from,lon_from,lat_to,lon_to\n"
                                : ",lat,lon\n",
                out);
}

static void put_point(FILE *out, const ExportPoint *point)
{
    char lat[32];
    char lon[32];
    if (point != NULL)
        (void)fprintf(out, "%s,%s", g_ascii_formatd(lat, sizeof lat, "%.7f", point->lat),
                      g_ascii_formatd(lon, sizeof lon, "%.7f", point->lon));
    else
        (void)putc(',', out);
}

static void row(FILE *out, const ExportHead *head, const ExportRow *row, guint64 number)
{
    (void)number;
    char text[32];
    for (guint i = 0; i < head->n_columns; i++) {
        const ExportValue *value = &row->values[i];
        if (i > 0)
            (void)putc(',', out);
        if (value->known && head->columns[i].type == EXPORT_INT)
            (void)fprintf(out, "%" PRId64, value->v.i);
        else if (value->known && head->columns[i].type == EXPORT_REAL)
            (void)fputs(export_real(value->v.r, text), out);
        else if (value->known && value->v.t != NULL)
            csv_print_field(out, value->v.t);
    }
    if (!head->no_places) {
        (void)putc(',', out);
        put_point(out, row->n_points > 0 ? &row->points[0] : NULL);
    }
    if (!head->no_places && head->lines) {
        (void)putc(',', out);
        put_point(out, row->n_points > 0 ? &row->points[row->n_points - 1] : NULL);
    }
    (void)putc('\n', out);
}

const ExportFormat export_csv = {.name = "csv", .begin = begin, .row = row};
