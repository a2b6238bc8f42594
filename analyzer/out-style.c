/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Styles with which QGIS opens the results coloured: the segments by verdict, one style for each
 * service, in colours that colour-blind people can tell apart and with widths and dashes that tell
 * the same without colour.
 */
#include "analyzer/result.h"

typedef struct {
    const char *verdict, *colour, *width_mm, *line;
} VerdictStyle;

/* Not covered is the widest, so that it shows where lines lie upon each other. */
static const VerdictStyle verdicts[] = {
    {"covered", "0,114,178,255", "1.0", "solid"},
    {"uncertain", "201,138,0,255", "1.0", "dash"},
    {"not covered", "178,55,29,255", "1.8", "solid"},
    {"not measured", "154,161,167,255", "0.4", "dot"},
};

static void append_line_symbol(GString *qml, unsigned number, const VerdictStyle *style)
{
    g_string_append_printf(qml,
                           "<symbol type=\"line\" name=\"%u\" alpha=\"1\"><layer "
                           "class=\"SimpleLine\" enabled=\"1\" pass=\"0\">"
                           "<prop k=\"line_color\" v=\"%s\"/><prop k=\"line_width\" v=\"%s\"/>"
                           "<prop k=\"line_width_unit\" v=\"MM\"/><prop k=\"line_style\" v=\"%s\"/>"
                           "</layer></symbol>",
                           number, style->colour, style->width_mm, style->line);
}

/* Service ids are made of a-z, 0-9 and _ (corridor-profile(5)): nothing to escape. */
static char *segments_qml(const char *service)
{
    GString *qml = g_string_new(NULL);
    g_string_append_printf(qml,
                           "<qgis version=\"3.22\" styleCategories=\"Symbology\">"
                           "<renderer-v2 type=\"categorizedSymbol\" attr=\"%s_verdict\" "
                           "symbollevels=\"0\"><categories>",
                           service);
    for (unsigned i = 0; i < G_N_ELEMENTS(verdicts); i++)
        g_string_append_printf(
            qml, "<category value=\"%s\" symbol=\"%u\" label=\"%s\" render=\"true\"/>",
            verdicts[i].verdict, i, verdicts[i].verdict);
    g_string_append(qml, "</categories><symbols>");
    for (unsigned i = 0; i < G_N_ELEMENTS(verdicts); i++)
        append_line_symbol(qml, i, &verdicts[i]);
    g_string_append(qml, "</symbols></renderer-v2></qgis>");
    return g_string_free(qml, FALSE);
}

static char *plain_qml(const VerdictStyle *style)
{
    GString *qml = g_string_new("<qgis version=\"3.22\" styleCategories=\"Symbology\">"
                                "<renderer-v2 type=\"singleSymbol\" symbollevels=\"0\"><symbols>");
    append_line_symbol(qml, 0, style);
    g_string_append(qml, "</symbols></renderer-v2></qgis>");
    return g_string_free(qml, FALSE);
}

/* The service that judges a level comes first and is the default, as in the report. */
static guint default_service(const Profile *profile)
{
    for (guint i = 0; i < profile->n_services; i++)
        if (profile->services[i].quantity == QUANTITY_LEVEL)
            return i;
    return 0;
}

gboolean out_styles(const Result *result, LayerWriter *writer, GError **error)
{
    static const VerdictStyle corridor = {NULL, "90,98,106,255", "0.5", "solid"};
    const Profile *profile = result->profile;
    guint first = default_service(profile);
    for (guint i = 0; i < profile->n_services; i++) {
        const Service *service = &profile->services[i == 0 ? first : i <= first ? i - 1 : i];
        g_autofree char *qml = segments_qml(service->id);
        if (!layer_add_style(writer, "segments", service->title, qml, error))
            return FALSE;
    }
    g_autofree char *gaps = plain_qml(&verdicts[2]);
    g_autofree char *corridors = plain_qml(&corridor);
    return layer_add_style(writer, "gaps", "gaps", gaps, error) &&
           layer_add_style(writer, "corridors", "corridors", corridors, error);
}
