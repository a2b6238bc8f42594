/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of tests. */
#pragma once

#include <glib/gstdio.h>

/* Removes a folder of files. FALSE if any of it stays. */
static inline gboolean folder_remove(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    gboolean done = dir != NULL;
    for (const char *name = NULL; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        done = g_unlink(path) == 0 && done;
    }
    return g_rmdir(folder) == 0 && done;
}
