/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the groups look like, seen while cells are put aside: the spread of levels inside a segment
 * and pass, and the level of the first pass of each segment, whose likeness to its neighbours tells
 * how far apart places are independent (docs/method.md, "What samples are worth"). Each thread has
 * one; joined they are the same whatever thread saw which cell.
 */
#pragma once

#include "analyzer/cell.h"

typedef struct BinLook BinLook;

/* Of segments 0 to n_segments - 1 the levels are kept, of others only the spread counts. */
BinLook *bin_look_new(guint n_groups, uint32_t n_segments);
void bin_look_free(BinLook *look);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BinLook, bin_look_free)

/* What a cell adds. */
typedef struct {
    float level_dbm;   /* mean; NAN without a level */
    int64_t square, n; /* within it: sum of squares in dB^2/65536, degrees of freedom */
} BinGlance;
BinGlance bin_glance(const Cell *cell);
void bin_look_add(BinLook *look, const CellPlace *place, const BinGlance *glance);
void bin_look_join(BinLook *into, const BinLook *from);

/* Mean level in dBm of the first pass with a level in each segment, NAN without one.
 * Returns: (transfer full) n_segments numbers. */
float *bin_look_levels(const BinLook *look, guint group);
/* Standard deviation of levels inside segment and pass in dB; if_few with less than 30 degrees of
 * freedom. */
double bin_look_sigma(const BinLook *look, guint group, double if_few);
