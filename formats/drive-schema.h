/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables of a drive look like, and the few SQLite habits that readers and writers share.
 */
#pragma once

#include "formats/drive.h"
#include "formats/records.h"

#include <sqlite3.h>

/* CREATE TABLE statements of a new drive, all kinds and the tables beside them. */
const char *drive_schema_sql(void);

/* Whether the table's statement in sqlite_schema is, to the letter, the one that this program makes
 * it with. */
gboolean drive_schema_is_own(const char *table, const char *sql);

/* Whether the database has that table with that column; a column of NULL asks for the table alone.
 * Runs no statement: SQLite holds the schema in memory. */
gboolean drive_schema_has(sqlite3 *db, const char *table, const char *column);

/* Adds the columns that record tables have now and had not when the drive was made; the rows that
 * are there have NULL in them. Refuses a drive that lacks a table. */
gboolean drive_schema_add_columns(sqlite3 *db, const char *path, GError **error);

/* Turns an SQLite result code into a GError: "PATH: what: SQLite's words; advice". `db` may be
 * NULL. Always returns FALSE, for `return drive_sqlite_error(…)`. */
gboolean drive_sqlite_error(GError **error, sqlite3 *db, int rc, const char *path,
                            const char *what);

/* Runs one or more statements without results. */
gboolean drive_exec(sqlite3 *db, const char *path, const char *sql, GError **error);

/* Prepares one statement. Returns NULL with error set on failure. */
sqlite3_stmt *drive_prepare(sqlite3 *db, const char *path, const char *sql, GError **error);

/* Refuses what is no drive (DRIVE_ERROR_NOT_A_DRIVE), was written by a newer version
 * (DRIVE_ERROR_TOO_NEW, naming both versions), or is half created. */
gboolean drive_check_version(sqlite3 *db, const char *path, GError **error);
