/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling empty tables of a fresh SQLite file without SQLite: rows that come in order of their keys
 * are packed into the pages of a table (https://www.sqlite.org/fileformat.html, 1.6), which are put
 * behind the others once the file is closed. A row costs a tenth of what an INSERT of it does.
 * For layer-bulk.c only, which is tested against what SQLite writes.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct LayerPages LayerPages;

/* For the file `path` with pages of `page_size` bytes. Pages that do not fit in memory wait in a
 * nameless file in its folder. `told` is the file's name in errors. Returns: (transfer full). */
LayerPages *layer_pages_new(const char *path, guint page_size, const char *told);
void layer_pages_free(LayerPages *pages);

/* A table of the file: must exist there and be empty when the pages are put there. Its number. */
guint layer_pages_table(LayerPages *pages, const char *name);

/* Adds a row (copied): `record` as layer_record() makes it. Keys of a table ascend. LAYER_ERROR if
 * the disk is full. */
gboolean layer_pages_add(LayerPages *pages, guint table, gint64 key, const uint8_t *record,
                         size_t n, GError **error);

/* Puts all pages into the file, which nobody has open; nothing may be added afterwards. */
gboolean layer_pages_finish(LayerPages *pages, GError **error);
