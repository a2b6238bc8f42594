/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for each test of drives, and SQL on what lies in it. */
#pragma once

#include "tests/unit/folder.h"

#include <sqlite3.h>

typedef struct {
    char *dir, *path; /* of the folder, and of a drive in it */
} DriveFolder;

static inline void drive_folder_set_up(DriveFolder *f, gconstpointer data)
{
    (void)data;
    f->dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "a.drive", NULL);
}

static inline void drive_folder_tear_down(DriveFolder *f, gconstpointer data)
{
    (void)data;
    (void)folder_remove(f->dir);
    g_free(f->dir);
    g_free(f->path);
}

/* Runs statements; the first value of the first row, or -1. */
static inline gint64 drive_folder_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    gint64 value = -1;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 10000);
    for (const char *rest = sql; *rest != '\0';) {
        sqlite3_stmt *stmt = NULL;
        g_assert_cmpint(sqlite3_prepare_v2(db, rest, -1, &stmt, &rest), ==, SQLITE_OK);
        int rc = stmt != NULL ? sqlite3_step(stmt) : SQLITE_DONE;
        if (rc == SQLITE_ROW && value == -1)
            value = sqlite3_column_int64(stmt, 0);
        while (rc == SQLITE_ROW)
            rc = sqlite3_step(stmt);
        g_assert_cmpint(rc, ==, SQLITE_DONE);
        sqlite3_finalize(stmt);
    }
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    return value;
}
