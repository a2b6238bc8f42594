/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of `corridor`, as rows of a table. A command is one file cmd-NAME.c with its row;
 * the rows are listed in command-table.c.
 */
#pragma once

#include <glib.h>

/* Exit status of every command. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct Command Command;
struct Command {
    const char *name;      /* "import", or "network build" */
    const char *arguments; /* what follows the options in the usage line: "FILE…" */
    const char *summary;   /* one line of help, no full stop */
    /* Runs it. argv[0] is the command's name; options are still to be parsed with
     * command_parse(). Returns an exit status. */
    int (*run)(const Command *command, int argc, char **argv);
};

/* All commands, ended by a NULL. */
extern const Command *const command_table[];

/* Parses the options and puts the other arguments into *rest (transfer full, NULL-terminated).
 * At least min and at most max of them are wanted (max < 0: any number). On `--help` prints the
 * help. If it returns FALSE the command ends with *status; a usage error has been told in one line.
 * `entries` ends with G_OPTION_ENTRY_NULL. */
gboolean command_parse(const Command *command, const GOptionEntry *entries, int argc, char **argv,
                       int min, int max, char ***rest, int *status);

/* For a command without options: does the same with each of its one or more files, and goes on
 * after a failure, which is told. Returns the exit status. */
int command_run_each(const Command *command, int argc, char **argv,
                     gboolean (*each)(const Command *command, const char *path, GError **error));

/* Tells a usage error in one line on stderr. Returns EXIT_USAGE. */
int command_usage_error(const Command *command, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Tells why the work failed in one line on stderr, `corridor NAME: message`. Returns EXIT_FAILED.
 */
int command_failed(const Command *command, const GError *error);

/* Whether `out` (NULL: fine) is none of the files that are read, so that writing it cannot destroy
 * a recording or a map. Looks at the files, not at their names: links and ./ do not deceive it.
 * Tells a usage error if it is one of them; the command then ends with EXIT_USAGE. */
gboolean command_spares(const Command *command, const char *out, const char *const *inputs);

/* Tells something that the user should know, in one line on stderr; the work goes on. */
void command_warn(const Command *command, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Tells what of drives could not be read (drive_problems()), each in one line on stderr; of very
 * many the first. */
void command_tell_problems(const Command *command, const GPtrArray *problems);

/* Tells what was found: warnings, then lines on standard output. Both are arrays of texts. */
void command_tell_found(const Command *command, const GPtrArray *warnings, const GPtrArray *lines);
