/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scratch database of a recovery: tables of the same names as a drive's, but without rules,
 * that rows of any shape are put into, and that is then read as a drive is.
 */
#pragma once

#include "formats/drive-shapes.h"

#include <sqlite3.h>

typedef struct Scratch Scratch;

/* `path` is that of the damaged drive, for messages; `shapes` outlive it. */
Scratch *scratch_new(const char *path, const DriveShapes *shapes, GError **error);
void scratch_free(Scratch *scratch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scratch, scratch_free)

/* Returns: (transfer none). */
sqlite3 *scratch_db(Scratch *scratch);

/* Only when something goes into it: most drives leave most tables empty. */
gboolean scratch_make_table(Scratch *scratch, int table, GError **error);
gboolean scratch_has_table(const Scratch *scratch, int table);

/* Whether rows of this shape can go in: not if it has a column twice. */
gboolean scratch_takes(Scratch *scratch, const TableShape *shape);

/* Puts a row that fits the shape in, unless it is there. */
gboolean scratch_put(Scratch *scratch, const TableShape *shape, gint64 rowid,
                     const SalvageValue *values, guint n, GError **error);

/* No row comes any more. */
gboolean scratch_end(Scratch *scratch, GError **error);
