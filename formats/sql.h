/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SQL query on a drive, read-only, over sealed and live records alike.
 */
#pragma once

#include "formats/drive.h"

/* Called once with the column names (row = FALSE), then for each row. Values are NULL for SQL NULL,
 * numbers in the C locale. Return FALSE to stop. */
typedef gboolean (*DriveSqlFunc)(gboolean row, int n, const char *const *values, gpointer data);

/* Runs one SELECT. Statements that write are refused. Errors name the drive and SQLite's words.
 * Pieces of the drive that could not be read are appended to `problems` (nullable; of char *, to be
 * freed with g_free()). */
gboolean drive_sql(const char *path, const char *sql, DriveSqlFunc func, gpointer data,
                   GPtrArray *problems, GError **error);
