/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/stat.h"

#include <math.h>

#define MOST_TESTS INT64_C(1000000)

static double log_term(int64_t k, int64_t n, double log_p, double log_q)
{
    double dn = (double)n, dk = (double)k;
    return lgamma(dn + 1.0) - lgamma(dk + 1.0) - lgamma(dn - dk + 1.0) + dk * log_p +
           (dn - dk) * log_q;
}

double stat_binomial_cdf(int64_t k, int64_t n, double p)
{
    if (k < 0)
        return 0.0;
    if (k >= n || p <= 0.0)
        return 1.0;
    if (p >= 1.0)
        return 0.0;
    double log_p = log(p), log_q = log1p(-p), ratio = p / (1.0 - p);
    /* the shorter tail, from its largest term outwards until terms vanish */
    gboolean lower = (double)k < (double)n * p;
    double sum = 0.0;
    if (lower) {
        double term = exp(log_term(k, n, log_p, log_q));
        for (int64_t i = k; i >= 0 && term > 0.0; i--) {
            sum += term;
            if (term < sum * 1e-17)
                break;
            term *= (double)i / ((double)(n - i + 1) * ratio);
        }
        return fmin(sum, 1.0);
    }
    double term = exp(log_term(k + 1, n, log_p, log_q));
    for (int64_t i = k + 1; i <= n && term > 0.0; i++) {
        sum += term;
        if (term < sum * 1e-17)
            break;
        term *= (double)(n - i) * ratio / (double)(i + 1);
    }
    return fmax(0.0, 1.0 - sum);
}

/* The p at which P(X <= k) falls to `target`. */
static double solve_cdf(int64_t k, int64_t n, double target)
{
    double low = 0.0, high = 1.0;
    for (int i = 0; i < 100; i++) {
        double mid = 0.5 * (low + high);
        if (stat_binomial_cdf(k, n, mid) > target)
            low = mid;
        else
            high = mid;
    }
    return 0.5 * (low + high);
}

StatInterval stat_clopper_pearson(int64_t k, int64_t n, double confidence)
{
    if (n <= 0)
        return (StatInterval){0.0, 1.0};
    double tail = (1.0 - confidence) / 2.0;
    return (StatInterval){
        k <= 0 ? 0.0 : solve_cdf(k - 1, n, 1.0 - tail),
        k >= n ? 1.0 : solve_cdf(k, n, tail),
    };
}

int64_t stat_reject_failures(int64_t n, double target, double alpha)
{
    /* P(failures >= f | failure chance 1 - target) <= alpha */
    int64_t low = 0, high = n + 1;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (1.0 - stat_binomial_cdf(mid - 1, n, 1.0 - target) <= alpha)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

int64_t stat_proof_tests(int64_t failures, double target, double alpha)
{
    int64_t low = failures + 1, high = MOST_TESTS;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (stat_binomial_cdf(failures, mid, 1.0 - target) <= alpha)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* Parts of a failure count for whoever it does not help. */
static StatDecision decide(double successes, int64_t n, double target, double alpha)
{
    double failures = fmax(0.0, (double)n - successes);
    int64_t most = (int64_t)ceil(failures - 1e-9), least = (int64_t)floor(failures + 1e-9);
    if (n > 0 && stat_binomial_cdf(most, n, 1.0 - target) <= alpha)
        return STAT_CONFIRMED;
    if (n > 0 && 1.0 - stat_binomial_cdf(least - 1, n, 1.0 - target) <= alpha)
        return STAT_CONTRADICTED;
    return STAT_NOT_DECIDED;
}

StatDecision stat_decide(double successes, int64_t n, double target, double alpha, int64_t *more)
{
    StatDecision now = decide(successes, n, target, alpha);
    if (more == NULL)
        return now;
    *more = 0;
    if (now != STAT_NOT_DECIDED)
        return now;
    /* a share exactly at the target is never decided; else the number is found by doubling and
     * halving, for a decision once reached at a fixed share stays */
    double share = n > 0 ? successes / (double)n : 1.0;
    int64_t low = n, high = MAX(n, 16);
    while (decide(share * (double)high, high, target, alpha) == STAT_NOT_DECIDED) {
        low = high;
        high *= 2;
        if (high > MOST_TESTS) {
            *more = -1;
            return now;
        }
    }
    while (high - low > 1) {
        int64_t mid = low + (high - low) / 2;
        if (decide(share * (double)mid, mid, target, alpha) == STAT_NOT_DECIDED)
            low = mid;
        else
            high = mid;
    }
    *more = high - n;
    return now;
}

const char *stat_decision_name(StatDecision decision)
{
    switch (decision) {
    case STAT_CONFIRMED:
        return "confirmed";
    case STAT_CONTRADICTED:
        return "contradicted";
    default:
        return "not decided";
    }
}
