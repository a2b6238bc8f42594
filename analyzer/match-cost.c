/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-cost.h"

#include <math.h>

static const double beta_table_m[30] = {
    0.490376731, 0.82918373,  1.24364564,  1.67079581,  2.00719298,  2.42513007,
    2.81248831,  3.15745473,  3.52645392,  4.09511775,  4.67319795,  5.41088180,
    6.47666590,  6.29010734,  7.80752112,  8.09074504,  8.08550528,  9.09405065,
    11.09090603, 11.87752824, 12.55107715, 15.82820829, 17.69496773, 18.07655652,
    19.63438911, 25.40832185, 23.76001877, 28.43289797, 32.21683062, 34.56991141};

double match_emission_ln(double distance_m, double sigma_m)
{
    double z = distance_m / sigma_m;
    return -log(sqrt(2.0 * G_PI) * sigma_m) - 0.5 * z * z;
}

double match_transition_ln(double difference_m, double beta_m)
{
    return -log(beta_m) - fabs(difference_m) / beta_m;
}

double match_beta_m(double period_s)
{
    if (!(period_s > 1.0))
        return beta_table_m[0];
    if (period_s >= 30.0)
        return beta_table_m[29] * period_s / 30.0;
    int low = (int)period_s;
    double share = period_s - low;
    return beta_table_m[low - 1] * (1.0 - share) + beta_table_m[low] * share;
}

double match_emission_cost(double distance_m, double sigma_m)
{
    double z = distance_m / sigma_m;
    return 0.5 * z * z;
}
