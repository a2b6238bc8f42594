/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. A table is a tree of pages. The way from the root to the leaf is kept as a
 * stack of page numbers and cell numbers; pages are read in blocks, because the leaves of a table
 * that only grew lie one after the other. A row is a header of serial types, which say kind and
 * length of each value, and the values; both are gone through once, straight into the chunk. All
 * that the file says is checked before it is used: it may come from a stranger.
 */
#include "formats/drive-pages.h"

#include "formats/chunk-builder.h"
#include "formats/drive-file.h"
#include "formats/drive-schema.h"
#include "formats/page-format.h"

#include <errno.h>
#include <unistd.h>

enum {
    MAX_DEPTH = 20,
    BLOCK_SIZE = 256 * 1024,
    MAX_PAYLOAD = 1 << 20, /* rows of sealed kinds are some hundred bytes */
    SLACK = 8,             /* bytes after a page or row: numbers are taken eight bytes at a time */
};

typedef struct {
    guint8 *bytes; /* a copy of the page */
    guint at, n_cells;
    gboolean leaf;
    guint header; /* of the page: offset of the array of cells */
} Level;

/* What is left of a row: serial types in its header, and values. */
typedef struct {
    const guint8 *header, *header_end;
    const guint8 *value, *end;
} Rest;

struct PageRows {
    const RecordType *type;
    int fd;
    sqlite3_stmt *same_row; /* what SQLite makes of a row */
    gint64 n_pages, n_pushed;
    gsize page_size, usable;
    guint8 *block;
    gint64 block_first, block_pages; /* page numbers in `block`, from 1 */
    Level levels[MAX_DEPTH];
    int depth;           /* levels in use */
    int column_of[128];  /* column of the table -> of the record, -1 if unknown */
    guint n_columns;     /* of the table */
    GByteArray *payload; /* of a row that overflows its page */
    /* the row */
    gint64 rowid, time_ns, source;
    Rest row;
};

/* ---- pages ---- */

static gboolean read_block(PageRows *rows, gint64 first)
{
    gsize want = BLOCK_SIZE / rows->page_size * rows->page_size;
    gsize got = 0;
    while (got < want) {
        ssize_t n = pread(rows->fd, rows->block + got, want - got,
                          (off_t)((first - 1) * (gint64)rows->page_size + (gint64)got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (gsize)n;
    }
    rows->block_first = first;
    rows->block_pages = (gint64)(got / rows->page_size);
    return rows->block_pages > 0;
}

/* Valid until the next call. NULL if there is no such page. */
static const guint8 *get_page(PageRows *rows, gint64 number)
{
    if (number < 1 || number > rows->n_pages)
        return NULL;
    if ((number < rows->block_first || number >= rows->block_first + rows->block_pages) &&
        !read_block(rows, number))
        return NULL;
    return rows->block + (gsize)(number - rows->block_first) * rows->page_size;
}

static gboolean push(PageRows *rows, gint64 number)
{
    const guint8 *page = get_page(rows, number);
    /* A tree has each page once: more visits than pages are a circle. */
    if (page == NULL || rows->depth == MAX_DEPTH || ++rows->n_pushed > rows->n_pages)
        return FALSE;
    Level *level = &rows->levels[rows->depth];
    if (level->bytes == NULL)
        level->bytes = g_malloc0(rows->page_size + SLACK);
    memcpy(level->bytes, page, rows->page_size);
    guint start = number == 1 ? PAGE_FILE_HEADER_SIZE : 0;
    const guint8 *head = level->bytes + start;
    if (head[0] != PAGE_TABLE_LEAF && head[0] != PAGE_TABLE_INTERIOR)
        return FALSE;
    level->leaf = head[0] == PAGE_TABLE_LEAF;
    level->header = start + (level->leaf ? 8 : 12);
    level->n_cells = page_u16(head + 3);
    level->at = 0;
    if (level->header + 2 * (gsize)level->n_cells > rows->usable)
        return FALSE;
    rows->depth++;
    return TRUE;
}

/* Start of a cell of the level, or NULL. */
static const guint8 *get_cell(const PageRows *rows, const Level *level, guint number)
{
    guint offset = page_u16(level->bytes + level->header + 2 * number);
    return offset >= level->header && offset + 4 <= rows->usable ? level->bytes + offset : NULL;
}

/* Goes on to the next leaf that has a cell left. */
static PageStep find_leaf(PageRows *rows)
{
    while (rows->depth > 0) {
        Level *level = &rows->levels[rows->depth - 1];
        if (level->leaf) {
            if (level->at < level->n_cells)
                return PAGE_ROWS_ROW;
            rows->depth--;
            continue;
        }
        if (level->at > level->n_cells) {
            rows->depth--;
            continue;
        }
        /* The child after the last cell stands in the header of the page. */
        const guint8 *child = level->at == level->n_cells ? level->bytes + level->header - 4
                                                          : get_cell(rows, level, level->at);
        level->at++;
        if (child == NULL || !push(rows, page_u32(child)))
            return PAGE_ROWS_FAILED;
    }
    return PAGE_ROWS_END;
}

/* ---- rows ---- */

/* Takes the next value; *value stands at `rest->value - *length`. FALSE if the row is broken. */
static inline gboolean take_value(Rest *rest, gint64 *serial, gsize *length)
{
    guint step = 1;
    *serial = *rest->header;
    if (*serial >= 0x80)
        step = page_varint(rest->header, (gsize)(rest->header_end - rest->header), serial);
    gint64 size = page_value_size(*serial);
    if (step == 0 || size < 0 || size > rest->end - rest->value)
        return FALSE;
    rest->header += step;
    rest->value += size;
    *length = (gsize)size;
    return TRUE;
}

static gboolean is_int(gint64 serial)
{
    return (serial >= 1 && serial <= 6) || serial == SERIAL_ZERO || serial == SERIAL_ONE;
}

/* The first eight bytes of a value, of which `length` count. What lies behind them may be another
 * value or SLACK, but it can be read. */
static inline guint64 load_word(const guint8 *value)
{
    guint64 word = 0;
    memcpy(&word, value, sizeof word);
    return word;
}

/* An integer: is_int(serial). */
static inline gint64 int_value(gint64 serial, const guint8 *value, gsize length)
{
    if (serial >= SERIAL_ZERO)
        return serial - SERIAL_ZERO;
    return (gint64)GUINT64_FROM_BE(load_word(value)) >> (64 - 8 * length);
}

static gboolean begin_row(PageRows *rows, const guint8 *row, gsize size)
{
    gint64 header_size = 0;
    gsize at = page_varint(row, size, &header_size);
    if (at == 0 || header_size < (gint64)at || header_size > (gint64)size)
        return FALSE;
    rows->row = (Rest){row + at, row + header_size, row + header_size, row + size};
    rows->time_ns = 0;
    rows->source = 0;
    gint64 *const first_two[] = {&rows->time_ns, &rows->source};
    Rest rest = rows->row;
    gboolean timed = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(first_two) && rest.header < rest.header_end; i++) {
        gint64 serial = 0;
        gsize length = 0;
        if (!take_value(&rest, &serial, &length))
            return FALSE;
        if (!is_int(serial))
            continue;
        *first_two[i] = int_value(serial, rest.value - length, length);
        timed = timed || i == 0;
    }
    return timed;
}

/* A row too long for its page goes on in a chain of other pages. */
static gboolean gather_overflow(PageRows *rows, const guint8 *local, gsize n_local, gsize size,
                                guint32 next)
{
    g_byte_array_set_size(rows->payload, (guint)(size + SLACK));
    guint8 *to = rows->payload->data;
    memcpy(to, local, n_local);
    for (gsize at = n_local; at < size;) {
        const guint8 *page = get_page(rows, next);
        if (page == NULL)
            return FALSE;
        gsize n = MIN(rows->usable - 4, size - at);
        next = page_u32(page);
        memcpy(to + at, page + 4, n);
        at += n;
    }
    memset(to + size, 0, SLACK);
    return begin_row(rows, to, size);
}

PageStep page_rows_next(PageRows *rows)
{
    PageStep step = find_leaf(rows);
    if (step != PAGE_ROWS_ROW)
        return step;
    Level *level = &rows->levels[rows->depth - 1];
    const guint8 *at = get_cell(rows, level, level->at++);
    const guint8 *end = level->bytes + rows->usable;
    gint64 size = 0;
    guint step_size = at != NULL ? page_varint(at, (gsize)(end - at), &size) : 0;
    guint step_id = step_size > 0
                        ? page_varint(at + step_size, (gsize)(end - at) - step_size, &rows->rowid)
                        : 0;
    if (step_id == 0 || size < 0 || size > MAX_PAYLOAD)
        return PAGE_ROWS_FAILED;
    at += step_size + step_id;
    gsize n_local = page_local_size((gsize)size, rows->usable, FALSE);
    gboolean overflows = n_local < (gsize)size;
    if (n_local + (overflows ? 4 : 0) > (gsize)(end - at))
        return PAGE_ROWS_FAILED;
    gboolean sound = overflows
                         ? gather_overflow(rows, at, n_local, (gsize)size, page_u32(at + n_local))
                         : begin_row(rows, at, (gsize)size);
    return sound ? PAGE_ROWS_ROW : PAGE_ROWS_FAILED;
}

gint64 page_rows_time_ns(const PageRows *rows)
{
    return rows->time_ns;
}

gint64 page_rows_source(const PageRows *rows)
{
    return rows->source;
}

/* A text or the word of an enumeration; mostly it is that of the row before. */
static void add_words(ChunkBuilder *builder, unsigned c, const guint8 *value, gsize length)
{
    guint64 word = load_word(value);
    if (length < sizeof word)
        word &= GUINT64_FROM_LE((G_GUINT64_CONSTANT(1) << (8 * length)) - 1);
    if (chunk_builder_repeat(builder, c, word, length))
        return;
    const RecordColumn *column = &builder->type->columns[c];
    if (column->type == COLUMN_TEXT) {
        chunk_builder_set_text(builder, c, (const char *)value, length);
        return;
    }
    int found = record_enum_value(column, (const char *)value, length);
    if (found >= 0)
        chunk_builder_set_word(builder, c, (const char *)value, length, found);
}

gboolean page_rows_add(const PageRows *rows, ChunkBuilder *builder)
{
    Rest rest = rows->row;
    for (guint i = 0; i < rows->n_columns && rest.header < rest.header_end; i++) {
        gint64 serial = 0;
        gsize length = 0;
        if (!take_value(&rest, &serial, &length)) {
            builder->row_known = 0;
            return FALSE;
        }
        const int found = rows->column_of[i];
        if (serial == SERIAL_NULL || found < 0)
            continue;
        const unsigned c = (unsigned)found;
        const guint8 *value = rest.value - length;
        switch (rows->type->columns[c].type) {
        case COLUMN_INT:
            if (is_int(serial))
                chunk_builder_set(builder, c, int_value(serial, value, length));
            break;
        case COLUMN_REAL:
            if (serial == SERIAL_REAL)
                chunk_builder_set(builder, c, (gint64)GUINT64_FROM_BE(load_word(value)));
            else if (is_int(serial)) /* SQLite writes whole reals as integers */
                chunk_builder_set_real(builder, c, (double)int_value(serial, value, length));
            break;
        case COLUMN_TEXT:
        case COLUMN_ENUM:
            if (serial >= SERIAL_TEXT && serial % 2 != 0)
                add_words(builder, c, value, length);
            break;
        }
    }
    chunk_builder_end_row(builder);
    return TRUE;
}

/* Whether the row added last has in column c what column i of the statement says. */
static gboolean value_agrees(const ChunkBuilder *builder, unsigned c, sqlite3_stmt *stmt, int i)
{
    const RecordColumn *column = &builder->type->columns[c];
    const size_t row = builder->n - 1;
    const gboolean known = (builder->known[row] >> c & 1U) != 0;
    const gint64 value = known ? builder->values[c][row] : 0;
    const char *text = NULL;
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER:
        return known && column->type == COLUMN_INT && value == sqlite3_column_int64(stmt, i);
    case SQLITE_FLOAT: {
        double real = sqlite3_column_double(stmt, i);
        gint64 bits = 0;
        memcpy(&bits, &real, sizeof bits);
        return known && column->type == COLUMN_REAL && value == bits;
    }
    case SQLITE_TEXT:
        text = (const char *)sqlite3_column_text(stmt, i);
        if (column->type == COLUMN_TEXT)
            return known && strcmp((const char *)(intptr_t)value, text) == 0;
        return column->type == COLUMN_ENUM &&
               record_enum_value(column, text, strlen(text)) == (known ? value : -1);
    default:
        return !known;
    }
}

gboolean page_rows_agree(const PageRows *rows, const ChunkBuilder *builder)
{
    sqlite3_stmt *stmt = rows->same_row;
    (void)sqlite3_bind_int64(stmt, 1, rows->rowid);
    gboolean agree =
        sqlite3_step(stmt) == SQLITE_ROW && (guint)sqlite3_column_count(stmt) == rows->n_columns;
    for (guint i = 0; agree && i < rows->n_columns; i++)
        if (rows->column_of[i] >= 0)
            agree = value_agrees(builder, (unsigned)rows->column_of[i], stmt, (int)i);
    (void)sqlite3_reset(stmt);
    return agree;
}

/* ---- opening ---- */

/* Which column of the table is which of the record. FALSE for a table that no drive has: all of
 * them begin with time and source. */
static gboolean map_columns(PageRows *rows, sqlite3 *db)
{
    sqlite3_stmt *stmt =
        drive_prepare(db, "", "SELECT name, hidden, pk FROM pragma_table_xinfo(?1, 'main')", NULL);
    if (stmt == NULL)
        return FALSE;
    (void)sqlite3_bind_text(stmt, 1, rows->type->table, -1, SQLITE_STATIC);
    gboolean plain = TRUE;
    while (plain && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        plain = name != NULL && sqlite3_column_int(stmt, 1) == 0 &&
                sqlite3_column_int(stmt, 2) == 0 && rows->n_columns < G_N_ELEMENTS(rows->column_of);
        if (plain)
            rows->column_of[rows->n_columns++] = record_find_column(rows->type, name);
    }
    sqlite3_finalize(stmt);
    return plain && rows->n_columns >= 2 &&
           rows->column_of[0] == record_find_column(rows->type, "time_ns") &&
           rows->column_of[1] == record_find_column(rows->type, "source");
}

static gint64 query(sqlite3 *db, const char *sql, const char *table)
{
    sqlite3_stmt *stmt = drive_prepare(db, "", sql, NULL);
    if (stmt == NULL)
        return -1;
    if (table != NULL)
        (void)sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
    gint64 value = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    sqlite3_finalize(stmt);
    return value;
}

PageRows *page_rows_new(int fd, sqlite3 *db, RecordKind kind)
{
    g_autoptr(PageRows) rows = g_new0(PageRows, 1);
    rows->type = record_type(kind);
    rows->fd = fd;
    rows->payload = g_byte_array_new();
    rows->block = g_malloc(BLOCK_SIZE);
    guint8 header[PAGE_FILE_HEADER_SIZE];
    gint64 page_size = query(db, "PRAGMA page_size", NULL);
    rows->n_pages = query(db, "PRAGMA page_count", NULL);
    gint64 root =
        query(db, "SELECT rootpage FROM main.sqlite_schema WHERE type = 'table' AND name = ?1",
              rows->type->table);
    /* The file's own header must agree with what SQLite uses; text is UTF-8 (1). */
    if (page_size < 512 || page_size > 65536 || rows->n_pages < 1 ||
        pread(fd, header, sizeof header, 0) != (ssize_t)sizeof header ||
        page_u16(header + 16) != (page_size == 65536 ? 1 : page_size) ||
        page_u32(header + 56) != 1 || !map_columns(rows, db))
        return NULL;
    rows->page_size = (gsize)page_size;
    rows->usable = rows->page_size - header[20];
    g_autofree char *sql =
        g_strdup_printf("SELECT * FROM main.%s WHERE rowid = ?1", rows->type->table);
    rows->same_row = drive_prepare(db, "", sql, NULL);
    if (rows->same_row == NULL || rows->usable < 480 || !push(rows, root))
        return NULL;
    return g_steal_pointer(&rows);
}

void page_rows_free(PageRows *rows)
{
    if (rows == NULL)
        return;
    for (int i = 0; i < MAX_DEPTH; i++)
        g_free(rows->levels[i].bytes);
    sqlite3_finalize(rows->same_row);
    g_free(rows->block);
    g_byte_array_unref(rows->payload);
    g_free(rows);
}
