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

/* Kinds of values that can be refused for being out of range. */
typedef enum {
    REFUSED_RSRP,
    REFUSED_RSRQ,
    REFUSED_SINR,
    REFUSED_RSSI,
    REFUSED_RSCP,
    REFUSED_ECIO,
    REFUSED_RXLEV,
    REFUSED_PCI,
    REFUSED_ARFCN,
    REFUSED_CELL_ID,
    REFUSED_TAC,
    REFUSED_CQI,
    REFUSED_PLMN,
    REFUSED_POSITION,
    REFUSED_ACCURACY,
    REFUSED_SPEED,
    REFUSED_HEADING,
    REFUSED_ALTITUDE,
    REFUSED_TIME,
    REFUSED_RTT,
    REFUSED_RATE,
    REFUSED_KIND_COUNT
} RefusedKind;

/* "RSRP", "latitude or longitude" … */
const char *radio_refused_name(RefusedKind kind);

/* How often each kind was refused. */
typedef struct {
    guint64 count[REFUSED_KIND_COUNT];
} RefusedCounts;

/* Clears the known bits of values outside their reporting ranges (see the table in radio.c for the
 * ranges and their clauses) and counts them. */
void radio_check_sample(Sample *sample, RefusedCounts *refused);

/* The same for a neighbour. */
void radio_check_neighbour(Neighbour *neighbour, RefusedCounts *refused);

/* The same for a fix. 0/0, which receivers write instead of nothing, is refused as a position. */
void radio_check_fix(Fix *fix, RefusedCounts *refused);

/* Band of a downlink EARFCN (3GPP TS 36.101, table 5.7.3-1); 0 if it lies in none. */
int radio_lte_band(int64_t earfcn);

/* Fills in the band of an LTE sample (or of an NSA anchor) that has a channel but no band. NR bands
 * overlap: an NR-ARFCN does not name its band. */
void radio_fill_band(Sample *sample);

/* TRUE for 5 or 6 digits (3GPP TS 23.003, 2.2). */
gboolean radio_is_plmn(const char *text);
