/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPX 1.1 (topografix.com/GPX/1/1). Points: a track for each group, its samples as track points.
 * Lines: a track for each line, named by what it is. GPX has no styles.
 */
#include "formats/export.h"

static void begin(FILE *out, const ExportHead *head)
{
    g_autofree char *title = export_xml(head->title);
    (void)fprintf(out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<gpx version=\"1.1\" creator=\"Corridor\" "
                  "xmlns=\"http://www.topografix.com/GPX/1/1\">\n"
                  "<metadata><name>%s</name></metadata>\n",
                  title);
}

static void group_begin(FILE *out, const ExportHead *head, const char *name, gboolean shown)
{
    (void)shown;
    if (head->lines)
        return;
    g_autofree char *text = export_xml(name);
    (void)fprintf(out, "<trk><name>%s</name><trkseg>\n", text);
}

static void group_break(FILE *out)
{
    (void)fputs("</trkseg><trkseg>\n", out);
}

static void group_end(FILE *out, const ExportHead *head)
{
    if (!head->lines)
        (void)fputs("</trkseg></trk>\n", out);
}

/* In the order the schema wants: time, name, desc. */
static void put_point(FILE *out, const ExportPoint *point, const ExportRow *row)
{
    char a[32];
    char b[32];
    (void)fprintf(out, "<trkpt lat=\"%s\" lon=\"%s\">",
                  g_ascii_formatd(a, sizeof a, "%.7f", point->lat),
                  g_ascii_formatd(b, sizeof b, "%.7f", point->lon));
    if (row != NULL && row->has_time)
        (void)fprintf(out, "<time>%s</time>", export_time(row->time_ns, a));
    if (row != NULL && row->name != NULL) {
        g_autofree char *name = export_xml(row->name);
        (void)fprintf(out, "<name>%s</name>", name);
    }
    (void)fputs("</trkpt>\n", out);
}

static void row(FILE *out, const ExportHead *head, const ExportRow *row, guint64 number)
{
    (void)number;
    if (row->n_points == 0)
        return;
    if (!head->lines) {
        put_point(out, &row->points[0], row);
        return;
    }
    g_autofree char *name = export_xml(row->name != NULL ? row->name : "");
    g_autofree char *text = export_xml(row->description != NULL ? row->description : "");
    (void)fprintf(out, "<trk><name>%s</name><desc>%s</desc><trkseg>\n", name, text);
    for (size_t i = 0; i < row->n_points; i++)
        put_point(out, &row->points[i], NULL);
    (void)fputs("</trkseg></trk>\n", out);
}

static void end(FILE *out, guint64 rows)
{
    (void)rows;
    (void)fputs("</gpx>\n", out);
}

const ExportFormat export_gpx = {.name = "gpx",
                                 .groups = TRUE,
                                 .begin = begin,
                                 .group_begin = group_begin,
                                 .group_break = group_break,
                                 .group_end = group_end,
                                 .row = row,
                                 .end = end};
