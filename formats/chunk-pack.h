/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs: the chunks of a short drive have a hundred rows, and most of each would be the heads of
 * what is compressed column by column. So bare chunks of one kind of record, of all its sources,
 * are put one after the other and compressed as one: what one says the next says nearly so. The row
 * of a chunk in a pack has a reference in place of its bytes. Layout: docs/drive-file.md, "Packs".
 * Knows no SQLite.
 */
#pragma once

#include <glib.h>

enum {
    PACK_HEADER_SIZE = 12,   /* magic, bytes of chunks, CRC-32 of these and all that follows */
    PACK_FULL = 1 << 16,     /* bytes of chunks, after which a pack takes no more */
    PACK_MAX_SIZE = 1 << 20, /* bytes of chunks that a reader unpacks */
};

#define PACK_KIND  "packs" /* of the row of a pack, in place of a kind of records */
#define PACK_MAGIC "CPK1"

/* Where a chunk is. */
typedef struct {
    gint64 pack; /* id of its row */
    gsize offset, size;
} PackPlace;

/* Appends the reference to a chunk in a pack. */
void pack_place_append(GByteArray *to, const PackPlace *place);

/* FALSE if these bytes are no reference. */
gboolean pack_place_read(const guint8 *bytes, gsize length, PackPlace *place);

/* CRC-32 of all of a pack but itself; the head at least is there. */
guint32 pack_checksum(const guint8 *bytes, gsize length);

/* Compresses chunks that stand one after the other, and looks whether they come back.
 * Returns: (transfer full), or NULL on failure. */
GByteArray *pack_make(const GByteArray *chunks, GError **error);

/* The chunks of a pack.
 * Returns: (transfer full), or NULL with DRIVE_ERROR_DAMAGED and a message that says what is wrong,
 * without a file name. */
GByteArray *pack_open(const guint8 *bytes, gsize length, GError **error);
