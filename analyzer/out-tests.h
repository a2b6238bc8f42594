/* SPDX-License-Identifier: Apache-2.0 */
/* The table `tests`: threshold trains by segment and target. */
#pragma once

#include "analyzer/out-row.h"
#include "analyzer/result.h"

/* Rows for the trains in the cells of one segment and group. */
gboolean out_tests(OutRow *row, const Result *result, const Segment *info, uint32_t segment,
                   uint32_t group, const GPtrArray *cells, GError **error);

/* The table without rows. */
gboolean out_tests_empty(OutRow *row, GError **error);
