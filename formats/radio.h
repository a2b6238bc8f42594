/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Radio quantities: reporting ranges, levels, averages in dB.
 */
#pragma once

#include "formats/records.h"

/* Reporting ranges; a value outside is not a measurement.
 * RSRP: 3GPP TS 36.133 9.1.4 (LTE, extended -156..-44) and TS 38.133 10.1.6 (NR SS-RSRP -156..-31).
 */
#define RADIO_RSRP_MIN_DBM (-156.0)
#define RADIO_RSRP_MAX_DBM (-31.0)

/* The level of a sample in dBm: RSRP for LTE and NR, RSCP for UMTS, RXLEV for GSM (the RSSI where
 * no RXLEV was reported). With NR-NSA the level of the LTE anchor. Returns FALSE if none is known.
 */
gboolean radio_level_dbm(const Sample *sample, double *level_dbm);
