/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records in one run of bytes, so that handing a thousand of them to another thread costs no
 * allocation: each is its kind, its struct and the texts it points to.
 */
#pragma once

#include "formats/records.h"

/* Appends one record. */
void record_pack(GByteArray *run, RecordKind kind, const void *record);

/* Takes the record at *at out of a run made by record_pack() and moves *at behind it. Its texts
 * point into the run. FALSE at the end. */
gboolean record_unpack(GByteArray *run, gsize *at, RecordKind *kind, AnyRecord *record);

/* Puts the known columns of `record` over those of the one record in `packed`. FALSE if that
 * changes nothing. */
gboolean record_pack_over(GByteArray *packed, RecordKind kind, const void *record);
