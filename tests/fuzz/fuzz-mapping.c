/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping of any bytes for a table with some columns: a mapping, or an error; never neither. */
#include "formats/import-map.h"
#include "tests/fuzz/scratch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *map_path, *table_path;

static void leave(void)
{
    g_free(map_path);
    g_free(table_path);
}

static void enter(void)
{
    static const char table[] = "t,x,y,ping_a,ping_b,level\n1,2,3,4,5,6\n";
    map_path = scratch_path("map");
    table_path = scratch_path("table");
    scratch_write(table_path, table, sizeof table - 1);
    (void)atexit(leave);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (map_path == NULL)
        enter();
    scratch_write(map_path, data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(TextTable) table = text_table_open(table_path, '\0', &error);
    g_assert_no_error(error);
    g_autoptr(Mapping) mapping = mapping_new(map_path, NULL, table, &error);
    g_assert_true((mapping != NULL) == (error == NULL));
    g_assert_true(mapping == NULL || mapping_has(mapping, MAP_TIME));
    return 0;
}
