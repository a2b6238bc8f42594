/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over files and folders of files, without a fuzzer: a normal test, on every
 * machine. Fails if there was nothing to run.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static guint run_file(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize size = 0;
    if (!g_file_get_contents(path, &bytes, &size, NULL))
        return 0;
    /* An exact copy, so that a sanitizer sees a read past the end. */
    g_autofree uint8_t *copy = g_memdup2(bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    return 1;
}

static guint run(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    if (dir == NULL)
        return run_file(path);
    guint n = 0;
    const char *name = NULL;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        n += run(file);
    }
    return n;
}

int main(int argc, char **argv)
{
    guint n = 0;
    for (int i = 1; i < argc; i++)
        n += run(argv[i]);
    printf("%u files\n", n);
    return n > 0 ? 0 : 1;
}
