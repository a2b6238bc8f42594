/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report.h"

#include "analyzer/report-html.h"
#include "analyzer/report-plot.h"
#include "analyzer/report-table.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

static gboolean failed(GError **error, const char *path, const char *what)
{
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: %s: %s", path, what,
                g_strerror(errno));
    return FALSE;
}

static void remove_folder(const char *dir)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name = NULL;
    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            remove_folder(path);
        else
            (void)g_unlink(path);
    }
    (void)g_rmdir(dir);
}

/* Only what a report consists of may be replaced. */
static gboolean is_report_or_empty(const char *dir)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    if (entries == NULL)
        return FALSE;
    const char *name = NULL;
    while ((name = g_dir_read_name(entries)) != NULL)
        if (strcmp(name, "index.html") != 0 && strcmp(name, "plots") != 0 &&
            !g_str_has_suffix(name, ".csv"))
            return FALSE;
    return TRUE;
}

static gboolean write_text(const char *dir, const char *name, const char *text, gsize length,
                           GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    return g_file_set_contents_full(path, text, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0644,
                                    error);
}

static gboolean write_plots(const GPtrArray *plots, const char *dir, GError **error)
{
    g_autofree char *folder = g_build_filename(dir, "plots", NULL);
    if (g_mkdir(folder, 0755) != 0)
        return failed(error, folder, "cannot be made");
    for (guint c = 0; c < plots->len; c++) {
        const GPtrArray *of = g_ptr_array_index(plots, c);
        for (guint s = 0; s < of->len; s++) {
            const char *svg = g_ptr_array_index(of, s);
            g_autofree char *name = g_strdup_printf("corridor-%u-series-%u.svg", c + 1, s + 1);
            if (svg != NULL && !write_text(folder, name, svg, strlen(svg), error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean fill_folder(const char *results, const char *dir, GError **error)
{
    g_autoptr(ReportData) data = report_data_load(results, error);
    if (data == NULL)
        return FALSE;
    g_autoptr(GPtrArray) plots = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint c = 0; c < data->corridors->len; c++) {
        GPtrArray *of = report_plot_corridor(data, c, report_main_service(data), error);
        if (of == NULL)
            return FALSE;
        g_ptr_array_add(plots, of);
    }
    g_autoptr(GString) html = report_html(data, plots);
    return write_text(dir, "index.html", html->str, html->len, error) &&
           write_plots(plots, dir, error) && report_write_tables(results, dir, error);
}

gboolean report_write(const char *results, const char *dir, GError **error)
{
    g_autofree char *beside = g_strconcat(dir, ".part", NULL);
    g_autofree char *old = g_strconcat(dir, ".old", NULL);
    gboolean exists = g_file_test(dir, G_FILE_TEST_EXISTS);
    if (exists && !is_report_or_empty(dir)) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                    "%s: holds something else than a report; name another folder", dir);
        return FALSE;
    }
    remove_folder(beside);
    if (g_mkdir(beside, 0755) != 0)
        return failed(error, beside, "cannot be made");
    if (!fill_folder(results, beside, error)) {
        remove_folder(beside);
        return FALSE;
    }
    if (exists) {
        remove_folder(old);
        if (g_rename(dir, old) != 0)
            return failed(error, dir, "cannot be replaced");
    }
    if (g_rename(beside, dir) != 0)
        return failed(error, dir, "cannot be written");
    if (exists)
        remove_folder(old);
    return TRUE;
}
