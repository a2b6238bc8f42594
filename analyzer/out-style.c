/* SPDX-License-Identifier: Apache-2.0 */
/* Styles with which QGIS opens the results coloured: the segments by verdict, one style for each
 * service. */
#include "analyzer/result.h"
#include "analyzer/style.h"

static const StyleLine verdicts[] = {
    {"covered", "0,114,178,255", "1.0", "solid"},
    {"uncertain", "201,138,0,255", "1.0", "dash"},
    {"not covered", "178,55,29,255", "1.8", "solid"},
    {"not measured", "154,161,167,255", "0.4", "dot"},
};

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
    static const StyleLine corridor = {NULL, "90,98,106,255", "0.5", "solid"};
    const Profile *profile = result->profile;
    guint first = default_service(profile);
    for (guint i = 0; i < profile->n_services; i++) {
        const Service *service = &profile->services[i == 0 ? first : i <= first ? i - 1 : i];
        g_autofree char *attribute = g_strconcat(service->id, "_verdict", NULL);
        g_autofree char *qml = style_by_value(attribute, verdicts, G_N_ELEMENTS(verdicts));
        if (!layer_add_style(writer, "segments", service->title, qml, error))
            return FALSE;
    }
    g_autofree char *gaps = style_plain(&verdicts[2]);
    g_autofree char *corridors = style_plain(&corridor);
    return layer_add_style(writer, "gaps", "gaps", gaps, error) &&
           layer_add_style(writer, "corridors", "corridors", corridors, error);
}
