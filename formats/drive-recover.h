/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saving what can still be read of a damaged drive.
 */
#pragma once

#include "formats/drive-read.h"

typedef struct {
    gint64 saved[RECORD_KIND_COUNT];
    /* What the drive says it held; -1 where that cannot be read any more. */
    gint64 held[RECORD_KIND_COUNT];
    guint32 pages, damaged_pages;
    GPtrArray *losses; /* of char *: what could not be read, one line each */
} RecoverReport;

void recover_report_clear(RecoverReport *report);

/* Reads the file at `path` page by page, without trusting what SQLite needs to open it, and writes
 * all rows and sealed chunks that make sense to a new drive `out`, which appears whole or not at
 * all. `path` is not touched. Sealed chunks carry checksums: of these nothing false comes through.
 * Live rows carry none: a flipped bit within a value gives another value, if one of the same type.
 * Fails if there is nothing of a drive in it. */
gboolean drive_recover(const char *path, const char *out, RecoverReport *report, GError **error);
