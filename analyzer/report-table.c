/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"
#include "formats/csv-field.h"
#include "formats/file-replace.h"

#include <math.h>
#include <string.h>

/* CSV tables beside the page (RFC 4180), the columns of OUT.gpkg. Text that a spreadsheet would
 * take for a formula is no concern of the format: it is written as it is, quoted. */

/* Shortest of nine digits: enough for micrometres of a line and bytes that never change. */
static void put_real(GString *line, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (value > -1e9 && value < 1e9 && fabs(value - rint(value)) < 1e-12) {
        g_string_append_printf(line, "%d", (int)rint(value)); /* most shares and levels */
        return;
    }
    g_string_append(line, g_ascii_formatd(text, sizeof text, "%.9g", value));
}

static gboolean write_table(const ReportTable *table, const char *path, GError **error)
{
    g_autoptr(FileReplace) file = file_replace_open(path, error);
    if (file == NULL)
        return FALSE;
    FILE *stream = file_replace_stream(file);
    g_autoptr(GString) line = g_string_new(NULL);
    gboolean first = TRUE;
    for (guint c = 0; c < table->n_columns; c++) {
        if (table->columns[c].type == LAYER_BLOB)
            continue;
        g_string_append(line, first ? "" : ",");
        csv_append_field(line, table->columns[c].name);
        first = FALSE;
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        g_string_append_c(line, '\n');
        first = TRUE;
        for (guint c = 0; c < table->n_columns; c++) {
            const ReportColumn *column = &table->columns[c];
            if (column->type == LAYER_BLOB)
                continue;
            if (!first)
                g_string_append_c(line, ',');
            first = FALSE;
            if (column->type == LAYER_INT && column->known[row] != 0)
                g_string_append_printf(line, "%" G_GINT64_FORMAT, column->ints[row]);
            else if (column->type == LAYER_REAL && isfinite(column->reals[row]))
                put_real(line, column->reals[row]);
            else if (column->type == LAYER_TEXT && column->texts[row] != NULL)
                csv_append_field(line, column->texts[row]);
        }
        if (line->len > 1 << 16) {
            (void)fwrite(line->str, 1, line->len, stream);
            g_string_truncate(line, 0);
        }
    }
    g_string_append_c(line, '\n');
    (void)fwrite(line->str, 1, line->len, stream); /* the commit asks for errors of the stream */
    return file_replace_commit(file, error);
}

gboolean report_write_tables(const ReportData *data, const char *folder, guint *n, GError **error)
{
    for (guint i = 0; i < data->tables->len; i++) {
        const ReportTable *table = g_ptr_array_index(data->tables, i);
        /* a name from a file is no path */
        if (strspn(table->name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(table->name))
            continue;
        g_autofree char *name = g_strdup_printf("%s.csv", table->name);
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (!write_table(table, path, error))
            return FALSE;
        (*n)++;
    }
    return TRUE;
}
