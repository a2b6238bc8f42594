/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/emodel.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* G.711 and G.729: ITU-T G.113, appendix I. Opus: Al-Ahmadi's fits for VBR, on the wide-band scale
 * of G.107.1. */
static const EmodelCodec codecs[] = {
    {"g711-plc", 93.2, 1, 0, 25.1, 25.1},
    {"g711", 93.2, 1, 0, 4.3, 4.3},
    {"g729a", 93.2, 1, 11, 19, 19},
    {"opus-wb-13", 129, 1.29, 19.958882, 19.49608704, 16.91955649},
    {"opus-wb-11", 129, 1.29, 28.41, 23.94, 20.12},
    {"opus-swb-25", 129, 1.29, 20.21, 11.28, 9.18},
    {"opus-swb-40", 129, 1.29, 10.67, 9.79, 8.04},
};

const EmodelCodec *emodel_codec(const char *name)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        if (strcmp(codecs[i].name, name) == 0)
            return &codecs[i];
    }
    return NULL;
}

double emodel_idd_of(double delay_ms, double sensitivity, double minimum_ms)
{
    if (!(delay_ms > minimum_ms))
        return 0;
    double x = log2(delay_ms / minimum_ms);
    double power = 6 * sensitivity;
    return 25 * (pow(1 + pow(x, power), 1 / power) - 3 * pow(1 + pow(x / 3, power), 1 / power) + 2);
}

double emodel_idd(double delay_ms)
{
    return emodel_idd_of(delay_ms, 1, 100);
}

double emodel_id_simple(double delay_ms)
{
    return 0.024 * delay_ms + (delay_ms > 177.3 ? 0.11 * (delay_ms - 177.3) : 0);
}

double emodel_ie_eff(double ie, double bpl, double loss_percent, double burst_r)
{
    if (!(loss_percent > 0))
        return ie;
    if (!(burst_r >= 1))
        burst_r = 1;
    double value = ie + (95 - ie) * loss_percent / (loss_percent / burst_r + bpl);
    return value > 95 ? 95 : value;
}

double emodel_r(const EmodelCodec *codec, double delay_ms, double loss_percent, double burst_r)
{
    double bpl = burst_r > 1 ? codec->bpl_burst : codec->bpl;
    return codec->r0 - emodel_idd(delay_ms) - emodel_ie_eff(codec->ie, bpl, loss_percent, burst_r);
}

double emodel_mos(double r)
{
    if (!(r > 0))
        return 1;
    if (r >= 100)
        return 4.5;
    double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
    return mos < 1 ? 1 : mos;
}

double emodel_mos_of(const EmodelCodec *codec, double r)
{
    return emodel_mos(r / codec->mos_scale);
}
