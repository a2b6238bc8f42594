/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What binning made of a drive, kept beside it in DRIVE.passes (keep-file.h): a later run with
 * another profile, over the same segments, reads that instead of the samples. Not kept are drives
 * with problems, which must be told each time, and large ones, whose passes would take much memory.
 */
#pragma once

#include "analyzer/bin-state.h"

typedef struct BinPasses BinPasses;

/* To be called before the drive is read. NULL, which the others take too, if nothing can be kept
 * for this setup. Returns: (transfer full). */
BinPasses *bin_passes_open(const char *drive_path, const BinSetup *setup);
void bin_passes_free(BinPasses *passes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BinPasses, bin_passes_free)

/* Whether a drive with these sources (n of `report`, in order) is kept. */
gboolean bin_passes_known(const BinPasses *passes, const BinSource *report, guint n);

/* Instead of reading the drive: fills the spills and the look of `states` (by source number), the
 * figures of out->sources, its records and times, and *digest. */
gboolean bin_passes_restore(const BinPasses *passes, BinState *states, BinDrive *out,
                            uint64_t *digest, GError **error);

/* While the drive is read: what is put into the spills. */
void bin_passes_add_cell(BinPasses *passes, const SpillKey *key, const BinGlance *glance,
                         const GByteArray *packed);
void bin_passes_add_change(BinPasses *passes, const BinChange *change, uint32_t source);

/* After it was read. Where nothing can be written, nothing is kept. */
void bin_passes_save(BinPasses *passes, const BinDrive *out, uint64_t digest);
