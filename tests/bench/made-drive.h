/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made drives for benchmarks: a vehicle on a line, several modems, levels that fade and cells that
 * change as they do on real drives, all columns that a QMI modem reports. Reproducible by seed.
 */
#pragma once

#include "formats/drive-write.h"

typedef struct {
    guint64 n_samples;
    guint n_sources;
    guint rate_hz; /* samples per second and source */
    guint32 seed;
    double west_deg, lat_deg; /* start; the line runs east */
    double length_km;         /* there and back along this line */
    double speed_mps;
    gint64 start_ns;
} MadeDrive;

/* A sensible campaign: 4 sources, 10 Hz, 200 km line, 30 m/s. */
MadeDrive made_drive_default(guint64 n_samples);

/* Adds sources, fixes at 1 Hz and samples to a fresh drive. */
gboolean made_drive_fill(DriveWriter *writer, const MadeDrive *options, GError **error);

/* Sample number i of a source (0..n_sources-1); what made_drive_fill() writes. */
typedef struct {
    double fading_db, pci_shift;
    guint64 state;
} MadeModem;
void made_drive_sample(const MadeDrive *options, guint64 tick, guint modem, MadeModem *state,
                       Sample *sample);
