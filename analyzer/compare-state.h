/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of compare share (compare.c, compare-read.c, compare-square.c,
 * compare-table.c, compare-loss.c). */
#pragma once

#include "analyzer/claim.h"
#include "analyzer/compare.h"
#include "analyzer/judge.h"
#include "analyzer/out-row.h"

/* Shifts of the sensitivity table, dB: body, windows, a better antenna. */
#define COMPARE_SHIFTS 8
extern const double compare_shift_db[COMPARE_SHIFTS];

/* A square of 10 m that a segment's line goes through: place in the segment's grid. */
typedef struct {
    int32_t x, y;
    uint8_t is_claimed;
} CompareSquare;

/* What the samples in the squares of a segment say: [covered]. */
typedef struct {
    double metres[2], seconds[2];
    double none_m, none_seconds; /* part of [0]: no service at all */
    guint squares;               /* that were measured */
} CompareMeasured;

/* One row of `segments`, with what the map says of it. */
typedef struct {
    int64_t segment;
    const char *corridor, *operator_label, *antenna, *area; /* interned; corridor, area or NULL */
    double km_from, km_to, length_m, seconds, level_p50;
    int64_t n, n_no_service, band;
    double share; /* NAN if not judged */
    Verdict verdict;
    guint first_point, n_points, first_square, n_squares;
    CompareMeasured measured[2];    /* [claimed]; all 0 without samples */
    double claimed_share;           /* of its 10 m squares */
    double claimed_level;           /* NAN if the map has none */
    double shifted[COMPARE_SHIFTS]; /* sum over passes of the share with levels shifted */
    guint passes;                   /* that were judged */
} CompareItem;

/* What the file knows of one operator and antenna. */
typedef struct {
    double decorrelation_m, seconds_no_position;
} CompareGroup;

typedef struct {
    const CompareOptions *options;
    CompareReport *report;
    Service service; /* as the file says */
    char *service_id, *title;
    GArray *items;   /* CompareItem, by operator, antenna, segment */
    GArray *points;  /* GeoPoint */
    GArray *squares; /* CompareSquare */
    gboolean has_samples;
    GStringChunk *names;
    GHashTable *groups; /* "OPERATOR\nANTENNA" -> CompareGroup */
    LayerWriter *writer;
} Compare;

/* compare-read.c: fills items of the operators named; FALSE on failure. */
gboolean compare_read(Compare *c, GError **error);
/* Adds the histograms of `evidence` and writes the table `arcep` (one row for each test). */
gboolean compare_evidence(Compare *c, GError **error);

/* Of the item's operator and antenna. (transfer none) */
const CompareGroup *compare_group(Compare *c, const CompareItem *item);

/* NULL if the operator is not wanted. (transfer none, until items are added) */
CompareItem *compare_find_item(Compare *c, const char *operator_label, const char *antenna,
                               int64_t segment);

/* compare-square.c: asks the map once for each square of a segment. */
gboolean compare_ask_squares(Compare *c, CompareItem *i, ClaimMap *map, gboolean *is_inside,
                             GError **error);
/* Reads the layer `samples`, if there is one, into the squares. */
gboolean compare_measured_squares(Compare *c, GError **error);

/* compare-table.c */
gboolean compare_write(Compare *c, GError **error);
/* compare-loss.c: the table `vehicle_loss`. */
gboolean compare_losses(Compare *c, GError **error);

static inline gboolean compare_is_claimed(const CompareItem *i)
{
    return i->claimed_share >= 0.5;
}
