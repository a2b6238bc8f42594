/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "formats/drive-recover.h"

#include <stdio.h>

static void print_report(const char *out, const RecoverReport *report)
{
    printf("%s:", out);
    const char *separator = " ";
    for (int k = 0; k < RECORD_KIND_COUNT; k++) {
        if (report->saved[k] == 0 && report->held[k] <= 0)
            continue;
        printf("%s%" G_GINT64_FORMAT, separator, report->saved[k]);
        if (report->held[k] >= 0 && report->held[k] != report->saved[k])
            printf(" of %" G_GINT64_FORMAT, report->held[k]);
        printf(" %s", record_type((RecordKind)k)->table);
        separator = ", ";
    }
    printf("; %u of %u pages damaged\n", report->damaged_pages, report->pages);
    for (guint i = 0; i < report->losses->len; i++)
        printf("  lost: %s\n", (const char *)g_ptr_array_index(report->losses, i));
}

static int run(const Command *command, int argc, char **argv)
{
    static const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
    g_auto(GStrv) words = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 2, 2, &words, &status))
        return status;
    g_autoptr(GError) error = NULL;
    RecoverReport report;
    if (drive_recover(words[0], words[1], &report, &error))
        print_report(words[1], &report);
    else
        status = command_failed(command, error);
    recover_report_clear(&report);
    return status;
}

const Command command_recover = {"recover", "DRIVE OUT.drive",
                                 "save what can be read of a damaged drive", run};
