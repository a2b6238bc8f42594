/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging one segment and group: from its cells to the rows of the tables `segments`, `evidence`
 * and `tests`, and to what summaries need of it. Several threads may judge, each with an OutJudge
 * of its own; what comes out depends on nothing but the cells.
 */
#pragma once

#include "analyzer/result.h"

/* One segment and group. The first three are given, the others are found. */
typedef struct {
    uint32_t segment, group;
    guint n_cells;
    uint64_t corridor; /* as sums are kept: the number of corridors for what lies outside */
    double length_m;
    Brief brief;
} OutUnit;

/* A service in one pass. */
typedef struct {
    guint service;
    uint32_t rank;               /* of the drive */
    int64_t second;              /* of the epoch, when it began */
    double share, apart, passes; /* apart: from the mean of so many passes */
} OutShare;

/* Stands before what cell_pack() made of a cell. */
typedef struct {
    CellPlace place;
    uint64_t bytes;
} PackedCell;

typedef struct OutJudge OutJudge;

/* Makes the three tables. Rows go there directly. Returns: (transfer full), NULL on failure. */
OutJudge *out_judge_new(const Result *result, LayerWriter *writer, GError **error);
/* The same for a thread: rows are encoded and appended to `rows` (borrowed). */
OutJudge *out_judge_new_encoding(const OutJudge *first, GByteArray *rows);
void out_judge_free(OutJudge *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutJudge, out_judge_free)

/* Judges a unit. `packed` (n bytes) has its cells: a PackedCell and what cell_pack() made, each.
 * Appends to `services` (BriefService, one for each of the profile's)
 * and `shares` (OutShare). */
gboolean out_judge_unit(OutJudge *out, OutUnit *unit, const uint8_t *packed, size_t n,
                        GArray *services, GArray *shares, GError **error);

/* The row of a segment and group where nothing was measured. */
gboolean out_judge_unmeasured(OutJudge *out, uint32_t segment, uint32_t group, GError **error);
