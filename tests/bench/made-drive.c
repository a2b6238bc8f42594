/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/made-drive.h"

#include <math.h>

MadeDrive made_drive_default(guint64 n_samples)
{
    return (MadeDrive){
        .n_samples = n_samples,
        .n_sources = 4,
        .rate_hz = 10,
        .seed = 1,
        .west_deg = 15.0,
        .lat_deg = 62.0,
        .length_km = 200.0,
        .speed_mps = 30.0,
        .start_ns = G_GINT64_CONSTANT(1767225600000000000),
    };
}

/* xorshift64*: fast, and the same everywhere */
static double uniform(guint64 *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * G_GUINT64_CONSTANT(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static double position_m(const MadeDrive *options, double seconds)
{
    double length_m = options->length_km * 1000.0;
    double along = fmod(seconds * options->speed_mps, 2.0 * length_m);
    return along < length_m ? along : 2.0 * length_m - along;
}

void made_drive_sample(const MadeDrive *options, guint64 tick, guint modem, MadeModem *state,
                       Sample *sample)
{
    double seconds = (double)tick / options->rate_hz;
    double along_m = position_m(options, seconds);
    double spacing_m = 3000.0 + 700.0 * modem;
    double to_site_m = fabs(fmod(along_m, spacing_m) - spacing_m / 2.0) + 60.0;
    int cell = (int)(along_m / spacing_m);
    state->fading_db = 0.97 * state->fading_db + 3.0 * (uniform(&state->state) - 0.5) * 2.0;
    double rsrp_dbm = -45.0 - 35.0 * log10(to_site_m / 10.0) + state->fading_db;
    gint64 noise_us = (gint64)(uniform(&state->state) * 2000.0);
    *sample = (Sample){0};
    RECORD_SET(sample, SAMPLE, time_ns,
               options->start_ns + (gint64)(seconds * 1e6) * 1000 + noise_us * 1000);
    RECORD_SET(sample, SAMPLE, source, (gint64)modem + 1);
    RECORD_SET(sample, SAMPLE, request_ns,
               sample->time_ns - 1000 * (gint64)(800 + 1000 * uniform(&state->state)));
    if (rsrp_dbm < -132.0) {
        RECORD_SET(sample, SAMPLE, rat, RAT_NONE);
        RECORD_SET(sample, SAMPLE, service, SERVICE_NONE);
        return;
    }
    gboolean nsa = cell % 3 == 0 && rsrp_dbm > -105.0;
    RECORD_SET(sample, SAMPLE, rat, nsa ? RAT_NR_NSA : RAT_LTE);
    RECORD_SET(sample, SAMPLE, service, SERVICE_OK);
    RECORD_SET(sample, SAMPLE, roaming, 0);
    RECORD_SET(sample, SAMPLE, plmn, modem % 2 == 0 ? "24001" : "24007");
    RECORD_SET(sample, SAMPLE, tac, 100 + cell / 8);
    RECORD_SET(sample, SAMPLE, cell_id, 268435 * 100 + cell * 256 + (gint64)modem);
    RECORD_SET(sample, SAMPLE, pci, (cell * 37 + (int)modem * 11) % 504);
    RECORD_SET(sample, SAMPLE, arfcn, cell % 2 == 0 ? 1300 : 6300);
    RECORD_SET(sample, SAMPLE, band, cell % 2 == 0 ? 3 : 20);
    RECORD_SET(sample, SAMPLE, bandwidth_khz, cell % 2 == 0 ? 20000 : 10000);
    RECORD_SET(sample, SAMPLE, rsrp_dbm, nearbyint(rsrp_dbm));
    RECORD_SET(sample, SAMPLE, rsrq_db, nearbyint(-8.0 - 6.0 * uniform(&state->state)));
    /* + 0.0: nobody measures -0, and one of them takes all its chunk's SINR eight bytes */
    RECORD_SET(sample, SAMPLE, sinr_db, nearbyint((rsrp_dbm + 115.0) * 5.0) / 10.0 + 0.0);
    RECORD_SET(sample, SAMPLE, rssi_dbm, nearbyint(rsrp_dbm + 29.0));
    if (nsa) {
        RECORD_SET(sample, SAMPLE, nr_pci, (cell * 41) % 1008);
        RECORD_SET(sample, SAMPLE, nr_arfcn, 636666);
        RECORD_SET(sample, SAMPLE, nr_band, 78);
        RECORD_SET(sample, SAMPLE, nr_rsrp_dbm, nearbyint(rsrp_dbm - 8.0));
        RECORD_SET(sample, SAMPLE, nr_sinr_db, nearbyint((rsrp_dbm + 110.0) * 4.0) / 10.0 + 0.0);
    }
}

static gboolean add_sources(DriveWriter *writer, const MadeDrive *options, GError **error)
{
    static const char *const operators[] = {"Alfa", "Beta", "Gamma", "Delta"};
    for (guint m = 0; m <= options->n_sources; m++) {
        gboolean gps = m == options->n_sources;
        g_autofree char *label = gps ? g_strdup("gps") : g_strdup_printf("modem-%u", m + 1);
        Source source = {0};
        gint64 id = 0;
        RECORD_SET(&source, SOURCE, label, label);
        RECORD_SET(&source, SOURCE, kind, gps ? SOURCE_GPS : SOURCE_MODEM);
        if (!gps) {
            RECORD_SET(&source, SOURCE, operator_label, operators[m % G_N_ELEMENTS(operators)]);
            RECORD_SET(&source, SOURCE, place, PLACE_ROOF);
            RECORD_SET(&source, SOURCE, position_source, (gint64)options->n_sources + 1);
        }
        if (!drive_add_source(writer, &source, &id, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_fix(DriveWriter *writer, const MadeDrive *options, guint64 second,
                        guint64 *state, GError **error)
{
    /* 111.32 km a degree of latitude, times the cosine of the latitude for longitude */
    double metres_per_degree = 111320.0 * cos(options->lat_deg * G_PI / 180.0);
    double along_m = position_m(options, (double)second) + 6.0 * (uniform(state) - 0.5);
    Fix fix = {0};
    RECORD_SET(&fix, FIX, time_ns, options->start_ns + (gint64)second * 1000000000);
    RECORD_SET(&fix, FIX, source, (gint64)options->n_sources + 1);
    RECORD_SET(&fix, FIX, mode, 3);
    RECORD_SET(&fix, FIX, lat, options->lat_deg + nearbyint(600.0 * (uniform(state) - 0.5)) / 1e7);
    RECORD_SET(&fix, FIX, lon,
               nearbyint((options->west_deg + along_m / metres_per_degree) * 1e7) / 1e7);
    RECORD_SET(&fix, FIX, accuracy_m, 3.0);
    RECORD_SET(&fix, FIX, speed_mps, options->speed_mps);
    return drive_add_fix(writer, &fix, error);
}

gboolean made_drive_fill(DriveWriter *writer, const MadeDrive *options, GError **error)
{
    if (!add_sources(writer, options, error))
        return FALSE;
    g_autofree MadeModem *modems = g_new0(MadeModem, options->n_sources);
    for (guint m = 0; m < options->n_sources; m++)
        modems[m].state = options->seed * G_GUINT64_CONSTANT(7919) + m + 1;
    guint64 gps_state = options->seed + 99;
    for (guint64 tick = 0; tick * options->n_sources < options->n_samples; tick++) {
        if (tick % options->rate_hz == 0 &&
            !add_fix(writer, options, tick / options->rate_hz, &gps_state, error))
            return FALSE;
        for (guint m = 0; m < options->n_sources; m++) {
            Sample sample;
            made_drive_sample(options, tick, m, &modems[m], &sample);
            if (!drive_add_sample(writer, &sample, error))
                return FALSE;
        }
    }
    return TRUE;
}
