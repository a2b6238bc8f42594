/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passes over one segment with one operator and antenna as one run of bytes, column by column:
 * `evidence.packed` of an OUT.gpkg, specified in corridor-out(5), PACKED PASSES. Some 20 bytes hold
 * a pass that costs 200 as a row of its own. Any values come back exactly; what follows from the
 * rest (seconds, metres, mean level) is not kept but found by pass_figures().
 *
 * Writing, one thread a packer, reused:
 *     pass_packer_begin(packer);
 *     for each pass: pass_packer_add(packer, &record, ids, n_ids);
 *     const uint8_t *packed = pass_packer_end(packer, &size);
 *
 * Reading (pass-read.h reads them from a file):
 *     if (pass_unpacker_begin(unpacker, packed, size))
 *         while ((record = pass_unpacker_next(unpacker)) != NULL)
 *             use(record);
 *     if (pass_unpacker_problem(unpacker) != NULL) the bytes were damaged
 */
#pragma once

#include "analyzer/histogram.h"

/* Numbers that a pass has, as the file counts them. */
typedef struct {
    int64_t drive, source; /* ids in `drives` and `sources` */
    int64_t first_ns, last_ns;
    uint32_t pass;
    uint32_t n, n_level, n_no_service, n_limited, n_missing;
    int32_t band; /* negative: not known */
    gboolean is_backward;
    LevelHistogram levels; /* borrowed */
    const char *cells;     /* reading only: PLMN-cell ids, comma separated; NULL: none */
} PassRecord;

typedef struct PassPacker PassPacker;

PassPacker *pass_packer_new(void);
void pass_packer_free(PassPacker *packer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PassPacker, pass_packer_free)

void pass_packer_begin(PassPacker *packer);
/* `id`: identities of the serving cells (cell_identity()); `cells` of the record is not read. The
 * levels ascend. */
void pass_packer_add(PassPacker *packer, const PassRecord *record, const uint64_t *id, uint32_t n);
/* Returns: (transfer none, until the packer is used again). */
const uint8_t *pass_packer_end(PassPacker *packer, size_t *size);

typedef struct PassUnpacker PassUnpacker;

PassUnpacker *pass_unpacker_new(void);
void pass_unpacker_free(PassUnpacker *unpacker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PassUnpacker, pass_unpacker_free)

/* Begins with `packed`, borrowed until the last pass. FALSE if it makes no sense. */
gboolean pass_unpacker_begin(PassUnpacker *unpacker, const uint8_t *packed, size_t size);
/* How many passes it says to have. */
uint64_t pass_unpacker_count(const PassUnpacker *unpacker);
/* The next pass, or NULL at the end and where the bytes make no sense any more.
 * Returns: (transfer none, until the next call). Its levels ascend. */
const PassRecord *pass_unpacker_next(PassUnpacker *unpacker);
/* What is wrong with the bytes, in some words; NULL if nothing was until now. */
const char *pass_unpacker_problem(const PassUnpacker *unpacker);

/* What the samples of a pass stand for. */
typedef struct {
    double metres, seconds;
    double level_mean;  /* linear mean, dBm; NAN without a level */
    double n_effective; /* where levels are related within the distance given */
} PassFigures;

PassFigures pass_figures(const PassRecord *record, double decorrelation_m);
