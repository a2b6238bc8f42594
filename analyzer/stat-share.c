/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/stat.h"

#include <math.h>

/* With fewer blocks than this, resampling them says little. */
#define FEWEST_BLOCKS 8

/* Distance over which the shares of neighbours resemble each other, from how their correlation
 * falls from one and two to two and three pieces. Unlike the correlation of neighbours alone, that
 * fall is not hidden by noise of each piece's own. 0 where nothing is to be seen. */
static double distance_of_shares(const double *good, const double *all, size_t n, double share,
                                 double piece_m)
{
    double product[4] = {0.0}, pairs[4] = {0.0};
    for (size_t lag = 0; lag < 4; lag++)
        for (size_t i = 0; i + lag < n; i++) {
            if (!(all[i] > 0.0) || !(all[i + lag] > 0.0))
                continue;
            product[lag] += (good[i] / all[i] - share) * (good[i + lag] / all[i + lag] - share);
            pairs[lag] += 1.0;
        }
    for (size_t lag = 0; lag < 4; lag++) {
        if (pairs[lag] < 8.0)
            return 0.0;
        product[lag] /= pairs[lag];
    }
    double fall = (product[2] + product[3]) / (product[1] + product[2]);
    if (!(product[0] > 0.0) || !(product[1] / product[0] > 2.0 / sqrt(pairs[0])) || !(fall > 0.0))
        return 0.0;
    return -piece_m / log(fmin(fall, 0.98));
}

static double logit(double p)
{
    return log(p / (1.0 - p));
}

/* Moves an end of an interval away from the share by a factor, on the scale of the logit. */
static double widen(double end, double share, double factor)
{
    return 1.0 / (1.0 + exp(-(logit(share) + factor * (logit(end) - logit(share)))));
}

double stat_block_left(double x)
{
    return x > 1e-6 ? 1.0 - (1.0 - exp(-x)) / x : 0.5 * x;
}

StatShare stat_share_interval(const double *good, const double *all, size_t n, double piece_m,
                              double decorrelation_m, double block_m, unsigned rounds,
                              uint64_t seed)
{
    StatShare s = {.share = NAN, .ci = {0.0, 1.0}};
    double good_sum = 0.0, all_sum = 0.0, pieces = 0.0;
    for (size_t i = 0; i < n; i++) {
        good_sum += good[i];
        all_sum += all[i];
        pieces += all[i] > 0.0 ? 1.0 : 0.0;
    }
    if (!(all_sum > 0.0))
        return s;
    s.share = CLAMP(good_sum / all_sum, 0.0, 1.0);
    s.decorrelation_m = fmax(decorrelation_m, distance_of_shares(good, all, n, s.share, piece_m));
    s.n_effective =
        fmax(1.0, stat_effective_n(pieces, stat_correlation(piece_m, fmax(decorrelation_m, 0.0))));
    s.block_m = fmax(block_m, 3.0 * s.decorrelation_m);
    s.block = (size_t)fmin(fmax(1.0, floor(s.block_m / piece_m + 0.5)), (double)n);
    StatInterval wilson = stat_wilson(s.share, s.n_effective, STAT_Z95);
    if (pieces < (double)(FEWEST_BLOCKS * s.block) || s.share <= 0.0 || s.share >= 1.0) {
        s.ci = wilson;
        return s;
    }
    StatInterval ci = stat_bootstrap_blocks(good, all, n, s.block, rounds, 0.95, seed);
    if (!(ci.low > 0.0) || !(ci.high < 1.0) || !(ci.low < ci.high)) {
        s.ci = wilson;
        return s;
    }
    /* what cutting blocks from their neighbours takes; and there are only so many of them */
    double left = stat_block_left((double)s.block * piece_m / fmax(s.decorrelation_m, 1e-3));
    double t = stat_t_quantile(0.975, pieces / (double)s.block - 1.0);
    s.widened = t / STAT_Z95 / sqrt(left);
    s.ci = (StatInterval){widen(ci.low, s.share, s.widened), widen(ci.high, s.share, s.widened)};
    s.by_blocks = TRUE;
    return s;
}

StatInterval stat_share_drives(double share, const double *apart, size_t n, double error_within)
{
    double square = 0.0;
    for (size_t d = 0; d < n; d++)
        square += apart[d] * apart[d];
    double between = sqrt(square * (double)n / (double)(n - 1));
    double half = stat_t_quantile(0.975, (double)(n - 1)) * fmax(between, error_within);
    return (StatInterval){fmax(0.0, share - half), fmin(1.0, share + half)};
}
