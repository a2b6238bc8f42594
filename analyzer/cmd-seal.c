/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "formats/drive-write.h"

#include <glib/gstdio.h>
#include <stdio.h>

static double megabytes(const char *path)
{
    GStatBuf st;
    return g_stat(path, &st) == 0 ? (double)st.st_size / 1e6 : 0.0;
}

static int run(const Command *command, int argc, char **argv)
{
    static const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
    g_auto(GStrv) drives = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, -1, &drives, &status))
        return status;
    for (char **drive = drives; *drive != NULL; drive++) {
        g_autoptr(GError) error = NULL;
        double before = megabytes(*drive);
        if (!drive_seal(*drive, NULL, &error)) {
            status = command_failed(command, error);
            continue;
        }
        printf("%s: %.2f MB, was %.2f MB\n", *drive, megabytes(*drive), before);
    }
    return status;
}

const Command command_seal = {"seal", "DRIVE…", "turn rows into compressed column chunks", run};
