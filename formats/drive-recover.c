/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. The pages of the file go one by one into a scratch database with tables of
 * the same names but no rules. To which table a page belongs, the trees of the file say as far as
 * they can be followed; but what decides is whether its rows have that table's types, so that a
 * page cut off from its tree, or claimed by a wrong one, is not lost. The scratch database is then
 * read as any drive is: in order of time, chunks checked, and written to a new one. SQLite's own
 * recovery (sqlite3_recover, the shell's .recover) needs a build option that Debian 12 does not
 * set: https://www.sqlite.org/recovery.html.
 */
#include "formats/drive-recover.h"

#include "formats/chunk-pack.h"
#include "formats/drive-file.h"
#include "formats/drive-schema.h"
#include "formats/drive-write.h"
#include "formats/file-replace.h"
#include "formats/salvage.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* Tables that hold no records, after the kinds. */
enum {
    TABLE_CHUNKS = RECORD_KIND_COUNT,
    TABLE_META,
    TABLE_EXTENTS,
    TABLE_COUNT,
    TABLE_NONE,
    MAX_LOSSES = 200,
    MAX_DEPTH = 20,
};

typedef struct {
    const char *name;
    guint n_columns;
    SalvageType types[SALVAGE_MAX_VALUES]; /* SALVAGE_NULL: a column this program does not know */
    int record_columns[SALVAGE_MAX_VALUES];
    char *names[SALVAGE_MAX_VALUES];
    gboolean has_rowid, made; /* made: in the scratch database */
    sqlite3_stmt *insert, *same;
} Table;

typedef struct {
    const char *path;
    Salvage *salvage;
    sqlite3 *scratch;
    Table tables[TABLE_COUNT];
    Table others[RECORD_KIND_COUNT]; /* as another version of the program made them */
    guint8 *hints, *free;            /* by page: the table its tree says, TABLE_NONE = none */
    guint32 roots[TABLE_COUNT];
    guint fits[TABLE_COUNT]; /* rows of the page at hand that fit each table */
    guint tried;
    int target;
    guint taken, refused;
    RecoverReport *report;
    GHashTable *held; /* "table/source" whose extent was taken */
    guint missing;    /* pages that trees point to and that are not there */
    GError *failure;  /* of the scratch database */
    gint64 claimed[RECORD_KIND_COUNT];
    gboolean have_extents;
} Job;

void recover_report_clear(RecoverReport *report)
{
    if (report->losses != NULL)
        g_ptr_array_unref(report->losses);
    memset(report, 0, sizeof *report);
}

static void note_loss(Job *job, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note_loss(Job *job, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (job->report->losses->len < MAX_LOSSES)
        g_ptr_array_add(job->report->losses, g_steal_pointer(&text));
    else if (job->report->losses->len == MAX_LOSSES)
        g_ptr_array_add(job->report->losses, g_strdup("and more"));
}

/* ---- tables ---- */

static void table_clear(Table *table)
{
    sqlite3_finalize(table->insert);
    sqlite3_finalize(table->same);
    for (guint c = 0; c < table->n_columns; c++)
        g_free(table->names[c]);
    memset(table, 0, sizeof *table);
}

static SalvageType salvage_type(ColumnType type)
{
    return type == COLUMN_INT ? SALVAGE_INT : type == COLUMN_REAL ? SALVAGE_REAL : SALVAGE_TEXT;
}

static void add_column(Table *table, const char *name, SalvageType type, int record_column)
{
    table->types[table->n_columns] = type;
    table->record_columns[table->n_columns] = record_column;
    table->names[table->n_columns++] = g_strdup(name);
}

static void define_tables(Job *job)
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
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        const RecordType *type = record_type((RecordKind)k);
        job->tables[k].name = type->table;
        job->tables[k].has_rowid = TRUE;
        for (unsigned c = 0; c < type->n_columns; c++)
            add_column(&job->tables[k], type->columns[c].name, salvage_type(type->columns[c].type),
                       (int)c);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        Table *table = &job->tables[others[i].table];
        table->name = others[i].name;
        table->has_rowid = others[i].has_rowid;
        g_auto(GStrv) columns = g_strsplit(others[i].columns, " ", -1);
        for (char **column = columns; *column != NULL; column++) {
            char *colon = strchr(*column, ':');
            g_assert(colon != NULL);
            *colon = '\0';
            add_column(table, *column,
                       colon[1] == 'i'   ? SALVAGE_INT
                       : colon[1] == 't' ? SALVAGE_TEXT
                                         : SALVAGE_BLOB,
                       -1);
        }
    }
}

/* Another version of the program may have made the table with other columns: one a line, as every
 * version wrote its schema. Which of the two a row has is told by how many values it holds. */
static void take_schema(Job *job, int t, const char *sql)
{
    const RecordType *type = record_type((RecordKind)t);
    Table *other = &job->others[t];
    g_auto(GStrv) lines = g_strsplit(sql, "\n", SALVAGE_MAX_VALUES + 3);
    guint n = g_strv_length(lines);
    if (other->n_columns > 0 || n < 3 || n > SALVAGE_MAX_VALUES + 2 ||
        n == job->tables[t].n_columns + 2 || !g_str_has_prefix(lines[n - 1], ")"))
        return;
    other->name = type->table;
    other->has_rowid = TRUE;
    for (guint i = 1; i + 1 < n; i++) {
        char *name = g_strstrip(lines[i]);
        name[strcspn(name, " ,")] = '\0';
        int c = record_find_column(type, name);
        add_column(other, name, c < 0 ? SALVAGE_NULL : salvage_type(type->columns[c].type), c);
    }
}

/* The form of a table that has so many columns, or NULL. */
static Table *form_of(Job *job, int t, guint n)
{
    if (job->tables[t].n_columns == n)
        return &job->tables[t];
    return t < RECORD_KIND_COUNT && job->others[t].n_columns == n ? &job->others[t] : NULL;
}

static int find_table(Job *job, const guint8 *name, gsize length)
{
    for (int t = 0; t < TABLE_COUNT; t++)
        if (strlen(job->tables[t].name) == length && memcmp(job->tables[t].name, name, length) == 0)
            return t;
    return TABLE_NONE;
}

/* sqlite_schema: type, name, tbl_name, rootpage, sql. */
static void take_schema_row(guint32 page, gint64 rowid, const SalvageValue *values, guint n,
                            gboolean whole, gpointer data)
{
    (void)page;
    (void)rowid;
    Job *job = data;
    if (n != 5 || !whole || values[0].type != SALVAGE_TEXT || values[1].type != SALVAGE_TEXT ||
        values[3].type != SALVAGE_INT || values[4].type != SALVAGE_TEXT ||
        values[0].b.length != 5 || memcmp(values[0].b.bytes, "table", 5) != 0)
        return;
    int t = find_table(job, values[1].b.bytes, values[1].b.length);
    if (t == TABLE_NONE || values[3].i < 1 || values[3].i > salvage_pages(job->salvage))
        return;
    job->roots[t] = (guint32)values[3].i;
    g_autofree char *sql = g_strndup((const char *)values[4].b.bytes, values[4].b.length);
    if (t < RECORD_KIND_COUNT)
        take_schema(job, t, sql);
}

/* Visits the pages of a tree from its root; a page once claimed is not claimed again. */
static void walk_tree(Job *job, guint32 page, guint8 hint, guint depth, SalvageRowFunc on_leaf)
{
    if (job->hints[page] != TABLE_NONE || depth > MAX_DEPTH)
        return;
    job->hints[page] = hint;
    SalvagePageKind kind = salvage_page_kind(job->salvage, page);
    if (on_leaf != NULL && kind == SALVAGE_TABLE_LEAF)
        (void)salvage_rows(job->salvage, page, on_leaf, job);
    g_autoptr(GArray) children = g_array_new(FALSE, FALSE, sizeof(guint32));
    job->missing += salvage_children(job->salvage, page, children);
    for (guint i = 0; i < children->len; i++)
        walk_tree(job, g_array_index(children, guint32, i), hint, depth + 1, on_leaf);
}

/* ---- the scratch database ---- */

static gboolean make_scratch(Job *job, GError **error)
{
    /* "": a file of its own that goes with the connection, kept in memory while it is small */
    int rc = sqlite3_open_v2(
        "", &job->scratch, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return drive_sqlite_error(error, job->scratch, rc, job->path, "no scratch file");
    return drive_exec(job->scratch, job->path,
                      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;", error);
}

/* Only when something goes into it: most drives leave most tables empty. */
static gboolean make_table(Job *job, int t, GError **error)
{
    Table *table = &job->tables[t];
    if (table->made)
        return TRUE;
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_printf(sql, "CREATE TABLE %s (", table->name);
    for (guint c = 0; c < table->n_columns; c++) {
        gboolean is_rowid = c == 0 && (t == RECORD_SOURCE || t == TABLE_CHUNKS);
        g_string_append_printf(sql, "%s%s%s", c > 0 ? ", " : "", table->names[c],
                               is_rowid ? " INTEGER PRIMARY KEY" : "");
    }
    g_string_append(sql, ");");
    table->made = drive_exec(job->scratch, job->path, sql->str, error);
    return table->made;
}

/* `table` is one of the forms of table t. */
static gboolean prepare_insert(Job *job, int t, Table *table, GError **error)
{
    if (table->insert != NULL)
        return TRUE;
    if (!make_table(job, t, error))
        return FALSE;
    g_autoptr(GString) sql = g_string_new(NULL);
    g_autoptr(GString) values = g_string_new("?");
    g_string_printf(sql, "INSERT OR IGNORE INTO %s (rowid", table->name);
    for (guint c = 0; c < table->n_columns; c++) {
        gboolean is_rowid = c == 0 && (t == RECORD_SOURCE || t == TABLE_CHUNKS);
        if (is_rowid || table->types[c] == SALVAGE_NULL)
            continue;
        g_string_append_printf(sql, ", %s", table->names[c]);
        g_string_append_printf(values, ", ?%u", c + 2);
    }
    g_string_append_printf(sql, ") VALUES (%s)", values->str);
    table->insert = drive_prepare(job->scratch, job->path, sql->str, error);
    return table->insert != NULL;
}

/* Finds a row by its number and all its values. */
static gboolean prepare_same(Job *job, int t, Table *table, GError **error)
{
    if (table->same != NULL)
        return TRUE;
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_printf(sql, "SELECT 1 FROM %s WHERE rowid = ?", table->name);
    for (guint c = 0; c < table->n_columns; c++) {
        gboolean is_rowid = c == 0 && (t == RECORD_SOURCE || t == TABLE_CHUNKS);
        if (!is_rowid && table->types[c] != SALVAGE_NULL)
            g_string_append_printf(sql, " AND %s IS ?%u", table->names[c], c + 2);
    }
    table->same = drive_prepare(job->scratch, job->path, sql->str, error);
    return table->same != NULL;
}

static void bind_values(sqlite3_stmt *stmt, const Table *table, gint64 rowid,
                        const SalvageValue *values, guint n)
{
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (rowid != 0)
        (void)sqlite3_bind_int64(stmt, 1, rowid);
    for (guint c = 0; c < n; c++) {
        int at = (int)c + 2;
        if (table->types[c] == SALVAGE_NULL || at > sqlite3_bind_parameter_count(stmt))
            continue;
        switch (values[c].type) {
        case SALVAGE_NULL:
            break;
        case SALVAGE_INT:
            (void)sqlite3_bind_int64(stmt, at, values[c].i);
            break;
        case SALVAGE_REAL:
            (void)sqlite3_bind_double(stmt, at, values[c].r);
            break;
        case SALVAGE_TEXT:
            (void)sqlite3_bind_text(stmt, at, (const char *)values[c].b.bytes,
                                    (int)values[c].b.length, SQLITE_STATIC);
            break;
        case SALVAGE_BLOB:
            (void)sqlite3_bind_blob(stmt, at, values[c].b.bytes, (int)values[c].b.length,
                                    SQLITE_STATIC);
            break;
        }
    }
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

static gboolean value_fits(Job *job, int t, const Table *table, guint c, const SalvageValue *value)
{
    SalvageType type = table->types[c];
    if (type == SALVAGE_NULL)
        return TRUE;
    const char *name = table->names[c];
    if (value->type == SALVAGE_NULL) {
        gboolean rowid = c == 0 && (t == RECORD_SOURCE || t == TABLE_CHUNKS);
        gboolean needed = t >= RECORD_KIND_COUNT || strcmp(name, "time_ns") == 0 ||
                          (t == RECORD_SOURCE && strcmp(name, "label") == 0);
        return rowid || !needed || (t == TABLE_META && c == 1);
    }
    if (type == SALVAGE_REAL)
        return (value->type == SALVAGE_REAL && isfinite(value->r)) || value->type == SALVAGE_INT;
    if (value->type != type)
        return FALSE;
    if (type != SALVAGE_TEXT)
        return TRUE;
    if (!g_utf8_validate((const char *)value->b.bytes, (gssize)value->b.length, NULL))
        return FALSE;
    if (t < RECORD_KIND_COUNT && table->record_columns[c] >= 0) {
        const RecordColumn *column = &record_type((RecordKind)t)->columns[table->record_columns[c]];
        return column->type != COLUMN_ENUM || is_word(column, value);
    }
    /* chunks and extents: the name of a record table */
    return t == TABLE_META || (t == TABLE_CHUNKS && c == 1 && is_pack_kind(value)) ||
           find_table(job, value->b.bytes, value->b.length) < RECORD_KIND_COUNT;
}

static gboolean row_fits(Job *job, int t, gint64 rowid, const SalvageValue *values, guint n)
{
    const Table *table = form_of(job, t, n);
    if (table == NULL || (rowid != 0) != table->has_rowid)
        return FALSE;
    for (guint c = 0; c < n; c++)
        if (!value_fits(job, t, table, c, &values[c]))
            return FALSE;
    return TRUE;
}

static void try_row(guint32 page, gint64 rowid, const SalvageValue *values, guint n, gboolean whole,
                    gpointer data)
{
    (void)page;
    (void)whole;
    Job *job = data;
    job->tried++;
    for (int t = 0; t < TABLE_COUNT; t++)
        job->fits[t] += row_fits(job, t, rowid, values, n) ? 1 : 0;
}

static void take_extent(Job *job, const SalvageValue *values)
{
    int t = find_table(job, values[0].b.bytes, values[0].b.length);
    if (t >= RECORD_KIND_COUNT || values[2].i < 0)
        return;
    g_autofree char *key = g_strdup_printf("%d/%" G_GINT64_FORMAT, t, values[1].i);
    if (g_hash_table_contains(job->held, key))
        return;
    job->have_extents = TRUE;
    job->claimed[t] += MIN(values[2].i, G_MAXINT32);
    g_hash_table_add(job->held, g_steal_pointer(&key));
}

/* Readers of chunks look into the table of their kind too. */
static gboolean prepare_for(Job *job, int t, Table *table, const SalvageValue *values)
{
    if (job->failure != NULL)
        return FALSE;
    const int kind =
        t == TABLE_CHUNKS ? find_table(job, values[1].b.bytes, values[1].b.length) : TABLE_NONE;
    if (kind < RECORD_KIND_COUNT && !make_table(job, kind, &job->failure))
        return FALSE;
    return t == TABLE_META || prepare_insert(job, t, table, &job->failure);
}

static void take_row(guint32 page, gint64 rowid, const SalvageValue *values, guint n,
                     gboolean whole, gpointer data)
{
    (void)page;
    Job *job = data;
    int t = job->target;
    if (!row_fits(job, t, rowid, values, n)) {
        job->refused++;
        return;
    }
    if (!whole && t != TABLE_CHUNKS) { /* a chunk's reader says by itself what is wrong with it */
        job->refused++;
        return;
    }
    job->taken++;
    if (t == TABLE_EXTENTS) {
        take_extent(job, values);
        return;
    }
    Table *table = form_of(job, t, n);
    if (!prepare_for(job, t, table, values))
        return;
    bind_values(table->insert, table, rowid, values, n);
    (void)sqlite3_step(table->insert);
    if (sqlite3_changes(job->scratch) > 0 || rowid == 0)
        return;
    /* The number is taken: by the same row (a page that is there twice), or because one of the two
     * numbers is damaged; then both are kept. */
    if (!prepare_same(job, t, table, &job->failure))
        return;
    bind_values(table->same, table, rowid, values, n);
    if (sqlite3_step(table->same) == SQLITE_ROW || t == RECORD_SOURCE)
        return;
    bind_values(table->insert, table, 0, values, n);
    (void)sqlite3_step(table->insert);
}

/* The table that most rows of a page fit; of several the one that the trees say. */
static int best_table(const Job *job, guint8 hint)
{
    int best = TABLE_NONE;
    for (int t = 0; t < TABLE_COUNT; t++)
        if (job->fits[t] > 0 && (best == TABLE_NONE || job->fits[t] > job->fits[best] ||
                                 (job->fits[t] == job->fits[best] && t == hint)))
            best = t;
    return best;
}

static void take_page(Job *job, guint32 page)
{
    SalvagePageKind kind = salvage_page_kind(job->salvage, page);
    guint8 hint = job->hints[page];
    const char *name = hint < TABLE_COUNT ? job->tables[hint].name : NULL;
    if (hint == TABLE_COUNT) /* sqlite_schema */
        return;
    if (kind == SALVAGE_OTHER) {
        if (name != NULL) {
            note_loss(job, "page %u of %s cannot be read", page, name);
            job->report->damaged_pages++;
        }
        return;
    }
    if (kind == SALVAGE_TABLE_INTERIOR || (job->free[page] != 0 && name == NULL))
        return;
    memset(job->fits, 0, sizeof job->fits);
    job->tried = 0;
    job->taken = 0;
    job->refused = 0;
    guint unread = salvage_rows(job->salvage, page, try_row, job);
    job->target = best_table(job, hint);
    if (job->target != TABLE_NONE)
        (void)salvage_rows(job->salvage, page, take_row, job);
    guint lost = job->target == TABLE_NONE ? job->tried + unread : job->refused + unread;
    if (lost == 0 || (job->target == TABLE_NONE && name == NULL))
        return;
    job->report->damaged_pages++;
    note_loss(job, "page %u of %s: %u of %u rows make no sense", page,
              job->target == TABLE_NONE ? name : job->tables[job->target].name, lost,
              job->tried + unread);
}

static gboolean gather_pages(Job *job, GError **error)
{
    const guint32 pages = salvage_pages(job->salvage);
    job->report->pages = pages;
    job->hints = g_malloc((gsize)pages + 1);
    memset(job->hints, TABLE_NONE, (gsize)pages + 1);
    job->free = g_malloc0((gsize)pages + 1);
    if (pages > 0)
        walk_tree(job, 1, TABLE_COUNT, 0, take_schema_row);
    gboolean any = FALSE;
    for (int t = 0; t < TABLE_COUNT; t++)
        any = any || job->roots[t] > 0;
    if (!any) {
        note_loss(job, "page 1, the list of tables, cannot be read");
        job->report->damaged_pages++;
    }
    for (int t = 0; t < TABLE_COUNT; t++)
        if (job->roots[t] > 0)
            walk_tree(job, job->roots[t], (guint8)t, 0, NULL);
    salvage_mark_free(job->salvage, job->free);
    if (!make_scratch(job, error))
        return FALSE;
    if (!make_table(job, TABLE_META, error) || !make_table(job, TABLE_CHUNKS, error))
        return FALSE;
    for (int t = 0; t < RECORD_KIND_COUNT; t++)
        if (job->others[t].n_columns > 0 && !prepare_insert(job, t, &job->others[t], NULL))
            table_clear(&job->others[t]); /* damaged: a column twice */
    job->tables[TABLE_META].insert =
        drive_prepare(job->scratch, job->path,
                      "INSERT INTO meta (key, value) SELECT ?2, ?3 WHERE ?1 IS NULL", error);
    if (job->tables[TABLE_META].insert == NULL)
        return FALSE;
    if (job->missing > 0)
        note_loss(job, "%u pages are missing", job->missing);
    for (guint32 page = 1; page <= pages; page++)
        take_page(job, page);
    if (job->failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&job->failure));
        return FALSE;
    }
    return drive_exec(job->scratch, job->path, "COMMIT", error);
}

/* ---- into the new drive ---- */

static gboolean copy_meta(Job *job, DriveWriter *writer, GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(job->scratch, job->path,
                                       "SELECT key, value FROM meta WHERE key <> 'closed'", error);
    if (stmt == NULL)
        return FALSE;
    gboolean ok = TRUE;
    while (ok && sqlite3_step(stmt) == SQLITE_ROW)
        ok = drive_set_meta(writer, (const char *)sqlite3_column_text(stmt, 0),
                            (const char *)sqlite3_column_text(stmt, 1), error);
    sqlite3_finalize(stmt);
    return ok;
}

/* Rows of a source whose description is lost still belong together. */
static gboolean add_missing_source(Job *job, DriveWriter *writer, GHashTable *known, gint64 id,
                                   GError **error)
{
    if (id <= 0 || g_hash_table_contains(known, &id))
        return TRUE;
    g_hash_table_add(known, g_memdup2(&id, sizeof id));
    g_autofree char *label = g_strdup_printf("source %" G_GINT64_FORMAT, id);
    note_loss(job, "the description of source %" G_GINT64_FORMAT " is lost", id);
    Source source = {0};
    RECORD_SET(&source, SOURCE, id, id);
    RECORD_SET(&source, SOURCE, label, label);
    return drive_add(writer, RECORD_SOURCE, &source, error);
}

static gboolean add_source(DriveWriter *writer, GHashTable *known, GHashTable *labels,
                           Source *source, GError **error)
{
    g_autofree char *label = NULL;
    if (!RECORD_HAS(source, SOURCE, label) || !g_hash_table_add(labels, g_strdup(source->label))) {
        label = g_strdup_printf("source %" G_GINT64_FORMAT, source->id);
        RECORD_SET(source, SOURCE, label, label);
    }
    g_hash_table_add(known, g_memdup2(&source->id, sizeof source->id));
    return drive_add(writer, RECORD_SOURCE, source, error);
}

static gboolean copy_kind(Job *job, Drive *view, DriveWriter *writer, RecordKind kind,
                          GHashTable *known, GHashTable *labels, GError **error)
{
    const RecordType *type = record_type(kind);
    int s = record_find_column(type, "source");
    g_autoptr(DriveCursor) cursor = drive_read(view, kind, 0, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    GError *failure = NULL;
    const Batch *batch = NULL;
    while (failure == NULL && (batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n && failure == NULL; i++) {
            AnyRecord record;
            batch_get(batch, kind, i, &record);
            gboolean ok = TRUE;
            if (s >= 0 && (batch->known[i] >> s & 1U) != 0)
                ok = add_missing_source(job, writer, known, batch->column[s].i[i], &failure);
            ok = ok && (kind == RECORD_SOURCE
                            ? add_source(writer, known, labels, &record.SOURCE_record, &failure)
                            : drive_add(writer, kind, &record, &failure));
            job->report->saved[kind] += ok ? 1 : 0;
        }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

static void compare_counts(Job *job)
{
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        const gboolean counted = record_find_column(record_type((RecordKind)k), "time_ns") >= 0;
        gint64 saved = job->report->saved[k];
        job->report->held[k] = job->have_extents && counted ? job->claimed[k] : -1;
        if (job->report->held[k] > saved)
            note_loss(job, "%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " rows are lost",
                      record_type((RecordKind)k)->table, job->report->held[k] - saved,
                      job->report->held[k]);
    }
    if (!job->have_extents)
        note_loss(job, "how many rows the drive held is lost");
}

static gboolean write_out(Job *job, DriveWriter *writer, GError **error)
{
    g_autoptr(Drive) view = drive_view_new(job->scratch, job->path);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autoptr(GHashTable) labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!drive_writer_set_bulk(writer, error) || !copy_meta(job, writer, error))
        return FALSE;
    gint64 saved = 0;
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        if (!job->tables[k].made)
            continue;
        if (!copy_kind(job, view, writer, (RecordKind)k, known, labels, error))
            return FALSE;
        saved += job->report->saved[k];
    }
    if (saved == 0) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_NOT_A_DRIVE,
                    "%s: holds no row of a drive; there is nothing to save", job->path);
        return FALSE;
    }
    for (guint i = 0; i < view->problems->len; i++) {
        const char *problem = g_ptr_array_index(view->problems, i);
        if (g_str_has_prefix(problem, job->path))
            problem += strlen(job->path) + 2;
        note_loss(job, "%s", problem);
    }
    compare_counts(job);
    g_autofree char *from = g_path_get_basename(job->path);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text, "from %s", from);
    for (guint i = 0; i < job->report->losses->len; i++)
        g_string_append_printf(text, "; %s",
                               (const char *)g_ptr_array_index(job->report->losses, i));
    return drive_set_meta(writer, "recovered", text->str, error) &&
           drive_writer_close(writer, error);
}

static void job_clear(Job *job)
{
    for (int t = 0; t < TABLE_COUNT; t++)
        table_clear(&job->tables[t]);
    for (int t = 0; t < RECORD_KIND_COUNT; t++)
        table_clear(&job->others[t]);
    (void)sqlite3_close(job->scratch);
    salvage_free(job->salvage);
    g_hash_table_unref(job->held);
    g_clear_error(&job->failure);
    g_free(job->hints);
    g_free(job->free);
}

static gboolean write_beside(Job *job, const char *out, GError **error)
{
    g_autofree char *beside = file_replace_name_beside(out);
    file_replace_watch(beside);
    DriveWriter *writer = drive_create(beside, error);
    gboolean done = writer != NULL && write_out(job, writer, error);
    drive_writer_free(writer);
    done = done && file_replace_rename(beside, out, error);
    if (!done)
        (void)g_unlink(beside);
    file_replace_unwatch(beside);
    return done;
}

gboolean drive_recover(const char *path, const char *out, RecoverReport *report, GError **error)
{
    memset(report, 0, sizeof *report);
    report->losses = g_ptr_array_new_with_free_func(g_free);
    if (g_file_test(out, G_FILE_TEST_EXISTS)) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_EXISTS, "%s: is there already; give a new name",
                    out);
        return FALSE;
    }
    if (!file_replace_check(out, error))
        return FALSE;
    Job job = {.path = path, .report = report};
    job.held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    define_tables(&job);
    job.salvage = salvage_open(path, error);
    gboolean done =
        job.salvage != NULL && gather_pages(&job, error) && write_beside(&job, out, error);
    job_clear(&job);
    return done;
}
