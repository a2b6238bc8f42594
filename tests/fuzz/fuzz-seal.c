/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recorded drive from a stranger, made small: the input is a list of changes to a sound one
 * (sound-drive.h). Sealed, or refused with a reason; if it could be read whole before, it can be
 * after, row by row the same, whichever of the two.
 */
#include "formats/drive-read.h"
#include "formats/drive-write.h"

#include "tests/fuzz/sound-drive.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    guint64 n, sum; /* the sum of the rows' hashes: order does not count */
} Rows;

static guint64 mix(guint64 hash, guint64 value)
{
    hash = (hash ^ value) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static void add_row(Rows *rows, const Batch *batch, RecordKind kind, size_t i)
{
    const RecordType *type = record_type(kind);
    guint64 hash = mix(kind, batch->known[i]);
    for (unsigned c = 0; c < type->n_columns; c++) {
        if ((batch->known[i] >> c & 1U) == 0)
            continue;
        if (type->columns[c].type == COLUMN_TEXT)
            hash = mix(hash, g_str_hash(batch->column[c].t[i]));
        else
            hash = mix(hash, (guint64)batch->column[c].i[i]);
    }
    rows->n++;
    rows->sum += hash;
}

/* FALSE if anything of it cannot be read. */
static gboolean read_rows(const char *path, Rows *rows)
{
    static const RecordKind kinds[] = {RECORD_SOURCE, RECORD_FIX, RECORD_SAMPLE, RECORD_EVENT};
    memset(rows, 0, sizeof *rows);
    g_autoptr(Drive) drive = drive_open(path, NULL);
    if (drive == NULL)
        return FALSE;
    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DriveCursor) cursor =
            drive_read(drive, kinds[k], 0, 0, INT64_MIN, INT64_MAX, &error);
        const Batch *batch = NULL;
        while (cursor != NULL && (batch = drive_next(cursor, &error)) != NULL)
            for (size_t i = 0; i < batch->n; i++)
                add_row(rows, batch, kinds[k], i);
        if (error != NULL)
            return FALSE;
    }
    return drive_problems(drive)->len == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = recorded_drive_changed(data, size);
    Rows before, after;
    const gboolean whole = read_rows(path, &before);
    g_autoptr(GError) error = NULL;
    const gboolean sealed = drive_seal(path, NULL, &error);
    g_assert_true(sealed == (error == NULL));
    g_assert_true(error == NULL || strchr(error->message, '\n') == NULL);
    if (!whole)
        return 0;
    const gboolean whole_after = read_rows(path, &after);
    if (whole_after && before.n == after.n && before.sum == after.sum)
        return 0;
    g_printerr("%s, %" G_GUINT64_FORMAT " rows before, %" G_GUINT64_FORMAT " after%s\n",
               sealed ? "sealed" : error->message, before.n, after.n,
               whole_after ? "" : ", the rest cannot be read");
    abort(); /* g_error() stops by a signal that libFuzzer does not take */
}
