/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/report.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Swedish for Swedish users, English for all others. */
static const char *language_of_user(void)
{
    const char *locale = setlocale(LC_MESSAGES, NULL);
    return locale != NULL && g_str_has_prefix(locale, "sv") ? "sv" : "en";
}

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *folder = NULL;
    g_autofree char *language = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &folder, "Folder to write into", "DIR"},
        {"lang", 0, 0, G_OPTION_ARG_STRING, &language,
         "Language of the report: en or sv (default: the user's)", "LANG"},
        G_OPTION_ENTRY_NULL,
    };
    g_auto(GStrv) words = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, 1, &words, &status))
        return status;
    if (folder == NULL)
        return command_usage_error(command, "-o DIR is missing");
    if (language != NULL && !g_strv_contains(report_languages(), language))
        return command_usage_error(command, "there is no language %s; languages are en, sv",
                                   language);
    g_autoptr(GError) error = NULL;
    ReportSummary summary = {0};
    if (!report_write(words[0], folder, language != NULL ? language : language_of_user(), &summary,
                      &error)) {
        report_summary_clear(&summary);
        return command_failed(command, error);
    }
    if (summary.no_charts != NULL)
        command_warn(command, "no charts: %s", summary.no_charts);
    printf("%s: %.1f MB, %u plots, %u tables\n", summary.page, (double)summary.bytes / 1e6,
           summary.plots, summary.tables);
    report_summary_clear(&summary);
    return EXIT_DONE;
}

const Command command_report = {"report", "OUT.gpkg",
                                "write the report: one HTML page, plots, CSV tables", run};
