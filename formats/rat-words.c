/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/rat-words.h"

#include <string.h>

typedef struct {
    const char *word; /* lower case */
    Rat rat;
} RatWord;

static const RatWord words[] = {
    {"lte", RAT_LTE},         {"4g", RAT_LTE},          {"lte-ca", RAT_LTE},
    {"lte+", RAT_LTE},        {"lte_ca", RAT_LTE},      {"4g+", RAT_LTE},
    {"lte-a", RAT_LTE},       {"nr-sa", RAT_NR_SA},     {"5g sa", RAT_NR_SA},
    {"5g-sa", RAT_NR_SA},     {"5gsa", RAT_NR_SA},      {"nr sa", RAT_NR_SA},
    {"5g", RAT_NR_NSA},       {"nr", RAT_NR_NSA},       {"nr-nsa", RAT_NR_NSA},
    {"5g nsa", RAT_NR_NSA},   {"5g-nsa", RAT_NR_NSA},   {"nsa", RAT_NR_NSA},
    {"en-dc", RAT_NR_NSA},    {"endc", RAT_NR_NSA},     {"umts", RAT_UMTS},
    {"3g", RAT_UMTS},         {"wcdma", RAT_UMTS},      {"hspa", RAT_UMTS},
    {"hspa+", RAT_UMTS},      {"hspap", RAT_UMTS},      {"hsdpa", RAT_UMTS},
    {"hsupa", RAT_UMTS},      {"h+", RAT_UMTS},         {"h", RAT_UMTS},
    {"dc-hspa+", RAT_UMTS},   {"gsm", RAT_GSM},         {"2g", RAT_GSM},
    {"edge", RAT_GSM},        {"gprs", RAT_GSM},        {"e", RAT_GSM},
    {"none", RAT_NONE},       {"no service", RAT_NONE}, {"kein netz", RAT_NONE},
    {"no network", RAT_NONE}, {"ingen", RAT_NONE},      {"out of service", RAT_NONE},
    {"unknown", RAT_UNKNOWN}, {"", RAT_UNKNOWN},        {"-", RAT_UNKNOWN},
    {"null", RAT_UNKNOWN},
};

Rat rat_from_word(const char *word)
{
    while (*word == ' ')
        word++;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(word, words[i].word) == 0)
            return words[i].rat;
    return RAT_COUNT;
}
