/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Did one place change between two campaigns? Pure functions; docs/method.md, "Before and after".
 *
 * The unit is the pass: samples of one pass over one segment resemble each other, and how many
 * there are must not make a change certain. How much passes differ is taken from the passes of all
 * segments together, as most segments have too few of their own.
 */
#pragma once

#include <glib.h>

/* One pass over one place. */
typedef struct {
    double margin_db; /* mean distance of the level from the threshold: 15 dB below it counts as no
                         service does, 45 dB above it is the most */
    double level_dbm; /* mean level; NAN where no sample had one */
} DiffPass;

/* What two campaigns saw in one place. */
typedef struct {
    const DiffPass *before, *after;
    guint n_before, n_after;
} DiffPair;

typedef enum {
    DIFF_SPREAD_PASSES,    /* between passes of one campaign over one segment */
    DIFF_SPREAD_CAMPAIGNS, /* between the campaigns: what changed and what only varies, together */
    DIFF_SPREAD_ASSUMED,   /* too little of either: DIFF_ASSUMED_DB */
} DiffSpreadFrom;
const char *diff_spread_name(DiffSpreadFrom from);

/* Fewest degrees of freedom, or places, from which a spread is learnt. */
#define DIFF_LEAST_SPREAD 30
/* Standard deviation of a pass where there is nothing to learn it from: 3.65 dB of the receiver and
 * 4.8 dB inside a segment. */
#define DIFF_ASSUMED_DB 6.0

typedef struct {
    double variance; /* of one pass, dB^2; at least 1 */
    double freedom;  /* what it is worth in degrees of freedom at one place: few if places differ in
                        how much they vary, INFINITY if all vary alike */
    DiffSpreadFrom from;
    gsize n; /* degrees of freedom, or places, that it was learnt from */
} DiffSpread;

/* Spread of passes over n places: from passes if at least a quarter of the places that were
 * measured have several. A pair of passes counts with the larger of the differences of its margins
 * and of its levels: margins end at their cap. Variance and freedom are those of the scaled inverse
 * chi-squared distribution with the moments of the places' own variances (Smyth 2004).
 * Allocates 16 n bytes. */
DiffSpread diff_spread(const DiffPair *pairs, gsize n);

typedef struct {
    double effect;    /* after minus before: dB, or share */
    double low, high; /* 95 % interval */
    double p;         /* two-sided; NAN = no test */
} DiffEffect;

/* Change of the mean margin: moderated t-test (Smyth 2004), in which the common spread and the
 * place's own are put together by what each is worth. `equipment_db`: standard deviation of what
 * the receivers of the two campaigns may differ, 0 for the same ones. No passes on one side: NAN.
 */
DiffEffect diff_level(const DiffPair *pair, const DiffSpread *spread, double equipment_db);

/* Change of a share p on an effective size n: score test with correction, interval by Newcombe
 * (1998, method 10). n = 0 on one side: NAN. */
DiffEffect diff_share(double p_before, double n_before, double p_after, double n_after);

/* The effective size on which the Wilson 95 % interval of share p is low..high; 0 if it is none. */
double diff_effective_n(double p, double low, double high);

/* Chance that `there` drives all miss a cell that `seen` of `here` drives saw, by Laplace's rule:
 * one drive misses it with chance (here - seen + 1) / (here + 2). */
double diff_chance_missed(guint seen, guint here, guint there);
