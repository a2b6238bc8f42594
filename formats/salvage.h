/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of an SQLite file, read without SQLite: what is left of a file that SQLite refuses.
 * Source of the layout: https://www.sqlite.org/fileformat.html (the section is named at each use).
 * Committed pages of the -wal file beside it count as SQLite would count them. Nothing is ever
 * written. Any bytes may come in; what does not add up is left out and counted.
 */
#pragma once

#include <glib.h>

typedef struct Salvage Salvage;

typedef enum {
    SALVAGE_OTHER, /* overflow, free, destroyed */
    SALVAGE_TABLE_INTERIOR,
    SALVAGE_TABLE_LEAF,
    SALVAGE_INDEX_INTERIOR, /* of WITHOUT ROWID tables too */
    SALVAGE_INDEX_LEAF,
} SalvagePageKind;

typedef enum { SALVAGE_NULL, SALVAGE_INT, SALVAGE_REAL, SALVAGE_TEXT, SALVAGE_BLOB } SalvageType;

typedef struct {
    SalvageType type;
    union {
        gint64 i;
        double r;
        struct {
            const guint8 *bytes; /* not terminated; valid during the call */
            gsize length;
        } b; /* text and blob */
    };
} SalvageValue;

enum { SALVAGE_MAX_VALUES = 64 };

/* One row. `rowid` is 0 in index pages. `whole`: FALSE if bytes of a long value are missing (they
 * stand as zeros). */
typedef void (*SalvageRowFunc)(guint32 page, gint64 rowid, const SalvageValue *values, guint n,
                               gboolean whole, gpointer data);

/* Returns: (transfer full), or NULL with G_FILE_ERROR. */
Salvage *salvage_open(const char *path, GError **error);
void salvage_free(Salvage *salvage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Salvage, salvage_free)

/* Pages, numbered from 1. A last piece shorter than a page counts as a page. */
guint32 salvage_pages(const Salvage *salvage);

SalvagePageKind salvage_page_kind(const Salvage *salvage, guint32 page);

/* Page numbers that an interior page points to, appended to `children` (of guint32); those outside
 * the file are left out. Returns how many were left out. */
guint salvage_children(const Salvage *salvage, guint32 page, GArray *children);

/* Calls `func` for each row of a leaf, or of an interior index page. Returns the number of cells
 * that could not be read. */
guint salvage_rows(Salvage *salvage, guint32 page, SalvageRowFunc func, gpointer data);

/* Sets free[page] for each page of the list of free pages, as far as the list can be followed.
 * `free` has salvage_pages() + 1 elements. */
void salvage_mark_free(const Salvage *salvage, guint8 *free);
