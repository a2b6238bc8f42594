/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of levels of one segment and group, over its passes. */
#pragma once

#include "analyzer/judge.h"

/* A pass: the cells of all sources of the group on one drive at a time. */
typedef struct {
    const LevelHistogram *levels; /* of the only cell, or `joined` */
    LevelHistogram joined;
    guint first_cell, end_cell;
    uint64_t n, way_dm, time_cs; /* way without the NR leg, which is counted beside its anchor */
    double n_effective;
} JudgePass;

/* Sets the levels and shares by technology of `figures`. */
void judge_levels(const JudgePass *passes, guint n, SegmentFigures *figures);
