/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/judge.h"
#include "analyzer/pass-column.h"
#include "analyzer/pass-pack.h"
#include "formats/chunk-codec.h"

#include <math.h>
#include <string.h>
#include <zstd.h>

/* The values of a column that are left. */
typedef struct {
    const uint8_t *at, *end;
    uint64_t value;
    gboolean is_constant; /* `value` is all there is */
} Cursor;

struct PassUnpacker {
    Cursor column[N_COLUMNS];
    uint64_t n, done;
    uint64_t unit_ns;
    GPtrArray *cells;  /* char *, into `names` */
    GArray *list;      /* uint32_t: cells of the pass at hand */
    GByteArray *names; /* with a zero behind each */
    GString *text;     /* the cells of the pass at hand */
    PassRecord record;
    uint64_t first; /* in the unit of times */
    int64_t level;  /* of the first entry of the pass before */
    LevelHistogram levels;
    ZSTD_DCtx *zstd;
    uint8_t *plain;
    size_t plain_room;
    const char *problem;
};

PassUnpacker *pass_unpacker_new(void)
{
    PassUnpacker *unpacker = g_new0(PassUnpacker, 1);
    unpacker->cells = g_ptr_array_new();
    unpacker->list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    unpacker->names = g_byte_array_new();
    unpacker->text = g_string_new(NULL);
    unpacker->zstd = ZSTD_createDCtx();
    g_assert_nonnull(unpacker->zstd);
    return unpacker;
}

void pass_unpacker_free(PassUnpacker *unpacker)
{
    if (unpacker == NULL)
        return;
    g_ptr_array_unref(unpacker->cells);
    g_array_unref(unpacker->list);
    g_byte_array_unref(unpacker->names);
    g_string_free(unpacker->text, TRUE);
    level_histogram_clear(&unpacker->levels);
    (void)ZSTD_freeDCtx(unpacker->zstd);
    g_free(unpacker->plain);
    g_free(unpacker);
}

const char *pass_unpacker_problem(const PassUnpacker *unpacker)
{
    return unpacker->problem;
}

uint64_t pass_unpacker_count(const PassUnpacker *unpacker)
{
    return unpacker->n;
}

static gboolean fail(PassUnpacker *unpacker, const char *problem)
{
    if (unpacker->problem == NULL)
        unpacker->problem = problem;
    return FALSE;
}

/* ---- what stands before the columns ---- */

typedef struct {
    const uint8_t *at, *end;
} Span;

static gboolean take_varint(Span *span, uint64_t *value)
{
    size_t n = codec_get_varint(span->at, (size_t)(span->end - span->at), value);
    span->at += n;
    return n > 0;
}

/* Names are put behind each other first: where they lie is known when all are there. */
static gboolean take_cells(PassUnpacker *unpacker, Span *span)
{
    uint64_t n;
    if (!take_varint(span, &n) || n > (uint64_t)(span->end - span->at) / 2)
        return FALSE;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t length;
        if (!take_varint(span, &length) || length == 0 || length > PASS_MOST_CELL_BYTES ||
            length > (uint64_t)(span->end - span->at))
            return FALSE;
        for (uint64_t k = 0; k < length; k++)
            if (span->at[k] <= ' ' || span->at[k] > '~' || span->at[k] == ',')
                return FALSE;
        g_ptr_array_add(unpacker->cells, GSIZE_TO_POINTER(unpacker->names->len));
        g_byte_array_append(unpacker->names, span->at, (guint)length);
        g_byte_array_append(unpacker->names, (const uint8_t *)"", 1);
        span->at += length;
    }
    for (guint i = 0; i < unpacker->cells->len; i++)
        unpacker->cells->pdata[i] =
            unpacker->names->data + GPOINTER_TO_SIZE(unpacker->cells->pdata[i]);
    return TRUE;
}

static gboolean take_columns(PassUnpacker *unpacker, Span *span)
{
    uint64_t length[N_COLUMNS];
    for (unsigned c = 0; c < N_COLUMNS; c++)
        if (!take_varint(span, &length[c]))
            return FALSE;
    for (unsigned c = 0; c < N_COLUMNS; c++) {
        if (length[c] > (uint64_t)(span->end - span->at))
            return FALSE;
        Cursor *cursor = &unpacker->column[c];
        *cursor = (Cursor){.at = span->at, .end = span->at + length[c]};
        if (length[c] > 0 && !pass_column_is_whole(c) &&
            codec_get_varint(cursor->at, length[c], &cursor->value) == length[c]) {
            cursor->is_constant = TRUE;
            cursor->at = cursor->end;
        }
        span->at += length[c];
    }
    const Cursor *first = &unpacker->column[COLUMN_FIRST];
    return span->at == span->end && unpacker->n <= (uint64_t)(first->end - first->at);
}

static gboolean decompress(PassUnpacker *unpacker, const uint8_t *packed, size_t n, Span *span)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed, n);
    if (size == 0 || size > PASS_MOST_UNPACKED) /* what is not known is, too */
        return FALSE;
    if (unpacker->plain_room < size) {
        g_free(unpacker->plain);
        unpacker->plain = g_malloc((size_t)size);
        unpacker->plain_room = (size_t)size;
    }
    if (ZSTD_decompressDCtx(unpacker->zstd, unpacker->plain, (size_t)size, packed, n) != size)
        return FALSE;
    *span = (Span){unpacker->plain, unpacker->plain + size};
    return TRUE;
}

gboolean pass_unpacker_begin(PassUnpacker *unpacker, const uint8_t *packed, size_t size)
{
    Span span = {0};
    unpacker->n = unpacker->done = 0;
    unpacker->problem = NULL;
    unpacker->record = (PassRecord){.band = -1};
    unpacker->first = 0;
    unpacker->level = 0;
    g_ptr_array_set_size(unpacker->cells, 0);
    g_array_set_size(unpacker->list, 0);
    g_byte_array_set_size(unpacker->names, 0);
    g_string_truncate(unpacker->text, 0);
    if (size == 0)
        return fail(unpacker, "the passes are empty");
    if (packed[0] == PASS_PLAIN)
        span = (Span){packed + 1, packed + size};
    else if (packed[0] != PASS_ZSTD)
        return fail(unpacker, "the passes are in a form that is not known");
    else if (!decompress(unpacker, packed + 1, size - 1, &span))
        return fail(unpacker, "the passes cannot be decompressed");
    uint64_t unit;
    if (!take_varint(&span, &unpacker->n) || !take_varint(&span, &unit) || unit > 3 ||
        !take_cells(unpacker, &span) || !take_columns(unpacker, &span)) {
        unpacker->n = 0;
        return fail(unpacker, "the passes are damaged");
    }
    unpacker->unit_ns = pass_unit_ns((unsigned)unit);
    return TRUE;
}

/* ---- a pass ---- */

static inline uint64_t take(PassUnpacker *unpacker, PassColumn column)
{
    Cursor *cursor = &unpacker->column[column];
    if (cursor->is_constant)
        return cursor->value;
    if (cursor->at < cursor->end && *cursor->at < 0x80)
        return *cursor->at++;
    uint64_t value = 0;
    size_t n = codec_get_varint(cursor->at, (size_t)(cursor->end - cursor->at), &value);
    if (n == 0)
        (void)fail(unpacker, "a column of the passes ends early");
    cursor->at += n;
    return value;
}

static inline uint64_t take_signed(PassUnpacker *unpacker, PassColumn column)
{
    return codec_unzigzag(take(unpacker, column));
}

static uint32_t as_u32(PassUnpacker *unpacker, uint64_t value)
{
    if (value > UINT32_MAX)
        (void)fail(unpacker, "a number of the passes is too large");
    return (uint32_t)value;
}

static void take_text(PassUnpacker *unpacker)
{
    g_string_truncate(unpacker->text, 0);
    for (guint i = 0; i < unpacker->list->len; i++) {
        uint32_t cell = g_array_index(unpacker->list, uint32_t, i);
        if (i > 0)
            g_string_append_c(unpacker->text, ',');
        g_string_append(unpacker->text, g_ptr_array_index(unpacker->cells, cell));
    }
}

static void take_cells_of_pass(PassUnpacker *unpacker)
{
    uint64_t n = take(unpacker, COLUMN_CELLS);
    const Cursor *left = &unpacker->column[COLUMN_CELL];
    if (n == 0) {
        if (unpacker->list->len > PASS_SHORT_CELLS)
            (void)fail(unpacker, "a long list of cells is repeated");
        return;
    }
    if (n - 1 > (uint64_t)(left->end - left->at)) {
        (void)fail(unpacker, "there are fewer cells than the passes say");
        return;
    }
    g_array_set_size(unpacker->list, 0);
    for (uint64_t i = 0; i + 1 < n; i++) {
        uint64_t cell = take(unpacker, COLUMN_CELL);
        if (cell >= unpacker->cells->len) {
            (void)fail(unpacker, "a pass names a cell that is not there");
            return;
        }
        uint32_t number = (uint32_t)cell;
        g_array_append_val(unpacker->list, number);
    }
    take_text(unpacker);
}

static void make_room(LevelHistogram *levels, uint32_t n)
{
    if (n <= levels->size)
        return;
    levels->size = MAX(n, MAX(2 * levels->size, 64));
    levels->entry = g_renew(LevelEntry, levels->entry, levels->size);
}

static PassExpected take_levels(PassUnpacker *unpacker)
{
    PassExpected expected = {0};
    LevelHistogram *levels = &unpacker->levels;
    uint64_t n = take(unpacker, COLUMN_ENTRIES);
    const Cursor *left = &unpacker->column[COLUMN_WAY];
    levels->n = 0;
    if (n > (uint64_t)(left->end - left->at) || n > PASS_MOST_ENTRIES) {
        (void)fail(unpacker, "there are fewer levels than the passes say");
        return expected;
    }
    make_room(levels, (uint32_t)n);
    uint64_t before = 0;
    int64_t level = unpacker->level;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t key = take(unpacker, COLUMN_KEY);
        uint64_t channel = key % KEY_CHANNELS, rat = key / KEY_CHANNELS;
        level = (int64_t)((uint64_t)level + take_signed(unpacker, COLUMN_LEVEL));
        uint32_t count = as_u32(unpacker, take(unpacker, COLUMN_COUNT));
        uint32_t way = as_u32(unpacker, take(unpacker, COLUMN_WAY));
        uint32_t time = as_u32(unpacker, take(unpacker, COLUMN_TIME));
        uint64_t order = channel << 24 | rat << 16 | ((uint64_t)level + 32768);
        if (channel >= CHANNEL_COUNT || rat > UINT8_MAX || level < INT16_MIN || level > INT16_MAX ||
            (i > 0 && order <= before)) {
            (void)fail(unpacker, "levels of a pass are not a histogram");
            return expected;
        }
        before = order;
        levels->entry[levels->n++] =
            (LevelEntry){(uint8_t)channel, (uint8_t)rat, (int16_t)level, count, way, time};
        pass_expect(&expected, (unsigned)channel, count);
    }
    if (n > 0)
        unpacker->level = levels->entry[0].level_dbm;
    return expected;
}

static void take_pass(PassUnpacker *unpacker)
{
    PassRecord *r = &unpacker->record;
    PassExpected expected = take_levels(unpacker);
    r->levels = unpacker->levels;
    r->drive = (int64_t)((uint64_t)r->drive + take_signed(unpacker, COLUMN_DRIVE));
    r->source = (int64_t)((uint64_t)r->source + take_signed(unpacker, COLUMN_SOURCE));
    r->pass = as_u32(unpacker, r->pass + take_signed(unpacker, COLUMN_PASS));
    unpacker->first += take_signed(unpacker, COLUMN_FIRST);
    uint64_t last = unpacker->first + take_signed(unpacker, COLUMN_LAST);
    r->first_ns = (int64_t)(unpacker->first * unpacker->unit_ns);
    r->last_ns = (int64_t)(last * unpacker->unit_ns);
    r->is_backward = take(unpacker, COLUMN_BACKWARD) != 0;
    r->n = as_u32(unpacker, expected.n + take_signed(unpacker, COLUMN_N));
    r->n_level = as_u32(unpacker, expected.n_level + take_signed(unpacker, COLUMN_N_LEVEL));
    r->n_no_service =
        as_u32(unpacker, expected.n_no_service + take_signed(unpacker, COLUMN_N_NO_SERVICE));
    r->n_limited = as_u32(unpacker, expected.n_limited + take_signed(unpacker, COLUMN_N_LIMITED));
    r->n_missing = as_u32(unpacker, take(unpacker, COLUMN_N_MISSING));
    int64_t band = (int64_t)((uint64_t)r->band + take_signed(unpacker, COLUMN_BAND));
    if (band < -1 || band > INT32_MAX)
        (void)fail(unpacker, "a band of the passes makes no sense");
    else
        r->band = (int32_t)band;
    take_cells_of_pass(unpacker);
    r->cells = unpacker->list->len > 0 ? unpacker->text->str : NULL;
}

static gboolean all_taken(const PassUnpacker *unpacker)
{
    for (unsigned c = 0; c < N_COLUMNS; c++)
        if (unpacker->column[c].at != unpacker->column[c].end)
            return FALSE;
    return TRUE;
}

const PassRecord *pass_unpacker_next(PassUnpacker *unpacker)
{
    if (unpacker->problem != NULL)
        return NULL;
    if (unpacker->done == unpacker->n) {
        if (!all_taken(unpacker))
            (void)fail(unpacker, "there is more than the passes say");
        return NULL;
    }
    take_pass(unpacker);
    unpacker->done++;
    return unpacker->problem == NULL ? &unpacker->record : NULL;
}

/* ---- what follows from it ---- */

PassFigures pass_figures(const PassRecord *record, double decorrelation_m)
{
    PassFigures f = {.level_mean = NAN};
    double linear = 0.0, weights = 0.0;
    for (uint32_t i = 0; i < record->levels.n; i++) {
        const LevelEntry *e = &record->levels.entry[i];
        if (e->channel == CHANNEL_NR_LEG)
            continue;
        f.metres += e->way_dm / 10.0;
        f.seconds += e->time_cs / 100.0;
        if (e->channel >= CHANNEL_GSM && e->channel <= CHANNEL_SA) {
            linear += e->count * pow(10.0, e->level_dbm / 10.0);
            weights += e->count;
        }
    }
    if (weights > 0.0 && linear > 0.0)
        f.level_mean = 10.0 * log10(linear / weights);
    f.n_effective = judge_effective(record->n, f.metres, decorrelation_m);
    return f;
}
