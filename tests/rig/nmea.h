/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a receiver says each epoch, as NMEA 0183 sentences (RMC, GGA, GSA, GSV, GST, VTG) or as
 * gpsd's JSON.
 */
#pragma once

#include <glib.h>

typedef struct {
    gint64 utc_ns;
    int mode; /* 1 no fix, 2, 3 */
    double lat, lon, altitude_m;
    double speed_mps, heading_deg;
    double hdop, sigma_m; /* sigma_m: 68 % a axis */
    int satellites;
    double clock_ahead_s; /* the machine's clock minus GPS time */
} GpsEpoch;

/* Appends "$" body "*" checksum CR LF; `body` without the dollar. */
void nmea_append(GString *out, const char *body);
/* All sentences of one epoch. */
void nmea_epoch(GString *out, const GpsEpoch *epoch);

/* TPV and SKY lines; with `pps` TOFF and PPS too. */
void gpsd_json_epoch(GString *out, const GpsEpoch *epoch, gboolean pps);
