/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How large the pages of a closed drive are. Each table takes a page at least, and a drive has some
 * twenty: with pages of 4 kB that is more than all the chunks of a minute. Small pages make reading
 * slower, by a tenth where they are smallest, so a large drive keeps those it was recorded with.
 */
#include "formats/drive-schema.h"
#include "formats/drive-writer.h"

static const struct {
    gint64 below; /* bytes in use */
    gint64 page_size;
} fitting[] = {{256 * 1024, 512}, {1024 * 1024, 1024}, {G_MAXINT64, DRIVE_PAGE_SIZE}};

typedef struct {
    gint64 page_size, fitting_size;
    gboolean half_empty; /* more free pages than others */
} Pages;

static gboolean look_at_pages(DriveWriter *writer, Pages *pages, GError **error)
{
    sqlite3_stmt *stmt =
        drive_prepare(writer->db, writer->path,
                      "SELECT page_size, page_size * (page_count - freelist_count), 2 * "
                      "freelist_count > page_count"
                      " FROM pragma_page_size, pragma_page_count, pragma_freelist_count",
                      error);
    if (stmt == NULL)
        return FALSE;
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        unsigned i = 0;
        while (sqlite3_column_int64(stmt, 1) >= fitting[i].below)
            i++;
        *pages = (Pages){sqlite3_column_int64(stmt, 0), fitting[i].page_size,
                         sqlite3_column_int(stmt, 2) != 0};
    }
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ||
           drive_sqlite_error(error, writer->db, rc, writer->path, "cannot be read");
}

gboolean drive_writer_fit_pages(DriveWriter *writer, GError **error)
{
    Pages pages = {0};
    if (!look_at_pages(writer, &pages, error))
        return FALSE;
    if (pages.fitting_size == pages.page_size && !pages.half_empty)
        return TRUE;
    g_autofree char *sql =
        g_strdup_printf("PRAGMA page_size = %" G_GINT64_FORMAT "; VACUUM", pages.fitting_size);
    return drive_exec(writer->db, writer->path, sql, error);
}

gboolean drive_writer_close_small(DriveWriter *writer, GError **error)
{
    Pages pages = {0};
    if (!look_at_pages(writer, &pages, error))
        return FALSE;
    /* The size of pages changes only without WAL, so after closing, and then nobody may read
     * meanwhile; it is over in a moment. A large drive is read while it is made small. */
    if (pages.fitting_size == pages.page_size)
        return drive_exec(writer->db, writer->path, "VACUUM", error) &&
               drive_writer_close(writer, error);
    return drive_writer_close(writer, error) && drive_writer_fit_pages(writer, error);
}
