/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/drive-shapes.h"

#include "formats/chunk-pack.h"
#include "formats/drive-file.h"

#include <math.h>
#include <string.h>

static SalvageType salvage_type(ColumnType type)
{
    return type == COLUMN_INT ? SALVAGE_INT : type == COLUMN_REAL ? SALVAGE_REAL : SALVAGE_TEXT;
}

static void add_column(TableShape *shape, const char *name, SalvageType type, int record_column)
{
    shape->types[shape->n_columns] = type;
    shape->record_columns[shape->n_columns] = record_column;
    shape->names[shape->n_columns++] = g_strdup(name);
}

static void shape_clear(TableShape *shape)
{
    for (guint c = 0; c < shape->n_columns; c++)
        g_free(shape->names[c]);
    memset(shape, 0, sizeof *shape);
}

void drive_shapes_clear(DriveShapes *shapes)
{
    for (int t = 0; t < TABLE_COUNT; t++)
        shape_clear(&shapes->own[t]);
    for (int t = 0; t < RECORD_KIND_COUNT; t++)
        shape_clear(&shapes->others[t]);
}

void drive_shapes_init(DriveShapes *shapes)
{
    static const struct {
        int table;
        const char *name;
        gboolean has_rowid;
        const char *columns; /* as the shape of chunks and extents: name, then i, t or b */
    } others[] = {
        {TABLE_CHUNKS, "chunks", TRUE,
         "id:i kind:t source:i seq:i n:i first_ns:i last_ns:i data:b"},
        {TABLE_META, "meta", FALSE, "key:t value:t"},
        {TABLE_EXTENTS, "extents", FALSE, "kind:t source:i n:i first_ns:i last_ns:i ordered:i"},
    };
    memset(shapes, 0, sizeof *shapes);
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        const RecordType *type = record_type((RecordKind)k);
        TableShape *shape = &shapes->own[k];
        shape->table = k;
        shape->name = type->table;
        shape->has_rowid = TRUE;
        for (unsigned c = 0; c < type->n_columns; c++)
            add_column(shape, type->columns[c].name, salvage_type(type->columns[c].type), (int)c);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        TableShape *shape = &shapes->own[others[i].table];
        shape->table = others[i].table;
        shape->name = others[i].name;
        shape->has_rowid = others[i].has_rowid;
        g_auto(GStrv) columns = g_strsplit(others[i].columns, " ", -1);
        for (char **column = columns; *column != NULL; column++) {
            char *colon = strchr(*column, ':');
            g_assert(colon != NULL);
            *colon = '\0';
            add_column(shape, *column,
                       colon[1] == 'i'   ? SALVAGE_INT
                       : colon[1] == 't' ? SALVAGE_TEXT
                                         : SALVAGE_BLOB,
                       -1);
        }
    }
}

/* Another version of the program may have made the table with other columns: one a line, as every
 * version wrote its schema. */
void drive_shapes_learn(DriveShapes *shapes, int table, const char *sql)
{
    const RecordType *type = record_type((RecordKind)table);
    TableShape *other = &shapes->others[table];
    g_auto(GStrv) lines = g_strsplit(sql, "\n", SALVAGE_MAX_VALUES + 3);
    guint n = g_strv_length(lines);
    if (other->n_columns > 0 || n < 3 || n > SALVAGE_MAX_VALUES + 2 ||
        n == shapes->own[table].n_columns + 2 || !g_str_has_prefix(lines[n - 1], ")"))
        return;
    other->table = table;
    other->name = type->table;
    other->has_rowid = TRUE;
    for (guint i = 1; i + 1 < n; i++) {
        char *name = g_strstrip(lines[i]);
        name[strcspn(name, " ,")] = '\0';
        int c = record_find_column(type, name);
        add_column(other, name, c < 0 ? SALVAGE_NULL : salvage_type(type->columns[c].type), c);
    }
}

void drive_shapes_forget(DriveShapes *shapes, int table)
{
    shape_clear(&shapes->others[table]);
}

const TableShape *drive_shapes_of(const DriveShapes *shapes, int table, guint n_columns)
{
    if (shapes->own[table].n_columns == n_columns)
        return &shapes->own[table];
    return table < RECORD_KIND_COUNT && shapes->others[table].n_columns == n_columns
               ? &shapes->others[table]
               : NULL;
}

int drive_shapes_find(const DriveShapes *shapes, const guint8 *name, gsize length)
{
    for (int t = 0; t < TABLE_COUNT; t++)
        if (strlen(shapes->own[t].name) == length && memcmp(shapes->own[t].name, name, length) == 0)
            return t;
    return TABLE_NONE;
}

gboolean table_shape_is_rowid(const TableShape *shape, guint column)
{
    return column == 0 && (shape->table == RECORD_SOURCE || shape->table == TABLE_CHUNKS);
}

/* ---- does this row belong to that table? ---- */

static gboolean is_word(const RecordColumn *column, const SalvageValue *value)
{
    return record_enum_value(column, (const char *)value->b.bytes, value->b.length) >= 0;
}

/* Of a row of chunks that holds a pack. */
static gboolean is_pack_kind(const SalvageValue *value)
{
    return value->b.length == strlen(PACK_KIND) &&
           memcmp(value->b.bytes, PACK_KIND, value->b.length) == 0;
}

static gboolean value_fits(const DriveShapes *shapes, const TableShape *shape, guint c,
                           const SalvageValue *value)
{
    const int t = shape->table;
    SalvageType type = shape->types[c];
    if (type == SALVAGE_NULL)
        return TRUE;
    const char *name = shape->names[c];
    if (value->type == SALVAGE_NULL) {
        gboolean needed = t >= RECORD_KIND_COUNT || strcmp(name, "time_ns") == 0 ||
                          (t == RECORD_SOURCE && strcmp(name, "label") == 0);
        return table_shape_is_rowid(shape, c) || !needed || (t == TABLE_META && c == 1);
    }
    if (type == SALVAGE_REAL)
        return (value->type == SALVAGE_REAL && isfinite(value->r)) || value->type == SALVAGE_INT;
    if (value->type != type)
        return FALSE;
    if (type != SALVAGE_TEXT)
        return TRUE;
    if (!g_utf8_validate((const char *)value->b.bytes, (gssize)value->b.length, NULL))
        return FALSE;
    if (t < RECORD_KIND_COUNT && shape->record_columns[c] >= 0) {
        const RecordColumn *column = &record_type((RecordKind)t)->columns[shape->record_columns[c]];
        return column->type != COLUMN_ENUM || is_word(column, value);
    }
    /* chunks and extents: the name of a record table */
    return t == TABLE_META || (t == TABLE_CHUNKS && c == 1 && is_pack_kind(value)) ||
           drive_shapes_find(shapes, value->b.bytes, value->b.length) < RECORD_KIND_COUNT;
}

gboolean drive_shapes_fit(const DriveShapes *shapes, int table, gint64 rowid,
                          const SalvageValue *values, guint n)
{
    const TableShape *shape = drive_shapes_of(shapes, table, n);
    if (shape == NULL || (rowid != 0) != shape->has_rowid)
        return FALSE;
    for (guint c = 0; c < n; c++)
        if (!value_fits(shapes, shape, c, &values[c]))
            return FALSE;
    return TRUE;
}
