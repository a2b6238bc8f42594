/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/radio.h"

gboolean radio_level_dbm(const Sample *sample, double *level_dbm)
{
    switch ((Rat)sample->rat) {
    case RAT_LTE:
    case RAT_NR_NSA:
    case RAT_NR_SA:
        if (!RECORD_HAS(sample, SAMPLE, rsrp_dbm))
            return FALSE;
        *level_dbm = sample->rsrp_dbm;
        return TRUE;
    case RAT_UMTS:
        if (!RECORD_HAS(sample, SAMPLE, rscp_dbm))
            return FALSE;
        *level_dbm = sample->rscp_dbm;
        return TRUE;
    case RAT_GSM:
        if (RECORD_HAS(sample, SAMPLE, rxlev_dbm))
            *level_dbm = sample->rxlev_dbm;
        else if (RECORD_HAS(sample, SAMPLE, rssi_dbm))
            *level_dbm = sample->rssi_dbm;
        else
            return FALSE;
        return TRUE;
    case RAT_UNKNOWN:
    case RAT_NONE:
    case RAT_COUNT:
        break;
    }
    return FALSE;
}
