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

#include "formats/drive-file.h"
#include "formats/drive-schema.h"
#include "formats/drive-scratch.h"
#include "formats/drive-write.h"
#include "formats/file-replace.h"
#include "formats/salvage.h"

#include <glib/gstdio.h>
#include <string.h>

enum { MAX_LOSSES = 200, MAX_DEPTH = 20 };

typedef struct {
    const char *path;
    Salvage *salvage;
    Scratch *scratch;
    DriveShapes shapes;
    guint8 *hints, *free; /* by page: the table its tree says, TABLE_NONE = none */
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

/* ---- the pages ---- */

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
    int t = drive_shapes_find(&job->shapes, values[1].b.bytes, values[1].b.length);
    if (t == TABLE_NONE || values[3].i < 1 || values[3].i > salvage_pages(job->salvage))
        return;
    job->roots[t] = (guint32)values[3].i;
    g_autofree char *sql = g_strndup((const char *)values[4].b.bytes, values[4].b.length);
    if (t < RECORD_KIND_COUNT)
        drive_shapes_learn(&job->shapes, t, sql);
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

static void try_row(guint32 page, gint64 rowid, const SalvageValue *values, guint n, gboolean whole,
                    gpointer data)
{
    (void)page;
    (void)whole;
    Job *job = data;
    job->tried++;
    for (int t = 0; t < TABLE_COUNT; t++)
        job->fits[t] += drive_shapes_fit(&job->shapes, t, rowid, values, n) ? 1 : 0;
}

static void take_extent(Job *job, const SalvageValue *values)
{
    int t = drive_shapes_find(&job->shapes, values[0].b.bytes, values[0].b.length);
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
static gboolean make_table_of_chunk(Job *job, const SalvageValue *values)
{
    const int kind = drive_shapes_find(&job->shapes, values[1].b.bytes, values[1].b.length);
    return kind >= RECORD_KIND_COUNT || scratch_make_table(job->scratch, kind, &job->failure);
}

static void take_row(guint32 page, gint64 rowid, const SalvageValue *values, guint n,
                     gboolean whole, gpointer data)
{
    (void)page;
    Job *job = data;
    int t = job->target;
    if (!drive_shapes_fit(&job->shapes, t, rowid, values, n)) {
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
    if (job->failure == NULL && (t != TABLE_CHUNKS || make_table_of_chunk(job, values)))
        (void)scratch_put(job->scratch, drive_shapes_of(&job->shapes, t, n), rowid, values, n,
                          &job->failure);
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
    const char *name = hint < TABLE_COUNT ? job->shapes.own[hint].name : NULL;
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
              job->target == TABLE_NONE ? name : job->shapes.own[job->target].name, lost,
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
    if (!scratch_make_table(job->scratch, TABLE_META, error) ||
        !scratch_make_table(job->scratch, TABLE_CHUNKS, error))
        return FALSE;
    for (int t = 0; t < RECORD_KIND_COUNT; t++)
        if (job->shapes.others[t].n_columns > 0 &&
            !scratch_takes(job->scratch, &job->shapes.others[t]))
            drive_shapes_forget(&job->shapes, t); /* damaged */
    if (job->missing > 0)
        note_loss(job, "%u pages are missing", job->missing);
    for (guint32 page = 1; page <= pages; page++)
        take_page(job, page);
    if (job->failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&job->failure));
        return FALSE;
    }
    return scratch_end(job->scratch, error);
}

/* ---- into the new drive ---- */

static gboolean copy_meta(Job *job, DriveWriter *writer, GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(scratch_db(job->scratch), job->path,
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
    g_autoptr(Drive) view = drive_view_new(scratch_db(job->scratch), job->path);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autoptr(GHashTable) labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!drive_writer_set_bulk(writer, error) || !copy_meta(job, writer, error))
        return FALSE;
    gint64 saved = 0;
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        if (!scratch_has_table(job->scratch, k))
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
    scratch_free(job->scratch);
    drive_shapes_clear(&job->shapes);
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
    drive_shapes_init(&job.shapes);
    job.salvage = salvage_open(path, error);
    if (job.salvage != NULL)
        job.scratch = scratch_new(path, &job.shapes, error);
    gboolean done =
        job.scratch != NULL && gather_pages(&job, error) && write_beside(&job, out, error);
    job_clear(&job);
    return done;
}
