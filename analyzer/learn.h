/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of learning a line share; see network-learn.h. */
#pragma once

#include "analyzer/geometry.h"
#include "analyzer/network-learn.h"

/* Fixes that say to be worse than this do not make line; where most are worse, twice their median
 * (learn_worst_accuracy). */
#define LEARN_WORST_ACCURACY_M 60.0

typedef struct {
    PlanePoint p;
    double time_s;
    double accuracy_m, speed_mps; /* NaN = not stated */
    GeoPoint geo;
} LearnFix;

/* A run of fixes without a jump. */
typedef struct {
    guint first, n;
} LearnTrack;

struct Learn {
    GArray *fixes;  /* LearnFix */
    GArray *tracks; /* LearnTrack, not cleaned */
};

/* Cleaned fixes, standing ones drawn together, and their tracks. Counts into `result`. */
void learn_clean(const Learn *learn, GArray *fixes, GArray *tracks, LearnResult *result);

/* The accuracy beyond which fixes are not used. */
double learn_worst_accuracy(const GArray *fixes);

/* An index of a line's segments: which is nearest? */
typedef struct LineIndex LineIndex;

LineIndex *line_index_new(double reach_m);
void line_index_free(LineIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LineIndex, line_index_free)
/* Forgets the old line; the points are borrowed until the next line_index_set(). */
void line_index_set(LineIndex *index, const PlanePoint *points, guint n);
/* The line grew at its end; `points` holds all of it. */
void line_index_extend(LineIndex *index, const PlanePoint *points, guint n);

typedef struct {
    guint segment;
    double t, along_m, distance_m;
} IndexHit;

/* The nearest place within reach. Where the line passes more than once (crossing itself), the place
 * near `expect_m` is preferred by `pull` metres of distance per metre of chainage, up to 1 km;
 * NaN = no preference. */
gboolean line_index_nearest(const LineIndex *index, PlanePoint p, double expect_m, double pull,
                            IndexHit *hit);
/* Chainage of vertex i, and length. */
double line_index_along(const LineIndex *index, guint i);

/* The raw line (PlanePoint). */
GArray *learn_grow(const GArray *fixes, const GArray *tracks);

/* Smooths the line in place. Fills scatter, passes, uncertainty, used, off_line, gap. */
void learn_smooth(const GArray *fixes, const GArray *tracks, GArray *line, LearnResult *result);
