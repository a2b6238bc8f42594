/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping of any bytes for a table with some columns: a mapping, or an error; never neither. */
#include "formats/import-map.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *folder, *map_path, *table_path;

static void leave(void)
{
    (void)g_unlink(map_path);
    (void)g_unlink(table_path);
    (void)g_rmdir(folder);
    g_free(map_path);
    g_free(table_path);
    g_free(folder);
}

static void enter(void)
{
    static const char table[] = "t,x,y,ping_a,ping_b,level\n1,2,3,4,5,6\n";
    folder = g_dir_make_tmp("corridor-fuzz-XXXXXX", NULL);
    g_assert_nonnull(folder);
    map_path = g_build_filename(folder, "map", NULL);
    table_path = g_build_filename(folder, "table", NULL);
    g_assert_true(g_file_set_contents(table_path, table, -1, NULL));
    (void)atexit(leave);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (folder == NULL)
        enter();
    FILE *file = fopen(map_path, "we");
    g_assert_nonnull(file);
    g_assert_true(size == 0 || fwrite(data, 1, size, file) == size);
    g_assert_true(fclose(file) == 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(TextTable) table = text_table_open(table_path, '\0', &error);
    g_assert_no_error(error);
    g_autoptr(Mapping) mapping = mapping_new(map_path, NULL, table, &error);
    g_assert_true((mapping != NULL) == (error == NULL));
    g_assert_true(mapping == NULL || mapping_has(mapping, MAP_TIME));
    return 0;
}
