/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/pass-read.h"

#include <math.h>

struct PassReader {
    LayerReader *rows;
    const char *path;
    int segment, operator_label, antenna, records, decorrelation_m, packed;
    PassUnpacker *unpacker;
    gboolean in_row;
    int64_t row;
    PassRead pass;
};

static gboolean find_columns(PassReader *reader, GError **error)
{
    LayerReader *rows = reader->rows;
    if (layer_column(rows, "packed") < 0 && layer_column(rows, "levels") >= 0) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                    "%s: was made by an earlier version; run corridor analyze again", reader->path);
        return FALSE;
    }
    return layer_need_column(rows, "segment", &reader->segment, error) &&
           layer_need_column(rows, "operator", &reader->operator_label, error) &&
           layer_need_column(rows, "antenna", &reader->antenna, error) &&
           layer_need_column(rows, "records", &reader->records, error) &&
           layer_need_column(rows, "decorrelation_m", &reader->decorrelation_m, error) &&
           layer_need_column(rows, "packed", &reader->packed, error);
}

PassReader *pass_reader_new(LayerSource *source, GError **error)
{
    static const LayerQuery query = {.no_shapes = TRUE};
    g_autoptr(PassReader) reader = g_new0(PassReader, 1);
    reader->path = layer_path(source);
    reader->unpacker = pass_unpacker_new();
    reader->rows = layer_read(source, "evidence", &query, error);
    if (reader->rows == NULL || !find_columns(reader, error))
        return NULL;
    return g_steal_pointer(&reader);
}

void pass_reader_free(PassReader *reader)
{
    if (reader == NULL)
        return;
    layer_reader_free(reader->rows);
    pass_unpacker_free(reader->unpacker);
    g_free(reader);
}

static const PassRead *fail(const PassReader *reader, const char *problem, GError **error)
{
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED,
                "%s: evidence row %" G_GINT64_FORMAT ": %s; analyze the drives again", reader->path,
                reader->row, problem);
    return NULL;
}

static gboolean begin_row(PassReader *reader, const LayerRow *row, GError **error)
{
    size_t n;
    const char *label = layer_get_text(row, reader->operator_label);
    const char *antenna = layer_get_text(row, reader->antenna);
    const uint8_t *packed = layer_get_blob(row, reader->packed, &n);
    reader->row = row->fid;
    reader->pass = (PassRead){.segment = layer_get_int(row, reader->segment, 0),
                              .operator_label = label != NULL ? label : "",
                              .antenna = antenna != NULL ? antenna : "",
                              .decorrelation_m = layer_get_real(row, reader->decorrelation_m, NAN)};
    if (!pass_unpacker_begin(reader->unpacker, packed, packed != NULL ? n : 0)) {
        (void)fail(reader, pass_unpacker_problem(reader->unpacker), error);
        return FALSE;
    }
    int64_t records = layer_get_int(row, reader->records, -1);
    if (records < 0 || (uint64_t)records != pass_unpacker_count(reader->unpacker)) {
        (void)fail(reader, "has another number of passes than it says", error);
        return FALSE;
    }
    return TRUE;
}

const PassRead *pass_reader_next(PassReader *reader, GError **error)
{
    for (;;) {
        if (reader->in_row) {
            reader->pass.record = pass_unpacker_next(reader->unpacker);
            if (reader->pass.record != NULL)
                return &reader->pass;
            reader->in_row = FALSE;
            if (pass_unpacker_problem(reader->unpacker) != NULL)
                return fail(reader, pass_unpacker_problem(reader->unpacker), error);
        }
        const LayerRow *row = layer_next(reader->rows, error);
        if (row == NULL || !begin_row(reader, row, error))
            return NULL;
        reader->in_row = TRUE;
    }
}
