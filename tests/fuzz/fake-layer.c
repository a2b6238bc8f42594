/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fake-layer.h"

#include "analyzer/cell.h"
#include "analyzer/layer.h"
#include "analyzer/pass-pack.h"
#include "formats/bytes.h"

#include <math.h>
#include <string.h>

enum {
    FIELDS = 32,
    MAX_TEXT = 24,
    MAX_PARTS = 3,
    MAX_POINTS = 7,
    MAX_ROWS = 400,
    MAX_PASSES = 4,
    MAX_LEVELS = 4,
};

typedef struct {
    LayerType type;
    gboolean known;
    int64_t i;
    double r;
    char t[MAX_TEXT + 1];
} Value;

struct LayerSource {
    char *path;
};

struct LayerReader {
    char *names[FIELDS];
    LayerField fields[FIELDS];
    guint n_fields;
    gboolean has_table; /* the first n_fields are named by it */
    LayerType types[FIELDS];
    Value values[FIELDS];
    GeoPoint points[MAX_PARTS * MAX_POINTS];
    uint32_t part[MAX_PARTS + 1];
    uint8_t is_hole[MAX_PARTS];
    guint rows;
    LayerRow row;
    GByteArray *packed; /* passes of the row */
};

struct LayerTable {
    int64_t fid;
};

struct LayerWriter {
    struct LayerTable table;
};

static ByteReader input;
static uint8_t missing;
static const FakeTable *tables;
static size_t n_tables;

G_DEFINE_QUARK(corridor - layer - error - quark, layer_error)

void fake_layer_begin(const uint8_t *data, size_t size)
{
    input = byte_reader(data, size);
    missing = byte_read_u8(&input);
    n_tables = 0;
}

void fake_layer_tables(const FakeTable *those, size_t n)
{
    tables = those;
    n_tables = n;
}

uint8_t fake_layer_byte(void)
{
    return byte_reader_left(&input) > 0 ? byte_read_u8(&input) : 0;
}

static double byte_real(void)
{
    uint64_t bits = byte_reader_left(&input) >= 8 ? byte_read_u64(&input) : 0;
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* One name in eight is missing, for each bit that is set. */
static gboolean is_missing(const char *name)
{
    return (missing >> (g_str_hash(name) % 8) & 1U) != 0;
}

/* ---- values ---- */

/* What would be markup, a command or no text where it is shown. */
static const char *const hostile[] = {"<forged onload=\"x\">",
                                      "</script><forged>",
                                      "\"'><forged a=\"",
                                      "&forged;&amp;&#1;",
                                      "]]><forged/>",
                                      "<!-- forged",
                                      "a\nb\tc\r",
                                      "\x01\x1b[31m\x7f",
                                      "\xff\xfe\xc0\xaf",
                                      "\xef\xbf\xbf\xef\xbf\xbe",
                                      "\xed\xa0\x80\xc2\x85",
                                      ",\"\"\n,\"",
                                      "'; x '",
                                      "`x` $(x)",
                                      "{\"a\":[1}\\",
                                      "\xe2\x80\xa8{1}"};
enum { FIRST_HOSTILE = 256 - G_N_ELEMENTS(hostile) };

static void set_text(Value *value)
{
    static const char *const words[] = {"",
                                        "primary",
                                        "rail",
                                        "yes",
                                        "no",
                                        "-1",
                                        "forward",
                                        "backward",
                                        "only_up",
                                        "no_left_turn",
                                        "only_right_turn",
                                        "station",
                                        "Alfa",
                                        "Beta",
                                        "lte",
                                        "voice",
                                        "covered",
                                        "not covered",
                                        "uncertain",
                                        "1",
                                        "2.5",
                                        "-80",
                                        "1e999",
                                        "nan",
                                        "any",
                                        "total"};
    uint8_t which = fake_layer_byte();
    value->type = LAYER_TEXT;
    if (which >= FIRST_HOSTILE) {
        g_strlcpy(value->t, hostile[which - FIRST_HOSTILE], sizeof value->t);
    } else if (which < G_N_ELEMENTS(words)) {
        g_strlcpy(value->t, words[which], sizeof value->t);
    } else {
        size_t n = MIN((size_t)(which % MAX_TEXT), byte_reader_left(&input));
        const uint8_t *run = byte_read_run(&input, n);
        for (size_t i = 0; i < n; i++)
            value->t[i] = (char)run[i];
        value->t[n] = '\0';
    }
    value->i = g_ascii_strtoll(value->t, NULL, 10);
    value->r = g_ascii_strtod(value->t, NULL);
}

static void set_value(Value *value)
{
    memset(value, 0, sizeof *value);
    uint8_t form = fake_layer_byte();
    value->known = form % 8 != 0;
    switch (form % 8) {
    case 0:
        return;
    case 1:
    case 2:
        value->i = fake_layer_byte() - (form % 8 == 1 ? 0 : 128);
        value->r = (double)value->i;
        break;
    case 3:
        value->i = byte_reader_left(&input) >= 8 ? (int64_t)byte_read_u64(&input) : 0;
        value->r = (double)value->i;
        break;
    case 4:
        value->type = LAYER_REAL;
        value->r = fake_layer_byte() * 1.5 - 128;
        value->i = (int64_t)value->r;
        break;
    case 5:
        value->type = LAYER_REAL;
        value->r = byte_real();
        value->i = value->r >= 9e18    ? INT64_MAX
                   : value->r <= -9e18 ? INT64_MIN
                   : isnan(value->r)   ? 0
                                       : (int64_t)value->r;
        break;
    default:
        set_text(value);
        return;
    }
    if (value->type == LAYER_INT)
        (void)g_snprintf(value->t, sizeof value->t, "%" G_GINT64_FORMAT, value->i);
    else
        (void)g_ascii_formatd(value->t, sizeof value->t, "%.15g", value->r);
}

/* ---- shapes ---- */

/* Near each other, so that ends meet; or anywhere on the earth. */
static GeoPoint point(gboolean anywhere)
{
    GeoPoint p = {15 + fake_layer_byte() % 16 * 0.0004, 60 + fake_layer_byte() % 16 * 0.0002};
    if (anywhere) {
        double lon = byte_real();
        double lat = byte_real();
        if (fabs(lon) <= 180 && fabs(lat) <= 90)
            p = (GeoPoint){lon, lat};
    }
    return p;
}

static void make_shape(LayerReader *reader)
{
    uint8_t form = fake_layer_byte();
    LayerShape *shape = &reader->row.shape;
    *shape = (LayerShape){.kind = (LayerKind)(form % 4)};
    reader->row.damaged = form >> 6 == 3;
    if (shape->kind == LAYER_NONE || reader->row.damaged) {
        shape->kind = LAYER_NONE;
        return;
    }
    shape->n_parts = 1 + (form >> 2) % MAX_PARTS;
    uint32_t n = 0;
    for (uint32_t p = 0; p < shape->n_parts; p++) {
        uint32_t more = shape->kind == LAYER_POINTS ? 1 : 1U + fake_layer_byte() % MAX_POINTS;
        reader->part[p] = n;
        reader->is_hole[p] = p > 0 && (form >> 4 & 1) != 0;
        while (more-- > 0)
            reader->points[n++] = point((form >> 5 & 1) != 0);
    }
    reader->part[shape->n_parts] = n;
    shape->part = reader->part;
    shape->is_hole = reader->is_hole;
    shape->points = reader->points;
}

/* ---- reading ---- */

LayerSource *layer_open(const char *path, GError **error)
{
    if (is_missing("file")) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: cannot be opened", path);
        return NULL;
    }
    LayerSource *source = g_new0(LayerSource, 1);
    source->path = g_strdup(path);
    return source;
}

void layer_close(LayerSource *source)
{
    if (source == NULL)
        return;
    g_free(source->path);
    g_free(source);
}

const char *layer_path(const LayerSource *source)
{
    return source->path;
}

gboolean layer_is_osm(const LayerSource *source)
{
    (void)source;
    return is_missing("osm");
}

guint layer_count(const LayerSource *source)
{
    (void)source;
    return n_tables > 0 ? (guint)n_tables : 1;
}

const char *layer_name(const LayerSource *source, guint i)
{
    (void)source;
    return n_tables > 0 ? tables[i].name : "layer";
}

LayerKind layer_kind(const LayerSource *source, guint i)
{
    (void)source;
    (void)i;
    return is_missing("shapes") ? LAYER_NONE : LAYER_LINES;
}

gboolean layer_has(const LayerSource *source, const char *layer)
{
    (void)source;
    return !is_missing(layer);
}

/* Those that are not missing. */
static void take_columns(LayerReader *reader, const FakeTable *table)
{
    g_auto(GStrv) columns = g_strsplit(table->columns, " ", -1);
    reader->has_table = TRUE;
    reader->n_fields = 0;
    for (char **column = columns; *column != NULL; column++) {
        char *colon = strchr(*column, ':');
        g_assert(colon != NULL && reader->n_fields < FIELDS);
        *colon = '\0';
        if (is_missing(*column))
            continue;
        reader->names[reader->n_fields] = g_strdup(*column);
        reader->types[reader->n_fields++] = colon[1] == 'i'   ? LAYER_INT
                                            : colon[1] == 'r' ? LAYER_REAL
                                                              : LAYER_TEXT;
    }
}

LayerReader *layer_read(LayerSource *source, const char *layer, const LayerQuery *query,
                        GError **error)
{
    (void)query;
    if (layer != NULL && is_missing(layer)) {
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER, "%s: no layer %s", source->path,
                    layer);
        return NULL;
    }
    LayerReader *reader = g_new0(LayerReader, 1);
    reader->n_fields = FIELDS;
    for (size_t i = 0; layer != NULL && i < n_tables; i++)
        if (strcmp(tables[i].name, layer) == 0)
            take_columns(reader, &tables[i]);
    reader->packed = g_byte_array_new();
    reader->row.reader = reader;
    return reader;
}

void layer_reader_free(LayerReader *reader)
{
    if (reader == NULL)
        return;
    for (guint i = 0; i < FIELDS; i++)
        g_free(reader->names[i]);
    g_byte_array_unref(reader->packed);
    g_free(reader);
}

const LayerField *layer_fields(const LayerReader *reader, guint *n)
{
    LayerReader *own = (LayerReader *)(uintptr_t)reader;
    for (guint i = 0; i < own->n_fields; i++) {
        if (own->names[i] == NULL)
            own->names[i] = g_strdup_printf("field%u", i);
        own->fields[i] =
            (LayerField){own->names[i], own->has_table ? own->types[i] : (LayerType)(i % 4)};
    }
    *n = own->n_fields;
    return own->fields;
}

/* Without a table a name gets the next field that has none. */
int layer_column(const LayerReader *reader, const char *name)
{
    LayerReader *own = (LayerReader *)(uintptr_t)reader;
    if (is_missing(name))
        return -1;
    for (guint i = 0; i < own->n_fields; i++) {
        if (own->names[i] == NULL)
            own->names[i] = g_strdup(name);
        if (g_ascii_strcasecmp(own->names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

gboolean layer_need_column(const LayerReader *reader, const char *name, int *column, GError **error)
{
    *column = layer_column(reader, name);
    if (*column < 0)
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_NO_LAYER, "no field %s", name);
    return *column >= 0;
}

int64_t layer_rows(const LayerReader *reader)
{
    (void)reader;
    return -1;
}

/* Rows end with a byte of 0, or fail with one of 1. */
const LayerRow *layer_next(LayerReader *reader, GError **error)
{
    uint8_t go_on = fake_layer_byte();
    if (go_on == 1)
        g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "cannot be read on");
    if (go_on <= 1 || reader->rows++ == MAX_ROWS)
        return NULL;
    reader->row.fid = go_on % 32;
    make_shape(reader);
    const guint n = 4U + go_on / 32U * 4U;
    for (guint i = 0; i < FIELDS; i++)
        if (i < n)
            set_value(&reader->values[i]);
        else
            reader->values[i] = (Value){0};
    return &reader->row;
}

static const Value *value_of(const LayerRow *row, int column)
{
    g_assert_cmpint(column, <, FIELDS);
    return column >= 0 && row->reader->values[column].known ? &row->reader->values[column] : NULL;
}

gboolean layer_is_null(const LayerRow *row, int column)
{
    return value_of(row, column) == NULL;
}

int64_t layer_get_int(const LayerRow *row, int column, int64_t if_null)
{
    const Value *value = value_of(row, column);
    return value != NULL ? value->i : if_null;
}

double layer_get_real(const LayerRow *row, int column, double if_null)
{
    const Value *value = value_of(row, column);
    return value != NULL ? value->r : if_null;
}

const char *layer_get_text(const LayerRow *row, int column)
{
    const Value *value = value_of(row, column);
    return value != NULL ? value->t : NULL;
}

/* ---- packed passes ---- */

static void add_pass(PassPacker *packer)
{
    LevelHistogram levels = {0};
    uint8_t b[10];
    for (guint i = 0; i < sizeof b; i++)
        b[i] = fake_layer_byte();
    for (guint i = b[9] % MAX_LEVELS; i > 0; i--) {
        LevelEntry entry = {.channel = fake_layer_byte() % CHANNEL_COUNT};
        entry.level_dbm = (int16_t)(-fake_layer_byte());
        entry.count = fake_layer_byte();
        entry.way_dm = fake_layer_byte();
        entry.time_cs = fake_layer_byte();
        level_histogram_add(&levels, entry);
    }
    const PassRecord record = {.drive = b[0] % 4,
                               .source = b[1] % 4,
                               .first_ns = b[2] * INT64_C(30000000000),
                               .last_ns = b[3] < 250 ? b[3] * INT64_C(30000000000) : INT64_MAX,
                               .pass = b[4] % 4,
                               .n = b[5],
                               .n_level = b[6],
                               .band = b[7] % 4 - 1,
                               .levels = levels};
    uint64_t id = cell_identity("24001", b[8]);
    pass_packer_add(packer, &record, &id, 1);
    level_histogram_clear(&levels);
}

/* Passes as they are packed, but for a byte, so that a fuzzer needs not find that out; the row says
 * how many. */
static const void *make_passes(const LayerRow *row, size_t *n)
{
    LayerReader *own = (LayerReader *)(uintptr_t)row->reader;
    g_autoptr(PassPacker) packer = pass_packer_new();
    uint8_t count = fake_layer_byte() % MAX_PASSES;
    for (uint8_t i = 0; i < count; i++)
        add_pass(packer);
    const uint8_t *packed = pass_packer_end(packer, n);
    g_byte_array_set_size(own->packed, 0);
    g_byte_array_append(own->packed, packed, (guint)*n);
    uint8_t at = fake_layer_byte();
    own->packed->data[at % *n] ^= fake_layer_byte();
    int records = layer_column(own, "records");
    if (records >= 0)
        own->values[records] = (Value){.known = TRUE, .i = count};
    return own->packed->data;
}

const void *layer_get_blob(const LayerRow *row, int column, size_t *n)
{
    const Value *value = value_of(row, column);
    if (value != NULL && value->i % 2 == 0 && g_strcmp0(row->reader->names[column], "packed") == 0)
        return make_passes(row, n);
    *n = value != NULL ? strlen(value->t) : 0;
    return value != NULL ? value->t : NULL;
}

/* ---- writing, to nowhere ---- */

LayerValue layer_null(void)
{
    return (LayerValue){0};
}

LayerValue layer_int(int64_t value)
{
    return (LayerValue){.known = TRUE, .v.i = value};
}

LayerValue layer_real(double value)
{
    return (LayerValue){.known = isfinite(value), .v.r = value};
}

LayerValue layer_text(const char *value)
{
    return (LayerValue){.known = value != NULL, .v.t = value};
}

LayerValue layer_blob(const void *data, size_t n)
{
    return (LayerValue){.known = data != NULL, .v.b = {data, n}};
}

LayerWriter *layer_create(const char *path, GError **error)
{
    (void)path;
    (void)error;
    return g_new0(LayerWriter, 1);
}

LayerWriter *layer_create_from(const char *path, const char *from, GError **error)
{
    (void)from;
    return layer_create(path, error);
}

void layer_set_date(const char *date)
{
    (void)date;
}

void layer_discard(LayerWriter *writer)
{
    g_free(writer);
}

LayerTable *layer_add_table(LayerWriter *writer, const char *name, LayerKind kind,
                            const LayerField *fields, guint n_fields, GError **error)
{
    (void)name;
    (void)kind;
    (void)fields;
    (void)n_fields;
    (void)error;
    return &writer->table;
}

LayerTable *layer_add_bulk_table(LayerWriter *writer, const char *name, LayerKind kind,
                                 const LayerField *fields, guint n_fields, GError **error)
{
    return layer_add_table(writer, name, kind, fields, n_fields, error);
}

LayerTable *layer_append_table(LayerWriter *writer, const char *name, const LayerField *fields,
                               guint n_fields, GError **error)
{
    return layer_add_table(writer, name, LAYER_NONE, fields, n_fields, error);
}

gboolean layer_add(LayerTable *table, const GeoPoint *points, size_t n_points,
                   const LayerValue *values, GError **error)
{
    (void)values;
    (void)error;
    for (size_t i = 0; i < n_points; i++)
        g_assert_true(isfinite(points[i].lon) && isfinite(points[i].lat));
    table->fid++;
    return TRUE;
}

gboolean layer_encode(const LayerTable *table, const GeoPoint *points, size_t n_points,
                      const LayerValue *values, GByteArray *rows, GError **error)
{
    (void)table;
    (void)points;
    (void)n_points;
    (void)values;
    (void)rows;
    (void)error;
    return TRUE;
}

gboolean layer_add_encoded(LayerWriter *writer, const uint8_t *rows, size_t n, GError **error)
{
    (void)writer;
    (void)rows;
    (void)n;
    (void)error;
    return TRUE;
}

gboolean layer_add_shape(LayerTable *table, const LayerShape *shape, const LayerValue *values,
                         GError **error)
{
    return layer_add(table, shape->points, shape->n_parts > 0 ? shape->part[shape->n_parts] : 0,
                     values, error);
}

int64_t layer_last_fid(const LayerTable *table)
{
    return table->fid;
}

gboolean layer_add_style(LayerWriter *writer, const char *layer, const char *name, const char *qml,
                         GError **error)
{
    (void)writer;
    (void)layer;
    (void)name;
    (void)qml;
    (void)error;
    return TRUE;
}

gboolean layer_sql(LayerWriter *writer, const char *sql, GError **error)
{
    (void)writer;
    (void)sql;
    (void)error;
    return TRUE;
}

gboolean layer_finish(LayerWriter *writer, GError **error)
{
    (void)writer;
    (void)error;
    return TRUE;
}
