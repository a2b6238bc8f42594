/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/chainage.h"

#include <math.h>

static gboolean falling(const KmBoard *boards, size_t n)
{
    return n >= 2 && boards[n - 1].km < boards[0].km;
}

/* Kilometres of 1000 m from a place whose board position is km+0. */
static void count_from(double distance_m, int32_t base, int32_t *km, double *m)
{
    double whole = floor(distance_m / 1000.0);

    *km = (int32_t)CLAMP(base + whole, INT32_MIN, INT32_MAX);
    *m = distance_m - whole * 1000.0;
}

void chainage_to_board(const KmBoard *boards, size_t n, double at_m, int32_t *km, double *m)
{
    if (n == 0) {
        count_from(at_m, 0, km, m);
        return;
    }
    size_t after = 0; /* boards passed */
    while (after < n && boards[after].at_m <= at_m)
        after++;
    if (falling(boards, n)) {
        while (after > 0 && boards[after - 1].at_m >= at_m)
            after--; /* on a board: it is the one ahead */
        if (after == n)
            count_from(boards[n - 1].at_m - at_m, boards[n - 1].km, km, m);
        else {
            *km = boards[after].km;
            *m = boards[after].at_m - at_m;
        }
        return;
    }
    if (after == 0) {
        count_from(at_m - boards[0].at_m, boards[0].km, km, m);
        return;
    }
    *km = boards[after - 1].km;
    *m = at_m - boards[after - 1].at_m;
}

gboolean chainage_from_board(const KmBoard *boards, size_t n, int32_t km, double m, double *at_m)
{
    double sign = falling(boards, n) ? -1 : 1;

    if (n == 0) {
        *at_m = km * 1000.0 + m;
        return TRUE;
    }
    for (size_t i = 0; i < n; i++) {
        if (boards[i].km == km) {
            *at_m = boards[i].at_m + sign * m;
            return TRUE;
        }
    }
    size_t lowest = sign > 0 ? 0 : n - 1;
    if (km > boards[lowest].km)
        return FALSE;
    *at_m = boards[lowest].at_m + sign * ((km - boards[lowest].km) * 1000.0 + m);
    return TRUE;
}

char *chainage_label(const KmBoard *boards, size_t n, double at_m)
{
    int32_t km = 0;
    double m = 0;

    if (!isfinite(at_m))
        return g_strdup("");
    chainage_to_board(boards, n, round(at_m), &km, &m);
    return g_strdup_printf("%d+%03.0f", km, fabs(m));
}
