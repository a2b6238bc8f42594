/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging: from the cells of one segment and group (operator and antenna) to figures and verdicts.
 * Each pass weighs the same; inside a pass samples weigh the way they stand for. docs/method.md has
 * the rules and worked examples.
 */
#pragma once

#include "analyzer/cell.h"
#include "analyzer/profile.h"

typedef enum {
    VERDICT_NOT_MEASURED,
    VERDICT_UNCERTAIN,
    VERDICT_NOT_COVERED,
    VERDICT_COVERED,
    VERDICT_COUNT
} Verdict;
const char *verdict_name(Verdict verdict);
/* Not measured for NULL and for what is no verdict's name. */
Verdict verdict_by_name(const char *name);

typedef enum {
    REASON_NO_SAMPLE,
    REASON_NOT_TESTED,
    REASON_NO_LEVEL,
    REASON_CLEAR,
    REASON_LEVEL,
    REASON_NO_SERVICE,
    REASON_FEW_SAMPLES,
    REASON_FEW_PASSES,
    REASON_FEW_DAYS,
    REASON_MIXED,
    REASON_NEAR,
    REASON_COUNT
} VerdictReason;
const char *reason_name(VerdictReason reason);

/* Uncertainty of one UE's level: +-6 dB at 90 % (3GPP TS 36.133, 9.1.2), as standard deviation. */
#define JUDGE_UE_SIGMA_DB 3.65
/* Within this distance of a threshold a segment is marked grey. */
#define JUDGE_GREY_DB 3.0
/* Margins count up to this: one strong sample must not outweigh several weak ones. */
#define JUDGE_MARGIN_CAP_DB 15.0

/* What the judge must know of the group. */
typedef struct {
    double decorrelation_m; /* between places */
    double sigma_db;        /* spread of levels inside a segment and pass */
    double z;               /* normal quantile of the intervals */
} JudgeGroup;

typedef struct {
    double share, share_time; /* NAN if nothing was judged */
    double low, high;
    uint32_t n;
    Verdict verdict;
    VerdictReason reason;
    int grey; /* 1, 0, -1 = no level judged */
} ServiceResult;

typedef enum { LEVEL_VALUE, LEVEL_NO_SERVICE, LEVEL_BELOW_FLOOR, LEVEL_NOT_MEASURED } LevelIs;
const char *level_is_name(LevelIs is);

typedef struct {
    double dbm; /* of LEVEL_VALUE; LEVEL_BELOW_FLOOR: a level that it lies below; else NAN */
    LevelIs is;
} LevelRank;

/* All figures of one segment and group. */
typedef struct {
    unsigned passes, days;
    uint64_t n, n_level, n_no_service, n_limited, n_missing, n_interpolated;
    double n_effective, seconds, metres, position_m;
    int64_t first_ns, last_ns;
    int rat;                /* of most of the way; -1 none */
    double share_of_rat[7]; /* by Rat */
    int band;               /* -1 not known */
    double level_mean;      /* NAN if none */
    LevelRank p10, p50, p90;
    double level_min, level_max, nr_level_p50;
    double rsrq_p10, rsrq_p50, sinr_p10, sinr_p50;
    unsigned cells, cell_changes, rat_changes, short_stays;
    uint64_t rtt_n;
    double rtt_p50, rtt_p90, rtt_p95, loss_share, jitter_p50, jitter_p90;
    unsigned outages;
    uint64_t meeting_n;
    double meeting[5]; /* share by grade, from 1 */
    double mos_p50;
    char reasons[160]; /* "" if none */
    uint64_t down_n, up_n;
    double down_p10, down_p50, down_p90, up_p10, up_p50, up_p90;
    double passive_down_p50, passive_up_p50;
    unsigned tests, tests_failed, tests_skipped;
} SegmentFigures;

/* Joins cells of one drive and source that belong to one pass: `cells` (array of Cell*, any order)
 * becomes one cell for each source and pass, sorted by drive rank, time, source; the rest is
 * cleared and left out. rank[drive] gives the order of drives. pass[i] (filled, array of uint32_t)
 * numbers the passes of each drive from 1. */
void judge_join(GPtrArray *cells, const uint32_t *rank, GArray *pass);

/* Figures and verdicts. `cells` and `pass` from judge_join(). `services` gets profile->n_services
 * results. `share` (NULL: not wanted) gets for each service that judges levels or states, from
 * share[service * cells->len] on, its share of each cell, NAN if nothing was judged there. */
void judge_segment(const GPtrArray *cells, const GArray *pass, const Profile *profile,
                   const JudgeGroup *group, SegmentFigures *figures, ServiceResult *services,
                   double *share);

/* Effective size of one pass: n samples on `metres` of way. At least 1 (if n > 0). */
double judge_effective(double n, double metres, double decorrelation_m);

/* Share of a histogram with a level or state service: *good and *all by way (counts if there is no
 * way), the same by time, and the mean margin at its worst and best reading. Returns the samples
 * judged. `shift_db` is added to all levels first. */
typedef struct {
    double good, all, good_time, all_time;
    double margin_low, margin_high; /* sums, weighted as `all` */
    uint32_t n, n_no_service;
} ServiceTally;
void judge_tally(const LevelHistogram *levels, const Service *service, double shift_db,
                 ServiceTally *tally);

/* Verdict of a share on an effective size (level and state services: with the margin rule). */
typedef struct {
    double share, n_effective;
    double margin_low, margin_high; /* means; NAN = rule not to be used */
    double sigma_db;
    uint64_t n, n_no_service;
    unsigned passes, days;
} VerdictInput;
void judge_verdict(const VerdictInput *input, const Service *service, double z,
                   ServiceResult *result);
