/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of a drive's tables look like, so that a row found on a page can be told to belong
 * to one. A table of records has a shape of this program's making and may have another, of the
 * program that made the drive. For drive-recover.c and drive-scratch.c.
 */
#pragma once

#include "formats/records.h"
#include "formats/salvage.h"

/* Tables that hold no records, after the kinds. */
enum {
    TABLE_CHUNKS = RECORD_KIND_COUNT,
    TABLE_META,
    TABLE_EXTENTS,
    TABLE_COUNT,
    TABLE_NONE,
};

typedef struct {
    int table;
    const char *name;
    guint n_columns;
    SalvageType types[SALVAGE_MAX_VALUES];  /* SALVAGE_NULL: a column this program does not know */
    int record_columns[SALVAGE_MAX_VALUES]; /* -1: none of a record */
    char *names[SALVAGE_MAX_VALUES];
    gboolean has_rowid;
} TableShape;

typedef struct {
    TableShape own[TABLE_COUNT];
    TableShape others[RECORD_KIND_COUNT]; /* without columns: none known */
} DriveShapes;

void drive_shapes_init(DriveShapes *shapes);
void drive_shapes_clear(DriveShapes *shapes);

/* Learns the shape of a table of records from the drive's own schema. */
void drive_shapes_learn(DriveShapes *shapes, int table, const char *sql);
/* Forgets what was learnt of it. */
void drive_shapes_forget(DriveShapes *shapes, int table);

/* The table of this name (not terminated), or TABLE_NONE. */
int drive_shapes_find(const DriveShapes *shapes, const guint8 *name, gsize length);

/* The shape of a table that has so many columns, or NULL. Which of two a row has is told by how
 * many values it holds. */
const TableShape *drive_shapes_of(const DriveShapes *shapes, int table, guint n_columns);

/* Whether the column is another name for the number of the row. */
gboolean table_shape_is_rowid(const TableShape *shape, guint column);

/* Whether these can be the values of a row of the table. */
gboolean drive_shapes_fit(const DriveShapes *shapes, int table, gint64 rowid,
                          const SalvageValue *values, guint n);
