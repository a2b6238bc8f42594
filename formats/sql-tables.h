/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL over a drive: temporary virtual tables with the names of the record tables, which show live
 * rows and sealed chunks alike. Temporary names come before those of the main database, so the same
 * query works on a drive that was sealed and on one that was not.
 */
#pragma once

#include "formats/drive.h"

#include <sqlite3.h>

/* Registers the module and creates the tables for the drive at `path` on this connection. Pieces of
 * the drive that cannot be read are appended to `problems` (of char *, g_free; referenced), each
 * once; where it is NULL they go to SQLite's error log.
 * Returns SQLITE_OK, or an error code with *message set (sqlite3_free). */
int sql_tables_register(sqlite3 *db, const char *path, GPtrArray *problems, char **message);
