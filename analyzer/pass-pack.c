/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/pass-pack.h"

#include "analyzer/cell.h"
#include "analyzer/pass-column.h"
#include "formats/chunk-codec.h"
#include "formats/varint.h"

#include <string.h>
#include <zstd.h>

enum {
    MOST_VARINT = CODEC_MAX_VARINT,
    MOST_VARINT_32 = 5,
    MOST_NAME = 64, /* of a cell, with its length */
    COMPRESS_FROM = 1024,
    ZSTD_LEVEL = -3,
};

typedef struct {
    uint8_t *data, *to;
    uint64_t last, differs; /* differs: 0 as long as all values are equal */
} Column;

struct PassPacker {
    Column column[N_COLUMNS];
    size_t n, n_entries, n_cells;          /* so many numbers are in the columns … */
    size_t room, room_entries, room_cells; /* … and fit */
    PassRecord before;                     /* zero but for the band before the first */
    int32_t level;                         /* of the first entry of the pass before */
    unsigned unit;                         /* of all times until now */
    int64_t *times;                        /* first and last of each pass */
    GArray *ids, *numbers;                 /* uint64_t, uint32_t: cells of the pass before */
    GHashTable *known;                     /* cell -> its number + 1 */
    GByteArray *names;
    uint8_t *plain, *packed;
    size_t plain_room, packed_room;
    ZSTD_CCtx *zstd;
};

/* Whether n more do not fit; `room` is then what they will. */
static inline gboolean is_full(size_t used, size_t n, size_t *room)
{
    if (*room - used >= n)
        return FALSE;
    *room = 2 * (used + n) + 64;
    return TRUE;
}

static void grow(PassPacker *packer, unsigned from, unsigned to, size_t bytes)
{
    for (unsigned c = from; c < to; c++) {
        Column *column = &packer->column[c];
        size_t used = column->data == NULL ? 0 : (size_t)(column->to - column->data);
        column->data = g_realloc(column->data, bytes);
        column->to = column->data + used;
    }
}

static inline void room_for_passes(PassPacker *packer, size_t n)
{
    if (is_full(packer->n, n, &packer->room)) {
        grow(packer, 0, N_PASS_COLUMNS, packer->room * MOST_VARINT);
        packer->times = g_renew(int64_t, packer->times, 2 * packer->room);
    }
}

static inline void room_for_cells(PassPacker *packer, size_t n)
{
    if (is_full(packer->n_cells, n, &packer->room_cells))
        grow(packer, COLUMN_CELL, COLUMN_CELL + 1, packer->room_cells * MOST_VARINT);
}

static inline void room_for_entries(PassPacker *packer, size_t n)
{
    if (is_full(packer->n_entries, n, &packer->room_entries))
        grow(packer, COLUMN_KEY, N_COLUMNS, packer->room_entries * MOST_VARINT_32);
}

PassPacker *pass_packer_new(void)
{
    PassPacker *packer = g_new0(PassPacker, 1);
    packer->ids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    packer->numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    packer->known = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    packer->names = g_byte_array_new();
    packer->zstd = ZSTD_createCCtx();
    g_assert_nonnull(packer->zstd);
    (void)ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    room_for_passes(packer, 1);
    room_for_cells(packer, 1);
    room_for_entries(packer, 1);
    pass_packer_begin(packer);
    return packer;
}

void pass_packer_free(PassPacker *packer)
{
    if (packer == NULL)
        return;
    for (unsigned c = 0; c < N_COLUMNS; c++)
        g_free(packer->column[c].data);
    g_free(packer->times);
    g_array_unref(packer->ids);
    g_array_unref(packer->numbers);
    g_hash_table_unref(packer->known);
    g_byte_array_unref(packer->names);
    g_free(packer->plain);
    g_free(packer->packed);
    (void)ZSTD_freeCCtx(packer->zstd);
    g_free(packer);
}

void pass_packer_begin(PassPacker *packer)
{
    for (unsigned c = 0; c < N_COLUMNS; c++)
        packer->column[c] = (Column){.data = packer->column[c].data, .to = packer->column[c].data};
    packer->n = packer->n_entries = packer->n_cells = 0;
    packer->before = (PassRecord){.band = -1};
    packer->level = 0;
    packer->unit = 3;
    g_array_set_size(packer->ids, 0);
    g_array_set_size(packer->numbers, 0);
    g_hash_table_remove_all(packer->known);
    g_byte_array_set_size(packer->names, 0);
}

/* ---- columns ---- */

static inline void put(Column *column, uint64_t value)
{
    if (column->to != column->data)
        column->differs |= value ^ column->last;
    column->last = value;
    column->to = varint_put(column->to, value);
}

static inline void put_signed(Column *column, uint64_t difference)
{
    put(column, codec_zigzag(difference));
}

/* ---- cells ---- */

static uint32_t number_of(PassPacker *packer, uint64_t id)
{
    gint64 key = (gint64)id;
    gpointer found = g_hash_table_lookup(packer->known, &key);
    if (found != NULL)
        return GPOINTER_TO_UINT(found) - 1;
    uint32_t number = g_hash_table_size(packer->known);
    gint64 *own = g_new(gint64, 1);
    *own = key;
    g_hash_table_insert(packer->known, own, GUINT_TO_POINTER(number + 1));
    g_autofree char *name = cell_identity_text(id);
    uint8_t length = (uint8_t)strlen(name); /* below MOST_NAME */
    g_byte_array_append(packer->names, &length, 1);
    g_byte_array_append(packer->names, (const uint8_t *)name, length);
    return number;
}

static void put_cells(PassPacker *packer, const uint64_t *id, uint32_t n)
{
    Column *count = &packer->column[COLUMN_CELLS], *cell = &packer->column[COLUMN_CELL];
    GArray *ids = packer->ids;
    gboolean same = ids->len == n && (n == 0 || memcmp(ids->data, id, n * sizeof *id) == 0);
    if (same && n <= PASS_SHORT_CELLS) {
        put(count, 0);
        return;
    }
    room_for_cells(packer, n);
    packer->n_cells += n;
    put(count, (uint64_t)n + 1);
    g_array_set_size(ids, 0);
    g_array_append_vals(ids, id, n);
    for (uint32_t i = 0; i < n; i++)
        put(cell, number_of(packer, id[i]));
}

/* ---- a pass ---- */

static void put_times(PassPacker *packer, int64_t first_ns, int64_t last_ns)
{
    packer->times[2 * packer->n] = first_ns;
    packer->times[2 * packer->n + 1] = last_ns;
    if (packer->unit == 3 && (first_ns % 1000000000 != 0 || last_ns % 1000000000 != 0))
        packer->unit = 2;
    if (packer->unit == 2 && (first_ns % 1000000 != 0 || last_ns % 1000000 != 0))
        packer->unit = 1;
    if (packer->unit == 1 && (first_ns % 1000 != 0 || last_ns % 1000 != 0))
        packer->unit = 0;
}

static PassExpected put_levels(PassPacker *packer, const LevelHistogram *levels)
{
    PassExpected expected = {0};
    room_for_entries(packer, levels->n);
    packer->n_entries += levels->n;
    Column key = packer->column[COLUMN_KEY], level = packer->column[COLUMN_LEVEL],
           count = packer->column[COLUMN_COUNT], way = packer->column[COLUMN_WAY],
           time = packer->column[COLUMN_TIME];
    int32_t before = packer->level;
    for (uint32_t i = 0; i < levels->n; i++) {
        const LevelEntry *e = &levels->entry[i];
        put(&key, (uint64_t)e->rat * KEY_CHANNELS + e->channel);
        put_signed(&level, (uint64_t)(int64_t)(e->level_dbm - before));
        put(&count, e->count);
        way.to = varint_put(way.to, e->way_dm);
        put(&time, e->time_cs);
        before = e->level_dbm;
        pass_expect(&expected, e->channel, e->count);
    }
    if (levels->n > 0)
        packer->level = levels->entry[0].level_dbm;
    packer->column[COLUMN_KEY] = key;
    packer->column[COLUMN_LEVEL] = level;
    packer->column[COLUMN_COUNT] = count;
    packer->column[COLUMN_WAY] = way;
    packer->column[COLUMN_TIME] = time;
    return expected;
}

void pass_packer_add(PassPacker *packer, const PassRecord *record, const uint64_t *id, uint32_t n)
{
    Column *column = packer->column;
    const PassRecord *before = &packer->before;
    room_for_passes(packer, 1);
    PassExpected expected = put_levels(packer, &record->levels);
    put_signed(&column[COLUMN_DRIVE], (uint64_t)record->drive - (uint64_t)before->drive);
    put_signed(&column[COLUMN_SOURCE], (uint64_t)record->source - (uint64_t)before->source);
    put_signed(&column[COLUMN_PASS], (uint64_t)record->pass - before->pass);
    put_times(packer, record->first_ns, record->last_ns);
    put(&column[COLUMN_BACKWARD], record->is_backward ? 1 : 0);
    put_signed(&column[COLUMN_N], record->n - expected.n);
    put_signed(&column[COLUMN_N_LEVEL], record->n_level - expected.n_level);
    put_signed(&column[COLUMN_N_NO_SERVICE], record->n_no_service - expected.n_no_service);
    put_signed(&column[COLUMN_N_LIMITED], record->n_limited - expected.n_limited);
    put(&column[COLUMN_N_MISSING], record->n_missing);
    int32_t band = MAX(record->band, -1);
    put_signed(&column[COLUMN_BAND], (uint64_t)((int64_t)band - before->band));
    put_cells(packer, id, n);
    put(&column[COLUMN_ENTRIES], record->levels.n);
    packer->before = *record;
    packer->before.band = band;
    packer->n++;
}

/* ---- all of them ---- */

/* Division by a constant is several times as fast as by a variable. */
static inline int64_t in_unit(int64_t ns, unsigned unit)
{
    switch (unit) {
    case 3:
        return ns / 1000000000;
    case 2:
        return ns / 1000000;
    case 1:
        return ns / 1000;
    default:
        return ns;
    }
}

static void put_all_times(PassPacker *packer)
{
    const int64_t *time = packer->times;
    Column first = packer->column[COLUMN_FIRST], last = packer->column[COLUMN_LAST];
    uint64_t before = 0;
    for (size_t i = 0; i < packer->n; i++) {
        uint64_t from = (uint64_t)in_unit(time[2 * i], packer->unit);
        uint64_t to = (uint64_t)in_unit(time[2 * i + 1], packer->unit);
        first.to = varint_put(first.to, codec_zigzag(from - before));
        put_signed(&last, to - from);
        before = from;
    }
    packer->column[COLUMN_FIRST] = first;
    packer->column[COLUMN_LAST] = last;
}

static uint8_t *make_room(uint8_t **data, size_t *room, size_t n)
{
    if (*room < n) {
        g_free(*data);
        *data = g_malloc(n);
        *room = n;
    }
    return *data;
}

/* Everything, behind the byte that tells the form. */
static size_t assemble(PassPacker *packer)
{
    size_t size = packer->names->len + (N_COLUMNS + 4) * (size_t)MOST_VARINT;
    for (unsigned c = 0; c < N_COLUMNS; c++) {
        Column *column = &packer->column[c];
        if (column->to != column->data && column->differs == 0 && !pass_column_is_whole(c))
            column->to = varint_put(column->data, column->last);
        size += (size_t)(column->to - column->data);
    }
    uint8_t *to = make_room(&packer->plain, &packer->plain_room, size);
    *to++ = PASS_PLAIN;
    to = varint_put(to, packer->n);
    *to++ = (uint8_t)packer->unit;
    to = varint_put(to, g_hash_table_size(packer->known));
    if (packer->names->len > 0)
        memcpy(to, packer->names->data, packer->names->len);
    to += packer->names->len;
    for (unsigned c = 0; c < N_COLUMNS; c++)
        to = varint_put(to, (uint64_t)(packer->column[c].to - packer->column[c].data));
    for (unsigned c = 0; c < N_COLUMNS; c++) {
        size_t n = (size_t)(packer->column[c].to - packer->column[c].data);
        memcpy(to, packer->column[c].data, n);
        to += n;
    }
    return (size_t)(to - packer->plain);
}

const uint8_t *pass_packer_end(PassPacker *packer, size_t *size)
{
    put_all_times(packer);
    *size = assemble(packer);
    if (*size < COMPRESS_FROM || *size > PASS_MOST_UNPACKED)
        return packer->plain;
    size_t room = ZSTD_compressBound(*size);
    uint8_t *packed = make_room(&packer->packed, &packer->packed_room, room + 1);
    size_t n = ZSTD_compress2(packer->zstd, packed + 1, room, packer->plain + 1, *size - 1);
    if (ZSTD_isError(n) != 0 || n + 1 >= *size)
        return packer->plain;
    packed[0] = PASS_ZSTD;
    *size = n + 1;
    return packed;
}
