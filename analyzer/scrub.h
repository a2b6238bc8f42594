/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking out of a drive what others must not learn: where a vehicle sleeps, who carried the device,
 * which cells were seen. The result is a new file: nothing of what was taken out is in it, not in
 * free pages either, because it never was. All other records are the same bit for bit.
 */
#pragma once

#include "analyzer/network.h"
#include "formats/records.h"

#define SCRUB_ERROR scrub_error_quark()
typedef enum { SCRUB_ERROR_LEFT } ScrubError;
GQuark scrub_error_quark(void);

typedef struct {
    GeoPoint at;
    double radius_m;
} ScrubPlace;

typedef struct {
    const ScrubPlace *places;
    guint n_places;
    /* 0: all records of the time near a place are removed, from the last fix outside to the next
     * one. Else positions near it are moved to the middle of a square of so many metres, without
     * speed, heading and height; samples stay. */
    double blur_m;
    gboolean devices; /* hashes, firmware, configuration, boot ids, names of imported files */
    gboolean cells;   /* cell, area and NR cell ids become numbers from 1 in order of appearance */
} ScrubOptions;

typedef struct {
    gint64 kept[RECORD_KIND_COUNT], removed[RECORD_KIND_COUNT];
    gint64 blurred, devices, cells; /* fixes moved; values taken out; different cell ids renamed */
    guint spans;                    /* of time near places */
    double seconds;
} ScrubReport;

/* Writes the drive `path` without all that to `out`, which appears whole or not at all, reads it
 * again and fails (SCRUB_ERROR_LEFT) if anything is still there. */
gboolean scrub_drive(const char *path, const char *out, const ScrubOptions *options,
                     ScrubReport *report, GError **error);
