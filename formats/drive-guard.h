/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a drive from a stranger from doing more than being read: for every connection to a
 * drive, before its first statement. Source: https://www.sqlite.org/security.html.
 */
#pragma once

#include <glib.h>
#include <sqlite3.h>

/* No triggers, no views, no functions of the schema with effects, no writing past SQL, no attached
 * files, no value above 64 MB. Runs no statement. */
void drive_guard(sqlite3 *db);

/* Refuses a rollback journal that names a file (a super-journal): who applies it deletes that file.
 * No drive is written in a way that makes one. */
gboolean drive_guard_journal(const char *path, GError **error);

/* Refuses a drive in which a name that is read is no plain table: a view, a virtual table, a table
 * with generated columns. */
gboolean drive_guard_tables(sqlite3 *db, const char *path, GError **error);
