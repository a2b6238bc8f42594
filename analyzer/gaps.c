/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/result.h"

/* So many segments without a verdict do not end a gap (docs/method.md, "Gaps"). */
#define GAP_BRIDGE 2

void gaps_find(const uint8_t *verdict, const double *length_m, uint32_t n, GArray *gaps)
{
    uint32_t i = 0;
    while (i < n) {
        if (verdict[i] != VERDICT_NOT_COVERED) {
            i++;
            continue;
        }
        Gap gap = {.first = i, .last = i};
        uint32_t unknown = 0;
        for (uint32_t k = i + 1; k < n && verdict[k] != VERDICT_COVERED && unknown <= GAP_BRIDGE;
             k++) {
            if (verdict[k] == VERDICT_NOT_COVERED) {
                gap.last = k;
                unknown = 0;
            } else {
                unknown++;
            }
        }
        for (uint32_t k = gap.first; k <= gap.last; k++) {
            gap.length_m += length_m[k];
            if (verdict[k] != VERDICT_NOT_COVERED)
                gap.unknown_m += length_m[k];
        }
        gap.segments = gap.last - gap.first + 1;
        g_array_append_val(gaps, gap);
        i = gap.last + 1;
    }
}
