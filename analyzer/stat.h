/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics: intervals, effective sample sizes, percentiles, tests. Pure functions; those that
 * need memory say so. docs/method.md explains each to an analyst.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* Normal quantile of a two-sided 95 % interval. */
#define STAT_Z95 1.959963984540054

typedef struct {
    double low, high; /* shares: both in 0..1 */
} StatInterval;

/* ---- shares (stat.c) ---- */

/* Wilson score interval (Wilson 1927) of a share p in 0..1 observed on n > 0 trials; n may be an
 * effective, fractional size. n = 0 gives 0..1. */
StatInterval stat_wilson(double p, double n, double z);

/* Standard normal distribution function, and its inverse for 0 < p < 1. */
double stat_normal_cdf(double z);
double stat_normal_quantile(double p);

/* Correlation of two places `spacing_m` apart: exp(-d/dc) (Gudmundson 1991). dc = 0: none. */
double stat_correlation(double spacing_m, double decorrelation_m);

/* What n values with lag-1 correlation rho are worth: n (1-rho)/(1+rho); rho < 0 counts as 0. */
double stat_effective_n(double n, double rho);

/* Decorrelation distance from n values in order, `spacing_m` apart: lag-1 autocorrelation rho of
 * the values whose neighbour is also known (is_known[i] != 0; NULL = all), dc = -spacing/ln(rho).
 * Returns 0 where rho <= 0 or fewer than 8 pairs. */
double stat_decorrelation(const double *value, const uint8_t *is_known, size_t n, double spacing_m);

/* The same for levels along a line (NAN = not known), each less the median of the 2 km around it.
 * *n_known gets how many are known. Allocates 24 bytes for each of n. */
double stat_decorrelation_levels(const float *level, size_t n, double spacing_m, size_t *n_known);

/* ---- exact binomial (stat-binomial.c) ---- */

/* P(X <= k) for n trials of chance p. */
double stat_binomial_cdf(int64_t k, int64_t n, double p);

/* Clopper-Pearson (exact) interval of k of n at `confidence`, e.g. 0.95. */
StatInterval stat_clopper_pearson(int64_t k, int64_t n, double confidence);

/* Fewest failures among n tests at which "at least `target` succeed" is rejected at level alpha. */
int64_t stat_reject_failures(int64_t n, double target, double alpha);

/* Fewest tests that, with that many failures, prove "at least `target` succeed" at level alpha. */
int64_t stat_proof_tests(int64_t failures, double target, double alpha);

typedef enum { STAT_NOT_DECIDED, STAT_CONFIRMED, STAT_CONTRADICTED } StatDecision;

/* Claim "at least `target` succeed" after so many successes of n: exact one-sided tests at level
 * alpha. Successes may be a fraction (of an effective number): the failures are rounded up to
 * confirm, and down to contradict.
 * `more` (nullable): tests that would still be needed to decide if the observed share went on; 0
 * when decided, -1 if a million would not do. */
StatDecision stat_decide(double successes, int64_t n, double target, double alpha, int64_t *more);
const char *stat_decision_name(StatDecision decision);

/* ---- ranks (stat-rank.c) ---- */

/* Percentile p (0..1) of n > 0 ascending values. Type 7: linear between ranks (R's default); type
 * 1: the smallest value with at least p of the values at or below it (Hyndman & Fan 1996). */
double stat_percentile_7(const double *sorted, size_t n, double p);
double stat_percentile_1(const double *sorted, size_t n, double p);

typedef struct {
    double value, weight; /* weight >= 0 */
} StatWeighted;

/* Weighted type 1: smallest value at which the weight reaches p of all. Sorts `v` by value.
 * Returns NAN if there is no weight. */
double stat_percentile_weighted(StatWeighted *v, size_t n, double p);

/* Quantile of values known to whole numbers: counts[i] of value i, which stand for i - 0.5 to
 * i + 0.5 and are taken as evenly spread there; `below` and `above` of them lie outside. Median:
 * p = 0.5. INFINITY with its sign if it falls outside, NAN if there is nothing. */
double stat_quantile_grouped(const double *counts, size_t n, double below, double above, double p);
double stat_median_grouped(const double *counts, size_t n, double below, double above);

typedef struct {
    double value;
    gboolean is_limit; /* the true value is somewhere below `value` */
    double weight;     /* > 0 */
} StatCensored;

typedef struct {
    double value;
    double share; /* of the population at or below it */
} StatStep;

/* Distribution of left-censored values by the reverse Kaplan-Meier estimator (Nelson 1972): steps
 * in descending order of the detected values. Sorts `v`. `below_all` gets the share below the
 * lowest detected value. Returns the number of steps written, at most n. */
size_t stat_kaplan_meier(StatCensored *v, size_t n, StatStep *steps, double *below_all);

/* Percentile p from the steps: the smallest value with share >= p. Returns FALSE, with the lowest
 * detected value, if it lies below that one: "less than". */
gboolean stat_kaplan_meier_percentile(const StatStep *steps, size_t n_steps, double below_all,
                                      double p, double *value);

typedef enum { STAT_AT_NOTHING, STAT_AT_NONE, STAT_AT_LIMIT, STAT_AT_VALUE } StatAt;

/* Percentile p of n levels, some of which are only known to lie below a limit, and of `none` (a
 * weight) of no level at all, which ranks below every number: among those (NONE), below all that
 * was detected (LIMIT; *value: the lowest detected level, or the highest limit if none was), or at
 * *value. Limits may differ. Sorts `v`; allocates 16 bytes for each of n. */
StatAt stat_percentile_censored(StatCensored *v, size_t n, double none, double p, double *value);

/* ---- resampling (stat-bootstrap.c) ---- */

/* Random numbers for resampling: the same seed gives the same numbers on every machine
 * (SplitMix64; Steele, Lea, Flood 2014). */
typedef struct {
    uint64_t state;
} StatRandom;
uint64_t stat_random_next(StatRandom *random);
/* Uniform in 0..n-1; n > 0. */
uint64_t stat_random_below(StatRandom *random, uint64_t n);
/* Uniform in 0..1, and standard normal. */
double stat_random_uniform(StatRandom *random);
double stat_random_normal(StatRandom *random);

/* Percentile interval of sum(numerator)/sum(denominator) over n items in order, from `rounds`
 * resamples of moving blocks of `block` items with wrap-around (Kuensch 1989; Politis & Romano
 * 1992). Allocates 8 * rounds bytes. n = 0 gives 0..1. */
StatInterval stat_bootstrap_blocks(const double *numerator, const double *denominator, size_t n,
                                   size_t block, unsigned rounds, double confidence, uint64_t seed);

/* The same for clusters (drives) of items: each resample draws whole rows of numerator and
 * denominator sums. */
StatInterval stat_bootstrap_clusters(const double *numerator, const double *denominator,
                                     size_t n_clusters, unsigned rounds, double confidence,
                                     uint64_t seed);

/* Percentile interval of the grouped median of n values in order, from moving blocks as above.
 * bin[i] is 0 .. n_bins; n_bins itself stands for "above all". Allocates 8 (rounds + n_bins). */
StatInterval stat_bootstrap_medians(const int *bin, size_t n, int n_bins, size_t block,
                                    unsigned rounds, double confidence, uint64_t seed);

/* ---- shares along a line (stat-share.c) ---- */

/* Share of the variance of a mean along a line that is left after cutting it into blocks of x
 * decorrelation distances: 1 - (1 - exp(-x))/x, for a correlation of exp(-d). */
double stat_block_left(double x);

typedef struct {
    double share; /* NAN if nothing was measured: all else is then 0, the interval 0..1 */
    StatInterval ci;
    gboolean by_blocks;     /* else Wilson's formula on n_effective */
    double n_effective;     /* by the distance given */
    double decorrelation_m; /* the distance given, or that of the shares where it is larger */
    double block_m;
    size_t block;   /* pieces in a block */
    double widened; /* factor on the logit (docs/method.md, "Corridors"); by_blocks only */
} StatShare;

/* Share sum(good)/sum(all) of n pieces of about piece_m in order along a line, and its 95 %
 * interval: moving blocks of max(block_m, 3 times the decorrelation distance), widened by what
 * cutting blocks takes from the variance; Wilson where there are fewer than 8 blocks or the share
 * is 0 or 1. Pieces with all = 0 were not measured. Allocates 8 * rounds + 32 n bytes. */
StatShare stat_share_interval(const double *good, const double *all, size_t n, double piece_m,
                              double decorrelation_m, double block_m, unsigned rounds,
                              uint64_t seed);

/* The same from n >= 2 drives over one line: apart[d] is how far drive d moves the share away from
 * that of all of them (they add up to 0), error_within what is open inside the pieces (standard
 * error). Student's t on n - 1. */
StatInterval stat_share_drives(double share, const double *apart, size_t n, double error_within);

/* ---- tests and tables (stat-table.c) ---- */

typedef struct {
    double tp, fp, fn, tn; /* any unit: counts, km, seconds */
} StatTable;

typedef struct {
    double accuracy, ppv, tpr, specificity, npv, kappa, mcc, f1, csi, bias; /* NAN if undefined */
} StatTableFigures;

StatTableFigures stat_table_figures(StatTable table);

/* Two-sided p-value of Welch's test for two means with standard errors (normal approximation where
 * df is large; Student's t by its incomplete beta function). */
double stat_t_test(double mean_a, double variance_a, double n_a, double mean_b, double variance_b,
                   double n_b);

/* Two-sided p-value of Student's t with df degrees of freedom. */
double stat_t_two_sided(double t, double df);

/* Quantile p (0.5 <= p < 1) of Student's t with df degrees of freedom. */
double stat_t_quantile(double p, double df);

/* Two-sided p-value for two shares on effective sizes (score test, pooled variance). */
double stat_share_test(double p_a, double n_a, double p_b, double n_b);

/* The same with Yates' correction for continuity: for effective sizes of a few, where the test
 * without it finds differences that are not there. */
double stat_share_test_corrected(double p_a, double n_a, double p_b, double n_b);

/* p-values adjusted for the number of tests (Benjamini & Hochberg 1995): a difference is found at
 * the false-discovery rate q where the adjusted value is at most q. NAN = no test, stays NAN.
 * Allocates 16 n bytes. */
void stat_adjusted_p(const double *p, size_t n, double *adjusted);

/* False-discovery control (Benjamini & Hochberg 1995): sets is_found[i] for the p-values that stay
 * significant at rate q. NAN = no test. Allocates 8 n bytes. */
void stat_false_discovery(const double *p, size_t n, double q, uint8_t *is_found);

/* FCC Broadband Data Collection, testing threshold (47 CFR 1.7006(e)): negative tests that a
 * challenge needs out of n. */
int64_t stat_fcc_negatives(int64_t n);

/* ---- radio (stat-radio.c) ---- */

/* Linear mean of levels in dB: 10 log10(mean(10^(x/10))). n > 0. */
double stat_mean_linear(const double *db, size_t n);

/* Lee criterion (Lee 1985): 90 % limits in dB of a linear mean of n independent Rayleigh samples
 * (low negative; -INFINITY below n = 3), and half width of a mean of dB values. */
StatInterval stat_lee_linear(double n);
double stat_lee_decibel(double n);
/* 40 wavelengths in metres. */
double stat_lee_window_m(double frequency_mhz);
/* Fastest speed at which 50 readings of `reading_s` seconds fit in 40 wavelengths. */
double stat_lee_speed_kmh(double frequency_mhz, double reading_s);

/* Share at or above a threshold when each value stands for a way or a time. */
double stat_share_weighted(const double *value, const double *weight, size_t n, double threshold);

/* Way in metres that each of n samples stands for: half the way to each neighbour, at most max_m
 * and max_s each; 0 while standing (less than 1 m/s since the sample before). s_m = place along the
 * line, t_s = time. */
void stat_way_weights(const double *s_m, const double *t_s, size_t n, double max_m, double max_s,
                      double *weight);

/* Chance that a level is put on the right side of a threshold `margin_db` away. */
double stat_right_side(double margin_db, double sigma_db);

/* Item of the corridor index: 0 at `bad` or worse, 1 at `good` or better, between them linear or by
 * logarithm. */
double stat_index_item(double x, double bad, double good, gboolean by_logarithm);
