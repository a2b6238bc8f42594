/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/style.h"

static void append_line_symbol(GString *qml, unsigned number, const StyleLine *line)
{
    g_string_append_printf(qml,
                           "<symbol type=\"line\" name=\"%u\" alpha=\"1\"><layer "
                           "class=\"SimpleLine\" enabled=\"1\" pass=\"0\">"
                           "<prop k=\"line_color\" v=\"%s\"/><prop k=\"line_width\" v=\"%s\"/>"
                           "<prop k=\"line_width_unit\" v=\"MM\"/><prop k=\"line_style\" v=\"%s\"/>"
                           "</layer></symbol>",
                           number, line->colour, line->width_mm, line->line);
}

char *style_by_value(const char *attribute, const StyleLine *lines, guint n)
{
    GString *qml = g_string_new(NULL);
    g_string_append_printf(qml,
                           "<qgis version=\"3.22\" styleCategories=\"Symbology\">"
                           "<renderer-v2 type=\"categorizedSymbol\" attr=\"%s\" "
                           "symbollevels=\"0\"><categories>",
                           attribute);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(
            qml, "<category value=\"%s\" symbol=\"%u\" label=\"%s\" render=\"true\"/>",
            lines[i].value, i, lines[i].value);
    g_string_append(qml, "</categories><symbols>");
    for (guint i = 0; i < n; i++)
        append_line_symbol(qml, i, &lines[i]);
    g_string_append(qml, "</symbols></renderer-v2></qgis>");
    return g_string_free(qml, FALSE);
}

char *style_plain(const StyleLine *line)
{
    GString *qml = g_string_new("<qgis version=\"3.22\" styleCategories=\"Symbology\">"
                                "<renderer-v2 type=\"singleSymbol\" symbollevels=\"0\"><symbols>");
    append_line_symbol(qml, 0, line);
    g_string_append(qml, "</symbols></renderer-v2></qgis>");
    return g_string_free(qml, FALSE);
}
