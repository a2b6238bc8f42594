/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binning: the samples and probes of a drive, placed by time on the network and put into cells of
 * evidence (segment, pass, source). Works on batches of columns; memory does not grow with the
 * drive, but for the track.
 */
#pragma once

#include "analyzer/bin-look.h"
#include "analyzer/segment.h"
#include "analyzer/spill.h"
#include "analyzer/track.h"
#include "analyzer/vehicle-loss.h"
#include "formats/drive-read.h"

/* Operator and antenna: sources of one group are put together. Sorted. */
typedef struct {
    char *operator_label, *antenna;
} BinGroup;

typedef struct {
    const Network *network;
    const Segments *segments;
    const BinGroup *groups;
    guint n_groups;
    double segment_m;
    gboolean pooled, outdoor;
    const VehicleLoss *loss; /* NULL: none */
    const char *network_key; /* bin_keep_network_key() */
} BinSetup;

/* What became of one source. */
typedef struct {
    Source source; /* text owned */
    guint group;
    int64_t fixes[FIX_STATUS_COUNT];
    double accuracy_p50_m, distance_p50_m, distance_p95_m; /* NAN if not known */
    int64_t samples, placed[PLACE_QUALITY_COUNT], uncertain, missing, used;
    double seconds_used, seconds_no_position, seconds_off_network;
    double interval_p50_s;
    double correction_db;
    char *correction;
    double *loss_db; /* of cabin sources, by band; NULL: none */
    int64_t refused_values;
} BinSource;

typedef struct {
    char *path, *name, *digest, *sha256, *vehicle, *problems; /* sha256: of the file */
    int64_t first_ns, last_ns; /* of samples; first > last if there are none */
    int64_t records;
    guint n_sources;
    BinSource *sources;
} BinDrive;
void bin_drive_clear(BinDrive *drive);

/* A change of cell, technology or service, as stored in the spill of changes. */
typedef enum { CHANGE_CELL, CHANGE_RAT, CHANGE_LOST, CHANGE_FOUND } ChangeKind;
typedef struct {
    uint64_t was, is; /* cell identities, or Rat */
    int64_t time_ns;
    double along_m, lon, lat;
    uint32_t segment, drive;
    uint8_t kind, short_stay;
} BinChange;

/* A sample where it was placed, as stored in the spill of samples. */
typedef struct {
    double lon, lat, along_m;
    int64_t time_ns;
    float uncertainty_m, nr_level_dbm; /* NAN: no NR leg */
    int16_t level_dbm;                 /* as counted, if the channel has one */
    int16_t band;                      /* -1 not known */
    uint8_t channel, rat, is_interpolated, has_level;
} BinPlaced;

/* What a key of a cell says. */
CellPlace bin_cell_place(const SpillKey *key);

/* Group of a source; -1 if the setup has none such. */
int bin_group(const BinSetup *setup, const Source *source);
/* Operator label and antenna word under which a source is reported. */
const char *bin_operator(const Source *source);
const char *bin_antenna(const Source *source, gboolean pooled);

/* Bins one drive. `number` identifies it in the keys. Cells have keys (segment, group, first_ns,
 * drive, source); changes (corridor, group, time, drive, source * 8 + kind); samples (BinPlaced;
 * NULL: not wanted) as cells. Cells are also shown to `look`.
 * `out` is filled; clear it with bin_drive_clear() also after a failure. */
gboolean bin_drive(const BinSetup *setup, const char *path, uint32_t number, Spill *cells,
                   Spill *changes, Spill *samples, BinLook *look, BinDrive *out, GError **error);
