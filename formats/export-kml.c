/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KML 2.2 (OGC 07-147r2): a style for each class, a folder for each group, a placemark for each
 * shape. Rows without a place are left out.
 */
#include "formats/export.h"

/* KML colours are aabbggrr. */
static guint32 abgr(guint32 rgb)
{
    return 0xff000000U | (rgb & 0xffU) << 16 | (rgb & 0xff00U) | rgb >> 16;
}

static void begin(FILE *out, const ExportHead *head)
{
    g_autofree char *title = export_xml(head->title);
    (void)fprintf(out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<kml xmlns=\"http://www.opengis.net/kml/2.2\">\n<Document>\n<name>%s</name>\n",
                  title);
    for (guint i = 0; i < head->n_styles; i++) {
        const ExportStyle *style = &head->styles[i];
        if (head->lines)
            (void)fprintf(out,
                          "<Style id=\"%s\"><LineStyle><color>%08x</color><width>5</width>"
                          "</LineStyle></Style>\n",
                          style->id, abgr(style->rgb));
        else
            (void)fprintf(out,
                          "<Style id=\"%s\"><IconStyle><color>%08x</color><scale>0.5</scale>"
                          "</IconStyle><LabelStyle><scale>0</scale></LabelStyle></Style>\n",
                          style->id, abgr(style->rgb));
    }
}

static void group_begin(FILE *out, const ExportHead *head, const char *name, gboolean shown)
{
    (void)head;
    g_autofree char *text = export_xml(name);
    (void)fprintf(out, "<Folder><name>%s</name><visibility>%d</visibility>\n", text, shown ? 1 : 0);
}

static void group_end(FILE *out, const ExportHead *head)
{
    (void)head;
    (void)fputs("</Folder>\n", out);
}

static void row(FILE *out, const ExportHead *head, const ExportRow *row, guint64 number)
{
    (void)number;
    char a[32];
    char b[32];
    if (row->n_points == 0 || (head->lines && row->n_points < 2))
        return;
    (void)fputs("<Placemark>", out);
    if (row->name != NULL) {
        g_autofree char *name = export_xml(row->name);
        (void)fprintf(out, "<name>%s</name>", name);
    }
    if (row->hidden) /* a folder's own visibility does not reach what is in it */
        (void)fputs("<visibility>0</visibility>", out);
    if (row->description != NULL) {
        g_autofree char *text = export_xml(row->description);
        (void)fprintf(out, "<description>%s</description>", text);
    }
    if (row->has_time)
        (void)fprintf(out, "<TimeStamp><when>%s</when></TimeStamp>", export_time(row->time_ns, a));
    if (row->style < head->n_styles)
        (void)fprintf(out, "<styleUrl>#%s</styleUrl>", head->styles[row->style].id);
    (void)fputs(head->lines ? "<LineString><tessellate>1</tessellate><coordinates>"
                            : "<Point><coordinates>",
                out);
    for (size_t i = 0; i < (head->lines ? row->n_points : 1); i++)
        (void)fprintf(out, "%s%s,%s", i > 0 ? " " : "",
                      g_ascii_formatd(a, sizeof a, "%.7f", row->points[i].lon),
                      g_ascii_formatd(b, sizeof b, "%.7f", row->points[i].lat));
    (void)fputs(head->lines ? "</coordinates></LineString></Placemark>\n"
                            : "</coordinates></Point></Placemark>\n",
                out);
}

static void end(FILE *out, guint64 rows)
{
    (void)rows;
    (void)fputs("</Document>\n</kml>\n", out);
}

const ExportFormat export_kml = {.name = "kml",
                                 .groups = TRUE,
                                 .begin = begin,
                                 .group_begin = group_begin,
                                 .group_end = group_end,
                                 .row = row,
                                 .end = end};
