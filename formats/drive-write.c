/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. One prepared INSERT per record kind that is written; a transaction is opened
 * by the first row after a commit. Extents (drive-extents.c) are written with each commit.
 * A flock() on the file itself keeps a second writer out. SQLite uses fcntl() locks, which do not
 * meet flock(); the lock's descriptor must stay open until SQLite has closed the file, because
 * closing any descriptor of a file drops all fcntl() locks the process holds on it.
 */
#include "formats/drive-file.h"
#include "formats/drive-guard.h"
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 5000 };

gboolean drive_writer_begin(DriveWriter *writer, GError **error)
{
    if (writer->in_transaction)
        return TRUE;
    if (!drive_exec(writer->db, writer->path, "BEGIN IMMEDIATE", error))
        return FALSE;
    writer->in_transaction = TRUE;
    return TRUE;
}

/* SQLite may have rolled the transaction back by itself (disk full, I/O error): then the extents in
 * memory count rows that are gone. The first error is the one worth telling. */
static void after_failure(DriveWriter *writer)
{
    if (!writer->in_transaction || sqlite3_get_autocommit(writer->db) == 0)
        return;
    writer->in_transaction = FALSE;
    (void)drive_writer_load_extents(writer, NULL);
}

static gboolean prepare_kind(DriveWriter *writer, RecordKind kind, GError **error)
{
    if (writer->kinds[kind].insert != NULL)
        return TRUE;
    const RecordType *type = record_type(kind);
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_printf(sql, "INSERT INTO %s (", type->table);
    for (unsigned c = 0; c < type->n_columns; c++)
        g_string_append_printf(sql, "%s%s", c > 0 ? "," : "", type->columns[c].name);
    g_string_append(sql, ") VALUES (");
    for (unsigned c = 0; c < type->n_columns; c++)
        g_string_append(sql, c > 0 ? ",?" : "?");
    g_string_append(sql, ")");
    writer->kinds[kind].insert = drive_prepare(writer->db, writer->path, sql->str, error);
    return writer->kinds[kind].insert != NULL;
}

static gboolean lock(DriveWriter *writer, GError **error)
{
    if (flock(writer->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    int code = errno == EWOULDBLOCK ? DRIVE_ERROR_BUSY : DRIVE_ERROR_FAILED;
    g_set_error(error, DRIVE_ERROR, code, "%s: cannot be locked for writing: %s", writer->path,
                errno == EWOULDBLOCK ? "another program is writing it" : g_strerror(errno));
    return FALSE;
}

static DriveWriter *writer_new(const char *path, int lock_fd)
{
    DriveWriter *writer = g_new0(DriveWriter, 1);
    writer->path = g_strdup(path);
    writer->lock_fd = lock_fd;
    writer->patience_ms = BUSY_TIMEOUT_MS;
    writer->next_probe = 1;
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        const RecordType *type = record_type((RecordKind)k);
        writer->kinds[k].extents = g_array_new(FALSE, FALSE, sizeof(Extent));
        writer->kinds[k].sealed = drive_kind_is_sealed((RecordKind)k);
        writer->kinds[k].time_column = record_find_column(type, "time_ns");
        writer->kinds[k].source_column = record_find_column(type, "source");
    }
    return writer;
}

static gboolean open_database(DriveWriter *writer, GError **error)
{
    int rc = sqlite3_open_v2(writer->path, &writer->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                             NULL);
    if (rc != SQLITE_OK)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be opened");
    sqlite3_extended_result_codes(writer->db, 1);
    sqlite3_busy_timeout(writer->db, writer->patience_ms);
    drive_guard(writer->db);
    (void)sqlite3_limit(writer->db, SQLITE_LIMIT_ATTACHED, 1); /* VACUUM attaches a file */
    /* FULL: each commit is on the medium when it returns, so a power cut costs no more than what
     * was not committed. Debian turns secure_delete on; shifting times would pay for it. */
    return drive_exec(writer->db, writer->path,
                      "PRAGMA secure_delete = OFF; PRAGMA cache_size = -1024;", error);
}

/* The mode can change only at an instant when nobody reads, and SQLite does not wait for one. */
static gboolean set_journal_mode(DriveWriter *writer, const char *mode, GError **error)
{
    g_autofree char *sql = g_strdup_printf("PRAGMA journal_mode = %s", mode);
    const gint64 until = g_get_monotonic_time() + writer->patience_ms * INT64_C(1000);
    int rc = SQLITE_OK;
    while ((rc = sqlite3_exec(writer->db, sql, NULL, NULL, NULL)) != SQLITE_OK &&
           ((rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED) &&
           g_get_monotonic_time() < until)
        g_usleep(20000);
    return rc == SQLITE_OK ||
           drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be used");
}

static gboolean start_writing(DriveWriter *writer, GError **error)
{
    if (!set_journal_mode(writer, "WAL", error) ||
        !drive_exec(writer->db, writer->path, "PRAGMA synchronous = FULL;", error))
        return FALSE;
    writer->put_extent = drive_prepare(
        writer->db, writer->path, "INSERT OR REPLACE INTO extents VALUES (?,?,?,?,?,?)", error);
    return writer->put_extent != NULL;
}

DriveWriter *drive_create(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        int code = errno == EEXIST ? DRIVE_ERROR_EXISTS : DRIVE_ERROR_FAILED;
        g_set_error(error, DRIVE_ERROR, code, "%s: cannot be created: %s", path, g_strerror(errno));
        return NULL;
    }
    g_autoptr(DriveWriter) writer = writer_new(path, fd);
    g_autofree char *sql = g_strdup_printf("PRAGMA page_size = %d; PRAGMA encoding = 'UTF-8';"
                                           "BEGIN IMMEDIATE; %s COMMIT;",
                                           (int)DRIVE_PAGE_SIZE, drive_schema_sql());
    if (!lock(writer, error) || !open_database(writer, error) ||
        !drive_exec(writer->db, path, sql, error) || !start_writing(writer, error)) {
        (void)unlink(path);
        return NULL;
    }
    return g_steal_pointer(&writer);
}

/* The mode is a byte of the file's header: 1 rollback journal, 2 WAL (SQLite file format, 1.3.3).
 */
static gboolean has_no_wal(int fd)
{
    unsigned char mode = 0;
    return pread(fd, &mode, 1, 18) == 1 && mode == 1;
}

DriveWriter *drive_open_append(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED, "%s: cannot be opened: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    g_autoptr(DriveWriter) writer = writer_new(path, fd);
    writer->was_closed = has_no_wal(fd);
    if (!lock(writer, error) || !drive_guard_journal(path, error) ||
        !open_database(writer, error) || !drive_check_version(writer->db, path, error) ||
        !drive_guard_tables(writer->db, path, error) ||
        !drive_schema_add_columns(writer->db, path, error) || !start_writing(writer, error) ||
        !drive_exec(writer->db, path, "PRAGMA wal_checkpoint(TRUNCATE)", error) ||
        !drive_writer_load_extents(writer, error) || !drive_writer_begin(writer, error) ||
        !drive_exec(writer->db, path, "DELETE FROM meta WHERE key = 'closed'", error))
        return NULL;
    return g_steal_pointer(&writer);
}

void drive_writer_free(DriveWriter *writer)
{
    if (writer == NULL)
        return;
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        sqlite3_finalize(writer->kinds[k].insert);
        g_array_unref(writer->kinds[k].extents);
    }
    chunk_queue_free(writer->queue);
    drive_drop_builders(writer);
    g_clear_object(&writer->cancel);
    sqlite3_finalize(writer->put_extent);
    sqlite3_finalize(writer->put_chunk);
    if (writer->in_transaction)
        (void)sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
    /* Refused: as it was, else each reader would leave an empty -wal and -shm beside it. */
    if (writer->was_closed && writer->db != NULL)
        (void)sqlite3_exec(writer->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    (void)sqlite3_close(writer->db);
    (void)close(writer->lock_fd); /* only now: see the head of this file */
    g_free(writer->path);
    g_free(writer);
}

gboolean drive_writer_set_bulk(DriveWriter *writer, GError **error)
{
    writer->bulk = TRUE;
    /* Defensive connections refuse to be without any journal; in memory are the few pages that were
     * there before, not the new ones. */
    return drive_exec(writer->db, writer->path,
                      "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;"
                      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -16384;",
                      error);
}

void drive_bind_column(sqlite3_stmt *stmt, const RecordColumn *column, int parameter,
                       const void *record)
{
    const char *field = (const char *)record + column->offset;
    switch (column->type) {
    case COLUMN_INT:
        (void)sqlite3_bind_int64(stmt, parameter, *(const int64_t *)(const void *)field);
        break;
    case COLUMN_REAL:
        (void)sqlite3_bind_double(stmt, parameter, *(const double *)(const void *)field);
        break;
    case COLUMN_TEXT:
        (void)sqlite3_bind_text(stmt, parameter, *(const char *const *)(const void *)field, -1,
                                SQLITE_STATIC);
        break;
    case COLUMN_ENUM:
        (void)sqlite3_bind_text(stmt, parameter,
                                record_enum_name(column, *(const int *)(const void *)field), -1,
                                SQLITE_STATIC);
        break;
    }
}

void drive_writer_roll_back(DriveWriter *writer)
{
    if (writer->in_transaction)
        (void)sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
    writer->in_transaction = FALSE;
    (void)drive_writer_load_extents(writer, NULL);
}

static int64_t int_field(const RecordType *type, int column, const void *record)
{
    uint64_t known = *(const uint64_t *)record;
    if (column < 0 || ((known >> column) & 1U) == 0)
        return 0;
    return *(const int64_t *)(const void *)((const char *)record + type->columns[column].offset);
}

static gboolean add_row(DriveWriter *writer, const RecordType *type, const void *record,
                        GError **error)
{
    if (!prepare_kind(writer, type->kind, error))
        return FALSE;
    KindWriter *state = &writer->kinds[type->kind];
    uint64_t known = *(const uint64_t *)record;
    uint64_t touched = known | state->bound;
    while (touched != 0) {
        unsigned c = (unsigned)__builtin_ctzll(touched);
        touched &= touched - 1;
        if (((known >> c) & 1U) != 0)
            drive_bind_column(state->insert, &type->columns[c], (int)c + 1, record);
        else
            (void)sqlite3_bind_null(state->insert, (int)c + 1);
    }
    state->bound = known;
    int rc = sqlite3_step(state->insert);
    (void)sqlite3_reset(state->insert);
    if (rc == SQLITE_DONE)
        return TRUE;
    drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be written");
    after_failure(writer);
    return FALSE;
}

gboolean drive_add(DriveWriter *writer, RecordKind kind, const void *record, GError **error)
{
    const RecordType *type = record_type(kind);
    KindWriter *state = &writer->kinds[kind];
    uint64_t known = *(const uint64_t *)record;
    if (state->time_column >= 0 && ((known >> state->time_column) & 1U) == 0) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED, "%s: a record of %s without a time",
                    writer->path, type->table);
        return FALSE;
    }
    if (!drive_writer_begin(writer, error))
        return FALSE;
    int64_t time_ns = int_field(type, state->time_column, record);
    int64_t source = int_field(type, state->source_column, record);
    gboolean failed = FALSE;
    if ((!writer->bulk || !drive_bulk_add(writer, kind, record, source, time_ns, &failed, error)) &&
        (failed || !add_row(writer, type, record, error)))
        return FALSE;
    if (state->time_column >= 0)
        drive_writer_see(writer, kind, source, time_ns);
    if (kind == RECORD_PROBE && ((const Probe *)record)->id >= writer->next_probe)
        writer->next_probe = ((const Probe *)record)->id + 1;
    return TRUE;
}

gboolean drive_writer_raise_version(DriveWriter *writer, GError **error)
{
    sqlite3_stmt *stmt = drive_prepare(writer->db, writer->path, "PRAGMA user_version", error);
    if (stmt == NULL)
        return FALSE;
    int rc = sqlite3_step(stmt);
    gboolean older = rc == SQLITE_ROW && sqlite3_column_int(stmt, 0) < DRIVE_FORMAT_VERSION;
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW)
        return drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
    g_autofree char *sql = g_strdup_printf("PRAGMA user_version = %d", DRIVE_FORMAT_VERSION);
    return !older || drive_exec(writer->db, writer->path, sql, error);
}

gboolean drive_writer_commit(DriveWriter *writer, GError **error)
{
    if (!writer->in_transaction)
        return TRUE;
    if (!drive_writer_put_extents(writer, error) ||
        !drive_exec(writer->db, writer->path, "COMMIT", error)) {
        after_failure(writer);
        return FALSE;
    }
    writer->in_transaction = FALSE;
    return TRUE;
}

gboolean drive_writer_close(DriveWriter *writer, GError **error)
{
    if (writer->bulk && !drive_bulk_finish(writer, error))
        return FALSE;
    if (!drive_set_meta(writer, "closed", "1", error) || !drive_writer_commit(writer, error))
        return FALSE;
    if (writer->bulk) {
        /* else each reader would leave an empty -wal and -shm beside it */
        if (!set_journal_mode(writer, "DELETE", error) || !drive_writer_fit_pages(writer, error))
            return FALSE;
        if (fsync(writer->lock_fd) != 0) {
            g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED, "%s: cannot be written: %s",
                        writer->path, g_strerror(errno));
            return FALSE;
        }
        return TRUE;
    }
    return drive_exec(writer->db, writer->path, "PRAGMA wal_checkpoint(TRUNCATE)", error) &&
           set_journal_mode(writer, "DELETE", error);
}

void drive_writer_set_patience(DriveWriter *writer, int milliseconds)
{
    writer->patience_ms = milliseconds;
    sqlite3_busy_timeout(writer->db, milliseconds);
}

guint64 drive_writer_unfolded(DriveWriter *writer)
{
    g_autofree char *name = g_strconcat(writer->path, "-wal", NULL);
    struct stat st;
    return stat(name, &st) == 0 ? (guint64)st.st_size : 0;
}

gboolean drive_writer_fold(DriveWriter *writer, GError **error)
{
    return drive_writer_commit(writer, error) &&
           drive_exec(writer->db, writer->path, "PRAGMA wal_checkpoint(TRUNCATE)", error);
}

guint64 drive_writer_size(DriveWriter *writer)
{
    static const char *const suffixes[] = {"", "-wal"};
    guint64 total = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = g_strconcat(writer->path, suffixes[i], NULL);
        struct stat st;
        if (stat(name, &st) == 0)
            total += (guint64)st.st_size;
    }
    return total;
}
