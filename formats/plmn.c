/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/plmn.h"

#include <glib.h>
#include <string.h>

typedef struct {
    const char *plmn, *name;
} Plmn;

static const Plmn table[] = {
    {"20404", "Vodafone NL"}, {"20408", "KPN"},          {"20416", "Odido"},
    {"20420", "Odido"},       {"20801", "Orange F"},     {"20810", "SFR"},
    {"20815", "Free"},        {"20820", "Bouygues"},     {"23801", "TDC"},
    {"23802", "Telenor DK"},  {"23806", "3 DK"},         {"23820", "Telia DK"},
    {"24001", "Telia"},       {"24002", "Tre"},          {"24005", "Tele2"},
    {"24006", "Telenor"},     {"24007", "Tele2"},        {"24008", "Telenor"},
    {"24010", "Tele2"},       {"24024", "Net4Mobility"}, {"24201", "Telenor NO"},
    {"24202", "Telia NO"},    {"24214", "Ice"},          {"24405", "Elisa"},
    {"24412", "DNA"},         {"24491", "Telia FI"},     {"26201", "Telekom"},
    {"26202", "Vodafone"},    {"26203", "o2"},           {"26206", "Telekom"},
    {"26207", "o2"},          {"26223", "1&1"},
};

const char *plmn_operator(const char *plmn)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].plmn, plmn) == 0)
            return table[i].name;
    return NULL;
}
