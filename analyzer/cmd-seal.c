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

static gboolean seal(const Command *command, const char *path, GError **error)
{
    (void)command;
    double before = megabytes(path);
    if (!drive_seal(path, NULL, error))
        return FALSE;
    printf("%s: %.2f MB, was %.2f MB\n", path, megabytes(path), before);
    return TRUE;
}

static int run(const Command *command, int argc, char **argv)
{
    return command_run_each(command, argc, argv, seal);
}

const Command command_seal = {"seal", "DRIVE…", "turn rows into compressed column chunks", run};
