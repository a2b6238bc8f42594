/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A drive from a stranger: the first byte says what is read, the rest is a list of changes to a
 * sound drive (sound-drive.h). It is read as far as it goes, or refused with a reason. With
 * FUZZ_RECOVER it is recovered instead.
 */
#include "formats/drive-damage.h"
#include "formats/drive-read.h"
#include "formats/drive-recover.h"
#include "formats/sql.h"

#include "tests/fuzz/scratch.h"
#include "tests/fuzz/sound-drive.h"

#include <glib/gstdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the first byte says, after the kinds of record: everything at once costs too much for a
 * search to go far. */
enum { READ_ALL = RECORD_KIND_COUNT, READ_DAMAGE, READ_SQL, READ_WAYS = READ_SQL + 4 };

static void read_kind(Drive *drive, RecordKind kind)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DriveCursor) cursor = drive_read(drive, kind, 0, 0, INT64_MIN, INT64_MAX, &error);
    g_assert_true((cursor != NULL) == (error == NULL));
    const Batch *batch = NULL;
    size_t bytes = 0;
    while (cursor != NULL && (batch = drive_next(cursor, &error)) != NULL) {
        g_assert_true(batch->n > 0 && batch->n <= DRIVE_BATCH_ROWS);
        const RecordType *type = record_type(kind);
        for (unsigned c = 0; c < type->n_columns; c++)
            for (size_t i = 0; type->columns[c].type == COLUMN_TEXT && i < batch->n; i++)
                if ((batch->known[i] >> c & 1U) != 0)
                    bytes += strlen(batch->column[c].t[i]);
    }
    g_assert_cmpuint(bytes, <, G_MAXSIZE);
}

static gboolean count_row(gboolean is_row, int n, const char *const *values, gpointer data)
{
    for (int i = 0; i < n; i++)
        *(gsize *)data += values[i] != NULL ? strlen(values[i]) : 0;
    return is_row || n > 0;
}

/* The tables of corridor sql, with what is pushed down into them. */
static void query(const char *path, unsigned which)
{
    static const char *const queries[READ_WAYS - READ_SQL] = {
        "SELECT * FROM samples WHERE source = 1 AND time_ns >= 1003000000000 ORDER BY time_ns",
        "SELECT source, count(*), max(lat) FROM fixes GROUP BY source",
        "SELECT s.rat, f.lat FROM samples s JOIN fixes f ON f.time_ns = s.time_ns",
        "SELECT e.kind, o.label FROM events e LEFT JOIN sources o ON o.id = e.source",
    };
    gsize bytes = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    const gboolean done = drive_sql(path, queries[which], count_row, &bytes, problems, &error);
    g_assert_true(done == (error == NULL));
}

static void read_drive(const char *path, unsigned what)
{
    if (what >= READ_SQL) {
        query(path, what - READ_SQL);
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(Drive) drive = drive_open(path, &error);
    g_assert_true((drive != NULL) == (error == NULL));
    for (int k = RECORD_SOURCE; drive != NULL && k < RECORD_KIND_COUNT; k++)
        if (what == READ_ALL || what == (unsigned)k)
            read_kind(drive, (RecordKind)k);
    if (drive != NULL && what == READ_DAMAGE)
        g_ptr_array_unref(drive_find_damage(drive));
}

/* What is saved can be read; that costs as much again, so half of the inputs go without. */
static void recover_drive(const char *path, unsigned what)
{
    g_autofree char *out = scratch_path("out.drive");
    (void)g_unlink(out);
    g_autoptr(GError) error = NULL;
    RecoverReport report;
    gboolean done = drive_recover(path, out, &report, &error);
    g_assert_true(done == (error == NULL));
    recover_report_clear(&report);
    if (done && what < READ_WAYS)
        read_drive(out, what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *path = sound_drive();
    sound_drive_change(data + 1, size - 1, FALSE);
#ifdef FUZZ_RECOVER
    recover_drive(path, data[0] % (2 * READ_WAYS));
#else
    (void)recover_drive;
    read_drive(path, data[0] % READ_WAYS);
#endif
    sound_drive_change(data + 1, size - 1, TRUE);
    return 0;
}
