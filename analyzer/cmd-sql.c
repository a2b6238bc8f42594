/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "formats/csv-field.h"
#include "formats/sql.h"

#include <stdio.h>

typedef struct {
    gboolean header;
} Printer;

static gboolean print_row(gboolean row, int n, const char *const *values, gpointer data)
{
    const Printer *printer = data;
    if (!row && !printer->header)
        return TRUE;
    for (int i = 0; i < n; i++) {
        if (i > 0)
            (void)putchar(',');
        if (values[i] != NULL)
            csv_print_field(stdout, values[i]);
    }
    (void)putchar('\n');
    return !ferror(stdout);
}

static int run(const Command *command, int argc, char **argv)
{
    gboolean no_header = FALSE;
    const GOptionEntry entries[] = {
        {"no-header", 0, 0, G_OPTION_ARG_NONE, &no_header, "Leave out the line of column names",
         NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_auto(GStrv) words = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 2, 2, &words, &status))
        return status;
    g_autoptr(GError) error = NULL;
    Printer printer = {!no_header};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    gboolean done = drive_sql(words[0], words[1], print_row, &printer, problems, &error);
    (void)fflush(stdout);
    for (guint i = 0; i < problems->len; i++)
        command_warn(command, "%s", (const char *)g_ptr_array_index(problems, i));
    return done ? EXIT_DONE : command_failed(command, error);
}

const Command command_sql = {"sql", "DRIVE QUERY", "ask SQL of a drive, sealed or not; prints CSV",
                             run};
