/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What analyze holds while it judges: the setup, the drives, and a brief of every judged segment,
 * from which summaries, gaps and comparisons are made (result.c) and written (out.c).
 */
#pragma once

#include "analyzer/bin.h"
#include "analyzer/judge.h"
#include "analyzer/layer.h"

/* What later steps need of one segment, group and service. */
typedef struct {
    float share, share_time;
    uint8_t verdict, reason;
    int8_t grey;
} BriefService;

typedef struct {
    uint32_t segment, group; /* sorted by both */
    float length_m, metres, seconds, n_effective;
    uint32_t n, passes, days;
    float level; /* median; -INFINITY no service or below the floor, NAN none */
    float below; /* level that the median lies below, if it lies below the floor; else NAN */
    float rtt_p50, rtt_p90, loss, jitter_p50, down_p10, down_p50, up_p10, up_p50;
    float meeting[5];
    uint64_t meeting_n;
    uint32_t cell_changes, rat_changes;
    uint32_t tests, tests_failed, tests_skipped;
    float share_none;
} Brief;

/* One drive over one corridor, group and service: the way of its passes, and how far its shares lie
 * from those of all passes of the same segments, each weighing its part of the segment's mean. */
typedef struct {
    double length_m, apart_m;
} DriveShare;

typedef struct {
    uint32_t corridor, group, service;
    uint8_t weekday, hour;        /* 1..7, 0..23 */
    uint32_t passes, passes_with; /* with: those whose share reaches what is required */
    double length_m, share_m;
} HourShare;

typedef struct {
    const Network *network;
    Segments *segments;
    Profile *profile;
    BinSetup setup;
    BinDrive *drives; /* by number */
    guint n_drives;
    uint32_t *rank;     /* by number: place in the order of time; id = rank + 1 */
    uint32_t *order;    /* by rank: number */
    guint *source_base; /* by number: id of its first source, minus 1 */
    JudgeGroup *group;  /* by group */
    GArray *brief;      /* Brief */
    GArray *service;    /* BriefService, n_services for each brief */
    GHashTable *drive_share, *hours;
    uint64_t seed;
    unsigned rounds;
    const char *options, *vehicle_loss; /* as given; NULL */
} Result;

/* Brief of a segment and group, NULL if nothing was measured. */
const Brief *result_brief(const Result *result, uint32_t segment, uint32_t group);
const BriefService *result_service(const Result *result, const Brief *brief, guint service);

/* Id in the table `sources` of a source of a drive (by number). */
int64_t result_source_id(const Result *result, uint32_t drive, uint32_t source);

/* Number of corridors as they are reported: those of the network, and one for the rest if anything
 * was measured there or there is no other. */
guint result_corridors(const Result *result);
/* NULL for segments outside corridors. */
const char *result_corridor_name(const Result *result, guint corridor);

/* Segments of a corridor in order; outside corridors those where anything was measured.
 * Returns: (transfer full) array of uint32_t. */
GArray *result_segments(const Result *result, guint corridor);

/* Scopes of a summary: a group, or any / all of an antenna's operators. */
typedef enum { SCOPE_GROUP, SCOPE_ANY, SCOPE_ALL } ScopeKind;
typedef struct {
    ScopeKind kind;
    const char *operator_label, *antenna;
    guint n;
    guint *group;
} Scope;
/* All scopes: (any) and (all) only where an antenna has several operators.
 * Returns: (transfer full) array of Scope. */
GArray *result_scopes(const Result *result);

/* What a scope got in one segment. */
typedef struct {
    double share, share_time, seconds, length_m;
    Verdict verdict;
    gboolean is_measured, grey;
} ScopeService;
void result_scope_service(const Result *result, const Scope *scope, uint32_t segment, guint service,
                          ScopeService *out);

/* ---- gaps ---- */

typedef struct {
    uint32_t first, last; /* segments */
    double length_m, unknown_m;
    uint32_t segments;
} Gap;
/* Maximal runs of "not covered" among n segments: verdict[i], length_m[i]. At most two segments in
 * a row that are not measured or uncertain do not end a run. Appends Gap; first and last count from
 * 0. */
void gaps_find(const uint8_t *verdict, const double *length_m, uint32_t n, GArray *gaps);

/* ---- writing (out.c, out-segment.c, out-judge.c, out-summary.c, out-compare.c) ---- */

typedef struct OutSegments OutSegments;
/* Begins the tables `segments`, `evidence` and `tests`; `jobs` threads judge. (transfer full) */
OutSegments *out_segments_new(Result *result, LayerWriter *writer, guint jobs, GError **error);
void out_segments_free(OutSegments *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutSegments, out_segments_free)
/* Adds a cell, as cell_pack() made it. Segments and groups ascend; when all cells of one are there,
 * it is judged and written, and those left out in between are written as not measured. */
gboolean out_segments_add(OutSegments *out, const CellPlace *place, const void *cell, size_t n,
                          GError **error);
gboolean out_segments_finish(OutSegments *out, GError **error);

gboolean out_changes(const Result *result, LayerWriter *writer, SpillMerge *merge, GError **error);
/* The layer `samples` (out-samples.c). */
gboolean out_samples(const Result *result, LayerWriter *writer, SpillMerge *merge, GError **error);
gboolean out_summary(const Result *result, LayerWriter *writer, GError **error);
gboolean out_compare_operators(const Result *result, LayerWriter *writer, GError **error);
gboolean out_sources(const Result *result, LayerWriter *writer, GError **error);
gboolean out_meta(const Result *result, LayerWriter *writer, GError **error);
/* Styles for QGIS (out-style.c). */
gboolean out_styles(const Result *result, LayerWriter *writer, GError **error);
