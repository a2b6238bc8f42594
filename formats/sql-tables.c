/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/sql-tables.h"

#include "formats/drive-file.h"
#include "formats/drive-schema.h"

#include <string.h>

/* What the module was registered with, and the drive that all its tables read. */
typedef struct {
    char *path;
    GPtrArray *problems; /* NULL: to SQLite's log */
    Drive *drive;        /* NULL until the first table is made */
    guint n_told;        /* of the drive's problems */
} Module;

typedef struct {
    sqlite3_vtab base;
    Module *module;
    const RecordType *type;
} Table;

typedef struct {
    sqlite3_vtab_cursor base;
    DriveCursor *rows;
    const Batch *batch;
    size_t at;
    gint64 number;
} TableCursor;

/* Bits of the index number of a plan: what is pushed down; arguments come in this order. The last
 * bit has none: SQLite counts on rows in order of source, then time. */
enum { PLAN_SOURCE, PLAN_AT, PLAN_FROM, PLAN_TO, PLAN_COUNT, PLAN_BY_SOURCE = 1 << PLAN_COUNT };

static const char *declared_type(ColumnType type)
{
    return type == COLUMN_INT ? "INTEGER" : type == COLUMN_REAL ? "REAL" : "TEXT";
}

/* CREATE VIRTUAL TABLE temp.NAME USING drive_records(NAME): argv[3] is the name; the module's data
 * is the path of the drive. */
static int table_connect(sqlite3 *db, void *data, int argc, const char *const *argv,
                         sqlite3_vtab **vtab, char **message)
{
    const RecordType *type = argc == 4 ? record_type_by_table(argv[3]) : NULL;
    if (type == NULL) {
        *message = sqlite3_mprintf("drive_records needs the name of a record table");
        return SQLITE_ERROR;
    }
    g_autoptr(GString) sql = g_string_new("CREATE TABLE x (");
    for (unsigned c = 0; c < type->n_columns; c++)
        g_string_append_printf(sql, "%s%s %s", c > 0 ? ", " : "", type->columns[c].name,
                               declared_type(type->columns[c].type));
    g_string_append(sql, ")");
    int rc = sqlite3_declare_vtab(db, sql->str);
    if (rc != SQLITE_OK)
        return rc;
    g_autoptr(GError) error = NULL;
    Module *own = data;
    if (own->drive == NULL && (own->drive = drive_open(own->path, &error)) == NULL) {
        *message = sqlite3_mprintf("%s", error->message);
        return SQLITE_ERROR;
    }
    Table *table = g_new0(Table, 1);
    table->module = own;
    table->type = type;
    *vtab = &table->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *vtab)
{
    g_free((Table *)vtab);
    return SQLITE_OK;
}

/* Whether all records of the kind lie in chunks. */
static gboolean is_all_sealed(const Table *table)
{
    const Drive *drive = table->module->drive;
    g_autofree char *sql =
        g_strdup_printf("SELECT NOT EXISTS (SELECT 1 FROM main.%s)", table->type->table);
    sqlite3_stmt *stmt = drive_prepare(drive->db, drive->path, sql, NULL);
    gboolean all = stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return all;
}

/* Whether ORDER BY or GROUP BY asks for the order that chunks are given in anyway: source, then
 * time, or a part of it. */
static gboolean is_given_order(const sqlite3_index_info *info, int source_column, int time_column,
                               gboolean one_source)
{
    const int order[] = {source_column, time_column};
    int first = one_source && info->nOrderBy > 0 && info->aOrderBy[0].iColumn == time_column;
    if (source_column < 0 || time_column < 0 || info->nOrderBy < 1 || info->nOrderBy > 2 - first)
        return FALSE;
    for (int i = 0; i < info->nOrderBy; i++)
        if (info->aOrderBy[i].desc || info->aOrderBy[i].iColumn != order[first + i])
            return FALSE;
    return TRUE;
}

static int table_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    const Table *table = (const Table *)vtab;
    int time_column = record_find_column(table->type, "time_ns");
    int source_column = record_find_column(table->type, "source");
    int found[PLAN_COUNT] = {-1, -1, -1, -1};
    static const double selectivity[PLAN_COUNT] = {0.25, 1e-5, 0.3, 0.3};
    for (int i = 0; i < info->nConstraint; i++) {
        const struct sqlite3_index_constraint *constraint = &info->aConstraint[i];
        if (!constraint->usable)
            continue;
        unsigned char op = constraint->op;
        if (constraint->iColumn == source_column && source_column >= 0 &&
            op == SQLITE_INDEX_CONSTRAINT_EQ)
            found[PLAN_SOURCE] = i;
        if (constraint->iColumn == time_column && time_column >= 0) {
            if (op == SQLITE_INDEX_CONSTRAINT_EQ)
                found[PLAN_AT] = i;
            if (op == SQLITE_INDEX_CONSTRAINT_GE || op == SQLITE_INDEX_CONSTRAINT_GT)
                found[PLAN_FROM] = i;
            if (op == SQLITE_INDEX_CONSTRAINT_LE || op == SQLITE_INDEX_CONSTRAINT_LT)
                found[PLAN_TO] = i;
        }
    }
    info->idxNum = 0;
    info->estimatedRows = 1000000;
    info->estimatedCost = 1e6;
    for (int k = 0, argument = 1; k < PLAN_COUNT; k++) {
        if (found[k] < 0)
            continue;
        /* SQLite checks each constraint again, so that a coarse bound is enough. */
        info->aConstraintUsage[found[k]].argvIndex = argument++;
        info->idxNum |= 1 << k;
        info->estimatedCost *= selectivity[k];
        info->estimatedRows = (sqlite3_int64)((double)info->estimatedRows * selectivity[k]) + 1;
    }
    info->estimatedCost += 1e4; /* a chunk is decoded whole */
    if (is_given_order(info, source_column, time_column, found[PLAN_SOURCE] >= 0) &&
        is_all_sealed(table)) {
        info->orderByConsumed = 1;
        info->idxNum |= PLAN_BY_SOURCE;
    }
    /* Which columns are needed: bit 63 stands for all above. */
    info->idxStr = sqlite3_mprintf("%llx", (unsigned long long)info->colUsed);
    info->needToFreeIdxStr = 1;
    return info->idxStr != NULL ? SQLITE_OK : SQLITE_NOMEM;
}

static int cursor_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor)
{
    (void)vtab;
    TableCursor *mine = g_new0(TableCursor, 1);
    *cursor = &mine->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *cursor)
{
    TableCursor *mine = (TableCursor *)cursor;
    drive_cursor_free(mine->rows);
    g_free(mine);
    return SQLITE_OK;
}

static int fail(sqlite3_vtab_cursor *cursor, const GError *error)
{
    sqlite3_free(cursor->pVtab->zErrMsg);
    cursor->pVtab->zErrMsg = sqlite3_mprintf("%s", error->message);
    return SQLITE_ERROR;
}

/* Damaged pieces are told once, whichever table and query meets them. */
static void tell_problems(Module *own)
{
    const GPtrArray *problems = drive_problems(own->drive);
    GPtrArray *all = own->problems;
    for (; own->n_told < problems->len; own->n_told++) {
        const char *problem = g_ptr_array_index(problems, own->n_told);
        if (all == NULL)
            sqlite3_log(SQLITE_WARNING, "%s", problem);
        else if (!g_ptr_array_find_with_equal_func(all, problem, g_str_equal, NULL))
            g_ptr_array_add(all, g_strdup(problem));
    }
}

static int load_batch(TableCursor *mine)
{
    g_autoptr(GError) error = NULL;
    mine->at = 0;
    mine->batch = drive_next(mine->rows, &error);
    tell_problems(((Table *)mine->base.pVtab)->module);
    return error != NULL ? fail(&mine->base, error) : SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *cursor, int plan, const char *columns_hex, int argc,
                         sqlite3_value **argv)
{
    TableCursor *mine = (TableCursor *)cursor;
    const Table *table = (const Table *)cursor->pVtab;
    /* Rows came after the plan was made: SQLite makes another one. */
    if ((plan & PLAN_BY_SOURCE) != 0 && !is_all_sealed(table))
        return SQLITE_SCHEMA;
    gint64 source = 0;
    gint64 from_ns = INT64_MIN;
    gint64 to_ns = INT64_MAX;
    for (int k = 0, argument = 0; k < PLAN_COUNT && argument < argc; k++) {
        if ((plan & 1 << k) == 0)
            continue;
        sqlite3_value *value = argv[argument++];
        if (sqlite3_value_type(value) != SQLITE_INTEGER)
            continue;
        gint64 number = sqlite3_value_int64(value);
        if (k == PLAN_SOURCE)
            source = number;
        if (k == PLAN_AT || k == PLAN_FROM)
            from_ns = MAX(from_ns, number);
        if ((k == PLAN_AT || k == PLAN_TO) && number < INT64_MAX)
            to_ns = MIN(to_ns, number + 1);
    }
    uint64_t columns = g_ascii_strtoull(columns_hex, NULL, 16);
    if (columns == 0)
        columns = 1;
    g_clear_pointer(&mine->rows, drive_cursor_free);
    mine->number = 0;
    g_autoptr(GError) error = NULL;
    mine->rows = drive_read(table->module->drive, table->type->kind, columns, source, from_ns,
                            to_ns, &error);
    return mine->rows != NULL ? load_batch(mine) : fail(cursor, error);
}

static int cursor_next(sqlite3_vtab_cursor *cursor)
{
    TableCursor *mine = (TableCursor *)cursor;
    mine->number++;
    return ++mine->at < mine->batch->n ? SQLITE_OK : load_batch(mine);
}

static int cursor_eof(sqlite3_vtab_cursor *cursor)
{
    return ((const TableCursor *)cursor)->batch == NULL;
}

static int cursor_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int c)
{
    const TableCursor *mine = (const TableCursor *)cursor;
    const RecordColumn *column = &((const Table *)cursor->pVtab)->type->columns[c];
    const Batch *batch = mine->batch;
    if (batch->column[c].i == NULL || (batch->known[mine->at] >> c & 1U) == 0)
        return SQLITE_OK;
    switch (column->type) {
    case COLUMN_INT:
        sqlite3_result_int64(context, batch->column[c].i[mine->at]);
        break;
    case COLUMN_REAL:
        sqlite3_result_double(context, batch->column[c].r[mine->at]);
        break;
    case COLUMN_TEXT:
        sqlite3_result_text(context, batch->column[c].t[mine->at], -1, SQLITE_TRANSIENT);
        break;
    case COLUMN_ENUM:
        sqlite3_result_text(context, record_enum_name(column, (int)batch->column[c].i[mine->at]),
                            -1, SQLITE_STATIC);
        break;
    }
    return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
    *rowid = ((const TableCursor *)cursor)->number;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 1,
    .xCreate = table_connect,
    .xConnect = table_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xDestroy = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};

static void module_free(void *data)
{
    Module *own = data;
    drive_free(own->drive);
    g_free(own->path);
    if (own->problems != NULL)
        g_ptr_array_unref(own->problems);
    g_free(own);
}

int sql_tables_register(sqlite3 *db, const char *path, GPtrArray *problems, char **message)
{
    Module *own = g_new0(Module, 1);
    own->path = g_strdup(path);
    own->problems = problems != NULL ? g_ptr_array_ref(problems) : NULL;
    int rc = sqlite3_create_module_v2(db, "drive_records", &module, own, module_free);
    for (int k = 0; rc == SQLITE_OK && k < RECORD_KIND_COUNT; k++) {
        const char *table = record_type((RecordKind)k)->table;
        g_autofree char *sql = g_strdup_printf(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.%s USING drive_records(%s)", table, table);
        char *error = NULL;
        rc = sqlite3_exec(db, sql, NULL, NULL, &error);
        if (error != NULL) {
            *message = error;
        }
    }
    return rc;
}
