/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting more records than fit in memory: records are collected up to a limit, sorted and put into
 * a nameless temporary file; at the end all runs are merged. Which spill a record went into and in
 * what order does not show in the result, as long as no two keys are equal.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Compared field by field. */
typedef struct {
    uint32_t a, b;
    int64_t time_ns;
    uint32_t c, d;
} SpillKey;

typedef struct Spill Spill;
typedef struct SpillMerge SpillMerge;

/* memory_limit: bytes held before a run is written. One thread uses a spill at a time. */
Spill *spill_new(size_t memory_limit);
void spill_free(Spill *spill);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spill, spill_free)

/* Adds a record (copied). Fails if the temporary file cannot be written. */
gboolean spill_add(Spill *spill, const SpillKey *key, const void *data, size_t n, GError **error);

/* Reads all records of the spills in the order of their keys; nothing may be added afterwards. Can
 * be begun several times, one after the other. The spills must outlive it. */
SpillMerge *spill_merge(Spill *const *spills, size_t n, GError **error);
void spill_merge_free(SpillMerge *merge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpillMerge, spill_merge_free)

/* The next record, or NULL at the end (error unset) or on failure (error set). The data stand until
 * the next call, at 8-byte alignment. */
const void *spill_next(SpillMerge *merge, SpillKey *key, size_t *n, GError **error);
