/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passes of an OUT.gpkg, one after the other, out of its table `evidence`: by segment, operator
 * and antenna, those of one by drive and time.
 *
 *     g_autoptr(PassReader) reader = pass_reader_new(source, &error);
 *     const PassRead *pass;
 *     while ((pass = pass_reader_next(reader, &local_error)) != NULL)
 *         use(pass);
 */
#pragma once

#include "analyzer/layer.h"
#include "analyzer/pass-pack.h"

typedef struct {
    int64_t segment;
    const char *operator_label, *antenna; /* "" where they are missing */
    double decorrelation_m;               /* for pass_figures() */
    const PassRecord *record;
} PassRead;

typedef struct PassReader PassReader;

/* An OUT.gpkg of an earlier version, which has a row for each pass, is refused with the advice to
 * analyze again. Returns: (transfer full); must not outlive the source. */
PassReader *pass_reader_new(LayerSource *source, GError **error);
void pass_reader_free(PassReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PassReader, pass_reader_free)

/* The next pass, or NULL at the end (error unset) or on failure (error set: file and row).
 * Returns: (transfer none, until the next call). */
const PassRead *pass_reader_next(PassReader *reader, GError **error);
