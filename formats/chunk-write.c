/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chunk-builder.h"

#include "formats/chunk-codec.h"
#include "formats/chunk-layout.h"

#include <math.h>
#include <zlib.h>

/* Appends which rows have a value: as runs, or as a bitmap where those were many. */
static void append_holes(ChunkBuilder *builder, const uint64_t *bits)
{
    const size_t n = builder->n;
    uint32_t ends[4 + CHUNK_ROWS / 64];
    const size_t runs = row_bits_runs(bits, n, NULL);
    /* a run takes one or two bytes; of a bitmap with few changes little is left when packed */
    const gboolean as_runs = runs <= 4 + n / 64;
    uint8_t size[CODEC_MAX_VARINT];
    g_byte_array_append(builder->raw, size, (guint)codec_put_varint(size, as_runs ? runs : 0));
    if (as_runs)
        (void)row_bits_runs(bits, n, ends);
    for (size_t k = 0; as_runs && k < runs; k++)
        g_byte_array_append(builder->raw, size,
                            (guint)codec_put_varint(size, ends[k] - (k > 0 ? ends[k - 1] : 0)));
    for (size_t w = 0; !as_runs && 64 * w < n; w++) {
        const uint64_t word = GUINT64_TO_LE(bits[w]);
        const guint bytes = (guint)MIN(sizeof word, (n - 64 * w + 7) / 8);
        g_byte_array_append(builder->raw, (const guint8 *)&word, bytes);
    }
}

static void append_packed(ChunkBuilder *builder, size_t n, const CodecRange *range,
                          ChunkEntry *entry)
{
    CodecHeader header;
    size_t length = codec_pack(builder->ints, n, range, &header, builder->packed);
    entry->layout = header.layout;
    entry->width = header.width;
    entry->base = header.base;
    entry->scale = header.scale;
    builder->planes_at = builder->raw->len;
    builder->plane_size = header.width > 0 ? n : 0;
    g_byte_array_append(builder->raw, builder->packed, (guint)length);
}

/* Other times of the same record lie close to its time. */
static gboolean is_relative(const ChunkBuilder *builder, unsigned c)
{
    const char *name = builder->type->columns[c].name;
    return (int)c != builder->time_column && g_str_has_suffix(name, "_ns") &&
           strcmp(name, "duration_ns") != 0 && strcmp(name, "step_ns") != 0;
}

static void encode_int(ChunkBuilder *builder, unsigned c, size_t n, ChunkEntry *entry)
{
    int64_t *ints = builder->ints;
    CodecRange range = codec_range(ints, n);
    entry->min.i = range.low;
    entry->max.i = range.high;
    entry->relative = is_relative(builder, c) ? 1 : 0;
    if (entry->relative != 0) {
        int64_t *times = (int64_t *)(void *)builder->packed; /* free until they are packed */
        (void)row_bits_gather(builder->bits[c], builder->n, builder->values[builder->time_column],
                              times);
        for (size_t i = 0; i < n; i++)
            ints[i] = (int64_t)((uint64_t)ints[i] - (uint64_t)times[i]);
        range = codec_range(ints, n);
    }
    append_packed(builder, n, &range, entry);
}

static double real_of(int64_t bits)
{
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Whole numbers up to 2^51 as doubles: adding 1.5 * 2^52 rounds to whole and leaves the number in
 * the low bits, without a call and in vector instructions. */
#define WHOLE_LIMIT 2251799813685248.0 /* 2^51 */
#define WHOLE_MAGIC 6755399441055744.0 /* 1.5 * 2^52 */

static gboolean exact_with(const int64_t *bits, size_t n, double power)
{
    gboolean exact = TRUE;
    for (size_t i = 0; power == 1.0 && exact && i < n; i++) {
        double v = real_of(bits[i]);
        exact = v + WHOLE_MAGIC - WHOLE_MAGIC == v;
    }
    for (size_t i = 0; power != 1.0 && exact && i < n; i++) {
        double v = real_of(bits[i]);
        exact = (v * power + WHOLE_MAGIC - WHOLE_MAGIC) / power == v;
    }
    return exact;
}

/* How many decimals write these values so that dividing the integer by 10^decimals gives the same
 * double again; CHUNK_RAW_REAL if none does. */
static uint8_t decimals_of(const int64_t *bits, size_t n, double largest)
{
    for (unsigned decimals = 0; decimals <= CHUNK_MAX_DECIMALS; decimals++) {
        double power = chunk_power10[decimals];
        if (!(largest * power < WHOLE_LIMIT))
            break;
        if (exact_with(bits, n, power))
            return (uint8_t)decimals;
    }
    return CHUNK_RAW_REAL;
}

typedef struct {
    double low, high;
    gboolean whole; /* no value that an integer cannot stand for: NaN and -0 */
} RealRange;

static void extend(RealRange *range, int64_t bits)
{
    const double v = real_of(bits);
    range->low = v < range->low ? v : range->low;
    range->high = v > range->high ? v : range->high;
    range->whole &= !isnan(v) && bits != INT64_MIN;
}

/* Of n > 0 values. Two halves at once: each step waits for the one before it. */
static RealRange range_of_reals(const int64_t *bits, size_t n)
{
    RealRange a = {INFINITY, -INFINITY, TRUE};
    RealRange b = a;
    for (size_t i = 0; i < n / 2; i++) {
        extend(&a, bits[i]);
        extend(&b, bits[n / 2 + i]);
    }
    extend(&b, bits[n - 1]);
    return (RealRange){fmin(a.low, b.low), fmax(a.high, b.high), a.whole && b.whole};
}

static void encode_real(ChunkBuilder *builder, size_t n, ChunkEntry *entry)
{
    int64_t *ints = builder->ints;
    const RealRange reals = range_of_reals(ints, n);
    entry->min.r = reals.low;
    entry->max.r = reals.high;
    entry->decimals = reals.whole ? decimals_of(ints, n, fmax(fabs(reals.low), fabs(reals.high)))
                                  : (uint8_t)CHUNK_RAW_REAL;
    if (entry->decimals != CHUNK_RAW_REAL) {
        double power = chunk_power10[entry->decimals];
        double magic = WHOLE_MAGIC;
        int64_t magic_bits = 0;
        memcpy(&magic_bits, &magic, sizeof magic_bits);
        for (size_t i = 0; i < n; i++) {
            double sum = real_of(ints[i]) * power + WHOLE_MAGIC;
            int64_t sum_bits = 0;
            memcpy(&sum_bits, &sum, sizeof sum_bits);
            ints[i] = sum_bits - magic_bits;
        }
    }
    const CodecRange range = codec_range(ints, n);
    append_packed(builder, n, &range, entry);
}

/* Words in order of their first use; then a code for each row. */
static void encode_words(ChunkBuilder *builder, unsigned c, size_t n, ChunkEntry *entry)
{
    const RecordColumn *column = &builder->type->columns[c];
    g_autoptr(GHashTable) codes = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GByteArray) words = g_byte_array_new();
    int64_t previous = 0;
    int64_t code = -1;
    for (size_t i = 0; i < n; i++) {
        int64_t value = builder->ints[i]; /* number of an enumeration, or a text's address */
        if (value != previous || code < 0) {
            const char *word = column->type == COLUMN_ENUM ? record_enum_name(column, (int)value)
                                                           : (const char *)(intptr_t)value;
            gpointer found = NULL;
            if (g_hash_table_lookup_extended(codes, word, NULL, &found)) {
                code = GPOINTER_TO_INT(found);
            } else {
                code = (int64_t)g_hash_table_size(codes);
                g_hash_table_insert(codes, (gpointer)(uintptr_t)word, GINT_TO_POINTER((int)code));
                g_assert(word != NULL); /* only known values were gathered */
                g_byte_array_append(words, (const guint8 *)word, (guint)strlen(word) + 1);
            }
            previous = value;
        }
        builder->ints[i] = code;
    }
    guint8 size[4];
    chunk_put_u32(size, words->len);
    g_byte_array_append(builder->raw, size, sizeof size);
    g_byte_array_append(builder->raw, words->data, words->len);
    const CodecRange range = codec_range(builder->ints, n);
    append_packed(builder, n, &range, entry);
}

/* One zstd frame of the raw bytes, with each plane of numbers in blocks of its own: the planes
 * differ in how often which byte stands in them, and a block has one code for all. Returns its
 * size. */
static size_t compress_raw(ChunkBuilder *builder)
{
    /* fewer numbers are not worth the heads of the blocks */
    enum { MIN_PLANE = 256 };
    const GByteArray *raw = builder->raw;
    const gsize step = builder->plane_size >= MIN_PLANE ? builder->plane_size : raw->len;
    ZSTD_CCtx *zstd = builder->zstd;
    (void)ZSTD_CCtx_reset(zstd, ZSTD_reset_session_only);
    (void)ZSTD_CCtx_setPledgedSrcSize(zstd, raw->len);
    g_byte_array_set_size(builder->stored, (guint)(ZSTD_compressBound(raw->len) + 64));
    ZSTD_outBuffer out = {builder->stored->data, builder->stored->len, 0};
    ZSTD_inBuffer in = {raw->data, 0, 0};
    gsize end = builder->plane_size >= MIN_PLANE ? builder->planes_at : raw->len;
    for (;; end += step) {
        in.size = MIN(end, raw->len);
        const ZSTD_EndDirective how = in.size == raw->len ? ZSTD_e_end : ZSTD_e_flush;
        /* There is room for all: one call takes what there is. */
        if (in.size > in.pos && ZSTD_compressStream2(zstd, &out, &in, how) != 0)
            return SIZE_MAX;
        if (how == ZSTD_e_end)
            return out.pos;
    }
}

static void store(ChunkBuilder *builder, ChunkEntry *entry, GByteArray *data)
{
    const GByteArray *raw = builder->raw;
    entry->raw_size = raw->len;
    size_t size = raw->len < 32 || builder->bare ? SIZE_MAX : compress_raw(builder);
    entry->packing = size < raw->len ? CHUNK_ZSTD : CHUNK_STORED;
    const guint8 *bytes = entry->packing == CHUNK_ZSTD ? builder->stored->data : raw->data;
    entry->stored_size = entry->packing == CHUNK_ZSTD ? (uint32_t)size : raw->len;
    entry->crc = builder->bare ? 0 : (uint32_t)crc32_z(0, bytes, entry->stored_size);
    g_byte_array_append(data, bytes, entry->stored_size);
}

/* The first row whose text is another; n if there is none. */
static size_t text_difference(const uint64_t *bits, size_t n, const int64_t *a, const int64_t *b)
{
    const char *last_a = NULL; /* texts repeat from row to row */
    const char *last_b = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *x = (const char *)(intptr_t)a[i];
        const char *y = (const char *)(intptr_t)b[i];
        if ((bits[i / 64] >> (i % 64) & 1U) == 0 || (x == last_a && y == last_b))
            continue;
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): known texts are none */
        if (strcmp(x, y) != 0)
            return i;
        last_a = x;
        last_b = y;
    }
    return n;
}

/* Whether the column comes back; if not, *row is the first that does not. */
static gboolean comes_back(ChunkBuilder *builder, Chunk *chunk, unsigned c, size_t *row,
                           GError **error)
{
    const size_t n = builder->n;
    const uint64_t *bits = builder->bits[c];
    const uint64_t *back_bits = NULL; /* NULL: all rows */
    int64_t *back = builder->ints;
    *row = 0;
    if (!chunk_decode_column(chunk, c, back, &back_bits, error))
        return FALSE;
    if (back_bits == NULL ? row_bits_count(bits, n) != n
                          : memcmp(bits, back_bits, (n + 63) / 64 * sizeof *bits) != 0)
        return FALSE;
    *row = builder->type->columns[c].type == COLUMN_TEXT
               ? text_difference(bits, n, builder->values[c], back)
               : row_bits_difference(bits, n, builder->values[c], back);
    return *row == n;
}

/* Rows are deleted because their chunk exists: so the chunk is read back first. */
static gboolean verify(ChunkBuilder *builder, const GByteArray *bytes, uint64_t somewhere,
                       GError **error)
{
    g_autoptr(Chunk) chunk = (builder->bare ? chunk_open_bare : chunk_open)(
        builder->type->kind, bytes->data, bytes->len, error);
    if (chunk == NULL)
        return FALSE;
    chunk_take_scratch(chunk, builder->checked);
    for (unsigned c = 0; c < builder->type->n_columns; c++) {
        const gboolean wanted = (somewhere >> c & 1U) != 0;
        GError *failure = NULL;
        size_t row = 0;
        if (wanted == (chunk_column(chunk, c) != NULL) &&
            (!wanted || comes_back(builder, chunk, c, &row, &failure)))
            continue;
        if (failure != NULL)
            g_propagate_error(error, failure);
        else
            g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED,
                        "a chunk of %s does not give its rows back (column %s, row %zu)",
                        builder->type->table, builder->type->columns[c].name, row);
        return FALSE;
    }
    g_clear_pointer(&builder->checked, chunk_free);
    builder->checked = g_steal_pointer(&chunk);
    return TRUE;
}

/* Encodes column c, if it has a value in some row, into the directory and the data. */
static gboolean encode_column(ChunkBuilder *builder, unsigned c)
{
    const RecordColumn *column = &builder->type->columns[c];
    const uint64_t *bits = builder->bits[c];
    const size_t n = row_bits_count(bits, builder->n);
    if (n == 0)
        return FALSE;
    ChunkEntry entry = {.type = (uint8_t)column->type, .known = (uint32_t)n};
    g_byte_array_set_size(builder->raw, 0);
    if (n < builder->n)
        append_holes(builder, bits);
    (void)row_bits_gather(bits, builder->n, builder->values[c], builder->ints);
    if (column->type == COLUMN_INT)
        encode_int(builder, c, n, &entry);
    else if (column->type == COLUMN_REAL)
        encode_real(builder, n, &entry);
    else
        encode_words(builder, c, n, &entry);
    store(builder, &entry, builder->data);
    chunk_entry_append(builder->directory, c, &entry, (uint32_t)builder->n, builder->bare);
    return TRUE;
}

/* All columns, into the directory and the data. Returns which there are. */
static uint64_t encode_columns(ChunkBuilder *builder, gboolean bare)
{
    builder->bare = bare;
    g_byte_array_set_size(builder->directory, 0);
    g_byte_array_set_size(builder->data, 0);
    uint64_t somewhere = 0;
    for (unsigned c = 0; c < builder->type->n_columns; c++)
        if (encode_column(builder, c))
            somewhere |= UINT64_C(1) << c;
    return somewhere;
}

/* The chunk, if it gives its rows back. */
static GByteArray *put_together(ChunkBuilder *builder, uint64_t somewhere, GError **error)
{
    const GByteArray *directory = builder->directory;
    const GByteArray *data = builder->data;
    g_autoptr(GByteArray) chunk =
        g_byte_array_sized_new(CHUNK_HEADER_SIZE + directory->len + data->len);
    guint8 header[CHUNK_HEADER_SIZE];
    memcpy(header, builder->bare ? CHUNK_MAGIC_BARE : CHUNK_MAGIC, 4);
    chunk_put_u32(header + 4, (uint32_t)builder->n);
    chunk_put_u32(header + 8, (uint32_t)__builtin_popcountll(somewhere));
    chunk_put_u32(header + 12, directory->len);
    chunk_put_u32(header + 16,
                  (uint32_t)crc32_z(crc32_z(0, header, 16), directory->data, directory->len));
    g_byte_array_append(chunk, header, builder->bare ? CHUNK_BARE_HEADER_SIZE : CHUNK_HEADER_SIZE);
    g_byte_array_append(chunk, directory->data, directory->len);
    g_byte_array_append(chunk, data->data, data->len);
    gboolean fine = verify(builder, chunk, somewhere, error);
    chunk_builder_clear(builder);
    return fine ? g_steal_pointer(&chunk) : NULL;
}

GByteArray *chunk_builder_finish_small(ChunkBuilder *builder, gboolean *bare, GError **error)
{
    g_assert(builder->n > 0);
    row_bits_by_column(builder->known, builder->n, builder->bits);
    *bare = builder->n <= CHUNK_BARE_ROWS;
    uint64_t somewhere = encode_columns(builder, *bare);
    if (*bare && builder->directory->len + builder->data->len > CHUNK_BARE_SIZE) {
        *bare = FALSE;
        somewhere = encode_columns(builder, FALSE);
    }
    return put_together(builder, somewhere, error);
}

GByteArray *chunk_builder_finish(ChunkBuilder *builder, GError **error)
{
    g_assert(builder->n > 0);
    row_bits_by_column(builder->known, builder->n, builder->bits);
    const uint64_t somewhere = encode_columns(builder, FALSE);
    return put_together(builder, somewhere, error);
}
