/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"

#include "formats/shown-text.h"

#include <glib/gstdio.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One line, whatever the message holds: names come from files of strangers. */
static void tell(const Command *command, const char *kind, const char *message)
{
    g_autofree char *line = shown_text(message);
    (void)fprintf(stderr, "corridor %s: %s%s\n", command->name, kind, line);
}

int command_usage_error(const Command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *full = g_strdup_printf("%s; see corridor %s --help", message, command->name);
    tell(command, "", full);
    return EXIT_USAGE;
}

int command_failed(const Command *command, const GError *error)
{
    tell(command, "", error->message);
    return EXIT_FAILED;
}

gboolean command_spares(const Command *command, const char *out, const char *const *inputs)
{
    GStatBuf to, from;
    if (out == NULL || g_stat(out, &to) != 0)
        return TRUE; /* it is not there yet */
    for (; *inputs != NULL; inputs++)
        if (g_stat(*inputs, &from) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino) {
            command_usage_error(command, "%s is to be read and would be overwritten; name another",
                                out);
            return FALSE;
        }
    return TRUE;
}

void command_warn(const Command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    tell(command, "warning: ", message);
}

void command_tell_problems(const Command *command, const GPtrArray *problems)
{
    enum { MOST_TOLD = 50 };
    for (guint i = 0; i < MIN(problems->len, MOST_TOLD); i++)
        tell(command, "warning: ", g_ptr_array_index(problems, i));
    if (problems->len > MOST_TOLD)
        command_warn(command, "%u more pieces are lost; corridor info tells them",
                     problems->len - MOST_TOLD);
}

void command_tell_found(const Command *command, const GPtrArray *warnings, const GPtrArray *lines)
{
    for (guint i = 0; i < warnings->len; i++)
        tell(command, "warning: ", g_ptr_array_index(warnings, i));
    for (guint i = 0; i < lines->len; i++)
        printf("%s\n", (const char *)g_ptr_array_index(lines, i));
}

/* GOption refuses `-1.5` as an unknown option; nothing here takes such an argument without its
 * option's name, so its own words serve. */
gboolean command_parse(const Command *command, const GOptionEntry *entries, int argc, char **argv,
                       int min, int max, char ***rest, int *status)
{
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
    g_autofree char *summary = g_strdup_printf("%s.", command->summary);
    summary[0] = g_ascii_toupper(summary[0]);
    g_option_context_set_summary(context, summary);
    g_option_context_set_help_enabled(context, FALSE);
    gboolean help = FALSE;
    char **words = NULL;
    GOptionEntry common[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL, NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, common, NULL);
    g_autofree char *program = g_strdup_printf("corridor %s", command->name);
    g_set_prgname(program);
    g_autofree char **copy = g_memdup2(argv, sizeof(char *) * ((gsize)argc + 1));
    int left = argc;
    char **cursor = copy;
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, &left, &cursor, &error)) {
        *status = command_usage_error(command, "%s", error->message);
        g_strfreev(words);
        return FALSE;
    }
    if (help) {
        g_autofree char *text = g_option_context_get_help(context, TRUE, NULL);
        (void)fputs(text, stdout);
        g_strfreev(words);
        *status = EXIT_DONE;
        return FALSE;
    }
    int n = words != NULL ? (int)g_strv_length(words) : 0;
    if (n < min || (max >= 0 && n > max)) {
        if (n > max && max >= 0)
            *status = command_usage_error(command, "one argument too many: %s", words[max]);
        else
            *status = command_usage_error(command, "%s is missing", command->arguments);
        g_strfreev(words);
        return FALSE;
    }
    *rest = words != NULL ? words : g_new0(char *, 1);
    return TRUE;
}

int command_run_each(const Command *command, int argc, char **argv,
                     gboolean (*each)(const Command *command, const char *path, GError **error))
{
    static const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
    g_auto(GStrv) paths = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, -1, &paths, &status))
        return status;
    for (char **path = paths; *path != NULL; path++) {
        g_autoptr(GError) error = NULL;
        if (!each(command, *path, &error))
            status = command_failed(command, error);
    }
    return status;
}
