/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chainage and kilometre boards. Chainage is a distance along a corridor; a board is a sign beside
 * the line. Since lines were re-aligned, boards are not 1000 m apart, and a position is given as
 * the metres beyond the board passed last: "113+1010" may be followed by "114+000" (Trafikverket).
 */
#pragma once

#include "analyzer/network.h"

/* The board position of a chainage: km and metres beyond that board, in the direction of rising
 * board numbers. Before the first board and without boards, kilometres of 1000 m are counted.
 * Boards are in the order of their chainage. */
void chainage_to_board(const KmBoard *boards, size_t n, double at_m, int32_t *km, double *m);

/* The chainage of a board position; m may exceed 999. FALSE where no board has that number and the
 * position is not before the first one. */
gboolean chainage_from_board(const KmBoard *boards, size_t n, int32_t km, double m, double *at_m);

/* "114+228", to the metre. (transfer full) */
char *chainage_label(const KmBoard *boards, size_t n, double at_m);
