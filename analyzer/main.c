/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "formats/file-replace.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static void print_help(void)
{
    puts("Usage: corridor COMMAND [OPTION…] ARGUMENT…\n\n"
         "Measures mobile coverage along roads and railways from recorded drives.\n\nCommands:");
    for (const Command *const *c = command_table; *c != NULL; c++)
        printf("  %-20s %s\n", (*c)->name, (*c)->summary);
    puts("\n`corridor COMMAND --help` shows a command's options, `man corridor-COMMAND` its "
         "manual.\n"
         "Exit status: 0 done, 1 the work failed, 2 wrong usage.");
}

/* The command that argv begins with; *words is how many arguments its name takes. */
static const Command *find_command(int argc, char **argv, int *words)
{
    for (const Command *const *c = command_table; *c != NULL; c++) {
        g_auto(GStrv) name = g_strsplit((*c)->name, " ", -1);
        int n = (int)g_strv_length(name);
        gboolean same = argc >= n;
        for (int i = 0; same && i < n; i++)
            same = strcmp(name[i], argv[i]) == 0;
        if (same) {
            *words = n;
            return *c;
        }
    }
    return NULL;
}

/* "corridor network --help": the commands that begin with this word. */
static gboolean print_group_help(const char *word)
{
    g_autofree char *prefix = g_strdup_printf("%s ", word);
    gboolean any = FALSE;
    for (const Command *const *c = command_table; *c != NULL; c++) {
        if (!g_str_has_prefix((*c)->name, prefix))
            continue;
        if (!any)
            printf("Usage: corridor %s COMMAND [OPTION…] ARGUMENT…\n\nCommands:\n", word);
        printf("  %-20s %s\n", (*c)->name, (*c)->summary);
        any = TRUE;
    }
    return any;
}

/* "corridor network" alone: which words may follow. */
static gboolean print_second_words(const char *word)
{
    g_autofree char *prefix = g_strdup_printf("%s ", word);
    g_autoptr(GString) list = g_string_new(NULL);
    for (const Command *const *c = command_table; *c != NULL; c++)
        if (g_str_has_prefix((*c)->name, prefix))
            g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "",
                                   (*c)->name + strlen(prefix));
    if (list->len == 0)
        return FALSE;
    (void)fprintf(stderr, "corridor %s: say what: %s\n", word, list->str);
    return TRUE;
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_ALL, "");
    (void)setlocale(LC_NUMERIC,
                    "C"); /* files and pipes want a point; reports format by themselves */
    g_log_writer_default_set_use_stderr(TRUE);
    file_replace_clean_up_on_signals();
    if (argc < 2) {
        (void)fputs("corridor: a command is missing; see corridor --help\n", stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--commands") == 0) { /* for completion: one a line */
        for (const Command *const *c = command_table; *c != NULL; c++)
            puts((*c)->name);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("corridor " CORRIDOR_VERSION);
        return EXIT_DONE;
    }
    int words = 0;
    const Command *command = find_command(argc - 1, argv + 1, &words);
    if (command != NULL)
        return command->run(command, argc - words, argv + words);
    gboolean help = argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    if (help && print_group_help(argv[1]))
        return EXIT_DONE;
    if (!print_second_words(argv[1]))
        (void)fprintf(stderr, "corridor: there is no command %s; see corridor --help\n", argv[1]);
    return EXIT_USAGE;
}
