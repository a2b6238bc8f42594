/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/drive-read.h"

#include "formats/drive-schema.h"

#include <string.h>

/* A text of a record is a name, a hash or some JSON; nothing that a drive holds is longer. */
enum { MAX_BLOB_BYTES = 64 * 1024 * 1024, MAX_SQL_BYTES = 100 * 1000, SMALL_SOURCES = 256 };

struct Drive {
    char *path;
    sqlite3 *db;
    GArray *sources; /* of Source */
    GStringChunk *text;
};

struct DriveCursor {
    Drive *drive;
    const RecordType *type;
    sqlite3_stmt *stmt;
    unsigned n_columns;             /* of the statement */
    unsigned column_of[64];         /* statement column -> record column */
    int time_column, source_column; /* record columns, -1 if the kind has none */
    gboolean sorted_by_us, done;
    GStringChunk *text;
    uint64_t *known;
    void *storage[64]; /* by record column */
    Batch batch;
    int64_t last_small[SMALL_SOURCES]; /* last time seen by source, for kinds in order */
    GHashTable *last_large;            /* the same for odd source numbers */
};

static gboolean defend(sqlite3 *db, const char *path, GError **error)
{
    static const struct {
        int option, value;
    } settings[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(settings); i++)
        (void)sqlite3_db_config(db, settings[i].option, settings[i].value, NULL);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, MAX_BLOB_BYTES);
    (void)sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES);
    (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
    return drive_exec(db, path,
                      "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                      "PRAGMA temp_store = FILE; PRAGMA cache_size = -8192;",
                      error);
}

static sqlite3 *open_read_only(const char *path, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED, "%s: %s", path,
                    g_file_test(path, G_FILE_TEST_EXISTS) ? "is not a regular file"
                                                          : "there is no such file");
        return NULL;
    }
    g_autofree char *escaped = g_uri_escape_string(path, "/", FALSE);
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    static const char *const modes[] = {"mode=ro", "immutable=1"};
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        sqlite3 *db = NULL;
        g_autofree char *uri = g_strdup_printf("file:%s?%s", escaped, modes[i]);
        int rc = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
        if (rc == SQLITE_OK) {
            sqlite3_extended_result_codes(db, 1);
            sqlite3_busy_timeout(db, 5000);
            rc = sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
        }
        if (rc == SQLITE_OK)
            return db;
        /* A drive in WAL mode in a folder that cannot be written: without a -wal file nothing is
         * missing from the main file, and it can be read as it is. */
        gboolean retry =
            (rc & 0xff) == SQLITE_CANTOPEN && i == 0 && !g_file_test(wal, G_FILE_TEST_EXISTS);
        if (!retry) {
            drive_sqlite_error(error, db, rc, path, "cannot be read");
            (void)sqlite3_close(db);
            return NULL;
        }
        (void)sqlite3_close(db);
    }
    return NULL;
}

/* A file from a stranger may call anything "samples": only plain tables are read. */
static gboolean check_plain_tables(Drive *drive, GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(
        drive->db, drive->path,
        "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table','view')", error);
    if (stmt == NULL)
        return FALSE;
    int rc = SQLITE_ROW;
    gboolean fine = TRUE;
    while (fine && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        const char *kind = (const char *)sqlite3_column_text(stmt, 1);
        const char *sql = (const char *)sqlite3_column_text(stmt, 2);
        if (name == NULL || (record_type_by_table(name) == NULL && strcmp(name, "meta") != 0 &&
                             strcmp(name, "extents") != 0))
            continue;
        fine = g_strcmp0(kind, "table") == 0 && sql != NULL &&
               g_ascii_strncasecmp(sql, "CREATE TABLE", 12) == 0;
        if (!fine)
            g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE,
                        "%s: %s is not a plain table; this file is not to be trusted", drive->path,
                        name);
    }
    sqlite3_finalize(stmt);
    if (!fine)
        return FALSE;
    if (rc != SQLITE_DONE)
        return drive_sqlite_error(error, drive->db, rc, drive->path, "cannot be read");
    return TRUE;
}

static gboolean load_sources(Drive *drive, GError **error)
{
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SOURCE, 0, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    const Batch *batch = NULL;
    GError *failure = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            Source source;
            batch_get(batch, RECORD_SOURCE, i, &source);
            const RecordType *type = record_type(RECORD_SOURCE);
            for (unsigned c = 0; c < type->n_columns; c++) {
                if (type->columns[c].type != COLUMN_TEXT)
                    continue;
                const char **text =
                    (const char **)(void *)((char *)&source + type->columns[c].offset);
                if (*text != NULL)
                    *text = g_string_chunk_insert_const(drive->text, *text);
            }
            g_array_append_val(drive->sources, source);
        }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return TRUE;
}

Drive *drive_open(const char *path, GError **error)
{
    sqlite3 *db = open_read_only(path, error);
    if (db == NULL)
        return NULL;
    g_autoptr(Drive) drive = g_new0(Drive, 1);
    drive->path = g_strdup(path);
    drive->db = db;
    drive->sources = g_array_new(FALSE, FALSE, sizeof(Source));
    drive->text = g_string_chunk_new(1024);
    if (!defend(db, path, error) || !drive_check_version(db, path, error) ||
        !check_plain_tables(drive, error) || !load_sources(drive, error))
        return NULL;
    return g_steal_pointer(&drive);
}

void drive_free(Drive *drive)
{
    if (drive == NULL)
        return;
    (void)sqlite3_close(drive->db);
    g_array_unref(drive->sources);
    g_string_chunk_free(drive->text);
    g_free(drive->path);
    g_free(drive);
}

const char *drive_path(const Drive *drive)
{
    return drive->path;
}

char *drive_meta(Drive *drive, const char *key)
{
    sqlite3_stmt *stmt =
        drive_prepare(drive->db, drive->path, "SELECT value FROM meta WHERE key = ?", NULL);
    if (stmt == NULL)
        return NULL;
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    char *value = NULL;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        value = g_strdup((const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return value;
}

const Source *drive_sources(Drive *drive, guint *n)
{
    *n = drive->sources->len;
    return (const Source *)(void *)drive->sources->data;
}

/* Columns that this file has (an older format may lack some), as a mask. */
static uint64_t columns_present(Drive *drive, const RecordType *type, GError **error)
{
    uint64_t mask = 0;
    sqlite3_stmt *stmt = drive_prepare(
        drive->db, drive->path, "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", error);
    if (stmt == NULL)
        return 0;
    (void)sqlite3_bind_text(stmt, 1, type->table, -1, SQLITE_STATIC);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        for (unsigned c = 0; name != NULL && c < type->n_columns; c++)
            if (strcmp(type->columns[c].name, name) == 0)
                mask |= UINT64_C(1) << c;
    }
    sqlite3_finalize(stmt);
    if (mask == 0)
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s: has no table %s; `corridor recover` saves what can be read", drive->path,
                    type->table);
    return mask;
}

/* Whether rows of this kind may go back in time within a source. */
static gboolean needs_sort(Drive *drive, const RecordType *type)
{
    sqlite3_stmt *stmt = drive_prepare(
        drive->db, drive->path, "SELECT 1 FROM extents WHERE kind = ? AND ordered = 0", NULL);
    if (stmt == NULL)
        return TRUE;
    (void)sqlite3_bind_text(stmt, 1, type->table, -1, SQLITE_STATIC);
    gboolean unordered = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return unordered;
}

static char *cursor_sql(DriveCursor *cursor, uint64_t mask, gint64 source, gboolean in_range)
{
    const RecordType *type = cursor->type;
    GString *sql = g_string_new("SELECT ");
    for (unsigned c = 0; c < type->n_columns; c++) {
        if (((mask >> c) & 1U) == 0)
            continue;
        g_string_append_printf(sql, "%s%s", cursor->n_columns > 0 ? "," : "",
                               type->columns[c].name);
        cursor->column_of[cursor->n_columns++] = c;
    }
    g_string_append_printf(sql, " FROM main.%s", type->table);
    const char *word = " WHERE ";
    if (source != 0 && cursor->source_column >= 0) {
        g_string_append_printf(sql, "%ssource = %" G_GINT64_FORMAT, word, source);
        word = " AND ";
    }
    if (in_range && cursor->time_column >= 0)
        g_string_append_printf(sql, "%stime_ns >= ?1 AND time_ns < ?2", word);
    if (cursor->time_column < 0)
        g_string_append(sql, " ORDER BY id");
    else if (cursor->sorted_by_us)
        g_string_append(sql, " ORDER BY time_ns, rowid");
    else
        g_string_append(sql, " ORDER BY rowid");
    return g_string_free(sql, FALSE);
}

static int find_column(const RecordType *type, const char *name)
{
    for (unsigned c = 0; c < type->n_columns; c++)
        if (strcmp(type->columns[c].name, name) == 0)
            return (int)c;
    return -1;
}

static void allocate_batch(DriveCursor *cursor)
{
    cursor->known = g_new0(uint64_t, DRIVE_BATCH_ROWS);
    cursor->batch.known = cursor->known;
    for (unsigned i = 0; i < cursor->n_columns; i++) {
        unsigned c = cursor->column_of[i];
        cursor->storage[c] = g_malloc0(DRIVE_BATCH_ROWS * sizeof(int64_t));
        cursor->batch.column[c].i = cursor->storage[c];
    }
}

DriveCursor *drive_read(Drive *drive, RecordKind kind, uint64_t columns, gint64 source,
                        gint64 from_ns, gint64 to_ns, GError **error)
{
    g_autoptr(DriveCursor) cursor = g_new0(DriveCursor, 1);
    cursor->drive = drive;
    cursor->type = record_type(kind);
    cursor->time_column = find_column(cursor->type, "time_ns");
    cursor->source_column = find_column(cursor->type, "source");
    cursor->text = g_string_chunk_new(4096);
    cursor->last_large = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    for (unsigned i = 0; i < SMALL_SOURCES; i++)
        cursor->last_small[i] = INT64_MIN;
    uint64_t present = columns_present(drive, cursor->type, error);
    if (present == 0)
        return NULL;
    uint64_t mask = columns == 0 ? present : columns & present;
    if (cursor->time_column >= 0)
        mask |= UINT64_C(1) << cursor->time_column;
    if (cursor->source_column >= 0)
        mask |= UINT64_C(1) << cursor->source_column;
    mask &= present;
    gboolean in_range = from_ns != INT64_MIN || to_ns != INT64_MAX;
    cursor->sorted_by_us = cursor->time_column >= 0 && needs_sort(drive, cursor->type);
    g_autofree char *sql = cursor_sql(cursor, mask, source, in_range);
    cursor->stmt = drive_prepare(drive->db, drive->path, sql, error);
    if (cursor->stmt == NULL)
        return NULL;
    if (in_range && cursor->time_column >= 0) {
        (void)sqlite3_bind_int64(cursor->stmt, 1, from_ns);
        (void)sqlite3_bind_int64(cursor->stmt, 2, to_ns);
    }
    allocate_batch(cursor);
    return g_steal_pointer(&cursor);
}

void drive_cursor_free(DriveCursor *cursor)
{
    if (cursor == NULL)
        return;
    sqlite3_finalize(cursor->stmt);
    for (unsigned c = 0; c < 64; c++)
        g_free(cursor->storage[c]);
    g_free(cursor->known);
    g_hash_table_unref(cursor->last_large);
    g_string_chunk_free(cursor->text);
    g_free(cursor);
}

/* Text that repeats from row to row (PLMN, target) is kept once per batch. */
static const char *keep_text(DriveCursor *cursor, unsigned c, size_t i, const char *text,
                             size_t length)
{
    const char **column = cursor->storage[c];
    if (i > 0 && column[i - 1] != NULL && strncmp(column[i - 1], text, length) == 0 &&
        column[i - 1][length] == '\0')
        return column[i - 1];
    return g_string_chunk_insert_len(cursor->text, text, (gssize)length);
}

static int enum_value(const RecordColumn *column, int64_t *previous, const char *text,
                      size_t length)
{
    if (previous != NULL && *previous < column->enum_count) {
        const char *name = column->enum_names[*previous];
        if (strncmp(name, text, length) == 0 && name[length] == '\0')
            return (int)*previous;
    }
    return record_enum_value(column, text, length);
}

static gboolean take_value(DriveCursor *cursor, unsigned s, unsigned c, size_t i)
{
    const RecordColumn *column = &cursor->type->columns[c];
    sqlite3_stmt *stmt = cursor->stmt;
    int type = sqlite3_column_type(stmt, (int)s);
    int64_t *ints = cursor->storage[c];
    ints[i] = 0; /* all types: 0, 0.0 or NULL */
    if (type == SQLITE_NULL)
        return FALSE;
    switch (column->type) {
    case COLUMN_INT:
        ints[i] = sqlite3_column_int64(stmt, (int)s);
        return type == SQLITE_INTEGER;
    case COLUMN_REAL:
        ((double *)cursor->storage[c])[i] = sqlite3_column_double(stmt, (int)s);
        return type == SQLITE_FLOAT || type == SQLITE_INTEGER;
    case COLUMN_TEXT:
    case COLUMN_ENUM:
        break;
    }
    const char *text = (const char *)sqlite3_column_text(stmt, (int)s);
    size_t length = (size_t)sqlite3_column_bytes(stmt, (int)s);
    if (type != SQLITE_TEXT || text == NULL)
        return FALSE;
    if (column->type == COLUMN_TEXT) {
        ((const char **)cursor->storage[c])[i] = keep_text(cursor, c, i, text, length);
        return TRUE;
    }
    int value = enum_value(column, i > 0 ? &ints[i - 1] : NULL, text, length);
    ints[i] = value < 0 ? 0 : value;
    return value >= 0;
}

static int64_t *last_time_of(DriveCursor *cursor, int64_t source)
{
    if (source >= 0 && source < SMALL_SOURCES)
        return &cursor->last_small[source];
    int64_t *last = g_hash_table_lookup(cursor->last_large, &source);
    if (last == NULL) {
        last = g_new(int64_t, 1);
        *last = INT64_MIN;
        g_hash_table_insert(cursor->last_large, g_memdup2(&source, sizeof source), last);
    }
    return last;
}

/* Someone may have edited the drive by hand: order is a promise to the caller, so it is checked. */
static gboolean check_order(DriveCursor *cursor, size_t i, GError **error)
{
    if (cursor->time_column < 0 || cursor->sorted_by_us)
        return TRUE;
    int64_t time_ns = cursor->batch.column[cursor->time_column].i[i];
    int64_t source =
        cursor->source_column >= 0 ? cursor->batch.column[cursor->source_column].i[i] : 0;
    int64_t *last = last_time_of(cursor, source);
    if (time_ns < *last) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s: %s of source %" G_GINT64_FORMAT
                    " go back in time though the drive says they do not; `corridor recover` "
                    "puts them in order",
                    cursor->drive->path, cursor->type->table, source);
        return FALSE;
    }
    *last = time_ns;
    return TRUE;
}

const Batch *drive_next(DriveCursor *cursor, GError **error)
{
    if (cursor->done)
        return NULL;
    g_string_chunk_clear(cursor->text);
    size_t i = 0;
    int rc = SQLITE_ROW;
    while (i < DRIVE_BATCH_ROWS && (rc = sqlite3_step(cursor->stmt)) == SQLITE_ROW) {
        uint64_t known = 0;
        for (unsigned s = 0; s < cursor->n_columns; s++)
            if (take_value(cursor, s, cursor->column_of[s], i))
                known |= UINT64_C(1) << cursor->column_of[s];
        cursor->known[i] = known;
        if (!check_order(cursor, i, error)) {
            cursor->done = TRUE;
            return NULL;
        }
        i++;
    }
    if (rc != SQLITE_ROW) {
        cursor->done = TRUE;
        if (rc != SQLITE_DONE) {
            drive_sqlite_error(error, cursor->drive->db, rc, cursor->drive->path, "cannot be read");
            return NULL;
        }
    }
    cursor->batch.n = i;
    return i > 0 ? &cursor->batch : NULL;
}

void batch_get(const Batch *batch, RecordKind kind, size_t i, void *record)
{
    const RecordType *type = record_type(kind);
    memset(record, 0, type->size);
    *(uint64_t *)record = batch->known[i];
    for (unsigned c = 0; c < type->n_columns; c++) {
        char *field = (char *)record + type->columns[c].offset;
        if (batch->column[c].i == NULL)
            continue;
        switch (type->columns[c].type) {
        case COLUMN_INT:
            *(int64_t *)(void *)field = batch->column[c].i[i];
            break;
        case COLUMN_REAL:
            *(double *)(void *)field = batch->column[c].r[i];
            break;
        case COLUMN_TEXT:
            *(const char **)(void *)field = batch->column[c].t[i];
            break;
        case COLUMN_ENUM:
            *(int *)(void *)field = (int)batch->column[c].i[i];
            break;
        }
    }
}

gboolean drive_count(Drive *drive, RecordKind kind, gint64 source, gint64 *n, gint64 *first_ns,
                     gint64 *last_ns, GError **error)
{
    *n = 0;
    sqlite3_stmt *stmt =
        drive_prepare(drive->db, drive->path,
                      "SELECT coalesce(sum(n), 0), min(first_ns), max(last_ns) FROM extents"
                      " WHERE kind = ?1 AND n > 0 AND (?2 = 0 OR source = ?2)",
                      error);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_text(stmt, 1, record_type(kind)->table, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, source);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        *n = sqlite3_column_int64(stmt, 0);
        if (*n > 0) {
            *first_ns = sqlite3_column_int64(stmt, 1);
            *last_ns = sqlite3_column_int64(stmt, 2);
        }
    }
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW)
        return drive_sqlite_error(error, drive->db, rc, drive->path, "cannot be read");
    return TRUE;
}
