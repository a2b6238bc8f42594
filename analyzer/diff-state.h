/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of diff share. Both campaigns are put on one list of places: the segments of the
 * one whose segments are longer (of the later one if they are equally long).
 */
#pragma once

#include "analyzer/diff-test.h"
#include "analyzer/diff.h"
#include "analyzer/judge.h"
#include "analyzer/out-row.h"

#define DIFF_NOWHERE UINT32_MAX

/* A segment of one campaign. Texts here and below are interned: equal texts are equal pointers. */
typedef struct {
    int64_t number;
    const char *corridor; /* NULL outside corridors */
    double km_from, km_to, length_m;
    guint first_point, n_points;
    uint32_t place; /* DIFF_NOWHERE: beside all places */
} DiffSegment;

typedef struct {
    const char *operator_label, *antenna;
} DiffGroup;

/* What one campaign has of one service, group and place. */
typedef struct {
    double share, n_effective; /* share NAN: not judged */
    double length_m;
    Verdict verdict;
} DiffFigure;

/* ... and whatever the service. */
typedef struct {
    uint32_t n, passes;
    double level_dbm; /* median; NAN none */
    double length_m;
} DiffSide;

/* One pass: all sources of a group. */
typedef struct {
    uint32_t group, place;
    int64_t drive, pass;
    LevelHistogram levels;
    double level_sum, level_n;
} DiffRun;

typedef struct {
    uint32_t group, place;
    const char *cell;
    int64_t drive;
} DiffCell;

typedef struct {
    const char *corridor, *operator_label, *antenna, *service;
    double km_from, km_to;
} DiffGap;

typedef struct {
    const char *path;
    GArray *segments; /* DiffSegment, by number */
    GArray *points;   /* GeoPoint */
    char *network_digest, *created_for;
    double segment_m;            /* length asked for */
    GArray *services;            /* Service: those of the file */
    GArray *gaps;                /* DiffGap */
    GArray *runs;                /* DiffRun, by group, place, drive, pass */
    guint *first_run;            /* by group * n_places + place; one more at the end */
    GArray *cells;               /* DiffCell, by group, cell, place */
    DiffFigure *figures;         /* by (group * n_places + place) * n_services + service */
    DiffSide *sides;             /* by group * n_places + place */
    GHashTable *decorrelation_m; /* group (by label) -> double * */
} DiffCampaign;

typedef enum { DIFF_UNKNOWN, DIFF_UNCHANGED, DIFF_WORSE, DIFF_BETTER, DIFF_COUNT } DiffIs;
const char *diff_is_name(DiffIs is);

/* Result of one service, group and place. */
typedef struct {
    DiffEffect effect;
    double p_adjusted;
    DiffIs is;
    const char *reason;
} DiffResult;

typedef struct {
    const DiffOptions *options;
    DiffReport *report;
    GStringChunk *names;
    DiffCampaign before, after;
    const DiffCampaign *frame; /* the one whose segments are the places */
    gboolean same_segments;
    guint n_places;
    GArray *groups;      /* DiffGroup, by operator and antenna */
    GArray *services;    /* Service: in both files, with the same thresholds */
    DiffResult *results; /* as figures */
    DiffSpread *spreads; /* by group * n_services + service; of level services */
    double **margin[2];  /* [0 before, 1 after][service]: by run, NAN = not judged */
    double **share[2];
    LayerWriter *writer;
} Diff;

static inline const char *diff_intern(Diff *d, const char *text)
{
    return text != NULL ? g_string_chunk_insert_const(d->names, text) : NULL;
}
static inline const DiffSegment *diff_place(const Diff *d, guint place)
{
    return &g_array_index(d->frame->segments, DiffSegment, place);
}
static inline const Service *diff_service(const Diff *d, guint service)
{
    return &g_array_index(d->services, Service, service);
}
static inline guint diff_at(const Diff *d, guint group, guint place)
{
    return group * d->n_places + place;
}
static inline gsize diff_figure_at(const Diff *d, guint group, guint place, guint service)
{
    return (gsize)diff_at(d, group, place) * d->services->len + service;
}

/* diff-read.c: segments, services, gaps, meta. */
gboolean diff_read(Diff *d, DiffCampaign *c, GError **error);
/* ... then, with the places known, figures, passes and cells. */
gboolean diff_read_figures(Diff *d, DiffCampaign *c, GError **error);
gboolean diff_read_evidence(Diff *d, DiffCampaign *c, GError **error);
void diff_campaign_clear(DiffCampaign *c);

/* diff-place.c: decides on the places and puts both campaigns' segments there. */
gboolean diff_find_places(Diff *d, GError **error);

/* diff-judge.c: fills margins, shares, spreads and results. */
void diff_judge(Diff *d);

/* diff-out.c */
gboolean diff_write_segments(Diff *d, GError **error);
gboolean diff_write_summary(Diff *d, GError **error);
gboolean diff_write_meta(Diff *d, GError **error);

/* diff-gaps.c, diff-cells.c */
gboolean diff_write_gaps(Diff *d, GError **error);
gboolean diff_write_cells(Diff *d, GError **error);
