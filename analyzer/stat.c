/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/stat.h"

#include <math.h>

StatInterval stat_wilson(double p, double n, double z)
{
    if (!(n > 0.0))
        return (StatInterval){0.0, 1.0};
    double z2 = z * z;
    double scale = 1.0 + z2 / n;
    double centre = (p + z2 / (2.0 * n)) / scale;
    double half = z * sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n)) / scale;
    return (StatInterval){fmax(0.0, centre - half), fmin(1.0, centre + half)};
}
