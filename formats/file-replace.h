/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a file so that it appears whole or not at all: written beside its path, synced to disk,
 * renamed.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct FileReplace FileReplace;

/* Begins to write `path`; what is there stays until file_replace_commit(). Fails with G_FILE_ERROR.
 * Returns: (transfer full): free with file_replace_free(). */
FileReplace *file_replace_open(const char *path, GError **error);

/* Where to write. (transfer none) */
FILE *file_replace_stream(FileReplace *file);

/* For what can be made again: file_replace_commit() then does not wait for the disk, which is most
 * of its time. After a power cut the file may be empty or old; who reads it has to notice. */
void file_replace_hurry(FileReplace *file);

/* Fails if any write failed; else makes the file durable and gives it its name. */
gboolean file_replace_commit(FileReplace *file, GError **error);

/* Frees; what was not committed is deleted. NULL is allowed. */
void file_replace_free(FileReplace *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileReplace, file_replace_free)

/* All of it for a short text. */
gboolean file_replace_text(const char *path, const char *text, GError **error);

/* A name beside `path` that is not in use, for writers that open files themselves. What programs
 * that were killed had begun for the same path is deleted. Returns: (transfer full). */
char *file_replace_name_beside(const char *path);

/* The same for writers that go by the ending: a hidden name that ends in it (".gpkg"). What they
 * put beside that begins with the name. Returns: (transfer full). */
char *file_replace_hidden_beside(const char *path, const char *ending);

/* FALSE with the reason if nothing can be written beside `path`: before work begins whose errors
 * would name the name beside. */
gboolean file_replace_check(const char *path, GError **error);

/* Deletes what programs that were killed had begun in a folder: names that begin with `prefix`;
 * NULL = all, for a program that owns the folder and has begun nothing itself yet. What a running
 * program writes stays. */
void file_replace_sweep(const char *folder, const char *prefix);

/* The same for names of files that end in one of `endings` (".match"), which a NULL ends. */
void file_replace_sweep_endings(const char *folder, const char *const *endings);

/* Gives the finished file `beside` the name `path` and makes that durable. */
gboolean file_replace_rename(const char *beside, const char *path, GError **error);

/* The same, but what has that name already stays: G_FILE_ERROR_EXIST. */
gboolean file_replace_rename_new(const char *beside, const char *path, GError **error);

/* What is being written beside is deleted if the program is interrupted (SIGINT, SIGTERM, SIGHUP)
 * once file_replace_clean_up_on_signals() was called: FileReplace does this by itself, other
 * writers call watch and unwatch. With the name go NAME-wal, NAME-shm and NAME-journal. */
void file_replace_clean_up_on_signals(void);
void file_replace_watch(const char *beside);
void file_replace_unwatch(const char *beside);
