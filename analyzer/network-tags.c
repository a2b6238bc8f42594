/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network-tags.h"

#include <string.h>

static gboolean one_of(const char *value, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (g_ascii_strcasecmp(value, *list) == 0)
            return TRUE;
    }
    return FALSE;
}

int tags_road(const char *highway, gboolean tracks)
{
    static const char *const drivable[] = {
        "motorway",     "motorway_link", "trunk",    "trunk_link",     "primary",
        "primary_link", "secondary",     "tertiary", "secondary_link", "tertiary_link",
        "unclassified", "residential",   "service",  "living_street",  "road",

        "busway",       "bus_guideway",  NULL};

    if (highway == NULL)
        return 0;
    return one_of(highway, drivable) ||
                   (tracks && one_of(highway, (const char *const[]){"track", NULL}))
               ? EDGE_ROAD
               : 0;
}

int tags_rail(const char *railway)
{
    static const char *const running[] = {"rail",      "light_rail", "subway",
                                          "tram",      "monorail",   "narrow_gauge",
                                          "funicular", "preserved",  NULL};

    return railway != NULL && one_of(railway, running) ? EDGE_RAIL : 0;
}

int tags_flag(const char *value)
{
    static const char *const no[] = {"no", "false", "0", "f", "n", "none", "nej", NULL};

    if (value == NULL || value[0] == '\0')
        return -1;
    return one_of(value, no) ? 0 : 1;
}

EdgeWay tags_way(const char *oneway, const char *junction, const char *highway, gboolean fclass)
{
    static const char *const against[] = {"-1", "reverse", "tf", "backward", NULL};
    static const char *const along[] = {"yes", "true", "1", "y", "ft", "forward", NULL};
    static const char *const both[] = {"no",   "false",      "0",           "n", "b",
                                       "both", "reversible", "alternating", NULL};

    if (oneway != NULL && oneway[0] != '\0') {
        if (one_of(oneway, against) || (fclass && one_of(oneway, (const char *const[]){"t", NULL})))
            return EDGE_BACKWARD_ONLY;
        if (one_of(oneway, along) || (fclass && one_of(oneway, (const char *const[]){"f", NULL})) ||
            (!fclass && one_of(oneway, (const char *const[]){"t", NULL})))
            return EDGE_FORWARD_ONLY;
        if (one_of(oneway, both) || one_of(oneway, (const char *const[]){"f", NULL}))
            return EDGE_BOTH_WAYS;
    }
    if (junction != NULL && one_of(junction, (const char *const[]){"roundabout", "circular", NULL}))
        return EDGE_FORWARD_ONLY;
    return highway != NULL && g_ascii_strcasecmp(highway, "motorway") == 0 ? EDGE_FORWARD_ONLY
                                                                           : EDGE_BOTH_WAYS;
}

int8_t tags_layer(const char *layer)
{
    if (layer == NULL)
        return 0;
    gint64 n = g_ascii_strtoll(layer, NULL, 10);
    return (int8_t)CLAMP(n, -99, 99);
}
