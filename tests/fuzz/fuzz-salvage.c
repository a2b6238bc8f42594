/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of an SQLite file read without SQLite. The first byte chooses: the rest is a file, or
 * changes to a sound drive, or the -wal file beside a sound drive. Every page is visited, and every
 * value of every row read to its last byte.
 */
#include "formats/salvage.h"

#include "tests/fuzz/scratch.h"
#include "tests/fuzz/sound-drive.h"

#include <glib/gstdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    guint32 pages;
    guint64 sum;
} Seen;

static void on_row(guint32 page, gint64 rowid, const SalvageValue *values, guint n, gboolean whole,
                   gpointer data)
{
    Seen *seen = data;
    g_assert_cmpuint(page, <=, seen->pages);
    g_assert_cmpuint(n, <=, SALVAGE_MAX_VALUES);
    seen->sum += (guint64)rowid + (whole ? 1 : 0);
    for (guint v = 0; v < n; v++)
        if (values[v].type == SALVAGE_TEXT || values[v].type == SALVAGE_BLOB)
            for (gsize i = 0; i < values[v].b.length; i++)
                seen->sum += values[v].b.bytes[i];
}

static void visit(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Salvage) salvage = salvage_open(path, &error);
    g_assert_true((salvage != NULL) == (error == NULL));
    if (salvage == NULL)
        return;
    Seen seen = {.pages = salvage_pages(salvage)};
    g_autoptr(GArray) children = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (guint32 page = 1; page <= seen.pages; page++) {
        g_array_set_size(children, 0);
        (void)salvage_children(salvage, page, children);
        for (guint i = 0; i < children->len; i++) {
            g_assert_cmpuint(g_array_index(children, guint32, i), >=, 1);
            g_assert_cmpuint(g_array_index(children, guint32, i), <=, seen.pages);
        }
        (void)salvage_rows(salvage, page, on_row, &seen);
    }
    g_autofree guint8 *free = g_malloc0((gsize)seen.pages + 1);
    salvage_mark_free(salvage, free);
}

static void visit_file(const uint8_t *data, size_t size)
{
    g_autofree char *path = scratch_path("any.drive");
    scratch_write(path, data, size);
    visit(path);
}

static void visit_changed(const uint8_t *data, size_t size)
{
    const char *path = sound_drive();
    sound_drive_change(data, size, FALSE);
    visit(path);
    sound_drive_change(data, size, TRUE);
}

static void visit_with_wal(const uint8_t *data, size_t size)
{
    const char *path = sound_drive();
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    scratch_write(wal, data, size);
    visit(path);
    (void)g_unlink(wal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(const uint8_t *, size_t) = {visit_file, visit_changed,
                                                            visit_with_wal};
    if (size > 0)
        ways[data[0] % G_N_ELEMENTS(ways)](data + 1, size - 1);
    return 0;
}
