/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/report-text.h"
#include "analyzer/report.h"

#include <stdio.h>

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *output = NULL;
    g_autofree char *language = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Folder to make", "DIR"},
        {"lang", 0, 0, G_OPTION_ARG_STRING, &language, "Language: en or sv (en)", "LANG"},
        G_OPTION_ENTRY_NULL,
    };
    g_auto(GStrv) files = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, 1, &files, &status))
        return status;
    if (output == NULL)
        return command_usage_error(command, "-o DIR is missing");
    if (language != NULL && !report_set_language(language))
        return command_usage_error(command, "--lang %s: say en or sv", language);
    g_autoptr(GError) error = NULL;
    if (!report_write(files[0], output, &error))
        return command_failed(command, error);
    printf("%s/index.html\n", output);
    return EXIT_DONE;
}

const Command command_report = {"report", "OUT.gpkg", "write results as a page, plots and tables",
                                run};
