/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/scratch.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *folder;

static void leave(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = scratch_path(name);
        (void)g_unlink(path);
    }
    (void)g_rmdir(folder);
    g_clear_pointer(&folder, g_free);
}

const char *scratch_folder(void)
{
    if (folder != NULL)
        return folder;
    folder = g_dir_make_tmp("corridor-fuzz-XXXXXX", NULL);
    g_assert_nonnull(folder);
    (void)atexit(leave);
    return folder;
}

char *scratch_path(const char *name)
{
    return g_build_filename(scratch_folder(), name, NULL);
}

void scratch_write(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    g_assert_true(fd >= 0);
    g_assert_true(write(fd, data, size) == (ssize_t)size);
    g_assert_true(close(fd) == 0);
}
