/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-table.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* Tables that a person asks for; `evidence` is for programs and stays in the results file. */
static const char *const tables[] = {
    "segments", "summary",       "gaps",       "operators", "pairs",        "changes", "quality",
    "drives",   "sources",       "services",   "corridors", "hours",        "tests",   "meta",
    "claims",   "claim_summary", "overclaims", "deltas",    "delta_summary"};

static void put_text(FILE *out, const char *text)
{
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        (void)fputs(text, out);
        return;
    }
    (void)putc('"', out);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"')
            (void)putc('"', out);
        (void)putc(*c, out);
    }
    (void)putc('"', out);
}

static gboolean write_rows(LayerReader *reader, FILE *out, GError **error)
{
    guint n = 0;
    const LayerField *fields = layer_fields(reader, &n);
    gboolean first = TRUE;
    for (guint c = 0; c < n; c++) {
        if (fields[c].type == LAYER_BLOB)
            continue;
        (void)fprintf(out, "%s%s", first ? "" : ",", fields[c].name);
        first = FALSE;
    }
    (void)putc('\n', out);
    GError *failure = NULL;
    const LayerRow *row = NULL;
    while ((row = layer_next(reader, &failure)) != NULL) {
        first = TRUE;
        for (guint c = 0; c < n; c++) {
            if (fields[c].type == LAYER_BLOB)
                continue;
            if (!first)
                (void)putc(',', out);
            first = FALSE;
            const char *text = layer_get_text(row, (int)c);
            if (text != NULL)
                put_text(out, text);
        }
        (void)putc('\n', out);
    }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

static gboolean write_table(LayerSource *source, const char *table, const char *dir, GError **error)
{
    LayerQuery query = {.no_shapes = TRUE};
    g_autoptr(LayerReader) reader = layer_read(source, table, &query, error);
    if (reader == NULL)
        return FALSE;
    g_autofree char *name = g_strconcat(table, ".csv", NULL);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    FILE *out = g_fopen(path, "w");
    if (out != NULL) {
        gboolean done = write_rows(reader, out, error);
        gboolean written = !ferror(out);
        written = fclose(out) == 0 && written;
        if (!done || written)
            return done;
    }
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: cannot be written: %s", path,
                g_strerror(errno));
    return FALSE;
}

gboolean report_write_tables(const char *results, const char *dir, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(results, error);
    if (source == NULL)
        return FALSE;
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++)
        if (layer_has(source, tables[i]) && !write_table(source, tables[i], dir, error))
            return FALSE;
    return TRUE;
}
